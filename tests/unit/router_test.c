/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding routes: precedence, methods, slashes, hosts, owners (decisions ). */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "http/router.h"

enum { ALPHA, BETA, GAMMA };

static struct rt_router *router;

static void add(int app, const char *method, const char *path, bool slash_free, int route)
{
    struct rt_err err;
    if (rt_router_add(router, app, method, path, slash_free, route, &err) != 0)
        fail_msg("%s", err.msg);
}

static int setup(void **state)
{
    (void)state;
    router = rt_router_new();
    add(ALPHA, "GET", "/api/v2/tasks/", true, 1);
    add(ALPHA, "POST", "/api/v2/tasks/", true, 2);
    add(ALPHA, "GET", "/api/v2/tasks/search", false, 3);
    add(ALPHA, "GET", "/api/v2/tasks/{task_id}", false, 4);
    add(ALPHA, "PATCH", "/api/v2/tasks/{task_id}", false, 5);
    add(ALPHA, "DELETE", "/api/v2/tasks/{task_id}", false, 6);
    add(ALPHA, "POST", "/api/v2/tasks/search/{name}/run", false, 7);
    add(ALPHA, "GET", "/api/v2/tasks/{task_id}/notes/{note}", false, 8);
    add(BETA, "GET", "/ws/pomodoro/", false, 9);
    add(GAMMA, "GET", "/ws/{user_id}", false, 10);
    add(GAMMA, "PUT", "/ws/{user_id}", false, 11);
    add(BETA, "GET", "/", false, 12);
    add(BETA, "GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", false, 13);
    rt_router_own(router, ALPHA, "/api", NULL);
    rt_router_own(router, BETA, "/api/v2/organizations", NULL);
    rt_router_own(router, GAMMA, "/api/v1/tasks/{task_id}/split", NULL);
    rt_router_own(router, BETA, "/api/v1/{x}", NULL);
    rt_router_own(router, GAMMA, "/api/v1/tasks", NULL);
    rt_router_host(router, ALPHA, "Api.Alpha.example", NULL);
    rt_router_host(router, GAMMA, "gamma.localhost", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_router_free(router);
    return 0;
}

static struct rt_match match_on(const char *host, const char *method, const char *path)
{
    struct rt_match m;
    memset(&m, 0x5A, sizeof(m));
    rt_router_match(router, rt_str_of(host), rt_str_of(method), rt_str_of(path), &m);
    return m;
}

static struct rt_match match(const char *method, const char *path) { return match_on("127.0.0.1:8000", method, path); }

static void expect_route(const char *method, const char *path, int route, int app, const char *params)
{
    struct rt_match m = match(method, path);
    char text[200] = "";
    if (m.kind != RT_MATCH_ROUTE || m.route != route || m.app != app)
        fail_msg("%s %s: kind %d, route %d, app %d", method, path, (int)m.kind, m.route, m.app);
    for (int i = 0; i < m.params; i++)
        sprintf(text + strlen(text), "%s%.*s", i ? "," : "", (int)m.param[i].n, m.param[i].p);
    assert_string_equal(text, params);
}

static void finds_routes(void **state)
{
    (void)state;
    expect_route("GET", "/api/v2/tasks/", 1, ALPHA, "");
    expect_route("GET", "/api/v2/tasks", 1, ALPHA, "");
    expect_route("HEAD", "/api/v2/tasks", 1, ALPHA, "");
    expect_route("POST", "/api/v2/tasks", 2, ALPHA, "");
    expect_route("GET", "/api/v2/tasks/7", 4, ALPHA, "7");
    expect_route("GET", "/api/v2/tasks/a%2Fb", 4, ALPHA, "a%2Fb");
    expect_route("GET", "/api/v2/tasks/7/notes/%20", 8, ALPHA, "7,%20");
    expect_route("GET", "/", 12, BETA, "");
    expect_route("GET", "/1/2/3/4/5/6/7/8", 13, BETA, "1,2,3,4,5,6,7,8");
}

static void prefers_literals_and_backtracks(void **state)
{
    (void)state;
    expect_route("GET", "/api/v2/tasks/search", 3, ALPHA, "");
    expect_route("PATCH", "/api/v2/tasks/search", 5, ALPHA, "search"); /* the method is on the other branch */
    expect_route("GET", "/api/v2/tasks/search/notes/1", 8, ALPHA, "search,1");
    expect_route("POST", "/api/v2/tasks/search/x/run", 7, ALPHA, "x");
    expect_route("GET", "/ws/pomodoro/", 9, BETA, "");
    expect_route("GET", "/ws/pomodoro", 10, GAMMA, "pomodoro");
    expect_route("GET", "/api/v2/tasks/4/5/6/7/8", 13, BETA, "api,v2,tasks,4,5,6,7,8");
}

static void takes_slashes_literally(void **state)
{
    static const char *const missing[] = {
        "",
        "api",
        "//",
        "/api//v2/tasks",
        "//api/v2/tasks",
        "/api/v2/tasks//",
        "/api/v2/tasks/7/",
        "/api/v2/tasks/search/",
        "/api/v2/tasks/.",
        "/api/v2/tasks/..",
        "/api/v2/./tasks",
        "/api/v2/tasks/../tasks",
        "/api/v2/tasks//notes/1",
        "/api/v2",
        "/API/v2/tasks",
        "/api/v2/tasksx",
        "/api/v2/task",
        "/api/v2/tasks/7/notes",
        "/1/2/3/4/5/6/7/8/9",
        "/ws/",
        "*",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
        if (match("GET", missing[i]).kind != RT_MATCH_NO_PATH)
            fail_msg("%s is found", missing[i]);
}

static void tells_the_methods(void **state)
{
    char text[64];
    (void)state;
    struct rt_match m = match("PUT", "/api/v2/tasks/search");
    assert_int_equal(m.kind, RT_MATCH_NO_METHOD);
    assert_int_equal(m.methods, RT_METHOD_GET | RT_METHOD_PATCH | RT_METHOD_DELETE);
    assert_int_equal(m.app, ALPHA);
    m = match("DELETE", "/ws/pomodoro");
    assert_int_equal(m.kind, RT_MATCH_NO_METHOD);
    assert_int_equal(m.methods, RT_METHOD_GET | RT_METHOD_PUT);
    assert_int_equal(m.app, GAMMA); /* nobody owns /ws, but these are its routes */
    assert_int_equal(match("OPTIONS", "/").kind, RT_MATCH_NO_METHOD);
    assert_int_equal(match("get", "/").kind, RT_MATCH_NO_METHOD);
    rt_method_list(RT_METHOD_GET | RT_METHOD_POST, text);
    assert_string_equal(text, "GET, HEAD, POST, OPTIONS");
    rt_method_list(31, text);
    assert_string_equal(text, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    rt_method_list(0, text);
    assert_string_equal(text, "OPTIONS");
    assert_int_equal(rt_method_bit(RT_STR("HEAD")), RT_METHOD_GET);
    assert_int_equal(rt_method_bit(RT_STR("OPTIONS")), 0);
    assert_int_equal(rt_method_bit(RT_STR("")), 0);
}

static void finds_the_owner(void **state)
{
    static const struct {
        const char *path;
        int app;
    } cases[] = {
        { "/api", ALPHA },
        { "/api/", ALPHA },
        { "/api/zzz/y", ALPHA },
        { "/apix", -1 },
        { "/nothing", -1 },
        { "*", -1 },
        { "/api/v2/organizations/1", BETA },
        { "/api/v1/other", BETA },
        { "/api/v1/tasks", GAMMA },
        { "/api/v1/tasks/9/split/x", GAMMA },
        { "/api/v1", ALPHA },
        { "/api//v1", ALPHA },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rt_match m = match("GET", cases[i].path);
        if (m.kind != RT_MATCH_NO_PATH || m.app != cases[i].app)
            fail_msg("%s: kind %d, app %d", cases[i].path, (int)m.kind, m.app);
    }
}

static void shows_one_app_per_host(void **state)
{
    static const char *const alpha[] = { "api.alpha.example", "API.ALPHA.EXAMPLE:443", "api.alpha.example.",
                                         "api.alpha.example.:80" };
    (void)state;
    for (size_t i = 0; i < sizeof(alpha) / sizeof(alpha[0]); i++) {
        assert_int_equal(match_on(alpha[i], "GET", "/api/v2/tasks").route, 1);
        assert_int_equal(match_on(alpha[i], "GET", "/").kind, RT_MATCH_NO_PATH);
        assert_int_equal(match_on(alpha[i], "GET", "/").app, ALPHA);
        assert_int_equal(match_on(alpha[i], "GET", "/ws/1").kind, RT_MATCH_NO_PATH);
    }
    assert_int_equal(match_on("gamma.localhost:8000", "GET", "/ws/pomodoro").route, 10);
    assert_int_equal(match_on("gamma.localhost:8000", "GET", "/ws/pomodoro/").kind, RT_MATCH_NO_PATH);
    assert_int_equal(match_on("gamma.localhost:8000", "DELETE", "/ws/x").app, GAMMA);
    assert_int_equal(match_on("xapi.alpha.example", "GET", "/").route, 12);
    assert_int_equal(match_on("", "GET", "/").route, 12);
    assert_int_equal(match_on(":80", "GET", "/").route, 12);
    assert_int_equal(match_on("[::1]:8000", "GET", "/").route, 12);
}

static void refuses_bad_declarations(void **state)
{
    static const char *const paths[] = {
        "",          "x",
        "//",        "/a//b",
        "/a/./b",    "/..",
        "/a b",      "/a?b",
        "/a#b",      "/{",
        "/{}",       "/{1a}",
        "/{a-b}",    "/x{a}",
        "/{a}x",     "/a}",
        "/{a}/{a}",  "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}",
        "/\xc3\xa4", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3",
    };
    struct rt_err err;
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        err.msg[0] = '\0';
        if (rt_router_add(router, ALPHA, "GET", paths[i], false, 99, &err) != RT_E_INVALID || !err.msg[0])
            fail_msg("'%s' is taken", paths[i]);
        assert_int_equal(rt_router_own(router, ALPHA, paths[i], NULL), RT_E_INVALID);
    }
    assert_int_equal(rt_router_add(router, ALPHA, "HEAD", "/n", false, 99, &err), RT_E_INVALID);
    assert_int_equal(rt_router_add(router, ALPHA, "OPTIONS", "/n", false, 99, &err), RT_E_INVALID);
    assert_int_equal(rt_router_add(router, 32, "GET", "/n", false, 99, &err), RT_E_INVALID);
    assert_int_equal(rt_router_add(router, -1, "GET", "/n", false, 99, &err), RT_E_INVALID);
    assert_int_equal(match("GET", "/n").kind, RT_MATCH_NO_PATH);
    assert_int_equal(rt_router_host(router, ALPHA, "", NULL), RT_E_INVALID);
    assert_int_equal(rt_router_host(router, ALPHA, "a:80", NULL), RT_E_INVALID);
}

static void refuses_duplicates(void **state)
{
    struct rt_err err;
    (void)state;
    assert_int_equal(rt_router_add(router, ALPHA, "GET", "/api/v2/tasks/{other}", false, 99, &err), RT_E_EXISTS);
    assert_int_equal(rt_router_add(router, ALPHA, "GET", "/api/v2/tasks", false, 99, &err), RT_E_EXISTS);
    assert_int_equal(rt_router_add(router, ALPHA, "GET", "/api/v2/tasks/search", true, 99, &err), RT_E_EXISTS);
    assert_int_equal(rt_router_own(router, BETA, "/api", &err), RT_E_EXISTS);
    assert_int_equal(rt_router_host(router, BETA, "API.alpha.EXAMPLE", &err), RT_E_EXISTS);
    assert_int_equal(rt_router_host(router, ALPHA, "api.alpha.example", &err), 0);
    add(ALPHA, "GET", "/api/v2/tasks/search/", false, 20); /* another shape */
    add(GAMMA, "GET", "/api/v2/tasks", false, 21);         /* another app: the first one wins */
    expect_route("GET", "/api/v2/tasks/search/", 20, ALPHA, "");
    expect_route("GET", "/api/v2/tasks", 1, ALPHA, "");
    assert_int_equal(match_on("gamma.localhost", "GET", "/api/v2/tasks").route, 21);
}

static void finds_each_of_many(void **state)
{
    char path[64];
    (void)state;
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof(path), "/many/n%d/{id}/%d", i * 7919 % 2000, i % 13);
        add(BETA, "GET", path, i % 2, 1000 + i);
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof(path), "/many/n%d/x/%d%s", i * 7919 % 2000, i % 13, i % 2 ? "/" : "");
        expect_route("GET", path, 1000 + i, BETA, "x");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_routes),
        TEST(prefers_literals_and_backtracks),
        TEST(takes_slashes_literally),
        TEST(tells_the_methods),
        TEST(finds_the_owner),
        TEST(shows_one_app_per_host),
        TEST(refuses_bad_declarations),
        TEST(refuses_duplicates),
        TEST(finds_each_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
