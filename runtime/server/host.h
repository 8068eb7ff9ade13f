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
#include "http/router.h"
#include "lua/app.h"
#include "lua/cache.h"
#include "loop/loop.h"

enum { RT_APPS_MAX = 16, RT_WORKERS_MAX = 64, RT_LATENCY_BUCKETS = 14 };

/* One app's database and keys; the same for all releases. */
struct rt_hosted {
    struct rt_app_shared shared;
    struct rt_idempotency *idempotency;
};

/* Everything that comes from the scripts: swapped as a whole when they change. */
struct rt_release {
    int number;
    struct rt_router *router;
    struct rt_app *apps[RT_WORKERS_MAX][RT_APPS_MAX]; /* [worker][app] */
    struct rt_vm *vms[RT_WORKERS_MAX][RT_APPS_MAX];
    int routes[RT_APPS_MAX]; /* first route number of each app */
    int n_routes, n_apps;
};

/* Counters of one worker for one route; read by whoever asks for metrics. */
struct rt_route_stats {
    _Atomic uint64_t status[6]; /* by class: status / 100 */
    _Atomic uint64_t bucket[RT_LATENCY_BUCKETS];
    _Atomic uint64_t total_us, parked_us;
};

struct rt_worker {
    struct rt_host *host;
    int index;
    pthread_t thread;
    struct rt_loop *loop;
    struct rt_mailbox *mailbox;
    struct rt_http *http;
    struct rt_services services[RT_APPS_MAX];
    int listen_fd;
    struct rt_watch *listen_watch, *http_watch;
    struct rt_alarm *http_alarm, *sweep_alarm;
    struct rt_message mail, begin, drain;
    _Atomic bool mail_posted; /* `mail` is on its way, though its reason may be gone when it comes */
    struct rt_route_stats *stats; /* [n_routes + 1]; the last for everything else */
    struct rt_buf access;         /* access log lines of this iteration */
    bool draining, listening;
    uint64_t drain_until_ns;
};

struct rt_host {
    struct rt_options *options;
    struct rt_hosted apps[RT_APPS_MAX];
    int n_apps;
    struct rt_release *release;
    struct rt_limits *limits;
    struct rt_cache *cache;
    struct rt_password_pool *passwords;
    struct rt_worker workers[RT_WORKERS_MAX];
    int n_workers;
    struct rt_scheduler *schedulers[RT_APPS_MAX];
    uint8_t master_key[32];
    double limit_factor;
    int lock_fd;
    _Atomic bool ready, draining;
    _Atomic uint64_t requests;
    int64_t started;
};

/* apps.c: finds the apps in the scripts folder (all, or those that --apps names). */
int rt_host_find_apps(struct rt_host *h, struct rt_err *err);
/* Takes the data folder for this process (made 0700); RT_E_BUSY when another server has it. */
int rt_host_lock(struct rt_host *h, struct rt_err *err);
int rt_host_keys(struct rt_host *h, struct rt_err *err);
/* Opens and migrates every app's database. */
int rt_host_open(struct rt_host *h, struct rt_err *err);
void rt_host_close(struct rt_host *h);
/* PERIGEE_<APP>_<NAME> from the environment, or NULL. */
const char *rt_host_setting(void *arg, const char *app, const char *name);

/* release.c */
int rt_release_build(struct rt_host *h, int number, struct rt_release **ret, struct rt_err *err);
void rt_release_free(struct rt_release *r, int n_workers);

/* worker.c */
int rt_worker_init(struct rt_host *h, int index, struct rt_err *err);
int rt_worker_start(struct rt_worker *w, struct rt_err *err);
void rt_worker_drain(struct rt_worker *w);
void rt_worker_join(struct rt_worker *w);
void rt_worker_fini(struct rt_worker *w);

/* dispatch.c */
void rt_dispatch_request(void *worker, struct rt_http_req *req);
void rt_dispatch_refuse(void *worker, struct rt_http_req *req, int status, const char *message);
void rt_dispatch_ended(void *worker, void *context);

/* metrics.c */
void rt_metrics_count(struct rt_worker *w, int route, int status, uint64_t ns, uint64_t parked_ns);
void rt_metrics_write(struct rt_host *h, struct rt_buf *out);

/* scheduler.c: fires the timers of one app on worker 0. */
struct rt_scheduler *rt_scheduler_new(struct rt_host *h, int app);
void rt_scheduler_free(struct rt_scheduler *s);
/* Worker 0's thread. `wait` (nullable): its `idle` is called once, when nothing is due any more. */
struct rt_idle_wait {
    void (*idle)(struct rt_idle_wait *wait);
    struct rt_idle_wait *next;
};
void rt_scheduler_run(struct rt_scheduler *s, struct rt_idle_wait *wait);
/* Any thread: a timer was set for `due`. */
void rt_scheduler_set(void *scheduler, int64_t due);

#endif
