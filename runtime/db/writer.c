/* SPDX-License-Identifier: Apache-2.0
 *
 * Group commit. The write connection is always in one of three states: free, held by the worker whose
 * transaction runs, or committing. Transactions that find it held or committing wait in line; the end
 * of a turn passes it to the next in line, so a group grows while the former group is being synced.
 * The sync happens on the committer's thread and no worker ever waits for it. While it runs, the next
 * group's transactions already do: a commit is visible when it is written and settled when it is on disk.
 * Nobody is told of it before it is settled, neither its owners nor, through a read, anybody else
 * (rt_tx_follow). So that there is a next group while one is synced, one with GROUP_RIPE transactions does
 * not wait for more, nor does one that is GROUP_RIPE_NS old: what its worker has still to do in this round
 * may be reads. A sync that fails cannot be made good, as what it was to keep may be gone or not: the
 * process ends, and what was acknowledged is on disk. Checkpoints run on the same thread: a separate one
 * never gets a quiet moment and lets the log grow without bound. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/db_internal.h"
#include "db/writer_internal.h"

enum { GROUP_RIPE = 24, GROUP_RIPE_NS = 1000000, GROUP_MAX = 512, CHECKPOINT_PAGES = 4000 };
enum state { FREE, HELD, COMMITTING };

struct list {
    struct rt_tx *head, **tail;
};

struct rt_writer {
    struct rt_conn *conn;
    pthread_t thread;
    pthread_mutex_t mu;
    pthread_cond_t work;
    enum state state;
    struct list waiting, group, followers;
    int group_n;
    uint64_t group_began; /* when its first transaction ended */
    bool flush_wanted, stop, stopped;
    bool settling;          /* a sync runs and the connection has been passed on */
    _Atomic bool unsettled; /* something may be visible that is not on disk */
    bool open;          /* BEGIN was done; belongs to whoever holds the connection */
    _Atomic bool dirty; /* open, readable without the lock */
    _Atomic uint64_t sequence;
    struct rt_writer_stats stats;
    sqlite3_stmt *begin, *commit, *rollback, *savepoint, *release, *back;
};

static void list_init(struct list *l)
{
    l->head = NULL;
    l->tail = &l->head;
}

static void list_push(struct list *l, struct rt_tx *tx)
{
    tx->next = NULL;
    *l->tail = tx;
    l->tail = &tx->next;
}

static struct rt_tx *list_pop(struct list *l)
{
    struct rt_tx *tx = l->head;
    if (tx && !(l->head = tx->next))
        l->tail = &l->head;
    return tx;
}

static void set_open(struct rt_writer *w, bool open)
{
    w->open = open;
    atomic_store_explicit(&w->dirty, open, memory_order_relaxed);
}

/* Whether it need not wait for more. */
static bool is_ripe(const struct rt_writer *w)
{
    return w->group_n >= GROUP_RIPE || (w->group_n > 0 && rt_mono_ns() - w->group_began > GROUP_RIPE_NS);
}

/* Passes the turn on and lets go of the lock, which whoever had the turn holds. The committer is woken after
 * that, or it would wake up just to wait for the lock. */
static void pass_turn(struct rt_writer *w)
{
    bool commit = false, passed = false;
    bool ripe = !w->settling && is_ripe(w);
    while (!passed && !ripe && w->group_n < GROUP_MAX && w->waiting.head) {
        struct rt_tx *next = list_pop(&w->waiting);
        next->granted_now = true;
        passed = mailbox__post(next->mailbox, next);
    }
    if (passed) {
        w->state = HELD;
    } else if ((ripe || w->flush_wanted) && !w->settling) {
        w->flush_wanted = false;
        w->state = COMMITTING;
        commit = true;
    } else {
        w->state = FREE;
    }
    pthread_mutex_unlock(&w->mu);
    if (commit)
        pthread_cond_signal(&w->work);
}

static void finish(struct rt_tx *tx, int code)
{
    tx->granted_now = false;
    tx->code = code;
    mailbox__post(tx->mailbox, tx);
}

/* Everything gathered so far is gone from the database: tells its owners. */
static void fail_group(struct rt_writer *w, int code)
{
    pthread_mutex_lock(&w->mu);
    struct rt_tx *tx = w->group.head;
    list_init(&w->group);
    w->stats.failed += (uint64_t)w->group_n;
    w->group_n = 0;
    pthread_mutex_unlock(&w->mu);
    while (tx) {
        struct rt_tx *next = tx->next;
        finish(tx, code);
        tx = next;
    }
}

static int open_turn(struct rt_writer *w, struct rt_err *err)
{
    int rc = 0;
    if (!w->open) {
        rc = db__control(w->conn, &w->begin, "BEGIN IMMEDIATE", err);
        if (rc == 0)
            set_open(w, true);
    }
    return rc ? rc : db__control(w->conn, &w->savepoint, "SAVEPOINT turn", err);
}

static void give_back(struct rt_writer *w)
{
    pthread_mutex_lock(&w->mu);
    pass_turn(w);
}

int rt_tx_begin(struct rt_writer *w, struct rt_tx *tx, struct rt_err *err)
{
    tx->writer = w;
    pthread_mutex_lock(&w->mu);
    bool mine = w->state == FREE && !w->waiting.head;
    if (mine)
        w->state = HELD;
    else
        list_push(&w->waiting, tx);
    pthread_mutex_unlock(&w->mu);
    if (!mine)
        return RT_TX_QUEUED;
    int rc = open_turn(w, err);
    if (rc == 0)
        return RT_TX_GRANTED;
    give_back(w);
    return rc;
}

void writer__granted(struct rt_tx *tx)
{
    struct rt_writer *w = tx->writer;
    int rc = open_turn(w, NULL);
    if (rc == 0) {
        tx->granted(tx);
        return;
    }
    give_back(w);
    tx->done(tx, rc);
}

void writer__declined(struct rt_tx *tx) { give_back(tx->writer); }

struct rt_conn *rt_writer_conn(struct rt_writer *w) { return w->conn; }

bool rt_tx_lost(struct rt_writer *w) { return sqlite3_get_autocommit(w->conn->db) != 0; }

static bool foreign_keys_hold(struct rt_writer *w)
{
    int now = 0, high = 0;
    sqlite3_db_status(w->conn->db, SQLITE_DBSTATUS_DEFERRED_FKS, &now, &high, 0);
    return now == 0;
}

static void roll_back(struct rt_writer *w)
{
    if (rt_tx_lost(w) || db__control(w->conn, &w->back, "ROLLBACK TO turn", NULL) ||
        db__control(w->conn, &w->release, "RELEASE turn", NULL)) {
        if (!rt_tx_lost(w))
            db__control(w->conn, &w->rollback, "ROLLBACK", NULL);
        set_open(w, false);
        fail_group(w, RT_E_BUSY);    /* not their fault: they may try again */
    }
}

int rt_tx_end(struct rt_writer *w, struct rt_tx *tx, bool keep, struct rt_err *err)
{
    int rc = 0;
    if (keep && rt_tx_lost(w))
        rc = rt_err_set(err, RT_E_INTERNAL, "the transaction was rolled back by the database");
    else if (keep && !foreign_keys_hold(w))
        rc = rt_err_set(err, RT_E_CONSTRAINT, "FOREIGN KEY constraint failed");
    else if (keep)
        rc = db__control(w->conn, &w->release, "RELEASE turn", err);
    if (!keep || rc)
        roll_back(w);
    pthread_mutex_lock(&w->mu);
    if (keep && !rc) {
        list_push(&w->group, tx);
        if (w->group_n++ == 0)
            w->group_began = rt_mono_ns();
    }
    pass_turn(w);
    return rc;
}

void rt_writer_flush(struct rt_writer *w)
{
    if (!atomic_load_explicit(&w->dirty, memory_order_relaxed))
        return;
    pthread_mutex_lock(&w->mu);
    bool commit = w->state == FREE && !w->settling;
    if (commit)
        w->state = COMMITTING;
    else if (w->state != COMMITTING)
        w->flush_wanted = true;
    pthread_mutex_unlock(&w->mu);
    if (!commit)
        return;
    pthread_cond_signal(&w->work);
    sched_yield();    /* on one core the committer would wait for the end of our time slice */
}

uint64_t rt_writer_sequence(const struct rt_writer *w)
{
    return atomic_load_explicit(&w->sequence, memory_order_acquire);
}

void rt_writer_stats(struct rt_writer *w, struct rt_writer_stats *ret)
{
    pthread_mutex_lock(&w->mu);
    *ret = w->stats;
    pthread_mutex_unlock(&w->mu);
}

static int batch_class(int n)
{
    int k = 0;
    for (n--; n > 0 && k < 8; n >>= 1)
        k++;
    return k;
}

/* COMMIT. *ret_owed: the log whose sync is still to be done, or NULL. */
static int write_group(struct rt_writer *w, struct logfile **ret_owed)
{
    struct rt_err err;
    struct logfile *log = w->open ? db__log_owe(w->conn) : NULL;
    int rc = w->open ? db__control(w->conn, &w->commit, "COMMIT", &err) : 0;
    if (rc) {
        rt_log(RT_LOG_ERROR, "commit failed", "error", err.msg, NULL);
        if (!rt_tx_lost(w))
            db__control(w->conn, &w->rollback, "ROLLBACK", NULL);
    }
    *ret_owed = log && db__log_owes(log) && rc == 0 ? log : NULL;
    set_open(w, false);
    return rc;
}

/* Everybody who may have seen it can be told now. */
static struct rt_tx *settle(struct rt_writer *w, struct logfile *owed)
{
    int why = owed ? db__log_settle(owed) : 0;
    if (why) {
        rt_log(RT_LOG_ERROR, "the disk does not keep what was written: stopping", "error", strerror(why), NULL);
        _exit(1);
    }
    pthread_mutex_lock(&w->mu);
    struct rt_tx *followers = w->followers.head;
    list_init(&w->followers);
    atomic_store(&w->unsettled, false);
    pthread_mutex_unlock(&w->mu);
    return followers;
}

bool rt_tx_follow(struct rt_writer *w, struct rt_tx *tx)
{
    if (!atomic_load(&w->unsettled))
        return false;
    pthread_mutex_lock(&w->mu);
    bool wait = atomic_load(&w->unsettled);
    if (wait) {
        tx->writer = w;
        tx->effects = NULL;
        list_push(&w->followers, tx);
    }
    pthread_mutex_unlock(&w->mu);
    return wait;
}

static void deliver(struct rt_writer *w, struct rt_tx *list, int code)
{
    if (code == 0) {
        atomic_fetch_add_explicit(&w->sequence, 1, memory_order_release);
        for (struct rt_tx *tx = list; tx; tx = tx->next)
            if (tx->effects)
                tx->effects(tx);
    }
    while (list) {
        struct rt_tx *next = list->next;
        finish(list, code);
        list = next;
    }
}

static void checkpoint(struct rt_writer *w)
{
    w->conn->wal_pages = 0;
    sqlite3_wal_checkpoint_v2(w->conn->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    pthread_mutex_lock(&w->mu);
    w->stats.checkpoints++;
    pthread_mutex_unlock(&w->mu);
}

/* Before anybody hears of the commit, so that whoever did finds it counted. */
static void count_commit(struct rt_writer *w, int n, int code, uint64_t ns)
{
    pthread_mutex_lock(&w->mu);
    w->stats.commits++;
    w->stats.commit_ns += ns;
    w->stats.batch[batch_class(n)]++;
    *(code ? &w->stats.failed : &w->stats.transactions) += (uint64_t)n;
    pthread_mutex_unlock(&w->mu);
}

/* The next group may begin while this one is being synced; a flush that came meanwhile waits for the end of it. */
static void pass_early(struct rt_writer *w)
{
    pthread_mutex_lock(&w->mu);
    w->settling = true;
    w->flush_wanted = false;
    pass_turn(w);
}

static void end_early(struct rt_writer *w)
{
    pthread_mutex_lock(&w->mu);
    w->settling = false;
    if (w->state == FREE && w->group_n > 0 && (w->flush_wanted || is_ripe(w))) {
        w->flush_wanted = false;
        w->state = COMMITTING;
    }
    pthread_mutex_unlock(&w->mu);
}

static void commit_group(struct rt_writer *w)
{
    struct logfile *owed;
    pthread_mutex_lock(&w->mu);
    struct rt_tx *list = w->group.head;
    int n = w->group_n;
    list_init(&w->group);
    w->group_n = 0;
    pthread_mutex_unlock(&w->mu);

    uint64_t t0 = rt_mono_ns();
    atomic_store(&w->unsettled, true);
    int code = write_group(w, &owed);
    bool full = w->conn->wal_pages >= CHECKPOINT_PAGES; /* the checkpoint needs the connection */
    if (owed && !full)
        pass_early(w);
    struct rt_tx *followers = settle(w, owed);
    if (n > 0)
        count_commit(w, n, code, rt_mono_ns() - t0);
    deliver(w, list, code);
    for (struct rt_tx *next; followers; followers = next) {
        next = followers->next;
        finish(followers, 0);
    }
    if (owed && !full) {
        end_early(w);
        return;
    }
    if (full)
        checkpoint(w);
    pthread_mutex_lock(&w->mu);
    w->flush_wanted = false;
    pass_turn(w);
}

static void *committer(void *arg)
{
    struct rt_writer *w = arg;
    pthread_setname_np(pthread_self(), "committer");
    pthread_mutex_lock(&w->mu);
    while (!w->stop || w->state == COMMITTING) {
        if (w->state != COMMITTING) {
            pthread_cond_wait(&w->work, &w->mu);
            continue;
        }
        pthread_mutex_unlock(&w->mu);
        commit_group(w);
        pthread_mutex_lock(&w->mu);
    }
    pthread_mutex_unlock(&w->mu);
    return NULL;
}

int rt_writer_open(const char *path, struct rt_writer **ret, struct rt_err *err)
{
    struct rt_writer *w = calloc(1, sizeof *w);
    if (!w)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a database writer");
    int rc = rt_conn_open(path, RT_CONN_WRITE, &w->conn, err);
    if (rc) {
        free(w);
        return rc;
    }
    list_init(&w->waiting);
    list_init(&w->group);
    list_init(&w->followers);
    pthread_mutex_init(&w->mu, NULL);
    pthread_cond_init(&w->work, NULL);
    if (pthread_create(&w->thread, NULL, committer, w)) {
        rt_conn_close(w->conn);
        free(w);
        return rt_err_set(err, RT_E_IO, "cannot start the committer thread");
    }
    *ret = w;
    return 0;
}

void rt_writer_stop(struct rt_writer *w)
{
    if (!w || w->stopped)
        return;
    rt_writer_flush(w);
    pthread_mutex_lock(&w->mu);
    w->stop = true;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->mu);
    pthread_join(w->thread, NULL);
    w->stopped = true;
}

void rt_writer_close(struct rt_writer *w)
{
    if (!w)
        return;
    rt_writer_stop(w);
    sqlite3_stmt **slots[] = { &w->begin, &w->commit, &w->rollback, &w->savepoint, &w->release, &w->back };
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        sqlite3_finalize(*slots[i]);
    sqlite3_wal_checkpoint_v2(w->conn->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    rt_conn_close(w->conn);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->mu);
    free(w);
}
