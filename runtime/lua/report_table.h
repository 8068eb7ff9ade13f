/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports of analytics/ as the tables that scripts get. `names` are the report's measures. */
#ifndef RT_LUA_REPORT_TABLE_H
#define RT_LUA_REPORT_TABLE_H

#include <lua.h>
#include <stdbool.h>

#include "analytics/analytics.h"

/* { <measure> = { total =, days = }, by = { { key =, <measure> = }, … } } */
void rt_report_push(lua_State *L, const struct rt_report *r, const char *const *names);
/* { <measure> = { total =, days =, subjects =, hours =, hour_days = }, details =, detail_count = }; with `keys` also
 * by = { { key =, count =, <measure> = }, … } */
void rt_report_push_group(lua_State *L, const struct rt_report *r, const char *const *names, bool keys);

#endif
