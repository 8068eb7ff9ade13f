/* SPDX-License-Identifier: Apache-2.0
 *
 * Which addresses outgoing requests may reach, the odd forms of IPv6 above all; and what is an address for a webhook. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "http/target.h"
#include "unit.h"

static const struct sockaddr *address(const char *text)
{
    static struct sockaddr_storage s;
    memset(&s, 0, sizeof s);
    s.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    void *to = s.ss_family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)&s)->sin6_addr :
                                         (void *)&((struct sockaddr_in *)&s)->sin_addr;
    if (inet_pton(s.ss_family, text, to) != 1)
        fail_msg("not an address: %s", text);
    return (const struct sockaddr *)&s;
}

static void kinds_of_addresses(void **state)
{
    static const struct {
        const char *text;
        enum rt_target_kind kind;
    } table[] = {
        { "8.8.8.8", RT_TARGET_PUBLIC },
        { "1.1.1.1", RT_TARGET_PUBLIC },
        { "9.255.255.255", RT_TARGET_PUBLIC },
        { "11.0.0.0", RT_TARGET_PUBLIC },
        { "100.63.255.255", RT_TARGET_PUBLIC },
        { "100.128.0.0", RT_TARGET_PUBLIC },
        { "126.255.255.255", RT_TARGET_PUBLIC },
        { "128.0.0.1", RT_TARGET_PUBLIC },
        { "172.15.255.255", RT_TARGET_PUBLIC },
        { "172.32.0.0", RT_TARGET_PUBLIC },
        { "192.167.255.255", RT_TARGET_PUBLIC },
        { "198.17.255.255", RT_TARGET_PUBLIC },
        { "223.255.255.255", RT_TARGET_PUBLIC },
        { "0.0.0.0", RT_TARGET_LOCAL },
        { "0.1.2.3", RT_TARGET_LOCAL },
        { "127.0.0.1", RT_TARGET_LOCAL },
        { "127.255.255.254", RT_TARGET_LOCAL },
        { "10.0.0.1", RT_TARGET_PRIVATE },
        { "172.16.0.1", RT_TARGET_PRIVATE },
        { "172.31.255.255", RT_TARGET_PRIVATE },
        { "192.168.1.1", RT_TARGET_PRIVATE },
        { "100.64.0.1", RT_TARGET_PRIVATE },       /* carriers */
        { "100.100.100.200", RT_TARGET_PRIVATE },  /* a metadata service */
        { "169.254.169.254", RT_TARGET_PRIVATE },  /* another */
        { "168.63.129.16", RT_TARGET_PRIVATE },    /* another */
        { "192.0.0.192", RT_TARGET_SPECIAL },      /* another */
        { "192.0.2.1", RT_TARGET_SPECIAL },
        { "198.18.0.1", RT_TARGET_SPECIAL },
        { "198.19.255.255", RT_TARGET_SPECIAL },
        { "198.51.100.1", RT_TARGET_SPECIAL },
        { "203.0.113.1", RT_TARGET_SPECIAL },
        { "224.0.0.1", RT_TARGET_SPECIAL },
        { "239.255.255.255", RT_TARGET_SPECIAL },
        { "240.0.0.1", RT_TARGET_SPECIAL },
        { "255.255.255.255", RT_TARGET_SPECIAL },
        { "2606:4700:4700::1111", RT_TARGET_PUBLIC },
        { "2a00:1450:4001::1", RT_TARGET_PUBLIC },
        { "::", RT_TARGET_LOCAL },
        { "::1", RT_TARGET_LOCAL },
        { "::2", RT_TARGET_LOCAL },                /* 0.0.0.2, in the form that once was compatible */
        { "::127.0.0.1", RT_TARGET_LOCAL },
        { "::ffff:127.0.0.1", RT_TARGET_LOCAL },
        { "::ffff:10.0.0.1", RT_TARGET_PRIVATE },
        { "::ffff:8.8.8.8", RT_TARGET_PUBLIC },
        { "::ffff:0:127.0.0.1", RT_TARGET_LOCAL }, /* translated */
        { "64:ff9b::7f00:1", RT_TARGET_LOCAL },    /* NAT64 */
        { "64:ff9b::a9fe:a9fe", RT_TARGET_PRIVATE },
        { "64:ff9b::808:808", RT_TARGET_PUBLIC },
        { "64:ff9b:1::7f00:1", RT_TARGET_SPECIAL }, /* NAT64 of a network's own */
        { "2002:7f00:1::", RT_TARGET_LOCAL },      /* 6to4 */
        { "2002:c0a8:101::1", RT_TARGET_PRIVATE },
        { "2002:808:808::1", RT_TARGET_PUBLIC },
        { "2001:0:4136:e378:8000:63bf:80ff:fffe", RT_TARGET_LOCAL }, /* Teredo of 127.0.0.1 */
        { "2001:0:4136:e378:8000:63bf:f7f7:f7f7", RT_TARGET_PUBLIC }, /* of 8.8.8.8 */
        { "fc00::1", RT_TARGET_PRIVATE },
        { "fd00:ec2::254", RT_TARGET_PRIVATE },    /* a metadata service */
        { "fe80::1", RT_TARGET_PRIVATE },
        { "febf::1", RT_TARGET_PRIVATE },
        { "fec0::1", RT_TARGET_PRIVATE },
        { "ff02::1", RT_TARGET_SPECIAL },
        { "ff0e::1", RT_TARGET_SPECIAL },
        { "100::1", RT_TARGET_SPECIAL },
        { "2001:db8::1", RT_TARGET_SPECIAL },
        { "2001:10::1", RT_TARGET_SPECIAL },
        { "3fff::1", RT_TARGET_SPECIAL },
        { "4000::1", RT_TARGET_SPECIAL },          /* not given out */
        { "5f00::1", RT_TARGET_SPECIAL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (rt_target_kind(address(table[i].text)) != table[i].kind)
            fail_msg("%s is %d, not %d", table[i].text, rt_target_kind(address(table[i].text)), table[i].kind);
    struct sockaddr other = { .sa_family = AF_UNIX };
    assert_int_equal(rt_target_kind(&other), RT_TARGET_UNKNOWN);
}

static bool allowed(const char *list, const char *text)
{
    struct rt_target_allow a;
    struct rt_err err;
    if (rt_target_allow_parse(list, &a, &err))
        fail_msg("%s: %s", list, err.msg);
    return rt_target_allowed(address(text), &a);
}

static void only_public_ones_and_what_is_listed(void **state)
{
    (void)state;
    assert_true(allowed("", "8.8.8.8"));
    assert_true(allowed(NULL, "2606:4700:4700::1111"));
    assert_false(allowed("", "127.0.0.1"));
    assert_true(allowed("127.0.0.1/32", "127.0.0.1"));
    assert_true(allowed("127.0.0.1", "127.0.0.1"));
    assert_false(allowed("127.0.0.1/32", "127.0.0.2"));
    assert_true(allowed("10.0.0.0/8, 192.168.0.0/16", "192.168.255.255"));
    assert_false(allowed("10.0.0.0/8,192.168.0.0/16", "172.16.0.1"));
    assert_true(allowed(" 10.0.0.0/9 ", "10.127.255.255"));
    assert_false(allowed("10.0.0.0/9", "10.128.0.0"));
    assert_true(allowed("::1", "::1"));
    assert_false(allowed("::1", "127.0.0.1"));
    assert_false(allowed("127.0.0.0/8", "::1"));
    assert_true(allowed("fd00::/8", "fd12::1"));
    assert_false(allowed("fd00::/8", "fc12::1"));
    assert_true(allowed("0.0.0.0/0", "10.1.2.3"));
    assert_false(allowed("0.0.0.0/0", "::1"));
    assert_true(allowed("::/0", "::1"));
    assert_true(allowed("::/0", "127.0.0.1"));
    /* what carries an address is allowed where that is */
    assert_true(allowed("127.0.0.0/8", "::ffff:127.0.0.1"));
    assert_true(allowed("127.0.0.0/8", "64:ff9b::7f00:1"));
    assert_false(allowed("127.0.0.0/8", "::ffff:10.0.0.1"));
    assert_false(allowed("127.0.0.0/8", "2002:a00:1::"));
}

static void lists_that_make_no_sense(void **state)
{
    static const char *const bad[] = { "localhost",   "10.0.0.0/33",  "10.0.0.0/-1", "10.0.0/8", "::1/129",
                                       "10.0.0.0/8x", "10.0.0.0/",    "/8",          "1.2.3.4/08x",
                                       "fd00::/8;x",  "10.0.0.0/ 8" };
    struct rt_target_allow a = { .n = 7 };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rt_err err;
        if (rt_target_allow_parse(bad[i], &a, &err) != RT_E_INVALID)
            fail_msg("taken: %s", bad[i]);
        assert_non_null(strstr(err.msg, "is not a network"));
    }
    assert_int_equal(a.n, 7);
    char many[RT_TARGETS_MAX * 8 + 16] = "";
    for (int i = 0; i <= RT_TARGETS_MAX; i++)
        strcat(many, "1.2.3.4,");
    assert_int_equal(rt_target_allow_parse(many, &a, NULL), RT_E_LIMIT);
}

static void urls(void **state)
{
    static const char *const good[] = { "https://example.com",      "http://example.com:8080/a?b=c#d",
                                        "HTTPS://Example.COM/",     "http://[::1]:80/",
                                        "http://127.0.0.1/",        "https://xn--bcher-kva.example/x" };
    static const char *const bad[] = { "",           "example.com",         "/x",
                                       "ftp://a.b/", "file:///etc/passwd",  "http://",
                                       "javascript:alert(1)", "http://a b/",
                                       "http://a\tb/", "http://b\xc3\xbc.de/", "http://u@a.b/",
                                       "http://u:p@a.b/", "gopher://a.b/",  "http://a.b:99999/",
                                       "http://a.b\r\nHost: c/", "//a.b/c" };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (rt_target_url(rt_str_of(good[i]), NULL))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rt_target_url(rt_str_of(bad[i]), NULL) != RT_E_INVALID)
            fail_msg("taken: %s", bad[i]);
    char longest[RT_TARGET_URL_MAX + 2] = "http://example.com/";
    memset(longest + strlen(longest), 'x', RT_TARGET_URL_MAX - strlen(longest));
    assert_int_equal(rt_target_url(rt_str_of(longest), NULL), 0);
    longest[RT_TARGET_URL_MAX] = 'x';
    assert_int_equal(rt_target_url(rt_str_of(longest), NULL), RT_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_addresses),
        cmocka_unit_test(only_public_ones_and_what_is_listed),
        cmocka_unit_test(lists_that_make_no_sense),
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
