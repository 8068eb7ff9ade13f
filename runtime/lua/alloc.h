/* SPDX-License-Identifier: Apache-2.0
 *
 * The allocator of one Lua state: counts bytes, refuses above a limit, and serves small objects from
 * lists of free pieces. One thread. */
#ifndef RT_LUA_ALLOC_H
#define RT_LUA_ALLOC_H

#include <stddef.h>

enum { RT_ALLOC_CLASSES = 16 }; /* 16, 32, … 256 bytes */

struct rt_alloc {
    size_t used, limit; /* bytes in use by the state, and the most it may use */
    void *free[RT_ALLOC_CLASSES];
    struct rt_slab *slabs;
    char *fresh, *fresh_end; /* the unused part of the newest slab */
    size_t held;             /* bytes of slabs */
};

/* As lua_Alloc; `ud` is a struct rt_alloc, zeroed but for its limit. */
void *rt_alloc(void *ud, void *p, size_t before, size_t after);
/* Gives slabs back on which nothing is in use. Walks all free pieces: for after a large collection. */
void rt_alloc_trim(struct rt_alloc *a);
/* After the state is closed. */
void rt_alloc_fini(struct rt_alloc *a);

#endif
