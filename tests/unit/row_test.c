/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows shaped by their columns' aliases, as JSON and as Lua tables. */
#include "lua/row.h"

#include <lauxlib.h>

#include "db_fixture.h"

static struct rt_conn *c;
static lua_State *L;

static int fresh(void **state)
{
    (void)state;
    c = open_conn(":memory:", RT_CONN_WRITE);
    L = luaL_newstate();
    return L ? 0 : -1;
}

static int done(void **state)
{
    (void)state;
    lua_close(L);
    rt_conn_close(c);
    return 0;
}

static void assert_json(const char *sql, const char *expected)
{
    struct rt_buf b;
    struct rt_stmt *s = prepared(c, sql);
    rt_buf_init(&b, 0);
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    rt_row_json(rt_row_plan(s), s, &b);
    assert_string_equal(rt_buf_cstr(&b), expected);
    rt_buf_fini(&b);
    rt_stmt_done(s);
}

static void values_and_suffixes(void **state)
{
    (void)state;
    assert_json("SELECT 1 AS a, 2.5 AS b, 'x\"y' AS c, NULL AS d", "{\"a\":1,\"b\":2.5,\"c\":\"x\\\"y\",\"d\":null}");
    assert_json("SELECT 1 AS \"a:bool\", 0 AS \"b:bool\", NULL AS \"c:bool\"", "{\"a\":true,\"b\":false,\"c\":null}");
    assert_json("SELECT 0 AS \"t:time\", NULL AS \"u:time\"", "{\"t\":\"1970-01-01T00:00:00Z\",\"u\":null}");
    assert_json("SELECT '[1,{\"x\":2}]' AS \"j:json\", NULL AS \"k:json\"", "{\"j\":[1,{\"x\":2}],\"k\":null}");
    assert_json("SELECT 1 AS \":bool\", 2 AS \"x:other\"", "{\":bool\":1,\"x:other\":2}");
    assert_json("SELECT 9007199254740993 AS n", "{\"n\":9007199254740993}");
}

static void groups_nest(void **state)
{
    (void)state;
    assert_json("SELECT 1 AS id, 2 AS \"p.id\", 'x' AS \"p.name\", 3 AS z",
                "{\"id\":1,\"p\":{\"id\":2,\"name\":\"x\"},\"z\":3}");
    assert_json("SELECT 2 AS \"p.id\", 1 AS \"q.on:bool\"", "{\"p\":{\"id\":2},\"q\":{\"on\":true}}");
    assert_json("SELECT 1 AS a, NULL AS \"p.id\", 'ignored' AS \"p.name\", 3 AS z", "{\"a\":1,\"p\":null,\"z\":3}");
    assert_json("SELECT NULL AS \"p.id\", 1 AS \"p.n\", NULL AS \"q.id\"", "{\"p\":null,\"q\":null}");
    assert_json("SELECT 1 AS \"p.id\", NULL AS \"p.name\"", "{\"p\":{\"id\":1,\"name\":null}}");
    assert_json("SELECT 1 AS \".a\", 2 AS \"b.\"", "{\".a\":1,\"b\":{\"\":2}}");
}

static void a_plan_is_made_once(void **state)
{
    (void)state;
    struct rt_stmt *s = prepared(c, "SELECT 1 AS a");
    const struct rt_plan *plan = rt_row_plan(s);
    assert_ptr_equal(rt_row_plan(s), plan);
    rt_stmt_done(s);
    s = prepared(c, "SELECT 1 AS a");
    assert_ptr_equal(rt_row_plan(s), plan);
    rt_stmt_done(s);
}

static void long_names_are_cut_not_overrun(void **state)
{
    char sql[700], name[301];
    struct rt_buf b;
    (void)state;
    memset(name, 'n', 300);
    name[300] = 0;
    snprintf(sql, sizeof sql, "SELECT 1 AS \"%s\", 2 AS \"%.90s.%.90s\"", name, name, name);
    rt_buf_init(&b, 0);
    struct rt_stmt *s = prepared(c, sql);
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    rt_row_json(rt_row_plan(s), s, &b);
    assert_int_equal(rt_buf_cstr(&b)[b.len - 1], '}');
    rt_stmt_done(s);
    rt_buf_fini(&b);
}

static void assert_chunk(const char *sql, const char *condition)
{
    char chunk[400];
    struct rt_stmt *s = prepared(c, sql);
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    snprintf(chunk, sizeof chunk, "local row = ... return %s", condition);
    assert_int_equal(luaL_loadstring(L, chunk), LUA_OK);
    rt_row_push(L, rt_row_plan(s), s);
    assert_int_equal(lua_pcall(L, 1, 1, 0), LUA_OK);
    if (!lua_toboolean(L, -1))
        fail_msg("%s: not %s", sql, condition);
    lua_settop(L, 0);
    rt_stmt_done(s);
}

static void tables(void **state)
{
    (void)state;
    assert_chunk("SELECT 1 AS a, 2.5 AS b, 'x' AS c, NULL AS d",
                 "row.a == 1 and row.b == 2.5 and row.c == 'x' and row.d == nil");
    assert_chunk("SELECT 1 AS \"a:bool\", 0 AS \"b:bool\", 86400 AS \"t:time\"",
                 "row.a == true and row.b == false and row.t == 86400");
    assert_chunk("SELECT 2 AS \"p.id\", 'x' AS \"p.name\", 3 AS z",
                 "row.p.id == 2 and row.p.name == 'x' and row.z == 3");
    assert_chunk("SELECT NULL AS \"p.id\", 'x' AS \"p.name\", 3 AS z", "row.p == nil and row.z == 3");
    assert_int_equal(lua_gettop(L), 0);
}

static void one_column(void **state)
{
    (void)state;
    struct rt_stmt *s = prepared(c, "SELECT 7, 1 AS \"x:bool\", NULL");
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_ROW);
    for (int i = 0; i < 3; i++)
        rt_row_push_column(L, rt_row_plan(s), s, i);
    assert_int_equal(lua_tointeger(L, 1), 7);
    assert_true(lua_isboolean(L, 2));
    assert_true(lua_isnil(L, 3));
    rt_stmt_done(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_and_suffixes), TEST(groups_nest), TEST(a_plan_is_made_once), TEST(long_names_are_cut_not_overrun),
        TEST(tables),              TEST(one_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
