/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog: one thread that has scripts make room for others after their share of time and ends them past their
 * deadline, for all states. */
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
/* Another limit for the turn that has just begun, and of it what is gone already. */
void rt_turn_limit(struct rt_vm *vm, uint64_t whole_ns, uint64_t spent_ns);
/* The turn of a call that has just begun makes room for others after its share, where it can (rt_call_interrupt).
 * `again`: it has been interrupted before, or may loop; its share is shorter and kept more exactly. */
void rt_turn_share(struct rt_vm *vm, bool again);
bool rt_turn_condemned(struct rt_vm *vm); /* it has had its time and ends at the next instruction */
/* Any thread: ends what runs now or next; until `aborted` is cleared. */
void rt_turn_abort(struct rt_vm *vm);
void rt_turn_end(struct rt_vm *vm);
void rt_turn_switch(struct rt_vm *vm, struct lua_State *L);

#endif
