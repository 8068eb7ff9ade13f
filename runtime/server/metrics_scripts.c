/* SPDX-License-Identifier: Apache-2.0
 *
 * Which script spends the time: the counters of lua/script.h, summed over workers and releases when somebody asks.
 * There are as many series as the manifest declares functions; what was never called has none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/metrics_internal.h"

struct script_sums {
    uint64_t ns, calls, interrupted, failed[RT_SCRIPT_FAILURES];
};

/* A label's value, which may be any text of a script's. */
static void put_value(struct rt_buf *out, const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p == '\\' || *p == '"')
            rt_buf_printf(out, "\\%c", *p);
        else
            rt_buf_putc(out, (unsigned char)*p < ' ' ? ' ' : *p);
}

static char *label_of(const struct rt_release *r, const struct rt_script *s)
{
    struct rt_buf b;
    rt_buf_init(&b, 4096);
    rt_buf_printf(&b, "app=\"%s\",kind=\"%s\",script=\"", r->host->apps[r->index].shared.name,
                  rt_script_kind_name(s->kind));
    put_value(&b, s->name);
    rt_buf_putc(&b, '"');
    const char *text = rt_buf_cstr(&b); /* terminated, or failed */
    char *label = b.failed ? NULL : strdup(text);
    rt_buf_fini(&b);
    return label;
}

int rt_metrics_scripts_make(struct rt_release *r)
{
    const struct rt_scripts *s = &r->at[0].app->scripts;
    r->script_labels = calloc((size_t)s->n + 1, sizeof *r->script_labels);
    if (!r->script_labels)
        return RT_E_NOMEM;
    for (int i = 0; i < s->n; i++, r->n_spent++)
        if (!(r->script_labels[i] = label_of(r, &s->list[i])))
            return RT_E_NOMEM;
    for (int w = 0; w < r->host->n_workers; w++) {
        struct rt_release_part *part = &r->at[w];
        part->spent = calloc((size_t)s->n + 1, sizeof *part->spent);
        if (!part->spent)
            return RT_E_NOMEM;
        part->vm->spending.stats = part->spent;
    }
    return 0;
}

void rt_metrics_scripts_free(struct rt_release *r)
{
    for (int w = 0; w < r->host->n_workers; w++)
        free(r->at[w].spent);
    for (int i = 0; i < r->n_spent; i++)
        free(r->script_labels[i]);
    free(r->script_labels);
}

static void add_up(struct script_sums *t, const struct rt_script_stats *s)
{
    t->ns += atomic_load_explicit(&s->ns, memory_order_relaxed);
    t->calls += atomic_load_explicit(&s->calls, memory_order_relaxed);
    t->interrupted += atomic_load_explicit(&s->interrupted, memory_order_relaxed);
    for (int k = 0; k < RT_SCRIPT_FAILURES; k++)
        t->failed[k] += atomic_load_explicit(&s->failed[k], memory_order_relaxed);
}

static struct script_sums *series(struct rt_map *all, const char *labels, size_t n)
{
    return metrics__series(all, labels, n, sizeof(struct script_sums));
}

void metrics__scripts_add(struct rt_map *all, const struct rt_release *r)
{
    for (int i = 0; i < r->n_spent; i++) {
        struct script_sums *t = series(all, r->script_labels[i], strlen(r->script_labels[i]));
        for (int w = 0; t && w < r->host->n_workers; w++)
            add_up(t, &r->at[w].spent[i]);
    }
}

static void add_all(struct rt_host *h, struct rt_map *all)
{
    size_t pos = 0, n;
    const char *labels;
    pthread_mutex_lock(&h->former->mu);
    for (const struct rt_release *r = h->former->releases; r; r = r->counted)
        metrics__scripts_add(all, r);
    for (struct script_sums *from; (from = rt_map_next(&h->former->scripts, &pos, &labels, &n));) {
        struct script_sums *t = series(all, labels, n);
        if (!t)
            continue;
        t->ns += from->ns;
        t->calls += from->calls;
        t->interrupted += from->interrupted;
        for (int k = 0; k < RT_SCRIPT_FAILURES; k++)
            t->failed[k] += from->failed[k];
    }
    pthread_mutex_unlock(&h->former->mu);
}

static void write_seconds(const char *labels, int n, const struct script_sums *t, struct rt_buf *out)
{
    rt_buf_printf(out, "perigee_script_seconds_total{%.*s} %.6f\n", n, labels, (double)t->ns / 1e9);
}

static void write_calls(const char *labels, int n, const struct script_sums *t, struct rt_buf *out)
{
    rt_buf_printf(out, "perigee_script_calls_total{%.*s} %llu\n", n, labels, (unsigned long long)t->calls);
}

static void write_interruptions(const char *labels, int n, const struct script_sums *t, struct rt_buf *out)
{
    if (t->interrupted)
        rt_buf_printf(out, "perigee_script_interruptions_total{%.*s} %llu\n", n, labels,
                      (unsigned long long)t->interrupted);
}

static void write_failures(const char *labels, int n, const struct script_sums *t, struct rt_buf *out)
{
    for (int k = 0; k < RT_SCRIPT_FAILURES; k++)
        if (t->failed[k])
            rt_buf_printf(out, "perigee_script_failures_total{%.*s,reason=\"%s\"} %llu\n", n, labels,
                          rt_script_failure_name(k), (unsigned long long)t->failed[k]);
}

static void write_each(struct rt_map *all, const char *help,
                       void (*write)(const char *, int, const struct script_sums *, struct rt_buf *),
                       struct rt_buf *out)
{
    size_t pos = 0, n;
    const char *labels;
    rt_buf_puts(out, help);
    for (struct script_sums *t; (t = rt_map_next(all, &pos, &labels, &n));)
        if (t->calls)
            write(labels, (int)n, t, out);
}

void metrics__scripts_write(struct rt_host *h, struct rt_buf *out)
{
    struct rt_map all;
    rt_map_init(&all);
    add_all(h, &all);
    write_each(&all,
               "# HELP perigee_script_seconds_total Time that a script had of its worker's thread.\n"
               "# TYPE perigee_script_seconds_total counter\n",
               write_seconds, out);
    write_each(&all,
               "# HELP perigee_script_calls_total Calls of it.\n"
               "# TYPE perigee_script_calls_total counter\n",
               write_calls, out);
    write_each(&all,
               "# HELP perigee_script_interruptions_total How often it made room for others after its share.\n"
               "# TYPE perigee_script_interruptions_total counter\n",
               write_interruptions, out);
    write_each(&all,
               "# HELP perigee_script_failures_total Calls that raised, met their deadline or the cap of memory.\n"
               "# TYPE perigee_script_failures_total counter\n",
               write_failures, out);
    rt_map_fini(&all, free);
}
