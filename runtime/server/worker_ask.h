/* SPDX-License-Identifier: Apache-2.0
 *
 * What other threads ask a worker for, since only its thread may look at what serves now. */
#ifndef RT_SERVER_WORKER_ASK_H
#define RT_SERVER_WORKER_ASK_H

#include "server/host.h"

/* The scripts of the app's live release (a reference) and its number. Waits for worker 0, which must run. */
void rt_worker_live_tree(struct rt_host *h, int app, struct rt_tree **ret, int *ret_number);
/* Runs `look` on the worker's thread and waits for it. */
void rt_worker_ask(struct rt_worker *w, void (*look)(struct rt_worker *w, void *arg), void *arg);
/* rt_worker_connect() to worker 0, from any other thread. */
int rt_worker_ask_connect(void *host, int *ret_fd);

#endif
