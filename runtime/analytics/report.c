/* SPDX-License-Identifier: Apache-2.0
 *
 * A report is one range scan per subject over its day rows. The borders of the local days are computed once
 * and merged with the cells, which come in order of time, instead of asking the zone for every cell; so are
 * the offsets from which hours follow, but for days on which clocks are changed. A slot belongs to the local
 * day of its start. That is exact where local midnight lies on a quarter of an hour, as it does everywhere
 * since October 1979; in Pacific/Kiritimati (-10:40) before that and in Africa/Monrovia (-00:44:30) before
 * 1972 some minutes at midnight count to the day before. */
#include "analytics/analytics_internal.h"

#include <stdlib.h>

#define SELECT_ROWS                                                                                                    \
    "SELECT day, data FROM perigee_analytics WHERE subject_kind = ? AND subject_id = ? AND day BETWEEN ? AND ? "       \
    "ORDER BY day"

enum { DAYS_MAX = 40000 };

/* ---- rows ---- */

int analytics__rows(struct rt_conn *c, const char *kind, int64_t id, int64_t first, int64_t last, struct rt_stmt **ret,
                    struct rt_err *err)
{
    int code = rt_conn_prepare(c, SELECT_ROWS, sizeof SELECT_ROWS - 1, ret, err);
    if (code < 0)
        return code;
    rt_bind_int(*ret, 1, (int64_t)analytics__id(kind));
    rt_bind_int(*ret, 2, id);
    rt_bind_int(*ret, 3, first);
    rt_bind_int(*ret, 4, last);
    return 0;
}

int analytics__damaged(int64_t day, struct rt_err *err)
{
    return rt_err_set(err, RT_E_INTERNAL, "the stored figures of UTC day %lld are damaged", (long long)day);
}

int analytics__next_row(struct rt_stmt *s, int64_t *ret_day, struct analytics__reader *ret_reader, struct rt_err *err)
{
    size_t n;
    int code = rt_stmt_step(s, err);
    if (code != RT_STEP_ROW)
        return code;
    const void *blob = rt_col_blob(s, 1, &n);
    *ret_day = rt_col_int(s, 0);
    return analytics__reader_init(ret_reader, blob, n) < 0 ? analytics__damaged(*ret_day, err) : 1;
}

/* ---- report ---- */

struct build {
    const struct rt_report_query *query;
    struct rt_report *report;
    struct analytics__details details;
    uint64_t ids[MEASURES_MAX];
    int64_t *borders; /* starts of the local days and the end of the last: days + 1 instants */
    int *offsets;     /* of the local days, MIXED where it changes; NULL when hours are not wanted */
    int64_t days;
    size_t subject; /* the current one */
    int64_t day;    /* the local day in which the current row begins, or 0 */
    struct {
        int64_t day;
        uint32_t seen; /* hours that have been counted for the subject and this day */
    } hours[MEASURES_MAX];
};

enum { MIXED = INT32_MAX };

static struct rt_report *report_new(const struct rt_report_query *q)
{
    size_t n = (size_t)q->n, days = (size_t)(q->last - q->first + 1), subjects = q->subjects;
    struct rt_report *r =
        calloc(1, sizeof *r + n * sizeof *r->series + (n * (days + subjects) + subjects) * sizeof(int64_t));
    if (!r)
        return NULL;
    r->first = q->first;
    r->last = q->last;
    r->measures = q->n;
    r->subjects = subjects;
    r->series = (struct rt_report_series *)(r + 1);
    int64_t *values = (int64_t *)(r->series + n);
    for (size_t i = 0; i < n; i++, values += days + subjects) {
        r->series[i].by_day = values;
        r->series[i].by_subject = values + days;
    }
    r->details_by_subject = values;
    return r;
}

void rt_report_free(struct rt_report *r)
{
    if (r)
        free(r->by_key);
    free(r);
}

static int build_days(struct build *b, const struct rt_zone *zone, int64_t first)
{
    b->borders = reallocarray(NULL, (size_t)b->days + 1, sizeof *b->borders);
    b->offsets = b->query->hours ? reallocarray(NULL, (size_t)b->days, sizeof *b->offsets) : NULL;
    if (!b->borders || (b->query->hours && !b->offsets))
        return RT_E_NOMEM;
    for (int64_t i = 0; i < b->days; i++)
        rt_zone_day_bounds(zone, first + i, &b->borders[i], &b->borders[i + 1]);
    for (int64_t i = 0; b->offsets && i < b->days; i++) {
        b->offsets[i] = rt_zone_offset(zone, b->borders[i]);
        if (rt_zone_offset(zone, b->borders[i + 1] - 1) != b->offsets[i])
            b->offsets[i] = MIXED;
    }
    return 0;
}

static int build_init(struct build *b)
{
    const struct rt_report_query *q = b->query;
    for (int i = 0; i < q->n; i++)
        b->ids[i] = analytics__id(q->measures[i]);
    b->days = q->last - q->first + 1;
    b->details.width = (size_t)q->n + 2;
    b->report = report_new(q);
    return b->report ? build_days(b, q->zone, q->first) : RT_E_NOMEM;
}

static void build_fini(struct build *b)
{
    analytics__details_fini(&b->details);
    free(b->borders);
    free(b->offsets);
    rt_report_free(b->report);
}

static void begin_subject(struct build *b, size_t subject)
{
    b->subject = subject;
    b->day = 0;
    for (int m = 0; m < b->query->n; m++)
        b->hours[m].day = -1;
}

static bool add_to(int64_t *sum, int64_t value) { return !__builtin_add_overflow(*sum, value, sum); }

static bool add_hour(struct build *b, int measure, int64_t day, int64_t t, int64_t value)
{
    struct rt_report_series *series = &b->report->series[measure];
    int offset = b->offsets[day];
    int hour = offset == MIXED ? rt_zone_hour(b->query->zone, t)
                               : (int)(t + offset - analytics__floor_div(t + offset, DAY_SECONDS) * DAY_SECONDS) / 3600;
    if (b->hours[measure].day != day) {
        b->hours[measure].day = day;
        b->hours[measure].seen = 0;
    }
    series->days_by_hour[hour] += !(b->hours[measure].seen >> hour & 1);
    b->hours[measure].seen |= 1u << hour;
    return add_to(&series->by_hour[hour], value);
}

static int add_cell(struct build *b, int measure, int64_t day, int64_t t, const struct analytics__cell *cell)
{
    struct rt_report_series *series = &b->report->series[measure];
    if (!add_to(&series->total, cell->value) || !add_to(&series->by_day[day], cell->value) ||
        !add_to(&series->by_subject[b->subject], cell->value) ||
        (b->offsets && !add_hour(b, measure, day, t, cell->value)))
        return RT_E_LIMIT;
    int code = analytics__details_add(&b->details, measure, cell->detail, (int64_t)b->subject + 1, cell->value);
    if (code > 0)
        b->report->details_by_subject[b->subject]++;
    return code < 0 ? code : 0;
}

/* Adds one measure's cells of a row; `reader` is a copy that stands before them. */
static int add_group(struct build *b, int measure, int64_t midnight, struct analytics__reader reader)
{
    const struct rt_detail_range *only = b->query->details;
    struct analytics__cell cell;
    int64_t day = b->day;
    int got, code = 0;
    while (code == 0 && (got = analytics__next_cell(&reader, &cell)) > 0) {
        int64_t t = midnight + (int64_t)cell.slot * RT_SLOT_SECONDS;
        if (t < b->borders[0] || (only && (cell.detail < only->first || cell.detail > only->last)))
            continue;
        if (t >= b->borders[b->days])
            return 0;
        while (t >= b->borders[day + 1])
            day++;
        code = add_cell(b, measure, day, t, &cell);
    }
    return code < 0 ? code : got < 0 ? got : 0;
}

static int add_row(struct build *b, int64_t utc_day, struct analytics__reader *row)
{
    int64_t midnight = utc_day * DAY_SECONDS;
    int got, code;
    while (b->day + 1 < b->days && b->borders[b->day + 1] <= midnight)
        b->day++;
    while ((got = analytics__next_group(row)) > 0) {
        for (int m = 0; m < b->query->n; m++) {
            code = b->ids[m] == row->group ? add_group(b, m, midnight, *row) : 0;
            if (code < 0)
                return code;
        }
    }
    return got;
}

static int build_error(int code, int64_t utc_day, struct rt_err *err)
{
    if (code == RT_E_INTERNAL)
        return analytics__damaged(utc_day, err);
    return rt_err_set(err, code, code == RT_E_LIMIT ? "a report's sum became too large" : "no memory for a report");
}

static int add_subject(struct build *b, struct rt_conn *c, int64_t id, struct rt_err *err)
{
    struct analytics__reader row;
    struct rt_stmt *s;
    int64_t day;
    int code = analytics__rows(c, b->query->kind, id, analytics__floor_div(b->borders[0], DAY_SECONDS),
                               analytics__floor_div(b->borders[b->days] - 1, DAY_SECONDS), &s, err);
    if (code < 0)
        return code;
    while ((code = analytics__next_row(s, &day, &row, err)) > 0) {
        code = add_row(b, day, &row);
        if (code < 0) {
            build_error(code, day, err);
            break;
        }
    }
    rt_stmt_done(s);
    return code;
}

static int check_query(const struct rt_report_query *q, struct rt_err *err)
{
    if (q->n < 1 || q->n > MEASURES_MAX)
        return rt_err_set(err, RT_E_LIMIT, "a report has 1 to %d measures", MEASURES_MAX);
    if (q->first > q->last)
        return rt_err_set(err, RT_E_INVALID, "a report's first day is after its last");
    if (q->last - q->first >= DAYS_MAX)
        return rt_err_set(err, RT_E_LIMIT, "a report covers at most %d days", DAYS_MAX);
    if (q->key_shift > 62)
        return rt_err_set(err, RT_E_INVALID, "a report's keys are details shifted by 0 to 62 bits");
    return 0;
}

int rt_analytics_report(struct rt_conn *c, const struct rt_report_query *query, struct rt_report **ret,
                        struct rt_err *err)
{
    struct build b = { .query = query };
    int code = check_query(query, err);
    if (code < 0)
        return code;
    code = build_init(&b);
    if (code < 0)
        build_error(code, 0, err);
    for (size_t i = 0; code == 0 && i < query->subjects; i++) {
        begin_subject(&b, i);
        code = add_subject(&b, c, query->ids[i], err);
    }
    if (code == 0)
        b.report->details = analytics__details_count(&b.details);
    if (code == 0 && query->keys &&
        analytics__details_take(&b.details, query->key_shift, &b.report->by_key, &b.report->keys) < 0)
        code = build_error(RT_E_LIMIT, 0, err);
    if (code == 0) {
        *ret = b.report;
        b.report = NULL;
    }
    build_fini(&b);
    return code;
}
