/* SPDX-License-Identifier: Apache-2.0
 *
 * `req` as a script has it: what the request's way has filled in (request.c), and what is rarely asked for
 * and therefore made when it is. */
#include <string.h>

#include "http/query.h"
#include "lua/api.h"
#include "lua/request.h"

static struct rt_exchange *exchange_of(lua_State *L)
{
    struct rt_call *call = rt_call_of(L);
    if (call->phase != RT_REQUEST)
        luaL_error(L, "only while a request runs");
    return call->owner;
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
