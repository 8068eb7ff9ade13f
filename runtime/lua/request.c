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
#include "base/json.h"
#include "base/log.h"
#include "http/query.h"
#include "lua/api.h"
#include "lua/file.h"
#include "lua/present.h"
#include "lua/schema.h"

enum { JSON_DEPTH = 32, ANSWER_MAX = 64 << 20, HEADERS_MAX = 16 << 10 };

#define HEADER_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static struct rt_exchange *exchange_of(lua_State *L)
{
    struct rt_call *call = rt_call_of(L);
    if (call->phase != RT_REQUEST)
        luaL_error(L, "only while a request runs");
    return call->owner;
}

/* A validation failure with the table of messages at the top of the stack as details. */
static int raise_invalid(lua_State *L)
{
    lua_createtable(L, 0, 3);
    lua_insert(L, -2);
    lua_setfield(L, -2, "details");
    lua_pushinteger(L, 400);
    lua_setfield(L, -2, "status");
    lua_pushliteral(L, "Invalid input data");
    lua_setfield(L, -2, "message");
    return lua_error(L);
}

/* Pushes a decoded piece of a URL; raises a failure with `status` when its encoding is broken. */
static void push_decoded(lua_State *L, struct rt_str s, bool plus, int status)
{
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, s.n + 1);
    long n = rt_percent_decode(s, plus, out);
    if (n < 0)
        rt_raise_failure(L, status, NULL,
                         status == 404 ? "Resource not found" : "Malformed percent-encoding in the query");
    luaL_pushresultsize(&b, (size_t)n);
}

/* The names of the path's parameters stand in the route's path, the values in the match. */
static void push_path_params(lua_State *L, const struct rt_exchange *x)
{
    lua_createtable(L, 0, x->match->params);
    const char *p = x->route->path;
    for (int i = 0; i < x->match->params; i++) {
        p = strchr(p, '{') + 1;
        lua_pushlstring(L, p, strcspn(p, "}"));
        push_decoded(L, x->match->param[i], false, 404);
        lua_rawset(L, -3);
    }
}

static void push_query(lua_State *L, struct rt_str query)
{
    struct rt_str name, value;
    lua_newtable(L);
    while (rt_query_next(&query, &name, &value)) {
        push_decoded(L, name, true, 400);
        push_decoded(L, value, true, 400);
        lua_rawset(L, -3);
    }
}

static int invalid_body(lua_State *L, const char *message)
{
    lua_createtable(L, 0, 1);
    lua_createtable(L, 1, 0);
    lua_pushstring(L, message);
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "non_field_errors");
    return raise_invalid(L);
}

/* Pushes the decoded body; an empty one counts as {} (decision X-6). */
static void push_body(lua_State *L, struct rt_str text)
{
    struct rt_err err;
    char first = 0;
    if (rt_str_trim(text).n == 0) {
        lua_newtable(L);
        return;
    }
    if (rt_json_check(text.p, text.n, JSON_DEPTH, &first, &err)) {
        char message[sizeof err.msg + 40];
        snprintf(message, sizeof message, "The body is not valid JSON: %s.", err.msg);
        invalid_body(L, message);
    }
    if (first != '{')
        invalid_body(L, "A JSON object is required.");
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.cjson");
    lua_getfield(L, -1, "decode");
    lua_pushlstring(L, text.p, text.n);
    lua_call(L, 1, 1);
    lua_remove(L, -2);
}

/* Adds the messages at the top of the stack to the table at `errors`. */
static void merge(lua_State *L, int errors)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, errors);
    }
    lua_pop(L, 1);
}

/* req[field] = the checked value, without what is in error; violations go to the table at `errors`. */
static int check_part(lua_State *L, struct rt_exchange *x, int req, const char *field, const struct rt_schema *schema,
                      int source, int errors)
{
    int bad = rt_schema_check_all(L, schema, -1, source, x->app->messages);
    lua_setfield(L, req, field);
    if (bad)
        merge(L, errors);
    else
        lua_pop(L, 1);
    lua_pop(L, 1);
    return bad;
}

/* The route's own check: what it returns are further violations, "field" → a message or a list of them. */
static int check_own(lua_State *L, struct rt_exchange *x, int req, int errors)
{
    int n = 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->route->check_ref);
    lua_pushvalue(L, req);
    lua_call(L, 1, 1);
    if (!lua_toboolean(L, -1))
        return lua_pop(L, 1), 0;
    luaL_checktype(L, -1, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, -2); n++) {
        if (lua_type(L, -1) == LUA_TSTRING) {
            lua_createtable(L, 1, 0);
            lua_insert(L, -2);
            lua_rawseti(L, -2, 1);
        }
        lua_pushvalue(L, -2);
        if (lua_rawget(L, errors) == LUA_TNIL) { /* what the types say of a field comes first */
            lua_pushvalue(L, -3);
            lua_pushvalue(L, -3);
            lua_rawset(L, errors);
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return n;
}

static void fill_params(lua_State *L, struct rt_exchange *x, int req)
{
    const struct rt_route *r = x->route;
    if (!r->params)
        return;
    push_path_params(L, x);
    if (rt_schema_check(L, r->params, -1, RT_SOURCE_TEXT, x->app->messages))
        rt_raise_failure(L, 404, NULL, "Resource not found");
    lua_remove(L, -2);
    lua_setfield(L, req, "params");
}

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

static void fill_input(lua_State *L, struct rt_exchange *x, int req)
{
    const struct rt_route *r = x->route;
    int bad = 0;
    if (!r->query && !r->body && r->check_ref == LUA_NOREF)
        return;
    lua_newtable(L);
    int errors = lua_gettop(L);
    if (r->query) {
        push_query(L, rt_http_query(x->http));
        bad += check_part(L, x, req, "query", r->query, RT_SOURCE_TEXT, errors);
    }
    if (r->body) {
        push_body(L, rt_http_body(x->http));
        bad += check_part(L, x, req, "body", r->body, RT_SOURCE_JSON, errors);
    }
    if (r->check_ref != LUA_NOREF)
        bad += check_own(L, x, req, errors);
    if (bad)
        raise_invalid(L);
    lua_pop(L, 1);
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
            push_decoded(L, value, true, 400);
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
    push_body(L, rt_str_of(json));
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

/* The coroutine's body; the exchange is its argument. */
static int handle(lua_State *L)
{
    struct rt_exchange *x = lua_touserdata(L, 1);
    const struct rt_route *r = x->route;
    lua_createtable(L, 0, 8);
    luaL_setmetatable(L, "rt.req");
    if (!r->anyone) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, r->principal_ref);
        if (x->assume)
            x->user_id = push_assumed(L, x->assume);
        else
            x->user_id = rt_principal_push(L, x->app->vm, r->who, 3, push_token(L, x), x->now);
        lua_setfield(L, 2, "user");
        lua_settop(L, 2);
    }
    refuse(L, x, x->admit ? x->admit(x) : 0);
    lua_pushinteger(L, x->now);
    lua_setfield(L, 2, "now");
    fill_params(L, x, 2);
    enter_scope(L, x, 2);
    check_rule(L, x, 2); /* before the input: who may not do it learns nothing about how it is done */
    int done = x->allowed ? x->allowed(x) : 0;
    if (done == RT_ANSWERED)
        return 0;
    refuse(L, x, done);
    fill_input(L, x, 2);
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
    rt_app_envelope(x->app, status, code, message, details_ref, x->id, &x->body);
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
    x->failed = x->upgrade = false;
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

/* req:header("Accept-Language") */
static int req_header(lua_State *L)
{
    struct rt_exchange *x = exchange_of(L);
    struct rt_str v = rt_http_header(x->http, luaL_checkstring(L, 2));
    if (!v.p)
        return 0;
    lua_pushlstring(L, v.p, v.n);
    return 1;
}

static void link_param(struct rt_buf *b, bool *first, struct rt_str name, struct rt_str value, bool encode)
{
    rt_buf_putc(b, *first ? '?' : '&');
    *first = false;
    if (encode)
        rt_percent_encode(b, name);
    else
        rt_buf_put(b, name.p, name.n);
    rt_buf_putc(b, '=');
    if (encode)
        rt_percent_encode(b, value);
    else
        rt_buf_put(b, value.p, value.n);
}

/* The path as it is canonical: with the slash at its end where the app's paths have one. */
static void put_path(struct rt_buf *b, const struct rt_exchange *x)
{
    struct rt_str path = rt_http_path(x->http);
    size_t n = strlen(x->route->path);
    rt_buf_put(b, path.p, path.n);
    if (n > 0 && x->route->path[n - 1] == '/' && path.n > 0 && path.p[path.n - 1] != '/')
        rt_buf_putc(b, '/');
}

/* req:link{ page = 2 } → this address with the other parameters kept and these replaced. */
static int req_link(lua_State *L)
{
    struct rt_exchange *x = exchange_of(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct rt_buf *b = &rt_vm_of(L)->scratch;
    rt_buf_reset(b);
    rt_buf_puts(b, x->origin);
    put_path(b, x);
    bool first = true;
    struct rt_str rest = rt_http_query(x->http), name, value;
    while (rt_query_next(&rest, &name, &value)) {
        lua_pushlstring(L, name.p, name.n);
        bool replaced = lua_rawget(L, 2) != LUA_TNIL;
        lua_pop(L, 1);
        if (!replaced)
            link_param(b, &first, name, value, false);
    }
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        struct rt_str k, v;
        lua_pushvalue(L, -2);
        k.p = luaL_tolstring(L, -1, &k.n);
        v.p = luaL_tolstring(L, -3, &v.n);
        link_param(b, &first, k, v, true);
        lua_pop(L, 4);
    }
    lua_pushlstring(L, b->data, b->len);
    return 1;
}

/* What is rarely asked for is made when it is. */
static int req_index(lua_State *L)
{
    const char *key = luaL_checkstring(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    struct rt_exchange *x = exchange_of(L);
    struct rt_str s;
    if (strcmp(key, "id") == 0)
        s = rt_str_of(x->id);
    else if (strcmp(key, "origin") == 0)
        s = rt_str_of(x->origin);
    else if (strcmp(key, "method") == 0)
        s = rt_http_method(x->http);
    else if (strcmp(key, "path") == 0)
        s = rt_http_path(x->http);
    else if (strcmp(key, "query_text") == 0)
        s = rt_http_query(x->http);
    else if (strcmp(key, "address") == 0)
        s = rt_str_of(x->address);
    else
        return 0;
    lua_pushlstring(L, s.p ? s.p : "", s.n);
    return 1;
}

void rt_request_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "header", req_header }, { "link", req_link }, { NULL, NULL } };
    luaL_newmetatable(L, "rt.req");
    luaL_newlib(L, methods);
    lua_pushcclosure(L, req_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
