/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog ends scripts that run past their deadline. A permanent count hook would cost half the
 * speed and misses loops inside pcall, so one thread looks every few milliseconds and arms a hook on
 * what runs too long; the hook then raises at every instruction, so no pcall survives it. A hook that
 * arrives late, in the next turn, finds the deadline in the future and removes itself. */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/vm.h"

enum { TICK_NS = 4000000 };

static struct {
    pthread_mutex_t mu;
    pthread_cond_t stop_cond;
    pthread_t thread;
    struct rt_vm *vms;
    bool started, stop;
} dog = { .mu = PTHREAD_MUTEX_INITIALIZER, .stop_cond = PTHREAD_COND_INITIALIZER };

static void over(lua_State *L, lua_Debug *ar)
{
    struct rt_vm *vm = rt_vm_of(L);
    (void)ar;
    uint64_t deadline = atomic_load(&vm->deadline_ns);
    if (deadline == 0 || rt_mono_ns() < deadline) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    luaL_error(L, "the script ran longer than %d ms", vm->services->script_ms);
}

static void look(struct rt_vm *vm, uint64_t now)
{
    uint64_t deadline = atomic_load(&vm->deadline_ns);
    if (deadline == 0 || now < deadline)
        return;
    pthread_mutex_lock(&vm->watch_mu);
    lua_State *L = atomic_load(&vm->running);
    if (L)
        lua_sethook(L, over, LUA_MASKCOUNT, 1);
    pthread_mutex_unlock(&vm->watch_mu);
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
    atomic_store_explicit(&vm->running, L, memory_order_relaxed);
    uint64_t limit = (uint64_t)vm->services->script_ms * 1000000u;
    atomic_store_explicit(&vm->deadline_ns, rt_mono_ns() + limit, memory_order_release);
}

void rt_turn_end(struct rt_vm *vm)
{
    atomic_store_explicit(&vm->deadline_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&vm->running, NULL, memory_order_release);
}

/* An inner coroutine may be collected once it is left, so the switch waits for the watchdog's hands. */
void rt_turn_switch(struct rt_vm *vm, lua_State *L)
{
    pthread_mutex_lock(&vm->watch_mu);
    atomic_store(&vm->running, L);
    pthread_mutex_unlock(&vm->watch_mu);
    uint64_t deadline = atomic_load(&vm->deadline_ns);
    if (deadline != 0 && rt_mono_ns() >= deadline)
        lua_sethook(L, over, LUA_MASKCOUNT, 1);
}
