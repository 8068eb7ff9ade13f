/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry of webhooks: where events of an owner go. An owner is a text of the app's ("organization:1").
 * Secrets are stored sealed and leave only to sign. All functions work on the connection that they are given:
 * those that write on the write connection inside a turn. */
#ifndef RT_OUTBOX_ENDPOINT_H
#define RT_OUTBOX_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "db/db.h"
#include "outbox/sign.h"

enum { RT_ENDPOINT_URL_MAX = 2048, RT_ENDPOINT_OWNER_MAX = 200 };

struct rt_endpoint {
    int64_t id;
    bool active;
    char url[RT_ENDPOINT_URL_MAX + 1];
    char secret[RT_SECRET_MAX + 1];
    size_t secret_n;
};

struct rt_endpoint_draft {
    struct rt_str owner, url, events, secret; /* events: " one two ", with a blank at both ends */
};

int rt_endpoint_put(struct rt_conn *c, const uint8_t seal_key[32], const struct rt_endpoint_draft *d, int64_t now,
                    int64_t *ret_id, struct rt_err *err);
/* 1 when there was one. What it has not delivered yet goes with it; its log stays until it is old. */
int rt_endpoint_remove(struct rt_conn *c, struct rt_str owner, int64_t id, struct rt_err *err);
/* 1 and *ret, or 0. */
int rt_endpoint_find(struct rt_conn *c, const uint8_t seal_key[32], struct rt_str owner, int64_t id,
                     struct rt_endpoint *ret, struct rt_err *err);
/* The owner's next active endpoint behind `after` that wants this event: 1 and *ret, or 0. */
int rt_endpoint_next(struct rt_conn *c, const uint8_t seal_key[32], struct rt_str owner, struct rt_str event,
                     int64_t after, struct rt_endpoint *ret, struct rt_err *err);
/* Appends a JSON array of one (`id`) or all (0) endpoints of the owner, without secrets; absent values are left out. */
int rt_endpoint_json(struct rt_conn *c, struct rt_str owner, int64_t id, struct rt_buf *out, struct rt_err *err);

/* What an attempt means for its endpoint. Failed: 1 when this disabled it, as it is gone for good or has failed for
 * `patience` seconds without a success between; its owner's name is then in *ret_owner (initialised by the caller),
 * and what waits for it is due, to be given up. */
int rt_endpoint_succeeded(struct rt_conn *c, int64_t id, struct rt_err *err);
int rt_endpoint_failed(struct rt_conn *c, int64_t id, bool gone, int64_t now, int64_t patience,
                       struct rt_buf *ret_owner, struct rt_err *err);

#endif
