/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells are written straight to the caller's buffer. Text comes from people and is opened in
 * spreadsheets, so what would start a formula gets an apostrophe; numbers of ours never need it. */
#include "report/csv.h"

#include <math.h>

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
