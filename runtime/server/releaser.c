/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread makes all releases, so there is always one candidate at most. Saving a project writes many
 * files: the folder is read when it has been quiet for a moment. A release is in the history before it
 * serves. */
#include "server/releaser.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "server/candidate.h"
#include "server/control.h"
#include "server/releaser_internal.h"
#include "server/watch.h"

enum { QUIET_MS = 60, FAILURE_MAX = 16 << 10 };

static void wake(struct rt_releaser *r)
{
    uint64_t one = 1;
    if (write(r->wake_fd, &one, sizeof one) < 0)
        rt_log(RT_LOG_ERROR, "the releaser cannot be woken", NULL);
}

/* ---- what was refused ---------------------------------------------------------------------------------------- */

static void keep_failure(struct rt_releaser *r, int a, const struct rt_candidate_app *x)
{
    char first[400];
    const char *why = x->code ? x->why.data : "";
    pthread_mutex_lock(&r->mu);
    struct failure *f = &r->failure[a];
    free(f->text);
    *f = (struct failure){ 0 };
    if (x->code) {
        f->at = rt_now();
        f->text = strndup(why, x->why.len < FAILURE_MAX ? x->why.len : FAILURE_MAX);
    }
    pthread_mutex_unlock(&r->mu);
    if (!x->code)
        return;
    snprintf(first, sizeof first, "%.*s", (int)x->why.len, why);
    rt_log(RT_LOG_ERROR, "a release was refused; the old one keeps serving", "app", r->host->apps[a].shared.name,
           "error", first, NULL);
}

static void describe_failures(struct rt_releaser *r, const struct rt_candidate *c, struct rt_buf *out)
{
    for (int a = 0; a < r->host->n_apps; a++)
        if (c->app[a].code) {
            rt_buf_printf(out, "%s: refused, the old release keeps serving\n", r->host->apps[a].shared.name);
            rt_buf_put(out, c->app[a].why.data, c->app[a].why.len);
            rt_buf_puts(out, "\n");
        }
}

/* ---- going live ---------------------------------------------------------------------------------------------- */

static void fill_entry(struct rt_releaser *r, struct rt_release *const *live, struct rt_history_entry *e,
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

static void set_number(struct rt_releaser *r, int number) { atomic_store(&r->number, number); }

/* The releases that serve after the swap: the built ones, and of other apps those that serve now. */
static void choose(struct rt_candidate *c, bool without_failed, struct rt_release **live)
{
    for (int a = 0; a < c->host->n_apps; a++) {
        const struct rt_candidate_app *x = &c->app[a];
        bool use = x->built && (!without_failed || !x->code);
        live[a] = use ? x->built : rt_routing_now(c->host)->release[a];
    }
}

static int go_live(struct rt_releaser *r, struct rt_candidate *c, struct rt_history_entry *e, struct rt_err *err)
{
    struct rt_release *live[RT_APPS_MAX];
    struct rt_tree *trees[RT_APPS_MAX];
    struct rt_routing *next;
    choose(c, true, live);
    int rc = rt_routing_build(r->host, live, &next, err);
    if (rc)
        return rc;
    fill_entry(r, live, e, trees);
    rc = rt_history_add(r->history, e, trees, err);
    if (rc) {
        rt_routing_free(next);
        return rc;
    }
    for (int a = 0; a < r->host->n_apps; a++)
        if (live[a] == c->app[a].built) {
            live[a]->number = e->number;
            c->app[a].built = NULL;
        }
    set_number(r, e->number);
    rt_routing_swap(r->host, next);
    return 0;
}

static void announce(struct rt_releaser *r, const struct rt_candidate *c, const struct rt_history_entry *e,
                     struct rt_buf *out)
{
    char number[16];
    snprintf(number, sizeof number, "%d", e->number);
    for (int a = 0; a < r->host->n_apps; a++) {
        const struct rt_candidate_app *x = &c->app[a];
        const char *app = r->host->apps[a].shared.name;
        if (!x->changed || x->code)
            continue;
        rt_buf_printf(out, "release %d: %s is live (%d %s)\n", e->number, app, x->files,
                      x->files == 1 ? "file changed" : "files changed");
        rt_log(RT_LOG_INFO, "a release is live", "release", number, "app", app, "who", e->who, "reason", e->reason,
               NULL);
    }
}

/* Builds the candidate and lets live what is good. Returns the exit status: 1 when something was refused. */
static int finish(struct rt_releaser *r, struct rt_candidate *c, const char *who, const char *reason,
                  struct rt_buf *out)
{
    struct rt_history_entry e = { 0 };
    struct rt_err err;
    snprintf(e.who, sizeof e.who, "%s", who);
    snprintf(e.reason, sizeof e.reason, "%s", reason);
    rt_candidate_build(c);
    int good = 0, rc = 0;
    for (int a = 0; a < r->host->n_apps; a++) {
        good += c->app[a].built && !c->app[a].code;
        if (c->app[a].tree || c->app[a].code)
            keep_failure(r, a, &c->app[a]);
    }
    if (good > 0)
        rc = go_live(r, c, &e, &err);
    if (rc) {
        rt_log(RT_LOG_ERROR, "a release could not go live", "error", err.msg, NULL);
        rt_buf_printf(out, "%s\n", err.msg);
    } else if (good > 0) {
        announce(r, c, &e, out);
    } else if (!c->failed) {
        rt_buf_printf(out, "release %d serves these scripts already\n", atomic_load(&r->number));
    }
    describe_failures(r, c, out);
    return rc || c->failed ? 1 : 0;
}

static int reload(struct rt_releaser *r, const char *who, const char *reason, struct rt_buf *out)
{
    struct rt_candidate c;
    rt_candidate_init(&c, r->host);
    for (int a = 0; a < r->host->n_apps; a++)
        rt_candidate_read(&c, a);
    int status = finish(r, &c, who, reason, out);
    rt_candidate_fini(&c);
    return status;
}

int releaser__reload(struct rt_releaser *r, const char *who, struct rt_buf *out)
{
    return reload(r, who, "reload", out);
}

/* Every app as it was in that release; apps that it did not have stay. */
static int take_release(struct rt_releaser *r, struct rt_candidate *c, int number, struct rt_err *err)
{
    struct rt_history_entry e;
    int rc = rt_history_get(r->history, number, &e, err);
    for (int i = 0; rc == 0 && i < e.n_apps; i++)
        for (int a = 0; a < r->host->n_apps; a++) {
            struct rt_tree *tree;
            if (strcmp(e.app[i].name, r->host->apps[a].shared.name) != 0)
                continue;
            if ((rc = rt_history_tree(r->history, e.app[i].hash, &tree, err)))
                break;
            rt_candidate_take(c, a, tree);
            rt_tree_unref(tree);
        }
    return rc;
}

int releaser__rollback(struct rt_releaser *r, int number, const char *who, struct rt_buf *out)
{
    struct rt_candidate c;
    struct rt_err err;
    char reason[64];
    rt_candidate_init(&c, r->host);
    snprintf(reason, sizeof reason, "rollback to %d", number);
    int status = 1;
    if (take_release(r, &c, number, &err))
        rt_buf_printf(out, "%s\n", err.msg);
    else
        status = finish(r, &c, who, reason, out);
    rt_candidate_fini(&c);
    return status;
}

/* ---- the thread ---------------------------------------------------------------------------------------------- */

static void serve_asked(struct rt_releaser *r)
{
    pthread_mutex_lock(&r->mu);
    struct rt_reload *list = r->asked;
    r->asked = NULL;
    pthread_mutex_unlock(&r->mu);
    while (list) {
        struct rt_reload *ask = list;
        struct rt_buf out;
        list = ask->next;
        rt_buf_init(&out, 1 << 20);
        int status = reload(r, ask->who, "reload", &out);
        ask->done(ask, status, rt_buf_cstr(&out));
        rt_buf_fini(&out);
    }
}

static void reload_quietly(struct rt_releaser *r, const char *who, const char *reason)
{
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    reload(r, who, reason, &out);
    rt_buf_fini(&out);
}

static void serve_woken(struct rt_releaser *r)
{
    uint64_t n;
    if (read(r->wake_fd, &n, sizeof n) < 0)
        return;
    if (atomic_exchange(&r->hangup, false))
        reload_quietly(r, "signal", "reload");
    serve_asked(r);
}

static void *work(void *arg)
{
    struct rt_releaser *r = arg;
    uint64_t quiet_at = 0; /* 0: nothing was saved */
    pthread_setname_np(pthread_self(), "releaser");
    while (!atomic_load(&r->stop)) {
        bool ready = atomic_load(&r->host->ready);
        struct pollfd p[3] = { { .fd = r->wake_fd, .events = POLLIN },
                               { .fd = ready ? rt_control_fd(r->control) : -1, .events = POLLIN },
                               { .fd = ready && r->watcher ? rt_watcher_fd(r->watcher) : -1, .events = POLLIN } };
        uint64_t now = rt_mono_ns();
        int wait = !quiet_at ? -1 : quiet_at > now ? (int)((quiet_at - now) / 1000000) + 1 : 0;
        int n = poll(p, 3, wait);
        if (n > 0 && p[2].revents && rt_watcher_take(r->watcher))
            quiet_at = rt_mono_ns() + QUIET_MS * 1000000ull;
        if (n > 0 && p[0].revents && ready)
            serve_woken(r);
        else if (n > 0 && p[0].revents && read(r->wake_fd, &(uint64_t){ 0 }, 8) < 0)
            break;
        if (n > 0 && p[1].revents)
            releaser__serve(r);
        if (quiet_at && rt_mono_ns() >= quiet_at) {
            quiet_at = 0;
            reload_quietly(r, "watch", "save");
        }
    }
    return NULL;
}

int rt_releaser_start(struct rt_host *h, struct rt_err *err)
{
    struct rt_releaser *r = h->releaser;
    int rc = rt_control_open(h->options->data, &r->control, err);
    if (rc == 0 && h->options->watch)
        rc = rt_watcher_new(h->options->scripts, &r->watcher, err);
    if (rc == 0 && pthread_create(&r->thread, NULL, work, r))
        rc = rt_err_set(err, RT_E_IO, "cannot start the releaser's thread");
    return rc;
}

void rt_releaser_wake(struct rt_host *h, bool hangup)
{
    if (!h->releaser)
        return;
    if (hangup)
        atomic_store(&h->releaser->hangup, true);
    wake(h->releaser);
}

void rt_releaser_ask(struct rt_host *h, struct rt_reload *ask)
{
    struct rt_releaser *r = h->releaser;
    pthread_mutex_lock(&r->mu);
    ask->next = r->asked;
    r->asked = ask;
    pthread_mutex_unlock(&r->mu);
    wake(r);
}

void rt_releaser_stop(struct rt_host *h)
{
    struct rt_releaser *r = h->releaser;
    if (!r || !r->thread)
        return;
    atomic_store(&r->stop, true);
    wake(r);
    pthread_join(r->thread, NULL);
    r->thread = 0;
}

int rt_release_number(struct rt_host *h) { return h->releaser ? atomic_load(&h->releaser->number) : 0; }

/* ---- the first release --------------------------------------------------------------------------------------- */

static int build_first(struct rt_host *h, struct rt_release **live, struct rt_err *err)
{
    int rc = 0;
    for (int a = 0; rc == 0 && a < h->n_apps; a++) {
        struct rt_tree *tree = NULL;
        rc = rt_scripts_read(h->options->scripts, h->apps[a].shared.name, &tree, err);
        if (rc == 0)
            rc = rt_release_build(h, a, tree, &live[a], err);
        rt_tree_unref(tree);
    }
    return rc;
}

/* Scripts that have not changed since the last start keep their number. */
static int number_first(struct rt_releaser *r, struct rt_release **live, struct rt_err *err)
{
    struct rt_history_entry e = { .who = "start", .reason = "start" }, *last = NULL;
    struct rt_tree *trees[RT_APPS_MAX];
    int n = 0, rc = rt_history_list(r->history, 1, &last, &n, err);
    fill_entry(r, live, &e, trees);
    bool same = rc == 0 && n == 1 && last->n_apps == e.n_apps;
    for (int a = 0; same && a < e.n_apps; a++)
        same = strcmp(last->app[a].name, e.app[a].name) == 0 && strcmp(last->app[a].hash, e.app[a].hash) == 0;
    if (same)
        e.number = last->number;
    else if (rc == 0)
        rc = rt_history_add(r->history, &e, trees, err);
    free(last);
    for (int a = 0; rc == 0 && a < e.n_apps; a++)
        live[a]->number = e.number;
    set_number(r, e.number);
    return rc;
}

int rt_releaser_open(struct rt_host *h, struct rt_err *err)
{
    struct rt_release *live[RT_APPS_MAX] = { 0 };
    struct rt_routing *first = NULL;
    struct rt_releaser *r = h->releaser = calloc(1, sizeof *r);
    if (!r)
        return rt_err_set(err, RT_E_NOMEM, "no memory for releases");
    r->host = h;
    pthread_mutex_init(&r->mu, NULL);
    r->wake_fd = eventfd(0, EFD_CLOEXEC);
    int rc = r->wake_fd < 0 ? rt_err_set(err, RT_E_IO, "no eventfd: %s", strerror(errno)) : rt_metrics_open(h, err);
    if (rc == 0)
        rc = rt_history_open(h->options->data, &r->history, err);
    if (rc == 0)
        rc = build_first(h, live, err);
    if (rc == 0)
        rc = number_first(r, live, err);
    if (rc == 0)
        rc = rt_routing_build(h, live, &first, err);
    if (rc)
        for (int a = 0; a < h->n_apps; a++)
            rt_release_free(live[a]);
    else
        atomic_store(&h->routing, first);
    return rc;
}

void rt_releaser_close(struct rt_host *h)
{
    struct rt_releaser *r = h->releaser;
    struct rt_routing *g = rt_routing_now(h);
    for (int a = 0; g && a < g->n_apps; a++)
        rt_release_free(g->release[a]);
    rt_releases_free_retired(h);
    rt_routing_free(g);
    atomic_store(&h->routing, NULL);
    rt_metrics_close(h);
    if (!r)
        return;
    rt_control_close(r->control);
    rt_watcher_free(r->watcher);
    rt_history_close(r->history);
    if (r->wake_fd >= 0)
        close(r->wake_fd);
    for (int a = 0; a < RT_APPS_MAX; a++)
        free(r->failure[a].text);
    pthread_mutex_destroy(&r->mu);
    free(r);
    h->releaser = NULL;
}
