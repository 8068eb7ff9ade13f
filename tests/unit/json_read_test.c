/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading values out of a document: members, items, texts with escapes, and what is not there. */
#include "unit.h"

#include <string.h>

#include "base/json.h"
#include "base/json_read.h"

static struct rt_json document(const char *text)
{
    assert_int_equal(rt_json_check(text, strlen(text), 16, NULL, NULL), 0);
    return rt_json_document(text, strlen(text));
}

static void assert_is(struct rt_json v, const char *text)
{
    assert_int_equal(v.n, strlen(text));
    if (v.n)
        assert_memory_equal(v.p, text, v.n);
}

static void finds_members(void **state)
{
    (void)state;
    struct rt_json d = document(" { \"a\" : 1 ,\"b\":[1, {\"a\":2}, \"]\"],\"c\\\"\":0, \"d\":{\"e\":\"}\"} , \"f\":true}\n");
    assert_is(rt_json_member(d, "a"), "1");
    assert_is(rt_json_member(d, "b"), "[1, {\"a\":2}, \"]\"]");
    assert_is(rt_json_member(rt_json_member(d, "d"), "e"), "\"}\"");
    assert_true(rt_json_true(rt_json_member(d, "f")));
    assert_false(rt_json_true(rt_json_member(d, "a")));
    assert_int_equal(rt_json_member(d, "e").n, 0);
    assert_int_equal(rt_json_member(rt_json_member(d, "none"), "x").n, 0);
    assert_int_equal(rt_json_member(document("[]"), "x").n, 0);
    assert_int_equal(rt_json_member(document("{}"), "x").n, 0);
}

static void walks_items(void **state)
{
    (void)state;
    static const char *const want[] = { "1", "\"a,]\"", "[ ]", "[2,[3]]", "{\"k\":[1]}", "null", "-1.5e3" };
    struct rt_json items = rt_json_items(document("[1, \"a,]\",[ ],[2,[3]] ,{\"k\":[1]}, null,-1.5e3 ]"));
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_is(rt_json_take(&items), want[i]);
    assert_int_equal(rt_json_take(&items).n, 0);
    assert_int_equal(rt_json_take(&items).n, 0);
    items = rt_json_items(document("[ ]"));
    assert_int_equal(rt_json_take(&items).n, 0);
    items = rt_json_items(document("{}"));
    assert_int_equal(rt_json_take(&items).n, 0);
}

static void reads_plain_values(void **state)
{
    (void)state;
    struct rt_buf out;
    rt_buf_init(&out, 0);
    assert_true(rt_json_text(document("\"a\\n\\\"\\\\\\/\\u00e9\\u20ac\\ud83d\\ude00\xC3\xA9\\u0007\""), &out));
    assert_string_equal(rt_buf_cstr(&out), "a\n\"\\/\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xC3\xA9\a");
    rt_buf_reset(&out);
    assert_true(rt_json_text(document("\"\""), &out));
    assert_false(rt_json_text(document("1"), &out));
    assert_false(rt_json_text((struct rt_json){ 0 }, &out));
    assert_int_equal(out.len, 0);
    rt_buf_fini(&out);
    char text[4] = "was";
    assert_false(rt_json_copy(document("1"), text, sizeof text));
    assert_string_equal(text, "was");
    assert_true(rt_json_copy(document("\"a\\nbcd\""), text, sizeof text));
    assert_string_equal(text, "a\nb");
    assert_int_equal(rt_json_int(document("-42"), 7), -42);
    assert_int_equal(rt_json_int(document("\"42\""), 7), 7);
    assert_int_equal(rt_json_int((struct rt_json){ 0 }, 7), 7);
    assert_true(rt_json_text_is(document("\"eval\""), "eval"));
    assert_false(rt_json_text_is(document("\"evals\""), "eval"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_members),
        cmocka_unit_test(walks_items),
        cmocka_unit_test(reads_plain_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
