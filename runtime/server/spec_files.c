/* SPDX-License-Identifier: Apache-2.0
 *
 * Found by name, as busted finds them. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/spec_jobs.h"

enum { DEPTH_MAX = 8, PATH_BYTES = 1024 };

static bool is_spec(const char *name)
{
    static const char end[] = "_spec.lua";
    size_t n = strlen(name);
    return name[0] != '.' && n >= sizeof end - 1 && strcmp(name + n - (sizeof end - 1), end) == 0;
}

static int add(struct rt_spec_files *f, const char *path, struct rt_err *err)
{
    char **more = realloc(f->path, (size_t)(f->n + 1) * sizeof *more);
    if (more)
        f->path = more;
    if (!more || !(f->path[f->n] = strdup(path)))
        return rt_err_set(err, RT_E_NOMEM, "no memory for the names of specs");
    f->n++;
    return 0;
}

static int add_below(struct rt_spec_files *f, const char *folder, int depth, struct rt_err *err)
{
    struct dirent *e;
    DIR *d = depth < DEPTH_MAX ? opendir(folder) : NULL;
    int rc = 0;
    while (d && rc == 0 && (e = readdir(d))) {
        char path[PATH_BYTES];
        struct stat st;
        if (e->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= (int)sizeof path ||
            stat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            rc = add_below(f, path, depth + 1, err);
        else if (is_spec(e->d_name))
            rc = add(f, path, err);
    }
    if (d)
        closedir(d);
    return rc;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int rt_spec_files_find(struct rt_spec_files *f, const char *app, const char *folder, struct rt_err *err)
{
    struct stat st;
    memset(f, 0, sizeof *f);
    snprintf(f->app, sizeof f->app, "%s", app);
    if (stat(folder, &st))
        return errno == ENOENT ? 0 : rt_err_set(err, RT_E_IO, "cannot read %s: %s", folder, strerror(errno));
    int rc = S_ISDIR(st.st_mode) ? add_below(f, folder, 0, err) : add(f, folder, err);
    if (f->n > 1)
        qsort(f->path, (size_t)f->n, sizeof *f->path, by_name);
    return rc;
}

void rt_spec_files_free(struct rt_spec_files *f)
{
    for (int i = 0; i < f->n; i++)
        free(f->path[i]);
    free(f->path);
    f->path = NULL;
    f->n = 0;
}
