/* SPDX-License-Identifier: Apache-2.0
 *
 * An endpoint is here while it has something due or on its way, and as long as it is known to be good. Ready ones
 * stand in rings; waiting ones in a list that is read when the earliest is due: few wait beside those that fail. */
#include "outbox/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"

enum health { NEW, GOOD, SLOW, BAD };

struct endpoint {
    int app;
    int64_t id, at; /* at: when it is due, INT64_MAX when not waiting */
    enum health health;
    int running, held;
    bool ready, more;            /* stands in a ring; has something due that it may not have begun */
    struct rt_queue_item *items; /* begun and not recorded */
    struct endpoint *next;       /* in the ring */
    struct endpoint *wait_next, **wait_back;
};

struct ring {
    struct endpoint *head, **tail;
};

struct rt_queue {
    struct rt_map endpoints;
    struct ring *rings; /* two per app: of good ones, of others */
    int n_rings, turn;
    struct endpoint *waiting, **waiting_tail, *current;
    int64_t next_at; /* not later than the earliest of the waiting */
    int slots, each;
    int good, pooled;                      /* running transfers */
    struct rt_queue_item *oldest, *newest; /* of those that count as good */
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
    q->n_rings = apps * 2;
    for (int i = 0; i < q->n_rings; i++)
        q->rings[i].tail = &q->rings[i].head;
    q->slots = slots;
    q->each = each;
    q->waiting_tail = &q->waiting;
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

static void forget_if_idle(struct rt_queue *q, struct endpoint *e)
{
    struct key k = { e->app, e->id };
    if (e->ready || e->more || e->wait_back || e->items || e->health == GOOD)
        return;
    rt_map_remove(&q->endpoints, &k, sizeof k);
    free(e);
}

static void wait_no_more(struct rt_queue *q, struct endpoint *e)
{
    *e->wait_back = e->wait_next;
    *(e->wait_next ? &e->wait_next->wait_back : &q->waiting_tail) = e->wait_back;
    e->wait_back = NULL;
    e->at = INT64_MAX;
}

int rt_queue_due(struct rt_queue *q, int app, int64_t endpoint, int64_t at)
{
    struct endpoint *e = find_or_add(q, app, endpoint);
    if (!e)
        return RT_E_NOMEM;
    e->at = at < e->at ? at : e->at;
    q->next_at = e->at < q->next_at ? e->at : q->next_at;
    if (e->wait_back)
        return 0;
    e->wait_next = NULL;
    e->wait_back = q->waiting_tail;
    *q->waiting_tail = e;
    q->waiting_tail = &e->wait_next;
    return 0;
}

/* What the endpoint itself may begin. */
static int own_room(const struct rt_queue *q, const struct endpoint *e)
{
    return (e->health == GOOD || e->health == SLOW ? q->each : 1) - e->running;
}

/* What its half of the slots has left. */
static int free_slots(const struct rt_queue *q, bool good)
{
    int half = good ? q->slots - q->slots / 2 - q->good : q->slots / 2 - q->pooled;
    int all = q->slots * 2 - q->good - q->pooled;
    return half < all ? half : all;
}

static void make_ready(struct rt_queue *q, struct endpoint *e)
{
    struct ring *r = &q->rings[e->app * 2 + (e->health != GOOD)];
    if (e->ready || !e->more || own_room(q, e) <= 0)
        return;
    e->ready = true;
    e->next = NULL;
    *r->tail = e;
    r->tail = &e->next;
}

static void unlink_running(struct rt_queue *q, struct rt_queue_item *i)
{
    *(i->older ? &i->older->newer : &q->oldest) = i->newer;
    *(i->newer ? &i->newer->older : &q->newest) = i->older;
    q->good--;
}

/* What has got slow leaves the good ones' slots. */
static void make_room(struct rt_queue *q, int64_t mono)
{
    while (q->oldest && q->oldest->begun + RT_QUEUE_SLOW_MS <= mono) {
        struct rt_queue_item *i = q->oldest;
        find(q, i->app, i->endpoint)->health = SLOW;
        unlink_running(q, i);
        i->pooled = true;
        q->pooled++;
    }
}

int64_t rt_queue_patience(const struct rt_queue *q, int64_t mono)
{
    int64_t left = q->oldest ? q->oldest->begun + RT_QUEUE_SLOW_MS - mono : -1;
    return q->oldest && left < 0 ? 0 : left;
}

int64_t rt_queue_advance(struct rt_queue *q, int64_t now, int64_t mono)
{
    make_room(q, mono);
    if (q->next_at > now)
        return q->next_at;
    q->next_at = INT64_MAX;
    for (struct endpoint *e = q->waiting, *next; e; e = next) {
        next = e->wait_next;
        if (e->at > now) {
            q->next_at = e->at < q->next_at ? e->at : q->next_at;
            continue;
        }
        wait_no_more(q, e);
        e->more = true;
        make_ready(q, e);
    }
    return q->next_at;
}

/* The first of a ring that may begin something. One that changed since it came goes where it belongs now, and one
 * without room of its own comes back when one of its transfers ends. */
static struct endpoint *take(struct rt_queue *q, int ring)
{
    struct ring *r = &q->rings[ring];
    while (r->head && free_slots(q, ring % 2 == 0) > 0) {
        struct endpoint *e = r->head;
        bool here = (e->health != GOOD) == ring % 2;
        r->head = e->next;
        if (!r->head)
            r->tail = &r->head;
        e->ready = false;
        if (here && own_room(q, e) > 0)
            return e;
        make_ready(q, e);
    }
    return NULL;
}

bool rt_queue_next(struct rt_queue *q, int *ret_app, int64_t *ret_endpoint, int *ret_room)
{
    for (int i = 0; i < q->n_rings; i++) {
        int ring = (q->turn + i) % q->n_rings;
        struct endpoint *e = take(q, ring);
        if (!e)
            continue;
        int own = own_room(q, e), all = free_slots(q, e->health == GOOD);
        q->turn = (ring + 1) % q->n_rings;
        q->current = e;
        *ret_app = e->app;
        *ret_endpoint = e->id;
        *ret_room = own < all ? own : all;
        return true;
    }
    return false;
}

void rt_queue_begin(struct rt_queue *q, struct rt_queue_item *item, int64_t mono)
{
    struct endpoint *e = q->current;
    item->next = e->items;
    e->items = item;
    e->held++;
    e->running++;
    item->begun = mono;
    item->pooled = e->health != GOOD;
    if (item->pooled) {
        q->pooled++;
        return;
    }
    item->older = q->newest;
    item->newer = NULL;
    *(q->newest ? &q->newest->newer : &q->oldest) = item;
    q->newest = item;
    q->good++;
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

void rt_queue_ended(struct rt_queue *q, struct rt_queue_item *item, bool failed, int64_t latency_ms)
{
    struct endpoint *e = find(q, item->app, item->endpoint);
    e->running--;
    if (item->pooled)
        q->pooled--;
    else
        unlink_running(q, item);
    e->health = failed ? BAD : latency_ms >= RT_QUEUE_SLOW_MS ? SLOW : GOOD;
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
