/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins the breakdowns of several measures. The entries are sorted by detail and merged in place, which
 * needs no table of details and stays quick for organizations with many members. */
#include <stdlib.h>
#include <string.h>

#include "analytics/analytics.h"

size_t rt_report_details(const struct rt_report *r)
{
    size_t n = 0;
    for (int m = 0; m < r->measures; m++)
        n += r->series[m].details;
    return n;
}

static int by_detail(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = ((const int64_t *)a)[1], y = ((const int64_t *)b)[1];
    return x != y ? (x > y ? -1 : 1) : by_detail(a, b);
}

/* Neighbours of the same detail become one row; rows without any value go. */
static size_t merge(int64_t *rows, size_t n, size_t width)
{
    size_t out = 0;
    for (size_t i = 0; i < n;) {
        int64_t *row = rows + out * width, any = 0;
        memmove(row, rows + i * width, width * sizeof *row);
        for (i++; i < n && rows[i * width] == row[0]; i++)
            for (size_t m = 1; m < width; m++)
                row[m] += rows[i * width + m];
        for (size_t m = 1; m < width; m++)
            any |= row[m];
        out += any != 0;
    }
    return out;
}

size_t rt_report_breakdown(const struct rt_report *r, int64_t *rows)
{
    size_t width = (size_t)r->measures + 1, n = 0;
    int measures = r->measures;
    for (int m = 0; m < measures; m++)
        for (size_t i = 0; i < r->series[m].details; i++, n++) {
            memset(rows + n * width, 0, width * sizeof *rows);
            rows[n * width] = r->series[m].by_detail[i].key;
            rows[n * width + (size_t)m + 1] = r->series[m].by_detail[i].value;
        }
    qsort(rows, n, width * sizeof *rows, by_detail);
    n = merge(rows, n, width);
    qsort(rows, n, width * sizeof *rows, by_value);
    return n;
}
