/* SPDX-License-Identifier: Apache-2.0
 *
 * What the releaser's thread and its conversation with commands share. */
#ifndef RT_SERVER_RELEASER_INTERNAL_H
#define RT_SERVER_RELEASER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/history.h"
#include "server/host.h"
#include "server/releaser.h"

struct rt_control;
struct rt_watcher;

/* The latest candidate of an app, while it is refused. */
struct failure {
    int64_t at;
    char *text; /* NULL: none */
};

struct rt_releaser {
    struct rt_host *host;
    struct rt_history *history; /* the thread's, once it runs */
    struct rt_control *control;
    struct rt_watcher *watcher;
    pthread_t thread;
    int wake_fd;
    _Atomic bool stop, hangup;
    _Atomic int number;
    pthread_mutex_t mu; /* guards the rest */
    struct failure failure[RT_APPS_MAX];
    struct rt_reload *asked;
};

/* Both return the exit status and write what to show. */
int releaser__reload(struct rt_releaser *r, const char *who, struct rt_buf *out);
int releaser__rollback(struct rt_releaser *r, int number, const char *who, struct rt_buf *out);
/* Answers one command that waits on the control socket. */
void releaser__serve(struct rt_releaser *r);

#endif
