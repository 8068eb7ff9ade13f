/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of a table that a host function was given. Each raises naming the field that is wrong; texts are
 * borrowed from the table and stay on the stack. */
#ifndef RT_LUA_FIELD_H
#define RT_LUA_FIELD_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "zone/zone.h"

const char *rt_field_text(lua_State *L, int idx, const char *name);
lua_Integer rt_field_integer(lua_State *L, int idx, const char *name);
/* False and 0 when there is none. */
bool rt_field_optional_integer(lua_State *L, int idx, const char *name, lua_Integer *ret);
bool rt_field_flag(lua_State *L, int idx, const char *name);
const struct rt_zone *rt_field_zone(lua_State *L, int idx, const char *name);
/* YYYY-MM-DD as a number of days. */
int64_t rt_field_date(lua_State *L, int idx, const char *name);
/* A list of 1 to `max` texts; returns how many. */
int rt_field_texts(lua_State *L, int idx, const char *name, const char **texts, int max);
/* A list of integers, in memory that stays on the stack. NULL when there is none. */
const int64_t *rt_field_integers(lua_State *L, int idx, const char *name, size_t *ret_count);

#endif
