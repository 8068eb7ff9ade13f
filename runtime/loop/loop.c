/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop over libuv. Messages travel in one locked list with one wake-up per batch. The hook
 * runs in libuv's check and prepare phases: after events were handled and before the loop sleeps, so
 * that work which other parts of an iteration left behind (a commit to start) is never forgotten. */
#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

#include "loop/loop.h"

struct rt_loop {
    uv_loop_t uv;
    uv_async_t async;
    uv_prepare_t prepare;
    pthread_mutex_t mu;
    struct rt_message *head, **tail;
    uv_idle_t idle; /* runs, and keeps the loop from sleeping, while somebody waits for a later round */
    struct rt_message *later, **later_tail;
    void (*each)(void *arg);
    void *each_arg;
};

struct rt_watch {
    uv_poll_t poll;
    void (*fn)(void *arg);
    void *arg;
};

struct rt_alarm {
    uv_timer_t timer;
    void (*fn)(void *arg);
    void *arg;
};

static void run_messages(uv_async_t *async)
{
    struct rt_loop *l = async->data;
    pthread_mutex_lock(&l->mu);
    struct rt_message *list = l->head;
    l->head = NULL;
    l->tail = &l->head;
    pthread_mutex_unlock(&l->mu);
    while (list) {
        struct rt_message *m = list;
        list = m->next;
        m->run(m);
    }
}

static struct rt_message *take_later(struct rt_loop *l)
{
    struct rt_message *m = l->later;
    if (!(l->later = m->next)) {
        l->later_tail = &l->later;
        uv_idle_stop(&l->idle);
    }
    return m;
}

static void run_later(uv_idle_t *idle)
{
    struct rt_message *m = take_later(idle->data);
    m->run(m);
}

static void before_sleep(uv_prepare_t *prepare)
{
    struct rt_loop *l = prepare->data;
    if (l->each)
        l->each(l->each_arg);
}

int rt_loop_new(struct rt_loop **ret, struct rt_err *err)
{
    struct rt_loop *l = calloc(1, sizeof *l);
    if (!l)
        return rt_err_set(err, RT_E_NOMEM, "no memory for an event loop");
    pthread_mutex_init(&l->mu, NULL);
    l->tail = &l->head;
    l->later_tail = &l->later;
    if (uv_loop_init(&l->uv) || uv_async_init(&l->uv, &l->async, run_messages)) {
        free(l);
        return rt_err_set(err, RT_E_IO, "cannot make an event loop");
    }
    l->async.data = l;
    uv_idle_init(&l->uv, &l->idle);
    l->idle.data = l;
    uv_prepare_init(&l->uv, &l->prepare);
    l->prepare.data = l;
    uv_prepare_start(&l->prepare, before_sleep);
    *ret = l;
    return 0;
}

void rt_loop_free(struct rt_loop *l)
{
    if (!l)
        return;
    uv_close((uv_handle_t *)&l->async, NULL);
    uv_close((uv_handle_t *)&l->idle, NULL);
    uv_close((uv_handle_t *)&l->prepare, NULL);
    while (uv_run(&l->uv, UV_RUN_DEFAULT)) { /* a stop that was asked for too late ends one run only */
    }
    uv_loop_close(&l->uv);
    pthread_mutex_destroy(&l->mu);
    free(l);
}

void rt_loop_run(struct rt_loop *l) { uv_run(&l->uv, UV_RUN_DEFAULT); }

void rt_loop_stop(struct rt_loop *l) { uv_stop(&l->uv); }

void rt_loop_each(struct rt_loop *l, void (*fn)(void *arg), void *arg)
{
    l->each = fn;
    l->each_arg = arg;
}

void rt_loop_post(struct rt_loop *l, struct rt_message *m)
{
    m->next = NULL;
    pthread_mutex_lock(&l->mu);
    bool wake = !l->head;
    *l->tail = m;
    l->tail = &m->next;
    pthread_mutex_unlock(&l->mu);
    if (wake)
        uv_async_send(&l->async);
}

void rt_loop_later(struct rt_loop *l, struct rt_message *m, bool first)
{
    m->next = first ? l->later : NULL;
    if (!l->later)
        uv_idle_start(&l->idle, run_later);
    if (first)
        l->later = m;
    else
        *l->later_tail = m;
    if (!m->next)
        l->later_tail = &m->next;
}

void rt_loop_forget(struct rt_loop *l, struct rt_message *m)
{
    struct rt_message **at = &l->later;
    while (*at && *at != m)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = m->next;
    if (!m->next)
        l->later_tail = at;
    if (!l->later)
        uv_idle_stop(&l->idle);
}

void *rt_loop_native(struct rt_loop *l) { return &l->uv; }

static void readable(uv_poll_t *poll, int status, int events)
{
    struct rt_watch *w = poll->data;
    (void)status, (void)events;
    w->fn(w->arg);
}

int rt_watch_new(struct rt_loop *l, int fd, void (*fn)(void *arg), void *arg, struct rt_watch **ret, struct rt_err *err)
{
    struct rt_watch *w = calloc(1, sizeof *w);
    if (!w)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a watch");
    w->fn = fn;
    w->arg = arg;
    if (uv_poll_init(&l->uv, &w->poll, fd)) {
        free(w);
        return rt_err_set(err, RT_E_IO, "cannot watch a descriptor");
    }
    w->poll.data = w;
    uv_poll_start(&w->poll, UV_READABLE, readable);
    *ret = w;
    return 0;
}

static void free_handle(uv_handle_t *h) { free(h->data); }

void rt_watch_free(struct rt_watch *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->poll, free_handle);
}

static void rang(uv_timer_t *timer)
{
    struct rt_alarm *a = timer->data;
    a->fn(a->arg);
}

int rt_alarm_new(struct rt_loop *l, void (*fn)(void *arg), void *arg, struct rt_alarm **ret, struct rt_err *err)
{
    struct rt_alarm *a = calloc(1, sizeof *a);
    if (!a)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a timer");
    a->fn = fn;
    a->arg = arg;
    uv_timer_init(&l->uv, &a->timer);
    a->timer.data = a;
    *ret = a;
    return 0;
}

void rt_alarm_set(struct rt_alarm *a, uint64_t milliseconds)
{
    /* The loop's clock stands still within an iteration. */
    uv_update_time(a->timer.loop);
    uv_timer_start(&a->timer, rang, milliseconds, 0);
}

void rt_alarm_clear(struct rt_alarm *a) { uv_timer_stop(&a->timer); }

void rt_alarm_free(struct rt_alarm *a)
{
    if (a)
        uv_close((uv_handle_t *)&a->timer, free_handle);
}
