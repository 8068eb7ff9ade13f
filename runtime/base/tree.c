/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a folder is not one step for the system, so what was read is compared with what is there
 * afterwards (sizes, times, numbers of the files) and read again when something has moved. A folder that
 * never comes to rest is refused rather than read in a state that nobody saved. */
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16, ATTEMPTS = 20, WAIT_US = 20000 };

struct reading {
    struct rt_tree *tree; /* NULL: only looks */
    uint64_t print;       /* of names, sizes and times */
    struct rt_err *err;
};

struct rt_tree *rt_tree_new(void)
{
    struct rt_tree *t = calloc(1, sizeof *t);
    if (t)
        atomic_init(&t->refs, 1);
    return t;
}

struct rt_tree *rt_tree_ref(struct rt_tree *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

static void clear(struct rt_tree *t)
{
    for (int i = 0; i < t->n; i++) {
        free(t->file[i].path);
        free(t->file[i].text);
    }
    t->n = 0;
    t->bytes = 0;
}

void rt_tree_unref(struct rt_tree *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
        return;
    clear(t);
    free(t->file);
    free(t);
}

int rt_tree_add(struct rt_tree *t, const char *path, const char *text, size_t n, struct rt_err *err)
{
    if (n > RT_TREE_FILE_MAX)
        return rt_err_set(err, RT_E_LIMIT, "%s is longer than %d bytes", path, RT_TREE_FILE_MAX);
    if (t->n == RT_TREE_FILES_MAX || t->bytes + n > RT_TREE_BYTES_MAX)
        return rt_err_set(err, RT_E_LIMIT, "%s: more than %d files or %d bytes", path, RT_TREE_FILES_MAX,
                          RT_TREE_BYTES_MAX);
    if ((t->n & (t->n - 1)) == 0) {
        struct rt_tree_file *more = realloc(t->file, (t->n ? 2 * (size_t)t->n : 1) * sizeof *more);
        if (!more)
            return rt_err_set(err, RT_E_NOMEM, "no memory for %s", path);
        t->file = more;
    }
    struct rt_tree_file f = { strdup(path), malloc(n + 1), n };
    if (!f.path || !f.text) {
        free(f.path);
        free(f.text);
        return rt_err_set(err, RT_E_NOMEM, "no memory for %s", path);
    }
    memcpy(f.text, text, n);
    f.text[n] = 0;
    t->file[t->n++] = f;
    t->bytes += n;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct rt_tree_file *)a)->path, ((const struct rt_tree_file *)b)->path);
}

void rt_tree_sort(struct rt_tree *t)
{
    if (t->n > 1)
        qsort(t->file, (size_t)t->n, sizeof *t->file, by_path);
}

/* The first file that does not come before `path`. */
static int lower_bound(const struct rt_tree *t, const char *path)
{
    int from = 0, to = t->n;
    while (from < to) {
        int middle = from + (to - from) / 2;
        if (strcmp(t->file[middle].path, path) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct rt_tree_file *rt_tree_find(const struct rt_tree *t, const char *path)
{
    int i = lower_bound(t, path);
    return i < t->n && strcmp(t->file[i].path, path) == 0 ? &t->file[i] : NULL;
}

int rt_tree_first(const struct rt_tree *t, const char *prefix)
{
    int i = lower_bound(t, prefix);
    return i < t->n && strncmp(t->file[i].path, prefix, strlen(prefix)) == 0 ? i : t->n;
}

static void mix(struct reading *r, uint64_t value)
{
    r->print = (r->print ^ value) * UINT64_C(0x100000001b3);
    r->print ^= r->print >> 29;
}

static void mix_file(struct reading *r, const char *path, const struct stat *st)
{
    for (const char *p = path; *p; p++)
        mix(r, (unsigned char)*p);
    mix(r, (uint64_t)st->st_ino);
    mix(r, (uint64_t)st->st_size);
    mix(r, (uint64_t)st->st_mtim.tv_sec);
    mix(r, (uint64_t)st->st_mtim.tv_nsec);
}

static int take_file(struct reading *r, int fd, const char *path, const struct stat *st)
{
    if (st->st_size > RT_TREE_FILE_MAX)
        return rt_err_set(r->err, RT_E_LIMIT, "%s is longer than %d bytes", path, RT_TREE_FILE_MAX);
    char *text = malloc((size_t)st->st_size + 1);
    size_t n = 0;
    ssize_t got = text ? 1 : -1;
    while (got > 0 && n < (size_t)st->st_size) {
        got = read(fd, text + n, (size_t)st->st_size - n);
        n += got > 0 ? (size_t)got : 0;
    }
    int rc = got < 0 ? rt_err_set(r->err, RT_E_IO, "cannot read %s: %s", path, strerror(errno))
                     : rt_tree_add(r->tree, path, text, n, r->err);
    free(text);
    return rc;
}

bool rt_tree_ignores(const char *name)
{
    size_t n = strlen(name);
    return n == 0 || name[0] == '.' || name[0] == '#' || name[n - 1] == '~';
}

static int walk(struct reading *r, int parent, const char *name, const char *path, int depth);

static int walk_folder(struct reading *r, int fd, const char *path, int depth)
{
    DIR *d = depth < DEPTH_MAX ? fdopendir(fd) : NULL;
    int rc = 0;
    if (!d) {
        close(fd);
        return rt_err_set(r->err, RT_E_LIMIT, "%s: cannot be read, or more than %d folders deep", path, DEPTH_MAX);
    }
    struct dirent *e;
    while (rc == 0 && (e = readdir(d))) {
        char below[1024];
        if (rt_tree_ignores(e->d_name))
            continue;
        int n = snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        rc = n < (int)sizeof below ? walk(r, dirfd(d), e->d_name, below, depth + 1)
                                   : rt_err_set(r->err, RT_E_LIMIT, "%s: the name is too long", path);
    }
    closedir(d);
    return rc;
}

/* A file that went away since its name was read is a change like any other: the second look finds it. */
static int walk(struct reading *r, int parent, const char *name, const char *path, int depth)
{
    struct stat st;
    int fd = openat(parent, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno == ELOOP)
        return rt_err_set(r->err, RT_E_INVALID, "%s is a link: only plain files and folders are read", path);
    if (fd < 0 || fstat(fd, &st)) {
        int rc = rt_err_set(r->err, RT_E_IO, "cannot read %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    if (S_ISDIR(st.st_mode))
        return walk_folder(r, fd, path, depth);
    int rc = 0;
    if (S_ISREG(st.st_mode)) {
        mix_file(r, path, &st);
        rc = r->tree ? take_file(r, fd, path, &st) : 0;
    } else {
        rc = rt_err_set(r->err, RT_E_INVALID, "%s is not a plain file or folder", path);
    }
    close(fd);
    return rc;
}

static int walk_all(struct reading *r, const char *root, const char *const *folders)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    if (fd < 0)
        return rt_err_set(r->err, RT_E_IO, "cannot read the folder %s: %s", root, strerror(errno));
    for (int i = 0; rc == 0 && folders[i]; i++)
        rc = walk(r, fd, folders[i], folders[i], 0);
    close(fd);
    return rc;
}

int rt_tree_read(const char *root, const char *const *folders, struct rt_tree **ret, struct rt_err *err)
{
    struct rt_tree *t = rt_tree_new();
    if (!t)
        return rt_err_set(err, RT_E_NOMEM, "no memory for files");
    int rc = RT_E_BUSY;
    for (int i = 0; i < ATTEMPTS && rc == RT_E_BUSY; i++) {
        struct reading first = { .tree = t, .err = err }, again = { .err = err };
        clear(t);
        if (i > 0)
            usleep(WAIT_US);
        rc = walk_all(&first, root, folders);
        rt_tree_sort(t);
        if (rc == 0)
            rc = walk_all(&again, root, folders);
        if (rc == 0 && first.print != again.print)
            rc = rt_err_set(err, RT_E_BUSY, "the files in %s do not stop changing", root);
    }
    if (rc)
        rt_tree_unref(t);
    else
        *ret = t;
    return rc;
}

static int write_file(const char *path, const struct rt_tree_file *f, struct rt_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t done = 0;
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && done < f->n) {
        n = write(fd, f->text + done, f->n - done);
        done += n > 0 ? (size_t)n : 0;
    }
    int why = n < 0 ? errno : 0;
    if (fd >= 0 && close(fd) && !why)
        why = errno;
    return why ? rt_err_set(err, RT_E_IO, "cannot write %s: %s", path, strerror(why)) : 0;
}

int rt_tree_write(const struct rt_tree *t, const char *folder, struct rt_err *err)
{
    char path[2048];
    int rc = 0;
    size_t root = strlen(folder) + 1;
    for (int i = 0; rc == 0 && i < t->n; i++) {
        if (snprintf(path, sizeof path, "%s/%s", folder, t->file[i].path) >= (int)sizeof path)
            return rt_err_set(err, RT_E_LIMIT, "%s/%s is too long", folder, t->file[i].path);
        for (char *slash = path + root; (slash = strchr(slash, '/')); *slash++ = '/') {
            *slash = 0;
            if (mkdir(path, 0700) && errno != EEXIST)
                return rt_err_set(err, RT_E_IO, "cannot make the folder %s: %s", path, strerror(errno));
        }
        rc = write_file(path, &t->file[i], err);
    }
    return rc;
}

int rt_tree_differences(const struct rt_tree *a, const struct rt_tree *b)
{
    int n = 0;
    for (int i = 0; i < a->n; i++) {
        const struct rt_tree_file *f = &a->file[i], *other = rt_tree_find(b, f->path);
        n += !other || other->n != f->n || memcmp(other->text, f->text, f->n) != 0;
    }
    for (int i = 0; i < b->n; i++)
        n += !rt_tree_find(a, b->file[i].path);
    return n;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

bool rt_tree_remove(const char *folder) { return nftw(folder, remove_entry, DEPTH_MAX, FTW_DEPTH | FTW_PHYS) == 0; }
