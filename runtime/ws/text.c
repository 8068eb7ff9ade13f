/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages for many. A server's frames are not masked, so the bytes of a message are the same for everybody and can
 * be made once. */
#include "ws/text.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ws/ws_internal.h"

struct rt_ws_text {
    atomic_uint refs;
    unsigned head; /* bytes of the frame's head */
    size_t n;      /* of head and payload */
    char data[];
};

/* `p` NULL: the payload is written later. */
static struct rt_ws_text *text_new(const char *head, size_t head_n, const char *p, size_t n)
{
    struct rt_ws_text *t = malloc(sizeof *t + head_n + n);
    if (!t)
        return NULL;
    atomic_init(&t->refs, 1);
    t->head = (unsigned)head_n;
    t->n = head_n + n;
    memcpy(t->data, head, head_n);
    if (p && n)
        memcpy(t->data + head_n, p, n);
    return t;
}

struct rt_ws_text *ws__text_frame(enum ws_opcode opcode, const char *p, size_t n)
{
    char head[WS_HEAD_MAX];
    return text_new(head, ws__put_head(head, opcode, n), p, n);
}

struct rt_ws_text *ws__text_raw(struct rt_str bytes) { return text_new("", 0, bytes.p, bytes.n); }

struct rt_ws_text *rt_ws_text_new(const char *p, size_t n) { return ws__text_frame(WS_TEXT, p, n); }

char *rt_ws_text_room(struct rt_ws_text *t) { return t->data + t->head; }

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
    *ret_n = t->n - t->head;
    return t->data + t->head;
}

struct rt_str ws__text_bytes(const struct rt_ws_text *t) { return (struct rt_str){ t->data, t->n }; }
