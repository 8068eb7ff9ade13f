/* SPDX-License-Identifier: Apache-2.0
 *
 * jwt: tokens signed with the app's own key (HS256), so that no other app's token is valid here. */
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/token.h"
#include "lua/api.h"
#include "lua/present.h"
#include "lua/vm.h"

L_FN(jwt_sign, RT_RUN, "jwt.sign(claims: table): string",
     "A signed JSON Web Token (HS256) with these claims; give it iat and exp in Unix seconds.")
{
    struct rt_vm *vm = rt_vm_of(L);
    struct rt_err err;
    char *token;
    luaL_checktype(L, 1, LUA_TTABLE);
    rt_buf_reset(&vm->scratch);
    if (rt_present(L, 1, NULL, &vm->scratch, &err) ||
        rt_token_sign(vm->services->app->token_key, vm->services->app->token_key_n, rt_buf_cstr(&vm->scratch), &token,
                      &err))
        return luaL_error(L, "jwt.sign: %s", err.msg);
    lua_pushstring(L, token);
    free(token);
    return 1;
}

L_FN(jwt_verify, RT_RUN, "jwt.verify(token: string): table | nil, string",
     "The claims of a token signed by this app, or nil and \"expired\" or \"invalid\".")
{
    struct rt_app_shared *app = rt_vm_of(L)->services->app;
    size_t n;
    char *claims;
    const char *token = luaL_checklstring(L, 1, &n);
    int rc = rt_token_verify(app->token_key, app->token_key_n, token, n, rt_now(), &claims, NULL);
    if (rc) {
        lua_pushnil(L);
        lua_pushstring(L, rc == RT_E_EXPIRED ? "expired" : "invalid");
        return 2;
    }
    lua_getglobal(L, "json");
    lua_getfield(L, -1, "decode");
    lua_pushstring(L, claims);
    free(claims);
    lua_call(L, 1, 1);
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &jwt_sign, &jwt_verify, NULL };
const struct rt_lua_lib rt_lib_jwt = { "jwt", "JSON Web Tokens with the app's key.", fns };
