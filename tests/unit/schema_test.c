/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of declared types against values as they arrive: JSON through cjson, text from a query. */
#include "unit.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/schema.h"

int luaopen_cjson(lua_State *L);

/* Short words to write types with; the real ones are Lua and have specs of their own. */
static const char words[] =
    "local function leaf(kind) return function(o) o = o or {} o.kind = kind\n"
    "  if o.required == nil then o.required = o.default == nil end return o end end\n"
    "for _, k in ipairs{'text','integer','number','boolean','email','date','datetime','timezone','any'} do\n"
    "  _G[k] = leaf(k) end\n"
    "function one_of(o) local v = {} for i, x in ipairs(o) do v[i] = x end o.values = v return leaf('one_of')(o) end\n"
    "function id() return { kind = 'id', required = true, min = 1, max = 1 << 53 } end\n"
    "function object(list) local f = {} for i, p in ipairs(list) do f[i] = { name = p[1], type = p[2] } end\n"
    "  return { kind = 'object', required = true, fields = f } end\n"
    "function list(of, o) o = o or {} o.of = of return leaf('list')(o) end\n"
    "function map(of) return { kind = 'map', required = true, of = of } end\n"
    "function ref(name) return { kind = 'ref', required = true, ref = name } end\n"
    "function optional(t) t.required = false return t end\n"
    "function nullable(t) t.nullable = true return t end\n"
    /* A cleaned value as text: integers and floats can be told apart, keys are sorted. */
    "function show(v)\n"
    "  if v == null then return 'null' end\n"
    "  if type(v) ~= 'table' then return type(v) == 'string' and ('%q'):format(v) or tostring(v) end\n"
    "  local out, keys = {}, {}\n"
    "  for i = 1, #v do out[i] = show(v[i]) end\n"
    "  for k in pairs(v) do if math.type(k) ~= 'integer' then keys[#keys + 1] = k end end\n"
    "  table.sort(keys)\n"
    "  for _, k in ipairs(keys) do out[#out + 1] = k .. '=' .. show(v[k]) end\n"
    "  return '{' .. table.concat(out, ' ') .. '}'\n"
    "end\n";

struct world {
    lua_State *L;
    struct rt_schema_set *set;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->L = luaL_newstate();
    luaL_openlibs(w->L);
    luaL_requiref(w->L, "cjson", luaopen_cjson, 1);
    lua_settop(w->L, 0);
    lua_pushlightuserdata(w->L, NULL);
    lua_setglobal(w->L, "null");
    assert_int_equal(luaL_dostring(w->L, words), LUA_OK);
    w->set = rt_schema_set_new();
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    rt_schema_set_free(w->L, w->set);
    lua_close(w->L);
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

static struct rt_schema *compile(struct world *w, const char *type)
{
    struct rt_schema *s = NULL;
    struct rt_err err = { 0 };
    push(w->L, type);
    if (rt_schema_compile(w->L, -1, w->set, &s, &err) != 0)
        fail_msg("%s: %s", type, err.msg);
    lua_pop(w->L, 1);
    return s;
}

/* What show() makes of the value on top. */
static void shows(struct world *w, const char *expected)
{
    lua_getglobal(w->L, "show");
    lua_insert(w->L, -2);
    assert_int_equal(lua_pcall(w->L, 1, 1, 0), LUA_OK);
    assert_string_equal(lua_tostring(w->L, -1), expected);
    lua_pop(w->L, 1);
}

/* Checks the value on top and pops it. */
static void check_top(struct world *w, const char *type, int source, int fields, const char *expected)
{
    struct rt_schema *s = compile(w, type);
    int top = lua_gettop(w->L);
    assert_int_equal(rt_schema_check(w->L, s, -1, source, NULL), fields);
    assert_int_equal(lua_gettop(w->L), top + 1);
    shows(w, expected);
    lua_pop(w->L, 1);
    rt_schema_free(w->L, s);
}

static void json(struct world *w, const char *type, const char *text, int fields, const char *expected)
{
    lua_getglobal(w->L, "cjson");
    lua_getfield(w->L, -1, "decode");
    lua_remove(w->L, -2);
    lua_pushfstring(w->L, "[%s]", text);    /* this cjson reads only documents that are arrays or objects */
    assert_int_equal(lua_pcall(w->L, 1, 1, 0), LUA_OK);
    lua_rawgeti(w->L, -1, 1);
    lua_remove(w->L, -2);
    check_top(w, type, RT_SOURCE_JSON, fields, expected);
}

static void text_source(struct world *w, const char *type, const char *value, int fields, const char *expected)
{
    push(w->L, value);
    check_top(w, type, RT_SOURCE_TEXT, fields, expected);
}

#define BODY(message) "{body={\"" message "\"}}"

static void test_integer(void **state)
{
    struct world *w = *state;
    json(w, "integer()", "5", 0, "5");
    json(w, "integer()", "5.0", 0, "5");
    json(w, "integer()", "-0.0", 0, "0");
    json(w, "integer()", "9007199254740992", 0, "9007199254740992");
    json(w, "integer()", "9007199254740994", 1, BODY("A valid integer is required."));
    json(w, "integer()", "1.5", 1, BODY("A valid integer is required."));
    json(w, "integer()", "1e300", 1, BODY("A valid integer is required."));
    json(w, "integer()", "\"5\"", 1, BODY("A valid integer is required."));
    json(w, "integer()", "true", 1, BODY("A valid integer is required."));
    json(w, "integer()", "[]", 1, BODY("A valid integer is required."));
    json(w, "integer{ min = 1, max = 100 }", "0", 1, BODY("Ensure this value is greater than or equal to 1."));
    json(w, "integer{ min = 1, max = 100 }", "101", 1, BODY("Ensure this value is less than or equal to 100."));
    json(w, "integer{ min = 1, max = 100, message = 'No.' }", "101", 1, BODY("No."));
    json(w, "id()", "0", 1, BODY("Ensure this value is greater than or equal to 1."));
    text_source(w, "integer()", "'42'", 0, "42");
    text_source(w, "integer()", "'-42'", 0, "-42");
    text_source(w, "integer()", "''", 1, BODY("A valid integer is required."));
    text_source(w, "integer()", "' 42'", 1, BODY("A valid integer is required."));
    text_source(w, "integer()", "'+42'", 1, BODY("A valid integer is required."));
    text_source(w, "integer()", "'4.0'", 1, BODY("A valid integer is required."));
    text_source(w, "integer()", "'0x10'", 1, BODY("A valid integer is required."));
    text_source(w, "integer()", "'99999999999999999999'", 1, BODY("A valid integer is required."));
    push(w->L, "0/0");
    check_top(w, "integer()", RT_SOURCE_JSON, 1, BODY("A valid integer is required."));
    push(w->L, "math.maxinteger");
    check_top(w, "integer()", RT_SOURCE_JSON, 0, "9223372036854775807");
}

static void test_number_and_boolean(void **state)
{
    struct world *w = *state;
    json(w, "number()", "1.5", 0, "1.5");
    json(w, "number()", "true", 1, BODY("A valid number is required."));
    json(w, "number()", "\"1\"", 1, BODY("A valid number is required."));
    json(w, "number{ min = 0.5 }", "0.25", 1, BODY("Ensure this value is greater than or equal to 0.5."));
    json(w, "number{ max = 2 }", "2.5", 1, BODY("Ensure this value is less than or equal to 2."));
    push(w->L, "1/0");
    check_top(w, "number()", RT_SOURCE_JSON, 1, BODY("A valid number is required."));
    text_source(w, "number()", "'-1.25'", 0, "-1.25");
    text_source(w, "number()", "'3'", 0, "3");
    const char *refused[] = { "''", "'1.'", "'.5'", "'1e3'", "'0x1'", "'1.2.3'", "'nan'", "'-'", "' 1'", "'1\\0'" };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        text_source(w, "number()", refused[i], 1, BODY("A valid number is required."));
    json(w, "boolean()", "false", 0, "false");
    json(w, "boolean()", "0", 1, BODY("Must be a valid boolean."));
    json(w, "boolean()", "\"true\"", 1, BODY("Must be a valid boolean."));
    text_source(w, "boolean()", "'TRUE'", 0, "true");
    text_source(w, "boolean()", "'0'", 0, "false");
    text_source(w, "boolean()", "'yes'", 1, BODY("Must be a valid boolean."));
    text_source(w, "optional(boolean())", "''", 1, BODY("Must be a valid boolean."));
}

static void test_text(void **state)
{
    struct world *w = *state;
    json(w, "text()", "\"  a b\\t\"", 0, "\"a b\"");
    json(w, "text{ trim = false }", "\" a \"", 0, "\" a \"");
    json(w, "text{ trim = false }", "\"  \"", 0, "\"  \"");
    json(w, "text()", "\"   \"", 1, BODY("This field may not be blank."));
    json(w, "text()", "\"\\u00a0\"", 1, BODY("This field may not be blank."));
    json(w, "text{ default = '' }", "\"\"", 0, "\"\"");
    json(w, "optional(text())", "\" \"", 0, "\"\"");
    json(w, "optional(text{ min = 1 })", "\" \"", 1, BODY("This field may not be blank."));
    json(w, "text{ min = 3, max = 3 }", "\"\xc3\xa4\xc3\xb6\xf0\x9f\x8d\x85\"", 0,
         "\"\xc3\xa4\xc3\xb6\xf0\x9f\x8d\x85\"");
    json(w, "text{ min = 3 }", "\"\xc3\xa4\xc3\xb6\"", 1, BODY("Ensure this field has at least 3 characters."));
    json(w, "text{ max = 2 }", "\"abc\"", 1, BODY("Ensure this field has no more than 2 characters."));
    json(w, "text()", "5", 1, BODY("Not a valid string."));
    json(w, "text()", "{}", 1, BODY("Not a valid string."));
    json(w, "text()", "\"a\\u0000b\"", 1, BODY("Not a valid string."));
    text_source(w, "text()", "'\\xff'", 1, BODY("Not a valid string."));
    json(w, "text{ pattern = '^#%x%x$' }", "\"#aF\"", 0, "\"#aF\"");
    json(w, "text{ pattern = '^#%x%x$' }", "\"#aFx\"", 1, BODY("This value does not match the required pattern."));
    json(w, "text{ pattern = '^#%x%x$', message = 'Use #RR.' }", "\"x\"", 1, BODY("Use #RR."));
    json(w, "text{ min = 2, max = 3, message = { min_length = 'At least {n}!' } }", "\"x\"", 1, BODY("At least 2!"));
    json(w, "text{ min = 2, max = 3, message = { min_length = 'At least {n}!' } }", "\"xxxx\"", 1,
         BODY("Ensure this field has no more than 3 characters."));
    json(w, "text{ max = 2, message = 'Short!' }", "\"  \"", 1, BODY("This field may not be blank."));
    /* A pattern that raises (a bounded find does) is a violation, not an error. */
    json(w, "text{ pattern = '%' }", "\"x\"", 1, BODY("This value does not match the required pattern."));
}

static void test_choice(void **state)
{
    struct world *w = *state;
    json(w, "one_of{ 'a', 'b' }", "\"b\"", 0, "\"b\"");
    json(w, "one_of{ 'a', 'b' }", "\"c\"", 1, "{body={\"\\\"c\\\" is not a valid choice.\"}}");
    json(w, "one_of{ 'a', 'b' }", "5", 1, "{body={\"\\\"5\\\" is not a valid choice.\"}}");
    json(w, "one_of{ 'a', 'b' }", "true", 1, "{body={\"\\\"true\\\" is not a valid choice.\"}}");
    json(w, "one_of{ 'a', 'b' }", "[1]", 1, BODY("Not a valid string."));
    json(w, "one_of{ 1, 2 }", "2", 0, "2");
    json(w, "one_of{ 1, 2 }", "2.5", 1, "{body={\"\\\"2.5\\\" is not a valid choice.\"}}");
    json(w, "one_of{ 1, 2 }", "\"2\"", 1, "{body={\"\\\"2\\\" is not a valid choice.\"}}");
    text_source(w, "one_of{ 1, 2 }", "'2'", 0, "2");
    text_source(w, "optional(one_of{ 'a' })", "''", 1, "{body={\"\\\"\\\" is not a valid choice.\"}}");
    text_source(w, "one_of{ 'a', message = 'a only' }", "'b'", 1, BODY("a only"));
    text_source(w, "one_of{ 'a' }", "'\\xff'", 1, BODY("Not a valid string."));
}

static void test_long_choice_is_cut(void **state)
{
    struct world *w = *state;
    struct rt_schema *s = compile(w, "one_of{ 'a' }");
    push(w->L, "'x' .. ('\\u{e4}'):rep(1000)");
    assert_int_equal(rt_schema_check(w->L, s, -1, RT_SOURCE_JSON, NULL), 1);
    lua_getfield(w->L, -1, "body");
    lua_rawgeti(w->L, -1, 1);
    assert_int_equal(lua_rawlen(w->L, -1), strlen("\"\" is not a valid choice.") + 99);
    lua_pop(w->L, 4);
    rt_schema_free(w->L, s);
}

static void test_email(void **state)
{
    struct world *w = *state;
    const char *good[] = { "a@b.co", "first.last+tag@sub.example-x.org", "x_y@1.de" };
    const char *bad[] = { "a", "a@b", "@b.co", "a@@b.co", "a b@c.co", ".a@b.co", "a.@b.co", "a..b@c.co",
                          "a@-b.co", "a@b-.co", "a@b..co", "a@.co", "a@b.co.", "a@b.c", "a@b.co@d.co",
                          "\xc3\xa4@b.co" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "\"%s\"", good[i]);
        lua_pushfstring(w->L, " %s ", good[i]);
        check_top(w, "email()", RT_SOURCE_JSON, 0, expected);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        lua_pushstring(w->L, bad[i]);
        check_top(w, "email()", RT_SOURCE_JSON, 1, BODY("Enter a valid email address."));
    }
    json(w, "email()", "\" \"", 1, BODY("This field may not be blank."));
    json(w, "email()", "5", 1, BODY("Not a valid string."));
    push(w->L, "('a'):rep(65) .. '@b.co'");
    check_top(w, "email()", RT_SOURCE_JSON, 1, BODY("Enter a valid email address."));
    push(w->L, "'a@' .. ('b'):rep(64) .. '.co'");
    check_top(w, "email()", RT_SOURCE_JSON, 1, BODY("Enter a valid email address."));
}

static void test_dates_and_zones(void **state)
{
    struct world *w = *state;
    json(w, "date()", "\"2024-02-29\"", 0, "\"2024-02-29\"");
    json(w, "date()", "\" 2024-02-29 \"", 0, "\"2024-02-29\"");
    json(w, "date()", "\"2025-02-29\"", 1, BODY("Date has wrong format. Use YYYY-MM-DD."));
    json(w, "date()", "\"2025-2-1\"", 1, BODY("Date has wrong format. Use YYYY-MM-DD."));
    json(w, "date()", "20250201", 1, BODY("Date has wrong format. Use YYYY-MM-DD."));
    text_source(w, "optional(date())", "''", 1, BODY("Date has wrong format. Use YYYY-MM-DD."));
    json(w, "datetime()", "\"1970-01-02T00:00:00Z\"", 0, "86400");
    json(w, "datetime()", "\"1970-01-02T05:45:00+05:45\"", 0, "86400");
    json(w, "datetime()", "\"tomorrow\"", 1, BODY("Datetime has wrong format. Use ISO 8601."));
    json(w, "datetime()", "5", 1, BODY("Datetime has wrong format. Use ISO 8601."));
    json(w, "timezone()", "\"Asia/Kathmandu\"", 0, "\"Asia/Kathmandu\"");
    json(w, "timezone()", "\"US/Eastern\"", 0, "\"US/Eastern\"");
    json(w, "timezone()", "\"Mars/Base\"", 1, BODY("Unknown time zone."));
    json(w, "timezone()", "\"/etc/localtime\"", 1, BODY("Unknown time zone."));
    json(w, "timezone()", "\"\"", 1, BODY("Unknown time zone."));
    json(w, "timezone()", "5", 1, BODY("Unknown time zone."));
}

static const char task[] = "object{ { 'title', text{ min = 1, max = 255 } }, { 'description', text{ default = '' } },"
                           " { 'project', optional(nullable(id())) },"
                           " { 'estimate', integer{ min = 1, max = 100, default = 1 } } }";

static void test_object(void **state)
{
    struct world *w = *state;
    json(w, task, "{\"title\":\" a \",\"other\":1,\"project\":null,\"estimate\":7}", 0,
         "{description=\"\" estimate=7 project=null title=\"a\"}");
    json(w, task, "{\"title\":\"a\",\"project\":3}", 0, "{description=\"\" estimate=1 project=3 title=\"a\"}");
    json(w, task, "{}", 1, "{title={\"This field is required.\"}}");
    json(w, task, "{\"title\":null,\"estimate\":null,\"project\":\"x\",\"description\":[1]}", 4,
         "{description={\"Not a valid string.\"} estimate={\"This field may not be null.\"}"
         " project={\"A valid integer is required.\"} title={\"This field may not be null.\"}}");
    json(w, task, "[1]", 1, BODY("Expected an object."));
    json(w, task, "[]", 1, "{title={\"This field is required.\"}}");
    json(w, task, "5", 1, BODY("Expected an object."));
    json(w, task, "null", 1, BODY("This field may not be null."));
    text_source(w, task, "{ title = 'a', estimate = '5', project = '' }", 1,
                "{project={\"A valid integer is required.\"}}");
    push(w->L, "nil");
    check_top(w, task, RT_SOURCE_JSON, 1, BODY("This field is required."));
}

static void test_input_stays(void **state)
{
    struct world *w = *state;
    struct rt_schema *s = compile(w, task);
    push(w->L, "{ title = ' a ', extra = 1.0 }");
    assert_int_equal(rt_schema_check(w->L, s, -1, RT_SOURCE_JSON, NULL), 0);
    lua_pop(w->L, 1);
    shows(w, "{extra=1.0 title=\" a \"}");
    rt_schema_free(w->L, s);
}

static void test_nesting(void **state)
{
    struct world *w = *state;
    const char *type = "object{ { 'a', object{ { 'b', list(integer{ max = 5 }, { max = 3 }) } } },"
                       " { 'm', optional(map(boolean())) } }";
    json(w, type, "{\"a\":{\"b\":[1,2]},\"m\":{\"x\":true}}", 0, "{a={b={1 2}} m={x=true}}");
    json(w, type, "{\"a\":{\"b\":[]},\"m\":{}}", 0, "{a={b={}} m={}}");
    json(w, type, "{\"a\":{\"b\":[1,\"x\",9]},\"m\":{\"k\":1}}", 3,
         "{a.b.1={\"A valid integer is required.\"} a.b.2={\"Ensure this value is less than or equal to 5.\"}"
         " m.k={\"Must be a valid boolean.\"}}");
    json(w, type, "{\"a\":{\"b\":[1,null]}}", 1, "{a.b.1={\"This field may not be null.\"}}");
    json(w, type, "{\"a\":{\"b\":[1,2,3,4]}}", 1, "{a.b={\"Ensure this field has no more than 3 elements.\"}}");
    json(w, type, "{\"a\":{\"b\":{\"x\":1}}}", 1, "{a.b={\"Expected a list of items.\"}}");
    json(w, type, "{\"a\":{\"b\":7}, \"m\":[1]}", 2,
         "{a.b={\"Expected a list of items.\"} m={\"Expected an object.\"}}");
    json(w, "list(text(), { min = 1 })", "[]", 1, BODY("Ensure this field has at least 1 elements."));
    text_source(w, "list(one_of{ 'a', '-a' })", "'a, -a'", 0, "{\"a\" \"-a\"}");
    text_source(w, "list(one_of{ 'a', '-a' })", "''", 0, "{}");
    text_source(w, "object{ { 'o', list(one_of{ 'a' }) } }", "{ o = 'a,x,y' }", 1,
                "{o={\"\\\"x\\\" is not a valid choice.\"}}");
    text_source(w, "list(text())", "'a,'", 1, BODY("This field may not be blank."));
}

static void test_any_and_defaults(void **state)
{
    struct world *w = *state;
    json(w, "any()", "{\"a\":[1,2.5,{\"b\":null}],\"c\":\"3\"}", 0, "{a={1 2.5 {b=null}} c=\"3\"}");
    json(w, "any()", "null", 0, "null");
    json(w, "object{ { 'l', list(text(), { default = { 'x' } }) }, { 'n', integer{ default = null } } }", "{}", 0,
         "{l={\"x\"} n=null}");
    /* Each request gets its own copy of a default. */
    struct rt_schema *s = compile(w, "object{ { 'l', list(text(), { default = { 'x' } }) } }");
    lua_newtable(w->L);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rt_schema_check(w->L, s, 1, RT_SOURCE_JSON, NULL), 0);
        lua_getfield(w->L, -1, "l");
        assert_int_equal(lua_rawlen(w->L, -1), 1);
        lua_pushliteral(w->L, "y");
        lua_rawseti(w->L, -2, 2);
    }
    lua_settop(w->L, 0);
    rt_schema_free(w->L, s);
}

static void test_depth(void **state)
{
    struct world *w = *state;
    push(w->L, "object{ { 'sub', optional(ref 'Node') } }");
    struct rt_err err;
    assert_int_equal(rt_schema_set_add(w->L, w->set, "Node", -1, &err), 0);
    const struct rt_schema *node = rt_schema_set_find(w->set, "Node");
    push(w->L, "(function() local t = {} t.sub = t return t end)()");
    assert_int_equal(rt_schema_check(w->L, node, -1, RT_SOURCE_JSON, NULL), 1);
    lua_pushnil(w->L);
    assert_int_not_equal(lua_next(w->L, -2), 0);
    lua_rawgeti(w->L, -1, 1);
    assert_string_equal(lua_tostring(w->L, -1), "This value is nested too deeply.");
    lua_settop(w->L, 0);
    push(w->L, "(function() local t = {} t[1] = t return t end)()");
    check_top(w, "any()", RT_SOURCE_JSON, 1, BODY("This value is nested too deeply."));
}

static void test_many_violations_are_bounded(void **state)
{
    struct world *w = *state;
    struct rt_schema *s = compile(w, "object{ { 'l', list(integer()) }, { 'm', map(integer()) } }");
    push(w->L, "(function() local t = { l = {}, m = {} }"
               " for i = 1, 5000 do t.l[i] = 'x' t.m['k' .. i] = 'x' end return t end)()");
    int fields = rt_schema_check(w->L, s, -1, RT_SOURCE_JSON, NULL);
    assert_in_range(fields, RT_SCHEMA_FIELDS_IN_ERROR, RT_SCHEMA_FIELDS_IN_ERROR + 1);
    rt_schema_free(w->L, s);
    /* A client's keys can be long: the path is cut. */
    push(w->L, "{ [('k'):rep(10000)] = 'x' }");
    s = compile(w, "map(map(integer()))");
    assert_int_equal(rt_schema_check(w->L, s, -1, RT_SOURCE_JSON, NULL), 1);
    rt_schema_free(w->L, s);
    s = compile(w, "map(map(map(integer())))");
    push(w->L, "{ [('k'):rep(255)] = { [('j'):rep(300)] = { x = 'y' } } }");
    assert_int_equal(rt_schema_check(w->L, s, -1, RT_SOURCE_JSON, NULL), 1);
    rt_schema_free(w->L, s);
}

static void test_models(void **state)
{
    struct world *w = *state;
    struct rt_err err;
    push(w->L, "object{ { 'id', id() }, { 'project', nullable(ref 'Project') },"
               " { 'sub', optional(list(ref 'Task')) } }");
    assert_int_equal(rt_schema_set_add(w->L, w->set, "Task", -1, &err), 0);
    assert_int_equal(rt_schema_set_add(w->L, w->set, "Task", -1, &err), RT_E_EXISTS);
    assert_int_equal(rt_schema_set_resolve(w->set, &err), RT_E_NOTFOUND);
    assert_string_equal(err.msg, "there is no model \"Project\"");
    assert_null(rt_schema_set_find(w->set, "Project"));
    assert_null(rt_schema_set_find(w->set, "Nothing"));
    push(w->L, "object{ { 'name', text() } }");
    assert_int_equal(rt_schema_set_add(w->L, w->set, "Project", -1, &err), 0);
    assert_int_equal(rt_schema_set_resolve(w->set, &err), 0);
    json(w, "ref 'Task'", "{\"id\":1,\"project\":{\"name\":\"p\"},\"sub\":[{\"id\":2,\"project\":null}]}", 0,
         "{id=1 project={name=\"p\"} sub={{id=2 project=null}}}");
    json(w, "ref 'Task'", "{\"id\":1,\"project\":{},\"sub\":[{\"id\":2,\"project\":5}]}", 2,
         "{project.name={\"This field is required.\"} sub.0.project={\"Expected an object.\"}}");
}

static void test_messages(void **state)
{
    struct world *w = *state;
    struct rt_messages m;
    struct rt_err err;
    push(w->L, "{ required = 'Missing.', max = 'Up to {n}, please.', choice = 'Not {value}!' }");
    assert_int_equal(rt_messages_load(w->L, -1, &m, &err), 0);
    assert_string_equal(rt_message(&m, RT_MSG_REQUIRED), "Missing.");
    assert_string_equal(rt_message(&m, RT_MSG_NULL), rt_message(NULL, RT_MSG_NULL));
    struct rt_schema *s = compile(w, "object{ { 'a', text() }, { 'b', integer{ max = 3 } }, { 'c', one_of{ 'x' } } }");
    push(w->L, "{ b = 4, c = 'y' }");
    assert_int_equal(rt_schema_check(w->L, s, -1, RT_SOURCE_JSON, &m), 3);
    shows(w, "{a={\"Missing.\"} b={\"Up to 3, please.\"} c={\"Not y!\"}}");
    rt_schema_free(w->L, s);
    rt_messages_fini(&m);
    const char *wrong[] = { "5", "{ requird = 'x' }", "{ required = 5 }", "{ 'x' }" };
    for (size_t i = 0; i < 4; i++) {
        push(w->L, wrong[i]);
        int top = lua_gettop(w->L);
        assert_int_equal(rt_messages_load(w->L, -1, &m, &err), RT_E_INVALID);
        assert_int_equal(lua_gettop(w->L), top);
    }
    push(w->L, "nil");
    assert_int_equal(rt_messages_load(w->L, -1, &m, &err), 0);
    assert_null(m.text[RT_MSG_REQUIRED]);
}

static void test_types_that_do_not_compile(void **state)
{
    struct world *w = *state;
    static const char *const cases[][2] = {
        { "5", "a type was expected, got a number" },
        { "{}", "a type was expected, got a table" },
        { "{ kind = 'txt' }", "unknown type \"txt\"" },
        { "{ kind = 'text', min = 'a' }", "min of a type must be a number" },
        { "{ kind = 'one_of' }", "one_of without values" },
        { "{ kind = 'one_of', values = { 'a', {} } }", "value 2 of one_of must be a string or an integer" },
        { "{ kind = 'object' }", "object without fields" },
        { "{ kind = 'object', fields = { { name = 'a', type = { kind = 'text' } }, {} } }",
          "field 2 of an object has no name" },
        { "{ kind = 'object', fields = { { name = 'a', type = 5 } } }", "a type was expected, got a number" },
        { "{ kind = 'list' }", "a type was expected, got a nil" },
        { "{ kind = 'ref' }", "ref without the name of a model" },
        { "(function() local t = { kind = 'list' } t.of = t return t end)()",
          "a type is nested more than 32 levels deep" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rt_schema *s = NULL;
        struct rt_err err = { 0 };
        push(w->L, cases[i][0]);
        int top = lua_gettop(w->L);
        assert_int_equal(rt_schema_compile(w->L, -1, w->set, &s, &err), RT_E_INVALID);
        assert_null(s);
        assert_string_equal(err.msg, cases[i][1]);
        assert_int_equal(lua_gettop(w->L), top);
    }
    struct rt_schema *s = NULL;
    struct rt_err err = { 0 };
    push(w->L, "ref 'X'");
    assert_int_equal(rt_schema_compile(w->L, -1, NULL, &s, &err), RT_E_INVALID);
    assert_string_equal(err.msg, "ref \"X\" cannot be used here");
}

struct budget {
    size_t left;
};

static void *limited(void *arg, void *p, size_t old, size_t n)
{
    struct budget *b = arg;
    if (n == 0) {
        free(p);
        return NULL;
    }
    if (!p || n > old) {
        if (b->left == 0)
            return NULL;
        b->left--;
    }
    return realloc(p, n);
}

static int run_check(lua_State *L)
{
    const struct rt_schema *s = lua_touserdata(L, 1);
    rt_schema_check(L, s, 2, RT_SOURCE_JSON, NULL);
    return 0;
}

/* Every allocation of Lua fails once; what C holds must not leak (the sanitizers watch). */
static void test_no_memory(void **state)
{
    (void)state;
    struct budget b = { SIZE_MAX };
    lua_State *L = lua_newstate(limited, &b);
    luaL_openlibs(L);
    assert_int_equal(luaL_dostring(L, words), LUA_OK);
    lua_settop(L, 0);
    push(L, task);
    push(L, "{ title = '  a ', estimate = 'x', description = 'y', project = 5 }");
    lua_gc(L, LUA_GCCOLLECT);
    lua_gc(L, LUA_GCSTOP);
    int compiled = 0, checked = 0;
    for (size_t n = 0; n < 300 && !checked; n++) {
        struct rt_schema_set *set = rt_schema_set_new();
        struct rt_schema *s = NULL;
        struct rt_err err;
        b.left = n;
        int rc = rt_schema_compile(L, 1, set, &s, &err);
        if (rc == 0) {
            compiled++;
            lua_pushcfunction(L, run_check);
            lua_pushlightuserdata(L, s);
            lua_pushvalue(L, 2);
            checked = lua_pcall(L, 2, 0, 0) == LUA_OK;
        } else {
            assert_int_equal(rc, RT_E_INVALID);
        }
        b.left = SIZE_MAX;
        rt_schema_free(L, s);
        rt_schema_set_free(L, set);
        lua_settop(L, 2);
        lua_gc(L, LUA_GCCOLLECT);
    }
    assert_true(compiled > 1);
    assert_true(checked);
    lua_close(L);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_integer),
        CASE(test_number_and_boolean),
        CASE(test_text),
        CASE(test_choice),
        CASE(test_long_choice_is_cut),
        CASE(test_email),
        CASE(test_dates_and_zones),
        CASE(test_object),
        CASE(test_input_stays),
        CASE(test_nesting),
        CASE(test_any_and_defaults),
        CASE(test_depth),
        CASE(test_many_violations_are_bounded),
        CASE(test_models),
        CASE(test_messages),
        CASE(test_types_that_do_not_compile),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
