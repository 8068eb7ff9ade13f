/* SPDX-License-Identifier: Apache-2.0
 *
 * A socket begins as a request like any other: the router, the limits, the app's authentication and its checks have
 * seen it when it comes here. So what HTTP promises (sizes, slow clients, smuggling, request ids) holds for the
 * handshake, and an ordinary request pays nothing for there being sockets. */
#include "server/sockets.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "lua/channel.h"
#include "server/conversation.h"
#include "ws/ws.h"

static void on_message(void *arg, void *user, const char *p, size_t n, bool binary)
{
    (void)arg;
    rt_channel_message(user, p, n, binary);
}

static void on_closed(void *arg, void *user, int code)
{
    struct rt_worker *w = arg;
    if (!w->sockets_stopping)
        rt_channel_closed(user, code);
}

int rt_sockets_new(struct rt_worker *w, struct rt_err *err)
{
    const struct rt_options *o = w->host->options;
    struct rt_ws_limits limits = { .message_bytes = (size_t)o->socket_message_bytes,
                                   .queue_bytes = (size_t)o->socket_queue_bytes,
                                   .ping_seconds = (unsigned)o->socket_ping_seconds,
                                   .connections = (unsigned)o->socket_connections };
    struct rt_ws_handler handler = { .arg = w, .message = on_message, .closed = on_closed };
    return rt_ws_new(rt_loop_native(w->loop), &limits, &handler, &w->ws, err);
}

void rt_sockets_stop(struct rt_worker *w)
{
    w->sockets_stopping = true;
    rt_ws_stop(w->ws);
}

void rt_sockets_free(struct rt_worker *w)
{
    rt_ws_free(w->ws);
    w->ws = NULL;
}

bool rt_sockets_check(struct rt_conversation *c)
{
    struct rt_http_req *req = c->http;
    const char *why, *allowed = c->worker->host->options->cors_origins;
    struct rt_str origin = rt_http_header(req, "Origin");
    struct rt_ws_hello hello = { .method = rt_http_method(req),
                                 .upgrade = rt_http_header(req, "Upgrade"),
                                 .connection = rt_http_header(req, "Connection"),
                                 .version = rt_http_header(req, "Sec-WebSocket-Version"),
                                 .key = rt_http_header(req, "Sec-WebSocket-Key") };
    int status = rt_ws_check(&hello, &why);
    if (status == 0 && origin.p && !rt_origin_allowed(allowed, origin)) {
        status = 403;
        why = "Pages of this origin may not open sockets here";
    }
    if (status == 0)
        return true;
    if (status == 426) {
        rt_http_add_header(req, "Upgrade", "websocket");
        rt_http_add_header(req, "Sec-WebSocket-Version", "13");
    }
    rt_respond_error(c, status, why);
    return false;
}

static void answer(struct rt_conversation *c, struct rt_buf *out)
{
    char header[200];
    snprintf(header, sizeof header, "X-Request-Id: %s\r\n", c->id);
    rt_buf_init(out, 1024);
    rt_ws_answer(out, rt_http_header(c->http, "Sec-WebSocket-Key"), header);
}

void rt_sockets_accept(struct rt_conversation *c)
{
    struct rt_worker *w = c->worker;
    struct rt_buf head;
    struct rt_err err;
    int fd, room = rt_ws_room(w->ws);
    struct rt_channel *channel = NULL;
    if (room == 0)
        channel = rt_channel_new(c->x.app, c->x.route, c->id, rt_exchange_take_request(&c->x));
    if (!channel) {
        rt_respond_error(c, 503, "No more sockets now");
        return;
    }
    answer(c, &head);
    int rc = head.failed ? RT_E_NOMEM : rt_http_take_over(c->http, &fd);
    if (rc) {
        rt_buf_fini(&head);
        rt_channel_drop(channel);
        rt_respond_error(c, rc == RT_E_INVALID ? 400 : 503,
                         rc == RT_E_INVALID ? "Nothing may follow the handshake before its answer"
                                            : "No more sockets now");
        return;
    }
    rt_respond_switched(c);
    struct rt_ws_conn *conn;
    rc = rt_ws_adopt(w->ws, fd, (struct rt_str){ head.data, head.len }, channel, &conn, &err);
    rt_buf_fini(&head);
    if (rc == 0) {
        rt_channel_open(channel, conn);
    } else {
        rt_log(RT_LOG_WARN, "a socket was lost", "error", err.msg, NULL);
        rt_channel_drop(channel);
    }
}

static void come_again(struct rt_message *m)
{
    struct rt_worker *w = (struct rt_worker *)((char *)m - offsetof(struct rt_worker, more));
    w->more_posted = false;
}

void rt_sockets_flush(struct rt_worker *w)
{
    if (!rt_ws_flush(w->ws) || w->more_posted)
        return;
    w->more_posted = true;
    w->more.run = come_again;
    rt_loop_post(w->loop, &w->more);
}

void rt_sockets_sweep(struct rt_worker *w)
{
    int64_t now = rt_now_ms();
    rt_ws_sweep(w->ws);
    struct rt_routing *routing = rt_routing_now(w->host);
    for (int a = 0; a < w->host->n_apps; a++)
        rt_channels_tick(routing->release[a]->at[w->index].vm, now);
    for (struct rt_release *r = w->retired; r; r = r->at[w->index].next)
        rt_channels_tick(r->at[w->index].vm, now);
}

void rt_sockets_drain(struct rt_worker *w) { rt_ws_drain(w->ws); }

bool rt_sockets_busy(const struct rt_worker *w)
{
    unsigned n = rt_ws_connections(w->ws);
    struct rt_routing *routing = rt_routing_now(w->host);
    for (int a = 0; a < w->host->n_apps; a++)
        n += rt_channels_count(routing->release[a]->at[w->index].vm);
    for (struct rt_release *r = w->retired; r; r = r->at[w->index].next)
        n += rt_channels_count(r->at[w->index].vm);
    return n > 0;
}

static uint64_t get(_Atomic uint64_t *n) { return atomic_load_explicit(n, memory_order_relaxed); }

static void add_up(struct rt_host *h, int app, struct rt_channel_stats *sum)
{
    memset(sum, 0, sizeof *sum);
    for (int w = 0; w < h->n_workers; w++) {
        struct rt_channel_stats *s = &h->workers[w].channel_stats[app];
        sum->opened += get(&s->opened);
        sum->ended += get(&s->ended);
        sum->in += get(&s->in);
        sum->out += get(&s->out);
        sum->failed += get(&s->failed);
        for (int i = 0; i < RT_CHANNEL_CODES; i++)
            sum->closed[i] += get(&s->closed[i]);
    }
}

static void line(struct rt_buf *out, const char *name, const char *app, uint64_t n)
{
    rt_buf_printf(out, "perigee_%s{app=\"%s\"} %llu\n", name, app, (unsigned long long)n);
}

void rt_sockets_metrics(struct rt_host *h, struct rt_buf *out)
{
    rt_buf_puts(out, "# HELP perigee_sockets Open WebSockets.\n# TYPE perigee_sockets gauge\n");
    for (int a = 0; a < h->n_apps; a++) {
        const char *app = h->apps[a].shared.name;
        struct rt_channel_stats s;
        add_up(h, a, &s);
        line(out, "sockets", app, s.opened - s.ended);
        line(out, "sockets_opened_total", app, s.opened);
        line(out, "socket_messages_in_total", app, s.in);
        line(out, "socket_messages_out_total", app, s.out);
        line(out, "socket_errors_total", app, s.failed);
        for (int i = 0; i < RT_CHANNEL_CODES; i++) {
            char code[12] = "other";
            if (rt_channel_code(i))
                snprintf(code, sizeof code, "%d", rt_channel_code(i));
            if (s.closed[i])
                rt_buf_printf(out, "perigee_sockets_closed_total{app=\"%s\",code=\"%s\"} %llu\n", app, code,
                              (unsigned long long)s.closed[i]);
        }
    }
    uint64_t overflows = 0;
    for (int w = 0; w < h->n_workers; w++)
        overflows += rt_ws_overflows(h->workers[w].ws);
    rt_buf_printf(out, "perigee_socket_queue_overflows_total %llu\n", (unsigned long long)overflows);
}
