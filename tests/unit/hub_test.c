/* SPDX-License-Identifier: Apache-2.0
 *
 * The hub: who gets what, in which order, over several workers, and what happens when connections end in the
 * middle of a delivery. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "ws/hub.h"

enum { WORKERS = 3, APP = 1 };

static struct rt_hub *hub;
static struct rt_inbox *inbox[WORKERS];
static int wakes[WORKERS];

static void wake(void *arg) { ++*(int *)arg; }

static int setup(void **state)
{
    (void)state;
    hub = rt_hub_new(WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        wakes[i] = 0;
        inbox[i] = rt_hub_inbox(hub, i, wake, &wakes[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_hub_free(hub);
    return 0;
}

/* A client: what it got, as one text. */
struct client {
    struct rt_hub_conn *conn;
    char got[400];
    int closed;
    struct client *ends; /* closed when this one gets something */
};

static void deliver(void *owner, struct rt_ws_text *text)
{
    struct client *c = owner;
    size_t n, at = strlen(c->got);
    const char *p = rt_ws_text_get(text, &n);
    snprintf(c->got + at, sizeof c->got - at, "%s%.*s", at ? " " : "", (int)n, p);
    if (c->ends)
        rt_hub_conn_close(c->ends->conn);
}

static void close_client(void *owner, int code, const char *reason)
{
    struct client *c = owner;
    size_t at = strlen(c->got);
    c->closed++;
    snprintf(c->got + at, sizeof c->got - at, "%s%d:%s", at ? " " : "", code, reason);
}

static const struct rt_hub_handler handler = { deliver, close_client };

static void connect_app(struct client *c, int worker, unsigned app)
{
    *c = (struct client){ .conn = rt_hub_conn_new(inbox[worker], app, &handler, c) };
    assert_non_null(c->conn);
}

static void join(struct client *c, int worker, const char *room, int64_t after)
{
    if (!c->conn)
        connect_app(c, worker, APP);
    assert_int_equal(rt_hub_reserve(c->conn, rt_str_of(room), rt_str_of(""), 0), 0);
    assert_true(rt_hub_activate(c->conn, rt_str_of(room), after));
}

static void label(struct client *c, const char *name)
{
    assert_int_equal(rt_hub_label(c->conn, rt_str_of(name)), 0);
}

static struct rt_hub_op *message_of(const char *room, int64_t seq, const char *except)
{
    char text[40];
    snprintf(text, sizeof text, "%s%lld", room, (long long)seq);
    struct rt_hub_op *op = rt_hub_message(hub, APP, rt_str_of(room), seq, rt_ws_text_new(text, strlen(text)),
                                          rt_str_of(except));
    assert_non_null(op);
    return op;
}

static void post(struct rt_hub_op *op)
{
    struct rt_hub_ops list = { 0 };
    rt_hub_ops_push(&list, op);
    rt_hub_post(hub, &list);
    assert_null(list.head);
}

static void say(const char *room, int64_t seq) { post(message_of(room, seq, "")); }

static void run_all(void)
{
    for (int i = 0; i < WORKERS; i++)
        rt_inbox_run(inbox[i]);
}

static void members_of_all_workers_get_it_once(void **state)
{
    struct client a = { 0 }, b = { 0 }, c = { 0 }, other = { 0 };
    (void)state;
    join(&a, 0, "r", 0);
    join(&b, 0, "r", 0);
    join(&c, 2, "r", 0);
    join(&other, 1, "s", 0);
    say("r", 1);
    assert_int_equal(wakes[0], 1);
    assert_int_equal(wakes[1], 0); /* nobody there listens */
    assert_int_equal(wakes[2], 1);
    say("r", 2);
    assert_int_equal(wakes[0], 1); /* one wake-up per batch */
    run_all();
    assert_string_equal(a.got, "r1 r2");
    assert_string_equal(b.got, "r1 r2");
    assert_string_equal(c.got, "r1 r2");
    assert_string_equal(other.got, "");
    say("r", 3);
    assert_int_equal(wakes[0], 2);
    struct rt_hub_stats s;
    rt_hub_stats(hub, &s);
    assert_int_equal(s.rooms, 2);
    assert_int_equal(s.members, 4);
    assert_int_equal(s.published, 3);
    assert_int_equal(s.delivered, 6);
    rt_hub_conn_free(a.conn);
    rt_hub_conn_free(b.conn);
    rt_hub_conn_free(c.conn);
    rt_hub_conn_free(other.conn);
    rt_hub_stats(hub, &s);
    assert_int_equal(s.rooms, 0);
    assert_int_equal(s.members, 0);
}

static void apps_are_worlds_of_their_own(void **state)
{
    struct client a = { 0 }, b = { 0 };
    (void)state;
    join(&a, 0, "r", 0);
    connect_app(&b, 0, APP + 1);
    join(&b, 0, "r", 0);
    label(&b, "user:1");
    say("r", 1);
    post(rt_hub_closing(hub, APP, rt_str_of("user:1"), 4001, rt_str_of("bye")));
    run_all();
    assert_string_equal(a.got, "r1");
    assert_string_equal(b.got, "");
    assert_int_equal(rt_hub_count(hub, APP, rt_str_of("r")), 1);
    rt_hub_conn_free(a.conn);
    rt_hub_conn_free(b.conn);
}

static void a_reservation_gets_nothing_and_then_what_is_newer(void **state)
{
    struct client a = { 0 };
    (void)state;
    connect_app(&a, 0, APP);
    assert_int_equal(rt_hub_reserve(a.conn, rt_str_of("r"), rt_str_of(""), 0), 0);
    say("r", 1); /* arrives before, is skipped: it is in what the member reads */
    rt_inbox_run(inbox[0]);
    say("r", 2);
    say("r", 3);
    assert_true(rt_hub_activate(a.conn, rt_str_of("r"), 2));
    rt_inbox_run(inbox[0]);
    say("r", 3);
    rt_inbox_run(inbox[0]);
    assert_string_equal(a.got, "r3");
    rt_hub_conn_free(a.conn);
}

static void joining_again_holds_back_and_starts_anew(void **state)
{
    struct client a = { 0 };
    (void)state;
    join(&a, 0, "r", 5);
    assert_int_equal(rt_hub_reserve(a.conn, rt_str_of("r"), rt_str_of(""), 1), 0);
    assert_int_equal(rt_hub_count(hub, APP, rt_str_of("r")), 1);
    say("r", 6);
    rt_inbox_run(inbox[0]);
    assert_string_equal(a.got, "");
    assert_true(rt_hub_activate(a.conn, rt_str_of("r"), 3));
    say("r", 4);
    rt_inbox_run(inbox[0]);
    assert_string_equal(a.got, "r4");
    rt_hub_conn_free(a.conn);
}

static void an_observer_is_told_but_not_counted(void **state)
{
    struct client a = { 0 }, b = { 0 }, c = { 0 };
    struct rt_str r = rt_str_of("r");
    (void)state;
    connect_app(&a, 0, APP);
    connect_app(&b, 0, APP);
    connect_app(&c, 1, APP);
    assert_int_equal(rt_hub_observe(a.conn, r), 0);
    assert_true(rt_hub_activate(a.conn, r, 0));
    assert_int_equal(rt_hub_count(hub, APP, r), 0);
    assert_true(rt_hub_heard(hub, APP, r));
    assert_int_equal(rt_hub_reserve(b.conn, r, rt_str_of(""), 1), 0);
    assert_int_equal(rt_hub_reserve(c.conn, r, rt_str_of(""), 1), RT_E_FULL);
    assert_int_equal(rt_hub_count(hub, APP, r), 1);
    assert_int_equal(rt_hub_reserve(c.conn, r, rt_str_of(""), -1), 0); /* any number, and still a member */
    assert_int_equal(rt_hub_count(hub, APP, r), 2);
    assert_true(rt_hub_leave(c.conn, r));
    say("r", 7);
    rt_inbox_run(inbox[0]);
    assert_string_equal(a.got, "r7");
    rt_hub_conn_free(b.conn);
    rt_hub_conn_free(a.conn);
    assert_false(rt_hub_heard(hub, APP, r));
    rt_hub_conn_free(c.conn);
}

static void the_limit_counts_all_workers_and_reservations(void **state)
{
    struct client a = { 0 }, b = { 0 }, c = { 0 };
    struct rt_str r = rt_str_of("r");
    (void)state;
    join(&a, 0, "r", 0);
    connect_app(&b, 1, APP);
    connect_app(&c, 2, APP);
    assert_int_equal(rt_hub_reserve(b.conn, r, rt_str_of(""), 2), 0);
    assert_int_equal(rt_hub_reserve(c.conn, r, rt_str_of(""), 2), RT_E_FULL);
    assert_false(rt_hub_activate(c.conn, r, 0));
    assert_true(rt_hub_leave(b.conn, r));
    assert_int_equal(rt_hub_reserve(c.conn, r, rt_str_of(""), 2), 0);
    rt_hub_conn_close(a.conn);
    assert_int_equal(rt_hub_count(hub, APP, r), 1);
    assert_int_equal(rt_hub_reserve(a.conn, r, rt_str_of(""), 0), RT_E_EXPIRED);
    rt_hub_conn_free(a.conn);
    rt_hub_conn_free(b.conn);
    rt_hub_conn_free(c.conn);
}

static void except_skips_the_labelled_ones(void **state)
{
    struct client a = { 0 }, b = { 0 }, c = { 0 };
    (void)state;
    join(&a, 0, "r", 0);
    join(&b, 0, "r", 0);
    join(&c, 1, "r", 0);
    label(&a, "user:7");
    label(&c, "user:7");
    label(&c, "login:1");
    post(message_of("r", 1, "user:7"));
    say("r", 2);
    post(message_of("r", 3, "user:8"));
    run_all();
    assert_string_equal(a.got, "r2 r3");
    assert_string_equal(b.got, "r1 r2 r3");
    assert_string_equal(c.got, "r2 r3");
    rt_hub_conn_free(a.conn);
    rt_hub_conn_free(b.conn);
    rt_hub_conn_free(c.conn);
}

static void close_and_expel_keep_their_place_among_messages(void **state)
{
    struct client a = { 0 }, b = { 0 };
    (void)state;
    join(&a, 0, "r", 0);
    join(&a, 0, "s", 0);
    join(&b, 1, "r", 0);
    label(&a, "user:7");
    label(&b, "user:7");
    say("r", 1);
    post(rt_hub_expelling(hub, APP, rt_str_of("user:7"), rt_str_of("r")));
    say("r", 2);
    say("s", 1);
    post(rt_hub_closing(hub, APP, rt_str_of("user:7"), 4001, rt_str_of("Logged out")));
    say("s", 2);
    run_all();
    assert_string_equal(a.got, "r1 s1 4001:Logged out");
    assert_string_equal(b.got, "r1 4001:Logged out");
    assert_true(rt_hub_closed(a.conn));
    assert_int_equal(rt_hub_count(hub, APP, rt_str_of("s")), 0);
    rt_hub_conn_free(a.conn);
    rt_hub_conn_free(b.conn);
}

/* Its worker had nobody in the room when the expulsion was posted, but was about to let it in. */
static void an_expulsion_reaches_a_reservation_that_came_after_it(void **state)
{
    struct client a = { 0 };
    (void)state;
    connect_app(&a, 1, APP);
    label(&a, "user:7");
    post(rt_hub_expelling(hub, APP, rt_str_of("user:7"), rt_str_of("r")));
    assert_int_equal(rt_hub_reserve(a.conn, rt_str_of("r"), rt_str_of(""), 0), 0);
    rt_inbox_run(inbox[1]);
    assert_false(rt_hub_activate(a.conn, rt_str_of("r"), 0));
    assert_int_equal(rt_hub_count(hub, APP, rt_str_of("r")), 0);
    rt_hub_conn_free(a.conn);
}

struct seen {
    int n;
    int64_t a, b;
};

static void note(void *arg, struct rt_str who, int64_t count)
{
    struct seen *s = arg;
    s->n++;
    *(rt_str_is(who, "user:1") ? &s->a : &s->b) = count;
}

static void presence_counts_by_key(void **state)
{
    struct client c[4];
    static const char *const who[] = { "user:1", "user:2", "user:1", "" };
    struct seen s = { 0 };
    struct rt_str r = rt_str_of("r");
    (void)state;
    for (int i = 0; i < 4; i++) {
        connect_app(&c[i], i % WORKERS, APP);
        assert_int_equal(rt_hub_reserve(c[i].conn, r, rt_str_of(who[i]), 0), 0);
    }
    rt_hub_presence(hub, APP, r, note, &s);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.a, 2);
    assert_int_equal(s.b, 1);
    assert_int_equal(rt_hub_count(hub, APP, r), 4);
    rt_hub_conn_free(c[0].conn);
    rt_hub_conn_free(c[1].conn);
    s = (struct seen){ 0 };
    rt_hub_presence(hub, APP, r, note, &s);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.a, 1);
    rt_hub_conn_free(c[2].conn);
    rt_hub_conn_free(c[3].conn);
}

/* The walk goes on with the right one, whichever member goes: itself, the next, one that had its turn. */
static void members_may_end_while_a_message_is_given(void **state)
{
    (void)state;
    for (int who = 0; who < 4; who++)
        for (int whom = 0; whom < 4; whom++) {
            struct client c[4] = { 0 };
            int got = 0;
            for (int i = 0; i < 4; i++)
                join(&c[i], 0, "r", 0);
            c[who].ends = &c[whom];
            say("r", 1);
            rt_inbox_run(inbox[0]);
            for (int i = 0; i < 4; i++) {
                got += c[i].got[0] != 0;
                assert_int_equal(rt_hub_closed(c[i].conn), i == whom);
                assert_true(i == whom || c[i].got[0]);
            }
            assert_true(got >= 3);
            for (int i = 0; i < 4; i++)
                rt_hub_conn_free(c[i].conn);
        }
}

static void a_list_drops_what_came_after_a_mark(void **state)
{
    struct client a = { 0 };
    struct rt_hub_ops list = { 0 };
    (void)state;
    join(&a, 0, "r", 0);
    rt_hub_ops_cut(&list, list.tail);
    rt_hub_ops_push(&list, message_of("r", 1, ""));
    struct rt_hub_op *mark = list.tail;
    rt_hub_ops_push(&list, message_of("r", 2, ""));
    rt_hub_ops_push(&list, message_of("r", 2, ""));
    rt_hub_ops_cut(&list, mark);
    rt_hub_ops_push(&list, message_of("r", 3, ""));
    rt_hub_post(hub, &list);
    rt_inbox_run(inbox[0]);
    assert_string_equal(a.got, "r1 r3");
    rt_hub_ops_push(&list, message_of("r", 4, ""));
    rt_hub_ops_cut(&list, NULL);
    assert_null(list.head);
    assert_null(list.tail);
    rt_hub_conn_free(a.conn);
}

static void names_and_numbers_are_bounded(void **state)
{
    struct client a = { 0 };
    char name[RT_HUB_NAME_MAX + 1];
    (void)state;
    memset(name, 'x', sizeof name);
    connect_app(&a, 0, APP);
    struct rt_str longest = { name, RT_HUB_NAME_MAX }, longer = { name, RT_HUB_NAME_MAX + 1 }, none = { name, 0 };
    assert_int_equal(rt_hub_reserve(a.conn, longest, none, 0), 0);
    assert_int_equal(rt_hub_reserve(a.conn, longer, none, 0), RT_E_LIMIT);
    assert_int_equal(rt_hub_reserve(a.conn, none, none, 0), RT_E_LIMIT);
    assert_int_equal(rt_hub_label(a.conn, longer), RT_E_LIMIT);
    assert_null(rt_hub_closing(hub, APP, none, 4000, none));
    assert_null(rt_hub_expelling(hub, APP, longest, none));
    for (int i = 0; i < 63; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(rt_hub_reserve(a.conn, rt_str_of(name), none, 0), 0);
    }
    assert_int_equal(rt_hub_reserve(a.conn, rt_str_of("more"), none, 0), RT_E_LIMIT);
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(rt_hub_label(a.conn, rt_str_of(name)), 0);
        assert_int_equal(rt_hub_label(a.conn, rt_str_of(name)), 0);
    }
    assert_int_equal(rt_hub_label(a.conn, rt_str_of("more")), RT_E_LIMIT);
    assert_true(rt_str_is(rt_hub_first_label(a.conn), "0"));
    rt_hub_conn_free(a.conn);
    assert_int_equal(rt_hub_count(hub, APP, rt_str_of("7")), 0);
}

/* A long list is given in pieces, and what arrives meanwhile comes behind it. */
static void a_long_list_leaves_others_a_turn(void **state)
{
    enum { MEMBERS = 1000, EVENTS = 10 };
    static struct client c[MEMBERS];
    (void)state;
    for (int i = 0; i < MEMBERS; i++) {
        c[i] = (struct client){ 0 };
        join(&c[i], 0, "r", 0);
    }
    for (int i = 1; i <= EVENTS; i++)
        say("r", i);
    rt_inbox_run(inbox[0]);
    assert_int_equal(wakes[0], 2); /* asked for another turn */
    assert_string_not_equal(c[0].got, "");
    int runs = 1;
    say("r", EVENTS + 1);
    for (; runs < wakes[0]; runs++)
        rt_inbox_run(inbox[0]);
    assert_true(runs > 1);
    for (int i = 0; i < MEMBERS; i++) {
        assert_string_equal(c[i].got, "r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11");
        rt_hub_conn_free(c[i].conn);
    }
}

/* ---- two threads: a publisher and workers that join and leave all the time ---- */

enum { ROUNDS = 20000 };

struct worker {
    pthread_t thread;
    sem_t news;
    struct rt_inbox *in;
    int64_t last; /* of the member it has now; 0 none */
    int64_t got;
    bool out_of_order;
    _Atomic bool stop;
};

static void post_news(void *arg) { sem_post(arg); }

static void check_order(void *owner, struct rt_ws_text *text)
{
    struct worker *w = owner;
    size_t n;
    int64_t seq = atoll(rt_ws_text_get(text, &n));
    w->out_of_order = w->out_of_order || seq <= w->last;
    w->last = seq;
    w->got++;
}

static void never_closed(void *owner, int code, const char *reason)
{
    (void)owner, (void)code, (void)reason;
    abort();
}

static void *member_work(void *arg)
{
    static const struct rt_hub_handler counting = { check_order, never_closed };
    struct worker *w = arg;
    struct rt_str r = rt_str_of("r"), none = rt_str_of("");
    for (int i = 0; !atomic_load(&w->stop); i++) {
        struct rt_hub_conn *c = rt_hub_conn_new(w->in, APP, &counting, w);
        w->last = 0;
        rt_hub_label(c, r);
        rt_hub_reserve(c, r, none, 0);
        rt_inbox_run(w->in);
        rt_hub_activate(c, r, 0);
        while (sem_trywait(&w->news) == 0)
            rt_inbox_run(w->in);
        rt_hub_conn_free(c);
    }
    return NULL;
}

static void publishing_and_joining_race_without_harm(void **state)
{
    static struct worker w[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        w[i] = (struct worker){ 0 };
        sem_init(&w[i].news, 0, 0);
        w[i].in = rt_hub_inbox(hub, i, post_news, &w[i].news);
        assert_int_equal(pthread_create(&w[i].thread, NULL, member_work, &w[i]), 0);
    }
    for (int64_t seq = 1; seq <= ROUNDS; seq++) {
        char text[24];
        int n = snprintf(text, sizeof text, "%lld ", (long long)seq);
        post(rt_hub_message(hub, APP, rt_str_of("r"), seq, rt_ws_text_new(text, (size_t)n + 1), rt_str_of("")));
    }
    for (int i = 0; i < 2; i++) {
        atomic_store(&w[i].stop, true);
        pthread_join(w[i].thread, NULL);
        assert_false(w[i].out_of_order);
        rt_inbox_run(w[i].in);
        sem_destroy(&w[i].news);
    }
    struct rt_hub_stats s;
    rt_hub_stats(hub, &s);
    assert_int_equal(s.members, 0);
    assert_int_equal(s.delivered, (uint64_t)(w[0].got + w[1].got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_of_all_workers_get_it_once, setup, teardown),
        cmocka_unit_test_setup_teardown(apps_are_worlds_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reservation_gets_nothing_and_then_what_is_newer, setup, teardown),
        cmocka_unit_test_setup_teardown(joining_again_holds_back_and_starts_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(an_observer_is_told_but_not_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(the_limit_counts_all_workers_and_reservations, setup, teardown),
        cmocka_unit_test_setup_teardown(except_skips_the_labelled_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(close_and_expel_keep_their_place_among_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(an_expulsion_reaches_a_reservation_that_came_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(presence_counts_by_key, setup, teardown),
        cmocka_unit_test_setup_teardown(members_may_end_while_a_message_is_given, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_drops_what_came_after_a_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(names_and_numbers_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_list_leaves_others_a_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(publishing_and_joining_race_without_harm, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
