/* SPDX-License-Identifier: Apache-2.0
 *
 * What the releaser's parts share: its thread (releaser.c), what makes a release (releaser_live.c), the
 * first one (releaser_first.c), the conversation with commands (releaser_commands.c). */
#ifndef RT_SERVER_RELEASER_INTERNAL_H
#define RT_SERVER_RELEASER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/checker.h"
#include "server/history.h"
#include "server/host.h"
#include "server/releaser.h"

struct rt_control;
struct rt_watcher;

struct rt_releaser {
    struct rt_host *host;
    struct rt_history *history; /* the thread's, once it runs */
    struct rt_control *control; /* the commands' thread's */
    struct rt_watcher *watcher; /* NULL: nothing is watched */
    struct rt_checker checker;  /* the thread's */
    pthread_t thread, commands;
    bool threads;
    int wake_fd, stop_fd;
    _Atomic bool stop, hangup;
    _Atomic int number;
    uint64_t quiet_at;  /* when the files that are being saved count as saved; 0: nothing was. The thread's */
    uint64_t quiet_end; /* … at the latest */
    bool yields;        /* what is being made is of no use when files are saved again */
    int given_up;       /* how often in a row it was */
    pthread_mutex_t mu; /* guards the rest */
    struct releaser_app {
        int number; /* of the release that serves … */
        char hash[65];
        int64_t refused_at; /* … and why the latest candidate does not; `error` is NULL when it does */
        char *error;
    } app[RT_APPS_MAX];
    bool making; /* a release is being made */
    struct rt_reload *asked, **asked_end;
};

/* releaser_live.c, the thread's: both return the exit status and write what to show. */
int releaser__reload(struct rt_releaser *r, const char *who, const char *reason, struct rt_buf *out);
int releaser__rollback(struct rt_releaser *r, int number, const char *who, struct rt_buf *out);
/* What serves from now on; for status. */
void releaser__serves(struct rt_releaser *r, struct rt_release *const *live, int number);
/* The entry of a release of these parts, and its trees. */
void releaser__entry(struct rt_releaser *r, struct rt_release *const *live, struct rt_history_entry *e,
                     struct rt_tree **trees);
/* releaser.c: what is being made is of no use any more, as files were saved again or the server stops. */
bool releaser__over(void *releaser);
/* releaser_commands.c: the thread that answers commands; until r->stop. */
void *releaser__commands(void *releaser);

#endif
