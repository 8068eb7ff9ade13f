/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes: every byte, every length and the seed matter; each input bit flips about half of the output. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define LENGTHS 200

static int compare64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int compare128(const void *a, const void *b) { return memcmp(a, b, 32); }

static void lengths_of_zeros_differ(void **state)
{
    (void)state;
    static const char zeros[LENGTHS];
    uint64_t h[LENGTHS];
    char hex[LENGTHS][32];
    for (size_t n = 0; n < LENGTHS; n++) {
        h[n] = rt_hash64(zeros, n, 0);
        rt_hash128_hex(zeros, n, hex[n]);
    }
    qsort(h, LENGTHS, sizeof(h[0]), compare64);
    qsort(hex, LENGTHS, 32, compare128);
    for (size_t i = 1; i < LENGTHS; i++) {
        assert_true(h[i] != h[i - 1]);
        assert_memory_not_equal(hex[i], hex[i - 1], 32);
    }
}

static void each_bit_changes_half(void **state)
{
    (void)state;
    static const size_t lengths[] = { 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 65, 100 };
    unsigned char text[100];
    for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
        size_t n = lengths[k];
        double changed = 0;
        for (size_t i = 0; i < n; i++)
            text[i] = (unsigned char)(i * 37 + 1);
        uint64_t whole = rt_hash64(text, n, 5);
        for (size_t bit = 0; bit < n * 8; bit++) {
            text[bit / 8] ^= (unsigned char)(1 << bit % 8);
            uint64_t other = rt_hash64(text, n, 5);
            assert_true(other != whole);
            changed += __builtin_popcountll(whole ^ other);
            text[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        double mean = changed / (double)(n * 8);
        if (mean < 24 || mean > 40)
            fail_msg("length %zu: %g of 64 bits change", n, mean);
    }
}

static void each_bit_changes_both_halves_of_128(void **state)
{
    (void)state;
    unsigned char text[100] = { 0 };
    char whole[32], other[32];
    rt_hash128_hex(text, sizeof(text), whole);
    for (size_t bit = 0; bit < sizeof(text) * 8; bit++) {
        text[bit / 8] ^= (unsigned char)(1 << bit % 8);
        rt_hash128_hex(text, sizeof(text), other);
        assert_memory_not_equal(whole, other, 16);
        assert_memory_not_equal(whole + 16, other + 16, 16);
        text[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

static void is_repeatable_and_seeded(void **state)
{
    (void)state;
    char a[32], b[32];
    assert_true(rt_hash64("abc", 3, 1) == rt_hash64("abc", 3, 1));
    assert_true(rt_hash64("abc", 3, 1) != rt_hash64("abc", 3, 2));
    assert_true(rt_hash64("", 0, 1) != rt_hash64("", 0, 2));
    rt_hash128_hex("abc", 3, a);
    rt_hash128_hex("abc", 3, b);
    assert_memory_equal(a, b, 32);
    for (int i = 0; i < 32; i++)
        assert_non_null(memchr("0123456789abcdef", a[i], 16));
}

static void spreads_over_buckets(void **state)
{
    (void)state;
    int buckets[256] = { 0 };
    for (uint64_t i = 0; i < 256 * 200; i++)
        buckets[rt_hash64(&i, sizeof(i), 0) & 255]++;
    for (int i = 0; i < 256; i++)
        assert_in_range(buckets[i], 100, 300); /* seven standard deviations */
}

static void reads_nothing_outside(void **state)
{
    (void)state;
    for (size_t n = 1; n < 150; n++) {
        char out[32], *tight = malloc(n);
        memset(tight, 7, n);
        uint64_t h = rt_hash64(tight, n, 0);
        rt_hash128_hex(tight, n, out);
        char *again = malloc(n);
        memset(again, 7, n);
        assert_true(rt_hash64(again, n, 0) == h);
        free(tight);
        free(again);
    }
}

static void random_numbers_differ(void **state)
{
    (void)state;
    static uint64_t r[10000];
    for (size_t i = 0; i < 10000; i++)
        r[i] = rt_rand64();
    qsort(r, 10000, sizeof(r[0]), compare64);
    for (size_t i = 1; i < 10000; i++)
        assert_true(r[i] != r[i - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_of_zeros_differ),
        cmocka_unit_test(each_bit_changes_half),
        cmocka_unit_test(each_bit_changes_both_halves_of_128),
        cmocka_unit_test(is_repeatable_and_seeded),
        cmocka_unit_test(spreads_over_buckets),
        cmocka_unit_test(reads_nothing_outside),
        cmocka_unit_test(random_numbers_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
