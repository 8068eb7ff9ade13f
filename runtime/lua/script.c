/* SPDX-License-Identifier: Apache-2.0
 *
 * The processor's clock costs as much as a small rule, so it is read for long pieces only: what such a piece had is at
 * most what the thread has had since the clock was read last, which is never long ago. */
#include "lua/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/app.h"
#include "lua/call.h"

enum { LONG_NS = 1000000, MARK_NS = 10000000, STRIKES_MAX = 4, FORGIVEN_MS = 10000 };

static _Thread_local struct {
    uint64_t wall, cpu;
} mark; /* when this thread looked at the processor's clock, and what it said */

/* Returns what the thread has had since the last look. */
static uint64_t look(uint64_t now)
{
    uint64_t cpu = rt_thread_cpu_ns(), had = cpu - mark.cpu;
    mark.wall = now;
    mark.cpu = cpu;
    return had;
}

static void add(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

/* The piece since `since_ns` was the current script's. */
static void settle(struct rt_spending *s)
{
    uint64_t now = rt_mono_ns(), piece = now - s->since_ns;
    if (piece >= LONG_NS) {
        uint64_t had = look(now);
        piece = had < piece ? had : piece;
    }
    if (s->stats && s->script != RT_SCRIPT_NONE)
        add(&s->stats[s->script].ns, piece);
    s->turn_ns += piece;
    s->since_ns = now;
}

/* Its numbers when it has met a limit lately, else NULL. */
static struct rt_script_stats *suspect(struct rt_vm *vm, int script)
{
    struct rt_script_stats *s = vm->spending.stats && script != RT_SCRIPT_NONE ? &vm->spending.stats[script] : NULL;
    if (!s || s->strikes == 0)
        return NULL;
    if (rt_now_ms() - s->struck_ms <= FORGIVEN_MS)
        return s;
    s->strikes = 0;
    return NULL;
}

bool rt_script_is_suspect(struct rt_vm *vm, int script) { return suspect(vm, script) != NULL; }

size_t rt_script_memory(struct rt_vm *vm, int script)
{
    const struct rt_script_stats *s = suspect(vm, script);
    size_t limit = (size_t)vm->services->script_mb << 20, used = vm->memory.used;
    if (!s || used >= limit)
        return limit;
    size_t more = (limit - used) >> s->strikes, least = limit >> STRIKES_MAX; /* others may have filled it just now */
    more = more > least ? more : least;
    return used + more < limit ? used + more : limit;
}

/* The time of the turn that runs, which never gets longer by that. */
static void shorten(struct rt_vm *vm, int script)
{
    const struct rt_script_stats *s = suspect(vm, script);
    if (!s)
        return;
    uint64_t whole = (uint64_t)vm->services->script_ms * 1000000u >> s->strikes;
    uint64_t spent = vm->call ? vm->call->spent_ns : 0;
    if (vm->spending.since_ns + whole < atomic_load(&vm->deadline_ns) + spent)
        rt_turn_limit(vm, whole, spent);
    if (vm->call && vm->services->share_us)
        rt_turn_share(vm, true);
}

static void strike(struct rt_script_stats *s)
{
    if (s->strikes == 0) /* what fails for want of what it has lost by that does not prolong it */
        s->struck_ms = rt_now_ms();
    s->strikes += s->strikes < STRIKES_MAX;
}

void rt_script_begin(struct rt_vm *vm, int script)
{
    struct rt_spending *s = &vm->spending;
    s->script = script;
    s->turn_ns = 0;
    s->since_ns = rt_mono_ns();
    if (s->since_ns - mark.wall > MARK_NS)
        look(s->since_ns);
    shorten(vm, script);
}

void rt_script_end(struct rt_vm *vm) { settle(&vm->spending); }

void rt_script_called(struct rt_vm *vm, int script)
{
    if (vm->spending.stats && script != RT_SCRIPT_NONE)
        add(&vm->spending.stats[script].calls, 1);
}

void rt_script_interrupted(struct rt_vm *vm, int script)
{
    if (vm->spending.stats && script != RT_SCRIPT_NONE)
        add(&vm->spending.stats[script].interrupted, 1);
}

void rt_script_back(struct rt_vm *vm, int script)
{
    settle(&vm->spending);
    if (vm->call)
        vm->memory.limit = vm->call->memory_limit;
    vm->spending.script = script;
}

int rt_script_enter(struct rt_vm *vm, int script)
{
    int before = vm->spending.script;
    rt_script_back(vm, script);
    rt_script_called(vm, script);
    shorten(vm, script);
    size_t limit = rt_script_memory(vm, script);
    if (limit < vm->memory.limit)
        vm->memory.limit = limit;
    return before;
}

void rt_script_left(struct rt_vm *vm, int back, const void *error)
{
    if (vm->call && error && vm->spending.script != back) {
        vm->call->raised = error;
        vm->call->raised_script = vm->spending.script;
    }
    rt_script_back(vm, back);
}

void rt_script_call(lua_State *L, int script, int nargs, int nresults)
{
    struct rt_vm *vm = rt_vm_of(L);
    int before = rt_script_enter(vm, script);
    lua_call(L, nargs, nresults);
    rt_script_back(vm, before);
}

void rt_script_failed_as(struct rt_vm *vm, int script, enum rt_script_failure how)
{
    atomic_fetch_add(&vm->services->app->lua_errors, 1);
    struct rt_script_stats *s = vm->spending.stats && script != RT_SCRIPT_NONE ? &vm->spending.stats[script] : NULL;
    if (!s)
        return;
    add(&s->failed[how], 1);
    if (how != RT_SCRIPT_ERROR)
        strike(s);
}

void rt_script_failed(struct rt_call *call)
{
    rt_script_failed_as(call->vm, call->last_script,
                        call->overran     ? RT_SCRIPT_DEADLINE
                        : call->no_memory ? RT_SCRIPT_MEMORY
                                          : RT_SCRIPT_ERROR);
}

const char *rt_script_kind_name(enum rt_script_kind kind)
{
    static const char *const names[] = {
        "route", "rule", "scope", "principal", "socket", "timer", "webhook", "envelope"
    };
    return names[kind];
}

const char *rt_script_failure_name(enum rt_script_failure failure)
{
    static const char *const names[] = { "error", "deadline", "memory" };
    return names[failure];
}

int rt_script_find(const struct rt_app *app, enum rt_script_kind kind, const char *name)
{
    for (int i = 0; name && app && i < app->scripts.n; i++)
        if (app->scripts.list[i].kind == kind && strcmp(app->scripts.list[i].name, name) == 0)
            return i;
    return RT_SCRIPT_NONE;
}

/* Its number; a name that several routes share is one script. */
static int name_it(lua_State *L, struct rt_app *app, enum rt_script_kind kind, const char *before, const char *name)
{
    char text[512];
    if (!name)
        return RT_SCRIPT_NONE;
    snprintf(text, sizeof text, "%s%s%s", before, *before ? " " : "", name);
    int found = rt_script_find(app, kind, text);
    if (found != RT_SCRIPT_NONE)
        return found;
    struct rt_scripts *s = &app->scripts;
    struct rt_script *list = realloc(s->list, (size_t)(s->n + 1) * sizeof *list);
    char *copy = strdup(text);
    s->list = list ? list : s->list;
    if (!list || !copy) {
        free(copy);
        luaL_error(L, "not enough memory");
    }
    list[s->n] = (struct rt_script){ kind, copy };
    return s->n++;
}

static void name_route(lua_State *L, struct rt_app *app, struct rt_route *r)
{
    static const char *const handlers[RT_SCRIPT_HANDLERS] = { "open", "message", "timeout", "closed" };
    r->script = name_it(L, app, RT_SCRIPT_ROUTE, r->method, r->path);
    r->rule_script = name_it(L, app, RT_SCRIPT_RULE, "", r->can);
    r->scope_script = name_it(L, app, RT_SCRIPT_SCOPE, "", r->within);
    r->principal_script = name_it(L, app, RT_SCRIPT_PRINCIPAL, "", r->anyone ? NULL : r->who);
    for (int i = 0; r->socket && i < RT_SCRIPT_HANDLERS; i++)
        r->handler_script[i] = name_it(L, app, RT_SCRIPT_SOCKET, r->path, handlers[i]);
}

void rt_scripts_load(lua_State *L, struct rt_app *app)
{
    for (int i = 0; i < app->n_routes; i++)
        name_route(L, app, &app->routes[i]);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->timers_ref);
    for (lua_pushnil(L); lua_istable(L, -2) && lua_next(L, -2); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING)
            name_it(L, app, RT_SCRIPT_TIMER, "", lua_tostring(L, -2));
    lua_pop(L, lua_istable(L, -1) ? 1 : 2);
    app->envelope_script = name_it(L, app, RT_SCRIPT_ENVELOPE, "", "envelope");
    app->webhook_script = app->webhooks_ref > 0 ? name_it(L, app, RT_SCRIPT_WEBHOOK, "", "build") : RT_SCRIPT_NONE;
}

void rt_scripts_free(struct rt_scripts *s)
{
    for (int i = 0; i < s->n; i++)
        free(s->list[i].name);
    free(s->list);
}
