/* SPDX-License-Identifier: Apache-2.0
 *
 * The narrow interface to a database engine: connections, statements, rows. One connection belongs
 * to one thread at a time. SQL uses `?` placeholders, numbered from 1. The SQLite driver is the only
 * one so far; nothing above this header knows which engine runs. */
#ifndef RT_DB_DB_H
#define RT_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct rt_conn;
struct rt_stmt;

enum rt_conn_mode { RT_CONN_READ, RT_CONN_WRITE };
enum rt_type { RT_NULL, RT_INT, RT_DOUBLE, RT_TEXT, RT_BLOB };

enum { RT_STEP_DONE = 0, RT_STEP_ROW = 1 };

/* Opens the file (":memory:" is private to the connection); WAL, synchronous=FULL, foreign keys on.
 * RT_CONN_WRITE creates it with mode 0600. The caller closes it. */
int rt_conn_open(const char *path, enum rt_conn_mode mode, struct rt_conn **ret, struct rt_err *err);
void rt_conn_close(struct rt_conn *c);

/* Runs control statements and migrations: any SQL, several statements, no parameters. */
int rt_conn_exec(struct rt_conn *c, const char *sql, struct rt_err *err);

/* Takes the statement from the cache or prepares it. Only data statements (SELECT, INSERT, UPDATE,
 * DELETE, WITH): transaction control, ATTACH and PRAGMA are RT_E_DENIED. One statement, no tail.
 * The caller gives it back with rt_stmt_done(); until then the same text prepares a second one. */
int rt_conn_prepare(struct rt_conn *c, const char *sql, size_t n, struct rt_stmt **ret, struct rt_err *err);
void rt_stmt_done(struct rt_stmt *s);
/* Ready for other parameters: the bound ones stay until they are bound again. */
void rt_stmt_again(struct rt_stmt *s);

int rt_stmt_params(const struct rt_stmt *s);
bool rt_stmt_readonly(const struct rt_stmt *s);
/* Bound text and blobs are borrowed until rt_stmt_done(). */
void rt_bind_null(struct rt_stmt *s, int i);
void rt_bind_int(struct rt_stmt *s, int i, int64_t v);
void rt_bind_double(struct rt_stmt *s, int i, double v);
void rt_bind_text(struct rt_stmt *s, int i, const char *p, size_t n);
void rt_bind_blob(struct rt_stmt *s, int i, const void *p, size_t n);

/* RT_STEP_ROW, RT_STEP_DONE or a negative code. */
int rt_stmt_step(struct rt_stmt *s, struct rt_err *err);
int rt_stmt_columns(const struct rt_stmt *s);
const char *rt_stmt_name(const struct rt_stmt *s, int col); /* column's name or alias, from 0 */
/* A column in one call, for loops over many rows. Text and blobs are valid until the next step. */
struct rt_value {
    enum rt_type type;
    int64_t i;
    double d;
    const char *p;
    size_t n;
};
void rt_col_get(const struct rt_stmt *s, int col, struct rt_value *ret);
enum rt_type rt_col_type(const struct rt_stmt *s, int col);
int64_t rt_col_int(const struct rt_stmt *s, int col);
double rt_col_double(const struct rt_stmt *s, int col);
const char *rt_col_text(const struct rt_stmt *s, int col, size_t *ret_n); /* valid until the next step */
const void *rt_col_blob(const struct rt_stmt *s, int col, size_t *ret_n);
/* A slot of the statement for what is derived from its columns (row shapes); freed with the statement. */
void *rt_stmt_note(const struct rt_stmt *s);
void rt_stmt_set_note(struct rt_stmt *s, void *note, void (*drop)(void *note));

int64_t rt_conn_changes(const struct rt_conn *c); /* rows of the last INSERT, UPDATE or DELETE */
int64_t rt_conn_last_id(const struct rt_conn *c); /* id of the last INSERT */
/* SELECT one integer with no parameters; for housekeeping. */
int rt_conn_int(struct rt_conn *c, const char *sql, int64_t *ret, struct rt_err *err);

/* Nested savepoints inside a writer's turn, by depth from 0. RT_E_LIMIT past the deepest. */
enum { RT_SAVEPOINTS_MAX = 16 };
enum rt_savepoint { RT_SAVEPOINT_SET, RT_SAVEPOINT_RELEASE, RT_SAVEPOINT_BACK };
int rt_conn_savepoint(struct rt_conn *c, int depth, enum rt_savepoint what, struct rt_err *err);

/* Read snapshots of a RT_CONN_READ connection: statements between begin and end see one state. */
int rt_conn_snapshot(struct rt_conn *c, struct rt_err *err);
void rt_conn_release(struct rt_conn *c);
bool rt_conn_in_snapshot(const struct rt_conn *c);
/* Statements of this connection that are still running at `deadline_ns` (monotonic; 0: never), or once *stop (nullable)
 * is true, are interrupted; forgotten by each rt_stmt_done(). An interrupted INSERT, UPDATE or DELETE ends the whole
 * transaction. */
void rt_conn_deadline(struct rt_conn *c, uint64_t deadline_ns, const _Atomic bool *stop);

#endif
