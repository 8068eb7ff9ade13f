/* SPDX-License-Identifier: Apache-2.0
 *
 * timer: durable timers, set and cancelled in the transaction of the change that needs them. */
#include <string.h>

#include "jobs/timers.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/present.h"

static struct rt_conn *in_transaction(lua_State *L, const char *what)
{
    struct rt_call *call = rt_call_of(L);
    if (!call->in_transaction)
        luaL_error(L, "%s: only inside db.transaction", what);
    return rt_writer_conn(call->vm->services->app->writer);
}

static struct rt_str check_str(lua_State *L, int i)
{
    struct rt_str s;
    s.p = luaL_checklstring(L, i, &s.n);
    return s;
}

/* It would be the earliest one for ever, and no other would have its turn. */
static void check_progress(lua_State *L, struct rt_str key, int64_t due)
{
    const struct rt_timer *running = rt_call_of(L)->timer;
    if (running && due <= running->due && key.n == running->key.len && memcmp(key.p, running->key.data, key.n) == 0)
        luaL_error(L, "timer.at: a timer that sets itself again must be due later than it was (%I)",
                   (LUAI_UACINT)running->due);
}

L_FN(timer_at, RT_RUN, "timer.at(key: string, due: integer, name: string, args?: table)",
     "Runs the app's timer `name` at `due` (Unix seconds) with (due, args); one timer per key, a new one replaces it. "
     "It survives restarts and fires once. A timer's function may set its own key for later than it was due.")
{
    struct rt_str key = check_str(L, 1), name = check_str(L, 3), args;
    lua_Integer due = luaL_checkinteger(L, 2);
    struct rt_err err;
    lua_settop(L, 4);
    if (lua_isnil(L, 4)) {
        lua_newtable(L);
        lua_replace(L, 4);
    }
    struct rt_conn *c = in_transaction(L, "timer.at");
    check_progress(L, key, due);
    struct rt_vm *vm = rt_vm_of(L);
    rt_buf_reset(&vm->scratch);
    if (rt_present(L, 4, NULL, &vm->scratch, &err))
        return luaL_error(L, "timer.at: args: %s", err.msg);
    args = (struct rt_str){ vm->scratch.data, vm->scratch.len };
    if (rt_timer_put(c, key, due, name, args, &err))
        return luaL_error(L, "timer.at: %s", err.msg);
    if (vm->call->timer_due == 0 || due < vm->call->timer_due)
        vm->call->timer_due = due > 0 ? due : 1;
    return 0;
}

L_FN(timer_cancel, RT_RUN, "timer.cancel(key: string): boolean",
     "Cancels the timer of that key; false when there is none.")
{
    struct rt_str key = check_str(L, 1);
    struct rt_err err;
    int rc = rt_timer_cancel(in_transaction(L, "timer.cancel"), key, &err);
    if (rc < 0)
        return luaL_error(L, "timer.cancel: %s", err.msg);
    lua_pushboolean(L, rc);
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &timer_at, &timer_cancel, NULL };
const struct rt_lua_lib rt_lib_timer = { "timer", "Durable timers.", fns };
