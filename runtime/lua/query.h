/* SPDX-License-Identifier: Apache-2.0
 *
 * A script's statement: prepared on the connection that fits now, bound from Lua arguments, errors raised
 * with the statement's text. Host functions use at most a few at once and call no script meanwhile. */
#ifndef RT_LUA_QUERY_H
#define RT_LUA_QUERY_H

#include <lua.h>

#include "db/db.h"

struct rt_vm;

/* Takes the SQL at index `first` and its parameters behind it, up to the top of the stack. `write`: it may change data.
 * Give it back with rt_query_end(); whatever raises before that leaves it to rt_query_reclaim(). */
struct rt_stmt *rt_query_begin(lua_State *L, int first, bool write);
/* Steps; raises on errors. True for a row. */
bool rt_query_step(lua_State *L, struct rt_stmt *s);
/* Raises what the database said; a violated constraint as { constraint = true, message = }. */
int rt_query_raise(lua_State *L, const struct rt_err *err);
/* The statement that was begun last. */
void rt_query_end(lua_State *L);
/* Gives back what errors left open: before the connection goes to somebody else. */
void rt_query_reclaim(struct rt_vm *vm);

#endif
