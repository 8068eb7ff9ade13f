/* SPDX-License-Identifier: Apache-2.0
 *
 * One lock for queue and end: a task costs milliseconds at least, so nothing is gained by anything finer. */
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct rt_pool {
    struct rt_pool_work work;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct rt_task *head, **tail;
    int waiting, queue;
    bool stopping;
    int threads;
    pthread_t ids[];
};

static struct rt_task *take(struct rt_pool *p)
{
    struct rt_task *task = p->head;
    p->head = task->next;
    if (!p->head)
        p->tail = &p->head;
    p->waiting--;
    return task;
}

static void *work(void *arg)
{
    struct rt_pool *p = arg;
    void *mine = NULL;
    if (p->work.begin)
        p->work.begin(p->work.arg, &mine);
    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        if (!p->head) {
            pthread_cond_wait(&p->wake, &p->lock);
            continue;
        }
        struct rt_task *task = take(p);
        pthread_mutex_unlock(&p->lock);
        p->work.run(p->work.arg, &mine, task);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    if (p->work.end)
        p->work.end(p->work.arg, &mine);
    return NULL;
}

static void start(struct rt_pool *p, int threads)
{
    sigset_t all, before; /* signals are for the main thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (p->threads < threads && pthread_create(&p->ids[p->threads], NULL, work, p) == 0)
        p->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int rt_pool_new(int threads, int queue, const struct rt_pool_work *todo, struct rt_pool **ret, struct rt_err *err)
{
    if (threads < 1 || queue < 1)
        return rt_err_set(err, RT_E_INVALID, "a pool needs a thread and a place in its queue");
    struct rt_pool *p = calloc(1, sizeof(*p) + (size_t)threads * sizeof(p->ids[0]));
    if (!p)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a pool");
    p->work = *todo;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->tail = &p->head;
    p->queue = queue;
    start(p, threads);
    if (p->threads < threads) {
        rt_pool_free(p);
        return rt_err_set(err, RT_E_IO, "cannot start the threads of a pool");
    }
    *ret = p;
    return 0;
}

void rt_pool_free(struct rt_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    struct rt_task *left = p->head;
    p->head = NULL;
    p->tail = &p->head;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->threads; i++)
        pthread_join(p->ids[i], NULL);
    for (struct rt_task *next; left; left = next) {
        next = left->next;
        if (p->work.drop)
            p->work.drop(p->work.arg, left);
    }
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int rt_pool_put(struct rt_pool *p, struct rt_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&p->lock);
    int rc = p->stopping ? RT_E_INTERRUPTED : p->waiting >= p->queue ? RT_E_FULL : 0;
    if (rc == 0) {
        *p->tail = task;
        p->tail = &task->next;
        p->waiting++;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}
