/* SPDX-License-Identifier: Apache-2.0
 *
 * schema: checking values against declared types, outside of a route's own body and query. */
#include "lua/api.h"
#include "lua/schema.h"

L_FN(schema_check, RT_RUN, "schema.check(type: type, value: any): any | nil, table",
     "The cleaned value, or nil and a table of messages by field.")
{
    struct rt_schema *s;
    struct rt_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (rt_schema_compile(L, 1, NULL, &s, &err))
        return luaL_error(L, "schema.check: %s", err.msg);
    int bad = rt_schema_check(L, s, 2, RT_SOURCE_JSON, NULL);
    rt_schema_free(L, s);
    if (!bad)
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static const struct rt_lua_fn *const fns[] = { &schema_check, NULL };
const struct rt_lua_lib rt_lib_schema = { "schema", "Checking values against declared types.", fns };
