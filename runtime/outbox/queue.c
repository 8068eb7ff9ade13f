/* SPDX-License-Identifier: Apache-2.0
 *
 * An endpoint is here only while it has something due or on its way. Ready ones stand in a ring per app;
 * waiting ones in a list that is read when the earliest is due: there are few beside those that fail. */
#include "outbox/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"

struct endpoint {
    int app;
    int64_t id, at;       /* at: when it is due, INT64_MAX when not waiting */
    int running;          /* transfers */
    bool ready, more;     /* stands in the ring; has more due than it may begin */
    bool failing, slow;   /* as its last attempt was */
    int held;
    struct rt_queue_item *items; /* begun and not recorded */
    struct endpoint *next;       /* in the ring */
    struct endpoint *wait_next, **wait_back;
};

struct ring {
    struct endpoint *head, **tail;
};

struct rt_queue {
    struct rt_map endpoints;
    struct ring *rings; /* of ready ones: two per app, the second of the failing and slow */
    struct endpoint *waiting, *current;
    int64_t next_at; /* not later than the earliest of the waiting */
    int apps, turn, slots, each, running, pooled;
};

struct key {
    int64_t app, id;
};

struct rt_queue *rt_queue_new(int apps, int slots, int each)
{
    struct rt_queue *q = calloc(1, sizeof *q);
    if (!q || !(q->rings = calloc((size_t)apps * 2, sizeof *q->rings))) {
        free(q);
        return NULL;
    }
    rt_map_init(&q->endpoints);
    for (int i = 0; i < apps * 2; i++)
        q->rings[i].tail = &q->rings[i].head;
    q->apps = apps;
    q->slots = slots;
    q->each = each;
    q->next_at = INT64_MAX;
    return q;
}

static void drop_items(struct endpoint *e, void (*drop)(struct rt_queue_item *item))
{
    for (struct rt_queue_item *i = e->items, *next; i && drop; i = next) {
        next = i->next;
        drop(i);
    }
}

void rt_queue_free(struct rt_queue *q, void (*drop)(struct rt_queue_item *item))
{
    struct endpoint *e;
    const char *key;
    size_t pos = 0, n;
    if (!q)
        return;
    while ((e = rt_map_next(&q->endpoints, &pos, &key, &n)))
        drop_items(e, drop);
    rt_map_fini(&q->endpoints, free);
    free(q->rings);
    free(q);
}

static struct endpoint *find(const struct rt_queue *q, int app, int64_t id)
{
    struct key k = { app, id };
    return rt_map_get(&q->endpoints, &k, sizeof k);
}

static struct endpoint *find_or_add(struct rt_queue *q, int app, int64_t id)
{
    struct key k = { app, id };
    struct endpoint *e = find(q, app, id);
    if (e)
        return e;
    e = calloc(1, sizeof *e);
    if (!e || rt_map_set(&q->endpoints, &k, sizeof k, e, NULL)) {
        free(e);
        return NULL;
    }
    e->app = app;
    e->id = id;
    e->at = INT64_MAX;
    return e;
}

static void wait_no_more(struct endpoint *e)
{
    if (!e->wait_back)
        return;
    *e->wait_back = e->wait_next;
    if (e->wait_next)
        e->wait_next->wait_back = e->wait_back;
    e->wait_back = NULL;
    e->at = INT64_MAX;
}

static void wait_until(struct rt_queue *q, struct endpoint *e, int64_t at)
{
    e->at = at < e->at ? at : e->at;
    q->next_at = e->at < q->next_at ? e->at : q->next_at;
    if (e->wait_back)
        return;
    e->wait_next = q->waiting;
    e->wait_back = &q->waiting;
    if (e->wait_next)
        e->wait_next->wait_back = &e->wait_next;
    q->waiting = e;
}

static int room_of(const struct rt_queue *q, const struct endpoint *e)
{
    int room = (e->failing ? 1 : q->each) - e->running;
    int slots = q->slots - q->running;
    if (e->failing || e->slow) {
        int pool = (q->slots + 1) / 2 - q->pooled;
        slots = pool < slots ? pool : slots;
    }
    return room < slots ? room : slots;
}

/* It stands in the ring when it has something to do and is below its own cap; whether there is a slot for it is
 * seen when its turn comes. */
static void make_ready(struct rt_queue *q, struct endpoint *e)
{
    struct ring *r = &q->rings[e->app * 2 + (e->failing || e->slow)];
    if (e->ready || !e->more || e->running >= (e->failing ? 1 : q->each))
        return;
    e->ready = true;
    e->next = NULL;
    *r->tail = e;
    r->tail = &e->next;
}

static void forget_if_idle(struct rt_queue *q, struct endpoint *e)
{
    struct key k = { e->app, e->id };
    if (e->ready || e->more || e->wait_back || e->items)
        return;
    rt_map_remove(&q->endpoints, &k, sizeof k);
    free(e);
}

int rt_queue_due(struct rt_queue *q, int app, int64_t endpoint, int64_t at)
{
    struct endpoint *e = find_or_add(q, app, endpoint);
    if (!e)
        return RT_E_NOMEM;
    wait_until(q, e, at);
    return 0;
}

int64_t rt_queue_advance(struct rt_queue *q, int64_t now)
{
    if (q->next_at > now)
        return q->next_at;
    q->next_at = INT64_MAX;
    for (struct endpoint *e = q->waiting, *next; e; e = next) {
        next = e->wait_next;
        if (e->at > now) {
            q->next_at = e->at < q->next_at ? e->at : q->next_at;
            continue;
        }
        wait_no_more(e);
        e->more = true;
        make_ready(q, e);
    }
    return q->next_at;
}

/* The first of a ring. One that has lost its room or its place since it came is passed over: it comes back when
 * one of its transfers ends. */
static struct endpoint *take(struct rt_queue *q, int ring)
{
    struct ring *r = &q->rings[ring];
    while (r->head) {
        struct endpoint *e = r->head;
        bool pooled = e->failing || e->slow, moved = pooled != ring % 2;
        if (!moved && e->running < (e->failing ? 1 : q->each) && room_of(q, e) <= 0)
            return NULL; /* no slot for any of this ring */
        r->head = e->next;
        if (!r->head)
            r->tail = &r->head;
        e->ready = false;
        if (!moved && room_of(q, e) > 0)
            return e;
        make_ready(q, e);
    }
    return NULL;
}

bool rt_queue_next(struct rt_queue *q, int *ret_app, int64_t *ret_endpoint, int *ret_room)
{
    int rings = q->apps * 2;
    for (int i = 0; q->running < q->slots && i < rings; i++) {
        int ring = (q->turn + i) % rings;
        struct endpoint *e = take(q, ring);
        if (!e)
            continue;
        q->turn = (ring + 1) % rings;
        q->current = e;
        *ret_app = e->app;
        *ret_endpoint = e->id;
        *ret_room = room_of(q, e);
        return true;
    }
    return false;
}

void rt_queue_begin(struct rt_queue *q, struct rt_queue_item *item)
{
    struct endpoint *e = q->current;
    item->next = e->items;
    e->items = item;
    e->held++;
    e->running++;
    q->running++;
    item->pooled = e->failing || e->slow;
    q->pooled += item->pooled;
}

void rt_queue_end_turn(struct rt_queue *q, bool more)
{
    struct endpoint *e = q->current;
    e->more = more;
    make_ready(q, e);
    forget_if_idle(q, e);
}

bool rt_queue_holds(const struct rt_queue *q, int app, int64_t endpoint, int64_t seq)
{
    const struct endpoint *e = find(q, app, endpoint);
    for (const struct rt_queue_item *i = e ? e->items : NULL; i; i = i->next)
        if (i->seq == seq)
            return true;
    return false;
}

int rt_queue_held(const struct rt_queue *q, int app, int64_t endpoint)
{
    const struct endpoint *e = find(q, app, endpoint);
    return e ? e->held : 0;
}

void rt_queue_ended(struct rt_queue *q, const struct rt_queue_item *item, bool failed, bool slow)
{
    struct endpoint *e = find(q, item->app, item->endpoint);
    e->running--;
    q->running--;
    q->pooled -= item->pooled;
    e->failing = failed;
    e->slow = slow;
    make_ready(q, e);
}

void rt_queue_done(struct rt_queue *q, struct rt_queue_item *item)
{
    struct endpoint *e = find(q, item->app, item->endpoint);
    struct rt_queue_item **at = &e->items;
    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    e->held--;
    forget_if_idle(q, e);
}
