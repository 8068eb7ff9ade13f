/* SPDX-License-Identifier: Apache-2.0
 *
 * A piece of finished JSON that travels through a script as an opaque value (db.json makes it) and is
 * put into the answer as it is. Owned by the Lua state. */
#ifndef RT_LUA_FRAGMENT_H
#define RT_LUA_FRAGMENT_H

#include <lua.h>
#include <stddef.h>

#define RT_FRAGMENT "rt.fragment"

struct rt_fragment {
    size_t n;
    char data[];
};

/* Copies `n` bytes, which must be one JSON value, and pushes the fragment. May raise for lack of memory. */
void rt_fragment_push(lua_State *L, const char *p, size_t n);
/* NULL when the value is something else. */
const struct rt_fragment *rt_fragment_test(lua_State *L, int idx);

#endif
