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

static int start_in(struct rt_candidate *c, int a, struct rt_candidate_specs *specs, struct rt_err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return rt_err_set(err, RT_E_IO, "no pipe for the specs: %s", strerror(errno));
    int rc = spawn(c, a, specs->folder, ends[1], &specs->pid);
    close(ends[1]);
    if (rc) {
        close(ends[0]);
        return rt_err_set(err, RT_E_IO, "app %s: the specs cannot be started: %s", c->host->apps[a].shared.name,
                          strerror(rc));
    }
    setpriority(PRIO_PROCESS, (id_t)specs->pid, NICE); /* requests come first */
    specs->output = ends[0];
    return 0;
}

int rt_candidate_specs_start(struct rt_candidate *c, int a, struct rt_candidate_specs *specs, struct rt_err *err)
{
    char *real = realpath(c->host->options->data, NULL);
    snprintf(specs->folder, sizeof specs->folder, "%s/tmp/candidate.XXXXXX", real ? real : "");
    free(real);
    if (!mkdtemp(specs->folder))
        return rt_err_set(err, RT_E_IO, "cannot make the folder %s: %s", specs->folder, strerror(errno));
    int rc = rt_tree_write(c->app[a].tree, specs->folder, err);
    if (rc == 0)
        rc = start_in(c, a, specs, err);
    if (rc)
        rt_tree_remove(specs->folder);
    return rc;
}

/* Returns the process's status. */
static int end(struct rt_candidate_specs *specs, bool kill_it)
{
    int status = 0;
    close(specs->output);
    if (kill_it)
        kill(-specs->pid, SIGKILL);
    while (waitpid(specs->pid, &status, 0) < 0 && errno == EINTR)
        ;
    rt_tree_remove(specs->folder);
    return status;
}

void rt_candidate_specs_drop(struct rt_candidate_specs *specs) { end(specs, true); }

int rt_candidate_specs_finish(struct rt_candidate *c, int a, struct rt_candidate_specs *specs, struct rt_buf *out,
                              struct rt_err *err)
{
    const char *app = c->host->apps[a].shared.name;
    int rc = read_output(c, specs->output, out);
    int status = end(specs, rc != 0);
    if (rc == RT_E_EXPIRED)
        return rt_err_set(err, rc, "app %s: the specs did not end within %d seconds", app, SPEC_SECONDS);
    if (rc)
        return rt_err_set(err, rc, "app %s: the specs were given up", app);
    if (WIFSIGNALED(status))
        return rt_err_set(err, RT_E_INVALID, "app %s: the specs were ended by signal %d", app, WTERMSIG(status));
    if (WEXITSTATUS(status))
        return rt_err_set(err, RT_E_INVALID, "app %s: specs failed", app);
    return 0;
}
