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

enum { JSON_MAX = RT_VM_SCRATCH_MAX, PAGE_MAX = 1000 };

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
    bool found = rt_query_step(L, s);
    if (found)
        rt_row_push(L, plan_of(L, s), s);
    rt_query_end(L);
    return found;
}

L_FN(db_value, RT_RUN, "db.value(sql: string, ...): any",
     "The first column of the first row, or nil when there is no row.")
{
    struct rt_stmt *s = rt_query_begin(L, 1, false);
    bool found = rt_query_step(L, s);
    if (found)
        rt_row_push_column(L, plan_of(L, s), s, 0);
    rt_query_end(L);
    return found;
}

L_FN(db_all, RT_RUN, "db.all(sql: string, ...): table[]", "All rows of a query as an array of tables.")
{
    struct rt_stmt *s = rt_query_begin(L, 1, false);
    const struct rt_plan *plan = plan_of(L, s);
    lua_newtable(L);
    for (lua_Integer i = 1; rt_query_step(L, s); i++) {
        rt_row_push(L, plan, s);
        lua_rawseti(L, -2, i);
    }
    rt_query_end(L);
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
    rt_query_end(L);
    if (out->failed)
        return luaL_error(L, "db.json: the rows are longer than %d bytes: fetch fewer", JSON_MAX);
    rt_fragment_push(L, out->data, out->len);
    lua_pushinteger(L, n);
    return 2;
}

L_FN(db_object, RT_RUN, "db.object(sql: string, ...): json | nil",
     "The first row as a JSON object made straight from the columns, for an answer, or nil. A json value may be a "
     "parameter: "
     "? AS \"sessions:json\".")
{
    struct rt_stmt *s = rt_query_begin(L, 1, false);
    struct rt_buf *out = &rt_vm_of(L)->scratch;
    bool found = rt_query_step(L, s);
    rt_buf_reset(out);
    if (found)
        rt_row_json(plan_of(L, s), s, out);
    rt_query_end(L);
    if (out->failed)
        return luaL_error(L, "db.object: the row is longer than %d bytes", JSON_MAX);
    if (found)
        rt_fragment_push(L, out->data, out->len);
    return found;
}

/* Reads the ids that `pick` delivers, keeping those of the page; returns how many there are in all. */
static lua_Integer pick_ids(lua_State *L, struct rt_stmt *pick, lua_Integer offset, lua_Integer limit, int64_t *ids,
                            int *ret_n)
{
    lua_Integer count = 0;
    int n = 0;
    for (; rt_query_step(L, pick); count++)
        if (count >= offset && n < limit)
            ids[n++] = rt_col_int(pick, 0);
    rt_query_end(L);
    *ret_n = n;
    return count;
}

/* The rows of those ids, each by the same statement, into the scratch buffer. */
static struct rt_buf *page_rows(lua_State *L, const int64_t *ids, int n)
{
    struct rt_buf *out = &rt_vm_of(L)->scratch;
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    struct rt_stmt *s = rt_query_begin(L, lua_gettop(L) - 1, false);
    const struct rt_plan *plan = plan_of(L, s);
    rt_buf_reset(out);
    rt_buf_putc(out, '[');
    for (int i = 0; i < n; i++) {
        rt_bind_int(s, 1, ids[i]);
        if (rt_query_step(L, s)) {
            if (out->len > 1)
                rt_buf_putc(out, ',');
            rt_row_json(plan, s, out);
        }
        rt_stmt_again(s);
    }
    rt_buf_putc(out, ']');
    rt_query_end(L);
    return out;
}

L_FN(db_page, RT_RUN, "db.page(row: string, limit: integer, offset: integer, pick: string, ...): json, integer",
     "One page of a list: `pick` is a query for ids in order, `row` a query with one placeholder for the row of an id. "
     "The "
     "page's rows as a JSON array, and how many ids there are in all.")
{
    lua_Integer limit = luaL_checkinteger(L, 2), offset = luaL_checkinteger(L, 3);
    int64_t ids[PAGE_MAX];
    int n;
    luaL_checkstring(L, 1);
    luaL_argcheck(L, limit >= 1 && limit <= PAGE_MAX, 2, "1 to 1000 expected");
    luaL_argcheck(L, offset >= 0, 3, "0 or more expected");
    struct rt_stmt *pick = rt_query_begin(L, 4, false);
    lua_Integer count = pick_ids(L, pick, offset, limit, ids, &n);
    struct rt_buf *out = page_rows(L, ids, n);
    if (out->failed)
        return luaL_error(L, "db.page: the rows are longer than %d bytes: ask for fewer", JSON_MAX);
    rt_fragment_push(L, out->data, out->len);
    lua_pushinteger(L, count);
    return 2;
}

static int run_transaction(lua_State *L, int status, lua_KContext ctx)
{
    (void)status, (void)ctx;
    return rt_tx_run(L, rt_call_of(L));
}

L_FN(
    db_transaction, RT_EFFECT, "db.transaction(fn: fun(tx: tx): ...): ...",
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

static const struct rt_lua_fn *const fns[] = { &db_one,    &db_value, &db_all,         &db_json,
                                               &db_object, &db_page,  &db_transaction, NULL };
const struct rt_lua_lib rt_lib_db = { "db", "The app's database: reading, and writing in transactions.", fns };
