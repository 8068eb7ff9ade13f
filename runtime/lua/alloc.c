/* SPDX-License-Identifier: Apache-2.0
 *
 * Most of what a script allocates is small and short-lived, and Lua says the size when it frees, so a
 * piece goes to the list of its size class and comes back from there in a few instructions. Slabs are
 * returned when the state is closed; larger blocks go to malloc and back at once. */
#include "lua/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 16, SMALL = STEP * RT_ALLOC_CLASSES, SLAB_BYTES = 64 << 10 };

struct rt_slab {
    struct rt_slab *next;
    char data[] __attribute__((aligned(16)));
};

static int class_of(size_t n) { return (int)((n + STEP - 1) / STEP) - 1; }

static void *take_fresh(struct rt_alloc *a, size_t n)
{
    if ((size_t)(a->fresh_end - a->fresh) < n) {
        struct rt_slab *s = malloc(sizeof *s + SLAB_BYTES);
        if (!s)
            return NULL;
        s->next = a->slabs;
        a->slabs = s;
        a->fresh = s->data;
        a->fresh_end = s->data + SLAB_BYTES;
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

void rt_alloc_fini(struct rt_alloc *a)
{
    while (a->slabs) {
        struct rt_slab *s = a->slabs;
        a->slabs = s->next;
        free(s);
    }
}
