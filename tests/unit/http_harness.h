/* SPDX-License-Identifier: Apache-2.0
 *
 * A server and its clients on real loopback sockets in one thread: the test's own poll loop drives
 * both, so there are no sleeps and no races. Answers are the request's method, target and body as text
 * unless the path asks for something else (see world_request()). */
#ifndef TESTS_UNIT_HTTP_HARNESS_H
#define TESTS_UNIT_HTTP_HARNESS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/http_internal.h"
#include "unit.h"

#define HOST "Host: a.example\r\n"

struct world {
    struct rt_http *http;
    int listener;
    struct sockaddr_in address;
    struct rt_http_req *waiting[64]; /* of paths that begin with /wait */
    int waits, requests, refusals, ended, last_refusal;
    char last_address[64];
    int taken, take_code; /* of /take: the socket, and what rt_http_take_over() said */
};

struct client {
    struct world *world;
    int fd;
    bool eof;
    struct rt_buf in;
    size_t read; /* consumed by next_answer() */
};

static void answer_text(struct rt_http_req *req, int status, const char *text)
{
    rt_http_respond(req, status, strdup(text), strlen(text));
}

static void answer_echo(struct rt_http_req *req)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    struct rt_str method = rt_http_method(req), path = rt_http_path(req), query = rt_http_query(req);
    struct rt_str body = rt_http_body(req), header = rt_http_header(req, "x-test"), host = rt_http_header(req, "host");
    rt_buf_printf(&b, "%.*s %.*s", (int)method.n, method.p, (int)path.n, path.p);
    if (query.n)
        rt_buf_printf(&b, " ?%.*s", (int)query.n, query.p);
    if (header.p)
        rt_buf_printf(&b, " [%.*s]", (int)header.n, header.p);
    if (path.n == 5 && memcmp(path.p, "/host", 5) == 0)
        rt_buf_printf(&b, " @%.*s", (int)host.n, host.p);
    rt_buf_puts(&b, body.n ? " =" : "");
    rt_buf_put(&b, body.p, body.n);
    size_t n;
    char *text = rt_buf_take(&b, &n);
    assert_non_null(text);
    rt_http_respond(req, 200, text, n);
}

static void take(struct world *w, struct rt_http_req *req)
{
    w->take_code = rt_http_take_over(req, &w->taken);
    if (w->take_code)
        answer_text(req, 400, "not taken");
}

static size_t file_bytes; /* of what /file answers */

/* A file of letters, made for the answer. */
static void answer_file(struct rt_http_req *req)
{
    char path[] = "/tmp/perigee-http-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    assert_true(fd >= 0);
    unlink(path);
    for (size_t at = 0; at < file_bytes; at += 9000) {
        char block[9000];
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = i % 3 ? 'b' : 'a';
        size_t n = file_bytes - at < sizeof block ? file_bytes - at : sizeof block;
        assert_int_equal(write(fd, block, n), n);
    }
    rt_http_add_header(req, "Content-Type", "text/plain");
    rt_http_respond_file(req, 200, fd, file_bytes);
}

/* /wait…: kept in `waiting`; /take: taken over; /status/NNN: that status with a body of four bytes; /file:
 * `file_bytes` of a file. */
static void world_request(void *arg, struct rt_http_req *req)
{
    struct world *w = arg;
    struct rt_str path = rt_http_path(req);
    w->requests++;
    rt_http_set_context(req, w);
    snprintf(w->last_address, sizeof(w->last_address), "%s", rt_http_address(req));
    assert_true(rt_http_started(req) > 0);
    assert_ptr_equal(rt_http_context(req), w);
    if (path.n >= 5 && memcmp(path.p, "/wait", 5) == 0) {
        assert_true(w->waits < 64);
        w->waiting[w->waits++] = req;
    } else if (path.n == 5 && memcmp(path.p, "/take", 5) == 0) {
        take(w, req);
    } else if (path.n == 11 && memcmp(path.p, "/status/", 8) == 0) {
        answer_text(req, atoi(path.p + 8), "body");
    } else if (path.n == 5 && memcmp(path.p, "/file", 5) == 0) {
        answer_file(req);
    } else {
        answer_echo(req);
    }
}

static void world_refuse(void *arg, struct rt_http_req *req, int status, const char *message)
{
    struct world *w = arg;
    w->refusals++;
    w->last_refusal = status;
    rt_http_set_context(req, w);
    assert_int_equal(rt_http_body(req).n, 0);
    answer_text(req, status, message);
}

static void world_ended(void *arg, void *context)
{
    struct world *w = arg;
    assert_ptr_equal(context, w);
    w->ended++;
}

static const struct rt_http_limits test_limits = {
    .header_bytes = 4096,
    .url_bytes = 1024,
    .body_bytes = 200000,
    .idle_seconds = 60,
    .request_seconds = 30,
    .connections = 100,
};

static void world_init(struct world *w)
{
    struct rt_err err;
    *w = (struct world){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
    w->address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(w->address);
    assert_int_equal(bind(w->listener, (struct sockaddr *)&w->address, len), 0);
    assert_int_equal(listen(w->listener, 128), 0);
    assert_int_equal(getsockname(w->listener, (struct sockaddr *)&w->address, &len), 0);
    struct rt_http_handler handler = { w, world_request, world_refuse, world_ended };
    assert_int_equal(rt_http_new(&test_limits, &handler, &w->http, &err), 0);
}

/* Every request that was seen must have ended once the server is gone. */
static void world_fini(struct world *w)
{
    rt_http_free(w->http);
    close(w->listener);
    assert_int_equal(w->ended, w->requests + w->refusals);
}

/* Connects and hands the server's end over; returns what rt_http_adopt() said. */
static int client_try(struct world *w, struct client *c)
{
    *c = (struct client){ .world = w, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    rt_buf_init(&c->in, 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&w->address, sizeof(w->address)), 0);
    assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);
    struct pollfd p = { w->listener, POLLIN, 0 };
    assert_int_equal(poll(&p, 1, 10000), 1);
    int fd = accept4(w->listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return rt_http_adopt(w->http, fd, (struct sockaddr *)&peer, len);
}

static void client_init(struct world *w, struct client *c) { assert_int_equal(client_try(w, c), 0); }

static void client_fini(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    rt_buf_fini(&c->in);
}

static void client_read(struct client *c)
{
    char piece[16384];
    ssize_t n;
    while (!c->eof && (n = recv(c->fd, piece, sizeof(piece), MSG_DONTWAIT)) >= 0) {
        c->eof = n == 0;
        rt_buf_put(&c->in, piece, (size_t)n);
    }
    if (!c->eof && errno != EAGAIN) {
        assert_int_equal(errno, 0); /* a reset: the answer may have been lost */
        c->eof = true;
    }
}

/* One turn of the loop: waits for the server or this client, nothing for longer than ten seconds. */
static void turn(struct world *w, struct client *c)
{
    int timeout = rt_http_timeout(w->http);
    struct pollfd p[2] = { { rt_http_fd(w->http), POLLIN, 0 }, { c && !c->eof ? c->fd : -1, POLLIN, 0 } };
    bool patient = timeout < 0 || timeout > 10000;
    int n = poll(p, 2, patient ? 10000 : timeout);
    assert_true(n > 0 || !patient); /* else nothing would ever happen */
    rt_http_run(w->http);
    if (c && c->fd >= 0)
        client_read(c);
}

/* Runs the server until it has nothing to do, without waiting. */
static void settle(struct world *w)
{
    struct pollfd p = { rt_http_fd(w->http), POLLIN, 0 };
    while (rt_http_timeout(w->http) == 0 || poll(&p, 1, 0) > 0)
        rt_http_run(w->http);
}

static void send_bytes(struct client *c, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = send(c->fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EAGAIN) {
            turn(c->world, c);
            continue;
        }
        assert_true(k > 0);
        p += k;
        n -= (size_t)k;
    }
}

static void send_text(struct client *c, const char *text) { send_bytes(c, text, strlen(text)); }

/* Length of the complete answer at the read position, 0 while it is incomplete. */
static size_t answer_length(struct client *c, bool head_only)
{
    const char *start = rt_buf_cstr(&c->in) + c->read, *end = strstr(start, "\r\n\r\n");
    if (!end)
        return 0;
    const char *length = strcasestr(start, "\r\nContent-Length: ");
    size_t n = (size_t)(end + 4 - start) + (length && length < end && !head_only ? (size_t)atoi(length + 18) : 0);
    return c->in.len - c->read >= n ? n : 0;
}

/* The next answer as text (borrowed until the next call); fails when the connection ends before it. */
static const char *next_answer_of(struct client *c, bool head_only)
{
    static char text[65536];
    size_t n;
    while ((n = answer_length(c, head_only)) == 0) {
        assert_false(c->eof);
        turn(c->world, c);
    }
    assert_true(n < sizeof(text));
    memcpy(text, c->in.data + c->read, n);
    text[n] = '\0';
    c->read += n;
    return text;
}

static const char *next_answer(struct client *c) { return next_answer_of(c, false); }

static void expect(const char *answer, const char *start, const char *end)
{
    size_t n = strlen(answer), m = strlen(end);
    if (strncmp(answer, start, strlen(start)) != 0 || n < m || strcmp(answer + n - m, end) != 0)
        fail_msg("expected <%s … %s>, got <%s>", start, end, answer);
}

static void expect_closed(struct client *c)
{
    while (!c->eof)
        turn(c->world, c);
    assert_int_equal(c->in.len, c->read);
}

#endif
