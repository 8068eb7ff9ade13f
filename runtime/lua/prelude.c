/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads the host's own Lua files, which were compiled into the program (tools/embed.cmake). They are
 * trusted but run in the same sandbox as scripts; the declaration words get a small table from the host. */
#include "lua/prelude.h"

#include <stdio.h>
#include <string.h>

#include "base/embedded.h"
#include "lua/api.h"
#include "lua/app.h"

static int load_chunk(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct rt_embedded *f = rt_embedded_find(rt_prelude_files, name);
    char chunk[64];
    if (!f)
        return luaL_error(L, "no such part of the host: %s", name);
    snprintf(chunk, sizeof chunk, "=[host]/%s.lua", name);
    return luaL_loadbufferx(L, f->text, f->bytes, chunk, "t") ? lua_error(L) : 1;
}

/* "file:line" of a caller, skipping nothing: level 1 is who called `where`. */
static int where(lua_State *L)
{
    lua_Debug ar;
    if (!lua_getstack(L, (int)luaL_checkinteger(L, 1), &ar) || !lua_getinfo(L, "Sl", &ar) || ar.currentline < 0)
        return 0;
    lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
    return 1;
}

/* The file that returned this very value to require(), or nil. */
static int file_of(lua_State *L)
{
    lua_settop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.modules");
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        if (lua_rawequal(L, 1, -1))
            return lua_pop(L, 1), 1;
        lua_pop(L, 1);
    }
    return 0;
}

/* The status of input that breaks its declaration, as the app's manifest has it. */
static int invalid_status(lua_State *L)
{
    const struct rt_app *app = rt_vm_of(L)->app;
    lua_pushinteger(L, app ? app->invalid_status : 400);
    return 1;
}

static void push_host_table(lua_State *L)
{
    static const luaL_Reg fns[] = {
        { "where", where }, { "load", load_chunk }, { "file_of", file_of },
        { "invalid_status", invalid_status }, { NULL, NULL }
    };
    luaL_newlib(L, fns);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}

void rt_prelude_load(lua_State *L, const char *name)
{
    lua_pushcfunction(L, load_chunk);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    push_host_table(L);
    lua_call(L, 1, 1);
}

void rt_prelude_open(lua_State *L)
{
    /* The chunks' globals are those of the table at the top while they load and afterwards. */
    lua_pushvalue(L, -1);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    rt_prelude_load(L, "declare");
    lua_getfield(L, -1, "words");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -6); /* globals[name] = word */
    }
    lua_pop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "rt.declare");
    rt_prelude_load(L, "fail");
    lua_setfield(L, -2, "fail");
}
