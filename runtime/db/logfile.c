/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of a write connection, written in large pieces. The engine writes a commit's pages one by one,
 * each with a head of 24 bytes before it: two calls into the kernel per page, hundreds per group. They lie
 * one behind the other, so this file collects them and writes them at once, at the latest when the engine
 * asks for the sync that comes before a commit becomes visible to others. An error of a collected write is
 * the error of the call that brings it out, and so of the commit. All else is the system's own file.
 *
 * A sync may be owed: the engine's COMMIT then ends when the group is written, others see it, and the
 * committer syncs while the next group's statements run. The descriptor for that is our own, so that it
 * may be used while the engine uses its. Nobody hears of what is owed (writer.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db_internal.h"

enum { HEAD_BYTES = 32, COLLECTED_MAX = 120 << 10 }; /* the system's file writes less than 128 KiB at a time */

struct logfile {
    sqlite3_file base;
    char *data; /* collected, for `at` in the file */
    int n;
    sqlite3_int64 at;
    int fd;                    /* our own, -1: syncs are never owed */
    bool may_owe, owes, synced;
    sqlite3_file real[];
};

static sqlite3_vfs *system_vfs;

static struct logfile *of(sqlite3_file *f) { return (struct logfile *)f; }

static int bring_out(struct logfile *l)
{
    int n = l->n;
    l->n = 0; /* whatever comes of it: a commit that fails writes its pages anew */
    return n > 0 ? l->real->pMethods->xWrite(l->real, l->data, n, l->at) : SQLITE_OK;
}

static int log_close(sqlite3_file *f)
{
    struct logfile *l = of(f);
    int rc = bring_out(l), closed = l->real->pMethods->xClose(l->real);
    free(l->data);
    l->data = NULL;
    if (l->fd >= 0)
        close(l->fd);
    return rc ? rc : closed;
}

static int log_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    struct logfile *l = of(f);
    int rc = l->n > 0 && at < l->at + l->n && at + n > l->at ? bring_out(l) : SQLITE_OK;
    return rc ? rc : l->real->pMethods->xRead(l->real, out, n, at);
}

static int log_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct logfile *l = of(f);
    if (l->n > 0 && (at != l->at + l->n || n > COLLECTED_MAX - l->n)) {
        int rc = bring_out(l);
        if (rc)
            return rc;
    }
    if (!l->data)
        l->data = malloc(COLLECTED_MAX);
    if (!l->data || n > COLLECTED_MAX)
        return l->real->pMethods->xWrite(l->real, p, n, at);
    if (l->n == 0)
        l->at = at;
    memcpy(l->data + l->n, p, (size_t)n);
    l->n += n;
    return SQLITE_OK;
}

static int log_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = bring_out(of(f));
    return rc ? rc : of(f)->real->pMethods->xTruncate(of(f)->real, size);
}

/* The head of a log that begins anew must be on disk before pages are: that sync is never owed. Nor is the first one
 * of a file, which also syncs its folder. */
static int log_sync(sqlite3_file *f, int flags)
{
    struct logfile *l = of(f);
    bool head = l->n > 0 && l->at == 0 && l->n <= HEAD_BYTES;
    int rc = bring_out(l);
    if (rc)
        return rc;
    if (l->may_owe && l->synced && !head) {
        l->owes = true;
        return SQLITE_OK;
    }
    l->synced = true;
    return l->real->pMethods->xSync(l->real, flags);
}

static int log_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    int rc = bring_out(of(f));
    return rc ? rc : of(f)->real->pMethods->xFileSize(of(f)->real, ret);
}

static int log_lock(sqlite3_file *f, int level) { return of(f)->real->pMethods->xLock(of(f)->real, level); }

static int log_unlock(sqlite3_file *f, int level) { return of(f)->real->pMethods->xUnlock(of(f)->real, level); }

static int log_check_lock(sqlite3_file *f, int *ret)
{
    return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, ret);
}

static int log_control(sqlite3_file *f, int what, void *arg)
{
    return of(f)->real->pMethods->xFileControl(of(f)->real, what, arg);
}

static int log_sector(sqlite3_file *f) { return of(f)->real->pMethods->xSectorSize(of(f)->real); }

static int log_traits(sqlite3_file *f) { return of(f)->real->pMethods->xDeviceCharacteristics(of(f)->real); }

static const sqlite3_io_methods log_methods = { .iVersion = 1,
                                                .xClose = log_close,
                                                .xRead = log_read,
                                                .xWrite = log_write,
                                                .xTruncate = log_truncate,
                                                .xSync = log_sync,
                                                .xFileSize = log_size,
                                                .xLock = log_lock,
                                                .xUnlock = log_unlock,
                                                .xCheckReservedLock = log_check_lock,
                                                .xFileControl = log_control,
                                                .xSectorSize = log_sector,
                                                .xDeviceCharacteristics = log_traits };

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    (void)vfs;
    if (!(flags & SQLITE_OPEN_WAL))
        return system_vfs->xOpen(system_vfs, name, f, flags, ret_flags);
    struct logfile *l = of(f);
    memset(l, 0, sizeof *l);
    int rc = system_vfs->xOpen(system_vfs, name, l->real, flags, ret_flags);
    l->base.pMethods = rc == SQLITE_OK ? &log_methods : NULL;
    l->fd = rc == SQLITE_OK && name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    return rc;
}

static struct logfile *log_of(struct rt_conn *c)
{
    sqlite3_file *f = NULL;
    if (sqlite3_file_control(c->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f) != SQLITE_OK || !f ||
        f->pMethods != &log_methods)
        return NULL;
    return of(f);
}

struct logfile *db__log_owe(struct rt_conn *c)
{
    struct logfile *l = log_of(c);
    if (!l || l->fd < 0)
        return NULL;
    l->may_owe = true;
    return l;
}

bool db__log_owes(struct logfile *l)
{
    bool owes = l->owes;
    l->may_owe = l->owes = false;
    return owes;
}

int db__log_settle(struct logfile *l)
{
    int rc;
    while ((rc = fdatasync(l->fd)) && errno == EINTR)
        ;
    return rc ? errno : 0;
}

void db__register_log(void)
{
    static sqlite3_vfs vfs;
    system_vfs = sqlite3_vfs_find(NULL);
    if (!system_vfs)
        return;
    vfs = *system_vfs;
    vfs.pNext = NULL;
    vfs.zName = DB_LOG_VFS;
    vfs.szOsFile = (int)sizeof(struct logfile) + system_vfs->szOsFile;
    vfs.xOpen = vfs_open;
    sqlite3_vfs_register(&vfs, 0);
}
