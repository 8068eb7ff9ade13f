/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes live inside the userdata: one allocation, counted against the state's memory cap, released
 * by the collector, nothing to free when a script raises. */
#include "lua/fragment.h"

#include <lauxlib.h>
#include <string.h>

void rt_fragment_push(lua_State *L, const char *p, size_t n)
{
    struct rt_fragment *f = lua_newuserdatauv(L, sizeof *f + n, 0);
    f->n = n;
    if (n > 0)
        memcpy(f->data, p, n);
    if (luaL_newmetatable(L, RT_FRAGMENT)) {
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
}

const struct rt_fragment *rt_fragment_test(lua_State *L, int idx) { return luaL_testudata(L, idx, RT_FRAGMENT); }
