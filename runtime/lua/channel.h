/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel: an open socket as an app's scripts see it. Its handlers (open, message, timeout, closed) are calls like a
 * request's: they may read, wait and write, one after the other in the order in which things happened; a client that
 * talks faster than they run is not read from meanwhile. What a handler sends after it began a transaction leaves when
 * that is on disk, or not at all. It belongs to the state of the release that it was opened with, and to that thread.
 *
 * A script holds a handle (slot and generation), which is of no effect once the socket has gone. */
#ifndef RT_LUA_CHANNEL_H
#define RT_LUA_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lua/app.h"
#include "lua/call.h"
#include "ws/hub.h"
#include "ws/ws.h"

struct rt_channel;

enum { RT_CHANNEL_CODES = 12 };

/* Of one app on one worker; read by anybody. */
struct rt_channel_stats {
    _Atomic uint64_t opened, ended, in, out, failed;
    _Atomic uint64_t closed[RT_CHANNEL_CODES];
};
/* The close code that closed[i] counts; 0: all others. */
int rt_channel_code(int i);

/* For a handshake that was accepted; `request_ref` (the table `req`) is taken over, also on failure. NULL without
 * memory. `id` is the handshake's request id. */
struct rt_channel *rt_channel_new(struct rt_app *app, const struct rt_route *route, const char *id, int request_ref);
/* The connection is there: `open` runs. */
void rt_channel_open(struct rt_channel *c, struct rt_ws_conn *conn);
/* There will be no connection: frees it. */
void rt_channel_drop(struct rt_channel *c);
/* What rt_ws_handler reports; the channel is gone some time after rt_channel_closed(). */
void rt_channel_message(struct rt_channel *c, const char *p, size_t n, bool binary);
void rt_channel_closed(struct rt_channel *c, int code);

/* Runs the handlers whose socket:timeout() is over; about once a second. */
void rt_channels_tick(struct rt_vm *vm, int64_t now_ms);
/* Closes all; their `closed` handlers run. */
void rt_channels_close(struct rt_vm *vm, int code, const char *reason);
/* How many there are, those included whose last handler still waits. */
unsigned rt_channels_count(const struct rt_vm *vm);
/* What is told of one that is open; valid during the call. */
struct rt_channel_info {
    const char *id, *path; /* the handshake's request id; the route's path */
    struct rt_str label;   /* its first one, or empty */
    unsigned rooms;
};
void rt_channels_each(const struct rt_vm *vm, void (*each)(void *arg, const struct rt_channel_info *i), void *arg);
/* Drops all without running anything; part of rt_app_free(). */
void rt_channels_fini(struct rt_vm *vm);

/* ---- for the binding (l_socket.c), inside a running handler ---- */

/* The channel of the handle at `idx`; NULL when it has gone. Raises for another value. */
struct rt_channel *rt_channel_check(struct lua_State *L, int idx);
/* Takes the reference. False when the socket is closed or closing. */
bool rt_channel_send(struct rt_channel *c, struct rt_ws_text *text);
bool rt_channel_close(struct rt_channel *c, int code, const char *reason);
void rt_channel_timeout(struct rt_channel *c, int64_t due_ms); /* 0: none */
struct rt_hub_conn *rt_channel_hub(struct rt_channel *c);      /* NULL when closed, or without a hub */
const char *rt_channel_id(const struct rt_channel *c);
/* Once per state, on the main state. */
void rt_socket_open(struct lua_State *L);

#endif
