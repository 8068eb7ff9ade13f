/* SPDX-License-Identifier: Apache-2.0
 *
 * What a loaded app's functions hold in their upvalues: texts that its files have put together while they were
 * loaded, which no reading of the source finds. */
#ifndef RT_LUA_CHECK_VALUES_H
#define RT_LUA_CHECK_VALUES_H

#include <lua.h>

/* Pushes onto `to` { [file] = { [local's name] = text, or { [field] = text } } } of all functions that the modules of
 * the state `from` lead to. A name with several values in its file is false. */
void rt_check_push_values(lua_State *from, lua_State *to);

#endif
