/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors: the sentence, truncation, a message that contains the former one. */
#include "unit.h"

#include <string.h>

#include "base/err.h"

static void fills_code_and_message(void **state)
{
    (void)state;
    struct rt_err err;
    assert_int_equal(rt_err_set(&err, RT_E_IO, "file %s, line %d", "a", 3), RT_E_IO);
    assert_int_equal(err.code, RT_E_IO);
    assert_string_equal(err.msg, "file a, line 3");
}

static void accepts_no_error_struct(void **state)
{
    (void)state;
    assert_int_equal(rt_err_set(NULL, RT_E_FULL, "%d", 1), RT_E_FULL);
}

static void wraps_its_own_message(void **state)
{
    (void)state;
    struct rt_err err;
    rt_err_set(&err, RT_E_IO, "disk gone");
    rt_err_set(&err, RT_E_IO, "backup: %s", err.msg);
    assert_string_equal(err.msg, "backup: disk gone");
}

static void cuts_long_messages(void **state)
{
    (void)state;
    struct rt_err err;
    char text[4000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    rt_err_set(&err, RT_E_IO, "%s", text);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void names_every_code(void **state)
{
    (void)state;
    assert_string_equal(rt_code_name(RT_OK), "ok");
    assert_string_equal(rt_code_name(RT_E_NOMEM), "nomem");
    assert_string_equal(rt_code_name(RT_E_CONSTRAINT), "constraint");
    assert_string_equal(rt_code_name(RT_E_EXPIRED), "expired");
    assert_string_equal(rt_code_name(RT_E_INTERNAL), "internal");
    assert_string_equal(rt_code_name(RT_E_INTERNAL - 1), "unknown");
    assert_string_equal(rt_code_name(1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_code_and_message), cmocka_unit_test(accepts_no_error_struct),
        cmocka_unit_test(wraps_its_own_message),  cmocka_unit_test(cuts_long_messages),
        cmocka_unit_test(names_every_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
