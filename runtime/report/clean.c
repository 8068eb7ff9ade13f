/* SPDX-License-Identifier: Apache-2.0
 *
 * Text comes from people and goes into formats with their own idea of text (XML, PDF): what those cannot
 * hold is replaced by a mark that shows, so that nothing vanishes silently. */
#include "report/report_internal.h"

#define MARK     "\xEF\xBF\xBD" /* U+FFFD */
#define ELLIPSIS "\xE2\x80\xA6" /* U+2026 */

/* Bytes of the well-formed character at p, 0 when there is none. */
static size_t step(const char *p, size_t n)
{
    unsigned char c = (unsigned char)*p;
    size_t want = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    return want > 0 && want <= n && rt_utf8_valid(p, want) ? want : 0;
}

/* C1 controls, U+2028 and U+2029 (they break lines), U+FFFE and U+FFFF. */
static bool unfit(const char *p, size_t n)
{
    if (n == 2)
        return (unsigned char)p[0] == 0xC2 && (unsigned char)p[1] < 0xA0;
    return n == 3 && (memcmp(p, "\xEF\xBF\xBE", 3) == 0 || memcmp(p, "\xEF\xBF\xBF", 3) == 0);
}

static bool line_break(const char *p, size_t n)
{
    return n == 3 && (memcmp(p, "\xE2\x80\xA8", 3) == 0 || memcmp(p, "\xE2\x80\xA9", 3) == 0);
}

static void put_ascii(struct rt_buf *out, struct rt_str s, size_t *i, bool one_line)
{
    char c = s.p[*i];
    if (c == '\r') {
        if (*i + 1 < s.n && s.p[*i + 1] == '\n')
            ++*i;
        c = '\n';
    }
    if (c == '\n' || c == '\t')
        rt_buf_putc(out, one_line ? ' ' : c);
    else if ((unsigned char)c < 0x20 || c == 0x7F)
        rt_buf_puts(out, MARK);
    else
        rt_buf_putc(out, c);
    ++*i;
}

void report__clean(struct rt_buf *out, struct rt_str s, size_t max, bool one_line)
{
    size_t units = 0;
    rt_buf_reset(out);
    for (size_t i = 0, n; i < s.n; i += n) {
        n = step(s.p + i, s.n - i);
        units += n == 4 ? 2 : 1;
        if (units >= max && i + n < s.n) {
            rt_buf_puts(out, ELLIPSIS);
            return;
        }
        if (n == 1) {
            put_ascii(out, s, &i, one_line);
            n = 0;
        } else if (n == 0 || unfit(s.p + i, n)) {
            rt_buf_puts(out, MARK);
            n = n ? n : 1;
        } else if (line_break(s.p + i, n)) {
            rt_buf_putc(out, one_line ? ' ' : '\n');
        } else {
            rt_buf_put(out, s.p + i, n);
        }
    }
}
