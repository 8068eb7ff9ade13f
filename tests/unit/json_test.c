/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON: what RFC 8259 allows, what it does not, positions of mistakes, and the writer against the check. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"

/* Checks a copy of exactly the right size, so that the address sanitizer sees a byte too many. */
static int check(const char *text, size_t n, int depth, struct rt_err *err)
{
    char *tight = malloc(n ? n : 1);
    memcpy(tight, text, n);
    int rc = rt_json_check(tight, n, depth, NULL, err);
    free(tight);
    return rc;
}

static void accepts_good_documents(void **state)
{
    (void)state;
    static const char *const good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "10",
        "0.0",
        "-0.5",
        "1e1",
        "1E+1",
        "1e-1",
        "1.25e+300",
        "123456789012345678901234567890",
        "1e999",
        "\"\"",
        "\"a\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "{\"\":{}}",
        "{\"a\":1}",
        "{\"a\":1,\"a\":2}",
        "[1,2,3]",
        " [ 1 , 2 ] ",
        "\t{\n\"a\"\r: [ ] }\n",
        "[null,true,false]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"",
        "\"\\u00e9\\uABCD\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uDBFF\\uDFFF\"",
        "\"\\uD7FF\\uE000\"",
        "\"\x7F\"",
        "\"\xC3\xA9\"",
        "\"\xE2\x82\xAC\"",
        "\"\xF0\x9F\x98\x80\"",
        "\"\xEF\xBF\xBF\"",
        "\"\xF4\x8F\xBF\xBF\"",
        "\"12345678\\n12345678\xC3\xA9\"",
        "{\"a\":{\"b\":[{\"c\":[[1]]}]},\"d\":[]}",
        "\"\xEF\xBB\xBF\"",
        "[\"a\",{\"b\":null},-1.5e-3]",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct rt_err err = { 0 };
        if (check(good[i], strlen(good[i]), 16, &err) != 0)
            fail_msg("%s: %s", good[i], err.msg);
    }
}

static void refuses_bad_documents(void **state)
{
    (void)state;
    static const char *const bad[] = {
        /* nothing, too much, too little */
        "",
        " ",
        "\n\n",
        "1 2",
        "[] []",
        "{}x",
        "null,",
        "nul",
        "nulll",
        "True",
        "TRUE",
        "tru",
        "undefined",
        "NaN",
        "Infinity",
        "-Infinity",
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "\"",
        /* structure */
        "[1,]",
        "[,1]",
        "[,]",
        "[1,,2]",
        "[1 2]",
        "[1:2]",
        "{,}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\",1}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\"::1}",
        "{\"a\":1,,\"b\":2}",
        "[}",
        "{]",
        "[1}",
        "{\"a\":1]",
        "[[]",
        "{\"a\":[}",
        "{null:1}",
        "{\"a\":}",
        "(1)",
        "<a>",
        ":",
        ",",
        "[\"a\":1]",
        "{[]:1}",
        "{{}:1}",
        /* numbers */
        "01",
        "-01",
        "00",
        "+1",
        "-",
        "--1",
        "1.",
        ".5",
        "-.5",
        "1.e1",
        "1e",
        "1e+",
        "1e-",
        "1E",
        "0x10",
        "1_000",
        "1,000",
        "1e1.5",
        "1.2.3",
        "- 1",
        "1 .5",
        "\xEF\xBC\x91",
        "1a",
        "0b1",
        "[1e]",
        "[-]",
        "[2.]",
        "1eE2",
        "0e",
        /* strings */
        "\"a",
        "'a'",
        "\"\\",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\a\"",
        "\"\\'\"",
        "\"\\ \"",
        "\"\\u\"",
        "\"\\u12\"",
        "\"\\u123\"",
        "\"\\u123g\"",
        "\"\\U0041\"",
        "\"\\u 041\"",
        "\"\\u+041\"",
        "\"\\u-041\"",
        "\"\n\"",
        "\"\t\"",
        "\"a\rb\"",
        "\"\x1F\"",
        "\"\x01\"",
        "\"12345678\n12345678\"",
        "\"1234567\x1F\"",
        "\"a\" \"b\"",
        "\"\\\xC3\xA9\"",
        /* surrogates */
        "\"\\uD800\"",
        "\"\\uDBFF\"",
        "\"\\uDC00\"",
        "\"\\uDFFF\"",
        "\"\\uD800a\"",
        "\"\\uD800\\n\"",
        "\"\\uD800\\u0041\"",
        "\"\\uD800\\uD800\"",
        "\"\\uDC00\\uD800\"",
        "\"\\uD800\\uDBFF\"",
        "\"\\uD83D\\uDE0\"",
        "\"\\uD83D\\u\"",
        "\"\\uD83D\\",
        "\"\\uD83D",
        /* UTF-8 */
        "\"\x80\"",
        "\"\xBF\"",
        "\"\xC0\x80\"",
        "\"\xC1\xBF\"",
        "\"\xC3\"",
        "\"\xC3\x28\"",
        "\"\xE0\x80\xAF\"",
        "\"\xE0\x9F\xBF\"",
        "\"\xED\xA0\x80\"",
        "\"\xED\xBF\xBF\"",
        "\"\xE2\x82\"",
        "\"\xF0\x80\x80\x80\"",
        "\"\xF0\x8F\xBF\xBF\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xF5\x80\x80\x80\"",
        "\"\xFE\"",
        "\"\xFF\"",
        "\"\xF0\x9F\x98",
        "\"12345678\xFF"
        "12345678\"",
        "{\"\xFF\":1}",
        "\xC3\xA9",
        "\xFF",
        /* before, between, after */
        "\xEF\xBB\xBF{}",
        "\xFE\xFF",
        "\xC2\xA0"
        "1",
        "\v1",
        "\f1",
        "1\v",
        "[1,\xE2\x80\xA8"
        "2]",
        "// x\n1",
        "/* */1",
        "1 // x",
        "#1",
        "1;",
        "\\u0031",
        "[1]\\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rt_err err = { 0 };
        if (check(bad[i], strlen(bad[i]), 16, &err) != RT_E_INVALID)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(err.code, RT_E_INVALID);
        assert_memory_equal(err.msg, "line ", 5);
    }
}

static void refuses_nul_bytes(void **state)
{
    (void)state;
    assert_int_equal(check("1\0", 2, 4, NULL), RT_E_INVALID);
    assert_int_equal(check("\0001", 2, 4, NULL), RT_E_INVALID);
    assert_int_equal(check("\"a\0b\"", 5, 4, NULL), RT_E_INVALID);
    assert_int_equal(check("\"\\\0\"", 4, 4, NULL), RT_E_INVALID);
    assert_int_equal(check("[\0]", 3, 4, NULL), RT_E_INVALID);
    assert_int_equal(check("\0", 1, 4, NULL), RT_E_INVALID);
}

static void limits_the_depth(void **state)
{
    (void)state;
    struct rt_err err = { 0 };
    assert_int_equal(check("1", 1, 0, NULL), 0);
    assert_int_equal(check("[]", 2, 0, NULL), RT_E_LIMIT);
    assert_int_equal(check("[]", 2, 1, NULL), 0);
    assert_int_equal(check("[{}]", 4, 1, NULL), RT_E_LIMIT);
    assert_int_equal(check("[[],[],{}]", 10, 2, NULL), 0);
    assert_int_equal(check("{\"a\":[[1]]}", 11, 2, &err), RT_E_LIMIT);
    assert_string_equal(err.msg, "line 1, column 7: nested deeper than 2 levels");
    assert_int_equal(check("[]", 2, -1, NULL), RT_E_LIMIT);
}

static void survives_a_million_brackets(void **state)
{
    (void)state;
    size_t n = 1000000;
    char *text = malloc(n);
    memset(text, '[', n);
    assert_int_equal(rt_json_check(text, n, 1 << 30, NULL, NULL), RT_E_LIMIT);
    memset(text, '{', n);
    assert_int_equal(rt_json_check(text, n, 100, NULL, NULL), RT_E_INVALID);
    memset(text, '[', 1024);
    memset(text + 1024, ']', 1024);
    assert_int_equal(rt_json_check(text, 2048, 1024, NULL, NULL), 0);
    free(text);
}

static void remembers_what_is_open(void **state)
{
    (void)state;
    /* Arrays and objects in turn, more than one word of bits deep. */
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (int i = 0; i < 200; i++)
        rt_buf_puts(&b, i % 3 ? "[" : "{\"k\":");
    rt_buf_puts(&b, "1");
    for (int i = 199; i >= 0; i--)
        rt_buf_puts(&b, i % 3 ? "]" : "}");
    assert_int_equal(check(b.data, b.len, 200, NULL), 0);
    assert_int_equal(check(b.data, b.len, 199, NULL), RT_E_LIMIT);
    for (size_t i = b.len - 200; i < b.len; i++) {
        char c = b.data[i];
        b.data[i] = c == ']' ? '}' : ']';
        assert_int_equal(check(b.data, b.len, 200, NULL), RT_E_INVALID);
        b.data[i] = c;
    }
    rt_buf_fini(&b);
}

static void tells_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "line 1, column 1: the document ends too early" },
        { "[1,\n 2,\n x]", "line 3, column 2: expected a value" },
        { "{\"a\":\r\n\"b\nc\"}", "line 2, column 3: control character in a string; write it as an escape" },
        { "[\"\xC3\xA9\xE2\x82\xAC\", x]", "line 1, column 8: expected a value" },
        { "{\"a\" 1}", "line 1, column 6: expected ':' after a name" },
        { "[1 2]", "line 1, column 4: expected ',' or ']'" },
        { "{\"a\":1 2}", "line 1, column 8: expected ',' or '}'" },
        { "{a:1}", "line 1, column 2: expected a name in double quotes" },
        { "01", "line 1, column 2: a number must not begin with 0" },
        { "1.", "line 1, column 3: a number needs a digit here" },
        { "\"\\uD800x\"", "line 1, column 2: lone surrogate escape in a string" },
        { "\"a\\q\"", "line 1, column 3: unknown escape in a string" },
        { "\"\\u12\"", "line 1, column 2: \\u needs four hexadecimal digits" },
        { "\"abc", "line 1, column 5: the string is not closed" },
        { "\"a\xFF\"", "line 1, column 3: a string is not valid UTF-8" },
        { "{} []", "line 1, column 4: something follows the document" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rt_err err = { 0 };
        assert_int_equal(check(cases[i].text, strlen(cases[i].text), 8, &err), RT_E_INVALID);
        assert_string_equal(err.msg, cases[i].message);
    }
}

static void gives_the_first_byte(void **state)
{
    (void)state;
    char first = 'x';
    assert_int_equal(rt_json_check(" \n{}", 4, 2, &first, NULL), 0);
    assert_int_equal(first, '{');
    assert_int_equal(rt_json_check("\t-1", 3, 2, &first, NULL), 0);
    assert_int_equal(first, '-');
    assert_int_equal(rt_json_check("[", 1, 2, &first, NULL), RT_E_INVALID);
    assert_int_equal(first, '-'); /* written only on success */
    assert_int_equal(rt_json_check(NULL, 0, 2, &first, NULL), RT_E_INVALID);
}

static void no_prefix_is_a_document(void **state)
{
    (void)state;
    static const char whole[] = "{\"a\":[1.5e-3,\"x\\u00e9\\uD83D\\uDE00\xE2\x82\xAC\",null,true,{\"b\":false}]}";
    for (size_t n = 0; n < sizeof(whole) - 1; n++)
        assert_int_equal(check(whole, n, 8, NULL), RT_E_INVALID);
    assert_int_equal(check(whole, sizeof(whole) - 1, 8, NULL), 0);
}

static void assert_written(const char *text, size_t n, const char *expected)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    char *tight = malloc(n ? n : 1);
    if (n > 0)
        memcpy(tight, text, n);
    rt_json_put_string(&b, tight, n);
    free(tight);
    assert_string_equal(rt_buf_cstr(&b), expected);
    assert_int_equal(rt_json_check(b.data, b.len, 0, NULL, NULL), 0);
    rt_buf_fini(&b);
}

static void writes_strings(void **state)
{
    (void)state;
    assert_written("", 0, "\"\"");
    assert_written("plain text of more than sixteen bytes", 37, "\"plain text of more than sixteen bytes\"");
    assert_written("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    assert_written("\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\"");
    assert_written("\0\x01\x1F\x7F", 4, "\"\\u0000\\u0001\\u001f\x7F\"");
    assert_written("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", 11, "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
    assert_written("a\xFFz", 3, "\"a\xEF\xBF\xBDz\"");
    assert_written("\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    assert_written("12345678\xC3", 9, "\"12345678\xEF\xBF\xBD\"");
    assert_written("12345678\"12345678\n1234567", 25, "\"12345678\\\"12345678\\n1234567\"");
}

static void writes_every_byte_at_every_place(void **state)
{
    (void)state;
    char text[20];
    for (int c = 0; c < 256; c++) {
        for (size_t i = 0; i < sizeof(text); i++) {
            struct rt_buf b;
            size_t extra = c == '"' || c == '\\' || (c >= 8 && c <= 13 && c != 11) ? 1 : c < 32 ? 5 : c > 127 ? 2 : 0;
            memset(text, 'a', sizeof(text));
            text[i] = (char)c;
            rt_buf_init(&b, 0);
            rt_json_put_string(&b, text, sizeof(text));
            assert_int_equal(b.len, sizeof(text) + 2 + extra);
            assert_int_equal(rt_json_check(b.data, b.len, 0, NULL, NULL), 0);
            rt_buf_fini(&b);
        }
    }
}

static void whatever_is_written_is_a_document(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        char text[64];
        struct rt_buf b;
        size_t n = rt_rand64() % sizeof(text);
        for (size_t k = 0; k < n; k++)
            text[k] = (char)(rt_rand64() >> (i % 2 ? 0 : 57));
        rt_buf_init(&b, 0);
        rt_json_put_string(&b, text, n);
        assert_int_equal(rt_json_check(b.data, b.len, 0, NULL, NULL), 0);
        rt_buf_fini(&b);
    }
}

static void writes_scalars(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_json_put_int(&b, INT64_MIN);
    rt_buf_putc(&b, ' ');
    rt_json_put_double(&b, 2.0);
    rt_buf_putc(&b, ' ');
    rt_json_put_double(&b, 0.1);
    rt_buf_putc(&b, ' ');
    rt_json_put_double(&b, -0.0);
    rt_buf_putc(&b, ' ');
    rt_json_put_double(&b, NAN);
    rt_buf_putc(&b, ' ');
    rt_json_put_double(&b, -INFINITY);
    rt_buf_putc(&b, ' ');
    rt_json_put_double(&b, 1e21);
    rt_buf_putc(&b, ' ');
    rt_json_put_bool(&b, true);
    rt_json_put_bool(&b, false);
    rt_json_put_null(&b);
    rt_json_put_time(&b, 1737367200);
    assert_string_equal(rt_buf_cstr(&b),
                        "-9223372036854775808 2 0.1 0 null null 1e21 truefalsenull\"2025-01-20T10:00:00Z\"");
    rt_buf_fini(&b);
}

static void fails_when_the_buffer_is_full(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 8);
    rt_json_put_string(&b, "123456", 6);
    assert_false(b.failed);
    rt_buf_reset(&b);
    rt_json_put_string(&b, "1234567", 7);
    assert_true(b.failed);
    rt_buf_reset(&b);
    rt_json_put_string(&b, "12345\n", 6);
    assert_true(b.failed);
    rt_buf_fini(&b);
}

static void writes_members(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_json_put_member(&b, "a", "\"x\"");
    rt_json_put_member(&b, "none", NULL);
    rt_json_put_member(&b, "empty", "");
    assert_string_equal(rt_buf_cstr(&b), ",\"a\":\"\\\"x\\\"\"");
    rt_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_members),
        cmocka_unit_test(accepts_good_documents),
        cmocka_unit_test(refuses_bad_documents),
        cmocka_unit_test(refuses_nul_bytes),
        cmocka_unit_test(limits_the_depth),
        cmocka_unit_test(survives_a_million_brackets),
        cmocka_unit_test(remembers_what_is_open),
        cmocka_unit_test(tells_the_place),
        cmocka_unit_test(gives_the_first_byte),
        cmocka_unit_test(no_prefix_is_a_document),
        cmocka_unit_test(writes_strings),
        cmocka_unit_test(writes_every_byte_at_every_place),
        cmocka_unit_test(whatever_is_written_is_a_document),
        cmocka_unit_test(writes_scalars),
        cmocka_unit_test(fails_when_the_buffer_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
