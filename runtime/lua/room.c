/* SPDX-License-Identifier: Apache-2.0
 *
 * The four steps of joining a room. Only the second waits: a marker's commit, when the room was not kept. The
 * last two run in one turn of the worker, so nothing is delivered between them. */
#include "lua/room.h"

#include <stdlib.h>

#include "events/events.h"
#include "lua/api.h"
#include "lua/call.h"

/* The part of a join that outlives the first turn; not the state's memory, as the writer points to it. */
struct join {
    struct rt_events_open open;
    struct rt_call *call;
    int code;
};

struct entry {
    struct rt_hub_conn *conn;
    struct rt_str room;
    int64_t after;
};

static struct rt_events *events_of(lua_State *L)
{
    struct rt_events *e = rt_vm_of(L)->services->app->events;
    if (!e)
        luaL_error(L, "there are no rooms here");
    return e;
}

static int refuse(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static bool send_missed(void *arg, struct rt_ws_text *text, struct rt_str except)
{
    struct rt_hub_conn *conn = arg;
    if (except.n == 0 || !rt_hub_labelled(conn, except))
        rt_hub_send(conn, text);
    rt_ws_text_unref(text);
    return !rt_hub_closed(conn);
}

/* The state is read anew, as commits since the reservation may be missing from this turn's snapshot. */
static int enter_protected(lua_State *L)
{
    struct entry *x = lua_touserdata(L, 1);
    struct rt_vm *vm = rt_vm_of(L);
    struct rt_err err;
    int64_t last = 0;
    struct rt_conn *c = rt_vm_conn_now(vm, L);
    int rc = rt_events_missed(events_of(L), c, x->room, x->after, send_missed, x->conn, &last, &err);
    if (rc < 0)
        return luaL_error(L, "socket:join: %s", err.msg);
    if (!rt_hub_activate(x->conn, x->room, last))
        return refuse(L, "gone");
    if (rc)
        lua_pushboolean(L, 1);
    else
        refuse(L, "resync");
    lua_pushinteger(L, last);
    return rc ? 2 : 3;
}

static int enter(lua_State *L, struct entry *x)
{
    int base = lua_gettop(L);
    if (!rt_hub_is_member(x->conn, x->room))
        return refuse(L, "gone");
    lua_pushcfunction(L, enter_protected);
    lua_pushlightuserdata(L, x);
    if (lua_pcall(L, 1, LUA_MULTRET, 0) != LUA_OK) {
        rt_hub_leave(x->conn, x->room);
        return lua_error(L);
    }
    return lua_gettop(L) - base;
}

static void opened(struct rt_events_open *o, int code)
{
    struct join *j = o->owner;
    j->code = code;
    rt_call_resume(j->call);
}

/* The connection and `after` wait on the Lua stack, the room in the join. */
static int go_on(lua_State *L, int status, lua_KContext ctx)
{
    struct join *j = (struct join *)ctx;
    (void)status;
    int code = j->code;
    lua_pushlstring(L, j->open.room, j->open.room_n);
    free(j);
    struct entry x = { .conn = lua_touserdata(L, -3), .after = lua_tointeger(L, -2) };
    x.room.p = lua_tolstring(L, -1, &x.room.n);
    if (code) {
        rt_hub_leave(x.conn, x.room);
        return luaL_error(L, "socket:join: the database takes no writes now (%s)", rt_code_name(code));
    }
    return enter(L, &x);
}

static int wait_for_room(lua_State *L, struct rt_hub_conn *conn, const struct rt_room_want *want)
{
    const struct rt_services *services = rt_vm_of(L)->services;
    struct join *j = calloc(1, sizeof *j);
    struct rt_err err;
    int rc = j ? 0 : rt_err_set(&err, RT_E_NOMEM, "not enough memory");
    if (j) {
        j->open.done = opened;
        j->open.owner = j;
        j->call = rt_call_of(L);
        rc = rt_events_open(events_of(L), &j->open, want->room, services->mailbox, &err);
    }
    if (rc == 0) {
        lua_pushlightuserdata(L, conn);
        lua_pushinteger(L, want->after);
        return rt_park(L, "socket:join", go_on, (lua_KContext)j);
    }
    free(j);
    if (rc < 0) {
        rt_hub_leave(conn, want->room);
        return luaL_error(L, "socket:join: the database takes no writes now (%s)", err.msg);
    }
    struct entry x = { .conn = conn, .room = want->room, .after = want->after };
    return enter(L, &x);
}

int rt_room_join(lua_State *L, struct rt_hub_conn *conn, const struct rt_room_want *want)
{
    luaL_checkstack(L, 8, "joining a room");
    events_of(L);
    rt_park_check(L, "socket:join");
    struct rt_str who = want->who.n ? want->who : rt_hub_first_label(conn);
    int rc = rt_hub_reserve(conn, want->room, who, want->limit);
    switch (rc) {
    case 0: return wait_for_room(L, conn, want);
    case RT_E_FULL: return refuse(L, "full");
    case RT_E_EXPIRED: return refuse(L, "gone");
    case RT_E_LIMIT:
        return luaL_error(L, "socket:join: a name has 1 to %d bytes, and a socket is in at most 64 rooms",
                          RT_HUB_NAME_MAX);
    default: return luaL_error(L, "socket:join: not enough memory");
    }
}
