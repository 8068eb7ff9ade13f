/* SPDX-License-Identifier: Apache-2.0
 *
 * Each process gets a share of one app's files and reports on a descriptor of its own, a line of JSON per test. It
 * costs a few dozen milliseconds to start, so a handful of files is not shared out. They are forks of this process,
 * which has no threads, rather than new programs: linking all libraries would be half of what a start costs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/spec_jobs.h"

enum { JOBS_MAX = 64, FILES_EACH = 3, TEST_SECONDS = 100, LINE_MAX = 4 << 20, LOOK_MS = 500 };
enum { FILES_MOST = 900 }; /* busted takes 999 names */

struct job {
    const char *app;
    pid_t pid; /* 0: free */
    int fd;
    struct rt_buf in;
    char running[300];    /* the test that has begun last, "" between two */
    uint64_t patience_ns; /* until when something has to come */
    int told;             /* failures that it has told of */
};

struct run {
    const struct rt_spec_jobs *plan;
    struct rt_spec_show *show;
    struct job job[JOBS_MAX];
    int running;
};

static volatile sig_atomic_t stop_signal;

static void stop(int number) { stop_signal = number; }

/* With `on` the signals that end this process are kept until the others have been ended, too. */
static void catch_signals(bool on)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    struct sigaction action = { .sa_handler = on ? stop : SIG_DFL };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

static void be_patient(struct job *b) { b->patience_ns = rt_mono_ns() + TEST_SECONDS * 1000000000ull; }

/* What busted is to run: every `step`-th file from `first` on. */
static int share_of(const struct rt_spec_files *files, int first, int step, char **ret)
{
    int n = 0;
    for (int i = first; i < files->n && n < FILES_MOST; i += step)
        ret[n++] = files->path[i];
    return n;
}

/* The new process: nothing of the others' is open in it. */
static _Noreturn void be_job(struct run *r, const struct rt_spec_files *files, int first, int step, int fd)
{
    char *share[FILES_MOST];
    int n = share_of(files, first, step, share);
    catch_signals(false);
    for (int i = 0; i < JOBS_MAX; i++)
        if (r->job[i].pid)
            close(r->job[i].fd);
    if (r->show->output != RT_SPEC_TEXT) /* what specs print has no place in a report */
        dup2(STDERR_FILENO, STDOUT_FILENO);
    FILE *to = fdopen(fd, "w");
    exit(to ? r->plan->work(r->plan, files->app, share, n, to) : 1);
}

static int start_job(struct run *r, struct job *b, const struct rt_spec_files *files, int first, int step,
                     struct rt_err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return rt_err_set(err, RT_E_IO, "no pipe for specs: %s", strerror(errno));
    fflush(NULL); /* or it would be written twice */
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_job(r, files, first, step, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        int why = errno;
        close(ends[0]);
        return rt_err_set(err, RT_E_IO, "specs cannot be started: %s", strerror(why));
    }
    b->pid = pid;
    b->app = files->app;
    b->fd = ends[0];
    b->running[0] = 0;
    b->told = 0;
    rt_buf_init(&b->in, LINE_MAX);
    be_patient(b);
    r->running++;
    return 0;
}

static void take_line(struct run *r, struct job *b, const char *p, size_t n)
{
    if (rt_json_check(p, n, 16, NULL, NULL))
        return;
    struct rt_json v = rt_json_document(p, n);
    b->running[0] = 0;
    if (rt_json_text_is(rt_json_member(v, "type"), "begin")) {
        rt_json_copy(rt_json_member(v, "name"), b->running, sizeof b->running);
        return;
    }
    int failed = r->show->failed;
    rt_spec_show_test(r->show, b->app, v);
    b->told += r->show->failed - failed;
}

static bool read_some(struct run *r, struct job *b)
{
    char part[16384];
    ssize_t n = read(b->fd, part, sizeof part);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    be_patient(b);
    rt_buf_put(&b->in, part, (size_t)n);
    size_t at = 0;
    for (char *end; at < b->in.len && (end = memchr(b->in.data + at, '\n', b->in.len - at));) {
        take_line(r, b, b->in.data + at, (size_t)(end - b->in.data) - at);
        at = (size_t)(end - b->in.data) + 1;
    }
    rt_buf_cut(&b->in, at);
    return true;
}

/* A process that ended badly and has not said why in a test. */
static void judge(struct run *r, struct job *b, int status, bool late)
{
    char why[200], name[400];
    if (late)
        snprintf(why, sizeof why, "did not end: nothing came for %d seconds", TEST_SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "the process was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) && (b->running[0] || !b->told))
        snprintf(why, sizeof why, "the process ended with status %d; what it said is above", WEXITSTATUS(status));
    else
        return;
    snprintf(name, sizeof name, "%s", b->running[0] ? b->running : "the specs");
    rt_spec_show_broken(r->show, b->app, name, why);
}

static void end_job(struct run *r, struct job *b, bool late)
{
    int status = 0;
    if (late || stop_signal)
        kill(b->pid, SIGKILL);
    while (waitpid(b->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!stop_signal)
        judge(r, b, status, late);
    close(b->fd);
    rt_buf_fini(&b->in);
    b->pid = 0;
    r->running--;
}

static void look(struct run *r)
{
    struct pollfd p[JOBS_MAX];
    for (int i = 0; i < JOBS_MAX; i++)
        p[i] = (struct pollfd){ .fd = r->job[i].pid ? r->job[i].fd : -1, .events = POLLIN };
    if (poll(p, JOBS_MAX, LOOK_MS) < 0 && !stop_signal)
        return;
    for (int i = 0; i < JOBS_MAX; i++) {
        struct job *b = &r->job[i];
        if (b->pid && stop_signal)
            end_job(r, b, true);
        else if (p[i].fd >= 0 && p[i].revents && !read_some(r, b))
            end_job(r, b, false);
        else if (b->pid && rt_mono_ns() > b->patience_ns)
            end_job(r, b, true);
    }
}

static struct job *free_job(struct run *r)
{
    while (r->running >= r->plan->jobs || r->running >= JOBS_MAX)
        look(r);
    for (int i = 0;; i++)
        if (!r->job[i].pid)
            return &r->job[i];
}

int rt_spec_jobs_run(const struct rt_spec_jobs *plan, const struct rt_spec_files *apps, int n,
                     struct rt_spec_show *show, int *ret_signal, struct rt_err *err)
{
    static struct run r;
    int rc = 0;
    catch_signals(true);
    r = (struct run){ .plan = plan, .show = show };
    for (int a = 0; rc == 0 && !stop_signal && a < n; a++) {
        int shares = (apps[a].n + FILES_EACH - 1) / FILES_EACH;
        shares = shares < plan->jobs ? shares : plan->jobs;
        if (shares < apps[a].n / FILES_MOST + (apps[a].n > 0))
            shares = apps[a].n / FILES_MOST + 1;
        for (int i = 0; rc == 0 && !stop_signal && i < shares; i++)
            rc = start_job(&r, free_job(&r), &apps[a], i, shares, err);
    }
    while (r.running > 0)
        look(&r);
    catch_signals(false);
    *ret_signal = stop_signal;
    return rc;
}
