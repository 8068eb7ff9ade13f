/* SPDX-License-Identifier: Apache-2.0
 *
 * The check is a loop over states with one bit per open container, so that no input can exhaust the
 * C stack. Both the check and the writer spend their time in runs of plain text: eight bytes are
 * tested at once, the rest by a table. A line and column are only counted when something is wrong. */
#include "base/json.h"

#include <math.h>

#include "base/base_internal.h"
#include "base/clock.h"
#include "base/str.h"

#define DEPTH_MAX 1024

enum kind { PLAIN, QUOTE, BACKSLASH, CONTROL, WIDE };

static const unsigned char kind_of[256] = {
    [0 ... 0x1F] = CONTROL,
    ['"'] = QUOTE,
    ['\\'] = BACKSLASH,
    [0x80 ... 0xFF] = WIDE,
};

/* Non-zero when one of the eight bytes is not PLAIN. */
static inline uint64_t not_plain8(uint64_t v)
{
    uint64_t quote = v ^ BASE_ONES * '"', backslash = v ^ BASE_ONES * '\\';
    return (v | (v - BASE_ONES * 0x20) | (quote - BASE_ONES) | (backslash - BASE_ONES)) & BASE_HIGH;
}

static inline const unsigned char *skip_plain(const unsigned char *p, const unsigned char *end)
{
    while (end - p >= 8 && !not_plain8(base__load64(p)))
        p += 8;
    while (p < end && kind_of[*p] == PLAIN)
        p++;
    return p;
}

struct check {
    const unsigned char *start, *p, *end;
    const char *problem;
    int depth, max_depth;
    uint64_t is_object[DEPTH_MAX / 64];
};

enum state { WANT_VALUE, WANT_ITEM_OR_END, WANT_KEY, WANT_KEY_OR_END, AFTER_VALUE };

static bool fail(struct check *c, const char *problem)
{
    c->problem = problem;
    return false;
}

static void skip_blank(struct check *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
        c->p++;
}

/* The value of four hexadecimal digits at `p`, or -1. */
static int hex4(const unsigned char *p, const unsigned char *end)
{
    int v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        unsigned char c = p[i], low = c | 0x20;
        if (c >= '0' && c <= '9')
            v = v << 4 | (c - '0');
        else if (low >= 'a' && low <= 'f')
            v = v << 4 | (low - 'a' + 10);
        else
            return -1;
    }
    return v;
}

/* c->p is at a backslash. */
static bool check_escape(struct check *c)
{
    const unsigned char *p = c->p + 1;
    if (p == c->end)
        return fail(c, "the string is not closed");
    if (*p != 'u') {
        if (*p == 0 || !strchr("\"\\/bfnrt", *p))
            return fail(c, "unknown escape in a string");
        c->p += 2;
        return true;
    }
    int v = hex4(p + 1, c->end);
    if (v < 0)
        return fail(c, "\\u needs four hexadecimal digits");
    c->p += 6;
    if (v < 0xD800 || v > 0xDFFF)
        return true;
    int low = v <= 0xDBFF && c->end - c->p >= 6 && c->p[0] == '\\' && c->p[1] == 'u' ? hex4(c->p + 2, c->end) : -1;
    if (low < 0xDC00 || low > 0xDFFF) {
        c->p -= 6;
        return fail(c, "lone surrogate escape in a string");
    }
    c->p += 6;
    return true;
}

/* c->p is at the opening quote. */
static bool check_string(struct check *c)
{
    for (c->p++;;) {
        c->p = skip_plain(c->p, c->end);
        if (c->p == c->end)
            return fail(c, "the string is not closed");
        switch (kind_of[*c->p]) {
        case QUOTE: c->p++; return true;
        case BACKSLASH:
            if (!check_escape(c))
                return false;
            break;
        case WIDE: {
            size_t k = str__utf8_step(c->p, (size_t)(c->end - c->p));
            if (k == 0)
                return fail(c, "a string is not valid UTF-8");
            c->p += k;
            break;
        }
        default: return fail(c, "control character in a string; write it as an escape");
        }
    }
}

static bool check_digits(struct check *c)
{
    const unsigned char *from = c->p;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return c->p > from || fail(c, "a number needs a digit here");
}

static bool check_number(struct check *c)
{
    if (*c->p == '-')
        c->p++;
    if (c->p < c->end && *c->p == '0') {
        c->p++;
        if (c->p < c->end && *c->p >= '0' && *c->p <= '9')
            return fail(c, "a number must not begin with 0");
    } else if (!check_digits(c)) {
        return false;
    }
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if (!check_digits(c))
            return false;
    }
    if (c->p < c->end && (*c->p | 0x20) == 'e') {
        c->p++;
        if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
            c->p++;
        return check_digits(c);
    }
    return true;
}

static bool check_word(struct check *c, const char *word, size_t n)
{
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
        return fail(c, "expected a value");
    c->p += n;
    return true;
}

static bool open_container(struct check *c, bool object)
{
    if (c->depth >= c->max_depth)
        return fail(c, NULL);
    uint64_t bit = (uint64_t)1 << (c->depth % 64), *word = &c->is_object[c->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    c->depth++;
    c->p++;
    return true;
}

static bool in_object(const struct check *c) { return c->is_object[(c->depth - 1) / 64] >> ((c->depth - 1) % 64) & 1; }

static bool check_value(struct check *c, enum state *state)
{
    *state = AFTER_VALUE;
    switch (*c->p) {
    case '{': *state = WANT_KEY_OR_END; return open_container(c, true);
    case '[': *state = WANT_ITEM_OR_END; return open_container(c, false);
    case '"': return check_string(c);
    case 't': return check_word(c, "true", 4);
    case 'f': return check_word(c, "false", 5);
    case 'n': return check_word(c, "null", 4);
    default:
        if (*c->p == '-' || (*c->p >= '0' && *c->p <= '9'))
            return check_number(c);
        return fail(c, "expected a value");
    }
}

/* A key, its colon; the value is next. */
static bool check_key(struct check *c)
{
    if (*c->p != '"')
        return fail(c, "expected a name in double quotes");
    if (!check_string(c))
        return false;
    skip_blank(c);
    if (c->p == c->end || *c->p != ':')
        return fail(c, "expected ':' after a name");
    c->p++;
    return true;
}

/* After a value inside a container: a comma or the end of the container. */
static bool check_next(struct check *c, enum state *state)
{
    bool object = in_object(c);
    if (*c->p == ',')
        *state = object ? WANT_KEY : WANT_VALUE;
    else if (*c->p == (object ? '}' : ']'))
        c->depth--;
    else
        return fail(c, object ? "expected ',' or '}'" : "expected ',' or ']'");
    c->p++;
    return true;
}

static bool check_step(struct check *c, enum state *state)
{
    switch (*state) {
    case WANT_ITEM_OR_END:
    case WANT_KEY_OR_END:
        if (*c->p == (*state == WANT_ITEM_OR_END ? ']' : '}')) {
            c->depth--;
            c->p++;
            *state = AFTER_VALUE;
            return true;
        }
        if (*state == WANT_ITEM_OR_END)
            return check_value(c, state);
        /* fall through */
    case WANT_KEY: *state = WANT_VALUE; return check_key(c);
    case WANT_VALUE: return check_value(c, state);
    case AFTER_VALUE:
    default: return check_next(c, state);
    }
}

static bool check_document(struct check *c)
{
    enum state state = WANT_VALUE;
    for (;;) {
        skip_blank(c);
        if (c->p == c->end)
            return (state == AFTER_VALUE && c->depth == 0) || fail(c, "the document ends too early");
        if (state == AFTER_VALUE && c->depth == 0)
            return fail(c, "something follows the document");
        if (!check_step(c, &state))
            return false;
    }
}

static int report(const struct check *c, struct rt_err *err)
{
    int line = 1;
    const unsigned char *line_start = c->start;
    for (const unsigned char *p = c->start; p < c->p; p++) {
        if (*p == '\n') {
            line++;
            line_start = p + 1;
        }
    }
    size_t column = rt_utf8_len((const char *)line_start, (size_t)(c->p - line_start)) + 1;
    if (!c->problem)
        return rt_err_set(err, RT_E_LIMIT, "line %d, column %zu: nested deeper than %d levels", line, column,
                          c->max_depth);
    return rt_err_set(err, RT_E_INVALID, "line %d, column %zu: %s", line, column, c->problem);
}

int rt_json_check(const char *p, size_t n, int max_depth, char *ret_first, struct rt_err *err)
{
    struct check c;
    c.start = c.p = (const unsigned char *)(p ? p : "");
    c.end = c.start + n;
    c.problem = NULL;
    c.depth = 0;
    c.max_depth = max_depth < DEPTH_MAX ? max_depth : DEPTH_MAX;
    skip_blank(&c);
    char first = c.p < c.end ? (char)*c.p : '\0';
    if (!check_document(&c))
        return report(&c, err);
    if (ret_first)
        *ret_first = first;
    return 0;
}

static void put_escape(struct rt_buf *b, unsigned char c)
{
    static const char short_form[0x20] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
    char text[6] = { '\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15] };
    if (c >= 0x20)
        text[1] = (char)c;
    else if (short_form[c])
        text[1] = short_form[c];
    rt_buf_put(b, text, text[1] == 'u' ? 6 : 2);
}

void rt_json_put_string(struct rt_buf *b, const char *p, size_t n)
{
    const unsigned char *s = (const unsigned char *)(p ? p : ""), *end = s + n, *run = s;
    if (n > SIZE_MAX - 2 || (b->cap - b->len < n + 2 && !rt_buf_grow(b, n + 2)))
        return;
    rt_buf_putc(b, '"');
    while ((s = skip_plain(s, end)) < end) {
        size_t k = kind_of[*s] == WIDE ? str__utf8_step(s, (size_t)(end - s)) : 0;
        if (k > 0) {
            s += k;
            continue;
        }
        rt_buf_put(b, run, (size_t)(s - run));
        if (kind_of[*s] == WIDE)
            rt_buf_put(b, "\xEF\xBF\xBD", 3);
        else
            put_escape(b, *s);
        run = ++s;
    }
    rt_buf_put(b, run, (size_t)(end - run));
    rt_buf_putc(b, '"');
}

void rt_json_put_member(struct rt_buf *b, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    rt_buf_printf(b, ",\"%s\":", name);
    rt_json_put_string(b, value, strlen(value));
}

void rt_json_put_int(struct rt_buf *b, int64_t v)
{
    char text[21];
    rt_buf_put(b, text, rt_int_text(v, text));
}

void rt_json_put_double(struct rt_buf *b, double v)
{
    char text[32];
    if (!isfinite(v))
        rt_json_put_null(b);
    else if (v == 0)
        rt_buf_putc(b, '0'); /* no minus: readers show "-0" to people */
    else
        rt_buf_put(b, text, rt_double_text(v, text));
}

void rt_json_put_time(struct rt_buf *b, int64_t t)
{
    char text[RT_ISO_LEN + 2];
    text[0] = text[RT_ISO_LEN + 1] = '"';
    rt_iso_write(t, text + 1);
    rt_buf_put(b, text, sizeof(text));
}
