/* SPDX-License-Identifier: Apache-2.0
 *
 * What one worker owns: its connections, the rooms they are in, the labels they carry, and delivery. No lock is held
 * while a member gets its message. A handler may close any connection meanwhile, its own or another one, so
 * a walk over members keeps its next step in the inbox, where removing a member moves it on. */
#include <stdlib.h>
#include <string.h>

#include "ws/hub_internal.h"

enum { DELIVERIES_PER_RUN = 4096 };

/* A room of this worker. */
struct local_room {
    struct hub_member *members;
    size_t n;
    char key[];
};

struct local_label {
    struct hub_tag *tags;
    size_t n;
    char key[];
};

struct hub_member {
    struct rt_hub_conn *conn;
    struct local_room *room;
    struct hub_member *next, *prev; /* in the room */
    struct hub_member *sibling;     /* of the connection */
    int64_t after;
    bool active, observer;
    size_t who_n;
    char who[];
};

struct hub_tag {
    struct rt_hub_conn *conn;
    struct local_label *label;
    struct hub_tag *next, *prev; /* of the label */
    struct hub_tag *sibling;     /* of the connection */
};

struct rt_hub_conn {
    struct rt_inbox *in;
    unsigned app;
    const struct rt_hub_handler *handler;
    void *owner;
    struct hub_member *members;
    struct hub_tag *tags;
    int n_members, n_tags;
    uint64_t skip; /* the stamp of a message that it does not get */
    bool closed;
};

struct rt_hub_conn *rt_hub_conn_new(struct rt_inbox *in, unsigned app, const struct rt_hub_handler *handler,
                                    void *owner)
{
    struct rt_hub_conn *c = calloc(1, sizeof *c);
    if (c)
        *c = (struct rt_hub_conn){ .in = in, .app = app, .handler = handler, .owner = owner };
    return c;
}

unsigned rt_hub_rooms(const struct rt_hub_conn *c) { return (unsigned)c->n_members; }

bool rt_hub_closed(const struct rt_hub_conn *c) { return c->closed; }

void rt_hub_send(struct rt_hub_conn *c, struct rt_ws_text *text)
{
    if (!c->closed)
        c->handler->deliver(c->owner, text);
}

/* ---- rooms ---- */

static struct local_room *room_of(struct rt_inbox *in, const struct hub_key *key)
{
    struct local_room *r = rt_map_get(&in->rooms, key->data, key->n);
    if (r)
        return r;
    r = calloc(1, sizeof *r + key->n);
    if (r && rt_map_set(&in->rooms, key->data, key->n, r, NULL)) {
        free(r);
        return NULL;
    }
    if (r) {
        memcpy(r->key, key->data, key->n);
        r->n = key->n;
    }
    return r;
}

static void drop_room_if_empty(struct rt_inbox *in, struct local_room *r)
{
    if (r->members)
        return;
    rt_map_remove(&in->rooms, r->key, r->n);
    free(r);
}

static struct hub_member *member_in(const struct rt_hub_conn *c, const struct local_room *r)
{
    struct hub_member *m = c->members;
    while (m && m->room != r)
        m = m->sibling;
    return m;
}

static struct hub_member *find_member(const struct rt_hub_conn *c, struct rt_str room)
{
    struct hub_key key;
    if (!hub__key(&key, c->app, room))
        return NULL;
    struct local_room *r = rt_map_get(&c->in->rooms, key.data, key.n);
    return r ? member_in(c, r) : NULL;
}

static void remove_member(struct hub_member *m)
{
    struct rt_hub_conn *c = m->conn;
    struct rt_inbox *in = c->in;
    if (in->next_member == m)
        in->next_member = m->next;
    *(m->prev ? &m->prev->next : &m->room->members) = m->next;
    if (m->next)
        m->next->prev = m->prev;
    struct hub_member **at = &c->members;
    while (*at != m)
        at = &(*at)->sibling;
    *at = m->sibling;
    c->n_members--;
    hub__exit(in, (struct rt_str){ m->room->key, m->room->n }, (struct rt_str){ m->who, m->who_n },
              m->observer);
    drop_room_if_empty(in, m->room);
    free(m);
}

static void add_member(struct rt_hub_conn *c, struct local_room *r, struct hub_member *m)
{
    m->conn = c;
    m->room = r;
    m->next = r->members;
    if (m->next)
        m->next->prev = m;
    r->members = m;
    m->sibling = c->members;
    c->members = m;
    c->n_members++;
}

static int reserve(struct rt_hub_conn *c, struct rt_str room, struct rt_str who, int64_t limit, bool observer)
{
    struct hub_key key;
    struct hub_member *m;
    if (c->closed)
        return RT_E_EXPIRED;
    if (!hub__key(&key, c->app, room) || who.n > RT_HUB_NAME_MAX)
        return RT_E_LIMIT;
    if ((m = find_member(c, room)) != NULL) {
        m->active = false;
        return 0;
    }
    if (c->n_members == HUB_ROOMS_MAX)
        return RT_E_LIMIT;
    struct local_room *r = room_of(c->in, &key);
    m = calloc(1, sizeof *m + who.n);
    int rc = r && m ? hub__enter(c->in, (struct rt_str){ key.data, key.n }, who, limit, observer) : RT_E_NOMEM;
    if (rc == 0) {
        m->who_n = who.n;
        m->observer = observer;
        if (who.n)
            memcpy(m->who, who.p, who.n);
        add_member(c, r, m);
        return 0;
    }
    free(m);
    if (r)
        drop_room_if_empty(c->in, r);
    return rc;
}

int rt_hub_reserve(struct rt_hub_conn *c, struct rt_str room, struct rt_str who, int64_t limit)
{
    return reserve(c, room, who, limit, false);
}

int rt_hub_observe(struct rt_hub_conn *c, struct rt_str room)
{
    return reserve(c, room, (struct rt_str){ 0 }, 0, true);
}

bool rt_hub_activate(struct rt_hub_conn *c, struct rt_str room, int64_t after)
{
    struct hub_member *m = find_member(c, room);
    if (!m)
        return false;
    m->active = true;
    m->after = after;
    return true;
}

bool rt_hub_leave(struct rt_hub_conn *c, struct rt_str room)
{
    struct hub_member *m = find_member(c, room);
    if (m)
        remove_member(m);
    return m != NULL;
}

bool rt_hub_is_member(const struct rt_hub_conn *c, struct rt_str room) { return find_member(c, room) != NULL; }

/* ---- labels ---- */

static struct local_label *label_of(struct rt_inbox *in, const struct hub_key *key)
{
    struct local_label *l = rt_map_get(&in->labels, key->data, key->n);
    if (l)
        return l;
    l = calloc(1, sizeof *l + key->n);
    if (l && rt_map_set(&in->labels, key->data, key->n, l, NULL)) {
        free(l);
        return NULL;
    }
    if (l) {
        memcpy(l->key, key->data, key->n);
        l->n = key->n;
    }
    return l;
}

static void drop_label_if_unused(struct rt_inbox *in, struct local_label *l)
{
    if (l->tags)
        return;
    rt_map_remove(&in->labels, l->key, l->n);
    free(l);
}

static void remove_tag(struct hub_tag *t)
{
    struct rt_hub_conn *c = t->conn;
    if (c->in->next_tag == t)
        c->in->next_tag = t->next;
    *(t->prev ? &t->prev->next : &t->label->tags) = t->next;
    if (t->next)
        t->next->prev = t->prev;
    c->tags = t->sibling; /* only the first one is ever removed */
    c->n_tags--;
    drop_label_if_unused(c->in, t->label);
    free(t);
}

static bool has_label(const struct rt_hub_conn *c, const struct local_label *l)
{
    struct hub_tag *t = c->tags;
    while (t && t->label != l)
        t = t->sibling;
    return t != NULL;
}

int rt_hub_label(struct rt_hub_conn *c, struct rt_str label)
{
    struct hub_key key;
    if (c->closed)
        return RT_E_EXPIRED;
    if (!hub__key(&key, c->app, label))
        return RT_E_LIMIT;
    if (rt_hub_labelled(c, label))
        return 0;
    if (c->n_tags == HUB_LABELS_MAX)
        return RT_E_LIMIT;
    struct local_label *l = label_of(c->in, &key);
    struct hub_tag *t = l ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        if (l)
            drop_label_if_unused(c->in, l);
        return RT_E_NOMEM;
    }
    *t = (struct hub_tag){ .conn = c, .label = l, .next = l->tags };
    if (t->next)
        t->next->prev = t;
    l->tags = t;
    struct hub_tag **end = &c->tags; /* the first label stays the first */
    while (*end)
        end = &(*end)->sibling;
    *end = t;
    c->n_tags++;
    return 0;
}

bool rt_hub_labelled(const struct rt_hub_conn *c, struct rt_str label)
{
    struct hub_key key;
    if (!hub__key(&key, c->app, label))
        return false;
    struct local_label *l = rt_map_get(&c->in->labels, key.data, key.n);
    return l && has_label(c, l);
}

struct rt_str rt_hub_first_label(const struct rt_hub_conn *c)
{
    if (!c->tags)
        return (struct rt_str){ 0 };
    return (struct rt_str){ c->tags->label->key + 2, c->tags->label->n - 2 };
}

void rt_hub_conn_close(struct rt_hub_conn *c)
{
    c->closed = true;
    while (c->members)
        remove_member(c->members);
    while (c->tags)
        remove_tag(c->tags);
}

void rt_hub_conn_free(struct rt_hub_conn *c)
{
    if (!c)
        return;
    rt_hub_conn_close(c);
    free(c);
}

/* ---- delivery ---- */

static struct local_label *label_at(struct rt_inbox *in, const struct rt_hub_op *op)
{
    return op->label.n ? rt_map_get(&in->labels, op->label.p, op->label.n) : NULL;
}

static size_t give(struct rt_inbox *in, const struct rt_hub_op *op)
{
    struct local_room *r = rt_map_get(&in->rooms, op->room.p, op->room.n);
    struct local_label *except = label_at(in, op);
    size_t n = 0;
    in->stamp++;
    for (struct hub_tag *t = except ? except->tags : NULL; t; t = t->next)
        t->conn->skip = in->stamp;
    for (struct hub_member *m = r ? r->members : NULL; m; m = in->next_member) {
        in->next_member = m->next;
        if (!m->active || op->seq <= m->after)
            continue;
        m->after = op->seq;
        if (m->conn->skip == in->stamp)
            continue;
        n++;
        m->conn->handler->deliver(m->conn->owner, op->text); /* m may be gone now */
    }
    in->next_member = NULL;
    return n;
}

static void expel(struct rt_inbox *in, const struct rt_hub_op *op)
{
    struct local_label *l = label_at(in, op);
    for (struct hub_tag *t = l ? l->tags : NULL; t; t = t->next)
        rt_hub_leave(t->conn, (struct rt_str){ op->room.p + 2, op->room.n - 2 });
}

static void close_labelled(struct rt_inbox *in, const struct rt_hub_op *op)
{
    struct local_label *l = label_at(in, op);
    for (struct hub_tag *t = l ? l->tags : NULL; t; t = in->next_tag) {
        struct rt_hub_conn *c = t->conn;
        const struct rt_hub_handler *handler = c->handler;
        void *owner = c->owner;
        in->next_tag = t->next;
        rt_hub_conn_close(c); /* it hears nothing more, whatever its socket still does */
        handler->close(owner, op->code, op->reason);
    }
    in->next_tag = NULL;
}

static size_t carry_out(struct rt_inbox *in, const struct rt_hub_op *op)
{
    switch (op->what) {
    case HUB_MESSAGE: return give(in, op);
    case HUB_CLOSE: close_labelled(in, op); break;
    case HUB_EXPEL: expel(in, op); break;
    }
    return 1;
}

void rt_inbox_run(struct rt_inbox *in)
{
    size_t n = 0, given = 0;
    hub__take(in);
    while (in->todo && n < DELIVERIES_PER_RUN) {
        struct rt_hub_op *op = in->todo;
        in->todo = op->link[in->index];
        size_t k = carry_out(in, op);
        n += k + 1;
        given += op->what == HUB_MESSAGE ? k : 0;
        hub__unref(op);
    }
    atomic_store_explicit(&in->delivered, in->delivered + given, memory_order_relaxed);
    if (in->todo)
        hub__again(in);
}
