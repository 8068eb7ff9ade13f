/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for the engine. A write inside a savepoint copies each page that it changes into pieces of one
 * kilobyte and frees them when the savepoint ends, some sixty per transaction: too large and too many for
 * the quick lists of the C library. Here a freed block of moderate size waits in a list of its thread for
 * the next of its size; large ones go to malloc and back at once. A block may be freed by another thread
 * than the one that took it: it then waits there. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_internal.h"

enum { STEP = 64, CLASSES = 18, KEPT = 96, HEAD = sizeof(uint64_t) };

struct block {
    uint64_t n; /* usable bytes behind the head */
    struct block *next; /* while it waits */
};

struct shelf {
    struct block *waiting[CLASSES];
    int count[CLASSES];
    bool used;
};

static _Thread_local struct shelf shelf;
static pthread_key_t key;

/* A thread ends. */
static void clear_shelf(void *arg)
{
    struct shelf *s = arg;
    for (int k = 0; k < CLASSES; k++)
        while (s->waiting[k]) {
            struct block *b = s->waiting[k];
            s->waiting[k] = b->next;
            free(b);
        }
    memset(s, 0, sizeof *s);
}

/* The class of blocks of `bytes` in all, a multiple of STEP; CLASSES or more: none. */
static size_t class_of(size_t bytes) { return bytes / STEP - 1; }

static void *engine_malloc(int n)
{
    size_t bytes = ((size_t)n + HEAD + STEP - 1) / STEP * STEP, k = class_of(bytes);
    struct block *b = k < CLASSES ? shelf.waiting[k] : NULL;
    if (b) {
        shelf.waiting[k] = b->next;
        shelf.count[k]--;
    } else if ((b = malloc(bytes)) != NULL) {
        b->n = bytes - HEAD;
    } else {
        return NULL;
    }
    return (char *)b + HEAD;
}

static struct block *block_of(void *p) { return (struct block *)(void *)((char *)p - HEAD); }

static void engine_free(void *p)
{
    if (!p)
        return;
    struct block *b = block_of(p);
    size_t k = class_of(b->n + HEAD);
    if (k >= CLASSES || shelf.count[k] >= KEPT) {
        free(b);
        return;
    }
    if (!shelf.used)
        shelf.used = pthread_setspecific(key, &shelf) == 0;
    b->next = shelf.waiting[k];
    shelf.waiting[k] = b;
    shelf.count[k]++;
}

static int engine_size(void *p) { return p ? (int)block_of(p)->n : 0; }

static void *engine_realloc(void *p, int n)
{
    int before = engine_size(p);
    if (n <= before && before - n < STEP)
        return p;
    void *q = engine_malloc(n);
    if (!q)
        return NULL;
    memcpy(q, p, (size_t)(n < before ? n : before));
    engine_free(p);
    return q;
}

static int engine_roundup(int n) { return (n + HEAD + STEP - 1) / STEP * STEP - HEAD; }

static int engine_init(void *arg)
{
    (void)arg;
    return pthread_key_create(&key, clear_shelf) ? SQLITE_NOMEM : SQLITE_OK;
}

static void engine_shutdown(void *arg)
{
    (void)arg;
    clear_shelf(&shelf);
    pthread_key_delete(key);
}

const sqlite3_mem_methods db__memory = { .xMalloc = engine_malloc,
                                         .xFree = engine_free,
                                         .xRealloc = engine_realloc,
                                         .xSize = engine_size,
                                         .xRoundup = engine_roundup,
                                         .xInit = engine_init,
                                         .xShutdown = engine_shutdown };
