/* SPDX-License-Identifier: Apache-2.0
 *
 * Most of what a script allocates is small and short-lived, and Lua says the size when it frees, so a
 * piece goes to the list of its size class and comes back from there in a few instructions. Slabs are
 * returned when the state is closed, or when rt_alloc_trim() finds nothing in use on them; larger blocks go to malloc
 * and back at once. A slab begins at a multiple of its size, so that a piece tells whose it is. */
#include "lua/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 16, SMALL = STEP * RT_ALLOC_CLASSES, SLAB_BYTES = 64 << 10 };

struct rt_slab {
    struct rt_slab *next;
    uint32_t handed, idle; /* bytes given out, when it is not the newest; of those, on the lists (rt_alloc_trim) */
    char data[] __attribute__((aligned(16)));
};

static int class_of(size_t n) { return (int)((n + STEP - 1) / STEP) - 1; }

static void *take_fresh(struct rt_alloc *a, size_t n)
{
    if ((size_t)(a->fresh_end - a->fresh) < n) {
        struct rt_slab *s = aligned_alloc(SLAB_BYTES, SLAB_BYTES);
        if (!s)
            return NULL;
        if (a->slabs)
            a->slabs->handed = (uint32_t)(a->fresh - a->slabs->data);
        s->next = a->slabs;
        a->slabs = s;
        a->held += SLAB_BYTES;
        a->fresh = s->data;
        a->fresh_end = (char *)s + SLAB_BYTES;
    }
    void *p = a->fresh;
    a->fresh += n;
    return p;
}

static void *get(struct rt_alloc *a, size_t n)
{
    if (n > SMALL)
        return malloc(n);
    int k = class_of(n);
    void *p = a->free[k];
    if (!p)
        return take_fresh(a, (size_t)(k + 1) * STEP);
    memcpy(&a->free[k], p, sizeof p);
    return p;
}

static void put(struct rt_alloc *a, void *p, size_t n)
{
    if (n > SMALL) {
        free(p);
        return;
    }
    int k = class_of(n);
    memcpy(p, &a->free[k], sizeof p);
    a->free[k] = p;
}

static void *resize(struct rt_alloc *a, void *p, size_t before, size_t after)
{
    if (before > SMALL && after > SMALL)
        return realloc(p, after);
    if (before <= SMALL && after <= SMALL && class_of(before) == class_of(after))
        return p;
    void *q = get(a, after);
    if (!q)
        return NULL;
    memcpy(q, p, before < after ? before : after);
    put(a, p, before);
    return q;
}

void *rt_alloc(void *ud, void *p, size_t before, size_t after)
{
    struct rt_alloc *a = ud;
    if (!p)
        before = 0; /* Lua passes the kind of the object there */
    if (after == 0) {
        if (p)
            put(a, p, before);
        a->used -= before;
        return NULL;
    }
    if (after > before && a->used + (after - before) > a->limit)
        return NULL;
    void *q = p ? resize(a, p, before, after) : get(a, after);
    if (q)
        a->used += after - before;
    return q;
}

static struct rt_slab *slab_of(void *p) { return (struct rt_slab *)((uintptr_t)p & ~(uintptr_t)(SLAB_BYTES - 1)); }

static void *next_of(void *p)
{
    void *next;
    memcpy(&next, p, sizeof next);
    return next;
}

static void count_idle(struct rt_alloc *a)
{
    for (struct rt_slab *s = a->slabs; s; s = s->next)
        s->idle = 0;
    for (int k = 0; k < RT_ALLOC_CLASSES; k++)
        for (void *p = a->free[k]; p; p = next_of(p))
            slab_of(p)->idle += (uint32_t)(k + 1) * STEP;
}

static bool unused(const struct rt_alloc *a, const struct rt_slab *s) { return s != a->slabs && s->idle == s->handed; }

/* Keeps of each list what lies on slabs that stay. */
static void filter_lists(struct rt_alloc *a)
{
    for (int k = 0; k < RT_ALLOC_CLASSES; k++) {
        void *kept = NULL;
        for (void *p = a->free[k], *next; p; p = next) {
            next = next_of(p);
            if (unused(a, slab_of(p)))
                continue;
            memcpy(p, &kept, sizeof kept);
            kept = p;
        }
        a->free[k] = kept;
    }
}

void rt_alloc_trim(struct rt_alloc *a)
{
    if (!a->slabs)
        return;
    count_idle(a);
    filter_lists(a);
    for (struct rt_slab **at = &a->slabs->next; *at;) {
        struct rt_slab *s = *at;
        if (unused(a, s)) {
            *at = s->next;
            a->held -= SLAB_BYTES;
            free(s);
        } else {
            at = &s->next;
        }
    }
}

void rt_alloc_fini(struct rt_alloc *a)
{
    while (a->slabs) {
        struct rt_slab *s = a->slabs;
        a->slabs = s->next;
        free(s);
    }
}
