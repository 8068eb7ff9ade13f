/* SPDX-License-Identifier: Apache-2.0
 *
 * db: reading, and the one way to write. The functions of a transaction (tx.*) are in l_tx.c. */
#include "base/json.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/fragment.h"
#include "lua/query.h"
#include "lua/row.h"
#include "lua/tx.h"

enum { JSON_MAX = RT_VM_SCRATCH_MAX };

static const struct rt_plan *plan_of(lua_State *L, struct rt_stmt *s)
{
    const struct rt_plan *plan = rt_row_plan(s);
    if (!plan)
        luaL_error(L, "not enough memory");
    return plan;
}

L_FN(db_one, RT_RUN, "db.one(sql: string, ...): table | nil",
     "The first row of a query as a table, or nil. NULL columns are absent.")
{
    struct rt_stmt *s = rt_query_begin(L, 1, false);
    if (!rt_query_step(L, s))
        return 0;
    rt_row_push(L, plan_of(L, s), s);
    return 1;
}

L_FN(db_value, RT_RUN, "db.value(sql: string, ...): any",
     "The first column of the first row, or nil when there is no row.")
{
    struct rt_stmt *s = rt_query_begin(L, 1, false);
    if (!rt_query_step(L, s))
        return 0;
    rt_row_push_column(L, plan_of(L, s), s, 0);
    return 1;
}

L_FN(db_all, RT_RUN, "db.all(sql: string, ...): table[]",
     "All rows of a query as an array of tables.")
{
    struct rt_stmt *s = rt_query_begin(L, 1, false);
    const struct rt_plan *plan = plan_of(L, s);
    lua_newtable(L);
    for (lua_Integer i = 1; rt_query_step(L, s); i++) {
        rt_row_push(L, plan, s);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

L_FN(db_json, RT_RUN, "db.json(sql: string, ...): json, integer",
     "The rows as a JSON array made straight from the columns, for an answer; and their number. Aliases shape it: "
     "\"project.id\" nests, :bool, :time and :json convert.")
{
    struct rt_stmt *s = rt_query_begin(L, 1, false);
    const struct rt_plan *plan = plan_of(L, s);
    struct rt_buf *out = &rt_vm_of(L)->scratch;
    rt_buf_reset(out);
    lua_Integer n = 0;
    rt_buf_putc(out, '[');
    for (; rt_query_step(L, s); n++) {
        if (n > 0)
            rt_buf_putc(out, ',');
        rt_row_json(plan, s, out);
    }
    rt_buf_putc(out, ']');
    if (out->failed)
        return luaL_error(L, "db.json: the rows are longer than %d bytes: fetch fewer", JSON_MAX);
    rt_fragment_push(L, out->data, out->len);
    lua_pushinteger(L, n);
    return 2;
}

static int run_transaction(lua_State *L, int status, lua_KContext ctx)
{
    (void)status, (void)ctx;
    return rt_tx_run(L, rt_call_of(L));
}

L_FN(db_transaction, RT_RUN, "db.transaction(fn: fun(tx: tx): ...): ...",
     "Runs fn(tx) as a part of this request's one transaction and returns what it returns. It is the only way to write; "
     "an error rolls back, the answer leaves after the commit is on disk.")
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    struct rt_call *call = rt_call_of(L);
    if (!rt_call_take_turn(L, call)) {
        call->parked = true;
        return lua_yieldk(L, 0, 0, run_transaction);
    }
    return run_transaction(L, LUA_OK, 0);
}

static const struct rt_lua_fn *const fns[] = { &db_one, &db_value, &db_all, &db_json, &db_transaction, NULL };
const struct rt_lua_lib rt_lib_db = { "db", "The app's database: reading, and writing in transactions.", fns };
