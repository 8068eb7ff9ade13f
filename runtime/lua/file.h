/* SPDX-License-Identifier: Apache-2.0
 *
 * A file as a Lua value: what a handler returns as the answer's body ("file" in `returns`). */
#ifndef RT_LUA_FILE_H
#define RT_LUA_FILE_H

#include <lua.h>

#include "report/spool.h"

struct rt_file {
    char name[128]; /* for Content-Disposition; "" = shown in place */
    char type[96];
    struct rt_spool *bytes;
};

/* Pushes an empty file that will own its bytes: set `bytes` afterwards, nothing in between can lose them. */
struct rt_file *rt_file_push(lua_State *L, const char *name, const char *type);
/* The file at idx or NULL. */
struct rt_file *rt_file_test(lua_State *L, int idx);
void rt_file_open(lua_State *L);

#endif
