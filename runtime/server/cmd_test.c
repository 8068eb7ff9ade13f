/* SPDX-License-Identifier: Apache-2.0
 *
 * `perigee test`: an app's specs against its real scripts and the real host, with a new migrated database
 * in a temporary folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "lua/spec_run.h"
#include "report/pool.h"
#include "server/command.h"

enum { SCRIPT_MS = 60000, SCRIPT_MB = 1024, CACHE_BYTES = 1 << 20, COUNTERS = 1000, QUEUE = 16 };

struct bench {
    struct rt_host host;
    struct rt_services services;
    struct rt_message mail, news;
    const char *spec, *filter;
    char folder[256];
};

static int make_folder(struct bench *b, struct rt_err *err)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(b->folder, sizeof b->folder, "%s/perigee-test-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    if (mkdtemp(b->folder))
        return 0;
    int rc = rt_err_set(err, RT_E_IO, "cannot make the folder %s", b->folder);
    b->folder[0] = 0;
    return rc;
}

static void read_mail(struct rt_message *m)
{
    struct bench *b = (struct bench *)((char *)m - offsetof(struct bench, mail));
    rt_mailbox_run(b->services.mailbox);
}

static void read_news(struct rt_message *m)
{
    struct bench *b = (struct bench *)((char *)m - offsetof(struct bench, news));
    rt_inbox_run(b->services.inbox);
}

static void wake_for_news(void *arg)
{
    struct bench *b = arg;
    rt_loop_post(b->services.loop, &b->news);
}

static void wake(void *arg)
{
    struct bench *b = arg;
    rt_loop_post(b->services.loop, &b->mail);
}

static int open_services(struct bench *b, struct rt_err *err)
{
    struct rt_services *s = &b->services;
    b->mail.run = read_mail;
    b->news.run = read_news;
    *s = (struct rt_services){ .limits = rt_limits_new(COUNTERS),
                               .cache = rt_cache_new(CACHE_BYTES),
                               .inbox = rt_hub_inbox(b->host.hub, 0, wake_for_news, b),
                               .limit_factor = 1,
                               .strict = true,
                               .mailbox = rt_mailbox_new(wake, b),
                               .script_ms = SCRIPT_MS,
                               .script_mb = SCRIPT_MB,
                               .statement_ms = (int)b->host.options->statement_ms,
                               .setting = rt_host_setting };
    if (!s->limits || !s->cache || !s->mailbox)
        return rt_err_set(err, RT_E_NOMEM, "no memory to start");
    int rc = rt_loop_new(&s->loop, err);
    if (rc == 0)
        rc = rt_host_start_reports(&b->host, err);
    s->reports = b->host.reports;
    return rc ? rc : rt_password_pool_new(1, QUEUE, &s->passwords, err);
}

static void close_services(struct bench *b)
{
    rt_pool_free(b->services.passwords);
    rt_report_pool_free(b->services.reports);
    rt_mailbox_free(b->services.mailbox);
    rt_loop_free(b->services.loop);
    rt_cache_free(b->services.cache);
    rt_limits_free(b->services.limits);
}

static int run_specs(struct bench *b, struct rt_vm *vm, struct rt_err *err)
{
    char spec[600], filter[300];
    const char *args[3] = { spec, "--output=plainTerminal", filter };
    const struct rt_app_shared *a = b->services.app;
    if (b->spec)
        snprintf(spec, sizeof spec, "%s", b->spec);
    else
        snprintf(spec, sizeof spec, "%s/%s/spec", b->host.options->scripts, a->name);
    if (access(spec, R_OK))
        return b->spec ? rt_err_set(err, RT_E_NOTFOUND, "there is no folder %s", spec) : 0;
    if (b->filter)
        snprintf(filter, sizeof filter, "--filter=%s", b->filter);
    printf("%s: %s\n", a->name, spec);
    fflush(stdout);
    return rt_spec_run(vm, b->host.options->scripts, args, b->filter ? 3 : 2, err);
}

static int test_app(struct bench *b, int i, struct rt_err *err)
{
    struct rt_vm *vm = NULL;
    struct rt_app *app = NULL;
    b->services.app = &b->host.apps[i].shared;
    b->host.apps[i].shared.keep_mail = true;
    struct rt_tree *tree = NULL;
    int rc = rt_scripts_read(b->host.options->scripts, b->services.app->name, &tree, err);
    if (rc == 0)
        rc = rt_vm_new(&b->services, tree, &vm, err);
    if (rc == 0)
        rc = rt_app_load(vm, b->services.app->name, &app, err);
    if (rc == 0)
        rc = run_specs(b, vm, err);
    rt_app_free(app);
    rt_vm_free(vm);
    rt_tree_unref(tree);
    return rc;
}

static int test_all(struct bench *b, const char *name)
{
    struct rt_err err;
    int failed = 0;
    int rc = make_folder(b, &err);
    if (rc == 0)
        rc = rt_host_find_apps(&b->host, &err);
    if (rc == 0)
        rc = rt_only_app(&b->host, name, &err);
    if (rc == 0)
        rc = rt_host_keys(&b->host, &err);
    if (rc == 0)
        rc = rt_host_open(&b->host, &err);
    if (rc == 0)
        rc = open_services(b, &err);
    if (rc == 0)
        rc = rt_watchdog_start(&err);
    for (int i = 0; rc == 0 && i < b->host.n_apps; i++)
        if (test_app(b, i, &err))
            failed = rt_command_failed(&err);
    rt_watchdog_stop();
    rt_host_close(&b->host);
    close_services(b);
    if (b->folder[0])
        rt_tree_remove(b->folder);
    return rc ? rt_command_failed(&err) : failed;
}

int rt_cmd_test(struct rt_options *o, int argc, char **argv)
{
    static struct bench b;
    struct rt_options own = *o; /* its data folder is a temporary one */
    b.spec = rt_take_value(&argc, argv, "--spec");
    b.filter = rt_take_value(&argc, argv, "--filter");
    if (argc > 2) {
        fprintf(stderr, "usage: perigee test [APP] [--spec FOLDER] [--filter PATTERN]\n");
        return 2;
    }
    own.data = b.folder;
    b.host.options = &own;
    rt_log_setup(RT_LOG_WARN, RT_LOG_TEXT);
    return test_all(&b, argc > 1 ? argv[1] : NULL);
}
