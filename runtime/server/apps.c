/* SPDX-License-Identifier: Apache-2.0
 *
 * The apps of a server: found by their app.lua, each with a database and keys of its own, so that they
 * are separate worlds (decision X-4). */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "db/migrate.h"
#include "events/events.h"
#include "report/pool.h"
#include "server/host.h"
#include "server/idempotency.h"

enum { REPORT_THREADS = 2 /* a large export does not delay the next page */, REPORT_QUEUE = 32 };

static bool is_app(const char *scripts, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/app.lua", scripts, name);
    return name[0] != '.' && access(path, R_OK) == 0;
}

static int add_app(struct rt_host *h, const char *name, size_t n, struct rt_err *err)
{
    if ((n == 7 && memcmp(name, "runtime", n) == 0) || (n == 8 && memcmp(name, "releases", n) == 0))
        return rt_err_set(err, RT_E_INVALID, "an app cannot be called %.*s: that name is the host's", (int)n, name);
    if (h->n_apps == RT_APPS_MAX)
        return rt_err_set(err, RT_E_LIMIT, "more than %d apps", RT_APPS_MAX);
    struct rt_app_shared *a = &h->apps[h->n_apps++].shared;
    snprintf(a->name, sizeof a->name, "%.*s", (int)n, name);
    snprintf(a->db_path, sizeof a->db_path, "%s/%.*s.db", h->options->data, (int)n, name);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct rt_hosted *)a)->shared.name, ((const struct rt_hosted *)b)->shared.name);
}

static int add_all(struct rt_host *h, struct rt_err *err)
{
    DIR *d = opendir(h->options->scripts);
    if (!d)
        return rt_err_set(err, RT_E_IO, "cannot read the scripts folder %s: %s", h->options->scripts, strerror(errno));
    int rc = 0;
    struct dirent *e;
    while (rc == 0 && (e = readdir(d)))
        if (is_app(h->options->scripts, e->d_name))
            rc = add_app(h, e->d_name, strlen(e->d_name), err);
    closedir(d);
    qsort(h->apps, (size_t)h->n_apps, sizeof *h->apps, by_name);
    return rc;
}

static int add_named(struct rt_host *h, struct rt_err *err)
{
    const char *p = h->options->apps;
    while (*p) {
        size_t n = strcspn(p, ", ");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        if (n > 0 && !is_app(h->options->scripts, name))
            return rt_err_set(err, RT_E_NOTFOUND, "apps: there is no %s/%s/app.lua", h->options->scripts, name);
        int rc = n > 0 ? add_app(h, name, strlen(name), err) : 0;
        if (rc)
            return rc;
        p += n;
        p += strspn(p, ", ");
    }
    return 0;
}

int rt_host_find_apps(struct rt_host *h, struct rt_err *err)
{
    int rc = h->options->apps && h->options->apps[0] ? add_named(h, err) : add_all(h, err);
    if (rc == 0 && h->n_apps == 0)
        rc = rt_err_set(err, RT_E_NOTFOUND, "no app in %s: an app is a folder with an app.lua", h->options->scripts);
    return rc;
}

int rt_only_app(struct rt_host *h, const char *name, struct rt_err *err)
{
    for (int i = 0; name && i < h->n_apps; i++)
        if (strcmp(h->apps[i].shared.name, name) == 0) {
            h->apps[0] = h->apps[i];
            h->n_apps = 1;
            return 0;
        }
    return name ? rt_err_set(err, RT_E_NOTFOUND, "there is no app %s in %s", name, h->options->scripts) : 0;
}

int rt_cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int rt_host_lock(struct rt_host *h, struct rt_err *err)
{
    char path[1024];
    if (mkdir(h->options->data, 0700) && errno != EEXIST)
        return rt_err_set(err, RT_E_IO, "cannot make the data folder %s: %s", h->options->data, strerror(errno));
    snprintf(path, sizeof path, "%s/perigee.lock", h->options->data);
    h->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (h->lock_fd < 0)
        return rt_err_set(err, RT_E_IO, "cannot write to the data folder %s: %s", h->options->data, strerror(errno));
    if (flock(h->lock_fd, LOCK_EX | LOCK_NB)) {
        char pid[16] = "";
        if (read(h->lock_fd, pid, sizeof pid - 1) < 0)
            pid[0] = 0;
        pid[strcspn(pid, "\n")] = 0;
        return rt_err_set(err, RT_E_BUSY,
                          "another perigee (process %s) uses the data folder %s: stop it or choose --data",
                          pid[0] ? pid : "?", h->options->data);
    }
    if (ftruncate(h->lock_fd, 0) || dprintf(h->lock_fd, "%d\n", (int)getpid()) < 0)
        return rt_err_set(err, RT_E_IO, "cannot write to the data folder %s: %s", h->options->data, strerror(errno));
    return 0;
}

int rt_host_keys(struct rt_host *h, struct rt_err *err)
{
    char path[1024], purpose[100];
    snprintf(path, sizeof path, "%s/perigee.key", h->options->data);
    int rc = rt_key_file(path, h->master_key, err);
    for (int i = 0; rc == 0 && i < h->n_apps; i++) {
        struct rt_app_shared *a = &h->apps[i].shared;
        snprintf(purpose, sizeof purpose, "seal:%s", a->name);
        rt_derive_key(h->master_key, purpose, a->seal_key);
        snprintf(purpose, sizeof purpose, "token:%s", a->name);
        a->token_key_n = 32;
        if (h->options->jwt_secret && h->options->jwt_secret[0])
            rt_hmac_sha256(h->options->jwt_secret, strlen(h->options->jwt_secret), purpose, strlen(purpose),
                           a->token_key);
        else
            rt_derive_key(h->master_key, purpose, a->token_key);
    }
    return rc;
}

static int migrate_app(struct rt_host *h, struct rt_app_shared *a, struct rt_err *err)
{
    char folder[1024];
    int host = 0, own = 0;
    struct rt_conn *c;
    int rc = rt_conn_open(a->db_path, RT_CONN_WRITE, &c, err);
    if (rc)
        return rc;
    snprintf(folder, sizeof folder, "%s/runtime", h->options->db);
    rc = rt_migrate(c, "runtime", folder, &host, err);
    snprintf(folder, sizeof folder, "%s/%s", h->options->db, a->name);
    if (rc == 0 && access(folder, R_OK) == 0)
        rc = rt_migrate(c, a->name, folder, &own, err);
    rt_conn_close(c);
    if (rc == 0 && host + own > 0)
        rt_logf(RT_LOG_INFO, "%s: applied %d migrations", a->name, host + own);
    return rc;
}

static int open_events(struct rt_host *h, int app, struct rt_err *err)
{
    struct rt_app_shared *a = &h->apps[app].shared;
    struct rt_conn *c;
    int rc = rt_conn_open(a->db_path, RT_CONN_READ, &c, err);
    if (rc)
        return rc;
    rc = rt_events_new(a->writer, h->hub, (unsigned)app, h->options->event_window, c, &a->events, err);
    rt_conn_close(c);
    return rc;
}

int rt_host_open(struct rt_host *h, struct rt_err *err)
{
    h->hub = rt_hub_new(h->n_workers ? h->n_workers : 1);
    if (!h->hub)
        return rt_err_set(err, RT_E_NOMEM, "no memory for rooms");
    for (int i = 0; i < h->n_apps; i++) {
        struct rt_app_shared *a = &h->apps[i].shared;
        int rc = migrate_app(h, a, err);
        if (rc == 0)
            rc = rt_writer_open(a->db_path, &a->writer, err);
        if (rc == 0)
            rc = open_events(h, i, err);
        if (rc)
            return rc;
        h->apps[i].idempotency = rt_idempotency_new();
    }
    return 0;
}

void rt_host_close(struct rt_host *h)
{
    for (int i = 0; i < h->n_apps; i++) {
        rt_writer_close(h->apps[i].shared.writer);
        rt_events_free(h->apps[i].shared.events);
        rt_idempotency_free(h->apps[i].idempotency);
    }
    h->n_apps = 0;
    rt_hub_free(h->hub);
    h->hub = NULL;
    if (h->lock_fd > 0)
        close(h->lock_fd);
}

const char *rt_host_setting(void *arg, const char *app, const char *name)
{
    char variable[200];
    (void)arg;
    snprintf(variable, sizeof variable, "PERIGEE_%s_%s", app, name);
    for (char *p = variable; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    const char *value = getenv(variable);
    return value && value[0] ? value : NULL;
}

int rt_host_start_reports(struct rt_host *h, struct rt_err *err)
{
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/tmp", h->options->data);
    int rc = rt_spool_folder(folder, err);
    return rc ? rc : rt_report_pool_new(REPORT_THREADS, REPORT_QUEUE, folder, &h->reports, err);
}
