/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding is done piece by piece, after the query was split: an encoded '&' or '=' must not split
 * again. What it returns is safe to hand on as text, so a NUL or a byte sequence that is not UTF-8
 * counts as a broken escape does. Decoded text is never longer than its source, hence the plain buffer. */
#include "http/query.h"

#include <string.h>

bool rt_query_next(struct rt_str *rest, struct rt_str *ret_name, struct rt_str *ret_value)
{
    while (rest->n > 0) {
        const char *amp = memchr(rest->p, '&', rest->n);
        struct rt_str pair = { rest->p, amp ? (size_t)(amp - rest->p) : rest->n };
        size_t used = pair.n + (amp != NULL);
        rest->p += used;
        rest->n -= used;
        if (pair.n == 0)
            continue;
        const char *equals = memchr(pair.p, '=', pair.n);
        size_t name = equals ? (size_t)(equals - pair.p) : pair.n;
        size_t value = equals ? name + 1 : pair.n;
        *ret_name = (struct rt_str){ pair.p, name };
        *ret_value = (struct rt_str){ pair.p + value, pair.n - value };
        return true;
    }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

long rt_percent_decode(struct rt_str s, bool plus_is_blank, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;
            if (low < 0)
                return -1;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (c == '\0')
            return -1;
        out[len++] = c;
    }
    return rt_utf8_valid(out, len) ? (long)len : -1;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void rt_percent_encode(struct rt_buf *b, struct rt_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (unreserved(s.p[i]))
            rt_buf_putc(b, s.p[i]);
        else
            rt_buf_put(b, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
    }
}
