/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread makes all releases, so there is always one candidate at most. Saving a project writes many
 * files: the folder is read when it has been quiet for a moment, or after a while when it never is. */
#include "server/releaser.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/control.h"
#include "server/releaser_internal.h"
#include "server/watch.h"

enum { QUIET_MS = 60, UNQUIET_MS = 1000, GIVE_UP_MAX = 3, OUTPUT_MAX = 4 << 20 };
enum { CHECKER_MS = 600000 }; /* how long the check's process stays while nobody saves */

static void wake(int fd)
{
    uint64_t one = 1;
    if (write(fd, &one, sizeof one) < 0)
        rt_log(RT_LOG_ERROR, "the releaser cannot be woken", NULL);
}

/* ---- who asks ------------------------------------------------------------------------------------------------ */

/* The first that waits, or NULL. */
static struct rt_reload *take_asked(struct rt_releaser *r)
{
    pthread_mutex_lock(&r->mu);
    struct rt_reload *ask = r->asked;
    if (ask) {
        r->asked = ask->next;
        if (!r->asked)
            r->asked_end = &r->asked;
    }
    pthread_mutex_unlock(&r->mu);
    return ask;
}

static void set_making(struct rt_releaser *r, bool making)
{
    pthread_mutex_lock(&r->mu);
    r->making = making;
    pthread_mutex_unlock(&r->mu);
}

static void make(struct rt_releaser *r, struct rt_reload *ask, const char *reason)
{
    struct rt_buf out;
    rt_buf_init(&out, OUTPUT_MAX);
    set_making(r, true);
    if (r->watcher && !ask->number) { /* the folder is read after what was saved so far */
        rt_watcher_take(r->watcher);
        r->quiet_at = 0;
    }
    int status =
        ask->number ? releaser__rollback(r, ask->number, ask->who, &out) : releaser__reload(r, ask->who, reason, &out);
    set_making(r, false);
    if (ask->done)
        ask->done(ask, status, rt_buf_cstr(&out));
    rt_buf_fini(&out);
}

static void serve_asked(struct rt_releaser *r)
{
    for (struct rt_reload *ask; !atomic_load(&r->stop) && (ask = take_asked(r));)
        make(r, ask, "reload");
}

static void refuse(struct rt_reload *ask) { ask->done(ask, 1, "the server is stopping: nothing was changed\n"); }

void rt_releaser_ask(struct rt_host *h, struct rt_reload *ask)
{
    struct rt_releaser *r = h->releaser;
    pthread_mutex_lock(&r->mu);
    bool stopped = atomic_load(&r->stop);
    if (!stopped) {
        ask->next = NULL;
        *r->asked_end = ask;
        r->asked_end = &ask->next;
    }
    pthread_mutex_unlock(&r->mu);
    if (stopped)
        refuse(ask);
    else
        wake(r->wake_fd);
}

/* ---- the thread ---------------------------------------------------------------------------------------------- */

static void serve_woken(struct rt_releaser *r)
{
    uint64_t n;
    if (read(r->wake_fd, &n, sizeof n) < 0 || !atomic_load(&r->host->ready))
        return;
    if (atomic_exchange(&r->hangup, false))
        make(r, &(struct rt_reload){ .who = "signal" }, "reload");
    serve_asked(r);
}

static void look_at_files(struct rt_releaser *r)
{
    if (!rt_watcher_take(r->watcher))
        return;
    uint64_t now = rt_mono_ns();
    if (!r->quiet_at)
        r->quiet_end = now + UNQUIET_MS * 1000000ull;
    r->quiet_at = now + QUIET_MS * 1000000ull;
    if (r->quiet_at > r->quiet_end)
        r->quiet_at = r->quiet_end;
}

/* Who saves again and again gets a release now and then all the same. */
bool releaser__over(void *releaser)
{
    struct rt_releaser *r = releaser;
    if (r->watcher)
        look_at_files(r);
    return atomic_load(&r->stop) || (r->yields && r->quiet_at && r->given_up < GIVE_UP_MAX);
}

static void make_saved(struct rt_releaser *r)
{
    r->yields = true;
    make(r, &(struct rt_reload){ .who = "watch" }, "save");
    r->yields = false;
    r->given_up = r->quiet_at ? r->given_up + 1 : 0;
}

static void *work(void *arg)
{
    struct rt_releaser *r = arg;
    pthread_setname_np(pthread_self(), "releaser");
    while (!atomic_load(&r->stop)) {
        bool watch = r->watcher && atomic_load(&r->host->ready);
        struct pollfd p[2] = { { .fd = r->wake_fd, .events = POLLIN },
                               { .fd = watch ? rt_watcher_fd(r->watcher) : -1, .events = POLLIN } };
        uint64_t now = rt_mono_ns();
        int idle = r->checker.pid ? CHECKER_MS : -1;
        int wait = !r->quiet_at ? idle : r->quiet_at > now ? (int)((r->quiet_at - now) / 1000000) + 1 : 0;
        int n = poll(p, 2, wait);
        if (n > 0 && p[1].revents)
            look_at_files(r);
        if (n > 0 && p[0].revents)
            serve_woken(r);
        if (n == 0 && !r->quiet_at)
            rt_checker_stop(&r->checker);
        if (r->quiet_at && rt_mono_ns() >= r->quiet_at)
            make_saved(r);
    }
    return NULL;
}

/* A machine may have no watch to give: nothing but the noticing is lost then. */
static void start_watching(struct rt_releaser *r)
{
    struct rt_err err;
    if (r->host->options->watch && rt_watcher_new(r->host->options->scripts, &r->watcher, &err))
        rt_log(RT_LOG_WARN, "saved files are not noticed: use `perigee reload`", "error", err.msg, NULL);
}

int rt_releaser_start(struct rt_host *h, struct rt_err *err)
{
    struct rt_releaser *r = h->releaser;
    int rc = rt_control_open(h->options->data, &r->control, err);
    if (rc)
        return rc;
    start_watching(r);
    if (pthread_create(&r->thread, NULL, work, r))
        return rt_err_set(err, RT_E_IO, "cannot start the releaser's thread");
    if (pthread_create(&r->commands, NULL, releaser__commands, r)) {
        atomic_store(&r->stop, true);
        wake(r->wake_fd);
        pthread_join(r->thread, NULL);
        return rt_err_set(err, RT_E_IO, "cannot start the commands' thread");
    }
    r->threads = true;
    return 0;
}

void rt_releaser_wake(struct rt_host *h, bool hangup)
{
    if (!h->releaser)
        return;
    if (hangup)
        atomic_store(&h->releaser->hangup, true);
    wake(h->releaser->wake_fd);
}

void rt_releaser_stop(struct rt_host *h)
{
    struct rt_releaser *r = h->releaser;
    if (!r || !r->threads)
        return;
    pthread_mutex_lock(&r->mu);
    atomic_store(&r->stop, true); /* nobody is added to those who wait any more */
    pthread_mutex_unlock(&r->mu);
    wake(r->wake_fd);
    wake(r->stop_fd);
    pthread_join(r->commands, NULL);
    pthread_join(r->thread, NULL);
    r->threads = false;
    for (struct rt_reload *ask; (ask = take_asked(r));)
        refuse(ask);
}

int rt_release_number(struct rt_host *h) { return h->releaser ? atomic_load(&h->releaser->number) : 0; }
