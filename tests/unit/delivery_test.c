/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of the outbox: found when they are due, kept byte for byte, recorded once; endpoints that fail. */
#include "crypto/hash.h"
#include "db_fixture.h"
#include "outbox/delivery.h"

static struct rt_conn *c;
static struct rt_delivery d;
static const uint8_t key[32] = { 1, 2, 3 };
static int64_t hook;

static const char *migration(void)
{
    static char sql[16384];
    FILE *f = popen("cat " PERIGEE_SOURCE_DIR "/db/runtime/*_create_outbox.sql", "r");
    assert_non_null(f);
    sql[fread(sql, 1, sizeof sql - 1, f)] = 0;
    pclose(f);
    return sql;
}

static int64_t endpoint(const char *owner, const char *events, const char *secret)
{
    struct rt_endpoint_draft e = { rt_str_of(owner), RT_STR("https://example.com/"), rt_str_of(events),
                                   rt_str_of(secret) };
    int64_t id;
    assert_int_equal(rt_endpoint_put(c, key, &e, 100, &id, NULL), 0);
    return id;
}

static int fresh(void **state)
{
    (void)state;
    assert_int_equal(rt_crypto_init(NULL), 0);
    c = open_conn(":memory:", RT_CONN_WRITE);
    run_sql(c, migration());
    rt_delivery_init(&d);
    hook = endpoint("team:1", " a b ", "secret");
    return 0;
}

static int done(void **state)
{
    (void)state;
    rt_delivery_fini(&d);
    rt_conn_close(c);
    return 0;
}

static int64_t put(int64_t webhook, const char *body, int64_t at_ms)
{
    char id[RT_DELIVERY_ID];
    rt_delivery_id("dlv_", id);
    struct rt_delivery_draft draft = { id, webhook, RT_STR("a"), RT_STR("X: 1\n"), rt_str_of(body) };
    assert_int_equal(rt_delivery_put(c, &draft, at_ms, NULL), 0);
    return rt_conn_last_id(c);
}

static void ids_are_long_and_random(void **state)
{
    char one[RT_DELIVERY_ID], two[RT_DELIVERY_ID];
    (void)state;
    rt_delivery_id("dlv_", one);
    rt_delivery_id("dlv_", two);
    assert_int_equal(strlen(one), 36);
    assert_string_not_equal(one, two);
    assert_memory_equal(one, "dlv_", 4);
    assert_int_equal(strspn(one + 4, "0123456789abcdef"), 32);
}

static void a_row_is_kept_as_it_was_put(void **state)
{
    (void)state;
    int64_t seq = put(hook, "{\"n\": 1.0 }", 5000);
    assert_int_equal(rt_delivery_load(c, key, seq, &d, NULL), 1);
    assert_string_equal(rt_buf_cstr(&d.body), "{\"n\": 1.0 }");
    assert_string_equal(rt_buf_cstr(&d.headers), "X: 1\n");
    assert_string_equal(d.endpoint.url, "https://example.com/");
    assert_string_equal(d.endpoint.secret, "secret");
    assert_true(d.endpoint.active);
    assert_int_equal(d.created_at, 5);
    assert_int_equal(d.attempts, 0);
    assert_int_equal(rt_delivery_load(c, key, seq + 1, &d, NULL), 0);
    static const uint8_t other[32] = { 9 };
    struct rt_err err;
    assert_int_equal(rt_delivery_load(c, other, seq, &d, &err), RT_E_DENIED);
}

static void due_in_order(void **state)
{
    int64_t seqs[8], next, two = endpoint("team:1", " a ", "s");
    (void)state;
    int64_t late = put(hook, "l", 3000), first = put(hook, "f", 1000), second = put(hook, "s", 1000);
    put(two, "x", 500);
    assert_int_equal(rt_delivery_due(c, hook, 999, seqs, 8, NULL), 0);
    assert_int_equal(rt_delivery_due(c, hook, 2999, seqs, 8, NULL), 2);
    assert_int_equal(seqs[0], first);
    assert_int_equal(seqs[1], second);
    assert_int_equal(rt_delivery_due(c, hook, 3000, seqs, 2, NULL), 2);
    assert_int_equal(rt_delivery_next(c, hook, 1000, &next, NULL), 0);
    assert_int_equal(next, 3000);
    assert_int_equal(rt_delivery_next(c, hook, 3000, &next, NULL), 0);
    assert_true(next == INT64_MAX);
    assert_int_equal(late, 1);
}

static int64_t found_webhook[16], found_at[16];
static int n_found;

static void found(void *arg, int64_t webhook, int64_t next_at)
{
    (void)arg;
    found_webhook[n_found] = webhook;
    found_at[n_found++] = next_at;
}

static void what_is_pending_and_what_is_new(void **state)
{
    int64_t last = 0;
    (void)state;
    n_found = 0;
    assert_int_equal(rt_delivery_pending(c, found, NULL, NULL), 0);
    assert_int_equal(n_found, 0);
    put(hook, "1", 2000);
    put(hook, "2", 1000);
    put(77, "3", 3000);
    assert_int_equal(rt_delivery_pending(c, found, NULL, NULL), 0);
    assert_int_equal(n_found, 2);
    assert_int_equal(found_webhook[0], hook);
    assert_int_equal(found_at[0], 1000);
    assert_int_equal(found_webhook[1], 77);
    n_found = 0;
    assert_int_equal(rt_delivery_news(c, &last, found, NULL, NULL), 0);
    assert_int_equal(n_found, 3);
    assert_int_equal(last, 3);
    assert_int_equal(rt_delivery_news(c, &last, found, NULL, NULL), 0);
    assert_int_equal(n_found, 3);
    put(hook, "4", 4000);
    assert_int_equal(rt_delivery_news(c, &last, found, NULL, NULL), 0);
    assert_int_equal(n_found, 4);
    assert_int_equal(found_at[3], 4000);
}

static void record(int64_t seq, int status, const char *error, enum rt_verdict verdict, int64_t next_at)
{
    struct rt_attempt a = { .status = status, .latency_ms = 7, .excerpt = "ok", .excerpt_n = 2, .error = error };
    assert_int_equal(rt_delivery_load(c, key, seq, &d, NULL), 1);
    assert_int_equal(rt_delivery_record(c, &d, &a, verdict, 9000, next_at, NULL), 0);
}

static const char *log_of(int64_t webhook, int64_t *ret_count)
{
    static struct rt_buf out;
    rt_buf_fini(&out);
    rt_buf_init(&out, 0);
    assert_int_equal(rt_delivery_json(c, webhook, 10, 0, &out, ret_count, NULL), 0);
    return rt_buf_cstr(&out);
}

static void outcomes(void **state)
{
    int64_t count, seqs[8], seq = put(hook, "x", 1000);
    (void)state;
    record(seq, 0, "no answer", RT_TRY_AGAIN, 20000);
    assert_int_equal(rt_delivery_due(c, hook, 19999, seqs, 8, NULL), 0);
    assert_int_equal(rt_delivery_due(c, hook, 20000, seqs, 8, NULL), 1);
    assert_non_null(strstr(log_of(hook, &count), "\"status\":\"pending\",\"attempts\":1,\"latency_ms\":7"));
    assert_non_null(strstr(log_of(hook, &count), "\"error\":\"no answer\",\"created_at\":1,\"next_at\":20}"));
    record(seq, 204, NULL, RT_DELIVERED, 0);
    assert_int_equal(count, 1);
    assert_non_null(strstr(log_of(hook, &count), "\"status\":\"succeeded\",\"attempts\":2,\"response_status\":204,"
                                                 "\"latency_ms\":7,\"response_excerpt\":\"ok\",\"created_at\":1}"));
    assert_int_equal(rt_delivery_load(c, key, seq, &d, NULL), 0);
    char id[RT_DELIVERY_ID];
    memcpy(id, d.id, sizeof id);
    assert_int_equal(rt_delivery_again(c, hook, rt_str_of(id), 30000, NULL), 1);
    assert_int_equal(rt_delivery_again(c, hook + 1, rt_str_of(id), 30000, NULL), 0);
    assert_int_equal(rt_delivery_load(c, key, seq, &d, NULL), 1);
    assert_int_equal(d.attempts, 2);
    assert_string_equal(d.id, id);
    record(seq, 500, NULL, RT_GIVE_UP, 0);
    assert_non_null(strstr(log_of(hook, &count), "\"status\":\"failed\",\"attempts\":3,\"response_status\":500"));
}

static void a_cancelled_one_keeps_what_it_came_to(void **state)
{
    int64_t count, seq = put(hook, "x", 1000);
    struct rt_attempt a = { .cancelled = true, .error = "disabled" };
    (void)state;
    record(seq, 500, NULL, RT_TRY_AGAIN, 2000);
    assert_int_equal(rt_delivery_load(c, key, seq, &d, NULL), 1);
    assert_int_equal(rt_delivery_record(c, &d, &a, RT_GIVE_UP, 9000, 9000, NULL), 0);
    assert_non_null(strstr(log_of(hook, &count), "\"status\":\"failed\",\"attempts\":1,\"response_status\":500"));
    assert_non_null(strstr(log_of(hook, &count), "\"error\":\"disabled\""));
}

static int failed(int64_t now, bool gone)
{
    struct rt_buf owner;
    rt_buf_init(&owner, 0);
    int rc = rt_endpoint_failed(c, hook, gone, now, 1000, &owner, NULL);
    if (rc == 1)
        assert_string_equal(rt_buf_cstr(&owner), "team:1");
    rt_buf_fini(&owner);
    return rc;
}

static void failing_for_too_long_disables(void **state)
{
    int64_t seqs[8], waiting = put(hook, "x", 900000000);
    (void)state;
    assert_int_equal(failed(5000, false), 0);
    assert_int_equal(failed(5999, false), 0);
    assert_int_equal(rt_endpoint_succeeded(c, hook, NULL), 0);
    assert_int_equal(failed(6000, false), 0);
    assert_int_equal(failed(6999, false), 0);
    assert_int_equal(rt_delivery_due(c, hook, 7000000, seqs, 8, NULL), 0);
    assert_int_equal(failed(7000, false), 1);
    assert_int_equal(failed(7001, false), 0);    /* once */
    assert_int_equal(int_of(c, "SELECT disabled_at FROM perigee_webhooks"), 7000);
    assert_int_equal(rt_delivery_due(c, hook, 7000000, seqs, 8, NULL), 1);
    assert_int_equal(rt_delivery_load(c, key, waiting, &d, NULL), 1);
    assert_false(d.endpoint.active);
    struct rt_endpoint e;
    assert_int_equal(rt_endpoint_next(c, key, RT_STR("team:1"), RT_STR("a"), 0, &e, NULL), 0);
}

static void gone_disables_at_once(void **state)
{
    (void)state;
    assert_int_equal(failed(5000, true), 1);
    assert_int_equal(int_of(c, "SELECT active FROM perigee_webhooks"), 0);
}

static void subscribers(void **state)
{
    struct rt_endpoint e;
    int64_t other = endpoint("team:1", " b ", "s"), third = endpoint("team:1", " ab a ", "s");
    (void)state;
    endpoint("team:2", " a ", "s");
    assert_int_equal(rt_endpoint_next(c, key, RT_STR("team:1"), RT_STR("a"), 0, &e, NULL), 1);
    assert_int_equal(e.id, hook);
    assert_int_equal(rt_endpoint_next(c, key, RT_STR("team:1"), RT_STR("a"), hook, &e, NULL), 1);
    assert_int_equal(e.id, third);
    assert_int_equal(rt_endpoint_next(c, key, RT_STR("team:1"), RT_STR("a"), third, &e, NULL), 0);
    assert_int_equal(rt_endpoint_next(c, key, RT_STR("team:1"), RT_STR("b"), hook, &e, NULL), 1);
    assert_int_equal(e.id, other);
    assert_int_equal(rt_endpoint_find(c, key, RT_STR("team:2"), hook, &e, NULL), 0);
    put(hook, "x", 1000);
    assert_int_equal(rt_endpoint_remove(c, RT_STR("team:2"), hook, NULL), 0);
    assert_int_equal(rt_endpoint_remove(c, RT_STR("team:1"), hook, NULL), 1);
    assert_int_equal(int_of(c, "SELECT count(*) FROM perigee_outbox"), 0);
}

static void old_entries_go_in_steps(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        record(put(hook, "x", 1000), 200, NULL, RT_DELIVERED, 0);
    put(hook, "pending", 1000);
    assert_false(rt_delivery_old(c, 1));
    assert_true(rt_delivery_old(c, 2));
    assert_int_equal(rt_delivery_prune(c, 1, 3, NULL), 0);
    assert_int_equal(rt_delivery_prune(c, 2, 3, NULL), 3);
    assert_int_equal(rt_delivery_prune(c, 2, 3, NULL), 2);
    assert_int_equal(int_of(c, "SELECT count(*) FROM perigee_outbox"), 1);
    int64_t pending, since;
    assert_int_equal(rt_delivery_totals(c, false, &pending, &since, NULL), 0);
    assert_int_equal(pending, 1);
    assert_int_equal(since, 1000);
    assert_int_equal(rt_delivery_totals(c, true, &pending, &since, NULL), 0);
    assert_int_equal(pending, 0);
}

static void mail(bool keep, int64_t *ret_seq)
{
    struct rt_mail_draft m = { "msg_1", RT_STR("a@b.de"), RT_STR("S"), RT_STR("T"), RT_STR("H"), keep };
    assert_int_equal(rt_mail_put(c, &m, 1000, NULL), 0);
    *ret_seq = int_of(c, "SELECT max(seq) FROM perigee_outbox");
}

static void mail_waits_like_deliveries_and_is_forgotten_when_sent(void **state)
{
    int64_t seq, seqs[4];
    (void)state;
    mail(false, &seq);
    assert_int_equal(rt_delivery_due(c, 0, 1000, seqs, 4, NULL), 1);
    assert_int_equal(rt_delivery_load(c, key, seq, &d, NULL), 1);
    assert_string_equal(rt_buf_cstr(&d.mail.to), "a@b.de");
    assert_string_equal(rt_buf_cstr(&d.mail.html), "H");
    struct rt_attempt a = { .error = "later" };
    assert_int_equal(rt_delivery_record(c, &d, &a, RT_TRY_AGAIN, 2000, 3000, NULL), 0);
    assert_int_equal(int_of(c, "SELECT length(text) + length(html) FROM perigee_mail"), 2);
    a.error = NULL;
    assert_int_equal(rt_delivery_record(c, &d, &a, RT_DELIVERED, 2000, 0, NULL), 0);
    assert_int_equal(int_of(c, "SELECT count(*) FROM perigee_mail WHERE text = '' AND html IS NULL"), 1);
    assert_int_equal(rt_delivery_prune(c, 2, 10, NULL), 1);
    assert_int_equal(int_of(c, "SELECT count(*) FROM perigee_mail"), 0);
}

static void kept_mail_is_never_due(void **state)
{
    int64_t seq, seqs[4];
    (void)state;
    mail(true, &seq);
    assert_int_equal(rt_delivery_due(c, 0, INT64_MAX, seqs, 4, NULL), 0);
    assert_int_equal(rt_delivery_load(c, key, seq, &d, NULL), 0);
}

static void excerpt_is(const char *p, size_t n, const char *wanted)
{
    char out[RT_EXCERPT_MAX];
    size_t len = rt_delivery_excerpt((struct rt_str){ p, n }, out);
    assert_int_equal(len, strlen(wanted));
    assert_memory_equal(out, wanted, len);
}

static void excerpts_are_text(void **state)
{
    char long_one[2000], out[RT_EXCERPT_MAX];
    (void)state;
    excerpt_is("", 0, "");
    excerpt_is("plain", 5, "plain");
    excerpt_is("a\0b", 3, "a?b");
    excerpt_is("\xff\xfe", 2, "??");
    excerpt_is("\xed\xa0\x80", 3, "???");
    excerpt_is("\xf0\x9f\x8e\x89!", 5, "\xf0\x9f\x8e\x89!");
    excerpt_is("x\xf0\x9f\x8e", 4, "x");    /* cut off in the middle of a character */
    for (size_t i = 0; i < sizeof long_one; i += 2)
        memcpy(long_one + i, "\xc3\xa4", 2);
    assert_int_equal(rt_delivery_excerpt((struct rt_str){ long_one, 2000 }, out), 1024);
    assert_int_equal(rt_delivery_excerpt((struct rt_str){ long_one + 1, 1999 }, out), 1023);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_are_long_and_random),
        TEST(a_row_is_kept_as_it_was_put),
        TEST(due_in_order),
        TEST(what_is_pending_and_what_is_new),
        TEST(outcomes),
        TEST(a_cancelled_one_keeps_what_it_came_to),
        TEST(failing_for_too_long_disables),
        TEST(gone_disables_at_once),
        TEST(subscribers),
        TEST(old_entries_go_in_steps),
        TEST(mail_waits_like_deliveries_and_is_forgotten_when_sent),
        TEST(kept_mail_is_never_due),
        TEST(excerpts_are_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
