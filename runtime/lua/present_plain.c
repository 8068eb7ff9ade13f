/* SPDX-License-Identifier: Apache-2.0
 *
 * Values without a declared type. Lua orders a table's keys differently in each process, so keys are
 * sorted: equal values give equal text, which entity tags and tests rely on. The scratch space for
 * many keys is a userdata, since an error may leave by longjmp. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "lua/present_internal.h"

enum { KEYS_ON_STACK = 24 };

struct key {
    const char *p; /* NULL: the integer `whole` */
    size_t n;
    lua_Integer whole;
};

static const char array_name[] = "rt.array";

void rt_present_array_mt(lua_State *L) { luaL_newmetatable(L, array_name); }

/* Integers first, then texts by bytes. */
static int compare(const void *va, const void *vb)
{
    const struct key *a = va, *b = vb;
    if (!a->p || !b->p)
        return a->p ? 1 : b->p ? -1 : (a->whole > b->whole) - (a->whole < b->whole);
    int order = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* Most objects have few keys, where this beats qsort(). */
static void sort(struct key *keys, size_t n)
{
    if (n > KEYS_ON_STACK) {
        qsort(keys, n, sizeof *keys, compare);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct key k = keys[i];
        size_t j = i;
        for (; j > 0 && compare(&k, &keys[j - 1]) < 0; j--)
            keys[j] = keys[j - 1];
        keys[j] = k;
    }
}

/* The keys of the table at `t` into `keys` as far as they fit; returns how many there are, or a negative code. */
static long collect(struct present *p, int t, const struct schema_path *path, struct key *keys, size_t room)
{
    lua_State *L = p->L;
    size_t n = 0;
    lua_pushnil(L);
    while (lua_next(L, t)) {
        struct key k = { NULL, 0, 0 };
        if (lua_type(L, -2) == LUA_TSTRING) {
            k.p = lua_tolstring(L, -2, &k.n);
        } else if (lua_isinteger(L, -2)) {
            k.whole = lua_tointeger(L, -2);
        } else {
            lua_pop(L, 2);
            return present__fail(p, path, RT_E_INVALID, "has a key that is neither a text nor an integer");
        }
        if (n < room)
            keys[n] = k;
        n++;
        lua_pop(L, 1);
    }
    return (long)n;
}

static int put_entry(struct present *p, int t, const struct key *k, const struct schema_path *path, present_put *put,
                     const void *arg)
{
    struct schema_path at = { path, k->p, k->n, k->whole };
    char digits[24];
    if (k->p) {
        rt_json_put_string(p->out, k->p, k->n);
        lua_pushlstring(p->L, k->p, k->n);
    } else {
        rt_json_put_string(p->out, digits, rt_int_text(k->whole, digits));
        lua_pushinteger(p->L, k->whole);
    }
    rt_buf_putc(p->out, ':');
    lua_rawget(p->L, t);
    return put(p, arg, &at);
}

int present__sorted(struct present *p, const struct schema_path *path, present_put *put, const void *arg)
{
    lua_State *L = p->L;
    struct key few[KEYS_ON_STACK], *keys = few;
    int rc = present__enter(p, path), t = lua_gettop(L);
    if (rc < 0)
        return rc;
    long n = collect(p, t, path, keys, KEYS_ON_STACK);
    if (n > KEYS_ON_STACK) {
        keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys, 0);
        n = collect(p, t, path, keys, (size_t)n);
    }
    if (n < 0)
        return (int)n;
    int top = lua_gettop(L);
    sort(keys, (size_t)n);
    rt_buf_putc(p->out, '{');
    for (long i = 0; i < n && rc == 0; i++) {
        if (i > 0)
            rt_buf_putc(p->out, ',');
        rc = put_entry(p, t, &keys[i], path, put, arg);
        lua_settop(L, top);
    }
    rt_buf_putc(p->out, '}');
    lua_settop(L, t);
    p->depth--;
    return rc;
}

static bool is_array(lua_State *L)
{
    if (lua_rawlen(L, -1) > 0)
        return true;
    if (!lua_getmetatable(L, -1))
        return false;
    luaL_getmetatable(L, array_name);
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked;
}

static int put_array(struct present *p, const struct schema_path *path)
{
    lua_State *L = p->L;
    int rc = present__enter(p, path), t = lua_gettop(L);
    if (rc < 0)
        return rc;
    size_t len = lua_rawlen(L, t);
    rt_buf_putc(p->out, '[');
    for (size_t i = 0; i < len && rc == 0; i++) {
        struct schema_path at = { path, NULL, 0, (lua_Integer)i };
        if (i > 0)
            rt_buf_putc(p->out, ',');
        lua_rawgeti(L, t, (lua_Integer)i + 1);
        rc = present__plain(p, NULL, &at);
        lua_settop(L, t);
    }
    rt_buf_putc(p->out, ']');
    p->depth--;
    return rc;
}

int present__plain(struct present *p, const void *arg, const struct schema_path *path)
{
    int type = lua_type(p->L, -1);
    (void)arg;
    if (type != LUA_TTABLE)
        return present__scalar(p, path, type);
    return is_array(p->L) ? put_array(p, path) : present__sorted(p, path, present__plain, NULL);
}
