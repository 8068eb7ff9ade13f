/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters that outlive a release. A series must not begin anew, or go back, with a save: counted is what serves, what
 * is still used, and by its labels what is gone. */
#ifndef RT_SERVER_METRICS_INTERNAL_H
#define RT_SERVER_METRICS_INTERNAL_H

#include <pthread.h>

#include "base/map.h"
#include "server/host.h"

struct rt_former {
    pthread_mutex_t mu;
    struct rt_release *releases; /* that are there */
    int n;
    struct rt_map routes, scripts; /* labels → sums */
};

/* The sums (`size` bytes) of that series in `all`, made of zeros when there are none; NULL without memory. */
void *metrics__series(struct rt_map *all, const char *labels, size_t n, size_t size);

/* Adds what a release's scripts have cost. */
void metrics__scripts_add(struct rt_map *all, const struct rt_release *r);
void metrics__scripts_write(struct rt_host *h, struct rt_buf *out);

#endif
