/* SPDX-License-Identifier: Apache-2.0
 *
 * Time: the calendar against the C library's over all its years, parsing of good and bad texts. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static void agrees_with_gmtime_on_every_day(void **state)
{
    (void)state;
    int64_t last = rt_days_from_civil(9999, 12, 31);
    for (int64_t d = rt_days_from_civil(0, 1, 1); d <= last; d++) {
        int y, m, day;
        struct tm tm;
        time_t t = (time_t)d * 86400;
        rt_civil_from_days(d, &y, &m, &day);
        gmtime_r(&t, &tm);
        if (y != tm.tm_year + 1900 || m != tm.tm_mon + 1 || day != tm.tm_mday || rt_days_from_civil(y, m, day) != d)
            fail_msg("day %lld: %d-%d-%d", (long long)d, y, m, day);
    }
}

static void agrees_with_strftime_on_iso_weeks(void **state)
{
    (void)state;
    int64_t last = rt_days_from_civil(2401, 1, 1);
    for (int64_t d = rt_days_from_civil(1890, 1, 1); d < last; d++) {
        int y, w, weekday;
        int64_t start = 0;
        struct tm tm;
        time_t t = (time_t)d * 86400;
        char text[32];
        gmtime_r(&t, &tm);
        strftime(text, sizeof(text), "%G %V %u", &tm);
        rt_iso_week(d, &y, &w, &weekday);
        int ey = atoi(text), ew = atoi(text + 5), ed = atoi(text + 8);
        if (y != ey || w != ew || weekday != ed || !rt_iso_week_start(y, w, &start) || start + weekday - 1 != d)
            fail_msg("day %lld: %d-W%d-%d, not %s", (long long)d, y, w, weekday, text);
    }
}

static void knows_which_weeks_exist(void **state)
{
    (void)state;
    int64_t start;
    assert_true(rt_iso_week_start(2020, 53, &start));
    assert_false(rt_iso_week_start(2021, 53, &start));
    assert_false(rt_iso_week_start(2021, 0, &start));
    assert_false(rt_iso_week_start(2021, 54, &start));
    assert_true(rt_iso_week_start(2025, 1, &start));
    assert_int_equal(start, rt_days_from_civil(2024, 12, 30));
}

static void writes_iso(void **state)
{
    (void)state;
    static const struct {
        int64_t t;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { -1, "1969-12-31T23:59:59Z" },
        { 1737367200, "2025-01-20T10:00:00Z" },
        { 951782400, "2000-02-29T00:00:00Z" },
        { INT64_MAX, "9999-12-31T23:59:59Z" },
        { INT64_MIN, "0000-01-01T00:00:00Z" },
        { 253402300799, "9999-12-31T23:59:59Z" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[RT_ISO_LEN + 1] = { 0 };
        rt_iso_write(cases[i].t, out);
        assert_string_equal(out, cases[i].text);
    }
}

static void reads_iso(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t t;
    } good[] = {
        { "2025-01-20T10:00:00Z", 1737367200 },
        { "2025-01-20 10:00:00", 1737367200 },
        { "2025-01-20T10:00", 1737367200 },
        { "2025-01-20T10:00Z", 1737367200 },
        { "2025-01-20T10:00:00.999Z", 1737367200 },
        { "2025-01-20T10:00:00.123456+00:00", 1737367200 },
        { "2025-01-20T15:45:00+05:45", 1737367200 },
        { "2025-01-20T15:45:00+0545", 1737367200 },
        { "2025-01-20T02:00:00-08", 1737367200 },
        { "2025-01-20T12:00+02:00", 1737367200 },
        { "1970-01-01T00:00:00Z", 0 },
        { "2024-02-29T00:00:00Z", 1709164800 },
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t t = -5;
        if (!rt_iso_parse(good[i].text, strlen(good[i].text), &t) || t != good[i].t)
            fail_msg("%s: %lld", good[i].text, (long long)t);
    }
}

static void refuses_bad_iso(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2025",
        "2025-01-20",
        "2025-01-20T",
        "2025-01-20T10",
        "2025-01-20T10:0",
        "2025-01-20T1:00:00",
        "2025-01-20T24:00:00Z",
        "2025-01-20T10:60:00Z",
        "2025-01-20T10:00:60Z",
        "2025-01-20T10:00:0",
        "2025-01-20T10:00:00.Z",
        "2025-01-20T10:00.5Z",
        "2025-01-20T10:00:00ZZ",
        "2025-01-20T10:00:00 Z",
        "2025-01-20T10:00:00+5",
        "2025-01-20T10:00:00+05:4",
        "2025-01-20T10:00:00+05:60",
        "2025-01-20T10:00:00+24:00",
        "2025-01-20T10:00:00+05-45",
        "2025-01-20T10:00:00+055",
        "2025-02-29T10:00:00Z",
        "2025-13-01T10:00:00Z",
        "2025-00-01T10:00:00Z",
        "2025-01-00T10:00:00Z",
        "2025-01-32T10:00:00Z",
        "2025/01/20T10:00:00Z",
        "2025-01-20_10:00:00Z",
        "-025-01-20T10:00:00Z",
        "2025-01-20T-1:00:00Z",
        "2025-01-20T10:00:00\xEF\xBC\x8B",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t t = 42;
        if (rt_iso_parse(bad[i], strlen(bad[i]), &t) || t != 42)
            fail_msg("accepted %s", bad[i]);
    }
}

static void every_prefix_stays_inside_its_bytes(void **state)
{
    (void)state;
    static const char whole[] = "2025-01-20T10:00:00.25+05:45";
    for (size_t n = 0; n < sizeof(whole); n++) {
        char *copy = malloc(n + 1); /* exact size, for the address sanitizer */
        char *tight = realloc(memcpy(copy, whole, n), n ? n : 1);
        int64_t t;
        bool ok = rt_iso_parse(tight, n, &t);
        assert_int_equal(ok, n == 16 || n == 19 || n == 21 || n == 22 || n == 25 || n == 28);
        free(tight);
    }
}

static void reads_and_writes_dates(void **state)
{
    (void)state;
    char out[11] = { 0 };
    int64_t days = 1;
    assert_true(rt_date_parse("1970-01-01", 10, &days));
    assert_int_equal(days, 0);
    assert_true(rt_date_parse("2000-02-29", 10, &days));
    rt_date_write(days, out);
    assert_string_equal(out, "2000-02-29");
    assert_false(rt_date_parse("1900-02-29", 10, &days));
    assert_false(rt_date_parse("2025-04-31", 10, &days));
    assert_false(rt_date_parse("2025-1-01", 9, &days));
    assert_false(rt_date_parse("2025-01-011", 11, &days));
    rt_date_write(INT64_MAX, out);
    assert_string_equal(out, "9999-12-31");
}

static void shifts_the_wall_clock_only(void **state)
{
    (void)state;
    int64_t before = rt_now();
    uint64_t mono = rt_mono_ns();
    rt_clock_shift(86400);
    assert_int_equal(rt_clock_shifted(), 86400);
    assert_true(rt_now() >= before + 86400);
    assert_true(rt_now_ms() / 1000 >= before + 86400);
    assert_true(rt_mono_ns() - mono < 86400ull * 1000000000u);
    rt_clock_shift(0);
    assert_true(rt_now() < before + 86400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_gmtime_on_every_day),
        cmocka_unit_test(agrees_with_strftime_on_iso_weeks),
        cmocka_unit_test(knows_which_weeks_exist),
        cmocka_unit_test(writes_iso),
        cmocka_unit_test(reads_iso),
        cmocka_unit_test(refuses_bad_iso),
        cmocka_unit_test(every_prefix_stays_inside_its_bytes),
        cmocka_unit_test(reads_and_writes_dates),
        cmocka_unit_test(shifts_the_wall_clock_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
