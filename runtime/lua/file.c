/* SPDX-License-Identifier: Apache-2.0
 *
 * Files as values: a userdata that owns its bytes until the answer takes them. */
#include "lua/file.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

static const char file_name[] = "rt.file";

static int collect(lua_State *L)
{
    struct rt_file *f = luaL_checkudata(L, 1, file_name);
    free(f->data);
    f->data = NULL;
    return 0;
}

static int make(lua_State *L)
{
    struct rt_file *f = lua_newuserdatauv(L, sizeof *f, 0);
    *f = *(struct rt_file *)lua_touserdata(L, 1);
    ((struct rt_file *)lua_touserdata(L, 1))->data = NULL;
    luaL_setmetatable(L, file_name);
    return 1;
}

void rt_file_push(lua_State *L, const char *name, const char *type, char *data, size_t n)
{
    struct rt_file f = { .data = data, .n = n };
    snprintf(f.name, sizeof f.name, "%s", name);
    snprintf(f.type, sizeof f.type, "%s", type);
    lua_pushcfunction(L, make);
    lua_pushlightuserdata(L, &f);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        free(f.data);
        lua_error(L);
    }
}

struct rt_file *rt_file_test(lua_State *L, int idx) { return luaL_testudata(L, idx, file_name); }

void rt_file_open(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", collect }, { NULL, NULL } };
    luaL_newmetatable(L, file_name);
    luaL_setfuncs(L, meta, 0);
    lua_pop(L, 1);
}
