/* SPDX-License-Identifier: Apache-2.0
 *
 * schema: checking values against declared types, outside of a route's own body and query. A type is
 * compiled when it is first used and kept as long as its table lives: the cache holds the table weakly
 * and the compiled form in a userdata, so a Lua error at any point leaks nothing. */
#include "lua/api.h"
#include "lua/app.h"
#include "lua/schema.h"

static const char cache_name[] = "rt.schemas", box_name[] = "rt.schema";

static int box_gc(lua_State *L)
{
    struct rt_schema **box = lua_touserdata(L, 1);
    rt_schema_free(L, *box);
    *box = NULL;
    return 0;
}

static void push_cache(lua_State *L)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, cache_name) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, cache_name);
}

/* The compiled form of the type at 1. */
static const struct rt_schema *compiled(lua_State *L, const struct rt_app *app)
{
    struct rt_err err;
    push_cache(L);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) == LUA_TUSERDATA)
        return *(struct rt_schema **)lua_touserdata(L, -1);
    lua_pop(L, 1);
    struct rt_schema **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    if (luaL_newmetatable(L, box_name)) {
        lua_pushcfunction(L, box_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    if (rt_schema_compile(L, 1, app ? app->models : NULL, box, &err))
        luaL_error(L, "schema.check: %s", err.msg);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
    return *box;
}

L_FN(schema_check, RT_RUN, "schema.check(type: type, value: any): any | nil, table",
     "The cleaned value, or nil and a table of messages by field.")
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    const struct rt_app *app = rt_vm_of(L)->app;
    const struct rt_schema *s = compiled(L, app);
    if (!rt_schema_check(L, s, 2, RT_SOURCE_JSON, app ? app->messages : NULL))
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static const struct rt_lua_fn *const fns[] = { &schema_check, NULL };
const struct rt_lua_lib rt_lib_schema = { "schema", "Checking values against declared types.", fns };
