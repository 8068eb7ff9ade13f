/* SPDX-License-Identifier: Apache-2.0
 *
 * The document is known to be good, so nothing is checked twice: a value ends where its brackets are even. */
#include "base/json_read.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

/* Behind the string that begins at `p`. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\';
    return p < end ? p + 1 : end;
}

/* Behind the value that begins at `p`. */
static const char *skip_value(const char *p, const char *end)
{
    int depth = 0;
    do {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p++;
        if (depth == 0) /* a number or a word, or the last bracket */
            while (p < end && !strchr(",]}: \t\r\n", *p) && p[-1] != '}' && p[-1] != ']')
                p++;
    } while (depth > 0 && p < end);
    return p;
}

struct rt_json rt_json_document(const char *p, size_t n)
{
    const char *end = p + n;
    p = skip_blanks(p, end);
    return (struct rt_json){ p, p < end ? (size_t)(skip_value(p, end) - p) : 0 };
}

struct rt_json rt_json_items(struct rt_json array)
{
    if (array.n < 2 || array.p[0] != '[')
        return (struct rt_json){ 0 };
    return (struct rt_json){ array.p + 1, array.n - 2 };
}

struct rt_json rt_json_take(struct rt_json *items)
{
    const char *end = items->p + items->n, *p = items->n ? skip_blanks(items->p, end) : end;
    if (p == end)
        return (struct rt_json){ 0 };
    const char *after = skip_value(p, end), *next = skip_blanks(after, end);
    next += next < end; /* the comma */
    *items = (struct rt_json){ next, (size_t)(end - next) };
    return (struct rt_json){ p, (size_t)(after - p) };
}

struct rt_json rt_json_member(struct rt_json object, const char *name)
{
    if (object.n < 2 || object.p[0] != '{')
        return (struct rt_json){ 0 };
    struct rt_json rest = { object.p + 1, object.n - 2 };
    for (struct rt_json key; (key = rt_json_take(&rest)).n;) { /* takes the colon for a comma */
        struct rt_json value = rt_json_take(&rest);
        if (rt_json_text_is(key, name))
            return value;
    }
    return (struct rt_json){ 0 };
}

/* ---- plain values -------------------------------------------------------------------------------------------- */

static void put_utf8(struct rt_buf *out, unsigned c)
{
    if (c < 0x80) {
        rt_buf_putc(out, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = { 0, 0xC0, 0xE0, 0xF0 };
    rt_buf_putc(out, (char)(lead[more] | c >> 6 * more));
    while (more-- > 0)
        rt_buf_putc(out, (char)(0x80 | (c >> 6 * more & 0x3F)));
}

static unsigned hex4(const char *p)
{
    char digits[5] = { p[0], p[1], p[2], p[3], 0 };
    return (unsigned)strtoul(digits, NULL, 16);
}

/* Behind the escape whose letter is at `p`. */
static const char *put_escape(struct rt_buf *out, const char *p)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at = strchr(from, *p);
    if (*p != 'u') {
        rt_buf_putc(out, at ? to[at - from] : *p);
        return p + 1;
    }
    unsigned c = hex4(p + 1);
    p += 5;
    if (c >= 0xD800 && c < 0xDC00) {
        c = 0x10000 + ((c - 0xD800) << 10) + (hex4(p + 2) - 0xDC00);
        p += 6;
    }
    put_utf8(out, c);
    return p;
}

bool rt_json_text(struct rt_json v, struct rt_buf *out)
{
    if (v.n < 2 || v.p[0] != '"')
        return false;
    for (const char *p = v.p + 1, *end = v.p + v.n - 1; p < end;) {
        const char *plain = p;
        while (p < end && *p != '\\')
            p++;
        rt_buf_put(out, plain, (size_t)(p - plain));
        if (p < end)
            p = put_escape(out, p + 1);
    }
    return true;
}

bool rt_json_copy(struct rt_json v, char *out, size_t size)
{
    struct rt_buf text;
    rt_buf_init(&text, 0);
    bool is_text = rt_json_text(v, &text);
    if (is_text)
        snprintf(out, size, "%s", rt_buf_cstr(&text));
    rt_buf_fini(&text);
    return is_text;
}

bool rt_json_text_is(struct rt_json v, const char *text)
{
    size_t n = strlen(text);
    return v.n == n + 2 && v.p[0] == '"' && memcmp(v.p + 1, text, n) == 0;
}

int64_t rt_json_int(struct rt_json v, int64_t otherwise)
{
    char text[32];
    if (v.n == 0 || v.n >= sizeof text || (v.p[0] != '-' && (v.p[0] < '0' || v.p[0] > '9')))
        return otherwise;
    memcpy(text, v.p, v.n);
    text[v.n] = 0;
    return strtoll(text, NULL, 10);
}

bool rt_json_true(struct rt_json v) { return v.n == 4 && memcmp(v.p, "true", 4) == 0; }
