/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify watches single folders, so each folder has a watch of its own and new ones get theirs when they
 * appear. A folder that is made and filled before its watch is set would be missed: whenever a folder
 * appears it is walked and counts as a change. When the kernel's queue overflows everything may have
 * changed, which is the same answer. The folder above the root is watched for a new root of that name. */
#include "server/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/tree.h"

enum { FOLDERS_MAX = 1000, DEPTH_MAX = 16, PATH_BYTES = 1024 };

struct folder {
    int wd;
    char *path;
};

struct rt_watcher {
    int fd;
    char root[PATH_BYTES]; /* as given: it may be a link, also to another folder later */
    int above;             /* the watch of the folder that the root stands in, -1: none */
    struct folder folder[FOLDERS_MAX];
    int n;
    bool told; /* that some folders are not watched */
    int why;   /* the last one was not */
};

static const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR |
                             IN_EXCL_UNLINK;

static void forget(struct rt_watcher *w, int wd)
{
    for (int i = 0; i < w->n; i++)
        if (w->folder[i].wd == wd) {
            free(w->folder[i].path);
            w->folder[i] = w->folder[--w->n];
            return;
        }
}

static void tell(struct rt_watcher *w, const char *path, int why)
{
    w->why = why;
    if (!w->told && why != ENOENT) /* it is gone again */
        rt_log(RT_LOG_WARN, "not everything saved will be noticed: a folder cannot be watched", "folder", path, "error",
               why ? strerror(why) : "too many folders", NULL);
    w->told |= why != ENOENT;
}

static int add(struct rt_watcher *w, const char *path)
{
    int wd = inotify_add_watch(w->fd, path, mask);
    if (wd < 0) {
        tell(w, path, errno);
        return -1;
    }
    forget(w, wd); /* the same folder under a new name */
    char *own = w->n < FOLDERS_MAX ? strdup(path) : NULL;
    if (!own) {
        inotify_rm_watch(w->fd, wd);
        tell(w, path, 0);
        return -1;
    }
    w->folder[w->n++] = (struct folder){ wd, own };
    return 0;
}

static void add_below(struct rt_watcher *w, const char *path, int depth)
{
    DIR *d = depth < DEPTH_MAX && add(w, path) == 0 ? opendir(path) : NULL;
    struct dirent *e;
    while (d && (e = readdir(d))) {
        char below[PATH_BYTES];
        struct stat st;
        if (!rt_tree_ignores(e->d_name) &&
            snprintf(below, sizeof below, "%s/%s", path, e->d_name) < (int)sizeof below && lstat(below, &st) == 0 &&
            S_ISDIR(st.st_mode))
            add_below(w, below, depth + 1);
    }
    if (d)
        closedir(d);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A folder that is replaced as a whole has no watch yet, and its own could not tell of it. */
static void watch_above(struct rt_watcher *w)
{
    char above[PATH_BYTES + 3];
    const char *name = name_of(w->root);
    int n = (int)(name - w->root);
    w->above = -1;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !*name)
        return;
    snprintf(above, sizeof above, "%.*s.", n, w->root);
    w->above = inotify_add_watch(w->fd, above, IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR);
}

int rt_watcher_new(const char *root, struct rt_watcher **ret, struct rt_err *err)
{
    size_t n = strlen(root);
    while (n > 1 && root[n - 1] == '/')
        n--;
    struct rt_watcher *w = n < PATH_BYTES ? calloc(1, sizeof *w) : NULL;
    if (!w)
        return rt_err_set(err, RT_E_NOMEM, "no memory to watch %s", root);
    memcpy(w->root, root, n);
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int why = w->fd < 0 ? errno : 0;
    if (w->fd >= 0) {
        watch_above(w);
        add_below(w, w->root, 0);
        why = w->why;
    }
    if (w->n == 0) {
        rt_watcher_free(w);
        return rt_err_set(err, RT_E_IO, "cannot watch the folder %s: %s", root, strerror(why));
    }
    *ret = w;
    return 0;
}

void rt_watcher_free(struct rt_watcher *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    for (int i = 0; i < w->n; i++)
        free(w->folder[i].path);
    free(w);
}

int rt_watcher_fd(const struct rt_watcher *w) { return w->fd; }

static const char *path_of(const struct rt_watcher *w, int wd)
{
    for (int i = 0; i < w->n; i++)
        if (w->folder[i].wd == wd)
            return w->folder[i].path;
    return NULL;
}

static bool take_one(struct rt_watcher *w, const struct inotify_event *e)
{
    if (e->mask & IN_Q_OVERFLOW) {
        add_below(w, w->root, 0); /* folders may have been missed */
        return true;
    }
    if (e->mask & IN_IGNORED) {
        forget(w, e->wd);
        return false;
    }
    if (e->len == 0)
        return false;
    const char *parent = path_of(w, e->wd);
    if (!parent) { /* of the folder above */
        bool root = e->wd == w->above && strcmp(e->name, name_of(w->root)) == 0;
        if (root)
            add_below(w, w->root, 0);
        return root;
    }
    char path[PATH_BYTES];
    if (rt_tree_ignores(e->name))
        return false;
    if ((e->mask & IN_ISDIR) && (e->mask & (IN_CREATE | IN_MOVED_TO)) &&
        snprintf(path, sizeof path, "%s/%s", parent, e->name) < (int)sizeof path)
        add_below(w, path, 0);
    /* A new file is empty: its content comes with the close. */
    return !(e->mask & IN_CREATE) || (e->mask & IN_ISDIR);
}

bool rt_watcher_take(struct rt_watcher *w)
{
    _Alignas(struct inotify_event) char buf[16384];
    bool changed = false;
    ssize_t n;
    while ((n = read(w->fd, buf, sizeof buf)) > 0)
        for (char *p = buf; p < buf + n;) {
            const struct inotify_event *e = (const struct inotify_event *)p;
            changed |= take_one(w, e);
            p += sizeof *e + e->len;
        }
    return changed;
}
