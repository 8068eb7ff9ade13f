/* SPDX-License-Identifier: Apache-2.0
 *
 * A row per endpoint. Looking for subscribers is one range of the owner's index, since it happens in the
 * transaction of every change that might have some. */
#include "outbox/endpoint.h"

#include <string.h>

#include "base/json.h"
#include "crypto/hash.h"
#include "outbox/outbox_internal.h"

#define COLUMNS "id, active, url, secret"

int rt_endpoint_put(struct rt_conn *c, const uint8_t seal_key[32], const struct rt_endpoint_draft *d, int64_t now,
                    int64_t *ret_id, struct rt_err *err)
{
    uint8_t sealed[RT_SECRET_MAX + RT_SEAL_EXTRA];
    struct rt_stmt *s;
    if (d->secret.n > RT_SECRET_MAX || d->url.n > RT_ENDPOINT_URL_MAX)
        return rt_err_set(err, RT_E_LIMIT, "the secret or the address is too long");
    int rc = outbox__prepare(c,
                             "INSERT INTO perigee_webhooks(owner, url, events, secret, created_at) "
                             "VALUES (?,?,?,?,?)",
                             &s, err);
    if (rc)
        return rc;
    rt_seal(seal_key, d->secret.p, d->secret.n, sealed);
    rt_bind_text(s, 1, d->owner.p, d->owner.n);
    rt_bind_text(s, 2, d->url.p, d->url.n);
    rt_bind_text(s, 3, d->events.p, d->events.n);
    rt_bind_blob(s, 4, sealed, d->secret.n + RT_SEAL_EXTRA);
    rt_bind_int(s, 5, now);
    rc = outbox__run(s, err);
    if (rc == 0)
        *ret_id = rt_conn_last_id(c);
    return rc;
}

int rt_endpoint_remove(struct rt_conn *c, struct rt_str owner, int64_t id, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c, "DELETE FROM perigee_webhooks WHERE id = ? AND owner = ?", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, id);
    rt_bind_text(s, 2, owner.p, owner.n);
    rc = outbox__run(s, err);
    if (rc || rt_conn_changes(c) == 0)
        return rc;
    rc = outbox__prepare(c, "DELETE FROM perigee_outbox WHERE webhook = ? AND status = 'pending'", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, id);
    rc = outbox__run(s, err);
    return rc ? rc : 1;
}

int outbox__read_endpoint(const struct rt_stmt *s, int first, const uint8_t seal_key[32], struct rt_endpoint *ret,
                          struct rt_err *err)
{
    size_t n;
    ret->id = rt_col_int(s, first);
    ret->active = rt_col_int(s, first + 1) != 0;
    const char *url = rt_col_text(s, first + 2, &n);
    if (n > RT_ENDPOINT_URL_MAX)
        return rt_err_set(err, RT_E_LIMIT, "a webhook's address is too long");
    memcpy(ret->url, url, n);
    ret->url[n] = 0;
    const uint8_t *sealed = rt_col_blob(s, first + 3, &n);
    if (n < RT_SEAL_EXTRA || n > RT_SECRET_MAX + RT_SEAL_EXTRA ||
        !rt_unseal(seal_key, sealed, n, (uint8_t *)ret->secret))
        return rt_err_set(err, RT_E_DENIED, "a webhook's secret cannot be read: was the key file replaced?");
    ret->secret_n = n - RT_SEAL_EXTRA;
    ret->secret[ret->secret_n] = 0;
    return 1;
}

static int read_one(struct rt_stmt *s, const uint8_t seal_key[32], struct rt_endpoint *ret, struct rt_err *err)
{
    int rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW)
        rc = outbox__read_endpoint(s, 0, seal_key, ret, err);
    rt_stmt_done(s);
    return rc;
}

int rt_endpoint_find(struct rt_conn *c, const uint8_t seal_key[32], struct rt_str owner, int64_t id,
                     struct rt_endpoint *ret, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c, "SELECT " COLUMNS " FROM perigee_webhooks WHERE id = ? AND owner = ?", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, id);
    rt_bind_text(s, 2, owner.p, owner.n);
    return read_one(s, seal_key, ret, err);
}

int rt_endpoint_next(struct rt_conn *c, const uint8_t seal_key[32], struct rt_str owner, struct rt_str event,
                     int64_t after, struct rt_endpoint *ret, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             "SELECT " COLUMNS " FROM perigee_webhooks WHERE owner = ? AND id > ? AND active = 1 "
                             "AND instr(events, ' ' || ? || ' ') > 0 ORDER BY id LIMIT 1",
                             &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, owner.p, owner.n);
    rt_bind_int(s, 2, after);
    rt_bind_text(s, 3, event.p, event.n);
    return read_one(s, seal_key, ret, err);
}

/* " one two " as ["one","two"]. */
static void put_events(struct rt_buf *out, const char *p, size_t n)
{
    bool first = true;
    rt_buf_putc(out, '[');
    for (size_t i = 0; i < n; i++) {
        size_t from = i;
        while (i < n && p[i] != ' ')
            i++;
        if (i > from) {
            rt_buf_puts(out, first ? "" : ",");
            rt_json_put_string(out, p + from, i - from);
            first = false;
        }
    }
    rt_buf_putc(out, ']');
}

static void put_endpoint(struct rt_buf *out, const struct rt_stmt *s)
{
    size_t n;
    const char *p;
    rt_buf_puts(out, "{\"id\":");
    rt_json_put_int(out, rt_col_int(s, 0));
    rt_buf_puts(out, rt_col_int(s, 1) ? ",\"active\":true" : ",\"active\":false");
    outbox__member_text(out, s, 2, "owner");
    outbox__member_text(out, s, 3, "url");
    rt_buf_puts(out, ",\"events\":");
    p = rt_col_text(s, 4, &n);
    put_events(out, p, n);
    outbox__member_int(out, s, 5, "created_at");
    outbox__member_int(out, s, 6, "failing_since");
    outbox__member_int(out, s, 7, "disabled_at");
    outbox__member_text(out, s, 8, "disabled_why");
    rt_buf_putc(out, '}');
}

int rt_endpoint_json(struct rt_conn *c, struct rt_str owner, int64_t id, struct rt_buf *out, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             "SELECT id, active, owner, url, events, created_at, failing_since, disabled_at, "
                             "disabled_why FROM perigee_webhooks WHERE owner = ?1 AND (?2 = 0 OR id = ?2) ORDER BY id",
                             &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, owner.p, owner.n);
    rt_bind_int(s, 2, id);
    rt_buf_putc(out, '[');
    for (bool first = true; (rc = rt_stmt_step(s, err)) == RT_STEP_ROW; first = false) {
        rt_buf_puts(out, first ? "" : ",");
        put_endpoint(out, s);
    }
    rt_buf_putc(out, ']');
    rt_stmt_done(s);
    return rc;
}

int rt_endpoint_succeeded(struct rt_conn *c, int64_t id, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(
        c, "UPDATE perigee_webhooks SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, id);
    return outbox__run(s, err);
}

/* What waits for it becomes due, so that the log soon says that it is over. */
static int disable(struct rt_conn *c, int64_t id, const char *why, int64_t now, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(
        c, "UPDATE perigee_webhooks SET active = 0, disabled_at = ?, disabled_why = ? WHERE id = ?", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, now);
    rt_bind_text(s, 2, why, strlen(why));
    rt_bind_int(s, 3, id);
    rc = outbox__run(s, err);
    if (rc == 0)
        rc = outbox__prepare(c,
                             "UPDATE perigee_outbox SET next_at = ? WHERE seq IN (SELECT seq FROM perigee_outbox "
                             "WHERE webhook = ? AND status = 'pending' LIMIT 1000)",
                             &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, now * 1000);
    rt_bind_int(s, 2, id);
    rc = outbox__run(s, err);
    return rc ? rc : 1;
}

int rt_endpoint_failed(struct rt_conn *c, int64_t id, bool gone, int64_t now, int64_t patience,
                       struct rt_buf *ret_owner, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             "UPDATE perigee_webhooks SET failing_since = ifnull(failing_since, ?) "
                             "WHERE id = ? AND active = 1 RETURNING failing_since, owner",
                             &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, now);
    rt_bind_int(s, 2, id);
    bool disabled = false;
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        size_t n;
        const char *owner = rt_col_text(s, 1, &n);
        rt_buf_reset(ret_owner);
        rt_buf_put(ret_owner, owner, n);
        disabled = gone || now - rt_col_int(s, 0) >= patience;
    }
    rt_stmt_done(s);
    if (rc || !disabled)
        return rc;
    return disable(c, id, gone ? "the receiver answered 410 Gone" : "it failed for days without a success", now, err);
}
