/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: UTF-8 against a decoder that does arithmetic instead of tables, numbers at their limits. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"

/* True when p[0..n) is exactly one code point in its shortest form. */
static bool one_code_point(const unsigned char *p, size_t n)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t cp = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    uint32_t lead = n == 1 ? 0 : (0xF00u >> n) & 0xFF;
    if (n == 1 ? p[0] > 0x7F : (p[0] & ((0xF80u >> n) & 0xFF)) != lead)
        return false;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return false;
        cp = cp << 6 | (p[i] & 0x3F);
    }
    return cp >= least[n] && cp <= 0x10FFFF && (cp < 0xD800 || cp > 0xDFFF);
}

static void knows_every_sequence_of_three_bytes(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1u << 16; v++) {
        unsigned char two[2] = { (unsigned char)(v >> 8), (unsigned char)v };
        bool expected = one_code_point(two, 2) || (one_code_point(two, 1) && one_code_point(two + 1, 1));
        assert_int_equal(rt_utf8_valid((char *)two, 2), expected);
    }
    for (uint32_t v = 0xE00000; v < 0xF00000; v++) {
        unsigned char three[3] = { (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v };
        if (rt_utf8_valid((char *)three, 3) != one_code_point(three, 3))
            fail_msg("%06x", v);
    }
}

static void knows_sequences_of_four_bytes(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1u << 20; v++) {
        unsigned char four[4] = { (unsigned char)(0xEF + (v >> 16)), (unsigned char)(v >> 8), (unsigned char)v, 0x80 };
        four[3] = (unsigned char)(0x7F + (v * 7 & 0x41));
        bool expected = one_code_point(four, 4) || (one_code_point(four, 3) && one_code_point(four + 3, 1));
        if (rt_utf8_valid((char *)four, 4) != expected)
            fail_msg("%02x%02x%02x%02x", four[0], four[1], four[2], four[3]);
    }
}

static void finds_bad_bytes_at_every_place(void **state)
{
    (void)state;
    char text[40];
    for (size_t n = 1; n < sizeof(text); n++) {
        memset(text, 'a', n);
        assert_true(rt_utf8_valid(text, n));
        for (size_t i = 0; i < n; i++) {
            text[i] = (char)0xFF;
            assert_false(rt_utf8_valid(text, n));
            text[i] = (char)0xE2; /* cut short */
            assert_false(rt_utf8_valid(text, n));
            text[i] = 'a';
        }
    }
    assert_true(rt_utf8_valid(NULL, 0));
}

static void counts_code_points(void **state)
{
    (void)state;
    assert_int_equal(rt_utf8_len("", 0), 0);
    assert_int_equal(rt_utf8_len("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 10), 4);
}

static void compares(void **state)
{
    (void)state;
    assert_true(rt_str_eq(rt_str_of(NULL), RT_STR("")));
    assert_true(rt_str_is(RT_STR("abc"), "abc"));
    assert_false(rt_str_is(RT_STR("abc"), "ab"));
    assert_true(rt_str_ieq(RT_STR("Content-TYPE"), RT_STR("content-type")));
    assert_false(rt_str_ieq(RT_STR("a@"), RT_STR("a`")));
    assert_false(rt_str_ieq(RT_STR("\xC3\x84"), RT_STR("\xC3\xA4"))); /* ASCII only */
}

static void trims_unicode_space(void **state)
{
    (void)state;
    assert_true(rt_str_is(rt_str_trim(RT_STR(" \t\r\n a b \v\f ")), "a b"));
    assert_true(rt_str_is(rt_str_trim(RT_STR("\xC2\xA0\xE2\x80\x83x\xE3\x80\x80\xC2\x85")), "x"));
    assert_true(rt_str_is(rt_str_trim(RT_STR("\xE1\x9A\x80\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAF\xE2\x81\x9F")), ""));
    assert_true(rt_str_is(rt_str_trim(RT_STR("\xE2\x80\x8B")), "\xE2\x80\x8B")); /* zero width: not a space */
    assert_true(rt_str_is(rt_str_trim(RT_STR("\xC3\xA0")), "\xC3\xA0"));         /* ends in 0xA0 */
    assert_true(rt_str_is(rt_str_trim(RT_STR("\x80 \x80")), "\x80 \x80"));
    assert_int_equal(rt_str_trim(RT_STR("   ")).n, 0);
}

static void reads_integers(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "-",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1.0",
                                       "0x1",
                                       "1e3",
                                       "9223372036854775808",
                                       "--1",
                                       "1-1",
                                       "-9223372036854775809",
                                       "99999999999999999999999" };
    int64_t v = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(rt_str_int(rt_str_of(bad[i]), &v));
    assert_int_equal(v, 7);
    assert_true(rt_str_int(RT_STR("9223372036854775807"), &v) && v == INT64_MAX);
    assert_true(rt_str_int(RT_STR("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(rt_str_int(RT_STR("-0"), &v) && v == 0);
    assert_true(rt_str_int(RT_STR("007"), &v) && v == 7);
}

static void writes_integers(void **state)
{
    (void)state;
    static const int64_t values[] = { 0, 1, -1, 9, 10, 99, 100, INT64_MAX, INT64_MIN, -1000000 };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[21];
        int64_t back = 5;
        size_t n = rt_int_text(values[i], text);
        assert_true(n <= 20 && rt_str_int((struct rt_str){ text, n }, &back));
        assert_true(back == values[i]);
    }
}

static void assert_double(double v, const char *expected)
{
    char text[33] = { 0 };
    text[rt_double_text(v, text)] = '\0';
    assert_string_equal(text, expected);
}

static void writes_doubles(void **state)
{
    (void)state;
    assert_double(0.1, "0.1");
    assert_double(1.0 / 3, "0.3333333333333333");
    assert_double(5, "5");
    assert_double(-3, "-3");
    assert_double(0, "0");
    assert_double(-0.0, "-0");
    assert_double(1e300, "1e300");
    assert_double(1e-7, "1e-7");
    assert_double(-1.5e-10, "-1.5e-10");
    assert_double(9007199254740991.0, "9007199254740991");
    assert_double(1e15, "1000000000000000");
    assert_double(66.67, "66.67");
    assert_double(DBL_MAX, "1.7976931348623157e308");
}

static void doubles_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = rt_rand64();
        double v;
        char text[33];
        memcpy(&v, &bits, sizeof(v));
        if (!isfinite(v))
            continue;
        text[rt_double_text(v, text)] = '\0';
        if (strtod(text, NULL) != v)
            fail_msg("%a was written as %s", v, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_sequence_of_three_bytes),
        cmocka_unit_test(knows_sequences_of_four_bytes),
        cmocka_unit_test(finds_bad_bytes_at_every_place),
        cmocka_unit_test(counts_code_points),
        cmocka_unit_test(compares),
        cmocka_unit_test(trims_unicode_space),
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(writes_integers),
        cmocka_unit_test(writes_doubles),
        cmocka_unit_test(doubles_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
