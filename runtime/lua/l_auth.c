/* SPDX-License-Identifier: Apache-2.0
 *
 * auth: the cache of principals. */
#include "lua/api.h"
#include "lua/call.h"

L_FN(auth_revoke, RT_RUN, "auth.revoke()",
     "After this transaction's commit every token of the app is checked anew (a logout, a deleted key).")
{
    struct rt_call *call = rt_call_of(L);
    if (!call->in_transaction)
        return luaL_error(L, "auth.revoke: only inside db.transaction");
    call->revoke = true;
    return 0;
}

static const struct rt_lua_fn *const fns[] = { &auth_revoke, NULL };
const struct rt_lua_lib rt_lib_auth = { "auth", "Who is signed in.", fns };
