/* SPDX-License-Identifier: Apache-2.0
 *
 * A call's transaction. The first function gets the writer's own savepoint; what follows in the same
 * call, and nested ones, get savepoints inside it, so that a caught error undoes just its own part. */
#include "lua/tx.h"

#include <stdio.h>

#include "lua/api.h"
#include "lua/call.h"

static struct rt_conn *conn_of(struct rt_call *call) { return rt_writer_conn(call->vm->services->app->writer); }

static void savepoint(lua_State *L, struct rt_call *call, enum rt_savepoint what)
{
    struct rt_err err;
    if (rt_conn_savepoint(conn_of(call), call->depth - 1, what, &err))
        luaL_error(L, "database: %s", err.msg);
}

/* After an error in the function at this depth. False when the whole transaction is gone. */
static bool undo(lua_State *L, struct rt_call *call, struct rt_hub_op *mark)
{
    if (rt_tx_lost(call->vm->services->app->writer) || call->depth == 0) {
        rt_call_end_turn(call, false, NULL);
        return false;
    }
    rt_hub_ops_cut(&call->ops, mark); /* what would have been told did not happen */
    savepoint(L, call, RT_SAVEPOINT_BACK);
    savepoint(L, call, RT_SAVEPOINT_RELEASE);
    return true;
}

enum { OUTER = 1, INNER = 2 }; /* the first one of the call; with a savepoint of its own */

/* Below the function's results: what was to be told before, the coroutine of the function around, OUTER and INNER. */
static int ended(lua_State *L, int status, lua_KContext results)
{
    struct rt_call *call = rt_call_of(L);
    int base = (int)results - 1;
    lua_Integer flags = lua_tointeger(L, base);
    call->tx_co = lua_touserdata(L, base - 1);
    if (flags & OUTER)
        call->in_transaction = false;
    if (status != LUA_OK && status != LUA_YIELD) {
        if (undo(L, call, lua_touserdata(L, base - 2)) && (flags & INNER))
            call->depth--;
        return lua_error(L);
    }
    if (flags & INNER) {
        savepoint(L, call, RT_SAVEPOINT_RELEASE);
        call->depth--;
    }
    return lua_gettop(L) - base;
}

int rt_tx_run(lua_State *L, struct rt_call *call)
{
    if (!call->turn)
        return luaL_error(L, "the database takes no writes now");
    bool outer = !call->in_transaction, inner = call->wrote || !outer;
    lua_settop(L, 1);
    lua_pushlightuserdata(L, call->ops.tail);
    lua_pushlightuserdata(L, call->tx_co);
    lua_pushinteger(L, (outer ? OUTER : 0) | (inner ? INNER : 0));
    lua_pushvalue(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.tx");
    if (inner) {
        call->depth++;
        savepoint(L, call, RT_SAVEPOINT_SET);
    }
    call->in_transaction = call->wrote = true;
    call->tx_co = L;
    return ended(L, lua_pcallk(L, 1, LUA_MULTRET, 0, 5, ended), 5);
}

int rt_tx_nested(lua_State *L) { return rt_tx_run(L, rt_call_of(L)); }
