/* SPDX-License-Identifier: Apache-2.0
 *
 * `perigee serve`: starts everything in order, waits for a signal, takes everything down in order. The
 * data folder is locked first and released last. Nothing listens before the scripts are loaded, the
 * databases migrated and, in development, the demo data stored. */
#include "server/serve.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "lua/job.h"
#include "report/pool.h"
#include "server/console.h"
#include "server/host.h"
#include "server/outbox.h"
#include "server/recent.h"
#include "server/releaser.h"
#include "server/sockets.h"

enum { LIMIT_COUNTERS = 1 << 20, CACHE_BYTES = 16 << 20, DESCRIPTORS_BESIDE = 1024 };

static double limit_factor(const struct rt_options *o)
{
    if (strcmp(o->rate_limits, "on") == 0)
        return 1;
    return strcmp(o->rate_limits, "off") == 0 ? 0 : atof(o->rate_limits);
}

/* As many descriptors as connections need: where the limit is far higher, the library of the sockets would make a table
 * of that size for each worker. */
static void limit_descriptors(const struct rt_host *h)
{
    struct rlimit r;
    rlim_t each = (rlim_t)(h->options->connections + h->options->socket_connections);
    rlim_t need = (rlim_t)h->n_workers * each + DESCRIPTORS_BESIDE;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = need < r.rlim_max ? need : r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int start_shared(struct rt_host *h, struct rt_err *err)
{
    const struct rt_options *o = h->options;
    h->n_workers = o->workers ? o->workers : rt_cores();
    if (h->n_workers > RT_WORKERS_MAX)
        h->n_workers = RT_WORKERS_MAX;
    limit_descriptors(h);
    h->limit_factor = limit_factor(o);
    h->limits = rt_limits_new(LIMIT_COUNTERS);
    h->cache = rt_cache_new(CACHE_BYTES);
    if (!h->limits || !h->cache)
        return rt_err_set(err, RT_E_NOMEM, "no memory to start");
    int threads = o->password_threads ? (int)o->password_threads : rt_cores();
    int rc = rt_host_start_reports(h, err);
    return rc ? rc : rt_password_pool_new(threads, (int)o->password_queue, RT_PASSWORD_DEAR, &h->passwords, err);
}

static void warn_of_open_doors(const struct rt_options *o)
{
    if (o->env == RT_ENV_DEVELOPMENT)
        rt_log(RT_LOG_WARN, "development mode: the clock can be moved by anybody; not for the internet", NULL);
    if (o->outbound_allow && o->outbound_allow[0])
        rt_log(RT_LOG_WARN, "outgoing requests may reach private networks", "outbound_allow", o->outbound_allow, NULL);
    if (strcmp(o->rate_limits, "off") == 0)
        rt_log(RT_LOG_WARN, "rate limits are off", NULL);
}

/* The demo job of each app, one after the other on worker 0; then everybody listens. */
struct opening {
    struct rt_host *h;
    int app;
    struct rt_job job;
    struct rt_idle_wait wait;
    struct rt_message message;
};

static void announce(struct rt_host *h)
{
    const struct rt_options *o = h->options;
    char address[300];
    snprintf(address, sizeof address, "http://%s:%d", o->host, o->port);
    rt_log(RT_LOG_INFO, "listening", "address", address, NULL);
    if (o->env != RT_ENV_DEVELOPMENT || !isatty(STDERR_FILENO))
        return;
    for (int a = 0; a < h->n_apps; a++) {
        const struct rt_app *app = rt_routing_now(h)->release[a]->at[0].app;
        fprintf(stderr, "\n  %s\n", app->title);
        for (int d = 0; d < app->n_docs; d++)
            fprintf(stderr, "    docs   %s%s\n", address, app->docs[d].path);
        for (int p = 0; p < app->n_pages; p++)
            if (app->pages[p].file)
                fprintf(stderr, "    page   %s%s\n", address, app->pages[p].path);
    }
    fprintf(stderr, "\n");
}

static void open_doors(struct rt_host *h)
{
    for (int w = 0; w < h->n_workers; w++)
        rt_loop_post(h->workers[w].loop, &h->workers[w].begin);
    atomic_store(&h->ready, true);
    rt_releaser_wake(h, false);
    announce(h);
}

/* What was due while the server was down is done before the first request is heard (decision X-17). */
static void timers_done(struct rt_idle_wait *wait)
{
    struct opening *o = (struct opening *)((char *)wait - offsetof(struct opening, wait));
    if (++o->app < o->h->n_apps)
        rt_scheduler_run(o->h->schedulers[o->app], &o->wait);
    else
        open_doors(o->h);
}

static void catch_up(struct opening *o)
{
    o->app = 0;
    o->wait.idle = timers_done;
    rt_scheduler_run(o->h->schedulers[0], &o->wait);
}

static void next_demo(struct opening *o);

static void demo_done(struct rt_job *job, int code, const char *error)
{
    struct opening *o = job->owner;
    if (code)
        rt_log(RT_LOG_ERROR, "the demo data could not be stored", "app", job->app->name, "error", error, NULL);
    o->app++;
    next_demo(o);
}

static void next_demo(struct opening *o)
{
    struct rt_host *h = o->h;
    for (; o->app < h->n_apps; o->app++) {
        struct rt_app *app = rt_routing_now(h)->release[o->app]->at[0].app;
        if (h->options->demo && app->demo_ref > 0) {
            o->job.app = app;
            o->job.done = demo_done;
            o->job.owner = o;
            rt_job_function(&o->job, app->demo_ref);
            return;
        }
    }
    catch_up(o);
}

static void start_opening(struct rt_message *m)
{
    next_demo((struct opening *)((char *)m - offsetof(struct opening, message)));
}

static int start_workers(struct rt_host *h, struct opening *o, struct rt_err *err)
{
    int rc = 0;
    for (int w = 0; rc == 0 && w < h->n_workers; w++)
        rc = rt_worker_init(h, w, err);
    if (rc == 0)
        rc = rt_releaser_open(h, err);
    for (int a = 0; rc == 0 && a < h->n_apps; a++) {
        h->schedulers[a] = rt_scheduler_new(h, a);
        h->apps[a].shared.timer_set = rt_scheduler_set;
        h->apps[a].shared.timer_arg = h->schedulers[a];
        if (!h->schedulers[a])
            rc = rt_err_set(err, RT_E_NOMEM, "no memory for timers");
    }
    if (rc == 0)
        rc = rt_keeper_new(h, &h->keeper, err);
    for (int w = 0; rc == 0 && w < h->n_workers; w++)
        rc = rt_worker_start(&h->workers[w], err);
    if (rc == 0)
        rc = rt_outbox_start(h->outbox, err);
    if (rc == 0) {
        o->h = h;
        rt_timer_init(&o->job.timer);
        o->message.run = start_opening;
        rt_loop_post(h->workers[0].loop, &o->message);
    }
    return rc;
}

static void wait_for_signal(struct rt_host *h, const sigset_t *set)
{
    int sig = 0;
    while (sig != SIGTERM && sig != SIGINT) {
        sigwait(set, &sig);
        if (sig == SIGHUP)
            rt_releaser_wake(h, true);
    }
    rt_log(RT_LOG_INFO, "stopping", "signal", sig == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
}

/* Where the drain was cut short, requests still wait for a turn, a commit, a hash, a report. Whoever works for them
 * on another thread has to be done before their memory goes. */
static void settle(struct rt_host *h)
{
    for (int w = 0; w < h->n_workers; w++)
        if (h->workers[w].mailbox)
            rt_mailbox_close(h->workers[w].mailbox);
    rt_outbox_join(h->outbox);
    rt_pool_free(h->passwords);
    rt_report_pool_free(h->reports);
    for (int a = 0; a < h->n_apps; a++)
        rt_writer_stop(h->apps[a].shared.writer);
}

static void stop(struct rt_host *h)
{
    atomic_store(&h->draining, true);
    rt_releaser_stop(h);
    rt_consoles_stop(h);
    /* Worker 0 last: timers and demo run there, and others never wait for it. */
    for (int w = 0; w < h->n_workers; w++)
        if (h->workers[w].thread)
            rt_worker_drain(&h->workers[w]);
    rt_outbox_drain(h->outbox);
    for (int w = h->n_workers - 1; w >= 0; w--)
        rt_worker_join(&h->workers[w]);
    settle(h);
    for (int a = 0; a < h->n_apps; a++)
        rt_scheduler_free(h->schedulers[a]);
    rt_keeper_free(h->keeper);
    for (int w = 0; w < h->n_workers; w++) {
        rt_sockets_stop(&h->workers[w]);
        rt_http_free(h->workers[w].http);
        h->workers[w].http = NULL;
    }
    rt_releaser_close(h);
    rt_host_close(h);
    rt_outbox_free(h->outbox);
    for (int w = 0; w < h->n_workers; w++)
        rt_worker_fini(&h->workers[w]);
    rt_limits_free(h->limits);
    rt_cache_free(h->cache);
    rt_recent_clear();
}

int rt_serve(struct rt_options *options, struct rt_err *err)
{
    static struct rt_host host;
    static struct opening opening;
    struct rt_host *h = &host;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of the write, not our end */
    h->options = options;
    h->started = rt_now();
    rt_log_tap(rt_recent_logged);
    int rc = rt_host_find_apps(h, err);
    if (rc == 0)
        rc = rt_host_lock(h, err);
    if (rc == 0)
        rc = rt_host_keys(h, err);
    if (rc == 0)
        rc = start_shared(h, err);
    if (rc == 0)
        rc = rt_watchdog_start(err);
    if (rc == 0)
        rc = rt_host_open(h, err);
    if (rc == 0)
        rc = rt_outbox_new(h, &h->outbox, err);
    if (rc == 0) {
        warn_of_open_doors(options);
        rc = start_workers(h, &opening, err);
    }
    if (rc == 0)
        rc = rt_releaser_start(h, err);
    if (rc == 0)
        wait_for_signal(h, &set);
    stop(h);
    rt_watchdog_stop();
    return rc;
}
