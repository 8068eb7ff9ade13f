/* SPDX-License-Identifier: Apache-2.0
 *
 * Durable timers: one per key, claimed in order of their due time, postponed after failures. */
#include "db_fixture.h"
#include "jobs/timers.h"

static struct rt_conn *c;
static struct rt_timer t;

static int fresh(void **state)
{
    static char sql[8192];
    (void)state;
    FILE *f = fopen(PERIGEE_SOURCE_DIR "/db/runtime/0001_create_host_tables.sql", "r");
    if (!f)
        return -1;
    sql[fread(sql, 1, sizeof sql - 1, f)] = 0;
    fclose(f);
    c = open_conn(":memory:", RT_CONN_WRITE);
    run_sql(c, sql);
    rt_timer_init(&t);
    return 0;
}

static int done(void **state)
{
    (void)state;
    rt_timer_fini(&t);
    rt_conn_close(c);
    return 0;
}

static void put(const char *key, int64_t due, const char *name, const char *args)
{
    assert_int_equal(rt_timer_put(c, rt_str_of(key), due, rt_str_of(name), rt_str_of(args), NULL), 0);
}

static int claim(int64_t now)
{
    return rt_timer_claim(c, now, &t, NULL);
}

static int64_t next(void)
{
    int64_t v = -1;
    assert_int_equal(rt_timer_next(c, &v, NULL), 0);
    return v;
}

static void claimed_when_due_in_order(void **state)
{
    (void)state;
    assert_true(next() == INT64_MAX);
    put("b", 200, "two", "{}");
    put("a", 100, "one", "{\"n\":1}");
    assert_int_equal(next(), 100);
    assert_int_equal(claim(99), 0);
    assert_int_equal(claim(1000), 1);
    assert_string_equal(rt_buf_cstr(&t.key), "a");
    assert_string_equal(rt_buf_cstr(&t.name), "one");
    assert_string_equal(rt_buf_cstr(&t.args), "{\"n\":1}");
    assert_int_equal(t.due, 100);
    assert_int_equal(t.attempts, 0);
    assert_int_equal(claim(1000), 1);
    assert_string_equal(rt_buf_cstr(&t.key), "b");
    assert_int_equal(claim(1000), 0);
    assert_true(next() == INT64_MAX);
}

static void one_per_key(void **state)
{
    (void)state;
    put("a", 100, "one", "{}");
    put("a", 300, "three", "{}");
    assert_int_equal(next(), 300);
    assert_int_equal(claim(300), 1);
    assert_string_equal(rt_buf_cstr(&t.name), "three");
    assert_int_equal(claim(300), 0);
}

static void cancelled(void **state)
{
    (void)state;
    put("a", 100, "one", "{}");
    assert_int_equal(rt_timer_cancel(c, rt_str_of("a"), NULL), 1);
    assert_int_equal(rt_timer_cancel(c, rt_str_of("a"), NULL), 0);
    assert_int_equal(claim(1000), 0);
}

static void rolled_back_claims_are_there_again(void **state)
{
    (void)state;
    put("a", 100, "one", "{}");
    run_sql(c, "BEGIN");
    assert_int_equal(claim(100), 1);
    run_sql(c, "ROLLBACK");
    assert_int_equal(claim(100), 1);
}

static void failures_wait_longer_each_time(void **state)
{
    static const int64_t waits[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600 };
    (void)state;
    put("a", 100, "one", "{}");
    int64_t now = 100;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        run_sql(c, "BEGIN");
        assert_int_equal(claim(now), 1);
        assert_int_equal(t.due, 100);    /* when it was to be, not when it is tried */
        assert_int_equal(t.attempts, (int)i);
        run_sql(c, "ROLLBACK");
        assert_int_equal(rt_timer_postpone(c, &t, now, NULL), 0);
        assert_int_equal(next(), now + waits[i]);
        assert_int_equal(claim(now), 0);
        now += waits[i];
    }
    put("a", 5000, "one", "{}");    /* a new one starts from the beginning */
    assert_int_equal(claim(5000), 1);
    assert_int_equal(t.attempts, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

struct names {
    char text[200];
    int left;
};

static bool add_name(void *arg, const char *name, int64_t n)
{
    struct names *x = arg;
    size_t at = strlen(x->text);
    snprintf(x->text + at, sizeof x->text - at, "%s=%d ", name, (int)n);
    return --x->left > 0;
}

static void the_names_that_wait(void **state)
{
    struct names x = { .left = 10 };
    (void)state;
    assert_int_equal(rt_timer_names(c, add_name, &x, NULL), 0);
    assert_string_equal(x.text, "");
    put("a", 100, "remind", "{}");
    put("b", 200, "end", "{}");
    put("c", 300, "remind", "{}");
    assert_int_equal(rt_timer_names(c, add_name, &x, NULL), 0);
    assert_string_equal(x.text, "end=1 remind=2 ");
    x = (struct names){ .left = 1 };
    assert_int_equal(rt_timer_names(c, add_name, &x, NULL), 0);
    assert_string_equal(x.text, "end=1 ");
    assert_int_equal(claim(200), 1); /* it holds nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(claimed_when_due_in_order), TEST(one_per_key), TEST(cancelled), TEST(rolled_back_claims_are_there_again),
        TEST(failures_wait_longer_each_time),
        cmocka_unit_test_setup_teardown(the_names_that_wait, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
