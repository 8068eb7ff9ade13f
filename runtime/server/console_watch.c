/* SPDX-License-Identifier: Apache-2.0
 *
 * What a console watches: requests and the log through a tap of all workers, a room as an observer of the hub. The
 * observer lives on worker 0, whose thread hands each event over to the console's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/events.h"
#include "server/console_session.h"
#include "server/worker_ask.h"

static void show(struct rt_message *m)
{
    struct console_frame *x = console__frame(m);
    if (x->s->watching)
        console__watch(x->s, rt_json_document(x->text, x->n));
    free(x);
}

static void seen(void *session, const char *record, size_t n) { console__post(session, record, n, show); }

void console__watch_requests(void *session, const char *app, int status)
{
    struct rt_session *s = session;
    s->watch = (struct rt_recent_watch){ .seen = seen, .arg = s, .status = status, .log = status < 0 };
    snprintf(s->watch.app, sizeof s->watch.app, "%s", app);
    s->watching = true;
    rt_recent_watch(&s->watch);
}

/* ---- rooms: all on worker 0's thread but what is said to be the console's ---- */

struct console_room {
    struct rt_session *s;
    struct rt_hub_conn *conn;
    struct rt_events_open open;
    bool opening, over; /* over: the console has gone on, `s` is nobody's any more */
    char name[RT_HUB_NAME_MAX + 1];
};

static void fail_here(struct rt_message *m) /* the console's */
{
    struct console_frame *x = console__frame(m);
    if (x->s->watching) {
        console__print(x->s, x->text, x->n);
        rt_repl_answer(x->s->place->repl, false);
    }
    free(x);
}

static void fail(struct console_room *r, int code)
{
    char text[120];
    int n = snprintf(text, sizeof text, "the room cannot be watched: %s", rt_code_name(code));
    console__post(r->s, text, (size_t)n, fail_here);
}

static void drop(struct console_room *r)
{
    if (r->conn)
        rt_hub_conn_free(r->conn);
    free(r);
}

static void deliver(void *room, struct rt_ws_text *text)
{
    struct console_room *r = room;
    size_t n;
    const char *p = rt_ws_text_get(text, &n);
    seen(r->s, p, n);
}

static void closed(void *room, int code, const char *reason) { (void)room, (void)code, (void)reason; }

static void opened(struct rt_events_open *o, int code)
{
    struct console_room *r = o->owner;
    r->opening = false;
    if (r->over)
        drop(r);
    else if (code)
        fail(r, code);
    else
        rt_hub_activate(r->conn, rt_str_of(r->name), 0);
}

static void begin(struct rt_worker *w, void *room)
{
    static const struct rt_hub_handler handler = { deliver, closed };
    struct console_room *r = room;
    struct rt_events *e = w->host->apps[r->s->app].shared.events;
    struct rt_str name = rt_str_of(r->name);
    r->conn = e ? rt_hub_conn_new(w->inbox, rt_events_app(e), &handler, r) : NULL;
    int rc = !e ? RT_E_NOTFOUND : r->conn ? rt_hub_observe(r->conn, name) : RT_E_NOMEM;
    if (rc == 0) {
        r->open = (struct rt_events_open){ .done = opened, .owner = r };
        rc = rt_events_open(e, &r->open, name, w->mailbox, NULL);
        r->opening = rc == 0;
    }
    if (rc == 1)
        rt_hub_activate(r->conn, name, 0);
    else if (rc < 0)
        fail(r, rc);
}

static void end(struct rt_worker *w, void *room)
{
    struct console_room *r = room;
    (void)w;
    r->over = true;
    if (!r->opening)
        drop(r);
    else if (r->conn)
        rt_hub_conn_close(r->conn);
}

/* ---- the console's ---- */

void console__watch_room(void *session, const char *room)
{
    struct rt_session *s = session;
    s->watching = true;
    s->room = calloc(1, sizeof *s->room);
    if (!s->room)
        abort(); /* as for a frame: the line could not even end */
    s->room->s = s;
    snprintf(s->room->name, sizeof s->room->name, "%s", room);
    rt_worker_ask(&s->host->workers[0], begin, s->room);
}

void console__unwatch(struct rt_session *s)
{
    if (s->watching && !s->room)
        rt_recent_unwatch(&s->watch);
    if (s->room)
        rt_worker_ask(&s->host->workers[0], end, s->room);
    s->room = NULL;
    s->watching = false;
}
