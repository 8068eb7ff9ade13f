/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is served next. In memory only: the rows are in the databases; this knows which endpoints have something due and
 * what is on its way, and shares out the slots, so that no receiver can take what others need:
 *   - apps take turns, and endpoints within an app; those that are not known to be good stand in a line of their own;
 *   - a good endpoint, whose last attempt worked and was fast, has at most `each` transfers at a time, and so has a
 *     slow one; a new one, or one that failed, has one;
 *   - half of the slots are for good ones only;
 *   - a transfer that gets slow makes room: its slot is free for others while the transfer goes on, up to twice the
 *     slots, and its endpoint counts as slow.
 * One thread. */
#ifndef RT_OUTBOX_QUEUE_H
#define RT_OUTBOX_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

enum { RT_QUEUE_SLOW_MS = 2000 };

struct rt_queue;

/* What is on its way; the caller's memory until rt_queue_done(). */
struct rt_queue_item {
    int app;
    int64_t endpoint, seq;
    /* The queue's own. */
    int64_t begun;
    bool pooled;                         /* does not count among the good ones */
    struct rt_queue_item *next;          /* of the endpoint */
    struct rt_queue_item *older, *newer; /* among those that run and are not pooled */
};

struct rt_queue *rt_queue_new(int apps, int slots, int each);
/* `drop` (nullable) is called with every item that is not done. */
void rt_queue_free(struct rt_queue *q, void (*drop)(struct rt_queue_item *item));

/* The endpoint has something to do at `at` (milliseconds, any clock). RT_E_NOMEM. */
int rt_queue_due(struct rt_queue *q, int app, int64_t endpoint, int64_t at);
/* Makes what is due by now ready, and room for others where something got slow (`mono`: milliseconds of a clock that
 * nobody moves). Returns when the next is due (INT64_MAX: never). */
int64_t rt_queue_advance(struct rt_queue *q, int64_t now, int64_t mono);
/* Milliseconds until something may have got slow, -1 when nothing can. */
int64_t rt_queue_patience(const struct rt_queue *q, int64_t mono);
/* The endpoint whose turn it is, and how many transfers it may begin; false when nobody may. The caller then begins
 * some with rt_queue_begin() and ends the turn; `more`: it has more due than it could begin. */
bool rt_queue_next(struct rt_queue *q, int *ret_app, int64_t *ret_endpoint, int *ret_room);
void rt_queue_begin(struct rt_queue *q, struct rt_queue_item *item, int64_t mono);
void rt_queue_end_turn(struct rt_queue *q, bool more);
/* True when this row is on its way, or done and not yet recorded. How many of the endpoint are. */
bool rt_queue_holds(const struct rt_queue *q, int app, int64_t endpoint, int64_t seq);
int rt_queue_held(const struct rt_queue *q, int app, int64_t endpoint);

/* The transfer has ended: its slot is free. */
void rt_queue_ended(struct rt_queue *q, struct rt_queue_item *item, bool failed, int64_t latency_ms);
/* Its outcome is recorded: the row may be looked at again. */
void rt_queue_done(struct rt_queue *q, struct rt_queue_item *item);

#endif
