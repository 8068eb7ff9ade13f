/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the outbox's thread share: outbox.c runs it, shipment.c carries one delivery,
 * outbox_record.c writes down what came of it. */
#ifndef RT_SERVER_OUTBOX_INTERNAL_H
#define RT_SERVER_OUTBOX_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "http/client.h"
#include "outbox/delivery.h"
#include "outbox/queue.h"
#include "server/host.h"
#include "server/outbox.h"

enum { OUTBOX_WEBHOOK, OUTBOX_MAIL, OUTBOX_KINDS };

/* One delivery on its way, until its outcome is on disk. */
struct shipment {
    struct rt_queue_item item;
    struct outbox_app *app;
    struct rt_delivery delivery;
    struct rt_buf headers, message; /* as sent this time */
    struct rt_attempt attempt;
    char excerpt[RT_EXCERPT_MAX], error[160];
    enum rt_verdict verdict;
    int64_t ended_ms, next_at;
    struct shipment *next;
};

struct shipments {
    struct shipment *head, **tail;
    int n;
};

struct outbox_app {
    struct rt_outbox *outbox;
    int index;
    struct rt_app_shared *shared;
    struct rt_conn *reader;
    int64_t last;               /* the newest row that was seen */
    _Atomic bool news, again;   /* rows were added; older ones became due */
    struct shipments ended;     /* outcomes that wait to be recorded */
    struct shipments recording; /* those of the running transaction */
    struct rt_tx tx;
    bool writing;      /* tx is with the writer */
    int64_t timer_due; /* a timer that the transaction set, or 0 */
    int64_t record_at; /* not before (ms): recording failed a moment ago */
    int64_t prune_at;  /* seconds */
    struct {
        _Atomic uint64_t attempts, failures, delivered, given_up, ms;
    } counts[OUTBOX_KINDS];
    _Atomic uint64_t disabled;
};

struct rt_outbox {
    struct rt_host *host;
    pthread_t thread;
    struct rt_client *client;
    struct rt_queue *queue;
    struct rt_mailbox *mailbox;
    struct rt_schedule schedule;
    const char *smtp_url, *mail_from; /* smtp_url: NULL when there is none */
    char mail_address[RT_MAIL_ADDRESS_MAX + 1];
    int n_apps;
    bool running;
    _Atomic bool woken, draining;
    _Atomic uint64_t drain_until_ns;
    struct outbox_app apps[RT_APPS_MAX];
};

static inline int64_t outbox__mono_ms(void) { return (int64_t)(rt_mono_ns() / 1000000u); }

/* shipment.c: loads the row and sends it; the queue's turn is the caller's. 1, 0 when it is not pending any more, or a
 * negative code. */
int outbox__ship(struct outbox_app *app, int64_t endpoint, int64_t seq, struct rt_err *err);
void outbox__free(struct shipment *s);

/* outbox_record.c */
void outbox__ended(struct outbox_app *app, struct shipment *s);
/* Begins to record what has ended and to prune, unless that is going on. */
void outbox__record(struct outbox_app *app);
bool outbox__record_due(const struct outbox_app *app, int64_t now_ms);
void outbox__list_init(struct shipments *list);

#endif
