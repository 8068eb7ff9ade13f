/* SPDX-License-Identifier: Apache-2.0
 *
 * One allocation per message, however many sockets send it. */
#include "ws/text.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct rt_ws_text {
    _Atomic unsigned refs;
    size_t n;
    char data[];
};

struct rt_ws_text *rt_ws_text_new(const char *p, size_t n)
{
    struct rt_ws_text *t = malloc(sizeof *t + n);
    if (!t)
        return NULL;
    atomic_init(&t->refs, 1);
    t->n = n;
    if (p && n > 0)
        memcpy(t->data, p, n);
    return t;
}

char *rt_ws_text_room(struct rt_ws_text *t) { return t->data; }

struct rt_ws_text *rt_ws_text_ref(struct rt_ws_text *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void rt_ws_text_unref(struct rt_ws_text *t)
{
    if (t && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
        free(t);
}

const char *rt_ws_text_get(const struct rt_ws_text *t, size_t *ret_n)
{
    *ret_n = t->n;
    return t->data;
}
