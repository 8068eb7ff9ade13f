/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's own addresses: liveness, readiness, metrics and, in development, the movable clock. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/conversation.h"
#include "server/outbox.h"

void rt_respond_text(struct rt_conversation *c, int status, const char *type, const char *text)
{
    size_t n = strlen(text);
    char *body = malloc(n + 1);
    if (body)
        memcpy(body, text, n + 1);
    rt_respond(c, status, type, NULL, body, body ? n : 0);
}

static void metrics(struct rt_conversation *c)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_metrics_write(c->worker->host, &b);
    rt_outbox_metrics(c->worker, &b);
    size_t n;
    char *body = rt_buf_take(&b, &n);
    rt_respond(c, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, body, n);
}

/* The clock was moved: answers when the timers of all apps that became due have fired. */
struct clock_wait {
    struct rt_conversation *c;
    struct rt_message message;
    int left;
    struct clock_app {
        struct rt_idle_wait wait;
        struct clock_wait *all;
    } app[RT_APPS_MAX];
};

static void clock_answer(struct rt_message *m)
{
    struct clock_wait *w = (struct clock_wait *)((char *)m - offsetof(struct clock_wait, message));
    struct rt_conversation *c = w->c;
    c->waits = NULL;
    free(w);
    rt_respond_text(c, 200, "application/json", "{\"ok\":true}");
}

static void timers_idle(struct rt_idle_wait *wait)
{
    struct clock_wait *w = ((struct clock_app *)wait)->all;
    if (--w->left > 0)
        return;
    w->message.run = clock_answer;
    rt_loop_post(w->c->worker->loop, &w->message);
}

static void fire_timers(struct rt_message *m)
{
    struct clock_wait *w = (struct clock_wait *)((char *)m - offsetof(struct clock_wait, message));
    struct rt_host *h = w->c->worker->host;
    w->left = h->n_apps;
    for (int i = 0, n = h->n_apps; i < n; i++) {
        w->app[i].wait.idle = timers_idle;
        w->app[i].all = w;
        rt_scheduler_run(h->schedulers[i], &w->app[i].wait);
    }
}

/* {"advance_seconds": 60} and nothing else: no parser is at hand below Lua, and none is needed. */
static bool read_move(struct rt_str body, int64_t *ret_seconds)
{
    static const char head[] = "{\"advance_seconds\":";
    char text[64];
    size_t n = 0;
    for (size_t i = 0; i < body.n && n < sizeof text; i++)
        if (!memchr(" \t\r\n", body.p[i], 4))
            text[n++] = body.p[i];
    size_t head_n = sizeof head - 1;
    return n > head_n + 1 && n < sizeof text && memcmp(text, head, head_n) == 0 && text[n - 1] == '}' &&
           rt_str_int((struct rt_str){ text + head_n, n - head_n - 1 }, ret_seconds);
}

static void move_clock(struct rt_conversation *c)
{
    int64_t seconds;
    if (!read_move(rt_http_body(c->http), &seconds)) {
        rt_respond_text(c, 400, "application/json",
                     "{\"error\":{\"code\":\"BAD_REQUEST\",\"message\":\"send {\\\"advance_seconds\\\": 60}\"}}");
        return;
    }
    struct clock_wait *w = malloc(sizeof *w);
    if (!w) {
        rt_respond_text(c, 503, NULL, "");
        return;
    }
    rt_clock_shift(rt_clock_shifted() + seconds);
    rt_outbox_wake(c->worker->host->outbox);
    w->c = c;
    c->waits = w;
    w->message.run = fire_timers;
    rt_loop_post(c->worker->host->workers[0].loop, &w->message);
}

bool rt_builtin(struct rt_conversation *c)
{
    struct rt_str path = rt_http_path(c->http), method = rt_http_method(c->http);
    struct rt_host *h = c->worker->host;
    bool get = rt_str_is(method, "GET") || rt_str_is(method, "HEAD");
    if (path.n >= 3 && path.p[1] == '-' && get && h->options->env == RT_ENV_DEVELOPMENT && rt_index(c))
        return true;
    if (path.n < 7 || (path.p[1] != 'h' && path.p[1] != 'r' && path.p[1] != 'm' && path.p[1] != '-' &&
                       path.p[1] != 'a'))
        return false;
    if (path.p[1] == 'a')
        return rt_admin(c);
    if (get && rt_str_is(path, "/healthz"))
        rt_respond_text(c, 200, "application/json", "{\"status\":\"ok\"}");
    else if (get && rt_str_is(path, "/readyz") && atomic_load(&h->ready) && !atomic_load(&h->draining))
        rt_respond_text(c, 200, "application/json", "{\"status\":\"ready\"}");
    else if (get && rt_str_is(path, "/readyz"))
        rt_respond_text(c, 503, "application/json", "{\"status\":\"not ready\"}");
    else if (get && rt_str_is(path, "/metrics"))
        metrics(c);
    else if (h->options->env == RT_ENV_DEVELOPMENT && rt_str_is(method, "POST") && rt_str_is(path, "/-/clock"))
        move_clock(c);
    else
        return false;
    return true;
}
