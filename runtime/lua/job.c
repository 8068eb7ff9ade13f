/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs. The claim of a timer and what its function writes are one transaction: after a kill either both
 * happened or the timer is still there. */
#include "lua/job.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "lua/api.h"

static void end(struct rt_job *job, int code)
{
    rt_call_fini(&job->call);
    job->done(job, code, job->error);
}

static void committed(struct rt_tx *tx, int code)
{
    struct rt_job *job = (struct rt_job *)((char *)tx - offsetof(struct rt_job, call.tx));
    if (code)
        snprintf(job->error, sizeof job->error, "the commit failed (%s)", rt_code_name(code));
    end(job, code);
}

static void describe(struct rt_job *job)
{
    lua_State *co = job->call.co;
    char text[400];
    rt_script_failed(&job->call);
    rt_error_text(co, -1, text, sizeof text);
    snprintf(job->error, sizeof job->error, "%s", text);
    rt_traceback(co, co, text, 0);
    rt_log(RT_LOG_ERROR, "script error", "app", job->app->name, "job",
           job->timer.name.len ? rt_buf_cstr(&job->timer.name) : "-", "error", text, "traceback", lua_tostring(co, -1),
           NULL);
}

static int describe_protected(lua_State *L)
{
    describe(lua_touserdata(L, 1));
    return 0;
}

static void returned(struct rt_call *call, int n)
{
    struct rt_job *job = call->owner;
    struct rt_err err;
    if (n < 0)
        rt_vm_protected(call->vm, RT_RULE, describe_protected, job, NULL);
    bool nothing = n >= 0 && job->now && !job->found; /* no timer was due: nothing to commit */
    call->tx.done = committed;
    int rc = rt_call_end_turn(call, n >= 0 && !nothing, &err);
    if (rc > 0)
        return;
    if (rc < 0)
        snprintf(job->error, sizeof job->error, "%s", err.msg);
    end(job, rc < 0 ? rc : nothing ? RT_E_NOTFOUND : n < 0 ? RT_E_INVALID : 0);
}

static int no_results(lua_State *L, int status, lua_KContext ctx)
{
    (void)L, (void)status, (void)ctx;
    return 0;
}

static int run_claimed(lua_State *L, int status, lua_KContext ctx)
{
    struct rt_job *job = (struct rt_job *)ctx;
    struct rt_err err;
    (void)status;
    if (!job->call.turn)
        return luaL_error(L, "the database takes no writes now");
    int rc = rt_timer_claim(rt_writer_conn(job->app->vm->services->app->writer), job->now, &job->timer, &err);
    if (rc < 0)
        return luaL_error(L, "timers: %s", err.msg);
    job->found = rc > 0;
    if (!job->found)
        return 0;
    job->call.timer = &job->timer;
    job->call.wrote = true; /* the claim: functions inside get savepoints of their own */
    const char *name = rt_buf_cstr(&job->timer.name);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->app->timers_ref);
    if (lua_getfield(L, -1, name) != LUA_TFUNCTION)
        return luaL_error(L, "the manifest has no timer '%s'", name);
    job->call.script = rt_script_find(job->app, RT_SCRIPT_TIMER, name);
    rt_script_enter(job->app->vm, job->call.script);
    lua_pushinteger(L, job->timer.due);
    lua_getglobal(L, "json");
    lua_getfield(L, -1, "decode");
    lua_remove(L, -2);
    lua_pushlstring(L, job->timer.args.data, job->timer.args.len);
    lua_call(L, 1, 1);
    lua_callk(L, 2, 0, 0, no_results);
    return 0;
}

static int take_turn(lua_State *L, struct rt_job *job, lua_KFunction k)
{
    if (!rt_call_take_turn(L, &job->call)) {
        job->call.parked = true;
        return lua_yieldk(L, 0, (lua_KContext)job, k);
    }
    return k(L, LUA_OK, (lua_KContext)job);
}

static int timer_body(lua_State *L) { return take_turn(L, lua_touserdata(L, 1), run_claimed); }

static int postpone_turn(lua_State *L, int status, lua_KContext ctx)
{
    struct rt_job *job = (struct rt_job *)ctx;
    struct rt_err err;
    (void)status;
    if (!job->call.turn ||
        rt_timer_postpone(rt_writer_conn(job->app->vm->services->app->writer), &job->timer, job->now, &err))
        return luaL_error(L, "a failed timer could not be postponed");
    job->found = true;
    return 0;
}

static int postpone_body(lua_State *L) { return take_turn(L, lua_touserdata(L, 1), postpone_turn); }

static int function_body(lua_State *L)
{
    struct rt_job *job = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->ref);
    lua_callk(L, 0, 0, 0, no_results);
    return 0;
}

static void start(struct rt_job *job, lua_CFunction body)
{
    job->error[0] = 0;
    job->found = false;
    rt_log_request(NULL);
    if (rt_call_init(&job->call, job->app->vm, RT_JOB, returned, job)) {
        job->done(job, RT_E_NOMEM, "out of memory");
        return;
    }
    job->call.patient = body == function_body;
    lua_pushcfunction(job->call.co, body);
    lua_pushlightuserdata(job->call.co, job);
    rt_call_start(&job->call, 1);
}

void rt_job_timer(struct rt_job *job, int64_t now)
{
    job->now = now;
    start(job, timer_body);
}

void rt_job_postpone(struct rt_job *job) { start(job, postpone_body); }

void rt_job_function(struct rt_job *job, int ref)
{
    job->now = 0;
    job->ref = ref;
    start(job, function_body);
}

struct look_up {
    const struct rt_app *app;
    const char *name;
    bool found;
};

static int look_up(lua_State *L)
{
    struct look_up *x = lua_touserdata(L, 1);
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, x->app->timers_ref) == LUA_TTABLE)
        x->found = lua_getfield(L, -1, x->name) == LUA_TFUNCTION;
    return 0;
}

bool rt_job_has_timer(struct rt_app *app, const char *name)
{
    struct look_up x = { app, name, false };
    return rt_vm_protected(app->vm, RT_RULE, look_up, &x, NULL) == 0 && x.found;
}
