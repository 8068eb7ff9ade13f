/* SPDX-License-Identifier: Apache-2.0
 *
 * A small cache of texts shared by all workers; bounded, entries expire. Any thread. */
#ifndef RT_LUA_CACHE_H
#define RT_LUA_CACHE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct rt_cache;

struct rt_cache *rt_cache_new(size_t max_bytes);
void rt_cache_free(struct rt_cache *c);
/* True and the value appended to `out`. */
bool rt_cache_get(struct rt_cache *c, struct rt_str key, int64_t now, struct rt_buf *out);
/* When it is full everything goes: it is a cache. */
void rt_cache_set(struct rt_cache *c, struct rt_str key, struct rt_str value, int64_t expires);
void rt_cache_clear(struct rt_cache *c);

#endif
