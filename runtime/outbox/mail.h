/* SPDX-License-Identifier: Apache-2.0
 *
 * Mail in the outbox: one recipient, a subject, a text and perhaps a page. Its row waits like a webhook's
 * delivery; what it says is kept beside it and forgotten when it was sent, as it may hold a secret link. */
#ifndef RT_OUTBOX_MAIL_H
#define RT_OUTBOX_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "db/db.h"

enum { RT_MAIL_ADDRESS_MAX = 254, RT_MAIL_SUBJECT_MAX = 500, RT_MAIL_TEXT_MAX = 1 << 20 };

struct rt_mail {
    struct rt_buf to, subject, text, html; /* html empty: none */
};
void rt_mail_init(struct rt_mail *m);
void rt_mail_fini(struct rt_mail *m);

struct rt_mail_draft {
    const char *id;
    struct rt_str to, subject, text, html;
    bool keep; /* in the mailbox, to be looked at: it is not sent */
};
/* RT_E_INVALID with a sentence for what no mail can be: a bad address, a line end in the subject. */
int rt_mail_check(const struct rt_mail_draft *d, struct rt_err *err);
int rt_mail_put(struct rt_conn *c, const struct rt_mail_draft *d, int64_t now_ms, struct rt_err *err);
/* 1, or 0 when there is no such row. */
int rt_mail_load(struct rt_conn *c, int64_t seq, struct rt_mail *ret, struct rt_err *err);
int rt_mail_forget(struct rt_conn *c, int64_t seq, struct rt_err *err);
/* A JSON array, newest first; `to` empty: of all. */
int rt_mail_json(struct rt_conn *c, struct rt_str to, int64_t limit, struct rt_buf *out, struct rt_err *err);

/* "a@b.example": printable ASCII without blanks, quotes, brackets; one @ with something on both sides. */
bool rt_mail_address_good(struct rt_str address);

#endif
