/* SPDX-License-Identifier: Apache-2.0
 *
 * Files served as they are: what is read, and everything that is refused while it is read. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "http/pages.h"

static struct rt_tree *tree;

static void put(const char *name, const char *text, size_t n)
{
    char path[300];
    snprintf(path, sizeof path, "shop/%s", name);
    assert_int_equal(rt_tree_add(tree, path, text, n, NULL), 0);
    rt_tree_sort(tree);
}

static void put_text(const char *name, const char *text) { put(name, text, strlen(text)); }

static int setup(void **state)
{
    (void)state;
    tree = rt_tree_new();
    put_text("site/index.html", "<p>hello");
    put_text("site/a.js", "let a");
    put_text("site/icons/b.svg", "<svg/>");
    put_text("secret.txt", "secret");
    put_text("siteless.js", "");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_tree_unref(tree);
    return 0;
}

static struct rt_pages *load(const struct rt_page_declaration *d, int n, bool development)
{
    struct rt_pages *pages = NULL;
    struct rt_err err;
    if (rt_pages_load(tree, "shop", d, n, development, &pages, &err))
        fail_msg("%s", err.msg);
    return pages;
}

static void refused(struct rt_page_declaration d, int code, const char *message)
{
    struct rt_pages *pages = NULL;
    struct rt_err err;
    assert_int_equal(rt_pages_load(tree, "shop", &d, 1, true, &pages, &err), code);
    if (!strstr(err.msg, message))
        fail_msg("'%s' is not in: %s", message, err.msg);
    assert_null(pages);
}

static const struct rt_page_declaration both[] = { { .path = "/", .file = "site/index.html", .development = true },
                                                   { .path = "/site/", .folder = "site" } };

static void a_file_and_a_folder_are_read(void **state)
{
    (void)state;
    struct rt_pages *pages = load(both, 2, true);
    static const struct {
        const char *path, *type, *text;
    } want[] = {
        { "/", "text/html; charset=utf-8", "<p>hello" },
        { "/site/a.js", "text/javascript; charset=utf-8", "let a" },
        { "/site/icons/b.svg", "image/svg+xml", "<svg/>" },
        { "/site/index.html", "text/html; charset=utf-8", "<p>hello" },
    };
    assert_int_equal(pages->n, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(pages->page[i].path, want[i].path);
        assert_string_equal(pages->page[i].type, want[i].type);
        assert_int_equal(pages->page[i].n, strlen(want[i].text));
        assert_memory_equal(pages->page[i].data, want[i].text, pages->page[i].n);
    }
    assert_int_equal(strlen(pages->page[0].tag), 34);
    assert_string_equal(pages->page[0].tag, pages->page[3].tag);
    assert_string_not_equal(pages->page[0].tag, pages->page[1].tag);
    rt_pages_free(pages);
}

static void pages_for_development_are_left_out(void **state)
{
    (void)state;
    struct rt_pages *pages = load(both, 2, false);
    assert_int_equal(pages->n, 3);
    assert_string_equal(pages->page[0].path, "/site/a.js");
    rt_pages_free(pages);
}

static void nothing_outside_the_folder_is_read(void **state)
{
    (void)state;
    refused((struct rt_page_declaration){ .path = "/", .file = "../secret.txt" }, RT_E_INVALID, "'../secret.txt'");
    refused((struct rt_page_declaration){ .path = "/", .file = "site/../secret.txt" }, RT_E_INVALID, "not a name");
    refused((struct rt_page_declaration){ .path = "/", .file = "/etc/passwd" }, RT_E_INVALID, "not a name");
    refused((struct rt_page_declaration){ .path = "/", .file = "site//a.js" }, RT_E_INVALID, "not a name");
    refused((struct rt_page_declaration){ .path = "/", .file = "" }, RT_E_INVALID, "not a name");
    refused((struct rt_page_declaration){ .path = "/a/", .folder = "." }, RT_E_INVALID, "not a name");
}

static void paths_are_checked(void **state)
{
    static const char *const bad[] = { "a", "", "/a b", "/{x}", "/a//b", "/../b", "/a?b", "/%2e", "/a/.b" };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused((struct rt_page_declaration){ .path = bad[i], .file = "site/a.js" }, RT_E_INVALID, "a path has");
    refused((struct rt_page_declaration){ .path = "/site", .folder = "site" }, RT_E_INVALID, "ends in '/'");
}

static void files_are_checked(void **state)
{
    (void)state;
    refused((struct rt_page_declaration){ .path = "/", .file = "site/none.html" }, RT_E_NOTFOUND, "site/none.html");
    refused((struct rt_page_declaration){ .path = "/x/", .folder = "none" }, RT_E_NOTFOUND, "none");
    refused((struct rt_page_declaration){ .path = "/x/", .folder = "secret.txt" }, RT_E_NOTFOUND, "secret.txt");
    put_text("odd/notes.lua", "return {}");
    refused((struct rt_page_declaration){ .path = "/x/", .folder = "odd" }, RT_E_INVALID,
            "odd/notes.lua: files of this type");
    put_text("blank/a b.js", "");
    refused((struct rt_page_declaration){ .path = "/x/", .folder = "blank" }, RT_E_INVALID,
            "blank/a b.js: a file's name");
}

static void sizes_have_caps(void **state)
{
    char name[32], *large = calloc(1, RT_TREE_FILE_MAX);
    (void)state;
    struct rt_page_declaration big = { .path = "/big/", .folder = "big" };
    for (int i = 0; i < RT_PAGES_BYTES_MAX / RT_TREE_FILE_MAX; i++) {
        snprintf(name, sizeof name, "big/p%d.png", i);
        put(name, large, RT_TREE_FILE_MAX);
    }
    rt_pages_free(load(&big, 1, true));
    put("big/z.png", large, 1);
    refused(big, RT_E_LIMIT, "all files together");
    free(large);
}

static void there_are_not_too_many_files(void **state)
{
    char name[128];
    (void)state;
    for (int i = 0; i <= RT_PAGES_MAX; i++) {
        snprintf(name, sizeof name, "many/f%03d.txt", i);
        put_text(name, "");
    }
    refused((struct rt_page_declaration){ .path = "/many/", .folder = "many" }, RT_E_LIMIT, "more than 256 files");
}

static void an_empty_file_is_a_page(void **state)
{
    (void)state;
    struct rt_page_declaration d = { .path = "/a.js", .file = "siteless.js" };
    struct rt_pages *pages = load(&d, 1, true);
    assert_int_equal(pages->page[0].n, 0);
    rt_pages_free(pages);
}

static void a_policy_names_only_a_plain_host(void **state)
{
    char policy[RT_PAGE_POLICY_MAX];
    (void)state;
    rt_page_policy(RT_STR("localhost:8000"), policy);
    assert_non_null(strstr(policy, "connect-src 'self' ws://localhost:8000 wss://localhost:8000;"));
    assert_non_null(strstr(policy, "default-src 'self'"));
    assert_non_null(strstr(policy, "frame-ancestors 'none'"));
    rt_page_policy(RT_STR("[::1]:8000"), policy);
    assert_non_null(strstr(policy, "ws://[::1]:8000"));
    static const char *const bad[] = { "", "x; script-src *", "x y", "a,b", "a'b" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rt_page_policy(rt_str_of(bad[i]), policy);
        assert_null(strstr(policy, "connect-src"));
        assert_null(strstr(policy, "script-src *"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_and_a_folder_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_for_development_are_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_outside_the_folder_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(paths_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_have_caps, setup, teardown),
        cmocka_unit_test_setup_teardown(there_are_not_too_many_files, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_file_is_a_page, setup, teardown),
        cmocka_unit_test(a_policy_names_only_a_plain_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
