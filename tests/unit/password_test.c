/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords: hash and verify through the pool, the bound of the queue, what happens to waiting jobs. */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/password.h"

/* A job that tells when it is done and, if it is to block, goes on only when allowed. */
struct task {
    struct rt_password_job job;
    sem_t done, go;
    int block, calls;
};

static void finish(struct rt_password_job *job)
{
    struct task *t = job->arg;
    int block = t->block;
    t->calls++;
    sem_post(&t->done); /* unless it is to block, the task is gone from here on */
    if (block)
        sem_wait(&t->go);
}

static void prepare(struct task *t, int block)
{
    memset(t, 0, sizeof(*t));
    sem_init(&t->done, 0, 0);
    sem_init(&t->go, 0, 0);
    t->block = block;
    t->job.done = finish;
    t->job.arg = t;
}

static struct rt_pool *pool_of(int threads, int queue)
{
    struct rt_pool *pool = NULL;
    assert_int_equal(rt_password_pool_new(threads, queue, RT_PASSWORD_DEAR, &pool, NULL), 0);
    return pool;
}

static int verify(struct rt_pool *pool, const char *password, const char *hash)
{
    struct task t;
    prepare(&t, 0);
    assert_int_equal(rt_password_verify_async(pool, &t.job, password, strlen(password), hash), 0);
    sem_wait(&t.done);
    assert_null(t.job.password);
    return t.job.result;
}

static void hashes_and_verifies(void **state)
{
    (void)state;
    struct rt_pool *pool = pool_of(2, 8);
    struct task t;
    prepare(&t, 0);
    assert_int_equal(rt_password_hash_async(pool, &t.job, "s3cret pass", 11), 0);
    sem_wait(&t.done);
    assert_int_equal(t.job.result, 0);
    assert_memory_equal(t.job.hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    assert_null(t.job.password); /* wiped before anybody is told */
    assert_int_equal(verify(pool, "s3cret pass", t.job.hash), 0);
    assert_int_equal(verify(pool, "s3cret pasS", t.job.hash), RT_E_DENIED);
    assert_int_equal(verify(pool, "", t.job.hash), RT_E_DENIED);
    rt_pool_free(pool);
}

static void cheap_hashes_are_hashes(void **state)
{
    (void)state;
    struct rt_pool *pool = NULL;
    struct task t;
    assert_int_equal(rt_password_pool_new(1, 8, RT_PASSWORD_CHEAP, &pool, NULL), 0);
    prepare(&t, 0);
    assert_int_equal(rt_password_hash_async(pool, &t.job, "s3cret pass", 11), 0);
    sem_wait(&t.done);
    assert_memory_equal(t.job.hash, "$argon2id$v=19$m=8,t=1,p=1$", 27);
    assert_int_equal(verify(pool, "s3cret pass", t.job.hash), 0);
    assert_int_equal(verify(pool, "s3cret pasS", t.job.hash), RT_E_DENIED);
    rt_pool_free(pool);
}

static void same_password_gives_other_hashes(void **state)
{
    (void)state;
    char a[RT_PASSWORD_HASH_BYTES], b[RT_PASSWORD_HASH_BYTES];
    assert_int_equal(rt_password_hash("p\0q", 3, a), 0);
    assert_int_equal(rt_password_hash("p\0q", 3, b), 0);
    assert_string_not_equal(a, b);
    struct rt_pool *pool = pool_of(1, 1);
    assert_int_equal(verify(pool, "p", a), RT_E_DENIED); /* the NUL does not end it */
    rt_pool_free(pool);
}

static void garbage_hashes_deny(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "x",
                                       "$argon2id$",
                                       "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$",
                                       "pbkdf2_sha256$1$salt$hash",
                                       "$2b$12$abcdefghijklmnopqrstuv" };
    struct rt_pool *pool = pool_of(1, 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(verify(pool, "p", bad[i]), RT_E_DENIED);
    struct task t;
    char huge[200];
    memset(huge, 'a', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    prepare(&t, 0);
    assert_int_equal(rt_password_verify_async(pool, &t.job, "p", 1, huge), RT_E_INVALID);
    rt_pool_free(pool);
}

static void a_full_queue_says_so(void **state)
{
    (void)state;
    struct rt_pool *pool = pool_of(1, 2);
    struct task first, waiting[2], late;
    prepare(&first, 1);
    assert_int_equal(rt_password_hash_async(pool, &first.job, "a", 1), 0);
    sem_wait(&first.done); /* the only thread now stands in finish() */
    for (int i = 0; i < 2; i++) {
        prepare(&waiting[i], 0);
        assert_int_equal(rt_password_hash_async(pool, &waiting[i].job, "b", 1), 0);
    }
    prepare(&late, 0);
    assert_int_equal(rt_password_hash_async(pool, &late.job, "c", 1), RT_E_FULL);
    assert_null(late.job.password);
    sem_post(&first.go);
    for (int i = 0; i < 2; i++)
        sem_wait(&waiting[i].done);
    assert_int_equal(rt_password_hash_async(pool, &late.job, "c", 1), 0);
    sem_wait(&late.done);
    assert_int_equal(late.calls, 1);
    rt_pool_free(pool);
}

struct closing {
    struct rt_pool *pool;
    sem_t started;
};

static void *close_pool(void *arg)
{
    struct closing *c = arg;
    sem_post(&c->started);
    rt_pool_free(c->pool);
    return NULL;
}

static void closing_drops_waiting_jobs(void **state)
{
    (void)state;
    struct closing c = { .pool = pool_of(1, 1) };
    struct task first, waiting, probe;
    pthread_t closer;
    prepare(&first, 1);
    prepare(&waiting, 0);
    prepare(&probe, 0);
    sem_init(&c.started, 0, 0);
    assert_int_equal(rt_password_hash_async(c.pool, &first.job, "a", 1), 0);
    sem_wait(&first.done);
    assert_int_equal(rt_password_hash_async(c.pool, &waiting.job, "b", 1), 0);
    assert_int_equal(pthread_create(&closer, NULL, close_pool, &c), 0);
    sem_wait(&c.started);
    /* Full until it closes; only then may the running job end. */
    while (rt_password_hash_async(c.pool, &probe.job, "p", 1) == RT_E_FULL)
        sched_yield();
    sem_post(&first.go);
    pthread_join(closer, NULL);
    assert_int_equal(first.calls, 1);
    assert_int_equal(waiting.calls, 0);
    assert_null(waiting.job.password);
    assert_int_equal(probe.calls, 0);
}

static void needs_threads_and_a_queue(void **state)
{
    (void)state;
    struct rt_pool *pool = NULL;
    struct rt_err err = { 0 };
    assert_int_equal(rt_password_pool_new(0, 4, RT_PASSWORD_DEAR, &pool, &err), RT_E_INVALID);
    assert_int_equal(rt_password_pool_new(1, 0, RT_PASSWORD_DEAR, &pool, &err), RT_E_INVALID);
    assert_null(pool);
    rt_pool_free(NULL);
}

static int init(void **state)
{
    (void)state;
    return rt_crypto_init(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_and_verifies),        cmocka_unit_test(same_password_gives_other_hashes),
        cmocka_unit_test(garbage_hashes_deny),        cmocka_unit_test(a_full_queue_says_so),
        cmocka_unit_test(closing_drops_waiting_jobs), cmocka_unit_test(needs_threads_and_a_queue),
        cmocka_unit_test(cheap_hashes_are_hashes),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
