/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands ask of the running server: status, reload, rollback. A thread of its own listens, so the
 * state can be asked for while a release is being made. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/console.h"
#include "server/control.h"
#include "server/releaser_internal.h"

enum { STATUS_MAX = 4 << 20, REST_MS = 50 };

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

static void put_app(struct rt_buf *b, const char *name, const struct releaser_app *app)
{
    rt_buf_putc(b, '{');
    put_text(b, "name", name);
    rt_buf_printf(b, ",\"release\":%d,\"hash\":\"%s\",", app->number, app->hash);
    if (app->error) {
        rt_buf_puts(b, "\"refused_at\":\"");
        put_time(b, app->refused_at);
        rt_buf_puts(b, "\",");
    }
    put_text(b, "error", app->error);
    rt_buf_putc(b, '}');
}

static void put_json(struct rt_releaser *r, int retired, struct rt_buf *b)
{
    struct rt_host *h = r->host;
    const char *error = NULL;
    rt_buf_printf(b, "{\"version\":\"%s\",\"pid\":%d,\"workers\":%d,\"started\":\"", PERIGEE_VERSION, (int)getpid(),
                  h->n_workers);
    put_time(b, h->started);
    rt_buf_printf(b, "\",\"release\":%d,\"retired\":%d,\"watching\":%s,\"making\":%s,\"apps\":[",
                  atomic_load(&r->number), retired, r->watcher ? "true" : "false", r->making ? "true" : "false");
    for (int a = 0; a < h->n_apps; a++) {
        rt_buf_puts(b, a ? "," : "");
        put_app(b, h->apps[a].shared.name, &r->app[a]);
        error = error ? error : r->app[a].error;
    }
    rt_buf_puts(b, "],");
    put_text(b, "error", error);
    rt_buf_puts(b, "}\n");
}

static void put_lines(struct rt_releaser *r, int retired, struct rt_buf *b)
{
    struct rt_host *h = r->host;
    rt_buf_printf(b, "perigee %s, process %d, %d %s, serving since ", PERIGEE_VERSION, (int)getpid(), h->n_workers,
                  h->n_workers == 1 ? "worker" : "workers");
    put_time(b, h->started);
    rt_buf_printf(b, "\nrelease %d%s\n", atomic_load(&r->number), r->making ? ", another one is being made" : "");
    rt_buf_puts(b, r->watcher ? "saved files go live at once\n" : "saved files wait for `perigee reload`\n");
    if (retired)
        rt_buf_printf(b, "%d former %s still used by requests or sockets\n", retired,
                      retired == 1 ? "release is" : "releases are");
    for (int a = 0; a < h->n_apps; a++) {
        const struct releaser_app *app = &r->app[a];
        rt_buf_printf(b, "  %-20s %.12s, live since release %d\n", h->apps[a].shared.name, app->hash, app->number);
        if (!app->error)
            continue;
        rt_buf_puts(b, "    refused at ");
        put_time(b, app->refused_at);
        rt_buf_printf(b, ": %s\n", app->error);
    }
}

void rt_releaser_status(struct rt_host *h, bool json, struct rt_buf *out)
{
    struct rt_releaser *r = h->releaser;
    int retired = rt_metrics_retired(h);
    pthread_mutex_lock(&r->mu);
    (json ? put_json : put_lines)(r, retired, out);
    pthread_mutex_unlock(&r->mu);
}

/* ---- commands ------------------------------------------------------------------------------------------------ */

/* A command that waits for a release. */
struct command {
    struct rt_reload reload;
    struct rt_control_request request;
};

static void answer_reload(struct rt_reload *reload, int status, const char *text)
{
    struct command *c = (struct command *)reload;
    rt_control_answer(&c->request, status, text, strlen(text));
    free(c);
}

static void ask(struct rt_releaser *r, const struct rt_control_request *q, int number)
{
    static const char full[] = "no memory\n";
    struct command *c = calloc(1, sizeof *c);
    struct rt_control_request request = *q;
    if (!c) {
        rt_control_answer(&request, 1, full, sizeof full - 1);
        return;
    }
    c->request = request;
    c->reload.number = number;
    c->reload.done = answer_reload;
    snprintf(c->reload.who, sizeof c->reload.who, "%s", q->who);
    rt_releaser_ask(r->host, &c->reload);
}

static void answer_status(struct rt_releaser *r, struct rt_control_request *q, bool json)
{
    struct rt_buf out;
    rt_buf_init(&out, STATUS_MAX);
    rt_releaser_status(r->host, json, &out);
    rt_control_answer(q, 0, out.data ? out.data : "", out.len);
    rt_buf_fini(&out);
}

static void serve(struct rt_releaser *r, struct rt_control_request *q)
{
    static const char unknown[] = "the server does not know this command: is it of the same version?\n";
    int number = strncmp(q->line, "rollback ", 9) == 0 ? atoi(q->line + 9) : 0;
    if (strcmp(q->line, "reload") == 0 || number > 0)
        ask(r, q, number);
    else if (strncmp(q->line, RT_CONSOLE_COMMAND, sizeof RT_CONSOLE_COMMAND - 1) == 0)
        rt_consoles_begin(r->host, q);
    else if (strcmp(q->line, "status") == 0 || strcmp(q->line, "status --json") == 0)
        answer_status(r, q, q->line[6] != 0);
    else
        rt_control_answer(q, 2, unknown, sizeof unknown - 1);
}

void *releaser__commands(void *releaser)
{
    struct rt_releaser *r = releaser;
    pthread_setname_np(pthread_self(), "commands");
    while (!atomic_load(&r->stop)) {
        struct pollfd p[2] = { { .fd = r->stop_fd, .events = POLLIN },
                               { .fd = rt_control_fd(r->control), .events = POLLIN } };
        struct rt_control_request q;
        if (poll(p, 2, -1) <= 0 || !p[1].revents)
            continue;
        if (rt_control_take(r->control, &q))
            serve(r, &q);
        else
            poll(p, 1, REST_MS); /* without a descriptor for it the next one waits on */
    }
    return NULL;
}
