/* SPDX-License-Identifier: Apache-2.0
 *
 * `perigee check`: loads each app as the server would, migrates an empty database in memory, and hands both
 * to the checks (lua/check_run.h), which also look at apps that do not load. With --standing it does so again and again
 * (server/checker.h). */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/migrate.h"
#include "http/router.h"
#include "lua/check_run.h"
#include "server/checker.h"
#include "server/command.h"

enum { REST_MS = 3000 }; /* the candidate is live by then, or its author thinks */

/* 0 with an open database, or with NULL where there is no schema to check against; else what is wrong with it. */
static int open_schema(const struct rt_options *o, const char *app, struct rt_conn **ret, struct rt_err *err)
{
    char folder[1024];
    struct rt_conn *c;
    *ret = NULL;
    snprintf(folder, sizeof folder, "%s/runtime", o->db);
    if (access(folder, R_OK)) {
        fprintf(stderr, "perigee: SQL is not checked: there is no folder %s\n", folder);
        return 0;
    }
    int rc = rt_conn_open(":memory:", RT_CONN_WRITE, &c, err);
    if (rc)
        return rc;
    rc = rt_migrate(c, "runtime", folder, NULL, err);
    snprintf(folder, sizeof folder, "%s/%s", o->db, app);
    if (rc == 0 && access(folder, R_OK) == 0)
        rc = rt_migrate(c, app, folder, NULL, err);
    if (rc)
        rt_conn_close(c);
    else
        *ret = c;
    return rc;
}

/* What the router of a server would refuse: a page in the place of a route. */
static int check_paths(const struct rt_app *app, const struct rt_pages *pages, struct rt_err *err)
{
    struct rt_router *router = rt_router_new();
    if (!router)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a router");
    int rc = 0;
    for (int i = 0; rc == 0 && i < app->n_routes; i++)
        rc = rt_router_add(router, 0, app->routes[i].method, app->routes[i].path, app->trailing_slash, i, err);
    for (int i = 0; rc == 0 && i < pages->n; i++)
        rc = rt_router_add(router, 0, "GET", pages->page[i].path, false, app->n_routes + i, err);
    rt_router_free(router);
    return rc;
}

/* Pages for development too: a mistake in them is one. */
static int check_pages(const struct rt_offline *o, int *ret_files, struct rt_err *err)
{
    struct rt_pages *pages;
    struct rt_err why;
    int rc = rt_pages_load(o->tree, o->app->name, o->app->pages, o->app->n_pages, true, &pages, &why);
    if (rc)
        return rt_err_set(err, rc, "%s", why.msg);
    *ret_files = pages->n;
    rc = check_paths(o->app, pages, err);
    rt_pages_free(pages);
    return rc;
}

static void summarize(const struct rt_app *app, int files, char *out, size_t size)
{
    int n = snprintf(out, size, "%d routes", app->n_routes);
    if (files > 0)
        snprintf(out + n, size - (size_t)n, " and %d page files", files);
}

static int check_app(struct rt_check *check, struct rt_offline *o, int i, struct rt_err *err)
{
    struct rt_err load, schema;
    char summary[80] = "";
    int files = 0;
    struct rt_check_app a = { .name = o->host.apps[i].shared.name };
    int rc = rt_offline_open(o, i, false, &load);
    if (!o->vm) { /* not even the files can be read */
        *err = load;
        return rc;
    }
    a.app = rc ? NULL : o->app;
    if (rc)
        a.load_error = rt_vm_failure(o->vm);
    else if (check_pages(o, &files, &load))
        a.load_error = load.msg;
    if (a.app)
        summarize(a.app, files, summary, sizeof summary);
    a.summary = summary[0] ? summary : NULL;
    a.schema_error = open_schema(o->host.options, a.name, &a.schema, &schema) ? schema.msg : NULL;
    a.tree = o->tree;
    a.vm = o->vm;
    rc = rt_check_add(check, &a, err);
    rt_conn_close(a.schema);
    return rc;
}

static int check_all(struct rt_offline *o, struct rt_check *check, bool json, int *ret_errors, struct rt_err *err)
{
    int rc = 0;
    bool colours = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
    for (int i = 0; rc == 0 && i < o->host.n_apps; i++) {
        rc = check_app(check, o, i, err);
        rt_offline_close(o);
    }
    return rc ? rc : rt_check_finish(check, json, colours, ret_errors, err);
}

/* One run: of `app`, or of all. */
static int check_once(struct rt_options *options, struct rt_check *check, const char *app, bool json, int *ret_errors,
                      struct rt_err *err)
{
    static struct rt_offline o;
    memset(&o, 0, sizeof o);
    o.host.options = options;
    int rc = rt_host_find_apps(&o.host, err);
    if (rc == 0)
        rc = rt_only_app(&o.host, app, err);
    return rc ? rc : check_all(&o, check, json, ret_errors, err);
}

/* For the releaser, until it closes the input. */
static int check_again(struct rt_options *options, struct rt_check *check, struct rt_err *err)
{
    const char *folder;
    struct pollfd more = { .fd = STDIN_FILENO, .events = POLLIN };
    while (rt_checker_question(&options->apps, &options->db, &folder)) {
        int errors = 0;
        if (chdir(folder))
            return rt_err_set(err, RT_E_IO, "cannot read the folder %s", folder);
        int rc = check_once(options, check, options->apps, false, &errors, err);
        if (rc)
            return rc;
        fflush(stdout);
        if (write(RT_CHECKER_FD, &(unsigned char){ errors > 0 }, 1) != 1 || chdir("/"))
            return rt_err_set(err, RT_E_IO, "nobody waits for this check");
        rt_check_rest(check, false);
        if (poll(&more, 1, REST_MS) == 0)
            rt_check_rest(check, true);
    }
    return 0;
}

int rt_cmd_check(struct rt_options *options, int argc, char **argv)
{
    struct rt_check *check = NULL;
    struct rt_err err;
    int errors = 0;
    bool json = rt_take_flag(&argc, argv, "--json"), again = rt_take_flag(&argc, argv, "--standing");
    if (argc > 2) {
        fprintf(stderr, "usage: perigee check [APP] [--json]\n");
        return 2;
    }
    int rc = rt_watchdog_start(&err);
    if (rc)
        return rt_command_failed(&err);
    rc = rt_check_new(&check, &err);
    if (rc == 0)
        rc = again ? check_again(options, check, &err)
                   : check_once(options, check, argc > 1 ? argv[1] : NULL, json, &errors, &err);
    rt_check_free(check);
    rt_watchdog_stop();
    return rc ? rt_command_failed(&err) : errors > 0;
}
