/* SPDX-License-Identifier: Apache-2.0
 *
 * Password hashing (argon2id, t=2, m=19 MiB) on threads of its own, so that no loop stalls. */
#ifndef RT_CRYPTO_PASSWORD_H
#define RT_CRYPTO_PASSWORD_H

#include <stddef.h>

#include "base/err.h"

#define RT_PASSWORD_HASH_BYTES 128 /* sodium's encoded string, NUL included */

struct rt_password_pool;

/* `threads` hashers (1 or more), at most `queue` waiting jobs. */
int rt_password_pool_new(int threads, int queue, struct rt_password_pool **ret, struct rt_err *err);
/* Drops waiting jobs without calling them, waits for running ones. */
void rt_password_pool_free(struct rt_password_pool *p);

/* A job; the caller's memory until `done`. The password is copied and wiped after use. */
struct rt_password_job {
    void (*done)(struct rt_password_job *job); /* on the hasher's thread: hand it over, return */
    void *arg;
    char hash[RT_PASSWORD_HASH_BYTES]; /* out for hashing, in for verifying */
    int result;                        /* 0; verifying: RT_E_DENIED when it does not match */
    char *password;
    size_t password_n;
    int verify;
    struct rt_password_job *next;
};

/* RT_E_FULL when the queue is full: answer 503 with Retry-After. RT_E_INTERRUPTED while the pool closes. */
int rt_password_hash_async(struct rt_password_pool *p, struct rt_password_job *job, const char *password, size_t n);
int rt_password_verify_async(struct rt_password_pool *p, struct rt_password_job *job, const char *password, size_t n,
                             const char *hash);
/* At once, on this thread: for commands and seeds. */
int rt_password_hash(const char *password, size_t n, char out[RT_PASSWORD_HASH_BYTES]);

#endif
