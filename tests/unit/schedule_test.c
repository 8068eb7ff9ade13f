/* SPDX-License-Identifier: Apache-2.0
 *
 * When a delivery is tried again, what an outcome means, and how long a receiver may make us wait. */
#include <string.h>

#include "http/client.h"
#include "outbox/schedule.h"
#include "unit.h"

static struct rt_schedule parsed(const char *text)
{
    struct rt_schedule s;
    struct rt_err err;
    if (rt_schedule_parse(text, &s, &err))
        fail_msg("%s: %s", text, err.msg);
    return s;
}

static void schedules_are_lists_of_seconds(void **state)
{
    static const char *const bad[] = { "", "0,", ",5", "a", "1.5", "-1", "5 5", "0,,5", "2592001", "0;5" };
    struct rt_schedule s = parsed("0, 5,300 ,2592000");
    (void)state;
    assert_int_equal(s.n, 4);
    assert_int_equal(s.seconds[1], 5);
    assert_int_equal(s.seconds[3], 2592000);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rt_schedule_parse(bad[i], &s, NULL) != RT_E_INVALID)
            fail_msg("taken: \"%s\"", bad[i]);
    char many[2 * RT_SCHEDULE_MAX + 2] = "0";
    for (int i = 0; i < RT_SCHEDULE_MAX; i++)
        strcat(many, ",1");
    assert_int_equal(rt_schedule_parse(many, &s, NULL), RT_E_LIMIT);
    assert_int_equal(s.n, 4);
}

static void the_wait_is_the_delay_and_at_most_a_fifth_more(void **state)
{
    struct rt_schedule s = parsed("0,5,300");
    int64_t least = INT64_MAX, most = 0;
    (void)state;
    for (uint64_t random = 0; random < 5000; random++) {
        int64_t ms = rt_schedule_wait(&s, 1, -1, random);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_int_equal(least, 5000);
    assert_int_equal(most, 6000);
    assert_int_equal(rt_schedule_wait(&s, 2, -1, 0), 300000);
    assert_int_equal(rt_schedule_wait(&s, 3, -1, 0), -1);
    assert_int_equal(rt_schedule_wait(&s, 4, -1, 0), -1);
}

static void not_before_the_receiver_wants_it(void **state)
{
    struct rt_schedule s = parsed("0,5");
    (void)state;
    assert_int_equal(rt_schedule_wait(&s, 1, 60, 0), 60000);
    assert_int_equal(rt_schedule_wait(&s, 1, 1, 0), 5000);
    assert_int_equal(rt_schedule_wait(&s, 1, 0, 0), 5000);
    assert_int_equal(rt_schedule_wait(&s, 1, INT64_MAX, 0), 86400000);
    assert_int_equal(rt_schedule_wait(&s, 2, 60, 0), -1);
}

static void verdicts(void **state)
{
    static const struct {
        int status, attempts;
        const char *error;
        enum rt_verdict verdict;
    } table[] = {
        { 200, 1, NULL, RT_DELIVERED },   { 204, 1, NULL, RT_DELIVERED },  { 299, 2, NULL, RT_DELIVERED },
        { 199, 1, NULL, RT_TRY_AGAIN },   { 300, 1, NULL, RT_TRY_AGAIN },  { 302, 1, NULL, RT_TRY_AGAIN },
        { 400, 1, NULL, RT_TRY_AGAIN },   { 500, 1, NULL, RT_TRY_AGAIN },  { 500, 2, NULL, RT_GIVE_UP },
        { 410, 1, NULL, RT_GIVE_UP },     { 0, 1, "late", RT_TRY_AGAIN },  { 0, 2, "late", RT_GIVE_UP },
        { 200, 1, "odd", RT_TRY_AGAIN },
    };
    struct rt_schedule s = parsed("0,5");
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct rt_attempt a = { .status = table[i].status, .error = table[i].error };
        if (rt_verdict_webhook(&a, &s, table[i].attempts) != table[i].verdict)
            fail_msg("row %zu", i);
    }
    struct rt_attempt a = { .error = "no such user", .permanent = true };
    assert_int_equal(rt_verdict_mail(&a, &rt_schedule_mail, 1), RT_GIVE_UP);
    a.permanent = false;
    assert_int_equal(rt_verdict_mail(&a, &rt_schedule_mail, 1), RT_TRY_AGAIN);
    assert_int_equal(rt_verdict_mail(&a, &rt_schedule_mail, rt_schedule_mail.n), RT_GIVE_UP);
    a.error = NULL;
    assert_int_equal(rt_verdict_mail(&a, &rt_schedule_mail, 1), RT_DELIVERED);
}

static int64_t after(const char *value, int64_t now) { return rt_client_retry_after(rt_str_of(value), now); }

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    assert_int_equal(after("120", 0), 120);
    assert_int_equal(after("0", 0), 0);
    assert_int_equal(after("-1", 0), -1);
    assert_int_equal(after("1.5", 0), -1);
    assert_int_equal(after("99999999999999999999", 0), -1);
    assert_int_equal(after("", 0), -1);
    assert_int_equal(after("soon", 0), -1);
    assert_int_equal(after("tomorrow at noon, please", 0), -1);
    assert_int_equal(after("Wed, 21 Oct 2015 07:28:00 GMT", 1445412420), 60);
    assert_int_equal(after("Wed, 21 Oct 2015 07:28:00 GMT", 1445412600), 0);
    assert_int_equal(after("Wednesday, 21-Oct-15 07:28:00 GMT", 1445412420), 60);
    assert_int_equal(after("Wed Oct 21 07:28:00 2015", 1445412420), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_are_lists_of_seconds),
        cmocka_unit_test(the_wait_is_the_delay_and_at_most_a_fifth_more),
        cmocka_unit_test(not_before_the_receiver_wants_it),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
