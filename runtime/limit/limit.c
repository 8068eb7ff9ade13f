/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters live in shards, each with a lock, a map and a list by age, so workers rarely meet. The list
 * gives the oldest when a shard is full. Expired counters are swept only when a shard is full and its
 * earliest end has passed: at most once per second, however many new names somebody sends. */
#include "limit/limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"

#define SHARDS_MAX     16
#define SHARD_SMALLEST 64 /* counters per shard; fewer shards below that */

struct counter {
    struct counter *older, *newer;
    int64_t used, start, window;
    size_t n;
    char key[];
};

struct shard {
    pthread_mutex_t lock;
    struct rt_map counters;
    struct counter *oldest, *newest;
    size_t max;
    int64_t earliest_end; /* no counter ends before; INT64_MAX when there is none */
} __attribute__((aligned(64)));

struct rt_limits {
    uint64_t seed;
    size_t shard_count;
    struct shard *shards;
};

struct rt_limits *rt_limits_new(size_t max_counters)
{
    struct rt_limits *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    size_t max = max_counters ? max_counters : 1, count = max / SHARD_SMALLEST;
    l->shard_count = count < 1 ? 1 : count > SHARDS_MAX ? SHARDS_MAX : count;
    l->seed = rt_rand64();
    l->shards = aligned_alloc(64, l->shard_count * sizeof(*l->shards));
    if (!l->shards) {
        free(l);
        return NULL;
    }
    for (size_t i = 0; i < l->shard_count; i++) {
        struct shard *s = &l->shards[i];
        *s = (struct shard){ .max = max / l->shard_count, .earliest_end = INT64_MAX };
        rt_map_init(&s->counters);
        pthread_mutex_init(&s->lock, NULL);
    }
    return l;
}

void rt_limits_free(struct rt_limits *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->shard_count; i++) {
        rt_map_fini(&l->shards[i].counters, free);
        pthread_mutex_destroy(&l->shards[i].lock);
    }
    free(l->shards);
    free(l);
}

static void list_remove(struct shard *s, struct counter *c)
{
    *(c->older ? &c->older->newer : &s->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &s->newest) = c->older;
}

static void list_append(struct shard *s, struct counter *c)
{
    c->newer = NULL;
    c->older = s->newest;
    *(s->newest ? &s->newest->newer : &s->oldest) = c;
    s->newest = c;
}

static void drop(struct shard *s, struct counter *c)
{
    list_remove(s, c);
    rt_map_remove(&s->counters, c->key, c->n);
    free(c);
}

static int64_t end_of(const struct counter *c)
{
    int64_t end;
    return __builtin_add_overflow(c->start, c->window, &end) ? INT64_MAX : end;
}

static void make_room(struct shard *s, int64_t now)
{
    if (s->counters.count < s->max)
        return;
    if (s->earliest_end <= now) {
        s->earliest_end = INT64_MAX;
        for (struct counter *c = s->oldest, *next; c; c = next) {
            next = c->newer;
            if (end_of(c) <= now)
                drop(s, c);
            else if (end_of(c) < s->earliest_end)
                s->earliest_end = end_of(c);
        }
    }
    while (s->counters.count >= s->max)
        drop(s, s->oldest);
}

/* A window begins: the counter is the newest from now on. */
static void begin_window(struct shard *s, struct counter *c, int64_t start, int64_t window)
{
    c->used = 0;
    c->start = start;
    c->window = window;
    list_append(s, c);
    if (end_of(c) < s->earliest_end)
        s->earliest_end = end_of(c);
}

static struct counter *new_counter(struct shard *s, const char *key, size_t n, int64_t now)
{
    make_room(s, now);
    struct counter *c = malloc(sizeof(*c) + n);
    if (!c)
        return NULL;
    c->n = n;
    if (n > 0)
        memcpy(c->key, key, n);
    if (rt_map_set(&s->counters, key, n, c, NULL) < 0) {
        free(c);
        return NULL;
    }
    return c;
}

static int64_t window_start(int64_t now, int64_t window)
{
    int64_t into = now % window;
    return now - (into < 0 ? into + window : into);
}

static struct shard *lock_shard(struct rt_limits *l, const char *key, size_t n)
{
    struct shard *s = &l->shards[rt_hash64(key, n, l->seed) % l->shard_count];
    pthread_mutex_lock(&s->lock);
    return s;
}

static struct rt_limit_state state_of(int64_t used, int64_t limit, int64_t reset, bool allowed)
{
    int64_t remaining = limit > used ? limit - used : 0;
    return (struct rt_limit_state){ .allowed = allowed, .limit = limit, .remaining = remaining, .reset = reset };
}

struct rt_limit_state rt_limit_take(struct rt_limits *l, const char *key, size_t n, int64_t limit,
                                    int64_t window_seconds, int64_t now)
{
    int64_t window = window_seconds > 0 ? window_seconds : 1, start = window_start(now, window);
    struct shard *s = lock_shard(l, key, n);
    struct counter *c = rt_map_get(&s->counters, key, n);
    if (c && (c->start != start || c->window != window)) {
        list_remove(s, c);
        begin_window(s, c, start, window);
    } else if (!c && (c = new_counter(s, key, n, now))) {
        begin_window(s, c, start, window);
    }
    /* Without memory for a counter the request passes: limits protect the service, they are not it. */
    bool allowed = limit > 0 && (!c || c->used < limit);
    if (c && allowed)
        c->used++;
    int64_t used = c ? c->used : 1;
    pthread_mutex_unlock(&s->lock);
    return state_of(used, limit, start + window, allowed);
}

struct rt_limit_state rt_limit_give_back(struct rt_limits *l, const char *key, size_t n, int64_t limit,
                                         int64_t window_seconds, int64_t now)
{
    int64_t window = window_seconds > 0 ? window_seconds : 1, start = window_start(now, window), used = 0;
    struct shard *s = lock_shard(l, key, n);
    struct counter *c = rt_map_get(&s->counters, key, n);
    if (c && c->start == start && c->window == window) {
        if (c->used > 0)
            c->used--;
        used = c->used;
    }
    pthread_mutex_unlock(&s->lock);
    return state_of(used, limit, start + window, true);
}

size_t rt_limits_count(struct rt_limits *l)
{
    size_t count = 0;
    for (size_t i = 0; i < l->shard_count; i++) {
        pthread_mutex_lock(&l->shards[i].lock);
        count += l->shards[i].counters.count;
        pthread_mutex_unlock(&l->shards[i].lock);
    }
    return count;
}

void rt_limits_clear(struct rt_limits *l)
{
    for (size_t i = 0; i < l->shard_count; i++) {
        struct shard *s = &l->shards[i];
        pthread_mutex_lock(&s->lock);
        rt_map_fini(&s->counters, free);
        rt_map_init(&s->counters);
        s->oldest = s->newest = NULL;
        s->earliest_end = INT64_MAX;
        pthread_mutex_unlock(&s->lock);
    }
}
