/* SPDX-License-Identifier: Apache-2.0
 *
 * One delivery on its way. The body is sent as it is stored; the Standard Webhooks headers are made for each
 * attempt, as they carry its time. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "outbox/message.h"
#include "server/outbox_internal.h"

static struct shipment *new_shipment(struct outbox_app *app, int64_t endpoint, int64_t seq)
{
    struct shipment *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->app = app;
    s->item = (struct rt_queue_item){ .app = app->index, .endpoint = endpoint, .seq = seq };
    rt_delivery_init(&s->delivery);
    rt_buf_init(&s->headers, 0);
    rt_buf_init(&s->message, 0);
    return s;
}

void outbox__free(struct shipment *s)
{
    if (!s)
        return;
    rt_delivery_fini(&s->delivery);
    rt_buf_fini(&s->headers);
    rt_buf_fini(&s->message);
    free(s);
}

static void say(const struct shipment *s)
{
    const struct rt_delivery *d = &s->delivery;
    const struct rt_attempt *a = &s->attempt;
    bool mail = d->webhook == 0, over = s->verdict == RT_GIVE_UP;
    char attempt[24], status[24], webhook[24];
    enum rt_log_level level = over || mail ? RT_LOG_WARN : RT_LOG_DEBUG;
    if (!rt_log_enabled(level))
        return;
    snprintf(attempt, sizeof attempt, "%d", d->attempts + 1);
    snprintf(status, sizeof status, "%d", a->status);
    snprintf(webhook, sizeof webhook, "%lld", (long long)d->webhook);
    const char *what = mail ? (over ? "a mail is given up" : "a mail could not be sent, it is tried again")
                            : (over ? "a webhook's delivery is given up" : "a webhook's delivery failed");
    rt_log(level, what, "app", s->app->shared->name, "id", d->id, "webhook", mail ? "-" : webhook, "attempt", attempt,
           "status", status, "error", a->error ? a->error : "-", NULL);
}

static void count(const struct shipment *s)
{
    int kind = s->delivery.webhook ? OUTBOX_WEBHOOK : OUTBOX_MAIL;
    atomic_fetch_add(&s->app->counts[kind].attempts, !s->attempt.cancelled);
    atomic_fetch_add(&s->app->counts[kind].failures, !s->attempt.cancelled && s->verdict != RT_DELIVERED);
    atomic_fetch_add(&s->app->counts[kind].delivered, s->verdict == RT_DELIVERED);
    atomic_fetch_add(&s->app->counts[kind].given_up, s->verdict == RT_GIVE_UP);
    atomic_fetch_add(&s->app->counts[kind].ms, (uint64_t)s->attempt.latency_ms);
}

static void judge(struct shipment *s)
{
    const struct rt_outbox *o = s->app->outbox;
    bool mail = s->delivery.webhook == 0;
    const struct rt_schedule *schedule = mail ? &rt_schedule_mail : &o->schedule;
    int attempts = s->delivery.attempts + 1;
    s->verdict =
        mail ? rt_verdict_mail(&s->attempt, schedule, attempts) : rt_verdict_webhook(&s->attempt, schedule, attempts);
    s->ended_ms = rt_now_ms();
    s->next_at = s->ended_ms;
    if (s->verdict == RT_TRY_AGAIN)
        s->next_at += rt_schedule_wait(schedule, attempts, s->attempt.retry_after, rt_rand64());
    count(s);
    if (s->verdict != RT_DELIVERED)
        say(s);
}

static void ended(void *arg, const struct rt_client_result *r)
{
    struct shipment *s = arg;
    struct rt_attempt *a = &s->attempt;
    a->status = r->status;
    a->permanent = r->permanent;
    a->retry_after = r->retry_after;
    a->latency_ms = r->latency_ms;
    if (s->delivery.webhook)
        a->excerpt_n = rt_delivery_excerpt(r->excerpt, s->excerpt);
    a->excerpt = s->excerpt;
    if (r->error) {
        snprintf(s->error, sizeof s->error, "%s", r->error);
        a->error = s->error;
    }
    judge(s);
    rt_queue_ended(s->app->outbox->queue, &s->item, s->verdict != RT_DELIVERED, r->latency_ms);
    outbox__ended(s->app, s);
}

/* Not sent at all. */
static void cancel(struct shipment *s, const char *why, bool for_good)
{
    s->attempt.cancelled = for_good;
    struct rt_client_result r = { .retry_after = -1, .error = why, .permanent = for_good };
    ended(s, &r);
}

static int add_signature(struct shipment *s)
{
    const struct rt_delivery *d = &s->delivery;
    char signature[RT_SIGNATURE_BYTES];
    int64_t now = rt_now();
    struct rt_str secret = { d->endpoint.secret, d->endpoint.secret_n }, body = { d->body.data, d->body.len };
    int rc = rt_sign_webhook(secret, rt_str_of(d->id), now, body, signature);
    rt_buf_put(&s->headers, d->headers.data, d->headers.len);
    rt_buf_printf(&s->headers, "webhook-id: %s\nwebhook-timestamp: %lld\nwebhook-signature: %s\n", d->id,
                  (long long)now, signature);
    return rc || s->headers.failed ? RT_E_NOMEM : 0;
}

static void send_webhook(struct shipment *s)
{
    struct rt_delivery *d = &s->delivery;
    if (!d->endpoint.active) {
        cancel(s, "the endpoint is disabled", true);
        return;
    }
    if (add_signature(s)) {
        cancel(s, "no memory", false);
        return;
    }
    struct rt_client_post p = { .url = d->endpoint.url,
                                .headers = { s->headers.data, s->headers.len },
                                .body = { d->body.data, d->body.len },
                                .now = rt_now() };
    struct rt_err err;
    if (rt_client_post(s->app->outbox->client, &p, ended, s, &err))
        cancel(s, err.msg, false);
}

static void send_mail(struct shipment *s)
{
    struct rt_outbox *o = s->app->outbox;
    struct rt_delivery *d = &s->delivery;
    struct rt_err err;
    if (rt_message_write(&s->message, &d->mail, rt_str_of(o->mail_from), d->id, d->created_at, &err)) {
        cancel(s, err.msg, true);
        return;
    }
    struct rt_client_mail m = { .url = o->smtp_url,
                                .from = o->mail_address,
                                .to = rt_buf_cstr(&d->mail.to),
                                .message = { s->message.data, s->message.len } };
    if (rt_client_mail(o->client, &m, ended, s, &err))
        cancel(s, err.msg, false);
}

int outbox__ship(struct outbox_app *app, int64_t endpoint, int64_t seq, struct rt_err *err)
{
    struct shipment *s = new_shipment(app, endpoint, seq);
    if (!s)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a delivery");
    int rc = rt_delivery_load(app->reader, app->shared->seal_key, seq, &s->delivery, err);
    if (rc <= 0) {
        outbox__free(s);
        return rc;
    }
    rt_queue_begin(app->outbox->queue, &s->item, outbox__mono_ms());
    if (endpoint)
        send_webhook(s);
    else
        send_mail(s);
    return 1;
}
