/* SPDX-License-Identifier: Apache-2.0
 *
 * Files served as they are: what is read, and everything that is refused while it is read. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "http/pages.h"

static char root[64];

static const char *at(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/perigee-pages-XXXXXX");
    assert_non_null(mkdtemp(root));
    mkdir(at("site"), 0700);
    mkdir(at("site/icons"), 0700);
    put("site/index.html", "<p>hello");
    put("site/a.js", "let a");
    put("site/icons/b.svg", "<svg/>");
    put("secret.txt", "secret");
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct rt_pages *load(const struct rt_page_declaration *d, int n, bool development)
{
    struct rt_pages *pages = NULL;
    struct rt_err err;
    if (rt_pages_load(root, d, n, development, &pages, &err))
        fail_msg("%s", err.msg);
    return pages;
}

static void refused(struct rt_page_declaration d, int code, const char *message)
{
    struct rt_pages *pages = NULL;
    struct rt_err err;
    assert_int_equal(rt_pages_load(root, &d, 1, true, &pages, &err), code);
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

static void hidden_and_backup_files_are_not_served(void **state)
{
    (void)state;
    put("site/.env", "secret");
    put("site/a.js~", "old");
    struct rt_pages *pages = load(both + 1, 1, true);
    assert_int_equal(pages->n, 3);
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
    assert_int_equal(symlink("../secret.txt", at("site/link.txt")), 0);
    refused((struct rt_page_declaration){ .path = "/", .file = "site/link.txt" }, RT_E_INVALID, "not a plain file");
    refused(both[1], RT_E_INVALID, "site/link.txt is not a plain file");
    assert_int_equal(unlink(at("site/link.txt")), 0);
    assert_int_equal(symlink("..", at("site/up")), 0);
    refused(both[1], RT_E_INVALID, "site/up");
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
    refused((struct rt_page_declaration){ .path = "/x/", .folder = "secret.txt" }, RT_E_INVALID, "secret.txt");
    assert_int_equal(mkfifo(at("site/pipe.js"), 0600), 0);
    refused(both[1], RT_E_INVALID, "site/pipe.js");
    unlink(at("site/pipe.js"));
    put("site/notes.lua", "return {}");
    refused(both[1], RT_E_INVALID, "site/notes.lua: files of this type");
    unlink(at("site/notes.lua"));
    put("site/a b.js", "");
    refused(both[1], RT_E_INVALID, "site/a b.js: a file's name");
}

static void make_file(const char *name, long bytes)
{
    put(name, "");
    assert_int_equal(truncate(at(name), bytes), 0);
}

static void sizes_have_caps(void **state)
{
    char name[32];
    (void)state;
    mkdir(at("big"), 0700);
    make_file("big/one.png", RT_PAGE_BYTES_MAX);
    struct rt_page_declaration big = { .path = "/big/", .folder = "big" };
    rt_pages_free(load(&big, 1, true));
    make_file("big/one.png", RT_PAGE_BYTES_MAX + 1);
    refused(big, RT_E_LIMIT, "big/one.png has 1048577 bytes");
    make_file("big/one.png", 1);
    for (int i = 0; i < RT_PAGES_BYTES_MAX / RT_PAGE_BYTES_MAX; i++) {
        snprintf(name, sizeof name, "big/p%d.png", i);
        make_file(name, RT_PAGE_BYTES_MAX);
    }
    refused(big, RT_E_LIMIT, "all files together");
}

static void there_are_not_too_many_files_nor_levels(void **state)
{
    char name[128] = "many";
    (void)state;
    mkdir(at(name), 0700);
    for (int i = 0; i <= RT_PAGES_MAX; i++) {
        snprintf(name, sizeof name, "many/f%03d.txt", i);
        put(name, "");
    }
    refused((struct rt_page_declaration){ .path = "/many/", .folder = "many" }, RT_E_LIMIT, "more than 256 files");
    strcpy(name, "deep");
    for (int i = 0; i < 6; i++, strcat(name, "/a"))
        mkdir(at(name), 0700);
    refused((struct rt_page_declaration){ .path = "/deep/", .folder = "deep" }, RT_E_LIMIT, "levels");
}

static void an_empty_file_is_a_page(void **state)
{
    (void)state;
    put("site/a.js", "");
    struct rt_page_declaration d = { .path = "/a.js", .file = "site/a.js" };
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
        cmocka_unit_test_setup_teardown(hidden_and_backup_files_are_not_served, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_outside_the_folder_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(paths_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_have_caps, setup, teardown),
        cmocka_unit_test_setup_teardown(there_are_not_too_many_files_nor_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_file_is_a_page, setup, teardown),
        cmocka_unit_test(a_policy_names_only_a_plain_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
