/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of events over a real writer: what is kept, what a member gets that joins at any moment of other people's
 * transactions, and that nothing is lost or comes twice when everything happens at once. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "db/migrate.h"
#include "db_fixture.h"
#include "events/events.h"

enum { APP = 0, WINDOW = 900 };
#define ROOM rt_str_of("r")

static struct rt_writer *writer;
static struct rt_hub *hub;
static struct rt_events *events;

/* A worker's thread: its mailbox, its inbox, its reader. */
struct worker {
    sem_t mail, news;
    struct rt_mailbox *box;
    struct rt_inbox *in;
    struct rt_conn *reader;
};

static struct worker here;

static void wake(void *sem) { sem_post(sem); }

static void worker_init(struct worker *w, int i)
{
    sem_init(&w->mail, 0, 0);
    sem_init(&w->news, 0, 0);
    w->box = rt_mailbox_new(wake, &w->mail);
    w->in = rt_hub_inbox(hub, i, wake, &w->news);
    w->reader = open_conn(in_folder("e.db"), RT_CONN_READ);
}

static void worker_fini(struct worker *w)
{
    rt_conn_close(w->reader);
    rt_mailbox_free(w->box);
    sem_destroy(&w->mail);
    sem_destroy(&w->news);
}

static void wait_mail(struct worker *w, const int *flag)
{
    while (!*flag) {
        rt_writer_flush(writer);
        sem_wait(&w->mail);
        rt_mailbox_run(w->box);
    }
}

static void open_events(int64_t window)
{
    struct rt_conn *c = open_conn(in_folder("e.db"), RT_CONN_READ);
    struct rt_err err = { 0 };
    if (rt_events_new(writer, hub, APP, window, c, &events, &err))
        fail_msg("%s", err.msg);
    rt_conn_close(c);
}

static int setup(void **state)
{
    int applied;
    struct rt_err err = { 0 };
    if (make_test_folder(state))
        return -1;
    struct rt_conn *c = open_conn(in_folder("e.db"), RT_CONN_WRITE);
    if (rt_migrate(c, "runtime", PERIGEE_SOURCE_DIR "/db/runtime", &applied, &err))
        fail_msg("%s", err.msg);
    rt_conn_close(c);
    assert_int_equal(rt_writer_open(in_folder("e.db"), &writer, NULL), 0);
    hub = rt_hub_new(4);
    open_events(WINDOW);
    worker_init(&here, 0);
    return 0;
}

static int teardown(void **state)
{
    rt_clock_shift(0);
    worker_fini(&here);
    rt_writer_close(writer);
    rt_events_free(events);
    rt_hub_free(hub);
    return remove_test_folder(state);
}

static int64_t on_disk(const char *sql)
{
    struct rt_conn *r = open_conn(in_folder("e.db"), RT_CONN_READ);
    int64_t v = int_of(r, sql);
    rt_conn_close(r);
    return v;
}

/* ---- who publishes: a transaction and its messages, as lua/call.c does it ---- */

struct work {
    struct rt_tx tx;
    struct rt_hub_ops ops;
    int granted, done, code;
};

static void on_granted(struct rt_tx *tx) { ((struct work *)tx)->granted = 1; }

static void on_effects(struct rt_tx *tx) { rt_hub_post(hub, &((struct work *)tx)->ops); }

static void on_done(struct rt_tx *tx, int code)
{
    struct work *x = (struct work *)tx;
    x->done = 1;
    x->code = code;
}

static void begin(struct worker *w, struct work *x)
{
    *x = (struct work){ .tx = { .granted = on_granted, .done = on_done, .effects = on_effects, .mailbox = w->box } };
    int rc = rt_tx_begin(writer, &x->tx, NULL);
    assert_true(rc > 0);
    if (rc == RT_TX_QUEUED)
        wait_mail(w, &x->granted);
}

/* 0 when nobody listens. */
static int64_t emit(struct work *x, const char *object, const char *except)
{
    struct rt_hub_op *op;
    struct rt_err err = { 0 };
    int64_t seq = 0;
    if (!rt_events_wanted(events, ROOM))
        return 0;
    int rc = rt_events_log(events, ROOM, rt_str_of(object), rt_str_of(except), &op, &seq, &err);
    if (rc < 0)
        fail_msg("%s", err.msg);
    if (rc > 0)
        rt_hub_ops_push(&x->ops, op);
    return seq;
}

static void end(struct work *x, bool keep)
{
    assert_int_equal(rt_tx_end(writer, &x->tx, keep, NULL), 0);
    if (!keep)
        rt_hub_ops_cut(&x->ops, NULL);
}

static int64_t publish(const char *object)
{
    struct work x;
    begin(&here, &x);
    int64_t seq = emit(&x, object, "");
    end(&x, true);
    wait_mail(&here, &x.done);
    assert_int_equal(x.code, 0);
    return seq;
}

static void publish_many(int n)
{
    struct work x;
    begin(&here, &x);
    for (int i = 0; i < n; i++)
        assert_true(emit(&x, "{\"a\":1}", "") > 0);
    end(&x, true);
    wait_mail(&here, &x.done);
}

/* ---- who listens: the steps of lua/room.c ---- */

struct client {
    struct worker *w;
    struct rt_hub_conn *conn;
    char got[2000];
    int n;
    struct rt_events_open open;
    int opened, code;
};

static void deliver(void *owner, struct rt_ws_text *text)
{
    struct client *c = owner;
    size_t n, at = strlen(c->got);
    const char *p = rt_ws_text_get(text, &n);
    c->n++;
    snprintf(c->got + at, sizeof c->got - at, "%.*s", (int)n, p);
}

static void no_close(void *owner, int code, const char *reason) { (void)owner, (void)code, (void)reason; }

static const struct rt_hub_handler handler = { deliver, no_close };

static void connect_client(struct client *c, struct worker *w)
{
    *c = (struct client){ .w = w, .conn = rt_hub_conn_new(w->in, APP, &handler, c) };
}

static void on_open(struct rt_events_open *o, int code)
{
    struct client *c = o->owner;
    c->opened = 1;
    c->code = code;
}

static bool send_missed(void *arg, struct rt_ws_text *text, struct rt_str except)
{
    struct client *c = arg;
    if (except.n == 0 || !rt_hub_labelled(c->conn, except))
        rt_hub_send(c->conn, text);
    rt_ws_text_unref(text);
    return true;
}

static void begin_join(struct client *c)
{
    c->opened = 0;
    c->open.done = on_open;
    c->open.owner = c;
    assert_int_equal(rt_hub_reserve(c->conn, ROOM, rt_str_of(""), 0), 0);
    int rc = rt_events_open(events, &c->open, ROOM, c->w->box, NULL);
    assert_true(rc >= 0);
    if (rc == 1)
        c->opened = 2; /* at once */
}

/* 1 joined, 0 resync; *ret_last: the room's number then. */
static int end_join(struct client *c, int64_t after, int64_t *ret_last)
{
    struct rt_err err = { 0 };
    wait_mail(c->w, &c->opened);
    assert_int_equal(c->code, 0);
    rt_conn_release(c->w->reader);
    assert_int_equal(rt_conn_snapshot(c->w->reader, NULL), 0);
    int rc = rt_events_missed(events, c->w->reader, ROOM, after, send_missed, c, ret_last, &err);
    if (rc < 0)
        fail_msg("%s", err.msg);
    assert_true(rt_hub_activate(c->conn, ROOM, *ret_last));
    rt_conn_release(c->w->reader);
    return rc;
}

static int64_t join(struct client *c)
{
    int64_t last;
    begin_join(c);
    assert_int_equal(end_join(c, -1, &last), 1);
    return last;
}

static int resume(struct client *c, int64_t after)
{
    int64_t last;
    begin_join(c);
    c->got[0] = 0;
    c->n = 0;
    return end_join(c, after, &last);
}

static void assert_got(struct client *c, const char *format, int64_t seq)
{
    char want[200];
    snprintf(want, sizeof want, format, (long long)seq, (long long)seq + 1, (long long)seq + 2);
    rt_inbox_run(c->w->in);
    assert_string_equal(c->got, want);
    c->got[0] = 0;
}

/* ---- tests ---- */

static void a_room_without_listeners_leaves_no_trace(void **state)
{
    (void)state;
    assert_false(rt_events_wanted(events, ROOM));
    assert_int_equal(publish("{\"a\":1}"), 0);
    assert_int_equal(on_disk("SELECT count(*) FROM perigee_events"), 0);
}

static void a_member_gets_what_is_committed_and_only_then(void **state)
{
    struct client c;
    struct work x;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    assert_true(last > 1700000000000);
    begin(&here, &x);
    assert_int_equal(emit(&x, "{\"type\":\"a\"}", ""), last + 1);
    assert_int_equal(emit(&x, "{}", ""), last + 2);
    end(&x, true);
    assert_got(&c, "", 0);
    wait_mail(&here, &x.done);
    assert_got(&c, "{\"type\":\"a\",\"room\":\"r\",\"seq\":%lld}{\"room\":\"r\",\"seq\":%lld}", last + 1);
    assert_int_equal(on_disk("SELECT count(*) FROM perigee_events"), 3);
    rt_hub_conn_free(c.conn);
}

static void what_is_rolled_back_was_never_said(void **state)
{
    struct client c;
    struct work x, y;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    begin(&here, &x);
    assert_int_equal(emit(&x, "{\"n\":1}", ""), last + 1);
    struct rt_hub_op *mark = x.ops.tail;
    assert_int_equal(rt_conn_savepoint(rt_writer_conn(writer), 0, RT_SAVEPOINT_SET, NULL), 0);
    assert_int_equal(emit(&x, "{\"n\":2}", ""), last + 2);
    assert_int_equal(rt_conn_savepoint(rt_writer_conn(writer), 0, RT_SAVEPOINT_BACK, NULL), 0);
    rt_hub_ops_cut(&x.ops, mark);
    assert_int_equal(emit(&x, "{\"n\":3}", ""), last + 2);
    end(&x, true);
    begin(&here, &y);
    assert_int_equal(emit(&y, "{\"n\":4}", ""), last + 3);
    end(&y, false);
    wait_mail(&here, &x.done);
    assert_int_equal(publish("{\"n\":5}"), last + 3);
    assert_got(&c,
               "{\"n\":1,\"room\":\"r\",\"seq\":%lld}{\"n\":3,\"room\":\"r\",\"seq\":%lld}"
               "{\"n\":5,\"room\":\"r\",\"seq\":%lld}",
               last + 1);
    rt_hub_conn_free(c.conn);
}

/* Ends the whole group: its transactions never were, and the room goes on without a gap. */
static void lose_the_group(void)
{
    struct work x;
    struct rt_stmt *s;
    begin(&here, &x);
    s = prepared(rt_writer_conn(writer), "INSERT OR ROLLBACK INTO perigee_events VALUES ('q', 1, 1, NULL, NULL)");
    assert_int_equal(rt_stmt_step(s, NULL), RT_STEP_DONE);
    rt_stmt_again(s);
    assert_true(rt_stmt_step(s, NULL) < 0);
    rt_stmt_done(s);
    assert_true(rt_tx_lost(writer));
    struct rt_hub_op *op;
    int64_t seq;
    assert_true(rt_events_log(events, ROOM, rt_str_of("{}"), rt_str_of(""), &op, &seq, NULL) < 0);
    assert_int_equal(rt_tx_end(writer, &x.tx, false, NULL), 0);
}

static void a_lost_group_takes_its_events_along(void **state)
{
    struct client c;
    struct work x;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    begin(&here, &x);
    assert_int_equal(emit(&x, "{\"n\":1}", ""), last + 1);
    end(&x, true);
    lose_the_group();
    wait_mail(&here, &x.done);
    assert_true(x.code < 0);
    rt_hub_ops_cut(&x.ops, NULL);
    assert_int_equal(publish("{\"n\":2}"), last + 1);
    assert_got(&c, "{\"n\":2,\"room\":\"r\",\"seq\":%lld}", last + 1);
    rt_hub_conn_free(c.conn);
}

/* The marker is lost with its group: the joiner is told, memory errs on the safe side, the next join works. */
static void a_lost_marker_fails_the_join_alone(void **state)
{
    struct client a, b;
    struct rt_events_stats s;
    (void)state;
    connect_client(&a, &here);
    connect_client(&b, &here);
    begin_join(&a);
    assert_int_equal(a.opened, 0);
    lose_the_group();
    wait_mail(&here, &a.opened);
    assert_true(a.code < 0);
    rt_hub_leave(a.conn, ROOM);
    rt_events_stats(events, &s);
    assert_int_equal(s.rooms, 1);
    assert_true(rt_events_wanted(events, ROOM));
    assert_int_equal(publish("{\"n\":1}"), 0); /* the table knows better */
    int64_t last = join(&b);
    assert_int_equal(publish("{\"n\":2}"), last + 1);
    assert_got(&b, "{\"n\":2,\"room\":\"r\",\"seq\":%lld}", last + 1);
    rt_hub_conn_free(a.conn);
    rt_hub_conn_free(b.conn);
}

static void who_joins_during_a_transaction_gets_what_comes_after_it(void **state)
{
    struct client c;
    struct work x;
    (void)state;
    connect_client(&c, &here);
    begin(&here, &x);
    assert_int_equal(emit(&x, "{\"n\":1}", ""), 0);
    begin_join(&c); /* waits in line behind x */
    assert_int_equal(c.opened, 0);
    assert_int_equal(emit(&x, "{\"n\":2}", ""), 0);
    end(&x, true);
    int64_t last;
    assert_int_equal(end_join(&c, -1, &last), 1);
    assert_int_equal(publish("{\"n\":3}"), last + 1);
    assert_got(&c, "{\"n\":3,\"room\":\"r\",\"seq\":%lld}", last + 1);
    rt_hub_conn_free(c.conn);
}

/* Between the marker's commit and the activation an event is committed: it is in the state that is read. */
static void an_event_between_marker_and_activation_comes_once(void **state)
{
    struct client c;
    struct work x;
    int64_t last;
    (void)state;
    connect_client(&c, &here);
    begin_join(&c);
    begin(&here, &x);
    int64_t seq = emit(&x, "{\"n\":1}", "");
    assert_true(seq > 0); /* behind the marker, in the same group */
    end(&x, true);
    wait_mail(&here, &x.done);
    rt_inbox_run(here.in); /* skipped: not active yet */
    assert_int_equal(end_join(&c, seq - 1, &last), 1);
    assert_int_equal(last, seq);
    assert_got(&c, "{\"n\":1,\"room\":\"r\",\"seq\":%lld}", seq);
    assert_int_equal(publish("{\"n\":2}"), seq + 1);
    assert_got(&c, "{\"n\":2,\"room\":\"r\",\"seq\":%lld}", seq + 1);
    rt_hub_conn_free(c.conn);
}

/* Committed and posted, but still in the inbox when the state is read: given once. */
static void an_event_in_the_inbox_does_not_come_twice(void **state)
{
    struct client a, b;
    (void)state;
    connect_client(&a, &here);
    connect_client(&b, &here);
    int64_t last = join(&a);
    publish("{\"n\":1}");
    assert_int_equal(resume(&b, last), 1);
    assert_int_equal(b.n, 1);
    rt_inbox_run(here.in);
    assert_int_equal(b.n, 1);
    assert_int_equal(a.n, 1);
    rt_hub_conn_free(a.conn);
    rt_hub_conn_free(b.conn);
}

static void resume_sends_what_was_missed_in_order(void **state)
{
    struct client c, actor;
    struct work x;
    (void)state;
    connect_client(&c, &here);
    connect_client(&actor, &here);
    assert_int_equal(rt_hub_label(actor.conn, rt_str_of("user:7")), 0);
    int64_t last = join(&c);
    rt_hub_leave(c.conn, ROOM);
    publish("{\"n\":1}");
    begin(&here, &x);
    emit(&x, "{\"n\":2}", "user:7");
    end(&x, true);
    wait_mail(&here, &x.done);
    publish("{\"n\":3}");
    assert_int_equal(resume(&c, last), 1);
    assert_got(&c,
               "{\"n\":1,\"room\":\"r\",\"seq\":%lld}{\"n\":2,\"room\":\"r\",\"seq\":%lld}"
               "{\"n\":3,\"room\":\"r\",\"seq\":%lld}",
               last + 1);
    assert_int_equal(resume(&c, last + 2), 1);
    assert_got(&c, "{\"n\":3,\"room\":\"r\",\"seq\":%lld}", last + 3);
    assert_int_equal(resume(&actor, last + 1), 1);
    assert_got(&actor, "{\"n\":3,\"room\":\"r\",\"seq\":%lld}", last + 3);
    assert_int_equal(resume(&c, last + 3), 1);
    assert_got(&c, "", 0);
    rt_hub_conn_free(c.conn);
    rt_hub_conn_free(actor.conn);
}

static void what_the_log_does_not_have_is_told(void **state)
{
    struct client c;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    assert_int_equal(resume(&c, last), 1);     /* the marker's own number */
    assert_int_equal(resume(&c, last - 1), 0); /* before the room was kept */
    assert_int_equal(resume(&c, last + 1), 0); /* a future that never was */
    assert_int_equal(resume(&c, 0), 0);
    assert_int_equal(publish("{\"n\":1}"), last + 1); /* it is a member all the same */
    assert_got(&c, "{\"n\":1,\"room\":\"r\",\"seq\":%lld}", last + 1);
    rt_hub_conn_free(c.conn);
}

static void a_replay_is_whole_or_refused(void **state)
{
    static char big[RT_EVENTS_REPLAY_BYTES / 2];
    struct client c;
    (void)state;
    memset(big, 'x', sizeof big - 1);
    memcpy(big, "{\"a\":\"", 6);
    memcpy(big + sizeof big - 3, "\"}", 2);
    connect_client(&c, &here);
    int64_t last = join(&c);
    publish(big);
    publish(big);
    publish(big);
    assert_int_equal(resume(&c, last + 1), 1);
    assert_int_equal(c.n, 2);
    assert_int_equal(resume(&c, last), 0);
    assert_int_equal(c.n, 0);
    rt_hub_conn_free(c.conn);
}

static void a_room_has_a_bounded_log(void **state)
{
    struct client c;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    for (int i = 0; i < 4; i++)
        publish_many(500);
    int64_t rows = on_disk("SELECT count(*) FROM perigee_events");
    assert_in_range(rows, RT_EVENTS_PER_ROOM, RT_EVENTS_PER_ROOM + 256);
    assert_int_equal(resume(&c, last + 2000 - RT_EVENTS_PER_ROOM), 1);
    assert_int_equal(c.n, RT_EVENTS_PER_ROOM);
    assert_int_equal(resume(&c, last), 0);
    struct rt_events_stats s;
    rt_events_stats(events, &s);
    assert_int_equal(s.rows, rows);
    rt_hub_conn_free(c.conn);
}

/* ---- housekeeping ---- */

static void swept(void *arg) { *(int *)arg = 1; }

static void sweep(void)
{
    int flag = 0;
    assert_int_equal(rt_events_sweep(events, here.box, swept, &flag), 0);
    wait_mail(&here, &flag);
}

static void old_events_go_and_the_last_one_stays(void **state)
{
    struct client c;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    publish_many(3);
    sweep();
    assert_int_equal(on_disk("SELECT count(*) FROM perigee_events"), 4);
    rt_clock_shift(WINDOW - 1);
    publish_many(2);
    sweep();
    assert_int_equal(on_disk("SELECT count(*) FROM perigee_events"), 6);
    rt_clock_shift(WINDOW + 1);
    sweep();
    assert_int_equal(on_disk("SELECT count(*) FROM perigee_events"), 2);
    assert_int_equal(resume(&c, last + 2), 0);
    assert_int_equal(resume(&c, last + 3), 1);
    rt_clock_shift(3 * WINDOW);
    sweep();
    assert_int_equal(on_disk("SELECT count(*) FROM perigee_events"), 1);
    assert_int_equal(resume(&c, last + 5), 1);
    assert_int_equal(publish("{}"), last + 6); /* a member all the time, so the room is kept */
    rt_hub_conn_free(c.conn);
}

static void a_room_is_forgotten_a_window_after_its_last_listener(void **state)
{
    struct client c;
    struct rt_events_stats s;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    rt_clock_shift(10 * WINDOW);
    sweep();
    rt_hub_leave(c.conn, ROOM);
    rt_clock_shift(11 * WINDOW - 1);
    sweep();
    assert_int_equal(publish("{\"n\":1}"), last + 1);
    rt_clock_shift(11 * WINDOW + 1);
    sweep();
    assert_int_equal(publish("{\"n\":2}"), 0);
    assert_int_equal(on_disk("SELECT count(*) FROM perigee_events"), 0);
    rt_events_stats(events, &s);
    assert_int_equal(s.rooms, 0);
    assert_int_equal(s.rows, 0);
    assert_int_equal(resume(&c, last + 1), 0);
    rt_hub_conn_free(c.conn);
}

/* Numbers are never used twice, though the clock went back. */
static void a_new_log_begins_above_the_former_one(void **state)
{
    struct client c;
    (void)state;
    rt_clock_shift(1000000);
    connect_client(&c, &here);
    int64_t last = join(&c);
    publish_many(5);
    rt_hub_leave(c.conn, ROOM);
    rt_clock_shift(1000000 + 2 * WINDOW);
    sweep();
    rt_clock_shift(0);
    assert_int_equal(join(&c), last + 6);
    rt_hub_conn_free(c.conn);
}

/* In line: a removal that has not committed, a joiner's marker behind it. */
static void who_joins_while_a_room_is_removed_is_not_lost(void **state)
{
    struct client c;
    struct work x;
    int flag = 0;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    rt_hub_leave(c.conn, ROOM);
    rt_clock_shift(2 * WINDOW);
    begin(&here, &x);
    assert_int_equal(rt_events_sweep(events, here.box, swept, &flag), 0); /* in line behind x */
    end(&x, true);
    rt_mailbox_run(here.box); /* now its turn is over */
    begin_join(&c);
    assert_int_equal(c.opened, 0);
    int64_t now;
    assert_int_equal(end_join(&c, -1, &now), 1);
    assert_true(now > last);
    wait_mail(&here, &flag);
    assert_int_equal(publish("{\"n\":1}"), now + 1);
    assert_got(&c, "{\"n\":1,\"room\":\"r\",\"seq\":%lld}", now + 1);
    assert_int_equal(rt_events_sweep(events, here.box, NULL, NULL), 0);
    rt_hub_conn_free(c.conn);
}

static void a_reserved_room_is_not_removed(void **state)
{
    struct client c;
    (void)state;
    connect_client(&c, &here);
    join(&c);
    rt_hub_leave(c.conn, ROOM);
    rt_clock_shift(2 * WINDOW);
    begin_join(&c);
    assert_int_equal(c.opened, 2); /* kept: no transaction */
    sweep();
    int64_t last;
    assert_int_equal(end_join(&c, -1, &last), 1);
    assert_int_equal(publish("{}"), last + 1);
    rt_hub_conn_free(c.conn);
}

static void a_restart_goes_on_where_it_was(void **state)
{
    struct client c;
    (void)state;
    connect_client(&c, &here);
    int64_t last = join(&c);
    publish("{\"n\":1}");
    publish("{\"n\":2}");
    rt_hub_conn_free(c.conn);
    rt_events_free(events);
    open_events(WINDOW);
    struct rt_events_stats s;
    rt_events_stats(events, &s);
    assert_int_equal(s.rooms, 1);
    assert_int_equal(s.rows, 3);
    assert_int_equal(publish("{\"n\":3}"), last + 3);
    connect_client(&c, &here);
    assert_int_equal(resume(&c, last + 1), 1);
    assert_got(&c, "{\"n\":2,\"room\":\"r\",\"seq\":%lld}{\"n\":3,\"room\":\"r\",\"seq\":%lld}", last + 2);
    rt_hub_conn_free(c.conn);
}

static void a_restored_copy_forgets_its_log(void **state)
{
    struct client c;
    (void)state;
    struct rt_conn *empty = open_conn(":memory:", RT_CONN_WRITE);
    assert_int_equal(rt_events_forget(empty, NULL), 0);
    rt_conn_close(empty);
    connect_client(&c, &here);
    int64_t last = join(&c);
    rt_hub_conn_free(c.conn);
    rt_events_free(events);
    struct rt_conn *w = open_conn(in_folder("e.db"), RT_CONN_WRITE);
    assert_int_equal(rt_events_forget(w, NULL), 0);
    rt_conn_close(w);
    open_events(WINDOW);
    rt_clock_shift(1);
    connect_client(&c, &here);
    assert_int_equal(resume(&c, last), 0);
    rt_hub_conn_free(c.conn);
}

/* ---- everything at once ---- */

enum { LISTENERS = 2, PUBLISHED = 1500, CURFEW = 100 };

static _Atomic bool curfew; /* everybody stays out, so that the room is forgotten */

struct listener {
    struct worker w;
    pthread_t thread;
    struct client c;
    int64_t seq, n; /* the last it got */
    bool fresh;     /* may begin anywhere: it joined without a resume, or was told to load anew */
    int joins, resyncs, wrong;
    int64_t got;
    _Atomic bool stop, out;
};

static void check(void *owner, struct rt_ws_text *text)
{
    struct client *c = owner;
    struct listener *l = (struct listener *)((char *)c - offsetof(struct listener, c));
    size_t len;
    long long n, seq;
    if (sscanf(rt_ws_text_get(text, &len), "{\"n\":%lld,\"room\":\"r\",\"seq\":%lld}", &n, &seq) != 2)
        l->wrong++;
    if (!l->fresh && (n != l->n + 1 || seq != l->seq + 1))
        l->wrong++;
    l->fresh = false;
    l->n = n;
    l->seq = seq;
    l->got++;
}

static const struct rt_hub_handler checking = { check, no_close };

static void stay_out(struct listener *l)
{
    atomic_store(&l->out, true);
    while (atomic_load(&curfew) && !atomic_load(&l->stop))
        sched_yield();
    atomic_store(&l->out, false);
}

/* Joins, listens a little, leaves; comes back with the last number it has. */
static void *listen_work(void *arg)
{
    struct listener *l = arg;
    int64_t last;
    l->fresh = true;
    while (!atomic_load(&l->stop)) {
        int64_t after = l->seq ? l->seq : -1;
        l->c = (struct client){ .w = &l->w, .conn = rt_hub_conn_new(l->w.in, APP, &checking, &l->c) };
        begin_join(&l->c);
        wait_mail(&l->w, &l->c.opened);
        if (l->joins % 3 == 0)
            rt_inbox_run(l->w.in);
        struct listener before = *l;
        if (end_join(&l->c, after, &last) == 0) {
            l->wrong += l->got != before.got;
            l->fresh = true;
            l->seq = last;
            l->resyncs++;
        }
        l->joins++;
        for (int i = l->joins % 7; i > 0 && !atomic_load(&l->stop); i--) {
            sem_wait(&l->w.news); /* the publisher goes on until everybody has stopped */
            rt_inbox_run(l->w.in);
        }
        rt_hub_conn_free(l->c.conn);
        if (atomic_load(&curfew))
            stay_out(l);
    }
    return NULL;
}

/* One in eight is rolled back; housekeeping removes the room whenever nobody is there. */
static void publish_numbers(int64_t *n)
{
    struct work x;
    char object[40];
    begin(&here, &x);
    snprintf(object, sizeof object, "{\"n\":%lld}", (long long)*n + 1);
    emit(&x, object, "");
    bool keep = *n % 8 != 7 || x.ops.head == NULL;
    end(&x, keep);
    if (!keep) {
        begin(&here, &x);
        emit(&x, object, "");
        end(&x, true);
    }
    wait_mail(&here, &x.done);
    ++*n;
    if (*n % 4 == 0)
        sweep();
}

/* Publishes until all have left, for who listens waits for news. */
static void clear_the_room(struct listener *l, int64_t *n)
{
    atomic_store(&curfew, true);
    for (int i = 0; i < LISTENERS; i++)
        while (!atomic_load(&l[i].out))
            publish_numbers(n);
    sweep();
    publish_numbers(n);
    atomic_store(&curfew, false);
}

static void all_at_once_nothing_is_lost_and_nothing_comes_twice(void **state)
{
    static struct listener l[LISTENERS];
    int64_t n = 0;
    (void)state;
    atomic_store(&curfew, false);
    rt_events_free(events);
    open_events(0); /* forgets a room as soon as it is empty */
    for (int i = 0; i < LISTENERS; i++) {
        l[i] = (struct listener){ 0 };
        worker_init(&l[i].w, i + 1);
        assert_int_equal(pthread_create(&l[i].thread, NULL, listen_work, &l[i]), 0);
    }
    while (n < PUBLISHED) {
        publish_numbers(&n);
        if (n % CURFEW == 0)
            clear_the_room(l, &n);
    }
    int joins = 0, resyncs = 0;
    int64_t got = 0;
    for (int i = 0; i < LISTENERS; i++) {
        atomic_store(&l[i].stop, true);
        sem_post(&l[i].w.news);
        pthread_join(l[i].thread, NULL);
        assert_int_equal(l[i].wrong, 0);
        joins += l[i].joins;
        resyncs += l[i].resyncs;
        got += l[i].got;
        worker_fini(&l[i].w);
    }
    print_message("%d joins, %d resyncs, %lld events given\n", joins, resyncs, (long long)got);
    assert_true(resyncs > 0 && resyncs < joins && got > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_room_without_listeners_leaves_no_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(a_member_gets_what_is_committed_and_only_then, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_rolled_back_was_never_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_group_takes_its_events_along, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_marker_fails_the_join_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(who_joins_during_a_transaction_gets_what_comes_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_between_marker_and_activation_comes_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_in_the_inbox_does_not_come_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(resume_sends_what_was_missed_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_log_does_not_have_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_replay_is_whole_or_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_room_has_a_bounded_log, setup, teardown),
        cmocka_unit_test_setup_teardown(old_events_go_and_the_last_one_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_room_is_forgotten_a_window_after_its_last_listener, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_log_begins_above_the_former_one, setup, teardown),
        cmocka_unit_test_setup_teardown(who_joins_while_a_room_is_removed_is_not_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reserved_room_is_not_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_goes_on_where_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restored_copy_forgets_its_log, setup, teardown),
        cmocka_unit_test_setup_teardown(all_at_once_nothing_is_lost_and_nothing_comes_twice, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
