/* SPDX-License-Identifier: Apache-2.0
 *
 * A message to a worker and a semaphore for its answer. */
#include "server/worker_ask.h"

#include <errno.h>
#include <semaphore.h>

struct ask {
    struct rt_message message;
    struct rt_worker *w;
    void (*look)(struct rt_worker *w, void *arg);
    void *arg;
    sem_t answered;
};

static void answer(struct rt_message *m)
{
    struct ask *a = (struct ask *)((char *)m - offsetof(struct ask, message));
    a->look(a->w, a->arg);
    sem_post(&a->answered);
}

void rt_worker_ask(struct rt_worker *w, void (*look)(struct rt_worker *w, void *arg), void *arg)
{
    struct ask a = { .message.run = answer, .w = w, .look = look, .arg = arg };
    sem_init(&a.answered, 0, 0);
    rt_loop_post(w->loop, &a.message);
    while (sem_wait(&a.answered) && errno == EINTR)
        ;
    sem_destroy(&a.answered);
}

struct live {
    int app, number;
    struct rt_tree *tree;
};

static void look(struct rt_worker *w, void *arg)
{
    struct live *l = arg;
    struct rt_release *r = rt_routing_now(w->host)->release[l->app];
    l->tree = rt_tree_ref(r->tree);
    l->number = r->number;
}

void rt_worker_live_tree(struct rt_host *h, int app, struct rt_tree **ret, int *ret_number)
{
    struct live l = { .app = app };
    rt_worker_ask(&h->workers[0], look, &l);
    *ret = l.tree;
    *ret_number = l.number;
}

struct connected {
    int rc, fd;
};

static void connect_here(struct rt_worker *w, void *arg)
{
    struct connected *c = arg;
    c->rc = rt_worker_connect(w, &c->fd);
    rt_http_run(w->http);
}

int rt_worker_ask_connect(void *host, int *ret_fd)
{
    struct rt_host *h = host;
    struct connected c = { 0 };
    rt_worker_ask(&h->workers[0], connect_here, &c);
    if (c.rc == 0)
        *ret_fd = c.fd;
    return c.rc;
}
