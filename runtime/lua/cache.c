/* SPDX-License-Identifier: Apache-2.0
 *
 * One lock and one map: what scripts cache is read a few times per request at most. */
#include "lua/cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"

enum { ENTRY_BYTES = 128 }; /* of one beside its text: small ones are many */

struct entry {
    int64_t expires;
    size_t n;
    char data[];
};

struct rt_cache {
    pthread_mutex_t mu;
    struct rt_map map;
    size_t used, max;
};

struct rt_cache *rt_cache_new(size_t max_bytes)
{
    struct rt_cache *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&c->mu, NULL);
    rt_map_init(&c->map);
    c->max = max_bytes;
    return c;
}

void rt_cache_free(struct rt_cache *c)
{
    if (!c)
        return;
    rt_map_fini(&c->map, free);
    pthread_mutex_destroy(&c->mu);
    free(c);
}

bool rt_cache_get(struct rt_cache *c, struct rt_str key, int64_t now, struct rt_buf *out)
{
    pthread_mutex_lock(&c->mu);
    const struct entry *e = rt_map_get(&c->map, key.p, key.n);
    bool found = e && e->expires > now;
    if (found)
        rt_buf_put(out, e->data, e->n);
    pthread_mutex_unlock(&c->mu);
    return found;
}

static void drop_all(struct rt_cache *c)
{
    rt_map_fini(&c->map, free);
    rt_map_init(&c->map);
    c->used = 0;
}

void rt_cache_clear(struct rt_cache *c)
{
    pthread_mutex_lock(&c->mu);
    drop_all(c);
    pthread_mutex_unlock(&c->mu);
}

/* Rather nothing than a text that was replaced. */
static void forget(struct rt_cache *c, struct rt_str key)
{
    pthread_mutex_lock(&c->mu);
    free(rt_map_remove(&c->map, key.p, key.n));
    pthread_mutex_unlock(&c->mu);
}

void rt_cache_set(struct rt_cache *c, struct rt_str key, struct rt_str value, int64_t expires)
{
    size_t bytes = key.n + value.n + ENTRY_BYTES;
    struct entry *e =
        bytes <= c->max / 4 ? malloc(sizeof *e + value.n) : NULL; /* a large one would push out all others */
    if (!e) {
        forget(c, key);
        return;
    }
    e->expires = expires;
    e->n = value.n;
    memcpy(e->data, value.p, value.n);
    void *old = NULL;
    pthread_mutex_lock(&c->mu);
    if (c->used + bytes > c->max)
        drop_all(c);
    if (rt_map_set(&c->map, key.p, key.n, e, &old))
        old = e;
    else
        c->used += bytes;
    pthread_mutex_unlock(&c->mu);
    free(old);
}
