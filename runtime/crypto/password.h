/* SPDX-License-Identifier: Apache-2.0
 *
 * Password hashing (argon2id, t=2, m=19 MiB) on threads of its own, so that no loop stalls. */
#ifndef RT_CRYPTO_PASSWORD_H
#define RT_CRYPTO_PASSWORD_H

#include <stddef.h>

#include "base/err.h"
#include "base/pool.h"

#define RT_PASSWORD_HASH_BYTES 128 /* sodium's encoded string, NUL included */

/* What a new hash costs whoever guesses, and thereby us. Specs have no password worth guessing. */
enum rt_password_cost { RT_PASSWORD_DEAR, RT_PASSWORD_CHEAP };

/* A pool (base/pool.h) of `threads` hashers. rt_pool_free drops waiting jobs without calling them. */
int rt_password_pool_new(int threads, int queue, enum rt_password_cost cost, struct rt_pool **ret, struct rt_err *err);

/* A job; the caller's memory until `done`. The password is copied and wiped after use. */
struct rt_password_job {
    struct rt_task task;                       /* first */
    void (*done)(struct rt_password_job *job); /* on the hasher's thread: hand it over, return */
    void *arg;
    char hash[RT_PASSWORD_HASH_BYTES]; /* out for hashing, in for verifying */
    int result;                        /* 0; verifying: RT_E_DENIED when it does not match */
    char *password;
    size_t password_n;
    int verify;
};

/* RT_E_FULL when the queue is full: answer 503 with Retry-After. RT_E_INTERRUPTED while the pool closes. */
int rt_password_hash_async(struct rt_pool *p, struct rt_password_job *job, const char *password, size_t n);
int rt_password_verify_async(struct rt_pool *p, struct rt_password_job *job, const char *password, size_t n,
                             const char *hash);
/* At once, on this thread: for commands and seeds. */
int rt_password_hash(const char *password, size_t n, char out[RT_PASSWORD_HASH_BYTES]);

#endif
