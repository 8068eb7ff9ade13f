/* SPDX-License-Identifier: Apache-2.0
 *
 * How a script's socket joins a room: reserve, keep the room, read what was missed, activate (ws/hub.h,
 * events/events.h). For the binding of sockets; on the state's thread, inside a running call. */
#ifndef RT_LUA_ROOM_H
#define RT_LUA_ROOM_H

#include <lua.h>
#include <stdint.h>

#include "ws/hub.h"

struct rt_room_want {
    struct rt_str room;
    struct rt_str who; /* what presence counts; empty: the connection's first label, or nothing */
    int64_t limit;     /* members over all workers; 0: any number */
    int64_t after;     /* resume: the last number that the client has; -1: from now on */
};

/* The end of socket:join, `return rt_room_join(L, conn, &want)`: pushes the results and returns how many, or parks the
 * call (then the function goes on by itself, do nothing after it).
 *   true, seq           a member; events after number `seq` of the room will be sent (what was missed already is)
 *   nil, "full"         the limit is reached; not a member
 *   nil, "resync", seq  a member, but what was missed is not in the log: the client must load its state anew
 *   nil, "gone"         the connection ended, or was expelled from the room, meanwhile; not a member
 * Raises for bad names, inside or after db.transaction, and when the database takes no writes.
 * On a room that the socket is in already it starts anew at `after`.
 *
 * `want` may be gone when this returns; its strings must be on the Lua stack of the calling function (they stay there).
 * `conn` must stay allocated until the call has ended; rt_hub_conn_close() may come any time. Labels that expel or
 * close may name must have been set before, without waiting since they were checked. */
int rt_room_join(lua_State *L, struct rt_hub_conn *conn, const struct rt_room_want *want);

#endif
