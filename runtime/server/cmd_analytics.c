/* SPDX-License-Identifier: Apache-2.0
 *
 * `analytics verify` and `analytics rebuild`: the app's own `recount` says what the facts are, read from
 * its raw rows; they are compared with what is stored, or stored anew. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "server/command.h"
#include "lua/recount.h"

static void differ(void *arg, const char *measure, const char *kind, int64_t id, int64_t detail, int64_t t,
                   int64_t stored, int64_t expected)
{
    char when[RT_ISO_LEN + 1] = "";
    int *shown = arg;
    if ((*shown)++ >= 50)
        return;
    rt_iso_write(t, when);
    printf("  %s of %s %lld, detail %lld, %s: stored %lld, expected %lld\n", measure, kind, (long long)id,
           (long long)detail, when, (long long)stored, (long long)expected);
}

static int verify_one(struct rt_offline *o, struct rt_err *err, int64_t *ret_different)
{
    int shown = 0;
    int64_t facts = 0;
    struct rt_verify *v = rt_verify_new();
    /* One snapshot for raw rows and aggregates, so that a live server does not disturb. */
    int rc = rt_conn_snapshot(o->vm->reader, err);
    o->vm->snapshot_checked = true;
    if (rc == 0)
        rc = rt_recount_verify(o->app, v, &facts, err);
    if (rc == 0) {
        *ret_different = rt_verify_compare(v, o->vm->reader, differ, &shown, err);
        rc = *ret_different < 0 ? (int)*ret_different : 0;
    }
    rt_conn_release(o->vm->reader);
    rt_verify_free(v);
    if (rc == 0)
        printf("%s: %lld facts, %lld differences\n", o->app->name, (long long)facts, (long long)*ret_different);
    return rc;
}

static int rebuild_one(struct rt_offline *o, const char *path, struct rt_err *err)
{
    struct rt_conn *c;
    int64_t facts = 0;
    int rc = rt_conn_open(path, RT_CONN_WRITE, &c, err);
    if (rc)
        return rc;
    rc = rt_conn_exec(c, "BEGIN IMMEDIATE; DELETE FROM perigee_analytics", err);
    if (rc == 0)
        rc = rt_recount_store(o->app, c, &facts, err);
    if (rc == 0)
        rc = rt_conn_exec(c, "COMMIT", err);
    rt_conn_close(c);
    if (rc == 0)
        printf("%s: %lld facts stored\n", o->app->name, (long long)facts);
    return rc;
}

int rt_cmd_analytics(struct rt_options *options, int argc, char **argv)
{
    static struct rt_offline o;
    struct rt_err err;
    bool verify = argc > 1 && strcmp(argv[1], "verify") == 0, rebuild = argc > 1 && strcmp(argv[1], "rebuild") == 0;
    if ((!verify && !rebuild) || argc > 3) {
        fprintf(stderr, "usage: perigee analytics verify|rebuild [APP]\n");
        return 2;
    }
    o.host.options = options;
    int rc = rt_host_find_apps(&o.host, &err);
    if (rc == 0)
        rc = rt_only_app(&o.host, argc == 3 ? argv[2] : NULL, &err);
    if (rc == 0 && rebuild)
        rc = rt_host_lock(&o.host, &err);
    if (rc == 0)
        rc = rt_watchdog_start(&err);
    int64_t different = 0;
    for (int i = 0; rc == 0 && i < o.host.n_apps; i++) {
        int64_t n = 0;
        char path[512];
        snprintf(path, sizeof path, "%s", o.host.apps[i].shared.db_path);
        rc = rt_offline_open(&o, i, true, &err);
        if (rc == 0 && o.app->recount_ref > 0)
            rc = verify ? verify_one(&o, &err, &n) : rebuild_one(&o, path, &err);
        different += n;
        rt_offline_close(&o);
    }
    rt_watchdog_stop();
    if (rc)
        return rt_command_failed(&err);
    return different ? 1 : 0;
}
