/* SPDX-License-Identifier: Apache-2.0
 *
 * What the units of outbox/ share: short ways to run statements and to write rows as JSON. */
#ifndef RT_OUTBOX_INTERNAL_H
#define RT_OUTBOX_INTERNAL_H

#include "base/buf.h"
#include "db/db.h"
#include "outbox/endpoint.h"

int outbox__prepare(struct rt_conn *c, const char *sql, struct rt_stmt **ret, struct rt_err *err);
/* Steps to the end and gives the statement back: 0 or a negative code. */
int outbox__run(struct rt_stmt *s, struct rt_err *err);

/* `,"name":value`, or nothing when the column is NULL. */
void outbox__member_text(struct rt_buf *out, const struct rt_stmt *s, int col, const char *name);
void outbox__member_int(struct rt_buf *out, const struct rt_stmt *s, int col, const char *name);
/* Replaces what is in `out` by the column's bytes. */
void outbox__copy(struct rt_buf *out, const struct rt_stmt *s, int col);

/* From four columns: id, active, url, secret. 1 or a negative code. */
int outbox__read_endpoint(const struct rt_stmt *s, int first, const uint8_t seal_key[32], struct rt_endpoint *ret,
                          struct rt_err *err);

#endif
