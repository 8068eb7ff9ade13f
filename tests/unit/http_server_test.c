/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations with the server as clients really hold them: in pieces, pipelined, slowly answered,
 * broken off. What is refused and what is too slow is in http_limits_test.c. */
#include "http_harness.h"

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

static void answers_a_request(void **state)
{
    struct world *w = *state;
    struct client c;
    client_init(w, &c);
    send_text(&c, "GET /a%20b/?x=%31&y HTTP/1.1\r\n" HOST "X-Test:  v w \t\r\n\r\n");
    const char *answer = next_answer(&c);
    expect(answer, "HTTP/1.1 200 OK\r\n", "\r\n\r\nGET /a%20b/ ?x=%31&y [v w]");
    assert_null(strcasestr(answer, "\r\nConnection:"));
    assert_string_equal(w->last_address, "127.0.0.1");
    assert_int_equal(rt_http_connections(w->http), 1);
    assert_int_equal(rt_http_active(w->http), 0);
    send_text(&c, "DELETE /second HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&c), "HTTP/1.1 200 OK\r\n", "\r\n\r\nDELETE /second");
    settle(w);
    assert_int_equal(w->ended, 2);
    client_fini(&c);
    settle(w);
    assert_int_equal(rt_http_connections(w->http), 0);
}

static void keeps_the_order_of_pipelined_requests(void **state)
{
    struct client c;
    client_init(*state, &c);
    send_text(&c, "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
                  "GET /3?q HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nGET /1");
    expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nPOST /2 =abc");
    expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nGET /3 ?q");
    client_fini(&c);
}

static void takes_single_bytes(void **state)
{
    const char *text = "\r\nPOST /p?a=b HTTP/1.1\r\n" HOST "Content-Length: 4\r\nX-Test: t\r\n\r\nwxyz"
                       "PUT /c HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n" HOST
                       "\r\n2;ext=1\r\nab\r\n3\r\ncde\r\n0\r\nTrailer: x\r\n\r\n";
    struct client c;
    client_init(*state, &c);
    for (; *text; text++) {
        send_bytes(&c, text, 1);
        settle(*state);
    }
    expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nPOST /p ?a=b [t] =wxyz");
    expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nPUT /c =abcde");
    client_fini(&c);
}

static void takes_bodies_up_to_the_limit(void **state)
{
    size_t n = test_limits.body_bytes;
    char *body = malloc(n), head[200];
    for (size_t i = 0; i < n; i++)
        body[i] = (char)('a' + i % 23);
    struct client c;
    for (int chunked = 0; chunked < 2; chunked++) {
        client_init(*state, &c);
        snprintf(head, sizeof(head), "POST /b HTTP/1.1\r\n" HOST "%s%zu\r\n\r\n",
                 chunked ? "Transfer-Encoding: chunked\r\nX-Length: " : "Content-Length: ", n);
        send_text(&c, head);
        if (chunked) {
            snprintf(head, sizeof(head), "%zx\r\n", n);
            send_text(&c, head);
        }
        send_bytes(&c, body, n);
        send_text(&c, chunked ? "\r\n0\r\n\r\n" : "");
        while (answer_length(&c, false) == 0)
            turn(*state, &c);
        assert_memory_equal(c.in.data + c.in.len - n, body, n);
        client_fini(&c);
    }
    free(body);
}

static void continues_when_it_is_asked_to(void **state)
{
    struct client c;
    client_init(*state, &c);
    send_text(&c, "POST /e HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(next_answer(&c), "HTTP/1.1 100 Continue\r\n", "\r\n");
    send_text(&c, "ok");
    expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nPOST /e =ok");
    client_fini(&c);
}

static void frames_answers_without_body(void **state)
{
    struct client c;
    client_init(*state, &c);
    send_text(&c, "HEAD /h HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(strstr(next_answer_of(&c, true), "\r\nContent-Length: 7\r\n"));
    send_text(&c, "GET /status/204 HTTP/1.1\r\n" HOST "\r\n");
    assert_null(strcasestr(next_answer(&c), "Content-Length"));
    send_text(&c, "GET /status/205 HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(strstr(next_answer(&c), "\r\nContent-Length: 0\r\n"));
    send_text(&c, "GET /status/304 HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer_of(&c, true), "HTTP/1.1 304 ", "\r\n\r\n");
    send_text(&c, "GET /last HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nGET /last");
    client_fini(&c);
}

static void speaks_old_and_odd_forms(void **state)
{
    static const char *const cases[][2] = {
        { "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "\r\n\r\nGET /old" },
        { "GET http://b.example:80/host?z HTTP/1.1\r\n" HOST "\r\n", "\r\n\r\nGET /host ?z @b.example:80" },
        { "GET HTTPS://b.example HTTP/1.1\r\n" HOST "\r\n", "\r\n\r\nGET /" },
        { "GET http://b.example?q HTTP/1.1\r\n" HOST "\r\n", "\r\n\r\nGET / ?q" },
        { "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "\r\n\r\nOPTIONS *" },
        { "BREW /pot HTTP/1.1\r\nhost: [::1]:8000\r\n\r\n", "\r\n\r\nBREW /pot" },
        { "GET /?a=b?c&&=+%zz HTTP/1.1\r\nX-Empty:\r\n" HOST "\r\n", "\r\n\r\nGET / ?a=b?c&&=+%zz" },
        { "GET /x? HTTP/1.1\r\n" HOST "Cookie: a=b; c\r\n\r\n", "\r\n\r\nGET /x" },
    };
    struct client c;
    client_init(*state, &c);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        send_text(&c, cases[i][0]);
        expect(next_answer(&c), "HTTP/1.1 200", cases[i][1]);
    }
    client_fini(&c);
}

static void does_not_read_the_query(void **state)
{
    struct world *w = *state;
    struct client c;
    char text[1200] = "GET /?";
    memset(text + 6, '&', 1000);
    strcpy(text + 1006, " HTTP/1.1\r\n" HOST "\r\n");
    client_init(w, &c);
    for (int i = 0; i < 3; i++) {
        send_text(&c, text);
        expect(next_answer(&c), "HTTP/1.1 200", "&&&&&&&&");
    }
    client_fini(&c);
}

static void answers_later(void **state)
{
    struct world *w = *state;
    struct client c[3];
    for (int i = 0; i < 3; i++) {
        client_init(w, &c[i]);
        send_text(&c[i], "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nxGET /next HTTP/1.1\r\n" HOST "\r\n");
        while (w->waits <= i)
            turn(w, &c[i]);
    }
    assert_int_equal(rt_http_active(w->http), 3);
    for (int i = 2; i >= 0; i--) {
        settle(w);
        assert_int_not_equal(rt_http_timeout(w->http), 0);
        answer_echo(w->waiting[i]);
        assert_int_equal(rt_http_timeout(w->http), 0);
        expect(next_answer(&c[i]), "HTTP/1.1 200", "\n\r\nPOST /wait =x");
        expect(next_answer(&c[i]), "HTTP/1.1 200", "\n\r\nGET /next");
    }
    settle(w);
    assert_int_equal(rt_http_active(w->http), 0);
    assert_int_equal(w->ended, 6);
    assert_int_not_equal(rt_http_timeout(w->http), 0);
    for (int i = 0; i < 3; i++)
        client_fini(&c[i]);
}

static void answers_later_twice_on_one_connection(void **state)
{
    struct world *w = *state;
    struct client c;
    client_init(w, &c);
    for (int i = 0; i < 5; i++) {
        send_text(&c, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
        while (w->waits == i)
            turn(w, &c);
        answer_echo(w->waiting[i]);
        expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nGET /wait");
    }
    client_fini(&c);
}

static void answers_a_client_that_sends_no_more(void **state)
{
    struct world *w = *state;
    struct client c, older; /* the library treats its oldest connection differently */
    client_init(w, &older);
    client_init(w, &c);
    send_text(&c, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    shutdown(c.fd, SHUT_WR);
    while (w->waits == 0)
        turn(w, &c);
    settle(w);
    answer_echo(w->waiting[0]);
    expect(next_answer(&c), "HTTP/1.1 200", "\n\r\nGET /wait");
    expect_closed(&c);
    client_fini(&c);
    client_fini(&older);
}

static void survives_clients_that_leave(void **state)
{
    struct world *w = *state;
    struct client c[4];
    for (int i = 0; i < 4; i++) {
        client_init(w, &c[i]);
        send_text(&c[i], i < 3 ? "GET /wait HTTP/1.1\r\n" HOST "\r\n"
                               : "POST /x HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nhalf");
        settle(w);
    }
    assert_int_equal(w->waits, 3);
    setsockopt(c[1].fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)); /* reset */
    for (int i = 0; i < 4; i++)
        client_fini(&c[i]);
    settle(w);
    assert_int_equal(w->ended, 0);
    for (int i = 0; i < 3; i++)
        answer_echo(w->waiting[i]);
    settle(w);
    while (rt_http_connections(w->http) > 0)
        turn(w, NULL);
    assert_int_equal(w->ended, 3);
    assert_int_equal(rt_http_active(w->http), 0);
}

static void ends_what_waits_when_it_is_freed(void **state)
{
    struct world *w = *state;
    struct client c[3];
    for (int i = 0; i < 3; i++) {
        client_init(w, &c[i]);
        send_text(&c[i], "GET /wait HTTP/1.1\r\n" HOST "\r\n");
        settle(w);
    }
    assert_int_equal(w->waits, 3);
    answer_echo(w->waiting[1]); /* answered, but not resumed any more */
    struct rt_http_handler handler = w->http->handler;
    rt_http_free(w->http);
    assert_int_equal(w->ended, 3);
    for (int i = 0; i < 3; i++) {
        client_read(&c[i]);
        assert_true(c[i].eof);
        client_fini(&c[i]);
    }
    assert_int_equal(rt_http_new(&test_limits, &handler, &w->http, NULL), 0);
}

static void drains(void **state)
{
    struct world *w = *state;
    struct client idle, waiting, fresh, late;
    client_init(w, &idle);
    client_init(w, &waiting);
    client_init(w, &fresh);
    send_text(&idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&idle), "HTTP/1.1 200", "GET /");
    send_text(&waiting, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    settle(w);
    send_text(&fresh, "GET /fresh HTTP/1.1\r\n" HOST "\r\n"); /* not read yet */
    rt_http_drain(w->http);
    expect_closed(&idle);
    const char *answer = next_answer(&fresh);
    expect(answer, "HTTP/1.1 200", "GET /fresh");
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    expect_closed(&fresh);
    answer_echo(w->waiting[0]);
    assert_non_null(strstr(next_answer(&waiting), "\r\nConnection: close\r\n"));
    expect_closed(&waiting);
    client_init(w, &late);
    send_text(&late, "GET /late HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(strstr(next_answer(&late), "\r\nConnection: close\r\n"));
    expect_closed(&late);
    settle(w);
    assert_int_equal(rt_http_connections(w->http), 0);
    client_fini(&idle);
    client_fini(&waiting);
    client_fini(&fresh);
    client_fini(&late);
}

static void adds_headers_and_memory(void **state)
{
    struct world *w = *state;
    struct client c;
    client_init(w, &c);
    send_text(&c, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    while (w->waits == 0)
        turn(w, &c);
    struct rt_http_req *req = w->waiting[0];
    assert_int_equal(rt_http_add_header(req, "X-A", "1"), 0);
    assert_int_equal(rt_http_add_header(req, "Set-Cookie", "a"), 0);
    assert_int_equal(rt_http_add_header(req, "Set-Cookie", "b"), 0);
    assert_int_equal(rt_http_add_header(req, "X-Empty", ""), 0);
    assert_int_equal(rt_http_add_header(req, "X-A", "1\r\nX-B: 2"), RT_E_INVALID);
    assert_int_equal(rt_http_add_header(req, "X A", "1"), RT_E_INVALID);
    assert_int_equal(rt_http_add_header(req, "X\r\nA", "1"), RT_E_INVALID);
    assert_int_equal(rt_http_add_header(req, "content-length", "1"), RT_E_INVALID);
    for (size_t n = 1; n < 20000; n = n * 3 + 1) {
        char *p = rt_http_alloc(req, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, 0x5A, n);
    }
    assert_null(rt_http_alloc(req, SIZE_MAX - 8));
    rt_http_respond(req, 201, NULL, 0);
    const char *answer = next_answer(&c);
    expect(answer, "HTTP/1.1 201 Created\r\n",
           "\r\nX-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n");
    client_fini(&c);
}

static void limits_connections(void **state)
{
    struct world *w = *state;
    struct client c[101];
    for (unsigned i = 0; i < 100; i++)
        client_init(w, &c[i]);
    assert_int_equal(client_try(w, &c[100]), RT_E_FULL);
    assert_int_equal(rt_http_connections(w->http), 100);
    settle(w);
    client_fini(&c[0]);
    settle(w);
    client_fini(&c[100]);
    client_init(w, &c[0]);
    send_text(&c[0], "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&c[0]), "HTTP/1.1 200", "GET /");
    for (int i = 0; i < 100; i++)
        client_fini(&c[i]);
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void answers_with_a_file(void **state)
{
    struct client c;
    client_init(*state, &c);
    int before = open_descriptors();
    file_bytes = 40000;
    send_text(&c, "GET /file HTTP/1.1\r\n" HOST "\r\n");
    const char *answer = next_answer(&c);
    expect(answer, "HTTP/1.1 200 OK\r\n", "abbabba");
    assert_non_null(strstr(answer, "\r\nContent-Length: 40000\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\nabb"));
    send_text(&c, "HEAD /file HTTP/1.1\r\n" HOST "\r\n");
    answer = next_answer_of(&c, true);
    expect(answer, "HTTP/1.1 200 OK\r\n", "\r\n\r\n");
    assert_non_null(strstr(answer, "\r\nContent-Length: 40000\r\n"));
    file_bytes = 0;
    send_text(&c, "GET /file HTTP/1.1\r\n" HOST "\r\nGET /next HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&c), "HTTP/1.1 200 OK\r\n", "\r\n\r\n");
    expect(next_answer(&c), "HTTP/1.1 200 OK\r\n", "GET /next");
    settle(*state);
    assert_int_equal(open_descriptors(), before);
    client_fini(&c);
}

static void a_client_that_leaves_closes_its_file(void **state)
{
    struct client c;
    int before = open_descriptors();
    file_bytes = 3000000; /* more than the sockets hold */
    client_init(*state, &c);
    send_text(&c, "GET /file HTTP/1.1\r\n" HOST "\r\n");
    settle(*state);
    client_fini(&c);
    settle(*state);
    assert_int_equal(open_descriptors(), before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* The server has forgotten the connection, and both ends of the socket are well. */
static void expect_taken(struct world *w, struct client *c)
{
    char text[8] = "";
    settle(w);
    assert_int_equal(w->take_code, 0);
    assert_int_equal(rt_http_connections(w->http), 0);
    assert_int_equal(rt_http_active(w->http), 0);
    http__sweep_at(w->http, rt_mono_ns() + 1000000000000u);
    assert_int_equal(send(w->taken, "from us", 7, MSG_NOSIGNAL), 7);
    while (c->in.len - c->read < 7) {
        struct pollfd p = { c->fd, POLLIN, 0 };
        assert_int_equal(poll(&p, 1, 10000), 1);
        client_read(c);
        assert_false(c->eof);
    }
    assert_memory_equal(c->in.data + c->read, "from us", 7);
    assert_int_equal(send(c->fd, "to you", 6, MSG_NOSIGNAL), 6);
    struct pollfd p = { w->taken, POLLIN, 0 };
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_int_equal(recv(w->taken, text, sizeof text, MSG_DONTWAIT), 6);
    assert_string_equal(text, "to you");
    assert_int_equal(fcntl(w->taken, F_GETFD), FD_CLOEXEC);
    close(w->taken);
    client_fini(c);
}

static void gives_a_connection_away(void **state)
{
    struct world *w = *state;
    struct client c;
    client_init(w, &c);
    send_text(&c, "GET /take HTTP/1.1\r\n" HOST "\r\n");
    expect_taken(w, &c);
    assert_int_equal(w->ended, 1);
    client_init(w, &c); /* after other requests, with bodies, pipelined, in pieces */
    send_text(&c, "POST /1 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n" HOST
                  "\r\nGET /take HTTP/1.1\r\n" HOST);
    expect(next_answer(&c), "HTTP/1.1 200", "POST /1 =abc");
    expect(next_answer(&c), "HTTP/1.1 200", "GET /2");
    send_text(&c, "\r\n");
    expect_taken(w, &c);
    client_init(w, &c);
    send_text(&c, "POST /1 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
    expect(next_answer(&c), "HTTP/1.1 200", "POST /1 =ab");
    send_text(&c, "GET /take HTTP/1.1\r\n" HOST "\r\n");
    expect_taken(w, &c);
}

static void gives_a_connection_away_later(void **state)
{
    struct world *w = *state;
    struct client c;
    client_init(w, &c);
    send_text(&c, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    settle(w);
    assert_int_equal(w->waits, 1);
    take(w, w->waiting[0]);
    expect_taken(w, &c);
    assert_int_equal(w->ended, 1);
}

static void keeps_a_connection_whose_client_is_ahead(void **state)
{
    struct world *w = *state;
    struct client c;
    client_init(w, &c);
    send_text(&c, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    expect(next_answer(&c), "HTTP/1.1 200", "GET /1");
    send_text(&c, "GET /take HTTP/1.1\r\n" HOST "\r\n\x81\x80mask");
    expect(next_answer(&c), "HTTP/1.1 400", "not taken");
    assert_int_equal(w->take_code, RT_E_INVALID);
    client_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_a_request),
        TEST(gives_a_connection_away),
        TEST(gives_a_connection_away_later),
        TEST(keeps_a_connection_whose_client_is_ahead),
        TEST(keeps_the_order_of_pipelined_requests),
        TEST(takes_single_bytes),
        TEST(takes_bodies_up_to_the_limit),
        TEST(continues_when_it_is_asked_to),
        TEST(frames_answers_without_body),
        TEST(speaks_old_and_odd_forms),
        TEST(does_not_read_the_query),
        TEST(answers_later),
        TEST(answers_later_twice_on_one_connection),
        TEST(answers_a_client_that_sends_no_more),
        TEST(survives_clients_that_leave),
        TEST(ends_what_waits_when_it_is_freed),
        TEST(drains),
        TEST(adds_headers_and_memory),
        TEST(limits_connections),
        TEST(answers_with_a_file),
        TEST(a_client_that_leaves_closes_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
