/* SPDX-License-Identifier: Apache-2.0
 *
 * Prepared statements and their cache. A statement leaves the cache while it is used, so the same text
 * may be open twice (a query inside the loop over itself); idle ones are kept by text, the least
 * recently used goes first. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "db/db_internal.h"

static void unlink_idle(struct rt_conn *c, struct rt_stmt *s)
{
    struct rt_stmt **at = &c->bucket[s->hash % STMT_BUCKETS];
    while (*at != s)
        at = &(*at)->bucket_next;
    *at = s->bucket_next;
    *(s->older ? &s->older->newer : &c->oldest) = s->newer;
    *(s->newer ? &s->newer->older : &c->newest) = s->older;
    s->bucket_next = s->older = s->newer = NULL;
    c->idle--;
}

static void destroy(struct rt_stmt *s)
{
    rt_stmt_set_note(s, NULL, NULL);
    sqlite3_finalize(s->st);
    free(s);
}

void db__drop_statements(struct rt_conn *c)
{
    while (c->oldest) {
        struct rt_stmt *s = c->oldest;
        unlink_idle(c, s);
        destroy(s);
    }
}

static struct rt_stmt *take_idle(struct rt_conn *c, uint64_t hash, const char *sql, size_t n)
{
    for (struct rt_stmt *s = c->bucket[hash % STMT_BUCKETS]; s; s = s->bucket_next)
        if (s->hash == hash && s->sql_n == n && memcmp(sqlite3_sql(s->st), sql, n) == 0) {
            unlink_idle(c, s);
            return s;
        }
    return NULL;
}

/* Anything but blanks and comments behind the first statement? */
static bool has_tail(struct rt_conn *c, const char *tail, const char *end)
{
    if (!tail || tail >= end)
        return false;
    sqlite3_stmt *more = NULL;
    int rc = sqlite3_prepare_v2(c->db, tail, (int)(end - tail), &more, NULL);
    sqlite3_finalize(more);
    return rc != SQLITE_OK || more != NULL;
}

static int compile(struct rt_conn *c, const char *sql, size_t n, sqlite3_stmt **ret, struct rt_err *err)
{
    const char *tail = NULL;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v3(c->db, sql, (int)n, SQLITE_PREPARE_PERSISTENT, &st, &tail);
    if (rc == SQLITE_AUTH)
        return rt_err_set(err, RT_E_DENIED, "only SELECT, INSERT, UPDATE, DELETE and WITH are allowed here");
    if (rc != SQLITE_OK)
        return db__fail(c, rc, NULL, err);
    if (!st)
        return rt_err_set(err, RT_E_INVALID, "an empty statement");
    if (has_tail(c, tail, sql + n)) {
        sqlite3_finalize(st);
        return rt_err_set(err, RT_E_INVALID, "one statement at a time");
    }
    *ret = st;
    return 0;
}

int rt_conn_prepare(struct rt_conn *c, const char *sql, size_t n, struct rt_stmt **ret, struct rt_err *err)
{
    if (n > 1000000)
        return rt_err_set(err, RT_E_LIMIT, "a statement of %zu bytes", n);
    uint64_t hash = rt_hash64(sql, n, 0);
    struct rt_stmt *s = take_idle(c, hash, sql, n);
    if (!s) {
        sqlite3_stmt *st = NULL;
        int rc = compile(c, sql, n, &st, err);
        if (rc)
            return rc;
        s = calloc(1, sizeof *s);
        if (!s) {
            sqlite3_finalize(st);
            return rt_err_set(err, RT_E_NOMEM, "no memory for a statement");
        }
        *s = (struct rt_stmt){ .st = st, .conn = c, .hash = hash, .sql_n = n };
    }
    *ret = s;
    return 0;
}

void rt_stmt_done(struct rt_stmt *s)
{
    if (!s)
        return;
    struct rt_conn *c = s->conn;
    c->stop = NULL;
    c->deadline_ns = 0; /* it was this statement's: a BEGIN or COMMIT that comes much later has none */
    sqlite3_reset(s->st);
    sqlite3_clear_bindings(s->st);
    if (strlen(sqlite3_sql(s->st)) < s->sql_n) { /* the text had a NUL: never found again */
        destroy(s);
        return;
    }
    s->bucket_next = c->bucket[s->hash % STMT_BUCKETS];
    c->bucket[s->hash % STMT_BUCKETS] = s;
    s->older = c->newest;
    s->newer = NULL;
    *(c->newest ? &c->newest->newer : &c->oldest) = s;
    c->newest = s;
    if (++c->idle > STMT_IDLE_MAX) {
        struct rt_stmt *old = c->oldest;
        unlink_idle(c, old);
        destroy(old);
    }
}

void rt_stmt_again(struct rt_stmt *s) { sqlite3_reset(s->st); }

int rt_stmt_params(const struct rt_stmt *s) { return sqlite3_bind_parameter_count(s->st); }

bool rt_stmt_readonly(const struct rt_stmt *s) { return sqlite3_stmt_readonly(s->st) != 0; }

void rt_bind_null(struct rt_stmt *s, int i) { sqlite3_bind_null(s->st, i); }

void rt_bind_int(struct rt_stmt *s, int i, int64_t v) { sqlite3_bind_int64(s->st, i, v); }

void rt_bind_double(struct rt_stmt *s, int i, double v) { sqlite3_bind_double(s->st, i, v); }

void rt_bind_text(struct rt_stmt *s, int i, const char *p, size_t n)
{
    sqlite3_bind_text64(s->st, i, p ? p : "", n, SQLITE_STATIC, SQLITE_UTF8);
}

void rt_bind_blob(struct rt_stmt *s, int i, const void *p, size_t n)
{
    sqlite3_bind_blob64(s->st, i, p ? p : "", n, SQLITE_STATIC);
}

int rt_stmt_step(struct rt_stmt *s, struct rt_err *err)
{
    int rc = sqlite3_step(s->st);
    if (rc == SQLITE_ROW)
        return RT_STEP_ROW;
    if (rc == SQLITE_DONE)
        return RT_STEP_DONE;
    return db__fail(s->conn, rc, NULL, err);
}

int rt_stmt_columns(const struct rt_stmt *s) { return sqlite3_column_count(s->st); }

const char *rt_stmt_name(const struct rt_stmt *s, int col)
{
    const char *name = sqlite3_column_name(s->st, col);
    return name ? name : "";
}

enum rt_type rt_col_type(const struct rt_stmt *s, int col)
{
    switch (sqlite3_column_type(s->st, col)) {
    case SQLITE_INTEGER: return RT_INT;
    case SQLITE_FLOAT: return RT_DOUBLE;
    case SQLITE_TEXT: return RT_TEXT;
    case SQLITE_BLOB: return RT_BLOB;
    default: return RT_NULL;
    }
}

/* The engine locks nothing here: each connection is used by one thread at a time, so the values it calls
 * unprotected are safe to read, at a third of the cost of one call per property. */
void rt_col_get(const struct rt_stmt *s, int col, struct rt_value *ret)
{
    sqlite3_value *v = sqlite3_column_value(s->st, col);
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER:
        ret->type = RT_INT;
        ret->i = sqlite3_value_int64(v);
        return;
    case SQLITE_FLOAT:
        ret->type = RT_DOUBLE;
        ret->d = sqlite3_value_double(v);
        return;
    case SQLITE_NULL: ret->type = RT_NULL; return;
    case SQLITE_TEXT:
        ret->type = RT_TEXT;
        ret->p = (const char *)sqlite3_value_text(v);
        break;
    default:
        ret->type = RT_BLOB;
        ret->p = sqlite3_value_blob(v);
        break;
    }
    ret->n = (size_t)sqlite3_value_bytes(v);
    if (!ret->p)
        ret->p = "";
}

int64_t rt_col_int(const struct rt_stmt *s, int col) { return sqlite3_column_int64(s->st, col); }

double rt_col_double(const struct rt_stmt *s, int col) { return sqlite3_column_double(s->st, col); }

const char *rt_col_text(const struct rt_stmt *s, int col, size_t *ret_n)
{
    const char *p = (const char *)sqlite3_column_text(s->st, col);
    *ret_n = (size_t)sqlite3_column_bytes(s->st, col);
    return p ? p : "";
}

const void *rt_col_blob(const struct rt_stmt *s, int col, size_t *ret_n)
{
    const void *p = sqlite3_column_blob(s->st, col);
    *ret_n = (size_t)sqlite3_column_bytes(s->st, col);
    return p ? p : "";
}

void *rt_stmt_note(const struct rt_stmt *s) { return s->note; }

void rt_stmt_set_note(struct rt_stmt *s, void *note, void (*drop)(void *note))
{
    if (s->note && s->drop)
        s->drop(s->note);
    s->note = note;
    s->drop = drop;
}
