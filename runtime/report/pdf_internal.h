/* SPDX-License-Identifier: Apache-2.0
 *
 * A PDF while it is drawn. Everything is laid out twice by the same functions: `dry` to learn the number of
 * pages, then for ink. Lengths are points, y grows downwards. */
#ifndef RT_REPORT_PDF_INTERNAL_H
#define RT_REPORT_PDF_INTERNAL_H

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "report/pdf.h"
#include "report/report_internal.h"

#define PDF_WIDTH  595.276
#define PDF_HEIGHT 841.89
#define PDF_LEFT   48.0
#define PDF_RIGHT  (PDF_WIDTH - 48.0)
#define PDF_SPAN   (PDF_RIGHT - PDF_LEFT)
#define PDF_TOP    52.0
#define PDF_BOTTOM (PDF_HEIGHT - 64.0)

enum pdf_ink { PDF_INK, PDF_MUTED, PDF_ACCENT, PDF_NEGATIVE, PDF_RULE, PDF_SHADE, PDF_PAPER };
enum pdf_align { PDF_TO_LEFT, PDF_TO_CENTER, PDF_TO_RIGHT };

struct rt_pdf_fonts {
    PangoFontMap *map;
    PangoFontDescription *plain, *bold;
};

/* A table whose rows are all there, measured. */
struct pdf_table {
    const struct rt_table *of;
    struct rt_table rows;
    int n_rows;
    int chars[RT_COLUMNS_MAX];    /* of the longest text of a column */
    double width[RT_COLUMNS_MAX]; /* points */
};

struct pdf {
    const struct rt_document *d;
    struct rt_pdf_fonts *fonts;
    struct rt_spool *out;
    struct rt_err *err;
    int rc; /* of the spool */
    cairo_surface_t *surface;
    cairo_t *cr;
    PangoContext *context;
    PangoLayout *layout;
    struct rt_buf text, shown;
    struct pdf_table *tables[RT_SHEETS_MAX];
    bool dry;
    int page, pages;
    double y;
};

/* pdf_text.c. One line with its baseline at y, inside `width` from x on, cut with an ellipsis. */
struct pdf_style {
    bool bold;
    double size;
    enum pdf_ink ink;
    enum pdf_align align;
};
void pdf__text(struct pdf *p, const struct pdf_style *style, double x, double y, double width, struct rt_str s);
/* The width that the text wants. */
double pdf__measure(struct pdf *p, const struct pdf_style *style, struct rt_str s);
void pdf__fill(struct pdf *p, enum pdf_ink ink, double x, double y, double w, double h);
void pdf__line(struct pdf *p, enum pdf_ink ink, double width, double x1, double x2, double y);
void pdf__open_layout(struct pdf *p);
void pdf__close_layout(struct pdf *p);

/* pdf_chart.c: `height` points high, below p->y. */
void pdf__chart(struct pdf *p, const struct rt_chart *c);

/* pdf_table.c */
int pdf__load_table(struct pdf *p, const struct rt_table *t, const struct rt_source *source, int *rows,
                    struct pdf_table **ret, struct rt_err *err);
void pdf__free_table(struct pdf_table *t);
void pdf__table(struct pdf *p, struct pdf_table *t);

/* pdf.c */
void pdf__next_page(struct pdf *p);
/* Begins a page unless `height` points are left on this one. */
void pdf__need(struct pdf *p, double height);

#endif
