/* SPDX-License-Identifier: Apache-2.0
 *
 * json: text to values through lua-cjson behind the strict check, values to text through the host's
 * writer, which gets arrays, nulls and large integers right. */
#include "base/json.h"
#include "lua/api.h"
#include "lua/present.h"
#include "lua/vm.h"

enum { DEPTH = 64 };

L_FN(json_encode, RT_ANY, "json.encode(value: any): string",
     "The value as JSON text: tables with a sequence (or json.array) are arrays, others objects with sorted keys.")
{
    struct rt_buf *out = &rt_vm_of(L)->scratch;
    struct rt_err err;
    luaL_checkany(L, 1);
    rt_buf_reset(out);
    if (rt_present(L, 1, NULL, out, &err))
        return luaL_error(L, "json.encode: %s", err.msg);
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

/* lua-cjson makes every number a float; whole ones within 2^53 become integers here. */
static void integers(lua_State *L, int idx, int depth)
{
    luaL_checkstack(L, 4, "the document is nested too deeply");
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_Integer whole;
        if (lua_type(L, -1) == LUA_TNUMBER && !lua_isinteger(L, -1) &&
            lua_numbertointeger(lua_tonumber(L, -1), &whole) && (lua_Number)whole == lua_tonumber(L, -1)) {
            lua_pushvalue(L, -2);
            lua_pushinteger(L, whole);
            lua_rawset(L, idx);
        } else if (lua_istable(L, -1) && depth < DEPTH) {
            integers(L, lua_gettop(L), depth + 1);
        }
        lua_pop(L, 1);
    }
}

L_FN(json_decode, RT_ANY, "json.decode(text: string): any | nil, string",
     "The value of a JSON text, or nil and what is wrong with it. JSON null is `null`.")
{
    size_t n;
    struct rt_err err;
    const char *p = luaL_checklstring(L, 1, &n);
    if (rt_json_check(p, n, DEPTH, NULL, &err)) {
        lua_pushnil(L);
        lua_pushstring(L, err.msg);
        return 2;
    }
    lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.cjson");
    lua_getfield(L, -1, "decode");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_rawseti(L, 2, 1);
    integers(L, 2, 0);
    lua_rawgeti(L, 2, 1);
    return 1;
}

L_FN(json_array, RT_ANY, "json.array(list?: table): table",
     "Marks a table as an array, so that an empty one is written as [].")
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    rt_present_array_mt(L);
    lua_setmetatable(L, 1);
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &json_encode, &json_decode, &json_array, NULL };
const struct rt_lua_lib rt_lib_json = { "json", "JSON text from and to Lua values.", fns };
