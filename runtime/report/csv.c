/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells are written straight to the caller's buffer. Text comes from people and is opened in
 * spreadsheets, so what would start a formula gets an apostrophe; numbers of ours never need it. */
#include "report/csv.h"

#include <math.h>

#include "base/clock.h"

enum { FLUSH_BYTES = 64 << 10, GATHER_MAX = 64 << 20 };

void rt_csv_init(struct rt_csv *c, struct rt_buf *out) { *c = (struct rt_csv){ .out = out }; }

static void begin_cell(struct rt_csv *c)
{
    if (c->line_begun)
        rt_buf_putc(c->out, ',');
    c->line_begun = true;
}

/* "-12", "+3.5": digits with an optional sign and fraction. */
static bool plain_number(struct rt_str s)
{
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'), digits = i;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    if (i == digits)
        return false;
    if (i < s.n && s.p[i] == '.') {
        digits = ++i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == digits)
            return false;
    }
    return i == s.n;
}

static bool starts_formula(struct rt_str s)
{
    return s.n > 0 && memchr("=+-@\t\r", s.p[0], 6) != NULL && !plain_number(s);
}

/* ';' and TAB separate cells in the spreadsheets of some countries: quoted, they cannot. */
static bool needs_quotes(struct rt_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (memchr("\",;\r\n\t", s.p[i], 6))
            return true;
    return false;
}

void rt_csv_text(struct rt_csv *c, struct rt_str s)
{
    begin_cell(c);
    bool quotes = needs_quotes(s);
    if (quotes)
        rt_buf_putc(c->out, '"');
    if (starts_formula(s))
        rt_buf_putc(c->out, '\'');
    for (const char *quote; quotes && s.n > 0 && (quote = memchr(s.p, '"', s.n));) {
        size_t n = (size_t)(quote - s.p) + 1;
        rt_buf_put(c->out, s.p, n);
        rt_buf_putc(c->out, '"');
        s.p += n;
        s.n -= n;
    }
    rt_buf_put(c->out, s.p, s.n);
    if (quotes)
        rt_buf_putc(c->out, '"');
}

void rt_csv_int(struct rt_csv *c, int64_t v)
{
    char text[21];
    begin_cell(c);
    rt_buf_put(c->out, text, rt_int_text(v, text));
}

void rt_csv_double(struct rt_csv *c, double v)
{
    char text[32];
    begin_cell(c);
    if (isfinite(v))
        rt_buf_put(c->out, text, v == 0 ? (text[0] = '0', 1) : rt_double_text(v, text));
}

void rt_csv_empty(struct rt_csv *c) { begin_cell(c); }

void rt_csv_end_row(struct rt_csv *c)
{
    rt_buf_put(c->out, "\r\n", 2);
    c->line_begun = false;
}

void rt_csv_cell(struct rt_csv *c, const struct rt_cell *cell)
{
    char iso[RT_ISO_LEN];
    switch (cell->kind) {
    case RT_CELL_EMPTY: rt_csv_empty(c); return;
    case RT_CELL_INT: rt_csv_int(c, cell->i); return;
    case RT_CELL_DOUBLE: rt_csv_double(c, cell->d); return;
    case RT_CELL_BOOL: rt_csv_text(c, rt_str_of(cell->i ? "true" : "false")); return;
    case RT_CELL_TIME:
        rt_iso_write(cell->i, iso);
        rt_csv_text(c, (struct rt_str){ iso, sizeof iso });
        return;
    case RT_CELL_TEXT: rt_csv_text(c, cell->s); return;
    }
}

int rt_csv_flush(struct rt_csv *c, struct rt_spool *out, bool end, struct rt_err *err)
{
    if (c->out->failed)
        return rt_err_set(err, RT_E_LIMIT, "a row is longer than %zu bytes", c->out->max);
    if (c->out->len < FLUSH_BYTES && !end)
        return 0;
    int rc = rt_spool_write(out, c->out->data, c->out->len, err);
    rt_buf_reset(c->out);
    return rc;
}

int rt_csv_write(const struct rt_document *d, const struct rt_source *source, struct rt_spool *out, struct rt_err *err)
{
    const struct rt_table *t = &d->tables[0];
    struct rt_buf b;
    struct rt_csv csv;
    struct rt_rows rows;
    struct rt_cell cells[RT_COLUMNS_MAX];
    int rc;
    rt_buf_init(&b, GATHER_MAX);
    rt_csv_init(&csv, &b);
    for (int i = 0; i < t->n_columns; i++)
        rt_csv_text(&csv, t->columns[i].title);
    rt_csv_end_row(&csv);
    rt_rows_begin(&rows, t, source);
    while ((rc = rt_rows_next(&rows, cells, err)) > 0) {
        for (int i = 0; i < t->n_columns; i++)
            rt_csv_cell(&csv, &cells[i]);
        rt_csv_end_row(&csv);
        rc = rt_csv_flush(&csv, out, false, err);
        if (rc)
            break;
    }
    rt_rows_end(&rows);
    if (rc == 0)
        rc = rt_csv_flush(&csv, out, true, err);
    rt_buf_fini(&b);
    return rc;
}
