/* SPDX-License-Identifier: Apache-2.0
 *
 * crypto: digests, MACs and random identifiers for scripts. */
#include "crypto/hash.h"
#include "lua/api.h"

enum { RANDOM_MAX = 256, CODED_MAX = 1 << 20 };
enum form { HEX, BASE64, BASE64URL };

static const char *const forms[] = { "hex", "base64", "base64url", NULL };

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

static size_t encode(enum form form, const char *p, size_t n, char *out)
{
    if (form == BASE64)
        return rt_base64(p, n, out);
    if (form == BASE64URL)
        return rt_base64url(p, n, out);
    rt_hex(p, n, out);
    return n * 2;
}

L_FN(crypto_encode, RT_ANY, "crypto.encode(bytes: string, form: string): string",
     "The bytes as text: \"hex\", \"base64\" or \"base64url\" (without padding).")
{
    size_t n;
    luaL_Buffer b;
    const char *p = luaL_checklstring(L, 1, &n);
    enum form form = (enum form)luaL_checkoption(L, 2, NULL, forms);
    luaL_argcheck(L, n <= CODED_MAX, 1, "at most 1 MiB");
    char *out = luaL_buffinitsize(L, &b, n * 2 + 8);
    luaL_pushresultsize(&b, encode(form, p, n, out));
    return 1;
}

static int nibble(char c)
{
    c = (char)(c >= 'A' && c <= 'F' ? c | 0x20 : c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static long decode(enum form form, const char *p, size_t n, char *out)
{
    if (form == BASE64)
        return rt_base64_decode(p, n, out);
    if (form == BASE64URL)
        return rt_base64url_decode(p, n, out);
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = nibble(p[i]), low = nibble(p[i + 1]);
        if (high < 0 || low < 0)
            return -1;
        out[i / 2] = (char)(high << 4 | low);
    }
    return n % 2 ? -1 : (long)(n / 2);
}

L_FN(crypto_decode, RT_ANY, "crypto.decode(text: string, form: string): string | nil",
     "The bytes that a text in \"hex\", \"base64\" or \"base64url\" stands for; nil when it is none.")
{
    size_t n;
    luaL_Buffer b;
    const char *p = luaL_checklstring(L, 1, &n);
    enum form form = (enum form)luaL_checkoption(L, 2, NULL, forms);
    luaL_argcheck(L, n <= 2 * CODED_MAX, 1, "at most 2 MiB");
    char *out = luaL_buffinitsize(L, &b, n + 1);
    long len = decode(form, p, n, out);
    luaL_pushresultsize(&b, len < 0 ? 0 : (size_t)len);
    if (len < 0)
        lua_pushnil(L);
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &crypto_sha256, &crypto_hmac,   &crypto_random, &crypto_uuid,
                                               &crypto_equal,  &crypto_encode, &crypto_decode, NULL };
const struct rt_lua_lib rt_lib_crypto = { "crypto", "Digests, MACs and random identifiers.", fns };
