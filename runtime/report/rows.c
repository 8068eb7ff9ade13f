/* SPDX-License-Identifier: Apache-2.0
 *
 * A query's columns become cells without a detour. The suffixes of their names are those of JSON answers:
 * :bool and :time say what an integer means. */
#include "report/rows.h"

#include "base/clock.h"
#include "report/report_internal.h"

enum { LOOK_EVERY = 256 }; /* rows between two looks at the clock */

void rt_rows_begin(struct rt_rows *r, const struct rt_table *t, const struct rt_source *source)
{
    r->table = t;
    r->source = source;
    r->at = 0;
    r->stmt = NULL;
    r->count = 0;
}

void rt_rows_end(struct rt_rows *r)
{
    if (r->stmt)
        rt_stmt_done(r->stmt);
    r->stmt = NULL;
}

/* Takes the suffix off a column's name. */
static struct rt_str name_of(const char *alias, enum rt_cell_kind *ret_kind)
{
    struct rt_str name = rt_str_of(alias);
    *ret_kind = RT_CELL_INT;
    if (name.n <= 5)
        return name;
    struct rt_str suffix = { name.p + name.n - 5, 5 };
    if (rt_str_is(suffix, ":bool"))
        *ret_kind = RT_CELL_BOOL;
    else if (rt_str_is(suffix, ":time"))
        *ret_kind = RT_CELL_TIME;
    else if (!rt_str_is(suffix, ":json"))
        return name;
    name.n -= 5;
    return name;
}

static int target_of(const struct rt_table *t, struct rt_str name)
{
    for (int i = 0; i < t->n_columns; i++)
        if (rt_str_eq(t->columns[i].title, name))
            return i;
    return -1;
}

static int map_columns(struct rt_rows *r, bool by_name, struct rt_err *err)
{
    const struct rt_table *t = r->table;
    r->n_map = rt_stmt_columns(r->stmt);
    if (r->n_map > RT_COLUMNS_MAX || (!by_name && r->n_map != t->n_columns))
        return rt_err_set(err, RT_E_INVALID, "a query with %d columns for a table with %d", r->n_map, t->n_columns);
    for (int i = 0; i < r->n_map; i++) {
        enum rt_cell_kind kind;
        struct rt_str name = name_of(rt_stmt_name(r->stmt, i), &kind);
        int target = by_name ? target_of(t, name) : i;
        if (target < 0)
            return rt_err_set(err, RT_E_INVALID, "a query has the column %.*s, the table does not", (int)name.n,
                              name.p);
        r->map[i].target = (short)target;
        r->map[i].kind = (short)kind;
    }
    return 0;
}

static void bind(struct rt_stmt *s, int i, const struct rt_cell *c)
{
    switch (c->kind) {
    case RT_CELL_EMPTY: rt_bind_null(s, i); return;
    case RT_CELL_DOUBLE: rt_bind_double(s, i, c->d); return;
    case RT_CELL_TEXT: rt_bind_text(s, i, c->s.p, c->s.n); return;
    default: rt_bind_int(s, i, c->i); return;
    }
}

static int begin_query(struct rt_rows *r, bool by_name, struct rt_err *err)
{
    const struct rt_buf *tape = &r->table->tape;
    struct rt_cell sql, params, value;
    if (!rt_tape_cell(tape, &r->at, &sql) || !rt_tape_cell(tape, &r->at, &params))
        return rt_err_set(err, RT_E_INTERNAL, "a broken tape");
    if (!r->source->conn)
        return rt_err_set(err, RT_E_INTERNAL, "a query without a database");
    int rc = rt_conn_prepare(r->source->conn, sql.s.p, sql.s.n, &r->stmt, err);
    if (rc) {
        r->stmt = NULL;
        return rc;
    }
    if (!rt_stmt_readonly(r->stmt))
        return rt_err_set(err, RT_E_INVALID, "a report only reads: %.*s", (int)(sql.s.n < 200 ? sql.s.n : 200),
                          sql.s.p);
    if (rt_stmt_params(r->stmt) != params.i)
        return rt_err_set(err, RT_E_INVALID, "%lld values for %d placeholders in: %.*s", (long long)params.i,
                          rt_stmt_params(r->stmt), (int)(sql.s.n < 200 ? sql.s.n : 200), sql.s.p);
    for (int i = 1; i <= params.i && rt_tape_cell(tape, &r->at, &value); i++)
        bind(r->stmt, i, &value);
    rt_conn_deadline(r->source->conn, r->source->deadline_ns, r->source->stop);
    return map_columns(r, by_name, err);
}

static void take_column(struct rt_rows *r, int i, struct rt_cell *ret)
{
    struct rt_value v;
    rt_col_get(r->stmt, i, &v);
    switch (v.type) {
    case RT_NULL: *ret = (struct rt_cell){ .kind = RT_CELL_EMPTY }; return;
    case RT_INT: *ret = (struct rt_cell){ .kind = (enum rt_cell_kind)r->map[i].kind, .i = v.i }; return;
    case RT_DOUBLE: *ret = (struct rt_cell){ .kind = RT_CELL_DOUBLE, .d = v.d }; return;
    default: *ret = (struct rt_cell){ .kind = RT_CELL_TEXT, .s = { v.p, v.n } }; return;
    }
}

/* 1, or 0 when the query has no more rows. */
static int next_of_query(struct rt_rows *r, struct rt_cell *cells, struct rt_err *err)
{
    int rc = rt_stmt_step(r->stmt, err);
    if (rc == RT_E_INTERRUPTED)
        return rt_err_set(err, rc, "the report took too long");
    if (rc < 0)
        return rc;
    if (rc == RT_STEP_DONE) {
        rt_rows_end(r);
        return 0;
    }
    for (int i = 0; i < r->table->n_columns; i++)
        cells[i] = (struct rt_cell){ .kind = RT_CELL_EMPTY };
    for (int i = 0; i < r->n_map; i++)
        take_column(r, i, &cells[r->map[i].target]);
    return 1;
}

static int next_of_tape(struct rt_rows *r, struct rt_cell *cells)
{
    for (int i = 0; i < r->table->n_columns; i++)
        if (!rt_tape_cell(&r->table->tape, &r->at, &cells[i]))
            return RT_E_INTERNAL;
    return 1;
}

static int look_around(const struct rt_source *s, struct rt_err *err)
{
    if (s->stop && atomic_load_explicit(s->stop, memory_order_relaxed))
        return rt_err_set(err, RT_E_INTERRUPTED, "the server stops");
    if (s->deadline_ns && rt_mono_ns() > s->deadline_ns)
        return rt_err_set(err, RT_E_INTERRUPTED, "the report took too long");
    return 0;
}

int rt_rows_next(struct rt_rows *r, struct rt_cell *cells, struct rt_err *err)
{
    int rc = r->count % LOOK_EVERY == 0 ? look_around(r->source, err) : 0;
    while (rc == 0) {
        if (!r->stmt) {
            if (r->at >= r->table->tape.len)
                return 0;
            char item = r->table->tape.data[r->at++];
            if (item == REPORT_ROW) {
                rc = next_of_tape(r, cells);
                continue;
            }
            rc = begin_query(r, item == REPORT_QUERY_BY_NAME, err);
        }
        if (rc == 0)
            rc = next_of_query(r, cells, err);
    }
    if (rc < 0)
        rt_rows_end(r);
    else
        r->count++;
    return rc;
}
