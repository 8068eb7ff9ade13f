/* SPDX-License-Identifier: Apache-2.0
 *
 * The body is made once, in the transaction of the change, and stored as bytes: what was signed is what is
 * sent in every attempt. Scripts get a function that signs; the secret itself stays out of their reach. */
#include "lua/hook.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "crypto/hash.h"
#include "lua/api.h"
#include "lua/app.h"
#include "lua/call.h"
#include "lua/present.h"
#include "outbox/delivery.h"

enum { HEADERS_MAX = 32, HEADER_BYTES_MAX = 4096 };

void rt_hook_member(lua_State *L, const char *name)
{
    const struct rt_app *app = rt_vm_of(L)->app;
    if (!app || app->webhooks_ref <= 0)
        luaL_error(L, "the manifest has no webhooks");
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->webhooks_ref);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

bool rt_hook_event(lua_State *L, const char *name)
{
    rt_hook_member(L, "events");
    lua_getfield(L, -1, name);
    bool known = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return known;
}

/* hook.sign(text) */
static int sign(lua_State *L)
{
    size_t key_n, n;
    uint8_t mac[32];
    char hex[65];
    const char *key = lua_tolstring(L, lua_upvalueindex(1), &key_n), *text = luaL_checklstring(L, 1, &n);
    rt_hmac_sha256(key, key_n, text, n, mac);
    rt_hex(mac, sizeof mac, hex);
    lua_pushlstring(L, hex, 64);
    return 1;
}

static void push_hook(lua_State *L, const struct rt_endpoint *e, const char *id, int64_t now)
{
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, e->id);
    lua_setfield(L, -2, "id");
    lua_pushstring(L, e->url);
    lua_setfield(L, -2, "url");
    lua_pushstring(L, id);
    lua_setfield(L, -2, "delivery_id");
    lua_pushinteger(L, now);
    lua_setfield(L, -2, "created_at");
    lua_pushlstring(L, e->secret, e->secret_n);
    lua_pushcclosure(L, sign, 1);
    lua_setfield(L, -2, "sign");
}

static bool ours(const char *name)
{
    static const char *const names[] = {
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "expect", "upgrade",
        "te",   "trailer",        "user-agent",        NULL
    };
    for (int i = 0; names[i]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strncasecmp(name, "webhook-", 8) == 0 || strncasecmp(name, "proxy-", 6) == 0;
}

static void check_header(lua_State *L, const char *name, size_t name_n, const char *value, size_t n)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (name_n == 0 || strspn(name, token) != name_n || name_n > 100)
        luaL_error(L, "webhooks.build: '%s' is not the name of a header", name);
    if (ours(name))
        luaL_error(L, "webhooks.build: the header %s is the host's own", name);
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)value[i] < ' ' && value[i] != '\t') || value[i] == 127)
            luaL_error(L, "webhooks.build: the value of the header %s has a control character", name);
    if (n > HEADER_BYTES_MAX)
        luaL_error(L, "webhooks.build: the value of the header %s is too long", name);
}

/* Pushes the headers (a table at `t`, or nil) as "Name: value" lines. */
static void push_headers(lua_State *L, int t)
{
    luaL_Buffer b;
    size_t name_n, n;
    int count = 0;
    if (!lua_isnil(L, t) && !lua_istable(L, t))
        luaL_error(L, "webhooks.build: headers must be a table");
    lua_newtable(L); /* the lines: nothing may lie on the stack while a buffer grows */
    lua_pushnil(L);
    while (lua_istable(L, t) && lua_next(L, t)) {
        if (lua_type(L, -2) != LUA_TSTRING || (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1)))
            luaL_error(L, "webhooks.build: headers must be texts under their names");
        if (++count > HEADERS_MAX)
            luaL_error(L, "webhooks.build: more than %d headers", HEADERS_MAX);
        const char *name = lua_tolstring(L, -2, &name_n), *value = lua_tolstring(L, -1, &n);
        check_header(L, name, name_n, value, n);
        lua_pushfstring(L, "%s: %s\n", name, value);
        lua_rawseti(L, -4, count);
        lua_pop(L, 1);
    }
    if (!lua_istable(L, t))
        lua_pop(L, 1);
    int lines = lua_gettop(L);
    luaL_buffinit(L, &b);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, lines, i);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    lua_remove(L, lines);
}

/* Replaces what build returned (at the top) by two texts: body, headers. */
static void read_built(lua_State *L)
{
    struct rt_buf *out = &rt_vm_of(L)->scratch;
    struct rt_err err;
    int t = lua_gettop(L);
    if (!lua_istable(L, t))
        luaL_error(L, "webhooks.build must return a table { body =, headers = }");
    lua_getfield(L, t, "headers");
    lua_getfield(L, t, "body");
    if (lua_istable(L, -1)) {
        rt_buf_reset(out);
        if (rt_present(L, -1, NULL, out, &err))
            luaL_error(L, "webhooks.build: body: %s", err.msg);
        lua_pushlstring(L, out->data, out->len);
        lua_replace(L, -2);
    }
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "webhooks.build: body must be a text or a table");
    if (lua_rawlen(L, -1) > RT_DELIVERY_BODY_MAX)
        luaL_error(L, "webhooks.build: the body is longer than %d bytes", RT_DELIVERY_BODY_MAX);
    push_headers(L, t + 1);
    lua_remove(L, t + 1);
    lua_remove(L, t);
}

/* Closes the guard with the error, if there was one: the script may catch it and go on. */
static int build_ended(lua_State *L)
{
    struct rt_vm *vm = rt_vm_of(L);
    rt_script_left(vm, vm->call ? vm->call->script : RT_SCRIPT_NONE, lua_topointer(L, 2));
    return 0;
}

static void push_guard(lua_State *L)
{
    lua_newtable(L);
    if (luaL_newmetatable(L, "rt.build")) {
        lua_pushcfunction(L, build_ended);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
}

/* Pushes what the app's function makes of the event. */
static void build(lua_State *L, struct rt_vm *vm, const struct rt_endpoint *e, const char *id, int64_t now, int event,
                  int data)
{
    push_guard(L);
    int guard = lua_gettop(L), before = rt_script_enter(vm, vm->app->webhook_script);
    rt_hook_member(L, "build");
    lua_pushvalue(L, event);
    lua_pushvalue(L, data);
    push_hook(L, e, id, now);
    lua_call(L, 3, 1);
    lua_closeslot(L, guard);
    rt_script_back(vm, before);
    lua_remove(L, guard);
}

void rt_hook_put(lua_State *L, struct rt_call *call, const struct rt_endpoint *e, int event, int data)
{
    char id[RT_DELIVERY_ID];
    struct rt_err err;
    int64_t now_ms = rt_now_ms();
    luaL_checkstack(L, 16, "too many values");
    rt_delivery_id("dlv_", id);
    build(L, call->vm, e, id, now_ms / 1000, event, data);
    read_built(L);
    struct rt_delivery_draft d = { .id = id, .webhook = e->id };
    d.event.p = lua_tolstring(L, event, &d.event.n);
    d.body.p = lua_tolstring(L, -2, &d.body.n);
    d.headers.p = lua_tolstring(L, -1, &d.headers.n);
    if (rt_delivery_put(rt_writer_conn(call->vm->services->app->writer), &d, now_ms, &err))
        luaL_error(L, "webhook: %s", err.msg);
    call->outbox |= RT_OUTBOX_NEW;
    lua_pop(L, 2);
    lua_pushstring(L, id);
}
