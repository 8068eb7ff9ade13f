/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of Standard Webhooks: the published example, and others made with another implementation. */
#include <string.h>

#include "crypto/hash.h"
#include "outbox/sign.h"
#include "unit.h"

static void signatures(void **state)
{
    static const struct {
        const char *secret, *id;
        int64_t timestamp;
        const char *body, *signature;
    } table[] = {
        { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
          "{\"test\": 2432232314}", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
        { "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "dlv_00000000000000000000000000000001", 1737363600,
          "{\"n\":1,\"t\":\"ü\"}", "v1,1+nT2tk6G9e4i08g1s0BKEzxGbX0xy1yOMWog8o+Zx8=" },
        /* without the padding */
        { "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", "dlv_00000000000000000000000000000001", 1737363600,
          "{\"n\":1,\"t\":\"ü\"}", "v1,1+nT2tk6G9e4i08g1s0BKEzxGbX0xy1yOMWog8o+Zx8=" },
        { "plain secret", "dlv_00000000000000000000000000000001", 1737363600, "{\"n\":1,\"t\":\"ü\"}",
          "v1,qSYUYcs/zqtDlUJJH+ZNJRu+o8x08sCqVJxNIVyR/9Q=" },
        /* not base64: text as any other */
        { "whsec_not base64!", "dlv_00000000000000000000000000000001", 1737363600, "{\"n\":1,\"t\":\"ü\"}",
          "v1,Tmml4U2xygu6BSOkXFxD9nwC902EvzCsNuZusW6iOf4=" },
        { "whsec_", "dlv_00000000000000000000000000000001", 1737363600, "{\"n\":1,\"t\":\"ü\"}",
          "v1,m3j1q3tuiYyZDs2M3NpRYMC4j7TJuVyD5leX8XIoN5Q=" },
    };
    char out[RT_SIGNATURE_BYTES];
    (void)state;
    assert_int_equal(rt_crypto_init(NULL), 0);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(rt_sign_webhook(rt_str_of(table[i].secret), rt_str_of(table[i].id), table[i].timestamp,
                                         rt_str_of(table[i].body), out),
                         0);
        assert_string_equal(out, table[i].signature);
    }
}

static void a_secret_has_at_most_255_bytes(void **state)
{
    char secret[RT_SECRET_MAX + 1], out[RT_SIGNATURE_BYTES];
    (void)state;
    memset(secret, 's', sizeof secret);
    struct rt_str s = { secret, RT_SECRET_MAX };
    assert_int_equal(rt_sign_webhook(s, RT_STR("i"), 1, RT_STR("b"), out), 0);
    s.n++;
    assert_int_not_equal(rt_sign_webhook(s, RT_STR("i"), 1, RT_STR("b"), out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures),
        cmocka_unit_test(a_secret_has_at_most_255_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
