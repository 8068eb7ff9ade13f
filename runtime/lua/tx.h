/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a function inside a call's transaction. */
#ifndef RT_LUA_TX_H
#define RT_LUA_TX_H

#include <lua.h>

struct rt_call;

/* The function stands at index 1 and the call holds the turn (else raises: the turn was refused). Calls it
 * with the tx table; on an error its writes are undone and the error goes on. It may be interrupted for others, but
 * neither wait nor yield out. For a C function to return: `return rt_tx_run(L, call)`. */
int rt_tx_run(lua_State *L, struct rt_call *call);
/* The same as a Lua function of one function, for savepoints inside a transaction. */
int rt_tx_nested(lua_State *L);
/* Makes the tx table; once per state. */
void rt_tx_open(lua_State *L);

#endif
