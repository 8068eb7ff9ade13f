/* SPDX-License-Identifier: Apache-2.0
 *
 * Local days against the contract's vectors, against the C library's own reading of the zone files, and
 * against what must hold in every zone: days follow one another without a hole. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "unit.h"
#include "zone/zone.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* clang-format off */
static const char *const zones[] = {
    "UTC", "Europe/Berlin", "Europe/Dublin", "Europe/Lisbon", "Europe/Istanbul", "America/New_York",
    "America/St_Johns", "America/Sao_Paulo", "America/Santiago", "America/Havana", "America/Scoresbysund",
    "America/Nuuk", "America/Caracas", "Africa/Cairo", "Africa/Casablanca", "Africa/Monrovia", "Asia/Beirut",
    "Asia/Gaza", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Pyongyang", "Asia/Tehran", "Antarctica/Casey",
    "Antarctica/Troll", "Australia/Lord_Howe", "Atlantic/Azores", "Pacific/Apia", "Pacific/Chatham",
    "Pacific/Kiritimati", "Pacific/Kwajalein", "Pacific/Pago_Pago", "Etc/GMT+12",
};
/* clang-format on */

static const struct rt_zone *zone(const char *name)
{
    const struct rt_zone *z = rt_zone_find(name, strlen(name));
    if (!z)
        print_error("zone %s\n", name);
    assert_non_null(z);
    return z;
}

static int64_t date(const char *text)
{
    int64_t day;
    assert_true(rt_date_parse(text, strlen(text), &day));
    return day;
}

static int64_t instant(const char *text)
{
    int64_t t;
    assert_true(rt_iso_parse(text, strlen(text), &t));
    return t;
}

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static int64_t rnd_between(int64_t from, int64_t to)
{
    return from + (int64_t)(rnd() % (uint64_t)(to - from));
}

/* ---- the contract's vectors ---- */

/* Just enough of JSON for a file of flat objects. */
struct pair {
    char key[32], text[256];    /* numbers as text */
};

static char *vectors;

static char next_mark(const char **p)
{
    *p += strspn(*p, " \n\r\t,:");
    return **p;
}

static void read_text(const char **p, char *out, size_t size)
{
    bool quoted = next_mark(p) == '"';
    *p += quoted;
    size_t n = strcspn(*p, quoted ? "\"" : ",} \n");
    assert_true(n > 0 && n < size);
    memcpy(out, *p, n);
    out[n] = '\0';
    *p += n + quoted;
}

static int read_object(const char **p, struct pair *pairs, int max)
{
    int n = 0;
    assert_int_equal(next_mark(p), '{');
    for (++*p; next_mark(p) != '}'; n++) {
        assert_true(n < max);
        read_text(p, pairs[n].key, sizeof pairs[n].key);
        read_text(p, pairs[n].text, sizeof pairs[n].text);
    }
    ++*p;
    return n;
}

static const char *field(const struct pair *pairs, int n, const char *key)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(pairs[i].key, key) == 0)
            return pairs[i].text;
    }
    fail_msg("a vector without %s", key);
    return NULL;
}

static void check_day(const struct pair *v, int n)
{
    const struct rt_zone *z = zone(field(v, n, "zone"));
    int64_t day = date(field(v, n, "date")), start, end;
    rt_zone_day_bounds(z, day, &start, &end);
    assert_int_equal(start, instant(field(v, n, "start_utc")));
    assert_int_equal(end, instant(field(v, n, "end_utc")));
    assert_int_equal(end - start, atol(field(v, n, "seconds")));
    assert_int_equal(rt_zone_day(z, start), day);
    assert_int_equal(rt_zone_day(z, end - 1), day);
    assert_true(rt_zone_day(z, start - 1) < day);
    assert_true(rt_zone_day(z, end) > day);
    assert_string_equal(rt_zone_name(z), field(v, n, "zone"));
}

static void check_iso_week(const struct pair *v, int n)
{
    int year, week, weekday;
    int64_t day = date(field(v, n, "date")), monday;
    rt_iso_week(day, &year, &week, &weekday);
    assert_int_equal(year, atoi(field(v, n, "year")));
    assert_int_equal(week, atoi(field(v, n, "week")));
    assert_int_equal(weekday, atoi(field(v, n, "weekday")));
    assert_true(rt_iso_week_start(year, week, &monday));
    assert_int_equal(monday + weekday - 1, day);
}

static void check_weeks_in_year(const struct pair *v, int n)
{
    int64_t monday;
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        int year = atoi(v[i].key), weeks = atoi(v[i].text);
        assert_true(rt_iso_week_start(year, weeks, &monday));
        assert_false(rt_iso_week_start(year, weeks + 1, &monday));
    }
}

static int check_list(const char **p, void (*check)(const struct pair *v, int n))
{
    struct pair pairs[8];
    int count = 0;
    assert_int_equal(next_mark(p), '[');
    for (++*p; next_mark(p) != ']'; count++)
        check(pairs, read_object(p, pairs, COUNT(pairs)));
    ++*p;
    return count;
}

static void contract_vectors(void **state)
{
    struct pair years[64];
    char key[32], doc[512];
    int sections = 0;
    const char *p = vectors;
    (void)state;
    assert_int_equal(next_mark(&p), '{');
    for (p++; next_mark(&p) != '}'; sections++) {
        read_text(&p, key, sizeof key);
        if (strcmp(key, "doc") == 0)
            read_text(&p, doc, sizeof doc);
        else if (strcmp(key, "days") == 0)
            assert_true(check_list(&p, check_day) > 0);
        else if (strcmp(key, "iso_weeks") == 0)
            assert_true(check_list(&p, check_iso_week) > 0);
        else if (strcmp(key, "weeks_in_year") == 0)
            check_weeks_in_year(years, read_object(&p, years, COUNT(years)));
        else
            fail_msg("vectors that nobody checks: %s", key);
    }
    assert_int_equal(sections, 4);
}

static int load_vectors(void **state)
{
    FILE *f = fopen(PERIGEE_SOURCE_DIR "/tests/contract/spec/time_vectors.json", "r");
    (void)state;
    if (!f)
        return -1;
    vectors = calloc(1, 65536);
    size_t n = fread(vectors, 1, 65535, f);
    fclose(f);
    return n > 0 && n < 65535 ? 0 : -1;
}

static int drop_vectors(void **state)
{
    (void)state;
    free(vectors);
    return 0;
}

/* ---- names ---- */

static void names_that_are_refused(void **state)
{
    static const char *const names[] = {
        "",
        "/",
        "/etc/localtime",
        "/usr/share/zoneinfo/Europe/Berlin",
        "../zoneinfo/Europe/Berlin",
        "Europe/../Europe/Berlin",
        "Europe/./Berlin",
        "./UTC",
        "Europe//Berlin",
        "Europe/Berlin/",
        "Europe",
        "Europe/Atlantis",
        "europe/berlin",
        "EUROPE/BERLIN",
        "utc",
        "UTC0",
        " UTC",
        "Europe/Berlin ",
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "file:Europe/Berlin",
        "file:/usr/share/zoneinfo/Europe/Berlin",
        "libc:localtime",
        ":Europe/Berlin",
        "Fixed/UTC+05:30:00",
        "zone.tab",
        "tzdata.zi",
        "leapseconds",
        "CET-1CEST,M3.5.0,M10.5.0",
        "+05:30",
        "Europe/Berl\xc3\xadn",
        "A23456789012345678901234567890123456789012345678901234567890123456789",
    };
    (void)state;
    for (int i = 0; i < COUNT(names); i++) {
        if (rt_zone_find(names[i], strlen(names[i])))
            fail_msg("\"%s\" was found", names[i]);
    }
    assert_null(rt_zone_find(NULL, 0));
    assert_null(rt_zone_find("UTC\0", 4));
    assert_null(rt_zone_find("Europe/Berlin\0x", 15));
}

static void names_that_are_found(void **state)
{
    static const char *const names[] = { "UTC", "Etc/UTC", "GMT", "Etc/GMT+5", "GMT-0", "EST5EDT", "US/Eastern",
                                         "Asia/Calcutta", "Asia/Katmandu", "America/Argentina/ComodRivadavia",
                                         "America/Port-au-Prince" };
    (void)state;
    for (int i = 0; i < COUNT(names); i++)
        assert_string_equal(rt_zone_name(zone(names[i])), names[i]);
    assert_ptr_equal(zone("Europe/Berlin"), rt_zone_find("Europe/Berlin and more", 13));
    assert_ptr_equal(zone("UTC"), rt_zone_utc());
    assert_int_equal(rt_zone_offset(zone("Etc/GMT+5"), 0), -5 * 3600);
}

/* ---- days ---- */

static void utc_is_arithmetic(void **state)
{
    const struct rt_zone *z = rt_zone_utc();
    int64_t start, end;
    (void)state;
    for (int64_t t = -3 * 86400; t < 3 * 86400; t += 3599) {
        int64_t day = (t + 30 * 86400) / 86400 - 30;
        assert_int_equal(rt_zone_offset(z, t), 0);
        assert_int_equal(rt_zone_day(z, t), day);
        assert_int_equal(rt_zone_hour(z, t), (t - day * 86400) / 3600);
    }
    rt_zone_day_bounds(z, -1, &start, &end);
    assert_int_equal(start, -86400);
    assert_int_equal(end, 0);
}

/* In every zone the days follow one another, and an instant's day is the one whose bounds hold it. */
static void days_leave_no_hole(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(zones); i++) {
        const struct rt_zone *z = zone(zones[i]);
        int64_t start, end, before;
        rt_zone_day_bounds(z, -1000, &start, &before);
        for (int64_t day = -999; day < 60000; day++, before = end) {
            rt_zone_day_bounds(z, day, &start, &end);
            assert_int_equal(start, before);
            assert_true(end >= start && end - start <= 49 * 3600);
            if (start == end)
                continue;
            assert_int_equal(rt_zone_day(z, start), day);
            assert_int_equal(rt_zone_day(z, end - 1), day);
            assert_int_equal(rt_zone_day(z, rnd_between(start, end)), day);
        }
    }
}

/* The definition itself, instant by instant. */
static void a_day_begins_at_its_first_instant(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        const struct rt_zone *z = zone(zones[rnd() % COUNT(zones)]);
        int64_t day = rnd_between(0, 25000), start, end, first = INT64_MAX;
        rt_zone_day_bounds(z, day, &start, &end);
        for (int64_t t = (day - 2) * 86400; t < (day + 3) * 86400 && first == INT64_MAX; t += 30) {
            int64_t local = t + rt_zone_offset(z, t);
            if (local / 86400 >= day)
                first = t;
        }
        assert_true(start <= first && first - start < 30);
    }
}

/* The calendar and every rule repeat after 400 years; where a table ends must not show. Before 2090 some
 * zones follow a list instead (Gaza, Casablanca). */
static void the_far_future_repeats(void **state)
{
    const int64_t days = 146097, seconds = days * 86400;
    (void)state;
    for (int i = 0; i < COUNT(zones); i++) {
        const struct rt_zone *z = zone(zones[i]);
        for (int64_t day = date("2090-01-01"); day < date("2490-01-10"); day += rnd_between(1, 20)) {
            int64_t start, end, later, later_end, t = rnd_between(day * 86400, day * 86400 + 86400);
            int64_t k = rnd_between(1, 4);
            rt_zone_day_bounds(z, day, &start, &end);
            rt_zone_day_bounds(z, day + k * days, &later, &later_end);
            assert_int_equal(rt_zone_day(z, start), day);
            assert_int_equal(rt_zone_day(z, end - 1), day);
            assert_int_equal(later, start + k * seconds);
            assert_int_equal(later_end, end + k * seconds);
            assert_int_equal(rt_zone_day(z, t + k * seconds), rt_zone_day(z, t) + k * days);
            assert_int_equal(rt_zone_instant(z, day + k * days, 9000), rt_zone_instant(z, day, 9000) + k * seconds);
        }
    }
}

static void skipped_and_repeated_dates(void **state)
{
    int64_t start, end;
    (void)state;
    rt_zone_day_bounds(zone("Pacific/Apia"), date("2011-12-30"), &start, &end);
    assert_int_equal(start, end);
    assert_int_equal(start, instant("2011-12-30T10:00:00Z"));
    /* St John's went back at 00:01: the repeated hour before midnight belongs to the day that had begun. */
    const struct rt_zone *z = zone("America/St_Johns");
    rt_zone_day_bounds(z, date("2010-11-07"), &start, &end);
    assert_int_equal(start, instant("2010-11-07T02:30:00Z"));
    assert_int_equal(end, instant("2010-11-08T03:30:00Z"));
    assert_int_equal(rt_zone_day(z, instant("2010-11-07T02:40:00Z")), date("2010-11-07"));
    assert_int_equal(rt_zone_hour(z, instant("2010-11-07T02:40:00Z")), 23);
}

static void wall_clock_times(void **state)
{
    const struct rt_zone *berlin = zone("Europe/Berlin"), *santiago = zone("America/Santiago");
    (void)state;
    assert_int_equal(rt_zone_instant(berlin, date("2025-07-01"), 8 * 3600), instant("2025-07-01T06:00:00Z"));
    /* in the gap, and its two ends */
    assert_int_equal(rt_zone_instant(berlin, date("2025-03-30"), 2 * 3600 + 1800), instant("2025-03-30T01:00:00Z"));
    assert_int_equal(rt_zone_instant(berlin, date("2025-03-30"), 2 * 3600 - 1), instant("2025-03-30T00:59:59Z"));
    assert_int_equal(rt_zone_instant(berlin, date("2025-03-30"), 3 * 3600), instant("2025-03-30T01:00:00Z"));
    /* in the overlap the earlier one */
    assert_int_equal(rt_zone_instant(berlin, date("2025-10-26"), 2 * 3600 + 1800), instant("2025-10-26T00:30:00Z"));
    assert_int_equal(rt_zone_instant(berlin, date("2025-10-26"), 3 * 3600), instant("2025-10-26T02:00:00Z"));
    /* a day without a midnight */
    assert_int_equal(rt_zone_instant(santiago, date("2025-09-07"), 0), instant("2025-09-07T04:00:00Z"));
    assert_int_equal(rt_zone_instant(zone("Pacific/Apia"), date("2011-12-30"), 12 * 3600),
                     instant("2011-12-30T10:00:00Z"));
}

static void wall_clock_times_read_back(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        const struct rt_zone *z = zone(zones[rnd() % COUNT(zones)]);
        int64_t t = rnd_between(0, 16725225600), local = t + rt_zone_offset(z, t);
        int64_t found = rt_zone_instant(z, local / 86400, (int)(local % 86400));
        assert_int_equal(found + rt_zone_offset(z, found), local);
        assert_true(found <= t);    /* the earlier one */
    }
}

/* The C library reads the same files with its own code. */
static void offsets_agree_with_the_c_library(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(zones); i++) {
        const struct rt_zone *z = zone(zones[i]);
        setenv("TZ", zones[i], 1);
        tzset();
        for (int round = 0; round < 2000; round++) {
            time_t t = rnd_between(0, round % 2 ? 4102444800 : 16725225600);    /* 2100, 2500 */
            struct tm tm;
            assert_non_null(localtime_r(&t, &tm));
            if (rt_zone_offset(z, t) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", zones[i], (long long)t, rt_zone_offset(z, t), tm.tm_gmtoff);
            assert_int_equal(rt_zone_hour(z, t), tm.tm_hour);
        }
    }
    unsetenv("TZ");
    tzset();
}

static void no_instant_is_too_far(void **state)
{
    static const int64_t far[] = { INT64_MIN,      INT64_MIN / 2, -99999999999999,
                                   99999999999999, INT64_MAX / 2, INT64_MAX };
    (void)state;
    for (int i = 0; i < COUNT(zones); i++) {
        const struct rt_zone *z = zone(zones[i]);
        for (int k = 0; k < COUNT(far); k++) {
            int64_t start, end;
            int hour = rt_zone_hour(z, far[k]);
            assert_true(hour >= 0 && hour < 24);
            assert_true(abs(rt_zone_offset(z, far[k])) <= 26 * 3600);
            rt_zone_day_bounds(z, rt_zone_day(z, far[k]), &start, &end);
            assert_true(start < end);
            rt_zone_day_bounds(z, far[k], &start, &end);
            assert_true(start < end && rt_zone_instant(z, far[k], 43200) < end);
        }
    }
}

/* ---- threads ---- */

static void *find_all(void *arg)
{
    const struct rt_zone **found = arg;
    static const char *const names[] = { "Africa/Lagos", "Asia/Tokyo", "Asia/Seoul", "America/Lima", "Europe/Oslo" };
    for (int i = 0; i < COUNT(names); i++) {
        found[i] = rt_zone_find(names[i], strlen(names[i]));
        for (int64_t t = 0; found[i] && t < 2000000000; t += 10000019)
            rt_zone_day(found[i], t);
    }
    return NULL;
}

static void a_zone_is_loaded_once(void **state)
{
    const struct rt_zone *found[4][5] = { { NULL } };
    pthread_t threads[4];
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_all, found[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int k = 0; k < 5; k++) {
        assert_non_null(found[0][k]);
        for (int i = 1; i < 4; i++)
            assert_ptr_equal(found[i][k], found[0][k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_loaded_once),
        cmocka_unit_test(contract_vectors),
        cmocka_unit_test(names_that_are_refused),
        cmocka_unit_test(names_that_are_found),
        cmocka_unit_test(utc_is_arithmetic),
        cmocka_unit_test(days_leave_no_hole),
        cmocka_unit_test(a_day_begins_at_its_first_instant),
        cmocka_unit_test(the_far_future_repeats),
        cmocka_unit_test(skipped_and_repeated_dates),
        cmocka_unit_test(wall_clock_times),
        cmocka_unit_test(wall_clock_times_read_back),
        cmocka_unit_test(offsets_agree_with_the_c_library),
        cmocka_unit_test(no_instant_is_too_far),
    };
    return cmocka_run_group_tests_name("zone", tests, load_vectors, drop_vectors);
}
