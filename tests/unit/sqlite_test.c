/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections and statements: the cache, what the authorizer lets through, snapshots, deadlines. */
#include "base/clock.h"
#include "db_fixture.h"

static struct rt_conn *c;

static int open_memory(void **state)
{
    (void)state;
    c = open_conn(":memory:", RT_CONN_WRITE);
    run_sql(c, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE);"
               "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL)");
    return 0;
}

static int close_memory(void **state)
{
    (void)state;
    rt_conn_close(c);
    return 0;
}

static void kept_statements_are_used_again(void **state)
{
    (void)state;
    struct rt_stmt *a = prepared(c, "SELECT v FROM t WHERE id = ?");
    rt_stmt_done(a);
    assert_ptr_equal(prepared(c, "SELECT v FROM t WHERE id = ?"), a);
    rt_stmt_done(a);
}

static void the_same_text_can_be_open_twice(void **state)
{
    static const char sql[] = "SELECT id FROM t WHERE id >= ? ORDER BY id";
    (void)state;
    struct rt_stmt *a = prepared(c, sql), *b = prepared(c, sql);
    assert_ptr_not_equal(a, b);
    rt_bind_int(a, 1, 1);
    rt_bind_int(b, 1, 3);
    assert_int_equal(rt_stmt_step(a, NULL), RT_STEP_ROW);
    assert_int_equal(rt_stmt_step(b, NULL), RT_STEP_ROW);
    assert_int_equal(rt_col_int(b, 0), 3);
    rt_stmt_done(b);
    assert_int_equal(rt_stmt_step(a, NULL), RT_STEP_ROW);
    assert_int_equal(rt_col_int(a, 0), 2);
    rt_stmt_done(a);
}

static void a_kept_statement_forgets_its_parameters(void **state)
{
    (void)state;
    struct rt_stmt *s = prepared(c, "SELECT ?");
    rt_bind_text(s, 1, "secret", 6);
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    rt_stmt_done(s);
    s = prepared(c, "SELECT ?");
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    assert_int_equal(rt_col_type(s, 0), RT_NULL);
    rt_stmt_done(s);
}

static int dropped;

static void drop_note(void *note)
{
    dropped++;
    free(note);
}

static void the_least_recently_used_statement_goes_first(void **state)
{
    char sql[64];
    (void)state;
    dropped = 0;
    struct rt_stmt *first = prepared(c, "SELECT 'first'");
    rt_stmt_set_note(first, malloc(1), drop_note);
    rt_stmt_done(first);
    for (int i = 0; i < 255; i++) {
        snprintf(sql, sizeof sql, "SELECT %d", i);
        rt_stmt_done(prepared(c, sql));
    }
    assert_int_equal(dropped, 0);
    rt_stmt_done(prepared(c, "SELECT 'one more'"));
    assert_int_equal(dropped, 1);
}

static void again_keeps_the_parameters(void **state)
{
    (void)state;
    struct rt_stmt *s = prepared(c, "SELECT ? + ?");
    rt_bind_int(s, 1, 40);
    rt_bind_int(s, 2, 2);
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    assert_int_equal(rt_col_int(s, 0), 42);
    rt_stmt_again(s);
    rt_bind_int(s, 2, 3);
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    assert_int_equal(rt_col_int(s, 0), 43);
    rt_stmt_done(s);
}

static void texts_with_nul_work_and_are_not_kept(void **state)
{
    (void)state;
    struct rt_stmt *s = NULL;
    assert_int_equal(rt_conn_prepare(c, "SELECT 1\0x", 10, &s, NULL), 0);
    rt_stmt_done(s);
    s = prepared(c, "SELECT ?");
    rt_bind_text(s, 1, "a\0b", 3);
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    size_t n;
    assert_memory_equal(rt_col_text(s, 0, &n), "a\0b", 3);
    assert_int_equal(n, 3);
    rt_stmt_done(s);
}

static void only_data_statements_are_allowed(void **state)
{
    static const char *const denied[] = { "BEGIN", "COMMIT", "ROLLBACK", "END", "SAVEPOINT a", "RELEASE a",
                                          "ATTACH ':memory:' AS x", "DETACH x", "PRAGMA journal_mode",
                                          "CREATE TABLE x (a)",
                                          "DROP TABLE t", "ALTER TABLE t ADD COLUMN w", "CREATE TEMP TABLE x (a)",
                                          "REINDEX",
                                          "ANALYZE", "SELECT load_extension('x')" };
    struct rt_stmt *s = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        struct rt_err err = { 0 };
        int rc = rt_conn_prepare(c, denied[i], strlen(denied[i]), &s, &err);
        if (rc != RT_E_DENIED && strcmp(denied[i], "SELECT load_extension('x')") != 0)
            fail_msg("%s: %d", denied[i], rc);
        if (rc == 0) {
            assert_true(rt_stmt_step(s, &err) < 0);
            rt_stmt_done(s);
        }
    }
    rt_stmt_done(prepared(c, "WITH x(a) AS (SELECT 1) SELECT a FROM x"));
    rt_stmt_done(prepared(c, "INSERT INTO t(v) VALUES (?) RETURNING id"));
    assert_int_equal(int_of(c, "SELECT COUNT(*) FROM t"), 3);
}

static int prepare_code(const char *sql)
{
    struct rt_stmt *s = NULL;
    int rc = rt_conn_prepare(c, sql, strlen(sql), &s, NULL);
    rt_stmt_done(s);
    return rc;
}

static void one_statement_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(prepare_code("SELECT 1; SELECT 2"), RT_E_INVALID);
    assert_int_equal(prepare_code("SELECT 1; nonsense"), RT_E_INVALID);
    assert_int_equal(prepare_code(""), RT_E_INVALID);
    assert_int_equal(prepare_code("-- nothing"), RT_E_INVALID);
    assert_int_equal(prepare_code("SELECT FROM"), RT_E_INVALID);
    assert_int_equal(prepare_code("SELECT 1; -- a comment\n "), 0);
}

static void errors_have_codes_of_their_own(void **state)
{
    struct rt_err err = { 0 };
    (void)state;
    struct rt_stmt *s = prepared(c, "INSERT INTO t(v) VALUES ('a')");
    assert_int_equal(rt_stmt_step(s, &err), RT_E_CONSTRAINT);
    assert_non_null(strstr(err.msg, "t.v"));
    rt_stmt_done(s);
    assert_false(rt_stmt_readonly(s));
}

static void columns_have_types(void **state)
{
    static const enum rt_type types[] = { RT_INT, RT_DOUBLE, RT_TEXT, RT_BLOB, RT_NULL };
    struct rt_value v;
    (void)state;
    struct rt_stmt *s = prepared(c, "SELECT 1 AS one, 2.5, 'x', x'00ff', NULL");
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    assert_int_equal(rt_stmt_columns(s), 5);
    assert_string_equal(rt_stmt_name(s, 0), "one");
    for (int i = 0; i < 5; i++) {
        rt_col_get(s, i, &v);
        assert_int_equal(v.type, types[i]);
        assert_int_equal(rt_col_type(s, i), types[i]);
    }
    rt_col_get(s, 3, &v);
    assert_int_equal(v.n, 2);
    rt_stmt_done(s);
}

static void a_snapshot_does_not_move(void **state)
{
    (void)state;
    struct rt_conn *w = open_conn(in_folder("a.db"), RT_CONN_WRITE);
    run_sql(w, "CREATE TABLE n (v); INSERT INTO n VALUES (1)");
    struct rt_conn *r = open_conn(in_folder("a.db"), RT_CONN_READ);
    assert_int_equal(rt_conn_snapshot(r, NULL), 0);
    assert_true(rt_conn_in_snapshot(r));
    assert_int_equal(int_of(r, "SELECT v FROM n"), 1);
    run_sql(w, "UPDATE n SET v = 2");
    assert_int_equal(int_of(r, "SELECT v FROM n"), 1);
    rt_conn_release(r);
    assert_false(rt_conn_in_snapshot(r));
    assert_int_equal(int_of(r, "SELECT v FROM n"), 2);
    struct rt_err err = { 0 };
    assert_true(rt_conn_exec(r, "DELETE FROM n", &err) < 0);
    rt_conn_close(r);
    rt_conn_close(w);
}

static void a_new_database_is_private_and_durable(void **state)
{
    struct stat st;
    (void)state;
    struct rt_conn *w = open_conn(in_folder("b.db"), RT_CONN_WRITE);
    assert_int_equal(stat(in_folder("b.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    rt_conn_close(w);
    struct rt_conn *none = NULL;
    assert_int_equal(rt_conn_open(in_folder("absent.db"), RT_CONN_READ, &none, NULL), RT_E_IO);
}

static void a_long_statement_is_interrupted(void **state)
{
    static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                  "SELECT MAX(i) FROM n";
    (void)state;
    struct rt_stmt *s = prepared(c, endless);
    rt_conn_deadline(c, rt_mono_ns() + 20000000, NULL);
    assert_int_equal(rt_stmt_step(s, NULL), RT_E_INTERRUPTED);
    rt_stmt_done(s);
    assert_int_equal(int_of(c, "SELECT COUNT(*) FROM t"), 3);
}

static void contains_nocase_folds_letters(void **state)
{
    (void)state;
    assert_int_equal(int_of(c, "SELECT contains_nocase('Caf\xc3\x89 50%', 'f\xc3\xa9 50%')"), 1);
    assert_int_equal(int_of(c, "SELECT contains_nocase('abc', 'd')"), 0);
    assert_int_equal(int_of(c, "SELECT contains_nocase(NULL, 'd') IS NULL"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_statements_are_used_again),
        cmocka_unit_test(the_same_text_can_be_open_twice),
        cmocka_unit_test(a_kept_statement_forgets_its_parameters),
        cmocka_unit_test(the_least_recently_used_statement_goes_first),
        cmocka_unit_test(again_keeps_the_parameters),
        cmocka_unit_test(texts_with_nul_work_and_are_not_kept),
        cmocka_unit_test(only_data_statements_are_allowed),
        cmocka_unit_test(one_statement_at_a_time),
        cmocka_unit_test(errors_have_codes_of_their_own),
        cmocka_unit_test(columns_have_types),
        cmocka_unit_test(a_snapshot_does_not_move),
        cmocka_unit_test(a_new_database_is_private_and_durable),
        cmocka_unit_test(a_long_statement_is_interrupted),
        cmocka_unit_test(contains_nocase_folds_letters),
    };
    if (make_test_folder(NULL) || open_memory(NULL))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close_memory(NULL);
    remove_test_folder(NULL);
    return failed;
}
