/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog: one thread that ends scripts past their deadline, for all states. */
#ifndef RT_LUA_WATCHDOG_H
#define RT_LUA_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct lua_State;
struct rt_vm;

int rt_watchdog_start(struct rt_err *err);
void rt_watchdog_stop(void);
void rt_watchdog_add(struct rt_vm *vm);
void rt_watchdog_remove(struct rt_vm *vm);
/* The start and end of a turn of `L`; nestable states switch with rt_turn_switch(). */
void rt_turn_begin(struct rt_vm *vm, struct lua_State *L);
void rt_turn_limit(struct rt_vm *vm, uint64_t limit_ns); /* another limit for the turn that has just begun */
bool rt_turn_condemned(struct rt_vm *vm);                /* it has had its time and ends at the next instruction */
/* Any thread: ends what runs now or next; until `aborted` is cleared. */
void rt_turn_abort(struct rt_vm *vm);
void rt_turn_end(struct rt_vm *vm);
void rt_turn_switch(struct rt_vm *vm, struct lua_State *L);

#endif
