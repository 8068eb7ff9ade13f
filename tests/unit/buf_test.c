/* SPDX-License-Identifier: Apache-2.0
 *
 * The buffer: growth, the cap, sticky failure, moving out. */
#include "unit.h"

#include <stdlib.h>

#include "base/buf.h"

static void appends_and_grows(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (int i = 0; i < 5000; i++)
        rt_buf_putc(&b, (char)('a' + i % 26));
    rt_buf_puts(&b, "end");
    rt_buf_put(&b, NULL, 0);
    assert_false(b.failed);
    assert_int_equal(b.len, 5003);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    assert_string_equal(rt_buf_cstr(&b) + 5000, "end");
    rt_buf_fini(&b);
}

static void keeps_within_its_cap(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 10);
    rt_buf_puts(&b, "0123456789");
    assert_false(b.failed);
    assert_string_equal(rt_buf_cstr(&b), "0123456789"); /* room for the NUL although full */
    rt_buf_putc(&b, 'x');
    assert_true(b.failed);
    assert_string_equal(rt_buf_cstr(&b), "");
    assert_null(rt_buf_take(&b, NULL));
    rt_buf_reset(&b);
    rt_buf_puts(&b, "again");
    assert_string_equal(rt_buf_cstr(&b), "again");
    rt_buf_fini(&b);
}

static void stays_failed(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 300);
    rt_buf_puts(&b, "ab");
    assert_false(rt_buf_grow(&b, 299));
    rt_buf_puts(&b, "c");
    rt_buf_printf(&b, "%d", 1);
    assert_true(b.failed);
    assert_int_equal(b.len, 2);
    rt_buf_fini(&b);
}

static void refuses_sizes_that_overflow(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_putc(&b, 'a');
    assert_false(rt_buf_grow(&b, SIZE_MAX));
    assert_true(b.failed);
    rt_buf_fini(&b);
}

static void prints_at_every_fill(void **state)
{
    (void)state;
    for (size_t before = 0; before < 300; before++) {
        struct rt_buf b;
        rt_buf_init(&b, 0);
        for (size_t i = 0; i < before; i++)
            rt_buf_putc(&b, '.');
        rt_buf_printf(&b, "%s-%d", "text", 12345);
        assert_int_equal(b.len, before + 10);
        assert_string_equal(rt_buf_cstr(&b) + before, "text-12345");
        rt_buf_fini(&b);
    }
}

static void printing_respects_the_cap(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 5);
    rt_buf_printf(&b, "%d", 12345);
    assert_string_equal(rt_buf_cstr(&b), "12345");
    rt_buf_printf(&b, "%d", 6);
    assert_true(b.failed);
    rt_buf_fini(&b);
}

static void moves_its_bytes_out(void **state)
{
    (void)state;
    struct rt_buf b;
    size_t n = 99;
    rt_buf_init(&b, 100);
    char *empty = rt_buf_take(&b, &n);
    assert_non_null(empty);
    assert_int_equal(n, 0);
    free(empty);
    rt_buf_puts(&b, "bytes");
    char *data = rt_buf_take(&b, &n);
    assert_string_equal(data, "bytes");
    assert_int_equal(n, 5);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.max, 100);
    rt_buf_puts(&b, "more");
    assert_string_equal(rt_buf_cstr(&b), "more");
    free(data);
    rt_buf_fini(&b);
}

static void drops_its_front(void **state)
{
    (void)state;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_cut(&b, 0); /* it has no memory yet */
    rt_buf_puts(&b, "one two");
    rt_buf_cut(&b, 4);
    assert_string_equal(rt_buf_cstr(&b), "two");
    rt_buf_cut(&b, 3);
    assert_int_equal(b.len, 0);
    rt_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_its_front),
        cmocka_unit_test(appends_and_grows),    cmocka_unit_test(keeps_within_its_cap),
        cmocka_unit_test(stays_failed),         cmocka_unit_test(refuses_sizes_that_overflow),
        cmocka_unit_test(prints_at_every_fill), cmocka_unit_test(printing_respects_the_cap),
        cmocka_unit_test(moves_its_bytes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
