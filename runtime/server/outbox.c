/* SPDX-License-Identifier: Apache-2.0
 *
 * One round: let transfers move on, read what commits have added, begin what is due, record what has ended. The
 * thread sleeps in the client's wait; commits and the mailbox wake it. */
#include "server/outbox_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "outbox/message.h"

enum { SLOTS = 256, EACH = 4, UNRECORDED_MAX = 512, ROWS_MAX = UNRECORDED_MAX + SLOTS + EACH + 1 };
enum { SLEEP_MAX_MS = 60000, SLEEP_WRITING_MS = 1000, RETRY_MS = 1000, FULL_MS = 200 };

void rt_outbox_wake(struct rt_outbox *o)
{
    if (o && !atomic_exchange(&o->woken, true))
        rt_client_wake(o->client);
}

static void wake(void *arg) { rt_outbox_wake(arg); }

/* After a commit, on its committer's thread. */
static void outbox_set(void *arg, bool again)
{
    struct outbox_app *app = arg;
    atomic_store(again ? &app->again : &app->news, true);
    if (again)
        atomic_store(&app->news, true);
    rt_outbox_wake(app->outbox);
}

static void found(void *arg, int64_t webhook, int64_t next_at)
{
    struct outbox_app *app = arg;
    if (webhook == 0 && !app->outbox->smtp_url)
        rt_log(RT_LOG_WARN, "mail waits: there is no SMTP server, set smtp-url", "app", app->shared->name, NULL);
    else if (rt_queue_due(app->outbox->queue, app->index, webhook, next_at))
        atomic_store(&app->again, true);
}

static void read_news(struct outbox_app *app)
{
    struct rt_err err;
    int rc = 0;
    if (atomic_exchange(&app->news, false))
        rc = rt_delivery_news(app->reader, &app->last, found, app, &err);
    if (rc == 0 && atomic_exchange(&app->again, false))
        rc = rt_delivery_pending(app->reader, found, app, &err);
    if (rc == 0)
        return;
    rt_log(RT_LOG_ERROR, "the outbox cannot be read", "app", app->shared->name, "error", err.msg, NULL);
    atomic_store(&app->again, true);
}

static int begin_due(struct outbox_app *app, int64_t endpoint, int room, bool *ret_more, struct rt_err *err)
{
    struct rt_queue *q = app->outbox->queue;
    int64_t seqs[ROWS_MAX], now = rt_now_ms(), next;
    int want = rt_queue_held(q, app->index, endpoint) + room + 1, begun = 0;
    int n = rt_delivery_due(app->reader, endpoint, now, seqs, want < ROWS_MAX ? want : ROWS_MAX, err);
    for (int i = 0; i < n; i++) {
        if (rt_queue_holds(q, app->index, endpoint, seqs[i]))
            continue;
        if (begun == room) {
            *ret_more = true;
            return 0;
        }
        int rc = outbox__ship(app, endpoint, seqs[i], err);
        if (rc < 0)
            return rc;
        begun += rc;
    }
    int rc = n < 0 ? n : rt_delivery_next(app->reader, endpoint, now, &next, err);
    return rc || next == INT64_MAX ? rc : rt_queue_due(q, app->index, endpoint, next);
}

static void begin_all(struct rt_outbox *o)
{
    int index, room;
    int64_t endpoint;
    while (rt_queue_next(o->queue, &index, &endpoint, &room)) {
        struct outbox_app *app = &o->apps[index];
        struct rt_err err = { 0 };
        bool more = false;
        int rc = 0;
        if (app->ended.n + app->recording.n >= UNRECORDED_MAX)
            rt_queue_due(o->queue, index, endpoint, rt_now_ms() + FULL_MS);
        else
            rc = begin_due(app, endpoint, room, &more, &err);
        if (rc) {
            rt_log(RT_LOG_ERROR, "a delivery cannot be begun", "app", app->shared->name, "error", err.msg, NULL);
            rt_queue_due(o->queue, index, endpoint, rt_now_ms() + RETRY_MS);
        }
        rt_queue_end_turn(o->queue, more);
    }
}

/* How long nothing will happen by itself. */
static int sleep_ms(struct rt_outbox *o, int64_t next_at)
{
    int64_t now = rt_now_ms(), ms = next_at > now + SLEEP_MAX_MS ? SLEEP_MAX_MS : next_at - now;
    int64_t patience = rt_queue_patience(o->queue, outbox__mono_ms());
    if (patience >= 0 && patience < ms)
        ms = patience;
    for (int a = 0; a < o->n_apps; a++) {
        const struct outbox_app *app = &o->apps[a];
        if (outbox__record_due(app, now))
            return 0;
        if ((app->ended.head || atomic_load(&app->again)) && ms > SLEEP_WRITING_MS)
            ms = SLEEP_WRITING_MS;
    }
    return ms < 0 ? 0 : (int)ms;
}

/* After the drain has begun: everything that is on its way has ended and is recorded, or time is up. What the writer
 * still has of ours is waited for in any case. */
static bool finished(struct rt_outbox *o)
{
    bool late = rt_mono_ns() > atomic_load(&o->drain_until_ns), idle = rt_client_running(o->client) == 0;
    for (int a = 0; a < o->n_apps; a++) {
        if (o->apps[a].writing)
            return false;
        idle = idle && !o->apps[a].ended.head;
    }
    return idle || late;
}

static void work_round(struct rt_outbox *o, bool draining)
{
    int64_t next_at = rt_queue_advance(o->queue, rt_now_ms(), outbox__mono_ms());
    int ms = sleep_ms(o, next_at);
    rt_client_run(o->client, draining && ms > 50 ? 50 : ms);
    atomic_store(&o->woken, false);
    rt_mailbox_run(o->mailbox);
    for (int a = 0; a < o->n_apps; a++)
        read_news(&o->apps[a]);
    rt_queue_advance(o->queue, rt_now_ms(), outbox__mono_ms());
    if (!draining)
        begin_all(o);
    for (int a = 0; a < o->n_apps; a++) {
        outbox__record(&o->apps[a]);
        rt_writer_flush(o->apps[a].shared->writer);
    }
}

static void *work(void *arg)
{
    struct rt_outbox *o = arg;
    pthread_setname_np(pthread_self(), "outbox");
    for (;;) {
        bool draining = atomic_load(&o->draining);
        if (draining && finished(o))
            return NULL;
        work_round(o, draining);
    }
}

static int check_settings(struct rt_outbox *o, struct rt_client_limits *limits, struct rt_err *err)
{
    const struct rt_options *opt = o->host->options;
    struct rt_err why;
    limits->timeout_ms = opt->webhook_timeout * 1000;
    o->smtp_url = opt->smtp_url && opt->smtp_url[0] ? opt->smtp_url : NULL;
    o->mail_from = opt->mail_from;
    int rc = rt_target_allow_parse(opt->outbound_allow, &limits->allow, &why);
    if (rc)
        return rt_err_set(err, rc, "outbound-allow: %s", why.msg);
    rc = rt_schedule_parse(opt->webhook_schedule, &o->schedule, &why);
    if (rc)
        return rt_err_set(err, rc, "webhook-schedule: %s", why.msg);
    if (!o->smtp_url)
        return 0;
    rc = rt_client_mail_url(o->smtp_url, &why);
    if (rc)
        return rt_err_set(err, rc, "smtp-url: %s", why.msg);
    struct rt_str address = rt_message_address(rt_str_of(o->mail_from), NULL);
    if (!address.n)
        return rt_err_set(err, RT_E_INVALID,
                          "mail-from: smtp-url needs an address that mail comes from, like "
                          "\"Example <no-reply@example.com>\"");
    snprintf(o->mail_address, sizeof o->mail_address, "%.*s", (int)address.n, address.p);
    return 0;
}

static int open_app(struct rt_outbox *o, int a, struct rt_err *err)
{
    struct outbox_app *app = &o->apps[a];
    *app = (struct outbox_app){ .outbox = o, .index = a, .shared = &o->host->apps[a].shared };
    outbox__list_init(&app->ended);
    outbox__list_init(&app->recording);
    atomic_store(&app->again, true); /* what was due while we were down */
    int rc = rt_conn_open(app->shared->db_path, RT_CONN_READ, &app->reader, err);
    if (rc == 0)
        rc = rt_conn_int(app->reader, "SELECT ifnull(max(seq), 0) FROM perigee_outbox", &app->last, err);
    app->shared->keep_mail = !o->smtp_url && o->host->options->env == RT_ENV_DEVELOPMENT;
    app->shared->outbox_arg = app;
    app->shared->outbox_set = outbox_set;
    return rc;
}

int rt_outbox_new(struct rt_host *h, struct rt_outbox **ret, struct rt_err *err)
{
    struct rt_client_limits limits = { 0 };
    struct rt_outbox *o = calloc(1, sizeof *o);
    if (!o)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the outbox");
    o->host = h;
    *ret = o; /* freed by the caller also when this fails */
    int rc = check_settings(o, &limits, err);
    if (rc == 0)
        rc = rt_client_global(err);
    if (rc == 0)
        rc = rt_client_new(&limits, &o->client, err);
    if (rc)
        return rc;
    o->queue = rt_queue_new(h->n_apps, SLOTS, EACH);
    o->mailbox = rt_mailbox_new(wake, o);
    if (!o->queue || !o->mailbox)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the outbox");
    for (; rc == 0 && o->n_apps < h->n_apps; o->n_apps++)
        rc = open_app(o, o->n_apps, err);
    if (rc == 0 && !o->smtp_url && h->options->env == RT_ENV_PRODUCTION)
        rt_log(RT_LOG_WARN, "there is no SMTP server (smtp-url): mail waits until there is one", NULL);
    return rc;
}

int rt_outbox_start(struct rt_outbox *o, struct rt_err *err)
{
    if (pthread_create(&o->thread, NULL, work, o))
        return rt_err_set(err, RT_E_IO, "cannot start the outbox's thread");
    o->running = true;
    return 0;
}

void rt_outbox_drain(struct rt_outbox *o)
{
    if (!o || !o->running)
        return;
    atomic_store(&o->drain_until_ns, rt_mono_ns() + (uint64_t)o->host->options->drain_seconds * 1000000000u);
    atomic_store(&o->draining, true);
    rt_client_wake(o->client);
}

void rt_outbox_join(struct rt_outbox *o)
{
    if (!o || !o->running)
        return;
    pthread_join(o->thread, NULL);
    o->running = false;
}

static void drop(struct rt_queue_item *item)
{
    outbox__free((struct shipment *)((char *)item - offsetof(struct shipment, item)));
}

void rt_outbox_free(struct rt_outbox *o)
{
    if (!o)
        return;
    rt_client_free(o->client);
    for (int a = 0; a < o->n_apps; a++)
        rt_conn_close(o->apps[a].reader);
    rt_queue_free(o->queue, drop);
    rt_mailbox_free(o->mailbox);
    free(o);
}
