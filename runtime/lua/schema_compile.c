/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns a type's table into nodes. The work runs in a protected call and hangs every piece of memory
 * into the growing tree at once, so that a Lua error anywhere leaves one thing to free. Lua values
 * that are needed later (field names, defaults, patterns) go into one table per schema: indexing it by
 * a small integer is cheaper than making the string again for each lookup. */
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "lua/schema_internal.h"

struct compile {
    lua_State *L;
    struct rt_schema *schema;
    struct rt_schema_set *models;
    int consts; /* stack index */
    int depth;
};

static void compile_node(struct compile *c, int t, struct schema_node *n);

static const struct {
    const char *name;
    enum schema_kind kind;
} kinds[] = {
    { "text", KIND_TEXT },         { "email", KIND_EMAIL },       { "date", KIND_DATE },
    { "datetime", KIND_DATETIME }, { "timezone", KIND_TIMEZONE }, { "one_of", KIND_ONE_OF },
    { "integer", KIND_INTEGER },   { "id", KIND_INTEGER },        { "number", KIND_NUMBER },
    { "boolean", KIND_BOOLEAN },   { "any", KIND_ANY },           { "list", KIND_LIST },
    { "map", KIND_MAP },           { "object", KIND_OBJECT },     { "ref", KIND_REF },
};

static void *need(struct compile *c, size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        luaL_error(c->L, "not enough memory for a type");
    return p;
}

/* Pushes t[name] and returns its type. */
static int get(struct compile *c, int t, const char *name)
{
    lua_pushstring(c->L, name);
    return lua_rawget(c->L, t);
}

static bool get_bool(struct compile *c, int t, const char *name, bool missing)
{
    bool v = get(c, t, name) == LUA_TNIL ? missing : lua_toboolean(c->L, -1);
    lua_pop(c->L, 1);
    return v;
}

/* A copy of the string on top of the stack, which stays. */
static char *copy_top(struct compile *c, size_t *ret_n)
{
    size_t n;
    const char *s = lua_tolstring(c->L, -1, &n);
    char *p = need(c, n + 1, 1);
    memcpy(p, s, n);
    if (ret_n)
        *ret_n = n;
    return p;
}

/* Pops a value into the table of constants. */
static int keep(struct compile *c)
{
    int at = (int)lua_rawlen(c->L, c->consts) + 1;
    lua_rawseti(c->L, c->consts, at);
    return at;
}

static bool get_bound(struct compile *c, int t, const char *name, int64_t *ret, double *ret_number)
{
    int type = get(c, t, name);
    if (type != LUA_TNIL && type != LUA_TNUMBER)
        luaL_error(c->L, "%s of a type must be a number", name);
    if (type == LUA_TNUMBER) {
        double d = lua_tonumber(c->L, -1);
        *ret_number = d;
        if (lua_isinteger(c->L, -1))
            *ret = lua_tointeger(c->L, -1);
        else
            *ret = d >= 0x1p63 ? INT64_MAX : d < -0x1p63 ? INT64_MIN : d == d ? (int64_t)d : 0;
    }
    lua_pop(c->L, 1);
    return type == LUA_TNUMBER;
}

/* message = "…" or message = { min_length = "…", pattern = "…" } */
static void compile_message(struct compile *c, int t, struct schema_node *n)
{
    struct rt_err err;
    int type = get(c, t, "message");
    if (type == LUA_TSTRING)
        n->message = copy_top(c, NULL);
    if (type == LUA_TTABLE) {
        n->messages = need(c, 1, sizeof *n->messages);
        if (rt_messages_load(c->L, lua_gettop(c->L), n->messages, &err))
            luaL_error(c->L, "message of a type: %s", err.msg);
    }
    lua_pop(c->L, 1);
}

static void compile_options(struct compile *c, int t, struct schema_node *n)
{
    n->required = get_bool(c, t, "required", true);
    n->nullable = get_bool(c, t, "nullable", false);
    n->omit = get_bool(c, t, "omit", false);
    n->trim = get_bool(c, t, "trim", true);
    n->has_min = get_bound(c, t, "min", &n->min, &n->low);
    n->has_max = get_bound(c, t, "max", &n->max, &n->high);
    compile_message(c, t, n);
    if (get(c, t, "pattern") == LUA_TSTRING)
        n->pattern_at = keep(c);
    else
        lua_pop(c->L, 1);
    if (get(c, t, "default") != LUA_TNIL)
        n->default_at = keep(c);
    else
        lua_pop(c->L, 1);
}

static void compile_values(struct compile *c, int t, struct schema_node *n)
{
    lua_State *L = c->L;
    if (get(c, t, "values") != LUA_TTABLE)
        luaL_error(L, "one_of without values");
    size_t count = lua_rawlen(L, -1);
    n->values = need(c, count, sizeof *n->values);
    n->count = count;
    for (size_t i = 0; i < count; i++) {
        struct schema_value *v = &n->values[i];
        int type = lua_rawgeti(L, -1, (lua_Integer)i + 1);
        v->is_text = type == LUA_TSTRING;
        if (v->is_text)
            v->text = copy_top(c, &v->n);
        else if (lua_isinteger(L, -1))
            v->number = lua_tointeger(L, -1);
        else
            luaL_error(L, "value %d of one_of must be a string or an integer", (int)i + 1);
        v->at = keep(c);
    }
    lua_pop(L, 1);
}

/* `,"name":`, escaped once here and copied into every answer. */
static char *label_of(struct compile *c, const char *name, size_t n, size_t *ret_n)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_putc(&b, ',');
    rt_json_put_string(&b, name, n);
    rt_buf_putc(&b, ':');
    char *label = rt_buf_take(&b, ret_n);
    rt_buf_fini(&b);
    if (!label)
        luaL_error(c->L, "not enough memory for a type");
    return label;
}

static void compile_fields(struct compile *c, int t, struct schema_node *n)
{
    lua_State *L = c->L;
    if (get(c, t, "fields") != LUA_TTABLE)
        luaL_error(L, "object without fields");
    int list = lua_gettop(L);
    size_t count = lua_rawlen(L, list);
    n->fields = need(c, count, sizeof *n->fields);
    n->count = count;
    for (size_t i = 0; i < count; i++) {
        struct schema_field *f = &n->fields[i];
        if (lua_rawgeti(L, list, (lua_Integer)i + 1) != LUA_TTABLE || get(c, lua_gettop(L), "name") != LUA_TSTRING)
            luaL_error(L, "field %d of an object has no name", (int)i + 1);
        f->name = copy_top(c, &f->name_n);
        f->label = label_of(c, f->name, f->name_n, &f->label_n);
        f->key = keep(c);
        get(c, lua_gettop(L), "type");
        compile_node(c, lua_gettop(L), &f->node);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

static void compile_of(struct compile *c, int t, struct schema_node *n)
{
    n->of = need(c, 1, sizeof *n->of);
    get(c, t, "of");
    compile_node(c, lua_gettop(c->L), n->of);
    lua_pop(c->L, 1);
}

static void compile_ref(struct compile *c, int t, struct schema_node *n)
{
    if (get(c, t, "ref") != LUA_TSTRING)
        luaL_error(c->L, "ref without the name of a model");
    size_t len;
    const char *name = lua_tolstring(c->L, -1, &len);
    if (!c->models)
        luaL_error(c->L, "ref \"%s\" cannot be used here", name);
    n->slot = schema__slot(c->models, name, len);
    if (!n->slot)
        luaL_error(c->L, "not enough memory for a type");
    n->slot->wanted = true;
    lua_pop(c->L, 1);
}

static enum schema_kind kind_of(struct compile *c, int t)
{
    if (!lua_istable(c->L, t) || get(c, t, "kind") != LUA_TSTRING)
        luaL_error(c->L, "a type was expected, got a %s", luaL_typename(c->L, t));
    const char *name = lua_tostring(c->L, -1);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            lua_pop(c->L, 1);
            return kinds[i].kind;
        }
    }
    return (enum schema_kind)luaL_error(c->L, "unknown type \"%s\"", name);
}

static void compile_node(struct compile *c, int t, struct schema_node *n)
{
    if (++c->depth > RT_SCHEMA_DEPTH)
        luaL_error(c->L, "a type is nested more than %d levels deep", (int)RT_SCHEMA_DEPTH);
    luaL_checkstack(c->L, 10, "type");
    n->kind = kind_of(c, t);
    compile_options(c, t, n);
    switch (n->kind) {
    case KIND_ONE_OF: compile_values(c, t, n); break;
    case KIND_OBJECT: compile_fields(c, t, n); break;
    case KIND_REF: compile_ref(c, t, n); break;
    case KIND_LIST:
    case KIND_MAP: compile_of(c, t, n); break;
    default: break;
    }
    c->depth--;
}

/* Pushes string.find as the state has it: the bounded one of a sandbox, since it replaces the library's entry. */
static void push_find(lua_State *L)
{
    lua_pushnil(L);
    if (lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE) == LUA_TTABLE) {
        lua_pushliteral(L, "string");
        if (lua_rawget(L, -2) == LUA_TTABLE) {
            lua_pushliteral(L, "find");
            lua_rawget(L, -2);
            lua_replace(L, -4);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (!lua_isfunction(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 0);
    }
}

static int compile_protected(lua_State *L)
{
    struct compile *c = lua_touserdata(L, 1);
    lua_createtable(L, 16, 0);
    c->consts = lua_gettop(L);
    push_find(L);
    keep(c);
    compile_node(c, 2, &c->schema->root);
    lua_pushvalue(L, c->consts);
    c->schema->consts = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

int rt_schema_compile(lua_State *L, int idx, struct rt_schema_set *models, struct rt_schema **ret, struct rt_err *err)
{
    struct rt_schema *schema = calloc(1, sizeof *schema);
    struct compile c = { .L = L, .schema = schema, .models = models };
    if (!schema || !lua_checkstack(L, 4)) {
        free(schema);
        return rt_err_set(err, RT_E_NOMEM, "not enough memory for a type");
    }
    schema->consts = LUA_NOREF;
    idx = lua_absindex(L, idx);
    lua_pushcfunction(L, compile_protected);
    lua_pushlightuserdata(L, &c);
    lua_pushvalue(L, idx);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        const char *why = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "a type cannot be compiled";
        rt_err_set(err, RT_E_INVALID, "%s", why);
        lua_pop(L, 1);
        rt_schema_free(L, schema);
        return RT_E_INVALID;
    }
    *ret = schema;
    return 0;
}
