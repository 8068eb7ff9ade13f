/* SPDX-License-Identifier: Apache-2.0
 *
 * Goes through tables and closures from the modules on, each once. */
#include "lua/check_values.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

enum { DEPTH = 100 };

/* Indexes: of what was visited in `from`, and of the collected table in `to`. */
struct walk {
    lua_State *from, *to;
    int seen, out;
};

static void push_text(const struct walk *w, int idx)
{
    size_t n;
    const char *s = lua_tolstring(w->from, idx, &n);
    lua_pushlstring(w->to, s, n);
}

/* Pushes the value at the top of `from` as a text or a table of texts; false when it is neither. */
static bool push_value(const struct walk *w)
{
    lua_State *L = w->from;
    if (lua_type(L, -1) == LUA_TSTRING) {
        push_text(w, -1);
        return true;
    }
    if (lua_type(L, -1) != LUA_TTABLE)
        return false;
    lua_newtable(w->to);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING) {
            push_text(w, -2);
            push_text(w, -1);
            lua_rawset(w->to, -3);
        }
        lua_pop(L, 1);
    }
    return true;
}

/* out[file][name] = value; false when there is another one already. */
static void record(const struct walk *w, const char *file, const char *name)
{
    lua_State *to = w->to;
    if (!push_value(w))
        return;
    if (lua_getfield(to, w->out, file) != LUA_TTABLE) {
        lua_pop(to, 1);
        lua_newtable(to);
        lua_pushvalue(to, -1);
        lua_setfield(to, w->out, file);
    }
    int type = lua_getfield(to, -1, name);
    bool other = type != LUA_TNIL && (type != lua_type(to, -3) || (type == LUA_TSTRING && !lua_rawequal(to, -1, -3)));
    lua_pop(to, 1);
    if (other)
        lua_pushboolean(to, false);
    else
        lua_pushvalue(to, -2);
    lua_setfield(to, -2, name);
    lua_pop(to, 2);
}

static void visit(const struct walk *w, int depth);

static void visit_function(const struct walk *w, int depth)
{
    lua_State *L = w->from;
    lua_Debug ar;
    const char *name;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &ar);
    for (int i = 1; (name = lua_getupvalue(L, -1, i)); i++) {
        if (ar.source[0] == '@' && name[0] && strcmp(name, "_ENV") != 0)
            record(w, ar.source + 1, name);
        if (strcmp(name, "_ENV") != 0)
            visit(w, depth);
        lua_pop(L, 1);
    }
}

/* Goes on from the value at the top of `from`, which stays there. */
static void visit(const struct walk *w, int depth)
{
    lua_State *L = w->from;
    bool table = lua_istable(L, -1);
    if (depth == 0 || !lua_checkstack(L, 8) || (!table && (!lua_isfunction(L, -1) || lua_iscfunction(L, -1))))
        return;
    lua_pushvalue(L, -1);
    bool known = lua_rawget(L, w->seen) != LUA_TNIL;
    lua_pop(L, 1);
    if (known)
        return;
    lua_pushvalue(L, -1);
    lua_pushboolean(L, true);
    lua_rawset(L, w->seen);
    if (!table) {
        visit_function(w, depth - 1);
        return;
    }
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        visit(w, depth - 1);
        lua_pop(L, 1);
    }
}

void rt_check_push_values(lua_State *from, lua_State *to)
{
    lua_newtable(to);
    lua_newtable(from);
    struct walk w = { from, to, lua_gettop(from), lua_gettop(to) };
    luaL_checkstack(to, 10, "values");
    lua_getfield(from, LUA_REGISTRYINDEX, "rt.modules");
    visit(&w, DEPTH);
    lua_pop(from, 2);
}
