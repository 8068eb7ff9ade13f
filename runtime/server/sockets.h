/* SPDX-License-Identifier: Apache-2.0
 *
 * Where connections (ws/) and the apps' channels (lua/channel.h) of a worker meet: handshakes, limits, the drain,
 * figures. Its worker's thread, but for the figures. */
#ifndef RT_SERVER_SOCKETS_H
#define RT_SERVER_SOCKETS_H

#include "server/host.h"

struct rt_conversation;

int rt_sockets_new(struct rt_worker *w, struct rt_err *err);
/* Before the releases go: connections end, no handler runs any more. */
void rt_sockets_stop(struct rt_worker *w);
/* After the loop. */
void rt_sockets_free(struct rt_worker *w);

/* A request to a SOCKET route: true when it may go on through the app, else it was answered. */
bool rt_sockets_check(struct rt_conversation *c);
/* The app accepted it: the connection is taken over and the channel opened, or the request answered. */
void rt_sockets_accept(struct rt_conversation *c);

/* At the end of each round: writes what was sent. */
void rt_sockets_flush(struct rt_worker *w);
/* About once a second: pings, timeouts. */
void rt_sockets_sweep(struct rt_worker *w);
void rt_sockets_drain(struct rt_worker *w);
/* Connections and handlers that still end. */
bool rt_sockets_busy(const struct rt_worker *w);
void rt_sockets_metrics(struct rt_host *h, struct rt_buf *out);

#endif
