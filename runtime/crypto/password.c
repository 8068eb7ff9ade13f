/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash costs 12 ms of a core on purpose, so it never runs on a loop: a few threads take jobs from a
 * bounded queue, and a full queue is an answer at once, not a growing wait. Jobs are linked through the
 * caller's structs; the only allocation is the copy of the password, wiped as soon as it was used. */
#include "crypto/password.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PASSES 2
#define MEMORY ((size_t)19 << 20)

_Static_assert(RT_PASSWORD_HASH_BYTES == crypto_pwhash_STRBYTES, "room for sodium's text");

struct rt_password_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct rt_password_job *head, **tail;
    int waiting, queue;
    bool stopping;
    int threads;
    pthread_t ids[];
};

static void forget_password(struct rt_password_job *job)
{
    if (job->password) {
        sodium_memzero(job->password, job->password_n);
        free(job->password);
    }
    job->password = NULL;
    job->password_n = 0;
}

int rt_password_hash(const char *password, size_t n, char out[RT_PASSWORD_HASH_BYTES])
{
    int rc = crypto_pwhash_str_alg(out, password, n, PASSES, MEMORY, crypto_pwhash_ALG_ARGON2ID13);
    return rc == 0 ? 0 : RT_E_NOMEM;
}

static void run_job(struct rt_password_job *job)
{
    if (!job->verify)
        job->result = rt_password_hash(job->password, job->password_n, job->hash);
    else
        job->result = crypto_pwhash_str_verify(job->hash, job->password, job->password_n) == 0 ? 0 : RT_E_DENIED;
    forget_password(job);
    job->done(job);
}

static void *hasher(void *arg)
{
    struct rt_password_pool *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        struct rt_password_job *job = p->head;
        if (!job) {
            pthread_cond_wait(&p->wake, &p->lock);
            continue;
        }
        p->head = job->next;
        if (!p->head)
            p->tail = &p->head;
        p->waiting--;
        pthread_mutex_unlock(&p->lock);
        run_job(job);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int rt_password_pool_new(int threads, int queue, struct rt_password_pool **ret, struct rt_err *err)
{
    if (threads < 1 || queue < 1)
        return rt_err_set(err, RT_E_INVALID, "password hashing needs a thread and a place in the queue");
    struct rt_password_pool *p = calloc(1, sizeof(*p) + (size_t)threads * sizeof(p->ids[0]));
    if (!p)
        return rt_err_set(err, RT_E_NOMEM, "no memory for password hashing");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->tail = &p->head;
    p->queue = queue;
    /* Signals are for the main thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (p->threads < threads && pthread_create(&p->ids[p->threads], NULL, hasher, p) == 0)
        p->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (p->threads < threads) {
        rt_password_pool_free(p);
        return rt_err_set(err, RT_E_IO, "could not start the password threads");
    }
    *ret = p;
    return 0;
}

void rt_password_pool_free(struct rt_password_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    struct rt_password_job *left = p->head;
    p->head = NULL;
    p->tail = &p->head;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->threads; i++)
        pthread_join(p->ids[i], NULL);
    for (struct rt_password_job *next; left; left = next) {
        next = left->next;
        forget_password(left);
    }
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static int submit(struct rt_password_pool *p, struct rt_password_job *job, const char *password, size_t n)
{
    job->next = NULL;
    job->result = 0;
    job->password_n = n;
    job->password = malloc(n + 1);
    if (!job->password)
        return RT_E_NOMEM;
    if (n > 0)
        memcpy(job->password, password, n);
    pthread_mutex_lock(&p->lock);
    int rc = p->stopping ? RT_E_INTERRUPTED : p->waiting >= p->queue ? RT_E_FULL : 0;
    if (rc == 0) {
        *p->tail = job;
        p->tail = &job->next;
        p->waiting++;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    if (rc < 0)
        forget_password(job);
    return rc;
}

int rt_password_hash_async(struct rt_password_pool *p, struct rt_password_job *job, const char *password, size_t n)
{
    job->verify = 0;
    return submit(p, job, password, n);
}

int rt_password_verify_async(struct rt_password_pool *p, struct rt_password_job *job, const char *password, size_t n,
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
