/* SPDX-License-Identifier: Apache-2.0
 *
 * When a delivery is tried again, and what an attempt's outcome means for it. Pure; any thread. */
#ifndef RT_OUTBOX_SCHEDULE_H
#define RT_OUTBOX_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { RT_SCHEDULE_MAX = 32, RT_RETRY_AFTER_MAX = 24 * 3600 };

/* Delays in seconds before each attempt, counted from the end of the one before; the first from the creation. */
struct rt_schedule {
    int n;
    int64_t seconds[RT_SCHEDULE_MAX];
};

/* "0,5,300": 1 to 32 whole numbers, each at most 30 days. */
int rt_schedule_parse(const char *text, struct rt_schedule *ret, struct rt_err *err);
/* The schedule of mail. */
extern const struct rt_schedule rt_schedule_mail;
/* Milliseconds from the end of attempt number `attempts` (1 is the first) to the next one, -1 when it was the last.
 * Up to a fifth longer than scheduled, by `random`; not earlier than `retry_after` seconds (negative: not said). */
int64_t rt_schedule_wait(const struct rt_schedule *s, int attempts, int64_t retry_after, uint64_t random);

/* One attempt, as the transport saw it. */
struct rt_attempt {
    int status;          /* of HTTP or SMTP; 0 when there was no answer */
    bool permanent;      /* trying again makes no sense */
    bool cancelled;      /* nothing was sent: it does not count as an attempt */
    int64_t retry_after; /* seconds, -1 when not said */
    int64_t latency_ms;
    const char *excerpt; /* the beginning of the answer */
    unsigned long excerpt_n;
    const char *error; /* why there was no usable answer, or NULL */
};

enum rt_verdict { RT_DELIVERED, RT_TRY_AGAIN, RT_GIVE_UP };

enum { RT_STATUS_GONE = 410 }; /* the receiver wants no more, of this or any other */

/* What becomes of a webhook's delivery: 2xx is success, everything else is tried again until the schedule ends. */
enum rt_verdict rt_verdict_webhook(const struct rt_attempt *a, const struct rt_schedule *s, int attempts);
enum rt_verdict rt_verdict_mail(const struct rt_attempt *a, const struct rt_schedule *s, int attempts);

#endif
