/* SPDX-License-Identifier: Apache-2.0
 *
 * Housekeeping of the log. Rooms with work are picked from memory first, so a pass over thousands of quiet rooms
 * touches no database; then a few at a time are done in one turn, and the next turn waits in line like everybody. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "events/events_internal.h"

enum { ROOMS_PER_TURN = 32, ROWS_PER_TURN = 2000 };

/* What the turn decided about a room, to be made known after the commit. */
struct verdict {
    struct kept *kept;
    struct rt_str room;
    uint64_t version;
    bool forget, exists;
};

struct sweep {
    struct rt_tx tx;
    struct rt_events *events;
    struct rt_mailbox *mailbox;
    struct rt_buf names; /* of the picked rooms, each after its length */
    size_t at;
    struct verdict verdicts[ROOMS_PER_TURN];
    int n_verdicts;
    int64_t rows; /* removed in the turn */
    bool running;
    void (*done)(void *arg);
    void *arg;
};

void sweep__free(struct sweep *s)
{
    if (!s)
        return;
    rt_buf_fini(&s->names);
    free(s);
}

static bool listened_to(struct rt_events *e, struct rt_str room, const struct kept *k)
{
    return k->opening > 0 || rt_hub_heard(e->hub, e->app, room);
}

static bool has_work(struct rt_events *e, struct rt_str room, struct kept *k, int64_t now)
{
    if (listened_to(e, room, k))
        k->seen = now;
    return k->state == KEPT_MAYBE || now - k->seen >= e->window_ms || (k->oldest && now - k->oldest >= e->window_ms);
}

static void put_name(struct rt_buf *b, struct rt_str room)
{
    unsigned char n = (unsigned char)room.n;
    rt_buf_putc(b, (char)n);
    rt_buf_put(b, room.p, room.n);
}

static bool next_name(struct sweep *s, struct rt_str *ret)
{
    if (s->at >= s->names.len)
        return false;
    size_t n = (unsigned char)s->names.data[s->at];
    *ret = (struct rt_str){ s->names.data + s->at + 1, n };
    s->at += n + 1;
    return true;
}

static void pick(struct sweep *s)
{
    struct rt_events *e = s->events;
    int64_t now = rt_now_ms();
    struct rt_str room;
    struct kept *k;
    size_t pos = 0;
    rt_buf_reset(&s->names);
    s->at = 0;
    pthread_mutex_lock(&e->mu);
    while ((k = rt_map_next(&e->rooms, &pos, &room.p, &room.n)) != NULL)
        if (has_work(e, room, k, now))
            put_name(&s->names, room);
    pthread_mutex_unlock(&e->mu);
}

/* ---- in the turn ---- */

/* From here on who joins must write a marker, after this transaction. Who has reserved before is seen. */
static bool decide(struct rt_events *e, struct rt_str room, int64_t now, struct verdict *ret)
{
    pthread_mutex_lock(&e->mu);
    struct kept *k = events__find(e, room);
    if (k) {
        bool forget = !listened_to(e, room, k) && now - k->seen >= e->window_ms;
        if (forget)
            k->state = KEPT_MAYBE;
        if (k->state == KEPT_MAYBE)
            k->version++;
        *ret = (struct verdict){ .kept = k, .room = room, .version = k->version, .forget = forget };
    }
    pthread_mutex_unlock(&e->mu);
    return k != NULL;
}

static int64_t removed(struct sweep *s, struct rt_stmt *st, struct rt_err *err)
{
    struct rt_conn *c = rt_writer_conn(s->events->writer);
    int rc = events__finish(st, err);
    if (rc)
        return rc;
    int64_t n = rt_conn_changes(c);
    s->rows += n;
    return n;
}

static int64_t remove_room(struct sweep *s, struct rt_str room, struct rt_err *err)
{
    struct rt_conn *c = rt_writer_conn(s->events->writer);
    struct rt_stmt *st;
    int64_t last;
    int rc = events__last(c, room, &last, err);
    if (rc <= 0)
        return rc;
    rc = events__prepare(c, "UPDATE perigee_events_floor SET seq = ? WHERE seq < ?", &st, err);
    if (rc)
        return rc;
    rt_bind_int(st, 1, last);
    rt_bind_int(st, 2, last);
    rc = events__finish(st, err);
    if (rc == 0)
        rc = events__prepare(c, "DELETE FROM perigee_events WHERE room = ?", &st, err);
    if (rc)
        return rc;
    rt_bind_text(st, 1, room.p, room.n);
    return removed(s, st, err);
}

/* The time of the oldest event but the last, which stays; 0 when there is none. */
static int oldest_at(struct rt_conn *c, struct rt_str room, int64_t last, int64_t *ret, struct rt_err *err)
{
    struct rt_stmt *st;
    int rc = events__prepare(c, "SELECT at FROM perigee_events WHERE room = ? AND seq < ? ORDER BY seq LIMIT 1", &st,
                             err);
    if (rc)
        return rc;
    rt_bind_text(st, 1, room.p, room.n);
    rt_bind_int(st, 2, last);
    rc = rt_stmt_step(st, err);
    *ret = rc == RT_STEP_ROW ? rt_col_int(st, 0) : 0;
    rt_stmt_done(st);
    return rc < 0 ? rc : 0;
}

/* The first one that is young enough; the last one if none is. */
static int first_to_stay(struct rt_conn *c, struct rt_str room, int64_t cutoff, int64_t last, int64_t *ret,
                         struct rt_err *err)
{
    struct rt_stmt *st;
    int rc = events__prepare(c, "SELECT seq FROM perigee_events WHERE room = ? AND at >= ? ORDER BY seq LIMIT 1", &st,
                             err);
    if (rc)
        return rc;
    rt_bind_text(st, 1, room.p, room.n);
    rt_bind_int(st, 2, cutoff);
    rc = rt_stmt_step(st, err);
    *ret = rc == RT_STEP_ROW ? rt_col_int(st, 0) : last;
    rt_stmt_done(st);
    return rc < 0 ? rc : 0;
}

static int64_t remove_old(struct sweep *s, struct verdict *v, int64_t now, struct rt_err *err)
{
    struct rt_events *e = s->events;
    struct rt_conn *c = rt_writer_conn(e->writer);
    struct rt_stmt *st;
    int64_t last = 0, first = 0, oldest = 0, n;
    int rc = events__last(c, v->room, &last, err);
    v->exists = rc > 0;
    if (rc <= 0)
        return rc;
    rc = first_to_stay(c, v->room, now - e->window_ms, last, &first, err);
    if (rc == 0)
        rc = events__prepare(c, "DELETE FROM perigee_events WHERE room = ? AND seq < ?", &st, err);
    if (rc)
        return rc;
    rt_bind_text(st, 1, v->room.p, v->room.n);
    rt_bind_int(st, 2, first);
    n = removed(s, st, err);
    rc = n < 0 ? (int)n : oldest_at(c, v->room, last, &oldest, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&e->mu);
    v->kept->oldest = oldest;
    pthread_mutex_unlock(&e->mu);
    return n;
}

/* The turn's work: 1 when something is decided, so that it must be committed. */
static int sweep_some(struct sweep *s, struct rt_err *err)
{
    int64_t now = rt_now_ms();
    struct rt_str room;
    s->n_verdicts = 0;
    s->rows = 0;
    while (s->n_verdicts < ROOMS_PER_TURN && s->rows < ROWS_PER_TURN && next_name(s, &room)) {
        struct verdict *v = &s->verdicts[s->n_verdicts];
        if (!decide(s->events, room, now, v))
            continue;
        s->n_verdicts++;
        int64_t n = v->forget ? remove_room(s, room, err) : remove_old(s, v, now, err);
        if (n < 0)
            return (int)n;
    }
    return s->n_verdicts > 0;
}

/* On the committer's thread: nobody holds the turn. A room that a later turn has touched is left as it is. One without
 * a row (forgotten, or its marker was rolled back) is absent from now on. */
static void effects(struct rt_tx *tx)
{
    struct sweep *s = (struct sweep *)((char *)tx - offsetof(struct sweep, tx));
    struct rt_events *e = s->events;
    atomic_fetch_sub(&e->rows, s->rows);
    pthread_mutex_lock(&e->mu);
    for (int i = 0; i < s->n_verdicts; i++) {
        struct verdict *v = &s->verdicts[i];
        if (v->kept->version != v->version)
            continue;
        if (v->exists)
            v->kept->state = KEPT_YES;
        else if (v->kept->opening == 0)
            free(rt_map_remove(&e->rooms, v->room.p, v->room.n));
    }
    pthread_mutex_unlock(&e->mu);
}

static void proceed(struct sweep *s);

static void finish(struct sweep *s)
{
    s->running = false;
    if (s->done)
        s->done(s->arg);
}

/* In the turn, which it ends. */
static void turn(struct sweep *s)
{
    struct rt_err err;
    int rc = sweep_some(s, &err);
    int ended = rt_tx_end(s->events->writer, &s->tx, rc > 0, rc < 0 ? NULL : &err);
    if (rc > 0 && ended == 0)
        return;
    if (rc < 0 || ended)
        rt_log(RT_LOG_ERROR, "the log of events could not be cleaned", "error", err.msg, NULL);
    finish(s);
}

static void granted(struct rt_tx *tx) { turn((struct sweep *)((char *)tx - offsetof(struct sweep, tx))); }

static void done(struct rt_tx *tx, int code)
{
    struct sweep *s = (struct sweep *)((char *)tx - offsetof(struct sweep, tx));
    if (code)
        finish(s); /* the next pass looks again */
    else
        proceed(s);
}

static void proceed(struct sweep *s)
{
    if (s->at >= s->names.len) {
        finish(s);
        return;
    }
    s->tx = (struct rt_tx){ .granted = granted, .done = done, .effects = effects, .mailbox = s->mailbox };
    int rc = rt_tx_begin(s->events->writer, &s->tx, NULL);
    if (rc == RT_TX_GRANTED)
        turn(s);
    else if (rc < 0)
        finish(s);
}

int rt_events_sweep(struct rt_events *e, struct rt_mailbox *mailbox, void (*on_done)(void *arg), void *arg)
{
    struct sweep *s = e->sweep;
    if (!s) {
        s = e->sweep = calloc(1, sizeof *s);
        if (!s)
            return RT_E_NOMEM;
        s->events = e;
        rt_buf_init(&s->names, 0);
    }
    if (s->running)
        return RT_E_BUSY;
    s->running = true;
    s->mailbox = mailbox;
    s->done = on_done;
    s->arg = arg;
    pick(s);
    proceed(s);
    return 0;
}
