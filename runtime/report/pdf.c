/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of a PDF: header, headline figures, then what the document has, with a footer on each page.
 * cairo sends finished pages on while later ones are drawn. */
#include "report/pdf.h"

#include <fontconfig/fontconfig.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "report/pdf_internal.h"

static PangoFontDescription *font(PangoWeight weight)
{
    PangoFontDescription *f = pango_font_description_new();
    pango_font_description_set_family(f, "DejaVu Sans,Sans");
    pango_font_description_set_weight(f, weight);
    return f;
}

int rt_pdf_fonts_new(struct rt_pdf_fonts **ret, struct rt_err *err)
{
    FcInit();
    FcFontSet *all = FcConfigGetFonts(NULL, FcSetSystem);
    if (!all || all->nfont == 0) /* the library below would end the process */
        return rt_err_set(err, RT_E_NOTFOUND, "this machine has no fonts: install fonts-dejavu-core");
    struct rt_pdf_fonts *f = calloc(1, sizeof *f);
    if (!f)
        return rt_err_set(err, RT_E_NOMEM, "no memory for fonts");
    f->map = pango_cairo_font_map_new();
    f->plain = font(PANGO_WEIGHT_NORMAL);
    f->bold = font(PANGO_WEIGHT_BOLD);
    *ret = f;
    return 0;
}

void rt_pdf_fonts_free(struct rt_pdf_fonts *f)
{
    if (!f)
        return;
    pango_font_description_free(f->plain);
    pango_font_description_free(f->bold);
    g_object_unref(f->map);
    free(f);
}

/* ---- pages ---- */

static void draw_footer(struct pdf *p)
{
    static const struct pdf_style left = { .size = 7.5, .ink = PDF_MUTED };
    static const struct pdf_style right = { .size = 7.5, .ink = PDF_MUTED, .align = PDF_TO_RIGHT };
    char pages[40];
    double y = PDF_HEIGHT - 36;
    pdf__line(p, PDF_RULE, 0.5, PDF_LEFT, PDF_RIGHT, y - 13);
    pdf__text(p, &left, PDF_LEFT, y, PDF_SPAN * 0.5, p->d->footer);
    rt_buf_reset(&p->shown);
    rt_buf_puts(&p->shown, "Generated ");
    report__moment(p->d->now, p->d->zone, &p->shown);
    rt_buf_printf(&p->shown, " %s", rt_zone_name(p->d->zone));
    pdf__text(p, &right, PDF_LEFT + PDF_SPAN * 0.5, y, PDF_SPAN * 0.5 - 52,
              (struct rt_str){ p->shown.data, p->shown.len });
    snprintf(pages, sizeof pages, "%d / %d", p->page, p->pages);
    pdf__text(p, &right, PDF_RIGHT - 46, y, 46, rt_str_of(pages));
}

static void end_page(struct pdf *p)
{
    draw_footer(p);
    if (!p->dry)
        cairo_show_page(p->cr);
}

/* Later pages say which document they belong to. */
void pdf__next_page(struct pdf *p)
{
    static const struct pdf_style left = { .bold = true, .size = 8.5, .ink = PDF_MUTED };
    static const struct pdf_style right = { .size = 8.5, .ink = PDF_MUTED, .align = PDF_TO_RIGHT };
    end_page(p);
    p->page++;
    pdf__text(p, &left, PDF_LEFT, PDF_TOP, PDF_SPAN * 0.6, p->d->title);
    pdf__text(p, &right, PDF_LEFT + PDF_SPAN * 0.6, PDF_TOP, PDF_SPAN * 0.4, p->d->period);
    pdf__line(p, PDF_RULE, 0.5, PDF_LEFT, PDF_RIGHT, PDF_TOP + 7);
    p->y = PDF_TOP + 18;
}

void pdf__need(struct pdf *p, double height)
{
    if (p->y + height > PDF_BOTTOM && p->y > PDF_TOP + 18)
        pdf__next_page(p);
}

static void draw_title(struct pdf *p)
{
    static const struct pdf_style title = { .bold = true, .size = 20, .ink = PDF_INK };
    static const struct pdf_style under = { .size = 10.5, .ink = PDF_MUTED };
    static const struct pdf_style period = { .size = 10.5, .ink = PDF_MUTED, .align = PDF_TO_RIGHT };
    pdf__fill(p, PDF_ACCENT, PDF_LEFT, PDF_TOP - 16, 36, 3);
    pdf__text(p, &title, PDF_LEFT, PDF_TOP + 12, PDF_SPAN, p->d->title);
    bool more = p->d->subtitle.n > 0 || p->d->period.n > 0;
    if (more) {
        pdf__text(p, &under, PDF_LEFT, PDF_TOP + 31, PDF_SPAN * 0.6, p->d->subtitle);
        pdf__text(p, &period, PDF_LEFT + PDF_SPAN * 0.6, PDF_TOP + 31, PDF_SPAN * 0.4, p->d->period);
    }
    p->y = PDF_TOP + (more ? 43 : 24);
    pdf__line(p, PDF_RULE, 0.8, PDF_LEFT, PDF_RIGHT, p->y);
    p->y += 18;
}

static void draw_facts(struct pdf *p)
{
    enum { GAP = 10, HEIGHT = 48 };
    static const struct pdf_style label = { .size = 7.5, .ink = PDF_MUTED };
    int n = p->d->n_facts;
    if (n == 0)
        return;
    double width = (PDF_SPAN - GAP * (n - 1)) / n;
    struct pdf_style value = { .bold = true, .size = 17, .ink = PDF_INK };
    for (int i = 0; i < n && !p->dry; i++) /* one size for all that fits the longest */
        while (value.size > 9 && pdf__measure(p, &value, p->d->facts[i].value) > width - 20)
            value.size -= 0.5;
    for (int i = 0; i < n; i++) {
        double x = PDF_LEFT + i * (width + GAP);
        pdf__fill(p, PDF_SHADE, x, p->y, width, HEIGHT);
        pdf__fill(p, PDF_ACCENT, x, p->y, 2, HEIGHT);
        pdf__text(p, &label, x + 10, p->y + 16, width - 18, p->d->facts[i].label);
        pdf__text(p, &value, x + 10, p->y + 37, width - 18, p->d->facts[i].value);
    }
    p->y += HEIGHT + 22;
}

static void lay_out(struct pdf *p, bool dry)
{
    p->dry = dry;
    p->page = 1;
    draw_title(p);
    draw_facts(p);
    if (p->d->chart.n > 0)
        pdf__chart(p, &p->d->chart);
    for (int i = 0; i < p->d->n_tables; i++)
        pdf__table(p, p->tables[i]);
    end_page(p);
    p->pages = p->page;
}

/* ---- the file ---- */

static cairo_status_t write_out(void *arg, const unsigned char *data, unsigned n)
{
    struct pdf *p = arg;
    if (p->rc == 0)
        p->rc = rt_spool_write(p->out, data, n, p->err);
    return p->rc ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void set_metadata(struct pdf *p, cairo_pdf_metadata_t what, struct rt_str s)
{
    report__clean(&p->text, s, 300, true);
    if (p->text.len)
        cairo_pdf_surface_set_metadata(p->surface, what, rt_buf_cstr(&p->text));
}

static void describe(struct pdf *p)
{
    char iso[RT_ISO_LEN];
    rt_iso_write(p->d->now, iso);
    struct rt_str now = { iso, sizeof iso };
    set_metadata(p, CAIRO_PDF_METADATA_TITLE, p->d->title);
    set_metadata(p, CAIRO_PDF_METADATA_AUTHOR, p->d->author);
    set_metadata(p, CAIRO_PDF_METADATA_SUBJECT, p->d->period);
    set_metadata(p, CAIRO_PDF_METADATA_CREATE_DATE, now);
    set_metadata(p, CAIRO_PDF_METADATA_MOD_DATE, now);
}

static int draw(struct pdf *p)
{
    p->surface = cairo_pdf_surface_create_for_stream(write_out, p, PDF_WIDTH, PDF_HEIGHT);
    p->cr = cairo_create(p->surface);
    describe(p);
    pdf__open_layout(p);
    lay_out(p, true);
    lay_out(p, false);
    pdf__close_layout(p);
    cairo_status_t status = cairo_status(p->cr);
    cairo_destroy(p->cr);
    cairo_surface_finish(p->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(p->surface);
    cairo_surface_destroy(p->surface);
    if (p->rc)
        return p->rc;
    if (status != CAIRO_STATUS_SUCCESS)
        return rt_err_set(p->err, status == CAIRO_STATUS_NO_MEMORY ? RT_E_NOMEM : RT_E_INTERNAL,
                          "the PDF cannot be written: %s", cairo_status_to_string(status));
    return 0;
}

int rt_pdf_write(const struct rt_document *d, const struct rt_source *source, struct rt_pdf_fonts *fonts,
                 struct rt_spool *out, struct rt_err *err)
{
    struct pdf p = { .d = d, .fonts = fonts, .out = out, .err = err };
    int rc = 0, rows = 0;
    rt_buf_init(&p.text, 0);
    rt_buf_init(&p.shown, 0);
    for (int i = 0; rc == 0 && i < d->n_tables; i++)
        rc = pdf__load_table(&p, &d->tables[i], source, &rows, &p.tables[i], err);
    if (rc == 0)
        rc = draw(&p);
    for (int i = 0; i < d->n_tables; i++)
        pdf__free_table(p.tables[i]);
    rt_buf_fini(&p.text);
    rt_buf_fini(&p.shown);
    return rc;
}
