/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports and scans are one range scan over a subject's day rows. The borders of the local days are
 * computed once and merged with the cells, which come in order of time, instead of asking the zone for
 * every cell. A slot belongs to the local day of its start. That is exact where local midnight lies on a
 * quarter of an hour, as it does everywhere since October 1979; in Pacific/Kiritimati (-10:40) before that
 * and in Africa/Monrovia (-00:44:30) before 1972 some minutes at midnight count to the day before. */
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

static int measure_ids(const char *const *measures, int n, uint64_t *ids, struct rt_err *err)
{
    if (n < 1 || n > MEASURES_MAX)
        return rt_err_set(err, RT_E_LIMIT, "a report has 1 to %d measures", MEASURES_MAX);
    for (int i = 0; i < n; i++)
        ids[i] = analytics__id(measures[i]);
    return 0;
}

/* ---- scan ---- */

/* One reader per measure that the row has; they are merged by slot. */
struct lane {
    struct analytics__reader reader;
    struct analytics__cell cell; /* the next one to deliver */
    int measure;
};

struct scan {
    uint64_t ids[MEASURES_MAX];
    int measures;
    int64_t from, to;
    int (*each)(void *arg, const struct rt_cell *cell);
    void *arg;
};

/* Opens a lane for each asked measure that the row holds. The number of lanes, or RT_E_INTERNAL. */
static int open_lanes(const struct scan *scan, struct analytics__reader *row, struct lane *lanes)
{
    int got, n = 0;
    while ((got = analytics__next_group(row)) > 0) {
        for (int m = 0; m < scan->measures; m++) {
            if (scan->ids[m] != row->group)
                continue;
            struct lane *lane = &lanes[n++];
            lane->reader = *row;
            lane->measure = m;
            if (analytics__next_cell(&lane->reader, &lane->cell) <= 0)
                return RT_E_INTERNAL;
        }
    }
    return got < 0 ? got : n;
}

/* The lane whose cell comes first: by slot, then measure. */
static int first_lane(const struct lane *lanes, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++) {
        const struct lane *a = &lanes[i], *b = &lanes[best];
        if (a->cell.slot < b->cell.slot || (a->cell.slot == b->cell.slot && a->measure < b->measure))
            best = i;
    }
    return best;
}

static int scan_row(const struct scan *scan, int64_t day, struct analytics__reader *row, struct rt_err *err)
{
    struct lane lanes[MEASURES_MAX];
    int n = open_lanes(scan, row, lanes);
    while (n > 0) {
        int i = first_lane(lanes, n);
        struct lane *lane = &lanes[i];
        struct rt_cell out = { .detail = lane->cell.detail, .value = lane->cell.value, .measure = lane->measure };
        out.t = day * DAY_SECONDS + (int64_t)lane->cell.slot * RT_SLOT_SECONDS;
        int code = out.t >= scan->from && out.t < scan->to ? scan->each(scan->arg, &out) : 0;
        if (code < 0)
            return code;
        int got = analytics__next_cell(&lane->reader, &lane->cell);
        if (got == 0)
            lanes[i] = lanes[--n];
        else if (got < 0)
            n = got;
    }
    return n < 0 ? analytics__damaged(day, err) : 0;
}

int rt_analytics_scan(struct rt_conn *c, const char *kind, int64_t id, const char *const *measures, int n, int64_t from,
                      int64_t to, int (*each)(void *arg, const struct rt_cell *cell), void *arg, struct rt_err *err)
{
    struct scan scan = { .measures = n, .from = from, .to = to, .each = each, .arg = arg };
    struct analytics__reader row;
    struct rt_stmt *s;
    int64_t day;
    if (from % RT_SLOT_SECONDS != 0 || to % RT_SLOT_SECONDS != 0)
        return rt_err_set(err, RT_E_INVALID, "a scan begins and ends on a slot's border");
    int code = measure_ids(measures, n, scan.ids, err);
    if (code < 0 || from >= to)
        return code;
    code = analytics__rows(c, kind, id, analytics__floor_div(from, DAY_SECONDS),
                           analytics__floor_div(to - 1, DAY_SECONDS), &s, err);
    if (code < 0)
        return code;
    while ((code = analytics__next_row(s, &day, &row, err)) > 0) {
        code = scan_row(&scan, day, &row, err);
        if (code < 0)
            break;
    }
    rt_stmt_done(s);
    return code;
}

/* ---- sums by detail ---- */

/* A hash table from details to their rows; the rows themselves are dense and become the report's. */
struct details {
    struct rt_report_row *rows;
    uint32_t *index; /* row + 1, 0 = free; twice as many as rows fit */
    size_t count, size, last;
};

static uint32_t *index_of(const struct details *d, int64_t key)
{
    size_t i = (size_t)((uint64_t)key * 0x9e3779b97f4a7c15u >> 32) & (d->size - 1);
    while (d->index[i] != 0 && d->rows[d->index[i] - 1].key != key)
        i = (i + 1) & (d->size - 1);
    return &d->index[i];
}

static int details_grow(struct details *d)
{
    size_t size = d->size ? d->size * 2 : 32;
    struct rt_report_row *rows = reallocarray(d->rows, size / 2, sizeof *rows);
    if (!rows)
        return RT_E_NOMEM;
    d->rows = rows;
    uint32_t *index = calloc(size, sizeof *index);
    if (!index)
        return RT_E_NOMEM;
    free(d->index);
    d->index = index;
    d->size = size;
    for (size_t i = 0; i < d->count; i++)
        *index_of(d, d->rows[i].key) = (uint32_t)i + 1;
    return 0;
}

static int details_add(struct details *d, int64_t key, int64_t value)
{
    if (d->count == 0 || d->rows[d->last].key != key) {
        if (d->count >= d->size / 2 && details_grow(d) < 0)
            return RT_E_NOMEM;
        uint32_t *at = index_of(d, key);
        if (*at == 0) {
            d->rows[d->count] = (struct rt_report_row){ .key = key };
            *at = (uint32_t)++d->count;
        }
        d->last = *at - 1;
    }
    return __builtin_add_overflow(d->rows[d->last].value, value, &d->rows[d->last].value) ? RT_E_LIMIT : 0;
}

static int by_value(const void *pa, const void *pb)
{
    const struct rt_report_row *a = pa, *b = pb;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

/* Hands the rows over to the series, largest first, without those that came to nothing. */
static void details_take(struct details *d, struct rt_report_series *series)
{
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->rows[i].value != 0)
            d->rows[n++] = d->rows[i];
    }
    if (n > 1)
        qsort(d->rows, n, sizeof *d->rows, by_value);
    series->by_detail = d->rows;
    series->details = n;
    d->rows = NULL;
}

/* ---- report ---- */

struct build {
    struct rt_report *report;
    struct details details[MEASURES_MAX];
    uint64_t ids[MEASURES_MAX];
    int measures;
    int64_t *borders; /* starts of the local days and the end of the last: days + 1 instants */
    int64_t days;
    int64_t day;           /* the local day in which the current row begins, or 0 */
    const int64_t *detail; /* only this one, or NULL for all */
};

static struct rt_report *report_new(int measures, int64_t first, int64_t last)
{
    size_t n = (size_t)measures, days = (size_t)(last - first + 1);
    struct rt_report *r = calloc(1, sizeof *r + n * sizeof *r->series + n * days * sizeof(int64_t));
    if (!r)
        return NULL;
    r->first = first;
    r->last = last;
    r->measures = measures;
    r->series = (struct rt_report_series *)(r + 1);
    for (size_t i = 0; i < n; i++)
        r->series[i].by_day = (int64_t *)(r->series + n) + i * days;
    return r;
}

void rt_report_free(struct rt_report *r)
{
    for (int i = 0; r && i < r->measures; i++)
        free(r->series[i].by_detail);
    free(r);
}

static int build_init(struct build *b, const struct rt_zone *zone, int measures, int64_t first, int64_t last)
{
    b->measures = measures;
    b->days = last - first + 1;
    b->borders = reallocarray(NULL, (size_t)b->days + 1, sizeof *b->borders);
    b->report = report_new(measures, first, last);
    if (!b->borders || !b->report)
        return RT_E_NOMEM;
    for (int64_t i = 0; i < b->days; i++)
        rt_zone_day_bounds(zone, first + i, &b->borders[i], &b->borders[i + 1]);
    return 0;
}

static void build_fini(struct build *b)
{
    for (int i = 0; i < b->measures; i++) {
        free(b->details[i].rows);
        free(b->details[i].index);
    }
    free(b->borders);
    rt_report_free(b->report);
}

/* Adds one measure's cells of a row; `reader` is a copy that stands before them. */
static int add_group(struct build *b, int measure, int64_t midnight, struct analytics__reader reader)
{
    struct rt_report_series *series = &b->report->series[measure];
    struct analytics__cell cell;
    int64_t day = b->day;
    int got;
    while ((got = analytics__next_cell(&reader, &cell)) > 0) {
        int64_t t = midnight + (int64_t)cell.slot * RT_SLOT_SECONDS;
        if (t < b->borders[0] || (b->detail && *b->detail != cell.detail))
            continue;
        if (t >= b->borders[b->days])
            break;
        while (t >= b->borders[day + 1])
            day++;
        if (__builtin_add_overflow(series->total, cell.value, &series->total) ||
            __builtin_add_overflow(series->by_day[day], cell.value, &series->by_day[day]))
            return RT_E_LIMIT;
        int code = details_add(&b->details[measure], cell.detail, cell.value);
        if (code < 0)
            return code;
    }
    return got < 0 ? got : 0;
}

static int add_row(struct build *b, int64_t utc_day, struct analytics__reader *row)
{
    int64_t midnight = utc_day * DAY_SECONDS;
    int got, code;
    while (b->day + 1 < b->days && b->borders[b->day + 1] <= midnight)
        b->day++;
    while ((got = analytics__next_group(row)) > 0) {
        for (int m = 0; m < b->measures; m++) {
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

static int add_rows(struct build *b, struct rt_conn *c, const char *kind, int64_t id, struct rt_err *err)
{
    struct analytics__reader row;
    struct rt_stmt *s;
    int64_t day;
    int code = analytics__rows(c, kind, id, analytics__floor_div(b->borders[0], DAY_SECONDS),
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

int rt_analytics_report(struct rt_conn *c, const char *kind, int64_t id, const int64_t *detail,
                        const char *const *measures, int n, const struct rt_zone *zone, int64_t first, int64_t last,
                        struct rt_report **ret, struct rt_err *err)
{
    struct build b = { .detail = detail };
    int code = measure_ids(measures, n, b.ids, err);
    if (code < 0)
        return code;
    if (first > last)
        return rt_err_set(err, RT_E_INVALID, "a report's first day is after its last");
    if (last - first >= DAYS_MAX)
        return rt_err_set(err, RT_E_LIMIT, "a report covers at most %d days", DAYS_MAX);
    code = build_init(&b, zone, n, first, last);
    code = code < 0 ? build_error(code, 0, err) : add_rows(&b, c, kind, id, err);
    if (code == 0) {
        for (int i = 0; i < n; i++)
            details_take(&b.details[i], &b.report->series[i]);
        *ret = b.report;
        b.report = NULL;
    }
    build_fini(&b);
    return code;
}
