/* SPDX-License-Identifier: Apache-2.0
 *
 * Analytics by example: local days, details, streaks, what is refused, rollback, damage, verification. */
#include "analytics_fixture.h"

/* ---- reports ---- */

static void a_span_across_local_midnight_is_split(void **state)
{
    const char *const measures[] = { SECONDS, SESSIONS };
    (void)state;
    /* 23:45 to 00:30 in Kathmandu, where midnight is 18:15 UTC */
    int64_t from = instant("2025-01-20T18:00:00Z"), to = instant("2025-01-20T18:45:00Z");
    record(fact(SECONDS, 5, from, to, to - from));
    record(fact(SESSIONS, 5, to, to, 1));
    struct rt_report *r = report_of(measures, 2, "Asia/Kathmandu", date("2025-01-19"), date("2025-01-22"));
    int64_t expected[] = { 0, 900, 1800, 0 };
    assert_memory_equal(r->series[0].by_day, expected, sizeof expected);
    assert_int_equal(r->series[0].total, 2700);
    assert_int_equal(r->keys, 1);
    assert_true(row_of(r, 0)[0] == 5 && row_of(r, 0)[1] == 1 && row_of(r, 0)[2] == 2700 && row_of(r, 0)[3] == 1);
    assert_int_equal(r->series[1].by_day[2], 1);
    assert_int_equal(r->series[1].total, 1);
    rt_report_free(r);
    r = report_of(measures, 1, "Asia/Kathmandu", date("2025-01-21"), date("2025-01-21"));
    assert_int_equal(r->series[0].total, 1800);
    rt_report_free(r);
    r = report_of(measures, 1, "UTC", date("2025-01-20"), date("2025-01-20"));
    assert_int_equal(r->series[0].total, 2700);
    rt_report_free(r);
}

static void details_are_ranked(void **state)
{
    static const int64_t values[] = { 5, 9, -3, 9, 4, 0 };
    const char *const measures[] = { SECONDS };
    (void)state;
    for (int64_t i = 0; i < COUNT(values); i++)
        record(fact(SECONDS, i, i * 900, i * 900, values[i]));
    record(fact(SECONDS, 4, 40000, 40000, -4)); /* nothing is left of detail 4 */
    struct rt_report *r = report_of(measures, 1, "UTC", 0, 0);
    assert_int_equal(r->keys, 4);
    assert_true(row_of(r, 0)[0] == 1 && row_of(r, 1)[0] == 3 && row_of(r, 2)[0] == 0 && row_of(r, 3)[0] == 2);
    assert_true(row_of(r, 0)[2] == 9 && row_of(r, 3)[2] == -3);
    rt_report_free(r);
}

static void details_can_be_chosen(void **state)
{
    (void)state;
    const char *measures[] = { SECONDS };
    struct rt_detail_range only = { 5, 5 };
    struct rt_report_query q = query_of(measures, 1, "UTC", 0, 1);
    q.details = &only;
    record(fact(SECONDS, 5, 0, 900, 900));
    record(fact(SECONDS, 4, 0, 1800, 1800));
    record(fact(SECONDS, 5, 86400, 86500, 100));
    struct rt_report *r = answer(&q);
    assert_true(r->series[0].total == 1000 && r->series[0].by_day[0] == 900 && r->series[0].by_day[1] == 100);
    assert_true(r->keys == 1 && r->details_by_subject[0] == 1);
    rt_report_free(r);
    only = (struct rt_detail_range){ 6, 9 };
    r = answer(&q);
    assert_true(r->series[0].total == 0 && r->keys == 0 && r->details_by_subject[0] == 0);
    rt_report_free(r);
    only = (struct rt_detail_range){ 4, 9 };
    r = answer(&q);
    assert_true(r->series[0].total == 2800 && r->keys == 2);
    rt_report_free(r);
}

/* Details may be pairs, of a project and a task say: then a shift groups them by the first. */
static void details_can_be_grouped(void **state)
{
    (void)state;
    const char *measures[] = { SECONDS, SESSIONS };
    struct rt_report_query q = query_of(measures, 2, "UTC", 0, 0);
    q.key_shift = 32;
    record(fact(SECONDS, (INT64_C(3) << 32) + 1, 0, 900, 900));
    record(fact(SECONDS, (INT64_C(3) << 32) + 2, 900, 1000, 100));
    record(fact(SESSIONS, (INT64_C(3) << 32) + 2, 1000, 1000, 1));
    record(fact(SECONDS, (INT64_C(4) << 32) + 3, 1000, 3000, 2000));
    record(fact(SESSIONS, -1, 0, 0, 5));
    struct rt_report *r = answer(&q);
    const int64_t expected[] = { 4, 1, 2000, 0, 3, 2, 1000, 1, -1, 1, 0, 5 };
    assert_int_equal(r->keys, 3);
    assert_memory_equal(r->by_key, expected, sizeof expected);
    rt_report_free(r);
}

/* ---- many subjects, hours ---- */

static void subjects_side_by_side(void **state)
{
    (void)state;
    const char *measures[] = { SECONDS, SESSIONS };
    const int64_t ids[] = { 9, 7, 8 }; /* nothing is known of 9 */
    struct rt_report_query q = query_of(measures, 2, "UTC", 0, 1);
    struct rt_fact other = fact(SECONDS, 5, 86400, 86700, 300);
    other.id = 8;
    q.ids = ids;
    q.subjects = 3;
    record(other);
    record(fact(SECONDS, 5, 0, 900, 900));
    record(fact(SECONDS, 4, 0, 60, 60));
    record(fact(SESSIONS, 4, 60, 60, 1));
    struct rt_report *r = answer(&q);
    const int64_t by_day[] = { 960, 300 }, by_subject[] = { 0, 960, 300 }, details[] = { 0, 2, 1 };
    assert_int_equal(r->series[0].total, 1260);
    assert_memory_equal(r->series[0].by_day, by_day, sizeof by_day);
    assert_memory_equal(r->series[0].by_subject, by_subject, sizeof by_subject);
    assert_memory_equal(r->details_by_subject, details, sizeof details);
    const int64_t rows[] = { 5, 1, 1200, 0, 4, 1, 60, 1 };
    assert_int_equal(r->keys, 2);
    assert_memory_equal(r->by_key, rows, sizeof rows);
    rt_report_free(r);
    q.subjects = 0;
    r = answer(&q);
    assert_true(r->series[0].total == 0 && r->keys == 0);
    rt_report_free(r);
}

static void hours_are_those_of_the_wall_clock(void **state)
{
    (void)state;
    const char *measures[] = { SECONDS };
    const int64_t ids[] = { 7, 8 };
    int64_t first = date("2025-10-25"); /* Berlin repeats 02:00 to 03:00 on the 26th */
    struct rt_report_query q = query_of(measures, 1, "Europe/Berlin", first, first + 1);
    q.ids = ids;
    q.subjects = 2;
    q.hours = true;
    struct rt_fact other = fact(SECONDS, 0, instant("2025-10-26T01:30:00Z"), instant("2025-10-26T01:31:00Z"), 60);
    other.id = 8;
    record(other);
    record(fact(SECONDS, 0, instant("2025-10-25T00:00:00Z"), instant("2025-10-25T00:15:00Z"), 900));
    record(fact(SECONDS, 1, instant("2025-10-26T00:30:00Z"), instant("2025-10-26T02:30:00Z"), 7200));
    struct rt_report *r = answer(&q);
    for (int hour = 0; hour < 24; hour++) {
        assert_int_equal(r->series[0].by_hour[hour], hour == 2 ? 900 + 5400 + 60 : hour == 3 ? 1800 : 0);
        assert_int_equal(r->series[0].days_by_hour[hour], hour == 2 ? 3 : hour == 3);
    }
    rt_report_free(r);
    q.hours = q.keys = false;
    r = answer(&q);
    assert_true(r->series[0].by_hour[2] == 0 && !r->by_key && r->keys == 0 && r->details == 2);
    rt_report_free(r);
}

/* More details than any table starts with. */
static void details_may_be_many(void **state)
{
    const char *const measures[] = { SECONDS };
    const int n = 700;
    (void)state;
    for (int i = 0; i < 2 * n; i++)
        record(fact(SECONDS, (int64_t)(i % n) << 33, i * 500, i * 500, i % n + 1));
    struct rt_report *r = report_of(measures, 1, "UTC", 0, 10);
    assert_int_equal(r->keys, n);
    assert_int_equal(r->series[0].total, n * (n + 1));
    for (int i = 0; i < n; i++) {
        assert_int_equal(row_of(r, (size_t)i)[0], (int64_t)(n - 1 - i) << 33);
        assert_int_equal(row_of(r, (size_t)i)[2], 2 * (n - i));
    }
    rt_report_free(r);
}

/* A value that runs on for a year fills each local day with exactly the day's seconds. */
static void days_have_their_length(void **state)
{
    static const char *const names[] = { "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Pacific/Chatham",
                                         "Asia/Kathmandu" };
    const char *const measures[] = { SECONDS };
    (void)state;
    int64_t from = instant("2024-12-28T00:00:00Z"), to = instant("2026-01-05T00:00:00Z");
    int64_t first = date("2025-01-01"), last = date("2025-12-31");
    record(fact(SECONDS, 0, from, to, to - from));
    for (int i = 0; i < COUNT(names); i++) {
        struct rt_report *r = report_of(measures, 1, names[i], first, last);
        for (int64_t day = first; day <= last; day++) {
            int64_t start, end;
            rt_zone_day_bounds(zone(names[i]), day, &start, &end);
            assert_int_equal(r->series[0].by_day[day - first], end - start);
        }
        assert_int_equal(r->series[0].total, 365 * 86400);
        rt_report_free(r);
    }
    record(fact(SECONDS, 0, from, to, from - to));
    assert_int_equal(rows(), 0);
}

/* ---- streaks ---- */

static void record_days(const char *zone_name, const int64_t *days, int n)
{
    for (int i = 0; i < n; i++) {
        int64_t noon = rt_zone_instant(zone(zone_name), days[i], 43200);
        record(fact(SESSIONS, 0, noon, noon, 1));
    }
}

static struct rt_streak streak_on(const char *zone_name, int64_t today)
{
    struct rt_streak s = { 0 };
    assert_int_equal(rt_analytics_streak(conn, "user", 7, SESSIONS, zone(zone_name), today, &s, NULL), 0);
    return s;
}

static void streaks(void **state)
{
    const int64_t d = date("2025-03-28"); /* Berlin's shorter day is d + 2 */
    const int64_t days[] = { d - 20, d - 19, d - 18, d - 17, d - 16, d, d + 1, d + 2, d + 3 };
    (void)state;
    struct rt_streak s = streak_on("Europe/Berlin", d);
    assert_true(s.current == 0 && s.longest == 0 && s.active_days == 0);
    record_days("Europe/Berlin", days, COUNT(days));
    s = streak_on("Europe/Berlin", d + 3);
    assert_true(s.current == 4 && s.longest == 5 && s.active_days == 9 && s.current_start == d);
    s = streak_on("Europe/Berlin", d + 4);
    assert_true(s.current == 4 && s.current_start == d);
    s = streak_on("Europe/Berlin", d + 5);
    assert_true(s.current == 0 && s.longest == 5);
    s = streak_on("Europe/Berlin", d + 1); /* later days do not count yet */
    assert_true(s.current == 2 && s.active_days == 7 && s.current_start == d);
}

static void a_skipped_date_breaks_no_streak(void **state)
{
    const int64_t d = date("2011-12-28"), days[] = { d, d + 1, d + 3 };
    (void)state;
    record_days("Pacific/Apia", days, COUNT(days));
    struct rt_streak s = streak_on("Pacific/Apia", d + 4);
    assert_true(s.current == 3 && s.longest == 3 && s.current_start == d);
    s = streak_on("UTC", d + 30);
    assert_true(s.current == 0 && s.active_days == 3);
}

/* The window in which a current streak is looked for is widened as long as it begins before: 32, 128, 512 days. */
static void long_current_streaks(void **state)
{
    static const int lengths[] = { 1, 31, 32, 33, 34, 127, 128, 129, 130, 600 };
    const int64_t today = date("2012-01-31"); /* in Apia 32 days after the date that was skipped */
    struct rt_streak s;
    (void)state;
    for (int i = 0; i < COUNT(lengths); i++) {
        int64_t days[600];
        for (int d = 0; d < lengths[i]; d++)
            days[d] = today - d;
        exec("DELETE FROM perigee_analytics");
        record_days("Pacific/Apia", days, lengths[i]);
        struct rt_streak whole = { 0 };
        const struct rt_zone *z = zone("Pacific/Apia");
        assert_int_equal(rt_analytics_streak(conn, "user", 7, SESSIONS, z, today, &whole, NULL), 0);
        assert_int_equal(rt_analytics_current_streak(conn, "user", 7, SESSIONS, z, today, &s, NULL), 0);
        /* the skipped date's noon is the day after's */
        assert_int_equal(whole.current, lengths[i] - (lengths[i] > 32));
        assert_true(s.current == whole.current && s.current_start == whole.current_start);
        assert_true(s.longest == 0 && s.active_days == 0);
        assert_int_equal(rt_analytics_current_streak(conn, "user", 7, SESSIONS, z, today + 2, &s, NULL), 0);
        assert_int_equal(s.current, 0);
    }
}

/* ---- facts together ---- */

static void facts_of_a_day_are_one_change_of_its_row(void **state)
{
    const char *const measures[] = { SECONDS, SESSIONS };
    const struct rt_fact list[] = {
        fact(SECONDS, 3, 0, 900, 900),         fact(SESSIONS, 3, 900, 900, 1), fact(SECONDS, 4, 0, 900, 100),
        fact(SECONDS, 3, 85500, 87300, 1800), /* into the next day */
        fact(SESSIONS, 3, 87300, 87300, 1),
    };
    int64_t changes = -1;
    (void)state;
    exec("CREATE TEMP TABLE changes(day);"
         "CREATE TEMP TRIGGER made AFTER INSERT ON perigee_analytics BEGIN INSERT INTO changes VALUES (new.day); END;"
         "CREATE TEMP TRIGGER changed AFTER UPDATE ON perigee_analytics BEGIN INSERT INTO changes VALUES (new.day); END");
    assert_int_equal(rt_analytics_record(conn, list, COUNT(list), NULL), 0);
    assert_int_equal(rt_conn_int(conn, "SELECT COUNT(*) FROM changes", &changes, NULL), 0);
    assert_int_equal(changes, 2);
    struct rt_report *r = report_of(measures, 2, "UTC", 0, 1);
    assert_true(r->series[0].by_day[0] == 1900 && r->series[0].by_day[1] == 900);
    assert_true(r->series[1].by_day[0] == 1 && r->series[1].by_day[1] == 1);
    rt_report_free(r);
    assert_int_equal(rt_analytics_record(conn, list, 0, NULL), 0);
}

static void a_fact_and_its_opposite_leave_no_row(void **state)
{
    const struct rt_fact list[] = { fact(SECONDS, 3, 0, 900, 900), fact(SECONDS, 3, 0, 900, -900) };
    (void)state;
    assert_int_equal(rt_analytics_record(conn, list, 2, NULL), 0);
    assert_int_equal(rows(), 0);
}

static void a_bad_fact_among_good_ones_is_refused(void **state)
{
    const struct rt_fact list[] = { fact(SECONDS, 3, 0, 900, 900), fact(SECONDS, 3, 900, 0, 1) };
    struct rt_err err;
    (void)state;
    assert_int_equal(rt_analytics_record(conn, list, 2, &err), RT_E_INVALID);
}

/* ---- what is refused ---- */

static void facts_that_are_refused(void **state)
{
    static char long_name[66];
    const struct rt_fact good = fact(SECONDS, 0, 0, 900, 900);
    struct rt_fact f[8];
    struct rt_err err;
    (void)state;
    memset(long_name, 'x', 65);
    for (int i = 0; i < COUNT(f); i++)
        f[i] = good;
    f[0].measure = NULL;
    f[1].kind = "";
    f[2].measure = long_name;
    f[3].to = -1;
    f[4].value = INT64_MIN;
    f[5].from = INT64_MIN;
    f[6].to = INT64_MAX;
    f[7].to = INT64_C(3661) * 86400;
    for (int i = 0; i < COUNT(f); i++)
        assert_int_equal(rt_analytics_record(conn, &f[i], 1, &err), i == 7 ? RT_E_LIMIT : RT_E_INVALID);
    record(fact(SECONDS, 0, 0, 900, 0));
    assert_int_equal(rows(), 0);
}

static void sums_do_not_wrap(void **state)
{
    struct rt_fact f = fact(SECONDS, 0, 0, 0, INT64_MAX), neighbour = fact(SECONDS, 0, 900, 900, INT64_MAX);
    const char *const measures[] = { SECONDS };
    struct rt_report *r = NULL;
    struct rt_streak s;
    (void)state;
    record(f);
    assert_int_equal(rt_analytics_record(conn, &f, 1, NULL), RT_E_LIMIT);
    record(neighbour);
    struct rt_report_query q = query_of(measures, 1, "UTC", 0, 0);
    assert_int_equal(rt_analytics_report(conn, &q, &r, NULL), RT_E_LIMIT);
    assert_null(r);
    assert_int_equal(rt_analytics_streak(conn, "user", 7, SECONDS, rt_zone_utc(), 0, &s, NULL), RT_E_LIMIT);
}

static void reports_that_are_refused(void **state)
{
    const char *measures[40];
    struct rt_report *r = NULL;
    (void)state;
    for (int i = 0; i < COUNT(measures); i++)
        measures[i] = SECONDS;
    const struct {
        int n;
        int64_t first, last;
        unsigned shift;
        int code;
    } refused[] = { { 0, 0, 1, 0, RT_E_LIMIT },
                    { 40, 0, 1, 0, RT_E_LIMIT },
                    { 1, 1, 0, 0, RT_E_INVALID },
                    { 1, 0, 50000, 0, RT_E_LIMIT },
                    { 1, 0, 1, 63, RT_E_INVALID } };
    for (int i = 0; i < COUNT(refused); i++) {
        struct rt_report_query q = query_of(measures, refused[i].n, "UTC", refused[i].first, refused[i].last);
        q.key_shift = refused[i].shift;
        assert_int_equal(rt_analytics_report(conn, &q, &r, NULL), refused[i].code);
    }
    assert_null(r);
    /* the same measure twice is answered twice */
    record(fact(SECONDS, 0, 0, 900, 900));
    r = report_of(measures, 2, "UTC", 0, 0);
    assert_true(r->series[0].total == 900 && r->series[1].total == 900);
    rt_report_free(r);
}

static void two_names_with_one_id_are_refused(void **state)
{
    struct rt_fact f = fact(SECONDS, 0, 0, 900, 900);
    struct rt_err err;
    char sql[200];
    (void)state;
    snprintf(sql, sizeof sql, "INSERT INTO perigee_analytics_names (id, name) VALUES (%llu, 'other')",
             (unsigned long long)analytics__id(SECONDS));
    exec(sql);
    assert_int_equal(rt_analytics_record(conn, &f, 1, &err), RT_E_CONSTRAINT);
    assert_non_null(strstr(err.msg, "\"other\""));
    assert_int_equal(rows(), 0);
}

/* ---- transactions, damage ---- */

static void a_rollback_takes_everything_back(void **state)
{
    const char *const measures[] = { SECONDS, "other" };
    int64_t names;
    (void)state;
    exec("SAVEPOINT s");
    record(fact(SECONDS, 0, 0, 900, 900));
    exec("ROLLBACK TO s; RELEASE s");
    assert_int_equal(rt_conn_int(conn, "SELECT COUNT(*) FROM perigee_analytics_names", &names, NULL), 0);
    assert_int_equal(names, 0);
    record(fact("other", 0, 0, 900, 5));
    record(fact(SECONDS, 0, 0, 900, 7));
    struct rt_report *r = report_of(measures, 2, "UTC", 0, 0);
    assert_true(r->series[0].total == 7 && r->series[1].total == 5);
    rt_report_free(r);
    assert_int_equal(rt_conn_int(conn, "SELECT COUNT(*) FROM perigee_analytics_names", &names, NULL), 0);
    assert_int_equal(names, 3);
}

static void damaged_rows_are_errors(void **state)
{
    static const char *const damage[] = { "UPDATE perigee_analytics SET data = x'02'",
                                          "UPDATE perigee_analytics SET data = x'0101'",
                                          "UPDATE perigee_analytics SET data = substr(data, 1, length(data) - 1)" };
    const struct rt_fact f = fact(SECONDS, 3, 0, 1800, 1800);
    const char *const measures[] = { SECONDS };
    struct rt_report *r = NULL;
    struct rt_streak s;
    struct rt_err err;
    (void)state;
    for (int i = 0; i < COUNT(damage); i++) {
        exec("DELETE FROM perigee_analytics");
        record(f);
        exec(damage[i]);
        struct rt_verify *v = rt_verify_new();
        struct rt_report_query q = query_of(measures, 1, "UTC", 0, 0);
        assert_int_equal(rt_analytics_report(conn, &q, &r, &err), RT_E_INTERNAL);
        assert_int_equal(rt_analytics_streak(conn, "user", 7, SECONDS, rt_zone_utc(), 0, &s, &err), RT_E_INTERNAL);
        assert_int_equal(rt_analytics_current_streak(conn, "user", 7, SECONDS, rt_zone_utc(), 0, &s, &err),
                         RT_E_INTERNAL);
        assert_int_equal(rt_verify_compare(v, conn, NULL, NULL, &err), RT_E_INTERNAL);
        assert_int_equal(rt_analytics_record(conn, &f, 1, &err), RT_E_INTERNAL);
        assert_non_null(strstr(err.msg, "damaged"));
        rt_verify_free(v);
    }
}

/* ---- verification ---- */

struct differences {
    int count;
    char text[8][128];
};

static void note_difference(void *arg, const char *measure, const char *kind, int64_t id, int64_t detail, int64_t t,
                            int64_t stored, int64_t expected)
{
    struct differences *d = arg;
    assert_true(d->count < COUNT(d->text));
    snprintf(d->text[d->count++], sizeof d->text[0], "%s %s %lld %lld %lld: %lld %lld", measure, kind, (long long)id,
             (long long)detail, (long long)t, (long long)stored, (long long)expected);
}

static void differences_are_found_both_ways(void **state)
{
    const struct rt_fact kept = fact(SECONDS, 3, 900, 2700, 1800), lost = fact(SESSIONS, 3, 2700, 2700, 1);
    struct rt_fact extra = fact("extra", 4, 86400, 86400, 9), changed = fact(SECONDS, 3, 172800, 172800, 11);
    struct rt_verify *v = rt_verify_new();
    struct differences d = { 0 };
    (void)state;
    record(kept);
    record(extra);
    record(changed);
    changed.value = 10;
    assert_int_equal(rt_verify_add(v, &changed, NULL), 0);
    assert_int_equal(rt_verify_add(v, &lost, NULL), 0);
    assert_int_equal(rt_verify_add(v, &kept, NULL), 0);
    assert_int_equal(rt_verify_compare(v, conn, note_difference, &d, NULL), 3);
    assert_int_equal(d.count, 3);
    assert_string_equal(d.text[0], SESSIONS " user 7 3 2700: 0 1");
    assert_string_equal(d.text[1], "extra user 7 4 86400: 9 0");
    assert_string_equal(d.text[2], SECONDS " user 7 3 172800: 11 10");
    extra.id = 6; /* before and behind what is stored */
    assert_int_equal(rt_verify_add(v, &extra, NULL), 0);
    extra.id = 8;
    assert_int_equal(rt_verify_add(v, &extra, NULL), 0);
    assert_int_equal(rt_verify_compare(v, conn, NULL, NULL, NULL), 5);
    rt_verify_free(v);
}

/* More facts than the array first holds, most of them into the same cells. */
static void verification_sums_many_facts(void **state)
{
    struct rt_verify *v = rt_verify_new();
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct rt_fact f = fact(SECONDS, i % 7, i % 500 * 900, i % 500 * 900 + 900, i % 11 - 5);
        if (i < 3000)
            record(f);
        else
            f.detail = 100;
        assert_int_equal(rt_verify_add(v, &f, NULL), 0);
        f.value = -f.value;
        if (i >= 3000)
            assert_int_equal(rt_verify_add(v, &f, NULL), 0);
    }
    assert_int_equal(rt_verify_compare(v, conn, print_difference, NULL, NULL), 0);
    rt_verify_free(v);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_database, close_database)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_span_across_local_midnight_is_split),
        TEST(details_are_ranked),
        TEST(details_can_be_chosen),
        TEST(details_can_be_grouped),
        TEST(subjects_side_by_side),
        TEST(hours_are_those_of_the_wall_clock),
        TEST(details_may_be_many),
        TEST(days_have_their_length),
        TEST(streaks),
        TEST(a_skipped_date_breaks_no_streak),
        TEST(long_current_streaks),
        TEST(facts_of_a_day_are_one_change_of_its_row),
        TEST(a_fact_and_its_opposite_leave_no_row),
        TEST(a_bad_fact_among_good_ones_is_refused),
        TEST(facts_that_are_refused),
        TEST(sums_do_not_wrap),
        TEST(reports_that_are_refused),
        TEST(two_names_with_one_id_are_refused),
        TEST(a_rollback_takes_everything_back),
        TEST(damaged_rows_are_errors),
        TEST(differences_are_found_both_ways),
        TEST(verification_sums_many_facts),
    };
    return cmocka_run_group_tests_name("analytics", tests, NULL, NULL);
}
