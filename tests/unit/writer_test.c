/* SPDX-License-Identifier: Apache-2.0
 *
 * Group commit: who gets the turn, what is on disk after `done`, and that a failing transaction harms no
 * other without telling its owner. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "db/writer.h"
#include "db_fixture.h"

enum { THREADS = 8, EACH = 200 };

/* A worker: its mailbox, and a transaction with what became of it. */
struct worker {
    sem_t mail;
    struct rt_mailbox *box;
};

struct work {
    struct rt_tx tx;
    int granted, done, code, effects_before_done;
};

static struct rt_writer *w;
static struct worker main_worker;
static _Atomic int effects;

static void wake(void *arg)
{
    sem_post(&((struct worker *)arg)->mail);
}

static void worker_init(struct worker *k)
{
    sem_init(&k->mail, 0, 0);
    k->box = rt_mailbox_new(wake, k);
}

static void worker_fini(struct worker *k)
{
    rt_mailbox_free(k->box);
    sem_destroy(&k->mail);
}

static void on_granted(struct rt_tx *tx)
{
    ((struct work *)tx)->granted++;
}

static void on_done(struct rt_tx *tx, int code)
{
    struct work *x = (struct work *)tx;
    x->done++;
    x->code = code;
    x->effects_before_done = atomic_load(&effects);
}

static void on_effects(struct rt_tx *tx)
{
    (void)tx;
    atomic_fetch_add(&effects, 1);
}

static int begin(struct worker *k, struct work *x)
{
    *x = (struct work){ .tx = { .granted = on_granted, .done = on_done, .effects = on_effects, .mailbox = k->box } };
    return rt_tx_begin(w, &x->tx, NULL);
}

static void wait_mail(struct worker *k, const int *flag)
{
    while (!*flag) {
        sem_wait(&k->mail);
        rt_mailbox_run(k->box);
    }
}

/* The code of the commit. */
static int wait_done(struct work *x)
{
    rt_writer_flush(w);
    wait_mail(&main_worker, &x->done);
    assert_int_equal(x->done, 1);
    return x->code;
}

/* Runs one data statement inside the turn. */
static int statement(const char *sql)
{
    struct rt_conn *c = rt_writer_conn(w);
    struct rt_stmt *s = NULL;
    int rc = rt_conn_prepare(c, sql, strlen(sql), &s, NULL);
    if (rc == 0) {
        while ((rc = rt_stmt_step(s, NULL)) == RT_STEP_ROW) {
        }
        rt_stmt_done(s);
    }
    return rc;
}

static int fresh(void **state)
{
    if (make_test_folder(state))
        return -1;
    struct rt_conn *c = open_conn(in_folder("w.db"), RT_CONN_WRITE);
    run_sql(c, "CREATE TABLE p (id INTEGER PRIMARY KEY);"
               "CREATE TABLE t (id INTEGER PRIMARY KEY, v, p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)");
    rt_conn_close(c);
    worker_init(&main_worker);
    atomic_store(&effects, 0);
    return rt_writer_open(in_folder("w.db"), &w, NULL);
}

static int done(void **state)
{
    rt_writer_close(w);
    worker_fini(&main_worker);
    return remove_test_folder(state);
}

static int64_t on_disk(const char *sql)
{
    struct rt_conn *r = open_conn(in_folder("w.db"), RT_CONN_READ);
    int64_t v = int_of(r, sql);
    rt_conn_close(r);
    return v;
}

static void done_means_on_disk(void **state)
{
    struct work x;
    (void)state;
    uint64_t before = rt_writer_sequence(w);
    assert_int_equal(begin(&main_worker, &x), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (1, 'a', NULL)"), 0);
    assert_int_equal(rt_tx_end(w, &x.tx, true, NULL), 0);
    assert_int_equal(x.done, 0);
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t"), 0);
    assert_int_equal(wait_done(&x), 0);
    assert_int_equal(x.effects_before_done, 1);
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t"), 1);
    assert_int_equal(rt_writer_sequence(w), before + 1);
}

static void rolled_back_leaves_nothing_and_harms_nobody(void **state)
{
    struct work a, b, c;
    (void)state;
    assert_int_equal(begin(&main_worker, &a), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (1, 'a', NULL)"), 0);
    assert_int_equal(rt_tx_end(w, &a.tx, true, NULL), 0);
    assert_int_equal(begin(&main_worker, &b), RT_TX_GRANTED);
    assert_int_equal(statement("DELETE FROM t"), 0);
    assert_int_equal(rt_tx_end(w, &b.tx, false, NULL), 0);
    assert_int_equal(begin(&main_worker, &c), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (2, 'c', NULL)"), 0);
    assert_int_equal(statement("INSERT INTO t VALUES (1, 'again', NULL)"), RT_E_CONSTRAINT);
    assert_int_equal(rt_tx_end(w, &c.tx, true, NULL), 0);
    assert_int_equal(wait_done(&c), 0);
    assert_int_equal(a.done, 1);
    assert_int_equal(a.code, 0);
    assert_int_equal(b.done, 0);
    assert_int_equal(on_disk("SELECT SUM(id) FROM t"), 3);
    struct rt_writer_stats stats;
    rt_writer_stats(w, &stats);
    assert_int_equal(stats.commits, 1);
    assert_int_equal(stats.transactions, 2);
    assert_int_equal(stats.batch[1], 1);
}

static void others_wait_in_line(void **state)
{
    struct work a, b, c;
    (void)state;
    assert_int_equal(begin(&main_worker, &a), RT_TX_GRANTED);
    assert_int_equal(begin(&main_worker, &b), RT_TX_QUEUED);
    assert_int_equal(begin(&main_worker, &c), RT_TX_QUEUED);
    assert_int_equal(statement("INSERT INTO t VALUES (1, 'a', NULL)"), 0);
    assert_false(rt_mailbox_has_mail(main_worker.box));
    assert_int_equal(rt_tx_end(w, &a.tx, true, NULL), 0);
    assert_true(rt_mailbox_has_mail(main_worker.box));
    wait_mail(&main_worker, &b.granted);
    assert_false(rt_mailbox_has_mail(main_worker.box));
    assert_int_equal(c.granted, 0);
    assert_int_equal(statement("UPDATE t SET v = 'b'"), 0);
    assert_int_equal(rt_tx_end(w, &b.tx, true, NULL), 0);
    wait_mail(&main_worker, &c.granted);
    assert_int_equal(rt_tx_end(w, &c.tx, false, NULL), 0);
    assert_int_equal(wait_done(&b), 0);
    assert_int_equal(on_disk("SELECT v = 'b' FROM t"), 1);
}

static void a_worker_that_ended_holds_nobody_up(void **state)
{
    struct worker ended;
    struct work a, b, c, d;
    (void)state;
    worker_init(&ended);
    assert_int_equal(begin(&main_worker, &a), RT_TX_GRANTED);
    assert_int_equal(begin(&ended, &b), RT_TX_QUEUED);
    assert_int_equal(begin(&ended, &c), RT_TX_QUEUED);
    assert_int_equal(begin(&main_worker, &d), RT_TX_QUEUED);
    assert_int_equal(rt_tx_end(w, &a.tx, true, NULL), 0);
    assert_true(rt_mailbox_has_mail(ended.box)); /* the turn is b's, who will not take it */
    rt_mailbox_close(ended.box);
    wait_mail(&main_worker, &d.granted);
    assert_int_equal(b.granted + c.granted, 0);
    assert_int_equal(rt_tx_end(w, &d.tx, true, NULL), 0);
    assert_int_equal(wait_done(&d), 0);
    worker_fini(&ended);
}

static void after_the_stop_nothing_is_touched(void **state)
{
    struct work *x = calloc(1, sizeof *x);
    (void)state;
    assert_int_equal(begin(&main_worker, x), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (1, 'a', NULL)"), 0);
    assert_int_equal(rt_tx_end(w, &x->tx, true, NULL), 0);
    rt_mailbox_close(main_worker.box);
    rt_writer_stop(w);
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t"), 1);
    assert_int_equal(atomic_load(&effects), 1);
    assert_int_equal(x->done, 0);
    free(x);
}

/* What destroys the whole group is told to everybody in it. */
static void assert_group_lost(struct work *a, const char *killer)
{
    struct work b;
    struct rt_err err = { 0 };
    assert_int_equal(begin(&main_worker, a), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (1, 'a', NULL)"), 0);
    assert_int_equal(rt_tx_end(w, &a->tx, true, NULL), 0);
    assert_int_equal(begin(&main_worker, &b), RT_TX_GRANTED);
    rt_conn_deadline(rt_writer_conn(w), rt_mono_ns() + 20000000, NULL);
    assert_true(statement(killer) < 0);
    assert_true(rt_tx_lost(w));
    assert_true(rt_tx_end(w, &b.tx, true, &err) < 0);
    wait_mail(&main_worker, &a->done);
    assert_true(a->code < 0);
    assert_int_equal(b.done, 0);
    assert_int_equal(atomic_load(&effects), 0);
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t"), 0);
}

static void assert_usable(void)
{
    struct work x;
    if (begin(&main_worker, &x) != RT_TX_GRANTED) /* the committer may still be busy with what failed */
        wait_mail(&main_worker, &x.granted);
    assert_int_equal(statement("INSERT INTO t VALUES (50, 'x', NULL)"), 0);
    assert_int_equal(rt_tx_end(w, &x.tx, true, NULL), 0);
    assert_int_equal(wait_done(&x), 0);
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t WHERE id = 50"), 1);
}

static void or_rollback_is_told_to_all(void **state)
{
    struct work a;
    (void)state;
    assert_group_lost(&a, "INSERT OR ROLLBACK INTO t VALUES (1, 'b', NULL)");
    assert_usable();
}

static void an_interrupted_write_is_told_to_all(void **state)
{
    struct work a;
    (void)state;
    assert_group_lost(&a, "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n) "
                          "INSERT INTO t SELECT i, i, NULL FROM n");
    assert_usable();
}

static void a_deferred_foreign_key_fails_its_owner_alone(void **state)
{
    struct work a, b;
    (void)state;
    assert_int_equal(begin(&main_worker, &a), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (1, 'a', NULL)"), 0);
    assert_int_equal(rt_tx_end(w, &a.tx, true, NULL), 0);
    assert_int_equal(begin(&main_worker, &b), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (2, 'b', 99)"), 0);
    assert_int_equal(rt_tx_end(w, &b.tx, true, NULL), RT_E_CONSTRAINT);
    assert_int_equal(begin(&main_worker, &b), RT_TX_GRANTED);    /* settled before the end: fine */
    assert_int_equal(statement("INSERT INTO t VALUES (3, 'b', 99)"), 0);
    assert_int_equal(statement("INSERT INTO p VALUES (99)"), 0);
    assert_int_equal(rt_tx_end(w, &b.tx, true, NULL), 0);
    assert_int_equal(wait_done(&b), 0);
    assert_int_equal(a.code, 0);
    assert_int_equal(on_disk("SELECT SUM(id) FROM t"), 4);
}

static void a_failed_commit_is_told_to_all(void **state)
{
    struct work a, b;
    struct rlimit before, small;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(begin(&main_worker, &a), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (1, zeroblob(1000000), NULL)"), 0);
    assert_int_equal(rt_tx_end(w, &a.tx, true, NULL), 0);
    assert_int_equal(begin(&main_worker, &b), RT_TX_GRANTED);
    assert_int_equal(statement("INSERT INTO t VALUES (2, 'b', NULL)"), 0);
    assert_int_equal(rt_tx_end(w, &b.tx, true, NULL), 0);
    small = before;
    small.rlim_cur = 200000;    /* as a full disk: the log cannot grow */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int code = wait_done(&a);
    wait_mail(&main_worker, &b.done);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(code < 0);
    assert_true(b.code < 0);
    assert_int_equal(atomic_load(&effects), 0);
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t"), 0);
    assert_usable();
    struct rt_writer_stats stats;
    rt_writer_stats(w, &stats);
    assert_int_equal(stats.failed, 2);
}

/* ---- many threads ---- */

struct thread {
    pthread_t id;
    int number, kept, errors;
};

/* Each transaction inserts a pair of rows; every seventh is rolled back, every eleventh fails on a key. */
static int pair(struct worker *k, struct thread *t, int i)
{
    struct work x;
    char sql[128];
    int n = t->number * 100000 + i * 2;
    int rc = begin(k, &x);
    if (rc < 0)
        return -1;
    if (rc == RT_TX_QUEUED)
        wait_mail(k, &x.granted);
    snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, 0, NULL), (%d, 1, NULL)", n, n + 1);
    int bad = statement(sql);
    bool keep = i % 7 != 0;
    if (i % 11 == 0 && statement("INSERT INTO t(id, v, p) VALUES (1, 'x', 12345)"))
        bad = 1;
    rc = rt_tx_end(w, &x.tx, keep, NULL);
    rt_writer_flush(w);
    if (!keep || i % 11 == 0)
        return bad || (keep && rc != RT_E_CONSTRAINT);
    wait_mail(k, &x.done);
    t->kept += x.code == 0;
    return bad || rc || x.code;
}

static void *run_thread(void *arg)
{
    struct thread *t = arg;
    struct worker k;
    worker_init(&k);
    for (int i = 0; i < EACH; i++)
        t->errors += pair(&k, t, i) != 0;
    worker_fini(&k);
    return NULL;
}

static void every_transaction_is_there_once(void **state)
{
    struct thread threads[THREADS] = { 0 };
    int kept = 0;
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        threads[i].number = i + 1;
        assert_int_equal(pthread_create(&threads[i].id, NULL, run_thread, &threads[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i].id, NULL);
        assert_int_equal(threads[i].errors, 0);
        kept += threads[i].kept;
    }
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t"), 2 * kept);
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t WHERE v = 0"), kept);
    assert_int_equal(on_disk("SELECT COUNT(*) FROM t WHERE id % 100000 / 2 % 7 = 0 OR id % 100000 / 2 % 11 = 0"), 0);
    assert_int_equal(atomic_load(&effects), kept);
    struct rt_writer_stats stats;
    rt_writer_stats(w, &stats);
    assert_int_equal(stats.transactions, kept);
    assert_int_equal(stats.failed, 0);
    assert_true(stats.commits <= stats.transactions);
    assert_true(rt_writer_sequence(w) >= stats.commits);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(done_means_on_disk),
        TEST(rolled_back_leaves_nothing_and_harms_nobody),
        TEST(others_wait_in_line),
        TEST(a_worker_that_ended_holds_nobody_up),
        TEST(after_the_stop_nothing_is_touched),
        TEST(or_rollback_is_told_to_all),
        TEST(an_interrupted_write_is_told_to_all),
        TEST(a_deferred_foreign_key_fails_its_owner_alone),
        TEST(a_failed_commit_is_told_to_all),
        TEST(every_transaction_is_there_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
