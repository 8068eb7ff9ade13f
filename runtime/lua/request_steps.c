/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a request: who asks, where, may they, is the input right, the handler, the answer's JSON. Between
 * them the host calls functions of the app's, each of which may be interrupted for others. */
#include <stdio.h>
#include <string.h>

#include "http/query.h"
#include "lua/api.h"
#include "lua/file.h"
#include "lua/input.h"
#include "lua/present.h"
#include "lua/request_steps.h"
#include "lua/schema.h"

#define HEADER_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static const struct rt_returns *declared(const struct rt_route *r, int status)
{
    for (int i = 0; i < r->n_returns; i++)
        if (r->returns[i].status == status)
            return &r->returns[i];
    return NULL;
}

static bool printable(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
            return false;
    return true;
}

/* They wait in the exchange: the answer may still become another one, or be kept for a repetition. */
static void add_headers(lua_State *L, struct rt_exchange *x, int idx)
{
    if (lua_isnoneornil(L, idx))
        return;
    luaL_checktype(L, idx, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
            luaL_error(L, "the third value of an answer must be a table of header names and texts");
        size_t name_n, n;
        const char *name = lua_tolstring(L, -2, &name_n), *value = lua_tolstring(L, -1, &n);
        if (name_n == 0 || name_n > 100 || strspn(name, HEADER_CHARS) != name_n || n > 4000 || !printable(value, n))
            luaL_error(L, "the header %s has a name or a value that cannot be sent", name);
        rt_buf_printf(&x->headers, "%s: %s\n", name, value);
        lua_pop(L, 1);
    }
}

static void take_file(lua_State *L, struct rt_exchange *x, int idx)
{
    struct rt_file *f = rt_file_test(L, idx);
    if (!f)
        luaL_error(L, "%s %s must answer with a file (report.csv{…}, .xlsx, .pdf)", x->route->method, x->route->path);
    snprintf(x->content_type, sizeof x->content_type, "%s", f->type);
    snprintf(x->file_name, sizeof x->file_name, "%s", f->name);
    struct rt_err err;
    if (!rt_spool_in_memory(f->bytes) && !x->keep_body) {
        x->file_size = rt_spool_size(f->bytes);
        x->file_fd = rt_spool_take_file(f->bytes);
    } else if (rt_spool_copy(f->bytes, &x->body, &err)) {
        luaL_error(L, "%s %s: %s%s", x->route->method, x->route->path, err.msg,
                   x->keep_body ? " (a repeatable request's answer is kept)" : "");
    }
}

/* What the handler returned (status, value, headers) stands above the exchange and req. */
static void present(lua_State *L, struct rt_exchange *x)
{
    const int first = 3;
    lua_settop(L, first + 2);
    if (!lua_isinteger(L, first))
        luaL_error(L, "a handler returns a status first, as in `return 200, task`; got %s", luaL_typename(L, first));
    x->status = (int)lua_tointeger(L, first);
    const struct rt_returns *r = declared(x->route, x->status);
    if (!r)
        luaL_error(L, "%s %s returned %d, which its `returns` does not declare", x->route->method, x->route->path,
                   x->status);
    x->returns = r;
    add_headers(L, x, first + 2);
    struct rt_err err;
    size_t n;
    const char *p;
    if (rt_file_test(L, first + 1) || r->kind == RT_BODY_FILE) {
        take_file(L, x, first + 1);
    } else if (r->kind == RT_BODY_HTML) {
        p = luaL_checklstring(L, first + 1, &n);
        snprintf(x->content_type, sizeof x->content_type, "text/html; charset=utf-8");
        rt_buf_put(&x->body, p, n);
    } else if (r->kind == RT_BODY_JSON) {
        snprintf(x->content_type, sizeof x->content_type, "application/json");
        if (rt_present(L, first + 1, r->schema, &x->body, &err))
            luaL_error(L, "%s %s: the answer does not fit its declaration: %s", x->route->method, x->route->path,
                       err.msg);
    }
    if (x->body.failed || x->headers.failed)
        luaL_error(L, "the answer is longer than %d bytes or its headers than %d", RT_ANSWER_MAX, RT_HEADERS_MAX);
}

/* The request's token; one from the query is decoded and stands on the stack. */
static struct rt_str push_token(lua_State *L, const struct rt_exchange *x)
{
    struct rt_str token = rt_bearer(rt_http_header(x->http, "Authorization"));
    struct rt_str query = rt_http_query(x->http), name, value;
    while (!token.p && x->route->token_query && rt_query_next(&query, &name, &value))
        if (rt_str_is(name, x->route->token_query)) {
            rt_push_decoded(L, value, true, 400);
            token.p = lua_tolstring(L, -1, &token.n);
        }
    return token;
}

/* A socket's handler gets `req` when the HTTP request is gone: what is made on demand is made now. */
static void keep_request(lua_State *L, struct rt_exchange *x)
{
    static const char *const fields[] = { "id", "origin", "method", "path", "query_text", "address", NULL };
    for (int i = 0; fields[i]; i++) {
        lua_getfield(L, 2, fields[i]);
        lua_pushstring(L, fields[i]);
        lua_insert(L, -2);
        lua_rawset(L, 2);
    }
    lua_settop(L, 2);
    x->request_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    x->upgrade = true;
}

static void refuse(lua_State *L, const struct rt_exchange *x, int status)
{
    if (status)
        rt_raise_failure(L, status, NULL, x->refusal ? x->refusal : "Refused");
}

/* Pushes the principal that the server vouches for. */
static int64_t push_assumed(lua_State *L, const char *json)
{
    rt_push_json(L, rt_str_of(json));
    lua_Number id = lua_getfield(L, -1, "id") == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    lua_pop(L, 1);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        lua_Integer whole; /* the decoder makes all numbers floats */
        if (lua_type(L, -1) == LUA_TNUMBER && lua_numbertointeger(lua_tonumber(L, -1), &whole)) {
            lua_pushvalue(L, -2);
            lua_pushinteger(L, whole);
            lua_rawset(L, -5);
        }
    }
    rt_freeze(L, "req.user");
    return (int64_t)id;
}

/* The steps. Each begins with what the host does itself and pushes a function of the app's with its arguments,
 * whose number it returns, or NONE when there is nothing to ask the app; what it gave is taken then. */
enum { NONE = -1, OVER = -2 /* the request needs no more steps */ };

/* req at 2, with req.user; a guest has none. What the token's text stands in stays on the stack. */
static int ask_principal(lua_State *L, struct rt_exchange *x)
{
    const struct rt_route *r = x->route;
    lua_createtable(L, 0, 8);
    luaL_setmetatable(L, "rt.req");
    if (r->anyone)
        return NONE;
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->principal_ref);
    if (x->assume) {
        x->user_id = push_assumed(L, x->assume);
        lua_setfield(L, 2, "user");
        return NONE;
    }
    x->token = push_token(L, x);
    if (r->guests && !x->token.p)
        return NONE;
    x->want = (struct rt_principal_want){ .who = r->who, .fn = 3, .token = x->token, .now = x->now };
    if (!rt_principal_push(L, &x->want)) {
        rt_script_enter(x->app->vm, r->principal_script);
        return 1;
    }
    x->user_id = x->want.id;
    lua_setfield(L, 2, "user");
    return NONE;
}

static void take_principal(lua_State *L, struct rt_exchange *x)
{
    rt_principal_take(L, &x->want);
    x->user_id = x->want.id;
    lua_setfield(L, 2, "user");
}

/* What the path names and the user may be in: the app's function says what it is, or fails. */
static int ask_scope(lua_State *L, struct rt_exchange *x)
{
    const struct rt_route *r = x->route;
    x->known = true;
    refuse(L, x, x->admit ? x->admit(x) : 0);
    lua_settop(L, 2);
    lua_pushinteger(L, x->now);
    lua_setfield(L, 2, "now");
    rt_input_params(L, x, 2);
    if (!r->within)
        return NONE;
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->scope_ref);
    lua_getfield(L, 2, "user");
    lua_getfield(L, 2, "params");
    rt_script_enter(x->app->vm, r->scope_script);
    return 2;
}

static void take_scope(lua_State *L, struct rt_exchange *x)
{
    const char *name = x->route->within;
    if (!lua_istable(L, -1) || lua_getfield(L, -1, "id") != LUA_TNUMBER || !lua_isinteger(L, -1))
        luaL_error(L, "the scope '%s' must give a table with an integer field id, or fail", name);
    x->scope_id = lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_setfield(L, 2, name);
    refuse(L, x, x->entered ? x->entered(x) : 0);
}

/* Before the input: who may not do it learns nothing about how it is done. */
static int ask_rule(lua_State *L, struct rt_exchange *x)
{
    if (!x->route->can)
        return NONE;
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->route->can_ref);
    lua_getfield(L, 2, "user");
    lua_pushvalue(L, 2);
    x->app->vm->phase = RT_RULE;
    rt_script_enter(x->app->vm, x->route->rule_script);
    return 2;
}

static void take_rule(lua_State *L, struct rt_exchange *x)
{
    (void)x;
    if (!lua_toboolean(L, -2))
        rt_raise_failure(L, 403, NULL, lua_isstring(L, -1) ? lua_tostring(L, -1) : "Insufficient permissions");
}

static int ask_check(lua_State *L, struct rt_exchange *x)
{
    int done = x->allowed ? x->allowed(x) : 0;
    if (done == RT_ANSWERED)
        return OVER;
    refuse(L, x, done);
    lua_settop(L, 2);
    x->violations = rt_input_read(L, x, 2);
    if (x->route->check_ref == LUA_NOREF) {
        rt_input_judge(L, x);
        return NONE;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->route->check_ref);
    lua_pushvalue(L, 2);
    return 1;
}

static void take_check(lua_State *L, struct rt_exchange *x)
{
    x->violations += rt_input_add(L, 3);
    rt_input_judge(L, x);
}

static int ask_handler(lua_State *L, struct rt_exchange *x)
{
    lua_settop(L, 2);
    if (x->route->socket) {
        keep_request(L, x);
        return OVER;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->route->run_ref);
    lua_pushvalue(L, 2);
    return 1;
}

static const struct {
    int (*ask)(lua_State *L, struct rt_exchange *x);
    void (*take)(lua_State *L, struct rt_exchange *x);
    int results;
} steps[] = { { ask_principal, take_principal, 3 },
              { ask_scope, take_scope, 1 },
              { ask_rule, take_rule, 2 },
              { ask_check, take_check, 1 },
              { ask_handler, present, LUA_MULTRET } };
enum { STEPS = sizeof steps / sizeof *steps };

static void take(lua_State *L, struct rt_exchange *x)
{
    x->app->vm->phase = RT_REQUEST;
    rt_script_back(x->app->vm, x->call.script);
    steps[x->step++].take(L, x);
}

static int asked(lua_State *L, int status, lua_KContext ctx)
{
    struct rt_exchange *x = (struct rt_exchange *)ctx;
    if (status == LUA_YIELD)
        take(L, x);
    while (x->step < STEPS) {
        int nargs = steps[x->step].ask(L, x);
        if (nargs == OVER)
            break;
        if (nargs == NONE) {
            x->step++;
            continue;
        }
        lua_callk(L, nargs, steps[x->step].results, ctx, asked);
        take(L, x);
    }
    return 0;
}

int rt_request_steps(lua_State *L) { return asked(L, LUA_OK, (lua_KContext)lua_touserdata(L, 1)); }
