/* SPDX-License-Identifier: Apache-2.0
 *
 * A streak is read off the subject's whole history in one pass: cells come in order of time, so one open
 * local day is enough, and the zone is asked once per day with figures. Two days are consecutive when one
 * ends where the other begins; a date that a zone skipped (Apia, 30 December 2011) breaks no streak. */
#include "analytics/analytics_internal.h"

#define DAYS_AGO INT64_C(-10000000) /* before every fact */

struct tally {
    const struct rt_zone *zone;
    struct rt_streak found;
    int64_t day, start, end; /* the open local day; empty before the first cell */
    int64_t sum;
    int64_t run, run_start, run_end; /* the latest run of active days, its first day, the instant it ends */
};

static void close_day(struct tally *t)
{
    if (t->sum <= 0)
        return;
    if (t->run == 0 || t->run_end != t->start) {
        t->run = 0;
        t->run_start = t->day;
    }
    t->run++;
    t->run_end = t->end;
    t->found.active_days++;
    if (t->found.longest < t->run)
        t->found.longest = t->run;
}

static void open_day(struct tally *t, int64_t instant)
{
    t->sum = 0;
    t->day = rt_zone_day(t->zone, instant);
    rt_zone_day_bounds(t->zone, t->day, &t->start, &t->end);
}

/* Adds the measure's cells of one row that begin before `until`. */
static int tally_row(struct tally *t, uint64_t measure, int64_t utc_day, int64_t until, struct analytics__reader *row)
{
    struct analytics__cell cell;
    int got;
    do {
        got = analytics__next_group(row);
    } while (got > 0 && row->group < measure);
    if (got <= 0 || row->group != measure)
        return got < 0 ? got : 0;
    while ((got = analytics__next_cell(row, &cell)) > 0) {
        int64_t instant = utc_day * DAY_SECONDS + (int64_t)cell.slot * RT_SLOT_SECONDS;
        if (instant >= until)
            return 0;
        if (t->start == t->end || instant >= t->end) {
            close_day(t);
            open_day(t, instant);
        }
        if (__builtin_add_overflow(t->sum, cell.value, &t->sum))
            return RT_E_LIMIT;
    }
    return got;
}

static int tally_rows(struct tally *t, struct rt_stmt *s, uint64_t measure, int64_t until, struct rt_err *err)
{
    struct analytics__reader row;
    int64_t day;
    int code;
    while ((code = analytics__next_row(s, &day, &row, err)) > 0) {
        code = tally_row(t, measure, day, until, &row);
        if (code == RT_E_LIMIT)
            return rt_err_set(err, code, "a day's sum became too large");
        if (code < 0)
            return analytics__damaged(day, err);
    }
    close_day(t);
    return code;
}

int rt_analytics_streak(struct rt_conn *c, const char *kind, int64_t id, const char *measure,
                        const struct rt_zone *zone, int64_t today, struct rt_streak *ret, struct rt_err *err)
{
    struct tally t = { .zone = zone };
    struct rt_stmt *s;
    int64_t start, end;
    rt_zone_day_bounds(zone, today, &start, &end);
    int code = analytics__rows(c, kind, id, DAYS_AGO, analytics__floor_div(end - 1, DAY_SECONDS), &s, err);
    if (code < 0)
        return code;
    code = tally_rows(&t, s, analytics__id(measure), end, err);
    rt_stmt_done(s);
    if (code < 0)
        return code;
    if (t.run > 0 && (t.run_end == end || t.run_end == start)) {
        t.found.current = t.run;
        t.found.current_start = t.run_start;
    }
    *ret = t.found;
    return 0;
}
