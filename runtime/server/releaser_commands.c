/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands ask of the running server: status, reload, rollback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "server/control.h"
#include "server/releaser_internal.h"

static void put_text(struct rt_buf *b, const char *name, const char *text)
{
    rt_buf_printf(b, "\"%s\":", name);
    if (text)
        rt_json_put_string(b, text, strlen(text));
    else
        rt_buf_puts(b, "null");
}

static void put_time(struct rt_buf *b, int64_t at)
{
    char iso[RT_ISO_LEN + 1];
    rt_iso_write(at, iso);
    iso[RT_ISO_LEN] = 0;
    rt_buf_puts(b, iso);
}

static void put_json(struct rt_releaser *r, struct rt_buf *b)
{
    struct rt_host *h = r->host;
    struct rt_routing *g = rt_routing_now(h);
    const char *error = NULL;
    rt_buf_printf(b, "{\"version\":\"%s\",\"pid\":%d,\"workers\":%d,\"started\":\"", PERIGEE_VERSION, (int)getpid(),
                  h->n_workers);
    put_time(b, h->started);
    rt_buf_printf(b, "\",\"release\":%d,\"apps\":[", atomic_load(&r->number));
    for (int a = 0; a < h->n_apps; a++) {
        const struct failure *f = &r->failure[a];
        rt_buf_puts(b, a ? ",{" : "{");
        put_text(b, "name", h->apps[a].shared.name);
        rt_buf_printf(b, ",\"release\":%d,", g->release[a]->number);
        put_text(b, "hash", g->release[a]->hash);
        rt_buf_putc(b, ',');
        put_text(b, "error", f->text);
        rt_buf_putc(b, '}');
        error = error ? error : f->text;
    }
    rt_buf_puts(b, "],");
    put_text(b, "error", error);
    rt_buf_puts(b, "}\n");
}

static void put_lines(struct rt_releaser *r, struct rt_buf *b)
{
    struct rt_host *h = r->host;
    struct rt_routing *g = rt_routing_now(h);
    rt_buf_printf(b, "perigee %s, process %d, %d %s, serving since ", PERIGEE_VERSION, (int)getpid(), h->n_workers,
                  h->n_workers == 1 ? "worker" : "workers");
    put_time(b, h->started);
    rt_buf_printf(b, "\nrelease %d\n", atomic_load(&r->number));
    for (int a = 0; a < h->n_apps; a++) {
        const struct failure *f = &r->failure[a];
        rt_buf_printf(b, "  %-20s %.12s, live since release %d\n", h->apps[a].shared.name, g->release[a]->hash,
                      g->release[a]->number);
        if (!f->text)
            continue;
        rt_buf_puts(b, "    refused at ");
        put_time(b, f->at);
        rt_buf_printf(b, ": %s\n", f->text);
    }
}

void rt_releaser_status(struct rt_host *h, bool json, struct rt_buf *out)
{
    struct rt_releaser *r = h->releaser;
    pthread_mutex_lock(&r->mu);
    (json ? put_json : put_lines)(r, out);
    pthread_mutex_unlock(&r->mu);
}

static int run(struct rt_releaser *r, struct rt_control_request *q, struct rt_buf *out)
{
    if (strcmp(q->line, "reload") == 0)
        return releaser__reload(r, q->who, out);
    if (strncmp(q->line, "rollback ", 9) == 0)
        return releaser__rollback(r, atoi(q->line + 9), q->who, out);
    if (strcmp(q->line, "status") == 0 || strcmp(q->line, "status --json") == 0) {
        rt_releaser_status(r->host, q->line[6] != 0, out);
        return 0;
    }
    rt_buf_puts(out, "the server does not know this command: is it of the same version?\n");
    return 2;
}

void releaser__serve(struct rt_releaser *r)
{
    struct rt_control_request q;
    struct rt_buf out;
    if (!rt_control_take(r->control, &q))
        return;
    rt_buf_init(&out, 4 << 20);
    int status = run(r, &q, &out);
    rt_control_answer(&q, status, out.data ? out.data : "", out.len);
    rt_buf_fini(&out);
}
