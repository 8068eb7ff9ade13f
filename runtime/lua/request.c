/* SPDX-License-Identifier: Apache-2.0
 *
 * A request on its way through an app. Its steps (request_steps.c) run inside the request's coroutine, so
 * that each may raise (a failure ends the request with the app's envelope), every function of the app's may
 * be interrupted for others, and the handler may wait. The answer is put into JSON inside the coroutine too:
 * an error there is a 500 like any other, and the transaction is still open to be rolled back. */
#include "lua/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lua/api.h"
#include "lua/request_steps.h"

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
    x->step = 0;
    x->request_ref = LUA_NOREF;
    x->error = NULL;
    x->file_fd = -1;
    x->keep_body = false;
    x->refusal = NULL;
    x->file_name[0] = x->content_type[0] = 0;
    rt_buf_init(&x->body, RT_ANSWER_MAX);
    rt_buf_init(&x->headers, RT_HEADERS_MAX);
    if (rt_call_init(&x->call, x->app->vm, RT_REQUEST, returned, x)) {
        rt_exchange_fail(x, 503, NULL, "Out of memory", LUA_NOREF);
        x->ready(x);
        return;
    }
    x->call.script = x->route->script;
    lua_pushcfunction(x->call.co, rt_request_steps);
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
