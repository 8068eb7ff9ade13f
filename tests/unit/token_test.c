/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens: made here by hand too, so that each way to cheat is tried: other algorithms, no algorithm,
 * changed bytes, lenient base64, other keys, times. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/token.h"

static const char key[] = "0123456789abcdef0123456789abcdef";
static const char plain_header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

/* A token with these bytes as header and claims and an HS256 signature that is right. */
static const char *forge(const char *header, const char *claims)
{
    static char token[8192];
    uint8_t mac[32];
    size_t n = rt_base64url(header, strlen(header), token);
    token[n++] = '.';
    n += rt_base64url(claims, strlen(claims), token + n);
    rt_hmac_sha256(key, 32, token, n, mac);
    token[n++] = '.';
    rt_base64url(mac, 32, token + n);
    return token;
}

static int verify(const char *token, int64_t now)
{
    char *claims = NULL, *tight = malloc(strlen(token) + 1);
    memcpy(tight, token, strlen(token));
    int rc = rt_token_verify(key, 32, tight, strlen(token), now, &claims, NULL);
    assert_int_equal(rc == 0, claims != NULL);
    free(claims);
    free(tight);
    return rc;
}

static void signs_and_verifies(void **state)
{
    (void)state;
    char *token = NULL, *claims = NULL;
    struct rt_err err = { 0 };
    assert_int_equal(rt_token_sign(key, 32, "{\"sub\": \"7\", \"exp\": 2000, \"n\": 9007199254740993}", &token, &err),
                     0);
    assert_int_equal(rt_token_verify(key, 32, token, strlen(token), 1000, &claims, &err), 0);
    assert_string_equal(claims, "{\"exp\":2000,\"n\":9007199254740993,\"sub\":\"7\"}");
    free(claims);
    free(token);
}

static void accepts_a_token_made_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(verify(forge(plain_header, "{\"a\":1}"), 1000), 0);
    assert_int_equal(verify(forge("{\"typ\":\"JWT\", \"alg\":\"HS256\"}", "{}"), 1000), 0);
    assert_int_equal(verify(forge("{\"alg\":\"HS256\"}", "{\"x\":{\"y\":[1,2]}}"), 1000), 0);
}

static void checks_times(void **state)
{
    (void)state;
    assert_int_equal(verify(forge(plain_header, "{\"exp\":1000}"), 999), 0);
    assert_int_equal(verify(forge(plain_header, "{\"exp\":1000}"), 1000), RT_E_EXPIRED);
    assert_int_equal(verify(forge(plain_header, "{\"exp\":0}"), 1000), RT_E_EXPIRED);
    assert_int_equal(verify(forge(plain_header, "{\"exp\":-1}"), 1000), RT_E_EXPIRED);
    assert_int_equal(verify(forge(plain_header, "{\"nbf\":1000}"), 1000), 0);
    assert_int_equal(verify(forge(plain_header, "{\"nbf\":1001}"), 1000), RT_E_DENIED);
    assert_int_equal(verify(forge(plain_header, "{\"nbf\":1001,\"exp\":1000}"), 1000), RT_E_DENIED);
    static const char *const odd[] = { "\"2000\"", "2000.5", "2e3", "null",
                                       "true",     "[2000]", "{}",  "99999999999999999999" };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        char claims[64];
        snprintf(claims, sizeof(claims), "{\"exp\":%s}", odd[i]);
        assert_int_equal(verify(forge(plain_header, claims), 1000), RT_E_DENIED);
        snprintf(claims, sizeof(claims), "{\"nbf\":%s}", odd[i]);
        assert_int_equal(verify(forge(plain_header, claims), 1000), RT_E_DENIED);
    }
}

static void only_hs256(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"HS384\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":\"ES256\"}",
        "{\"alg\":\"hs256\"}",
        "{\"alg\":\"HS256 \"}",
        "{\"alg\":\"\"}",
        "{\"alg\":null}",
        "{\"alg\":256}",
        "{\"alg\":[\"HS256\"]}",
        "{}",
        "{\"typ\":\"JWT\"}",
        "[]",
        "\"HS256\"",
        "",
        "null",
        "{",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"HS256\",\"alg\":\"none\"}",
        "{\"ALG\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"typ\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (verify(forge(headers[i], "{\"a\":1}"), 1000) != RT_E_DENIED)
            fail_msg("accepted %s", headers[i]);
}

static void unsigned_tokens_are_refused(void **state)
{
    (void)state;
    /* {"alg":"none"} and HS256 without a signature */
    assert_int_equal(verify("eyJhbGciOiJub25lIn0.e30.", 1000), RT_E_DENIED);
    assert_int_equal(verify("eyJhbGciOiJub25lIn0.e30", 1000), RT_E_DENIED);
    char token[8192];
    strcpy(token, forge(plain_header, "{\"a\":1}"));
    strrchr(token, '.')[1] = '\0';
    assert_int_equal(verify(token, 1000), RT_E_DENIED);
    *strrchr(token, '.') = '\0';
    assert_int_equal(verify(token, 1000), RT_E_DENIED);
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";
    char token[8192];
    strcpy(token, forge(plain_header, "{\"sub\":\"7\",\"exp\":2000}"));
    size_t n = strlen(token);
    assert_int_equal(verify(token, 1000), 0);
    for (size_t i = 0; i < n; i++) {
        char right = token[i];
        for (size_t k = i % 7; k < sizeof(letters) - 1; k += 7) { /* a sample of letters is enough */
            token[i] = letters[k];
            if (letters[k] != right && verify(token, 1000) != RT_E_DENIED)
                fail_msg("accepted %s", token);
        }
        token[i] = right;
    }
    char last = token[n - 1];
    for (const char *c = letters; *c; c++) { /* all of them where base64 has bits to spare */
        token[n - 1] = *c;
        assert_int_equal(verify(token, 1000), *c == last ? 0 : RT_E_DENIED);
    }
}

static void refuses_odd_shapes(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       ".",
                                       "..",
                                       "...",
                                       "a",
                                       "a.b",
                                       "a.b.c",
                                       "a.b.c.d",
                                       ".e30.AAAA",
                                       "e30..AAAA",
                                       "e30.e30.",
                                       "e30.e30.AAAA",
                                       "Bearer e30.e30.AAAA" };
    char token[8192];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(verify(bad[i], 1000), RT_E_DENIED);
    for (int i = 0; i < 5; i++) {
        static const char *const tails[] = { ".", "=", ".AAAA", " ", "A" };
        snprintf(token, sizeof(token), "%s%s", forge(plain_header, "{\"a\":1}"), tails[i]);
        assert_int_equal(verify(token, 1000), RT_E_DENIED);
        snprintf(token, sizeof(token), "%s%s", tails[i], forge(plain_header, "{\"a\":1}"));
        assert_int_equal(verify(token, 1000), RT_E_DENIED);
    }
}

static void refuses_claims_that_are_no_object(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "[]", "1", "\"x\"", "null", "{", "{}{}", "{\"a\":01}", "{\"a\":\"\xFF\"}" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(verify(forge(plain_header, bad[i]), 1000), RT_E_DENIED);
}

static void refuses_a_nul_inside(void **state)
{
    (void)state;
    char token[8192], *claims = NULL;
    strcpy(token, forge(plain_header, "{\"a\":1}"));
    size_t n = strlen(token);
    memcpy(token + n, "\0A", 2);
    assert_int_equal(rt_token_verify(key, 32, token, n + 2, 1000, &claims, NULL), RT_E_DENIED);
    assert_null(claims);
}

static void refuses_long_tokens(void **state)
{
    (void)state;
    char *big = malloc(100000);
    memset(big, 'A', 99999);
    big[99999] = '\0';
    assert_int_equal(verify(big, 1000), RT_E_DENIED);
    free(big);
}

static void keys_must_be_long_and_right(void **state)
{
    (void)state;
    char *out = NULL;
    struct rt_err err = { 0 };
    const char *token = forge(plain_header, "{\"a\":1}");
    assert_int_equal(rt_token_sign(key, 31, "{}", &out, &err), RT_E_INVALID);
    assert_int_equal(rt_token_sign("", 0, "{}", &out, &err), RT_E_INVALID);
    assert_int_equal(rt_token_verify("", 0, token, strlen(token), 1000, &out, &err), RT_E_INVALID);
    assert_int_equal(rt_token_verify(NULL, 0, token, strlen(token), 1000, &out, &err), RT_E_INVALID);
    char other[33];
    memcpy(other, key, 33);
    other[31] ^= 1;
    assert_int_equal(rt_token_verify(other, 32, token, strlen(token), 1000, &out, &err), RT_E_DENIED);
    assert_null(out);
}

static void signs_objects_only(void **state)
{
    (void)state;
    char *out = NULL;
    static const char *const bad[] = { "", "[]", "1", "null", "{\"a\":}", "{}x" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(rt_token_sign(key, 32, bad[i], &out, NULL), RT_E_INVALID);
    assert_null(out);
}

static int init(void **state)
{
    (void)state;
    return rt_crypto_init(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_and_verifies),
        cmocka_unit_test(accepts_a_token_made_elsewhere),
        cmocka_unit_test(checks_times),
        cmocka_unit_test(only_hs256),
        cmocka_unit_test(unsigned_tokens_are_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(refuses_odd_shapes),
        cmocka_unit_test(refuses_claims_that_are_no_object),
        cmocka_unit_test(refuses_a_nul_inside),
        cmocka_unit_test(refuses_long_tokens),
        cmocka_unit_test(keys_must_be_long_and_right),
        cmocka_unit_test(signs_objects_only),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
