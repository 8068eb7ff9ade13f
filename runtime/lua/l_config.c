/* SPDX-License-Identifier: Apache-2.0
 *
 * config: the app's settings, declared in its manifest. */
#include "lua/api.h"

L_FN(config_get, RT_ANY & ~RT_LOAD, "config.get(name: string): any",
     "The value of a setting that the manifest declares under `config`.")
{
    const char *name = luaL_checkstring(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.config");
    if (!lua_istable(L, -1) || lua_getfield(L, -1, name) == LUA_TNIL)
        return luaL_error(L, "config.get: the manifest declares no setting '%s'", name);
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &config_get, NULL };
const struct rt_lua_lib rt_lib_config = { "config", "The app's settings.", fns };
