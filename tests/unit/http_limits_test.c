/* SPDX-License-Identifier: Apache-2.0
 *
 * What the server refuses and whom it drops: requests that a proxy may read differently, requests that
 * are too large, clients that are too slow. The clock is given to the sweep, so nothing here waits. */
#include "http_harness.h"

#define SECOND UINT64_C(1000000000)

static int setup(void **state)
{
    struct world *w = malloc(sizeof(*w));
    world_init(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

static void expect_refusal(struct world *w, const char *request, size_t n, int status)
{
    struct client c;
    char line[32];
    int requests = w->requests, refusals = w->refusals;
    client_init(w, &c);
    send_bytes(&c, request, n);
    snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    const char *answer = next_answer(&c);
    if (w->requests != requests || w->refusals != refusals + 1 || strncmp(answer, line, strlen(line)) != 0)
        fail_msg("not refused with %d: <%s> got <%s>", status, request, answer);
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    shutdown(c.fd, SHUT_WR);
    expect_closed(&c);
    client_fini(&c);
}

#define POST "POST /x HTTP/1.1\r\n"

static void refuses_ambiguous_framing(void **state)
{
    static const char *const cases[] = {
        POST HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        POST HOST "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
        POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST HOST "Transfer-Encoding: identity\r\n\r\n",
        POST HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST HOST "Transfer-Encoding:\x0b"
                  "chunked\r\n\r\n0\r\n\r\n",
        POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        POST HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        POST HOST "Content-Length : 5\r\n\r\nhello",
        POST HOST "Content-Length\t: 5\r\n\r\nhello",
        POST HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        POST HOST "X: a\r\n folded\r\n\r\n",
        POST HOST "Content-Le: 5\r\n ngth\r\n\r\nhello",
        POST HOST " Content-Length: 5\r\n\r\nhello",
        POST HOST "X: a\rContent-Length: 5\r\n\r\nhello",
        POST HOST "X: a\nContent-Length: 5\r\n\r\nhello",
        POST HOST "X: a\r\n\nGET /smuggled HTTP/1.1\r\n\r\n",
        POST "Host: a\nX: b\r\n\r\n",
        "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\n\r\n",
        POST HOST HOST "\r\n",
        POST "Host: a/b\r\n\r\n",
        POST "Host: a b\r\n\r\n",
        POST "Host: a@b\r\n\r\n",
        POST HOST "X(Y): 1\r\n\r\n",
        POST HOST ": 1\r\n\r\n",
        "POST /a b HTTP/1.1\r\n" HOST "\r\n",
        "POST  /a HTTP/1.1\r\n" HOST "\r\n",
        "POST /a  HTTP/1.1\r\n" HOST "\r\n",
        "PO(ST /a HTTP/1.1\r\n" HOST "\r\n",
        "POST a HTTP/1.1\r\n" HOST "\r\n",
        "POST ?a HTTP/1.1\r\n" HOST "\r\n",
        "GET * HTTP/1.1\r\n" HOST "\r\n",
        "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n",
        "GET http:///a HTTP/1.1\r\n" HOST "\r\n",
        "GET http://a#b HTTP/1.1\r\n" HOST "\r\n",
        "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n",
        "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n",
        "GET /a\x01 HTTP/1.1\r\n" HOST "\r\n",
        "GET /a\x7f HTTP/1.1\r\n" HOST "\r\n",
        "GET /a?\t HTTP/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_refusal(*state, cases[i], strlen(cases[i]), 400);
}

static void refuses_nuls(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {
#define CASE(s) { s, sizeof(s) - 1 }
        CASE("GET /a\0b HTTP/1.1\r\n" HOST "\r\n"),
        CASE("GET /a\0?b HTTP/1.1\r\n" HOST "\r\n"),
        CASE("GET /a\0b?c=d&e HTTP/1.1\r\n" HOST "\r\n"),
        CASE("GET /a?b\0c=d&e HTTP/1.1\r\n" HOST "\r\n"),
        CASE("GE\0T /a HTTP/1.1\r\n" HOST "\r\n"),
        CASE("GET /a HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"),
        CASE("GET /a HTTP/1.1\r\n" HOST "X: a\0\r\nContent-Length: 3\r\n\r\nabc"),
        CASE("GET /a HTTP/1.1\r\n" HOST "X: a\0\r\n\r\n"),
        CASE("GET /a HTTP/1.1\r\n" HOST "Content-Length: 3\0X\r\n\r\nabc"),
        CASE("GET /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\0X\r\n\r\n0\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_refusal(*state, cases[i].text, cases[i].n, 400);
}

/* The library refuses these by itself, with its own body. */
static void lets_the_library_refuse_what_it_cannot_read(void **state)
{
    static const char *const cases[] = {
        POST HOST "Content-Length: 5, 5\r\n\r\nhello",
        POST HOST "Content-Length: +5\r\n\r\nhello",
        POST HOST "Content-Length: -1\r\n\r\n",
        POST HOST "Content-Length: 0x5\r\n\r\nhello",
        POST HOST "Content-Length: 5 \r\n\r\nhello",
        POST HOST "Content-Length:\r\n\r\n",
        POST HOST "no colon\r\n\r\n",
        POST HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        "GET / HTTP/9.9\r\n" HOST "\r\n",
        POST HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        "GET / http/1.1\r\n" HOST "\r\n",
        POST HOST "Content-Length: 99999999999999999999999\r\n\r\n",
    };
    struct world *w = *state;
    struct client c;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        client_init(w, &c);
        send_text(&c, cases[i]);
        shutdown(c.fd, SHUT_WR);
        while (!c.eof)
            turn(w, &c);
        const char *answer = rt_buf_cstr(&c.in);
        if (w->requests || (strncmp(answer, "HTTP/1.1 4", 10) != 0 && strncmp(answer, "HTTP/1.1 5", 10) != 0))
            fail_msg("not refused: <%s> got <%s>", cases[i], answer);
        client_fini(&c);
    }
}

/* A forged version behind a NUL hides the arguments from hide_query(); the library's pool is too
 * small for them. It must neither serve the request nor keep the loop busy. */
static void drops_forged_arguments(void **state)
{
    struct world *w = *state;
    struct client c;
    char text[1200] = "GET /a\0HTTP/1.1\0?";
    memset(text + 17, '&', 1000);
    strcpy(text + 1017, " HTTP/1.1\r\n" HOST "\r\n");
    client_init(w, &c);
    send_bytes(&c, text, 1017 + strlen(text + 1017));
    settle(w);
    rt_http_run(w->http);
    settle(w);
    assert_int_equal(rt_http_connections(w->http), 0);
    assert_int_equal(w->requests + w->refusals, 0);
    client_fini(&c);
}

/* Each crumb costs the library a record in the same pool; it answers by itself when that is full. */
static void survives_many_cookies(void **state)
{
    struct world *w = *state;
    struct client c;
    char text[3200] = "GET /c HTTP/1.1\r\n" HOST "Cookie: ";
    size_t n = strlen(text);
    for (size_t i = 0; i < 3000; i++)
        text[n + i] = i % 2 ? ';' : 'a';
    strcpy(text + n + 3000, "\r\n\r\n");
    client_init(w, &c);
    send_text(&c, text);
    while (!c.eof)
        turn(w, &c);
    expect(rt_buf_cstr(&c.in), "HTTP/1.1 431 ", "</html>");
    assert_int_equal(w->requests, 0);
    client_fini(&c);
}

static void refuses_what_is_too_large(void **state)
{
    struct world *w = *state;
    char text[9000];
    memset(text, 0, sizeof(text));
    memset(text, 'a', 8000);
    memcpy(text, "GET /", 5);
    strcpy(text + 1100, " HTTP/1.1\r\n" HOST "\r\n");
    expect_refusal(w, text, strlen(text), 414);
    snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST "X: %04000d\r\n\r\n", 1);
    assert_in_range(strlen(text), 4000, test_limits.header_bytes);
    expect_refusal(w, "GET / HTTP/1.1\r\n\r\n", 18, 400);
    struct client c;
    client_init(w, &c);
    send_text(&c, text);
    expect(next_answer(&c), "HTTP/1.1 200", "GET /");
    client_fini(&c);
    snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST "X: %04100d\r\n\r\n", 1);
    expect_refusal(w, text, strlen(text), 431);
    expect_refusal(w, POST HOST "Content-Length: 200001\r\nExpect: 100-continue\r\n\r\n",
                   strlen(POST HOST "Content-Length: 200001\r\nExpect: 100-continue\r\n\r\n"), 413);
    expect_refusal(w, POST HOST "Content-Length: 18446744073709551615\r\n\r\n",
                   strlen(POST HOST "Content-Length: 18446744073709551615\r\n\r\n"), 413);
}

/* The client sends all of its body before it looks at the answer, and still gets it. */
static void tells_a_client_that_keeps_sending(void **state)
{
    struct world *w = *state;
    size_t n = 8 << 20;
    char *body = calloc(1, n), head[100];
    struct client c;
    for (int chunked = 0; chunked < 2; chunked++) {
        client_init(w, &c);
        snprintf(head, sizeof(head),
                 chunked ? POST HOST "Transfer-Encoding: chunked\r\n\r\n%zx\r\n"
                         : POST HOST "Content-Length: %zu\r\n\r\n",
                 n);
        send_text(&c, head);
        send_bytes(&c, body, n);
        send_text(&c, chunked ? "\r\n0\r\n\r\n" : "");
        expect(next_answer(&c), "HTTP/1.1 413", "The body is too large.");
        client_fini(&c);
        assert_int_equal(w->last_refusal, 413);
        assert_int_equal(w->requests, 0);
    }
    while (rt_http_connections(w->http) > 0 || w->http->lingers)
        turn(w, NULL);
    free(body);
}

static void stops_lingering_some_time(void **state)
{
    struct world *w = *state;
    struct client c;
    client_init(w, &c);
    send_text(&c, POST HOST "Content-Length: 999999999\r\n\r\nand then nothing");
    expect(next_answer(&c), "HTTP/1.1 413", "The body is too large.");
    while (rt_http_connections(w->http) > 0)
        turn(w, &c);
    assert_non_null(w->http->lingers);
    assert_in_range(rt_http_timeout(w->http), 0, 10);
    http__sweep_at(w->http, rt_mono_ns() + 6 * SECOND);
    assert_null(w->http->lingers);
    assert_int_equal(w->http->linger_count, 0);
    client_fini(&c);
}

static void drops_slow_requests(void **state)
{
    static const char *const parts[] = {
        "",
        "GE",
        "GET / HTTP/1.1\r\nHo",
        POST HOST "Content-Length: 9\r\n\r\nhalf",
        POST HOST "Transfer-Encoding: chunked\r\n\r\n1\r\n",
    };
    enum { N = sizeof(parts) / sizeof(parts[0]) };
    struct world *w = *state;
    struct client c[N], waiting, idle;
    client_init(w, &waiting);
    client_init(w, &idle);
    send_text(&waiting, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    send_text(&idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&idle), "HTTP/1.1 200", "GET /");
    for (int i = 0; i < N; i++) {
        client_init(w, &c[i]);
        send_text(&c[i], parts[i]);
        settle(w);
    }
    http__sweep_at(w->http, rt_mono_ns() + 29 * SECOND);
    settle(w);
    assert_int_equal(rt_http_connections(w->http), N + 2);
    http__sweep_at(w->http, rt_mono_ns() + 31 * SECOND);
    settle(w);
    assert_int_equal(rt_http_connections(w->http), 2);
    for (int i = 0; i < N; i++) {
        expect_closed(&c[i]);
        client_fini(&c[i]);
    }
    send_text(&idle, "GET /again HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&idle), "HTTP/1.1 200", "GET /again");
    settle(w);
    http__sweep_at(w->http, rt_mono_ns() + 61 * SECOND);
    expect_closed(&idle);
    assert_int_equal(rt_http_connections(w->http), 1);
    answer_echo(w->waiting[0]);
    expect(next_answer(&waiting), "HTTP/1.1 200", "GET /wait");
    client_fini(&waiting);
    client_fini(&idle);
}

/* Bytes that trickle in do not prolong anything: the time counts from the request line, and between
 * two requests from the end of the first. */
static void drops_trickled_requests(void **state)
{
    struct world *w = *state;
    struct client c;
    client_init(w, &c);
    send_text(&c, "GET / HTTP/1.1\r\n" HOST "\r\nG");
    expect(next_answer(&c), "HTTP/1.1 200", "GET /");
    send_text(&c, "E");
    settle(w);
    http__sweep_at(w->http, rt_mono_ns() + 59 * SECOND);
    send_text(&c, "T");
    settle(w);
    assert_int_equal(rt_http_connections(w->http), 1);
    http__sweep_at(w->http, rt_mono_ns() + 61 * SECOND);
    expect_closed(&c);
    client_fini(&c);
    assert_int_equal(w->requests, 1);
}

static void needs_room_for_a_request(void **state)
{
    struct world *w = *state;
    struct rt_http_limits limits = test_limits;
    struct rt_http *h = NULL;
    struct rt_err err;
    limits.connections = 0;
    assert_int_equal(rt_http_new(&limits, &w->http->handler, &h, &err), RT_E_INVALID);
    assert_true(err.msg[0] != '\0');
    assert_null(h);
    rt_http_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_ambiguous_framing),
        TEST(refuses_nuls),
        TEST(lets_the_library_refuse_what_it_cannot_read),
        TEST(drops_forged_arguments),
        TEST(survives_many_cookies),
        TEST(refuses_what_is_too_large),
        TEST(tells_a_client_that_keeps_sending),
        TEST(stops_lingering_some_time),
        TEST(drops_slow_requests),
        TEST(drops_trickled_requests),
        TEST(needs_room_for_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
