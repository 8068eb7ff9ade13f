/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of db/ share. Not for other folders. */
#ifndef RT_DB_INTERNAL_H
#define RT_DB_INTERNAL_H

#include <sqlite3.h>

#include "db/db.h"

enum { STMT_BUCKETS = 256, STMT_IDLE_MAX = 256 };

struct rt_stmt {
    sqlite3_stmt *st;
    struct rt_conn *conn;
    uint64_t hash;
    size_t sql_n;
    struct rt_stmt *bucket_next;   /* idle statements with the same bucket */
    struct rt_stmt *older, *newer; /* idle statements by last use */
    void *note;
    void (*drop)(void *note);
};

struct rt_conn {
    sqlite3 *db;
    struct rt_stmt *bucket[STMT_BUCKETS];
    struct rt_stmt *oldest, *newest;
    int idle;
    bool internal; /* control statements are allowed */
    bool snapshot;
    uint64_t deadline_ns;
    const _Atomic bool *stop;
    int wal_pages;
    sqlite3_stmt *begin, *commit;
    sqlite3_stmt *savepoint[RT_SAVEPOINTS_MAX][3];    /* by depth: set, release, go back to */
};

/* Fills err from the connection's last error and returns the RT_E_* code for `rc`. */
int db__fail(struct rt_conn *c, int rc, const char *what, struct rt_err *err);
/* One control statement without parameters ("COMMIT"), through a kept statement slot. */
int db__control(struct rt_conn *c, sqlite3_stmt **slot, const char *sql, struct rt_err *err);
/* SQL functions of ours; SQLITE_OK or an SQLite code. */
int db__add_functions(struct rt_conn *c);
/* Where the engine's memory comes from (memory.c). */
extern const sqlite3_mem_methods db__memory;
/* Registers the file system of write connections (logfile.c) once the engine is up. */
void db__register_log(void);
#define DB_LOG_VFS "perigee"
/* The syncs of the next commit may be owed; NULL when they cannot. With the connection. */
struct logfile;
struct logfile *db__log_owe(struct rt_conn *c);
/* After that commit: whether one is owed. The next ones may not be. With the connection. */
bool db__log_owes(struct logfile *l);
/* Syncs what is owed; 0 or errno. Others may use the connection meanwhile. */
int db__log_settle(struct logfile *l);
/* Frees idle statements (before close). */
void db__drop_statements(struct rt_conn *c);

#endif
