/* SPDX-License-Identifier: Apache-2.0
 *
 * recount(emit): `emit` is a closure over where the facts go. Facts to be stored are gathered and sorted first, so
 * that a day's row is written once for many of them and not once for each. */
#include "lua/recount.h"

#include <stdlib.h>
#include <string.h>

#include "lua/api.h"
#include "lua/fact.h"

enum { FACTS_AT_ONCE = 8192, NAMES_MAX = 64 };

struct sink {
    struct rt_app *app;
    struct rt_verify *verify;
    struct rt_conn *conn;
    int64_t facts;
    struct rt_fact *gathered;
    size_t count;
    char *names[NAMES_MAX]; /* measures and kinds, which the gathered facts borrow */
    int n_names;
};

static int by_row(const void *pa, const void *pb)
{
    const struct rt_fact *a = pa, *b = pb;
    int kind = strcmp(a->kind, b->kind);
    if (kind != 0)
        return kind;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->from > b->from) - (a->from < b->from);
}

static int flush(struct sink *s, struct rt_err *err)
{
    if (s->count > 1)
        qsort(s->gathered, s->count, sizeof *s->gathered, by_row);
    int rc = rt_analytics_record(s->conn, s->gathered, s->count, err);
    s->count = 0;
    return rc;
}

/* The name itself may be gone with the script's table. NULL without memory, or with more names than an app has. */
static const char *keep_name(struct sink *s, const char *name)
{
    for (int i = 0; i < s->n_names; i++) {
        if (strcmp(s->names[i], name) == 0)
            return s->names[i];
    }
    if (s->n_names == NAMES_MAX)
        return NULL;
    char *copy = strdup(name);
    if (copy)
        s->names[s->n_names++] = copy;
    return copy;
}

static int gather(struct sink *s, struct rt_fact f, struct rt_err *err)
{
    f.measure = keep_name(s, f.measure);
    f.kind = keep_name(s, f.kind);
    if (!f.measure || !f.kind)
        return rt_err_set(err, RT_E_LIMIT, "more than %d measures and kinds", NAMES_MAX);
    s->gathered[s->count++] = f;
    return s->count < FACTS_AT_ONCE ? 0 : flush(s, err);
}

static int emit(lua_State *L)
{
    struct sink *s = lua_touserdata(L, lua_upvalueindex(1));
    struct rt_err err;
    struct rt_fact f = rt_fact_read(L, 1);
    int rc = s->verify ? rt_verify_add(s->verify, &f, &err) : gather(s, f, &err);
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
    struct sink s = { .app = app, .conn = c, .gathered = calloc(FACTS_AT_ONCE, sizeof *s.gathered) };
    int rc = s.gathered ? run(&s, ret_facts, err) : rt_err_set(err, RT_E_NOMEM, "no memory for facts");
    if (rc == 0)
        rc = flush(&s, err);
    while (s.n_names > 0)
        free(s.names[--s.n_names]);
    free(s.gathered);
    return rc;
}
