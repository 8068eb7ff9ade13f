/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits: counting, windows, giving back, eviction, many threads. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "limit/limit.h"

static struct rt_limit_state take(struct rt_limits *l, const char *key, int64_t limit, int64_t window, int64_t now)
{
    return rt_limit_take(l, key, strlen(key), limit, window, now);
}

static void counts_down_and_rejects(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(100);
    for (int i = 1; i <= 3; i++) {
        struct rt_limit_state s = take(l, "a", 3, 60, 130);
        assert_true(s.allowed);
        assert_int_equal(s.limit, 3);
        assert_int_equal(s.remaining, 3 - i);
        assert_int_equal(s.reset, 180);
    }
    for (int i = 0; i < 2; i++) {
        struct rt_limit_state s = take(l, "a", 3, 60, 179);
        assert_false(s.allowed);
        assert_int_equal(s.remaining, 0);
    }
    assert_true(take(l, "b", 3, 60, 130).allowed);
    assert_int_equal(rt_limits_count(l), 2);
    rt_limits_free(l);
}

static void a_new_window_starts_afresh(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(100);
    assert_true(take(l, "a", 1, 60, 119).allowed);
    assert_false(take(l, "a", 1, 60, 119).allowed);
    struct rt_limit_state s = take(l, "a", 1, 60, 120);
    assert_true(s.allowed);
    assert_int_equal(s.reset, 180);
    assert_true(take(l, "a", 1, 60, 60).allowed); /* the clock went back: another window */
    assert_int_equal(rt_limits_count(l), 1);
    rt_limits_free(l);
}

static void a_rejected_request_takes_nothing(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(100);
    take(l, "a", 1, 60, 0);
    for (int i = 0; i < 10; i++)
        assert_false(take(l, "a", 1, 60, 0).allowed);
    assert_true(take(l, "a", 2, 60, 0).allowed); /* one used, not eleven */
    assert_false(take(l, "a", 2, 60, 0).allowed);
    rt_limits_free(l);
}

static void gives_back(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(100);
    take(l, "a", 2, 60, 0);
    take(l, "a", 2, 60, 0);
    struct rt_limit_state s = rt_limit_give_back(l, "a", 1, 2, 60, 59);
    assert_int_equal(s.remaining, 1);
    assert_int_equal(s.reset, 60);
    assert_true(take(l, "a", 2, 60, 59).allowed);
    assert_int_equal(rt_limit_give_back(l, "a", 1, 2, 60, 60).remaining, 2); /* the window is over */
    assert_false(take(l, "a", 2, 60, 59).allowed);
    for (int i = 0; i < 5; i++)
        s = rt_limit_give_back(l, "a", 1, 2, 60, 0);
    assert_int_equal(s.remaining, 2); /* never more than the limit */
    assert_int_equal(rt_limit_give_back(l, "unknown", 7, 2, 60, 0).remaining, 2);
    assert_int_equal(rt_limits_count(l), 1);
    rt_limits_free(l);
}

static void limits_may_change(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(100);
    for (int i = 0; i < 5; i++)
        take(l, "a", 10, 60, 0);
    struct rt_limit_state s = take(l, "a", 3, 60, 0);
    assert_false(s.allowed);
    assert_int_equal(s.remaining, 0);
    assert_true(take(l, "a", 3, 3600, 0).allowed); /* another window: a count of its own */
    assert_false(take(l, "z", 0, 60, 0).allowed);
    assert_true(take(l, "", 1, 0, 5).allowed);
    assert_int_equal(take(l, "", 1, 0, 5).reset, 6);
    rt_limits_free(l);
}

static void the_oldest_goes_first(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(3);
    take(l, "a", 1, 60, 0);
    take(l, "b", 1, 60, 0);
    take(l, "c", 1, 60, 0);
    take(l, "d", 1, 60, 0);
    assert_int_equal(rt_limits_count(l), 3);
    assert_false(take(l, "b", 1, 60, 0).allowed);
    assert_false(take(l, "c", 1, 60, 0).allowed);
    assert_false(take(l, "d", 1, 60, 0).allowed);
    assert_true(take(l, "a", 1, 60, 0).allowed); /* was forgotten */
    rt_limits_free(l);
}

static void the_expired_go_before_the_oldest(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(3);
    take(l, "long", 1, 3600, 0);
    take(l, "short", 1, 10, 0);
    take(l, "middle", 1, 100, 0);
    take(l, "new", 1, 60, 20); /* "short" has expired */
    assert_int_equal(rt_limits_count(l), 3);
    assert_false(take(l, "long", 1, 3600, 20).allowed);
    assert_false(take(l, "middle", 1, 100, 20).allowed);
    take(l, "newer", 1, 60, 200); /* "middle" and "new" have expired, "long" stays */
    assert_int_equal(rt_limits_count(l), 2);
    assert_false(take(l, "long", 1, 3600, 200).allowed);
    rt_limits_free(l);
}

static void never_more_than_the_maximum(void **state)
{
    (void)state;
    static const size_t maxima[] = { 0, 1, 63, 64, 100, 1000, 5000 };
    for (size_t k = 0; k < sizeof(maxima) / sizeof(maxima[0]); k++) {
        struct rt_limits *l = rt_limits_new(maxima[k]);
        for (int i = 0; i < 12000; i++) {
            char key[16];
            snprintf(key, sizeof(key), "%d", i);
            assert_true(take(l, key, 5, 60, i / 100).allowed);
        }
        size_t count = rt_limits_count(l), max = maxima[k] ? maxima[k] : 1;
        assert_true(count <= max && count >= max * 9 / 10);
        rt_limits_free(l);
    }
    rt_limits_free(NULL);
}

static void *hammer(void *arg)
{
    struct rt_limits *l = arg;
    intptr_t allowed = 0;
    for (int i = 0; i < 20000; i++) {
        char key[16];
        int n = snprintf(key, sizeof(key), "k%d", i % 10);
        allowed += rt_limit_take(l, key, (size_t)n, 1000, 60, 0).allowed;
    }
    return (void *)allowed;
}

static void cleared_windows_begin_anew(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(2);
    for (int round = 0; round < 2; round++) {
        assert_true(rt_limit_take(l, "a", 1, 1, 60, 0).allowed);
        assert_false(rt_limit_take(l, "a", 1, 1, 60, 0).allowed);
        assert_true(rt_limit_take(l, "b", 1, 1, 60, 0).allowed);
        assert_true(rt_limit_take(l, "c", 1, 1, 60, 0).allowed); /* pushes the oldest out */
        rt_limits_clear(l);
        assert_int_equal(rt_limits_count(l), 0);
    }
    rt_limits_free(l);
}

static void threads_share_the_counters(void **state)
{
    (void)state;
    struct rt_limits *l = rt_limits_new(1000);
    pthread_t threads[4];
    intptr_t allowed = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, l), 0);
    for (int i = 0; i < 4; i++) {
        void *n;
        pthread_join(threads[i], &n);
        allowed += (intptr_t)n;
    }
    assert_int_equal(allowed, 10 * 1000);
    rt_limits_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_down_and_rejects),
        cmocka_unit_test(a_new_window_starts_afresh),
        cmocka_unit_test(a_rejected_request_takes_nothing),
        cmocka_unit_test(gives_back),
        cmocka_unit_test(limits_may_change),
        cmocka_unit_test(the_oldest_goes_first),
        cmocka_unit_test(the_expired_go_before_the_oldest),
        cmocka_unit_test(never_more_than_the_maximum),
        cmocka_unit_test(cleared_windows_begin_anew),
        cmocka_unit_test(threads_share_the_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
