/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that look at scripts without serving them: routes, openapi, api. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "lua/fn.h"
#include "server/command.h"

int rt_offline_open(struct rt_offline *o, int index, bool with_database, struct rt_err *err)
{
    struct rt_app_shared *a = &o->host.apps[index].shared;
    if (!with_database)
        a->db_path[0] = 0;
    o->services = (struct rt_services){ .app = a,
                                        .script_ms = 200,
                                        .script_mb = 1024,
                                        .statement_ms = 600000,
                                        .setting = rt_host_setting };
    int rc = rt_scripts_read(o->host.options->scripts, a->name, &o->tree, err);
    if (rc == 0)
        rc = rt_vm_new(&o->services, o->tree, &o->vm, err);
    return rc ? rc : rt_app_load(o->vm, a->name, &o->app, err);
}

void rt_offline_close(struct rt_offline *o)
{
    rt_app_free(o->app);
    rt_vm_free(o->vm);
    rt_tree_unref(o->tree);
    o->tree = NULL;
    o->app = NULL;
    o->vm = NULL;
}

/* Loads the named app, or all one after the other, and calls `each`, which returns 0 or 1 for the exit status. */
static int for_apps(struct rt_options *options, const char *name, int (*each)(struct rt_app *app, void *arg),
                    void *arg)
{
    static struct rt_offline o;
    struct rt_err err;
    int status = 0;
    memset(&o, 0, sizeof o);
    o.host.options = options;
    if (rt_host_find_apps(&o.host, &err) || rt_only_app(&o.host, name, &err) || rt_watchdog_start(&err))
        return rt_command_failed(&err);
    for (int i = 0; i < o.host.n_apps; i++) {
        status |= rt_offline_open(&o, i, false, &err) ? rt_command_failed(&err) : each(o.app, arg);
        rt_offline_close(&o);
    }
    rt_watchdog_stop();
    return status;
}

static int routes_one(struct rt_app *app, void *arg)
{
    struct rt_err err;
    struct rt_buf *json = arg;
    int rc = json ? rt_app_routes_json(app, json, &err) : 0;
    for (int k = 0; !json && k < app->n_routes; k++) {
        const struct rt_route *r = &app->routes[k];
        printf("%-7s %-50s %-8s %s\n", r->method, r->path, r->who, r->summary);
    }
    return rc ? 1 : 0;
}

int rt_cmd_routes(struct rt_options *o, int argc, char **argv)
{
    bool json = rt_take_flag(&argc, argv, "--json");
    struct rt_buf b;
    if (argc > 2) {
        fprintf(stderr, "usage: perigee routes [APP] [--json]\n");
        return 2;
    }
    rt_buf_init(&b, 0);
    int status = for_apps(o, argc > 1 ? argv[1] : NULL, routes_one, json ? &b : NULL);
    if (json && status == 0)
        printf("[%s]\n", rt_buf_cstr(&b));
    rt_buf_fini(&b);
    return status;
}

static void put_member(struct rt_buf *b, const char *name, const char *value)
{
    rt_buf_printf(b, "\"%s\":", name);
    rt_json_put_string(b, value, strlen(value));
}

/* Without an app: which documents there are. */
static int list_one(struct rt_app *app, void *arg)
{
    struct rt_buf *b = arg;
    for (int k = 0; k < app->n_docs; k++) {
        const struct rt_doc_page *page = &app->docs[k];
        if (b) {
            rt_buf_puts(b, b->len ? ",\n {" : "[{");
            put_member(b, "app", app->name);
            rt_buf_printf(b, ",\"page\":%d,", k + 1);
            put_member(b, "path", page->path);
            rt_buf_putc(b, ',');
            put_member(b, "title", page->title);
            rt_buf_putc(b, ',');
            put_member(b, "version", page->version);
            rt_buf_putc(b, '}');
        } else {
            printf("%-20s %d  %-30s %s %s\n", app->name, k + 1, page->path, page->title, page->version);
        }
    }
    return 0;
}

static void put_app(struct rt_buf *b, const struct rt_app *app)
{
    rt_buf_puts(b, b->len ? ",\n {" : "[{");
    put_member(b, "name", app->name);
    rt_buf_putc(b, ',');
    put_member(b, "title", app->title);
    rt_buf_putc(b, ',');
    put_member(b, "version", app->version);
    rt_buf_puts(b, ",\"hosts\":[");
    for (int i = 0; app->hosts[i]; i++) {
        rt_buf_puts(b, i ? "," : "");
        rt_json_put_string(b, app->hosts[i], strlen(app->hosts[i]));
    }
    rt_buf_puts(b, "],\"docs\":[");
    for (int i = 0; i < app->n_docs; i++) {
        rt_buf_puts(b, i ? "," : "");
        rt_json_put_string(b, app->docs[i].path, strlen(app->docs[i].path));
    }
    rt_buf_puts(b, "],");
    put_member(b, "demo_login", app->demo_login ? app->demo_login : "");
    rt_buf_putc(b, '}');
}

static int app_one(struct rt_app *app, void *arg)
{
    struct rt_buf *json = arg;
    if (json) {
        put_app(json, app);
    } else {
        printf("%s: %s %s\n", app->name, app->title, app->version);
        for (int k = 0; k < app->n_docs; k++)
            printf("  docs   %s\n", app->docs[k].path);
        if (app->demo_login)
            printf("  login  %s\n", app->demo_login);
    }
    return 0;
}

/* Runs `each` on every app, which prints or, for --json, adds members to an array. */
static int list_apps(struct rt_options *o, bool json, int (*each)(struct rt_app *app, void *arg))
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    int status = for_apps(o, NULL, each, json ? &b : NULL);
    if (json && status == 0)
        printf("%s]\n", b.len ? rt_buf_cstr(&b) : "[");
    rt_buf_fini(&b);
    return status;
}

int rt_cmd_apps(struct rt_options *o, int argc, char **argv)
{
    bool json = rt_take_flag(&argc, argv, "--json");
    if (argc > 1) {
        fprintf(stderr, "perigee apps: what is '%s'? It takes --json alone\n", argv[1]);
        return 2;
    }
    return list_apps(o, json, app_one);
}

struct document {
    int page; /* from 1 */
    enum rt_docs_form form;
};

static int openapi_one(struct rt_app *app, void *arg)
{
    struct rt_err err;
    struct rt_buf b;
    const struct document *d = arg;
    rt_buf_init(&b, 0);
    int page = d->page == 1 && app->n_docs == 0 ? 0 : d->page; /* an app without a page has a document */
    int rc = 0;
    if (page < 0 || page > app->n_docs)
        rc = rt_err_set(&err, RT_E_INVALID, "%s has docs pages 1 to %d; `perigee openapi` lists them", app->name,
                        app->n_docs);
    if (rc == 0)
        rc = rt_app_docs(app, page - 1, d->form, "http://localhost:8000", &b, &err);
    if (rc)
        rt_command_failed(&err);
    else
        puts(rt_buf_cstr(&b));
    rt_buf_fini(&b);
    return rc ? 1 : 0;
}

int rt_cmd_openapi(struct rt_options *o, int argc, char **argv)
{
    bool json = rt_take_flag(&argc, argv, "--json");
    struct document d = { .page = 1, .form = RT_DOCS_OPENAPI };
    if (rt_take_flag(&argc, argv, "--postman"))
        d.form = RT_DOCS_POSTMAN;
    if (argc == 1 && d.form == RT_DOCS_OPENAPI)
        return list_apps(o, json, list_one);
    char *end = "";
    if (argc == 3)
        d.page = (int)strtol(argv[2], &end, 10);
    if (argc < 2 || argc > 3 || *end || d.page < 1) {
        fprintf(stderr, "usage: perigee openapi [--json] | perigee openapi APP [PAGE] [--postman]\n");
        return 2;
    }
    return for_apps(o, argv[1], openapi_one, &d);
}

/* The descriptors, for the generators of stubs and reference. */
int rt_cmd_api(struct rt_options *o, int argc, char **argv)
{
    static const char *const phases[] = { "load", "request", "rule", "job", "console", "channel" };
    struct rt_buf b;
    (void)o, (void)argc, (void)argv;
    rt_buf_init(&b, 0);
    for (int i = 0; rt_lua_libs[i]; i++) {
        rt_buf_puts(&b, i ? ",\n{" : "[{");
        put_member(&b, "name", rt_lua_libs[i]->name);
        rt_buf_putc(&b, ',');
        put_member(&b, "doc", rt_lua_libs[i]->doc);
        rt_buf_puts(&b, ",\"functions\":[");
        for (int k = 0; rt_lua_libs[i]->fns[k]; k++) {
            const struct rt_lua_fn *f = rt_lua_libs[i]->fns[k];
            rt_buf_puts(&b, k ? ",\n  {" : "\n  {");
            put_member(&b, "signature", f->sig);
            rt_buf_putc(&b, ',');
            put_member(&b, "doc", f->doc);
            rt_buf_puts(&b, ",\"phases\":[");
            for (int p = 0, first = 1; p < (int)(sizeof phases / sizeof *phases); p++)
                if (f->phases & (1u << p)) {
                    rt_buf_printf(&b, "%s\"%s\"", first ? "" : ",", phases[p]);
                    first = 0;
                }
            rt_buf_puts(&b, "]}");
        }
        rt_buf_puts(&b, "]}");
    }
    rt_buf_puts(&b, "]\n");
    fputs(rt_buf_cstr(&b), stdout);
    rt_buf_fini(&b);
    return 0;
}
