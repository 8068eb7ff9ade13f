/* SPDX-License-Identifier: Apache-2.0
 *
 * Pango shapes and orders text of any script; one layout object serves every line of a document. */
#include "report/pdf_internal.h"

enum { TEXT_UNITS = 300 }; /* no line on A4 shows more */

static const double inks[][3] = {
    [PDF_INK] = { 0.12, 0.16, 0.21 },    [PDF_MUTED] = { 0.40, 0.45, 0.52 },
    [PDF_ACCENT] = { 0.17, 0.38, 0.61 }, [PDF_NEGATIVE] = { 0.72, 0.25, 0.20 },
    [PDF_RULE] = { 0.84, 0.87, 0.90 },   [PDF_SHADE] = { 0.955, 0.965, 0.975 },
    [PDF_PAPER] = { 1, 1, 1 },
};

static void set_ink(struct pdf *p, enum pdf_ink ink)
{
    cairo_set_source_rgb(p->cr, inks[ink][0], inks[ink][1], inks[ink][2]);
}

void pdf__open_layout(struct pdf *p)
{
    p->context = pango_font_map_create_context(p->fonts->map);
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(p->context, o);
    cairo_font_options_destroy(o);
    pango_cairo_context_set_resolution(p->context, 72); /* a point is a unit of the page */
    pango_context_set_round_glyph_positions(p->context, FALSE);
    pango_context_set_language(p->context, pango_language_from_string("en"));
    p->layout = pango_layout_new(p->context);
    pango_layout_set_single_paragraph_mode(p->layout, TRUE);
    pango_layout_set_ellipsize(p->layout, PANGO_ELLIPSIZE_END);
}

void pdf__close_layout(struct pdf *p)
{
    if (p->layout)
        g_object_unref(p->layout);
    if (p->context)
        g_object_unref(p->context);
}

static void set_text(struct pdf *p, const struct pdf_style *style, struct rt_str s)
{
    PangoFontDescription *font = style->bold ? p->fonts->bold : p->fonts->plain;
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_layout_set_font_description(p->layout, font);
    report__clean(&p->text, s, TEXT_UNITS, true);
    pango_layout_set_text(p->layout, p->text.data ? p->text.data : "", (int)p->text.len);
}

double pdf__measure(struct pdf *p, const struct pdf_style *style, struct rt_str s)
{
    int width;
    set_text(p, style, s);
    pango_layout_set_width(p->layout, -1);
    pango_layout_get_size(p->layout, &width, NULL);
    return (double)width / PANGO_SCALE;
}

void pdf__text(struct pdf *p, const struct pdf_style *style, double x, double y, double width, struct rt_str s)
{
    static const PangoAlignment sides[] = { PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER, PANGO_ALIGN_RIGHT };
    if (p->dry || s.n == 0 || width <= 0)
        return;
    set_text(p, style, s);
    pango_layout_set_width(p->layout, (int)(width * PANGO_SCALE));
    pango_layout_set_alignment(p->layout, sides[style->align]);
    if (pango_layout_get_direction(p->layout, 0) == PANGO_DIRECTION_RTL) /* left means the beginning of a line here */
        pango_layout_set_alignment(p->layout, sides[PDF_TO_RIGHT - style->align]);
    set_ink(p, style->ink);
    cairo_move_to(p->cr, x, y - (double)pango_layout_get_baseline(p->layout) / PANGO_SCALE);
    pango_cairo_show_layout(p->cr, p->layout);
}

void pdf__fill(struct pdf *p, enum pdf_ink ink, double x, double y, double w, double h)
{
    if (p->dry)
        return;
    set_ink(p, ink);
    cairo_rectangle(p->cr, x, y, w, h);
    cairo_fill(p->cr);
}

void pdf__line(struct pdf *p, enum pdf_ink ink, double width, double x1, double x2, double y)
{
    if (p->dry)
        return;
    set_ink(p, ink);
    cairo_set_line_width(p->cr, width);
    cairo_move_to(p->cr, x1, y);
    cairo_line_to(p->cr, x2, y);
    cairo_stroke(p->cr);
}
