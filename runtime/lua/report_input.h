/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what a script says about a report into a document. Everything is checked here; misuse raises. */
#ifndef RT_LUA_REPORT_INPUT_H
#define RT_LUA_REPORT_INPUT_H

#include <lua.h>

#include "report/document.h"

/* The table at index 1 as a document of d->kind. */
void rt_report_read(lua_State *L, struct rt_document *d);
/* The value at idx as a cell; false when it cannot be one. The text is borrowed from the value. */
bool rt_report_cell(lua_State *L, int idx, struct rt_cell *ret);

#endif
