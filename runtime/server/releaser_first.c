/* SPDX-License-Identifier: Apache-2.0
 *
 * The first release of a process, and its end. A broken script keeps the server from starting: there is
 * nothing yet that could go on serving. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/control.h"
#include "server/releaser_internal.h"
#include "server/watch.h"

/* Scripts that have not changed since the last start keep their number. */
static int number_first(struct rt_releaser *r, struct rt_release **live, int *ret_number, struct rt_err *err)
{
    struct rt_history_entry e = { .who = "start", .reason = "start" }, *last = NULL;
    struct rt_tree *trees[RT_APPS_MAX];
    int n = 0, rc = rt_history_list(r->history, 1, &last, &n, err);
    releaser__entry(r, live, &e, trees);
    bool same = rc == 0 && n == 1 && last->n_apps == e.n_apps;
    for (int a = 0; same && a < e.n_apps; a++)
        same = strcmp(last->app[a].name, e.app[a].name) == 0 && strcmp(last->app[a].hash, e.app[a].hash) == 0;
    if (same)
        e.number = last->number;
    else if (rc == 0)
        rc = rt_history_add(r->history, &e, trees, err);
    free(last);
    *ret_number = e.number;
    return rc;
}

static int open_parts(struct rt_releaser *r, struct rt_err *err)
{
    struct rt_host *h = r->host;
    r->wake_fd = eventfd(0, EFD_CLOEXEC);
    r->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (r->wake_fd < 0 || r->stop_fd < 0)
        return rt_err_set(err, RT_E_IO, "no eventfd: %s", strerror(errno));
    int rc = rt_metrics_open(h, err);
    return rc ? rc : rt_history_open(h->options->data, &r->history, err);
}

static void begin(struct rt_releaser *r, struct rt_routing *first, struct rt_release **live, int number)
{
    struct rt_host *h = r->host;
    for (int a = 0; a < h->n_apps; a++) {
        live[a]->number = number;
        rt_metrics_enter(h, live[a]);
    }
    releaser__serves(r, live, number);
    atomic_store(&h->routing, first);
}

int rt_releaser_open(struct rt_host *h, struct rt_err *err)
{
    struct rt_release *live[RT_APPS_MAX] = { 0 };
    struct rt_routing *first = NULL;
    struct rt_releaser *r = h->releaser = calloc(1, sizeof *r);
    int number = 0;
    if (!r)
        return rt_err_set(err, RT_E_NOMEM, "no memory for releases");
    r->host = h;
    r->asked_end = &r->asked;
    pthread_mutex_init(&r->mu, NULL);
    int rc = open_parts(r, err);
    if (rc == 0)
        rc = rt_releases_build(h, live, err);
    if (rc == 0)
        rc = rt_routing_build(h, live, &first, err);
    if (rc == 0)
        rc = number_first(r, live, &number, err);
    if (rc == 0) {
        begin(r, first, live, number);
        return 0;
    }
    rt_routing_free(first);
    for (int a = 0; a < h->n_apps; a++)
        rt_release_free(live[a]);
    return rc;
}

void rt_releaser_close(struct rt_host *h)
{
    struct rt_releaser *r = h->releaser;
    struct rt_routing *g = rt_routing_now(h);
    rt_releases_free_retired(h);
    for (int a = 0; g && a < g->n_apps; a++)
        rt_release_free(g->release[a]);
    rt_routing_free(g);
    atomic_store(&h->routing, NULL);
    rt_metrics_close(h);
    if (!r)
        return;
    rt_checker_stop(&r->checker);
    rt_control_close(r->control);
    rt_watcher_free(r->watcher);
    rt_history_close(r->history);
    if (r->wake_fd >= 0)
        close(r->wake_fd);
    if (r->stop_fd >= 0)
        close(r->stop_fd);
    for (int a = 0; a < RT_APPS_MAX; a++)
        free(r->app[a].error);
    pthread_mutex_destroy(&r->mu);
    free(r);
    h->releaser = NULL;
}
