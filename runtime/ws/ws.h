/* SPDX-License-Identifier: Apache-2.0
 *
 * The WebSocket connections of one worker (RFC 6455, the server's side). A connection begins at the HTTP server,
 * which has seen the whole handshake before it hands the socket over; here it gets the answer 101 and lives on the
 * worker's event loop until it is closed. One thread. It knows no app, no room and no Lua.
 *
 * A client that reads slowly costs its queue's cap and is then closed; one that does not answer pings is closed; a
 * closing one is gone after a few seconds whatever it does. */
#ifndef RT_WS_WS_H
#define RT_WS_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "ws/text.h"

struct rt_ws;
struct rt_ws_conn;

enum {
    RT_WS_NORMAL = 1000,
    RT_WS_AWAY = 1001,
    RT_WS_PROTOCOL = 1002,
    RT_WS_UNSUPPORTED = 1003,
    RT_WS_NO_STATUS = 1005, /* the peer gave none; never sent */
    RT_WS_LOST = 1006,      /* gone without a close frame; never sent */
    RT_WS_BAD_TEXT = 1007,
    RT_WS_POLICY = 1008,
    RT_WS_TOO_LONG = 1009,
    RT_WS_FAILED = 1011,
    RT_WS_RESTART = 1012,
};

struct rt_ws_limits {
    size_t message_bytes;  /* longest message of a client; longer: 1009 */
    size_t queue_bytes;    /* what may wait to be sent to one client; more: 1008 */
    unsigned ping_seconds; /* after so long without a word it is pinged, after as long again closed */
    unsigned connections;
};

struct rt_ws_handler {
    void *arg;
    /* A whole message; `p` is valid until it returns. Text is well-formed UTF-8. */
    void (*message)(void *arg, void *user, const char *p, size_t n, bool binary);
    /* The connection is over; exactly once per adopted one, after which it does not exist. `code` is the first that
     * either side named. Called from the event loop or from rt_ws_stop(), never from within another call. */
    void (*closed)(void *arg, void *user, int code);
};

/* What a handshake says. */
struct rt_ws_hello {
    struct rt_str method, upgrade, connection, version, key;
};

/* 0 when it is a handshake to be accepted, else the HTTP status to refuse with and a sentence: 400, or 426 for another
 * version (the answer then names version 13). */
int rt_ws_check(const struct rt_ws_hello *hello, const char **ret_why);
/* Appends the answer 101. `headers` ("Name: value\r\n" each, nullable) go with it. */
void rt_ws_answer(struct rt_buf *out, struct rt_str key, const char *headers);

/* `loop` is rt_loop_native() of the worker's loop; limits and handler are copied. */
int rt_ws_new(void *loop, const struct rt_ws_limits *limits, const struct rt_ws_handler *handler, struct rt_ws **ret,
              struct rt_err *err);
/* The end has two steps, since the library lets go of the loop only while that runs: rt_ws_stop() closes all
 * connections; then rt_loop_free(); then rt_ws_free(). */
void rt_ws_stop(struct rt_ws *ws);
void rt_ws_free(struct rt_ws *ws);

/* Takes over a connected, non-blocking TCP socket (closed also on failure) and sends `answer` first. RT_E_FULL when
 * there are as many connections as may be, RT_E_BUSY while draining. */
int rt_ws_adopt(struct rt_ws *ws, int fd, struct rt_str answer, void *user, struct rt_ws_conn **ret,
                struct rt_err *err);
/* Queues for the next rt_ws_flush(); a reference of its own. Over the cap the connection is closed with 1008. Nothing
 * happens to a connection that is closing. */
void rt_ws_send(struct rt_ws_conn *c, struct rt_ws_text *t);
/* After what is queued. `reason` at most 123 bytes of UTF-8, longer ones are cut; nullable. */
void rt_ws_close(struct rt_ws_conn *c, int code, const char *reason);
/* Stops and resumes reading. A few messages that were read already may still come. */
void rt_ws_pause(struct rt_ws_conn *c, bool pause);
bool rt_ws_closing(const struct rt_ws_conn *c);

/* Writes what was queued, of some connections; true when there are more. Call at the end of each round of the loop. */
bool rt_ws_flush(struct rt_ws *ws);
/* Pings, and ends what is overdue; call about once a second. */
void rt_ws_sweep(struct rt_ws *ws);
/* Closes all connections with 1012, adopts no more. */
void rt_ws_drain(struct rt_ws *ws);
/* 0 when another connection may be adopted, else what rt_ws_adopt() would say. */
int rt_ws_room(const struct rt_ws *ws);
uint64_t rt_ws_overflows(const struct rt_ws *ws);   /* closed because they were too slow; any thread */
unsigned rt_ws_connections(const struct rt_ws *ws); /* any thread */
/* True when `code` may be named in a close frame. */
bool rt_ws_code_valid(int code);

#endif
