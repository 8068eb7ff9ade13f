/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are compared in constant time, though nobody outside of this process ever hears of one. */
#include "server/assume.h"

#include <arpa/inet.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/hash.h"

enum { PLACES = 64, BUFFER = 1 << 20 };

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int waiting;
static unsigned next;
static struct {
    char secret[RT_ASSUME_SECRET], *principal;
    bool keep;
} places[PLACES];

void rt_assume_put(const char *principal, bool keep, char secret[RT_ASSUME_SECRET])
{
    unsigned char bytes[16];
    rt_random(bytes, sizeof bytes);
    for (int i = 0; i < 16; i++)
        snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
    pthread_mutex_lock(&mu);
    unsigned i = next++ % PLACES;
    if (!places[i].principal)
        atomic_fetch_add(&waiting, 1);
    free(places[i].principal);
    places[i].principal = strdup(principal);
    memcpy(places[i].secret, secret, RT_ASSUME_SECRET);
    places[i].keep = keep;
    pthread_mutex_unlock(&mu);
}

static bool same(const char *a, const char *b)
{
    unsigned char d = 0;
    for (int i = 0; i < RT_ASSUME_SECRET - 1; i++)
        d |= (unsigned char)(a[i] ^ b[i]);
    return d == 0;
}

bool rt_assume_take(struct rt_conversation *c)
{
    if (atomic_load_explicit(&waiting, memory_order_relaxed) == 0)
        return false;
    struct rt_str h = rt_http_header(c->http, RT_ASSUME_HEADER);
    if (h.n != RT_ASSUME_SECRET - 1)
        return false;
    pthread_mutex_lock(&mu);
    for (int i = 0; i < PLACES && !c->x.assume; i++)
        if (places[i].principal && same(places[i].secret, h.p)) {
            c->x.assume = places[i].principal;
            c->x.rehearse = !places[i].keep;
            places[i].principal = NULL;
            atomic_fetch_sub(&waiting, 1);
        }
    pthread_mutex_unlock(&mu);
    return c->x.assume != NULL;
}

struct adoption {
    struct rt_message message;
    struct rt_worker *worker;
    int fd, rc;
    sem_t done;
};

static void adopt(struct rt_message *m)
{
    struct adoption *a = (struct adoption *)((char *)m - offsetof(struct adoption, message));
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    a->rc = rt_http_adopt(a->worker->http, a->fd, (struct sockaddr *)&peer, sizeof peer);
    rt_http_run(a->worker->http);
    sem_post(&a->done);
}

int rt_assume_connect(void *host, int *ret_fd)
{
    struct rt_worker *w = &((struct rt_host *)host)->workers[0];
    struct adoption a = { .message.run = adopt, .worker = w };
    int ends[2], size = BUFFER;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
        return RT_E_IO;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    a.fd = ends[1];
    sem_init(&a.done, 0, 0);
    rt_loop_post(w->loop, &a.message);
    while (sem_wait(&a.done) && errno == EINTR)
        ;
    sem_destroy(&a.done);
    if (a.rc)
        close(ends[0]);
    else
        *ret_fd = ends[0];
    return a.rc;
}
