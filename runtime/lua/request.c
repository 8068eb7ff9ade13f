/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a request through an app, as one C function that runs inside the request's coroutine, so
 * that every step may raise (a failure ends the request with the app's envelope) and the handler may
 * wait. The answer is put into JSON inside the coroutine too: an error there is a 500 like any other,
 * and the transaction is still open to be rolled back. */
#include "lua/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/query.h"
#include "lua/api.h"
#include "lua/file.h"
#include "lua/input.h"
#include "lua/present.h"
#include "lua/schema.h"

enum { ANSWER_MAX = 64 << 20, HEADERS_MAX = 16 << 10 };

#define HEADER_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* What the path names and the user may be in: the app's function says what it is, or fails. */
static void enter_scope(lua_State *L, struct rt_exchange *x, int req)
{
    const struct rt_route *r = x->route;
    if (!r->within)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->scope_ref);
    lua_getfield(L, req, "user");
    lua_getfield(L, req, "params");
    rt_script_call(L, r->scope_script, 2, 1);
    if (!lua_istable(L, -1) || lua_getfield(L, -1, "id") != LUA_TNUMBER || !lua_isinteger(L, -1))
        luaL_error(L, "the scope '%s' must give a table with an integer field id, or fail", r->within);
    x->scope_id = lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_setfield(L, req, r->within);
    int refused = x->entered ? x->entered(x) : 0;
    if (refused)
        rt_raise_failure(L, refused, NULL, x->refusal ? x->refusal : "Refused");
}

static void check_rule(lua_State *L, struct rt_exchange *x, int req)
{
    struct rt_vm *vm = rt_vm_of(L);
    if (!x->route->can)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->route->can_ref);
    lua_getfield(L, req, "user");
    lua_pushvalue(L, req);
    vm->phase = RT_RULE;
    rt_script_call(L, x->route->rule_script, 2, 2);
    vm->phase = RT_REQUEST;
    if (!lua_toboolean(L, -2))
        rt_raise_failure(L, 403, NULL, lua_isstring(L, -1) ? lua_tostring(L, -1) : "Insufficient permissions");
    lua_pop(L, 2);
}

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

/* What the handler returned stands at first (status, value, headers). */
static void present(lua_State *L, struct rt_exchange *x, int first)
{
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
        luaL_error(L, "the answer is longer than %d bytes or its headers than %d", ANSWER_MAX, HEADERS_MAX);
}

static int after_handler(lua_State *L, int status, lua_KContext ctx)
{
    struct rt_exchange *x = (struct rt_exchange *)ctx;
    (void)status;
    present(L, x, 3); /* below: the exchange and req */
    return 0;
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
static int keep_request(lua_State *L, struct rt_exchange *x)
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
    return 0;
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

/* req.user at 2; a guest has none. What the token's text stands in stays on the stack. */
static void authenticate(lua_State *L, struct rt_exchange *x)
{
    const struct rt_route *r = x->route;
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->principal_ref);
    if (x->assume) {
        x->user_id = push_assumed(L, x->assume);
    } else {
        x->token = push_token(L, x);
        if (r->guests && !x->token.p)
            return;
        x->user_id = rt_principal_push(L, x->app->vm, r->who, 3, x->token, x->now);
    }
    lua_setfield(L, 2, "user");
}

/* The coroutine's body; the exchange is its argument. */
static int handle(lua_State *L)
{
    struct rt_exchange *x = lua_touserdata(L, 1);
    const struct rt_route *r = x->route;
    lua_createtable(L, 0, 8);
    luaL_setmetatable(L, "rt.req");
    if (!r->anyone)
        authenticate(L, x);
    x->known = true;
    refuse(L, x, x->admit ? x->admit(x) : 0);
    lua_settop(L, 2);
    lua_pushinteger(L, x->now);
    lua_setfield(L, 2, "now");
    rt_input_params(L, x, 2);
    enter_scope(L, x, 2);
    check_rule(L, x, 2); /* before the input: who may not do it learns nothing about how it is done */
    int done = x->allowed ? x->allowed(x) : 0;
    if (done == RT_ANSWERED)
        return 0;
    refuse(L, x, done);
    rt_input_fill(L, x, 2);
    if (r->socket)
        return keep_request(L, x);
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->run_ref);
    lua_pushvalue(L, 2);
    lua_callk(L, 1, LUA_MULTRET, (lua_KContext)x, after_handler);
    return after_handler(L, LUA_OK, (lua_KContext)x);
}

static void drop_file(struct rt_exchange *x)
{
    if (x->file_fd >= 0)
        close(x->file_fd);
    x->file_fd = -1;
}

void rt_exchange_fail(struct rt_exchange *x, int status, const char *code, const char *message, int details_ref)
{
    x->status = status;
    x->upgrade = false;
    x->failed = status >= 500;
    x->file_name[0] = 0;
    drop_file(x);
    rt_buf_reset(&x->headers);
    rt_buf_reset(&x->body);
    snprintf(x->content_type, sizeof x->content_type, "application/json");
    rt_app_envelope(x->app, x->route, status, code, message, details_ref, x->id, &x->body);
}

static void log_error(struct rt_exchange *x, lua_State *co)
{
    char text[512];
    rt_script_failed(&x->call);
    rt_error_text(co, -1, text, sizeof text);
    rt_traceback(co, co, text, 0);
    rt_log(RT_LOG_ERROR, "script error", "app", x->app->name, "route", x->route->path, "method", x->route->method,
           "error", text, "traceback", lua_tostring(co, -1), NULL);
    free(x->error);
    x->error = strdup(lua_tostring(co, -1));
    lua_pop(co, 1);
}

/* Raw: nothing of the script may run any more. */
static int failure_field(lua_State *co, int failure, const char *name)
{
    lua_pushstring(co, name);
    return lua_rawget(co, failure);
}

/* Reads a raised failure at the top of co; false for any other error. */
static bool take_failure(struct rt_exchange *x, lua_State *co)
{
    int top = lua_gettop(co);
    luaL_checkstack(co, 8, NULL);
    lua_Integer status = 0;
    if (lua_istable(co, top) && failure_field(co, top, "status") == LUA_TNUMBER)
        status = lua_tointeger(co, -1);
    if (status < 400 || status > 599) {
        lua_settop(co, top);
        return false;
    }
    char code[64] = "", message[512] = "";
    if (failure_field(co, top, "code") == LUA_TSTRING)
        snprintf(code, sizeof code, "%s", lua_tostring(co, -1));
    if (failure_field(co, top, "message") == LUA_TSTRING)
        snprintf(message, sizeof message, "%s", lua_tostring(co, -1));
    failure_field(co, top, "details");
    int ref = lua_isnil(co, -1) ? LUA_NOREF : luaL_ref(co, LUA_REGISTRYINDEX);
    rt_exchange_fail(x, (int)status, code[0] ? code : NULL, message, ref);
    luaL_unref(co, LUA_REGISTRYINDEX, ref);
    return true;
}

static int classify(lua_State *L)
{
    struct rt_exchange *x = lua_touserdata(L, 1);
    lua_State *co = x->call.co;
    if (!take_failure(x, co)) {
        log_error(x, co);
        rt_exchange_fail(x, 500, NULL, "Internal server error", LUA_NOREF);
    }
    return 0;
}

static void raised(struct rt_exchange *x)
{
    struct rt_vm *vm = x->app->vm;
    size_t limit = vm->memory.limit;
    vm->memory.limit = limit + (4 << 20); /* room to say that there is no room */
    if (rt_vm_protected(vm, RT_RULE, classify, x, NULL))
        rt_exchange_fail(x, 500, NULL, "Internal server error", LUA_NOREF);
    vm->memory.limit = limit;
    int refused = x->status == 401 && !x->known && x->stranger ? x->stranger(x) : 0;
    if (refused)
        rt_exchange_fail(x, refused, NULL, x->refusal ? x->refusal : "Refused", LUA_NOREF);
}

static void committed(struct rt_tx *tx, int code)
{
    struct rt_exchange *x = (struct rt_exchange *)((char *)tx - offsetof(struct rt_exchange, call.tx));
    if (code) {
        bool full = code == RT_E_FULL || code == RT_E_IO || code == RT_E_BUSY;
        rt_exchange_fail(x, full ? 503 : 500, NULL, full ? "The change could not be stored" : "Internal server error",
                         LUA_NOREF);
    }
    x->ready(x);
}

/* An answer tells of nothing that a power cut could take back, be it another request's change. */
static bool seen_is_unsettled(struct rt_call *call)
{
    if (!call->read)
        return false;
    call->tx.mailbox = call->vm->services->mailbox;
    return rt_tx_follow(call->vm->services->app->writer, &call->tx);
}

static void returned(struct rt_call *call, int n)
{
    struct rt_exchange *x = call->owner;
    rt_log_request(x->id);
    struct rt_err err;
    bool keep = n >= 0 && !x->rehearse;
    if (n < 0)
        raised(x);
    if (keep && call->turn && x->before_commit &&
        x->before_commit(x, rt_writer_conn(call->vm->services->app->writer))) {
        rt_exchange_fail(x, 500, NULL, "Internal server error", LUA_NOREF);
        keep = false;
    }
    call->tx.done = committed;
    int rc = rt_call_end_turn(call, keep, &err);
    if (rc > 0 || (rc == 0 && seen_is_unsettled(call)))
        return;
    if (rc < 0) {
        rt_log(RT_LOG_ERROR, "transaction failed", "error", err.msg, NULL);
        rt_exchange_fail(x, 500, NULL, "Internal server error", LUA_NOREF);
    }
    x->ready(x);
}

void rt_exchange_run(struct rt_exchange *x)
{
    x->user_id = x->scope_id = 0;
    x->failed = x->upgrade = x->known = false;
    x->token = (struct rt_str){ NULL, 0 };
    x->request_ref = LUA_NOREF;
    x->error = NULL;
    x->file_fd = -1;
    x->keep_body = false;
    x->refusal = NULL;
    x->file_name[0] = x->content_type[0] = 0;
    rt_buf_init(&x->body, ANSWER_MAX);
    rt_buf_init(&x->headers, HEADERS_MAX);
    if (rt_call_init(&x->call, x->app->vm, RT_REQUEST, returned, x)) {
        rt_exchange_fail(x, 503, NULL, "Out of memory", LUA_NOREF);
        x->ready(x);
        return;
    }
    x->call.script = x->route->script;
    lua_pushcfunction(x->call.co, handle);
    lua_pushlightuserdata(x->call.co, x);
    rt_call_start(&x->call, 1);
}

int rt_exchange_take_request(struct rt_exchange *x)
{
    int ref = x->request_ref;
    x->request_ref = LUA_NOREF;
    return ref;
}

void rt_exchange_fini(struct rt_exchange *x)
{
    luaL_unref(x->app->vm->L, LUA_REGISTRYINDEX, x->request_ref);
    rt_call_fini(&x->call);
    drop_file(x);
    free(x->error);
    free(x->assume);
    x->assume = NULL;
    rt_buf_fini(&x->body);
    rt_buf_fini(&x->headers);
}
