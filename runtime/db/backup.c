/* SPDX-License-Identifier: Apache-2.0
 *
 * Online copies through the engine's backup interface, which takes a consistent state while the server
 * writes. The copy counts only after it was opened again and checked. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db/backup.h"
#include "db/db_internal.h"

enum { PAGES_PER_STEP = 2000 };

static int expect_ok(sqlite3 *db, const char *sql, bool rows_are_bad, struct rt_err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL), code = 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW && (rows_are_bad || strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0))
        code = rt_err_set(err, RT_E_INVALID, "the copy is damaged: %s says %s", sql, sqlite3_column_text(st, 0));
    else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        code = rt_err_set(err, RT_E_IO, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(st);
    return code;
}

int rt_db_verify(const char *path, struct rt_err *err)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
    if (rc != SQLITE_OK)
        rc = rt_err_set(err, RT_E_IO, "%s: %s", path, db ? sqlite3_errmsg(db) : "cannot open");
    else
        rc = expect_ok(db, "PRAGMA integrity_check", false, err);
    if (rc == 0)
        rc = expect_ok(db, "PRAGMA foreign_key_check", true, err);
    sqlite3_close(db);
    return rc;
}

static int copy(sqlite3 *from, sqlite3 *to, void (*progress)(void *, int, int), void *arg, struct rt_err *err)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b)
        return rt_err_set(err, RT_E_IO, "backup: %s", sqlite3_errmsg(to));
    int rc;
    do {
        rc = sqlite3_backup_step(b, PAGES_PER_STEP);
        int all = sqlite3_backup_pagecount(b);
        if (progress)
            progress(arg, all - sqlite3_backup_remaining(b), all);
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
            sqlite3_sleep(5);
    } while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
    sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? 0 : rt_err_set(err, RT_E_IO, "backup: %s", sqlite3_errstr(rc));
}

static int sync_file(const char *path, struct rt_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int bad = fd < 0 || fsync(fd) != 0;
    if (fd >= 0)
        close(fd);
    return bad ? rt_err_set(err, RT_E_IO, "cannot sync %s", path) : 0;
}

int rt_backup(const char *from, const char *to, void (*progress)(void *arg, int done, int all), void *arg,
              struct rt_err *err)
{
    int fd = open(to, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return rt_err_set(err, RT_E_EXISTS, "%s exists already or cannot be written", to);
    close(fd);
    sqlite3 *a = NULL, *b = NULL;
    int rc = 0;
    if (sqlite3_open_v2(from, &a, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        rc = rt_err_set(err, RT_E_IO, "%s: %s", from, a ? sqlite3_errmsg(a) : "cannot open");
    else if (sqlite3_open_v2(to, &b, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        rc = rt_err_set(err, RT_E_IO, "%s: %s", to, b ? sqlite3_errmsg(b) : "cannot open");
    if (rc == 0) {
        sqlite3_busy_timeout(a, 5000);
        rc = copy(a, b, progress, arg, err);
    }
    /* A copy of a WAL database says WAL in its header; one file is what a backup should be. */
    if (rc == 0 && sqlite3_exec(b, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK)
        rc = rt_err_set(err, RT_E_IO, "%s: %s", to, sqlite3_errmsg(b));
    sqlite3_close(b);
    sqlite3_close(a);
    if (rc == 0)
        rc = sync_file(to, err);
    if (rc == 0)
        rc = rt_db_verify(to, err);
    if (rc)
        unlink(to);
    return rc;
}
