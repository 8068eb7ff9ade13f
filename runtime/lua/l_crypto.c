/* SPDX-License-Identifier: Apache-2.0
 *
 * crypto: digests, MACs and random identifiers for scripts. */
#include "crypto/hash.h"
#include "lua/api.h"

enum { RANDOM_MAX = 256 };

static int push_hex(lua_State *L, const uint8_t digest[32])
{
    char hex[65];
    rt_hex(digest, 32, hex);
    lua_pushlstring(L, hex, 64);
    return 1;
}

L_FN(crypto_sha256, RT_ANY, "crypto.sha256(text: string): string", "The SHA-256 digest in lower-case hex.")
{
    size_t n;
    uint8_t out[32];
    const char *p = luaL_checklstring(L, 1, &n);
    rt_sha256(p, n, out);
    return push_hex(L, out);
}

L_FN(crypto_hmac, RT_ANY, "crypto.hmac(key: string, text: string): string", "HMAC-SHA256 in lower-case hex.")
{
    size_t kn, n;
    uint8_t out[32];
    const char *k = luaL_checklstring(L, 1, &kn), *p = luaL_checklstring(L, 2, &n);
    rt_hmac_sha256(k, kn, p, n, out);
    return push_hex(L, out);
}

L_FN(crypto_random, RT_RUN, "crypto.random(n: integer): string",
     "n characters of A-Z, a-z and 0-9 from the kernel's generator, fit for secrets.")
{
    lua_Integer n = luaL_checkinteger(L, 1);
    char out[RANDOM_MAX + 1];
    luaL_argcheck(L, n >= 1 && n <= RANDOM_MAX, 1, "1 to 256 expected");
    rt_random_text(out, (size_t)n);
    lua_pushlstring(L, out, (size_t)n);
    return 1;
}

L_FN(crypto_uuid, RT_RUN, "crypto.uuid(): string", "A random UUID (version 4).")
{
    char out[37];
    rt_uuid4(out);
    lua_pushlstring(L, out, 36);
    return 1;
}

L_FN(crypto_equal, RT_ANY, "crypto.equal(a: string, b: string): boolean",
     "Compares two secrets in a time that does not tell where they differ.")
{
    size_t an, bn;
    const char *a = luaL_checklstring(L, 1, &an), *b = luaL_checklstring(L, 2, &bn);
    lua_pushboolean(L, rt_equal_constant_time(a, an, b, bn));
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &crypto_sha256, &crypto_hmac,  &crypto_random,
                                               &crypto_uuid,   &crypto_equal, NULL };
const struct rt_lua_lib rt_lib_crypto = { "crypto", "Digests, MACs and random identifiers.", fns };
