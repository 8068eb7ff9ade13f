/* SPDX-License-Identifier: Apache-2.0
 *
 * A few threads for work that no event loop has time for. The queue has a bound, so that too much work is an answer at
 * once and not a growing wait. Tasks are linked through the caller's structs: nothing is allocated per task. */
#ifndef RT_BASE_POOL_H
#define RT_BASE_POOL_H

#include "base/err.h"

struct rt_pool;

/* Part of the caller's struct, which is the pool's from rt_pool_put until it is run or dropped. */
struct rt_task {
    struct rt_task *next;
};

/* What the threads do. All get `arg`; `mine` is a place of the thread's own, NULL at first. */
struct rt_pool_work {
    void (*begin)(void *arg, void **mine);                     /* before the first task; nullable */
    void (*run)(void *arg, void **mine, struct rt_task *task); /* the task is the caller's again */
    void (*end)(void *arg, void **mine);                       /* after the last one; nullable */
    void (*drop)(void *arg, struct rt_task *task);             /* it was never run; nullable */
    void *arg;
};

/* `threads` of them (1 or more), at most `queue` waiting tasks. Signals are not for them. */
int rt_pool_new(int threads, int queue, const struct rt_pool_work *work, struct rt_pool **ret, struct rt_err *err);
/* Drops what waits, lets what runs end. NULL is fine. */
void rt_pool_free(struct rt_pool *p);
/* From any thread. RT_E_FULL when the queue is full, RT_E_INTERRUPTED while the pool closes. */
int rt_pool_put(struct rt_pool *p, struct rt_task *task);

#endif
