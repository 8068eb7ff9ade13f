/* SPDX-License-Identifier: Apache-2.0
 *
 * One Lua state: of one worker, for one app of one release. It owns the sandbox, the memory cap, the
 * pool of coroutines and the connection for reads. Nothing of it is touched by another thread; the
 * watchdog, which ends a script past its deadline, reads a few atomic fields. */
#ifndef RT_LUA_VM_H
#define RT_LUA_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/tree.h"
#include "crypto/password.h"
#include "db/db.h"
#include "db/writer.h"
#include "limit/limit.h"
#include "loop/loop.h"
#include "lua/alloc.h"
#include "lua/script.h"
#include "lua/watchdog.h"

struct rt_app;
struct rt_events;
struct lua_State;
struct rt_call;
struct rt_cache;
struct rt_channels;
struct rt_channel_stats;
struct rt_inbox;
struct rt_report_pool;

/* What all workers' states of one app share; owned by the server. */
struct rt_app_shared {
    char name[64];
    struct rt_writer *writer;
    char db_path[512];
    uint8_t token_key[64];
    size_t token_key_n;
    uint8_t seal_key[32];
    _Atomic uint64_t epoch; /* moves when cached principals must be checked again */
    _Atomic uint64_t lua_errors;
    struct rt_events *events;
    /* After a commit that set or moved a timer: the earliest due time. Committer's thread. */
    void (*timer_set)(void *arg, int64_t due);
    void *timer_arg;
    /* After a commit that put something into the outbox; `again`: older rows became due. Committer's thread. */
    void (*outbox_set)(void *arg, bool again);
    void *outbox_arg;
    bool keep_mail; /* mail is kept to be looked at, not sent */
};

/* What the host gives a state to work with; borrowed. */
struct rt_services {
    struct rt_app_shared *app;
    struct rt_loop *loop;
    struct rt_mailbox *mailbox;
    struct rt_pool *passwords;
    struct rt_report_pool *reports;
    struct rt_limits *limits;
    struct rt_cache *cache;
    struct rt_inbox *inbox;                 /* the worker's, of the hub; NULL without sockets */
    struct rt_channel_stats *channel_stats; /* of this app on this worker */
    double limit_factor;                    /* 0 = limits are off */
    bool strict;                            /* check what could be skipped: development and specs */
    int script_ms, script_mb, statement_ms;
    int share_us; /* a call that has run for so long is interrupted for others on this loop; 0: never */
    /* A setting of the app ("access_seconds") as text, or NULL. */
    const char *(*setting)(void *arg, const char *app, const char *name);
    void *setting_arg;
};

enum { RT_VM_SCRATCH_MAX = 32 << 20, RT_VM_OPEN_MAX = 8, RT_VM_RESERVE_PART = 8 };

struct rt_vm {
    struct lua_State *L;
    const struct rt_services *services;
    struct rt_conn *reader;
    uint64_t snapshot_sequence;
    bool snapshot_checked;
    struct rt_call *call; /* what runs now; NULL while loading */
    struct rt_app *app;   /* the app that was loaded into it, or NULL */
    unsigned phase;
    struct rt_tree *tree;  /* the scripts, for require; dropped when the app is loaded */
    size_t collected;      /* bytes that the last full collection of ours left */
    size_t trimmed;        /* bytes of slabs that the last trim left */
    bool bombed, restless; /* since then a script has met the cap; something has run */
    struct rt_alloc memory;
    uint64_t runs, rested_runs;
    int log_lines; /* that this turn has written (l_log.c) */
    struct {
        int refs[256];
        int n;
    } pool;                               /* idle coroutines */
    struct rt_stmt *open[RT_VM_OPEN_MAX]; /* statements in use by the running host function */
    int n_open;
    struct rt_buf scratch; /* for text on its way into a Lua value */
    struct rt_map principals;
    uint64_t principals_epoch;
    struct rt_channels *channels; /* open sockets (channel.h); NULL before the first */
    struct rt_spending spending;
    int fixed; /* how many coroutines that cannot yield now have resumed one that could */
    /* The watchdog's view. */
    _Atomic bool aborted;  /* rt_turn_abort */
    bool overran;          /* this turn's script met its deadline */
    _Atomic int thread_id; /* the kernel's, of whoever runs it */
    _Atomic(struct lua_State *) running;
    _Atomic uint64_t deadline_ns; /* 0: nothing runs */
    _Atomic uint64_t limit_ns;    /* of processor time, for the turn with that deadline */
    _Atomic uint64_t condemned;   /* the deadline of a turn that has had it */
    _Atomic uint64_t share_end;   /* when it should make room for others; 0: it need not */
    bool short_share, held; /* it is looked at more often than the watchdog does; it had to end where it could not */
    uint64_t whole_ns;      /* what its script has in all, with the turns before it was interrupted */
    uint64_t held_cpu;      /* when it was first seen not to be able to; 0: not yet */
    uint64_t seen_deadline, seen_cpu; /* the watchdog's own */
    struct rt_vm *watch_next;
};

struct rt_vm *rt_vm_of(struct lua_State *L);
/* An empty sandbox with all host libraries. `tree` (referenced) has the files of lib/ and of the app's folder. */
int rt_vm_new(const struct rt_services *services, struct rt_tree *tree, struct rt_vm **ret, struct rt_err *err);
void rt_vm_free(struct rt_vm *vm);

/* Pushes what a file of the app returns, loading it once ("rules.sessions", "lib.pagination"). Lua error on failure. */
int rt_vm_require(struct lua_State *L, const char *name);
/* Runs `f` protected on the main state with a deadline, in `phase`; 0, or RT_E_INVALID with message and
 * traceback, RT_E_NOMEM beyond the cap. */
int rt_vm_protected(struct rt_vm *vm, unsigned phase, int (*f)(struct lua_State *L), void *arg, struct rt_err *err);
/* The whole message of the latest failure of rt_vm_protected(), until the next; NULL before the first. */
const char *rt_vm_failure(struct rt_vm *vm);

/* The connection for reading now: the write connection inside a transaction, else the reader in a
 * snapshot that is not older than the last commit at the start of this turn. NULL with a Lua error. */
struct rt_conn *rt_vm_conn(struct rt_vm *vm, struct lua_State *L);
/* The same, in a snapshot that is not older than the last commit at this moment. */
struct rt_conn *rt_vm_conn_now(struct rt_vm *vm, struct lua_State *L);
void rt_vm_room(struct rt_vm *vm); /* before a call begins: half of the cap is free */
void rt_vm_idle(struct rt_vm *vm); /* at the end of a loop iteration: lets the snapshot go */
void rt_vm_rest(struct rt_vm *vm); /* once a second: after a burst of work its garbage goes, when nothing runs */

void rt_sandbox_open(struct lua_State *L);   /* the bounded standard libraries into the table at the top */
void rt_coroutine_open(struct lua_State *L); /* pushes the host's coroutine library */
/* Replaces the table at the top by a read-only view of it; `what` names it in the message. */
void rt_freeze(struct lua_State *L, const char *what);

#endif
