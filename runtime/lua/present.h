/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua values as JSON text, shaped by a schema or by themselves. Reads tables raw (no metamethod runs),
 * so a script cannot take part while its answer is written. On the state's thread. */
#ifndef RT_LUA_PRESENT_H
#define RT_LUA_PRESENT_H

#include <lua.h>

#include "base/buf.h"
#include "base/err.h"
#include "lua/schema.h"

enum { RT_PRESENT_DEPTH = 64 };

/* Appends the value at `idx`. With a schema: the declared fields in declared order, a missing one as null (left out
 * when declared with omit), a datetime from unix seconds, a boolean from 0 and 1. Without (NULL), and for `any`: tables
 * with a sequence or marked as array are arrays, other tables objects with sorted keys. Fragments are copied verbatim.
 * RT_E_INVALID names the field that cannot be written, RT_E_LIMIT for a cycle or a full buffer; `out` is then useless.
 * May raise for lack of memory: `out` must be reachable by whoever catches that. */
int rt_present(lua_State *L, int idx, const struct rt_schema *s, struct rt_buf *out, struct rt_err *err);

/* Pushes the metatable that marks a table as array. */
void rt_present_array_mt(lua_State *L);

#endif
