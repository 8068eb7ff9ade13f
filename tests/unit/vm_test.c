/* SPDX-License-Identifier: Apache-2.0
 *
 * A state as scripts meet it: the sandbox, the deadline that no pcall survives, the memory cap. */
#include "lua/vm.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "lua/api.h"
#include "lua/call.h"
#include "unit.h"

static struct rt_app_shared app = { .name = "probe" };
static struct rt_services services = { .app = &app, .script_ms = 100, .script_mb = 16, .statement_ms = 1000 };
static struct rt_vm *vm;
static char message[600];

static int fresh(void **state)
{
    (void)state;
    struct rt_tree *none = rt_tree_new();
    int rc = rt_vm_new(&services, none, &vm, NULL);
    rt_tree_unref(none);
    return rc;
}

static int done(void **state)
{
    (void)state;
    rt_vm_free(vm);
    return 0;
}

static void keep_message(struct rt_call *call, int n)
{
    char text[500];
    message[0] = 0;
    if (n < 0)
        snprintf(message, sizeof message, "%s", rt_error_text(call->co, -1, text, sizeof text));
    else if (n > 0)
        snprintf(message, sizeof message, "= %s", luaL_tolstring(call->co, -1, NULL));
}

/* Runs a chunk as a call: "= result", "" or the error. */
static const char *run(const char *text)
{
    struct rt_call call;
    assert_int_equal(rt_call_init(&call, vm, RT_JOB, keep_message, NULL), 0);
    if (luaL_loadbufferx(call.co, text, strlen(text), "=s", "t") != LUA_OK)
        fail_msg("%s", lua_tostring(call.co, -1));
    rt_call_start(&call, 0);
    rt_call_fini(&call);
    return message;
}

static void assert_run(const char *text, const char *expected)
{
    if (!strstr(run(text), expected))
        fail_msg("%s\n gave: %s\n expected: %s", text, message, expected);
}

static void calls_return_and_raise(void **state)
{
    (void)state;
    assert_run("return 1 + 1", "= 2");
    assert_run("error('x', 0)", "x");
    assert_run("error({ message = 'y' })", "y");
    assert_run("error({})", "(a table without a message)");
    assert_run("error()", "nil");
}

static void nothing_outside_can_be_reached(void **state)
{
    static const char *const absent[] = { "io",       "os",     "debug",  "package",        "load",  "loadstring",
                                          "loadfile", "dofile", "print",  "collectgarbage", "warn",  "string.dump" };
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        snprintf(text, sizeof text, "return %s", absent[i]);
        assert_run(text, "= nil");
    }
}

static void globals_and_libraries_are_frozen(void **state)
{
    (void)state;
    assert_run("x = 1", "assignment to the undeclared global 'x' (use local)");
    assert_run("string.format = nil", "'string' is read-only");
    assert_run("rawset(string, 'format', nil)", "read-only");
    assert_run("setmetatable(json, {})", "cannot change a protected metatable");
    assert_run("return getmetatable('')", "");
    assert_run("local t = setmetatable({}, { __index = string }) t.x = 1 return t.x", "= 1");
    assert_run("setmetatable({}, { __gc = function() end })", "__gc is not available");
    assert_run("return select('#', string.format('%d', 1))", "= 1");
}

static void what_cannot_be_interrupted_is_bounded(void **state)
{
    (void)state;
    assert_run("return ('x'):rep(1 << 40)", "would be longer than");
    assert_run("return #('x'):rep(1 << 20)", "= 1048576");
    assert_run("return ('a'):rep(5000):find('.-.-.-b')", "may take too long");
    assert_run("return ('a'):rep(100):match('^a*a*$') ~= nil", "= true");
    assert_run("return ('a'):rep(5000):find('.-.-.-b', 1, true)", "= nil");
    assert_run("local t = {} for i = 1, 300000 do t[i] = i end table.sort(t)", "table.sort: more than");
}

/* Each of these would run for ever. */
static const char *const endless[] = {
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(error) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "local function f() return f() end f()",
    "coroutine.wrap(function() while true do end end)()",
    "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    "local c = coroutine.create(function() while true do coroutine.yield() end end)\n"
    "while true do coroutine.resume(c) end",
    "while true do coroutine.wrap(function() end)() end",
    "local t = setmetatable({}, { __index = function() while true do end end }) return t.x",
    "table.sort({ 3, 2, 1 }, function() while true do end end)",
    "string.gsub('a', 'a', function() while true do end end)",
    "local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end",
    "local x <close> = setmetatable({}, { __close = function() while true do end end }) error('first')",
    "for _ in function() return 1 end do end",
    "local s = 0 for i = 1, math.huge do s = s + i end",
    "local t = setmetatable({}, { __close = function() error('x') end })\n"
    "::again:: pcall(function() local x <close> = t end) goto again",
};

/* ThreadSanitizer holds signals back until the next system call, which a loop never makes. */
static void skip_without_signals(void)
{
#ifdef __SANITIZE_THREAD__
    skip();
#endif
}

static void nothing_runs_for_ever(void **state)
{
    (void)state;
    skip_without_signals();
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        run(endless[i]);
        if (!strstr(message, "the script ran longer than 100 ms") && !strstr(message, "first"))
            fail_msg("%s\n gave: %s", endless[i], message);
        assert_run("return 'next'", "= next");
    }
}

static int load_endless(lua_State *L)
{
    if (luaL_loadstring(L, "while true do pcall(function() while true do end end) end"))
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

static void a_protected_function_has_a_deadline(void **state)
{
    struct rt_err err = { 0 };
    (void)state;
    skip_without_signals();
    assert_int_equal(rt_vm_protected(vm, RT_RULE, load_endless, NULL, &err), RT_E_INVALID);
    assert_non_null(strstr(err.msg, "ran longer than"));
    assert_int_equal(lua_gettop(vm->L), 0);
    assert_run("return 'next'", "= next");
}

static void memory_is_capped(void **state)
{
    static const char eater[] = "local t = {} for i = 1, 1e9 do t[i] = i .. ('x'):rep(1000) end";
    (void)state;
    services.script_ms = 20000;
    assert_run(eater, "not enough memory");
    assert_run("local ok, why = pcall(function() local t = {} for i = 1, 1e9 do t[i] = i .. ('x'):rep(1000) end end)\n"
               "return why",
               "= not enough memory");
    assert_run("return ('x'):rep(1 << 20) and 'next'", "= next");
    assert_true(vm->memory.used <= vm->memory.limit);
    services.script_ms = 100;
}

static void calls_outside_their_phase_are_explained(void **state)
{
    (void)state;
    assert_run("return db.one", "= function");
    vm->phase = RT_LOAD;
    lua_getglobal(vm->L, "time");
    lua_getfield(vm->L, -1, "now");
    assert_int_equal(lua_pcall(vm->L, 0, 0, 0), LUA_ERRRUN);
    assert_string_equal(lua_tostring(vm->L, -1),
                        "time.now is not allowed while files are loaded; usage: time.now(): integer");
    lua_settop(vm->L, 0);
    vm->phase = 0;
}

static void coroutines_are_used_again(void **state)
{
    (void)state;
    for (int i = 0; i <= 1000; i++)
        run(i % 3 ? "return 1" : "error('x')");
    assert_int_equal(vm->pool.n, 1);
    assert_run("coroutine.yield(1)", "coroutine.yield outside a coroutine of the script's own");
    assert_run("return 'next'", "= next");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_return_and_raise),
        TEST(nothing_outside_can_be_reached),
        TEST(globals_and_libraries_are_frozen),
        TEST(what_cannot_be_interrupted_is_bounded),
        TEST(nothing_runs_for_ever),
        TEST(a_protected_function_has_a_deadline),
        TEST(memory_is_capped),
        TEST(calls_outside_their_phase_are_explained),
        TEST(coroutines_are_used_again),
    };
    if (rt_watchdog_start(NULL))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rt_watchdog_stop();
    return failed;
}
