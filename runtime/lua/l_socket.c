/* SPDX-License-Identifier: Apache-2.0
 *
 * socket: what a handler of a SOCKET route does with its connection. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/channel.h"
#include "lua/present.h"
#include "lua/request.h"
#include "lua/room.h"

enum { DATA = 1, CLOSE_BYTES = 256 };

static struct rt_str check_str(lua_State *L, int i)
{
    struct rt_str s;
    s.p = luaL_checklstring(L, i, &s.n);
    return s;
}

static const struct rt_schema *check_model(lua_State *L, int i)
{
    const char *name = luaL_optstring(L, i, NULL);
    const struct rt_schema *s = name ? rt_schema_set_find(rt_vm_of(L)->app->models, name) : NULL;
    if (name && !s)
        luaL_error(L, "socket:send: there is no model \"%s\"", name);
    return s;
}

L_FN(socket_send, RT_CHANNEL, "socket:send(value: any, model?: string): boolean",
     "Sends a value as JSON, shaped by a model of the manifest when one is named; false when the socket is closed. "
     "After db.transaction it leaves when the change is on disk, or not at all.")
{
    struct rt_channel *c = rt_channel_check(L, 1);
    struct rt_buf *out = &rt_vm_of(L)->scratch;
    struct rt_err err;
    luaL_checkany(L, 2);
    rt_buf_reset(out);
    if (rt_present(L, 2, check_model(L, 3), out, &err))
        return luaL_error(L, "socket:send: %s", err.msg);
    if (rt_call_of(L)->turn)
        rt_call_hold(L, "socket:send", out->len);
    struct rt_ws_text *text = c ? rt_ws_text_new(out->data, out->len) : NULL;
    if (c && !text)
        return luaL_error(L, "not enough memory");
    lua_pushboolean(L, text && rt_channel_send(c, text));
    return 1;
}

L_FN(socket_close, RT_CHANNEL, "socket:close(code?: integer, reason?: string): boolean",
     "Closes the socket after what was sent; code 1000 when none is given, 4000 to 4999 are the app's own. False when "
     "it is closed already.")
{
    struct rt_channel *c = rt_channel_check(L, 1);
    lua_Integer code = luaL_optinteger(L, 2, RT_WS_NORMAL);
    struct rt_str reason = lua_isnoneornil(L, 3) ? RT_STR("") : check_str(L, 3);
    luaL_argcheck(L, code == (int)code && rt_ws_code_valid((int)code), 2, "not a close code that can be sent");
    luaL_argcheck(L, reason.n <= RT_HUB_REASON_MAX, 3, "at most 123 bytes");
    luaL_argcheck(L, strlen(reason.p) == reason.n && rt_utf8_valid(reason.p, reason.n), 3, "UTF-8 text expected");
    if (rt_call_of(L)->turn)
        rt_call_hold(L, "socket:close", CLOSE_BYTES);
    lua_pushboolean(L, c && rt_channel_close(c, (int)code, reason.p));
    return 1;
}

static lua_Integer option(lua_State *L, const char *name, lua_Integer missing)
{
    lua_Integer v = missing;
    if (lua_getfield(L, 3, name) != LUA_TNIL) {
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0)
            luaL_error(L, "socket:join: %s must be an integer that is not negative", name);
        v = lua_tointeger(L, -1);
    }
    lua_pop(L, 1);
    return v;
}

L_FN(socket_join, RT_CHANNEL, "socket:join(room: string, options?: table): boolean | nil, any, integer",
     "Receives the events of a room from now on: true and the room's last number. Options: after = the number that the "
     "client has (what it missed is sent first), limit = members at most, who = what events.presence counts. nil and "
     "\"full\", \"resync\" (a member, but what was missed is no longer known) or \"gone\".")
{
    struct rt_channel *c = rt_channel_check(L, 1);
    struct rt_hub_conn *hub = c ? rt_channel_hub(c) : NULL;
    struct rt_room_want want = { .room = check_str(L, 2), .who = RT_STR(""), .after = -1 };
    lua_settop(L, 3);
    if (!lua_isnil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        want.limit = option(L, "limit", 0);
        want.after = option(L, "after", -1);
        if (lua_getfield(L, 3, "who") != LUA_TNIL)
            want.who = check_str(L, 4);
    }
    if (hub)
        return rt_room_join(L, hub, &want);
    lua_pushnil(L);
    lua_pushliteral(L, "gone");
    return 2;
}

L_FN(socket_leave, RT_CHANNEL, "socket:leave(room: string): boolean",
     "Receives no more events of a room; false when it was not in it.")
{
    struct rt_channel *c = rt_channel_check(L, 1);
    struct rt_hub_conn *hub = c ? rt_channel_hub(c) : NULL;
    struct rt_str room = check_str(L, 2);
    lua_pushboolean(L, hub && rt_hub_leave(hub, room));
    return 1;
}

L_FN(socket_label, RT_CHANNEL, "socket:label(key: string): boolean",
     "Marks the socket so that events.close, events.expel and the except of events.emit find it, as in \"user:7\". At "
     "most 16 labels. False when it is closed.")
{
    struct rt_channel *c = rt_channel_check(L, 1);
    struct rt_hub_conn *hub = c ? rt_channel_hub(c) : NULL;
    int rc = hub ? rt_hub_label(hub, check_str(L, 2)) : RT_E_EXPIRED;
    if (rc && rc != RT_E_EXPIRED)
        return luaL_error(L, "socket:label: %s", rc == RT_E_LIMIT ? "too long, or too many labels" : "no memory");
    lua_pushboolean(L, rc == 0);
    return 1;
}

L_FN(socket_timeout, RT_CHANNEL, "socket:timeout(seconds?: number)",
     "Calls the route's function timeout after about so many seconds, once; nil cancels. A new one replaces the old.")
{
    struct rt_channel *c = rt_channel_check(L, 1);
    lua_Number seconds = luaL_optnumber(L, 2, 0);
    luaL_argcheck(L, lua_isnoneornil(L, 2) || (seconds > 0 && seconds <= 86400 * 366), 2, "a time to come expected");
    if (c)
        rt_channel_timeout(c, seconds > 0 ? rt_now_ms() + llround(seconds * 1000) : 0);
    return 0;
}

/* The failure at the top as results; any other error goes on. */
static int refused(lua_State *L)
{
    char code[64];
    int failure = lua_gettop(L);
    if (!lua_istable(L, failure) || lua_getfield(L, failure, "status") != LUA_TNUMBER || lua_tointeger(L, -1) != 401)
        return lua_settop(L, failure), lua_error(L);
    lua_pushnil(L);
    lua_getfield(L, failure, "message");
    if (lua_getfield(L, failure, "code") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushstring(L, rt_app_code(rt_vm_of(L)->app, 401, code, sizeof code));
    }
    return 3;
}

static int asked(lua_State *L, int status, lua_KContext before)
{
    struct rt_vm *vm = rt_vm_of(L);
    if (status == LUA_OK || status == LUA_YIELD) {
        rt_script_back(vm, (int)before);
        return 1;
    }
    rt_script_left(vm, (int)before, lua_topointer(L, -1));
    return refused(L);
}

L_FN(socket_authenticate, RT_CHANNEL, "socket:authenticate(token: string, who?: string): table | nil, string, string",
     "The principal that a token stands for, by the manifest's function for it (\"user\" when none is named); or nil, "
     "a message and the app's code.")
{
    rt_channel_check(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 3);
    lua_pushcfunction(L, rt_principal_ask);
    lua_pushstring(L, luaL_optstring(L, 3, "user"));
    lua_pushvalue(L, 2);
    lua_KContext before = rt_vm_of(L)->spending.script;
    return asked(L, lua_pcallk(L, 2, 1, 0, before, asked), before);
}

/* socket.data, a table of the script's own; socket.id; the methods. */
static int get(lua_State *L)
{
    struct rt_channel *c = rt_channel_check(L, 1);
    const char *key = luaL_checkstring(L, 2);
    if (strcmp(key, "id") == 0) {
        lua_pushstring(L, c ? rt_channel_id(c) : NULL);
        return 1;
    }
    if (strcmp(key, "data") != 0) {
        lua_rawget(L, lua_upvalueindex(1));
        return 1;
    }
    if (lua_getiuservalue(L, 1, DATA) == LUA_TNIL) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, DATA);
    }
    return 1;
}

static int set(lua_State *L)
{
    rt_channel_check(L, 1);
    if (strcmp(luaL_checkstring(L, 2), "data") != 0)
        return luaL_error(L, "a socket has only the field data of the script's own: socket.data.%s = …",
                          lua_tostring(L, 2));
    lua_settop(L, 3);
    lua_setiuservalue(L, 1, DATA);
    return 0;
}

void rt_socket_open(lua_State *L)
{
    luaL_newmetatable(L, "rt.socket");
    lua_getglobal(L, "socket");
    lua_getmetatable(L, -1);
    lua_getfield(L, -1, "__index"); /* mt, view, its mt, the library */
    lua_pushcclosure(L, get, 1);
    lua_setfield(L, -4, "__index");
    lua_pop(L, 2);
    lua_pushcfunction(L, set);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "socket");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

static const struct rt_lua_fn *const fns[] = { &socket_send,  &socket_close,   &socket_join,         &socket_leave,
                                               &socket_label, &socket_timeout, &socket_authenticate, NULL };
const struct rt_lua_lib rt_lib_socket = { "socket", "The connection of a SOCKET route's handler.", fns };
