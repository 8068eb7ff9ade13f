/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that differ in case alone become the same bytes. The C library knows the letters (its C.UTF-8 is
 * built in, so no locale has to be installed); upper before lower case brings together what has two
 * small forms, as the Greek sigma has. */
#include "base/fold.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wctype.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t letters;

static void open_locale(void) { letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

/* The code point at p and its bytes; 0 bytes when it is not well-formed. */
static uint32_t decode(const unsigned char *p, size_t n, size_t *ret_n)
{
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    uint32_t c = len == 4 ? p[0] & 0x07u : len == 3 ? p[0] & 0x0fu : p[0] & 0x1fu;
    *ret_n = 0;
    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    *ret_n = len;
    return c;
}

static size_t encode(uint32_t c, char *out)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n] | c);
    return n;
}

size_t rt_utf8_fold(const char *text, size_t n, char *out)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t at = 0;
    pthread_once(&once, open_locale);
    for (size_t i = 0; i < n;) {
        if (p[i] < 0x80) {
            unsigned upper = (unsigned)(p[i] - 'A') < 26u;
            out[at++] = (char)(p[i++] | upper << 5);
            continue;
        }
        size_t len;
        uint32_t c = decode(p + i, n - i, &len);
        uint32_t small = len && letters ? (uint32_t)towlower_l(towupper_l((wint_t)c, letters), letters) : c;
        if (small == c) { /* also what is not UTF-8 */
            len = len ? len : 1;
            memcpy(out + at, p + i, len);
            at += len;
        } else {
            at += encode(small, out + at);
        }
        i += len;
    }
    return at;
}
