/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks are Lua with all of its libraries, which no script may get, and they must live when an app does
 * not load; so they run in another state. What they need of the app's state is copied: names of globals, the
 * descriptors, the manifest as data. The schema is asked through two functions. */
#include "lua/check_run.h"

#include <lualib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lua/alloc.h"
#include "lua/api.h"
#include "lua/app.h"
#include "lua/check_values.h"
#include "lua/prelude.h"

enum { COPY_DEPTH = 24 };

struct rt_check {
    struct rt_alloc memory; /* many small objects: malloc took a third of the time */
    lua_State *L;
    size_t kept; /* bytes in use after the first run, then after the latest collection */
};

static const char checks[] = "rt.check";

/* Debian has luacheck where any version of Lua finds it but 5.4. */
static void open_path(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua", lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 2);
}

static int open_checks(lua_State *L)
{
    luaL_openlibs(L);
    lua_gc(L, LUA_GCINC, 400, 0, 0); /* short-lived: time counts */
    open_path(L);
    rt_prelude_load(L, "check");
    lua_setfield(L, LUA_REGISTRYINDEX, checks);
    return 0;
}

/* Copies the value at `idx` of another state: data only, functions and the like as true. */
static void copy(lua_State *from, int idx, lua_State *to, int depth)
{
    size_t n;
    luaL_checkstack(to, 6, "the manifest is too deep");
    switch (lua_type(from, idx)) {
    case LUA_TSTRING: {
        const char *s = lua_tolstring(from, idx, &n);
        lua_pushlstring(to, s, n);
        return;
    }
    case LUA_TNUMBER:
        if (lua_isinteger(from, idx))
            lua_pushinteger(to, lua_tointeger(from, idx));
        else
            lua_pushnumber(to, lua_tonumber(from, idx));
        return;
    case LUA_TBOOLEAN: lua_pushboolean(to, lua_toboolean(from, idx)); return;
    case LUA_TTABLE: break;
    default: lua_pushboolean(to, true); return;
    }
    lua_newtable(to);
    if (depth == 0 || !lua_checkstack(from, 6))
        return;
    idx = lua_absindex(from, idx);
    lua_pushnil(from);
    while (lua_next(from, idx)) {
        int type = lua_type(from, -2);
        if (type == LUA_TSTRING || type == LUA_TNUMBER) {
            copy(from, -2, to, 0);
            copy(from, -1, to, depth - 1);
            lua_rawset(to, -3);
        }
        lua_pop(from, 1);
    }
}

/* What a read-only view shows, in the place of the view at the top. */
static void unwrap(lua_State *L)
{
    if (lua_getmetatable(L, -1)) {
        if (lua_getfield(L, -1, "__index") == LUA_TTABLE)
            lua_replace(L, -3);
        else
            lua_pop(L, 1);
        lua_pop(L, 1);
    }
}

/* app.globals[name] = { field = true, … } or true */
static void push_globals(lua_State *L, struct rt_vm *vm)
{
    lua_State *from = vm->L;
    lua_newtable(L);
    lua_rawgeti(from, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    unwrap(from);
    lua_pushnil(from);
    while (lua_next(from, -2)) {
        const char *name = lua_tostring(from, -2);
        bool fields = false;
        if (lua_istable(from, -1)) {
            lua_getfield(from, -1, "kind"); /* a type, whose fields are nobody's business */
            fields = lua_isnil(from, -1);
            lua_pop(from, 1);
        }
        unwrap(from);
        if (fields)
            copy(from, -1, L, 1);
        else
            lua_pushboolean(L, true);
        lua_setfield(L, -2, name);
        lua_pop(from, 1);
    }
    lua_pop(from, 1);
}

static void add_functions(lua_State *L, const struct rt_lua_lib *lib, const char *prefix)
{
    char name[64];
    for (int k = 0; lib->fns[k]; k++) {
        if (prefix && strncmp(lib->fns[k]->sig, prefix, strlen(prefix)) != 0)
            continue;
        rt_api_short_name(lib->fns[k], name, sizeof name);
        lua_createtable(L, 0, 2);
        lua_pushinteger(L, lib->fns[k]->phases);
        lua_setfield(L, -2, "phases");
        lua_pushstring(L, lib->fns[k]->sig);
        lua_setfield(L, -2, "usage");
        lua_setfield(L, -2, name);
    }
}

/* app.libs[name][function] = { phases =, usage = }; a transaction also reads as db does. */
static void push_libs(lua_State *L)
{
    static const char *const reads[] = { "db.one(", "db.all(", "db.value(" };
    lua_newtable(L);
    for (int i = 0; rt_lua_libs[i]; i++) {
        lua_newtable(L);
        add_functions(L, rt_lua_libs[i], NULL);
        if (strcmp(rt_lua_libs[i]->name, "tx") == 0)
            for (int r = 0; r < 3; r++)
                add_functions(L, rt_lua_libs[0], reads[r]);
        lua_setfield(L, -2, rt_lua_libs[i]->name);
    }
}

static void push_files(lua_State *L, const struct rt_tree *tree)
{
    lua_createtable(L, tree->n, 0);
    for (int i = 0; i < tree->n; i++) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, tree->file[i].path);
        lua_setfield(L, -2, "path");
        lua_pushlstring(L, tree->file[i].text, tree->file[i].n);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, i + 1);
    }
}

/* prepare(sql) → number of placeholders, whether it only reads, names of the columns; or nil, message. This state
 * has no limit of memory, so nothing raises while the statement is open. */
static int prepare(lua_State *L)
{
    struct rt_conn *schema = lua_touserdata(L, lua_upvalueindex(1));
    struct rt_stmt *s;
    struct rt_err err;
    size_t n;
    const char *sql = luaL_checklstring(L, 1, &n);
    if (rt_conn_prepare(schema, sql, n, &s, &err)) {
        lua_pushnil(L);
        lua_pushstring(L, err.msg);
        return 2;
    }
    lua_pushinteger(L, rt_stmt_params(s));
    lua_pushboolean(L, rt_stmt_readonly(s));
    lua_newtable(L);
    for (int i = 0; i < rt_stmt_columns(s); i++) {
        lua_pushstring(L, rt_stmt_name(s, i));
        lua_rawseti(L, -2, i + 1);
    }
    rt_stmt_done(s);
    return 3;
}

static int table_names(lua_State *L)
{
    static const char sql[] = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')";
    struct rt_conn *schema = lua_touserdata(L, lua_upvalueindex(1));
    struct rt_stmt *s;
    struct rt_err err;
    size_t n;
    lua_newtable(L);
    if (rt_conn_prepare(schema, sql, sizeof sql - 1, &s, &err))
        return 1;
    for (int i = 1; rt_stmt_step(s, &err) == RT_STEP_ROW; i++) {
        const char *name = rt_col_text(s, 0, &n);
        lua_pushlstring(L, name, n);
        lua_rawseti(L, -2, i);
    }
    rt_stmt_done(s);
    return 1;
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, key);
    }
}

static void set_schema(lua_State *L, struct rt_conn *schema)
{
    lua_pushlightuserdata(L, schema);
    lua_pushcclosure(L, prepare, 1);
    lua_setfield(L, -2, "prepare");
    lua_pushlightuserdata(L, schema);
    lua_pushcclosure(L, table_names, 1);
    lua_setfield(L, -2, "table_names");
}

static void set_manifest(lua_State *L, const struct rt_app *app)
{
    lua_State *from = app->vm->L;
    lua_rawgeti(from, LUA_REGISTRYINDEX, app->table_ref);
    copy(from, -1, L, COPY_DEPTH);
    lua_pop(from, 1);
    lua_setfield(L, -2, "manifest");
}

static int add(lua_State *L)
{
    const struct rt_check_app *a = lua_touserdata(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, checks);
    lua_getfield(L, -1, "add");
    lua_newtable(L);
    set_text(L, "name", a->name);
    set_text(L, "load_error", a->load_error);
    set_text(L, "schema_error", a->schema_error);
    set_text(L, "summary", a->summary);
    push_files(L, a->tree);
    lua_setfield(L, -2, "files");
    push_globals(L, a->vm);
    lua_setfield(L, -2, "globals");
    push_libs(L);
    lua_setfield(L, -2, "libs");
    rt_check_push_values(a->vm->L, L);
    lua_setfield(L, -2, "values");
    if (a->app)
        set_manifest(L, a->app);
    if (a->schema)
        set_schema(L, a->schema);
    lua_call(L, 1, 0);
    return 0;
}

struct ending {
    bool json, colours;
    int errors;
};

static int finish(lua_State *L)
{
    struct ending *e = lua_touserdata(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, checks);
    lua_getfield(L, -1, "finish");
    lua_pushboolean(L, e->json);
    lua_pushboolean(L, e->colours);
    lua_call(L, 2, 1);
    e->errors = (int)lua_tointeger(L, -1);
    return 0;
}

static int traceback(lua_State *L)
{
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

static int run(lua_State *L, lua_CFunction f, void *arg, struct rt_err *err)
{
    lua_settop(L, 0);
    lua_pushcfunction(L, traceback);
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, arg);
    return lua_pcall(L, 1, 0, 1) == LUA_OK ? 0 : rt_err_set(err, RT_E_INTERNAL, "check: %s", lua_tostring(L, -1));
}

int rt_check_new(struct rt_check **ret, struct rt_err *err)
{
    struct rt_check *c = calloc(1, sizeof *c);
    if (c) {
        c->memory.limit = SIZE_MAX;
        c->L = lua_newstate(rt_alloc, &c->memory);
    }
    if (!c || !c->L) {
        free(c);
        return rt_err_set(err, RT_E_NOMEM, "no memory for a Lua state");
    }
    int rc = run(c->L, open_checks, NULL, err);
    if (rc) {
        rt_check_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

void rt_check_free(struct rt_check *c)
{
    if (!c)
        return;
    lua_close(c->L);
    rt_alloc_fini(&c->memory);
    free(c);
}

int rt_check_add(struct rt_check *c, const struct rt_check_app *app, struct rt_err *err)
{
    return run(c->L, add, (void *)(uintptr_t)app, err);
}

int rt_check_finish(struct rt_check *c, bool json, bool colours, int *ret_errors, struct rt_err *err)
{
    struct ending e = { .json = json, .colours = colours };
    int rc = run(c->L, finish, &e, err);
    lua_gc(c->L, LUA_GCINC, 200, 0, 0); /* whoever goes on lives longer than that */
    if (rc == 0)
        *ret_errors = e.errors;
    return rc;
}

/* A collection takes as long as a check of which most is known: not after each. */
void rt_check_rest(struct rt_check *c, bool idle)
{
    if (c->kept == 0)
        c->kept = c->memory.used;
    if (c->memory.used < c->kept + c->kept / (idle ? 8 : 2))
        return;
    lua_gc(c->L, LUA_GCCOLLECT);
    rt_alloc_trim(&c->memory);
    c->kept = c->memory.used;
}
