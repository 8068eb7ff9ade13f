/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash map from byte strings to pointers. Keys are copied, values are the caller's. One thread at a time. */
#ifndef RT_BASE_MAP_H
#define RT_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct rt_map_entry;
struct rt_map {
    struct rt_map_entry *slots;
    size_t count, size;
};

void rt_map_init(struct rt_map *m);
/* Frees keys and table; `drop` (nullable) is called for each value. */
void rt_map_fini(struct rt_map *m, void (*drop)(void *value));
void *rt_map_get(const struct rt_map *m, const void *key, size_t n); /* NULL when absent */
/* Sets and returns the former value through *ret_old (nullable). 0 or RT_E_NOMEM. `value` must not be NULL. */
int rt_map_set(struct rt_map *m, const void *key, size_t n, void *value, void **ret_old);
void *rt_map_remove(struct rt_map *m, const void *key, size_t n); /* the former value or NULL */
/* Iterates: *pos starts at 0; NULL at the end. The map must not change meanwhile. */
void *rt_map_next(const struct rt_map *m, size_t *pos, const char **ret_key, size_t *ret_n);

#endif
