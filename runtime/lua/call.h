/* SPDX-License-Identifier: Apache-2.0
 *
 * A call: one run of script code in a coroutine — a request's handler, a timer, a console line. It may
 * be parked (waiting for a turn to write, a password hash) while its worker serves others, and it owns
 * at most one transaction, which ends with it: kept when the code returns, rolled back when it raises. */
#ifndef RT_LUA_CALL_H
#define RT_LUA_CALL_H

#include "lua/vm.h"
#include "ws/hub.h"

/* What a transaction did to the outbox: put rows into it, made older ones due. */
enum { RT_OUTBOX_NEW = 1, RT_OUTBOX_AGAIN = 2 };

/* What a call may heap up outside of its state's memory until the commit, and how often it may wait: a deadline counts
 * for one turn only. */
enum { RT_CALL_HELD_MAX = 16 << 20, RT_CALL_WAITS_MAX = 100 };

struct rt_timer;

struct rt_call {
    struct rt_vm *vm;
    struct lua_State *co;
    int co_ref;
    unsigned phase;
    bool parked;
    bool turn;               /* holds the turn on the write connection */
    bool in_transaction;     /* inside a function given to db.transaction */
    struct lua_State *tx_co; /* the coroutine that runs the innermost one */
    bool wrote;              /* such a function ran in this turn */
    bool read;               /* outside of a turn: it may have seen what is not on disk yet */
    int depth;               /* savepoints inside the turn */
    struct rt_tx tx;
    /* Effects after the commit. */
    bool revoke;
    int64_t timer_due;     /* 0 none */
    struct rt_hub_ops ops; /* events and closings of this transaction */
    unsigned outbox;       /* RT_OUTBOX_NEW, RT_OUTBOX_AGAIN */
    /* Told of each statement that wrote, or NULL. */
    void (*note)(struct lua_State *L, const char *sql, int64_t rows);
    size_t held;                  /* bytes of effects, see rt_call_hold() */
    int waits;                    /* how often it was parked; */
    bool patient;                 /* that has no limit: specs, demo data */
    const struct rt_timer *timer; /* the one that it was started by, or NULL */
    bool overran;                 /* stopped by the watchdog */
    bool no_memory;               /* or by the cap of memory */
    int script;                   /* whose time it takes (script.h): set before it starts, RT_SCRIPT_NONE until then */
    int last_script;              /* whose it was when it stopped */
    const void *raised;           /* an error that passed the script … */
    int raised_script;            /* … of this number, which may reach the call's end through a pcall or two */
    /* Its share of the worker's time was over: it goes on in a later round, as what it was. */
    bool interrupted, slow; /* now; at any time */
    int nargs;              /* when it has not begun */
    int script_then, log_lines_then;
    unsigned phase_then;
    size_t memory_limit, memory_then; /* of the state while it runs; with that of the script that was interrupted */
    uint64_t spent_ns;                /* of its time, until the last interruption since it waited */
    const char *log_id;               /* the request's, for the log, while it is parked */
    uint64_t parked_ns;               /* total time parked, for metrics */
    uint64_t parked_at;
    /* The code has returned (results on co, `n` of them) or raised (n < 0, the error on top of co).
     * Called once; the owner then ends the transaction, takes the results and calls rt_call_fini(). */
    void (*returned)(struct rt_call *call, int n);
    void *owner;
    struct rt_message message; /* to come back to the worker from another thread */
};

/* Takes a coroutine from the pool; push the function and its arguments on call->co, then start. */
int rt_call_init(struct rt_call *call, struct rt_vm *vm, unsigned phase, void (*returned)(struct rt_call *, int),
                 void *owner);
void rt_call_start(struct rt_call *call, int nargs);
/* Continues a parked call, on its worker. */
void rt_call_resume(struct rt_call *call);
/* A call's own coroutine waits: no script resumes or closes it (coroutine.c). */
void rt_coroutine_wait(struct lua_State *co, bool on);
/* For the watchdog's hook: whether the running call can make room for others now; then the hook yields. */
bool rt_call_interrupt(struct lua_State *L);
/* From another thread: continues it on its worker's loop. */
void rt_call_post(struct rt_call *call);
/* Gives the coroutine back. The call's transaction must have ended. */
void rt_call_fini(struct rt_call *call);

/* For host functions: parks the running call; `k` continues when somebody resumes it: `return rt_park(L, …, k, ctx)`.
 * Raises where parking is not allowed (rules, inside or after a transaction); `what` names the function in that. */
int rt_park(struct lua_State *L, const char *what, int (*k)(struct lua_State *L, int status, intptr_t ctx),
            intptr_t ctx);
/* The check of rt_park() alone, before anything is started that cannot be undone. */
void rt_park_check(struct lua_State *L, const char *what);
struct rt_call *rt_call_of(struct lua_State *L); /* raises when nothing runs */
/* Before so many bytes are kept until the commit by `what`; raises when the call has too many. */
void rt_call_hold(struct lua_State *L, const char *what, size_t bytes);

/* Takes the turn for this call (granted → true) or parks it. Continuation `k` runs when it is ours. */
bool rt_call_take_turn(struct lua_State *L, struct rt_call *call);
/* Ends the call's transaction if it holds the turn. keep: 1 when `done` (of call->tx) will follow, 0 when
 * there was nothing to keep, negative on failure (rolled back). */
int rt_call_end_turn(struct rt_call *call, bool keep, struct rt_err *err);

/* The message of the error value at `idx` (a string, or a table's message). With `traceback`, of coroutine co. */
const char *rt_error_text(struct lua_State *L, int idx, char *out, size_t size);
/* Pushes onto L the message and where `co` stands, from `level` on: its innermost functions, as looking for the
 * outermost ones takes long after a deep recursion. */
void rt_traceback(struct lua_State *L, struct lua_State *co, const char *message, int level);

#endif
