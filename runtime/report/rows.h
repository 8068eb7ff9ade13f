/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of a table, one at a time: those on its tape and those of its queries, read on a connection of
 * the report thread, so that the longest export is never in memory. */
#ifndef RT_REPORT_ROWS_H
#define RT_REPORT_ROWS_H

#include <stdatomic.h>

#include "db/db.h"
#include "report/document.h"

/* Where a report thread gets rows from, and what ends it early. */
struct rt_source {
    struct rt_conn *conn; /* in a snapshot; NULL when no table has queries */
    uint64_t deadline_ns; /* 0: none */
    const atomic_bool *stop;
};

struct rt_rows {
    const struct rt_table *table;
    const struct rt_source *source;
    size_t at;            /* on the tape */
    struct rt_stmt *stmt; /* the running query */
    int n_map;
    struct {
        short target; /* column of the table */
        short kind;   /* enum rt_cell_kind that integers become */
    } map[RT_COLUMNS_MAX];
    uint64_t count; /* rows so far */
};

void rt_rows_begin(struct rt_rows *r, const struct rt_table *t, const struct rt_source *source);
/* 1 and the next row's cells (t->n_columns, texts valid until the next call), 0 at the end, negative on failure. */
int rt_rows_next(struct rt_rows *r, struct rt_cell *cells, struct rt_err *err);
void rt_rows_end(struct rt_rows *r);

#endif
