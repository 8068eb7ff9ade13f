/* SPDX-License-Identifier: Apache-2.0
 *
 * The delivery log is the same table as the queue: an entry is written once, becomes final once, and is
 * deleted in small steps when it is old. */
#include <string.h>

#include "base/json.h"
#include "outbox/delivery.h"
#include "outbox/outbox_internal.h"

static void put_entry(struct rt_buf *out, const struct rt_stmt *s)
{
    rt_buf_putc(out, '{');
    outbox__member_text(out, s, 0, "id");
    outbox__member_text(out, s, 1, "event");
    outbox__member_text(out, s, 2, "status");
    outbox__member_int(out, s, 3, "attempts");
    outbox__member_int(out, s, 4, "response_status");
    outbox__member_int(out, s, 5, "latency_ms");
    outbox__member_text(out, s, 6, "response_excerpt");
    outbox__member_text(out, s, 7, "error");
    outbox__member_int(out, s, 8, "created_at");
    outbox__member_int(out, s, 9, "next_at");
    rt_buf_putc(out, '}');
}

static int put_entries(struct rt_conn *c, int64_t webhook, int64_t limit, int64_t offset, struct rt_buf *out,
                       struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             "SELECT id, event, status, attempts, response_status, latency_ms, response_excerpt, "
                             "error, created_at, iif(status = 'pending', next_at / 1000, NULL) FROM perigee_outbox "
                             "WHERE webhook = ? ORDER BY seq DESC LIMIT ? OFFSET ?",
                             &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, webhook);
    rt_bind_int(s, 2, limit);
    rt_bind_int(s, 3, offset);
    rt_buf_putc(out, '[');
    for (bool first = true; (rc = rt_stmt_step(s, err)) == RT_STEP_ROW; first = false) {
        rt_buf_puts(out, first ? "" : ",");
        put_entry(out, s);
    }
    rt_buf_putc(out, ']');
    rt_stmt_done(s);
    return rc;
}

int rt_delivery_json(struct rt_conn *c, int64_t webhook, int64_t limit, int64_t offset, struct rt_buf *out,
                     int64_t *ret_count, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = put_entries(c, webhook, limit, offset, out, err);
    if (rc == 0)
        rc = outbox__prepare(c, "SELECT count(*) FROM perigee_outbox WHERE webhook = ?", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, webhook);
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW)
        *ret_count = rt_col_int(s, 0);
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}

/* A character that goes on behind the end. */
static bool cut_off(const char *p, size_t n)
{
    unsigned char lead = (unsigned char)*p;
    size_t need = lead >= 0xf0 && lead <= 0xf4  ? 4
                  : lead >= 0xe0 && lead < 0xf0 ? 3
                  : lead >= 0xc2 && lead < 0xe0 ? 2
                                                : 1;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return false;
    return n < need;
}

size_t rt_delivery_excerpt(struct rt_str raw, char out[RT_EXCERPT_MAX])
{
    size_t len = 0;
    for (size_t i = 0, n; i < raw.n && len < RT_EXCERPT_MAX; i += n) {
        for (n = 1; n < 4 && i + n < raw.n && !rt_utf8_valid(raw.p + i, n); n++) {
        }
        bool good = rt_utf8_valid(raw.p + i, n) && raw.p[i] != 0;
        if (!good && cut_off(raw.p + i, raw.n - i))
            break;
        n = good ? n : 1;
        if (len + n > RT_EXCERPT_MAX)
            break;
        memcpy(out + len, good ? raw.p + i : "?", n);
        len += n;
    }
    return len;
}

bool rt_delivery_old(struct rt_conn *c, int64_t before)
{
    struct rt_stmt *s;
    if (outbox__prepare(c, "SELECT 1 FROM perigee_outbox WHERE status <> 'pending' AND created_at < ? LIMIT 1", &s,
                        NULL))
        return false;
    rt_bind_int(s, 1, before);
    bool found = rt_stmt_step(s, NULL) == RT_STEP_ROW;
    rt_stmt_done(s);
    return found;
}

int rt_delivery_prune(struct rt_conn *c, int64_t before, int limit, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             "DELETE FROM perigee_outbox WHERE seq IN (SELECT seq FROM perigee_outbox "
                             "WHERE status <> 'pending' AND created_at < ? ORDER BY created_at LIMIT ?)",
                             &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, before);
    rt_bind_int(s, 2, limit);
    rc = outbox__run(s, err);
    return rc ? rc : (int)rt_conn_changes(c);
}

int rt_delivery_totals(struct rt_conn *c, bool mail, int64_t *ret_pending, int64_t *ret_due, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c,
                             mail ? "SELECT count(*), min(next_at) FROM (SELECT next_at FROM perigee_outbox "
                                    "WHERE status = 'pending' AND webhook = 0 LIMIT 100000)"
                                  : "SELECT count(*), min(next_at) FROM (SELECT next_at FROM perigee_outbox "
                                    "WHERE status = 'pending' AND webhook > 0 LIMIT 100000)",
                             &s, err);
    if (rc)
        return rc;
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW) {
        *ret_pending = rt_col_int(s, 0);
        *ret_due = rt_col_type(s, 1) == RT_NULL ? INT64_MAX : rt_col_int(s, 1);
    }
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}
