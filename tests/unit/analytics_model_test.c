/* SPDX-License-Identifier: Apache-2.0
 *
 * Analytics against a naive model: facts in a plain array, summed by formula for every question. Random
 * facts of three subjects are recorded and withdrawn; reports of one and of many, streaks and the verification
 * must agree with what the array says, in zones with odd offsets and around their changes. */
#include "analytics_fixture.h"

enum { FACTS = 150, SUBJECTS = 3, DETAILS = 6 };
static const char *const model_measures[] = { SECONDS, SESSIONS, "tasks_done" };
static const int64_t subjects[SUBJECTS] = { 7, 8, 9 };
static struct rt_fact facts[FACTS];
static bool withdrawn[FACTS];
static int64_t window; /* where the facts lie: a day */

static int64_t share(const struct rt_fact *f, int64_t t)
{
    t = t < f->from ? f->from : t > f->to ? f->to : t;
    return llabs(f->value) * (t - f->from) / (f->to - f->from);
}

/* What a fact gives to [start, end), which begins and ends on slots' borders. */
static int64_t model_part(const struct rt_fact *f, int64_t start, int64_t end)
{
    if (f->from == f->to)
        return f->from >= start && f->from < end ? f->value : 0;
    int64_t part = share(f, end) - share(f, start);
    return f->value < 0 ? -part : part;
}

/* What a question is about. */
struct scope {
    int64_t id; /* -1 for all subjects */
    int64_t first_detail, last_detail;
};
static const struct scope only_7 = { 7, 0, DETAILS };

/* Sum over the facts left. */
static int64_t model_sum(int measure, struct scope in, int64_t start, int64_t end)
{
    int64_t sum = 0;
    for (int i = 0; i < FACTS; i++) {
        const struct rt_fact *f = &facts[i];
        if (!withdrawn[i] && f->measure == model_measures[measure] && (in.id < 0 || f->id == in.id) &&
            f->detail >= in.first_detail && f->detail <= in.last_detail)
            sum += model_part(f, start, end);
    }
    return sum;
}

/* Whether a slot has a cell: a sum of one subject and detail that is not 0. */
static bool model_cell(int measure, struct scope in, int64_t slot)
{
    for (int64_t detail = in.first_detail; detail <= in.last_detail; detail++) {
        struct scope one = { in.id, detail, detail };
        if (model_sum(measure, one, slot, slot + RT_SLOT_SECONDS) != 0)
            return true;
    }
    return false;
}

/* Alone or together with those that follow. */
static void record_some(const struct rt_fact *list, int n)
{
    struct rt_err err = { 0 };
    for (int i = 0, some; i < n; i += some) {
        some = (int)rnd_between(1, 8);
        some = some < n - i ? some : n - i;
        if (rt_analytics_record(conn, &list[i], (size_t)some, &err) != 0)
            fail_msg("%s", err.msg);
    }
}

static void random_facts(void)
{
    struct rt_fact list[FACTS];
    int n = 0;
    for (int i = 0; i < FACTS; i++) {
        int64_t from = window * 86400 + rnd_between(0, 14 * 86400);
        int64_t length = rnd() % 4 == 0 ? 0 : rnd() % 10 == 0 ? rnd_between(1, 200000) : rnd_between(1, 7200);
        int64_t value = rnd() % 3 == 0 ? rnd_between(-3000, 3000) : length + 1;
        facts[i] = fact(model_measures[rnd() % 3], rnd_between(0, DETAILS), from, from + length, value);
        if (rnd() % 2)
            facts[i].id = subjects[rnd() % SUBJECTS];
        withdrawn[i] = false;
        list[n++] = facts[i];
    }
    record_some(list, n);
}

static void withdraw(int i)
{
    struct rt_fact back = facts[i];
    back.value = -back.value;
    record(back);
    withdrawn[i] = true;
}

static void compare_days(const struct rt_report *r, const struct rt_zone *z, struct scope in, int m)
{
    int64_t sum = 0, start, end;
    for (int64_t day = r->first; day <= r->last; sum += r->series[m].by_day[day++ - r->first]) {
        rt_zone_day_bounds(z, day, &start, &end);
        assert_int_equal(r->series[m].by_day[day - r->first], model_sum(m, in, start, end));
    }
    assert_int_equal(r->series[m].total, sum);
}

static void compare_breakdown(const struct rt_report *r, struct scope in, unsigned shift, int64_t start, int64_t end)
{
    size_t keys = 0;
    int64_t details = 0;
    for (int64_t key = 0; key <= DETAILS >> shift; key++) {
        int64_t expected[5] = { key };
        for (int64_t detail = key << shift; detail < (key + 1) << shift; detail++) {
            struct scope one = { in.id, detail, detail };
            bool any = false, asked = detail >= in.first_detail && detail <= in.last_detail;
            for (int m = 0; asked && m < 3; m++) {
                expected[2 + m] += model_sum(m, one, start, end);
                any |= model_sum(m, one, start, end) != 0;
            }
            expected[1] += any;
        }
        keys += expected[1] > 0;
        details += expected[1];
        for (size_t i = 0; expected[1] > 0; i++) {
            const int64_t *row = row_of(r, i), *before = i > 0 ? row_of(r, i - 1) : NULL;
            assert_true(!before || before[2] > row[2] || (before[2] == row[2] && before[0] < row[0]));
            if (row[0] != key)
                continue;
            assert_memory_equal(row, expected, sizeof expected);
            break;
        }
    }
    assert_int_equal(r->keys, keys);
    assert_int_equal(r->details, details);
}

static void compare_report(const char *zone_name, int64_t first, int64_t last)
{
    struct rt_report *r = report_of(model_measures, 3, zone_name, first, last);
    int64_t start, end, ignored;
    rt_zone_day_bounds(zone(zone_name), first, &start, &ignored);
    rt_zone_day_bounds(zone(zone_name), last, &ignored, &end);
    for (int m = 0; m < 3; m++) {
        compare_days(r, zone(zone_name), only_7, m);
        assert_int_equal(r->series[m].total, model_sum(m, only_7, start, end));
    }
    compare_breakdown(r, only_7, 0, start, end);
    rt_report_free(r);
}

/* By looking at each slot of each local day of each subject. */
static void compare_hours(const struct rt_report *r, const struct rt_zone *z, struct scope in, int m)
{
    int64_t sums[24] = { 0 }, pairs[24] = { 0 }, start, end;
    for (int i = 0; i < SUBJECTS; i++) {
        in.id = subjects[i];
        for (int64_t day = r->first; day <= r->last; day++) {
            bool seen[24] = { false };
            rt_zone_day_bounds(z, day, &start, &end);
            for (int64_t slot = start; slot < end; slot += RT_SLOT_SECONDS) {
                sums[rt_zone_hour(z, slot)] += model_sum(m, in, slot, slot + RT_SLOT_SECONDS);
                seen[rt_zone_hour(z, slot)] |= model_cell(m, in, slot);
            }
            for (int hour = 0; hour < 24; hour++)
                pairs[hour] += seen[hour];
        }
    }
    assert_memory_equal(r->series[m].by_hour, sums, sizeof sums);
    assert_memory_equal(r->series[m].days_by_hour, pairs, sizeof pairs);
}

static void compare_details(const struct rt_report *r, struct scope in, int subject, int64_t start, int64_t end)
{
    int64_t details = 0;
    in.id = subjects[subject];
    for (int64_t detail = in.first_detail; detail <= in.last_detail; detail++) {
        struct scope one = { in.id, detail, detail };
        bool any = false;
        for (int64_t slot = start; slot < end; slot += RT_SLOT_SECONDS)
            any = any || model_cell(0, one, slot) || model_cell(1, one, slot) || model_cell(2, one, slot);
        details += any;
    }
    assert_int_equal(r->details_by_subject[subject], details);
}

static void compare_group(const char *zone_name, int64_t first, int64_t last)
{
    struct rt_report_query q = query_of(model_measures, 3, zone_name, first, last);
    struct scope in = { -1, 0, DETAILS };
    struct rt_detail_range only = { rnd_between(0, DETAILS), rnd_between(0, DETAILS) };
    int64_t start, end, ignored;
    q.ids = subjects;
    q.subjects = SUBJECTS;
    q.hours = true;
    q.key_shift = (unsigned)(rnd() % 3);
    if (rnd() % 2) {
        q.details = &only;
        in = (struct scope){ -1, only.first, only.last };
    }
    struct rt_report *r = answer(&q);
    rt_zone_day_bounds(zone(zone_name), first, &start, &ignored);
    rt_zone_day_bounds(zone(zone_name), last, &ignored, &end);
    for (int m = 0; m < 3; m++) {
        compare_days(r, q.zone, in, m);
        compare_hours(r, q.zone, in, m);
        for (int i = 0; i < SUBJECTS; i++) {
            struct scope one = { subjects[i], in.first_detail, in.last_detail };
            assert_int_equal(r->series[m].by_subject[i], model_sum(m, one, start, end));
        }
    }
    for (int i = 0; i < SUBJECTS; i++)
        compare_details(r, in, i, start, end);
    compare_breakdown(r, in, q.key_shift, start, end);
    rt_report_free(r);
}

static void compare_streak(const char *zone_name, int measure, int64_t today)
{
    struct rt_streak expected = { 0 }, got;
    const struct rt_zone *z = zone(zone_name);
    int64_t run = 0, run_start = 0, start, end;
    bool active = false, existed;
    for (int64_t day = window - 3; day <= today; day++) {
        rt_zone_day_bounds(z, day, &start, &end);
        existed = start < end;
        if (!existed)
            continue;
        active = model_sum(measure, only_7, start, end) > 0;
        if (active && run++ == 0)
            run_start = day;
        expected.active_days += active;
        expected.longest = run > expected.longest ? run : expected.longest;
        if (day == today || active)
            expected.current = run, expected.current_start = run_start; /* today is not over */
        else
            run = 0, expected.current = 0;
    }
    if (expected.current == 0)
        expected.current_start = 0;
    assert_int_equal(rt_analytics_streak(conn, "user", 7, model_measures[measure], z, today, &got, NULL), 0);
    assert_int_equal(got.active_days, expected.active_days);
    assert_int_equal(got.longest, expected.longest);
    assert_int_equal(got.current, expected.current);
    if (got.current > 0)
        assert_int_equal(got.current_start, expected.current_start);
    assert_int_equal(rt_analytics_current_streak(conn, "user", 7, model_measures[measure], z, today, &got, NULL), 0);
    assert_int_equal(got.current, expected.current);
    if (got.current > 0)
        assert_int_equal(got.current_start, expected.current_start);
}

static void compare_verify(void)
{
    struct rt_verify *v = rt_verify_new();
    for (int i = 0; i < FACTS; i++) {
        if (!withdrawn[i])
            assert_int_equal(rt_verify_add(v, &facts[i], NULL), 0);
    }
    assert_int_equal(rt_verify_compare(v, conn, print_difference, NULL, NULL), 0);
    rt_verify_free(v);
}

static void compare_all(void)
{
    static const char *const names[] = { "UTC",
                                         "Europe/Berlin",
                                         "Asia/Kathmandu",
                                         "America/St_Johns",
                                         "Australia/Lord_Howe",
                                         "Pacific/Chatham",
                                         "Pacific/Apia",
                                         "America/Santiago",
                                         "Pacific/Kiritimati",
                                         "Pacific/Pago_Pago" };
    for (int i = 0; i < COUNT(names); i++) {
        int64_t first = window + rnd_between(-3, 14);
        compare_report(names[i], first, first + rnd_between(0, 12));
        compare_streak(names[i], (int)(rnd() % 3), window + rnd_between(-2, 20));
    }
    compare_report("Pacific/Apia", window - 3, window + 20);
    for (int i = 0; i < 2; i++) {
        int64_t first = window + rnd_between(-3, 14);
        compare_group(names[rnd() % COUNT(names)], first, first + rnd_between(0, 8));
    }
}

static void reports_agree_with_the_model(void **state)
{
    static const char *const windows[] = { "2025-03-01", "2025-10-20", "2025-03-30", "2011-12-25",
                                           "2010-11-01", "1999-12-28", "2037-10-20", "2025-08-30" };
    (void)state;
    for (int round = 0; round < COUNT(windows) * 2; round++) {
        window = date(windows[round / 2]);
        random_facts();
        compare_all();
        for (int i = 0; i < FACTS; i++) {
            if (rnd() % 2)
                withdraw(i);
        }
        compare_all();
        compare_verify();
        for (int i = FACTS; i-- > 0;) {
            if (!withdrawn[i])
                withdraw(i);
        }
        assert_int_equal(rows(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reports_agree_with_the_model, open_database, close_database),
    };
    return cmocka_run_group_tests_name("analytics model", tests, NULL, NULL);
}
