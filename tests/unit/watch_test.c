/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as saved: files in all folders, also new ones, moved ones, and a root that is replaced. */
#include <poll.h>

#include "db_fixture.h"
#include "server/watch.h"

static struct rt_watcher *w;

static void folder(const char *name) { assert_int_equal(mkdir(in_folder(name), 0700), 0); }

static int fresh(void **state)
{
    if (make_test_folder(state))
        return -1;
    folder("scripts");
    folder("scripts/app");
    write_file(in_folder("scripts/app/a.lua"), "1");
    return rt_watcher_new(in_folder("scripts"), &w, NULL);
}

static int done(void **state)
{
    rt_watcher_free(w);
    return remove_test_folder(state);
}

/* The kernel has queued it when the call that caused it has returned. */
static bool took(void)
{
    struct pollfd p = { .fd = rt_watcher_fd(w), .events = POLLIN };
    return poll(&p, 1, 0) == 1 && rt_watcher_take(w);
}

static void saves(void **state)
{
    (void)state;
    assert_false(took());
    write_file(in_folder("scripts/app/a.lua"), "2");
    assert_true(took());
    assert_false(took());
    write_file(in_folder("scripts/app/new.lua"), "1");
    assert_true(took());
    assert_int_equal(rename(in_folder("scripts/app/new.lua"), in_folder("scripts/app/other.lua")), 0);
    assert_true(took());
    assert_int_equal(unlink(in_folder("scripts/app/other.lua")), 0);
    assert_true(took());
}

static void reading_is_no_save(void **state)
{
    char part[8];
    (void)state;
    FILE *f = fopen(in_folder("scripts/app/a.lua"), "r");
    assert_int_equal(fread(part, 1, 1, f), 1);
    fclose(f);
    assert_false(took());
}

static void editors_files_do_not_count(void **state)
{
    (void)state;
    write_file(in_folder("scripts/app/.a.lua.swp"), "1");
    write_file(in_folder("scripts/app/a.lua~"), "1");
    write_file(in_folder("scripts/app/#a.lua#"), "1");
    assert_false(took());
    assert_int_equal(rename(in_folder("scripts/app/.a.lua.swp"), in_folder("scripts/app/a.lua")), 0);
    assert_true(took());
}

static void new_folders_are_watched(void **state)
{
    (void)state;
    folder("scripts/app/rules");
    assert_true(took());
    folder("scripts/app/rules/deep");
    assert_true(took());
    write_file(in_folder("scripts/app/rules/deep/a.lua"), "1");
    assert_true(took());
    assert_int_equal(rename(in_folder("scripts/app/rules"), in_folder("scripts/app/laws")), 0);
    assert_true(took());
    folder("scripts/app/laws/deep/er");
    assert_true(took());
    write_file(in_folder("scripts/app/laws/deep/er/a.lua"), "1");
    assert_true(took());
}

static void a_filled_folder_that_is_moved_in(void **state)
{
    (void)state;
    folder("ready");
    folder("ready/below");
    write_file(in_folder("ready/below/a.lua"), "1");
    assert_false(took());
    assert_int_equal(rename(in_folder("ready"), in_folder("scripts/ready")), 0);
    assert_true(took());
    write_file(in_folder("scripts/ready/below/a.lua"), "2");
    assert_true(took());
}

static void a_root_that_is_replaced(void **state)
{
    (void)state;
    folder("next");
    folder("next/app");
    write_file(in_folder("next/app/a.lua"), "2");
    assert_int_equal(rename(in_folder("scripts"), in_folder("before")), 0);
    assert_true(took());
    assert_int_equal(rename(in_folder("next"), in_folder("scripts")), 0);
    assert_true(took());
    write_file(in_folder("scripts/app/a.lua"), "3");
    assert_true(took());
    write_file(in_folder("beside"), "1");
    assert_false(took());
}

static void a_root_that_is_a_link(void **state)
{
    (void)state;
    rt_watcher_free(w);
    folder("v2");
    assert_int_equal(symlink("scripts", in_folder("current")), 0);
    assert_int_equal(rt_watcher_new(in_folder("current/"), &w, NULL), 0);
    write_file(in_folder("scripts/app/a.lua"), "2");
    assert_true(took());
    assert_int_equal(symlink("v2", in_folder("coming")), 0);
    assert_int_equal(rename(in_folder("coming"), in_folder("current")), 0);
    assert_true(took());
    write_file(in_folder("v2/a.lua"), "2");
    assert_true(took());
}

static void no_such_folder(void **state)
{
    struct rt_watcher *none = NULL;
    struct rt_err err;
    (void)state;
    assert_int_equal(rt_watcher_new(in_folder("nowhere"), &none, &err), RT_E_IO);
    assert_non_null(strstr(err.msg, "nowhere"));
    assert_null(none);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(saves),
        CASE(reading_is_no_save),
        CASE(editors_files_do_not_count),
        CASE(new_folders_are_watched),
        CASE(a_filled_folder_that_is_moved_in),
        CASE(a_root_that_is_replaced),
        CASE(a_root_that_is_a_link),
        CASE(no_such_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
