/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker's mailbox: transactions come back to the worker that began them, either with the turn on
 * the write connection or with the outcome of their commit. The worker is woken once per batch. */
#include <pthread.h>
#include <stdlib.h>

#include "db/writer_internal.h"

struct rt_mailbox {
    pthread_mutex_t mu;
    struct rt_tx *head, **tail;
    _Atomic bool mail;
    bool running; /* its worker is inside rt_mailbox_run(): no wake-up needed */
    bool closed;  /* its worker has ended */
    void (*wake)(void *arg);
    void *arg;
};

struct rt_mailbox *rt_mailbox_new(void (*wake)(void *arg), void *arg)
{
    struct rt_mailbox *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    pthread_mutex_init(&m->mu, NULL);
    m->tail = &m->head;
    m->wake = wake;
    m->arg = arg;
    return m;
}

void rt_mailbox_free(struct rt_mailbox *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->mu);
    free(m);
}

bool mailbox__post(struct rt_mailbox *m, struct rt_tx *tx)
{
    pthread_mutex_lock(&m->mu);
    bool open = !m->closed, wake = open && !m->head && !m->running;
    tx->next = NULL;
    if (open) {
        *m->tail = tx;
        m->tail = &tx->next;
        atomic_store_explicit(&m->mail, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&m->mu);
    if (wake)
        m->wake(m->arg);
    return open;
}

static struct rt_tx *take_all(struct rt_mailbox *m)
{
    pthread_mutex_lock(&m->mu);
    struct rt_tx *list = m->head;
    m->head = NULL;
    m->tail = &m->head;
    m->running = list != NULL;
    atomic_store_explicit(&m->mail, false, memory_order_relaxed);
    pthread_mutex_unlock(&m->mu);
    return list;
}

void rt_mailbox_close(struct rt_mailbox *m)
{
    pthread_mutex_lock(&m->mu);
    m->closed = true;
    pthread_mutex_unlock(&m->mu);
    for (struct rt_tx *tx = take_all(m), *next; tx; tx = next) {
        next = tx->next;
        if (tx->granted_now)
            writer__declined(tx);
    }
}

bool rt_mailbox_has_mail(const struct rt_mailbox *m) { return atomic_load_explicit(&m->mail, memory_order_relaxed); }

void rt_mailbox_run(struct rt_mailbox *m)
{
    struct rt_tx *list;
    while ((list = take_all(m)) != NULL)
        while (list) {
            struct rt_tx *tx = list;
            list = tx->next;
            tx->next = NULL;
            if (tx->granted_now)
                writer__granted(tx);
            else
                tx->done(tx, tx->code);
        }
}
