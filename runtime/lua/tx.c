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

int rt_tx_run(lua_State *L, struct rt_call *call)
{
    if (!call->turn)
        return luaL_error(L, "the database takes no writes now");
    bool outer = !call->in_transaction;
    bool inner = call->wrote || !outer;
    struct rt_hub_op *mark = call->ops.tail;
    if (inner) {
        call->depth++;
        savepoint(L, call, RT_SAVEPOINT_SET);
    }
    call->in_transaction = call->wrote = true;
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.tx");
    int base = lua_gettop(L) - 2;
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    if (outer)
        call->in_transaction = false;
    if (status != LUA_OK) {
        if (undo(L, call, mark))
            call->depth--;
        return lua_error(L);
    }
    if (inner) {
        savepoint(L, call, RT_SAVEPOINT_RELEASE);
        call->depth--;
    }
    return lua_gettop(L) - base;
}

int rt_tx_nested(lua_State *L) { return rt_tx_run(L, rt_call_of(L)); }
