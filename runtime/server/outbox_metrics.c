/* SPDX-License-Identifier: Apache-2.0
 *
 * What leaves the server, in Prometheus' text format: counters of the outbox's thread, and how much waits, which
 * the databases know. */
#include "base/clock.h"
#include "server/outbox_internal.h"

static const char *const kinds[OUTBOX_KINDS] = { "webhook", "mail" };

static void write_counts(const struct outbox_app *app, struct rt_buf *out)
{
    const char *name = app->shared->name;
    for (int k = 0; k < OUTBOX_KINDS; k++) {
        unsigned long long attempts = atomic_load(&app->counts[k].attempts),
                           failures = atomic_load(&app->counts[k].failures),
                           delivered = atomic_load(&app->counts[k].delivered),
                           given_up = atomic_load(&app->counts[k].given_up), ms = atomic_load(&app->counts[k].ms);
        rt_buf_printf(out, "perigee_outbox_attempts_total{app=\"%s\",kind=\"%s\",outcome=\"ok\"} %llu\n", name,
                      kinds[k], attempts - failures);
        rt_buf_printf(out, "perigee_outbox_attempts_total{app=\"%s\",kind=\"%s\",outcome=\"failed\"} %llu\n", name,
                      kinds[k], failures);
        rt_buf_printf(out, "perigee_outbox_deliveries_total{app=\"%s\",kind=\"%s\",outcome=\"succeeded\"} %llu\n", name,
                      kinds[k], delivered);
        rt_buf_printf(out, "perigee_outbox_deliveries_total{app=\"%s\",kind=\"%s\",outcome=\"failed\"} %llu\n", name,
                      kinds[k], given_up);
        rt_buf_printf(out, "perigee_outbox_attempt_seconds_total{app=\"%s\",kind=\"%s\"} %.3f\n", name, kinds[k],
                      (double)ms / 1e3);
    }
    rt_buf_printf(out, "perigee_webhooks_disabled_total{app=\"%s\"} %llu\n", name,
                  (unsigned long long)atomic_load(&app->disabled));
}

static void write_waiting(struct rt_conn *c, const char *name, int kind, struct rt_buf *out)
{
    int64_t pending = 0, due = INT64_MAX, now = rt_now_ms();
    if (rt_delivery_totals(c, kind == OUTBOX_MAIL, &pending, &due, NULL))
        return;
    rt_buf_printf(out, "perigee_outbox_pending{app=\"%s\",kind=\"%s\"} %lld\n", name, kinds[kind], (long long)pending);
    rt_buf_printf(out, "perigee_outbox_late_seconds{app=\"%s\",kind=\"%s\"} %.3f\n", name, kinds[kind],
                  due < now ? (double)(now - due) / 1e3 : 0.0);
}

void rt_outbox_metrics(struct rt_worker *w, struct rt_buf *out)
{
    struct rt_host *h = w->host;
    rt_buf_puts(out, "# HELP perigee_outbox_attempts_total Attempts at deliveries of webhooks and mail.\n"
                     "# TYPE perigee_outbox_attempts_total counter\n");
    for (int a = 0; a < h->outbox->n_apps; a++) {
        const struct outbox_app *app = &h->outbox->apps[a];
        write_counts(app, out);
        for (int k = 0; k < OUTBOX_KINDS; k++)
            write_waiting(rt_routing_now(h)->release[a]->at[w->index].vm->reader, app->shared->name, k, out);
    }
}
