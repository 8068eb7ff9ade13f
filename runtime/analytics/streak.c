/* SPDX-License-Identifier: Apache-2.0
 *
 * Streaks are read off the subject's history in one pass: cells come in order of time, so one open local day
 * is enough, and the zone is asked once per day with figures. Who wants only the current one gets it from a
 * window of days that is widened until the streak begins inside. Two days are consecutive when one
 * ends where the other begins; a date that a zone skipped (Apia, 30 December 2011) breaks no streak. */
#include "analytics/analytics_internal.h"

#define DAYS_AGO INT64_C(-10000000) /* before every fact */

enum { WINDOW_DAYS = 32 };

struct tally {
    const struct rt_zone *zone;
    struct rt_streak found;
    int64_t day, start, end; /* the open local day; empty before the first cell */
    int64_t sum;
    int64_t from, until;                        /* cells that begin in [from, until) count */
    int64_t run, run_start, run_begin, run_end; /* the latest run of active days: first day, and the instants */
};

static void close_day(struct tally *t)
{
    if (t->sum <= 0)
        return;
    if (t->run == 0 || t->run_end != t->start) {
        t->run = 0;
        t->run_start = t->day;
        t->run_begin = t->start;
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

static int tally_row(struct tally *t, uint64_t measure, int64_t utc_day, struct analytics__reader *row)
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
        if (instant < t->from)
            continue;
        if (instant >= t->until)
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

static int tally_rows(struct tally *t, struct rt_stmt *s, uint64_t measure, struct rt_err *err)
{
    struct analytics__reader row;
    int64_t day;
    int code;
    while ((code = analytics__next_row(s, &day, &row, err)) > 0) {
        code = tally_row(t, measure, day, &row);
        if (code == RT_E_LIMIT)
            return rt_err_set(err, code, "a day's sum became too large");
        if (code < 0)
            return analytics__damaged(day, err);
    }
    close_day(t);
    return code;
}

/* The runs in [t->from, t->until); the current one ends today, or yesterday. */
static int tally_window(struct tally *t, struct rt_conn *c, const char *kind, int64_t id, const char *measure,
                        int64_t today, struct rt_err *err)
{
    struct rt_stmt *s;
    int64_t start, end;
    rt_zone_day_bounds(t->zone, today, &start, &end);
    t->until = end;
    int code = analytics__rows(c, kind, id, analytics__floor_div(t->from, DAY_SECONDS),
                               analytics__floor_div(end - 1, DAY_SECONDS), &s, err);
    if (code < 0)
        return code;
    code = tally_rows(t, s, analytics__id(measure), err);
    rt_stmt_done(s);
    if (code == 0 && t->run > 0 && (t->run_end == end || t->run_end == start)) {
        t->found.current = t->run;
        t->found.current_start = t->run_start;
    }
    return code;
}

int rt_analytics_streak(struct rt_conn *c, const char *kind, int64_t id, const char *measure,
                        const struct rt_zone *zone, int64_t today, struct rt_streak *ret, struct rt_err *err)
{
    struct tally t = { .zone = zone, .from = DAYS_AGO * DAY_SECONDS };
    int code = tally_window(&t, c, kind, id, measure, today, err);
    if (code == 0)
        *ret = t.found;
    return code;
}

int rt_analytics_current_streak(struct rt_conn *c, const char *kind, int64_t id, const char *measure,
                                const struct rt_zone *zone, int64_t today, struct rt_streak *ret, struct rt_err *err)
{
    struct tally t;
    int64_t days = WINDOW_DAYS, end;
    do {
        t = (struct tally){ .zone = zone };
        rt_zone_day_bounds(zone, today - days, &t.from, &end);
        int code = tally_window(&t, c, kind, id, measure, today, err);
        if (code < 0)
            return code;
        days *= 4;
    } while (t.found.current > 0 && t.run_begin <= t.from && days < -DAYS_AGO);
    *ret = (struct rt_streak){ .current = t.found.current, .current_start = t.found.current_start };
    return 0;
}
