/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts out of tables, for recording and for recounting. */
#include "lua/fact.h"

#include <lauxlib.h>

#include "lua/field.h"

struct rt_fact rt_fact_read(lua_State *L, int idx)
{
    lua_Integer detail;
    luaL_checktype(L, idx, LUA_TTABLE);
    struct rt_fact f = { .measure = rt_field_text(L, idx, "measure"), .kind = rt_field_text(L, idx, "kind") };
    f.id = rt_field_integer(L, idx, "id");
    rt_field_optional_integer(L, idx, "detail", &detail);
    f.detail = detail;
    f.from = rt_field_integer(L, idx, "from");
    f.to = rt_field_integer(L, idx, "to");
    f.value = rt_field_integer(L, idx, "value");
    if (f.to < f.from)
        luaL_error(L, "the fact ends before it begins");
    return f;
}
