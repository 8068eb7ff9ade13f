/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections on real loopback sockets. Server and clients share one thread and one event loop; a test waits for what
 * it needs by running the loop until it is there. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop.h"
#include "unit.h"
#include "ws/ws_internal.h"

#define SECOND 1000000000ull
#define ANSWER "HTTP/1.1 101 Here\r\n\r\n"

enum { CLIENTS = 4, MESSAGE_BYTES = 4096, QUEUE_BYTES = 64 * 1024 };

struct world {
    struct rt_loop *loop;
    struct rt_ws *ws;
    struct rt_alarm *alarm;
    int listener;
    struct sockaddr_in address;
    struct peer {
        struct world *world;
        struct rt_ws_conn *conn; /* the server's side */
        struct rt_watch *watch;
        int fd; /* the client's */
        struct rt_buf in, heard;
        bool eof, reset, deaf;
        int closed, code;
    } peers[CLIENTS];
};

static void on_message(void *arg, void *user, const char *p, size_t n, bool binary)
{
    struct peer *peer = user;
    struct world *w = arg;
    rt_buf_printf(&peer->heard, binary ? "B[%.*s]" : "[%.*s]", (int)n, p);
    if (n == 4 && memcmp(p, "echo", 4) == 0) {
        struct rt_ws_text *t = rt_ws_text_new("echo!", 5);
        rt_ws_send(peer->conn, t);
        rt_ws_text_unref(t);
    } else if (n == 3 && memcmp(p, "end", 3) == 0) {
        rt_ws_close(peer->conn, 4001, "as you wish");
    }
    rt_loop_stop(w->loop);
}

static void on_closed(void *arg, void *user, int code)
{
    struct peer *peer = user;
    struct world *w = arg;
    peer->closed++;
    peer->code = code;
    rt_loop_stop(w->loop);
}

static void each_round(void *arg)
{
    struct world *w = arg;
    while (rt_ws_flush(w->ws)) {
    }
}

static void tick(void *arg)
{
    struct world *w = arg;
    rt_loop_stop(w->loop);
}

/* Runs the loop until something happened, or for a moment: not everything announces itself. */
static void turn(struct world *w, uint64_t deadline)
{
    rt_alarm_set(w->alarm, 5);
    rt_loop_run(w->loop);
    assert_true(rt_mono_ns() < deadline);
}

#define until(w, condition)                                                                                            \
    for (uint64_t deadline_ = rt_mono_ns() + 20 * SECOND; !(condition);)                                               \
    turn(w, deadline_)

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct rt_ws_limits limits = { MESSAGE_BYTES, QUEUE_BYTES, 30, CLIENTS };
    struct rt_ws_handler handler = { w, on_message, on_closed };
    socklen_t n = sizeof w->address;
    assert_int_equal(rt_loop_new(&w->loop, NULL), 0);
    assert_int_equal(rt_ws_new(rt_loop_native(w->loop), &limits, &handler, &w->ws, NULL), 0);
    rt_loop_each(w->loop, each_round, w);
    assert_int_equal(rt_alarm_new(w->loop, tick, w, &w->alarm, NULL), 0);
    w->listener = socket(AF_INET, SOCK_STREAM, 0);
    w->address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(bind(w->listener, (struct sockaddr *)&w->address, n), 0);
    getsockname(w->listener, (struct sockaddr *)&w->address, &n);
    listen(w->listener, 8);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    rt_loop_each(w->loop, NULL, NULL);
    rt_ws_stop(w->ws);
    for (int i = 0; i < CLIENTS; i++) {
        struct peer *p = &w->peers[i];
        rt_watch_free(p->watch);
        rt_buf_fini(&p->in);
        rt_buf_fini(&p->heard);
        if (p->conn) {
            close(p->fd);
            assert_int_equal(p->closed, 1);
        }
    }
    rt_alarm_free(w->alarm);
    rt_loop_free(w->loop);
    rt_ws_free(w->ws);
    close(w->listener);
    free(w);
    return 0;
}

static void client_reads(void *arg)
{
    struct peer *p = arg;
    char bytes[4096];
    ssize_t n;
    while ((n = recv(p->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        rt_buf_put(&p->in, bytes, (size_t)n);
    if (n == 0 || errno != EAGAIN) {
        p->eof = true;
        p->reset = n < 0;
        rt_watch_free(p->watch);
        p->watch = NULL;
    }
    rt_loop_stop(p->world->loop);
}

static struct peer *open_peer(struct world *w, int i, bool reads)
{
    struct peer *p = &w->peers[i];
    int bytes = 4096;
    p->world = w;
    rt_buf_init(&p->in, 0);
    rt_buf_init(&p->heard, 0);
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (!reads)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    assert_int_equal(connect(p->fd, (struct sockaddr *)&w->address, sizeof w->address), 0);
    int fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_int_equal(rt_ws_adopt(w->ws, fd, RT_STR(ANSWER), p, &p->conn, NULL), 0);
    if (reads) {
        assert_int_equal(rt_watch_new(w->loop, p->fd, client_reads, p, &p->watch, NULL), 0);
        until(w, p->in.len >= strlen(ANSWER));
        assert_memory_equal(p->in.data, ANSWER, strlen(ANSWER));
        rt_buf_reset(&p->in);
    }
    return p;
}

static void send_bytes(struct peer *p, const void *bytes, size_t n)
{
    assert_int_equal(send(p->fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* A client's frame with a mask of zeros, which masks nothing. */
static void send_frame(struct peer *p, int start, const char *text, size_t n)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_putc(&b, (char)start);
    rt_buf_putc(&b, (char)(0x80 | (n < 126 ? n : 126)));
    if (n >= 126) {
        rt_buf_putc(&b, (char)(n >> 8));
        rt_buf_putc(&b, (char)n);
    }
    rt_buf_put(&b, "\0\0\0\0", 4);
    rt_buf_put(&b, text, n);
    send_bytes(p, b.data, b.len);
    rt_buf_fini(&b);
}

static void send_text(struct peer *p, const char *text) { send_frame(p, 0x81, text, strlen(text)); }

static void push_text(struct peer *p, const char *text, size_t n)
{
    struct rt_ws_text *t = rt_ws_text_new(text, n);
    rt_ws_send(p->conn, t);
    rt_ws_text_unref(t);
    rt_ws_flush(p->world->ws);
}

static void expect_heard(struct peer *p, const char *text)
{
    until(p->world, p->heard.len >= strlen(text));
    assert_string_equal(rt_buf_cstr(&p->heard), text);
    rt_buf_reset(&p->heard);
}

/* The next bytes that the client gets. */
static void expect_in(struct peer *p, const void *bytes, size_t n)
{
    until(p->world, p->in.len >= n || p->eof);
    assert_true(p->in.len >= n);
    assert_memory_equal(p->in.data, bytes, n);
    memmove(p->in.data, p->in.data + n, p->in.len - n);
    p->in.len -= n;
}

/* The close frame with that code, then the end; and the server's side was told. */
static void expect_close(struct peer *p, int code)
{
    char head[4] = { (char)0x88, 0, (char)(code >> 8), (char)code };
    until(p->world, p->in.len >= 4 || p->eof);
    assert_true(p->in.len >= 4);
    head[1] = p->in.data[1];
    assert_memory_equal(p->in.data, head, 4);
    until(p->world, p->eof);
    assert_false(p->reset);
    shutdown(p->fd, SHUT_WR);
    until(p->world, p->closed);
    assert_int_equal(p->code, code);
}

static void messages_go_both_ways(void **state)
{
    struct peer *p = open_peer(*state, 0, true);
    send_text(p, "hello");
    send_frame(p, 0x82, "b", 1);
    expect_heard(p, "[hello]B[b]");
    push_text(p, "news", 4);
    expect_in(p, "\x81\x04news", 6);
    send_text(p, "echo");
    expect_in(p,
              "\x81\x05"
              "echo!",
              7);
    assert_int_equal(rt_ws_connections(p->world->ws), 1);
}

static void a_peer_may_end_it(void **state)
{
    struct peer *p = open_peer(*state, 0, true);
    send_frame(p, 0x88, "\x03\xE8 thanks", 9);
    expect_close(p, 1000);
    struct peer *q = open_peer(*state, 1, true);
    send_frame(q, 0x88, "", 0);
    expect_in(q, "\x88\0", 2);
    until(q->world, q->eof && q->closed);
    assert_int_equal(q->code, RT_WS_NO_STATUS);
}

static void we_may_end_it(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, true);
    send_text(p, "end");
    expect_in(p,
              "\x88\x0D\x0F\xA1"
              "as you wish",
              15);
    assert_true(rt_ws_closing(p->conn));
    push_text(p, "too late", 8); /* is dropped */
    send_frame(p, 0x88, "\x0F\xA1", 2);
    until(w, p->eof && p->closed);
    assert_int_equal(p->in.len, 0);
    assert_int_equal(p->code, 4001);
    assert_false(p->reset);
}

static void who_does_not_answer_a_close_is_dropped(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, true);
    rt_ws_close(p->conn, 1000, NULL);
    ws__sweep_at(w->ws, rt_mono_ns() + 2 * SECOND);
    assert_int_equal(p->closed, 1); /* told, though the socket still waits */
    assert_int_equal(rt_ws_connections(w->ws), 1);
    ws__sweep_at(w->ws, rt_mono_ns() + 6 * SECOND);
    assert_int_equal(rt_ws_connections(w->ws), 0);
    until(w, p->eof);
    assert_int_equal(p->closed, 1);
}

static void who_vanishes_is_noticed(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, true);
    rt_watch_free(p->watch);
    p->watch = NULL;
    shutdown(p->fd, SHUT_RDWR);
    until(w, p->closed);
    assert_int_equal(p->code, RT_WS_LOST);
}

static void misbehaviour_has_its_code(void **state)
{
    struct world *w = *state;
    char text[MESSAGE_BYTES + 1];
    memset(text, 'a', sizeof text);
    struct peer *p = open_peer(w, 0, true);
    send_bytes(p, "\x81\x05hello", 7); /* without a mask */
    expect_close(p, RT_WS_PROTOCOL);
    p = open_peer(w, 1, true);
    send_frame(p, 0x81, "\xFF", 1);
    expect_close(p, RT_WS_BAD_TEXT);
    p = open_peer(w, 2, true);
    send_frame(p, 0x82, text, MESSAGE_BYTES + 1);
    expect_close(p, RT_WS_TOO_LONG);
    p = open_peer(w, 3, true);
    send_frame(p, 0x8B, "x", 1);
    send_text(p, "is not heard any more");
    expect_close(p, RT_WS_PROTOCOL);
    assert_int_equal(p->heard.len, 0);
}

/* The kernel resets a connection that is closed with bytes unread; the close frame must come through. */
static void garbage_gets_its_answer_whatever_follows(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, true);
    char garbage[60000];
    memset(garbage, 0xEE, sizeof garbage);
    send_bytes(p, garbage, sizeof garbage);
    send_bytes(p, garbage, sizeof garbage);
    expect_close(p, RT_WS_PROTOCOL);
    until(w, rt_ws_connections(w->ws) == 0);
}

static void pings_are_answered_and_a_flood_makes_no_queue(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, true);
    send_frame(p, 0x89, "1", 1);
    expect_in(p,
              "\x8A\x01"
              "1",
              3);
    struct peer *q = open_peer(w, 1, false);
    for (int i = 0; !q->conn->choked; i++) {
        push_text(q, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64);
        assert_true(i < 100000);
    }
    size_t before = q->conn->waiting;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(ws__conn_read(q->conn, (char[]){ (char)0x89, (char)0x80, 0, 0, 0, 0 }, 6), 0);
    assert_int_equal(q->conn->waiting, before);
    assert_non_null(q->conn->pong);
}

static void a_slow_reader_is_closed_and_costs_its_cap(void **state)
{
    struct world *w = *state;
    struct peer *slow = open_peer(w, 0, false), *quick = open_peer(w, 1, true);
    char text[1000];
    memset(text, 'n', sizeof text);
    for (int i = 0; !rt_ws_closing(slow->conn); i++) {
        push_text(slow, text, sizeof text);
        assert_true(slow->conn->waiting + slow->conn->held <= QUEUE_BYTES);
        assert_true(i < 10000);
    }
    push_text(quick, "not delayed", 11);
    expect_in(quick, "\x81\x0Bnot delayed", 13);
    /* What was on its way already still arrives, whole, then the reason. */
    assert_int_equal(rt_watch_new(w->loop, slow->fd, client_reads, slow, &slow->watch, NULL), 0);
    until(w, slow->eof);
    assert_false(slow->reset);
    size_t at = strlen(ANSWER);
    while (at < slow->in.len && (unsigned char)slow->in.data[at] == 0x81)
        at += 4 + sizeof text;
    assert_memory_equal(slow->in.data + at, "\x88\x0A\x03\xF0too slow", 12);
    assert_int_equal(slow->in.len, at + 12);
    shutdown(slow->fd, SHUT_WR);
    until(w, slow->closed);
    assert_int_equal(slow->code, RT_WS_POLICY);
}

static void a_queue_is_sent_in_order_when_there_is_room(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, false);
    int sent = 0;
    char text[512];
    memset(text, '.', sizeof text);
    while (p->conn->waiting + p->conn->held < QUEUE_BYTES / 2) {
        snprintf(text, 12, "%010d", sent++);
        push_text(p, text, sizeof text);
    }
    rt_ws_close(p->conn, 1001, "bye");
    assert_int_equal(rt_watch_new(w->loop, p->fd, client_reads, p, &p->watch, NULL), 0);
    size_t all = strlen(ANSWER) + (size_t)sent * (4 + sizeof text) + 7;
    until(w, p->in.len >= all);
    assert_int_equal(p->in.len, all);
    for (int i = 0; i < sent; i++) {
        const char *frame = p->in.data + strlen(ANSWER) + (size_t)i * (4 + sizeof text);
        assert_memory_equal(frame, "\x81\x7E\x02\x00", 4);
        assert_int_equal(atoi(frame + 4), i);
    }
    assert_memory_equal(p->in.data + all - 7,
                        "\x88\x05\x03\xE9"
                        "bye",
                        7);
}

static void quiet_ones_are_pinged_and_dead_ones_dropped(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, true);
    uint64_t now = rt_mono_ns();
    ws__sweep_at(w->ws, now + 29 * SECOND);
    assert_int_equal(p->in.len, 0);
    ws__sweep_at(w->ws, now + 31 * SECOND);
    expect_in(p, "\x89\0", 2);
    send_frame(p, 0x8A, "", 0);
    until(w, !p->conn->pinged);
    ws__sweep_at(w->ws, rt_mono_ns() + 31 * SECOND);
    expect_in(p, "\x89\0", 2);
    ws__sweep_at(w->ws, rt_mono_ns() + 62 * SECOND); /* no answer */
    assert_int_equal(p->closed, 1);
    assert_int_equal(p->code, RT_WS_LOST);
    until(w, p->eof);
}

static void a_paused_connection_waits(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, true), *q = open_peer(w, 1, true);
    rt_ws_pause(p->conn, true);
    send_text(p, "later");
    send_text(q, "now");
    expect_heard(q, "[now]");
    assert_int_equal(p->heard.len, 0);
    ws__sweep_at(w->ws, rt_mono_ns() + 31 * SECOND);
    ws__sweep_at(w->ws, rt_mono_ns() + 100 * SECOND);
    assert_int_equal(p->closed, 0); /* nobody has looked whether it answers */
    rt_ws_pause(p->conn, false);
    expect_heard(p, "[later]");
}

static void draining_closes_all_and_adopts_no_more(void **state)
{
    struct world *w = *state;
    struct peer *p = open_peer(w, 0, true), *q = open_peer(w, 1, true);
    rt_ws_drain(w->ws);
    struct rt_ws_conn *none;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(rt_ws_adopt(w->ws, fd, RT_STR(ANSWER), NULL, &none, NULL), RT_E_BUSY);
    send_frame(p, 0x88, "\x03\xF4", 2);
    send_frame(q, 0x88, "\x03\xF4", 2);
    expect_close(p, RT_WS_RESTART);
    expect_close(q, RT_WS_RESTART);
    until(w, rt_ws_connections(w->ws) == 0);
}

static void there_is_a_most(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < CLIENTS; i++)
        open_peer(w, i, true);
    struct rt_ws_conn *none;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(rt_ws_adopt(w->ws, fd, RT_STR(ANSWER), NULL, &none, NULL), RT_E_FULL);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed */
}

static void a_handshake_is_checked_and_answered(void **state)
{
    const char *why;
    struct rt_buf b;
    (void)state;
    struct rt_ws_hello good = { RT_STR("GET"), RT_STR("WebSocket"), RT_STR("keep-alive, upgrade"), RT_STR("13"),
                                RT_STR("dGhlIHNhbXBsZSBub25jZQ==") };
    assert_int_equal(rt_ws_check(&good, &why), 0);
    struct rt_ws_hello bad = good;
    bad.upgrade = RT_STR("h2c");
    assert_int_equal(rt_ws_check(&bad, &why), 426);
    bad = good;
    bad.method = RT_STR("HEAD");
    assert_int_equal(rt_ws_check(&bad, &why), 426);
    bad = good;
    bad.version = RT_STR("8");
    assert_int_equal(rt_ws_check(&bad, &why), 426);
    bad = good;
    bad.connection = RT_STR("upgraded");
    assert_int_equal(rt_ws_check(&bad, &why), 400);
    static const char *const keys[] = { "", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ==x",
                                        "dGhlIHNhbXBsZSBub25jZ!==", "dGhlIHNhbXBsZSBub25jZQAA" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bad = good;
        bad.key = rt_str_of(keys[i]);
        assert_int_equal(rt_ws_check(&bad, &why), 400);
    }
    rt_buf_init(&b, 0);
    rt_ws_answer(&b, good.key, "X-Request-Id: abc\r\n"); /* the RFC's own example */
    assert_string_equal(rt_buf_cstr(&b), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                         "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                         "X-Request-Id: abc\r\n\r\n");
    rt_buf_fini(&b);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(messages_go_both_ways),
        test(a_peer_may_end_it),
        test(we_may_end_it),
        test(who_does_not_answer_a_close_is_dropped),
        test(who_vanishes_is_noticed),
        test(misbehaviour_has_its_code),
        test(garbage_gets_its_answer_whatever_follows),
        test(pings_are_answered_and_a_flood_makes_no_queue),
        test(a_slow_reader_is_closed_and_costs_its_cap),
        test(a_queue_is_sent_in_order_when_there_is_room),
        test(quiet_ones_are_pinged_and_dead_ones_dropped),
        test(a_paused_connection_waits),
        test(draining_closes_all_and_adopts_no_more),
        test(there_is_a_most),
        cmocka_unit_test(a_handshake_is_checked_and_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
