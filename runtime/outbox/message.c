/* SPDX-License-Identifier: Apache-2.0
 *
 * Written here and not by a library, so that the same row always gives the same bytes. Everything that
 * comes from outside is encoded or was checked: no text can begin a header of its own. */
#include "outbox/message.h"

#include <string.h>

#include "base/clock.h"
#include "crypto/hash.h"

enum { WORD_BYTES = 39, LINE_MAX = 76 }; /* 39 bytes make a word of 64 characters, short enough behind "Subject: " */

struct rt_str rt_message_address(struct rt_str from, struct rt_str *ret_name)
{
    struct rt_str name = { "", 0 }, address = rt_str_trim(from);
    const char *open = address.n ? memchr(address.p, '<', address.n) : NULL;
    if (open) {
        name = rt_str_trim((struct rt_str){ address.p, (size_t)(open - address.p) });
        address = (struct rt_str){ open + 1, address.n - (size_t)(open + 1 - address.p) };
        address.n -= address.n > 0 && address.p[address.n - 1] == '>';
    }
    if (ret_name)
        *ret_name = name;
    return rt_mail_address_good(address) ? address : (struct rt_str){ "", 0 };
}

static bool plain(struct rt_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] >= 127 || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    return !memmem(s.p, s.n, "=?", 2);
}

/* The longest beginning of at most `max` bytes that does not cut a character. */
static size_t whole_characters(struct rt_str s, size_t max)
{
    if (s.n <= max)
        return s.n;
    while (max > 0 && (s.p[max] & 0xc0) == 0x80)
        max--;
    return max;
}

/* RFC 2047: one or more encoded words, each on a line of its own. */
static void put_encoded(struct rt_buf *out, struct rt_str s)
{
    char word[rt_base64_size(WORD_BYTES)];
    for (bool first = true; s.n > 0; first = false) {
        size_t n = whole_characters(s, WORD_BYTES);
        n = n ? n : WORD_BYTES;
        rt_base64(s.p, n, word);
        rt_buf_printf(out, "%s=?UTF-8?B?%s?=", first ? "" : "\r\n ", word);
        s.p += n;
        s.n -= n < s.n ? n : s.n;
    }
}

static void put_words(struct rt_buf *out, struct rt_str s)
{
    if (plain(s) && s.n <= 60)
        rt_buf_put(out, s.p, s.n);
    else
        put_encoded(out, s);
}

static void put_from(struct rt_buf *out, struct rt_str name, struct rt_str address)
{
    rt_buf_puts(out, "From: ");
    if (name.n && plain(name) && name.n <= 60)
        rt_buf_printf(out, "\"%.*s\" ", (int)name.n, name.p);
    else if (name.n)
        put_encoded(out, name);
    if (name.n && !(plain(name) && name.n <= 60))
        rt_buf_puts(out, "\r\n ");
    rt_buf_printf(out, "<%.*s>\r\n", (int)address.n, address.p);
}

static void put_date(struct rt_buf *out, int64_t at)
{
    static const char days[] = "MonTueWedThuFriSatSun", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t day = at / 86400;
    int year, month, date, week_year, week, weekday, second = (int)(at % 86400);
    rt_civil_from_days(day, &year, &month, &date);
    rt_iso_week(day, &week_year, &week, &weekday);
    rt_buf_printf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d +0000\r\n", days + (weekday - 1) * 3, date,
                  months + (month - 1) * 3, year, second / 3600, second / 60 % 60, second % 60);
}

static bool line_end_at(struct rt_str s, size_t i, size_t *ret_n)
{
    if (i < s.n && s.p[i] == '\n')
        return *ret_n = 1, true;
    if (i + 1 < s.n && s.p[i] == '\r' && s.p[i + 1] == '\n')
        return *ret_n = 2, true;
    return false;
}

/* RFC 2045: lines of at most 76 characters; blanks at a line's end and everything odd as =XX. */
static void put_quoted(struct rt_buf *out, struct rt_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t column = 0, end_n;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char b = (unsigned char)s.p[i];
        if (line_end_at(s, i, &end_n)) {
            rt_buf_puts(out, "\r\n");
            i += end_n - 1;
            column = 0;
            continue;
        }
        bool last = i + 1 == s.n || line_end_at(s, i + 1, &end_n);
        bool literal = (b > ' ' && b < 127 && b != '=') || ((b == ' ' || b == '\t') && !last);
        size_t width = literal ? 1 : 3;
        if (column + width > LINE_MAX - 1) { /* room for the soft line break */
            rt_buf_puts(out, "=\r\n");
            column = 0;
        }
        if (literal) {
            rt_buf_putc(out, (char)b);
        } else {
            rt_buf_putc(out, '=');
            rt_buf_putc(out, hex[b >> 4]);
            rt_buf_putc(out, hex[b & 15]);
        }
        column += width;
    }
    if (column > 0)
        rt_buf_puts(out, "\r\n");
}

static void put_part(struct rt_buf *out, const char *type, const struct rt_buf *content)
{
    rt_buf_printf(out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", type);
    put_quoted(out, (struct rt_str){ content->data, content->len });
}

int rt_message_write(struct rt_buf *out, const struct rt_mail *m, struct rt_str from, const char *id, int64_t at,
                     struct rt_err *err)
{
    struct rt_str name, address = rt_message_address(from, &name), to = { m->to.data, m->to.len };
    if (!address.n || !rt_mail_address_good(to))
        return rt_err_set(err, RT_E_INVALID, "a mail needs good addresses of sender and receiver");
    const char *domain = (const char *)memchr(address.p, '@', address.n) + 1;
    put_date(out, at);
    put_from(out, name, address);
    rt_buf_printf(out, "To: %.*s\r\nSubject: ", (int)to.n, to.p);
    put_words(out, (struct rt_str){ m->subject.data, m->subject.len });
    rt_buf_printf(out, "\r\nMessage-ID: <%s@%.*s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n", id,
                  (int)(address.p + address.n - domain), domain);
    if (m->html.len == 0) {
        put_part(out, "text/plain", &m->text);
    } else {
        rt_buf_printf(out, "Content-Type: multipart/alternative; boundary=\"=_%s\"\r\n\r\n--=_%s\r\n", id, id);
        put_part(out, "text/plain", &m->text);
        rt_buf_printf(out, "\r\n--=_%s\r\n", id);
        put_part(out, "text/html", &m->html);
        rt_buf_printf(out, "\r\n--=_%s--\r\n", id);
    }
    return out->failed ? rt_err_set(err, RT_E_LIMIT, "a mail is too long") : 0;
}
