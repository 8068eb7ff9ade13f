/* SPDX-License-Identifier: Apache-2.0
 *
 * Specs run in a process of their own (`perigee test`): whatever they do cannot touch what serves, and
 * one that never ends is killed. They see the files of the candidate, written to a folder of their own,
 * not those on the disk, which may have changed again. */
#include "server/candidate.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/migrate.h"

enum { SPEC_SECONDS = 120, OUTPUT_MAX = 1 << 20, WHY_MAX = 64 << 10 };

extern char **environ;

void rt_candidate_init(struct rt_candidate *c, struct rt_host *h)
{
    memset(c, 0, sizeof *c);
    c->host = h;
    for (int a = 0; a < h->n_apps; a++)
        rt_buf_init(&c->app[a].why, WHY_MAX);
}

void rt_candidate_fini(struct rt_candidate *c)
{
    for (int a = 0; a < c->host->n_apps; a++) {
        rt_release_free(c->app[a].built);
        rt_tree_unref(c->app[a].tree);
        rt_buf_fini(&c->app[a].why);
    }
}

static void refuse(struct rt_candidate *c, int a, int code, const char *why)
{
    c->app[a].code = code;
    c->failed++;
    rt_buf_reset(&c->app[a].why);
    rt_buf_puts(&c->app[a].why, why);
}

void rt_candidate_take(struct rt_candidate *c, int a, struct rt_tree *tree)
{
    struct rt_candidate_app *x = &c->app[a];
    x->tree = rt_tree_ref(tree);
    x->files = rt_tree_differences(tree, rt_routing_now(c->host)->release[a]->tree);
    x->changed = x->files > 0;
    c->changed += x->changed;
}

void rt_candidate_read(struct rt_candidate *c, int a)
{
    struct rt_tree *tree;
    struct rt_err err;
    int rc = rt_scripts_read(c->host->options->scripts, c->host->apps[a].shared.name, &tree, &err);
    if (rc) {
        refuse(c, a, rc, err.msg);
        return;
    }
    rt_candidate_take(c, a, tree);
    rt_tree_unref(tree);
}

static int check_migrations(struct rt_candidate *c, int a, struct rt_err *err)
{
    const struct rt_app_shared *app = &c->host->apps[a].shared;
    char folder[1024];
    struct rt_conn *conn;
    snprintf(folder, sizeof folder, "%s/%s", c->host->options->db, app->name);
    if (access(folder, R_OK))
        return 0;
    int rc = rt_conn_open(app->db_path, RT_CONN_READ, &conn, err);
    if (rc)
        return rc;
    struct rt_err why;
    rc = rt_migrate_check(conn, app->name, folder, &why);
    rt_conn_close(conn);
    return rc ? rt_err_set(err, rc, "app %s: %s (a restart applies new migrations)", app->name, why.msg) : 0;
}

static bool has_specs(const struct rt_candidate *c, int a)
{
    char prefix[100];
    snprintf(prefix, sizeof prefix, "%s/spec/", c->host->apps[a].shared.name);
    return rt_tree_first(c->app[a].tree, prefix) < c->app[a].tree->n;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

/* Reads until the end or the deadline; true when the end came. */
static bool read_output(int fd, struct rt_buf *out)
{
    char part[8192];
    uint64_t end = rt_mono_ns() + SPEC_SECONDS * 1000000000ull;
    for (uint64_t now; (now = rt_mono_ns()) < end;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (poll(&p, 1, (int)((end - now) / 1000000 + 1)) <= 0)
            continue;
        ssize_t n = read(fd, part, sizeof part);
        if (n <= 0)
            return true;
        if (out->len < OUTPUT_MAX)
            rt_buf_put(out, part, (size_t)n);
    }
    return false;
}

static int spawn(struct rt_candidate *c, int a, const char *folder, int out, pid_t *ret)
{
    char *db = realpath(c->host->options->db, NULL);
    const char *argv[] = { "perigee", "test", c->host->apps[a].shared.name, "--scripts", ".", "--db", db, NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addchdir_np(&files, folder); /* so that messages name files as their author knows them */
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_adddup2(&files, out, 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawn(ret, "/proc/self/exe", &files, &attributes, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    free(db);
    return rc;
}

static int run_specs_in(struct rt_candidate *c, int a, const char *folder, struct rt_buf *out, struct rt_err *err)
{
    int ends[2], status = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC))
        return rt_err_set(err, RT_E_IO, "no pipe for the specs: %s", strerror(errno));
    int rc = spawn(c, a, folder, ends[1], &pid);
    close(ends[1]);
    if (rc) {
        close(ends[0]);
        return rt_err_set(err, RT_E_IO, "the specs cannot be started: %s", strerror(rc));
    }
    bool ended = read_output(ends[0], out);
    close(ends[0]);
    if (!ended)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        return rt_err_set(err, RT_E_EXPIRED, "the specs did not end within %d seconds", SPEC_SECONDS);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : rt_err_set(err, RT_E_INVALID, "specs failed");
}

static int run_specs(struct rt_candidate *c, int a, struct rt_buf *out, struct rt_err *err)
{
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/candidate.XXXXXX", c->host->options->data);
    if (!mkdtemp(folder))
        return rt_err_set(err, RT_E_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    int rc = rt_tree_write(c->app[a].tree, folder, err);
    if (rc == 0)
        rc = run_specs_in(c, a, folder, out, err);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return rc;
}

static void build_app(struct rt_candidate *c, int a)
{
    struct rt_candidate_app *x = &c->app[a];
    struct rt_buf output;
    struct rt_err err;
    rt_buf_init(&output, OUTPUT_MAX + 16384);
    int rc = rt_release_build(c->host, a, x->tree, &x->built, &err);
    if (rc == 0)
        rc = check_migrations(c, a, &err);
    if (rc == 0 && c->host->options->release_specs && has_specs(c, a))
        rc = run_specs(c, a, &output, &err);
    if (rc) {
        refuse(c, a, rc, err.msg);
        if (output.len)
            rt_buf_printf(&x->why, "\n%s", rt_buf_cstr(&output));
    }
    rt_buf_fini(&output);
}

void rt_candidate_build(struct rt_candidate *c)
{
    for (int a = 0; a < c->host->n_apps; a++)
        if (c->app[a].tree && c->app[a].changed)
            build_app(c, a);
}
