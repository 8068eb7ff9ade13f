/* SPDX-License-Identifier: Apache-2.0
 *
 * tx: what the function given to db.transaction works with. The readers are db's own, which see the
 * transaction's writes; inserts and updates are put together from tables with their columns in order,
 * so that the same columns always make the same statement. */
#include <stdlib.h>
#include <string.h>

#include "lua/api.h"
#include "lua/call.h"
#include "lua/query.h"
#include "lua/tx.h"

enum { COLUMNS_MAX = 64 };

static struct rt_call *transaction_of(lua_State *L)
{
    struct rt_call *call = rt_call_of(L);
    if (!call->in_transaction)
        luaL_error(L, "tx is used after its transaction has ended");
    return call;
}

static struct rt_conn *write_conn(struct rt_call *call) { return rt_writer_conn(call->vm->services->app->writer); }

static void note(lua_State *L, int sql)
{
    struct rt_call *call = rt_call_of(L);
    if (call->note)
        call->note(L, lua_tostring(L, sql), rt_conn_changes(write_conn(call)));
}

static int run_here(lua_State *L, int first)
{
    struct rt_stmt *s = rt_query_begin(L, first, true);
    while (rt_query_step(L, s)) {
    }
    rt_query_end(L);
    note(L, first);
    return 0;
}

L_FN(tx_run, RT_RUN, "tx.run(sql: string, ...): integer",
     "Runs a statement that changes data and returns the number of rows it changed.")
{
    struct rt_call *call = transaction_of(L);
    run_here(L, 1);
    lua_pushinteger(L, rt_conn_changes(write_conn(call)));
    return 1;
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool name_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/* By hand: strspn() makes a table of its set for each call, and there are dozens per write. */
static void check_name(lua_State *L, const char *name)
{
    size_t n = 0;
    while (name_char(name[n]))
        n++;
    if (n == 0 || n > 63 || name[n])
        luaL_error(L, "'%s' is not the name of a table or column", name);
}

/* The column names of the table at idx, sorted. */
static int columns_of(lua_State *L, int idx, const char *names[COLUMNS_MAX])
{
    int n = 0;
    luaL_checktype(L, idx, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        if (n == COLUMNS_MAX || lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "the columns must be at most %d names", COLUMNS_MAX);
        names[n] = lua_tostring(L, -1);
        check_name(L, names[n++]);
    }
    qsort(names, (size_t)n, sizeof *names, by_name);
    return n;
}

/* Pushes the values of those columns in their order. */
static void push_values(lua_State *L, int idx, const char *const *names, int n)
{
    luaL_checkstack(L, n + 4, "too many columns");
    for (int i = 0; i < n; i++)
        lua_getfield(L, idx, names[i]);
}

/* Puts the statement together at the top of the stack, its parameters behind it; returns its index. */
static int push_insert(lua_State *L)
{
    const char *names[COLUMNS_MAX];
    const char *table = luaL_checkstring(L, 1);
    check_name(L, table);
    lua_settop(L, 2);
    int n = columns_of(L, 2, names);
    if (n == 0)
        luaL_error(L, "tx.insert needs at least one column");
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "INSERT INTO ");
    luaL_addstring(&b, table);
    for (int i = 0; i < n; i++) {
        luaL_addstring(&b, i ? "," : "(");
        luaL_addstring(&b, names[i]);
    }
    for (int i = 0; i < n; i++)
        luaL_addstring(&b, i ? ",?" : ") VALUES (?");
    luaL_addstring(&b, ")");
    luaL_pushresult(&b);
    push_values(L, 2, names, n);
    return 3;
}

L_FN(tx_insert, RT_RUN, "tx.insert(table: string, values: table): integer",
     "Inserts one row, e.g. tx.insert(\"tasks\", { title = \"…\" }), and returns its id.")
{
    struct rt_call *call = transaction_of(L);
    run_here(L, push_insert(L));
    lua_pushinteger(L, rt_conn_last_id(write_conn(call)));
    return 1;
}

L_FN(tx_insert_new, RT_RUN, "tx.insert_new(table: string, values: table): integer | nil, string",
     "As tx.insert, but nil and a message where the row would violate a constraint: when it is there already.")
{
    struct rt_call *call = transaction_of(L);
    struct rt_err err;
    int sql = push_insert(L);
    struct rt_stmt *s = rt_query_begin(L, sql, true);
    int rc = rt_stmt_step(s, &err); /* a statement that fails undoes itself */
    if (rc < 0 && rc != RT_E_CONSTRAINT)
        return rt_query_raise(L, &err);
    rt_query_end(L);
    if (rc < 0) {
        lua_pushnil(L);
        lua_pushstring(L, err.msg);
        return 2;
    }
    note(L, sql);
    lua_pushinteger(L, rt_conn_last_id(write_conn(call)));
    return 1;
}

L_FN(tx_update, RT_RUN, "tx.update(table: string, values: table, where: string, ...): integer",
     "Updates the rows that match, e.g. tx.update(\"tasks\", { title = \"…\" }, \"id = ?\", id); returns how many "
     "changed.")
{
    struct rt_call *call = transaction_of(L);
    const char *names[COLUMNS_MAX];
    const char *table = luaL_checkstring(L, 1), *where = luaL_checkstring(L, 3);
    int params = lua_gettop(L) - 3;
    check_name(L, table);
    int n = columns_of(L, 2, names);
    if (n == 0) {
        lua_pushinteger(L, 0);
        return 1;
    }
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "UPDATE ");
    luaL_addstring(&b, table);
    for (int i = 0; i < n; i++) {
        luaL_addstring(&b, i ? ", " : " SET ");
        luaL_addstring(&b, names[i]);
        luaL_addstring(&b, " = ?");
    }
    luaL_addstring(&b, " WHERE ");
    luaL_addstring(&b, where);
    luaL_pushresult(&b);
    int sql = lua_gettop(L);
    push_values(L, 2, names, n);
    luaL_checkstack(L, params, "too many parameters");
    for (int i = 0; i < params; i++)
        lua_pushvalue(L, 4 + i);
    run_here(L, sql);
    lua_pushinteger(L, rt_conn_changes(write_conn(call)));
    return 1;
}

/* What the function returned, or its error, begins at index 1. */
static int tried(lua_State *L, int status, lua_KContext ctx)
{
    struct rt_call *call = rt_call_of(L);
    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD) {
        lua_pushboolean(L, 1);
        lua_insert(L, 1);
        return lua_gettop(L);
    }
    if (!call->turn || !lua_istable(L, -1) || lua_getfield(L, -1, "constraint") != LUA_TBOOLEAN)
        return lua_settop(L, 1), lua_error(L);
    lua_pushboolean(L, 0);
    lua_getfield(L, 1, "message");
    return 2;
}

L_FN(tx_try, RT_RUN, "tx.try(fn: fun(): ...): boolean, ...",
     "Runs fn in a savepoint: true and its results, or false and the message of the violated constraint. Other errors "
     "go on.")
{
    transaction_of(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcfunction(L, rt_tx_nested);
    lua_insert(L, 1);
    return tried(L, lua_pcallk(L, 1, LUA_MULTRET, 0, 0, tried), 0);
}

static const struct rt_lua_fn *const fns[] = { &tx_run, &tx_insert, &tx_insert_new, &tx_update, &tx_try, NULL };
const struct rt_lua_lib rt_lib_tx = { "tx", "Writing inside db.transaction(function(tx) … end).", fns };

void rt_tx_open(lua_State *L)
{
    static const char *const readers[] = { "one", "all", "value", NULL };
    lua_getglobal(L, "db");
    lua_getglobal(L, "tx");
    lua_getmetatable(L, -1);
    lua_getfield(L, -1, "__index");
    for (int i = 0; readers[i]; i++) {
        lua_getfield(L, -4, readers[i]);
        lua_setfield(L, -2, readers[i]);
    }
    lua_pop(L, 2);
    lua_setfield(L, LUA_REGISTRYINDEX, "rt.tx");
    lua_pop(L, 1);
}
