/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection: its send queue, the closing handshake, pings. An open connection is in the list `quiet`, ordered by
 * when it was last heard; a closing one in `ending`, ordered by when that began. Every limit is one constant, so the
 * sweep looks at the heads of two lists, whatever the number of connections.
 *
 * A server that closes its socket while the client still sends makes the kernel reset the connection, and the close
 * frame may be lost with it. So an ending connection is shut down for writing and read from until its end, for
 * ENDING_SECONDS at most.
 *
 * Sending only queues. At the end of the loop's round the queues are written, some connections per round: a message
 * for a thousand delays nobody for long, and the more there is to send the more messages share a write. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ws/ws_internal.h"

#define SECOND 1000000000u

enum {
    ENDING_SECONDS = 5,
    PINGS_AT_LEAST = 200,
    REASON_MAX = WS_CONTROL_MAX - 2,
    PIECE_BYTES = 16 * 1024,
    FLUSHES_PER_RUN = 64, /* then others have their turn */
};

static void leave(struct ws_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = l;
}

static void append(struct ws_link *list, struct ws_link *l)
{
    leave(l);
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

static void enter(struct ws_link *list, struct rt_ws_conn *c)
{
    c->since = c->ws->now;
    append(list, &c->link);
}

struct rt_ws_conn *ws__conn_new(struct rt_ws *ws, void *user)
{
    struct rt_ws_conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->link.prev = c->link.next = &c->link;
    c->unsent.prev = c->unsent.next = &c->unsent;
    c->ws = ws;
    c->user = user;
    c->tail = &c->head;
    ws__frames_init(&c->frames, ws->limits.message_bytes);
    ws->now = rt_mono_ns();
    enter(&ws->quiet, c);
    atomic_fetch_add_explicit(&ws->connections, 1, memory_order_relaxed);
    return c;
}

static void drop_queue(struct rt_ws_conn *c)
{
    for (struct ws_item *i = c->head, *next; i; i = next) {
        next = i->next;
        c->waiting -= ws__text_bytes(i->text).n;
        rt_ws_text_unref(i->text);
        free(i);
    }
    c->head = NULL;
    c->tail = &c->head;
    rt_ws_text_unref(c->pong);
    c->pong = NULL;
}

static void tell(struct rt_ws_conn *c)
{
    if (c->told)
        return;
    c->told = true;
    c->ws->handler.closed(c->ws->handler.arg, c->user, c->code ? c->code : RT_WS_LOST);
}

void ws__conn_over(struct rt_ws_conn *c)
{
    tell(c);
    leave(&c->link);
    leave(&c->unsent);
    drop_queue(c);
    ws__frames_fini(&c->frames);
    atomic_fetch_sub_explicit(&c->ws->connections, 1, memory_order_relaxed);
    free(c);
}

/* The next sweep ends it: the library must not be asked to while it or a handler is at work on the connection. */
static void broken(struct rt_ws_conn *c)
{
    drop_queue(c);
    c->state = WS_ENDING;
    leave(&c->link);
    c->since = 0;
    struct ws_link *list = &c->ws->ending;
    c->link.prev = list;
    c->link.next = list->next;
    list->next->prev = &c->link;
    list->next = &c->link;
}

static void flow(struct rt_ws_conn *c)
{
    bool choked = ws__held_back(c);
    if (choked == c->choked)
        return;
    c->choked = choked;
    ws__reading(c, !choked && !c->paused);
}

/* All that was to be sent is sent. */
static void all_sent(struct rt_ws_conn *c)
{
    if (c->state == WS_ENDING && !c->head && !c->choked)
        ws__shut(c);
}

/* As many messages as go into one piece; a large one goes alone, from where it is. */
static struct rt_str gather(struct rt_ws_conn *c)
{
    struct rt_buf *b = &c->ws->piece;
    struct rt_str first = ws__text_bytes(c->head->text);
    if (!c->head->next || first.n >= PIECE_BYTES)
        return first;
    rt_buf_reset(b);
    for (struct ws_item *i = c->head; i; i = i->next) {
        struct rt_str bytes = ws__text_bytes(i->text);
        if (b->len + bytes.n > PIECE_BYTES)
            break;
        rt_buf_put(b, bytes.p, bytes.n);
    }
    return b->failed ? first : (struct rt_str){ b->data, b->len };
}

/* The messages that make up the first `n` bytes have been written. */
static void written(struct rt_ws_conn *c, size_t n)
{
    c->waiting -= n;
    while (n > 0) {
        struct ws_item *i = c->head;
        n -= ws__text_bytes(i->text).n;
        c->head = i->next;
        rt_ws_text_unref(i->text);
        free(i);
    }
    if (!c->head)
        c->tail = &c->head;
}

static bool enqueue(struct rt_ws_conn *c, struct rt_ws_text *t)
{
    struct ws_item *i = t ? malloc(sizeof *i) : NULL;
    if (!i) {
        rt_ws_text_unref(t);
        broken(c);
        return false;
    }
    *i = (struct ws_item){ .text = t };
    *c->tail = i;
    c->tail = &i->next;
    c->waiting += ws__text_bytes(t).n;
    return true;
}

static void flush(struct rt_ws_conn *c)
{
    leave(&c->unsent);
    while (!c->choked && (c->head || c->pong)) {
        if (!c->head) {
            struct rt_ws_text *pong = c->pong;
            c->pong = NULL;
            if (!enqueue(c, pong))
                return;
        }
        struct rt_str bytes = gather(c);
        if (!ws__write(c, bytes)) {
            broken(c);
            return;
        }
        written(c, bytes.n);
        flow(c);
        c->held = c->choked ? bytes.n : 0;
    }
    all_sent(c);
}

void ws__conn_push(struct rt_ws_conn *c, struct rt_ws_text *t)
{
    if (enqueue(c, t) && !c->choked && c->unsent.next == &c->unsent)
        append(&c->ws->unsent, &c->unsent);
}

bool rt_ws_flush(struct rt_ws *ws)
{
    for (int i = 0; i < FLUSHES_PER_RUN && ws->unsent.next != &ws->unsent; i++)
        flush((struct rt_ws_conn *)((char *)ws->unsent.next - offsetof(struct rt_ws_conn, unsent)));
    return ws->unsent.next != &ws->unsent;
}

void ws__conn_writable(struct rt_ws_conn *c)
{
    flow(c);
    if (c->choked)
        return;
    c->held = 0;
    flush(c);
}

/* Names the code, once, and sends the frame. */
static void say_close(struct rt_ws_conn *c, enum ws_state state, int code, int reply, const char *reason)
{
    char payload[WS_CONTROL_MAX];
    size_t n = 0;
    if (reply) {
        payload[0] = (char)(reply >> 8);
        payload[1] = (char)reply;
        n = 2;
        size_t more = reason ? strlen(reason) : 0;
        more = more < REASON_MAX ? more : REASON_MAX;
        while (more > 0 && !rt_utf8_valid(reason, more))
            more--;
        memcpy(payload + 2, more ? reason : "", more);
        n += more;
    }
    c->code = code;
    c->state = state;
    enter(&c->ws->ending, c);
    ws__conn_push(c, ws__text_frame(WS_CLOSE, payload, n));
}

void rt_ws_close(struct rt_ws_conn *c, int code, const char *reason)
{
    if (c->state != WS_OPEN)
        return;
    c->ws->now = rt_mono_ns();
    say_close(c, WS_CLOSING, code, code, reason);
    if (c->paused)
        rt_ws_pause(c, false);
}

void rt_ws_send(struct rt_ws_conn *c, struct rt_ws_text *t)
{
    size_t n = ws__text_bytes(t).n;
    if (c->state != WS_OPEN)
        return;
    if (c->held + c->waiting + n > c->ws->limits.queue_bytes && !c->choked)
        flush(c); /* much at once is not yet slow */
    if (c->state == WS_OPEN && c->held + c->waiting + n > c->ws->limits.queue_bytes) {
        drop_queue(c);
        atomic_fetch_add_explicit(&c->ws->overflows, 1, memory_order_relaxed);
        c->ws->now = rt_mono_ns();
        say_close(c, WS_ENDING, RT_WS_POLICY, RT_WS_POLICY, "too slow");
        return;
    }
    if (c->state == WS_OPEN)
        ws__conn_push(c, rt_ws_text_ref(t));
}

void rt_ws_pause(struct rt_ws_conn *c, bool pause)
{
    if (c->paused == pause)
        return;
    c->paused = pause;
    if (!c->choked)
        ws__reading(c, !pause);
}

bool rt_ws_closing(const struct rt_ws_conn *c) { return c->state != WS_OPEN; }

static void peer_closes(struct rt_ws_conn *c, const char *p, size_t n)
{
    int reply, code = ws__read_close(p, n, &reply);
    if (c->state == WS_OPEN) {
        say_close(c, WS_ENDING, code, reply, NULL);
    } else {
        c->state = WS_ENDING;
        all_sent(c);
    }
}

static void answer_ping(struct rt_ws_conn *c, const char *p, size_t n)
{
    struct rt_ws_text *pong = ws__text_frame(WS_PONG, p, n);
    if (!c->head && !c->choked) {
        ws__conn_push(c, pong);
    } else { /* the latest is enough: a flood of pings makes no queue */
        rt_ws_text_unref(c->pong);
        c->pong = pong;
    }
}

static int on_control(void *arg, enum ws_opcode opcode, const char *p, size_t n)
{
    struct rt_ws_conn *c = arg;
    if (opcode == WS_CLOSE)
        peer_closes(c, p, n);
    else if (opcode == WS_PING && c->state == WS_OPEN)
        answer_ping(c, p, n);
    return c->state == WS_ENDING;
}

static int on_message(void *arg, enum ws_opcode opcode, const char *p, size_t n)
{
    struct rt_ws_conn *c = arg;
    if (c->state == WS_OPEN)
        c->ws->handler.message(c->ws->handler.arg, c->user, p, n, opcode == WS_BINARY);
    return c->state == WS_ENDING;
}

int ws__conn_read(struct rt_ws_conn *c, char *p, size_t n)
{
    struct rt_ws *ws = c->ws;
    ws->now = rt_mono_ns();
    if (c->state == WS_ENDING)
        return 0;
    if (c->state == WS_OPEN) {
        c->pinged = false;
        enter(&ws->quiet, c);
    }
    struct ws_events events = { c, on_message, on_control };
    int code = ws__frames_feed(&c->frames, p, n, &events);
    if (code >= RT_WS_NORMAL && c->state == WS_OPEN)
        say_close(c, WS_ENDING, code, code, NULL);
    else if (code >= RT_WS_NORMAL)
        c->state = WS_ENDING;
    if (c->state == WS_ENDING) {
        all_sent(c);
        tell(c);
    }
    return 0;
}

static void ping(struct rt_ws_conn *c)
{
    c->pinged = true;
    enter(&c->ws->quiet, c);
    ws__conn_push(c, ws__text_frame(WS_PING, "", 0));
}

/* Many that were opened in the same second get their pings over several. */
static void sweep_quiet(struct rt_ws *ws)
{
    uint64_t limit = (uint64_t)ws->limits.ping_seconds * SECOND;
    unsigned left = PINGS_AT_LEAST + 2 * atomic_load(&ws->connections) / (ws->limits.ping_seconds + 1);
    while (limit && ws->quiet.next != &ws->quiet && left > 0) {
        struct rt_ws_conn *c = (struct rt_ws_conn *)ws->quiet.next;
        if (c->since + limit > ws->now)
            return;
        left--;
        if (c->paused)
            enter(&ws->quiet, c); /* it may have answered, nobody has looked */
        else if (c->pinged)
            ws__kill(c);
        else
            ping(c);
    }
}

static void sweep_ending(struct rt_ws *ws)
{
    struct ws_link *list = &ws->ending;
    for (struct ws_link *l = list->next, *next; l != list; l = next) {
        struct rt_ws_conn *c = (struct rt_ws_conn *)l;
        next = l->next;
        if (c->since + (uint64_t)ENDING_SECONDS * SECOND <= ws->now)
            ws__kill(c);
        else
            tell(c);
    }
}

void ws__sweep_at(struct rt_ws *ws, uint64_t now)
{
    ws->now = now;
    sweep_quiet(ws);
    sweep_ending(ws);
}

void rt_ws_sweep(struct rt_ws *ws) { ws__sweep_at(ws, rt_mono_ns()); }

void rt_ws_drain(struct rt_ws *ws)
{
    ws->draining = true;
    while (ws->quiet.next != &ws->quiet)
        rt_ws_close((struct rt_ws_conn *)ws->quiet.next, RT_WS_RESTART, "the server restarts");
}
