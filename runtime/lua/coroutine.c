/* SPDX-License-Identifier: Apache-2.0
 *
 * The coroutine library of scripts. It differs from Lua's own in three points: a host function that waits
 * inside a script's coroutine parks the whole call instead of returning to the script's resume, the watchdog
 * is told which coroutine runs, and one that waits so can be resumed or closed by nobody else: a state's
 * calls may share a coroutine. */
#include <lualib.h>
#include <stdint.h>

#include "lua/api.h"
#include "lua/call.h"

static int resume_k(lua_State *L, int status, lua_KContext wrapped);

static lua_State *thread_arg(lua_State *L, int i)
{
    lua_State *co = lua_tothread(L, i);
    luaL_argexpected(L, co, i, "coroutine");
    return co;
}

/* A coroutine's extra space has the state's address, whose lowest bit says that it waits. */
static uintptr_t *word(lua_State *co) { return (uintptr_t *)lua_getextraspace(co); }
static bool waits(lua_State *co) { return (*word(co) & 1) != 0; }

void rt_coroutine_wait(lua_State *co, bool on) { *word(co) = (*word(co) & ~(uintptr_t)1) | on; }

/* Its values to be closed are closed as a part of the turn: the watchdog has to find who runs. */
static void reset(lua_State *L, lua_State *co)
{
    struct rt_vm *vm = rt_vm_of(L);
    rt_turn_switch(vm, co);
    lua_resetthread(co);
    rt_turn_switch(vm, L);
}

/* Puts the outcome of resuming `co` on L: values, or with a false in front; `wrapped` raises errors. */
static int outcome(lua_State *L, lua_State *co, int status, int n, bool wrapped)
{
    if (status == LUA_OK || status == LUA_YIELD) {
        if (!lua_checkstack(L, n + 1)) {
            lua_pop(co, n);
            return luaL_error(L, "too many results to resume");
        }
        if (!wrapped)
            lua_pushboolean(L, 1);
        lua_xmove(co, L, n);
        return n + !wrapped;
    }
    if (wrapped) {
        if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD) /* not one that is still running */
            reset(L, co);
        lua_xmove(co, L, 1);
        return lua_error(L);
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

/* The coroutine stands at index 1 of L. */
static int go(lua_State *L, int nargs, bool wrapped)
{
    struct rt_vm *vm = rt_vm_of(L);
    lua_State *co = lua_tothread(L, 1);
    int n = 0;
    bool fixed = !lua_isyieldable(L); /* who passes a yield on must be able to */
    vm->fixed += fixed;
    rt_turn_switch(vm, co);
    int status = lua_resume(co, L, nargs, &n);
    rt_turn_switch(vm, L);
    vm->fixed -= fixed;
    if (status == LUA_YIELD && vm->call && vm->call->parked) {
        rt_coroutine_wait(co, true);
        return lua_yieldk(L, 0, wrapped, resume_k);
    }
    return outcome(L, co, status, n, wrapped);
}

static int resume_k(lua_State *L, int status, lua_KContext wrapped)
{
    (void)status;
    rt_coroutine_wait(lua_tothread(L, 1), false);
    return go(L, 0, wrapped != 0);
}

static int resume(lua_State *L, bool wrapped)
{
    lua_State *co = lua_tothread(L, 1);
    int nargs = lua_gettop(L) - 1;
    bool dead = lua_status(co) == LUA_OK && lua_gettop(co) == 0;
    if (co == L || dead || waits(co) || (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD) ||
        !lua_checkstack(co, nargs)) {
        lua_pushstring(L, dead ? "cannot resume dead coroutine" : "cannot resume this coroutine");
        if (wrapped)
            return lua_error(L);
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    lua_xmove(L, co, nargs);
    return go(L, nargs, wrapped);
}

static int co_resume(lua_State *L)
{
    thread_arg(L, 1);
    return resume(L, false);
}

static int co_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int wrapper(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    return resume(L, true);
}

static int co_wrap(lua_State *L)
{
    co_create(L);
    lua_pushcclosure(L, wrapper, 1);
    return 1;
}

static int co_close(lua_State *L)
{
    if (waits(thread_arg(L, 1)))
        return luaL_error(L, "cannot close a coroutine that waits");
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    rt_turn_switch(rt_vm_of(L), lua_tothread(L, 1));
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    rt_turn_switch(rt_vm_of(L), L);
    return status == LUA_OK ? lua_gettop(L) - 1 : lua_error(L);
}

static int co_yield (lua_State *L)
{
    struct rt_vm *vm = rt_vm_of(L);
    if (vm->call && vm->call->in_transaction && L == vm->call->tx_co)
        return luaL_error(L, "coroutine.yield out of db.transaction");
    if (vm->call && L == vm->call->co)
        return luaL_error(L, "coroutine.yield outside a coroutine of the script's own");
    return lua_yield(L, lua_gettop(L));
}

void rt_coroutine_open(lua_State *L)
{
    static const char *const kept[] = { "status", "isyieldable", "running", NULL };
    static const luaL_Reg own[] = {
        { "create", co_create }, { "resume", co_resume }, { "wrap", co_wrap }, { "yield", co_yield }, { NULL, NULL }
    };
    luaL_newlib(L, own);
    luaL_requiref(L, "coroutine", luaopen_coroutine, 0);
    for (int i = 0; kept[i]; i++) {
        lua_getfield(L, -1, kept[i]);
        lua_setfield(L, -3, kept[i]);
    }
    lua_getfield(L, -1, "close");
    lua_pushcclosure(L, co_close, 1);
    lua_setfield(L, -3, "close");
    lua_pop(L, 1);
}
