/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Tokens (RFC 7519), HS256 only: `alg` is checked before anything else, `exp` and `nbf`
 * always. Claims travel as JSON text; what they mean is the scripts' business. Any thread. */
#ifndef RT_CRYPTO_TOKEN_H
#define RT_CRYPTO_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Signs a JSON object of claims; *ret is malloc()ed, terminated. The key has at least 32 bytes. */
int rt_token_sign(const void *key, size_t key_n, const char *claims, char **ret, struct rt_err *err);

/* Checks signature, algorithm, `exp` and `nbf` (integers, against `now`). On success *ret_claims is the
 * JSON text of the claims (malloc()ed). RT_E_EXPIRED: correctly signed, past its `exp`. RT_E_DENIED: anything else. */
int rt_token_verify(const void *key, size_t key_n, const char *token, size_t n, int64_t now, char **ret_claims,
                    struct rt_err *err);

#endif
