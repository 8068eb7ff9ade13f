/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers the host libraries. Every function is called through one trampoline, which refuses calls
 * in the wrong phase with a sentence instead of a crash. */
#include <stdio.h>
#include <string.h>

#include "lua/api.h"
#include "lua/vm.h"

const char *rt_lua_release(void) { return LUA_RELEASE; }

static const char *phase_name(unsigned phase)
{
    switch (phase) {
    case RT_LOAD: return "while files are loaded";
    case RT_RULE: return "in a rule";
    case RT_JOB: return "in a job";
    case RT_REQUEST: return "in a request";
    case RT_CONSOLE: return "in the console outside write(function(tx) … end)";
    case RT_CHANNEL: return "in a socket's handler";
    default: return "here";
    }
}

static int trampoline(lua_State *L)
{
    const struct rt_lua_fn *fn = lua_touserdata(L, lua_upvalueindex(1));
    unsigned phase = rt_vm_of(L)->phase;
    if (!(fn->phases & phase)) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(fn->sig, "("), fn->sig);
        return luaL_error(L, "%s is not allowed %s; usage: %s", name, phase_name(phase), fn->sig);
    }
    return fn->run(L);
}

void rt_api_short_name(const struct rt_lua_fn *fn, char *out, size_t size)
{
    size_t n = strcspn(fn->sig, "("), start = 0;
    for (size_t i = 0; i < n; i++)
        if (fn->sig[i] == '.' || fn->sig[i] == ':')
            start = i + 1;
    snprintf(out, size, "%.*s", (int)(n - start), fn->sig + start);
}

void rt_api_open(lua_State *L)
{
    char name[64];
    for (int i = 0; rt_lua_libs[i]; i++) {
        const struct rt_lua_lib *lib = rt_lua_libs[i];
        lua_newtable(L);
        for (int k = 0; lib->fns[k]; k++) {
            rt_api_short_name(lib->fns[k], name, sizeof name);
            lua_pushlightuserdata(L, (void *)lib->fns[k]);
            lua_pushcclosure(L, trampoline, 1);
            lua_setfield(L, -2, name);
        }
        rt_freeze(L, lib->name);
        lua_setfield(L, -2, lib->name);
    }
}
