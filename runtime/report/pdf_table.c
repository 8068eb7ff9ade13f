/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables: every row is one line high, so the pages are known before anything is drawn. Rows are loaded as
 * the texts they show, cut to what a line can hold. */
#include <math.h>
#include <stdlib.h>

#include "report/pdf_internal.h"

#define ROW     17.0
#define HEAD    20.0
#define TITLE   24.0
#define PADDING 6.0

#define TEXT_CHAR    4.95 /* a character's usual width */
#define HEADING_CHAR 5.3

enum { SHOWN_UNITS = 200, CHARS_MAX = 60 };

static const struct pdf_style title_style = { .bold = true, .size = 11, .ink = PDF_INK };

/* The row as texts, each at most as long as could be seen. */
static void keep_row(struct pdf *p, struct pdf_table *t, const struct rt_cell *cells)
{
    rt_table_row(&t->rows);
    for (int i = 0; i < t->of->n_columns; i++) {
        struct rt_cell c = cells[i];
        if (c.kind == RT_CELL_TEXT && c.s.n > 4 * SHOWN_UNITS)
            c.s.n = 4 * SHOWN_UNITS;
        rt_buf_reset(&p->shown);
        report__show(&c, t->of->columns[i].type, p->d->zone, &p->shown);
        report__clean(&p->text, (struct rt_str){ p->shown.data, p->shown.len }, SHOWN_UNITS, true);
        struct rt_cell text = { .kind = RT_CELL_TEXT, .s = { p->text.data, p->text.len } };
        int chars = (int)rt_utf8_len(p->text.data ? p->text.data : "", p->text.len);
        if (chars > t->chars[i])
            t->chars[i] = chars;
        rt_table_cell(&t->rows, &text);
    }
    t->n_rows++;
}

/* What a column would like: its longest text or its heading, which is bold. */
static double wish(const struct pdf_table *t, int i)
{
    double heading = (double)rt_utf8_len(t->of->columns[i].title.p, t->of->columns[i].title.n) * HEADING_CHAR;
    double text = (double)(t->chars[i] < CHARS_MAX ? t->chars[i] : CHARS_MAX) * TEXT_CHAR;
    return fmax(fmax(heading, text), 3 * TEXT_CHAR) + 2 * PADDING;
}

/* Where the line is too short, the longest columns give way first: nobody gets more than the share that is left when
 * all smaller wishes are met. Returns that share. */
static double fair_share(const double *wishes, int n, double room)
{
    double share = room / n;
    for (double before = 0; share > before + 0.01;) {
        double small = 0;
        int large = 0;
        for (int i = 0; i < n; i++) {
            large += wishes[i] > share;
            small += wishes[i] > share ? 0 : wishes[i];
        }
        before = share;
        share = large ? (room - small) / large : wishes[0] + room;
    }
    return share;
}

/* A width that the script gives is a wish too. What is left over makes all wider alike. */
static void set_widths(struct pdf_table *t)
{
    double wishes[RT_COLUMNS_MAX], sum = 0;
    int n = t->of->n_columns;
    for (int i = 0; i < n; i++) {
        wishes[i] = t->of->columns[i].width > 0 ? t->of->columns[i].width * TEXT_CHAR + 2 * PADDING : wish(t, i);
        sum += wishes[i];
    }
    double share = sum > PDF_SPAN ? fair_share(wishes, n, PDF_SPAN) : PDF_SPAN, used = 0;
    for (int i = 0; i < n; i++) {
        t->width[i] = fmin(wishes[i], share);
        used += t->width[i];
    }
    for (int i = 0; i < n; i++)
        t->width[i] *= PDF_SPAN / used;
}

int pdf__load_table(struct pdf *p, const struct rt_table *table, const struct rt_source *source, int *rows,
                    struct pdf_table **ret, struct rt_err *err)
{
    struct rt_cell cells[RT_COLUMNS_MAX];
    struct rt_rows reader;
    struct pdf_table *t = calloc(1, sizeof *t);
    *ret = t;
    if (!t)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a table");
    t->of = table;
    t->rows = *table;
    rt_buf_init(&t->rows.tape, RT_TAPE_MAX);
    int rc;
    rt_rows_begin(&reader, table, source);
    while ((rc = rt_rows_next(&reader, cells, err)) > 0) {
        if (++*rows > RT_PDF_ROWS_MAX) {
            rc = rt_err_set(err, RT_E_LIMIT, "a PDF has at most %d rows", RT_PDF_ROWS_MAX);
            break;
        }
        keep_row(p, t, cells);
    }
    rt_rows_end(&reader);
    if (rc == 0 && t->rows.tape.failed)
        rc = rt_err_set(err, RT_E_LIMIT, "the rows of a PDF are longer than %d bytes", RT_TAPE_MAX);
    set_widths(t);
    return rc;
}

void pdf__free_table(struct pdf_table *t)
{
    if (t)
        rt_buf_fini(&t->rows.tape);
    free(t);
}

static void draw_head(struct pdf *p, const struct pdf_table *t)
{
    double x = PDF_LEFT;
    for (int i = 0; i < t->of->n_columns; i++) {
        struct pdf_style style = { .bold = true,
                                   .size = 8,
                                   .ink = PDF_MUTED,
                                   .align = report__right(t->of->columns[i].type) ? PDF_TO_RIGHT : PDF_TO_LEFT };
        pdf__text(p, &style, x + PADDING, p->y + 13, t->width[i] - 2 * PADDING, t->of->columns[i].title);
        x += t->width[i];
    }
    pdf__line(p, PDF_INK, 0.9, PDF_LEFT, PDF_RIGHT, p->y + HEAD - 0.5);
    p->y += HEAD;
}

static void draw_row(struct pdf *p, const struct pdf_table *t, struct rt_rows *reader, int row)
{
    struct rt_cell cells[RT_COLUMNS_MAX];
    double x = PDF_LEFT;
    if (rt_rows_next(reader, cells, NULL) <= 0)
        return;
    if (row % 2)
        pdf__fill(p, PDF_SHADE, PDF_LEFT, p->y, PDF_SPAN, ROW);
    for (int i = 0; i < t->of->n_columns; i++) {
        struct pdf_style style = { .size = 8.5,
                                   .ink = PDF_INK,
                                   .align = report__right(t->of->columns[i].type) ? PDF_TO_RIGHT : PDF_TO_LEFT };
        pdf__text(p, &style, x + PADDING, p->y + 11.8, t->width[i] - 2 * PADDING, cells[i].s);
        x += t->width[i];
    }
}

static void draw_empty(struct pdf *p)
{
    static const struct pdf_style style = { .size = 8.5, .ink = PDF_MUTED };
    pdf__text(p, &style, PDF_LEFT + PADDING, p->y + 11.8, PDF_SPAN, RT_STR("\xE2\x80\x94"));
    p->y += ROW;
}

void pdf__table(struct pdf *p, struct pdf_table *t)
{
    static const struct rt_source nothing;
    struct rt_rows reader;
    bool titled = t->of->title.n > 0;
    pdf__need(p, (titled ? TITLE : 0) + HEAD + (t->n_rows < 3 ? t->n_rows + 1 : 3) * ROW);
    if (titled) {
        pdf__text(p, &title_style, PDF_LEFT, p->y + 13, PDF_SPAN, t->of->title);
        p->y += TITLE;
    }
    draw_head(p, t);
    if (t->n_rows == 0)
        draw_empty(p);
    rt_rows_begin(&reader, &t->rows, &nothing);
    for (int row = 0; row < t->n_rows; row++) {
        if (p->y + ROW > PDF_BOTTOM) {
            pdf__next_page(p);
            draw_head(p, t);
        }
        if (!p->dry)
            draw_row(p, t, &reader, row);
        p->y += ROW;
    }
    pdf__line(p, PDF_RULE, 0.5, PDF_LEFT, PDF_RIGHT, p->y);
    p->y += 26;
}
