/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts out of tables, for recording and for recounting. */
#include "lua/fact.h"

#include <lauxlib.h>

const char *rt_field_text(lua_State *L, int idx, const char *name)
{
    if (lua_getfield(L, idx, name) != LUA_TSTRING)
        luaL_error(L, "%s must be a text", name);
    return lua_tostring(L, -1); /* stays on the stack */
}

lua_Integer rt_field_integer(lua_State *L, int idx, const char *name, bool optional)
{
    int isnum = 0;
    if (lua_getfield(L, idx, name) == LUA_TNIL && optional) {
        lua_pop(L, 1);
        return 0;
    }
    lua_Integer v = lua_tointegerx(L, -1, &isnum);
    if (!isnum)
        luaL_error(L, "%s must be an integer", name);
    lua_pop(L, 1);
    return v;
}

struct rt_fact rt_fact_read(lua_State *L, int idx)
{
    luaL_checktype(L, idx, LUA_TTABLE);
    struct rt_fact f = { .measure = rt_field_text(L, idx, "measure"), .kind = rt_field_text(L, idx, "kind") };
    f.id = rt_field_integer(L, idx, "id", false);
    f.detail = rt_field_integer(L, idx, "detail", true);
    f.from = rt_field_integer(L, idx, "from", false);
    f.to = rt_field_integer(L, idx, "to", false);
    f.value = rt_field_integer(L, idx, "value", false);
    if (f.to < f.from)
        luaL_error(L, "the fact ends before it begins");
    return f;
}
