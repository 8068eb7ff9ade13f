/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two halves of the hub share: hub.c has what crosses threads, hub_members.c what one worker owns. */
#ifndef RT_WS_HUB_INTERNAL_H
#define RT_WS_HUB_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "ws/hub.h"

enum { HUB_INBOXES_MAX = 64, HUB_KEY_MAX = RT_HUB_NAME_MAX + 2, HUB_LABELS_MAX = 16, HUB_ROOMS_MAX = 64 };
enum hub_what { HUB_MESSAGE, HUB_CLOSE, HUB_EXPEL };

/* A name within an app, as the key of a map. */
struct hub_key {
    size_t n;
    char data[HUB_KEY_MAX];
};

struct rt_hub_op {
    struct rt_hub_op *next; /* in the list of who made it */
    _Atomic unsigned refs;  /* inboxes that have it */
    enum hub_what what;
    int code;
    int64_t seq;
    struct rt_ws_text *text;
    struct rt_str room, label; /* keys; label n 0: none */
    char *reason;
    struct rt_hub_op *link[]; /* the next one, by inbox */
};

struct rt_inbox {
    struct rt_hub *hub;
    int index;
    void (*wake)(void *arg);
    void *arg;
    /* Under the hub's mutex. */
    struct rt_hub_op *head, *tail;
    bool woken; /* a wake-up is on its way */
    /* The worker's own. */
    struct rt_hub_op *todo, *todo_tail;
    struct rt_map rooms, labels;
    struct hub_member *next_member; /* where a running delivery goes on, moved when that one is removed */
    struct hub_tag *next_tag;
    uint64_t stamp;
    _Atomic uint64_t delivered;
};

/* A room over all workers. */
struct hub_shared {
    int64_t total, observers; /* those are in the total, too */
    struct rt_map who;    /* key of presence → struct hub_count */
    uint32_t per_inbox[]; /* members and reservations */
};

struct hub_count {
    int64_t n;
};

struct rt_hub {
    pthread_mutex_t mu;
    struct rt_map rooms;
    uint64_t members, published;
    int n_inboxes;
    struct rt_inbox inboxes[];
};

/* False when the name is empty or too long. */
bool hub__key(struct hub_key *k, unsigned app, struct rt_str name);
void hub__unref(struct rt_hub_op *op);
/* Moves what has arrived behind in->todo. */
void hub__take(struct rt_inbox *in);
/* Asks for another rt_inbox_run(). */
void hub__again(struct rt_inbox *in);
/* One member more or less in the room of that key. RT_E_FULL at the limit. */
int hub__enter(struct rt_inbox *in, struct rt_str key, struct rt_str who, int64_t limit, bool observer);
void hub__exit(struct rt_inbox *in, struct rt_str key, struct rt_str who, bool observer);

#endif
