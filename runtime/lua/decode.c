/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists from primitives come as text in a buffer that the state owns, so nothing is left open or allocated
 * when making the Lua values raises. */
#include "lua/decode.h"

#include "lua/api.h"
#include "lua/vm.h"

void rt_decode_scratch(lua_State *L, const char *what)
{
    const struct rt_buf *out = &rt_vm_of(L)->scratch;
    if (out->failed)
        luaL_error(L, "%s: the list is too long: ask for fewer", what);
    lua_getglobal(L, "json");
    lua_getfield(L, -1, "decode");
    lua_remove(L, -2);
    lua_pushlstring(L, out->data, out->len);
    lua_call(L, 1, 1);
}
