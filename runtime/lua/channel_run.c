/* SPDX-License-Identifier: Apache-2.0
 *
 * One handler of a channel as a call: started, perhaps parked, its transaction ended, what it sent let go. The call
 * exists only while a handler runs, so that an idle socket does not carry it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "lua/api.h"
#include "lua/channel_internal.h"

/* Sent or closed in the transaction, in order. */
struct held {
    struct held *next;
    struct rt_ws_text *text; /* NULL: closes */
    int code;
    char reason[RT_HUB_REASON_MAX + 1];
};

struct channel_run {
    struct rt_call call;
    struct rt_channel *channel;
    enum channel_event event;
    struct channel_item *item;
    struct held *head, **tail;
};

static struct held *hold(struct rt_channel *c)
{
    struct held *h = c->run && c->run->call.turn ? calloc(1, sizeof *h) : NULL;
    if (h) {
        *c->run->tail = h;
        c->run->tail = &h->next;
    }
    return h;
}

bool channel__hold_text(struct rt_channel *c, struct rt_ws_text *text)
{
    struct held *h = hold(c);
    if (h)
        h->text = text;
    return h != NULL;
}

bool channel__hold_close(struct rt_channel *c, int code, const char *reason)
{
    struct held *h = hold(c);
    if (h) {
        h->code = code;
        snprintf(h->reason, sizeof h->reason, "%s", reason ? reason : "");
    }
    return h != NULL;
}

/* `keep`: the transaction is on disk. */
static void let_go(struct channel_run *run, bool keep)
{
    struct held *list = run->head;
    run->head = NULL;
    run->tail = &run->head;
    while (list) {
        struct held *h = list;
        list = h->next;
        if (keep && h->text)
            rt_channel_send(run->channel, h->text);
        else if (keep)
            rt_channel_close(run->channel, h->code, h->reason);
        else
            rt_ws_text_unref(h->text);
        free(h);
    }
}

void channel__run_drop(struct channel_run *run)
{
    let_go(run, false);
    rt_call_fini(&run->call);
    free(run->item);
    run->channel->run = NULL;
    free(run);
}

static void finish(struct channel_run *run, bool kept)
{
    struct rt_channel *c = run->channel;
    let_go(run, kept);
    channel__run_drop(run);
    if (!kept)
        channel__fail(c);
    rt_log_request(NULL);
    channel__go_on(c);
}

static void committed(struct rt_tx *tx, int code)
{
    struct channel_run *run = (struct channel_run *)((char *)tx - offsetof(struct channel_run, call.tx));
    rt_log_request(run->channel->id);
    if (code)
        rt_log(RT_LOG_ERROR, "a socket's change could not be stored", "app", run->channel->app->name, "error",
               rt_code_name(code), NULL);
    finish(run, code == 0);
}

static const char *const event_names[] = { "open", "message", "timeout", "closed" };

static int describe(lua_State *L)
{
    struct channel_run *run = lua_touserdata(L, 1);
    lua_State *co = run->call.co;
    char text[400];
    rt_error_text(co, -1, text, sizeof text);
    rt_traceback(co, co, text, 0);
    rt_log(RT_LOG_ERROR, "script error", "app", run->channel->app->name, "socket", run->channel->route->path, "handler",
           event_names[run->event], "error", text, "traceback", lua_tostring(co, -1), NULL);
    return 0;
}

static void returned(struct rt_call *call, int n)
{
    struct channel_run *run = call->owner;
    struct rt_err err;
    rt_log_request(run->channel->id);
    if (n < 0) {
        rt_script_failed(call);
        if (rt_vm_protected(call->vm, RT_RULE, describe, run, &err))
            rt_log(RT_LOG_ERROR, "script error", "app", run->channel->app->name, "error", "not enough memory", NULL);
    }
    call->tx.done = committed;
    int rc = rt_call_end_turn(call, n >= 0, &err);
    if (rc > 0)
        return;
    if (rc < 0)
        rt_log(RT_LOG_ERROR, "transaction failed", "error", err.msg, NULL);
    finish(run, n >= 0 && rc == 0);
}

/* The value of a JSON text, else the text itself. */
static void push_message(lua_State *L, const struct channel_item *item)
{
    lua_getglobal(L, "json");
    lua_getfield(L, -1, "decode");
    lua_replace(L, -2);
    lua_pushlstring(L, item->text, item->n);
    lua_pushvalue(L, -1);
    lua_insert(L, -3); /* text decode text */
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        lua_replace(L, -2);
}

static int no_results(lua_State *L, int status, lua_KContext ctx)
{
    (void)L, (void)status, (void)ctx;
    return 0;
}

static int body(lua_State *L)
{
    struct channel_run *run = lua_touserdata(L, 1);
    struct rt_channel *c = run->channel;
    const int handlers[] = { c->route->open_ref, c->route->message_ref, c->route->timeout_ref, c->route->closed_ref };
    int nargs = 1;
    lua_rawgeti(L, LUA_REGISTRYINDEX, handlers[run->event]);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->handle_ref);
    if (run->event == CHANNEL_OPEN) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, c->request_ref);
        luaL_unref(L, LUA_REGISTRYINDEX, c->request_ref);
        c->request_ref = LUA_NOREF;
        nargs = 2;
    } else if (run->event == CHANNEL_MESSAGE) {
        push_message(L, run->item);
        nargs = 2;
    }
    lua_callk(L, nargs, 0, 0, no_results);
    return 0;
}

bool channel__run(struct rt_channel *c, enum channel_event event, struct channel_item *item)
{
    const struct rt_route *r = c->route;
    const int handlers[] = { r->open_ref, r->message_ref, r->timeout_ref, r->closed_ref };
    if (handlers[event] == LUA_NOREF) {
        free(item);
        return true;
    }
    struct channel_run *run = calloc(1, sizeof *run);
    if (!run || rt_call_init(&run->call, c->app->vm, RT_CHANNEL, returned, run)) {
        free(run);
        free(item);
        return false;
    }
    run->channel = c;
    run->event = event;
    run->item = item;
    run->tail = &run->head;
    c->run = run;
    rt_log_request(c->id);
    run->call.script = r->handler_script[event];
    lua_pushcfunction(run->call.co, body);
    lua_pushlightuserdata(run->call.co, run);
    rt_call_start(&run->call, 1);
    return true;
}
