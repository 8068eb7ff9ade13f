/* SPDX-License-Identifier: Apache-2.0
 *
 * What scripts see of Lua's standard library: no io, os, debug, package, load; functions whose C loops
 * the watchdog cannot interrupt (patterns, sort, rep, move) are bounded by their input before they
 * start. Library tables and globals are read-only views. */
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "lua/api.h"
#include "lua/vm.h"

enum { REP_MAX = 8 << 20, SORT_MAX = 1 << 18, MOVE_MAX = 1 << 22 };
#define PATTERN_WORK 1e8

static int frozen(lua_State *L)
{
    const char *what = lua_tostring(L, lua_upvalueindex(1));
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    if (strcmp(what, "_G") == 0)
        return luaL_error(L, "assignment to the undeclared global '%s' (use local)", key);
    return luaL_error(L, "'%s' is read-only (field '%s')", what, key);
}

void rt_freeze(lua_State *L, const char *what)
{
    lua_newtable(L);          /* real view */
    lua_createtable(L, 0, 4); /* real view mt */
    lua_rotate(L, -3, 2);     /* view mt real */
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, what);
    lua_pushcclosure(L, frozen, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "read-only");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

/* The worst case of matching is a power of the subject's length: one factor per repetition, two for each `?`. */
static void bound_pattern(lua_State *L)
{
    size_t n, pn;
    luaL_checklstring(L, 1, &n);
    const char *p = luaL_checklstring(L, 2, &pn);
    int loops = pn > 0 && p[0] == '^' ? 0 : 1, choices = 0;
    for (size_t i = 0; i < pn; i++) {
        if (p[i] == '%')
            loops += i + 1 < pn && p[++i] == 'b';
        else if (p[i] == '*' || p[i] == '+' || p[i] == '-')
            loops++;
        else
            choices += p[i] == '?';
    }
    double work = 1;
    for (int i = 0; i < choices && work <= PATTERN_WORK; i++)
        work *= 2;
    for (int i = 0; i < loops && work <= PATTERN_WORK; i++)
        work *= (double)n + 1;
    if (work > PATTERN_WORK)
        luaL_error(L, "a pattern with %d repetitions may take too long on %d bytes: cut the text or split the pattern",
                   loops, (int)n);
}

/* The library's own function, which uses no upvalues: called in place, on the same arguments. */
static int original(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

static int bounded_match(lua_State *L)
{
    bound_pattern(L);
    return original(L);
}

static int bounded_find(lua_State *L)
{
    if (!lua_toboolean(L, 4))
        bound_pattern(L);
    return original(L);
}

static int bounded_rep(lua_State *L)
{
    size_t n, sep = 0;
    luaL_checklstring(L, 1, &n);
    lua_Integer times = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &sep);
    if (times > 0 && (double)(n + sep) * (double)times > REP_MAX)
        return luaL_error(L, "string.rep: the result would be longer than %d bytes", REP_MAX);
    if (n + sep == 0) { /* nothing, as often as you like */
        lua_pushliteral(L, "");
        return 1;
    }
    return original(L);
}

/* A length that a script makes up would be walked to its end. */
static void refuse_len(lua_State *L, const char *what)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
        luaL_error(L, "%s: not for a table with __len", what);
}

static int bounded_insert(lua_State *L)
{
    refuse_len(L, "table.insert");
    return original(L);
}

static int bounded_remove(lua_State *L)
{
    refuse_len(L, "table.remove");
    return original(L);
}

static int bounded_move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);
    if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from >= MOVE_MAX)
        return luaL_error(L, "table.move: more than %d elements", MOVE_MAX);
    return original(L);
}

/* An error of the watchdog is raised where hooks are off: a handler that loops there would loop for ever. */
static int handle_error(lua_State *L)
{
    if (rt_turn_condemned(rt_vm_of(L)))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int after_xpcall(lua_State *L, int status, lua_KContext below)
{
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - (int)below;
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* xpcall(f, handler, ...) */
static int safe_xpcall(lua_State *L)
{
    int n = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handle_error, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    return after_xpcall(L, lua_pcallk(L, n - 2, LUA_MULTRET, 2, 2, after_xpcall), 2);
}

/* Where __index is a function in C, no hook ends the walk: its length is bounded, whatever the elements cost. */
static int bounded_concat(lua_State *L)
{
    refuse_len(L, "table.concat");
    lua_Integer from = luaL_optinteger(L, 3, 1), to = luaL_optinteger(L, 4, (lua_Integer)lua_rawlen(L, 1));
    if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from >= MOVE_MAX)
        return luaL_error(L, "table.concat: more than %d elements", MOVE_MAX);
    return original(L);
}

static int bounded_sort(lua_State *L)
{
    refuse_len(L, "table.sort");
    if (lua_rawlen(L, 1) > SORT_MAX)
        return luaL_error(L, "table.sort: more than %d elements", SORT_MAX);
    return original(L);
}

/* Wraps field `name` of the table at the top. */
static void wrap(lua_State *L, const char *name, lua_CFunction f)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, f, 1);
    lua_setfield(L, -2, name);
}

static void drop(lua_State *L, const char *name)
{
    lua_pushnil(L);
    lua_setfield(L, -2, name);
}

/* Only tables show their metatable, and a __gc in it would run outside any deadline. */
static int safe_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: __gc is not available to scripts");
        lua_pop(L, 1);
    }
    return original(L);
}

/* A raw write would get past a read-only view. */
static int safe_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "rawset: the table is read-only");
    return original(L);
}

static int safe_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (!lua_istable(L, 1))
        return 0;
    return original(L);
}

static int global_require(lua_State *L) { return rt_vm_require(L, luaL_checkstring(L, 1)); }

static void open_base(lua_State *L)
{
    static const char *const kept[] = { "assert", "error",  "ipairs", "next",     "pairs",    "pcall", "rawequal",
                                        "rawget", "rawlen", "select", "tonumber", "tostring", "type",  NULL };
    luaL_requiref(L, "_G", luaopen_base, 0);
    for (int i = 0; kept[i]; i++) {
        lua_getfield(L, -1, kept[i]);
        lua_setfield(L, -3, kept[i]);
    }
    lua_getfield(L, -1, "setmetatable");
    lua_pushcclosure(L, safe_setmetatable, 1);
    lua_setfield(L, -3, "setmetatable");
    lua_getfield(L, -1, "getmetatable");
    lua_pushcclosure(L, safe_getmetatable, 1);
    lua_setfield(L, -3, "getmetatable");
    lua_getfield(L, -1, "rawset");
    lua_pushcclosure(L, safe_rawset, 1);
    lua_setfield(L, -3, "rawset");
    lua_pop(L, 1);
    lua_pushcfunction(L, safe_xpcall);
    lua_setfield(L, -2, "xpcall");
    lua_pushcfunction(L, global_require);
    lua_setfield(L, -2, "require");
    lua_pushliteral(L, LUA_VERSION);
    lua_setfield(L, -2, "_VERSION");
}

/* Sets the library at the top, frozen, as a field of the table below it. */
static void publish(lua_State *L, const char *name)
{
    rt_freeze(L, name);
    lua_setfield(L, -2, name);
}

void rt_sandbox_open(lua_State *L)
{
    open_base(L);
    luaL_requiref(L, "string", luaopen_string, 0);
    drop(L, "dump");
    wrap(L, "find", bounded_find);
    wrap(L, "match", bounded_match);
    wrap(L, "gmatch", bounded_match);
    wrap(L, "gsub", bounded_match);
    wrap(L, "rep", bounded_rep);
    publish(L, "string");
    luaL_requiref(L, "table", luaopen_table, 0);
    wrap(L, "concat", bounded_concat);
    wrap(L, "sort", bounded_sort);
    wrap(L, "insert", bounded_insert);
    wrap(L, "remove", bounded_remove);
    wrap(L, "move", bounded_move);
    publish(L, "table");
    luaL_requiref(L, "math", luaopen_math, 0);
    publish(L, "math");
    luaL_requiref(L, "utf8", luaopen_utf8, 0);
    publish(L, "utf8");
    rt_coroutine_open(L);
    publish(L, "coroutine");
}
