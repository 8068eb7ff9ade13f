/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells as numbers of a spreadsheet and as text on paper. Instants are shown on the clock of the report's
 * zone: a file for people has no offsets in it. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "report/report_internal.h"

enum { DAY = 86400, SERIAL_OF_1970 = 25569, FIRST_SERIAL = 61 }; /* spreadsheets believe in 1900-02-29 */

/* The cell's number as it is; false for other cells. */
static bool plain(const struct rt_cell *c, double *ret)
{
    if (c->kind == RT_CELL_INT || c->kind == RT_CELL_TIME)
        *ret = (double)c->i;
    else if (c->kind == RT_CELL_DOUBLE && isfinite(c->d))
        *ret = c->d;
    else
        return false;
    return true;
}

/* Unix seconds of an instant on the zone's clock, as if that were UTC. */
static bool wall_clock(const struct rt_cell *c, const struct rt_zone *zone, int64_t *ret)
{
    double v;
    int64_t t, days;
    if (c->kind == RT_CELL_TEXT) {
        if (rt_date_parse(c->s.p, c->s.n, &days)) {
            *ret = days * DAY;
            return true;
        }
        if (!rt_iso_parse(c->s.p, c->s.n, &t))
            return false;
    } else if (plain(c, &v) && fabs(v) < 1e11) {
        t = (int64_t)floor(v);
    } else {
        return false;
    }
    *ret = t + rt_zone_offset(zone, t);
    return true;
}

static int64_t day_of(int64_t wall) { return wall / DAY - (wall % DAY < 0); }

bool report__number(const struct rt_cell *c, enum rt_column_type type, const struct rt_zone *zone, double *ret)
{
    int64_t wall;
    if (type == RT_COLUMN_TEXT)
        return false;
    if (type == RT_COLUMN_DATE || type == RT_COLUMN_TIME || (type == RT_COLUMN_ANY && c->kind == RT_CELL_TIME)) {
        if (!wall_clock(c, zone, &wall))
            return false;
        int64_t day = day_of(wall) + SERIAL_OF_1970;
        *ret = (double)day + (type == RT_COLUMN_DATE ? 0 : (double)(wall - day_of(wall) * DAY) / DAY);
        return day >= FIRST_SERIAL && day < 2958466; /* to the end of 9999 */
    }
    if (c->kind == RT_CELL_TIME || !plain(c, ret))
        return false;
    if (c->kind == RT_CELL_INT && (c->i > 1LL << 53 || c->i < -(1LL << 53)))
        return false; /* would change its last digits */
    if (type == RT_COLUMN_HOURS)
        *ret /= 3600;
    return true;
}

bool report__right(enum rt_column_type type)
{
    return type == RT_COLUMN_INTEGER || type == RT_COLUMN_NUMBER || type == RT_COLUMN_HOURS ||
           type == RT_COLUMN_PERCENT;
}

void report__grouped(double v, int decimals, struct rt_buf *out)
{
    char text[400];
    int n = snprintf(text, sizeof text, "%.*f", decimals, fabs(v)), whole = 0;
    bool zero = true;
    for (int i = 0; i < n; i++)
        zero = zero && (text[i] == '0' || text[i] == '.');
    if (v < 0 && !zero)
        rt_buf_puts(out, "\xE2\x88\x92"); /* U+2212 is as wide as a digit */
    while (whole < n && text[whole] != '.')
        whole++;
    for (int i = 0; i < n; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0)
            rt_buf_putc(out, ',');
        rt_buf_putc(out, text[i]);
    }
}

static void put_wall(int64_t wall, bool with_time, struct rt_buf *out)
{
    char iso[RT_ISO_LEN];
    rt_iso_write(wall, iso);
    rt_buf_put(out, iso, 10);
    if (with_time) {
        rt_buf_putc(out, ' ');
        rt_buf_put(out, iso + 11, 5);
    }
}

void report__moment(int64_t t, const struct rt_zone *zone, struct rt_buf *out)
{
    put_wall(t + rt_zone_offset(zone, t), true, out);
}

static void show_plain(const struct rt_cell *c, struct rt_buf *out)
{
    char text[32];
    switch (c->kind) {
    case RT_CELL_EMPTY: return;
    case RT_CELL_BOOL: rt_buf_puts(out, c->i ? "yes" : "no"); return;
    case RT_CELL_TEXT: rt_buf_put(out, c->s.p, c->s.n); return;
    case RT_CELL_DOUBLE:
        if (isfinite(c->d))
            rt_buf_put(out, text, c->d == 0 ? (text[0] = '0', 1) : rt_double_text(c->d, text));
        return;
    default: rt_buf_put(out, text, rt_int_text(c->i, text)); return;
    }
}

void report__show(const struct rt_cell *c, enum rt_column_type type, const struct rt_zone *zone, struct rt_buf *out)
{
    double v;
    int64_t wall;
    if (type == RT_COLUMN_ANY && c->kind == RT_CELL_TIME)
        type = RT_COLUMN_TIME;
    if ((type == RT_COLUMN_DATE || type == RT_COLUMN_TIME) && wall_clock(c, zone, &wall)) {
        put_wall(wall, type == RT_COLUMN_TIME, out);
        return;
    }
    if (!report__right(type) || !plain(c, &v)) {
        show_plain(c, out);
        return;
    }
    switch (type) {
    case RT_COLUMN_HOURS: report__grouped(v / 3600, 2, out); return;
    case RT_COLUMN_PERCENT:
        report__grouped(v * 100, 1, out);
        rt_buf_puts(out, "%");
        return;
    default: report__grouped(v, type == RT_COLUMN_NUMBER ? 2 : 0, out);
    }
}
