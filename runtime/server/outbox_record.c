/* SPDX-License-Identifier: Apache-2.0
 *
 * Outcomes are written in batches: all that ended while the last batch was being synced make the next one. One that
 * cannot be written (a full disk) is kept and tried again: sending it again instead would repeat forever what has
 * arrived. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/timers.h"
#include "server/outbox_internal.h"

enum { BATCH = 128, PRUNE = 200, PRUNE_EVERY_S = 60, AGAIN_MS = 1000 };

void outbox__list_init(struct shipments *list)
{
    list->head = NULL;
    list->tail = &list->head;
    list->n = 0;
}

static void list_push(struct shipments *list, struct shipment *s)
{
    s->next = NULL;
    *list->tail = s;
    list->tail = &s->next;
    list->n++;
}

static struct shipment *list_pop(struct shipments *list)
{
    struct shipment *s = list->head;
    if (s && !(list->head = s->next))
        list->tail = &list->head;
    list->n -= s != NULL;
    return s;
}

void outbox__ended(struct outbox_app *app, struct shipment *s) { list_push(&app->ended, s); }

/* The app hears of it by a timer of the host's (prelude/webhooks.lua), so that it happens once. */
static int set_timer(struct outbox_app *app, struct rt_conn *c, int64_t webhook, const struct rt_buf *owner,
                     struct rt_err *err)
{
    char key[64];
    struct rt_buf args;
    int64_t now = rt_now();
    rt_buf_init(&args, 0);
    snprintf(key, sizeof key, "perigee.webhook_disabled:%lld", (long long)webhook);
    rt_buf_printf(&args, "{\"id\":%lld,\"owner\":", (long long)webhook);
    rt_json_put_string(&args, owner->data, owner->len);
    rt_buf_putc(&args, '}');
    int rc = args.failed ? rt_err_set(err, RT_E_NOMEM, "no memory for a timer")
                         : rt_timer_put(c, rt_str_of(key), now, RT_STR("perigee.webhook_disabled"),
                                        (struct rt_str){ args.data, args.len }, err);
    rt_buf_fini(&args);
    app->timer_due = now;
    return rc;
}

static int judge_endpoint(struct outbox_app *app, struct rt_conn *c, const struct shipment *s, struct rt_err *err)
{
    int64_t webhook = s->delivery.webhook, patience = app->outbox->host->options->webhook_disable_after;
    struct rt_buf owner;
    if (webhook == 0 || !s->delivery.endpoint.active)
        return 0;
    if (s->verdict == RT_DELIVERED)
        return rt_endpoint_succeeded(c, webhook, err);
    rt_buf_init(&owner, 0);
    int rc =
        rt_endpoint_failed(c, webhook, s->attempt.status == RT_STATUS_GONE, s->ended_ms / 1000, patience, &owner, err);
    if (rc > 0) {
        atomic_fetch_add(&app->disabled, 1);
        rt_log(RT_LOG_WARN, "a webhook was disabled", "app", app->shared->name, "owner", rt_buf_cstr(&owner), "why",
               s->attempt.status == RT_STATUS_GONE ? "410 Gone" : "it failed for too long", NULL);
        rc = set_timer(app, c, webhook, &owner, err);
    }
    rt_buf_fini(&owner);
    return rc;
}

static int prune(struct outbox_app *app, struct rt_conn *c, struct rt_err *err)
{
    int64_t now = rt_now(), before = now - app->outbox->host->options->webhook_log_days * 86400;
    if (now < app->prune_at)
        return 0;
    int n = rt_delivery_prune(c, before, PRUNE, err);
    app->prune_at = now + (n == PRUNE ? 1 : PRUNE_EVERY_S);
    return n < 0 ? n : 0;
}

/* Takes them back: to be tried again in a moment, before those that ended since. */
static void put_back(struct outbox_app *app, const char *why)
{
    struct shipment *s;
    rt_log(RT_LOG_ERROR, "outcomes of deliveries cannot be recorded", "app", app->shared->name, "error", why, NULL);
    while ((s = list_pop(&app->ended)))
        list_push(&app->recording, s);
    app->ended = app->recording;
    if (!app->ended.head)
        app->ended.tail = &app->ended.head;
    outbox__list_init(&app->recording);
    app->writing = false;
    app->record_at = rt_now_ms() + AGAIN_MS;
}

static void recorded(struct rt_tx *tx, int code)
{
    struct outbox_app *app = (struct outbox_app *)((char *)tx - offsetof(struct outbox_app, tx));
    struct rt_queue *q = app->outbox->queue;
    struct shipment *s;
    if (code) {
        put_back(app, rt_code_name(code));
        return;
    }
    app->writing = false;
    if (app->timer_due) /* an endpoint was disabled: its rows are due */
        atomic_store(&app->again, true);
    while ((s = list_pop(&app->recording))) {
        if (s->verdict == RT_TRY_AGAIN)
            rt_queue_due(q, app->index, s->item.endpoint, s->next_at);
        rt_queue_done(q, &s->item);
        outbox__free(s);
    }
}

/* With the turn to write. */
static void write_batch(struct rt_tx *tx)
{
    struct outbox_app *app = (struct outbox_app *)((char *)tx - offsetof(struct outbox_app, tx));
    struct rt_writer *w = app->shared->writer;
    struct rt_conn *c = rt_writer_conn(w);
    struct rt_err err = { 0 };
    struct shipment *s;
    int rc = prune(app, c, &err);
    app->timer_due = 0;
    while (app->recording.n < BATCH && (s = list_pop(&app->ended)))
        list_push(&app->recording, s);
    for (s = app->recording.head; s && rc == 0; s = s->next) {
        rc = rt_delivery_record(c, &s->delivery, &s->attempt, s->verdict, s->ended_ms, s->next_at, &err);
        rc = rc ? rc : judge_endpoint(app, c, s, &err);
    }
    if (rc)
        rt_tx_end(w, tx, false, NULL);
    else
        rc = rt_tx_end(w, tx, true, &err);
    if (rc)
        put_back(app, err.msg);
}

static void committed(struct rt_tx *tx)
{
    struct outbox_app *app = (struct outbox_app *)((char *)tx - offsetof(struct outbox_app, tx));
    if (app->timer_due && app->shared->timer_set)
        app->shared->timer_set(app->shared->timer_arg, app->timer_due);
}

bool outbox__record_due(const struct outbox_app *app, int64_t now_ms)
{
    return !app->writing && app->ended.head && now_ms >= app->record_at;
}

static bool prune_due(struct outbox_app *app)
{
    int64_t now = rt_now(), before = now - app->outbox->host->options->webhook_log_days * 86400;
    if (now < app->prune_at || app->writing || rt_now_ms() < app->record_at)
        return false;
    bool old = rt_delivery_old(app->reader, before);
    if (!old)
        app->prune_at = now + PRUNE_EVERY_S;
    return old;
}

void outbox__record(struct outbox_app *app)
{
    struct rt_err err;
    if (!outbox__record_due(app, rt_now_ms()) && !prune_due(app))
        return;
    app->tx = (struct rt_tx){
        .granted = write_batch, .done = recorded, .effects = committed, .mailbox = app->outbox->mailbox
    };
    app->writing = true;
    int rc = rt_tx_begin(app->shared->writer, &app->tx, &err);
    if (rc == RT_TX_GRANTED)
        write_batch(&app->tx);
    else if (rc < 0)
        put_back(app, err.msg);
}
