/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read is left on the stack: the caller's frame keeps it alive, and a Lua error needs no cleanup. */
#include "lua/field.h"

#include <lauxlib.h>

#include "base/clock.h"

const char *rt_field_text(lua_State *L, int idx, const char *name)
{
    luaL_checkstack(L, 2, NULL);
    if (lua_getfield(L, idx, name) != LUA_TSTRING)
        luaL_error(L, "%s must be a text", name);
    return lua_tostring(L, -1);
}

bool rt_field_optional_integer(lua_State *L, int idx, const char *name, lua_Integer *ret)
{
    int isnum = 0;
    bool there = lua_getfield(L, idx, name) != LUA_TNIL;
    *ret = there ? lua_tointegerx(L, -1, &isnum) : 0;
    if (there && !isnum)
        luaL_error(L, "%s must be an integer", name);
    lua_pop(L, 1);
    return there;
}

lua_Integer rt_field_integer(lua_State *L, int idx, const char *name)
{
    lua_Integer v;
    if (!rt_field_optional_integer(L, idx, name, &v))
        luaL_error(L, "%s must be an integer", name);
    return v;
}

bool rt_field_flag(lua_State *L, int idx, const char *name)
{
    lua_getfield(L, idx, name);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

const struct rt_zone *rt_field_zone(lua_State *L, int idx, const char *name)
{
    size_t n;
    rt_field_text(L, idx, name);
    const char *text = lua_tolstring(L, -1, &n);
    const struct rt_zone *z = rt_zone_find(text, n);
    if (!z)
        luaL_error(L, "unknown time zone '%s'", text);
    return z;
}

int64_t rt_field_date(lua_State *L, int idx, const char *name)
{
    size_t n;
    int64_t day = 0;
    rt_field_text(L, idx, name);
    const char *p = lua_tolstring(L, -1, &n);
    if (!rt_date_parse(p, n, &day))
        luaL_error(L, "%s must be a date YYYY-MM-DD", name);
    return day;
}

int rt_field_texts(lua_State *L, int idx, const char *name, const char **texts, int max)
{
    if (lua_getfield(L, idx, name) != LUA_TTABLE)
        luaL_error(L, "%s must be a list of names", name);
    lua_Unsigned n = lua_rawlen(L, -1);
    if (n < 1 || n > (lua_Unsigned)max)
        luaL_error(L, "%s must have 1 to %d names", name, max);
    luaL_checkstack(L, (int)n, NULL);
    int list = lua_gettop(L);
    for (int i = 0; i < (int)n; i++) {
        if (lua_rawgeti(L, list, i + 1) != LUA_TSTRING)
            luaL_error(L, "%s must be a list of names", name);
        texts[i] = lua_tostring(L, -1);
    }
    return (int)n;
}

const int64_t *rt_field_integers(lua_State *L, int idx, const char *name, size_t *ret_count)
{
    int type = lua_getfield(L, idx, name);
    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TTABLE)
        luaL_error(L, "%s must be a list of integers", name);
    int list = lua_gettop(L);
    size_t n = lua_rawlen(L, list);
    int64_t *values = lua_newuserdatauv(L, (n + 1) * sizeof *values, 0);
    for (size_t i = 0; i < n; i++) {
        int isnum = 0;
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        values[i] = lua_tointegerx(L, -1, &isnum);
        if (!isnum)
            luaL_error(L, "%s must be a list of integers", name);
        lua_pop(L, 1);
    }
    *ret_count = n;
    return values;
}
