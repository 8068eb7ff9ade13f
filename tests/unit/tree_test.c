/* SPDX-License-Identifier: Apache-2.0
 *
 * Files below folders in memory: order, what is left out, sizes, looking up. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tree.h"

static char root[64];
static const char *const folders[] = { "app", "lib", NULL };

static void write_file(const char *path, const char *text, size_t n)
{
    char full[300];
    snprintf(full, sizeof full, "%s/%s", root, path);
    FILE *f = fopen(full, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

static void make_folder(const char *path)
{
    char full[300];
    snprintf(full, sizeof full, "%s/%s", root, path);
    assert_int_equal(mkdir(full, 0700), 0);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/perigee-tree-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rt_tree_remove(root) && access(root, F_OK) ? 0 : -1;
}

static void reads_files_in_order(void **state)
{
    (void)state;
    struct rt_tree *t;
    make_folder("app");
    make_folder("app/rules");
    make_folder("other");
    write_file("app/z.lua", "z", 1);
    write_file("app/rules/a.lua", "a\0b", 3);
    write_file("app/.hidden.lua", "x", 1);
    write_file("app/z.lua~", "x", 1);
    write_file("app/#z.lua#", "x", 1);
    write_file("other/x.lua", "x", 1);
    assert_int_equal(rt_tree_read(root, folders, &t, NULL), 0);
    assert_int_equal(t->n, 2);
    assert_string_equal(t->file[0].path, "app/rules/a.lua");
    assert_int_equal(t->file[0].n, 3);
    assert_memory_equal(t->file[0].text, "a\0b", 4);
    assert_string_equal(t->file[1].path, "app/z.lua");
    assert_ptr_equal(rt_tree_find(t, "app/z.lua"), &t->file[1]);
    assert_null(rt_tree_find(t, "app/z"));
    assert_null(rt_tree_find(t, "zzz"));
    assert_int_equal(rt_tree_first(t, "app/"), 0);
    assert_int_equal(rt_tree_first(t, "app/z"), 1);
    assert_int_equal(rt_tree_first(t, "lib/"), 2);
    rt_tree_unref(rt_tree_ref(t));
    rt_tree_unref(t);
}

static void refuses_what_is_too_large(void **state)
{
    (void)state;
    struct rt_tree *t;
    struct rt_err err;
    char *text = calloc(1, RT_TREE_FILE_MAX + 1);
    make_folder("lib");
    write_file("lib/large.lua", text, RT_TREE_FILE_MAX + 1);
    assert_int_equal(rt_tree_read(root, folders, &t, &err), RT_E_LIMIT);
    assert_non_null(strstr(err.msg, "lib/large.lua"));
    free(text);
}

static void refuses_links_and_devices(void **state)
{
    (void)state;
    struct rt_tree *t;
    struct rt_err err;
    char path[300];
    make_folder("app");
    snprintf(path, sizeof path, "%s/app/up", root);
    assert_int_equal(symlink("..", path), 0);
    assert_int_equal(rt_tree_read(root, folders, &t, &err), RT_E_INVALID);
    assert_non_null(strstr(err.msg, "app/up is a link"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(rt_tree_read(root, folders, &t, &err), RT_E_INVALID);
    assert_non_null(strstr(err.msg, "app/up is not a plain file"));
}

static void there_are_not_too_many_levels(void **state)
{
    (void)state;
    struct rt_tree *t;
    struct rt_err err;
    char path[100] = "app";
    for (int i = 0; i < 20; i++, strcat(path, "/a"))
        make_folder(path);
    assert_int_equal(rt_tree_read(root, folders, &t, &err), RT_E_LIMIT);
}

static void says_which_root_is_missing(void **state)
{
    (void)state;
    struct rt_tree *t;
    struct rt_err err;
    assert_int_equal(rt_tree_read("/nonexistent/scripts", folders, &t, &err), RT_E_IO);
    assert_non_null(strstr(err.msg, "/nonexistent/scripts"));
}

static void keeps_what_is_added(void **state)
{
    (void)state;
    struct rt_tree *t = rt_tree_new();
    for (int i = 40; i > 0; i--) {
        char path[20];
        snprintf(path, sizeof path, "f%02d", i);
        assert_int_equal(rt_tree_add(t, path, path, 3, NULL), 0);
    }
    rt_tree_sort(t);
    assert_string_equal(t->file[0].path, "f01");
    assert_string_equal(rt_tree_find(t, "f17")->text, "f17");
    assert_int_equal(t->bytes, 120);
    rt_tree_unref(t);
}

static void removing_follows_no_links(void **state)
{
    char kept[] = "/tmp/perigee-kept-XXXXXX", file[64], link[300];
    (void)state;
    assert_non_null(mkdtemp(kept));
    snprintf(file, sizeof file, "%s/file", kept);
    close(open(file, O_WRONLY | O_CREAT, 0600));
    make_folder("app");
    make_folder("app/deep");
    snprintf(link, sizeof link, "%s/app/deep/link", root);
    assert_int_equal(symlink(kept, link), 0);
    snprintf(link, sizeof link, "%s/app", root);
    assert_true(rt_tree_remove(link));
    assert_int_equal(access(link, F_OK), -1);
    assert_int_equal(access(file, F_OK), 0);
    assert_false(rt_tree_remove(link));
    assert_true(rt_tree_remove(kept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_files_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_links_and_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_are_not_too_many_levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removing_follows_no_links, set_up, tear_down),
        cmocka_unit_test(says_which_root_is_missing),
        cmocka_unit_test(keeps_what_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
