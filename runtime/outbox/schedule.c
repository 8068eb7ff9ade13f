/* SPDX-License-Identifier: Apache-2.0
 *
 * Jitter only ever adds: a receiver that recovers is not hit early, and a schedule can be read as "not before". */
#include "outbox/schedule.h"

#include <string.h>

#include "base/str.h"

enum { DELAY_MAX = 30 * 86400, JITTER_PARTS = 5 };

const struct rt_schedule rt_schedule_mail = { 9, { 0, 30, 300, 1800, 7200, 18000, 43200, 86400, 86400 } };

int rt_schedule_parse(const char *text, struct rt_schedule *ret, struct rt_err *err)
{
    struct rt_schedule s = { 0 };
    for (const char *p = text;; p++) {
        size_t n = strcspn(p, ",");
        int64_t v;
        if (s.n == RT_SCHEDULE_MAX)
            return rt_err_set(err, RT_E_LIMIT, "the schedule has more than %d delays", RT_SCHEDULE_MAX);
        if (!rt_str_int(rt_str_trim((struct rt_str){ p, n }), &v) || v < 0 || v > DELAY_MAX)
            return rt_err_set(err, RT_E_INVALID, "\"%.*s\" is not a number of seconds from 0 to %d", (int)n, p,
                              DELAY_MAX);
        s.seconds[s.n++] = v;
        p += n;
        if (!*p)
            break;
    }
    *ret = s;
    return 0;
}

int64_t rt_schedule_wait(const struct rt_schedule *s, int attempts, int64_t retry_after, uint64_t random)
{
    if (attempts >= s->n)
        return -1;
    int64_t ms = s->seconds[attempts] * 1000;
    ms += (int64_t)(random % (uint64_t)(ms / JITTER_PARTS + 1));
    if (retry_after > RT_RETRY_AFTER_MAX)
        retry_after = RT_RETRY_AFTER_MAX;
    return ms > retry_after * 1000 ? ms : retry_after * 1000;
}

static enum rt_verdict again_or_not(const struct rt_attempt *a, const struct rt_schedule *s, int attempts)
{
    return a->permanent || a->status == RT_STATUS_GONE || attempts >= s->n ? RT_GIVE_UP : RT_TRY_AGAIN;
}

enum rt_verdict rt_verdict_webhook(const struct rt_attempt *a, const struct rt_schedule *s, int attempts)
{
    return !a->error && a->status >= 200 && a->status <= 299 ? RT_DELIVERED : again_or_not(a, s, attempts);
}

enum rt_verdict rt_verdict_mail(const struct rt_attempt *a, const struct rt_schedule *s, int attempts)
{
    return a->error ? again_or_not(a, s, attempts) : RT_DELIVERED;
}
