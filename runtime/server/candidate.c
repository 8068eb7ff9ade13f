/* SPDX-License-Identifier: Apache-2.0
 *
 * A candidate is built from one reading of the folder, so it does not matter what happens on the disk
 * meanwhile: what was loaded and tested is what goes live. */
#include "server/candidate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/migrate.h"
#include "jobs/timers.h"
#include "lua/job.h"

enum { WHY_MAX = 128 << 10 };

void rt_candidate_init(struct rt_candidate *c, struct rt_host *h)
{
    memset(c, 0, sizeof *c);
    c->host = h;
    c->trial = true;
    for (int a = 0; a < h->n_apps; a++)
        rt_buf_init(&c->app[a].why, WHY_MAX);
}

void rt_candidate_fini(struct rt_candidate *c)
{
    for (int a = 0; a < c->host->n_apps; a++) {
        rt_release_free(c->app[a].built);
        rt_tree_unref(c->app[a].tree);
        rt_buf_fini(&c->app[a].why);
    }
}

void rt_candidate_refuse(struct rt_candidate *c, int a, int code, const char *why)
{
    c->failed += c->app[a].code == 0;
    c->app[a].code = code;
    rt_buf_reset(&c->app[a].why);
    rt_buf_puts(&c->app[a].why, why);
}

void rt_candidate_take(struct rt_candidate *c, int a, struct rt_tree *tree)
{
    struct rt_candidate_app *x = &c->app[a];
    x->tree = rt_tree_ref(tree);
    x->files = rt_tree_differences(tree, rt_routing_now(c->host)->release[a]->tree);
    x->changed = x->files > 0;
}

void rt_candidate_read(struct rt_candidate *c, int a)
{
    struct rt_tree *tree;
    struct rt_err err;
    int rc = rt_scripts_read(c->host->options->scripts, c->host->apps[a].shared.name, &tree, &err);
    if (rc) {
        rt_candidate_refuse(c, a, rc, err.msg);
        return;
    }
    rt_candidate_take(c, a, tree);
    rt_tree_unref(tree);
}

static int check_migrations(struct rt_candidate *c, int a, struct rt_conn *conn, struct rt_err *err)
{
    const char *app = c->host->apps[a].shared.name;
    char folder[1024];
    struct rt_err why;
    snprintf(folder, sizeof folder, "%s/%s", c->host->options->db, app);
    int rc = access(folder, R_OK) ? 0 : rt_migrate_check(conn, app, folder, &why);
    return rc ? rt_err_set(err, rc, "app %s: %s (a restart applies new migrations)", app, why.msg) : 0;
}

/* A timer whose function is gone could never fire. */
struct orphan {
    struct rt_app *app;
    char name[200];
    int64_t n;
};

static bool find_orphan(void *arg, const char *name, int64_t n)
{
    struct orphan *o = arg;
    if (rt_job_has_timer(o->app, name))
        return true;
    snprintf(o->name, sizeof o->name, "%s", name);
    o->n = n;
    return false;
}

static int check_timers(struct rt_candidate *c, int a, struct rt_conn *conn, struct rt_err *err)
{
    struct orphan o = { .app = c->app[a].built->at[0].app };
    int rc = rt_timer_names(conn, find_orphan, &o, err);
    if (rc || o.n == 0)
        return rc;
    return rt_err_set(err, RT_E_INVALID,
                      "app %s: the manifest has no timer '%s', and %lld that were set are still to fire: keep the "
                      "function until they have, or cancel them first",
                      c->host->apps[a].shared.name, o.name, (long long)o.n);
}

static int check_database(struct rt_candidate *c, int a, struct rt_err *err)
{
    struct rt_conn *conn;
    int rc = rt_conn_open(c->host->apps[a].shared.db_path, RT_CONN_READ, &conn, err);
    if (rc)
        return rc;
    rc = check_migrations(c, a, conn, err);
    if (rc == 0)
        rc = check_timers(c, a, conn, err);
    rt_conn_close(conn);
    return rc;
}

static int build_release(struct rt_candidate *c, int a, struct rt_err *err)
{
    int rc = rt_release_build(c->host, a, c->app[a].tree, &c->app[a].built, err);
    return rc ? rc : check_database(c, a, err);
}

/* The trial takes longest, so it begins first. */
static int build_and_try(struct rt_candidate *c, int a, struct rt_buf *output, struct rt_err *err)
{
    struct rt_trial trial;
    if (!c->trial)
        return build_release(c, a, err);
    int rc = rt_trial_start(c, a, &trial, err);
    if (rc)
        return rc;
    rc = build_release(c, a, err);
    if (rc == 0)
        return rt_trial_finish(c, a, &trial, output, err);
    rt_trial_drop(&trial);
    return rc;
}

static void build_app(struct rt_candidate *c, int a)
{
    struct rt_buf output;
    struct rt_err err;
    rt_buf_init(&output, 0);
    int rc = build_and_try(c, a, &output, &err);
    c->given_up |= rc == RT_E_INTERRUPTED;
    if (rc) {
        rt_candidate_refuse(c, a, rc, err.msg);
        if (output.len)
            rt_buf_printf(&c->app[a].why, "\n%s", rt_buf_cstr(&output));
    }
    rt_buf_fini(&output);
}

void rt_candidate_build(struct rt_candidate *c)
{
    for (int a = 0; a < c->host->n_apps && !c->given_up; a++)
        if (c->app[a].tree && c->app[a].changed)
            build_app(c, a);
}
