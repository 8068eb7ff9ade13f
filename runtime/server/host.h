/* SPDX-License-Identifier: Apache-2.0
 *
 * The running server: what it owns and who may touch what. Shared parts are set up before the workers
 * start and read-only afterwards, or guarded as their own headers say. */
#ifndef RT_SERVER_HOST_H
#define RT_SERVER_HOST_H

#include <pthread.h>
#include <stdatomic.h>

#include "config/options.h"
#include "http/http.h"
#include "lua/cache.h"
#include "lua/channel.h"
#include "server/release.h"
#include "ws/hub.h"

/* One app's database and keys; the same for all releases. */
struct rt_hosted {
    struct rt_app_shared shared;
    struct rt_idempotency *idempotency;
};

struct rt_worker {
    struct rt_host *host;
    int index;
    pthread_t thread;
    struct rt_loop *loop;
    struct rt_mailbox *mailbox;
    struct rt_inbox *inbox;
    struct rt_http *http;
    struct rt_ws *ws;
    struct rt_channel_stats channel_stats[RT_APPS_MAX];
    struct rt_services services[RT_APPS_MAX];
    int listen_fd;
    struct rt_watch *listen_watch, *http_watch;
    struct rt_alarm *http_alarm, *sweep_alarm;
    struct rt_message mail, news, begin, drain, more;
    _Atomic bool mail_posted;     /* `mail` is on its way, though its reason may be gone when it comes */
    bool more_posted;             /* `more`: there are sockets to be written to */
    struct rt_release *retired;   /* releases that some request, job or socket of ours still uses */
    struct rt_route_stats others; /* requests without a route */
    struct rt_buf access;         /* access log lines of this iteration */
    bool draining, listening, sockets_stopping;
    uint64_t drain_until_ns;
};

struct rt_host {
    struct rt_options *options;
    struct rt_hosted apps[RT_APPS_MAX];
    int n_apps;
    _Atomic(struct rt_routing *) routing;
    struct rt_releaser *releaser;
    struct rt_former *former; /* counters of releases that are gone; metrics.c */
    struct rt_limits *limits;
    struct rt_cache *cache;
    struct rt_hub *hub;
    struct rt_keeper *keeper;
    struct rt_pool *passwords;
    struct rt_report_pool *reports;
    struct rt_worker workers[RT_WORKERS_MAX];
    int n_workers;
    struct rt_scheduler *schedulers[RT_APPS_MAX];
    struct rt_outbox *outbox;
    uint8_t master_key[32];
    double limit_factor;
    int lock_fd;
    _Atomic bool ready, draining;
    _Atomic uint64_t requests;
    int64_t started;
};

/* apps.c: finds the apps in the scripts folder (all, or those that --apps names). */
int rt_host_find_apps(struct rt_host *h, struct rt_err *err);
/* Leaves only the named app in h->apps (all when the name is NULL). */
int rt_only_app(struct rt_host *h, const char *name, struct rt_err *err);
/* The processors that this process may use. */
int rt_cores(void);
/* Takes the data folder for this process (made 0700); RT_E_BUSY when another server has it. */
int rt_host_lock(struct rt_host *h, struct rt_err *err);
int rt_host_keys(struct rt_host *h, struct rt_err *err);
/* Opens and migrates every app's database; makes the hub, with an inbox per worker (one without workers). */
int rt_host_open(struct rt_host *h, struct rt_err *err);
void rt_host_close(struct rt_host *h);
/* <data>/tmp, for files that are being made, empty; and the threads that make them. */
int rt_host_start_reports(struct rt_host *h, struct rt_err *err);
/* PERIGEE_<APP>_<NAME> from the environment, or NULL. */
const char *rt_host_setting(void *arg, const char *app, const char *name);

/* release.c, on the worker's thread: it serves no new requests of ours any more. */
void rt_release_retire(struct rt_release *r, int worker);
/* At the end of an iteration: closes our states of retired releases that nothing uses. */
void rt_releases_sweep(struct rt_host *h, int worker);
/* Those that something still used when the workers stopped. */
void rt_releases_free_retired(struct rt_host *h);

/* worker.c */
enum { RT_NO_PORT = -1 }; /* as the option `port`: nothing listens */
/* The end of each round of its loop: commits start, snapshots end, the log goes out. */
void rt_worker_round(void *worker);
int rt_worker_init(struct rt_host *h, int index, struct rt_err *err);
int rt_worker_start(struct rt_worker *w, struct rt_err *err);
/* A connection from within the process: the client's end of a socket pair, non-blocking. The worker's thread. */
int rt_worker_connect(struct rt_worker *w, int *ret_fd);
void rt_worker_drain(struct rt_worker *w);
void rt_worker_join(struct rt_worker *w);
void rt_worker_fini(struct rt_worker *w);

/* dispatch.c */
void rt_dispatch_request(void *worker, struct rt_http_req *req);
void rt_dispatch_refuse(void *worker, struct rt_http_req *req, int status, const char *message);
void rt_dispatch_ended(void *worker, void *context);

/* metrics.c */
void rt_metrics_count(struct rt_route_stats *s, int status, uint64_t ns, uint64_t parked_ns);
/* A release's counters count from here on … */
void rt_metrics_enter(struct rt_host *h, struct rt_release *r);
/* … until it goes, when they are added to those of former ones. Any thread. */
void rt_metrics_keep(struct rt_host *h, struct rt_release *r);
/* How many releases there are that do not serve any more but are still used. Any thread. */
int rt_metrics_retired(struct rt_host *h);
int rt_metrics_open(struct rt_host *h, struct rt_err *err);
void rt_metrics_close(struct rt_host *h);
void rt_metrics_write(struct rt_host *h, struct rt_buf *out);
/* metrics_scripts.c: the counters of a release's scripts, 0 or RT_E_NOMEM; after its states are closed. */
int rt_metrics_scripts_make(struct rt_release *r);
void rt_metrics_scripts_free(struct rt_release *r);

/* keeper.c: cleans the logs of events; worker 0's thread once it runs. */
int rt_keeper_new(struct rt_host *h, struct rt_keeper **ret, struct rt_err *err);
void rt_keeper_free(struct rt_keeper *k);

/* scheduler.c: fires the timers of one app on worker 0. */
struct rt_scheduler *rt_scheduler_new(struct rt_host *h, int app);
void rt_scheduler_free(struct rt_scheduler *s);
bool rt_scheduler_is_busy(const struct rt_scheduler *s); /* runs a timer; worker 0 */
/* Worker 0's thread. `wait` (nullable): its `idle` is called once, when nothing is due any more. */
struct rt_idle_wait {
    void (*idle)(struct rt_idle_wait *wait);
    struct rt_idle_wait *next;
};
void rt_scheduler_run(struct rt_scheduler *s, struct rt_idle_wait *wait);
/* Any thread: a timer was set for `due`. */
void rt_scheduler_set(void *scheduler, int64_t due);

#endif
