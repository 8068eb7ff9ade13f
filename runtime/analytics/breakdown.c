/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums by detail, of all measures side by side. While cells are added a row is found by hashing its detail;
 * most cells have the detail of the one before, which is asked first. A row's second number is the last
 * subject that had the detail, so that a subject's details are counted without a set for each. In the end it
 * becomes the number of details that the row stands for. */
#include "analytics/analytics_internal.h"

#include <stdlib.h>
#include <string.h>

enum { KEY, MARK, SUMS };

static int64_t *row_at(const struct analytics__details *d, size_t i) { return d->rows + i * d->width; }

static uint32_t *index_of(const struct analytics__details *d, int64_t key)
{
    size_t i = (size_t)((uint64_t)key * 0x9e3779b97f4a7c15u >> 32) & (d->size - 1);
    while (d->index[i] != 0 && row_at(d, d->index[i] - 1)[KEY] != key)
        i = (i + 1) & (d->size - 1);
    return &d->index[i];
}

static int grow(struct analytics__details *d)
{
    size_t size = d->size ? d->size * 2 : 32;
    int64_t *rows = reallocarray(d->rows, size / 2, d->width * sizeof *rows);
    if (!rows)
        return RT_E_NOMEM;
    d->rows = rows;
    uint32_t *index = calloc(size, sizeof *index);
    if (!index)
        return RT_E_NOMEM;
    free(d->index);
    d->index = index;
    d->size = size;
    for (size_t i = 0; i < d->count; i++)
        *index_of(d, row_at(d, i)[KEY]) = (uint32_t)i + 1;
    return 0;
}

int analytics__details_add(struct analytics__details *d, int measure, int64_t detail, int64_t subject, int64_t value)
{
    if (d->count == 0 || row_at(d, d->last)[KEY] != detail) {
        if (d->count >= d->size / 2 && grow(d) < 0)
            return RT_E_NOMEM;
        uint32_t *at = index_of(d, detail);
        if (*at == 0) {
            memset(row_at(d, d->count), 0, d->width * sizeof *d->rows);
            row_at(d, d->count)[KEY] = detail;
            *at = (uint32_t)++d->count;
        }
        d->last = *at - 1;
    }
    int64_t *row = row_at(d, d->last);
    if (__builtin_add_overflow(row[SUMS + measure], value, &row[SUMS + measure]))
        return RT_E_LIMIT;
    int is_new = row[MARK] != subject;
    row[MARK] = subject;
    return is_new;
}

static int by_key(const void *pa, const void *pb)
{
    const int64_t *a = pa, *b = pb;
    return (a[KEY] > b[KEY]) - (a[KEY] < b[KEY]);
}

static int by_first_measure(const void *pa, const void *pb)
{
    const int64_t *a = pa, *b = pb;
    return a[SUMS] != b[SUMS] ? (a[SUMS] > b[SUMS] ? -1 : 1) : by_key(pa, pb);
}

static bool is_empty(const struct analytics__details *d, const int64_t *row)
{
    int64_t any = 0;
    for (size_t m = SUMS; m < d->width; m++)
        any |= row[m];
    return any == 0;
}

int64_t analytics__details_count(const struct analytics__details *d)
{
    int64_t n = 0;
    for (size_t i = 0; i < d->count; i++)
        n += !is_empty(d, row_at(d, i));
    return n;
}

/* Leaves rows with a figure, under their new keys. */
static void rename_rows(struct analytics__details *d, unsigned shift)
{
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        int64_t *row = row_at(d, i);
        if (is_empty(d, row))
            continue;
        row[KEY] >>= shift;
        row[MARK] = 1;
        memmove(row_at(d, n++), row, d->width * sizeof *row);
    }
    d->count = n;
}

/* Neighbours with the same key become one row. */
static int merge(struct analytics__details *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        int64_t *row = row_at(d, i), *before = n > 0 ? row_at(d, n - 1) : NULL;
        if (!before || before[KEY] != row[KEY]) {
            memmove(row_at(d, n++), row, d->width * sizeof *row);
            continue;
        }
        for (size_t m = MARK; m < d->width; m++) {
            if (__builtin_add_overflow(before[m], row[m], &before[m]))
                return RT_E_LIMIT;
        }
    }
    d->count = n;
    return 0;
}

int analytics__details_take(struct analytics__details *d, unsigned shift, int64_t **ret_rows, size_t *ret_count)
{
    int code = 0;
    rename_rows(d, shift);
    if (shift > 0 && d->count > 1) {
        qsort(d->rows, d->count, d->width * sizeof *d->rows, by_key);
        code = merge(d);
    }
    if (code < 0)
        return code;
    if (d->count > 1)
        qsort(d->rows, d->count, d->width * sizeof *d->rows, by_first_measure);
    *ret_rows = d->rows;
    *ret_count = d->count;
    d->rows = NULL;
    return 0;
}

void analytics__details_fini(struct analytics__details *d)
{
    free(d->rows);
    free(d->index);
}
