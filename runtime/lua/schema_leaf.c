/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaves: what a single text or number must look like. A JSON value must have its own type already (a
 * numeric text is no number, a boolean neither); a query's value is always text and read by the
 * decimal grammar. Each check replaces the value on top of the stack only if cleaning changes it. */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "lua/schema_internal.h"
#include "zone/zone.h"

#define MAX_WHOLE 9007199254740992.0 /* 2^53: beyond it a JSON number is not exact */

struct leaf {
    struct schema_check *c;
    const struct schema_node *n;
    const struct schema_path *path;
    struct rt_str s; /* of a text, trimmed if the type says so */
};

static bool bad(const struct leaf *l, enum rt_message_id id)
{
    return schema__violation(l->c, l->n, l->path, id, NULL, 0);
}

static bool bad_bound(const struct leaf *l, enum rt_message_id id, int64_t bound)
{
    char digits[24];
    return schema__violation(l->c, l->n, l->path, id, digits, rt_int_text(bound, digits));
}

static void replace_text(const struct leaf *l, size_t before)
{
    if (l->s.n == before)
        return;
    lua_pushlstring(l->c->L, l->s.n ? l->s.p : "", l->s.n);
    lua_replace(l->c->L, -2);
}

/* The text on top, which must be UTF-8 without NUL. */
static bool read_text(struct leaf *l, size_t *ret_before)
{
    if (lua_type(l->c->L, -1) != LUA_TSTRING)
        return false;
    l->s.p = lua_tolstring(l->c->L, -1, &l->s.n);
    *ret_before = l->s.n;
    if (memchr(l->s.p, 0, l->s.n) || !rt_utf8_valid(l->s.p, l->s.n))
        return false;
    if (l->n->trim)
        l->s = rt_str_trim(l->s);
    return true;
}

/* Patterns run in a protected call: a bounded string.find raises when one takes too long. */
static bool fits_pattern(const struct leaf *l)
{
    lua_State *L = l->c->L;
    lua_rawgeti(L, l->c->consts, CONST_FIND);
    lua_pushlstring(L, l->s.n ? l->s.p : "", l->s.n);
    lua_rawgeti(L, l->c->consts, l->n->pattern_at);
    bool fits = lua_pcall(L, 2, 1, 0) == LUA_OK && !lua_isnil(L, -1);
    lua_pop(L, 1);
    return fits;
}

static bool check_length(const struct leaf *l, const struct schema_node *n)
{
    int64_t len = n->has_min || n->has_max ? (int64_t)rt_utf8_len(l->s.p, l->s.n) : 0;
    if (n->has_min && len < n->min)
        return bad_bound(l, RT_MSG_MIN_LENGTH, n->min);
    if (n->has_max && len > n->max)
        return bad_bound(l, RT_MSG_MAX_LENGTH, n->max);
    return true;
}

static bool check_text(struct leaf *l)
{
    const struct schema_node *n = l->n;
    size_t before;
    if (!read_text(l, &before))
        return bad(l, RT_MSG_TEXT);
    if (l->s.n == 0 && (n->required || (n->has_min && n->min > 0)))
        return bad(l, RT_MSG_BLANK);
    if (!check_length(l, n))
        return false;
    if (n->pattern_at && !fits_pattern(l))
        return bad(l, RT_MSG_PATTERN);
    replace_text(l, before);
    return true;
}

static bool is_alnum(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

/* At least two labels of letters, digits and inner hyphens. */
static bool is_domain(struct rt_str s)
{
    size_t label = 0, dots = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool edge = label == 0 || i + 1 == s.n || s.p[i + 1] == '.';
        if (c == '.' && label == 0)
            return false;
        if (c != '.' && !is_alnum(c) && (c != '-' || edge))
            return false;
        label = c == '.' ? 0 : label + 1;
        dots += c == '.';
        if (label > 63)
            return false;
    }
    return dots > 0 && label > 1;
}

/* The dot-atom form of RFC 5321, which is what people have. */
static bool is_email(struct rt_str s)
{
    const char *at = s.n <= 254 ? memchr(s.p, '@', s.n) : NULL;
    if (!at || at == s.p || at - s.p > 64)
        return false;
    for (const char *p = s.p; p < at; p++) {
        if (*p == '.' && (p == s.p || p + 1 == at || p[1] == '.'))
            return false;
        if (!is_alnum(*p) && (*p == 0 || !strchr(".!#$%&'*+/=?^_`{|}~-", *p)))
            return false;
    }
    return is_domain((struct rt_str){ at + 1, s.n - (size_t)(at + 1 - s.p) });
}

static bool check_email(struct leaf *l)
{
    size_t before;
    if (!read_text(l, &before))
        return bad(l, RT_MSG_TEXT);
    if (l->s.n == 0)
        return bad(l, RT_MSG_BLANK);
    if (!is_email(l->s))
        return bad(l, RT_MSG_EMAIL);
    if (!check_length(l, l->n))
        return false;
    replace_text(l, before);
    return true;
}

static bool check_date(struct leaf *l)
{
    size_t before;
    int64_t day;
    if (!read_text(l, &before) || !rt_date_parse(l->s.p, l->s.n, &day))
        return bad(l, RT_MSG_DATE);
    replace_text(l, before);
    return true;
}

static bool check_timezone(struct leaf *l)
{
    size_t before;
    if (!read_text(l, &before) || !rt_zone_find(l->s.p, l->s.n))
        return bad(l, RT_MSG_TIMEZONE);
    replace_text(l, before);
    return true;
}

static bool check_datetime(struct leaf *l)
{
    size_t before;
    int64_t t;
    if (!read_text(l, &before) || !rt_iso_parse(l->s.p, l->s.n, &t))
        return bad(l, RT_MSG_DATETIME);
    lua_pushinteger(l->c->L, t);
    lua_replace(l->c->L, -2);
    return true;
}

/* The whole number on top; false when it is none. Text is read where the source is text. */
static bool read_whole(const struct leaf *l, int64_t *ret)
{
    lua_State *L = l->c->L;
    int type = lua_type(L, -1);
    if (l->c->source == RT_SOURCE_TEXT && type == LUA_TSTRING) {
        struct rt_str s;
        s.p = lua_tolstring(L, -1, &s.n);
        return rt_str_int(s, ret) && *ret <= (int64_t)MAX_WHOLE && *ret >= -(int64_t)MAX_WHOLE;
    }
    if (type != LUA_TNUMBER)
        return false;
    if (lua_isinteger(L, -1)) {
        *ret = lua_tointeger(L, -1);
        return true;
    }
    double d = lua_tonumber(L, -1);
    if (!(fabs(d) <= MAX_WHOLE) || d != floor(d))
        return false;
    *ret = (int64_t)d;
    return true;
}

static bool check_integer(struct leaf *l)
{
    const struct schema_node *n = l->n;
    int64_t v;
    if (!read_whole(l, &v))
        return bad(l, RT_MSG_INTEGER);
    if (n->has_min && v < n->min)
        return bad_bound(l, RT_MSG_MIN, n->min);
    if (n->has_max && v > n->max)
        return bad_bound(l, RT_MSG_MAX, n->max);
    if (!lua_isinteger(l->c->L, -1)) {
        lua_pushinteger(l->c->L, v);
        lua_replace(l->c->L, -2);
    }
    return true;
}

/* -?digits(.digits)? */
static bool is_decimal(struct rt_str s)
{
    size_t i = s.n > 0 && s.p[0] == '-', digits = 0;
    bool dot = false;
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && !dot && digits > 0) {
            dot = true;
            digits = 0;
        } else if (s.p[i] >= '0' && s.p[i] <= '9') {
            digits++;
        } else {
            return false;
        }
    }
    return digits > 0 && s.n < 64;
}

static bool read_number(const struct leaf *l)
{
    lua_State *L = l->c->L;
    if (l->c->source == RT_SOURCE_TEXT && lua_type(L, -1) == LUA_TSTRING) {
        struct rt_str s;
        s.p = lua_tolstring(L, -1, &s.n);
        if (!is_decimal(s) || lua_stringtonumber(L, s.p) == 0)
            return false;
        lua_replace(L, -2);
    }
    return lua_type(L, -1) == LUA_TNUMBER && isfinite(lua_tonumber(L, -1));
}

static bool bad_number(const struct leaf *l, enum rt_message_id id, double bound)
{
    char text[40];
    return schema__violation(l->c, l->n, l->path, id, text, rt_double_text(bound, text));
}

static bool check_number(struct leaf *l)
{
    if (!read_number(l))
        return bad(l, RT_MSG_NUMBER);
    double v = lua_tonumber(l->c->L, -1);
    if (l->n->has_min && v < l->n->low)
        return bad_number(l, RT_MSG_MIN, l->n->low);
    if (l->n->has_max && v > l->n->high)
        return bad_number(l, RT_MSG_MAX, l->n->high);
    return true;
}

static bool check_boolean(struct leaf *l)
{
    lua_State *L = l->c->L;
    struct rt_str s;
    if (lua_isboolean(L, -1))
        return true;
    if (l->c->source != RT_SOURCE_TEXT || lua_type(L, -1) != LUA_TSTRING)
        return bad(l, RT_MSG_BOOLEAN);
    s.p = lua_tolstring(L, -1, &s.n);
    bool yes = rt_str_is(s, "1") || rt_str_ieq(s, RT_STR("true"));
    if (!yes && !rt_str_is(s, "0") && !rt_str_ieq(s, RT_STR("false")))
        return bad(l, RT_MSG_BOOLEAN);
    lua_pushboolean(L, yes);
    lua_replace(L, -2);
    return true;
}

/* What the client sent, cut to a length that a message can carry. */
static bool bad_choice(const struct leaf *l)
{
    lua_State *L = l->c->L;
    char digits[40];
    if (lua_type(L, -1) == LUA_TSTRING) {
        struct rt_str s;
        s.p = lua_tolstring(L, -1, &s.n);
        if (!rt_utf8_valid(s.p, s.n))
            return bad(l, RT_MSG_TEXT);
        if (s.n > 100)
            for (s.n = 100; ((unsigned char)s.p[s.n] & 0xC0) == 0x80;)
                s.n--;
        return schema__violation(l->c, l->n, l->path, RT_MSG_CHOICE, s.p, s.n);
    }
    if (lua_isboolean(L, -1)) {
        const char *word = lua_toboolean(L, -1) ? "true" : "false";
        return schema__violation(l->c, l->n, l->path, RT_MSG_CHOICE, word, strlen(word));
    }
    if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(lua_tonumber(L, -1)))
        return bad(l, RT_MSG_TEXT);
    return schema__violation(l->c, l->n, l->path, RT_MSG_CHOICE, digits, rt_double_text(lua_tonumber(L, -1), digits));
}

static bool check_one_of(struct leaf *l)
{
    lua_State *L = l->c->L;
    struct rt_str s = { NULL, 0 };
    int64_t whole = 0;
    bool is_text = lua_type(L, -1) == LUA_TSTRING, is_whole = read_whole(l, &whole);
    if (is_text)
        s.p = lua_tolstring(L, -1, &s.n);
    for (const struct schema_value *v = l->n->values; v < l->n->values + l->n->count; v++) {
        if (v->is_text ? is_text && v->n == s.n && memcmp(v->text, s.p, s.n) == 0 : is_whole && v->number == whole) {
            lua_rawgeti(L, l->c->consts, v->at);
            lua_replace(L, -2);
            return true;
        }
    }
    return bad_choice(l);
}

bool schema__check_leaf(struct schema_check *c, const struct schema_node *n, const struct schema_path *path)
{
    struct leaf l = { .c = c, .n = n, .path = path };
    switch (n->kind) {
    case KIND_TEXT: return check_text(&l);
    case KIND_EMAIL: return check_email(&l);
    case KIND_DATE: return check_date(&l);
    case KIND_TIMEZONE: return check_timezone(&l);
    case KIND_DATETIME: return check_datetime(&l);
    case KIND_INTEGER: return check_integer(&l);
    case KIND_NUMBER: return check_number(&l);
    case KIND_BOOLEAN: return check_boolean(&l);
    case KIND_ONE_OF: return check_one_of(&l);
    default: return true;
    }
}
