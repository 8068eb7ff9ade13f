/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of analytics share: a database in memory, facts about user 7, dates, random numbers that
 * are the same in every run. */
#ifndef TESTS_ANALYTICS_FIXTURE_H
#define TESTS_ANALYTICS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/analytics_internal.h"
#include "base/clock.h"
#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))
#define SECONDS  "focus_seconds"
#define SESSIONS "sessions"

static struct rt_conn *conn;

static inline int open_database(void **state)
{
    static char sql[4096];
    FILE *f = fopen(PERIGEE_SOURCE_DIR "/db/runtime/0002_create_analytics.sql", "r");
    (void)state;
    if (!f)
        return -1;
    size_t n = fread(sql, 1, sizeof sql - 1, f);
    sql[n] = '\0';
    fclose(f);
    if (rt_conn_open(":memory:", RT_CONN_WRITE, &conn, NULL) < 0)
        return -1;
    return rt_conn_exec(conn, sql, NULL);
}

static inline int close_database(void **state)
{
    (void)state;
    rt_conn_close(conn);
    return 0;
}

static inline void exec(const char *sql) { assert_int_equal(rt_conn_exec(conn, sql, NULL), 0); }

static inline int64_t rows(void)
{
    int64_t n = -1;
    assert_int_equal(rt_conn_int(conn, "SELECT COUNT(*) FROM perigee_analytics", &n, NULL), 0);
    return n;
}

static inline const struct rt_zone *zone(const char *name)
{
    const struct rt_zone *z = rt_zone_find(name, strlen(name));
    assert_non_null(z);
    return z;
}

static inline int64_t date(const char *text)
{
    int64_t day;
    assert_true(rt_date_parse(text, strlen(text), &day));
    return day;
}

static inline int64_t instant(const char *text)
{
    int64_t t;
    assert_true(rt_iso_parse(text, strlen(text), &t));
    return t;
}

static inline struct rt_fact fact(const char *measure, int64_t detail, int64_t from, int64_t to, int64_t value)
{
    return (struct rt_fact){
        .measure = measure, .kind = "user", .id = 7, .detail = detail, .from = from, .to = to, .value = value
    };
}

static inline void record(struct rt_fact f)
{
    struct rt_err err = { 0 };
    if (rt_analytics_record(conn, &f, 1, &err) != 0)
        fail_msg("%s", err.msg);
}

static const int64_t user_7 = 7;

static inline struct rt_report_query query_of(const char *const *measures, int n, const char *zone_name, int64_t first,
                                              int64_t last)
{
    return (struct rt_report_query){ .kind = "user",
                                     .ids = &user_7,
                                     .subjects = 1,
                                     .measures = measures,
                                     .n = n,
                                     .zone = zone(zone_name), .keys = true,
                                     .first = first,
                                     .last = last };
}

static inline struct rt_report *answer(const struct rt_report_query *q)
{
    struct rt_report *r = NULL;
    struct rt_err err = { 0 };
    if (rt_analytics_report(conn, q, &r, &err) != 0)
        fail_msg("%s", err.msg);
    assert_true(r->first == q->first && r->last == q->last && r->measures == q->n && r->subjects == q->subjects);
    return r;
}

static inline struct rt_report *report_of(const char *const *measures, int n, const char *zone_name, int64_t first,
                                          int64_t last)
{
    struct rt_report_query q = query_of(measures, n, zone_name, first, last);
    return answer(&q);
}

/* Row i of a report's breakdown: key, details, sums. */
static inline const int64_t *row_of(const struct rt_report *r, size_t i)
{
    assert_true(i < r->keys);
    return r->by_key + i * ((size_t)r->measures + 2);
}

static uint64_t seed = 88172645463325252u;

static inline uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static inline int64_t rnd_between(int64_t from, int64_t to) { return from + (int64_t)(rnd() % (uint64_t)(to - from)); }

/* Small and large ones, and those at which an encoding changes its length. */
static inline int64_t rnd_varied(void)
{
    static const int64_t special[] = { 1, -1, 63, -64, 64, 127, 128, 8191, 8192, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
    uint64_t pick = rnd() % 4;
    return pick == 0 ? special[rnd() % COUNT(special)] : (int64_t)(rnd() >> (pick == 1 ? 0 : 50)) + 1;
}

static inline void print_difference(void *arg, const char *measure, const char *kind, int64_t id, int64_t detail,
                                    int64_t t, int64_t stored, int64_t expected)
{
    (void)arg;
    print_error("%s of %s %lld, detail %lld, at %lld: stored %lld, expected %lld\n", measure, kind, (long long)id,
                (long long)detail, (long long)t, (long long)stored, (long long)expected);
}

#endif
