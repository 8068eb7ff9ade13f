/* SPDX-License-Identifier: Apache-2.0
 *
 * Group commit. All transactions of one database share one write connection: each is a savepoint
 * that runs while its worker holds the turn; a committer thread commits all finished ones with one
 * sync. Nobody blocks: a worker that does not get the turn is told later through its mailbox. */
#ifndef RT_DB_WRITER_H
#define RT_DB_WRITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"

struct rt_writer;
struct rt_mailbox;

/* One transaction; the caller's memory, untouched by the caller from begin until `done` was called
 * (or, if it was rolled back, until rt_tx_end returned). */
struct rt_tx {
    /* The turn has come (only after RT_TX_QUEUED). If the turn cannot be opened, `done` is called instead. */
    void (*granted)(struct rt_tx *tx);
    void (*done)(struct rt_tx *tx, int code); /* 0: on disk; negative: nothing of it is */
    /* Effects after a successful commit, in commit order, on the committer thread: must be short. */
    void (*effects)(struct rt_tx *tx);
    struct rt_mailbox *mailbox;
    /* Set by the writer. */
    struct rt_writer *writer;
    struct rt_tx *next;
    int code;
    bool granted_now;
};

enum { RT_TX_GRANTED = 1, RT_TX_QUEUED = 2 };

struct rt_writer_stats {
    uint64_t commits, transactions, failed, commit_ns, checkpoints;
    uint64_t batch[9]; /* commits with 1, 2, 3–4, 5–8, … 129+ transactions */
};

/* Opens the write connection of `path` and starts the committer thread. */
int rt_writer_open(const char *path, struct rt_writer **ret, struct rt_err *err);
/* Commits what has gathered and waits for that: from here on no transaction is touched, whatever became of it. Those
 * that were never granted or never ended are not told. */
void rt_writer_stop(struct rt_writer *w);
/* Stops, checkpoints, closes. No transaction may be open. */
void rt_writer_close(struct rt_writer *w);

/* RT_TX_GRANTED: the caller holds the turn and its savepoint is open. RT_TX_QUEUED: `granted` comes
 * later through the mailbox. Negative: the database refuses writes. */
int rt_tx_begin(struct rt_writer *w, struct rt_tx *tx, struct rt_err *err);
/* The write connection; only while holding the turn. */
struct rt_conn *rt_writer_conn(struct rt_writer *w);
/* Ends the savepoint and gives the turn on. `keep` false rolls back: nothing of it is left and `done`
 * is not called. `keep` true: returns 0 and `done` comes after the commit, or a negative code at once
 * (rolled back, `done` not called). */
int rt_tx_end(struct rt_writer *w, struct rt_tx *tx, bool keep, struct rt_err *err);
/* A read may have seen a commit that is not on disk yet: true when `tx` waits for that, and `done` comes with 0 then.
 * False when there is nothing to wait for. Set `done` and `mailbox` before. */
bool rt_tx_follow(struct rt_writer *w, struct rt_tx *tx);
/* True when an error inside the turn destroyed the whole group (OR ROLLBACK, full disk): the
 * transaction can only be ended with keep = false. */
bool rt_tx_lost(struct rt_writer *w);
/* Called by each worker at the end of a loop iteration: starts the commit of what has gathered. */
void rt_writer_flush(struct rt_writer *w);
/* Grows with every commit; a reader whose snapshot is older than this renews it. */
uint64_t rt_writer_sequence(const struct rt_writer *w);
void rt_writer_stats(struct rt_writer *w, struct rt_writer_stats *ret);

/* A worker's mailbox: the committer posts, `wake` (any thread) tells the worker, which calls
 * rt_mailbox_run() on its own thread: that calls `granted` and `done`. */
struct rt_mailbox *rt_mailbox_new(void (*wake)(void *arg), void *arg);
void rt_mailbox_free(struct rt_mailbox *m);
void rt_mailbox_run(struct rt_mailbox *m);
/* After the worker's end: what comes is dropped, and turns are passed on, so that nobody waits for them. */
void rt_mailbox_close(struct rt_mailbox *m);
bool rt_mailbox_has_mail(const struct rt_mailbox *m); /* a glance, without a lock */

#endif
