/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests by published vectors, encodings, sealed boxes that notice every changed bit, the key file. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"

static void digests_match_the_vectors(void **state)
{
    (void)state;
    uint8_t out[32];
    char hex[65];
    rt_sha256("abc", 3, out);
    rt_hex(out, 32, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    rt_sha256("", 0, out);
    rt_hex(out, 32, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    rt_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out); /* RFC 4231, case 2 */
    rt_hex(out, 32, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char long_key[131];
    memset(long_key, 0xaa, sizeof(long_key));
    rt_hmac_sha256(long_key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out); /* case 6 */
    rt_hex(out, 32, hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void derived_keys_differ(void **state)
{
    (void)state;
    uint8_t master[RT_KEY_BYTES] = { 1 }, other[RT_KEY_BYTES] = { 2 };
    uint8_t a[RT_KEY_BYTES], b[RT_KEY_BYTES], c[RT_KEY_BYTES];
    rt_derive_key(master, "jwt", a);
    rt_derive_key(master, "seal", b);
    rt_derive_key(other, "jwt", c);
    assert_memory_not_equal(a, b, RT_KEY_BYTES);
    assert_memory_not_equal(a, c, RT_KEY_BYTES);
    rt_derive_key(master, "jwt", b);
    assert_memory_equal(a, b, RT_KEY_BYTES);
}

static void compares_whole_values(void **state)
{
    (void)state;
    assert_true(rt_equal_constant_time("abc", 3, "abc", 3));
    assert_false(rt_equal_constant_time("abc", 3, "abd", 3));
    assert_false(rt_equal_constant_time("abc", 3, "abcd", 4));
    assert_true(rt_equal_constant_time(NULL, 0, NULL, 0));
}

static void random_text_uses_every_letter(void **state)
{
    (void)state;
    char text[10001], other[10001];
    int seen[256] = { 0 };
    rt_random_text(text, 10000);
    rt_random_text(other, 10000);
    assert_int_equal(strlen(text), 10000);
    assert_string_not_equal(text, other);
    for (int i = 0; i < 10000; i++)
        seen[(unsigned char)text[i]]++;
    for (int c = 0; c < 256; c++) {
        int alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        assert_true(alnum ? seen[c] > 60 && seen[c] < 300 : seen[c] == 0); /* 161 expected */
    }
    rt_random_text(text, 0);
    assert_string_equal(text, "");
}

static void uuids_have_their_form(void **state)
{
    (void)state;
    char a[37], b[37];
    for (int i = 0; i < 200; i++) {
        rt_uuid4(a);
        rt_uuid4(b);
        assert_string_not_equal(a, b);
        assert_int_equal(strlen(a), 36);
        assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
        assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
        assert_int_equal(a[14], '4');
        assert_non_null(strchr("89ab", a[19]));
    }
}

static void base64url_goes_both_ways(void **state)
{
    (void)state;
    uint8_t bytes[100], back[140];
    char text[140];
    rt_random(bytes, sizeof(bytes));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        size_t len = rt_base64url(bytes, n, text);
        assert_int_equal(len + 1, rt_base64url_size(n));
        assert_int_equal(strlen(text), len);
        assert_int_equal(rt_base64url_decode(text, len, back), n);
        assert_memory_equal(bytes, back, n);
    }
    assert_int_equal(rt_base64url("\xfb\xff\xfe", 3, text), 4);
    assert_string_equal(text, "-__-");
}

static void base64_goes_both_ways(void **state)
{
    static const struct {
        const char *plain, *text;
    } table[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "\xfb\xff\xfe", "+//+" } };
    static const char *const bad[] = { "Zg=", "Zg===", "Zm8==", "Z", "Zm9v!", "-__-", "Zm 9v", "=Zg=" };
    char text[16], back[16];
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n = strlen(table[i].plain);
        assert_int_equal(rt_base64(table[i].plain, n, text), strlen(table[i].text));
        assert_string_equal(text, table[i].text);
        assert_int_equal(rt_base64_decode(text, strlen(text), back), n);
        assert_memory_equal(back, table[i].plain, n);
        assert_int_equal(rt_base64_decode(text, strcspn(text, "="), back), n);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rt_base64_decode(bad[i], strlen(bad[i]), back) != -1)
            fail_msg("taken: %s", bad[i]);
}

static void base64url_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = { "A",   "AA=", "AA==", "AAA=", "A+A",   "A/A",      "AB",   "AAB",
                                       " AA", "AA ", "AA\n", "A.A",  "AAAAA", "\xC3\xA9", "AA=A", "AA\t" };
    char out[16];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (rt_base64url_decode(bad[i], strlen(bad[i]), out) != -1)
            fail_msg("accepted %s", bad[i]);
    assert_int_equal(rt_base64url_decode("AA\0A", 4, out), -1);
    assert_int_equal(rt_base64url_decode("AA", 2, out), 1);
}

static void seals_notice_every_change(void **state)
{
    (void)state;
    uint8_t key[RT_KEY_BYTES] = { 7 }, box[11 + RT_SEAL_EXTRA], again[sizeof(box)], out[11];
    rt_seal(key, "hello world", 11, box);
    rt_seal(key, "hello world", 11, again);
    assert_memory_not_equal(box, again, sizeof(box));
    assert_true(rt_unseal(key, box, sizeof(box), out));
    assert_memory_equal(out, "hello world", 11);
    for (size_t i = 0; i < sizeof(box); i++) {
        box[i] ^= 1;
        assert_false(rt_unseal(key, box, sizeof(box), out));
        box[i] ^= 1;
        assert_false(rt_unseal(key, box, i, out));
    }
    key[0]++;
    assert_false(rt_unseal(key, box, sizeof(box), out));
    rt_seal(key, "", 0, box);
    assert_true(rt_unseal(key, box, RT_SEAL_EXTRA, out));
}

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/crypto_hash_test.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/key", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails when a temporary file was left */
}

static void key_file_is_made_once(void **state)
{
    (void)state;
    uint8_t a[RT_KEY_BYTES], b[RT_KEY_BYTES], zero[RT_KEY_BYTES] = { 0 };
    struct stat st;
    struct rt_err err = { 0 };
    assert_int_equal(rt_key_file(path, a, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, RT_KEY_BYTES);
    assert_memory_not_equal(a, zero, RT_KEY_BYTES);
    assert_int_equal(rt_key_file(path, b, &err), 0);
    assert_memory_equal(a, b, RT_KEY_BYTES);
}

static void key_file_must_be_sound(void **state)
{
    (void)state;
    uint8_t key[RT_KEY_BYTES];
    struct rt_err err = { 0 };
    assert_int_equal(rt_key_file(path, key, &err), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(rt_key_file(path, key, &err), RT_E_DENIED);
    assert_non_null(strstr(err.msg, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 31), 0);
    assert_int_equal(rt_key_file(path, key, &err), RT_E_INVALID);
    assert_int_equal(rt_key_file("/nonexistent/folder/key", key, &err), RT_E_IO);
    assert_int_equal(rt_key_file(folder, key, &err), RT_E_INVALID);
    unlink(path);
    assert_int_equal(symlink("/nonexistent", path), 0);
    assert_int_equal(rt_key_file(path, key, &err), RT_E_IO);
}

static void *read_it(void *out) { return rt_key_file(path, out, NULL) == 0 ? out : NULL; }

static void racing_starters_agree(void **state)
{
    (void)state;
    pthread_t threads[8];
    static uint8_t keys[8][RT_KEY_BYTES];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_it, keys[i]), 0);
    for (int i = 0; i < 8; i++) {
        void *ok;
        pthread_join(threads[i], &ok);
        assert_non_null(ok);
        assert_memory_equal(keys[i], keys[0], RT_KEY_BYTES);
    }
}

static int init(void **state)
{
    (void)state;
    return rt_crypto_init(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_match_the_vectors),
        cmocka_unit_test(derived_keys_differ),
        cmocka_unit_test(compares_whole_values),
        cmocka_unit_test(random_text_uses_every_letter),
        cmocka_unit_test(uuids_have_their_form),
        cmocka_unit_test(base64url_goes_both_ways),
        cmocka_unit_test(base64_goes_both_ways),
        cmocka_unit_test(base64url_is_strict),
        cmocka_unit_test(seals_notice_every_change),
        cmocka_unit_test_setup_teardown(key_file_is_made_once, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(key_file_must_be_sound, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(racing_starters_agree, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
