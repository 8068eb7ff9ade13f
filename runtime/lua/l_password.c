/* SPDX-License-Identifier: Apache-2.0
 *
 * password: argon2id on the hashing threads; the request is parked meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "crypto/password.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/request.h"

/* Alive until the hasher is done, even when the script's state is not. */
struct work {
    struct rt_password_job job;
    struct rt_call *call;
};

static void hashed(struct rt_password_job *job)
{
    struct work *w = job->arg;
    rt_call_post(w->call);
}

static struct work *new_work(lua_State *L)
{
    struct work *w = lua_newuserdatauv(L, sizeof *w, 0);
    memset(w, 0, sizeof *w);
    w->call = rt_call_of(L);
    w->job.done = hashed;
    w->job.arg = w;
    return w;
}

static int check_queue(lua_State *L, int rc)
{
    if (rc == RT_E_FULL)
        rt_raise_failure(L, 503, NULL, "Too many sign-ins at once, try again in a moment");
    if (rc)
        luaL_error(L, "password: the hashing threads are not available");
    return 0;
}

static int take_hash(lua_State *L, int status, lua_KContext ctx)
{
    const struct work *w = (const struct work *)ctx;
    (void)status;
    if (w->job.result)
        return luaL_error(L, "password.hash: not enough memory");
    lua_pushstring(L, w->job.hash);
    return 1;
}

L_FN(password_hash, RT_RUN, "password.hash(password: string): string",
     "The argon2id hash of a password, to be stored. Waits for a hashing thread: call it before db.transaction.")
{
    size_t n;
    const char *p = luaL_checklstring(L, 1, &n);
    rt_park_check(L, "password.hash");
    struct work *w = new_work(L);
    check_queue(L, rt_password_hash_async(rt_vm_of(L)->services->passwords, &w->job, p, n));
    return rt_park(L, "password.hash", take_hash, (lua_KContext)w);
}

static int take_verdict(lua_State *L, int status, lua_KContext ctx)
{
    const struct work *w = (const struct work *)ctx;
    (void)status;
    lua_pushboolean(L, w->job.result == 0);
    return 1;
}

/* A hash of nothing that anybody types: an unknown account costs the same time as a wrong password. */
static const char decoy[] =
    "$argon2id$v=19$m=19456,t=2,p=1$bm90IGEgcmVhbCBzYWx0IQ$5l7bWb1m0Jm8Zc3kz1Jd8wqf8kE2vJ5mXo3S3kqfQ0s";

L_FN(password_verify, RT_RUN,
     "password.verify(password: string, hash: string | nil): boolean",
     "Whether the password fits the hash. With nil it takes the same time and is false. Call it before db.transaction.")
{
    size_t n;
    const char *p = luaL_checklstring(L, 1, &n), *hash = luaL_optstring(L, 2, decoy);
    rt_park_check(L, "password.verify");
    struct work *w = new_work(L);
    check_queue(L, rt_password_verify_async(rt_vm_of(L)->services->passwords, &w->job, p, n, hash));
    return rt_park(L, "password.verify", take_verdict, (lua_KContext)w);
}

static const struct rt_lua_fn *const fns[] = { &password_hash, &password_verify, NULL };
const struct rt_lua_lib rt_lib_password = { "password", "Password hashing (argon2id).", fns };
