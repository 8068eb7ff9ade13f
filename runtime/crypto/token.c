/* SPDX-License-Identifier: Apache-2.0
 *
 * libjwt signs and verifies; what it leaves to its caller is done here: a key of full length (it takes
 * an empty one), the algorithm pinned from the header before any verification (it verifies with what the
 * token asks for), strict base64url (it decodes leniently) and `exp` and `nbf` (it ignores them). A
 * token without `exp` has no end; one whose `exp` is not an integer is refused. */
#include "crypto/token.h"

#include <jwt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "crypto/hash.h"

#define KEY_MIN      32
#define KEY_MAX      4096
#define TOKEN_MAX    16384
#define CLAIMS_DEPTH 32

static int check_key(size_t n, struct rt_err *err)
{
    if (n < KEY_MIN || n > KEY_MAX)
        return rt_err_set(err, RT_E_INVALID, "a token key has %d to %d bytes, not %zu", KEY_MIN, KEY_MAX, n);
    return 0;
}

int rt_token_sign(const void *key, size_t key_n, const char *claims, char **ret, struct rt_err *err)
{
    char first;
    int rc = check_key(key_n, err);
    if (rc < 0)
        return rc;
    if ((rc = rt_json_check(claims, strlen(claims), CLAIMS_DEPTH, &first, err)) < 0)
        return rc;
    if (first != '{')
        return rt_err_set(err, RT_E_INVALID, "the claims of a token are an object");
    jwt_t *jwt = NULL;
    char *token;
    if (jwt_new(&jwt) != 0)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a token");
    if (jwt_add_grants_json(jwt, claims) != 0)
        rc = rt_err_set(err, RT_E_INVALID, "the claims of a token cannot be used (a name twice, a number too large?)");
    else if (jwt_set_alg(jwt, JWT_ALG_HS256, key, (int)key_n) != 0)
        rc = rt_err_set(err, RT_E_INTERNAL, "a token could not be signed");
    else if (!(token = jwt_encode_str(jwt)))
        rc = rt_err_set(err, RT_E_NOMEM, "no memory for a token");
    else
        *ret = token;
    jwt_free(jwt);
    return rc;
}

/* The three parts, dots excluded; false when there are more or fewer, or one is empty. */
struct parts {
    const char *p[3];
    size_t n[3];
};

static bool split(const char *token, size_t n, struct parts *ret)
{
    const char *end = token + n;
    for (int i = 0; i < 3; i++) {
        const char *dot = memchr(token, '.', (size_t)(end - token));
        if ((dot != NULL) != (i < 2))
            return false;
        ret->p[i] = token;
        ret->n[i] = (size_t)((dot ? dot : end) - token);
        if (ret->n[i] == 0)
            return false;
        token = dot ? dot + 1 : end;
    }
    return true;
}

/* Every part strict base64url; header and claims JSON objects; the signature as long as HS256's. */
static bool well_formed(const struct parts *parts, char *scratch)
{
    for (int i = 0; i < 3; i++) {
        char first;
        long n = rt_base64url_decode(parts->p[i], parts->n[i], scratch);
        if (n < 0)
            return false;
        if (i == 2)
            return n == 32;
        if (rt_json_check(scratch, (size_t)n, CLAIMS_DEPTH, &first, NULL) < 0 || first != '{')
            return false;
    }
    return false;
}

/* Reads the header alone (with empty claims and no key, so nothing is verified). RFC 7515 4.1.11: a
 * token with "crit" is refused by whoever does not know all that it names. */
static bool header_says_hs256(const struct parts *parts, char *scratch)
{
    static const char no_claims[] = ".e30.";
    memcpy(scratch, parts->p[0], parts->n[0]);
    memcpy(scratch + parts->n[0], no_claims, sizeof(no_claims));
    jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, scratch, NULL, 0) != 0)
        return false;
    char *crit = jwt_get_headers_json(jwt, "crit");
    const char *alg = jwt_get_header(jwt, "alg"); /* jwt_get_alg() says "none" when there is no key */
    bool ok = alg && strcmp(alg, "HS256") == 0 && !crit;
    free(crit);
    jwt_free(jwt);
    return ok;
}

/* An integer claim, read from its text: jwt_get_grant_int() gives 0 for one that is none. 1: there; 0:
 * absent; -1: something else. */
static int claim_int(jwt_t *jwt, const char *name, int64_t *ret)
{
    char *text = jwt_get_grants_json(jwt, name);
    int found = !text ? 0 : rt_str_int(rt_str_of(text), ret) ? 1 : -1;
    free(text);
    return found;
}

static int check_times(jwt_t *jwt, int64_t now, struct rt_err *err)
{
    int64_t exp = 0, nbf = 0;
    int has_exp = claim_int(jwt, "exp", &exp), has_nbf = claim_int(jwt, "nbf", &nbf);
    if (has_exp < 0 || has_nbf < 0)
        return rt_err_set(err, RT_E_DENIED, "the token's exp or nbf is not an integer");
    if (has_nbf && now < nbf)
        return rt_err_set(err, RT_E_DENIED, "the token is not valid yet");
    if (has_exp && now >= exp)
        return rt_err_set(err, RT_E_EXPIRED, "the token has expired");
    return 0;
}

int rt_token_verify(const void *key, size_t key_n, const char *token, size_t n, int64_t now, char **ret_claims,
                    struct rt_err *err)
{
    struct parts parts;
    jwt_t *jwt = NULL;
    char *scratch = NULL;
    int rc = check_key(key_n, err);
    if (rc < 0)
        return rc;
    if (n > TOKEN_MAX || !split(token, n, &parts))
        return rt_err_set(err, RT_E_DENIED, "not a token");
    scratch = malloc(n + 8);
    if (!scratch)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a token");
    rc = RT_E_DENIED;
    if (!well_formed(&parts, scratch)) {
        rt_err_set(err, rc, "the token is malformed");
        goto out;
    }
    if (!header_says_hs256(&parts, scratch)) {
        rt_err_set(err, rc, "the token's algorithm is not HS256");
        goto out;
    }
    memcpy(scratch, token, n);
    scratch[n] = '\0';
    if (jwt_decode(&jwt, scratch, key, (int)key_n) != 0 || jwt_get_alg(jwt) != JWT_ALG_HS256) {
        rt_err_set(err, rc, "the token's signature is wrong");
        goto out;
    }
    rc = check_times(jwt, now, err);
    char *claims = rc == 0 ? jwt_get_grants_json(jwt, NULL) : NULL;
    if (claims)
        *ret_claims = claims;
    else if (rc == 0)
        rc = rt_err_set(err, RT_E_NOMEM, "no memory for a token");
out:
    jwt_free(jwt);
    free(scratch);
    return rc;
}
