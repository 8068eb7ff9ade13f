/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON that a primitive wrote for a script, as a Lua value. */
#ifndef RT_LUA_DECODE_H
#define RT_LUA_DECODE_H

#include <lua.h>

/* Pushes the value of the JSON text in the state's scratch buffer; raises when that overflowed. */
void rt_decode_scratch(lua_State *L, const char *what);

#endif
