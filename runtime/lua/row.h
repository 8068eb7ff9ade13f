/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a statement, as JSON straight from the columns or as Lua tables. The columns' aliases shape
 * them: "project.id" nests one level (a group whose first column is NULL is null), the suffixes :bool,
 * :time (Unix seconds to ISO 8601) and :json (text that is JSON already) convert. */
#ifndef RT_LUA_ROW_H
#define RT_LUA_ROW_H

#include <lua.h>

#include "base/buf.h"
#include "db/db.h"

struct rt_plan;

/* The statement's plan, made at its first use and kept with it; NULL without memory. */
const struct rt_plan *rt_row_plan(struct rt_stmt *s);
/* Appends the current row as a JSON object. */
void rt_row_json(const struct rt_plan *plan, struct rt_stmt *s, struct rt_buf *out);
/* Pushes the current row as a table; NULL columns are absent, :time stays a number. */
void rt_row_push(lua_State *L, const struct rt_plan *plan, struct rt_stmt *s);
/* Pushes one column's value (nil for NULL). */
void rt_row_push_column(lua_State *L, const struct rt_plan *plan, struct rt_stmt *s, int col);

#endif
