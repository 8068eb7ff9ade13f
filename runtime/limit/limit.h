/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixed-window request limits, shared by all workers (sharded locks). A counter is named by bytes
 * ("focusing.standard:user:7"); windows start at multiples of their length in Unix time. */
#ifndef RT_LIMIT_LIMIT_H
#define RT_LIMIT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_limits;

struct rt_limit_state {
    bool allowed;
    int64_t limit, remaining; /* remaining after this request */
    int64_t reset;            /* Unix time of the window's end */
};

/* At most `max_counters` are kept; expired ones go first, then the oldest. */
struct rt_limits *rt_limits_new(size_t max_counters);
void rt_limits_free(struct rt_limits *l);

/* Takes one from the counter; a rejected request takes nothing. `now` in Unix seconds. */
struct rt_limit_state rt_limit_take(struct rt_limits *l, const char *key, size_t n, int64_t limit,
                                    int64_t window_seconds, int64_t now);
/* Gives one back (a 304 costs nothing) if the window still runs; returns the state. */
struct rt_limit_state rt_limit_give_back(struct rt_limits *l, const char *key, size_t n, int64_t limit,
                                         int64_t window_seconds, int64_t now);
size_t rt_limits_count(struct rt_limits *l);
/* All windows begin anew. */
void rt_limits_clear(struct rt_limits *l);

#endif
