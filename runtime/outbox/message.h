/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail as bytes for SMTP (RFC 5322, 2045–2047): UTF-8 everywhere it may be, quoted-printable bodies,
 * CRLF line ends. Any thread. */
#ifndef RT_OUTBOX_MESSAGE_H
#define RT_OUTBOX_MESSAGE_H

#include "base/buf.h"
#include "base/str.h"
#include "outbox/mail.h"

/* "Name <a@b.example>" or "a@b.example": the address, borrowed from `from`; empty when it is neither. */
struct rt_str rt_message_address(struct rt_str from, struct rt_str *ret_name);
/* Appends the message. `id` makes its Message-ID (with the domain of `from`) and its part boundary; `at`: Unix time. */
int rt_message_write(struct rt_buf *out, const struct rt_mail *m, struct rt_str from, const char *id, int64_t at,
                     struct rt_err *err);

#endif
