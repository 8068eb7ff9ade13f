/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV: quoting, formula safety, numbers. */
#include "unit.h"

#include <math.h>

#include "report/csv.h"

static void assert_cell(struct rt_str cell, const char *expected)
{
    struct rt_buf b;
    struct rt_csv c;
    rt_buf_init(&b, 0);
    rt_csv_init(&c, &b);
    rt_csv_text(&c, cell);
    assert_string_equal(rt_buf_cstr(&b), expected);
    rt_buf_fini(&b);
}

static void writes_rows(void **state)
{
    (void)state;
    struct rt_buf b;
    struct rt_csv c;
    rt_buf_init(&b, 0);
    rt_csv_init(&c, &b);
    rt_csv_text(&c, RT_STR("name"));
    rt_csv_text(&c, RT_STR("minutes"));
    rt_csv_end_row(&c);
    rt_csv_text(&c, RT_STR("\xC3\xA9t\xC3\xA9"));
    rt_csv_int(&c, -25);
    rt_csv_empty(&c);
    rt_csv_double(&c, 12.5);
    rt_csv_double(&c, -3);
    rt_csv_double(&c, -0.0);
    rt_csv_double(&c, NAN);
    rt_csv_end_row(&c);
    rt_csv_empty(&c);
    rt_csv_empty(&c);
    rt_csv_end_row(&c);
    assert_string_equal(rt_buf_cstr(&b), "name,minutes\r\n\xC3\xA9t\xC3\xA9,-25,,12.5,-3,0,\r\n,\r\n");
    rt_buf_fini(&b);
}

static void quotes_where_needed(void **state)
{
    (void)state;
    assert_cell(RT_STR(""), "");
    assert_cell(RT_STR("plain text"), "plain text");
    assert_cell(RT_STR("a,b"), "\"a,b\"");
    assert_cell(RT_STR("say \"hi\""), "\"say \"\"hi\"\"\"");
    assert_cell(RT_STR("\"\""), "\"\"\"\"\"\"");
    assert_cell(RT_STR("two\r\nlines"), "\"two\r\nlines\"");
    assert_cell(RT_STR("a;=1+1"), "\"a;=1+1\"");
    assert_cell(RT_STR("a\t=1+1"), "\"a\t=1+1\"");
}

static void formulas_are_text(void **state)
{
    (void)state;
    assert_cell(RT_STR("=1+1"), "'=1+1");
    assert_cell(RT_STR("=HYPERLINK(\"http://x\",\"y\")"), "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
    assert_cell(RT_STR("@SUM(A1)"), "'@SUM(A1)");
    assert_cell(RT_STR("+cmd|' /C calc'!A0"), "'+cmd|' /C calc'!A0");
    assert_cell(RT_STR("-1+1"), "'-1+1");
    assert_cell(RT_STR("-"), "'-");
    assert_cell(RT_STR("\t=1"), "\"'\t=1\"");
    assert_cell(RT_STR("\r=1"), "\"'\r=1\"");
    assert_cell(RT_STR("- milk"), "'- milk");
    assert_cell(RT_STR("+49 151"), "'+49 151");
    assert_cell(RT_STR("-1.2.3"), "'-1.2.3");
    assert_cell(RT_STR("-1."), "'-1.");
    assert_cell(RT_STR("-1e5"), "'-1e5");
    assert_cell(RT_STR("a=1"), "a=1");
}

static void plain_numbers_stay(void **state)
{
    (void)state;
    assert_cell(RT_STR("-12"), "-12");
    assert_cell(RT_STR("+3"), "+3");
    assert_cell(RT_STR("-0.5"), "-0.5");
    assert_cell(RT_STR("42"), "42");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_rows),
        cmocka_unit_test(quotes_where_needed),
        cmocka_unit_test(formulas_are_text),
        cmocka_unit_test(plain_numbers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
