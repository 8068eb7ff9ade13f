/* SPDX-License-Identifier: Apache-2.0
 *
 * Analytics against a naive model: facts in a plain array, summed by formula for every question. Random
 * facts are recorded and withdrawn; reports, scans, streaks and the verification must agree with what
 * the array says, in zones with odd offsets and around their changes. */
#include "analytics_fixture.h"

enum { FACTS = 150 };
static const char *const model_measures[] = { SECONDS, SESSIONS, "tasks_done" };
static struct rt_fact facts[FACTS];
static bool withdrawn[FACTS];
static int64_t window;    /* where the facts lie: a day */

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

/* Sum over the facts left; `detail` < 0 means all. */
static int64_t model_sum(int measure, int64_t detail, int64_t start, int64_t end)
{
    int64_t sum = 0;
    for (int i = 0; i < FACTS; i++) {
        if (!withdrawn[i] && facts[i].measure == model_measures[measure] && (detail < 0 || facts[i].detail == detail))
            sum += model_part(&facts[i], start, end);
    }
    return sum;
}

/* Alone or together with those that follow, of this subject and of its neighbour. */
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
    struct rt_fact list[2 * FACTS];
    int n = 0;
    for (int i = 0; i < FACTS; i++) {
        int64_t from = window * 86400 + rnd_between(0, 14 * 86400);
        int64_t length = rnd() % 4 == 0 ? 0 : rnd() % 10 == 0 ? rnd_between(1, 200000) : rnd_between(1, 7200);
        int64_t value = rnd() % 3 == 0 ? rnd_between(-3000, 3000) : length + 1;
        facts[i] = fact(model_measures[rnd() % 3], rnd_between(0, 6), from, from + length, value);
        withdrawn[i] = false;
        list[n++] = facts[i];
        if (rnd() % 8 == 0) {    /* the neighbour must not be seen */
            list[n] = facts[i];
            list[n++].id = 8;
        }
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

static void compare_report(const char *zone_name, int64_t first, int64_t last)
{
    struct rt_report *r = report_of(model_measures, 3, zone_name, first, last);
    int64_t start, end, day_start, day_end;
    rt_zone_day_bounds(zone(zone_name), first, &start, &end);
    rt_zone_day_bounds(zone(zone_name), last, &day_start, &end);
    for (int m = 0; m < 3; m++) {
        const struct rt_report_series *s = &r->series[m];
        int64_t sum = 0;
        size_t details = 0;
        for (int64_t day = first; day <= last; sum += s->by_day[day++ - first]) {
            rt_zone_day_bounds(zone(zone_name), day, &day_start, &day_end);
            assert_int_equal(s->by_day[day - first], model_sum(m, -1, day_start, day_end));
        }
        assert_int_equal(s->total, sum);
        assert_int_equal(s->total, model_sum(m, -1, start, end));
        for (int64_t detail = 0; detail < 6; detail++)
            details += model_sum(m, detail, start, end) != 0;
        assert_int_equal(s->details, details);
        for (size_t i = 0; i < details; i++) {
            const struct rt_report_row *row = &s->by_detail[i];
            assert_int_equal(row->value, model_sum(m, row->key, start, end));
            if (i > 0)
                assert_true(row[-1].value > row->value || (row[-1].value == row->value && row[-1].key < row->key));
        }
    }
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
        active = model_sum(measure, -1, start, end) > 0;
        if (active && run++ == 0)
            run_start = day;
        expected.active_days += active;
        expected.longest = run > expected.longest ? run : expected.longest;
        if (day == today || active)
            expected.current = run, expected.current_start = run_start;    /* today is not over */
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
}

struct scanned {
    int64_t sum[3], t;
    int cells, measure;
};

static int add_scanned(void *arg, const struct rt_cell *cell)
{
    struct scanned *s = arg;
    assert_true(cell->t % RT_SLOT_SECONDS == 0 && cell->value != 0);
    assert_true(cell->t > s->t || (cell->t == s->t && cell->measure >= s->measure));
    s->t = cell->t;
    s->measure = cell->measure;
    s->sum[cell->measure] += cell->value;
    s->cells++;
    return 0;
}

static void compare_scan(void)
{
    struct scanned s = { .t = INT64_MIN };
    int64_t from = window * 86400 + rnd_between(-50, 1400) * 900, to = from + rnd_between(0, 1000) * 900;
    assert_int_equal(rt_analytics_scan(conn, "user", 7, model_measures, 3, from, to, add_scanned, &s, NULL), 0);
    for (int m = 0; m < 3; m++)
        assert_int_equal(s.sum[m], model_sum(m, -1, from, to));
}

static void compare_verify(void)
{
    struct rt_verify *v = rt_verify_new();
    for (int i = 0; i < FACTS; i++) {
        if (!withdrawn[i])
            assert_int_equal(rt_verify_add(v, &facts[i], NULL), 0);
    }
    assert_int_equal(rt_conn_exec(conn, "DELETE FROM perigee_analytics WHERE subject_id <> 7", NULL), 0);
    assert_int_equal(rt_verify_compare(v, conn, print_difference, NULL, NULL), 0);
    rt_verify_free(v);
}

static void compare_all(void)
{
    static const char *const names[] = { "UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns",
                                         "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "America/Santiago",
                                         "Pacific/Kiritimati", "Pacific/Pago_Pago" };
    for (int i = 0; i < COUNT(names); i++) {
        int64_t first = window + rnd_between(-3, 14);
        compare_report(names[i], first, first + rnd_between(0, 12));
        compare_streak(names[i], (int)(rnd() % 3), window + rnd_between(-2, 20));
    }
    compare_report("Pacific/Apia", window - 3, window + 20);
    compare_scan();
}

static void reports_agree_with_the_model(void **state)
{
    static const char *const windows[] = { "2025-03-01", "2025-10-20", "2025-03-30", "2011-12-25", "2010-11-01",
                                           "1999-12-28", "2037-10-20", "2025-08-30" };
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
