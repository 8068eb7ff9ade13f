/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks. The app's function turns a token into a principal; its answer is cached per state under the
 * full token until it expires or the app's epoch moves (a logout, a revoked key), so that a verified
 * token costs a lookup. Failures are not cached. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/request.h"

enum { PRINCIPALS_MAX = 4096, TOKEN_MAX = 4096, WHO_MAX = 64 };

struct principal {
    int ref;
    int64_t id, expires;
};

int rt_raise_failure(lua_State *L, int status, const char *code, const char *message)
{
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, status);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, message);
    lua_setfield(L, -2, "message");
    if (code) {
        lua_pushstring(L, code);
        lua_setfield(L, -2, "code");
    }
    return lua_error(L);
}

static void forget_all(lua_State *L, struct rt_vm *vm)
{
    size_t pos = 0, n;
    const char *key;
    struct principal *p;
    while ((p = rt_map_next(&vm->principals, &pos, &key, &n)) != NULL)
        luaL_unref(L, LUA_REGISTRYINDEX, p->ref);
    rt_map_fini(&vm->principals, free);
    rt_map_init(&vm->principals);
}

struct rt_str rt_bearer(struct rt_str h)
{
    if (h.n < 8 || strncasecmp(h.p, "bearer ", 7) != 0)
        return (struct rt_str){ NULL, 0 };
    return rt_str_trim((struct rt_str){ h.p + 7, h.n - 7 });
}

/* "user:<token>" */
static size_t cache_key(const char *who, struct rt_str token, char *out)
{
    size_t n = strlen(who);
    memcpy(out, who, n);
    out[n] = ':';
    memcpy(out + n + 1, token.p, token.n);
    return n + 1 + token.n;
}

/* Makes of what the app's function gave, three values, the principal's frozen table. */
static int64_t take_given(lua_State *L, const char *who, int64_t now, int64_t *ret_expires)
{
    if (!lua_istable(L, -3))
        rt_raise_failure(L, 401, lua_tostring(L, -2), lua_isstring(L, -1) ? lua_tostring(L, -1) : "Invalid token");
    *ret_expires = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : now;
    lua_pop(L, 2);
    if (lua_getfield(L, -1, "id") != LUA_TNUMBER || !lua_isinteger(L, -1))
        luaL_error(L, "the principal '%s' has no integer field id", who);
    int64_t id = lua_tointeger(L, -1);
    lua_pop(L, 1);
    rt_freeze(L, "req.user");
    return id;
}

static void remember(lua_State *L, struct rt_vm *vm, const char *key, size_t n, int64_t id, int64_t expires)
{
    if (vm->principals.count >= PRINCIPALS_MAX)
        forget_all(L, vm);
    lua_pushvalue(L, -1);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    struct principal *p = malloc(sizeof *p);
    void *old = NULL;
    if (p)
        *p = (struct principal){ .ref = ref, .id = id, .expires = expires };
    if (!p || rt_map_set(&vm->principals, key, n, p, &old)) {
        luaL_unref(L, LUA_REGISTRYINDEX, ref);
        free(p);
    } else if (old) {
        luaL_unref(L, LUA_REGISTRYINDEX, ((struct principal *)old)->ref);
        free(old);
    }
}

/* What was known is for an older epoch, after a logout perhaps. */
static void forget_old(lua_State *L, struct rt_vm *vm)
{
    uint64_t epoch = atomic_load(&vm->services->app->epoch);
    if (vm->principals_epoch != epoch)
        forget_all(L, vm);
    vm->principals_epoch = epoch;
}

bool rt_principal_push(lua_State *L, struct rt_principal_want *want)
{
    struct rt_vm *vm = rt_vm_of(L);
    if (!want->token.p || want->token.n == 0 || want->token.n > TOKEN_MAX || strlen(want->who) > WHO_MAX)
        rt_raise_failure(L, 401, NULL, "Authentication credentials were not provided");
    forget_old(L, vm);
    char key[TOKEN_MAX + WHO_MAX + 1];
    size_t n = cache_key(want->who, want->token, key);
    const struct principal *p = rt_map_get(&vm->principals, key, n);
    if (p && p->expires > want->now) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, p->ref);
        want->id = p->id;
        return true;
    }
    want->epoch = vm->principals_epoch;
    lua_pushvalue(L, want->fn);
    lua_pushlstring(L, want->token.p, want->token.n);
    return false;
}

void rt_principal_take(lua_State *L, struct rt_principal_want *want)
{
    struct rt_vm *vm = rt_vm_of(L);
    char key[TOKEN_MAX + WHO_MAX + 1];
    int64_t expires;
    want->id = take_given(L, want->who, want->now, &expires);
    if (expires > want->now && vm->principals_epoch == want->epoch)
        remember(L, vm, key, cache_key(want->who, want->token, key), want->id, expires);
}

static struct rt_principal_want wanted(lua_State *L)
{
    return (struct rt_principal_want){
        .who = lua_tostring(L, 1), .fn = 3, .token = { lua_tostring(L, 2), lua_rawlen(L, 2) }, .now = rt_now()
    };
}

static int given(lua_State *L, int status, lua_KContext epoch)
{
    struct rt_principal_want want = wanted(L);
    (void)status;
    want.epoch = (uint64_t)epoch;
    rt_principal_take(L, &want);
    return 1;
}

int rt_principal_ask(lua_State *L)
{
    struct rt_vm *vm = rt_vm_of(L);
    const char *who = lua_tostring(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->app->table_ref);
    lua_getfield(L, -1, "principals");
    lua_replace(L, 3);
    if (lua_getfield(L, 3, who) != LUA_TFUNCTION)
        luaL_error(L, "there is no principal \"%s\"", who);
    lua_replace(L, 3);
    struct rt_principal_want want = wanted(L);
    if (rt_principal_push(L, &want))
        return 1;
    rt_script_enter(vm, rt_script_find(vm->app, RT_SCRIPT_PRINCIPAL, who));
    lua_callk(L, 1, 3, (lua_KContext)want.epoch, given);
    return given(L, LUA_OK, (lua_KContext)want.epoch);
}
