/* SPDX-License-Identifier: Apache-2.0
 *
 * The swap is one atomic store, so every request sees either the old routing or the new one. Whoever had
 * loaded the old pointer is a worker between two looks at its messages; once each worker has run a
 * message that was posted after the store, nobody holds it. Only then are old releases retired. */
#include <stdlib.h>

#include "base/log.h"
#include "server/host.h"

struct swap {
    struct rt_host *host;
    struct rt_routing *old, *next;
    pthread_mutex_t mu;
    pthread_cond_t cond;
    int left;
    struct swap_part {
        struct rt_message message;
        struct swap *swap;
        int worker;
    } part[RT_WORKERS_MAX];
};

static int add_routes(struct rt_router *router, const struct rt_release *r, struct rt_err *err)
{
    const struct rt_app *app = r->at[0].app;
    struct rt_err why;
    int rc = 0;
    for (int i = 0; i < app->n_routes; i++) {
        const struct rt_route *x = &app->routes[i];
        rc = rt_router_add(router, r->index, x->method, x->path, app->trailing_slash, i, &why);
        if (rc)
            return rt_err_set(err, rc, "%s: %s", x->line, why.msg);
    }
    for (int i = 0; rc == 0 && i < r->pages->n; i++)
        rc = rt_router_add(router, r->index, "GET", r->pages->page[i].path, false, app->n_routes + i, &why);
    return rc ? rt_err_set(err, rc, "app %s: %s", app->name, why.msg) : 0;
}

static int add_names(struct rt_router *router, const struct rt_release *r, struct rt_err *err)
{
    const struct rt_app *app = r->at[0].app;
    int rc = 0;
    for (int i = 0; rc == 0 && app->prefixes[i]; i++)
        rc = rt_router_own(router, r->index, app->prefixes[i], err);
    for (int i = 0; rc == 0 && app->hosts[i]; i++)
        rc = rt_router_host(router, r->index, app->hosts[i], err);
    return rc;
}

int rt_routing_build(struct rt_host *h, struct rt_release *const *releases, struct rt_routing **ret,
                     struct rt_err *err)
{
    struct rt_routing *g = calloc(1, sizeof *g);
    if (g)
        g->router = rt_router_new();
    if (!g || !g->router) {
        rt_routing_free(g);
        return rt_err_set(err, RT_E_NOMEM, "no memory for a router");
    }
    int rc = 0;
    g->n_apps = h->n_apps;
    for (int a = 0; rc == 0 && a < h->n_apps; a++) {
        g->release[a] = releases[a];
        rc = add_routes(g->router, releases[a], err);
        if (rc == 0)
            rc = add_names(g->router, releases[a], err);
    }
    if (rc) {
        rt_routing_free(g);
        return rc;
    }
    *ret = g;
    return 0;
}

void rt_routing_free(struct rt_routing *r)
{
    if (!r)
        return;
    rt_router_free(r->router);
    free(r);
}

struct rt_routing *rt_routing_now(struct rt_host *h)
{
    return atomic_load_explicit(&h->routing, memory_order_acquire);
}

static void count_down(struct swap *s)
{
    pthread_mutex_lock(&s->mu);
    if (--s->left == 0)
        pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->mu);
}

static void seen(struct rt_message *m)
{
    count_down(((struct swap_part *)((char *)m - offsetof(struct swap_part, message)))->swap);
}

static void retire(struct rt_message *m)
{
    struct swap_part *part = (struct swap_part *)((char *)m - offsetof(struct swap_part, message));
    struct swap *s = part->swap;
    for (int a = 0; a < s->old->n_apps; a++)
        if (s->old->release[a] != s->next->release[a])
            rt_release_retire(s->old->release[a], part->worker);
    count_down(s);
}

/* Runs `fn` on every worker and waits for all. */
static void on_all_workers(struct swap *s, void (*fn)(struct rt_message *m))
{
    s->left = s->host->n_workers;
    for (int w = 0; w < s->host->n_workers; w++) {
        s->part[w] = (struct swap_part){ .message = { .run = fn }, .swap = s, .worker = w };
        rt_loop_post(s->host->workers[w].loop, &s->part[w].message);
    }
    pthread_mutex_lock(&s->mu);
    while (s->left > 0)
        pthread_cond_wait(&s->cond, &s->mu);
    pthread_mutex_unlock(&s->mu);
}

void rt_routing_swap(struct rt_host *h, struct rt_routing *next)
{
    struct swap s = { .host = h, .next = next, .mu = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };
    next->serial = rt_routing_now(h)->serial + 1;
    s.old = atomic_exchange(&h->routing, next);
    on_all_workers(&s, seen);
    on_all_workers(&s, retire);
    rt_routing_free(s.old);
}
