/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing byte buffer with a cap. A write that would pass `max` or that finds no memory sets
 * `failed` and every later write does nothing, so callers check once, at the end. One thread at a time. */
#ifndef RT_BASE_BUF_H
#define RT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct rt_buf {
    char *data; /* not terminated unless rt_buf_cstr() was called */
    size_t len, cap, max;
    bool failed;
};

/* `max` in bytes, 0 = 1 GiB. Allocates nothing yet. */
void rt_buf_init(struct rt_buf *b, size_t max);
/* Releases the memory; the buffer may be used again after rt_buf_init(). */
void rt_buf_fini(struct rt_buf *b);
/* Forgets the content, keeps the memory, clears `failed`. */
void rt_buf_reset(struct rt_buf *b);
/* Drops the first `n` bytes. */
void rt_buf_cut(struct rt_buf *b, size_t n);
/* Makes room for `n` more bytes; false when it cannot (then `failed` is set). */
bool rt_buf_grow(struct rt_buf *b, size_t n);
void rt_buf_printf(struct rt_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Terminates with a NUL that does not count in `len`; "" when it failed. Valid until the next write. */
const char *rt_buf_cstr(struct rt_buf *b);
/* Moves the bytes out (caller frees with free()); the buffer is empty afterwards. NULL when it failed. */
char *rt_buf_take(struct rt_buf *b, size_t *ret_len);

static inline void rt_buf_put(struct rt_buf *b, const void *p, size_t n)
{
    if (b->cap - b->len < n && !rt_buf_grow(b, n))
        return;
    if (!b->failed && n > 0) {
        memcpy(b->data + b->len, p, n);
        b->len += n;
    }
}

static inline void rt_buf_putc(struct rt_buf *b, char c)
{
    if (b->cap - b->len < 1 && !rt_buf_grow(b, 1))
        return;
    if (!b->failed)
        b->data[b->len++] = c;
}

static inline void rt_buf_puts(struct rt_buf *b, const char *s) { rt_buf_put(b, s, strlen(s)); }

#endif
