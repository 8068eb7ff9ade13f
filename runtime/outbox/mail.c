/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses are checked strictly before anything is stored: what passes can stand in a header and in an
 * SMTP command as it is, so nothing can be smuggled in through one. */
#include "outbox/mail.h"

#include <string.h>

#include "outbox/outbox_internal.h"

void rt_mail_init(struct rt_mail *m)
{
    rt_buf_init(&m->to, 0);
    rt_buf_init(&m->subject, 0);
    rt_buf_init(&m->text, 0);
    rt_buf_init(&m->html, 0);
}

void rt_mail_fini(struct rt_mail *m)
{
    rt_buf_fini(&m->to);
    rt_buf_fini(&m->subject);
    rt_buf_fini(&m->text);
    rt_buf_fini(&m->html);
}

bool rt_mail_address_good(struct rt_str a)
{
    const char *at = a.n ? memchr(a.p, '@', a.n) : NULL;
    if (!at || at == a.p || at == a.p + a.n - 1 || a.n > RT_MAIL_ADDRESS_MAX || a.p[0] == '-')
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] <= ' ' || a.p[i] >= 127 || strchr("<>()[]\\,;:\"", a.p[i]) || (a.p[i] == '@' && a.p + i != at))
            return false;
    return true;
}

static bool has_control(struct rt_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            return true;
    return false;
}

int rt_mail_check(const struct rt_mail_draft *d, struct rt_err *err)
{
    if (!rt_mail_address_good(d->to))
        return rt_err_set(err, RT_E_INVALID, "to is not a mail address");
    if (d->subject.n == 0 || d->subject.n > RT_MAIL_SUBJECT_MAX || has_control(d->subject))
        return rt_err_set(err, RT_E_INVALID, "subject must be one line of 1 to %d bytes", RT_MAIL_SUBJECT_MAX);
    if (d->text.n > RT_MAIL_TEXT_MAX || d->html.n > RT_MAIL_TEXT_MAX)
        return rt_err_set(err, RT_E_INVALID, "text and html have at most %d bytes", RT_MAIL_TEXT_MAX);
    if (!rt_utf8_valid(d->subject.p, d->subject.n) || !rt_utf8_valid(d->text.p, d->text.n) ||
        !rt_utf8_valid(d->html.p, d->html.n))
        return rt_err_set(err, RT_E_INVALID, "subject, text and html must be UTF-8");
    return 0;
}

static int put_text(struct rt_conn *c, int64_t seq, const struct rt_mail_draft *d, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc =
        outbox__prepare(c, "INSERT INTO perigee_mail(seq, recipient, subject, text, html) VALUES (?,?,?,?,?)", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, seq);
    rt_bind_text(s, 2, d->to.p, d->to.n);
    rt_bind_text(s, 3, d->subject.p, d->subject.n);
    rt_bind_text(s, 4, d->text.p, d->text.n);
    if (d->html.n)
        rt_bind_text(s, 5, d->html.p, d->html.n);
    else
        rt_bind_null(s, 5);
    return outbox__run(s, err);
}

int rt_mail_put(struct rt_conn *c, const struct rt_mail_draft *d, int64_t now_ms, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = rt_mail_check(d, err);
    if (rc == 0)
        rc = outbox__prepare(c,
                             "INSERT INTO perigee_outbox(id, webhook, event, status, next_at, created_at, headers, "
                             "body) VALUES (?,0,'mail',?,?,?,'','')",
                             &s, err);
    if (rc)
        return rc;
    const char *status = d->keep ? "mailbox" : "pending";
    rt_bind_text(s, 1, d->id, strlen(d->id));
    rt_bind_text(s, 2, status, strlen(status));
    rt_bind_int(s, 3, now_ms);
    rt_bind_int(s, 4, now_ms / 1000);
    rc = outbox__run(s, err);
    return rc ? rc : put_text(c, rt_conn_last_id(c), d, err);
}

int rt_mail_load(struct rt_conn *c, int64_t seq, struct rt_mail *ret, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c, "SELECT recipient, subject, text, html FROM perigee_mail WHERE seq = ?", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, seq);
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW) {
        outbox__copy(&ret->to, s, 0);
        outbox__copy(&ret->subject, s, 1);
        outbox__copy(&ret->text, s, 2);
        outbox__copy(&ret->html, s, 3);
        if (ret->to.failed || ret->subject.failed || ret->text.failed || ret->html.failed)
            rc = rt_err_set(err, RT_E_NOMEM, "no memory for a mail");
    }
    rt_stmt_done(s);
    return rc;
}

int rt_mail_forget(struct rt_conn *c, int64_t seq, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = outbox__prepare(c, "UPDATE perigee_mail SET text = '', html = NULL WHERE seq = ?", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, seq);
    return outbox__run(s, err);
}

static void put_entry(struct rt_buf *out, const struct rt_stmt *s)
{
    static const char *const texts[] = { "id", "to", "subject", "text", "html", "status", "error" };
    rt_buf_putc(out, '{');
    for (int i = 0; i < 7; i++)
        outbox__member_text(out, s, i, texts[i]);
    outbox__member_int(out, s, 7, "attempts");
    outbox__member_int(out, s, 8, "created_at");
    rt_buf_putc(out, '}');
}

int rt_mail_json(struct rt_conn *c, struct rt_str to, int64_t limit, struct rt_buf *out, struct rt_err *err)
{
    static const char all[] = "SELECT o.id, m.recipient, m.subject, m.text, m.html, o.status, o.error, o.attempts, "
                              "o.created_at FROM perigee_mail m JOIN perigee_outbox o ON o.seq = m.seq "
                              "WHERE ?2 = '' ORDER BY m.seq DESC LIMIT ?1";
    static const char one[] = "SELECT o.id, m.recipient, m.subject, m.text, m.html, o.status, o.error, o.attempts, "
                              "o.created_at FROM perigee_mail m JOIN perigee_outbox o ON o.seq = m.seq "
                              "WHERE m.recipient = ?2 ORDER BY m.seq DESC LIMIT ?1";
    struct rt_stmt *s;
    int rc = outbox__prepare(c, to.n ? one : all, &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, limit);
    rt_bind_text(s, 2, to.p, to.n);
    rt_buf_putc(out, '[');
    for (bool first = true; (rc = rt_stmt_step(s, err)) == RT_STEP_ROW; first = false) {
        rt_buf_puts(out, first ? "" : ",");
        put_entry(out, s);
    }
    rt_buf_putc(out, ']');
    rt_stmt_done(s);
    return rc;
}
