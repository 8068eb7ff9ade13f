/* SPDX-License-Identifier: Apache-2.0
 *
 * States are built one after the other on the builder's thread; a state belongs to no thread until its
 * worker first runs it. `users` needs no lock: each worker counts its own. */
#include "server/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/history.h"
#include "server/host.h"

int rt_scripts_read(const char *scripts, const char *app, struct rt_tree **ret, struct rt_err *err)
{
    const char *const folders[] = { app, "lib", NULL };
    return rt_tree_read(scripts, folders, ret, err);
}

static int load_states(struct rt_release *r, struct rt_err *err)
{
    struct rt_host *h = r->host;
    int rc = 0;
    for (int w = 0; rc == 0 && w < h->n_workers; w++) {
        struct rt_release_part *part = &r->at[w];
        rc = rt_vm_new(&h->workers[w].services[r->index], r->tree, &part->vm, err);
        if (rc == 0)
            rc = rt_app_load(part->vm, h->apps[r->index].shared.name, &part->app, err);
    }
    return rc;
}

static int load_pages(struct rt_release *r, struct rt_err *err)
{
    const struct rt_app *app = r->at[0].app;
    bool development = r->host->options->env == RT_ENV_DEVELOPMENT;
    struct rt_err why;
    int rc = rt_pages_load(r->tree, app->name, app->pages, app->n_pages, development, &r->pages, &why);
    return rc ? rt_err_set(err, rc, "app %s: %s", app->name, why.msg) : 0;
}

static char *label_of(const struct rt_release *r, int route)
{
    const struct rt_page *page = rt_release_page(r, route);
    const struct rt_route *x = page ? NULL : &r->at[0].app->routes[route];
    char *label;
    int n = asprintf(&label, "app=\"%s\",method=\"%s\",route=\"%s\"", r->host->apps[r->index].shared.name,
                     page ? "GET" : x->method, page ? page->path : x->path);
    return n < 0 ? NULL : label;
}

static int make_counters(struct rt_release *r, struct rt_err *err)
{
    r->n_scripts = r->at[0].app->n_routes;
    r->n_routes = r->n_scripts + r->pages->n;
    r->labels = calloc((size_t)r->n_routes + 1, sizeof *r->labels);
    bool full = r->labels && rt_metrics_scripts_make(r) == 0;
    for (int i = 0; full && i < r->n_routes; i++)
        full = (r->labels[i] = label_of(r, i)) != NULL;
    for (int w = 0; full && w < r->host->n_workers; w++)
        full = (r->at[w].stats = calloc((size_t)r->n_routes + 1, sizeof *r->at[w].stats)) != NULL;
    return full ? 0 : rt_err_set(err, RT_E_NOMEM, "no memory for counters");
}

int rt_release_build(struct rt_host *h, int app, struct rt_tree *tree, struct rt_release **ret, struct rt_err *err)
{
    struct rt_release *r = calloc(1, sizeof *r);
    if (!r)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a release");
    r->host = h;
    r->index = app;
    r->tree = rt_tree_ref(tree);
    rt_tree_hash(tree, r->hash);
    atomic_store(&r->open, h->n_workers);
    int rc = load_states(r, err);
    if (rc == 0)
        rc = load_pages(r, err);
    if (rc == 0)
        rc = make_counters(r, err);
    if (rc) {
        rt_release_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

int rt_releases_build(struct rt_host *h, struct rt_release **ret, struct rt_err *err)
{
    int rc = 0;
    for (int a = 0; rc == 0 && a < h->n_apps; a++) {
        struct rt_tree *tree = NULL;
        rc = rt_scripts_read(h->options->scripts, h->apps[a].shared.name, &tree, err);
        if (rc == 0)
            rc = rt_release_build(h, a, tree, &ret[a], err);
        rt_tree_unref(tree);
    }
    return rc;
}

static void close_state(struct rt_release_part *part)
{
    rt_app_free(part->app);
    rt_vm_free(part->vm);
    part->app = NULL;
    part->vm = NULL;
}

void rt_release_free(struct rt_release *r)
{
    if (!r)
        return;
    for (int w = 0; w < r->host->n_workers; w++) {
        close_state(&r->at[w]);
        free(r->at[w].stats);
    }
    rt_metrics_scripts_free(r);
    for (int i = 0; r->labels && i < r->n_routes; i++)
        free(r->labels[i]);
    free(r->labels);
    rt_pages_free(r->pages);
    rt_tree_unref(r->tree);
    free(r);
}

/* The worker has no state of it any more; the last worker's counts are kept and all goes. */
static void close_part(struct rt_release *r, int worker)
{
    struct rt_release **at = &r->host->workers[worker].retired;
    while (*at != r)
        at = &(*at)->at[worker].next;
    *at = r->at[worker].next;
    close_state(&r->at[worker]);
    if (atomic_fetch_sub(&r->open, 1) == 1) {
        rt_metrics_keep(r->host, r);
        rt_release_free(r);
    }
}

void rt_release_enter(struct rt_release *r, int worker) { r->at[worker].users++; }

void rt_release_leave(struct rt_release *r, int worker) { r->at[worker].users--; }

void rt_release_retire(struct rt_release *r, int worker)
{
    r->at[worker].next = r->host->workers[worker].retired;
    r->host->workers[worker].retired = r;
}

/* A socket that nobody closes would keep its release for ever, and each save makes another one. */
static void close_oldest(struct rt_host *h, int worker)
{
    int newer[RT_APPS_MAX] = { 0 };
    for (struct rt_release *r = h->workers[worker].retired; r; r = r->at[worker].next) {
        struct rt_release_part *part = &r->at[worker];
        if (newer[r->index]++ < RT_RETIRED_MAX || part->users > 0 || part->closing)
            continue;
        part->closing = true;
        rt_channels_close(part->vm, RT_WS_RESTART, "a newer release");
    }
}

void rt_releases_sweep(struct rt_host *h, int worker)
{
    close_oldest(h, worker);
    for (struct rt_release *r = h->workers[worker].retired, *next; r; r = next) {
        next = r->at[worker].next;
        if (r->at[worker].users == 0 && rt_channels_count(r->at[worker].vm) == 0)
            close_part(r, worker);
    }
}

const struct rt_page *rt_release_page(const struct rt_release *r, int route)
{
    int i = route - r->n_scripts;
    return i < 0 ? NULL : &r->pages->page[i];
}

void rt_releases_free_retired(struct rt_host *h)
{
    for (int w = 0; w < h->n_workers; w++)
        while (h->workers[w].retired)
            close_part(h->workers[w].retired, w);
}
