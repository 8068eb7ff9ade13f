/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands on the data folder: migrate, backup, restore. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/backup.h"
#include "server/command.h"

static int open_host(struct rt_host *h, struct rt_options *o, bool lock, struct rt_err *err)
{
    h->options = o;
    int rc = rt_host_find_apps(h, err);
    return rc || !lock ? rc : rt_host_lock(h, err);
}

int rt_cmd_migrate(struct rt_options *o, int argc, char **argv)
{
    static struct rt_host h;
    struct rt_err err;
    (void)argc, (void)argv;
    int rc = open_host(&h, o, true, &err);
    if (rc == 0)
        rc = rt_host_open(&h, &err);
    if (rc == 0)
        for (int i = 0; i < h.n_apps; i++)
            printf("%s: up to date\n", h.apps[i].shared.name);
    rt_host_close(&h);
    return rc ? rt_command_failed(&err) : 0;
}

static void show_progress(void *arg, int done, int all)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s: %d of %d pages%s", (const char *)arg, done, all, done == all ? "\n" : "");
}

static int one_folder(int argc, const char *name)
{
    if (argc == 2)
        return 0;
    fprintf(stderr, "usage: perigee %s FOLDER\n", name);
    return 2;
}

static int copy_file(const char *from, const char *to, struct rt_err *err)
{
    char part[65536];
    ssize_t n = -1;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = out >= 0;
    while (good && (n = read(in, part, sizeof part)) > 0)
        good = write(out, part, (size_t)n) == n;
    good = good && n == 0 && fsync(out) == 0;
    int why = errno;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return good ? 0 : rt_err_set(err, RT_E_IO, "cannot copy %s to %s: %s", from, to, strerror(why));
}

/* Without the key, kept outcomes and tokens of the copy would be worthless. */
static int copy_key(const char *from, const char *to, struct rt_err *err)
{
    char a[1024], b[1024];
    snprintf(a, sizeof a, "%s/perigee.key", from);
    snprintf(b, sizeof b, "%s/perigee.key", to);
    return access(a, R_OK) ? 0 : copy_file(a, b, err);
}

int rt_cmd_backup(struct rt_options *o, int argc, char **argv)
{
    static struct rt_host h;
    struct rt_err err;
    char to[1100];
    int rc = one_folder(argc, "backup");
    if (rc)
        return rc;
    rc = open_host(&h, o, false, &err);
    if (rc == 0 && mkdir(argv[1], 0700) && errno != EEXIST)
        rc = rt_err_set(&err, RT_E_IO, "cannot make %s: %s", argv[1], strerror(errno));
    for (int i = 0; rc == 0 && i < h.n_apps; i++) {
        struct rt_app_shared *a = &h.apps[i].shared;
        if (access(a->db_path, R_OK)) {
            rc = rt_err_set(&err, RT_E_NOTFOUND, "there is no database %s: is --data right?", a->db_path);
            break;
        }
        snprintf(to, sizeof to, "%s/%s.db", argv[1], a->name);
        rc = rt_backup(a->db_path, to, show_progress, a->name, &err);
        if (rc == 0)
            printf("%s: copied and verified\n", to);
    }
    if (rc == 0)
        rc = copy_key(o->data, argv[1], &err);
    return rc ? rt_command_failed(&err) : 0;
}

static int put_back(struct rt_app_shared *a, const char *from, struct rt_err *err)
{
    char copy[1100], fresh[600], side[600];
    snprintf(copy, sizeof copy, "%s/%s.db", from, a->name);
    snprintf(fresh, sizeof fresh, "%s.restoring", a->db_path);
    int rc = rt_db_verify(copy, err);
    unlink(fresh);
    if (rc == 0)
        rc = copy_file(copy, fresh, err);
    if (rc)
        return rc;
    /* The former log belongs to the former database: it must be gone before the new one is in place. */
    snprintf(side, sizeof side, "%s-wal", a->db_path);
    unlink(side);
    snprintf(side, sizeof side, "%s-shm", a->db_path);
    unlink(side);
    if (rename(fresh, a->db_path))
        return rt_err_set(err, RT_E_IO, "cannot replace %s: %s", a->db_path, strerror(errno));
    printf("%s: restored\n", a->db_path);
    return 0;
}

int rt_cmd_restore(struct rt_options *o, int argc, char **argv)
{
    static struct rt_host h;
    struct rt_err err;
    char key[1024];
    int rc = one_folder(argc, "restore");
    if (rc)
        return rc;
    rc = open_host(&h, o, true, &err);
    for (int i = 0; rc == 0 && i < h.n_apps; i++) {
        char copy[1100];
        snprintf(copy, sizeof copy, "%s/%s.db", argv[1], h.apps[i].shared.name);
        rc = rt_db_verify(copy, &err);    /* all of them before the first is replaced */
    }
    for (int i = 0; rc == 0 && i < h.n_apps; i++)
        rc = put_back(&h.apps[i].shared, argv[1], &err);
    snprintf(key, sizeof key, "%s/perigee.key", o->data);
    if (rc == 0) {
        unlink(key);
        rc = copy_key(argv[1], o->data, &err);
    }
    h.n_apps = 0;
    rt_host_close(&h);
    return rc ? rt_command_failed(&err) : 0;
}
