/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashing by folded multiplication: a 64x64 -> 128 bit product whose halves are combined mixes sixteen
 * bytes in one instruction. Two independent lanes hide the multiplier's latency. The former state is
 * added back after each step, so an unlucky zero factor cannot erase what came before. */
#include "base/hash.h"

#include <stdbool.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/base_internal.h"

/* Fractional bits of the square roots of 2, 3, 5 and 7, made odd. */
#define K0 0x6a09e667f3bcc909u
#define K1 0xbb67ae8584caa73bu
#define K2 0x3c6ef372fe94f82bu
#define K3 0xa54ff53a5f1d36f1u

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t step(uint64_t state, uint64_t x, uint64_t y, uint64_t key)
{
    return (state + y) ^ fold(state ^ x, y ^ key);
}

/* The last 0–16 bytes as two words; lengths are told apart by the caller mixing in `n`. */
static inline void load_tail(const unsigned char *p, size_t n, uint64_t *x, uint64_t *y)
{
    unsigned char tail[16] = { 0 };
    if (n >= 8) {
        *x = base__load64(p);
        *y = base__load64(p + n - 8);
        return;
    }
    if (n > 0)
        memcpy(tail, p, n);
    *x = base__load64(tail);
    *y = 0;
}

uint64_t rt_hash64(const void *p, size_t n, uint64_t seed)
{
    const unsigned char *s = p;
    size_t left = n;
    uint64_t a = seed ^ K0, b = seed + K1, key = fold(seed ^ K2, K3) ^ K2, x, y;
    for (; left > 32; s += 32, left -= 32) {
        a = step(a, base__load64(s), base__load64(s + 8), key);
        b = step(b, base__load64(s + 16), base__load64(s + 24), key);
    }
    if (left > 16) {
        a = step(a, base__load64(s), base__load64(s + 8), key);
        s += 16;
        left -= 16;
    }
    load_tail(s, left, &x, &y);
    b = step(b, x, y, key ^ K3);
    return fold(fold(a ^ K1, b ^ n ^ K3) ^ K0, b + key);
}

static void put_hex(uint64_t v, char *out)
{
    for (int i = 15; i >= 0; i--, v >>= 4)
        out[i] = "0123456789abcdef"[v & 15];
}

void rt_hash128_hex(const void *p, size_t n, char out[32])
{
    const unsigned char *s = p;
    size_t left = n;
    uint64_t a = K0, b = K1, c = K2, d = K3, x, y;
    for (; left > 32; s += 32, left -= 32) {
        uint64_t x0 = base__load64(s), y0 = base__load64(s + 8);
        uint64_t x1 = base__load64(s + 16), y1 = base__load64(s + 24);
        a = step(a, x0, y0, K1);
        b = step(b, y0, x0, K2);
        c = step(c, x1, y1, K3);
        d = step(d, y1, x1, K0);
    }
    if (left > 16) {
        a = step(a, base__load64(s), base__load64(s + 8), K2);
        b = step(b, base__load64(s + 8), base__load64(s), K3);
        s += 16;
        left -= 16;
    }
    load_tail(s, left, &x, &y);
    c = step(c, x, y ^ n, K0);
    d = step(d, y ^ n, x, K1);
    uint64_t high = fold(a ^ K3, c ^ n ^ K1) + fold(b ^ K0, d ^ K2);
    uint64_t low = fold(a + K2, d ^ n ^ K3) + fold(b + K1, c ^ K0);
    put_hex(fold(high ^ K0, low ^ K2) ^ low, out);
    put_hex(fold(low ^ K1, high ^ K3) ^ high, out + 16);
}

uint64_t rt_rand64(void)
{
    static _Thread_local uint64_t state;
    static _Thread_local bool seeded;
    if (!seeded) {
        if (getrandom(&state, sizeof(state), 0) != (ssize_t)sizeof(state)) {
            struct timespec ts;
            clock_gettime(CLOCK_MONOTONIC, &ts);
            state = (uint64_t)ts.tv_nsec * K0 ^ (uint64_t)(uintptr_t)&state ^ (uint64_t)getpid() << 32;
        }
        seeded = true;
    }
    state += K1;
    return fold(state ^ K2, state ^ state >> 32 ^ K3);
}
