/* SPDX-License-Identifier: Apache-2.0
 *
 * Idempotent retries (decision X-13): the first outcome of a keyed request is kept for 24 hours in the
 * transaction of its effects, sealed, and replayed. Keys whose first request still runs are held in
 * memory, shared by all workers. */
#ifndef RT_SERVER_IDEMPOTENCY_H
#define RT_SERVER_IDEMPOTENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "db/db.h"

enum { RT_IDEMPOTENCY_SECONDS = 24 * 3600 };

struct rt_idempotency; /* the keys of one app that run now */

struct rt_idempotency *rt_idempotency_new(void);
void rt_idempotency_free(struct rt_idempotency *t);
/* False when the same scope and key run already. */
bool rt_idempotency_enter(struct rt_idempotency *t, struct rt_str scope, struct rt_str key);
void rt_idempotency_leave(struct rt_idempotency *t, struct rt_str scope, struct rt_str key);

/* What is kept of an answer. */
struct rt_outcome {
    int status;
    char content_type[96];
    char file_name[128];
    struct rt_buf headers; /* "Name: value\n" each */
    struct rt_buf body;
};

/* 1: kept, *ret filled (its buffers initialised by the caller). 0: never seen. RT_E_INVALID: kept for another body. */
int rt_idempotency_find(struct rt_conn *c, struct rt_str scope, struct rt_str key, const char body_hash[65],
                        const uint8_t seal_key[32], int64_t now, struct rt_outcome *ret, struct rt_err *err);
/* On the write connection, inside a turn. */
int rt_idempotency_keep(struct rt_conn *c, struct rt_str scope, struct rt_str key, const char body_hash[65],
                        const uint8_t seal_key[32], int64_t now, const struct rt_outcome *o, struct rt_err *err);
/* Deletes a part of what has expired. */
int rt_idempotency_expire(struct rt_conn *c, int64_t now, struct rt_err *err);

#endif
