/* SPDX-License-Identifier: Apache-2.0
 *
 * A release: one app's scripts, loaded into a state per worker. It is complete or it does not exist, and
 * nothing in it changes while it serves. A newer one takes its place; then it stays until the last
 * request, job and socket that began on it has ended, on each worker for itself. */
#ifndef RT_SERVER_RELEASE_H
#define RT_SERVER_RELEASE_H

#include <stdatomic.h>

#include "base/tree.h"
#include "http/pages.h"
#include "http/router.h"
#include "loop/loop.h"
#include "lua/app.h"

enum { RT_APPS_MAX = 16, RT_WORKERS_MAX = 64, RT_LATENCY_BUCKETS = 14 };
/* Of an app on a worker: open sockets keep so many former releases; those of older ones are closed (1012). */
enum { RT_RETIRED_MAX = 8 };

struct rt_host;

/* Counters of one worker for one route; read by whoever asks for metrics. */
struct rt_route_stats {
    _Atomic uint64_t status[6]; /* by class: status / 100 */
    _Atomic uint64_t bucket[RT_LATENCY_BUCKETS];
    _Atomic uint64_t total_us, parked_us;
};

struct rt_release {
    struct rt_host *host;
    int index;            /* of the app in the host */
    int number;           /* of the release in which these scripts became live */
    char hash[65];        /* of the tree */
    struct rt_tree *tree; /* all of its files */
    struct rt_pages *pages;
    int n_routes;         /* with the pages, which come last … */
    int n_scripts;        /* … after so many of the scripts */
    char **labels;        /* [n_routes]: what each is called in metrics; states may be gone before it is counted */
    char **script_labels; /* the same for what scripts cost: [n_spent] */
    int n_spent;
    _Atomic int open;           /* workers that still have a state of it */
    struct rt_release *counted; /* the next one whose counters count; metrics.c */
    struct rt_release_part {
        struct rt_vm *vm;
        struct rt_app *app;
        struct rt_route_stats *stats;  /* [n_routes] */
        struct rt_script_stats *spent; /* [n_spent] */
        int users;
        bool closing;            /* its sockets were closed, as it is too old */
        struct rt_release *next; /* among the worker's retired ones */
    } at[RT_WORKERS_MAX];
};

/* The files that make up an app: its folder's and those of lib/. */
int rt_scripts_read(const char *scripts, const char *app, struct rt_tree **ret, struct rt_err *err);

/* Loads the tree (referenced) into a state for each worker. Any thread; nothing serves it yet. */
int rt_release_build(struct rt_host *h, int app, struct rt_tree *tree, struct rt_release **ret, struct rt_err *err);
/* The same for every app, from the scripts folder. On failure those that were built are the caller's all the same. */
int rt_releases_build(struct rt_host *h, struct rt_release **ret, struct rt_err *err);
/* One that never served, or of a server whose workers have stopped. */
void rt_release_free(struct rt_release *r);

/* On the worker's thread: a request or job begins on it and ends. (Sockets are counted by its state.) */
void rt_release_enter(struct rt_release *r, int worker);
void rt_release_leave(struct rt_release *r, int worker);
/* The page behind a route's number, or NULL when it is a route of the scripts. */
const struct rt_page *rt_release_page(const struct rt_release *r, int route);

/* All apps' current releases and the router over them. */
struct rt_routing {
    int serial; /* another one for each swap */
    struct rt_router *router;
    struct rt_release *release[RT_APPS_MAX];
    int n_apps;
};

/* Adds the routes, pages, prefixes and hosts of all releases. */
int rt_routing_build(struct rt_host *h, struct rt_release *const *releases, struct rt_routing **ret,
                     struct rt_err *err);
void rt_routing_free(struct rt_routing *r);
/* What serves now. On a worker's thread it stays valid until that thread returns to its loop. */
struct rt_routing *rt_routing_now(struct rt_host *h);
/* Makes `next` serve, for all workers at one instant; requests that have begun end on what they began with. Returns
 * when every worker has seen it: what it replaces is then retired and the old routing freed. Not on a worker's
 * thread. */
void rt_routing_swap(struct rt_host *h, struct rt_routing *next);

#endif
