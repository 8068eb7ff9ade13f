/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading is strict rather than lenient: a name that would need escaping, a type that browsers would have to
 * guess, a link that leads elsewhere are mistakes that the author hears of before anything is served. */
#include "http/pages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

enum { DEPTH_MAX = 4, PATH_MAX_BYTES = 512 };

static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

static const struct {
    const char *extension, *type;
} types[] = {
    { "html", "text/html; charset=utf-8" },
    { "css", "text/css; charset=utf-8" },
    { "js", "text/javascript; charset=utf-8" },
    { "json", "application/json" },
    { "txt", "text/plain; charset=utf-8" },
    { "svg", "image/svg+xml" },
    { "png", "image/png" },
    { "jpg", "image/jpeg" },
    { "gif", "image/gif" },
    { "webp", "image/webp" },
    { "ico", "image/x-icon" },
    { "woff2", "font/woff2" },
    { "webmanifest", "application/manifest+json" },
};

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(dot + 1, types[i].extension) == 0)
            return types[i].type;
    return NULL;
}

/* One segment that needs no escaping and is not hidden, so never "." or "..". */
static bool is_name(const char *s, size_t n) { return n > 0 && s[0] != '.' && strspn(s, name_chars) >= n; }

static bool is_relative(const char *path)
{
    for (const char *p = path;; p++) {
        size_t n = strcspn(p, "/");
        if (!is_name(p, n))
            return false;
        p += n;
        if (!*p)
            return true;
    }
}

/* "/", "/a", "/a/": what a browser sends as it is. */
static bool is_url_path(const char *path)
{
    if (path[0] != '/')
        return false;
    size_t n = strlen(path);
    char copy[PATH_MAX_BYTES];
    if (n == 1)
        return true;
    if (n >= sizeof copy)
        return false;
    memcpy(copy, path + 1, n);
    if (copy[n - 2] == '/')
        copy[n - 2] = 0;
    return is_relative(copy);
}

static int io_error(struct rt_err *err, const char *name)
{
    int why = errno;
    if (why == ELOOP || why == ENOTDIR)
        return rt_err_set(err, RT_E_INVALID, "%s is not a plain file or folder", name);
    return rt_err_set(err, why == ENOENT ? RT_E_NOTFOUND : RT_E_IO, "cannot read %s: %s", name, strerror(why));
}

/* The next place, already counted, so that rt_pages_free() finds what it holds. */
static int add_page(struct rt_pages *pages, const char *path, struct rt_page **ret, struct rt_err *err)
{
    if (pages->n == RT_PAGES_MAX)
        return rt_err_set(err, RT_E_LIMIT, "page %s: more than %d files", path, RT_PAGES_MAX);
    struct rt_page *page = &pages->page[pages->n];
    *page = (struct rt_page){ .path = strdup(path) };
    if (!page->path)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the page %s", path);
    pages->n++;
    *ret = page;
    return 0;
}

static int read_all(int fd, const char *name, struct rt_page *page, struct rt_err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return io_error(err, name);
    if (!S_ISREG(st.st_mode))
        return rt_err_set(err, RT_E_INVALID, "%s is not a plain file or folder", name);
    if (st.st_size > RT_PAGE_BYTES_MAX)
        return rt_err_set(err, RT_E_LIMIT, "%s has %lld bytes, more than %d", name, (long long)st.st_size,
                          RT_PAGE_BYTES_MAX);
    page->data = malloc((size_t)st.st_size + 1);
    if (!page->data)
        return rt_err_set(err, RT_E_NOMEM, "no memory for %s", name);
    for (ssize_t got = 1; got > 0 && page->n < (size_t)st.st_size; page->n += (size_t)got)
        if ((got = read(fd, page->data + page->n, (size_t)st.st_size - page->n)) < 0)
            return io_error(err, name);
    return 0;
}

/* `name` is for messages and the type, `leaf` is opened in `dir`. */
static int load_file(struct rt_pages *pages, int dir, const char *leaf, const char *name, const char *path,
                     struct rt_err *err)
{
    const char *type = type_of(name);
    if (!type)
        return rt_err_set(err, RT_E_INVALID, "%s: files of this type are not served", name);
    struct rt_page *page = NULL;
    int rc = add_page(pages, path, &page, err);
    if (rc)
        return rc;
    int fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return io_error(err, name);
    rc = read_all(fd, name, page, err);
    close(fd);
    if (rc)
        return rc;
    pages->bytes += page->n;
    if (pages->bytes > RT_PAGES_BYTES_MAX)
        return rt_err_set(err, RT_E_LIMIT, "%s: all files together have more than %d bytes", name, RT_PAGES_BYTES_MAX);
    page->type = type;
    page->tag[0] = '"';
    rt_hash128_hex(page->data, page->n, page->tag + 1);
    memcpy(page->tag + 33, "\"", 2);
    return 0;
}

static int visible(const struct dirent *e) { return e->d_name[0] != '.' && !strchr(e->d_name, '~'); }

static int load_folder(struct rt_pages *pages, int parent, const char *leaf, const char *name, const char *path,
                       int depth, struct rt_err *err);

static int load_entry(struct rt_pages *pages, int dir, const char *leaf, const char *folder, const char *prefix,
                      int depth, struct rt_err *err)
{
    char name[PATH_MAX_BYTES], path[PATH_MAX_BYTES];
    struct stat st;
    int n = snprintf(name, sizeof name, "%s/%s", folder, leaf);
    int m = snprintf(path, sizeof path, "%s%s", prefix, leaf);
    if (!is_name(leaf, strlen(leaf)) || n >= PATH_MAX_BYTES - 1 || m >= PATH_MAX_BYTES - 1)
        return rt_err_set(err, RT_E_INVALID, "%s: a file's name has letters, digits, '.', '_' and '-' only", name);
    if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW))
        return io_error(err, name);
    if (!S_ISDIR(st.st_mode))
        return load_file(pages, dir, leaf, name, path, err);
    memcpy(path + m, "/", 2);
    return load_folder(pages, dir, leaf, name, path, depth + 1, err);
}

static int load_folder(struct rt_pages *pages, int parent, const char *leaf, const char *name, const char *path,
                       int depth, struct rt_err *err)
{
    struct dirent **entries = NULL;
    if (depth > DEPTH_MAX)
        return rt_err_set(err, RT_E_LIMIT, "%s: folders in more than %d levels", name, DEPTH_MAX);
    int dir = openat(parent, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int n = dir < 0 ? -1 : scandirat(dir, ".", &entries, visible, alphasort);
    int rc = n < 0 ? io_error(err, name) : 0;
    for (int i = 0; i < n; i++) {
        if (rc == 0)
            rc = load_entry(pages, dir, entries[i]->d_name, name, path, depth, err);
        free(entries[i]);
    }
    free(entries);
    if (dir >= 0)
        close(dir);
    return rc;
}

static int load_declared(struct rt_pages *pages, int root, const struct rt_page_declaration *d, struct rt_err *err)
{
    const char *name = d->file ? d->file : d->folder;
    if (!is_url_path(d->path))
        return rt_err_set(err, RT_E_INVALID, "page '%s': a path has '/' and names of letters, digits, '.', '_' and '-'",
                          d->path);
    if (!is_relative(name))
        return rt_err_set(err, RT_E_INVALID, "page %s: '%s' is not a name inside the app's folder", d->path, name);
    if (d->file)
        return load_file(pages, root, name, name, d->path, err);
    if (d->path[strlen(d->path) - 1] != '/')
        return rt_err_set(err, RT_E_INVALID, "page %s: the path of a folder ends in '/'", d->path);
    return load_folder(pages, root, name, name, d->path, 1, err);
}

int rt_pages_load(const char *root, const struct rt_page_declaration *declarations, int n, bool development,
                  struct rt_pages **ret, struct rt_err *err)
{
    struct rt_pages *pages = calloc(1, sizeof *pages);
    if (pages)
        pages->page = calloc(RT_PAGES_MAX, sizeof *pages->page);
    if (!pages || !pages->page) {
        free(pages);
        return rt_err_set(err, RT_E_NOMEM, "no memory for pages");
    }
    int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = dir < 0 ? io_error(err, root) : 0;
    for (int i = 0; rc == 0 && i < n; i++)
        if (development || !declarations[i].development)
            rc = load_declared(pages, dir, &declarations[i], err);
    if (dir >= 0)
        close(dir);
    if (rc) {
        rt_pages_free(pages);
        return rc;
    }
    *ret = pages;
    return 0;
}

void rt_pages_free(struct rt_pages *pages)
{
    if (!pages)
        return;
    for (int i = 0; i < pages->n; i++) {
        free(pages->page[i].path);
        free(pages->page[i].data);
    }
    free(pages->page);
    free(pages);
}

void rt_page_policy(struct rt_str host, char out[RT_PAGE_POLICY_MAX])
{
    static const char rest[] = "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    bool plain = host.n > 0 && host.n <= 200;
    for (size_t i = 0; plain && i < host.n; i++)
        plain = host.p[i] != 0 && (strchr(name_chars, host.p[i]) || strchr(":[]", host.p[i]));
    if (plain)
        snprintf(out, RT_PAGE_POLICY_MAX, "default-src 'self'; connect-src 'self' ws://%.*s wss://%.*s; %s",
                 (int)host.n, host.p, (int)host.n, host.p, rest);
    else
        snprintf(out, RT_PAGE_POLICY_MAX, "default-src 'self'; %s", rest);
}
