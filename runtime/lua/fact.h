/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts as scripts write them: { measure =, kind =, id =, detail =, from =, to =, value = }. */
#ifndef RT_LUA_FACT_H
#define RT_LUA_FACT_H

#include <lua.h>

#include "analytics/analytics.h"

/* Reads the table at `idx`; raises naming the field that is wrong. Its two texts are pushed and borrowed. */
struct rt_fact rt_fact_read(lua_State *L, int idx);

/* A field of the table at `idx`; raises when it is not that. The text stays on the stack; an optional number is 0. */
const char *rt_field_text(lua_State *L, int idx, const char *name);
lua_Integer rt_field_integer(lua_State *L, int idx, const char *name, bool optional);

#endif
