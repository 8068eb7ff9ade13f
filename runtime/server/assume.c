/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are compared in constant time, though nobody outside of this process ever hears of one. */
#include "server/assume.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/hash.h"

enum { PLACES = 64 };

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
    rt_hex(bytes, sizeof bytes, secret);
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

bool rt_assume_take(struct rt_conversation *c)
{
    if (atomic_load_explicit(&waiting, memory_order_relaxed) == 0)
        return false;
    struct rt_str h = rt_http_header(c->http, RT_ASSUME_HEADER);
    if (h.n != RT_ASSUME_SECRET - 1)
        return false;
    pthread_mutex_lock(&mu);
    for (int i = 0; i < PLACES && !c->x.assume; i++)
        if (places[i].principal && rt_equal_constant_time(places[i].secret, RT_ASSUME_SECRET - 1, h.p, h.n)) {
            c->x.assume = places[i].principal;
            c->x.rehearse = !places[i].keep;
            places[i].principal = NULL;
            atomic_fetch_sub(&waiting, 1);
        }
    pthread_mutex_unlock(&mu);
    return c->x.assume != NULL;
}
