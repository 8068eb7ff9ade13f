/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop over libuv. Messages travel in one locked list with one wake-up per batch. The hook
 * runs in libuv's check and prepare phases: after events were handled and before the loop sleeps, so
 * that work which other parts of an iteration left behind (a commit to start) is never forgotten. */
#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

#include "loop/loop.h"

struct line {
    struct rt_message *head, **tail;
};

struct rt_loop {
    uv_loop_t uv;
    uv_async_t async;
    uv_prepare_t prepare;
    pthread_mutex_t mu;
    struct line posted; /* under the lock */
    uv_idle_t idle;     /* runs, and keeps the loop from sleeping, while somebody waits for a later round */
    struct line later, urgent;
    bool was_urgent;
    uint64_t later_end; /* when their time ended in the last round, nanoseconds */
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

static void push(struct line *line, struct rt_message *m)
{
    m->next = NULL;
    *line->tail = m;
    line->tail = &m->next;
}

static void run_messages(uv_async_t *async)
{
    struct rt_loop *l = async->data;
    pthread_mutex_lock(&l->mu);
    struct rt_message *list = l->posted.head;
    l->posted = (struct line){ NULL, &l->posted.head };
    pthread_mutex_unlock(&l->mu);
    while (list) {
        struct rt_message *m = list;
        list = m->next;
        m->run(m);
    }
}

static struct rt_message *pop(struct line *line)
{
    struct rt_message *m = line->head;
    if (!(line->head = m->next))
        line->tail = &line->head;
    return m;
}

/* Urgent ones and others in turn. */
static struct rt_message *take_later(struct rt_loop *l)
{
    bool urgent = l->urgent.head && (!l->later.head || !l->was_urgent);
    l->was_urgent = urgent;
    return pop(urgent ? &l->urgent : &l->later);
}

static bool somebody_waits(const struct rt_loop *l) { return l->later.head || l->urgent.head; }

static void run_later(uv_idle_t *idle)
{
    struct rt_loop *l = idle->data;
    uint64_t begin = uv_hrtime(), others_had = begin - l->later_end;
    do {
        struct rt_message *m = take_later(l);
        m->run(m);
    } while (somebody_waits(l) && uv_hrtime() - begin < others_had);
    l->later_end = uv_hrtime();
    if (!somebody_waits(l))
        uv_idle_stop(&l->idle);
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
    l->posted.tail = &l->posted.head;
    l->later.tail = &l->later.head;
    l->urgent.tail = &l->urgent.head;
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
    pthread_mutex_lock(&l->mu);
    bool wake = !l->posted.head;
    push(&l->posted, m);
    pthread_mutex_unlock(&l->mu);
    if (wake)
        uv_async_send(&l->async);
}

void rt_loop_later(struct rt_loop *l, struct rt_message *m, bool urgent)
{
    if (!uv_is_active((uv_handle_t *)&l->idle)) {
        l->later_end = uv_hrtime();
        uv_idle_start(&l->idle, run_later);
    }
    push(urgent ? &l->urgent : &l->later, m);
}

static void forget(struct line *line, struct rt_message *m)
{
    struct rt_message **at = &line->head;
    while (*at && *at != m)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = m->next;
    if (!m->next)
        line->tail = at;
}

void rt_loop_forget(struct rt_loop *l, struct rt_message *m)
{
    forget(&l->later, m);
    forget(&l->urgent, m);
    if (!somebody_waits(l))
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
