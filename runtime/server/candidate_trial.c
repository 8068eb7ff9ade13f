/* SPDX-License-Identifier: Apache-2.0
 *
 * `perigee check` and `perigee test` run in processes of their own: whatever specs do cannot touch what serves, and one
 * that never ends is killed. They see the files of the candidate, written to a folder of their own, not those on the
 * disk, which may have changed again. */
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
#include "server/checker.h"

enum { TRIAL_SECONDS = 120, LOOK_MS = 50, OUTPUT_KEPT = 32 << 10, NICE = 5, VARIABLES_MAX = 500 };

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

/* False at its end. */
static bool read_some(struct rt_trial_process *p)
{
    char part[8192];
    ssize_t n = read(p->fd, part, sizeof part);
    if (n > 0)
        keep_end(&p->output, part, (size_t)n);
    return n > 0;
}

static int start_check(struct rt_candidate *c, int a, struct rt_trial *t, struct rt_err *err)
{
    struct rt_trial_process *p = &t->process[RT_TRIAL_CHECK];
    char home[sizeof t->folder], *db = realpath(c->host->options->db, NULL);
    snprintf(home, sizeof home, "%.*s", (int)(strrchr(t->folder, '/') - t->folder), t->folder);
    t->checker = c->checker;
    int rc = rt_checker_ask(c->checker, home, c->host->apps[a].shared.name, db ? db : "", t->folder, err);
    free(db);
    p->pid = c->checker->pid;
    p->fd = c->checker->output;
    return rc;
}

/* Its process has ended. One that has been there before may have been ended from outside. */
static bool check_again(struct rt_candidate *c, int a, struct rt_trial *t)
{
    if (!t->checker || t->checker->questions < 2)
        return false;
    rt_checker_stop(t->checker);
    rt_buf_reset(&t->process[RT_TRIAL_CHECK].output);
    return start_check(c, a, t, NULL) == 0;
}

/* The check has said all that it had to say. */
static void take_verdict(struct rt_trial *t)
{
    struct rt_trial_process *p = &t->process[RT_TRIAL_CHECK];
    struct pollfd more = { .fd = p->fd, .events = POLLIN };
    unsigned char status;
    if (read(t->checker->verdict, &status, 1) != 1)
        return; /* it ends: so does its output */
    while (poll(&more, 1, 0) > 0 && read_some(p))
        ;
    p->status = status << 8; /* as of waitpid() */
    t->checker = NULL;
}

/* Reads until all have ended: 0, or why they are to be ended. */
static int read_all(struct rt_candidate *c, int a, struct rt_trial *t)
{
    struct pollfd p[RT_TRIALS + 1]; /* the last one: the check's verdict */
    uint64_t end = rt_mono_ns() + TRIAL_SECONDS * 1000000000ull;
    for (int i = 0; i < RT_TRIALS; i++)
        p[i] = (struct pollfd){ .fd = t->process[i].pid ? t->process[i].fd : -1, .events = POLLIN };
    p[RT_TRIALS] = (struct pollfd){ .fd = t->checker ? t->checker->verdict : -1, .events = POLLIN };
    while (p[RT_TRIAL_CHECK].fd >= 0 || p[RT_TRIAL_SPECS].fd >= 0) {
        if (rt_mono_ns() >= end)
            return RT_E_EXPIRED;
        if (c->over && c->over(c->over_arg))
            return RT_E_INTERRUPTED;
        if (poll(p, RT_TRIALS + 1, LOOK_MS) <= 0)
            continue;
        for (int i = 0; i < RT_TRIALS; i++)
            if (p[i].fd >= 0 && p[i].revents && !read_some(&t->process[i]))
                p[i].fd = -1;
        if (p[RT_TRIALS].fd >= 0 && p[RT_TRIALS].revents) {
            take_verdict(t);
            p[RT_TRIALS].fd = -1;
            p[RT_TRIAL_CHECK].fd = t->checker ? p[RT_TRIAL_CHECK].fd : -1;
        }
        if (t->checker && p[RT_TRIAL_CHECK].fd < 0 && check_again(c, a, t)) {
            p[RT_TRIAL_CHECK].fd = t->checker->output;
            p[RT_TRIALS].fd = t->checker->verdict;
        }
    }
    return 0;
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

int rt_trial_spawn(const char *const *argv, const char *folder, const int *fds, int n, pid_t *ret)
{
    const char *variables[VARIABLES_MAX + 2];
    char tmp[1100];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    fill_environment(variables, tmp, sizeof tmp, folder);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addchdir_np(&files, folder); /* so that messages name files as their author knows them */
    for (int i = 0; i < n; i++)
        if (fds[i] < 0)
            posix_spawn_file_actions_addopen(&files, i, "/dev/null", O_RDONLY, 0);
        else
            posix_spawn_file_actions_adddup2(&files, fds[i], i);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawn(ret, "/proc/self/exe", &files, &attributes, (char *const *)(uintptr_t)argv,
                         (char *const *)(uintptr_t)variables);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (rc == 0)
        setpriority(PRIO_PROCESS, (id_t)*ret, NICE); /* requests come first */
    return rc;
}

static const char *const COMMANDS[RT_TRIALS] = { "check", "test" };
static const char *const FAILED[RT_TRIALS] = { "the check found errors", "specs failed" };

static int start_specs(struct rt_candidate *c, int a, struct rt_trial *t, const char *db, struct rt_err *err)
{
    const char *app = c->host->apps[a].shared.name;
    const char *argv[] = { "perigee", "test", app, "--apps", app, "--scripts", ".", "--db", db, NULL };
    struct rt_trial_process *p = &t->process[RT_TRIAL_SPECS];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return rt_err_set(err, RT_E_IO, "no pipe for `perigee test`: %s", strerror(errno));
    int rc = rt_trial_spawn(argv, t->folder, (int[]){ -1, ends[1], ends[1] }, 3, &p->pid);
    close(ends[1]);
    if (rc) {
        p->pid = 0;
        close(ends[0]);
        return rt_err_set(err, RT_E_IO, "app %s: `perigee test` cannot be started: %s", app, strerror(rc));
    }
    p->fd = ends[0];
    return 0;
}

static bool has_specs(const struct rt_candidate *c, int a)
{
    char prefix[100];
    snprintf(prefix, sizeof prefix, "%s/spec/", c->host->apps[a].shared.name);
    return rt_tree_first(c->app[a].tree, prefix) < c->app[a].tree->n;
}

int rt_trial_start(struct rt_candidate *c, int a, struct rt_trial *t, struct rt_err *err)
{
    const struct rt_options *o = c->host->options;
    char *real = realpath(o->data, NULL);
    memset(t, 0, sizeof *t);
    snprintf(t->folder, sizeof t->folder, "%s/tmp/candidate.XXXXXX", real ? real : "");
    free(real);
    if (!mkdtemp(t->folder))
        return rt_err_set(err, RT_E_IO, "cannot make the folder %s: %s", t->folder, strerror(errno));
    for (int i = 0; i < RT_TRIALS; i++)
        rt_buf_init(&t->process[i].output, 0);
    char *db = realpath(o->db, NULL);
    int rc = db ? rt_tree_write(c->app[a].tree, t->folder, err)
                : rt_err_set(err, RT_E_IO, "cannot read the folder %s: %s", o->db, strerror(errno));
    if (rc == 0 && o->release_check)
        rc = start_check(c, a, t, err);
    if (rc == 0 && o->release_specs && has_specs(c, a))
        rc = start_specs(c, a, t, db, err);
    free(db);
    if (rc)
        rt_trial_drop(t);
    return rc;
}

static void end(struct rt_trial *t, bool kill_them)
{
    struct rt_trial_process *p = &t->process[RT_TRIAL_SPECS];
    if (p->pid) {
        close(p->fd);
        if (kill_them)
            kill(-p->pid, SIGKILL);
        while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR)
            ;
    }
    if (t->checker) /* it has no verdict */
        t->process[RT_TRIAL_CHECK].status = rt_checker_stop(t->checker);
    rt_tree_remove(t->folder);
}

static void forget(struct rt_trial *t)
{
    for (int i = 0; i < RT_TRIALS; i++)
        rt_buf_fini(&t->process[i].output);
}

void rt_trial_drop(struct rt_trial *t)
{
    end(t, true);
    forget(t);
}

static int verdict(const char *app, struct rt_trial *t, struct rt_buf *out, struct rt_err *err)
{
    for (int i = 0; i < RT_TRIALS; i++) {
        struct rt_trial_process *p = &t->process[i];
        if (!p->pid || p->status == 0)
            continue;
        rt_buf_puts(out, rt_buf_cstr(&p->output));
        if (WIFSIGNALED(p->status))
            return rt_err_set(err, RT_E_INVALID, "app %s: `perigee %s` was ended by signal %d", app, COMMANDS[i],
                              WTERMSIG(p->status));
        return rt_err_set(err, RT_E_INVALID, "app %s: %s", app, FAILED[i]);
    }
    return 0;
}

int rt_trial_finish(struct rt_candidate *c, int a, struct rt_trial *t, struct rt_buf *out, struct rt_err *err)
{
    const char *app = c->host->apps[a].shared.name;
    int rc = read_all(c, a, t);
    end(t, rc != 0);
    if (rc == RT_E_EXPIRED)
        rt_err_set(err, rc, "app %s: check or specs did not end within %d seconds", app, TRIAL_SECONDS);
    else if (rc)
        rt_err_set(err, rc, "app %s: the trial was given up", app);
    else
        rc = verdict(app, t, out, err);
    forget(t);
    return rc;
}
