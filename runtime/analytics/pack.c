/* SPDX-License-Identifier: Apache-2.0
 *
 * The packed form of one subject's UTC day (layout: analytics_internal.h). One row per day instead of
 * one per slot makes a report a short range scan, and a typical cell takes three bytes. Reading trusts
 * nothing: lengths, order and values are checked, because a blob that was damaged or edited by hand must
 * be an error and not a wrong figure. */
#include "analytics/analytics_internal.h"

#include <stdlib.h>

enum { VERSION = 1, ID_BYTES = 6, SAME_DETAIL = 0x80 };

uint64_t analytics__id(const char *name)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a, folded to 48 bits */
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        h = (h ^ *p) * 1099511628211u;
    return (h ^ h >> 48) & 0xffffffffffffu;
}

int64_t analytics__floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

int analytics__cell_cmp(const struct analytics__cell *a, const struct analytics__cell *b)
{
    if (a->measure != b->measure)
        return a->measure < b->measure ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return (a->detail > b->detail) - (a->detail < b->detail);
}

/* ---- reading ---- */

static bool get_varint(const unsigned char **p, const unsigned char *end, uint64_t *ret)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && *p < end; shift += 7) {
        unsigned char b = *(*p)++;
        if (shift == 63 && b > 1)
            return false;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static bool get_signed(const unsigned char **p, const unsigned char *end, int64_t *ret)
{
    uint64_t v;
    if (!get_varint(p, end, &v))
        return false;
    *ret = (int64_t)(v >> 1 ^ (0 - (v & 1)));
    return true;
}

int analytics__reader_init(struct analytics__reader *r, const void *blob, size_t n)
{
    const unsigned char *p = blob;
    if (n == 0) {
        *r = (struct analytics__reader){ .p = NULL };
        return 0;
    }
    if (p[0] != VERSION)
        return RT_E_INTERNAL;
    *r = (struct analytics__reader){ .p = p + 1, .group_end = p + 1, .end = p + n };
    return 0;
}

int analytics__next_group(struct analytics__reader *r)
{
    uint64_t measure = 0, length;
    r->p = r->group_end;
    if (r->p == r->end)
        return 0;
    if (r->end - r->p < ID_BYTES)
        return RT_E_INTERNAL;
    for (int i = ID_BYTES; i-- > 0;)
        measure = measure << 8 | r->p[i];
    r->p += ID_BYTES;
    if (!get_varint(&r->p, r->end, &length) || length > (uint64_t)(r->end - r->p) || length == 0)
        return RT_E_INTERNAL;
    if (r->started && measure <= r->group)
        return RT_E_INTERNAL;
    r->started = true;
    r->group = measure;
    r->group_end = r->p + length;
    r->slot = -1;
    r->detail = 0;
    return 1;
}

int analytics__next_cell(struct analytics__reader *r, struct analytics__cell *ret)
{
    if (r->p == r->group_end)
        return 0;
    int slot = *r->p & ~SAME_DETAIL;
    bool same = *r->p++ & SAME_DETAIL;
    int64_t detail = r->detail, value;
    if (!same && !get_signed(&r->p, r->group_end, &detail))
        return RT_E_INTERNAL;
    if (!get_signed(&r->p, r->group_end, &value) || value == 0)
        return RT_E_INTERNAL;
    if (slot >= DAY_SLOTS || slot < r->slot || (slot == r->slot && detail <= r->detail))
        return RT_E_INTERNAL;
    r->slot = slot;
    r->detail = detail;
    *ret = (struct analytics__cell){ .measure = r->group, .detail = detail, .value = value, .slot = slot };
    return 1;
}

int analytics__cells_push(struct analytics__cells *list, const struct analytics__cell *cell)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 32;
        struct analytics__cell *items = reallocarray(list->items, cap, sizeof *items);
        if (!items)
            return RT_E_NOMEM;
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = *cell;
    return 0;
}

int analytics__unpack(const void *blob, size_t n, struct analytics__cells *list)
{
    struct analytics__reader r;
    struct analytics__cell cell;
    int got, code = analytics__reader_init(&r, blob, n);
    if (code < 0)
        return code;
    while ((got = analytics__next_group(&r)) > 0) {
        while ((got = analytics__next_cell(&r, &cell)) > 0) {
            code = analytics__cells_push(list, &cell);
            if (code < 0)
                return code;
        }
        if (got < 0)
            return got;
    }
    return got;
}

/* ---- writing ---- */

static size_t put_varint(unsigned char *out, uint64_t v)
{
    size_t n = 0;
    for (; v > 0x7f; v >>= 7)
        out[n++] = (unsigned char)(v | 0x80);
    out[n++] = (unsigned char)v;
    return n;
}

static size_t put_signed(unsigned char *out, int64_t v)
{
    return put_varint(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static size_t put_cell(unsigned char *out, const struct analytics__cell *cell, int64_t detail_before)
{
    size_t n = 1;
    out[0] = (unsigned char)cell->slot;
    if (cell->detail == detail_before)
        out[0] |= SAME_DETAIL;
    else
        n += put_signed(out + n, cell->detail);
    return n + put_signed(out + n, cell->value);
}

/* Writes the cells [i, end) of one measure: twice, first only to learn their length. */
static void put_group(const struct analytics__cell *i, const struct analytics__cell *end, struct rt_buf *out)
{
    unsigned char bytes[32];
    size_t length = 0;
    int64_t detail = 0;
    for (const struct analytics__cell *c = i; c < end; detail = c++->detail)
        length += put_cell(bytes, c, detail);
    for (int b = 0; b < ID_BYTES; b++)
        bytes[b] = (unsigned char)(i->measure >> 8 * b);
    rt_buf_put(out, bytes, ID_BYTES + put_varint(bytes + ID_BYTES, length));
    detail = 0;
    for (const struct analytics__cell *c = i; c < end; detail = c++->detail)
        rt_buf_put(out, bytes, put_cell(bytes, c, detail));
}

void analytics__pack(const struct analytics__cells *list, struct rt_buf *out)
{
    if (list->count > 0)
        rt_buf_putc(out, VERSION);
    for (size_t i = 0, next; i < list->count; i = next) {
        for (next = i + 1; next < list->count && list->items[next].measure == list->items[i].measure;)
            next++;
        put_group(&list->items[i], list->items + next, out);
    }
}
