/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of events: what was published in rooms, written in the transaction of the change, so that a client that was
 * away gets what it missed. One per app; it joins the hub (who listens) and the database (what happened).
 *
 * A room is *kept* while somebody listens and for a window after that. Events of rooms that are not kept cost one
 * look-up in memory. A kept room has rows (room, seq): a marker without text (where its log begins; seq is the clock's
 * milliseconds, so numbers are never used twice) and one row per event, seq growing by one. The last row stays while
 * the room is kept. The truth is the table: in a transaction, a room with a row is kept. Memory only knows
 *   absent  no row in any state that a turn may see: emitting skips it
 *   MAYBE   a marker or a removal is under way: emitting asks the table
 *   KEPT    a row is on disk and cannot go while somebody has a reservation: joining needs no transaction
 * The state changes under a mutex: to MAYBE in a turn, to KEPT and absent in effects after a commit, which run while
 * nobody holds the turn (db/writer.c). A rolled-back marker leaves MAYBE, which is safe; housekeeping clears it.
 *
 * Why nothing is lost and nothing comes twice, for a member that joins and an event X of its room:
 *   1. The member is reserved in the hub; 2. if the room is not KEPT, a marker's transaction M is committed; 3. the
 *   state S is read from a snapshot taken after both; what S has past `after` is sent; 4. the member is activated with
 *   S's last seq, in the same turn of its worker, so that nothing can be delivered between 3 and 4.
 *   - X's transaction before M: it may have skipped the room. The member joined after it and never hears of it, and
 *     the room's first seq is M's: a resume from before M is answered "resync", never with a gap.
 *   - X after M (or the room was KEPT): the row exists, so X has a row of its own and is posted after its commit.
 *     X in S: sent in 3 or not asked for; its message, if it arrives after 4, is at most S's last seq and is skipped.
 *     X not in S: committed after S, posted after that, thus after 1: the message reaches the worker's inbox. It is
 *     emptied on the worker's thread, so not between 3 and 4. If before 3: it was posted before 3's turn began, so
 *     its commit is older than S, which is renewed whenever there was a commit (rt_vm_conn): contradiction. So after
 *     4, and it is given to the member. The inbox has the order of the commits, so the seqs of a member only grow.
 *   - Removing a room: in its turn housekeeping sets MAYBE, then asks the hub; a joiner reserves, then looks at the
 *     state. One of the two sees the other: either housekeeping lets the room be, or the joiner writes a marker, whose
 *     transaction comes after the removal and finds no row.
 *   - Rollbacks, of a savepoint, a transaction or a whole group, take rows back and drop messages; seq is read from the
 *     table in the turn, so it has no gap. kill -9: rows of committed transactions are there, and S of the next join
 *     has them. */
#ifndef RT_EVENTS_EVENTS_H
#define RT_EVENTS_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "db/writer.h"
#include "ws/hub.h"

struct rt_events;

enum { RT_EVENTS_PER_ROOM = 1000, RT_EVENTS_REPLAY_BYTES = 256 << 10 };

/* `window_s`: how long a room that nobody listens to is kept, and how old an event may be for a resume. Reads from `c`
 * which rooms are kept (any connection; before anybody writes). The writer and the hub must outlive it. */
int rt_events_new(struct rt_writer *w, struct rt_hub *hub, unsigned app, int64_t window_s, struct rt_conn *c,
                  struct rt_events **ret, struct rt_err *err);
void rt_events_free(struct rt_events *e);
/* For a database that was put back from a copy: empties the log, as clients may have numbers of a time that never was.
 * Does nothing where there is no log yet. */
int rt_events_forget(struct rt_conn *c, struct rt_err *err);
struct rt_hub *rt_events_hub(const struct rt_events *e);
unsigned rt_events_app(const struct rt_events *e);

/* ---- in a turn, on its thread ---- */

/* False: nobody can listen; do not even make the event. */
bool rt_events_wanted(struct rt_events *e, struct rt_str room);
/* Writes the event, a JSON object, and makes its message ("room" and "seq" added): 1, with the reference and the number
 * for the caller, or 0 when the room is not kept. `except`: the label of connections that do not get it, or empty. */
int rt_events_log(struct rt_events *e, struct rt_str room, struct rt_str object, struct rt_str except,
                  struct rt_hub_op **ret_op, int64_t *ret_seq, struct rt_err *err);

/* ---- joining, on the member's worker, after rt_hub_reserve() ---- */

/* Sees to it that the room is kept; in the caller's memory until `done` was called. */
struct rt_events_open {
    struct rt_tx tx;
    struct rt_events *events;
    char room[RT_HUB_NAME_MAX];
    size_t room_n;
    uint64_t version;
    /* Through the mailbox, so on the worker's thread: 0 or a negative code. */
    void (*done)(struct rt_events_open *o, int code);
    void *owner;
};
/* 1: it is, `done` is not called. 0: `done` will be. Negative: the database refuses writes. */
int rt_events_open(struct rt_events *e, struct rt_events_open *o, struct rt_str room, struct rt_mailbox *mailbox,
                   struct rt_err *err);

/* What a member that has had everything up to `after` (-1: that wants nothing old) has missed, read from the snapshot
 * of `c`. Each message in order goes to `each`, which owns it; it may return false to stop. *ret_last: the room's last
 * number, to activate with. Returns 1 when complete, 0 when the log does not reach back (or has too much: more than
 * RT_EVENTS_REPLAY_BYTES) — then `each` was not called — or a negative code. */
int rt_events_missed(struct rt_events *e, struct rt_conn *c, struct rt_str room, int64_t after,
                     bool (*each)(void *arg, struct rt_ws_text *text, struct rt_str except), void *arg,
                     int64_t *ret_last, struct rt_err *err);

/* ---- housekeeping: one thread, with a mailbox of that thread ---- */

/* Removes events older than the window and rooms that nobody has listened to for that long, in transactions of a few
 * rooms each, so that no writer waits long. `done` (nullable) when all rooms were looked at. RT_E_BUSY while the one
 * before is not done. */
int rt_events_sweep(struct rt_events *e, struct rt_mailbox *mailbox, void (*done)(void *arg), void *arg);

struct rt_events_stats {
    uint64_t rooms, logged;
    int64_t rows; /* as of the last housekeeping, and what was logged since */
};
void rt_events_stats(struct rt_events *e, struct rt_events_stats *ret);

#endif
