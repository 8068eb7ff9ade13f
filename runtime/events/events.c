/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rooms are kept, writing their events, and the marker that makes a room kept. The header has the argument. */
#include "events/events_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

enum { TRIM_EVERY = 256 };

int events__prepare(struct rt_conn *c, const char *sql, struct rt_stmt **ret, struct rt_err *err)
{
    return rt_conn_prepare(c, sql, strlen(sql), ret, err);
}

int events__finish(struct rt_stmt *s, struct rt_err *err)
{
    int rc = rt_stmt_step(s, err);
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}

struct kept *events__find(struct rt_events *e, struct rt_str room) { return rt_map_get(&e->rooms, room.p, room.n); }

struct kept *events__add(struct rt_events *e, struct rt_str room)
{
    struct kept *k = events__find(e, room);
    if (k)
        return k;
    k = calloc(1, sizeof *k);
    if (k && rt_map_set(&e->rooms, room.p, room.n, k, NULL)) {
        free(k);
        return NULL;
    }
    return k;
}

/* ---- set up ---- */

/* One step of the index per room, however many events they have. */
static const char rooms_sql[] =
    "WITH RECURSIVE r(room) AS (SELECT min(room) FROM perigee_events UNION ALL "
    "SELECT (SELECT min(e.room) FROM perigee_events e WHERE e.room > r.room) FROM r WHERE r.room IS NOT NULL) "
    "SELECT room FROM r WHERE room IS NOT NULL";

static int load(struct rt_events *e, struct rt_conn *c, struct rt_err *err)
{
    struct rt_stmt *s;
    int64_t rows = 0, now = rt_now_ms();
    int rc = events__prepare(c, rooms_sql, &s, err);
    if (rc)
        return rc;
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        struct rt_str room;
        room.p = rt_col_text(s, 0, &room.n);
        struct kept *k = events__add(e, room);
        if (!k) {
            rc = rt_err_set(err, RT_E_NOMEM, "no memory for the rooms");
            break;
        }
        *k = (struct kept){ .state = KEPT_YES, .seen = now, .oldest = 1 };
    }
    rt_stmt_done(s);
    if (rc == 0)
        rc = rt_conn_int(c, "SELECT count(*) FROM perigee_events", &rows, err);
    atomic_store(&e->rows, rows);
    return rc;
}

int rt_events_new(struct rt_writer *w, struct rt_hub *hub, unsigned app, int64_t window_s, struct rt_conn *c,
                  struct rt_events **ret, struct rt_err *err)
{
    struct rt_events *e = calloc(1, sizeof *e);
    if (!e)
        return rt_err_set(err, RT_E_NOMEM, "no memory for events");
    *e = (struct rt_events){ .writer = w, .hub = hub, .app = app, .window_ms = window_s * 1000 };
    pthread_mutex_init(&e->mu, NULL);
    int rc = load(e, c, err);
    if (rc == 0)
        *ret = e;
    else
        rt_events_free(e);
    return rc;
}

void rt_events_free(struct rt_events *e)
{
    if (!e)
        return;
    sweep__free(e->sweep);
    rt_map_fini(&e->rooms, free);
    pthread_mutex_destroy(&e->mu);
    free(e);
}

int rt_events_forget(struct rt_conn *c, struct rt_err *err)
{
    int64_t there;
    int rc = rt_conn_int(c, "SELECT count(*) FROM sqlite_master WHERE name = 'perigee_events'", &there, err);
    return rc || !there ? rc : rt_conn_exec(c, "DELETE FROM perigee_events", err);
}

struct rt_hub *rt_events_hub(const struct rt_events *e) { return e->hub; }

unsigned rt_events_app(const struct rt_events *e) { return e->app; }

void rt_events_stats(struct rt_events *e, struct rt_events_stats *ret)
{
    pthread_mutex_lock(&e->mu);
    ret->rooms = e->rooms.count;
    pthread_mutex_unlock(&e->mu);
    ret->logged = atomic_load(&e->logged);
    ret->rows = atomic_load(&e->rows);
}

/* ---- writing ---- */

bool rt_events_wanted(struct rt_events *e, struct rt_str room)
{
    pthread_mutex_lock(&e->mu);
    bool wanted = events__find(e, room) != NULL;
    pthread_mutex_unlock(&e->mu);
    return wanted;
}

int events__last(struct rt_conn *c, struct rt_str room, int64_t *ret_seq, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = events__prepare(c, "SELECT seq FROM perigee_events WHERE room = ? ORDER BY seq DESC LIMIT 1", &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, room.p, room.n);
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW)
        *ret_seq = rt_col_int(s, 0);
    rt_stmt_done(s);
    return rc;
}

/* `object` and its two last members, "room" and "seq". */
struct rt_ws_text *events__text(struct rt_str room, int64_t seq, struct rt_str object)
{
    struct rt_buf b;
    if (object.n < 2 || object.p[0] != '{' || object.p[object.n - 1] != '}')
        return NULL;
    rt_buf_init(&b, 0);
    rt_buf_puts(&b, object.n > 2 ? ",\"room\":" : "\"room\":");
    rt_json_put_string(&b, room.p, room.n);
    rt_buf_puts(&b, ",\"seq\":");
    rt_json_put_int(&b, seq);
    rt_buf_putc(&b, '}');
    struct rt_ws_text *t = b.failed ? NULL : rt_ws_text_new(NULL, object.n - 1 + b.len);
    if (t) {
        memcpy(rt_ws_text_room(t), object.p, object.n - 1);
        memcpy(rt_ws_text_room(t) + object.n - 1, b.data, b.len);
    }
    rt_buf_fini(&b);
    return t;
}

static int insert(struct rt_conn *c, struct rt_str room, int64_t seq, int64_t at, struct rt_str except,
                  struct rt_str object, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = events__prepare(c, "INSERT INTO perigee_events (room, seq, at, skip, body) VALUES (?, ?, ?, ?, ?)", &s,
                             err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, room.p, room.n);
    rt_bind_int(s, 2, seq);
    rt_bind_int(s, 3, at);
    except.n ? rt_bind_text(s, 4, except.p, except.n) : rt_bind_null(s, 4);
    object.n ? rt_bind_text(s, 5, object.p, object.n) : rt_bind_null(s, 5);
    return events__finish(s, err);
}

/* Keeps a busy room near its cap without counting: every so many events the surplus goes. */
static int trim(struct rt_events *e, struct rt_conn *c, struct rt_str room, int64_t seq, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = events__prepare(c, "DELETE FROM perigee_events WHERE room = ? AND seq <= ?", &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, room.p, room.n);
    rt_bind_int(s, 2, seq - RT_EVENTS_PER_ROOM);
    rc = events__finish(s, err);
    atomic_fetch_sub(&e->rows, rc ? 0 : rt_conn_changes(c));
    return rc;
}

static void note_logged(struct rt_events *e, struct rt_str room, int64_t at)
{
    pthread_mutex_lock(&e->mu);
    struct kept *k = events__find(e, room);
    if (k && k->oldest == 0)
        k->oldest = at;
    pthread_mutex_unlock(&e->mu);
    atomic_fetch_add(&e->logged, 1);
    atomic_fetch_add(&e->rows, 1);
}

int rt_events_log(struct rt_events *e, struct rt_str room, struct rt_str object, struct rt_str except,
                  struct rt_hub_op **ret_op, int64_t *ret_seq, struct rt_err *err)
{
    struct rt_conn *c = rt_writer_conn(e->writer);
    int64_t seq, at = rt_now_ms();
    if (rt_tx_lost(e->writer))
        return rt_err_set(err, RT_E_INTERNAL, "the transaction was rolled back by the database");
    int rc = events__last(c, room, &seq, err);
    if (rc <= 0)
        return rc;
    struct rt_ws_text *text = events__text(room, ++seq, object);
    struct rt_hub_op *op = text ? rt_hub_message(e->hub, e->app, room, seq, text, except) : NULL;
    if (!op)
        return rt_err_set(err, RT_E_NOMEM, "no memory for an event");
    rc = insert(c, room, seq, at, except, object, err);
    if (rc == 0 && seq % TRIM_EVERY == 0)
        rc = trim(e, c, room, seq, err);
    if (rc) {
        struct rt_hub_ops undone = { op, op };
        rt_hub_ops_cut(&undone, NULL);
        return rc;
    }
    note_logged(e, room, at);
    *ret_op = op;
    *ret_seq = seq;
    return 1;
}

/* ---- the marker ---- */

static struct kept *begin_opening(struct rt_events_open *o)
{
    struct rt_events *e = o->events;
    pthread_mutex_lock(&e->mu);
    struct kept *k = events__add(e, (struct rt_str){ o->room, o->room_n });
    if (k) {
        k->state = KEPT_MAYBE;
        k->opening++;
        o->version = ++k->version;
    }
    pthread_mutex_unlock(&e->mu);
    return k;
}

static void end_opening(struct rt_events_open *o, bool committed)
{
    struct rt_events *e = o->events;
    pthread_mutex_lock(&e->mu);
    struct kept *k = events__find(e, (struct rt_str){ o->room, o->room_n });
    k->opening--;
    if (committed && k->version == o->version) /* no later turn may have removed the row again */
        k->state = KEPT_YES;
    k->seen = rt_now_ms();
    pthread_mutex_unlock(&e->mu);
}

static int write_marker(struct rt_events *e, struct rt_conn *c, struct rt_str room, struct rt_err *err)
{
    int64_t seq, floor = 0, now = rt_now_ms();
    int rc = events__last(c, room, &seq, err);
    if (rc)
        return rc < 0 ? rc : 0; /* it has a row: this commit only makes sure of it */
    rc = rt_conn_int(c, "SELECT seq FROM perigee_events_floor", &floor, err);
    if (rc)
        return rc;
    atomic_fetch_add(&e->rows, 1);
    return insert(c, room, now > floor ? now : floor + 1, now, (struct rt_str){ 0 }, (struct rt_str){ 0 }, err);
}

/* In the turn, which it ends. */
static int open_room(struct rt_events_open *o, struct rt_err *err)
{
    struct rt_events *e = o->events;
    int rc = begin_opening(o) ? 0 : rt_err_set(err, RT_E_NOMEM, "no memory for a room");
    if (rc) {
        rt_tx_end(e->writer, &o->tx, false, NULL);
        return rc;
    }
    rc = write_marker(e, rt_writer_conn(e->writer), (struct rt_str){ o->room, o->room_n }, err);
    int ended = rt_tx_end(e->writer, &o->tx, rc == 0, rc ? NULL : err);
    rc = rc ? rc : ended;
    if (rc)
        end_opening(o, false);
    return rc;
}

static struct rt_events_open *opening_of(struct rt_tx *tx)
{
    return (struct rt_events_open *)((char *)tx - offsetof(struct rt_events_open, tx));
}

static void granted(struct rt_tx *tx)
{
    struct rt_events_open *o = opening_of(tx);
    int rc = open_room(o, NULL);
    if (rc)
        o->done(o, rc);
}

static void committed(struct rt_tx *tx) { end_opening(opening_of(tx), true); }

static void done(struct rt_tx *tx, int code)
{
    struct rt_events_open *o = opening_of(tx);
    if (code && o->version)
        end_opening(o, false);
    o->done(o, code);
}

int rt_events_open(struct rt_events *e, struct rt_events_open *o, struct rt_str room, struct rt_mailbox *mailbox,
                   struct rt_err *err)
{
    pthread_mutex_lock(&e->mu);
    struct kept *k = events__find(e, room);
    bool kept = k && k->state == KEPT_YES;
    if (kept)
        k->seen = rt_now_ms();
    pthread_mutex_unlock(&e->mu);
    if (kept)
        return 1;
    o->events = e;
    o->version = 0;
    o->room_n = room.n;
    memcpy(o->room, room.p, room.n);
    o->tx = (struct rt_tx){ .granted = granted, .done = done, .effects = committed, .mailbox = mailbox };
    int rc = rt_tx_begin(e->writer, &o->tx, err);
    if (rc == RT_TX_GRANTED)
        return open_room(o, err);
    return rc == RT_TX_QUEUED ? 0 : rc;
}
