/* SPDX-License-Identifier: Apache-2.0
 *
 * recount(emit): `emit` is a closure over where the facts go. */
#include "lua/recount.h"

#include "lua/api.h"
#include "lua/fact.h"

struct sink {
    struct rt_app *app;
    struct rt_verify *verify;
    struct rt_conn *conn;
    int64_t facts;
};

static int emit(lua_State *L)
{
    struct sink *s = lua_touserdata(L, lua_upvalueindex(1));
    struct rt_err err;
    struct rt_fact f = rt_fact_read(L, 1);
    int rc = s->verify ? rt_verify_add(s->verify, &f, &err) : rt_analytics_record(s->conn, &f, 1, &err);
    if (rc)
        return luaL_error(L, "recount: %s", err.msg);
    s->facts++;
    return 0;
}

static int call_recount(lua_State *L)
{
    struct sink *s = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->app->recount_ref);
    lua_pushlightuserdata(L, s);
    lua_pushcclosure(L, emit, 1);
    lua_call(L, 1, 0);
    return 0;
}

static int run(struct sink *s, int64_t *ret_facts, struct rt_err *err)
{
    int rc = rt_vm_protected(s->app->vm, RT_CONSOLE, call_recount, s, err);
    if (rc == 0)
        *ret_facts = s->facts;
    return rc;
}

int rt_recount_verify(struct rt_app *app, struct rt_verify *v, int64_t *ret_facts, struct rt_err *err)
{
    struct sink s = { .app = app, .verify = v };
    return run(&s, ret_facts, err);
}

int rt_recount_store(struct rt_app *app, struct rt_conn *c, int64_t *ret_facts, struct rt_err *err)
{
    struct sink s = { .app = app, .conn = c };
    return run(&s, ret_facts, err);
}
