/* SPDX-License-Identifier: Apache-2.0
 *
 * What scripts cost: each function of an app that the host itself calls has a name and counts its time, its calls and
 * how they failed. A state's thread counts; whoever asks for metrics reads.
 *
 * Time is that of the worker's thread, so waiting while parked is nobody's. A piece of less than a millisecond is taken
 * from the wall's clock, which costs next to nothing to read; of a longer one counts what the thread had of a
 * processor, since it may have been waiting for one.
 *
 * A script that has met its deadline or the cap of memory gets half as long, and half of what is free, the next time,
 * and so on to a sixteenth, until ten seconds after the first time: whoever can make it loop once can do so again and
 * again, at the cost of others. Its calls begin behind what else the worker has to do. */
#ifndef RT_LUA_SCRIPT_H
#define RT_LUA_SCRIPT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_app;
struct rt_call;
struct rt_vm;
struct lua_State;

enum rt_script_kind {
    RT_SCRIPT_ROUTE,
    RT_SCRIPT_RULE,
    RT_SCRIPT_SCOPE,
    RT_SCRIPT_PRINCIPAL,
    RT_SCRIPT_SOCKET,
    RT_SCRIPT_TIMER,
    RT_SCRIPT_WEBHOOK,
    RT_SCRIPT_ENVELOPE
};
enum rt_script_failure { RT_SCRIPT_ERROR, RT_SCRIPT_DEADLINE, RT_SCRIPT_MEMORY, RT_SCRIPT_FAILURES };
enum { RT_SCRIPT_NONE = -1, RT_SCRIPT_HANDLERS = 4 }; /* a socket's: open, message, timeout, closed */

struct rt_script {
    enum rt_script_kind kind;
    char *name; /* "POST /api/v1/tasks/", "task.create", "/ws/room message" */
};

struct rt_scripts {
    struct rt_script *list;
    int n;
};

struct rt_script_stats {
    _Atomic uint64_t ns, calls, interrupted, failed[RT_SCRIPT_FAILURES];
    /* The state's thread only. */
    int strikes;       /* how often it met its deadline or the cap of memory lately, */
    int64_t struck_ms; /* and when the first time was */
};

/* Of a state. */
struct rt_spending {
    struct rt_script_stats *stats; /* [scripts.n], lent by who wants to know; NULL: nothing is counted */
    int script;                    /* whose time it is */
    uint64_t turn_ns;              /* what this turn has had, of all scripts */
    uint64_t since_ns;
};

const char *rt_script_kind_name(enum rt_script_kind kind);
const char *rt_script_failure_name(enum rt_script_failure failure);

/* Names everything that the manifest declares; when routes and timers are loaded. Raises without memory. */
void rt_scripts_load(struct lua_State *L, struct rt_app *app);
void rt_scripts_free(struct rt_scripts *s);
/* Its number, or RT_SCRIPT_NONE. */
int rt_script_find(const struct rt_app *app, enum rt_script_kind kind, const char *name);

/* A turn begins and ends; the time is that script's. */
void rt_script_begin(struct rt_vm *vm, int script);
void rt_script_end(struct rt_vm *vm);
/* Inside of a turn: from now on it is this one's, which is called. Returns whose it was, for rt_script_back(). */
int rt_script_enter(struct rt_vm *vm, int script);
void rt_script_back(struct rt_vm *vm, int script);
bool rt_script_is_suspect(struct rt_vm *vm, int script); /* it has met a limit lately */
/* At how many bytes the state shall be full for a call of that script that begins now. */
size_t rt_script_memory(struct rt_vm *vm, int script);
void rt_script_called(struct rt_vm *vm, int script);
void rt_script_interrupted(struct rt_vm *vm, int script);
/* lua_call() of that script, for callers that no error passes without ending the whole call. */
void rt_script_call(struct lua_State *L, int script, int nargs, int nresults);
/* An error (as lua_topointer has it) leaves the running script and may be caught: the time is `back`'s from now on. If
 * it ends the call all the same, it was this script's. */
void rt_script_left(struct rt_vm *vm, int back, const void *error);
/* A call has raised what is no answer: counted for the script that ran, and for the app. */
void rt_script_failed(struct rt_call *call);
/* The same where there is no call. */
void rt_script_failed_as(struct rt_vm *vm, int script, enum rt_script_failure how);

#endif
