/* SPDX-License-Identifier: Apache-2.0
 *
 * What there is: sockets and requests of the workers, releases, apps. */
#include <stdlib.h>

#include "base/json.h"
#include "server/console_session.h"
#include "server/history.h"
#include "server/releaser.h"
#include "server/worker_ask.h"

enum { SOCKETS_SHOWN = 500, RELEASES_SHOWN = 50 };

/* ---- sessions ---- */

struct listing {
    struct rt_buf *out;
    const struct rt_release *release;
    const char *app;
    int worker, n;
};

static void put_socket(void *arg, const struct rt_channel_info *i)
{
    struct listing *l = arg;
    if (l->n++ >= SOCKETS_SHOWN)
        return;
    rt_buf_printf(l->out, "%s{\"worker\":%d,\"release\":%d,\"rooms\":%u", l->n > 1 ? "," : "", l->worker,
                  l->release->number, i->rooms);
    rt_json_put_member(l->out, "app", l->app);
    rt_json_put_member(l->out, "path", i->path);
    rt_json_put_member(l->out, "request", i->id);
    rt_buf_puts(l->out, ",\"label\":");
    rt_json_put_string(l->out, i->label.p ? i->label.p : "", i->label.n);
    rt_buf_putc(l->out, '}');
}

static void put_release(struct listing *l, struct rt_worker *w, struct rt_release *r)
{
    l->release = r;
    l->app = w->host->apps[r->index].shared.name;
    rt_channels_each(r->at[w->index].vm, put_socket, l);
}

static void look(struct rt_worker *w, void *arg)
{
    struct listing *l = arg;
    struct rt_routing *routing = rt_routing_now(w->host);
    l->worker = w->index;
    for (int a = 0; a < w->host->n_apps; a++)
        put_release(l, w, routing->release[a]);
    for (struct rt_release *r = w->retired; r; r = r->at[w->index].next)
        put_release(l, w, r);
}

void console__sessions(void *session, struct rt_buf *out)
{
    struct rt_host *h = ((struct rt_session *)session)->host;
    struct listing l = { .out = out };
    rt_buf_puts(out, "{\"workers\":[");
    for (int w = 0; w < h->n_workers; w++)
        rt_buf_printf(out, "%s{\"worker\":%d,\"requests\":%u,\"connections\":%u}", w ? "," : "", w,
                      rt_http_active(h->workers[w].http), rt_http_connections(h->workers[w].http));
    rt_buf_puts(out, "],\"sockets\":[");
    for (int w = 0; w < h->n_workers; w++)
        rt_worker_ask(&h->workers[w], look, &l);
    rt_buf_printf(out, "],\"more\":%d,\"consoles\":%d}", l.n > SOCKETS_SHOWN ? l.n - SOCKETS_SHOWN : 0,
                  console__count());
}

/* ---- releases ---- */

static void put_entry(struct rt_buf *out, const struct rt_history_entry *e)
{
    rt_buf_printf(out, "{\"release\":%d,\"at\":", e->number);
    rt_json_put_time(out, e->at);
    rt_json_put_member(out, "who", e->who);
    rt_json_put_member(out, "reason", e->reason);
    rt_buf_puts(out, ",\"apps\":\"");
    for (int a = 0; a < e->n_apps; a++)
        rt_buf_printf(out, "%s%s %.12s", a ? ", " : "", e->app[a].name, e->app[a].hash);
    rt_buf_puts(out, "\"}");
}

void console__releases(void *session, struct rt_buf *out)
{
    struct rt_history *h;
    struct rt_history_entry *list;
    int n = 0;
    rt_buf_putc(out, '[');
    if (rt_history_open_read(((struct rt_session *)session)->host->options->data, &h, NULL) == 0) {
        if (rt_history_list(h, RELEASES_SHOWN, &list, &n, NULL) == 0) {
            for (int i = 0; i < n; i++) {
                rt_buf_puts(out, i ? "," : "");
                put_entry(out, &list[i]);
            }
            free(list);
        }
        rt_history_close(h);
    }
    rt_buf_putc(out, ']');
}

void console__apps(void *session, struct rt_buf *out)
{
    struct rt_host *h = ((struct rt_session *)session)->host;
    rt_buf_putc(out, '[');
    for (int a = 0; a < h->n_apps; a++)
        rt_buf_printf(out, "%s\"%s\"", a ? "," : "", h->apps[a].shared.name);
    rt_buf_putc(out, ']');
}
