/* SPDX-License-Identifier: Apache-2.0
 *
 * webhook: an owner's endpoints, and events for them, which leave after the commit and are tried again
 * until they arrive. What an event contains is said by the app's webhooks.build. */
#include <string.h>

#include "base/clock.h"
#include "crypto/hash.h"
#include "http/target.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/decode.h"
#include "lua/hook.h"
#include "outbox/delivery.h"

enum { LIST_MAX = 1000, SECRET_BYTES = 32 };

static struct rt_str check_str(lua_State *L, int i)
{
    struct rt_str s;
    s.p = luaL_checklstring(L, i, &s.n);
    return s;
}

static struct rt_call *in_transaction(lua_State *L, const char *what)
{
    struct rt_call *call = rt_call_of(L);
    if (!call->in_transaction)
        luaL_error(L, "%s: only inside db.transaction", what);
    return call;
}

static struct rt_conn *write_conn(struct rt_call *call) { return rt_writer_conn(call->vm->services->app->writer); }
static int refused(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

/* One endpoint (`id`) or all of an owner (0). */
static void push_endpoints(lua_State *L, struct rt_conn *c, struct rt_str owner, int64_t id)
{
    struct rt_err err;
    struct rt_buf *out = &rt_vm_of(L)->scratch;
    rt_buf_reset(out);
    if (rt_endpoint_json(c, owner, id, out, &err))
        luaL_error(L, "webhook: %s", err.msg);
    rt_decode_scratch(L, "webhook");
}

/* Pushes " one two " of the list at `t`; false when an event is unknown (its name is pushed) or there is none. */
static bool push_events(lua_State *L, int t)
{
    lua_Integer n = luaL_len(L, t);
    lua_pushliteral(L, " ");
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_geti(L, t, i) != LUA_TSTRING || !rt_hook_event(L, lua_tostring(L, -1)))
            return false;
        lua_pushliteral(L, " ");
        lua_concat(L, 3);
    }
    return n > 0;
}

/* The given secret, or a new one: then true. */
static bool push_secret(lua_State *L)
{
    char text[6 + rt_base64_size(SECRET_BYTES)] = "whsec_";
    uint8_t bytes[SECRET_BYTES];
    if (lua_getfield(L, 1, "secret") != LUA_TNIL)
        return false;
    rt_random(bytes, sizeof bytes);
    rt_base64(bytes, sizeof bytes, text + 6);
    lua_pushstring(L, text);
    lua_replace(L, -2);
    return true;
}

L_FN(webhook_create, RT_RUN,
     "webhook.create(t: { owner: string, url: string, events: string[], secret?: string }): table | nil, string",
     "Registers an address for events of an owner, e.g. owner = \"organization:1\"; without a secret one is made and "
     "returned, this once. nil and what is wrong for a bad address, an unknown event, no event.")
{
    struct rt_endpoint_draft d = { 0 };
    struct rt_err err;
    int64_t id;
    luaL_checktype(L, 1, LUA_TTABLE);
    struct rt_call *call = in_transaction(L, "webhook.create");
    lua_settop(L, 1);
    lua_getfield(L, 1, "owner");
    lua_getfield(L, 1, "url");
    lua_getfield(L, 1, "events");
    bool made = push_secret(L);
    d.owner = check_str(L, 2);
    d.url = check_str(L, 3);
    luaL_checktype(L, 4, LUA_TTABLE);
    d.secret = check_str(L, 5);
    luaL_argcheck(L, d.owner.n > 0 && d.owner.n <= RT_ENDPOINT_OWNER_MAX, 1, "owner must have 1 to 200 bytes");
    if (rt_target_url(d.url, &err))
        return refused(L, err.msg);
    if (d.secret.n == 0 || d.secret.n > RT_SECRET_MAX)
        return refused(L, "the secret must have 1 to 255 bytes");
    if (!push_events(L, 4))
        return refused(L, luaL_len(L, 4) ? "there is no such event" : "there must be at least one event");
    d.events = check_str(L, 6);
    if (rt_endpoint_put(write_conn(call), call->vm->services->app->seal_key, &d, rt_now(), &id, &err))
        return luaL_error(L, "webhook.create: %s", err.msg);
    push_endpoints(L, write_conn(call), d.owner, id);
    lua_geti(L, -1, 1);
    if (made) {
        lua_pushvalue(L, 5);
        lua_setfield(L, -2, "secret");
    }
    return 1;
}

L_FN(webhook_list, RT_RUN, "webhook.list(owner: string): table[]",
     "The owner's endpoints, oldest first: { id, owner, url, events, active, created_at, failing_since?, disabled_at?, "
     "disabled_why? }; never their secrets.")
{
    struct rt_str owner = check_str(L, 1);
    push_endpoints(L, rt_vm_conn(rt_vm_of(L), L), owner, 0);
    return 1;
}

L_FN(webhook_get, RT_RUN, "webhook.get(owner: string, id: integer): table | nil",
     "One endpoint of the owner, as in webhook.list, or nil.")
{
    struct rt_str owner = check_str(L, 1);
    lua_Integer id = luaL_checkinteger(L, 2);
    push_endpoints(L, rt_vm_conn(rt_vm_of(L), L), owner, id ? id : -1);
    lua_geti(L, -1, 1);
    return 1;
}

L_FN(webhook_delete, RT_RUN, "webhook.delete(owner: string, id: integer): boolean",
     "Deletes an endpoint and what waits for it; false when the owner has no such one.")
{
    struct rt_str owner = check_str(L, 1);
    lua_Integer id = luaL_checkinteger(L, 2);
    struct rt_err err;
    int rc = rt_endpoint_remove(write_conn(in_transaction(L, "webhook.delete")), owner, id, &err);
    if (rc < 0)
        return luaL_error(L, "webhook.delete: %s", err.msg);
    lua_pushboolean(L, rc);
    return 1;
}

L_FN(webhook_send, RT_RUN, "webhook.send(owner: string, event: string, data?: any): integer",
     "Puts an event into the outbox for each active endpoint of the owner that wants it, built by the manifest's "
     "webhooks.build(event, data, hook); it leaves after the commit. Returns for how many.")
{
    struct rt_str owner = check_str(L, 1), event = check_str(L, 2);
    struct rt_call *call = in_transaction(L, "webhook.send");
    struct rt_endpoint e = { 0 };
    struct rt_err err;
    lua_Integer count = 0;
    int rc;
    lua_settop(L, 3);
    if (!rt_hook_event(L, event.p))
        return luaL_error(L, "webhook.send: the manifest's webhooks have no event '%s'", event.p);
    while ((rc = rt_endpoint_next(write_conn(call), call->vm->services->app->seal_key, owner, event, e.id, &e, &err)) >
           0) {
        rt_hook_put(L, call, &e, 2, 3);
        lua_settop(L, 3);
        count++;
    }
    if (rc < 0)
        return luaL_error(L, "webhook.send: %s", err.msg);
    lua_pushinteger(L, count);
    return 1;
}

/* The owner's endpoint at arguments 1 and 2 when it takes deliveries; else pushes nil and why: false. */
static bool find_active(lua_State *L, struct rt_call *call, struct rt_endpoint *ret)
{
    struct rt_err err;
    struct rt_str owner = check_str(L, 1);
    int rc = rt_endpoint_find(write_conn(call), call->vm->services->app->seal_key, owner, luaL_checkinteger(L, 2), ret,
                              &err);
    if (rc < 0)
        luaL_error(L, "webhook: %s", err.msg);
    if (rc == 0 || !ret->active)
        refused(L, rc ? "disabled" : "not_found");
    return rc > 0 && ret->active;
}

L_FN(webhook_test, RT_RUN, "webhook.test(owner: string, id: integer, data?: any): string | nil, string",
     "Sends the event webhook.test to one endpoint, whatever events it wants: the delivery's id, or nil and "
     "\"not_found\" or \"disabled\".")
{
    struct rt_endpoint e;
    struct rt_call *call = in_transaction(L, "webhook.test");
    lua_settop(L, 3);
    if (!find_active(L, call, &e))
        return 2;
    lua_pushliteral(L, "webhook.test");
    rt_hook_put(L, call, &e, 4, 3);
    return 1;
}

L_FN(webhook_redeliver, RT_RUN,
     "webhook.redeliver(owner: string, id: integer, delivery_id: string): boolean | nil, string",
     "Sends one delivery again, now, with the same id and bytes; nil and \"not_found\" or \"disabled\".")
{
    struct rt_endpoint e;
    struct rt_err err;
    struct rt_str delivery = check_str(L, 3);
    struct rt_call *call = in_transaction(L, "webhook.redeliver");
    if (!find_active(L, call, &e))
        return 2;
    int rc = rt_delivery_again(write_conn(call), e.id, delivery, rt_now_ms(), &err);
    if (rc < 0)
        return luaL_error(L, "webhook.redeliver: %s", err.msg);
    if (rc == 0)
        return refused(L, "not_found");
    call->outbox |= RT_OUTBOX_AGAIN;
    lua_pushboolean(L, 1);
    return 1;
}

L_FN(webhook_deliveries, RT_RUN,
     "webhook.deliveries(owner: string, id: integer, limit?: integer, offset?: integer): table[] | nil, integer",
     "The endpoint's delivery log, newest first, and how many entries there are: { id, event, status, attempts, "
     "response_status?, latency_ms?, response_excerpt?, error?, created_at, next_at? }; nil when there is no endpoint.")
{
    struct rt_str owner = check_str(L, 1);
    struct rt_vm *vm = rt_vm_of(L);
    struct rt_err err;
    lua_Integer id = luaL_checkinteger(L, 2), limit = luaL_optinteger(L, 3, 50), offset = luaL_optinteger(L, 4, 0);
    int64_t count = 0;
    luaL_argcheck(L, limit >= 1 && limit <= LIST_MAX, 3, "1 to 1000 expected");
    luaL_argcheck(L, offset >= 0, 4, "0 or more expected");
    struct rt_conn *c = rt_vm_conn(vm, L);
    push_endpoints(L, c, owner, id ? id : -1);
    if (lua_rawlen(L, -1) == 0)
        return 0;
    rt_buf_reset(&vm->scratch);
    if (rt_delivery_json(c, id, limit, offset, &vm->scratch, &count, &err))
        return luaL_error(L, "webhook.deliveries: %s", err.msg);
    rt_decode_scratch(L, "webhook.deliveries");
    lua_pushinteger(L, count);
    return 2;
}

static const struct rt_lua_fn *const fns[] = { &webhook_create,    &webhook_list,       &webhook_get,
                                               &webhook_delete,    &webhook_send,       &webhook_test,
                                               &webhook_redeliver, &webhook_deliveries, NULL };
const struct rt_lua_lib rt_lib_webhook = { "webhook", "Webhooks: endpoints, events, the delivery log.", fns };
