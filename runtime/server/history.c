/* SPDX-License-Identifier: Apache-2.0
 *
 * A release changes a few files of many, so texts are stored once, under their digest, and a release is a
 * list of names. It is written before it goes live: what serves can always be gone back to. */
#include "server/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/hash.h"
#include "db/db.h"

struct rt_history {
    struct rt_conn *conn;
};

/* The host's own, in no app's database: no migration of anybody has to know it. A tree is the list of an app's files,
 * by the digest over it. */
static const char tables[] =
    "CREATE TABLE IF NOT EXISTS releases(number INTEGER PRIMARY KEY, created_at INTEGER NOT NULL, who TEXT NOT NULL,"
    " reason TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS release_apps(number INTEGER NOT NULL REFERENCES releases(number), app TEXT NOT NULL,"
    " tree TEXT NOT NULL, PRIMARY KEY (number, app)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS release_apps_tree ON release_apps(tree);"
    "CREATE TABLE IF NOT EXISTS release_files(tree TEXT NOT NULL, path TEXT NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY (tree, path)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS release_files_text ON release_files(text);"
    "CREATE TABLE IF NOT EXISTS release_texts(hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;";

static void hex_digest(const void *p, size_t n, char out[RT_TREE_HASH])
{
    uint8_t digest[32];
    rt_sha256(p, n, digest);
    rt_hex(digest, sizeof digest, out);
}

void rt_tree_hash(const struct rt_tree *t, char out[RT_TREE_HASH])
{
    struct rt_buf b;
    char text[RT_TREE_HASH];
    rt_buf_init(&b, 0);
    for (int i = 0; i < t->n; i++) {
        hex_digest(t->file[i].text, t->file[i].n, text);
        rt_buf_printf(&b, "%s %s\n", text, t->file[i].path);
    }
    hex_digest(b.data ? b.data : "", b.len, out);
    rt_buf_fini(&b);
}

int rt_history_open(const char *data, struct rt_history **ret, struct rt_err *err)
{
    char path[1024];
    struct rt_history *h = calloc(1, sizeof *h);
    if (!h)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the history of releases");
    snprintf(path, sizeof path, "%s/releases.db", data);
    int rc = rt_conn_open(path, RT_CONN_WRITE, &h->conn, err);
    if (rc == 0)
        rc = rt_conn_exec(h->conn, tables, err);
    if (rc) {
        rt_history_close(h);
        return rc;
    }
    *ret = h;
    return 0;
}

int rt_history_open_read(const char *data, struct rt_history **ret, struct rt_err *err)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/releases.db", data);
    if (access(path, F_OK))
        return rt_err_set(err, RT_E_NOTFOUND, "no release was made with the data folder %s (--data or PERIGEE_DATA "
                                              "names another)",
                          data);
    struct rt_history *h = calloc(1, sizeof *h);
    if (!h)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the history of releases");
    int rc = rt_conn_open(path, RT_CONN_READ, &h->conn, err);
    if (rc) {
        rt_history_close(h);
        return rc;
    }
    *ret = h;
    return 0;
}

void rt_history_close(struct rt_history *h)
{
    if (!h)
        return;
    rt_conn_close(h->conn);
    free(h);
}

static int prepare(struct rt_history *h, const char *sql, struct rt_stmt **ret, struct rt_err *err)
{
    return rt_conn_prepare(h->conn, sql, strlen(sql), ret, err);
}

static int run(struct rt_stmt *s, struct rt_err *err)
{
    int rc = rt_stmt_step(s, err);
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}

static int add_text(struct rt_history *h, const struct rt_tree_file *f, const char *hash, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = prepare(h, "INSERT INTO release_texts(hash, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING", &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, hash, strlen(hash));
    rt_bind_blob(s, 2, f->text, f->n);
    return run(s, err);
}

static int add_file(struct rt_history *h, const char *tree, const struct rt_tree_file *f, struct rt_err *err)
{
    char hash[RT_TREE_HASH];
    struct rt_stmt *s;
    hex_digest(f->text, f->n, hash);
    int rc = add_text(h, f, hash, err);
    if (rc == 0)
        rc = prepare(h, "INSERT INTO release_files(tree, path, text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, tree, strlen(tree));
    rt_bind_text(s, 2, f->path, strlen(f->path));
    rt_bind_text(s, 3, hash, strlen(hash));
    return run(s, err);
}

static int add_app(struct rt_history *h, int number, const struct rt_history_app *a, const struct rt_tree *t,
                   struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = prepare(h, "INSERT INTO release_apps(number, app, tree) VALUES (?, ?, ?)", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, number);
    rt_bind_text(s, 2, a->name, strlen(a->name));
    rt_bind_text(s, 3, a->hash, strlen(a->hash));
    rc = run(s, err);
    for (int i = 0; rc == 0 && i < t->n; i++)
        rc = add_file(h, a->hash, &t->file[i], err);
    return rc;
}

static int add_release(struct rt_history *h, struct rt_history_entry *e, struct rt_err *err)
{
    int64_t last = 0;
    struct rt_stmt *s;
    int rc = rt_conn_int(h->conn, "SELECT COALESCE(MAX(number), 0) FROM releases", &last, err);
    if (rc == 0)
        rc = prepare(h, "INSERT INTO releases(number, created_at, who, reason) VALUES (?, ?, ?, ?)", &s, err);
    if (rc)
        return rc;
    e->number = (int)last + 1;
    rt_bind_int(s, 1, e->number);
    rt_bind_int(s, 2, e->at);
    rt_bind_text(s, 3, e->who, strlen(e->who));
    rt_bind_text(s, 4, e->reason, strlen(e->reason));
    return run(s, err);
}

static int prune(struct rt_history *h, int newest, struct rt_err *err)
{
    static const char *const steps[] = {
        "DELETE FROM release_apps WHERE number <= ?",
        "DELETE FROM releases WHERE number <= ?",
        "DELETE FROM release_files WHERE ? > 0 AND tree NOT IN (SELECT tree FROM release_apps)",
        "DELETE FROM release_texts WHERE ? > 0 AND hash NOT IN (SELECT text FROM release_files)",
    };
    int rc = 0, last = newest - RT_HISTORY_KEEP;
    for (int i = 0; rc == 0 && last > 0 && i < 4; i++) {
        struct rt_stmt *s;
        rc = prepare(h, steps[i], &s, err);
        if (rc)
            return rc;
        rt_bind_int(s, 1, last);
        rc = run(s, err);
    }
    return rc;
}

int rt_history_add(struct rt_history *h, struct rt_history_entry *e, struct rt_tree *const *trees, struct rt_err *err)
{
    int rc = rt_conn_exec(h->conn, "BEGIN IMMEDIATE", err);
    if (rc)
        return rc;
    rc = add_release(h, e, err);
    for (int i = 0; rc == 0 && i < e->n_apps; i++)
        rc = add_app(h, e->number, &e->app[i], trees[i], err);
    if (rc == 0)
        rc = prune(h, e->number, err);
    if (rc == 0)
        rc = rt_conn_exec(h->conn, "COMMIT", err);
    if (rc)
        rt_conn_exec(h->conn, "ROLLBACK", NULL);
    return rc;
}

static void take_text(struct rt_stmt *s, int col, char *out, size_t size)
{
    size_t n;
    const char *p = rt_col_text(s, col, &n);
    snprintf(out, size, "%.*s", (int)n, p ? p : "");
}

static int fill_apps(struct rt_history *h, struct rt_history_entry *e, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = prepare(h, "SELECT app, tree FROM release_apps WHERE number = ? ORDER BY app", &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, e->number);
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW && e->n_apps < (int)(sizeof e->app / sizeof *e->app)) {
        struct rt_history_app *a = &e->app[e->n_apps++];
        take_text(s, 0, a->name, sizeof a->name);
        take_text(s, 1, a->hash, sizeof a->hash);
    }
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}

/* Releases up to `number`, newest first. */
static int read_releases(struct rt_history *h, int64_t number, int limit, struct rt_history_entry *out, int *ret_n,
                         struct rt_err *err)
{
    struct rt_stmt *s;
    int n = 0, rc = prepare(h,
                            "SELECT number, created_at, who, reason FROM releases WHERE number <= ? "
                            "ORDER BY number DESC LIMIT ?",
                            &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, number);
    rt_bind_int(s, 2, limit);
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        struct rt_history_entry *e = &out[n++];
        *e = (struct rt_history_entry){ .number = (int)rt_col_int(s, 0), .at = rt_col_int(s, 1) };
        take_text(s, 2, e->who, sizeof e->who);
        take_text(s, 3, e->reason, sizeof e->reason);
    }
    rt_stmt_done(s);
    for (int i = 0; rc == 0 && i < n; i++)
        rc = fill_apps(h, &out[i], err);
    *ret_n = n;
    return rc;
}

int rt_history_list(struct rt_history *h, int limit, struct rt_history_entry **ret, int *ret_n, struct rt_err *err)
{
    int n = limit > 0 && limit < RT_HISTORY_KEEP ? limit : RT_HISTORY_KEEP;
    struct rt_history_entry *list = calloc((size_t)n, sizeof *list);
    if (!list)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the list of releases");
    int rc = read_releases(h, INT64_MAX, n, list, ret_n, err);
    if (rc)
        free(list);
    else
        *ret = list;
    return rc;
}

int rt_history_get(struct rt_history *h, int number, struct rt_history_entry *ret, struct rt_err *err)
{
    struct rt_history_entry e;
    int n = 0, rc = read_releases(h, number, 1, &e, &n, err);
    if (rc == 0 && (n == 0 || e.number != number))
        rc = rt_err_set(err, RT_E_NOTFOUND, "there is no release %d (`perigee releases` lists them)", number);
    if (rc == 0)
        *ret = e;
    return rc;
}

int rt_history_tree(struct rt_history *h, const char *hash, struct rt_tree **ret, struct rt_err *err)
{
    struct rt_stmt *s;
    struct rt_tree *t = rt_tree_new();
    int rc = t ? prepare(h,
                         "SELECT f.path, t.bytes FROM release_files f JOIN release_texts t ON t.hash = f.text "
                         "WHERE f.tree = ?",
                         &s, err)
               : rt_err_set(err, RT_E_NOMEM, "no memory for a release");
    if (rc) {
        rt_tree_unref(t);
        return rc;
    }
    rt_bind_text(s, 1, hash, strlen(hash));
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        size_t path_n, n;
        const char *path = rt_col_text(s, 0, &path_n), *bytes = rt_col_blob(s, 1, &n);
        if ((rc = rt_tree_add(t, path, bytes ? bytes : "", n, err)))
            break;
    }
    rt_stmt_done(s);
    if (rc == 0 && t->n == 0)
        rc = rt_err_set(err, RT_E_NOTFOUND, "the scripts %.12s are not kept any more", hash);
    rt_tree_sort(t);
    if (rc)
        rt_tree_unref(t);
    else
        *ret = t;
    return rc;
}
