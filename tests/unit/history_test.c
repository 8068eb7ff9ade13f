/* SPDX-License-Identifier: Apache-2.0
 *
 * The history of releases: numbers, what is kept once, what is dropped, reading while a server writes. */
#include "db_fixture.h"
#include "server/history.h"

static struct rt_history *h;

static int fresh(void **state)
{
    if (make_test_folder(state))
        return -1;
    return rt_history_open(test_folder, &h, NULL);
}

static int done(void **state)
{
    rt_history_close(h);
    return remove_test_folder(state);
}

static struct rt_tree *tree(const char *word)
{
    struct rt_tree *t = rt_tree_new();
    assert_int_equal(rt_tree_add(t, "app/words.lua", word, strlen(word), NULL), 0);
    assert_int_equal(rt_tree_add(t, "app/app.lua", "return {}", 9, NULL), 0);
    assert_int_equal(rt_tree_add(t, "app/empty.lua", "", 0, NULL), 0);
    rt_tree_sort(t);
    return t;
}

static int add(const char *word)
{
    struct rt_history_entry e = { .at = 1000, .who = "ada", .reason = "save", .n_apps = 1, .app = { { .name = "app" } } };
    struct rt_tree *t = tree(word);
    rt_tree_hash(t, e.app[0].hash);
    assert_int_equal(rt_history_add(h, &e, &t, NULL), 0);
    rt_tree_unref(t);
    return e.number;
}

static int64_t count(const char *table)
{
    char sql[100];
    int64_t n = -1;
    struct rt_conn *c = open_conn(in_folder("releases.db"), RT_CONN_READ);
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM %s", table);
    assert_int_equal(rt_conn_int(c, sql, &n, NULL), 0);
    rt_conn_close(c);
    return n;
}

static void numbers_go_up(void **state)
{
    struct rt_history_entry *list;
    int n;
    (void)state;
    assert_int_equal(rt_history_list(h, 10, &list, &n, NULL), 0);
    assert_int_equal(n, 0);
    free(list);
    assert_int_equal(add("one"), 1);
    assert_int_equal(add("two"), 2);
    assert_int_equal(rt_history_list(h, 10, &list, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_int_equal(list[0].number, 2);
    assert_int_equal(list[1].number, 1);
    assert_string_equal(list[1].who, "ada");
    assert_string_equal(list[1].reason, "save");
    assert_string_equal(list[1].app[0].name, "app");
    assert_string_not_equal(list[0].app[0].hash, list[1].app[0].hash);
    free(list);
    assert_int_equal(rt_history_list(h, 1, &list, &n, NULL), 0);
    assert_int_equal(n, 1);
    free(list);
}

static void a_tree_comes_back_as_it_was(void **state)
{
    struct rt_history_entry e;
    struct rt_tree *got, *put = tree("one");
    char hash[RT_TREE_HASH];
    (void)state;
    add("one");
    add("two");
    assert_int_equal(rt_history_get(h, 1, &e, NULL), 0);
    assert_int_equal(rt_history_tree(h, e.app[0].hash, &got, NULL), 0);
    assert_int_equal(got->n, 3);
    assert_int_equal(rt_tree_differences(got, put), 0);
    rt_tree_hash(got, hash);
    assert_string_equal(hash, e.app[0].hash);
    rt_tree_unref(got);
    rt_tree_unref(put);
}

static void what_is_not_there(void **state)
{
    struct rt_history_entry e;
    struct rt_tree *t;
    struct rt_err err;
    (void)state;
    add("one");
    assert_int_equal(rt_history_get(h, 2, &e, &err), RT_E_NOTFOUND);
    assert_non_null(strstr(err.msg, "no release 2"));
    assert_int_equal(rt_history_get(h, 0, &e, NULL), RT_E_NOTFOUND);
    assert_int_equal(rt_history_tree(h, "0123", &t, NULL), RT_E_NOTFOUND);
}

/* Texts and trees once, however often they were live; with the last release that had them they go. */
static void kept_once_and_dropped(void **state)
{
    struct rt_history_entry e;
    (void)state;
    for (int i = 0; i < 5; i++)
        add(i % 2 ? "odd" : "even");
    assert_int_equal(count("releases"), 5);
    assert_int_equal(count("release_texts"), 4);
    assert_int_equal(count("release_files"), 6);
    for (int i = 0; i < RT_HISTORY_KEEP; i++)
        add("later");
    assert_int_equal(count("releases"), RT_HISTORY_KEEP);
    assert_int_equal(count("release_apps"), RT_HISTORY_KEEP);
    assert_int_equal(count("release_files"), 3);
    assert_int_equal(count("release_texts"), 3);
    assert_int_equal(rt_history_get(h, 5, &e, NULL), RT_E_NOTFOUND);
    assert_int_equal(rt_history_get(h, 6, &e, NULL), 0);
    assert_int_equal(add("more"), RT_HISTORY_KEEP + 6);
}

static void a_failed_one_leaves_nothing(void **state)
{
    struct rt_history_entry e = { .n_apps = 2, .app = { { .name = "app", .hash = "x" }, { .name = "app", .hash = "y" } } };
    struct rt_tree *t = tree("one"), *both[2] = { t, t };
    (void)state;
    assert_true(rt_history_add(h, &e, both, NULL) < 0); /* one app twice */
    assert_int_equal(count("releases"), 0);
    assert_int_equal(count("release_texts"), 0);
    assert_int_equal(add("good"), 1);
    rt_tree_unref(t);
}

static void read_beside_the_server(void **state)
{
    struct rt_history *reader = NULL;
    struct rt_history_entry e;
    struct rt_err err;
    (void)state;
    add("one");
    assert_int_equal(rt_history_open_read(test_folder, &reader, NULL), 0);
    add("two");
    assert_int_equal(rt_history_get(reader, 2, &e, NULL), 0);
    struct rt_tree *t = tree("three");
    rt_tree_hash(t, e.app[0].hash);
    assert_true(rt_history_add(reader, &e, &t, NULL) < 0);
    rt_tree_unref(t);
    rt_history_close(reader);
    assert_int_equal(rt_history_open_read("/nonexistent", &reader, &err), RT_E_NOTFOUND);
    assert_non_null(strstr(err.msg, "/nonexistent"));
    assert_int_equal(access("/nonexistent", F_OK), -1);
}

static void it_outlives_the_process(void **state)
{
    (void)state;
    add("one");
    rt_history_close(h);
    assert_int_equal(rt_history_open(test_folder, &h, NULL), 0);
    assert_int_equal(add("two"), 2);
}

static void the_digest_is_of_names_and_texts(void **state)
{
    struct rt_tree *a = rt_tree_new(), *b = rt_tree_new();
    char x[RT_TREE_HASH], y[RT_TREE_HASH];
    (void)state;
    rt_tree_add(a, "a", "12", 2, NULL);
    rt_tree_add(b, "a1", "2", 1, NULL);
    rt_tree_hash(a, x);
    rt_tree_hash(b, y);
    assert_string_not_equal(x, y);
    assert_int_equal(strlen(x), 64);
    rt_tree_unref(a);
    rt_tree_unref(b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(numbers_go_up),          CASE(a_tree_comes_back_as_it_was), CASE(what_is_not_there),
        CASE(kept_once_and_dropped),  CASE(a_failed_one_leaves_nothing), CASE(read_beside_the_server),
        CASE(it_outlives_the_process), CASE(the_digest_is_of_names_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
