/* SPDX-License-Identifier: Apache-2.0
 *
 * Binding and stepping with Lua's error handling: whatever raises between begin and end, the guard
 * gives the statement back when it is closed (it is a to-be-closed value). */
#include "lua/query.h"

#include <string.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/call.h"

static const char guard_name[] = "rt.statement";

static int guard_close(lua_State *L)
{
    struct rt_stmt **box = luaL_checkudata(L, 1, guard_name);
    if (*box)
        rt_stmt_done(*box);
    *box = NULL;
    return 0;
}

void rt_query_open(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__close", guard_close }, { "__gc", guard_close }, { NULL, NULL } };
    luaL_newmetatable(L, guard_name);
    luaL_setfuncs(L, meta, 0);
    lua_pop(L, 1);
}

static int raise(lua_State *L, const struct rt_err *err)
{
    if (err->code == RT_E_CONSTRAINT) {
        lua_createtable(L, 0, 2);
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "constraint");
        lua_pushstring(L, err->msg);
        lua_setfield(L, -2, "message");
        return lua_error(L);
    }
    if (err->code == RT_E_INTERRUPTED)
        return luaL_error(L, "a statement ran longer than %d ms", rt_vm_of(L)->services->statement_ms);
    return luaL_error(L, "database: %s", err->msg);
}

static void bind(lua_State *L, struct rt_stmt *s, int i, int idx)
{
    size_t n;
    const char *p;
    switch (lua_type(L, idx)) {
    case LUA_TNIL:
    case LUA_TNONE:
        rt_bind_null(s, i);
        return;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, idx))
            break;
        rt_bind_null(s, i);
        return;
    case LUA_TBOOLEAN:
        rt_bind_int(s, i, lua_toboolean(L, idx));
        return;
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx))
            rt_bind_int(s, i, lua_tointeger(L, idx));
        else
            rt_bind_double(s, i, lua_tonumber(L, idx));
        return;
    case LUA_TSTRING:
        p = lua_tolstring(L, idx, &n);
        rt_bind_text(s, i, p, n);
        return;
    default:
        break;
    }
    luaL_error(L, "parameter %d is a %s: bind text, numbers, booleans or nil", i, luaL_typename(L, idx));
}

struct rt_stmt *rt_query_begin(lua_State *L, int first, bool write)
{
    struct rt_vm *vm = rt_vm_of(L);
    size_t n;
    const char *sql = luaL_checklstring(L, first, &n);
    int given = lua_gettop(L) - first;
    struct rt_conn *conn = rt_vm_conn(vm, L);
    struct rt_stmt **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, guard_name);
    lua_toclose(L, -1);
    struct rt_err err;
    if (rt_conn_prepare(conn, sql, n, box, &err))
        luaL_error(L, "%s, in: %s", err.msg, sql);
    if (rt_stmt_params(*box) != given)
        luaL_error(L, "%d parameters for %d placeholders in: %s", given, rt_stmt_params(*box), sql);
    if (!write && !rt_stmt_readonly(*box))
        luaL_error(L, "writing needs db.transaction(function(tx) … tx.run(…) end): %s", sql);
    for (int i = 1; i <= given; i++)
        bind(L, *box, i, first + i);
    if (!vm->call || !vm->call->turn)
        rt_conn_deadline(conn, rt_mono_ns() + (uint64_t)vm->services->statement_ms * 1000000u);
    return *box;
}

bool rt_query_step(lua_State *L, struct rt_stmt *s)
{
    struct rt_err err;
    int rc = rt_stmt_step(s, &err);
    if (rc < 0)
        raise(L, &err);
    return rc == RT_STEP_ROW;
}
