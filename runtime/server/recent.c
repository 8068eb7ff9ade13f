/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring per worker with a lock that only somebody who asks ever contends for. */
#include "server/recent.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

struct entry {
    char id[132], method[8], path[160], app[64], route[160], rule[64], address[46];
    int status, release;
    int64_t at, user;
    double ms, parked_ms;
    char *error;
};

static struct ring {
    pthread_mutex_t mu;
    struct entry *entry; /* [RT_RECENT], made at the first request */
    unsigned next;
} rings[RT_WORKERS_MAX] = { [0 ... RT_WORKERS_MAX - 1] = { .mu = PTHREAD_MUTEX_INITIALIZER } };

static pthread_mutex_t watch_mu = PTHREAD_MUTEX_INITIALIZER;
static struct rt_recent_watch *watches;
static _Atomic int watching;

static void put_entry(struct rt_buf *b, const struct entry *e)
{
    rt_buf_puts(b, "{\"at\":");
    rt_json_put_time(b, e->at);
    rt_buf_printf(b, ",\"status\":%d,\"release\":%d,\"ms\":%.3f,\"waited_ms\":%.3f,\"user\":%lld", e->status,
                  e->release, e->ms, e->parked_ms, (long long)e->user);
    rt_json_put_member(b, "id", e->id);
    rt_json_put_member(b, "method", e->method);
    rt_json_put_member(b, "path", e->path);
    rt_json_put_member(b, "app", e->app);
    rt_json_put_member(b, "route", e->route);
    rt_json_put_member(b, "rule", e->rule);
    rt_json_put_member(b, "address", e->address);
    rt_json_put_member(b, "error", e->error);
    rt_buf_putc(b, '}');
}

static void copy(char *out, size_t size, struct rt_str s)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;
    memcpy(out, s.p ? s.p : "", s.p ? n : 0);
    out[s.p ? n : 0] = 0;
}

static void fill(struct entry *e, struct rt_conversation *c, int status, uint64_t ns)
{
    free(e->error);
    memset(e, 0, sizeof *e);
    copy(e->id, sizeof e->id, rt_str_of(c->id));
    copy(e->method, sizeof e->method, rt_http_method(c->http));
    copy(e->path, sizeof e->path, rt_http_path(c->http));
    copy(e->address, sizeof e->address, rt_str_of(c->address));
    if (c->app >= 0)
        copy(e->app, sizeof e->app, rt_str_of(c->worker->host->apps[c->app].shared.name));
    e->status = status;
    e->release = c->release ? c->release->number : 0;
    e->at = c->now;
    e->ms = (double)ns / 1e6;
    if (!c->has_exchange)
        return;
    snprintf(e->route, sizeof e->route, "%s %s", c->x.route->method, c->x.route->path);
    copy(e->rule, sizeof e->rule, rt_str_of(c->x.route->can ? c->x.route->can : ""));
    e->user = c->x.user_id;
    e->parked_ms = (double)c->x.call.parked_ns / 1e6;
    e->error = c->x.error;
    c->x.error = NULL;
}

static void tell(const struct entry *e)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    put_entry(&b, e);
    pthread_mutex_lock(&watch_mu);
    for (struct rt_recent_watch *w = watches; w; w = w->next)
        if (!w->log && (!w->app[0] || strcmp(w->app, e->app) == 0) &&
            (w->status == 0 || w->status == e->status || w->status == e->status / 100))
            w->seen(w->arg, rt_buf_cstr(&b), b.len);
    pthread_mutex_unlock(&watch_mu);
    rt_buf_fini(&b);
}

void rt_recent_logged(const char *line, size_t n)
{
    struct rt_buf b;
    if (!atomic_load_explicit(&watching, memory_order_relaxed))
        return;
    rt_buf_init(&b, 0);
    rt_buf_puts(&b, "{\"line\":");
    rt_json_put_string(&b, line, n > 0 && line[n - 1] == '\n' ? n - 1 : n);
    rt_buf_putc(&b, '}');
    pthread_mutex_lock(&watch_mu);
    for (struct rt_recent_watch *w = watches; w; w = w->next)
        if (w->log)
            w->seen(w->arg, rt_buf_cstr(&b), b.len);
    pthread_mutex_unlock(&watch_mu);
    rt_buf_fini(&b);
}

void rt_recent_add(struct rt_conversation *c, int status, uint64_t ns)
{
    struct ring *r = &rings[c->worker->index];
    pthread_mutex_lock(&r->mu);
    if (!r->entry && !(r->entry = calloc(RT_RECENT, sizeof *r->entry))) {
        pthread_mutex_unlock(&r->mu);
        return;
    }
    struct entry *e = &r->entry[r->next++ % RT_RECENT];
    fill(e, c, status, ns);
    pthread_mutex_unlock(&r->mu);
    if (atomic_load_explicit(&watching, memory_order_relaxed))
        tell(e); /* only this thread changes it */
}

bool rt_recent_find(const char *id, struct rt_buf *out)
{
    bool found = false;
    for (int w = 0; !found && w < RT_WORKERS_MAX; w++) {
        struct ring *r = &rings[w];
        pthread_mutex_lock(&r->mu);
        for (unsigned i = 1; r->entry && !found && i <= RT_RECENT; i++) {
            const struct entry *e = &r->entry[(r->next - i) % RT_RECENT];
            found = e->id[0] && strcmp(e->id, id) == 0;
            if (found)
                put_entry(out, e);
        }
        pthread_mutex_unlock(&r->mu);
    }
    return found;
}

void rt_recent_watch(struct rt_recent_watch *w)
{
    pthread_mutex_lock(&watch_mu);
    w->next = watches;
    watches = w;
    atomic_fetch_add(&watching, 1);
    pthread_mutex_unlock(&watch_mu);
}

void rt_recent_unwatch(struct rt_recent_watch *w)
{
    pthread_mutex_lock(&watch_mu);
    for (struct rt_recent_watch **at = &watches; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            atomic_fetch_sub(&watching, 1);
            break;
        }
    pthread_mutex_unlock(&watch_mu);
}

void rt_recent_clear(void)
{
    for (int w = 0; w < RT_WORKERS_MAX; w++) {
        for (int i = 0; rings[w].entry && i < RT_RECENT; i++)
            free(rings[w].entry[i].error);
        free(rings[w].entry);
        rings[w].entry = NULL;
    }
}
