/* SPDX-License-Identifier: Apache-2.0
 *
 * Migrations: applied once and in order, and every way in which a folder can be wrong. */
#include "db/migrate.h"
#include "db_fixture.h"

static struct rt_conn *c;

static int fresh(void **state)
{
    if (make_test_folder(state))
        return -1;
    c = open_conn(":memory:", RT_CONN_WRITE);
    write_file(in_folder("0001_create_a.sql"), "-- First.\nCREATE TABLE a (v);\nINSERT INTO a VALUES (1);\n");
    write_file(in_folder("0002_add_b.sql"), "ALTER TABLE a ADD COLUMN w;");
    return 0;
}

static int done(void **state)
{
    rt_conn_close(c);
    return remove_test_folder(state);
}

static void expect(int code, const char *part)
{
    struct rt_err err = { 0 };
    int rc = rt_migrate(c, "app", test_folder, NULL, &err);
    if (rc != code || (part && !strstr(err.msg, part)))
        fail_msg("%d, %s; expected %d, %s", rc, err.msg, code, part);
}

static void files_are_applied_once(void **state)
{
    int n = -1;
    (void)state;
    assert_int_equal(rt_migrate(c, "app", test_folder, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_int_equal(rt_migrate(c, "app", test_folder, &n, NULL), 0);
    assert_int_equal(n, 0);
    assert_int_equal(int_of(c, "SELECT COUNT(*) FROM a WHERE w IS NULL"), 1);
    write_file(in_folder("0003_fill_w.sql"), "UPDATE a SET w = 7");
    assert_int_equal(rt_migrate_check(c, "app", test_folder, NULL), RT_E_NOTFOUND);
    assert_int_equal(rt_migrate(c, "app", test_folder, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(int_of(c, "SELECT w FROM a"), 7);
    assert_int_equal(rt_migrate_check(c, "app", test_folder, NULL), 0);
}

static void sets_do_not_meet(void **state)
{
    (void)state;
    expect(0, NULL);
    run_sql(c, "DROP TABLE a");
    assert_int_equal(rt_migrate(c, "other", test_folder, NULL, NULL), 0);
    assert_int_equal(int_of(c, "SELECT COUNT(*) FROM perigee_migrations"), 4);
}

static void other_files_are_ignored(void **state)
{
    (void)state;
    write_file(in_folder("README.md"), "text");
    write_file(in_folder("0003_x.sql~"), "nonsense");
    write_file(in_folder("3_x.sql"), "nonsense");
    expect(0, NULL);
}

static void a_changed_file_is_refused(void **state)
{
    (void)state;
    expect(0, NULL);
    write_file(in_folder("0001_create_a.sql"), "CREATE TABLE a (v); -- changed");
    expect(RT_E_INVALID, "0001_create_a.sql of app was changed after it was applied");
    assert_int_equal(rt_migrate_check(c, "app", test_folder, NULL), RT_E_INVALID);
}

static void a_vanished_or_renamed_file_is_refused(void **state)
{
    (void)state;
    expect(0, NULL);
    rename(in_folder("0002_add_b.sql"), in_folder("0002_add_c.sql"));
    expect(RT_E_INVALID, "0002_add_b.sql of app was applied but its file is gone or renamed");
    remove(in_folder("0002_add_c.sql"));
    expect(RT_E_INVALID, "gone or renamed");
}

static void a_gap_is_refused(void **state)
{
    (void)state;
    write_file(in_folder("0004_x.sql"), "SELECT 1");
    expect(RT_E_INVALID, "0004_x.sql: number 3 expected");
    assert_int_equal(int_of(c, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'a'"), 0);
}

static void a_number_used_twice_is_refused(void **state)
{
    (void)state;
    write_file(in_folder("0002_also.sql"), "SELECT 1");
    expect(RT_E_INVALID, "number 3 expected");
}

static void a_broken_statement_is_named_with_its_line(void **state)
{
    (void)state;
    write_file(in_folder("0003_broken.sql"),
               "CREATE TABLE ok (v);\n\n-- What follows is wrong.\nINSERT INTO nowhere\nVALUES (1);\n");
    expect(RT_E_INVALID, "0003_broken.sql:4: no such table: nowhere");
    assert_int_equal(int_of(c, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'ok'"), 0);
    assert_int_equal(int_of(c, "SELECT COUNT(*) FROM perigee_migrations"), 2);
    write_file(in_folder("0003_broken.sql"), "CREATE TABLE ok (v);\n");
    expect(0, NULL);
}

static void a_missing_folder_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(rt_migrate(c, "app", in_folder("absent"), NULL, NULL), RT_E_IO);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_applied_once),
        TEST(sets_do_not_meet),
        TEST(other_files_are_ignored),
        TEST(a_changed_file_is_refused),
        TEST(a_vanished_or_renamed_file_is_refused),
        TEST(a_gap_is_refused),
        TEST(a_number_used_twice_is_refused),
        TEST(a_broken_statement_is_named_with_its_line),
        TEST(a_missing_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
