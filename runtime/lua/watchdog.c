/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog ends scripts that run past their deadline. A permanent count hook would cost half the
 * speed and misses loops inside pcall, so one thread looks every few milliseconds and sends a signal to
 * the thread of what runs too long; its handler arms a hook that raises at every instruction, so no
 * pcall survives it. A hook that arrives late, in the next turn, finds another deadline and removes
 * itself.
 *
 * Long before its deadline a call makes room for others: the same hook yields, and its worker comes back
 * to it in a later round. Where it cannot yield, as in a callback of sort, it has a part of its time.
 *
 * A script has so much of the processor's time, not of the clock's: on a busy machine an innocent one may
 * wait long for its turn. What burns no time but does not end either has WALL_FACTOR times as much. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/call.h"

enum { TICK_NS = 4000000, WALL_FACTOR = 20, HELD_PART = 4, SHORTER = 5, LOOK_EVERY = 200 /* instructions */ };

static struct {
    pthread_mutex_t mu;
    pthread_cond_t stop_cond;
    pthread_t thread;
    struct rt_vm *vms;
    bool started, stop;
} dog = { .mu = PTHREAD_MUTEX_INITIALIZER, .stop_cond = PTHREAD_COND_INITIALIZER };

static _Thread_local struct rt_vm *turn; /* whose script this thread runs */
static _Thread_local pid_t thread_id;

static void over(lua_State *L, lua_Debug *ar);

bool rt_turn_condemned(struct rt_vm *vm)
{
    uint64_t deadline = atomic_load(&vm->deadline_ns);
    return deadline != 0 && atomic_load(&vm->condemned) == deadline;
}

static void end(lua_State *L, struct rt_vm *vm)
{
    int ms = (int)(vm->whole_ns / (vm->held ? HELD_PART : 1) / 1000000u);
    vm->overran = true;
    if (atomic_load(&vm->aborted))
        luaL_error(L, "interrupted");
    luaL_error(L, "the script ran longer than %d ms%s", ms,
               vm->held ? " where it cannot make room for others, as in a callback of sort" : "");
}

/* It should make room and cannot: that may last for a part of its time. */
static void hold(lua_State *L, struct rt_vm *vm)
{
    uint64_t cpu = rt_thread_cpu_ns();
    if (vm->held_cpu == 0)
        vm->held_cpu = cpu;
    if (cpu - vm->held_cpu < vm->whole_ns / HELD_PART)
        return;
    vm->held = true;
    atomic_store(&vm->condemned, atomic_load(&vm->deadline_ns));
    lua_sethook(L, over, LUA_MASKCOUNT, 1);
    end(L, vm);
}

static void over(lua_State *L, lua_Debug *ar)
{
    struct rt_vm *vm = rt_vm_of(L);
    (void)ar;
    if (rt_turn_condemned(vm))
        end(L, vm);
    uint64_t share_end = atomic_load_explicit(&vm->share_end, memory_order_relaxed);
    bool due = share_end && rt_mono_ns() >= share_end;
    if (!due && !vm->short_share)
        lua_sethook(L, NULL, 0, 0); /* it came late, in the next turn */
    if (!due)
        return;
    lua_sethook(L, over, LUA_MASKCOUNT, LOOK_EVERY);
    if (rt_call_interrupt(L))
        lua_yield(L, 0);
    else
        hold(L, vm);
}

/* On the script's own thread: only there does the list of calls, which lua_sethook() walks, stand still. */
static void arm(int signal)
{
    (void)signal;
    struct rt_vm *vm = turn;
    lua_State *L = vm ? atomic_load(&vm->running) : NULL;
    if (L && (lua_gethook(L) != over || lua_gethookcount(L) != 1))
        lua_sethook(L, over, LUA_MASKCOUNT, 1);
}

/* Of another thread of ours: clock_getcpuclockid(3) for a thread's number. */
static uint64_t cpu_time(pid_t tid)
{
    struct timespec ts;
    clockid_t clock = (clockid_t)((~(unsigned)tid << 3) | 6u);
    return clock_gettime(clock, &ts) ? 0 : (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void alert(pid_t tid) { syscall(SYS_tgkill, getpid(), tid, SIGURG); } /* nobody else uses SIGURG */

static void look(struct rt_vm *vm, uint64_t now)
{
    uint64_t deadline = atomic_load(&vm->deadline_ns);
    pid_t tid = (pid_t)atomic_load(&vm->thread_id);
    if (deadline == 0)
        return;
    if (deadline != vm->seen_deadline) { /* a turn that began since the last look */
        vm->seen_deadline = deadline;
        vm->seen_cpu = cpu_time(tid);
    }
    uint64_t limit = atomic_load(&vm->limit_ns), share_end = atomic_load(&vm->share_end);
    if (share_end && now >= share_end)
        alert(tid);
    if (now < deadline || (cpu_time(tid) - vm->seen_cpu < limit && now < deadline + limit * (WALL_FACTOR - 1)))
        return;
    atomic_store(&vm->condemned, deadline);
    if (rt_turn_condemned(vm))
        alert(tid);
}

static void *watch(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "watchdog");
    pthread_mutex_lock(&dog.mu);
    while (!dog.stop) {
        struct timespec ts;
        clock_gettime(CLOCK_REALTIME, &ts);
        ts.tv_nsec += TICK_NS;
        if (ts.tv_nsec >= 1000000000) {
            ts.tv_sec++;
            ts.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&dog.stop_cond, &dog.mu, &ts);
        uint64_t now = rt_mono_ns();
        for (struct rt_vm *vm = dog.vms; vm; vm = vm->watch_next)
            look(vm, now);
    }
    pthread_mutex_unlock(&dog.mu);
    return NULL;
}

int rt_watchdog_start(struct rt_err *err)
{
    struct sigaction action = { .sa_handler = arm, .sa_flags = SA_RESTART };
    sigaction(SIGURG, &action, NULL);
    dog.stop = false;
    if (pthread_create(&dog.thread, NULL, watch, NULL))
        return rt_err_set(err, RT_E_IO, "cannot start the watchdog thread");
    dog.started = true;
    return 0;
}

void rt_watchdog_stop(void)
{
    if (!dog.started)
        return;
    pthread_mutex_lock(&dog.mu);
    dog.stop = true;
    pthread_cond_signal(&dog.stop_cond);
    pthread_mutex_unlock(&dog.mu);
    pthread_join(dog.thread, NULL);
    dog.started = false;
}

void rt_watchdog_add(struct rt_vm *vm)
{
    pthread_mutex_lock(&dog.mu);
    vm->watch_next = dog.vms;
    dog.vms = vm;
    pthread_mutex_unlock(&dog.mu);
}

void rt_watchdog_remove(struct rt_vm *vm)
{
    pthread_mutex_lock(&dog.mu);
    for (struct rt_vm **at = &dog.vms; *at; at = &(*at)->watch_next)
        if (*at == vm) {
            *at = vm->watch_next;
            break;
        }
    pthread_mutex_unlock(&dog.mu);
}

void rt_turn_begin(struct rt_vm *vm, lua_State *L)
{
    if (thread_id == 0)
        thread_id = (pid_t)syscall(SYS_gettid);
    turn = vm;
    vm->overran = false;
    vm->held = vm->short_share = false;
    vm->fixed = 0;
    vm->held_cpu = 0;
    vm->log_lines = 0;
    atomic_store_explicit(&vm->share_end, 0, memory_order_relaxed);
    atomic_store_explicit(&vm->thread_id, thread_id, memory_order_relaxed);
    atomic_store_explicit(&vm->running, L, memory_order_relaxed);
    rt_turn_limit(vm, (uint64_t)vm->services->script_ms * 1000000u, 0);
    if (atomic_load_explicit(&vm->aborted, memory_order_relaxed)) {
        atomic_store(&vm->condemned, atomic_load(&vm->deadline_ns));
        lua_sethook(L, over, LUA_MASKCOUNT, 1);
    }
}

void rt_turn_limit(struct rt_vm *vm, uint64_t whole_ns, uint64_t spent_ns)
{
    uint64_t limit_ns = whole_ns > spent_ns ? whole_ns - spent_ns : 1;
    vm->whole_ns = whole_ns;
    atomic_store_explicit(&vm->limit_ns, limit_ns, memory_order_relaxed);
    atomic_store_explicit(&vm->deadline_ns, rt_mono_ns() + limit_ns, memory_order_release);
}

void rt_turn_share(struct rt_vm *vm, bool again)
{
    uint64_t began = atomic_load(&vm->deadline_ns) - atomic_load(&vm->limit_ns);
    uint64_t share_ns = (uint64_t)vm->services->share_us * 1000u / (again ? SHORTER : 1);
    atomic_store_explicit(&vm->share_end, began + share_ns, memory_order_relaxed);
    vm->short_share = again || share_ns < TICK_NS;
    if (vm->short_share)
        lua_sethook(atomic_load(&vm->running), over, LUA_MASKCOUNT, LOOK_EVERY);
}

void rt_turn_abort(struct rt_vm *vm)
{
    atomic_store(&vm->aborted, true);
    pthread_mutex_lock(&dog.mu); /* the next look may be 4 ms away, and it does not know of this */
    uint64_t deadline = atomic_load(&vm->deadline_ns);
    if (deadline) {
        atomic_store(&vm->condemned, deadline);
        alert((pid_t)atomic_load(&vm->thread_id));
    }
    pthread_mutex_unlock(&dog.mu);
}

void rt_turn_end(struct rt_vm *vm)
{
    atomic_store_explicit(&vm->deadline_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&vm->running, NULL, memory_order_release);
    turn = NULL;
}

void rt_turn_switch(struct rt_vm *vm, lua_State *L)
{
    atomic_store(&vm->running, L);
    if (rt_turn_condemned(vm))
        lua_sethook(L, over, LUA_MASKCOUNT, 1);
    else if (vm->short_share && lua_gethook(L) != over)
        lua_sethook(L, over, LUA_MASKCOUNT, LOOK_EVERY);
}
