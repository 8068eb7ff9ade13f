/* SPDX-License-Identifier: Apache-2.0
 *
 * A script's statement: prepared on the connection that fits now, bound from Lua arguments, errors raised
 * with the statement's text. The statement sits in a userdata, so that a Lua error gives it back. */
#ifndef RT_LUA_QUERY_H
#define RT_LUA_QUERY_H

#include <lua.h>

#include "db/db.h"

/* Takes the SQL at index `first` and its parameters behind it; pushes a guard that gives the statement back when
 * the host function returns or raises.
 * `write`: the statement must be one that changes data (and the call must be in a transaction). */
struct rt_stmt *rt_query_begin(lua_State *L, int first, bool write);
/* Steps; raises on errors. True for a row. */
bool rt_query_step(lua_State *L, struct rt_stmt *s);
/* Once per state. */
void rt_query_open(lua_State *L);

#endif
