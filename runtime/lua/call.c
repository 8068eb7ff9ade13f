/* SPDX-License-Identifier: Apache-2.0
 *
 * Running script code in pooled coroutines. Host functions that wait never pass values through yield:
 * they leave their result where their continuation finds it, so a yield may cross any number of the
 * script's own coroutines (coroutine.c passes it on). */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "events/events.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/query.h"

enum { TRACEBACK_LEVELS = 24, CLOSING_PART = 5 };

struct rt_call *rt_call_of(lua_State *L)
{
    struct rt_call *call = rt_vm_of(L)->call;
    if (!call)
        luaL_error(L, "only while a request or job runs");
    return call;
}

void rt_call_hold(lua_State *L, const char *what, size_t bytes)
{
    struct rt_call *call = rt_call_of(L);
    call->held += bytes;
    if (call->held > RT_CALL_HELD_MAX)
        luaL_error(L, "%s: more than %d bytes would wait for the commit: use several transactions", what,
                   RT_CALL_HELD_MAX);
}

/* Protected, as it may find no memory. */
static int new_coroutine(lua_State *L)
{
    lua_newthread(L);
    lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
    return 1;
}

int rt_call_init(struct rt_call *call, struct rt_vm *vm, unsigned phase, void (*returned)(struct rt_call *, int),
                 void *owner)
{
    memset(call, 0, sizeof *call);
    call->vm = vm;
    call->phase = phase;
    call->returned = returned;
    call->owner = owner;
    call->script = call->last_script = RT_SCRIPT_NONE;
    if (vm->pool.n > 0) {
        call->co_ref = vm->pool.refs[--vm->pool.n];
    } else {
        lua_pushcfunction(vm->L, new_coroutine);
        if (lua_pcall(vm->L, 0, 1, 0) != LUA_OK) {
            lua_pop(vm->L, 1);
            return RT_E_NOMEM;
        }
        call->co_ref = (int)lua_tointeger(vm->L, -1);
        lua_pop(vm->L, 1);
    }
    lua_rawgeti(vm->L, LUA_REGISTRYINDEX, call->co_ref);
    call->co = lua_tothread(vm->L, -1);
    lua_pop(vm->L, 1);
    return 0;
}

/* A script that died may have left values to be closed, whose functions are the script's own: they get a turn. Not
 * after a deadline, which is over for them too; and a short one, as it cannot be interrupted for others. */
static void close_values(struct rt_call *call)
{
    rt_turn_begin(call->vm, call->co);
    rt_turn_limit(call->vm, (uint64_t)call->vm->services->script_ms * 1000000u / CLOSING_PART, 0);
    rt_turn_share(call->vm, true);
    rt_script_begin(call->vm, call->script);
    lua_resetthread(call->co);
    rt_script_end(call->vm);
    rt_turn_end(call->vm);
    if (call->vm->overran)
        rt_script_failed_as(call->vm, call->script, RT_SCRIPT_DEADLINE);
}

void rt_call_fini(struct rt_call *call)
{
    struct rt_vm *vm = call->vm;
    if (!call->co)
        return;
    if (call->interrupted) /* the server ends */
        rt_loop_forget(vm->services->loop, &call->message);
    if (call->slow)
        vm->collected = 0;            /* a collection while it ran found too much in use */
    vm->bombed |= call->no_memory;    /* what it held is garbage from now on */
    rt_hub_ops_cut(&call->ops, NULL); /* its commit failed */
    lua_sethook(call->co, NULL, 0, 0);
    rt_coroutine_wait(call->co, false);
    bool ended = lua_status(call->co) == LUA_OK;
    if (!ended && !call->overran)
        close_values(call);
    if (ended && vm->pool.n < (int)(sizeof vm->pool.refs / sizeof *vm->pool.refs) &&
        lua_resetthread(call->co) == LUA_OK) {
        lua_settop(call->co, 0);
        vm->pool.refs[vm->pool.n++] = call->co_ref;
    } else {
        luaL_unref(vm->L, LUA_REGISTRYINDEX, call->co_ref);
    }
    call->co = NULL;
}

/* Who raised, and whether for want of memory: functions that catch and raise again (db.transaction) hide both. */
static void note_end(struct rt_call *call, int status)
{
    bool raised = status != LUA_OK && status != LUA_YIELD;
    const void *error = raised ? lua_topointer(call->co, -1) : NULL;
    call->last_script = error && error == call->raised ? call->raised_script : call->vm->spending.script;
    call->no_memory = status == LUA_ERRMEM || (raised && lua_type(call->co, -1) == LUA_TSTRING &&
                                               strcmp(lua_tostring(call->co, -1), "not enough memory") == 0);
}

static void resume_message(struct rt_message *m)
{
    rt_call_resume((struct rt_call *)((char *)m - offsetof(struct rt_call, message)));
}

/* Begins a turn: with all its time and as the script it was started as, or as it was when it was interrupted. */
static void begin_turn(struct rt_call *call)
{
    struct rt_vm *vm = call->vm;
    uint64_t limit = (uint64_t)vm->services->script_ms * 1000000u;
    bool again = call->interrupted;
    vm->call = call;
    vm->phase = again ? call->phase_then : call->phase;
    vm->snapshot_checked = false;
    vm->runs++;
    call->parked = call->interrupted = false;
    rt_turn_begin(vm, call->co);
    if (again) {
        vm->log_lines = call->log_lines_then;
        rt_turn_limit(vm, limit, call->spent_ns);
    } else {
        call->spent_ns = 0;
    }
    if (vm->services->share_us)
        rt_turn_share(vm, again);
    rt_script_begin(vm, again ? call->script_then : call->script);
    bool lowered = again && call->memory_then < call->memory_limit;
    vm->memory.limit = lowered ? call->memory_then : call->memory_limit;
}

static void park(struct rt_call *call)
{
    call->parked_at = rt_mono_ns();
    rt_coroutine_wait(call->co, true);
    call->log_id = rt_log_requested();
    rt_log_request(NULL);
}

/* It waits for a later round. One that has a transaction open keeps its app's other writes waiting: it is urgent. The
 * rest of the memory is for those who run meanwhile. */
static void make_room(struct rt_call *call)
{
    struct rt_vm *vm = call->vm;
    size_t limit = (size_t)vm->services->script_mb << 20, most = limit - limit / RT_VM_RESERVE_PART;
    park(call);
    call->interrupted = call->slow = true;
    if (call->memory_limit > most)
        call->memory_limit = most;
    call->message.run = resume_message;
    rt_loop_later(vm->services->loop, &call->message, call->turn);
}

static void run(struct rt_call *call, int nargs)
{
    struct rt_vm *vm = call->vm;
    int n = 0;
    rt_coroutine_wait(call->co, false);
    begin_turn(call);
    int status = lua_resume(call->co, vm->L, nargs, &n);
    rt_script_end(vm);
    rt_turn_end(vm);
    call->overran = vm->overran;
    call->log_lines_then = vm->log_lines;
    call->script_then = vm->spending.script;
    call->phase_then = vm->phase;
    call->spent_ns += vm->spending.turn_ns;
    call->memory_then = vm->memory.limit;
    vm->memory.limit = (size_t)vm->services->script_mb << 20;
    note_end(call, status);
    vm->call = NULL;
    vm->phase = 0;
    if (status == LUA_YIELD && call->interrupted) {
        rt_script_interrupted(vm, call->script_then);
        make_room(call);
        return;
    }
    if (status == LUA_YIELD && call->parked) {
        park(call);
        call->waits++;
        return;
    }
    if (status == LUA_YIELD) {
        lua_pushliteral(call->co, "coroutine.yield outside a coroutine of the script's own");
        status = LUA_ERRRUN;
    }
    call->returned(call, status == LUA_OK ? n : -1);
}

/* A script that has met its deadline lately does not begin before those who wait. */
void rt_call_start(struct rt_call *call, int nargs)
{
    rt_script_called(call->vm, call->script);
    rt_vm_room(call->vm);
    call->memory_limit = rt_script_memory(call->vm, call->script);
    if (call->vm->services->share_us && rt_script_is_suspect(call->vm, call->script)) {
        call->nargs = nargs;
        call->memory_then = call->memory_limit;
        call->script_then = call->script;
        call->phase_then = call->phase;
        make_room(call);
    } else {
        run(call, nargs);
    }
}

void rt_call_resume(struct rt_call *call)
{
    int nargs = call->nargs;
    call->nargs = 0;
    call->parked_ns += rt_mono_ns() - call->parked_at;
    rt_log_request(call->log_id);
    run(call, nargs);
}

bool rt_call_interrupt(lua_State *L)
{
    struct rt_vm *vm = rt_vm_of(L);
    if (!vm->call || vm->fixed || !lua_isyieldable(L))
        return false;
    vm->call->parked = vm->call->interrupted = true;
    return true;
}

void rt_call_post(struct rt_call *call)
{
    call->message.run = resume_message;
    rt_loop_post(call->vm->services->loop, &call->message);
}

void rt_park_check(lua_State *L, const char *what)
{
    struct rt_vm *vm = rt_vm_of(L);
    struct rt_call *call = rt_call_of(L);
    if (vm->phase & (RT_RULE | RT_LOAD))
        luaL_error(L, "%s waits and is not allowed in a rule", what);
    if (call->in_transaction)
        luaL_error(L, "%s waits and is not allowed inside db.transaction: call it before", what);
    if (call->turn)
        luaL_error(L, "%s waits and is not allowed after db.transaction: call it before", what);
    if (!lua_isyieldable(L) || vm->fixed)
        luaL_error(L, "%s waits and is not allowed inside a callback of sort or gsub", what);
    if (call->waits >= RT_CALL_WAITS_MAX && !call->patient && !(call->phase & RT_CONSOLE))
        luaL_error(L, "%s: this call has waited %d times already; hand the rest to timers", what, RT_CALL_WAITS_MAX);
}

int rt_park(lua_State *L, const char *what, lua_KFunction k, lua_KContext ctx)
{
    rt_park_check(L, what);
    rt_call_of(L)->parked = true;
    return lua_yieldk(L, 0, ctx, k);
}

static void turn_granted(struct rt_tx *tx)
{
    struct rt_call *call = (struct rt_call *)((char *)tx - offsetof(struct rt_call, tx));
    call->turn = true;
    rt_call_resume(call);
}

static void commit_effects(struct rt_tx *tx)
{
    struct rt_call *call = (struct rt_call *)((char *)tx - offsetof(struct rt_call, tx));
    struct rt_app_shared *app = call->vm->services->app;
    if (call->revoke)
        atomic_fetch_add(&app->epoch, 1);
    if (call->timer_due && app->timer_set)
        app->timer_set(app->timer_arg, call->timer_due);
    if (call->ops.head)
        rt_hub_post(rt_events_hub(app->events), &call->ops);
    if (call->outbox && app->outbox_set)
        app->outbox_set(app->outbox_arg, (call->outbox & RT_OUTBOX_AGAIN) != 0);
}

/* The turn could not be opened: the parked call goes on without it and finds out. */
static void turn_refused(struct rt_tx *tx, int code)
{
    struct rt_call *call = (struct rt_call *)((char *)tx - offsetof(struct rt_call, tx));
    (void)code;
    rt_call_resume(call);
}

bool rt_call_take_turn(lua_State *L, struct rt_call *call)
{
    if (call->turn)
        return true;
    struct rt_err err;
    call->tx.granted = turn_granted;
    call->tx.effects = commit_effects;
    call->tx.done = turn_refused;
    call->tx.mailbox = call->vm->services->mailbox;
    rt_park_check(L, "db.transaction");
    int rc = rt_tx_begin(call->vm->services->app->writer, &call->tx, &err);
    if (rc < 0)
        luaL_error(L, "the database takes no writes: %s", err.msg);
    call->turn = rc == RT_TX_GRANTED;
    return call->turn;
}

int rt_call_end_turn(struct rt_call *call, bool keep, struct rt_err *err)
{
    if (!call->turn)
        return 0;
    rt_query_reclaim(call->vm);
    bool left = keep && call->in_transaction; /* its function neither returned nor raised */
    if (left) {
        rt_err_set(err, RT_E_INTERNAL, "a coroutine left db.transaction open");
        keep = false;
    }
    call->turn = false;
    call->in_transaction = call->wrote = false;
    call->depth = 0;
    if (!keep) {
        call->revoke = false;
        call->timer_due = 0;
        rt_hub_ops_cut(&call->ops, NULL);
        call->outbox = 0;
    }
    int rc = rt_tx_end(call->vm->services->app->writer, &call->tx, keep, left ? NULL : err);
    return rc ? rc : left ? RT_E_INTERNAL : keep;
}

void rt_traceback(lua_State *L, lua_State *co, const char *message, int level)
{
    lua_Debug ar;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, message);
    luaL_addstring(&b, "\nstack traceback:");
    int last = level + TRACEBACK_LEVELS;
    for (; level < last && lua_getstack(co, level, &ar); level++) {
        lua_getinfo(co, "Sln", &ar);
        lua_pushfstring(L, ar.currentline > 0 ? "\n\t%s:%d: in " : "\n\t%s: in ", ar.short_src, ar.currentline);
        luaL_addvalue(&b);
        if (ar.name)
            lua_pushfstring(L, "%s '%s'", *ar.namewhat ? ar.namewhat : "function", ar.name);
        else if (*ar.what == 'L')
            lua_pushfstring(L, "function <%s:%d>", ar.short_src, ar.linedefined);
        else
            lua_pushstring(L, *ar.what == 'm' ? "main chunk" : "?");
        luaL_addvalue(&b);
    }
    if (level == last)
        luaL_addstring(&b, "\n\t...");
    luaL_pushresult(&b);
}

const char *rt_error_text(lua_State *L, int idx, char *out, size_t size)
{
    idx = lua_absindex(L, idx);
    const char *text = NULL;
    if (lua_type(L, idx) == LUA_TSTRING) {
        text = lua_tostring(L, idx);
    } else if (lua_istable(L, idx)) {
        lua_pushliteral(L, "message");
        lua_rawget(L, idx);
        if (lua_type(L, -1) == LUA_TSTRING)
            text = lua_tostring(L, -1);
        snprintf(out, size, "%s", text ? text : "(a table without a message)");
        lua_pop(L, 1);
        return out;
    }
    snprintf(out, size, "%s", text ? text : lua_typename(L, lua_type(L, idx)));
    return out;
}
