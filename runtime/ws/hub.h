/* SPDX-License-Identifier: Apache-2.0
 *
 * The hub: which connection is in which room, over all workers, and how what is published reaches them.
 * It knows no sockets, no database and no scripts. One per process.
 *
 * A room, and a label, is a name within an app (a number). Members belong to the worker of their connection and
 * are touched by its thread only, so delivery takes no lock. What crosses threads is small: for each room
 * how many members each worker has (one mutex), and one inbox per worker. rt_hub_post() puts a message into
 * the inbox of each worker that has members of its room; the worker's thread empties it with rt_inbox_run().
 *
 * Order: an inbox is first in, first out, and posting is atomic over all inboxes. Whoever posts in the order of the
 * commits (db/writer.h calls effects so) has every member see that order, closes and expulsions included.
 *
 * Joining has two steps, because what a new member has missed must be read in between, and that may wait:
 *   1. rt_hub_reserve() counts the member (so the limit holds over all workers) and from then on its worker gets what
 *      is posted to the room. What arrives before step 2 is not given to it.
 *   2. rt_hub_activate(after) says: it has had everything up to `after`. Later messages are given to it.
 * Nothing is lost if the state that `after` was read from is newer than step 1 (events/events.h has the argument).
 * A close or an expulsion that arrives in between removes the reservation, and step 2 says so. */
#ifndef RT_WS_HUB_H
#define RT_WS_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "ws/text.h"

struct rt_hub;
struct rt_inbox;
struct rt_hub_conn;
struct rt_hub_op;

enum { RT_HUB_NAME_MAX = 200, RT_HUB_REASON_MAX = 123 };

/* ---- set up: before the workers start, after they have ended ---- */

struct rt_hub *rt_hub_new(int n_inboxes); /* NULL without memory */
void rt_hub_free(struct rt_hub *h);       /* all connections must be gone */
/* The inbox of worker `i`; owned by the hub. `wake` is called on any thread, once per batch: have the worker's thread
 * call rt_inbox_run(). */
struct rt_inbox *rt_hub_inbox(struct rt_hub *h, int i, void (*wake)(void *arg), void *arg);

/* ---- the worker's thread ---- */

/* Gives what has arrived to the members of this worker. A long list is done in pieces, with a wake-up for the rest. */
void rt_inbox_run(struct rt_inbox *in);

/* What the hub calls, on the worker's thread, from rt_inbox_run() and rt_hub_send(). Both may close the connection at
 * once, that is call rt_hub_conn_close() before they return. */
struct rt_hub_handler {
    void (*deliver)(void *owner, struct rt_ws_text *text); /* takes its own reference */
    void (*close)(void *owner, int code, const char *reason);
};

/* A connection without rooms and labels; NULL without memory. `handler` must outlive it. */
struct rt_hub_conn *rt_hub_conn_new(struct rt_inbox *in, unsigned app, const struct rt_hub_handler *handler,
                                    void *owner);
/* The connection is over: leaves all rooms, drops its labels; nothing is called any more. May be called twice. */
void rt_hub_conn_close(struct rt_hub_conn *c);
/* Closes and frees. Not while a join of it waits (lua/room.h). */
void rt_hub_conn_free(struct rt_hub_conn *c);

/* Labels are how close, expel and `except` find connections ("user:7"). RT_E_NOMEM, RT_E_LIMIT (16 of them, or a bad
 * length), RT_E_EXPIRED when it is closed. A label that it has already is fine. */
int rt_hub_label(struct rt_hub_conn *c, struct rt_str label);
bool rt_hub_labelled(const struct rt_hub_conn *c, struct rt_str label);
struct rt_str rt_hub_first_label(const struct rt_hub_conn *c); /* empty without one */
unsigned rt_hub_rooms(const struct rt_hub_conn *c);            /* how many it is in, reservations included */

/* `who` is the key that presence counts ("" none); `limit` members at most over all workers (0: any number). 0; a
 * member or reservation of this connection becomes a reservation. RT_E_FULL, RT_E_NOMEM, RT_E_LIMIT (64 rooms, or a
 * bad length of a name), RT_E_EXPIRED when it is closed. */
int rt_hub_reserve(struct rt_hub_conn *c, struct rt_str room, struct rt_str who, int64_t limit);
/* As rt_hub_reserve, for somebody who only looks on: neither counted nor limited. */
int rt_hub_observe(struct rt_hub_conn *c, struct rt_str room);
/* False when the reservation has gone meanwhile. */
bool rt_hub_activate(struct rt_hub_conn *c, struct rt_str room, int64_t after);
/* False when there was neither member nor reservation. */
bool rt_hub_leave(struct rt_hub_conn *c, struct rt_str room);
bool rt_hub_is_member(const struct rt_hub_conn *c, struct rt_str room); /* or has a reservation */
/* To this connection alone, past all rooms. */
void rt_hub_send(struct rt_hub_conn *c, struct rt_ws_text *text);
bool rt_hub_closed(const struct rt_hub_conn *c);

/* ---- any thread ---- */

/* What is to be posted. All memory is taken when it is made, so posting cannot fail. NULL without memory. */
struct rt_hub_op *rt_hub_message(struct rt_hub *h, unsigned app, struct rt_str room, int64_t seq,
                                 struct rt_ws_text *text, struct rt_str except); /* takes the reference */
struct rt_hub_op *rt_hub_closing(struct rt_hub *h, unsigned app, struct rt_str label, int code, struct rt_str reason);
struct rt_hub_op *rt_hub_expelling(struct rt_hub *h, unsigned app, struct rt_str label, struct rt_str room);

/* A list of them, in order; {0} is an empty one. One owner at a time. */
struct rt_hub_ops {
    struct rt_hub_op *head, *tail;
};
void rt_hub_ops_push(struct rt_hub_ops *list, struct rt_hub_op *op);
/* Drops what came after `mark`, a former tail of the list (NULL: everything). */
void rt_hub_ops_cut(struct rt_hub_ops *list, struct rt_hub_op *mark);
/* Posts all of it and leaves the list empty. Takes no memory, does not wait but for the mutex. */
void rt_hub_post(struct rt_hub *h, struct rt_hub_ops *list);

int64_t rt_hub_count(struct rt_hub *h, unsigned app, struct rt_str room); /* reservations included, observers not */
bool rt_hub_heard(struct rt_hub *h, unsigned app, struct rt_str room);     /* by anybody, observers too */
/* Calls `each` for every key with members, in no order, with the mutex held: it must be short and not call the hub. */
void rt_hub_presence(struct rt_hub *h, unsigned app, struct rt_str room,
                     void (*each)(void *arg, struct rt_str who, int64_t count), void *arg);

struct rt_hub_stats {
    uint64_t rooms, members, published, delivered;
};
void rt_hub_stats(struct rt_hub *h, struct rt_hub_stats *ret);

#endif
