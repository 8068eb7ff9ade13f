/* SPDX-License-Identifier: Apache-2.0
 *
 * A message to worker 0 and a semaphore for its answer. */
#include "server/worker_ask.h"

#include <errno.h>
#include <semaphore.h>

struct ask {
    struct rt_message message;
    struct rt_host *h;
    int app, number, fd, rc;
    struct rt_tree *tree;
    sem_t answered;
};

static struct ask *ask_of(struct rt_message *m) { return (struct ask *)((char *)m - offsetof(struct ask, message)); }

static void ask(struct ask *a, void (*answer)(struct rt_message *m))
{
    a->message.run = answer;
    sem_init(&a->answered, 0, 0);
    rt_loop_post(a->h->workers[0].loop, &a->message);
    while (sem_wait(&a->answered) && errno == EINTR)
        ;
    sem_destroy(&a->answered);
}

static void look(struct rt_message *m)
{
    struct ask *a = ask_of(m);
    struct rt_release *r = rt_routing_now(a->h)->release[a->app];
    a->tree = rt_tree_ref(r->tree);
    a->number = r->number;
    sem_post(&a->answered);
}

void rt_worker_live_tree(struct rt_host *h, int app, struct rt_tree **ret, int *ret_number)
{
    struct ask a = { .h = h, .app = app };
    ask(&a, look);
    *ret = a.tree;
    *ret_number = a.number;
}

static void connect_here(struct rt_message *m)
{
    struct ask *a = ask_of(m);
    struct rt_worker *w = &a->h->workers[0];
    a->rc = rt_worker_connect(w, &a->fd);
    rt_http_run(w->http);
    sem_post(&a->answered);
}

int rt_worker_ask_connect(void *host, int *ret_fd)
{
    struct ask a = { .h = host };
    ask(&a, connect_here);
    if (a.rc == 0)
        *ret_fd = a.fd;
    return a.rc;
}
