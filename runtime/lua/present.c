/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the value with the text going straight into the buffer. What does not depend on the
 * value is done when the schema is compiled: names are escaped already, and their Lua strings wait in
 * the schema's table of constants, so that a field costs two raw table reads. */
#include "lua/present.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "lua/fragment.h"
#include "lua/present_internal.h"
#include "lua/schema_internal.h"

static int put_node(struct present *p, const struct schema_node *n, const struct schema_path *path);

int present__fail(struct present *p, const struct schema_path *path, int code, const char *what)
{
    char where[256];
    size_t n = schema__path_text(path, where, sizeof where);
    return rt_err_set(p->err, code, "%.*s %s", n ? (int)n : 6, n ? where : "answer", what);
}

static int wrong_type(struct present *p, const struct schema_path *path, const char *wanted)
{
    char what[96];
    snprintf(what, sizeof what, "must be %s, got a %s", wanted, luaL_typename(p->L, -1));
    return present__fail(p, path, RT_E_INVALID, what);
}

int present__enter(struct present *p, const struct schema_path *path)
{
    if (p->depth >= RT_PRESENT_DEPTH)
        return present__fail(p, path, RT_E_LIMIT, "is nested too deeply (does it contain itself?)");
    if (!lua_checkstack(p->L, 12))
        return present__fail(p, path, RT_E_LIMIT, "needs more stack than there is");
    p->depth++;
    return 0;
}

int present__scalar(struct present *p, const struct schema_path *path, int type)
{
    lua_State *L = p->L;
    const struct rt_fragment *fragment;
    const char *s;
    size_t n;
    switch (type) {
    case LUA_TSTRING:
        s = lua_tolstring(L, -1, &n);
        rt_json_put_string(p->out, s, n);
        return 0;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1))
            rt_json_put_int(p->out, lua_tointeger(L, -1));
        else
            rt_json_put_double(p->out, lua_tonumber(L, -1));
        return 0;
    case LUA_TBOOLEAN: rt_json_put_bool(p->out, lua_toboolean(L, -1)); return 0;
    case LUA_TNIL: rt_json_put_null(p->out); return 0;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1))
            break;
        rt_json_put_null(p->out);
        return 0;
    case LUA_TUSERDATA:
        if (!(fragment = rt_fragment_test(L, -1)))
            break;
        rt_buf_put(p->out, fragment->data, fragment->n);
        return 0;
    default: break;
    }
    return wrong_type(p, path, "a value that JSON has");
}

static int put_object(struct present *p, const struct schema_node *n, const struct schema_path *path)
{
    lua_State *L = p->L;
    int rc = present__enter(p, path), t = lua_gettop(L);
    size_t skip = 1; /* the label's comma, before the first field */
    if (rc < 0)
        return rc;
    rt_buf_putc(p->out, '{');
    for (const struct schema_field *f = n->fields; f < n->fields + n->count && rc == 0; f++) {
        lua_rawgeti(L, p->consts, f->key);
        int type = lua_rawget(L, t);
        if (type != LUA_TNIL || !f->node.omit) {
            struct schema_path at = { path, f->name, f->name_n, 0 };
            rt_buf_put(p->out, f->label + skip, f->label_n - skip);
            skip = 0;
            rc = put_node(p, &f->node, &at);
        }
        lua_settop(L, t);
    }
    rt_buf_putc(p->out, '}');
    p->depth--;
    return rc;
}

static int put_list(struct present *p, const struct schema_node *n, const struct schema_path *path)
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
        rc = put_node(p, n->of, &at);
        lua_settop(L, t);
    }
    rt_buf_putc(p->out, ']');
    p->depth--;
    return rc;
}

static int put_map_value(struct present *p, const void *of, const struct schema_path *path)
{
    return put_node(p, of, path);
}

static int put_ref(struct present *p, const struct schema_node *n, const struct schema_path *path)
{
    const struct rt_schema *model = n->slot->schema;
    int saved = p->consts, rc = present__enter(p, path);
    if (rc < 0)
        return rc;
    if (!model)
        return present__fail(p, path, RT_E_NOTFOUND, "refers to a model that does not exist");
    lua_rawgeti(p->L, LUA_REGISTRYINDEX, model->consts);
    lua_insert(p->L, -2);
    p->consts = lua_gettop(p->L) - 1;
    rc = put_node(p, &model->root, path);
    lua_remove(p->L, p->consts);
    p->consts = saved;
    p->depth--;
    return rc;
}

/* A table where the type has parts, or where it has none. */
static int put_table(struct present *p, const struct schema_node *n, const struct schema_path *path)
{
    switch (n->kind) {
    case KIND_OBJECT:
        if (lua_rawlen(p->L, -1) > 0)
            return present__fail(p, path, RT_E_INVALID, "must be an object, not a list");
        return put_object(p, n, path);
    case KIND_LIST: return put_list(p, n, path);
    case KIND_MAP: return present__sorted(p, path, put_map_value, n->of);
    case KIND_REF: return put_ref(p, n, path);
    case KIND_ANY: return present__plain(p, NULL, path);
    default: return wrong_type(p, path, "a single value");
    }
}

static int put_number(struct present *p, const struct schema_node *n, const struct schema_path *path)
{
    lua_Integer whole;
    if (n->kind != KIND_DATETIME && n->kind != KIND_BOOLEAN)
        return present__scalar(p, path, LUA_TNUMBER);
    if (lua_isinteger(p->L, -1))
        whole = lua_tointeger(p->L, -1);
    else if (!lua_numbertointeger(floor(lua_tonumber(p->L, -1)), &whole))
        return wrong_type(p, path, "a time or a boolean");
    if (n->kind == KIND_DATETIME)
        rt_json_put_time(p->out, whole);
    else
        rt_json_put_bool(p->out, whole != 0);
    return 0;
}

/* Writes the value on top of the stack, which stays there. */
static int put_node(struct present *p, const struct schema_node *n, const struct schema_path *path)
{
    int type = lua_type(p->L, -1);
    if (type == LUA_TTABLE)
        return put_table(p, n, path);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        return present__scalar(p, path, type);
    if (n->kind == KIND_REF)
        return put_ref(p, n, path);
    if (n->kind >= KIND_LIST)
        return wrong_type(p, path, n->kind == KIND_LIST ? "a list" : "an object");
    return type == LUA_TNUMBER ? put_number(p, n, path) : present__scalar(p, path, type);
}

int rt_present(lua_State *L, int idx, const struct rt_schema *s, struct rt_buf *out, struct rt_err *err)
{
    struct schema_path root = { NULL, NULL, 0, 0 };
    struct present p = { .L = L, .out = out, .err = err };
    idx = lua_absindex(L, idx);
    int top = lua_gettop(L), rc;
    if (!lua_checkstack(L, 12))
        return rt_err_set(err, RT_E_LIMIT, "not enough stack to write an answer");
    if (s)
        lua_rawgeti(L, LUA_REGISTRYINDEX, s->consts);
    p.consts = top + 1;
    lua_pushvalue(L, idx);
    rc = s ? put_node(&p, &s->root, &root) : present__plain(&p, NULL, &root);
    lua_settop(L, top);
    if (rc == 0 && out->failed)
        rc = rt_err_set(err, RT_E_LIMIT, "the answer is too large");
    return rc;
}
