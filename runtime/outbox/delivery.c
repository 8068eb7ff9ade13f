/* SPDX-License-Identifier: Apache-2.0
 *
 * The table's partial index over pending rows is the queue: (webhook, next_at, seq), so that one endpoint's
 * due rows are a range and a backlog of another's is never read. */
#include "outbox/delivery.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "crypto/hash.h"
#include "outbox/outbox_internal.h"

void rt_delivery_id(const char *prefix, char out[RT_DELIVERY_ID])
{
    uint8_t bytes[16];
    rt_random(bytes, sizeof bytes);
    memcpy(out, prefix, 4);
    rt_hex(bytes, sizeof bytes, out + 4);
}

int rt_delivery_put(struct rt_conn *c, const struct rt_delivery_draft *d, int64_t now_ms, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             "INSERT INTO perigee_outbox(id, webhook, event, status, next_at, created_at, headers, "
                             "body) VALUES (?,?,?,'pending',?,?,?,?)",
                             &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, d->id, strlen(d->id));
    rt_bind_int(s, 2, d->webhook);
    rt_bind_text(s, 3, d->event.p, d->event.n);
    rt_bind_int(s, 4, now_ms);
    rt_bind_int(s, 5, now_ms / 1000);
    rt_bind_text(s, 6, d->headers.p, d->headers.n);
    rt_bind_blob(s, 7, d->body.p, d->body.n);
    return outbox__run(s, err);
}

int rt_delivery_again(struct rt_conn *c, int64_t webhook, struct rt_str id, int64_t now_ms, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(
        c, "UPDATE perigee_outbox SET status = 'pending', next_at = ? WHERE id = ? AND webhook = ?", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, now_ms);
    rt_bind_text(s, 2, id.p, id.n);
    rt_bind_int(s, 3, webhook);
    rc = outbox__run(s, err);
    return rc ? rc : rt_conn_changes(c) > 0;
}

static int each_found(struct rt_stmt *s, rt_delivery_found *found, void *arg, struct rt_err *err)
{
    int rc;
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW)
        found(arg, rt_col_int(s, 0), rt_col_int(s, 1));
    rt_stmt_done(s);
    return rc;
}

/* One search of the index per webhook, however many rows each has. */
int rt_delivery_pending(struct rt_conn *c, rt_delivery_found *found, void *arg, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(
        c,
        "WITH RECURSIVE w(id) AS (SELECT min(webhook) FROM perigee_outbox WHERE status = 'pending' UNION ALL "
        "SELECT (SELECT min(webhook) FROM perigee_outbox WHERE status = 'pending' AND webhook > w.id) FROM w "
        "WHERE w.id IS NOT NULL) "
        "SELECT id, (SELECT min(next_at) FROM perigee_outbox WHERE status = 'pending' AND webhook = w.id) "
        "FROM w WHERE id IS NOT NULL",
        &s, err);
    return rc ? rc : each_found(s, found, arg, err);
}

int rt_delivery_news(struct rt_conn *c, int64_t *last, rt_delivery_found *found, void *arg, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(
        c, "SELECT webhook, next_at, seq, status = 'pending' FROM perigee_outbox WHERE seq > ? ORDER BY seq", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, *last);
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        *last = rt_col_int(s, 2);
        if (rt_col_int(s, 3))
            found(arg, rt_col_int(s, 0), rt_col_int(s, 1));
    }
    rt_stmt_done(s);
    return rc;
}

int rt_delivery_due(struct rt_conn *c, int64_t webhook, int64_t now_ms, int64_t *ret_seqs, int max, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             "SELECT seq FROM perigee_outbox WHERE webhook = ? AND status = 'pending' AND next_at <= ? "
                             "ORDER BY next_at, seq LIMIT ?",
                             &s, err);
    if (rc)
        return rc;
    int n = 0;
    rt_bind_int(s, 1, webhook);
    rt_bind_int(s, 2, now_ms);
    rt_bind_int(s, 3, max);
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW)
        ret_seqs[n++] = rt_col_int(s, 0);
    rt_stmt_done(s);
    return rc ? rc : n;
}

int rt_delivery_next(struct rt_conn *c, int64_t webhook, int64_t after_ms, int64_t *ret, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(
        c, "SELECT min(next_at) FROM perigee_outbox WHERE webhook = ? AND status = 'pending' AND next_at > ?", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, webhook);
    rt_bind_int(s, 2, after_ms);
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW)
        *ret = rt_col_type(s, 0) == RT_NULL ? INT64_MAX : rt_col_int(s, 0);
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}

void rt_delivery_init(struct rt_delivery *d)
{
    memset(d, 0, sizeof *d);
    rt_buf_init(&d->event, 0);
    rt_buf_init(&d->headers, 0);
    rt_buf_init(&d->body, 0);
    rt_mail_init(&d->mail);
}

void rt_delivery_fini(struct rt_delivery *d)
{
    rt_buf_fini(&d->event);
    rt_buf_fini(&d->headers);
    rt_buf_fini(&d->body);
    rt_mail_fini(&d->mail);
}

static int read_delivery(const struct rt_stmt *s, const uint8_t seal_key[32], struct rt_delivery *d, struct rt_err *err)
{
    size_t n;
    const char *id = rt_col_text(s, 0, &n);
    snprintf(d->id, sizeof d->id, "%s", id);
    d->webhook = rt_col_int(s, 1);
    d->attempts = (int)rt_col_int(s, 2);
    d->created_at = rt_col_int(s, 3);
    outbox__copy(&d->event, s, 4);
    outbox__copy(&d->headers, s, 5);
    outbox__copy(&d->body, s, 6);
    d->endpoint.active = false;
    if (d->event.failed || d->headers.failed || d->body.failed)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a delivery");
    return rt_col_type(s, 7) == RT_NULL ? 1 : outbox__read_endpoint(s, 7, seal_key, &d->endpoint, err);
}

int rt_delivery_load(struct rt_conn *c, const uint8_t seal_key[32], int64_t seq, struct rt_delivery *ret,
                     struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             "SELECT o.id, o.webhook, o.attempts, o.created_at, o.event, o.headers, o.body, "
                             "w.id, w.active, w.url, w.secret FROM perigee_outbox o "
                             "LEFT JOIN perigee_webhooks w ON w.id = o.webhook "
                             "WHERE o.seq = ? AND o.status = 'pending'",
                             &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, seq);
    ret->seq = seq;
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW)
        rc = read_delivery(s, seal_key, ret, err);
    rt_stmt_done(s);
    return rc == 1 && ret->webhook == 0 ? rt_mail_load(c, seq, &ret->mail, err) : rc;
}

static void bind_outcome(struct rt_stmt *s, const struct rt_delivery *d, const struct rt_attempt *a,
                         enum rt_verdict verdict, int64_t ended_ms, int64_t next_at)
{
    static const char *const names[] = { "succeeded", "pending", "failed" };
    rt_bind_text(s, 1, names[verdict], strlen(names[verdict]));
    rt_bind_int(s, 2, d->attempts + 1);
    rt_bind_int(s, 3, next_at);
    rt_bind_int(s, 4, ended_ms / 1000);
    if (a->status)
        rt_bind_int(s, 5, a->status);
    else
        rt_bind_null(s, 5);
    rt_bind_int(s, 6, a->latency_ms);
    if (a->excerpt_n)
        rt_bind_text(s, 7, a->excerpt, a->excerpt_n);
    else
        rt_bind_null(s, 7);
    if (a->error)
        rt_bind_text(s, 8, a->error, strlen(a->error));
    else
        rt_bind_null(s, 8);
    rt_bind_int(s, 9, d->seq);
}

/* It keeps what its last attempt came to. */
static int record_cancelled(struct rt_conn *c, const struct rt_delivery *d, const char *why, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(
        c, "UPDATE perigee_outbox SET status = 'failed', error = ifnull(error || '; ', '') || ? WHERE seq = ?", &s,
        err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, why, strlen(why));
    rt_bind_int(s, 2, d->seq);
    return outbox__run(s, err);
}

int rt_delivery_record(struct rt_conn *c, const struct rt_delivery *d, const struct rt_attempt *a,
                       enum rt_verdict verdict, int64_t ended_ms, int64_t next_at, struct rt_err *err)
{
    struct rt_stmt *s;
    if (a->cancelled)
        return record_cancelled(c, d, a->error, err);
    int rc = outbox__prepare(c,
                             "UPDATE perigee_outbox SET status = ?, attempts = ?, next_at = ?, ended_at = ?, "
                             "response_status = ?, latency_ms = ?, response_excerpt = ?, error = ? WHERE seq = ?",
                             &s, err);
    if (rc)
        return rc;
    bind_outcome(s, d, a, verdict, ended_ms, next_at);
    rc = outbox__run(s, err);
    return rc == 0 && d->webhook == 0 && verdict == RT_DELIVERED ? rt_mail_forget(c, d->seq, err) : rc;
}
