/* SPDX-License-Identifier: Apache-2.0
 *
 * Binding and stepping with Lua's error handling. Open statements stand in a small array of the state: a
 * guard value per statement would cost as much as a point query. */
#include "lua/query.h"

#include <string.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/fragment.h"

void rt_query_reclaim(struct rt_vm *vm)
{
    while (vm->n_open > 0)
        rt_stmt_done(vm->open[--vm->n_open]);
}

void rt_query_end(lua_State *L)
{
    struct rt_vm *vm = rt_vm_of(L);
    rt_stmt_done(vm->open[--vm->n_open]);
}

int rt_query_raise(lua_State *L, const struct rt_err *err)
{
    rt_query_reclaim(rt_vm_of(L));
    if (err->code == RT_E_CONSTRAINT) {
        lua_createtable(L, 0, 2);
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "constraint");
        lua_pushstring(L, err->msg);
        lua_setfield(L, -2, "message");
        return lua_error(L);
    }
    if (err->code == RT_E_INTERRUPTED && atomic_load(&rt_vm_of(L)->aborted))
        return luaL_error(L, "interrupted");
    if (err->code == RT_E_INTERRUPTED)
        return luaL_error(L, "a statement ran longer than %d ms", rt_vm_of(L)->services->statement_ms);
    return luaL_error(L, "database: %s", err->msg);
}

static void bind(lua_State *L, struct rt_stmt *s, int i, int idx)
{
    size_t n;
    const char *p;
    const struct rt_fragment *json;
    switch (lua_type(L, idx)) {
    case LUA_TNIL:
    case LUA_TNONE: rt_bind_null(s, i); return;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, idx))
            break;
        rt_bind_null(s, i);
        return;
    case LUA_TBOOLEAN: rt_bind_int(s, i, lua_toboolean(L, idx)); return;
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
    case LUA_TUSERDATA:
        json = rt_fragment_test(L, idx);
        if (!json)
            break;
        rt_bind_text(s, i, json->data, json->n);
        return;
    default: break;
    }
    luaL_error(L, "parameter %d is a %s: bind text, numbers, booleans or nil", i, luaL_typename(L, idx));
}

/* The statement is among the open ones when this returns or raises. */
static struct rt_stmt *prepare(lua_State *L, struct rt_conn *conn, const char *sql, size_t n)
{
    struct rt_vm *vm = rt_vm_of(L);
    struct rt_err err;
    if (vm->n_open == RT_VM_OPEN_MAX) /* left by errors that nobody could see */
        rt_query_reclaim(vm);
    if (rt_conn_prepare(conn, sql, n, &vm->open[vm->n_open], &err))
        luaL_error(L, "%s, in: %s", err.msg, sql);
    return vm->open[vm->n_open++];
}

struct rt_stmt *rt_query_begin(lua_State *L, int first, bool write)
{
    struct rt_vm *vm = rt_vm_of(L);
    size_t n;
    const char *sql = luaL_checklstring(L, first, &n);
    int given = lua_gettop(L) - first;
    struct rt_conn *conn = rt_vm_conn(vm, L);
    struct rt_stmt *s = prepare(L, conn, sql, n);
    if (rt_stmt_params(s) != given)
        luaL_error(L, "%d parameters for %d placeholders in: %s", given, rt_stmt_params(s), sql);
    if (!write && !rt_stmt_readonly(s))
        luaL_error(L, "writing needs db.transaction(function(tx) … tx.run(…) end): %s", sql);
    for (int i = 1; i <= given; i++)
        bind(L, s, i, first + i);
    rt_conn_deadline(conn, rt_mono_ns() + (uint64_t)vm->services->statement_ms * 1000000u, &vm->aborted);
    return s;
}

bool rt_query_step(lua_State *L, struct rt_stmt *s)
{
    struct rt_err err;
    int rc = rt_stmt_step(s, &err);
    if (rc < 0)
        rt_query_raise(L, &err);
    return rc == RT_STEP_ROW;
}
