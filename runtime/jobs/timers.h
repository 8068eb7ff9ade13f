/* SPDX-License-Identifier: Apache-2.0
 *
 * Durable timers: rows of perigee_timers, written in the transaction of the change that needs them and
 * claimed in the transaction of the job that they cause, so each fires once. The table's index is the
 * queue; nothing is kept in memory. All functions run on the write connection inside a turn. */
#ifndef RT_JOBS_TIMERS_H
#define RT_JOBS_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "db/db.h"

struct rt_timer {
    struct rt_buf key, name, args; /* args: JSON */
    int64_t due;                   /* when it was to fire, UTC seconds */
    int attempts;                  /* failures so far */
};

void rt_timer_init(struct rt_timer *t);
void rt_timer_fini(struct rt_timer *t);

/* Sets the timer of that key, replacing a former one. */
int rt_timer_put(struct rt_conn *c, struct rt_str key, int64_t due, struct rt_str name, struct rt_str args,
                 struct rt_err *err);
/* 1 when there was one. */
int rt_timer_cancel(struct rt_conn *c, struct rt_str key, struct rt_err *err);
/* Takes the earliest timer that is due out of the table: 1, or 0 when none is. */
int rt_timer_claim(struct rt_conn *c, int64_t now, struct rt_timer *ret, struct rt_err *err);
/* Its job failed and was rolled back: tries again later (1 s, 2 s, 4 s … at most an hour). */
int rt_timer_postpone(struct rt_conn *c, const struct rt_timer *t, int64_t now, struct rt_err *err);
/* Calls `each` for every name that timers wait under, with how many there are, until it returns false. Any
 * connection. */
int rt_timer_names(struct rt_conn *c, bool (*each)(void *arg, const char *name, int64_t n), void *arg,
                   struct rt_err *err);
/* When the next one is to be looked at; INT64_MAX when there is none. Any connection. */
int rt_timer_next(struct rt_conn *c, int64_t *ret, struct rt_err *err);

#endif
