/* SPDX-License-Identifier: Apache-2.0
 *
 * Busted needs io, os, debug and package, scripts must not get them: the state has two sets of globals, and
 * files of the app are loaded under the frozen one, as in the server. Busted itself is a call that parks
 * while one of its blocks (`it`, `before_each`, …) runs as a call of its own; so a block may wait for a
 * password's hash, owns a transaction, and its writes are on disk when the next block begins. */
#include "lua/spec_run.h"

#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "lua/api.h"
#include "lua/call.h"
#include "lua/prelude.h"

struct runner {
    struct rt_call call;
    struct rt_message start;
    const struct rt_spec_run *run;
    struct rt_vm *vm;
    int rc;
    struct rt_err err;
};

/* A block: a call that its parent waits for. */
struct block {
    struct rt_call call;
    struct rt_call *parent;
    struct rt_message start;
    int nargs, n, code;
};

static const char frozen_globals[] = "rt.sandbox";

static void start_block(struct rt_message *m)
{
    struct block *b = (struct block *)((char *)m - offsetof(struct block, start));
    rt_call_start(&b->call, b->nargs);
}

static void committed(struct rt_tx *tx, int code)
{
    struct block *b = (struct block *)((char *)tx - offsetof(struct block, call.tx));
    b->code = code;
    rt_call_resume(b->parent);
}

static void returned(struct rt_call *call, int n)
{
    struct block *b = call->owner;
    b->n = n;
    call->tx.done = committed;
    int rc = rt_call_end_turn(call, n >= 0, NULL);
    if (rc > 0)
        return;
    b->code = rc;
    rt_call_resume(b->parent);
}

static int take_results(lua_State *L, int status, lua_KContext ctx)
{
    struct block *b = (struct block *)ctx;
    bool raised = b->n < 0;
    int n = raised ? 1 : b->n;
    (void)status;
    luaL_checkstack(L, n, "too many results");
    lua_xmove(b->call.co, L, n);
    rt_call_fini(&b->call);
    if (raised)
        return lua_error(L);
    return b->code ? luaL_error(L, "the commit failed: %s", rt_code_name(b->code)) : n;
}

/* host.call(fn, …): runs fn(…) as a job with its own transaction; returns or raises what it does. */
static int host_call(lua_State *L)
{
    struct rt_vm *vm = rt_vm_of(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    rt_park_check(L, "host.call");
    int nargs = lua_gettop(L) - 1;
    struct block *b = lua_newuserdatauv(L, sizeof *b, 0);
    memset(b, 0, sizeof *b);
    b->parent = rt_call_of(L);
    b->nargs = nargs;
    b->start.run = start_block;
    if (rt_call_init(&b->call, vm, RT_JOB, returned, b))
        return luaL_error(L, "not enough memory");
    b->call.patient = true;
    lua_insert(L, 1);
    lua_xmove(L, b->call.co, nargs + 1);
    rt_loop_post(vm->services->loop, &b->start);
    return rt_park(L, "host.call", take_results, (lua_KContext)b);
}

/* host.phase(name, fn, …): fn(…) as if it were called in that phase; it cannot wait. */
static int host_phase(lua_State *L)
{
    static const char *const names[] = { "load", "request", "rule", "job", "console", "channel", NULL };
    struct rt_vm *vm = rt_vm_of(L);
    unsigned before = vm->phase, phase = 1u << luaL_checkoption(L, 1, NULL, names);
    lua_remove(L, 1);
    vm->phase = phase;
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    vm->phase = before;
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

/* host.script(text): the text as a function with the globals of scripts, or nil and what is wrong with it. */
static int host_script(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    if (luaL_loadbufferx(L, text, n, "=script", "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    lua_getfield(L, LUA_REGISTRYINDEX, frozen_globals);
    lua_setupvalue(L, -2, 1);
    return 1;
}

static int require_script(lua_State *L)
{
    rt_vm_require(L, luaL_checkstring(L, 1));
    return 1;
}

/* host.module(name): a file of the app, loaded as the server loads it. */
static int host_module(lua_State *L)
{
    struct rt_vm *vm = rt_vm_of(L);
    unsigned before = vm->phase;
    lua_settop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_getfield(L, LUA_REGISTRYINDEX, frozen_globals);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushcfunction(L, require_script);
    lua_pushvalue(L, 1);
    vm->phase = RT_LOAD;
    int status = lua_pcall(L, 1, 1, 0);
    vm->phase = before;
    lua_pushvalue(L, 2);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return status == LUA_OK ? 1 : lua_error(L);
}

/* All of Lua's libraries in new tables; what they lack is looked up among the globals of scripts. */
static void open_libraries(lua_State *L)
{
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, frozen_globals);
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_newtable(L);
    lua_insert(L, -2);
    lua_setmetatable(L, -2);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    luaL_openlibs(L);
}

/* host.report(line) */
static int host_report(lua_State *L)
{
    size_t n;
    const struct rt_spec_run *run = lua_touserdata(L, lua_upvalueindex(1));
    const char *line = luaL_checklstring(L, 1, &n);
    run->report(run->report_arg, line, n);
    return 0;
}

static void push_host(lua_State *L, const struct rt_spec_run *run)
{
    static const luaL_Reg fns[] = { { "call", host_call },
                                    { "phase", host_phase },
                                    { "script", host_script },
                                    { "module", host_module },
                                    { NULL, NULL } };
    const struct rt_vm *vm = rt_vm_of(L);
    luaL_newlib(L, fns);
    rt_spec_client_open(L, run->server);
    lua_pushlightuserdata(L, (void *)(uintptr_t)run);
    lua_pushcclosure(L, host_report, 1);
    lua_setfield(L, -2, "report");
    lua_pushfstring(L, "%s/%s", run->scripts, vm->services->app->name);
    lua_setfield(L, -2, "folder");
    lua_pushstring(L, run->scripts);
    lua_setfield(L, -2, "scripts");
    lua_getfield(L, LUA_REGISTRYINDEX, frozen_globals);
    lua_setfield(L, -2, "sandbox");
}

/* Leaves busted's main function and its arguments on the call's stack. */
static int prepare(lua_State *L)
{
    struct runner *r = lua_touserdata(L, 1);
    open_libraries(L);
    rt_prelude_load(L, "spec");
    push_host(L, r->run);
    rt_prelude_load(L, "spec_client");
    rt_prelude_load(L, "spec_report");
    lua_createtable(L, r->run->n_args, 0);
    for (int i = 0; i < r->run->n_args; i++) {
        lua_pushstring(L, r->run->args[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_xmove(L, r->call.co, 5);
    return 0;
}

static void finished(struct rt_call *call, int n)
{
    struct runner *r = call->owner;
    char text[1024];
    if (n < 0)
        r->rc = rt_err_set(&r->err, RT_E_INTERNAL, "busted: %s", rt_error_text(call->co, -1, text, sizeof text));
    else if (!lua_toboolean(call->co, -1))
        r->rc = rt_err_set(&r->err, RT_E_INVALID, "specs failed");
    rt_call_end_turn(call, false, NULL);
    rt_loop_stop(call->vm->services->loop);
}

static void start_runner(struct rt_message *m)
{
    struct runner *r = (struct runner *)((char *)m - offsetof(struct runner, start));
    rt_call_start(&r->call, 4);
}

static void each_round(void *arg)
{
    struct runner *r = arg;
    rt_vm_idle(r->vm);
    r->run->server->round(r->run->server->arg);
}

int rt_spec_run(struct rt_vm *vm, const struct rt_spec_run *run, struct rt_err *err)
{
    struct runner r = { .run = run, .vm = vm, .start.run = start_runner };
    if (rt_call_init(&r.call, vm, RT_JOB, finished, &r))
        return rt_err_set(err, RT_E_NOMEM, "no memory for a coroutine");
    r.call.patient = true;
    int rc = rt_vm_protected(vm, RT_LOAD, prepare, &r, err);
    if (rc == 0) {
        rt_loop_each(vm->services->loop, each_round, &r);
        rt_loop_post(vm->services->loop, &r.start);
        rt_loop_run(vm->services->loop);
        rc = r.rc;
        if (rc)
            rt_err_set(err, rc, "%s", r.err.msg);
    }
    rt_call_fini(&r.call);
    return rc;
}
