/* SPDX-License-Identifier: Apache-2.0
 *
 * What channel.c (order, slots) and channel_run.c (a handler's call) share. */
#ifndef RT_LUA_CHANNEL_INTERNAL_H
#define RT_LUA_CHANNEL_INTERNAL_H

#include "lua/channel.h"

#define CHANNEL_NO_SLOT (~0u)

enum channel_event { CHANNEL_OPEN, CHANNEL_MESSAGE, CHANNEL_TIMEOUT, CHANNEL_CLOSED, CHANNEL_NOTHING };

/* A message that waits for its handler. */
struct channel_item {
    struct channel_item *next;
    size_t n;
    char text[];
};

struct channel_run;

struct rt_channel {
    struct rt_app *app;
    const struct rt_route *route;
    struct rt_ws_conn *conn; /* NULL before and after */
    struct rt_hub_conn *hub;
    struct channel_run *run; /* the handler that is at work or waits */
    struct channel_item *head, **tail;
    struct rt_channel *timer_next, **timer_at; /* in rt_channels.timers while due_ms is set */
    int64_t due_ms;
    unsigned slot;
    int request_ref, handle_ref;
    bool to_open, timed_out, over, told, going;
    char id[];
};

struct channel_slot {
    struct rt_channel *channel;
    unsigned generation, next;
};

/* All channels of a state. */
struct rt_channels {
    struct channel_slot *slots;
    unsigned size, free, count;
    struct rt_channel *timers;
};

struct channel_handle {
    unsigned slot, generation;
};

/* channel.c */
void channel__go_on(struct rt_channel *c); /* the channel may be gone afterwards */
void channel__fail(struct rt_channel *c);  /* closes with 1011 */

/* channel_run.c: starts a handler; it may have ended when this returns. `item` is taken over. */
bool channel__run(struct rt_channel *c, enum channel_event event, struct channel_item *item);
void channel__run_drop(struct channel_run *run);
/* Keeps what is sent (the reference is taken) until the running transaction is on disk; false when there is none. */
bool channel__hold_text(struct rt_channel *c, struct rt_ws_text *text);
bool channel__hold_close(struct rt_channel *c, int code, const char *reason);

#endif
