/* SPDX-License-Identifier: Apache-2.0
 *
 * url: percent-encoding and the fields of queries and forms, for scripts that read or make addresses. */
#include "http/query.h"
#include "lua/api.h"
#include "lua/vm.h"

/* Pushes the decoded text; false and nothing when it is broken. */
static bool push_decoded(lua_State *L, struct rt_str s)
{
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, s.n + 1);
    long n = rt_percent_decode(s, true, out);
    luaL_pushresultsize(&b, n < 0 ? 0 : (size_t)n);
    if (n < 0)
        lua_pop(L, 1);
    return n >= 0;
}

L_FN(url_encode, RT_ANY, "url.encode(text: string): string",
     "The text for a part of a URL or form: everything but letters, digits and -._~ is percent-encoded.")
{
    struct rt_str s;
    s.p = luaL_checklstring(L, 1, &s.n);
    struct rt_buf *b = &rt_vm_of(L)->scratch;
    rt_buf_reset(b);
    rt_percent_encode(b, s);
    if (b->failed)
        return luaL_error(L, "url.encode: the text is too long");
    lua_pushlstring(L, b->len ? b->data : "", b->len);
    return 1;
}

L_FN(url_decode, RT_ANY, "url.decode(text: string): string | nil",
     "What url.encode or a form has encoded (+ is a blank); nil for a broken escape, a NUL or text that is not UTF-8.")
{
    struct rt_str s;
    s.p = luaL_checklstring(L, 1, &s.n);
    if (!push_decoded(L, s))
        lua_pushnil(L);
    return 1;
}

L_FN(url_fields, RT_ANY, "url.fields(text: string): table | nil, table",
     "The fields of a query or form, decoded: name to value; and name to true for those that occur more than once, of "
     "which the last counts. nil when something cannot be decoded.")
{
    struct rt_str rest, name, value;
    rest.p = luaL_checklstring(L, 1, &rest.n);
    lua_newtable(L);
    lua_newtable(L);
    while (rt_query_next(&rest, &name, &value)) {
        if (!push_decoded(L, name) || !push_decoded(L, value)) {
            lua_pushnil(L);
            return 1;
        }
        lua_pushvalue(L, -2);
        if (lua_rawget(L, 2) != LUA_TNIL) {
            lua_pushvalue(L, -3);
            lua_pushboolean(L, true);
            lua_rawset(L, 3);
        }
        lua_pop(L, 1);
        lua_rawset(L, 2);
    }
    return 2;
}

static const struct rt_lua_fn *const fns[] = { &url_encode, &url_decode, &url_fields, NULL };
const struct rt_lua_lib rt_lib_url = { "url", "Parts of addresses and forms.", fns };
