/* SPDX-License-Identifier: Apache-2.0 */
#include "server/proxy.h"

#include "unit.h"

static void trusts_addresses_and_networks(void **state)
{
    (void)state;
    assert_true(rt_proxy_trusted("127.0.0.1", "127.0.0.1"));
    assert_true(rt_proxy_trusted("::1, 10.0.0.0/8", "10.200.3.4"));
    assert_true(rt_proxy_trusted("192.168.1.128/25", "192.168.1.200"));
    assert_true(rt_proxy_trusted("fd00::/8", "fd12::1"));
    assert_false(rt_proxy_trusted("192.168.1.128/25", "192.168.1.100"));
    assert_false(rt_proxy_trusted("10.0.0.0/8", "11.0.0.1"));
    assert_false(rt_proxy_trusted("10.0.0.0/8", "::1"));
}

static void trusts_nobody_by_default_or_by_mistake(void **state)
{
    (void)state;
    assert_false(rt_proxy_trusted("", "127.0.0.1"));
    assert_false(rt_proxy_trusted(NULL, "127.0.0.1"));
    assert_false(rt_proxy_trusted("everybody", "127.0.0.1"));
    assert_false(rt_proxy_trusted("10.0.0.0/99", "10.0.0.1"));
    assert_false(rt_proxy_trusted("127.0.0.1", "local"));
}

static void believes_the_last_entry_only(void **state)
{
    char out[46];
    (void)state;
    assert_true(rt_proxy_client(RT_STR("6.6.6.6, 203.0.113.9"), out, sizeof(out)));
    assert_string_equal(out, "203.0.113.9");
    assert_true(rt_proxy_client(RT_STR("2001:db8::7"), out, sizeof(out)));
    assert_string_equal(out, "2001:db8::7");
    assert_false(rt_proxy_client(RT_STR("203.0.113.9, unknown"), out, sizeof(out)));
    assert_false(rt_proxy_client(RT_STR(""), out, sizeof(out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusts_addresses_and_networks),
        cmocka_unit_test(trusts_nobody_by_default_or_by_mistake),
        cmocka_unit_test(believes_the_last_entry_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
