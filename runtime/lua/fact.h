/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts as scripts write them: { measure =, kind =, id =, detail =, from =, to =, value = }. */
#ifndef RT_LUA_FACT_H
#define RT_LUA_FACT_H

#include <lua.h>

#include "analytics/analytics.h"

/* Reads the table at `idx`; raises naming the field that is wrong. Its two texts are pushed and borrowed. */
struct rt_fact rt_fact_read(lua_State *L, int idx);

#endif
