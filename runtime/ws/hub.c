/* SPDX-License-Identifier: Apache-2.0
 *
 * What crosses threads: how many members a room has on which worker, and the workers' inboxes. One mutex guards both,
 * so that posting is atomic: a message goes to exactly those workers that had members at that moment, and all inboxes
 * see one order. An operation has a link for each inbox, so posting takes no memory and cannot fail. */
#include <stdlib.h>
#include <string.h>

#include "ws/hub_internal.h"

bool hub__key(struct hub_key *k, unsigned app, struct rt_str name)
{
    if (name.n == 0 || name.n > RT_HUB_NAME_MAX)
        return false;
    k->data[0] = (char)(app >> 8);
    k->data[1] = (char)app;
    memcpy(k->data + 2, name.p, name.n);
    k->n = name.n + 2;
    return true;
}

struct rt_hub *rt_hub_new(int n_inboxes)
{
    if (n_inboxes < 1 || n_inboxes > HUB_INBOXES_MAX)
        return NULL;
    struct rt_hub *h = calloc(1, sizeof *h + (size_t)n_inboxes * sizeof *h->inboxes);
    if (!h)
        return NULL;
    pthread_mutex_init(&h->mu, NULL);
    h->n_inboxes = n_inboxes;
    for (int i = 0; i < n_inboxes; i++) {
        h->inboxes[i].hub = h;
        h->inboxes[i].index = i;
    }
    return h;
}

static void drop_shared(void *room)
{
    rt_map_fini(&((struct hub_shared *)room)->who, free);
    free(room);
}

void rt_hub_free(struct rt_hub *h)
{
    if (!h)
        return;
    for (int i = 0; i < h->n_inboxes; i++) {
        struct rt_inbox *in = &h->inboxes[i];
        hub__take(in);
        while (in->todo) {
            struct rt_hub_op *op = in->todo;
            in->todo = op->link[i];
            hub__unref(op);
        }
        rt_map_fini(&in->rooms, free);
        rt_map_fini(&in->labels, free);
    }
    rt_map_fini(&h->rooms, drop_shared);
    pthread_mutex_destroy(&h->mu);
    free(h);
}

struct rt_inbox *rt_hub_inbox(struct rt_hub *h, int i, void (*wake)(void *arg), void *arg)
{
    struct rt_inbox *in = &h->inboxes[i];
    in->wake = wake;
    in->arg = arg;
    return in;
}

/* ---- operations ---- */

static struct rt_hub_op *new_op(struct rt_hub *h, enum hub_what what, unsigned app, struct rt_str room,
                                struct rt_str label, struct rt_str reason)
{
    struct hub_key room_key = { 0 }, label_key = { 0 };
    if ((room.n && !hub__key(&room_key, app, room)) || (label.n && !hub__key(&label_key, app, label)))
        return NULL;
    size_t links = (size_t)h->n_inboxes * sizeof(struct rt_hub_op *);
    struct rt_hub_op *op = calloc(1, sizeof *op + links + room_key.n + label_key.n + reason.n + 1);
    if (!op)
        return NULL;
    char *names = (char *)op + sizeof *op + links;
    op->what = what;
    op->room = (struct rt_str){ memcpy(names, room_key.data, room_key.n), room_key.n };
    names += room_key.n;
    op->label = (struct rt_str){ memcpy(names, label_key.data, label_key.n), label_key.n };
    op->reason = names + label_key.n;
    if (reason.n)
        memcpy(op->reason, reason.p, reason.n);
    return op;
}

struct rt_hub_op *rt_hub_message(struct rt_hub *h, unsigned app, struct rt_str room, int64_t seq,
                                 struct rt_ws_text *text, struct rt_str except)
{
    struct rt_hub_op *op = room.n ? new_op(h, HUB_MESSAGE, app, room, except, (struct rt_str){ 0 }) : NULL;
    if (!op) {
        rt_ws_text_unref(text);
        return NULL;
    }
    op->seq = seq;
    op->text = text;
    return op;
}

struct rt_hub_op *rt_hub_closing(struct rt_hub *h, unsigned app, struct rt_str label, int code, struct rt_str reason)
{
    if (label.n == 0 || reason.n > RT_HUB_REASON_MAX)
        return NULL;
    struct rt_hub_op *op = new_op(h, HUB_CLOSE, app, (struct rt_str){ 0 }, label, reason);
    if (op)
        op->code = code;
    return op;
}

struct rt_hub_op *rt_hub_expelling(struct rt_hub *h, unsigned app, struct rt_str label, struct rt_str room)
{
    if (label.n == 0 || room.n == 0)
        return NULL;
    return new_op(h, HUB_EXPEL, app, room, label, (struct rt_str){ 0 });
}

static void free_op(struct rt_hub_op *op)
{
    rt_ws_text_unref(op->text);
    free(op);
}

void hub__unref(struct rt_hub_op *op)
{
    if (atomic_fetch_sub_explicit(&op->refs, 1, memory_order_acq_rel) == 1)
        free_op(op);
}

void rt_hub_ops_push(struct rt_hub_ops *list, struct rt_hub_op *op)
{
    op->next = NULL;
    if (list->tail)
        list->tail->next = op;
    else
        list->head = op;
    list->tail = op;
}

void rt_hub_ops_cut(struct rt_hub_ops *list, struct rt_hub_op *mark)
{
    struct rt_hub_op *op = mark ? mark->next : list->head;
    if (mark)
        mark->next = NULL;
    else
        list->head = NULL;
    list->tail = mark;
    while (op) {
        struct rt_hub_op *next = op->next;
        free_op(op);
        op = next;
    }
}

/* ---- posting ---- */

static bool wants(const struct rt_inbox *in, const struct rt_hub_op *op, const struct hub_shared *room)
{
    /* A worker may be about to let in whom this removes: it hears of it in any case. */
    return op->what == HUB_MESSAGE ? room && room->per_inbox[in->index] > 0 : in->wake != NULL;
}

/* True when the inbox' worker must be woken. */
static bool put(struct rt_inbox *in, struct rt_hub_op *op)
{
    op->link[in->index] = NULL;
    atomic_fetch_add_explicit(&op->refs, 1, memory_order_relaxed);
    if (in->tail)
        in->tail->link[in->index] = op;
    else
        in->head = op;
    in->tail = op;
    bool wake = !in->woken;
    in->woken = true;
    return wake;
}

void rt_hub_post(struct rt_hub *h, struct rt_hub_ops *list)
{
    struct rt_hub_op *unheard = NULL;
    uint64_t wake = 0;
    if (!list->head)
        return;
    pthread_mutex_lock(&h->mu);
    for (struct rt_hub_op *op = list->head, *next; op; op = next) {
        next = op->next;
        struct hub_shared *room = op->what == HUB_MESSAGE ? rt_map_get(&h->rooms, op->room.p, op->room.n) : NULL;
        bool heard = false;
        for (int i = 0; i < h->n_inboxes; i++)
            if (wants(&h->inboxes[i], op, room)) {
                heard = true;
                wake |= put(&h->inboxes[i], op) ? UINT64_C(1) << i : 0;
            }
        h->published += op->what == HUB_MESSAGE && heard;
        if (!heard) {
            op->next = unheard;
            unheard = op;
        }
    }
    pthread_mutex_unlock(&h->mu);
    *list = (struct rt_hub_ops){ 0 };
    for (int i = 0; wake; i++, wake >>= 1)
        if (wake & 1)
            h->inboxes[i].wake(h->inboxes[i].arg);
    while (unheard) {
        struct rt_hub_op *next = unheard->next;
        free_op(unheard);
        unheard = next;
    }
}

void hub__take(struct rt_inbox *in)
{
    pthread_mutex_lock(&in->hub->mu);
    if (in->head) {
        if (in->todo)
            in->todo_tail->link[in->index] = in->head;
        else
            in->todo = in->head;
        in->todo_tail = in->tail;
    }
    in->head = in->tail = NULL;
    in->woken = false;
    pthread_mutex_unlock(&in->hub->mu);
}

void hub__again(struct rt_inbox *in)
{
    pthread_mutex_lock(&in->hub->mu);
    bool wake = !in->woken;
    in->woken = true;
    pthread_mutex_unlock(&in->hub->mu);
    if (wake)
        in->wake(in->arg);
}

/* ---- counting ---- */

static struct hub_shared *shared_of(struct rt_hub *h, struct rt_str key)
{
    struct hub_shared *room = rt_map_get(&h->rooms, key.p, key.n);
    if (room)
        return room;
    room = calloc(1, sizeof *room + (size_t)h->n_inboxes * sizeof *room->per_inbox);
    if (room && rt_map_set(&h->rooms, key.p, key.n, room, NULL)) {
        free(room);
        return NULL;
    }
    return room;
}

static int count_who(struct hub_shared *room, struct rt_str who)
{
    struct hub_count *c = rt_map_get(&room->who, who.p, who.n);
    if (!c) {
        c = calloc(1, sizeof *c);
        if (!c || rt_map_set(&room->who, who.p, who.n, c, NULL)) {
            free(c);
            return RT_E_NOMEM;
        }
    }
    c->n++;
    return 0;
}

static void forget_if_empty(struct rt_hub *h, struct hub_shared *room, struct rt_str key)
{
    if (room->total > 0)
        return;
    rt_map_remove(&h->rooms, key.p, key.n);
    drop_shared(room);
}

int hub__enter(struct rt_inbox *in, struct rt_str key, struct rt_str who, int64_t limit, bool observer)
{
    struct rt_hub *h = in->hub;
    pthread_mutex_lock(&h->mu);
    struct hub_shared *room = shared_of(h, key);
    int rc = !room ? RT_E_NOMEM : limit > 0 && room->total - room->observers >= limit ? RT_E_FULL : 0;
    if (rc == 0 && who.n)
        rc = count_who(room, who);
    if (rc == 0) {
        room->total++;
        room->observers += observer;
        room->per_inbox[in->index]++;
        h->members++;
    } else if (room) {
        forget_if_empty(h, room, key);
    }
    pthread_mutex_unlock(&h->mu);
    return rc;
}

void hub__exit(struct rt_inbox *in, struct rt_str key, struct rt_str who, bool observer)
{
    struct rt_hub *h = in->hub;
    pthread_mutex_lock(&h->mu);
    struct hub_shared *room = rt_map_get(&h->rooms, key.p, key.n);
    struct hub_count *c = who.n ? rt_map_get(&room->who, who.p, who.n) : NULL;
    if (c && --c->n == 0)
        free(rt_map_remove(&room->who, who.p, who.n));
    room->total--;
    room->observers -= observer;
    room->per_inbox[in->index]--;
    h->members--;
    forget_if_empty(h, room, key);
    pthread_mutex_unlock(&h->mu);
}

static struct hub_shared *find_shared(struct rt_hub *h, unsigned app, struct rt_str name)
{
    struct hub_key key;
    return hub__key(&key, app, name) ? rt_map_get(&h->rooms, key.data, key.n) : NULL;
}

int64_t rt_hub_count(struct rt_hub *h, unsigned app, struct rt_str room)
{
    pthread_mutex_lock(&h->mu);
    struct hub_shared *r = find_shared(h, app, room);
    int64_t n = r ? r->total - r->observers : 0;
    pthread_mutex_unlock(&h->mu);
    return n;
}

bool rt_hub_heard(struct rt_hub *h, unsigned app, struct rt_str room)
{
    pthread_mutex_lock(&h->mu);
    bool heard = find_shared(h, app, room) != NULL;
    pthread_mutex_unlock(&h->mu);
    return heard;
}

void rt_hub_presence(struct rt_hub *h, unsigned app, struct rt_str room,
                     void (*each)(void *arg, struct rt_str who, int64_t count), void *arg)
{
    pthread_mutex_lock(&h->mu);
    struct hub_shared *r = find_shared(h, app, room);
    struct rt_str who;
    size_t pos = 0;
    struct hub_count *c;
    while (r && (c = rt_map_next(&r->who, &pos, &who.p, &who.n)) != NULL)
        each(arg, who, c->n);
    pthread_mutex_unlock(&h->mu);
}

void rt_hub_stats(struct rt_hub *h, struct rt_hub_stats *ret)
{
    pthread_mutex_lock(&h->mu);
    *ret = (struct rt_hub_stats){ .rooms = h->rooms.count, .members = h->members, .published = h->published };
    pthread_mutex_unlock(&h->mu);
    for (int i = 0; i < h->n_inboxes; i++)
        ret->delivered += atomic_load_explicit(&h->inboxes[i].delivered, memory_order_relaxed);
}
