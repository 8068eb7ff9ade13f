/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP/1.1 server of one worker: connections that are handed in, requests that come out, answers
 * whenever they are ready. It has no loop of its own: the worker watches rt_http_fd(), calls
 * rt_http_run() when that is readable or the timeout is over. One thread. It knows no app and no Lua. */
#ifndef RT_HTTP_HTTP_H
#define RT_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

struct rt_http;
struct rt_http_req;

struct rt_http_limits {
    size_t header_bytes;      /* request line and headers together */
    size_t url_bytes;         /* longer: 414 */
    size_t body_bytes;        /* longer: 413, refused by Content-Length where it is given */
    unsigned idle_seconds;    /* a keep-alive connection without a request */
    unsigned request_seconds; /* from the first byte of a request to its last */
    unsigned connections;     /* per worker; more are closed at once */
};

struct rt_http_handler {
    void *arg;
    /* A complete request (body included). Answer with rt_http_respond() now or later, exactly once,
     * on this thread. `req` is valid until then. */
    void (*request)(void *arg, struct rt_http_req *req);
    /* A request that is refused before it is complete or valid (400, 413, 414, 431): the handler
     * answers with rt_http_respond() at once. rt_http_body() is empty, path and query may be; the
     * connection is closed after it. What cannot be parsed at all (a broken request line, Content-Length
     * or chunk) the library below refuses by itself, with a few words of HTML. */
    void (*refuse)(void *arg, struct rt_http_req *req, int status, const char *message);
    /* The answer is out or the client is gone: the request's memory goes. `context` of rt_http_set_context. */
    void (*ended)(void *arg, void *context);
};

/* `limits` and `handler` are copied. */
int rt_http_new(const struct rt_http_limits *limits, const struct rt_http_handler *handler, struct rt_http **ret,
                struct rt_err *err);
/* Closes all connections; every request that was not answered is ended. */
void rt_http_free(struct rt_http *h);

/* Takes over an accepted, non-blocking TCP socket (closed by the server, also on error). */
int rt_http_adopt(struct rt_http *h, int fd, const struct sockaddr *addr, socklen_t len);
int rt_http_fd(const struct rt_http *h);
void rt_http_run(struct rt_http *h);
/* Milliseconds until rt_http_run() is due without the fd being readable; -1: never. */
int rt_http_timeout(struct rt_http *h);
/* Closes connections that are too slow or idle too long; call about once a second. */
void rt_http_sweep(struct rt_http *h);
/* From now on: answers carry `Connection: close`, idle connections are closed. */
void rt_http_drain(struct rt_http *h);
/* Both from any thread. */
unsigned rt_http_connections(const struct rt_http *h);
unsigned rt_http_active(const struct rt_http *h); /* requests that wait for their answer */

/* The request. All slices are borrowed until rt_http_respond(). */
struct rt_str rt_http_method(const struct rt_http_req *req);
struct rt_str rt_http_path(const struct rt_http_req *req);  /* raw, percent-encoded, without the query */
struct rt_str rt_http_query(const struct rt_http_req *req); /* raw, without '?' */
struct rt_str rt_http_body(const struct rt_http_req *req);
/* First header of that name (ASCII case ignored); p is NULL when absent. */
struct rt_str rt_http_header(const struct rt_http_req *req, const char *name);
/* The peer's address in text ("127.0.0.1"), never a forwarded one. */
const char *rt_http_address(const struct rt_http_req *req);
uint64_t rt_http_started(const struct rt_http_req *req); /* rt_mono_ns() at the request line */
void rt_http_set_context(struct rt_http_req *req, void *context);
void *rt_http_context(const struct rt_http_req *req);
/* A bump allocator that lives as long as the request; NULL without memory. */
void *rt_http_alloc(struct rt_http_req *req, size_t n);

/* Response headers, added before rt_http_respond(); both copied. Values with CR or LF are refused, as are
 * Content-Length and Transfer-Encoding (RT_E_INVALID). A header with an empty value is left out. */
int rt_http_add_header(struct rt_http_req *req, const char *name, const char *value);

/* Sends the answer. `body` was made with malloc() and is taken over (NULL for none). For HEAD and 304 the body
 * is dropped but its length announced, so give a 304 the body it stands for; 204 and 205 have none (205 says
 * Content-Length: 0). An answer that comes after its client has gone is dropped. */
void rt_http_respond(struct rt_http_req *req, int status, char *body, size_t n);
/* The same with a body of `size` bytes from the start of a file; the descriptor is taken over. */
void rt_http_respond_file(struct rt_http_req *req, int status, int fd, uint64_t size);

/* Instead of an answer: the connection's socket becomes the caller's, the server forgets it. RT_E_INVALID when the
 * client has sent more than this request already (those bytes would be lost), RT_E_FULL without a descriptor; the
 * request then still wants its answer. */
int rt_http_take_over(struct rt_http_req *req, int *ret_fd);

#endif
