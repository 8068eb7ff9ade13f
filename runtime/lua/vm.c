/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes and closes Lua states. A state's memory is counted by its allocator, which refuses above the
 * cap: Lua then collects, and if that does not help the script gets "not enough memory". */
#include <lualib.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/channel.h"
#include "lua/file.h"
#include "lua/prelude.h"
#include "lua/query.h"
#include "lua/request.h"
#include "lua/tx.h"

int luaopen_cjson(lua_State *L);

/* Nothing protects: the process ends when this returns, and starts again with what is on disk. */
static int panic(lua_State *L)
{
    rt_log(RT_LOG_ERROR, "an error of Lua where nothing can catch it", "error", lua_tostring(L, -1), NULL);
    return 0;
}

/* Registry: the whole text of the latest failure, which may be longer than a struct rt_err holds. The field is there
 * from the start, since setting it must not need memory. */
static const char failure[] = "rt.failure";

/* The globals of scripts: registry field "globals" is the real table, the global table a frozen view. */
static int open_globals(lua_State *L)
{
    /* Lua makes these where nothing is protected (lua_resume); while they exist that takes no memory. */
    static const char *const texts[] = { "C stack overflow", "cannot resume dead coroutine",
                                         "cannot resume non-suspended coroutine", "error in error handling" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lua_pushstring(L, texts[i]);
        luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_pushboolean(L, false);
    lua_setfield(L, LUA_REGISTRYINDEX, failure);
    lua_newtable(L);
    rt_sandbox_open(L);
    rt_api_open(L);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    rt_prelude_open(L);
    rt_freeze(L, "_G");
    lua_pushvalue(L, -1);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pop(L, 1);
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "rt.modules");
    rt_tx_open(L);
    rt_file_open(L);
    rt_request_open(L);
    rt_socket_open(L);
    luaL_requiref(L, "cjson", luaopen_cjson, 0);
    lua_setfield(L, LUA_REGISTRYINDEX, "rt.cjson");
    return 0;
}

struct rt_vm *rt_vm_of(lua_State *L) { return *(struct rt_vm **)lua_getextraspace(L); }

int rt_vm_new(const struct rt_services *services, struct rt_tree *tree, struct rt_vm **ret, struct rt_err *err)
{
    struct rt_vm *vm = calloc(1, sizeof *vm);
    if (!vm)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a Lua state");
    vm->services = services;
    vm->memory.limit = (size_t)services->script_mb << 20;
    vm->tree = rt_tree_ref(tree);
    rt_map_init(&vm->principals);
    rt_buf_init(&vm->scratch, RT_VM_SCRATCH_MAX);
    vm->L = lua_newstate(rt_alloc, &vm->memory);
    if (!vm->L) {
        rt_tree_unref(tree);
        free(vm);
        return rt_err_set(err, RT_E_NOMEM, "no memory for a Lua state");
    }
    *(struct rt_vm **)lua_getextraspace(vm->L) = vm;
    lua_atpanic(vm->L, panic);
    lua_gc(vm->L, LUA_GCGEN, 0, 0);
    rt_watchdog_add(vm);
    int rc = rt_vm_protected(vm, RT_LOAD, open_globals, NULL, err);
    if (rc == 0 && services->app && services->app->db_path[0])
        rc = rt_conn_open(services->app->db_path, RT_CONN_READ, &vm->reader, err);
    if (rc) {
        rt_vm_free(vm);
        return rc;
    }
    *ret = vm;
    return 0;
}

void rt_vm_free(struct rt_vm *vm)
{
    if (!vm)
        return;
    rt_watchdog_remove(vm);
    rt_query_reclaim(vm);
    if (vm->reader)
        rt_conn_release(vm->reader);
    lua_close(vm->L);
    rt_alloc_fini(&vm->memory);
    rt_conn_close(vm->reader);
    rt_map_fini(&vm->principals, free);
    rt_buf_fini(&vm->scratch);
    rt_tree_unref(vm->tree);
    free(vm);
}

static int with_traceback(lua_State *L)
{
    char text[512];
    if (lua_type(L, 1) != LUA_TSTRING)
        lua_pushstring(L, rt_error_text(L, 1, text, sizeof text));
    rt_traceback(L, L, lua_tostring(L, -1), 1);
    return 1;
}

int rt_vm_protected(struct rt_vm *vm, unsigned phase, lua_CFunction f, void *arg, struct rt_err *err)
{
    lua_State *L = vm->L;
    unsigned before = vm->phase;
    vm->phase = phase;
    vm->snapshot_checked = false;
    lua_pushcfunction(L, with_traceback);
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, arg);
    rt_turn_begin(vm, L);
    if (phase & (RT_LOAD | RT_CONSOLE)) /* loading a whole app, counting a whole database: not a request */
        rt_turn_limit(vm, (phase == RT_LOAD ? 2ull : 3600ull) * 1000000000ull, 0);
    int status = lua_pcall(L, 1, 0, -3);
    rt_turn_end(vm);
    lua_sethook(L, NULL, 0, 0);
    vm->phase = before;
    int rc = status == LUA_OK ? 0 : status == LUA_ERRMEM ? RT_E_NOMEM : RT_E_INVALID;
    if (rc)
        rt_err_set(err, rc, "%s", lua_tostring(L, -1));
    if (rc) {
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, failure);
    }
    vm->bombed |= status == LUA_ERRMEM;
    lua_settop(L, status == LUA_OK ? -2 : -3);
    return rc;
}

const char *rt_vm_failure(struct rt_vm *vm)
{
    lua_getfield(vm->L, LUA_REGISTRYINDEX, failure);
    const char *text = lua_tostring(vm->L, -1); /* the registry keeps it */
    lua_pop(vm->L, 1);
    return text;
}

struct rt_conn *rt_vm_conn(struct rt_vm *vm, lua_State *L)
{
    struct rt_writer *w = vm->services->app->writer;
    if (vm->call && vm->call->turn) {
        if (rt_tx_lost(w)) /* a statement now would be a transaction of its own */
            luaL_error(L, "the transaction was rolled back by the database");
        return rt_writer_conn(w);
    }
    if (vm->call)
        vm->call->read = true;
    if (vm->snapshot_checked)
        return vm->reader;
    uint64_t now = w ? rt_writer_sequence(w) : 0;
    if (!rt_conn_in_snapshot(vm->reader) || vm->snapshot_sequence != now) {
        struct rt_err err;
        rt_query_reclaim(vm);
        rt_conn_release(vm->reader);
        vm->snapshot_sequence = now;
        if (rt_conn_snapshot(vm->reader, &err))
            luaL_error(L, "the database cannot be read: %s", err.msg);
    }
    vm->snapshot_checked = true;
    return vm->reader;
}

struct rt_conn *rt_vm_conn_now(struct rt_vm *vm, lua_State *L)
{
    vm->snapshot_checked = false;
    return rt_vm_conn(vm, L);
}

/* Lua's string buffers fail at the limit without a collection, so what a large request left must go before that:
 * whoever comes finds half of the limit free, also below the part that is withheld from who was interrupted. */
void rt_vm_room(struct rt_vm *vm)
{
    struct rt_alloc *m = &vm->memory;
    if (m->used < m->limit / 2 - m->limit / RT_VM_RESERVE_PART || m->used < vm->collected + m->limit / 8)
        return;
    lua_gc(vm->L, LUA_GCCOLLECT);
    vm->collected = m->used;
}

/* What a script took and left goes back to the system, when it was much. */
static void give_back(struct rt_vm *vm)
{
    struct rt_alloc *m = &vm->memory;
    bool swollen = m->held / 4 > m->used && m->held > vm->trimmed + m->limit / 8;
    if (!vm->bombed && !swollen)
        return;
    if (vm->bombed)
        lua_gc(vm->L, LUA_GCCOLLECT);
    rt_alloc_trim(m);
    malloc_trim(0);
    vm->collected = m->used;
    vm->trimmed = m->held;
    vm->bombed = false;
}

void rt_vm_rest(struct rt_vm *vm)
{
    struct rt_alloc *m = &vm->memory;
    bool quiet = vm->runs == vm->rested_runs;
    vm->rested_runs = vm->runs;
    if (!quiet)
        vm->restless = true;
    if (!quiet || !vm->restless)
        return;
    vm->restless = false;
    if (m->used > vm->collected + m->limit / 16)
        vm->bombed = true; /* collected and given back by rt_vm_idle() */
}

void rt_vm_idle(struct rt_vm *vm)
{
    rt_vm_room(vm);
    give_back(vm);
    rt_query_reclaim(vm);
    if (vm->reader && rt_conn_in_snapshot(vm->reader))
        rt_conn_release(vm->reader);
    vm->snapshot_checked = false;
}
