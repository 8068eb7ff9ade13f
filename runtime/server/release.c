/* SPDX-License-Identifier: Apache-2.0
 *
 * A release: the scripts of all apps loaded into one state per worker and app, and one router over their
 * routes. It is complete or it does not exist; nothing in it changes while it serves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/host.h"

static int load_states(struct rt_host *h, struct rt_release *r, struct rt_err *err)
{
    for (int w = 0; w < h->n_workers; w++)
        for (int a = 0; a < h->n_apps; a++) {
            int rc = rt_vm_new(&h->workers[w].services[a], h->options->scripts, &r->vms[w][a], err);
            if (rc == 0)
                rc = rt_app_load(r->vms[w][a], h->apps[a].shared.name, &r->apps[w][a], err);
            if (rc)
                return rc;
        }
    return 0;
}

/* After the routes, so that numbers of routes are the same in both modes. */
static int add_pages(struct rt_host *h, struct rt_release *r, int a, struct rt_err *err)
{
    const struct rt_app *app = r->apps[0][a];
    char root[1024];
    struct rt_err why;
    snprintf(root, sizeof root, "%s/%s", h->options->scripts, app->name);
    int rc = rt_pages_load(root, app->pages, app->n_pages, h->options->env == RT_ENV_DEVELOPMENT, &r->pages[a], &why);
    for (int i = 0; rc == 0 && i < r->pages[a]->n; i++)
        rc = rt_router_add(r->router, a, "GET", r->pages[a]->page[i].path, false, r->n_routes++, &why);
    return rc ? rt_err_set(err, rc, "app %s: %s", app->name, why.msg) : 0;
}

const struct rt_page *rt_release_page(const struct rt_release *r, int app, int route)
{
    int i = route - r->routes[app] - r->apps[0][app]->n_routes;
    return i < 0 ? NULL : &r->pages[app]->page[i];
}

static int add_routes(struct rt_release *r, int a, struct rt_err *err)
{
    const struct rt_app *app = r->apps[0][a];
    r->routes[a] = r->n_routes;
    for (int i = 0; i < app->n_routes; i++) {
        struct rt_err why;
        int rc = rt_router_add(r->router, a, app->routes[i].method, app->routes[i].path, app->trailing_slash,
                               r->n_routes + i, &why);
        if (rc)
            return rt_err_set(err, rc, "%s: %s", app->routes[i].line, why.msg);
    }
    r->n_routes += app->n_routes;
    for (int i = 0; app->prefixes[i]; i++) {
        int rc = rt_router_own(r->router, a, app->prefixes[i], err);
        if (rc)
            return rc;
    }
    for (int i = 0; app->hosts[i]; i++) {
        int rc = rt_router_host(r->router, a, app->hosts[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

int rt_release_build(struct rt_host *h, int number, struct rt_release **ret, struct rt_err *err)
{
    struct rt_release *r = calloc(1, sizeof *r);
    if (!r)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a release");
    r->number = number;
    r->n_apps = h->n_apps;
    r->router = rt_router_new();
    int rc = r->router ? load_states(h, r, err) : rt_err_set(err, RT_E_NOMEM, "no memory for a router");
    for (int a = 0; rc == 0 && a < h->n_apps; a++) {
        rc = add_routes(r, a, err);
        if (rc == 0)
            rc = add_pages(h, r, a, err);
    }
    if (rc) {
        rt_release_free(r, h->n_workers);
        return rc;
    }
    *ret = r;
    return 0;
}

void rt_release_free(struct rt_release *r, int n_workers)
{
    if (!r)
        return;
    for (int w = 0; w < n_workers; w++)
        for (int a = 0; a < r->n_apps; a++) {
            rt_app_free(r->apps[w][a]);
            rt_vm_free(r->vms[w][a]);
        }
    for (int a = 0; a < r->n_apps; a++)
        rt_pages_free(r->pages[a]);
    rt_router_free(r->router);
    free(r);
}
