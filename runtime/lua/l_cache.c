/* SPDX-License-Identifier: Apache-2.0
 *
 * cache: texts that are expensive to make, shared by all workers of the process. */
#include "base/clock.h"
#include "lua/api.h"
#include "lua/cache.h"
#include "lua/vm.h"

/* Keys of one app do not meet those of another. */
static struct rt_str key_of(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_pushfstring(L, "%s\n%s", rt_vm_of(L)->services->app->name, lua_tostring(L, 1));
    struct rt_str key;
    key.p = lua_tolstring(L, -1, &key.n);
    return key;
}

L_FN(cache_get, RT_RUN, "cache.get(key: string): string | nil", "A text set earlier in this process, or nil.")
{
    struct rt_vm *vm = rt_vm_of(L);
    struct rt_str key = key_of(L);
    rt_buf_reset(&vm->scratch);
    if (!rt_cache_get(vm->services->cache, key, rt_now(), &vm->scratch))
        return 0;
    lua_pushlstring(L, vm->scratch.len ? vm->scratch.data : "", vm->scratch.len);
    return 1;
}

L_FN(cache_set, RT_EFFECT, "cache.set(key: string, value: string, seconds: integer)",
     "Keeps a text for some seconds; it may be forgotten earlier.")
{
    struct rt_str value;
    value.p = luaL_checklstring(L, 2, &value.n);
    lua_Integer seconds = luaL_checkinteger(L, 3);
    rt_cache_set(rt_vm_of(L)->services->cache, key_of(L), value, rt_now() + seconds);
    return 0;
}

static const struct rt_lua_fn *const fns[] = { &cache_get, &cache_set, NULL };
const struct rt_lua_lib rt_lib_cache = { "cache", "Texts shared by all workers for a while.", fns };
