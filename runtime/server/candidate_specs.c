/* SPDX-License-Identifier: Apache-2.0
 *
 * Specs run in a process of their own (`perigee test`): whatever they do cannot touch what serves, and
 * one that never ends is killed. They see the files of the candidate, written to a folder of their own,
 * not those on the disk, which may have changed again. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/candidate.h"

enum { SPEC_SECONDS = 120, LOOK_MS = 50, OUTPUT_KEPT = 32 << 10, NICE = 5, VARIABLES_MAX = 500 };

extern char **environ;

/* Busted prints the failures last. */
static void keep_end(struct rt_buf *out, const char *p, size_t n)
{
    rt_buf_put(out, p, n);
    if (out->failed || out->len < 2 * OUTPUT_KEPT)
        return;
    memmove(out->data, out->data + out->len - OUTPUT_KEPT, OUTPUT_KEPT);
    out->len = OUTPUT_KEPT;
}

/* Reads until the specs have ended: 0, or why they are to be ended. */
static int read_output(struct rt_candidate *c, int fd, struct rt_buf *out)
{
    char part[8192];
    uint64_t end = rt_mono_ns() + SPEC_SECONDS * 1000000000ull;
    while (rt_mono_ns() < end) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (c->over && c->over(c->over_arg))
            return RT_E_INTERRUPTED;
        if (poll(&p, 1, LOOK_MS) <= 0)
            continue;
        ssize_t n = read(fd, part, sizeof part);
        if (n <= 0)
            return 0;
        keep_end(out, part, (size_t)n);
    }
    return RT_E_EXPIRED;
}

/* The server's settings are for the server: files that they name lie elsewhere for this process. What it writes goes
 * where the server cleans up. */
static void fill_environment(const char **out, char *tmp, size_t size, const char *folder)
{
    static const char *const dropped[] = { "PERIGEE_CONFIG=", "PERIGEE_ADMIN_TOKEN=", "TMPDIR=", NULL };
    int n = 0;
    for (char **v = environ; *v && n < VARIABLES_MAX; v++) {
        bool keep = true;
        for (int i = 0; dropped[i]; i++)
            keep = keep && strncmp(*v, dropped[i], strlen(dropped[i])) != 0;
        if (keep)
            out[n++] = *v;
    }
    snprintf(tmp, size, "TMPDIR=%s", folder);
    out[n++] = tmp;
    out[n] = NULL;
}

static int spawn(const struct rt_candidate *c, int a, const char *folder, int out, pid_t *ret)
{
    const char *app = c->host->apps[a].shared.name, *variables[VARIABLES_MAX + 2];
    char tmp[1100], *db = realpath(c->host->options->db, NULL);
    const char *argv[] = { "perigee", "test", app, "--apps", app, "--scripts", ".", "--db", db, NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    if (!db)
        return errno;
    fill_environment(variables, tmp, sizeof tmp, folder);
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
    int rc = posix_spawn(ret, "/proc/self/exe", &files, &attributes, (char *const *)argv, (char *const *)variables);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    free(db);
    return rc;
}

static int run_in(struct rt_candidate *c, int a, const char *folder, struct rt_buf *out, struct rt_err *err)
{
    const char *app = c->host->apps[a].shared.name;
    int ends[2], status = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC))
        return rt_err_set(err, RT_E_IO, "no pipe for the specs: %s", strerror(errno));
    int rc = spawn(c, a, folder, ends[1], &pid);
    close(ends[1]);
    if (rc) {
        close(ends[0]);
        return rt_err_set(err, RT_E_IO, "app %s: the specs cannot be started: %s", app, strerror(rc));
    }
    setpriority(PRIO_PROCESS, (id_t)pid, NICE); /* requests come first */
    rc = read_output(c, ends[0], out);
    close(ends[0]);
    if (rc)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (rc == RT_E_EXPIRED)
        rt_err_set(err, rc, "app %s: the specs did not end within %d seconds", app, SPEC_SECONDS);
    else if (rc)
        rt_err_set(err, rc, "app %s: the specs were given up", app);
    if (rc == 0 && WIFSIGNALED(status))
        rc = rt_err_set(err, RT_E_INVALID, "app %s: the specs were ended by signal %d", app, WTERMSIG(status));
    else if (rc == 0 && WEXITSTATUS(status))
        rc = rt_err_set(err, RT_E_INVALID, "app %s: specs failed", app);
    return rc;
}

int rt_candidate_specs(struct rt_candidate *c, int a, struct rt_buf *out, struct rt_err *err)
{
    char folder[1024], *real = realpath(c->host->options->data, NULL);
    snprintf(folder, sizeof folder, "%s/tmp/candidate.XXXXXX", real ? real : "");
    free(real);
    if (!mkdtemp(folder))
        return rt_err_set(err, RT_E_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    int rc = rt_tree_write(c->app[a].tree, folder, err);
    if (rc == 0)
        rc = run_in(c, a, folder, out, err);
    rt_tree_remove(folder);
    return rc;
}
