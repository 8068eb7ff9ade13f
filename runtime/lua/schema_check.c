/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk over a value. It always goes to the end, so that a client learns of all violations at once,
 * and keeps the value of the moment on top of the Lua stack: a check replaces it by its cleaned form.
 * Paths live on the C stack and become text only for a violation. Nothing here owns memory outside
 * Lua: an error may leave by longjmp at any point. */
#include <lauxlib.h>
#include <string.h>

#include "base/str.h"
#include "lua/present.h"
#include "lua/schema_internal.h"

static void check_node(struct schema_check *c, const struct schema_node *n, const struct schema_path *path);

size_t schema__path_text(const struct schema_path *path, char *out, size_t size)
{
    char digits[24];
    size_t at = path->up ? schema__path_text(path->up, out, size) : 0;
    const char *p = path->name;
    size_t n = path->n;
    if (!path->up)
        return 0;
    if (!p) {
        n = rt_int_text(path->index, digits);
        p = digits;
    }
    if (at > 0 && at < size)
        out[at++] = '.';
    if (n > size - at)
        n = size - at;
    memcpy(out + at, p, n);
    return at + n;
}

/* Pushes the wording with its placeholder replaced. */
static void push_message(struct schema_check *c, const struct schema_node *n, enum rt_message_id id, const char *arg,
                         size_t arg_n)
{
    lua_State *L = c->L;
    if (n->message && id != RT_MSG_REQUIRED && id != RT_MSG_BLANK && id != RT_MSG_NULL) {
        lua_pushstring(L, n->message);
        return;
    }
    const char *own = n->messages ? n->messages->text[id] : NULL;
    const char *text = own ? own : rt_message(c->messages, id), *mark = id == RT_MSG_CHOICE ? "{value}" : "{n}";
    const char *at = arg ? strstr(text, mark) : NULL;
    if (!at) {
        lua_pushstring(L, text);
        return;
    }
    lua_pushlstring(L, text, (size_t)(at - text));
    lua_pushlstring(L, arg, arg_n);
    lua_pushstring(L, at + strlen(mark));
    lua_concat(L, 3);
}

bool schema__violation(struct schema_check *c, const struct schema_node *n, const struct schema_path *path,
                       enum rt_message_id id, const char *arg, size_t arg_n)
{
    lua_State *L = c->L;
    char where[256];
    size_t len = schema__path_text(path, where, sizeof where);
    luaL_checkstack(L, 8, "violation");
    if (!lua_istable(L, c->errors)) {
        lua_newtable(L);
        lua_replace(L, c->errors);
    }
    lua_pushlstring(L, len ? where : "body", len ? len : 4);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, c->errors) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, c->errors);
        c->count++;
    }
    push_message(c, n, id, arg, arg_n);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 2);
    return false;
}

static bool count_violation(struct schema_check *c, const struct schema_node *n, const struct schema_path *path,
                            enum rt_message_id id, int64_t bound)
{
    char digits[24];
    return schema__violation(c, n, path, id, digits, rt_int_text(bound, digits));
}

/* Pushes a copy of the value at `idx`: integral floats become integers (every JSON number arrives as a float). */
static bool push_plain_copy(lua_State *L, int idx, int depth)
{
    int exact = 0;
    lua_Integer whole = 0;
    if (lua_type(L, idx) == LUA_TNUMBER)
        whole = lua_tointegerx(L, idx, &exact);
    if (exact) {
        lua_pushinteger(L, whole);
        return true;
    }
    if (!lua_istable(L, idx)) {
        lua_pushvalue(L, idx);
        return true;
    }
    if (depth == 0)
        return false;
    luaL_checkstack(L, 8, "value");
    idx = lua_absindex(L, idx);
    lua_createtable(L, (int)lua_rawlen(L, idx), 0);
    if (lua_getmetatable(L, idx))
        lua_setmetatable(L, -2);
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pushvalue(L, -2);
        if (!push_plain_copy(L, -2, depth - 1)) {
            lua_pop(L, 4);
            return false;
        }
        lua_rawset(L, -5);
        lua_pop(L, 1);
    }
    return true;
}

static bool check_any(struct schema_check *c, const struct schema_node *n, const struct schema_path *path)
{
    if (!push_plain_copy(c->L, -1, 64))
        return schema__violation(c, n, path, RT_MSG_DEPTH, NULL, 0);
    lua_replace(c->L, -2);
    return true;
}

static bool check_object(struct schema_check *c, const struct schema_node *n, const struct schema_path *path)
{
    lua_State *L = c->L;
    int in = lua_gettop(L);
    if (!lua_istable(L, in) || lua_rawlen(L, in) > 0)
        return schema__violation(c, n, path, RT_MSG_OBJECT, NULL, 0);
    lua_createtable(L, 0, (int)n->count);
    for (const struct schema_field *f = n->fields; f < n->fields + n->count; f++) {
        struct schema_path at = { path, f->name, f->name_n, 0 };
        lua_rawgeti(L, c->consts, f->key);
        lua_pushvalue(L, -1);
        lua_rawget(L, in);
        check_node(c, &f->node, &at);
        if (lua_isnil(L, -1))
            lua_pop(L, 2);
        else
            lua_rawset(L, in + 1);
    }
    lua_replace(L, in);
    return true;
}

static bool check_map(struct schema_check *c, const struct schema_node *n, const struct schema_path *path)
{
    lua_State *L = c->L;
    int in = lua_gettop(L);
    if (!lua_istable(L, in) || lua_rawlen(L, in) > 0)
        return schema__violation(c, n, path, RT_MSG_OBJECT, NULL, 0);
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, in)) {
        struct schema_path at = { path, NULL, 0, 0 };
        if (lua_type(L, -2) != LUA_TSTRING || c->count >= RT_SCHEMA_FIELDS_IN_ERROR) {
            lua_pop(L, 2);
            return c->count ? false : schema__violation(c, n, path, RT_MSG_OBJECT, NULL, 0);
        }
        at.name = lua_tolstring(L, -2, &at.n);
        check_node(c, n->of, &at);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, in + 1);
    }
    lua_replace(L, in);
    return true;
}

/* Replaces "a,b" on top by { "a", "b" }; an empty text by {}. */
static void split_text(lua_State *L)
{
    size_t n;
    const char *p = lua_tolstring(L, -1, &n), *end = p + n;
    int text = lua_gettop(L);
    lua_newtable(L);
    for (lua_Integer i = 1; n > 0 && p <= end; i++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        struct rt_str item = rt_str_trim((struct rt_str){ p, (size_t)((comma ? comma : end) - p) });
        lua_pushlstring(L, item.n ? item.p : "", item.n);
        lua_rawseti(L, -2, i);
        p = comma ? comma + 1 : end + 1;
    }
    lua_replace(L, text);
}

/* True for a table that can be an array: the sequence, or nothing at all. */
static bool is_list(lua_State *L)
{
    if (!lua_istable(L, -1))
        return false;
    if (lua_rawlen(L, -1) > 0)
        return true;
    lua_pushnil(L);
    if (!lua_next(L, -2))
        return true;
    lua_pop(L, 2);
    return false;
}

static bool check_items(struct schema_check *c, const struct schema_node *n, const struct schema_path *path, size_t len)
{
    lua_State *L = c->L;
    int in = lua_gettop(L);
    lua_createtable(L, (int)len, 0);
    rt_present_array_mt(L);
    lua_setmetatable(L, -2);
    for (size_t i = 0; i < len && c->count < RT_SCHEMA_FIELDS_IN_ERROR; i++) {
        struct schema_path at = { path, NULL, 0, (lua_Integer)i };
        int before = c->count;
        lua_rawgeti(L, in, (lua_Integer)i + 1);
        /* A text is one parameter to its sender: its first bad item speaks for all. */
        check_node(c, n->of, c->source == RT_SOURCE_TEXT ? path : &at);
        lua_rawseti(L, in + 1, (lua_Integer)i + 1);
        if (c->source == RT_SOURCE_TEXT && c->count > before)
            return false;
    }
    lua_replace(L, in);
    return true;
}

static bool check_list(struct schema_check *c, const struct schema_node *n, const struct schema_path *path)
{
    lua_State *L = c->L;
    if (c->source == RT_SOURCE_TEXT && lua_type(L, -1) == LUA_TSTRING)
        split_text(L);
    if (!is_list(L))
        return schema__violation(c, n, path, RT_MSG_LIST, NULL, 0);
    size_t len = lua_rawlen(L, -1);
    if (n->has_min && (int64_t)len < n->min)
        return count_violation(c, n, path, RT_MSG_MIN_ITEMS, n->min);
    if (n->has_max && (int64_t)len > n->max)
        return count_violation(c, n, path, RT_MSG_MAX_ITEMS, n->max);
    return check_items(c, n, path, len);
}

/* A model has constants of its own. */
static bool check_ref(struct schema_check *c, const struct schema_node *n, const struct schema_path *path)
{
    lua_State *L = c->L;
    const struct rt_schema *model = n->slot->schema;
    int saved = c->consts;
    if (!model)
        luaL_error(L, "the model %s does not exist", n->slot->name);
    lua_rawgeti(L, LUA_REGISTRYINDEX, model->consts);
    lua_insert(L, -2);
    c->consts = lua_gettop(L) - 1;
    check_node(c, &model->root, path);
    lua_remove(L, c->consts);
    c->consts = saved;
    return true;
}

static void absent(struct schema_check *c, const struct schema_node *n, const struct schema_path *path)
{
    if (n->default_at) {
        lua_pop(c->L, 1);
        lua_rawgeti(c->L, c->consts, n->default_at);
        if (lua_istable(c->L, -1)) {
            push_plain_copy(c->L, -1, 64);
            lua_replace(c->L, -2);
        }
    } else if (n->required) {
        schema__violation(c, n, path, RT_MSG_REQUIRED, NULL, 0);
    }
}

/* Replaces the value on top by its cleaned form, nil when there is none. */
static void check_node(struct schema_check *c, const struct schema_node *n, const struct schema_path *path)
{
    lua_State *L = c->L;
    int top = lua_gettop(L);
    bool ok = true;
    luaL_checkstack(L, 10, "value");
    if (lua_isnil(L, top)) {
        absent(c, n, path);
        return;
    }
    if (schema__is_null(L, top)) {
        ok = n->nullable || n->kind == KIND_ANY || schema__violation(c, n, path, RT_MSG_NULL, NULL, 0);
    } else if (c->depth >= RT_SCHEMA_DEPTH) {
        ok = schema__violation(c, n, path, RT_MSG_DEPTH, NULL, 0);
    } else {
        c->depth++;
        switch (n->kind) {
        case KIND_OBJECT: ok = check_object(c, n, path); break;
        case KIND_LIST: ok = check_list(c, n, path); break;
        case KIND_MAP: ok = check_map(c, n, path); break;
        case KIND_REF: ok = check_ref(c, n, path); break;
        case KIND_ANY: ok = check_any(c, n, path); break;
        default: ok = schema__check_leaf(c, n, path); break;
        }
        c->depth--;
    }
    lua_settop(L, top);
    if (!ok) {
        lua_pushnil(L);
        lua_replace(L, top);
    }
}

int rt_schema_check_all(lua_State *L, const struct rt_schema *s, int idx, int source,
                        const struct rt_messages *messages)
{
    struct schema_path root = { NULL, NULL, 0, 0 };
    struct schema_check c = { .L = L, .messages = messages, .source = source };
    idx = lua_absindex(L, idx);
    luaL_checkstack(L, 16, "value");
    lua_pushnil(L);
    c.errors = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->consts);
    c.consts = c.errors + 1;
    lua_pushvalue(L, idx);
    check_node(&c, &s->root, &root);
    lua_replace(L, c.consts);
    lua_settop(L, c.consts);
    return c.count;
}

int rt_schema_check(lua_State *L, const struct rt_schema *s, int idx, int source, const struct rt_messages *messages)
{
    int bad = rt_schema_check_all(L, s, idx, source, messages);
    if (!bad)
        lua_remove(L, -2);
    else
        lua_pop(L, 1);
    return bad;
}
