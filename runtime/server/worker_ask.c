/* SPDX-License-Identifier: Apache-2.0
 *
 * A message to worker 0 and a semaphore for its answer. */
#include "server/worker_ask.h"

#include <errno.h>
#include <semaphore.h>

struct ask {
    struct rt_message message;
    struct rt_host *h;
    int app, number;
    struct rt_tree *tree;
    sem_t answered;
};

static void look(struct rt_message *m)
{
    struct ask *a = (struct ask *)((char *)m - offsetof(struct ask, message));
    struct rt_release *r = rt_routing_now(a->h)->release[a->app];
    a->tree = rt_tree_ref(r->tree);
    a->number = r->number;
    sem_post(&a->answered);
}

void rt_worker_live_tree(struct rt_host *h, int app, struct rt_tree **ret, int *ret_number)
{
    struct ask a = { .message.run = look, .h = h, .app = app };
    sem_init(&a.answered, 0, 0);
    rt_loop_post(h->workers[0].loop, &a.message);
    while (sem_wait(&a.answered) && errno == EINTR)
        ;
    sem_destroy(&a.answered);
    *ret = a.tree;
    *ret_number = a.number;
}
