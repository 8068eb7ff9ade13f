/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the host that are written in Lua and compiled into it (prelude/). */
#ifndef RT_LUA_PRELUDE_H
#define RT_LUA_PRELUDE_H

#include <lua.h>

/* Runs a prelude file with the plain standard library and pushes what it returns. Lua error on failure. */
void rt_prelude_load(lua_State *L, const char *name);
/* Adds the declaration words and `fail` to the table at the top of the stack. */
void rt_prelude_open(lua_State *L);

#endif
