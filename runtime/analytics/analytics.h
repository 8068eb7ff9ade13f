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

/* What to report on: local days first..last (inclusive, at most 40000) of one or many subjects of a kind, at most 32
 * measures. Each subject costs one range scan over its days. */
struct rt_detail_range {
    int64_t first, last; /* both included */
};
struct rt_report_query {
    const char *kind;
    const int64_t *ids; /* subjects, each named once */
    size_t subjects;
    const char *const *measures;
    int n;
    const struct rt_zone *zone;
    int64_t first, last;
    const struct rt_detail_range *details; /* only the facts of these; NULL for all */
    bool keys;                             /* make the breakdown, by detail >> key_shift (0 to 62) */
    unsigned key_shift;
    bool hours;                            /* fill by_hour and days_by_hour */
};

/* A measure or subject that was never recorded is all zeros. An hour is one of the local wall clock; one that the clock
 * repeats is one hour of its day. days_by_hour counts pairs of subject and local day with a figure in that hour. */
struct rt_report_series {
    int64_t total;
    int64_t *by_day;     /* last - first + 1 values */
    int64_t *by_subject; /* in the order of the ids */
    int64_t by_hour[24], days_by_hour[24];
};
struct rt_report {
    int64_t first, last;
    int measures;
    size_t subjects;
    struct rt_report_series *series; /* one per measure */
    int64_t *details_by_subject;     /* how many details it has figures of */
    int64_t details;                 /* how many there are in all, those that are 0 in all measures left out */
    /* The breakdown: rows of 2 + measures numbers (key, how many details have it, then their sum of each measure),
     * greatest value of the first measure first, then by key. NULL when not asked for. */
    int64_t *by_key;
    size_t keys;
};
int rt_analytics_report(struct rt_conn *c, const struct rt_report_query *query, struct rt_report **ret,
                        struct rt_err *err);
void rt_report_free(struct rt_report *r);

/* Days on which the measure is above 0, all of the subject's history up to local day `today`. */
struct rt_streak {
    int64_t current, longest, active_days;
    int64_t current_start; /* day; only when current > 0 */
};
int rt_analytics_streak(struct rt_conn *c, const char *kind, int64_t id, const char *measure,
                        const struct rt_zone *zone, int64_t today, struct rt_streak *ret, struct rt_err *err);
/* Fills in only `current` and `current_start`, and looks back not much further than the streak reaches. */
int rt_analytics_current_streak(struct rt_conn *c, const char *kind, int64_t id, const char *measure,
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
