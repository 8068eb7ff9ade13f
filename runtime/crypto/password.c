/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash costs 12 ms of a core on purpose, so it never runs on a loop. The only allocation is the copy of the password,
 * wiped as soon as it was used. */
#include "crypto/password.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(RT_PASSWORD_HASH_BYTES == crypto_pwhash_STRBYTES, "room for sodium's text");

static void forget_password(struct rt_password_job *job)
{
    if (job->password) {
        sodium_memzero(job->password, job->password_n);
        free(job->password);
    }
    job->password = NULL;
    job->password_n = 0;
}

struct cost {
    unsigned long long passes;
    size_t memory;
};

static const struct cost costs[] = {
    [RT_PASSWORD_DEAR] = { 2, (size_t)19 << 20 },
    [RT_PASSWORD_CHEAP] = { crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN },
};

static int hash(const struct cost *c, const char *password, size_t n, char out[RT_PASSWORD_HASH_BYTES])
{
    int rc = crypto_pwhash_str_alg(out, password, n, c->passes, c->memory, crypto_pwhash_ALG_ARGON2ID13);
    return rc == 0 ? 0 : RT_E_NOMEM;
}

int rt_password_hash(const char *password, size_t n, char out[RT_PASSWORD_HASH_BYTES])
{
    return hash(&costs[RT_PASSWORD_DEAR], password, n, out);
}

static void run_job(void *arg, void **mine, struct rt_task *task)
{
    (void)mine;
    struct rt_password_job *job = (struct rt_password_job *)task;
    if (!job->verify)
        job->result = hash(arg, job->password, job->password_n, job->hash);
    else
        job->result = crypto_pwhash_str_verify(job->hash, job->password, job->password_n) == 0 ? 0 : RT_E_DENIED;
    forget_password(job);
    job->done(job);
}

static void drop_job(void *arg, struct rt_task *task)
{
    (void)arg;
    forget_password((struct rt_password_job *)task);
}

int rt_password_pool_new(int threads, int queue, enum rt_password_cost cost, struct rt_pool **ret, struct rt_err *err)
{
    struct rt_pool_work work = { .run = run_job, .drop = drop_job, .arg = (void *)(uintptr_t)&costs[cost] };
    return rt_pool_new(threads, queue, &work, ret, err);
}

static int submit(struct rt_pool *p, struct rt_password_job *job, const char *password, size_t n)
{
    job->result = 0;
    job->password_n = n;
    job->password = malloc(n + 1);
    if (!job->password)
        return RT_E_NOMEM;
    if (n > 0)
        memcpy(job->password, password, n);
    int rc = rt_pool_put(p, &job->task);
    if (rc < 0)
        forget_password(job);
    return rc;
}

int rt_password_hash_async(struct rt_pool *p, struct rt_password_job *job, const char *password, size_t n)
{
    job->verify = 0;
    return submit(p, job, password, n);
}

int rt_password_verify_async(struct rt_pool *p, struct rt_password_job *job, const char *password, size_t n,
                             const char *hash)
{
    size_t hash_n = strnlen(hash, sizeof(job->hash));
    if (hash_n == sizeof(job->hash))
        return RT_E_INVALID;
    if (hash != job->hash) /* the caller may have filled it in already */
        memcpy(job->hash, hash, hash_n);
    memset(job->hash + hash_n, 0, sizeof(job->hash) - hash_n);
    job->verify = 1;
    return submit(p, job, password, n);
}
