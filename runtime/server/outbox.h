/* SPDX-License-Identifier: Apache-2.0
 *
 * The outbox's thread: takes what is due from the databases of all apps, sends it, records the outcomes through the
 * writers like anybody else. A claim is in memory only, so whatever happens, a row that has no outcome is sent again:
 * at least once, with the same id and the same bytes. */
#ifndef RT_SERVER_OUTBOX_H
#define RT_SERVER_OUTBOX_H

#include "base/buf.h"
#include "base/err.h"

struct rt_host;
struct rt_outbox;
struct rt_worker;

/* Checks the settings and sets up everything but the thread; the apps' databases are open. */
int rt_outbox_new(struct rt_host *h, struct rt_outbox **ret, struct rt_err *err);
int rt_outbox_start(struct rt_outbox *o, struct rt_err *err);
/* Nothing new is begun; what is on its way has until the drain's end. Returns at once. */
void rt_outbox_drain(struct rt_outbox *o);
/* Waits for that. The writers must still be open. */
void rt_outbox_join(struct rt_outbox *o);
/* When the writers are closed. */
void rt_outbox_free(struct rt_outbox *o);
/* Any thread: the clock was moved. */
void rt_outbox_wake(struct rt_outbox *o);
/* For /metrics, on a worker's thread. */
void rt_outbox_metrics(struct rt_worker *w, struct rt_buf *out);

#endif
