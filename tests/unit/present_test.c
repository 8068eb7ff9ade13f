/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua values written as JSON, with and without a schema. */
#include "unit.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "lua/fragment.h"
#include "lua/present.h"

int luaopen_cjson(lua_State *L);

/* Types as the prelude makes them, in few letters. */
static const char words[] =
    "function T(kind, o) o = o or {} o.kind = kind return o end\n"
    "function object(list) local f = {} for i, p in ipairs(list) do f[i] = { name = p[1], type = p[2] } end\n"
    "  return T('object', { fields = f }) end\n"
    "function list(of) return T('list', { of = of }) end\n"
    "function map(of) return T('map', { of = of }) end\n"
    "function ref(name) return T('ref', { ref = name }) end\n"
    "function omit(t) t.omit = true t.required = false return t end\n"
    "text, integer, number, boolean = T'text', T'integer', T'number', T'boolean'\n"
    "datetime, any = T'datetime', T'any'\n"
    "cycle = {} cycle.a = { b = cycle }\n";

struct world {
    lua_State *L;
    struct rt_schema_set *set;
    struct rt_buf out;
};

static int l_array(lua_State *L)
{
    rt_present_array_mt(L);
    lua_setmetatable(L, 1);
    return 1;
}

static int l_fragment(lua_State *L)
{
    size_t n;
    const char *s = luaL_checklstring(L, 1, &n);
    rt_fragment_push(L, s, n);
    return 1;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->L = luaL_newstate();
    luaL_openlibs(w->L);
    luaL_requiref(w->L, "cjson", luaopen_cjson, 1);
    lua_settop(w->L, 0);
    lua_pushlightuserdata(w->L, NULL);
    lua_setglobal(w->L, "null");
    lua_register(w->L, "array", l_array);
    lua_register(w->L, "fragment", l_fragment);
    assert_int_equal(luaL_dostring(w->L, words), LUA_OK);
    w->set = rt_schema_set_new();
    rt_buf_init(&w->out, 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    rt_schema_set_free(w->L, w->set);
    lua_close(w->L);
    rt_buf_fini(&w->out);
    free(w);
    return 0;
}

static void push(lua_State *L, const char *expression)
{
    char code[2048];
    snprintf(code, sizeof code, "return %s", expression);
    if (luaL_dostring(L, code) != LUA_OK)
        fail_msg("%s: %s", expression, lua_tostring(L, -1));
}

static void model(struct world *w, const char *name, const char *type)
{
    struct rt_err err = { 0 };
    push(w->L, type);
    if (rt_schema_set_add(w->L, w->set, name, -1, &err) != 0)
        fail_msg("%s: %s", name, err.msg);
    lua_pop(w->L, 1);
}

/* rt_present() of an expression; the text is in w->out. */
static int run(struct world *w, const char *type, const char *value, struct rt_err *err)
{
    struct rt_schema *s = NULL;
    if (type) {
        push(w->L, type);
        if (rt_schema_compile(w->L, -1, w->set, &s, err) != 0)
            fail_msg("%s: %s", type, err->msg);
        lua_pop(w->L, 1);
    }
    push(w->L, value);
    int top = lua_gettop(w->L);
    rt_buf_reset(&w->out);
    int rc = rt_present(w->L, -1, s, &w->out, err);
    assert_int_equal(lua_gettop(w->L), top);
    lua_pop(w->L, 1);
    rt_schema_free(w->L, s);
    return rc;
}

static void gives(struct world *w, const char *type, const char *value, const char *expected)
{
    struct rt_err err = { 0 };
    if (run(w, type, value, &err) != 0)
        fail_msg("%s as %s: %s", value, type ? type : "itself", err.msg);
    assert_string_equal(rt_buf_cstr(&w->out), expected);
    assert_int_equal(rt_json_check(w->out.data, w->out.len, 100, NULL, NULL), 0);
}

static void fails(struct world *w, const char *type, const char *value, int code, const char *expected)
{
    struct rt_err err = { 0 };
    assert_int_equal(run(w, type, value, &err), code);
    assert_string_equal(err.msg, expected);
}

static void test_fields(void **state)
{
    struct world *w = *state;
    const char *type = "object{ { 'id', integer }, { 'title', text }, { 'at', datetime }, { 'done', boolean },"
                       " { 'x', number } }";
    gives(w, type, "{ x = 0.5, title = 'a\"b', id = 7, at = 86400, done = true, secret = 1 }",
          "{\"id\":7,\"title\":\"a\\\"b\",\"at\":\"1970-01-02T00:00:00Z\",\"done\":true,\"x\":0.5}");
    gives(w, type, "{}", "{\"id\":null,\"title\":null,\"at\":null,\"done\":null,\"x\":null}");
    gives(w, type, "{ id = null, title = '', at = '2025-01-20T10:00:00Z', done = 0, x = 3.0 }",
          "{\"id\":null,\"title\":\"\",\"at\":\"2025-01-20T10:00:00Z\",\"done\":false,\"x\":3}");
    gives(w, type, "{ id = math.mininteger, at = 86400.9, x = 0/0 }",
          "{\"id\":-9223372036854775808,\"title\":null,\"at\":\"1970-01-02T00:00:00Z\",\"done\":null,\"x\":null}");
    gives(w, "object{}", "{ a = 1 }", "{}");
    gives(w, "object{ { 'a\"\\\\', text } }", "{ ['a\"\\\\'] = 'x' }", "{\"a\\\"\\\\\":\"x\"}");
}

static void test_omit(void **state)
{
    struct world *w = *state;
    const char *type = "object{ { 'a', omit(T'text') }, { 'b', omit(T'text') },"
                       " { 'c', T('text', { required = false }) } }";
    gives(w, type, "{}", "{\"c\":null}");
    gives(w, type, "{ b = 'x' }", "{\"b\":\"x\",\"c\":null}");
    gives(w, type, "{ a = null, c = 'y' }", "{\"a\":null,\"c\":\"y\"}");
    gives(w, "object{ { 'a', omit(T'text') } }", "{}", "{}");
}

static void test_lists_and_maps(void **state)
{
    struct world *w = *state;
    gives(w, "list(integer)", "{}", "[]");
    gives(w, "list(integer)", "{ 1, 2, 3.0 }", "[1,2,3]");
    gives(w, "list(object{ { 'a', list(text) } })", "{ { a = {} }, {}, { a = { 'x' } } }",
          "[{\"a\":[]},{\"a\":null},{\"a\":[\"x\"]}]");
    gives(w, "list(integer)", "null", "null");
    gives(w, "map(datetime)", "{ b = 0, a = null }", "{\"a\":null,\"b\":\"1970-01-01T00:00:00Z\"}");
    gives(w, "map(any)", "{}", "{}");
}

static void test_models(void **state)
{
    struct world *w = *state;
    model(w, "Task", "object{ { 'id', integer }, { 'project', ref 'Project' }, { 'sub', list(ref 'Task') },"
                     " { 'n', text } }");
    model(w, "Project", "object{ { 'name', text } }");
    gives(w, "ref 'Task'", "{ id = 1, n = 'z', project = { name = 'p', id = 9 }, sub = { { id = 2, n = 'y' } } }",
          "{\"id\":1,\"project\":{\"name\":\"p\"},"
          "\"sub\":[{\"id\":2,\"project\":null,\"sub\":null,\"n\":\"y\"}],\"n\":\"z\"}");
    gives(w, "ref 'Task'", "nil", "null");
    model(w, "Name", "text");
    gives(w, "list(ref 'Name')", "{ 'a', 5 }", "[\"a\",5]");
    fails(w, "ref 'Nothing'", "{}", RT_E_NOTFOUND, "answer refers to a model that does not exist");
}

static void test_plain(void **state)
{
    struct world *w = *state;
    gives(w, NULL, "nil", "null");
    gives(w, NULL, "true", "true");
    gives(w, NULL, "12345678901234567", "12345678901234567");
    gives(w, NULL, "2.0", "2");
    gives(w, NULL, "0.1", "0.1");
    gives(w, NULL, "'\\n\\u{1F345}'", "\"\\n\xf0\x9f\x8d\x85\"");
    gives(w, NULL, "{}", "{}");
    gives(w, NULL, "array{}", "[]");
    gives(w, NULL, "setmetatable({}, {})", "{}");
    gives(w, NULL, "{ 1, { 2 }, null, {} }", "[1,[2],null,{}]");
    gives(w, NULL, "{ b = 1, a = { y = 2, x = array{} }, ab = 3 }", "{\"a\":{\"x\":[],\"y\":2},\"ab\":3,\"b\":1}");
    gives(w, NULL, "{ [10] = 'j', [-3] = 'm', [2] = 't', z = 0 }", "{\"-3\":\"m\",\"2\":\"t\",\"10\":\"j\",\"z\":0}");
    gives(w, "object{ { 'a', any } }", "{ a = { c = { 1 }, b = 2 } }", "{\"a\":{\"b\":2,\"c\":[1]}}");
}

static void test_many_keys_are_sorted(void **state)
{
    struct world *w = *state;
    struct rt_err err = { 0 };
    const char *value = "(function() local t = {} for i = 1, 500 do t[('k%03d'):format(i)] = { b = i, a = i } end"
                        " return t end)()";
    assert_int_equal(run(w, NULL, value, &err), 0);
    const char *text = rt_buf_cstr(&w->out), *at = text;
    for (int i = 1; i <= 500; i++) {
        char key[40];
        snprintf(key, sizeof key, "\"k%03d\":{\"a\":%d,\"b\":%d}", i, i, i);
        const char *next = strstr(at, key);
        assert_true(next == at + 1);
        at = next + strlen(key);
    }
    assert_string_equal(at, "}");
}

static void test_fragments(void **state)
{
    struct world *w = *state;
    const char *type = "object{ { 'results', list(object{ { 'a', text } }) }, { 'b', text } }";
    gives(w, type, "{ results = fragment '[{\"x\":1}]', b = fragment '2' }", "{\"results\":[{\"x\":1}],\"b\":2}");
    gives(w, NULL, "{ fragment '[]' }", "[[]]");
    gives(w, "any", "fragment '{}'", "{}");
    push(w->L, "fragment 'abc'");
    const struct rt_fragment *f = rt_fragment_test(w->L, -1);
    assert_non_null(f);
    assert_int_equal(f->n, 3);
    assert_memory_equal(f->data, "abc", 3);
    push(w->L, "io.stdout");
    assert_null(rt_fragment_test(w->L, -1));
    push(w->L, "5");
    assert_null(rt_fragment_test(w->L, -1));
    push(w->L, "getmetatable(fragment '')");
    assert_int_equal(lua_type(w->L, -1), LUA_TBOOLEAN);
}

static void test_what_cannot_be_written(void **state)
{
    struct world *w = *state;
    const char *type = "object{ { 'a', object{ { 'b', list(text) } } }, { 'm', map(integer) } }";
    fails(w, type, "{ a = { b = { 'x', {} } } }", RT_E_INVALID, "a.b.1 must be a single value, got a table");
    fails(w, type, "{ a = { b = 'x' } }", RT_E_INVALID, "a.b must be a list, got a string");
    fails(w, type, "{ a = 5 }", RT_E_INVALID, "a must be an object, got a number");
    fails(w, type, "{ a = { 1 } }", RT_E_INVALID, "a must be an object, not a list");
    fails(w, type, "true", RT_E_INVALID, "answer must be an object, got a boolean");
    fails(w, type, "{ m = { x = print } }", RT_E_INVALID, "m.x must be a value that JSON has, got a function");
    fails(w, type, "{ m = { [true] = 1 } }", RT_E_INVALID, "m has a key that is neither a text nor an integer");
    fails(w, NULL, "{ 1, { x = io.stdout } }", RT_E_INVALID, "1.x must be a value that JSON has, got a userdata");
    fails(w, NULL, "{ [1.5] = 1 }", RT_E_INVALID, "answer has a key that is neither a text nor an integer");
    fails(w, "datetime", "1e300", RT_E_INVALID, "answer must be a time or a boolean, got a number");
}

static void test_cycles_end(void **state)
{
    struct world *w = *state;
    struct rt_err err = { 0 };
    assert_int_equal(run(w, NULL, "cycle", &err), RT_E_LIMIT);
    assert_non_null(strstr(err.msg, "is nested too deeply (does it contain itself?)"));
    model(w, "A", "object{ { 'a', ref 'B' } }");
    model(w, "B", "object{ { 'b', ref 'A' } }");
    assert_int_equal(run(w, "ref 'A'", "cycle", &err), RT_E_LIMIT);
    model(w, "Loop", "ref 'Loop'");
    assert_int_equal(run(w, "ref 'Loop'", "5", &err), RT_E_LIMIT);
}

static void test_full_buffer(void **state)
{
    struct world *w = *state;
    struct rt_err err = { 0 };
    struct rt_buf small;
    rt_buf_init(&small, 64);
    push(w->L, "('x'):rep(100)");
    assert_int_equal(rt_present(w->L, -1, NULL, &small, &err), RT_E_LIMIT);
    assert_string_equal(err.msg, "the answer is too large");
    rt_buf_fini(&small);
}

/* A script's metamethods never run. */
static void test_metamethods_are_ignored(void **state)
{
    struct world *w = *state;
    const char *value = "setmetatable({}, { __index = error, __len = error, __pairs = error, __tostring = error })";
    gives(w, "object{ { 'a', text } }", value, "{\"a\":null}");
    gives(w, "list(text)", value, "[]");
    gives(w, NULL, value, "{}");
}

/* What is written reads back as the same value. */
static void test_reads_back(void **state)
{
    struct world *w = *state;
    gives(w, NULL, "{ a = { 1.5, -2, 1e-7, 'x/y\\\\' }, b = { c = true } }",
          "{\"a\":[1.5,-2,1e-7,\"x/y\\\\\"],\"b\":{\"c\":true}}");
    lua_pushlstring(w->L, w->out.data, w->out.len);
    lua_setglobal(w->L, "written");
    push(w->L, "(function() local t = cjson.decode(written)"
               " return t.a[1] == 1.5 and t.a[2] == -2 and t.a[3] == 1e-7 and t.a[4] == 'x/y\\\\' and t.b.c end)()");
    assert_true(lua_toboolean(w->L, -1));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_fields),
        CASE(test_omit),
        CASE(test_lists_and_maps),
        CASE(test_models),
        CASE(test_plain),
        CASE(test_many_keys_are_sorted),
        CASE(test_fragments),
        CASE(test_what_cannot_be_written),
        CASE(test_cycles_end),
        CASE(test_full_buffer),
        CASE(test_metamethods_are_ignored),
        CASE(test_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
