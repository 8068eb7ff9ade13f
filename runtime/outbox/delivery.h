/* SPDX-License-Identifier: Apache-2.0
 *
 * Deliveries: rows of perigee_outbox, written in the transaction of the change that causes them. A row stays
 * pending until the outcome of an attempt is recorded, so a crash at any instant means one more attempt with
 * the same id and the same bytes, never a lost event. Nothing is marked when an attempt begins: who is being
 * served is known in memory only (queue.h). Writing needs the write connection inside a turn. */
#ifndef RT_OUTBOX_DELIVERY_H
#define RT_OUTBOX_DELIVERY_H

#include "outbox/endpoint.h"
#include "outbox/mail.h"
#include "outbox/schedule.h"

enum { RT_DELIVERY_ID = 4 + 32 + 1, RT_DELIVERY_BODY_MAX = 1 << 20, RT_EXCERPT_MAX = 1024 };

/* "dlv_" (or another prefix of four characters) and 32 random hex digits. */
void rt_delivery_id(const char *prefix, char out[RT_DELIVERY_ID]);

struct rt_delivery_draft {
    const char *id;
    int64_t webhook; /* > 0 */
    struct rt_str event, headers, body;
};
int rt_delivery_put(struct rt_conn *c, const struct rt_delivery_draft *d, int64_t now_ms, struct rt_err *err);
/* Makes one delivery of the webhook due now, whatever became of it: 1, or 0 when it has none of that id. */
int rt_delivery_again(struct rt_conn *c, int64_t webhook, struct rt_str id, int64_t now_ms, struct rt_err *err);

/* Where something is pending: `found` is called with each webhook (0 is mail) and when its earliest row is due. */
typedef void rt_delivery_found(void *arg, int64_t webhook, int64_t next_at);
int rt_delivery_pending(struct rt_conn *c, rt_delivery_found *found, void *arg, struct rt_err *err);
/* The same for each row that is newer than *last, which moves on. */
int rt_delivery_news(struct rt_conn *c, int64_t *last, rt_delivery_found *found, void *arg, struct rt_err *err);
/* The rows of a webhook that are due, in their order; how many (at most `max`) or a negative code. */
int rt_delivery_due(struct rt_conn *c, int64_t webhook, int64_t now_ms, int64_t *ret_seqs, int max, struct rt_err *err);
/* When the first row behind `after_ms` is due; INT64_MAX when there is none. */
int rt_delivery_next(struct rt_conn *c, int64_t webhook, int64_t after_ms, int64_t *ret, struct rt_err *err);

/* A row on its way. */
struct rt_delivery {
    int64_t seq, webhook, created_at;
    int attempts; /* before this one */
    char id[RT_DELIVERY_ID];
    struct rt_endpoint endpoint; /* not of mail; inactive when it is disabled or gone */
    struct rt_buf event, headers, body;
    struct rt_mail mail; /* of mail */
};
void rt_delivery_init(struct rt_delivery *d);
void rt_delivery_fini(struct rt_delivery *d);
/* 1, or 0 when it is not pending any more. */
int rt_delivery_load(struct rt_conn *c, const uint8_t seal_key[32], int64_t seq, struct rt_delivery *ret,
                     struct rt_err *err);
/* Records what an attempt that ended at `ended_ms` came to; `next_at` counts for RT_TRY_AGAIN. */
int rt_delivery_record(struct rt_conn *c, const struct rt_delivery *d, const struct rt_attempt *a,
                       enum rt_verdict verdict, int64_t ended_ms, int64_t next_at, struct rt_err *err);

/* A webhook's log, newest first, as a JSON array, and how many entries there are in all. */
int rt_delivery_json(struct rt_conn *c, int64_t webhook, int64_t limit, int64_t offset, struct rt_buf *out,
                     int64_t *ret_count, struct rt_err *err);
/* The first bytes of an answer as text that can be stored and shown: UTF-8, no NUL, at most RT_EXCERPT_MAX. */
size_t rt_delivery_excerpt(struct rt_str raw, char out[RT_EXCERPT_MAX]);
/* Whether rt_delivery_prune() would find any. */
bool rt_delivery_old(struct rt_conn *c, int64_t before);
/* Deletes at most `limit` rows that are done and were made before `before` (seconds); how many. */
int rt_delivery_prune(struct rt_conn *c, int64_t before, int limit, struct rt_err *err);
/* How many rows are pending (counted up to 100,000), and since when the earliest is due (INT64_MAX: none). */
int rt_delivery_totals(struct rt_conn *c, bool mail, int64_t *ret_pending, int64_t *ret_due, struct rt_err *err);

#endif
