/* SPDX-License-Identifier: Apache-2.0
 *
 * Aggregates. A fact (measure, subject, detail, span, value) is kept as integer sums per 15-minute UTC
 * slot, packed into one row per subject and UTC day, written in the transaction of the change.
 * Local days, hours, weeks and streaks are computed from the slots with the zone's offset at each
 * instant. A report reads the days it covers and nothing else.
 *
 * subject: kind and id ("user", 7). detail: what the subject's figures are broken down by (a project's
 * id), 0 for none. Values may be negative: a fact is withdrawn by recording it again with -value. */
#ifndef RT_ANALYTICS_ANALYTICS_H
#define RT_ANALYTICS_ANALYTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "zone/zone.h"

enum { RT_SLOT_SECONDS = 900 };

struct rt_fact {
    const char *measure; /* "focus_seconds"; known or new */
    const char *kind;    /* "user" */
    int64_t id;
    int64_t detail;
    int64_t from, to; /* UTC seconds; from == to is a point */
    int64_t value;    /* spread over the span in proportion to time, exactly: the parts add up */
};

/* Inside a transaction, on the write connection. Facts of one subject and day that follow each other are one change of
 * its row. Names have 1 to 64 bytes, a span at most ten years (RT_E_INVALID, RT_E_LIMIT). A name whose id another name
 * has already is RT_E_CONSTRAINT. After an error some of the facts may be recorded: roll back. */
int rt_analytics_record(struct rt_conn *c, const struct rt_fact *facts, size_t n, struct rt_err *err);

/* One slot's sum, as rt_analytics_scan() delivers it, in order of time. */
struct rt_cell {
    int64_t t; /* the slot's start, UTC seconds */
    int64_t detail;
    int64_t value;
    int measure; /* index into the `measures` given */
};

/* Calls `each` for the cells of `measures` (n names) of one subject in [from, to), both multiples of
 * RT_SLOT_SECONDS. A negative return of `each` ends the scan and is returned. */
int rt_analytics_scan(struct rt_conn *c, const char *kind, int64_t id, const char *const *measures, int n, int64_t from,
                      int64_t to, int (*each)(void *arg, const struct rt_cell *cell), void *arg, struct rt_err *err);

/* A report over local days first..last (inclusive, at most 40000): totals by day, by detail and over all,
 * of at most 32 measures. `detail` (nullable): only the facts of that one. A measure or subject that was never
 * recorded is all zeros. */
struct rt_report_row {
    int64_t key, value;
}; /* key: day or detail */
struct rt_report_series {
    int64_t total;
    int64_t *by_day;                 /* last - first + 1 values */
    struct rt_report_row *by_detail; /* details with a value other than 0, largest value first, then key */
    size_t details;
};
struct rt_report {
    int64_t first, last;
    int measures;
    struct rt_report_series *series; /* one per measure */
};
int rt_analytics_report(struct rt_conn *c, const char *kind, int64_t id, const int64_t *detail,
                        const char *const *measures, int n, const struct rt_zone *zone, int64_t first, int64_t last,
                        struct rt_report **ret, struct rt_err *err);
/* The breakdowns of all measures side by side: rows of 1 + measures numbers (detail, then its value of each measure),
 * greatest value of the first measure first, then by detail; details that are 0 in all are left out.
 * `rows` has room for rt_report_details() rows; returns how many were written. */
size_t rt_report_details(const struct rt_report *r);
size_t rt_report_breakdown(const struct rt_report *r, int64_t *rows);
void rt_report_free(struct rt_report *r);

/* Days on which the measure is above 0, all of the subject's history up to local day `today`. */
struct rt_streak {
    int64_t current, longest, active_days;
    int64_t current_start; /* day; only when current > 0 */
};
int rt_analytics_streak(struct rt_conn *c, const char *kind, int64_t id, const char *measure,
                        const struct rt_zone *zone, int64_t today, struct rt_streak *ret, struct rt_err *err);

/* Verification: facts are recorded again into memory by the caller (rt_verify_add) and compared with
 * what is stored. `differ` is called for each cell that differs. */
struct rt_verify;
struct rt_verify *rt_verify_new(void);
void rt_verify_free(struct rt_verify *v);
int rt_verify_add(struct rt_verify *v, const struct rt_fact *fact, struct rt_err *err);
/* Returns the number of differing cells, or a negative code. */
int64_t rt_verify_compare(struct rt_verify *v, struct rt_conn *c,
                          void (*differ)(void *arg, const char *measure, const char *kind, int64_t id, int64_t detail,
                                         int64_t t, int64_t stored, int64_t expected),
                          void *arg, struct rt_err *err);

#endif
