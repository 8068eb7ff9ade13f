/* SPDX-License-Identifier: Apache-2.0
 *
 * limit: counters of the scripts' own, in the windows that the manifest declares. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/vm.h"

L_FN(limit_take, RT_EFFECT,
     "limit.take(name: string, subject: string, count: integer, seconds: integer): boolean, integer, integer",
     "Takes one from a counter: whether it was allowed, how many remain, when the window ends (Unix seconds).")
{
    const struct rt_services *sv = rt_vm_of(L)->services;
    char key[300];
    int n = snprintf(key, sizeof key, "%s.%s:%s", sv->app->name, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    lua_Integer count = luaL_checkinteger(L, 3), seconds = luaL_checkinteger(L, 4);
    luaL_argcheck(L, n < (int)sizeof key, 2, "too long");
    luaL_argcheck(L, seconds > 0, 4, "a positive number of seconds expected");
    if (sv->limit_factor <= 0) {
        lua_pushboolean(L, 1);
        lua_pushinteger(L, count);
        lua_pushinteger(L, rt_now() + seconds);
        return 3;
    }
    struct rt_limit_state s =
        rt_limit_take(sv->limits, key, (size_t)n, llround((double)count * sv->limit_factor), seconds, rt_now());
    lua_pushboolean(L, s.allowed);
    lua_pushinteger(L, s.remaining);
    lua_pushinteger(L, s.reset);
    return 3;
}

static const struct rt_lua_fn *const fns[] = { &limit_take, NULL };
const struct rt_lua_lib rt_lib_limit = { "limit", "Counters in fixed windows.", fns };
