/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the event log share: events.c (states, writing, joining), missed.c (reading), sweep.c. */
#ifndef RT_EVENTS_EVENTS_INTERNAL_H
#define RT_EVENTS_EVENTS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "events/events.h"

enum kept_state { KEPT_MAYBE, KEPT_YES };

/* A room in any state but absent. */
struct kept {
    enum kept_state state;
    int opening;      /* markers whose outcome is not known yet: they point here */
    uint64_t version; /* moves with each turn that may change whether there are rows */
    int64_t seen;     /* when somebody was known to listen, ms */
    int64_t oldest;   /* no event is older than this, ms; 0: there is none to remove */
};

struct sweep;

struct rt_events {
    struct rt_writer *writer;
    struct rt_hub *hub;
    unsigned app;
    int64_t window_ms;
    pthread_mutex_t mu; /* taken before the hub's, never after it */
    struct rt_map rooms;
    _Atomic uint64_t logged;
    _Atomic int64_t rows;
    struct sweep *sweep; /* of the thread that does the housekeeping */
};

/* All with `mu` held. */
struct kept *events__find(struct rt_events *e, struct rt_str room);
struct kept *events__add(struct rt_events *e, struct rt_str room); /* finds or makes it; NULL without memory */

int events__prepare(struct rt_conn *c, const char *sql, struct rt_stmt **ret, struct rt_err *err);
int events__finish(struct rt_stmt *s, struct rt_err *err);
/* The room's last or first row: 1 with seq, time and whether it is a marker, 0 when there is none. */
int events__last(struct rt_conn *c, struct rt_str room, int64_t *ret_seq, struct rt_err *err);
/* The event as it goes out; NULL without memory or when `object` is none. */
struct rt_ws_text *events__text(struct rt_str room, int64_t seq, struct rt_str object);

void sweep__free(struct sweep *s);

#endif
