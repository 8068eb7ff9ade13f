/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing with linear probing and backward-shift deletion: no tombstones, so lookups stay short
 * however often entries come and go. Hashes are seeded once per process, because keys come from
 * clients. The table doubles at three quarters full. */
#include "base/map.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"

struct rt_map_entry {
    char *key;
    void *value; /* NULL: the slot is free */
    size_t n;
    uint64_t hash;
};

static uint64_t map_hash(const void *key, size_t n)
{
    static _Atomic uint64_t seed;
    uint64_t s = atomic_load_explicit(&seed, memory_order_relaxed);
    if (s == 0) {
        uint64_t fresh = rt_rand64() | 1;
        s = atomic_compare_exchange_strong(&seed, &s, fresh) ? fresh : s;
    }
    return rt_hash64(key, n, s);
}

void rt_map_init(struct rt_map *m) { *m = (struct rt_map){ 0 }; }

void rt_map_fini(struct rt_map *m, void (*drop)(void *value))
{
    for (size_t i = 0; i < m->size; i++) {
        if (!m->slots[i].value)
            continue;
        if (drop)
            drop(m->slots[i].value);
        free(m->slots[i].key);
    }
    free(m->slots);
    rt_map_init(m);
}

/* The slot that has the key or the free slot where it belongs; the table has a free slot. */
static struct rt_map_entry *find(const struct rt_map *m, const void *key, size_t n, uint64_t hash)
{
    for (size_t i = hash & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
        struct rt_map_entry *e = &m->slots[i];
        if (!e->value || (e->hash == hash && e->n == n && (n == 0 || memcmp(e->key, key, n) == 0)))
            return e;
    }
}

void *rt_map_get(const struct rt_map *m, const void *key, size_t n)
{
    return m->count ? find(m, key, n, map_hash(key, n))->value : NULL;
}

static bool enlarge(struct rt_map *m)
{
    struct rt_map wider = { .count = m->count, .size = m->size ? m->size * 2 : 16 };
    wider.slots = calloc(wider.size, sizeof(*wider.slots));
    if (!wider.slots)
        return false;
    for (size_t i = 0; i < m->size; i++) {
        struct rt_map_entry *e = &m->slots[i];
        if (e->value)
            *find(&wider, e->key, e->n, e->hash) = *e;
    }
    free(m->slots);
    *m = wider;
    return true;
}

int rt_map_set(struct rt_map *m, const void *key, size_t n, void *value, void **ret_old)
{
    if (m->count + 1 > m->size - m->size / 4 && !enlarge(m))
        return RT_E_NOMEM;
    uint64_t hash = map_hash(key, n);
    struct rt_map_entry *e = find(m, key, n, hash);
    void *old = e->value;
    if (!old) {
        char *copy = malloc(n + 1);
        if (!copy)
            return RT_E_NOMEM;
        if (n > 0)
            memcpy(copy, key, n);
        copy[n] = '\0';
        *e = (struct rt_map_entry){ .key = copy, .n = n, .hash = hash };
        m->count++;
    }
    e->value = value;
    if (ret_old)
        *ret_old = old;
    return 0;
}

void *rt_map_remove(struct rt_map *m, const void *key, size_t n)
{
    if (m->count == 0)
        return NULL;
    struct rt_map_entry *hole = find(m, key, n, map_hash(key, n));
    void *old = hole->value;
    if (!old)
        return NULL;
    free(hole->key);
    /* Pull later entries of the run back, as long as that does not put one before its home slot. */
    size_t mask = m->size - 1, gap = (size_t)(hole - m->slots);
    for (size_t i = (gap + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            m->slots[gap] = m->slots[i];
            gap = i;
        }
    }
    m->slots[gap] = (struct rt_map_entry){ 0 };
    m->count--;
    return old;
}

void *rt_map_next(const struct rt_map *m, size_t *pos, const char **ret_key, size_t *ret_n)
{
    while (*pos < m->size) {
        const struct rt_map_entry *e = &m->slots[(*pos)++];
        if (!e->value)
            continue;
        if (ret_key)
            *ret_key = e->key;
        if (ret_n)
            *ret_n = e->n;
        return e->value;
    }
    return NULL;
}
