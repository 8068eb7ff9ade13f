/* SPDX-License-Identifier: Apache-2.0
 *
 * From scripts to what serves. A release is in the history before it serves, so there is always a way
 * back; when it cannot be written there, it does not go live. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/candidate.h"
#include "server/releaser_internal.h"

enum { LOGGED_MAX = 8000 };

_Static_assert(sizeof((struct rt_history_entry *)0)->app / sizeof(struct rt_history_app) >= RT_APPS_MAX,
               "a release has room for all apps");

void releaser__entry(struct rt_releaser *r, struct rt_release *const *live, struct rt_history_entry *e,
                     struct rt_tree **trees)
{
    e->at = rt_now();
    e->n_apps = r->host->n_apps;
    for (int a = 0; a < e->n_apps; a++) {
        snprintf(e->app[a].name, sizeof e->app[a].name, "%s", r->host->apps[a].shared.name);
        snprintf(e->app[a].hash, sizeof e->app[a].hash, "%s", live[a]->hash);
        trees[a] = live[a]->tree;
    }
}

void releaser__serves(struct rt_releaser *r, struct rt_release *const *live, int number)
{
    pthread_mutex_lock(&r->mu);
    for (int a = 0; a < r->host->n_apps; a++) {
        r->app[a].number = live[a]->number;
        snprintf(r->app[a].hash, sizeof r->app[a].hash, "%s", live[a]->hash);
    }
    atomic_store(&r->number, number);
    pthread_mutex_unlock(&r->mu);
}

/* ---- what was refused ---------------------------------------------------------------------------------------- */

static void keep_error(struct rt_releaser *r, int a, struct rt_candidate_app *x)
{
    char *text = x->code ? strdup(rt_buf_cstr(&x->why)) : NULL;
    pthread_mutex_lock(&r->mu);
    struct releaser_app *app = &r->app[a];
    free(app->error);
    app->error = text;
    app->refused_at = x->code ? rt_now() : 0;
    pthread_mutex_unlock(&r->mu);
}

static void tell_refused(struct rt_releaser *r, int a, struct rt_candidate_app *x, struct rt_buf *out)
{
    const char *app = r->host->apps[a].shared.name;
    char *logged = strndup(rt_buf_cstr(&x->why), LOGGED_MAX);
    rt_log(RT_LOG_ERROR, "a release was refused; the old one keeps serving", "app", app, "error", logged, NULL);
    free(logged);
    rt_buf_printf(out, "%s: refused, the old release keeps serving\n%s\n", app, rt_buf_cstr(&x->why));
}

/* ---- going live ---------------------------------------------------------------------------------------------- */

static bool is_good(const struct rt_candidate *c, int a) { return c->app[a].built && !c->app[a].code; }

static int count_good(const struct rt_candidate *c)
{
    int n = 0;
    for (int a = 0; a < c->host->n_apps; a++)
        n += is_good(c, a);
    return n;
}

/* The releases that would serve: the good ones, and of other apps those that serve now. */
static void choose(const struct rt_candidate *c, struct rt_release **live)
{
    for (int a = 0; a < c->host->n_apps; a++)
        live[a] = is_good(c, a) ? c->app[a].built : rt_routing_now(c->host)->release[a];
}

/* Apps may get into each other's way (one path, two owners). Then each is tried after the other, and refused is who
 * does not fit what stands already. */
static void fit(struct rt_candidate *c)
{
    struct rt_release *live[RT_APPS_MAX];
    struct rt_routing *trial;
    struct rt_err err;
    for (int a = 0; a < c->host->n_apps; a++)
        live[a] = rt_routing_now(c->host)->release[a];
    for (int a = 0; a < c->host->n_apps; a++) {
        struct rt_release *before = live[a];
        if (!is_good(c, a))
            continue;
        live[a] = c->app[a].built;
        if (rt_routing_build(c->host, live, &trial, &err) == 0) {
            rt_routing_free(trial);
            continue;
        }
        live[a] = before;
        rt_candidate_refuse(c, a, err.code, err.msg);
    }
}

static int plan(struct rt_candidate *c, struct rt_release **live, struct rt_routing **ret, struct rt_err *err)
{
    choose(c, live);
    if (rt_routing_build(c->host, live, ret, err) == 0)
        return 0;
    fit(c);
    choose(c, live);
    return count_good(c) ? rt_routing_build(c->host, live, ret, err) : RT_E_INVALID;
}

static void swap(struct rt_releaser *r, struct rt_candidate *c, struct rt_release **live, struct rt_routing *next,
                 int number)
{
    for (int a = 0; a < r->host->n_apps; a++) {
        if (live[a] != c->app[a].built)
            continue;
        live[a]->number = number;
        rt_metrics_enter(r->host, live[a]);
        c->app[a].built = NULL;
    }
    rt_routing_swap(r->host, next);
    releaser__serves(r, live, number);
}

/* All good ones at once; what cannot be is refused. */
static void go_live(struct rt_releaser *r, struct rt_candidate *c, struct rt_history_entry *e)
{
    struct rt_release *live[RT_APPS_MAX];
    struct rt_tree *trees[RT_APPS_MAX];
    struct rt_routing *next = NULL;
    struct rt_err err;
    int rc = plan(c, live, &next, &err);
    if (rc == 0) {
        releaser__entry(r, live, e, trees);
        rc = rt_history_add(r->history, e, trees, &err);
        if (rc)
            rt_err_set(&err, rc, "the release cannot be kept in the history: %s", err.msg);
    }
    if (rc == 0) {
        swap(r, c, live, next, e->number);
        return;
    }
    rt_routing_free(next);
    for (int a = 0; a < r->host->n_apps; a++)
        if (is_good(c, a))
            rt_candidate_refuse(c, a, rc, err.msg);
}

static void tell_live(struct rt_releaser *r, int a, const struct rt_candidate_app *x, const struct rt_history_entry *e,
                      struct rt_buf *out)
{
    char number[16];
    const char *app = r->host->apps[a].shared.name;
    snprintf(number, sizeof number, "%d", e->number);
    rt_buf_printf(out, "release %s: %s is live (%d %s)\n", number, app, x->files,
                  x->files == 1 ? "file changed" : "files changed");
    rt_log(RT_LOG_INFO, "a release is live", "release", number, "app", app, "who", e->who, "reason", e->reason, NULL);
}

/* Builds the candidate and lets live what is good. Returns the exit status: 1 when something was refused. */
static int finish(struct rt_releaser *r, struct rt_candidate *c, const char *who, const char *reason,
                  struct rt_buf *out)
{
    struct rt_history_entry e = { 0 };
    snprintf(e.who, sizeof e.who, "%s", who);
    snprintf(e.reason, sizeof e.reason, "%s", reason);
    rt_candidate_build(c);
    if (c->given_up) {
        rt_buf_puts(out, "given up: the server is stopping, or the files were saved again\n");
        return 1;
    }
    if (count_good(c))
        go_live(r, c, &e);
    for (int a = 0; a < r->host->n_apps; a++) {
        struct rt_candidate_app *x = &c->app[a];
        if (x->tree || x->code)
            keep_error(r, a, x);
        if (x->code)
            tell_refused(r, a, x, out);
        else if (x->changed)
            tell_live(r, a, x, &e, out);
    }
    if (!e.number && !c->failed)
        rt_buf_printf(out, "release %d serves these scripts already\n", atomic_load(&r->number));
    return c->failed ? 1 : 0;
}

int releaser__reload(struct rt_releaser *r, const char *who, const char *reason, struct rt_buf *out)
{
    struct rt_candidate c;
    rt_candidate_init(&c, r->host);
    c.over = releaser__over;
    c.over_arg = r;
    c.checker = &r->checker;
    for (int a = 0; a < r->host->n_apps; a++)
        rt_candidate_read(&c, a);
    int status = finish(r, &c, who, reason, out);
    rt_candidate_fini(&c);
    return status;
}

static int take_app(struct rt_releaser *r, struct rt_candidate *c, const struct rt_history_app *app, struct rt_err *err)
{
    struct rt_tree *tree;
    int a = 0;
    while (a < r->host->n_apps && strcmp(app->name, r->host->apps[a].shared.name) != 0)
        a++;
    if (a == r->host->n_apps)
        return 0;
    int rc = rt_history_tree(r->history, app->hash, &tree, err);
    if (rc)
        return rc;
    rt_candidate_take(c, a, tree);
    rt_tree_unref(tree);
    return 0;
}

/* Every app as it was in that release; apps that it did not have stay. What was live once has passed its trial: who
 * goes back is in a hurry. */
int releaser__rollback(struct rt_releaser *r, int number, const char *who, struct rt_buf *out)
{
    struct rt_candidate c;
    struct rt_history_entry e;
    struct rt_err err;
    char reason[64];
    int status = 1, rc = rt_history_get(r->history, number, &e, &err);
    rt_candidate_init(&c, r->host);
    c.trial = false;
    snprintf(reason, sizeof reason, "rollback to %d", number);
    for (int i = 0; rc == 0 && i < e.n_apps; i++)
        rc = take_app(r, &c, &e.app[i], &err);
    if (rc)
        rt_buf_printf(out, "%s\n", err.msg);
    else if ((status = finish(r, &c, who, reason, out)) == 0)
        rt_buf_puts(out, "The scripts folder is as it was: the next save, reload or restart brings that live.\n");
    rt_candidate_fini(&c);
    return status;
}
