/* SPDX-License-Identifier: Apache-2.0
 *
 * require() for scripts: a file below the app's folder, or below lib/, loaded once per state as text,
 * with the frozen globals. The files are those of the release's tree, the same for all of its states. Only
 * while the app is loaded, so that a release is complete once it serves. */
#include <stdio.h>
#include <string.h>

#include "lua/api.h"
#include "lua/vm.h"

/* "rules.sessions" → "<app>/rules/sessions.lua"; only lower-case words joined by dots. */
static void script_path(lua_State *L, const char *app, const char *name, char *out, size_t size)
{
    bool lib = strncmp(name, "lib.", 4) == 0;
    size_t n = strlen(name);
    if (n == 0 || n > 200 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") != n || strstr(name, "..") ||
        name[0] == '.' || name[n - 1] == '.')
        luaL_error(L, "require: '%s' is not a module name such as \"rules.sessions\" or \"lib.pagination\"", name);
    int len = lib ? snprintf(out, size, "%s.lua", name) : snprintf(out, size, "%s/%s.lua", app, name);
    for (int i = 0; i < len - 4; i++)
        if (out[i] == '.')
            out[i] = '/';
}

static void load_file(lua_State *L, const struct rt_tree *tree, const char *relative)
{
    char chunk[300];
    const struct rt_tree_file *f = rt_tree_find(tree, relative);
    if (!f)
        luaL_error(L, "require: there is no file %s", relative);
    snprintf(chunk, sizeof chunk, "@%s", relative);
    if (luaL_loadbufferx(L, f->text, f->n, chunk, "t") != LUA_OK)
        lua_error(L);
}

int rt_vm_require(lua_State *L, const char *name)
{
    struct rt_vm *vm = rt_vm_of(L);
    char relative[260];
    script_path(L, vm->services->app->name, name, relative, sizeof relative);
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.modules");
    if (lua_getfield(L, -1, relative) != LUA_TNIL) {
        if (lua_islightuserdata(L, -1))
            return luaL_error(L, "require: %s requires itself through other files", relative);
        return 1;
    }
    lua_pop(L, 1);
    if (vm->phase != 1)
        return luaL_error(L, "require(\"%s\"): only at the top of a file, not while requests run", name);
    lua_pushlightuserdata(L, vm);
    lua_setfield(L, -2, relative);
    load_file(L, vm->tree, relative);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, relative);
    return 1;
}
