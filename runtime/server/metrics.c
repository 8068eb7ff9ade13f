/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics in Prometheus' text format. Each worker counts for itself (no shared cache lines); the sum is
 * made when somebody asks. */
#include <stdio.h>

#include "base/clock.h"
#include "events/events.h"
#include "limit/limit.h"
#include "server/sockets.h"

static const unsigned bounds_us[RT_LATENCY_BUCKETS - 1] = { 100,   250,   500,    1000,   2500,   5000,   10000,
                                                            25000, 50000, 100000, 250000, 500000, 1000000 };

static void bump(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

void rt_metrics_count(struct rt_worker *w, int route, int status, uint64_t ns, uint64_t parked_ns)
{
    struct rt_route_stats *s = &w->stats[route];
    uint64_t us = ns / 1000;
    int k = 0;
    while (k < RT_LATENCY_BUCKETS - 1 && us > bounds_us[k])
        k++;
    bump(&s->status[status / 100 < 6 ? status / 100 : 5], 1);
    bump(&s->bucket[k], 1);
    bump(&s->total_us, us);
    if (parked_ns)
        bump(&s->parked_us, parked_ns / 1000);
}

struct sums {
    uint64_t status[6], bucket[RT_LATENCY_BUCKETS], total_us, parked_us, all;
};

static struct sums sum_route(struct rt_host *h, int route)
{
    struct sums t = { 0 };
    for (int w = 0; w < h->n_workers; w++) {
        struct rt_route_stats *s = &h->workers[w].stats[route];
        for (int i = 0; i < 6; i++)
            t.status[i] += atomic_load_explicit(&s->status[i], memory_order_relaxed);
        for (int i = 0; i < RT_LATENCY_BUCKETS; i++)
            t.bucket[i] += atomic_load_explicit(&s->bucket[i], memory_order_relaxed);
        t.total_us += atomic_load_explicit(&s->total_us, memory_order_relaxed);
        t.parked_us += atomic_load_explicit(&s->parked_us, memory_order_relaxed);
    }
    for (int i = 0; i < 6; i++)
        t.all += t.status[i];
    return t;
}

static void route_labels(const struct rt_release *r, int route, char *out, size_t size)
{
    for (int a = r->n_apps - 1; a >= 0; a--)
        if (route >= r->routes[a] && route < r->n_routes) {
            const struct rt_app *app = r->apps[0][a];
            const struct rt_page *page = rt_release_page(r, a, route);
            const struct rt_route *x = page ? NULL : &app->routes[route - r->routes[a]];
            snprintf(out, size, "app=\"%s\",method=\"%s\",route=\"%s\"", app->name, page ? "GET" : x->method,
                     page ? page->path : x->path);
            return;
        }
    snprintf(out, size, "app=\"\",method=\"\",route=\"\"");
}

static void write_routes(struct rt_host *h, struct rt_buf *out)
{
    char labels[400];
    rt_buf_puts(out, "# HELP perigee_requests_total Requests by route and status class.\n"
                     "# TYPE perigee_requests_total counter\n");
    for (int i = 0; i <= h->release->n_routes; i++) {
        struct sums t = sum_route(h, i);
        route_labels(h->release, i, labels, sizeof labels);
        for (int k = 1; k < 6; k++)
            if (t.status[k])
                rt_buf_printf(out, "perigee_requests_total{%s,status=\"%dxx\"} %llu\n", labels, k,
                              (unsigned long long)t.status[k]);
    }
    rt_buf_puts(out, "# HELP perigee_request_seconds Time from the request line to the answer.\n"
                     "# TYPE perigee_request_seconds histogram\n");
    for (int i = 0; i <= h->release->n_routes; i++) {
        struct sums t = sum_route(h, i);
        uint64_t up_to = 0;
        if (!t.all)
            continue;
        route_labels(h->release, i, labels, sizeof labels);
        for (int k = 0; k < RT_LATENCY_BUCKETS - 1; k++)
            rt_buf_printf(out, "perigee_request_seconds_bucket{%s,le=\"%g\"} %llu\n", labels, bounds_us[k] / 1e6,
                          (unsigned long long)(up_to += t.bucket[k]));
        rt_buf_printf(out, "perigee_request_seconds_bucket{%s,le=\"+Inf\"} %llu\n", labels, (unsigned long long)t.all);
        rt_buf_printf(out, "perigee_request_seconds_sum{%s} %.6f\n", labels, (double)t.total_us / 1e6);
        rt_buf_printf(out, "perigee_request_seconds_count{%s} %llu\n", labels, (unsigned long long)t.all);
        rt_buf_printf(out, "perigee_parked_seconds_total{%s} %.6f\n", labels, (double)t.parked_us / 1e6);
    }
}

static void write_database(struct rt_host *h, struct rt_buf *out)
{
    static const char *const classes[] = { "1", "2", "4", "8", "16", "32", "64", "128", "+Inf" };
    for (int a = 0; a < h->n_apps; a++) {
        struct rt_app_shared *app = &h->apps[a].shared;
        struct rt_writer_stats s;
        rt_writer_stats(app->writer, &s);
        rt_buf_printf(out, "perigee_commits_total{app=\"%s\"} %llu\n", app->name, (unsigned long long)s.commits);
        rt_buf_printf(out, "perigee_transactions_total{app=\"%s\"} %llu\n", app->name,
                      (unsigned long long)s.transactions);
        rt_buf_printf(out, "perigee_transactions_failed_total{app=\"%s\"} %llu\n", app->name,
                      (unsigned long long)s.failed);
        rt_buf_printf(out, "perigee_commit_seconds_total{app=\"%s\"} %.6f\n", app->name, (double)s.commit_ns / 1e9);
        rt_buf_printf(out, "perigee_checkpoints_total{app=\"%s\"} %llu\n", app->name,
                      (unsigned long long)s.checkpoints);
        uint64_t up_to = 0;
        for (int k = 0; k < 9; k++)
            rt_buf_printf(out, "perigee_commit_batch_bucket{app=\"%s\",le=\"%s\"} %llu\n", app->name, classes[k],
                          (unsigned long long)(up_to += s.batch[k]));
        rt_buf_printf(out, "perigee_commit_batch_sum{app=\"%s\"} %llu\n", app->name,
                      (unsigned long long)s.transactions);
        rt_buf_printf(out, "perigee_commit_batch_count{app=\"%s\"} %llu\n", app->name, (unsigned long long)s.commits);
        rt_buf_printf(out, "perigee_lua_errors_total{app=\"%s\"} %llu\n", app->name,
                      (unsigned long long)atomic_load(&app->lua_errors));
    }
}

static void write_events(struct rt_host *h, struct rt_buf *out)
{
    struct rt_hub_stats hub;
    rt_hub_stats(h->hub, &hub);
    rt_buf_printf(out, "perigee_rooms %llu\nperigee_room_members %llu\n", (unsigned long long)hub.rooms,
                  (unsigned long long)hub.members);
    rt_buf_printf(out, "perigee_events_published_total %llu\nperigee_events_delivered_total %llu\n",
                  (unsigned long long)hub.published, (unsigned long long)hub.delivered);
    for (int a = 0; a < h->n_apps; a++) {
        struct rt_events_stats s;
        const char *app = h->apps[a].shared.name;
        rt_events_stats(h->apps[a].shared.events, &s);
        rt_buf_printf(out, "perigee_rooms_kept{app=\"%s\"} %llu\n", app, (unsigned long long)s.rooms);
        rt_buf_printf(out, "perigee_events_logged_total{app=\"%s\"} %llu\n", app, (unsigned long long)s.logged);
        rt_buf_printf(out, "perigee_event_log_rows{app=\"%s\"} %lld\n", app, (long long)s.rows);
    }
}

void rt_metrics_write(struct rt_host *h, struct rt_buf *out)
{
    write_routes(h, out);
    write_database(h, out);
    rt_sockets_metrics(h, out);
    write_events(h, out);
    unsigned connections = 0, active = 0;
    for (int w = 0; w < h->n_workers; w++) {
        connections += rt_http_connections(h->workers[w].http);
        active += rt_http_active(h->workers[w].http);
    }
    rt_buf_printf(out, "perigee_connections %u\nperigee_requests_waiting %u\n", connections, active);
    for (int w = 0; w < h->n_workers; w++)
        for (int a = 0; a < h->n_apps; a++)
            rt_buf_printf(out, "perigee_lua_memory_bytes{app=\"%s\",worker=\"%d\"} %zu\n", h->apps[a].shared.name, w,
                          h->release->vms[w][a]->memory.used);
    rt_buf_printf(out, "perigee_limit_counters %zu\n", rt_limits_count(h->limits));
    rt_buf_printf(out, "perigee_release %d\nperigee_uptime_seconds %lld\n", h->release->number,
                  (long long)(rt_now() - h->started));
}
