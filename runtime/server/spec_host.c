/* SPDX-License-Identifier: Apache-2.0
 *
 * Put together as rt_serve() does it, without what needs a thread or somebody outside: deliveries stay in the outbox,
 * where specs look at them, and mail in its mailbox. */
#include "server/spec_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/pool.h"
#include "server/recent.h"
#include "server/sockets.h"

enum { CACHE_BYTES = 1 << 20, COUNTERS = 1000, QUEUE = 16 };

static int make_folder(struct rt_spec_host *s, const char *below, struct rt_err *err)
{
    snprintf(s->folder, sizeof s->folder, "%s/XXXXXX", below);
    if (mkdtemp(s->folder))
        return 0;
    s->folder[0] = 0;
    return rt_err_set(err, RT_E_IO, "cannot make a folder in %s: %s", below, strerror(errno));
}

static void set_options(struct rt_spec_host *s, const struct rt_options *options)
{
    s->options = *options;
    s->options.data = s->folder;
    s->options.env = RT_ENV_DEVELOPMENT; /* the clock can be moved, mistakes in answers and events are errors */
    s->options.port = RT_NO_PORT;
    s->options.access_log = s->options.watch = s->options.demo = false;
    s->host.options = &s->options;
    s->host.n_workers = 1;
}

static int start_shared(struct rt_host *h, struct rt_err *err)
{
    h->limits = rt_limits_new(COUNTERS);
    h->cache = rt_cache_new(CACHE_BYTES);
    if (!h->limits || !h->cache)
        return rt_err_set(err, RT_E_NOMEM, "no memory to start");
    int rc = rt_host_start_reports(h, err);
    return rc ? rc : rt_password_pool_new(1, QUEUE, RT_PASSWORD_CHEAP, &h->passwords, err);
}

static int load_scripts(struct rt_host *h, struct rt_err *err)
{
    struct rt_release *live[RT_APPS_MAX] = { 0 };
    struct rt_routing *routing = NULL;
    int rc = rt_metrics_open(h, err);
    if (rc == 0)
        rc = rt_releases_build(h, live, err);
    if (rc == 0)
        rc = rt_routing_build(h, live, &routing, err);
    for (int a = 0; rc && a < h->n_apps; a++)
        rt_release_free(live[a]);
    atomic_store(&h->routing, routing);
    return rc;
}

static int start_timers(struct rt_host *h, struct rt_err *err)
{
    for (int a = 0; a < h->n_apps; a++) {
        h->schedulers[a] = rt_scheduler_new(h, a);
        if (!h->schedulers[a])
            return rt_err_set(err, RT_E_NOMEM, "no memory for timers");
        h->apps[a].shared.timer_set = rt_scheduler_set;
        h->apps[a].shared.timer_arg = h->schedulers[a];
        h->apps[a].shared.keep_mail = true;
    }
    return 0;
}

int rt_spec_host_open(struct rt_spec_host *s, const struct rt_options *options, const char *app, struct rt_err *err)
{
    struct rt_host *h = &s->host;
    int rc = make_folder(s, options->data, err);
    set_options(s, options);
    if (rc == 0)
        rc = rt_host_find_apps(h, err);
    if (rc == 0)
        rc = rt_only_app(h, app, err);
    if (rc == 0)
        rc = rt_host_keys(h, err);
    if (rc == 0)
        rc = start_shared(h, err);
    if (rc == 0)
        rc = rt_host_open(h, err);
    if (rc == 0)
        rc = rt_worker_init(h, 0, err);
    if (rc == 0)
        rc = load_scripts(h, err);
    if (rc == 0)
        rc = start_timers(h, err);
    atomic_store(&h->ready, rc == 0);
    return rc;
}

/* As rt_serve() ends: who works on another thread is done before what it works for goes. */
void rt_spec_host_close(struct rt_spec_host *s)
{
    struct rt_host *h = &s->host;
    struct rt_worker *w = &h->workers[0];
    struct rt_routing *g = rt_routing_now(h);
    if (w->mailbox)
        rt_mailbox_close(w->mailbox);
    rt_pool_free(h->passwords);
    rt_report_pool_free(h->reports);
    for (int a = 0; a < h->n_apps; a++) {
        rt_writer_stop(h->apps[a].shared.writer);
        rt_scheduler_free(h->schedulers[a]);
    }
    if (w->ws)
        rt_sockets_stop(w);
    rt_http_free(w->http);
    w->http = NULL;
    for (int a = 0; g && a < g->n_apps; a++)
        rt_release_free(g->release[a]);
    rt_routing_free(g);
    rt_metrics_close(h);
    rt_host_close(h);
    rt_worker_fini(w);
    rt_limits_free(h->limits);
    rt_cache_free(h->cache);
    rt_recent_clear();
    if (s->folder[0])
        rt_tree_remove(s->folder);
}

int rt_spec_host_connect(void *spec_host, int *ret_fd)
{
    return rt_worker_connect(&((struct rt_spec_host *)spec_host)->host.workers[0], ret_fd);
}

void rt_spec_host_round(void *spec_host) { rt_worker_round(&((struct rt_spec_host *)spec_host)->host.workers[0]); }

void rt_spec_host_limit(void *spec_host, bool on)
{
    struct rt_spec_host *s = spec_host;
    s->host.limit_factor = on;
    for (int a = 0; a < s->host.n_apps; a++)
        s->host.workers[0].services[a].limit_factor = on;
}

void rt_spec_host_forget(void *spec_host)
{
    struct rt_spec_host *s = spec_host;
    rt_cache_clear(s->host.cache);
    rt_limits_clear(s->host.limits);
}
