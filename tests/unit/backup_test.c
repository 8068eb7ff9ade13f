/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies: complete, private, checked; a damaged one is refused. */
#include "db/backup.h"
#include "db_fixture.h"

static struct rt_conn *c;

static int fresh(void **state)
{
    if (make_test_folder(state))
        return -1;
    c = open_conn(in_folder("live.db"), RT_CONN_WRITE);
    run_sql(c, "CREATE TABLE p (id INTEGER PRIMARY KEY);"
               "CREATE TABLE t (id INTEGER PRIMARY KEY, p REFERENCES p(id), v TEXT);"
               "CREATE INDEX t_v ON t(v);"
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
               "INSERT INTO t SELECT i, NULL, 'value ' || i FROM n");
    return 0;
}

static int done(void **state)
{
    rt_conn_close(c);
    return remove_test_folder(state);
}

static void count_steps(void *arg, int part, int all)
{
    int *steps = arg;
    assert_true(part >= 0 && part <= all);
    (*steps)++;
}

static void a_live_database_is_copied(void **state)
{
    struct stat st;
    int steps = 0;
    (void)state;
    run_sql(c, "BEGIN IMMEDIATE; DELETE FROM t WHERE id > 10");    /* not committed: not in the copy */
    assert_int_equal(rt_backup(in_folder("live.db"), in_folder("copy.db"), count_steps, &steps, NULL), 0);
    run_sql(c, "ROLLBACK");
    assert_true(steps > 0);
    assert_int_equal(stat(in_folder("copy.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_not_equal(access(in_folder("copy.db-wal"), F_OK), 0);
    struct rt_conn *copy = open_conn(in_folder("copy.db"), RT_CONN_READ);
    assert_int_equal(int_of(copy, "SELECT COUNT(*) FROM t"), 20000);
    rt_conn_close(copy);
}

static void nothing_is_overwritten(void **state)
{
    (void)state;
    write_file(in_folder("copy.db"), "precious");
    assert_int_equal(rt_backup(in_folder("live.db"), in_folder("copy.db"), NULL, NULL, NULL), RT_E_EXISTS);
    struct stat st;
    assert_int_equal(stat(in_folder("copy.db"), &st), 0);
    assert_int_equal(st.st_size, 8);
}

static void a_missing_source_leaves_nothing(void **state)
{
    (void)state;
    assert_true(rt_backup(in_folder("absent.db"), in_folder("copy.db"), NULL, NULL, NULL) < 0);
    assert_int_not_equal(access(in_folder("copy.db"), F_OK), 0);
}

static void a_broken_reference_makes_the_copy_fail(void **state)
{
    (void)state;
    run_sql(c, "PRAGMA foreign_keys = OFF; INSERT INTO t VALUES (99999, 5, 'x')");
    struct rt_err err = { 0 };
    assert_int_equal(rt_backup(in_folder("live.db"), in_folder("copy.db"), NULL, NULL, &err), RT_E_INVALID);
    assert_non_null(strstr(err.msg, "foreign_key_check"));
    assert_int_not_equal(access(in_folder("copy.db"), F_OK), 0);
}

static void overwrite(const char *path, long at, size_t n)
{
    char junk[4096];
    memset(junk, 0x5a, sizeof junk);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fwrite(junk, 1, n, f), n);
    fclose(f);
}

static void a_damaged_copy_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(rt_backup(in_folder("live.db"), in_folder("copy.db"), NULL, NULL, NULL), 0);
    assert_int_equal(rt_db_verify(in_folder("copy.db"), NULL), 0);
    overwrite(in_folder("copy.db"), 5 * 4096, 4096);
    assert_true(rt_db_verify(in_folder("copy.db"), NULL) < 0);
    overwrite(in_folder("copy.db"), 0, 100);
    assert_true(rt_db_verify(in_folder("copy.db"), NULL) < 0);
}

static void a_copy_cut_short_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(rt_backup(in_folder("live.db"), in_folder("copy.db"), NULL, NULL, NULL), 0);
    assert_int_equal(truncate(in_folder("copy.db"), 10 * 4096), 0);
    assert_true(rt_db_verify(in_folder("copy.db"), NULL) < 0);
    assert_true(rt_db_verify(in_folder("absent.db"), NULL) < 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_live_database_is_copied),
        TEST(nothing_is_overwritten),
        TEST(a_missing_source_leaves_nothing),
        TEST(a_broken_reference_makes_the_copy_fail),
        TEST(a_damaged_copy_is_noticed),
        TEST(a_copy_cut_short_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
