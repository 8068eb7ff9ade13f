/* SPDX-License-Identifier: Apache-2.0
 *
 * How host functions reach scripts. L_FN puts name, signature, documentation and the phases in which a
 * function may be called beside its code; an undocumented one does not compile. From these descriptors
 * come the type stubs, docs/api, the linter's list of globals and the wording of misuse errors. */
#ifndef RT_LUA_API_H
#define RT_LUA_API_H

#include <lauxlib.h>
#include <lua.h>

#include "lua/fn.h"

#define L_FN(id, PHASES, SIG, DOC)                                                                                     \
    static int id##_run(lua_State *L);                                                                                 \
    _Static_assert(sizeof(DOC) > 20, "a host function needs a description");                                           \
    static const struct rt_lua_fn id = { SIG, DOC, PHASES, id##_run, __FILE__, __LINE__ };                             \
    static int id##_run(lua_State *L)

/* Makes the tables of all libraries in the table at the top of the stack. */
void rt_api_open(lua_State *L);

#endif
