/* SPDX-License-Identifier: Apache-2.0
 *
 * The buffer allocates one byte more than `cap` says, so that rt_buf_cstr() and rt_buf_take() can
 * always terminate, even a buffer that is full to its cap. Growth doubles, bounded by `max`. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAP   256
#define DEFAULT_MAX ((size_t)1 << 30)

void rt_buf_init(struct rt_buf *b, size_t max) { *b = (struct rt_buf){ .max = max ? max : DEFAULT_MAX }; }

void rt_buf_fini(struct rt_buf *b)
{
    free(b->data);
    *b = (struct rt_buf){ 0 };
}

void rt_buf_reset(struct rt_buf *b)
{
    b->len = 0;
    b->failed = false;
}

void rt_buf_cut(struct rt_buf *b, size_t n)
{
    if (n == 0)
        return;
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}

bool rt_buf_grow(struct rt_buf *b, size_t n)
{
    if (b->failed)
        return false;
    if (b->cap - b->len >= n)
        return true;
    if (b->len > b->max || n > b->max - b->len) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + n, cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
    while (cap < need)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap > b->max)
        cap = b->max;
    char *data = realloc(b->data, cap + 1);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void rt_buf_printf(struct rt_buf *b, const char *fmt, ...)
{
    if (b->failed)
        return;
    size_t room = b->data ? b->cap - b->len + 1 : 0;
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(b->data ? b->data + b->len : NULL, room, fmt, ap);
    va_end(ap);
    if (n < 0)
        b->failed = true;
    else if ((size_t)n < room)
        b->len += (size_t)n;
    else if (rt_buf_grow(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

const char *rt_buf_cstr(struct rt_buf *b)
{
    if (b->failed || !b->data)
        return "";
    b->data[b->len] = '\0';
    return b->data;
}

char *rt_buf_take(struct rt_buf *b, size_t *ret_len)
{
    if (b->failed)
        return NULL;
    char *data = b->data ? b->data : malloc(1);
    if (!data)
        return NULL;
    data[b->len] = '\0';
    if (ret_len)
        *ret_len = b->len;
    rt_buf_init(b, b->max);
    return data;
}
