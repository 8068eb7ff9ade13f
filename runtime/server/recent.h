/* SPDX-License-Identifier: Apache-2.0
 *
 * The latest requests of each worker, for who asks why one was answered as it was, and for who watches them. */
#ifndef RT_SERVER_RECENT_H
#define RT_SERVER_RECENT_H

#include "server/conversation.h"

enum { RT_RECENT = 512 };

struct rt_recent_watch {
    /* A JSON object. On a worker's thread, with a lock held: must be short. */
    void (*seen)(void *arg, const char *record, size_t n);
    void *arg;
    bool log;     /* entries of the log instead of requests: { "line": … } */
    char app[64]; /* "" any */
    int status;   /* 0 any; 5 any of 500 to 599 */
    struct rt_recent_watch *next;
};

/* On the worker's thread, when the answer stands. */
void rt_recent_add(struct rt_conversation *c, int status, uint64_t ns);
/* Any thread. Appends the request's object; false when it is not among the latest. */
bool rt_recent_find(const char *id, struct rt_buf *out);
void rt_recent_watch(struct rt_recent_watch *w);
void rt_recent_unwatch(struct rt_recent_watch *w); /* nothing is told any more when it returns */
/* The tap of the log; any thread. */
void rt_recent_logged(const char *line, size_t n);
/* After the workers' end. */
void rt_recent_clear(void);

#endif
