/* SPDX-License-Identifier: Apache-2.0
 *
 * A bar chart that can be read without colours: an axis with round numbers, a line at zero, labels below.
 * Where bars are many, labels and values are left out rather than printed over each other. */
#include <math.h>

#include "report/pdf_internal.h"

#define HEIGHT      190.0
#define PLOT_HEIGHT 132.0
#define LABEL_ROOM  14.0

struct plot {
    const struct rt_chart *c;
    double left, top, width, height; /* of the bars' area */
    double low, high, step;          /* of the axis */
    int decimals;
};

static const struct pdf_style axis_style = { .size = 7.5, .ink = PDF_MUTED, .align = PDF_TO_RIGHT };
static const struct pdf_style label_style = { .size = 7.5, .ink = PDF_MUTED, .align = PDF_TO_CENTER };
static const struct pdf_style value_style = { .size = 7.5, .ink = PDF_INK, .align = PDF_TO_CENTER };

/* 1, 2, 2.5 or 5 times a power of ten, so that about five lines cover the range. */
static double nice_step(double range)
{
    static const double nice[] = { 1, 2, 2.5, 5, 10 };
    double rough = range / 4, power = pow(10, floor(log10(rough)));
    for (int i = 0; i < 5; i++)
        if (rough <= nice[i] * power * 1.0001)
            return nice[i] * power;
    return 10 * power;
}

static double shown_value(double v) { return isfinite(v) ? fmax(-1e15, fmin(1e15, v)) : 0; }

static void set_axis(struct plot *plot)
{
    double low = 0, high = 0;
    for (int i = 0; i < plot->c->n; i++) {
        low = fmin(low, shown_value(plot->c->values[i]));
        high = fmax(high, shown_value(plot->c->values[i]));
    }
    if (high - low < 1e-9)
        high = low + 1;
    plot->step = nice_step(high - low);
    plot->low = floor(low / plot->step + 1e-9) * plot->step;
    plot->high = ceil(high / plot->step - 1e-9) * plot->step;
    plot->decimals = 0;
    while (plot->decimals < 6 &&
           fabs(plot->step * pow(10, plot->decimals) - round(plot->step * pow(10, plot->decimals))) > 1e-6)
        plot->decimals++;
}

static double y_of(const struct plot *plot, double v)
{
    return plot->top + (plot->high - v) / (plot->high - plot->low) * plot->height;
}

static struct rt_str number(struct pdf *p, double v, int decimals)
{
    rt_buf_reset(&p->shown);
    report__grouped(v, decimals, &p->shown);
    return (struct rt_str){ p->shown.data, p->shown.len };
}

static void draw_axis(struct pdf *p, struct plot *plot)
{
    double widest = 0;
    int lines = (int)round((plot->high - plot->low) / plot->step);
    for (int i = 0; i <= lines; i++)
        widest = fmax(widest, pdf__measure(p, &axis_style, number(p, plot->low + i * plot->step, plot->decimals)));
    plot->left = PDF_LEFT + widest + 8;
    plot->width = PDF_RIGHT - plot->left;
    for (int i = 0; i <= lines; i++) {
        double v = plot->low + i * plot->step, y = y_of(plot, v);
        pdf__line(p, PDF_RULE, 0.5, plot->left, PDF_RIGHT, y);
        pdf__text(p, &axis_style, PDF_LEFT, y + 2.6, widest + 2, number(p, v, plot->decimals));
    }
}

/* How many bars share one label: the first that leaves room for the widest. */
static int label_every(struct pdf *p, const struct plot *plot, double slot)
{
    double widest = 0;
    for (int i = 0; i < plot->c->n; i++)
        widest = fmax(widest, pdf__measure(p, &label_style, plot->c->labels[i]));
    double room = plot->c->n <= 12 ? slot : fmax(slot, fmin(widest + 6, plot->width / 4));
    return (int)ceil(room / slot - 1e-9);
}

/* Digits for the values over the bars: as few as tell them apart. */
static int value_decimals(const struct rt_chart *c)
{
    for (int i = 0; i < c->n; i++)
        if (fabs(c->values[i] - round(c->values[i])) > 0.005)
            return 1;
    return 0;
}

/* On paper of its own, as lines of the axis would run through it. */
static void draw_value(struct pdf *p, double middle, double room, double y, struct rt_str s)
{
    double width = fmin(pdf__measure(p, &value_style, s), room);
    pdf__fill(p, PDF_PAPER, middle - width / 2 - 1, y - 6.5, width + 2, 8);
    pdf__text(p, &value_style, middle - room / 2, y, room, s);
}

static void draw_bar(struct pdf *p, const struct plot *plot, int i, double slot, int every, int decimals)
{
    double v = shown_value(plot->c->values[i]), zero = y_of(plot, 0), y = y_of(plot, v);
    double bar = fmin(slot * 0.64, 42), x = plot->left + slot * i, height = fabs(zero - y);
    if (v != 0)
        pdf__fill(p, v < 0 ? PDF_NEGATIVE : PDF_ACCENT, x + (slot - bar) / 2, fmin(zero, y), bar, fmax(height, 0.4));
    if (slot >= 24)
        draw_value(p, x + slot / 2, slot + 4, v < 0 ? y + 9 : y - 3, number(p, v, v == 0 ? 0 : decimals));
    if (i % every)
        return;
    double room = slot * every - (every > 1 ? 4 : 2), middle = x + slot / 2;
    double from = fmax(PDF_LEFT, fmin(middle - room / 2, PDF_RIGHT - room));
    pdf__text(p, &label_style, from, plot->top + plot->height + LABEL_ROOM, room, plot->c->labels[i]);
}

void pdf__chart(struct pdf *p, const struct rt_chart *c)
{
    static const struct pdf_style title_style = { .bold = true, .size = 11, .ink = PDF_INK };
    static const struct pdf_style unit_style = { .size = 8, .ink = PDF_MUTED, .align = PDF_TO_RIGHT };
    pdf__need(p, HEIGHT);
    double top = p->y;
    p->y += HEIGHT + 16;
    if (p->dry)
        return;
    pdf__text(p, &title_style, PDF_LEFT, top + 11, PDF_SPAN - 80, c->title);
    pdf__text(p, &unit_style, PDF_RIGHT - 78, top + 11, 78, c->unit);
    struct plot plot = { .c = c, .top = top + 36, .height = PLOT_HEIGHT };
    set_axis(&plot);
    draw_axis(p, &plot);
    double slot = plot.width / c->n;
    int every = label_every(p, &plot, slot), decimals = value_decimals(c);
    for (int i = 0; i < c->n; i++)
        draw_bar(p, &plot, i, slot, every, decimals);
    pdf__line(p, PDF_MUTED, 0.8, plot.left, PDF_RIGHT, y_of(&plot, 0));
}
