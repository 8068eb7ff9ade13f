/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands on the data folder: migrate, backup, restore. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/backup.h"
#include "events/events.h"
#include "server/archive.h"
#include "server/command.h"

static const char key_name[] = "perigee.key", history_name[] = "releases.db";

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

static int one_file(int argc, const char *name)
{
    if (argc == 2)
        return 0;
    fprintf(stderr, "usage: perigee %s FILE\n", name);
    return 2;
}

/* The parts of a backup lie in a folder of their own until they are one file, or in their places. */
static int make_folder(const char *beside, char *out, size_t size, struct rt_err *err)
{
    if ((size_t)snprintf(out, size, "%s.XXXXXX", beside) >= size || !mkdtemp(out))
        return rt_err_set(err, RT_E_IO, "cannot make a folder beside %s: %s", beside, strerror(errno));
    return 0;
}

static void remove_folder(const char *path)
{
    char file[1400];
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        unlink(file);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static int copy_key(const char *from, const char *to, struct rt_err *err)
{
    char part[256];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = in < 0 || out < 0 ? -1 : read(in, part, sizeof part);
    bool good = n > 0 && write(out, part, (size_t)n) == n;
    int why = errno;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return good ? 0 : rt_err_set(err, RT_E_IO, "cannot copy %s: %s", from, strerror(why));
}

struct parts {
    char folder[1100];
    char names[RT_APPS_MAX + 2][72];
    const char *list[RT_APPS_MAX + 2];
    int n;
};

static const char *next_part(struct parts *p, const char *name, const char *suffix)
{
    snprintf(p->names[p->n], sizeof p->names[0], "%s%s", name, suffix);
    p->list[p->n] = p->names[p->n];
    return p->list[p->n++];
}

/* Copies of all databases, the history of releases, and the key: without it kept outcomes and tokens of the copy would
 * be worthless. */
static int gather(struct rt_host *h, struct parts *p, struct rt_err *err)
{
    char from[1100], to[1200];
    int rc = 0;
    for (int i = 0; rc == 0 && i < h->n_apps; i++) {
        struct rt_app_shared *a = &h->apps[i].shared;
        if (access(a->db_path, R_OK))
            return rt_err_set(err, RT_E_NOTFOUND, "there is no database %s: is --data right?", a->db_path);
        snprintf(to, sizeof to, "%s/%s", p->folder, next_part(p, a->name, ".db"));
        rc = rt_backup(a->db_path, to, show_progress, a->name, err);
    }
    snprintf(from, sizeof from, "%s/%s", h->options->data, history_name);
    if (rc == 0 && access(from, R_OK) == 0) {
        snprintf(to, sizeof to, "%s/%s", p->folder, next_part(p, history_name, ""));
        rc = rt_backup(from, to, show_progress, "releases", err);
    }
    snprintf(from, sizeof from, "%s/%s", h->options->data, key_name);
    if (rc || access(from, R_OK))
        return rc;
    snprintf(to, sizeof to, "%s/%s", p->folder, next_part(p, key_name, ""));
    return copy_key(from, to, err);
}

int rt_cmd_backup(struct rt_options *o, int argc, char **argv)
{
    static struct rt_host h;
    static struct parts p;
    struct rt_err err;
    int rc = one_file(argc, "backup");
    if (rc)
        return rc;
    rc = open_host(&h, o, false, &err);
    if (rc == 0 && access(argv[1], F_OK) == 0)
        rc = rt_err_set(&err, RT_E_EXISTS, "%s exists already", argv[1]);
    if (rc == 0)
        rc = make_folder(argv[1], p.folder, sizeof p.folder, &err);
    if (rc)
        return rt_command_failed(&err);
    rc = gather(&h, &p, &err);
    if (rc == 0)
        rc = rt_archive_pack(argv[1], p.folder, p.list, p.n, &err);
    remove_folder(p.folder);
    if (rc)
        return rt_command_failed(&err);
    for (int i = 0; i < h.n_apps; i++)
        printf("%s: copied and verified\n", h.apps[i].shared.name);
    return 0;
}

static int forget_events(const char *copy, struct rt_err *err)
{
    struct rt_conn *c;
    int rc = rt_conn_open(copy, RT_CONN_WRITE, &c, err);
    if (rc)
        return rc;
    rc = rt_events_forget(c, err);
    rt_conn_close(c);
    return rc;
}

static int put_back(struct rt_app_shared *a, const char *folder, struct rt_err *err)
{
    char copy[1200], side[600];
    snprintf(copy, sizeof copy, "%s/%s.db", folder, a->name);
    int rc = forget_events(copy, err);
    if (rc)
        return rc;
    /* The former log belongs to the former database: it must be gone before the new one is in place. */
    snprintf(side, sizeof side, "%s-wal", a->db_path);
    unlink(side);
    snprintf(side, sizeof side, "%s-shm", a->db_path);
    unlink(side);
    if (rename(copy, a->db_path))
        return rt_err_set(err, RT_E_IO, "cannot replace %s: %s", a->db_path, strerror(errno));
    printf("%s: restored\n", a->db_path);
    return 0;
}

/* All databases of the backup are whole before the first is replaced. */
static int verify_all(struct rt_host *h, const char *file, const char *folder, struct rt_err *err)
{
    char copy[1200];
    int rc = 0;
    for (int i = 0; rc == 0 && i < h->n_apps; i++) {
        snprintf(copy, sizeof copy, "%s/%s.db", folder, h->apps[i].shared.name);
        rc = access(copy, R_OK)
                 ? rt_err_set(err, RT_E_NOTFOUND, "%s has no database of %s", file, h->apps[i].shared.name)
                 : rt_db_verify(copy, err);
    }
    return rc;
}

/* The history tells of scripts, not of data: one that is there already goes on. */
static int put_history(const char *data, const char *folder, struct rt_err *err)
{
    char from[1200], to[1100];
    snprintf(from, sizeof from, "%s/%s", folder, history_name);
    snprintf(to, sizeof to, "%s/%s", data, history_name);
    if (access(from, R_OK) || access(to, F_OK) == 0)
        return 0;
    int rc = rt_db_verify(from, err);
    if (rc == 0 && rename(from, to))
        rc = rt_err_set(err, RT_E_IO, "cannot make %s: %s", to, strerror(errno));
    return rc;
}

static int restore(struct rt_host *h, const char *file, const char *folder, struct rt_err *err)
{
    char from[1200], to[1100];
    int rc = rt_archive_unpack(file, folder, err);
    if (rc == 0)
        rc = verify_all(h, file, folder, err);
    for (int i = 0; rc == 0 && i < h->n_apps; i++)
        rc = put_back(&h->apps[i].shared, folder, err);
    if (rc == 0)
        rc = put_history(h->options->data, folder, err);
    snprintf(from, sizeof from, "%s/%s", folder, key_name);
    snprintf(to, sizeof to, "%s/%s", h->options->data, key_name);
    if (rc == 0 && access(from, R_OK) == 0 && rename(from, to))
        rc = rt_err_set(err, RT_E_IO, "cannot replace %s: %s", to, strerror(errno));
    return rc;
}

int rt_cmd_restore(struct rt_options *o, int argc, char **argv)
{
    static struct rt_host h;
    struct rt_err err;
    char beside[1024], folder[1100];
    int rc = one_file(argc, "restore");
    if (rc)
        return rc;
    rc = open_host(&h, o, true, &err);
    snprintf(beside, sizeof beside, "%s/restoring", o->data);
    if (rc == 0)
        rc = make_folder(beside, folder, sizeof folder, &err);
    if (rc == 0) {
        rc = restore(&h, argv[1], folder, &err);
        remove_folder(folder);
    }
    h.n_apps = 0;
    rt_host_close(&h);
    return rc ? rt_command_failed(&err) : 0;
}
