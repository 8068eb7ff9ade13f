/* SPDX-License-Identifier: Apache-2.0
 *
 * Text helpers that depend on no locale. UTF-8 is decided in one place, str__utf8_step(), which
 * follows the table of RFC 3629 section 4; ASCII is skipped eight bytes at a time since most of the
 * text that passes through is ASCII. */
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base_internal.h"

struct rt_str rt_str_of(const char *cstr)
{
    return cstr ? (struct rt_str){ cstr, strlen(cstr) } : (struct rt_str){ "", 0 };
}

bool rt_str_eq(struct rt_str a, struct rt_str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

bool rt_str_is(struct rt_str a, const char *cstr) { return rt_str_eq(a, rt_str_of(cstr)); }

static unsigned char ascii_lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool rt_str_ieq(struct rt_str a, struct rt_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

static bool is_cont(unsigned char c) { return (c & 0xC0) == 0x80; }

size_t str__utf8_step(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xC2)
        return 0;
    if (c < 0xE0)
        return n >= 2 && is_cont(p[1]) ? 2 : 0;
    if (c < 0xF0) {
        if (n < 3 || !is_cont(p[1]) || !is_cont(p[2]))
            return 0;
        if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F)) /* overlong, surrogate */
            return 0;
        return 3;
    }
    if (c > 0xF4 || n < 4 || !is_cont(p[1]) || !is_cont(p[2]) || !is_cont(p[3]))
        return 0;
    if ((c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F)) /* overlong, past U+10FFFF */
        return 0;
    return 4;
}

bool rt_utf8_valid(const char *p, size_t n)
{
    const unsigned char *s = (const unsigned char *)(p ? p : ""), *end = s + n;
    while (s < end) {
        while (end - s >= 8 && !(base__load64(s) & BASE_HIGH))
            s += 8;
        if (s == end)
            break;
        size_t k = str__utf8_step(s, (size_t)(end - s));
        if (k == 0)
            return false;
        s += k;
    }
    return true;
}

size_t rt_utf8_len(const char *p, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += !is_cont((unsigned char)p[i]);
    return len;
}

/* Bytes of the white space character that begins at `p`, 0 when it is something else. */
static size_t space_at(const unsigned char *p, size_t n)
{
    if (n >= 1 && (p[0] == ' ' || (p[0] >= 0x09 && p[0] <= 0x0D)))
        return 1;
    if (n >= 2 && p[0] == 0xC2 && (p[1] == 0x85 || p[1] == 0xA0))
        return 2;
    if (n < 3)
        return 0;
    unsigned cp = p[0] << 16 | p[1] << 8 | p[2];
    bool space = cp == 0xE19A80                        /* U+1680 */
                 || (cp >= 0xE28080 && cp <= 0xE2808A) /* U+2000–200A */
                 || cp == 0xE280A8 || cp == 0xE280A9   /* U+2028, U+2029 */
                 || cp == 0xE280AF || cp == 0xE2819F   /* U+202F, U+205F */
                 || cp == 0xE38080;                    /* U+3000 */
    return space ? 3 : 0;
}

struct rt_str rt_str_trim(struct rt_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t k;
    while (s.n > 0 && (k = space_at(p, s.n)) > 0) {
        p += k;
        s.n -= k;
    }
    while (s.n > 0) {
        size_t w = 1;
        while (w < 3 && w < s.n && is_cont(p[s.n - w]))
            w++;
        if (space_at(p + s.n - w, w) != w)
            break;
        s.n -= w;
    }
    s.p = (const char *)p;
    return s;
}

bool rt_str_int(struct rt_str s, int64_t *ret)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    size_t i = minus;
    int64_t v = 0;
    if (i == s.n)
        return false;
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        int digit = s.p[i] - '0';
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, minus ? -digit : digit, &v))
            return false;
    }
    *ret = v;
    return true;
}

size_t rt_int_text(int64_t v, char *out)
{
    char digits[20];
    size_t i = sizeof(digits), n = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        digits[--i] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        out[n++] = '-';
    memcpy(out + n, digits + i, sizeof(digits) - i);
    return n + sizeof(digits) - i;
}

/* "1e+05" -> "1e5": the sign and the zeros that C prints carry nothing. */
static size_t tidy_exponent(char *s, size_t n)
{
    char *e = memchr(s, 'e', n);
    if (!e)
        return n;
    char *from = e + 1, *to = e + 1, *end = s + n;
    if (*from == '-')
        *to++ = *from;
    from++;
    while (from + 1 < end && *from == '0')
        from++;
    memmove(to, from, (size_t)(end - from));
    return (size_t)(to - s) + (size_t)(end - from);
}

/* Hours and rates have two decimals, and a quotient by 100 that gives the same double back is its shortest text; printf
 * takes twenty times as long. 0 when `v` is not such a number. */
static size_t hundredths_text(double v, char *out)
{
    if (!(v > -1e13 && v < 1e13))
        return 0;
    int64_t r = (int64_t)(v * 100 + (v < 0 ? -0.5 : 0.5));
    if ((double)r / 100 != v)
        return 0;
    int64_t whole = r / 100;
    int part = (int)(r < 0 ? -(r % 100) : r % 100);
    size_t n = 0;
    if (r < 0 && whole == 0)
        out[n++] = '-';
    n += rt_int_text(whole, out + n);
    out[n++] = '.';
    out[n++] = (char)('0' + part / 10);
    if (part % 10)
        out[n++] = (char)('0' + part % 10);
    return n;
}

size_t rt_double_text(double v, char *out)
{
    if (v == 0)
        return signbit(v) ? (memcpy(out, "-0", 2), 2) : (memcpy(out, "0", 1), 1);
    if (fabs(v) < 9007199254740992.0 && v == trunc(v))
        return rt_int_text((int64_t)v, out);
    size_t two = hundredths_text(v, out);
    if (two > 0)
        return two;
    char text[32];
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof(text), "%.*g", digits, v);
        if (digits == 17 || strtod(text, NULL) == v)
            break;
    }
    size_t len = tidy_exponent(text, (size_t)n);
    memcpy(out, text, len);
    return len;
}
