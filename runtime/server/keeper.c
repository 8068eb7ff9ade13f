/* SPDX-License-Identifier: Apache-2.0
 *
 * Housekeeping of the logs of events, on worker 0. Nothing of it is urgent: a pass is skipped while the one before
 * still waits for its turns. */
#include <stdlib.h>

#include "events/events.h"
#include "server/host.h"

enum { PASS_AT_LEAST_EVERY_S = 60, PASSES_PER_WINDOW = 4 };

struct rt_keeper {
    struct rt_host *host;
    struct rt_alarm *alarm;
    uint64_t every_ms;
};

static void pass(void *arg)
{
    struct rt_keeper *k = arg;
    for (int a = 0; a < k->host->n_apps; a++)
        rt_events_sweep(k->host->apps[a].shared.events, k->host->workers[0].mailbox, NULL, NULL);
    rt_alarm_set(k->alarm, k->every_ms);
}

int rt_keeper_new(struct rt_host *h, struct rt_keeper **ret, struct rt_err *err)
{
    struct rt_keeper *k = calloc(1, sizeof *k);
    if (!k)
        return rt_err_set(err, RT_E_NOMEM, "no memory for housekeeping");
    k->host = h;
    k->every_ms = (uint64_t)h->options->event_window * 1000 / PASSES_PER_WINDOW;
    if (k->every_ms > PASS_AT_LEAST_EVERY_S * 1000)
        k->every_ms = PASS_AT_LEAST_EVERY_S * 1000;
    int rc = rt_alarm_new(h->workers[0].loop, pass, k, &k->alarm, err);
    if (rc) {
        free(k);
        return rc;
    }
    rt_alarm_set(k->alarm, k->every_ms);
    *ret = k;
    return 0;
}

void rt_keeper_free(struct rt_keeper *k)
{
    if (!k)
        return;
    rt_alarm_free(k->alarm);
    free(k);
}
