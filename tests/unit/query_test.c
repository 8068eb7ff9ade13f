/* SPDX-License-Identifier: Apache-2.0
 *
 * Query strings and percent-encoding. */
#include "unit.h"

#include <string.h>

#include "http/query.h"

static void splits_pairs(void **state)
{
    static const char *const expected[][2] = {
        { "a", "1" }, { "b", "" }, { "c", "" }, { "", "x" }, { "d", "e=f" }, { "%26", "%3D+" },
    };
    struct rt_str rest = RT_STR("&a=1&b&c=&&=x&d=e=f&%26=%3D+&"), name, value;
    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(rt_query_next(&rest, &name, &value));
        assert_true(rt_str_is(name, expected[i][0]));
        assert_true(rt_str_is(value, expected[i][1]));
    }
    assert_false(rt_query_next(&rest, &name, &value));
    rest = RT_STR("");
    assert_false(rt_query_next(&rest, &name, &value));
    rest = RT_STR("&&&");
    assert_false(rt_query_next(&rest, &name, &value));
}

static void decodes(void **state)
{
    static const struct {
        const char *text, *plain, *form;
    } cases[] = {
        { "", "", "" },
        { "abc", "abc", "abc" },
        { "a+b", "a+b", "a b" },
        { "%2B%20%2b", "+ +", "+ +" },
        { "%41%7a", "Az", "Az" },
        { "%C3%A4\xc3\xa4", "\xc3\xa4\xc3\xa4", "\xc3\xa4\xc3\xa4" },
        { "%F0%9F%8D%85", "\xf0\x9f\x8d\x85", "\xf0\x9f\x8d\x85" },
        { "100%25", "100%", "100%" },
    };
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rt_str s = rt_str_of(cases[i].text);
        assert_int_equal(rt_percent_decode(s, false, out), (long)strlen(cases[i].plain));
        assert_memory_equal(out, cases[i].plain, strlen(cases[i].plain));
        assert_int_equal(rt_percent_decode(s, true, out), (long)strlen(cases[i].form));
        assert_memory_equal(out, cases[i].form, strlen(cases[i].form));
    }
}

static void refuses_broken_text(void **state)
{
    static const char *const cases[] = {
        "%",     "%1",  "a%",  "%G0",  "%0G",       "%%41", "% 41",   "%00",
        "a%00b", "%FF", "%C3", "%C3x", "%ED%A0%80", "\xff", "%C0%80",
    };
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(rt_percent_decode(rt_str_of(cases[i]), true, out), -1);
    assert_int_equal(rt_percent_decode((struct rt_str){ "a\0b", 3 }, true, out), -1);
    assert_int_equal(rt_percent_decode((struct rt_str){ "%41", 2 }, true, out), -1); /* not read past the end */
}

static void encodes(void **state)
{
    struct rt_buf b;
    (void)state;
    rt_buf_init(&b, 0);
    rt_percent_encode(&b, RT_STR("aZ09-._~ /?&=+%\xc3\xa4\""));
    assert_string_equal(rt_buf_cstr(&b), "aZ09-._~%20%2F%3F%26%3D%2B%25%C3%A4%22");
    rt_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_pairs),
        cmocka_unit_test(decodes),
        cmocka_unit_test(refuses_broken_text),
        cmocka_unit_test(encodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
