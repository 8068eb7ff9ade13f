/* SPDX-License-Identifier: Apache-2.0
 *
 * The SQLite driver: opening with the durability that a 2xx promises (WAL, synchronous=FULL), error
 * mapping, control statements. Scripts' SQL passes an authorizer, so that no statement of theirs can
 * end a transaction that others share, attach files or change settings. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "db/db_internal.h"

static const struct {
    int sqlite, ours;
} codes[] = {
    { SQLITE_CONSTRAINT, RT_E_CONSTRAINT },
    { SQLITE_BUSY, RT_E_BUSY },
    { SQLITE_LOCKED, RT_E_BUSY },
    { SQLITE_FULL, RT_E_FULL },
    { SQLITE_IOERR, RT_E_IO },
    { SQLITE_NOMEM, RT_E_NOMEM },
    { SQLITE_INTERRUPT, RT_E_INTERRUPTED },
    { SQLITE_AUTH, RT_E_DENIED },
    { SQLITE_READONLY, RT_E_DENIED },
    { SQLITE_TOOBIG, RT_E_LIMIT },
    { SQLITE_CANTOPEN, RT_E_IO },
    { SQLITE_ERROR, RT_E_INVALID },
    { SQLITE_MISMATCH, RT_E_INVALID },
    { SQLITE_RANGE, RT_E_INVALID },
};

int db__fail(struct rt_conn *c, int rc, const char *what, struct rt_err *err)
{
    int code = RT_E_INTERNAL;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].sqlite == (rc & 0xff))
            code = codes[i].ours;
    const char *text = c && c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);
    return rt_err_set(err, code, "%s%s%s", what ? what : "", what ? ": " : "", text);
}

static int authorize(void *arg, int action, const char *a, const char *b, const char *c, const char *d)
{
    const struct rt_conn *conn = arg;
    (void)a, (void)b, (void)c, (void)d;
    if (conn->internal)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    default: return SQLITE_DENY;
    }
}

/* Called by the engine every few hundred steps of a statement. */
static int over_time(void *arg)
{
    const struct rt_conn *c = arg;
    return (c->stop && *c->stop) || (c->deadline_ns != 0 && rt_mono_ns() > c->deadline_ns);
}

static int wal_grew(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct rt_conn *c = arg;
    (void)db, (void)name;
    c->wal_pages = pages;
    return SQLITE_OK;
}

static int set_up(struct rt_conn *c, enum rt_conn_mode mode, struct rt_err *err)
{
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, 5000);
    sqlite3_set_authorizer(c->db, authorize, c);
    const char *sql = mode == RT_CONN_WRITE
                          ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                            "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864;"
                            "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192; PRAGMA mmap_size=67108864;"
                          : "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;"
                            "PRAGMA mmap_size=67108864;";
    int rc = rt_conn_exec(c, sql, err);
    if (rc)
        return rc;
    if (mode == RT_CONN_WRITE)
        sqlite3_wal_hook(c->db, wal_grew, c);
    sqlite3_progress_handler(c->db, 2000, over_time, c);
    rc = db__add_functions(c);
    return rc == SQLITE_OK ? 0 : db__fail(c, rc, NULL, err);
}

/* Memory statistics cost a lock around every allocation and nobody reads them. A sanitizer should see the engine's
 * allocations as they are. */
static void configure(void)
{
#ifndef __SANITIZE_ADDRESS__
    sqlite3_config(SQLITE_CONFIG_MALLOC, &db__memory);
#endif
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
    db__register_log();
}

int rt_conn_open(const char *path, enum rt_conn_mode mode, struct rt_conn **ret, struct rt_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    struct rt_conn *c = calloc(1, sizeof *c);
    if (!c)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a database connection");
    int flags = SQLITE_OPEN_NOMUTEX |
                (mode == RT_CONN_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE);
    mode_t before = umask(0077);
    int rc = sqlite3_open_v2(path, &c->db, flags, mode == RT_CONN_WRITE ? DB_LOG_VFS : NULL);
    umask(before);
    if (rc != SQLITE_OK) {
        rc = db__fail(c, rc, path, err);
        rt_conn_close(c);
        return rc;
    }
    rc = set_up(c, mode, err);
    if (rc) {
        rt_conn_close(c);
        return rc;
    }
    *ret = c;
    return 0;
}

void rt_conn_close(struct rt_conn *c)
{
    if (!c)
        return;
    db__drop_statements(c);
    sqlite3_finalize(c->begin);
    sqlite3_finalize(c->commit);
    for (int i = 0; i < RT_SAVEPOINTS_MAX * 3; i++)
        sqlite3_finalize(c->savepoint[i / 3][i % 3]);
    sqlite3_close_v2(c->db);
    free(c);
}

int rt_conn_exec(struct rt_conn *c, const char *sql, struct rt_err *err)
{
    c->internal = true;
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    c->internal = false;
    return rc == SQLITE_OK ? 0 : db__fail(c, rc, NULL, err);
}

int db__control(struct rt_conn *c, sqlite3_stmt **slot, const char *sql, struct rt_err *err)
{
    int rc = SQLITE_OK;
    c->internal = true;
    if (!*slot)
        rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_step(*slot);
        rc = sqlite3_reset(*slot);
    }
    c->internal = false;
    return rc == SQLITE_OK ? 0 : db__fail(c, rc, sql, err);
}

int rt_conn_savepoint(struct rt_conn *c, int depth, enum rt_savepoint what, struct rt_err *err)
{
    static const char *const verbs[] = { "SAVEPOINT", "RELEASE", "ROLLBACK TO" };
    char sql[32];
    if (depth < 0 || depth >= RT_SAVEPOINTS_MAX)
        return rt_err_set(err, RT_E_LIMIT, "more than %d transactions inside each other", RT_SAVEPOINTS_MAX);
    snprintf(sql, sizeof sql, "%s s%d", verbs[what], depth);
    return db__control(c, &c->savepoint[depth][what], sql, err);
}

int rt_conn_snapshot(struct rt_conn *c, struct rt_err *err)
{
    int rc = db__control(c, &c->begin, "BEGIN", err);
    c->snapshot = rc == 0;
    return rc;
}

void rt_conn_release(struct rt_conn *c)
{
    if (c->snapshot)
        db__control(c, &c->commit, "COMMIT", NULL);
    c->snapshot = false;
}

bool rt_conn_in_snapshot(const struct rt_conn *c) { return c->snapshot; }

void rt_conn_deadline(struct rt_conn *c, uint64_t deadline_ns, const _Atomic bool *stop)
{
    c->deadline_ns = deadline_ns;
    c->stop = stop;
}

int64_t rt_conn_changes(const struct rt_conn *c) { return sqlite3_changes64(c->db); }

int64_t rt_conn_last_id(const struct rt_conn *c) { return sqlite3_last_insert_rowid(c->db); }

int rt_conn_int(struct rt_conn *c, const char *sql, int64_t *ret, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = rt_conn_prepare(c, sql, strlen(sql), &s, err);
    if (rc)
        return rc;
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW) {
        *ret = rt_col_int(s, 0);
        rc = 0;
    } else if (rc == RT_STEP_DONE) {
        rc = rt_err_set(err, RT_E_NOTFOUND, "no row");
    }
    rt_stmt_done(s);
    return rc;
}
