/* SPDX-License-Identifier: Apache-2.0
 *
 * Fires durable timers. The database's index is the queue; this only knows when to look next. It runs
 * one job after the other on worker 0, so timers of an app fire in order; their commits share groups
 * with those of requests. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "lua/job.h"
#include "server/host.h"

enum { LOOK_AT_LEAST_EVERY_S = 600, AFTER_FAILURE_MS = 1000 };

struct rt_scheduler {
    struct rt_host *host;
    int app;
    struct rt_job job;
    struct rt_release *release; /* that the job runs on */
    struct rt_alarm *alarm;
    struct rt_message message;
    bool running, postponing, failed;
    _Atomic bool posted;
    _Atomic int64_t next; /* when the alarm rings, Unix seconds */
    struct rt_idle_wait *waiting;
};

static struct rt_release *now(struct rt_scheduler *s) { return rt_routing_now(s->host)->release[s->app]; }

static void enter(struct rt_scheduler *s)
{
    s->release = now(s);
    rt_release_enter(s->release, 0);
    s->job.app = s->release->at[0].app;
}

/* Nothing is due: sets the alarm for what comes next and tells those who wait for that. */
static void rest(struct rt_scheduler *s)
{
    int64_t next = INT64_MAX, time = rt_now();
    struct rt_err err;
    s->running = false;
    struct rt_vm *vm = now(s)->at[0].vm;
    rt_vm_idle(vm);
    if (rt_timer_next(vm->reader, &next, &err)) {
        rt_log(RT_LOG_ERROR, "timers cannot be read", "error", err.msg, NULL);
        s->failed = true;
    }
    if (next > time + LOOK_AT_LEAST_EVERY_S)
        next = time + LOOK_AT_LEAST_EVERY_S;
    atomic_store(&s->next, next);
    uint64_t wait = next <= time ? 1 : (uint64_t)(next * 1000 - rt_now_ms());
    rt_alarm_set(s->alarm, s->failed && wait < AFTER_FAILURE_MS ? AFTER_FAILURE_MS : wait);
    s->failed = false;
    while (s->waiting) {
        struct rt_idle_wait *w = s->waiting;
        s->waiting = w->next;
        w->idle(w);
    }
}

static void fire(struct rt_scheduler *s)
{
    rt_buf_reset(&s->job.timer.key);
    enter(s);
    rt_job_timer(&s->job, rt_now());
}

static void done(struct rt_job *job, int code, const char *error)
{
    struct rt_scheduler *s = job->owner;
    bool failed = code && code != RT_E_NOTFOUND, was_postponing = s->postponing;
    s->postponing = false;
    rt_release_leave(s->release, 0);
    if (failed)
        rt_log(RT_LOG_ERROR, "timer failed", "app", s->host->apps[s->app].shared.name, "timer",
               job->timer.name.len ? rt_buf_cstr(&job->timer.name) : "-", "error", error, NULL);
    if (failed && !was_postponing && job->timer.key.len) {
        s->postponing = true;
        enter(s);
        rt_job_postpone(job);
    } else if (code == 0 && !atomic_load(&s->host->draining)) {
        fire(s);
    } else {
        s->failed = failed;
        rest(s);
    }
}

void rt_scheduler_run(struct rt_scheduler *s, struct rt_idle_wait *wait)
{
    if (wait) {
        wait->next = s->waiting;
        s->waiting = wait;
    }
    if (s->running)
        return;
    s->running = true;
    fire(s);
}

static void rang(void *arg) { rt_scheduler_run(arg, NULL); }

static void told(struct rt_message *m)
{
    struct rt_scheduler *s = (struct rt_scheduler *)((char *)m - offsetof(struct rt_scheduler, message));
    atomic_store(&s->posted, false);
    if (!s->running)
        rest(s);
}

void rt_scheduler_set(void *scheduler, int64_t due)
{
    struct rt_scheduler *s = scheduler;
    if (due < atomic_load(&s->next) && !atomic_exchange(&s->posted, true))
        rt_loop_post(s->host->workers[0].loop, &s->message);
}

bool rt_scheduler_is_busy(const struct rt_scheduler *s) { return s && s->running; }

struct rt_scheduler *rt_scheduler_new(struct rt_host *h, int app)
{
    struct rt_scheduler *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->host = h;
    s->app = app;
    s->message.run = told;
    atomic_store(&s->next, INT64_MAX);
    s->job.done = done;
    s->job.owner = s;
    rt_timer_init(&s->job.timer);
    if (rt_alarm_new(h->workers[0].loop, rang, s, &s->alarm, NULL)) {
        free(s);
        return NULL;
    }
    return s;
}

void rt_scheduler_free(struct rt_scheduler *s)
{
    if (!s)
        return;
    rt_alarm_free(s->alarm);
    if (s->running) /* the drain was cut short: it is rolled back and due again */
        rt_call_fini(&s->job.call);
    rt_timer_fini(&s->job.timer);
    free(s);
}
