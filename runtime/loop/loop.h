/* SPDX-License-Identifier: Apache-2.0
 *
 * One event loop per worker: watched descriptors, timers, messages from other threads, a hook at the end
 * of each iteration. Everything but rt_loop_post() and rt_loop_wake() belongs to the loop's own thread. */
#ifndef RT_LOOP_LOOP_H
#define RT_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct rt_loop;
struct rt_watch;
struct rt_alarm;

int rt_loop_new(struct rt_loop **ret, struct rt_err *err);
/* Watches and alarms must be gone. */
void rt_loop_free(struct rt_loop *l);
void rt_loop_run(struct rt_loop *l); /* until rt_loop_stop() */
void rt_loop_stop(struct rt_loop *l);
/* Called after each round of events, before the loop may sleep. */
void rt_loop_each(struct rt_loop *l, void (*fn)(void *arg), void *arg);

/* The library's loop, for a library that wants to live on it; the loop's thread. */
void *rt_loop_native(struct rt_loop *l);

/* A function to run on the loop's thread; the caller's memory until it runs. */
struct rt_message {
    void (*run)(struct rt_message *m);
    struct rt_message *next;
};
void rt_loop_post(struct rt_loop *l, struct rt_message *m); /* any thread */
/* The same in a later round: for work that has had its share of time. Each round gives those who wait so as much time
 * as everything else had, and takes one at least; every second one of them may be an `urgent` one. */
void rt_loop_later(struct rt_loop *l, struct rt_message *m, bool urgent);
/* It shall not run after all; nothing when it does not wait. */
void rt_loop_forget(struct rt_loop *l, struct rt_message *m);

/* Calls `fn` while `fd` is readable (level triggered). The descriptor stays the caller's. */
int rt_watch_new(struct rt_loop *l, int fd, void (*fn)(void *arg), void *arg, struct rt_watch **ret,
                 struct rt_err *err);
void rt_watch_free(struct rt_watch *w);

/* A one-shot timer that can be set again. */
int rt_alarm_new(struct rt_loop *l, void (*fn)(void *arg), void *arg, struct rt_alarm **ret, struct rt_err *err);
void rt_alarm_set(struct rt_alarm *a, uint64_t milliseconds);
void rt_alarm_clear(struct rt_alarm *a);
void rt_alarm_free(struct rt_alarm *a);

#endif
