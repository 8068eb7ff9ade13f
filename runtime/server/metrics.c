/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics in Prometheus' text format. Each worker counts for itself (no shared cache lines); the sum is
 * made when somebody asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "events/events.h"
#include "limit/limit.h"
#include "server/metrics_internal.h"
#include "server/releaser.h"
#include "server/sockets.h"

static const unsigned bounds_us[RT_LATENCY_BUCKETS - 1] = { 100,   250,   500,    1000,   2500,   5000,   10000,
                                                            25000, 50000, 100000, 250000, 500000, 1000000 };

static void bump(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

void rt_metrics_count(struct rt_route_stats *s, int status, uint64_t ns, uint64_t parked_ns)
{
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

static void add_up(struct sums *t, const struct rt_route_stats *s)
{
    for (int i = 0; i < 6; i++) {
        uint64_t n = atomic_load_explicit(&s->status[i], memory_order_relaxed);
        t->status[i] += n;
        t->all += n;
    }
    for (int i = 0; i < RT_LATENCY_BUCKETS; i++)
        t->bucket[i] += atomic_load_explicit(&s->bucket[i], memory_order_relaxed);
    t->total_us += atomic_load_explicit(&s->total_us, memory_order_relaxed);
    t->parked_us += atomic_load_explicit(&s->parked_us, memory_order_relaxed);
}

int rt_metrics_open(struct rt_host *h, struct rt_err *err)
{
    h->former = calloc(1, sizeof *h->former);
    if (!h->former)
        return rt_err_set(err, RT_E_NOMEM, "no memory for counters");
    pthread_mutex_init(&h->former->mu, NULL);
    rt_map_init(&h->former->routes);
    rt_map_init(&h->former->scripts);
    return 0;
}

void rt_metrics_close(struct rt_host *h)
{
    if (!h->former)
        return;
    rt_map_fini(&h->former->routes, free);
    rt_map_fini(&h->former->scripts, free);
    pthread_mutex_destroy(&h->former->mu);
    free(h->former);
    h->former = NULL;
}

void *metrics__series(struct rt_map *all, const char *labels, size_t n, size_t size)
{
    void *t = rt_map_get(all, labels, n);
    if (!t && (t = calloc(1, size)) && rt_map_set(all, labels, n, t, NULL)) {
        free(t);
        t = NULL;
    }
    return t;
}

static struct sums *series(struct rt_map *all, const char *labels, size_t n)
{
    return metrics__series(all, labels, n, sizeof(struct sums));
}

static void add_release(struct rt_map *all, const struct rt_release *r)
{
    for (int i = 0; i < r->n_routes; i++) {
        struct sums *t = series(all, r->labels[i], strlen(r->labels[i]));
        for (int w = 0; t && w < r->host->n_workers; w++)
            add_up(t, &r->at[w].stats[i]);
    }
}

void rt_metrics_enter(struct rt_host *h, struct rt_release *r)
{
    pthread_mutex_lock(&h->former->mu);
    r->counted = h->former->releases;
    h->former->releases = r;
    h->former->n++;
    pthread_mutex_unlock(&h->former->mu);
}

void rt_metrics_keep(struct rt_host *h, struct rt_release *r)
{
    pthread_mutex_lock(&h->former->mu);
    struct rt_release **at = &h->former->releases;
    while (*at != r)
        at = &(*at)->counted;
    *at = r->counted;
    h->former->n--;
    add_release(&h->former->routes, r);
    metrics__scripts_add(&h->former->scripts, r);
    pthread_mutex_unlock(&h->former->mu);
}

int rt_metrics_retired(struct rt_host *h)
{
    pthread_mutex_lock(&h->former->mu);
    int n = h->former->n - h->n_apps;
    pthread_mutex_unlock(&h->former->mu);
    return n > 0 ? n : 0;
}

static void add_releases(struct rt_host *h, struct rt_map *all)
{
    size_t pos = 0, n;
    const char *labels;
    pthread_mutex_lock(&h->former->mu);
    for (const struct rt_release *r = h->former->releases; r; r = r->counted)
        add_release(all, r);
    for (struct sums *from; (from = rt_map_next(&h->former->routes, &pos, &labels, &n));) {
        struct sums *t = series(all, labels, n);
        for (int i = 0; t && i < 6; i++)
            t->status[i] += from->status[i];
        for (int i = 0; t && i < RT_LATENCY_BUCKETS; i++)
            t->bucket[i] += from->bucket[i];
        if (t) {
            t->total_us += from->total_us;
            t->parked_us += from->parked_us;
            t->all += from->all;
        }
    }
    pthread_mutex_unlock(&h->former->mu);
}

static void write_counts(const char *labels, int labels_n, const struct sums *t, struct rt_buf *out)
{
    for (int k = 1; k < 6; k++)
        if (t->status[k])
            rt_buf_printf(out, "perigee_requests_total{%.*s,status=\"%dxx\"} %llu\n", labels_n, labels, k,
                          (unsigned long long)t->status[k]);
}

static void write_times(const char *labels, int labels_n, const struct sums *t, struct rt_buf *out)
{
    uint64_t up_to = 0;
    if (!t->all)
        return;
    for (int k = 0; k < RT_LATENCY_BUCKETS - 1; k++)
        rt_buf_printf(out, "perigee_request_seconds_bucket{%.*s,le=\"%g\"} %llu\n", labels_n, labels,
                      bounds_us[k] / 1e6, (unsigned long long)(up_to += t->bucket[k]));
    rt_buf_printf(out, "perigee_request_seconds_bucket{%.*s,le=\"+Inf\"} %llu\n", labels_n, labels,
                  (unsigned long long)t->all);
    rt_buf_printf(out, "perigee_request_seconds_sum{%.*s} %.6f\n", labels_n, labels, (double)t->total_us / 1e6);
    rt_buf_printf(out, "perigee_request_seconds_count{%.*s} %llu\n", labels_n, labels, (unsigned long long)t->all);
    rt_buf_printf(out, "perigee_parked_seconds_total{%.*s} %.6f\n", labels_n, labels, (double)t->parked_us / 1e6);
}

static void write_each(struct rt_map *all, void (*write)(const char *, int, const struct sums *, struct rt_buf *),
                       struct rt_buf *out)
{
    size_t pos = 0, n;
    const char *labels;
    for (struct sums *t; (t = rt_map_next(all, &pos, &labels, &n));)
        write(labels, (int)n, t, out);
}

static void write_routes(struct rt_host *h, struct rt_buf *out)
{
    static const char nobody[] = "app=\"\",method=\"\",route=\"\"";
    struct rt_map all;
    rt_map_init(&all);
    add_releases(h, &all);
    struct sums *others = series(&all, nobody, sizeof nobody - 1);
    for (int w = 0; others && w < h->n_workers; w++)
        add_up(others, &h->workers[w].others);
    rt_buf_puts(out, "# HELP perigee_requests_total Requests by route and status class.\n"
                     "# TYPE perigee_requests_total counter\n");
    write_each(&all, write_counts, out);
    rt_buf_puts(out, "# HELP perigee_request_seconds Time from the request line to the answer.\n"
                     "# TYPE perigee_request_seconds histogram\n");
    write_each(&all, write_times, out);
    rt_map_fini(&all, free);
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
    metrics__scripts_write(h, out);
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
                          rt_routing_now(h)->release[a]->at[w].vm->memory.used);
    rt_buf_printf(out, "perigee_limit_counters %zu\n", rt_limits_count(h->limits));
    rt_buf_printf(out, "perigee_releases_retired %d\n", rt_metrics_retired(h));
    rt_buf_printf(out, "perigee_release %d\nperigee_uptime_seconds %lld\n", rt_release_number(h),
                  (long long)(rt_now() - h->started));
}
