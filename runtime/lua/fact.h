/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts as scripts write them: { measure =, kind =, id =, detail =, from =, to =, value = }. */
#ifndef RT_LUA_FACT_H
#define RT_LUA_FACT_H

#include <lua.h>

#include "analytics/analytics.h"

/* Reads the table at index 1; raises naming the field that is wrong. The texts are borrowed from it. */
struct rt_fact rt_fact_read(lua_State *L);

#endif
