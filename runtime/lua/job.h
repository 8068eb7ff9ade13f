/* SPDX-License-Identifier: Apache-2.0
 *
 * Work without a client: a timer's function, demo data. Each job is one call with one transaction. */
#ifndef RT_LUA_JOB_H
#define RT_LUA_JOB_H

#include "jobs/timers.h"
#include "lua/app.h"
#include "lua/call.h"

struct rt_job {
    struct rt_call call;
    struct rt_app *app;
    /* 0: done and on disk. RT_E_NOTFOUND: no timer was due. Else failed and rolled back; `error` says why.
     * The job may be started again from here. */
    void (*done)(struct rt_job *job, int code, const char *error);
    void *owner;
    struct rt_timer timer; /* rt_job_timer: the claimed one */
    int64_t now;
    int ref;
    bool found;
    char error[2048];
};

/* Claims the earliest due timer and runs its function in the same transaction. */
void rt_job_timer(struct rt_job *job, int64_t now);
/* After a failed timer: moves it to a later attempt. */
void rt_job_postpone(struct rt_job *job);
/* Runs a Lua function of the app (a registry reference) without arguments. */
void rt_job_function(struct rt_job *job, int ref);

/* Whether the manifest has a timer of that name. Its own thread, or before any runs it. */
bool rt_job_has_timer(struct rt_app *app, const char *name);

#endif
