/* SPDX-License-Identifier: Apache-2.0
 *
 * Migrations. The checksum is FNV-1a over the file's bytes: it notices an edit by accident, which is
 * its only purpose. Each file is one transaction, so a broken one leaves nothing behind. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "db/db_internal.h"
#include "db/migrate.h"

struct file {
    int number;
    char name[256];
    char checksum[17];
    char *text;
    size_t n;
};

struct folder {
    struct file *files;
    size_t n;
};

static void folder_fini(struct folder *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->files[i].text);
    free(f->files);
    *f = (struct folder){ 0 };
}

static int by_number(const void *a, const void *b)
{
    return ((const struct file *)a)->number - ((const struct file *)b)->number;
}

static void fnv1a(const char *p, size_t n, char out[17])
{
    uint64_t h = 14695981039346656037ull;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * 1099511628211ull;
    snprintf(out, 17, "%016llx", (unsigned long long)h);
}

static int read_file(const char *folder, struct file *f, struct rt_err *err)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, f->name);
    FILE *in = fopen(path, "rb");
    if (!in)
        return rt_err_set(err, RT_E_IO, "cannot read %s", path);
    struct rt_buf b;
    rt_buf_init(&b, 16 << 20);
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, in)) > 0)
        rt_buf_put(&b, part, n);
    fclose(in);
    rt_buf_putc(&b, 0);
    f->n = b.len - 1;
    f->text = rt_buf_take(&b, NULL);
    if (!f->text)
        return rt_err_set(err, RT_E_LIMIT, "%s is too large", path);
    fnv1a(f->text, f->n, f->checksum);
    return 0;
}

static bool is_migration(const char *name, int *ret_number)
{
    size_t n = strlen(name);
    if (n < 10 || n > 190 || strcmp(name + n - 4, ".sql") != 0 || name[4] != '_' || strspn(name, "0123456789") != 4)
        return false;
    *ret_number = atoi(name);
    return true;
}

static int read_folder(const char *path, struct folder *ret, struct rt_err *err)
{
    DIR *d = opendir(path);
    if (!d)
        return rt_err_set(err, RT_E_IO, "cannot read the migrations folder %s", path);
    int rc = 0;
    struct dirent *e;
    while (rc == 0 && (e = readdir(d))) {
        struct file f = { 0 };
        if (!is_migration(e->d_name, &f.number))
            continue;
        snprintf(f.name, sizeof f.name, "%s", e->d_name);
        struct file *more = realloc(ret->files, (ret->n + 1) * sizeof *more);
        if (!more) {
            rc = rt_err_set(err, RT_E_NOMEM, "no memory for migrations");
            break;
        }
        ret->files = more;
        rc = read_file(path, &f, err);
        if (rc == 0)
            ret->files[ret->n++] = f;
    }
    closedir(d);
    if (ret->n > 0)
        qsort(ret->files, ret->n, sizeof *ret->files, by_number);
    for (size_t i = 0; rc == 0 && i < ret->n; i++)
        if (ret->files[i].number != (int)i + 1)
            rc = rt_err_set(err, RT_E_INVALID, "%s/%s: number %d expected, migrations are numbered without gaps", path,
                            ret->files[i].name, (int)i + 1);
    return rc;
}

static int line_of(const char *text, const char *at)
{
    int line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

/* Where the statement really begins: behind blanks and comments. */
static const char *statement_start(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n;");
        if (strncmp(p, "--", 2) != 0)
            return p;
        p += strcspn(p, "\n");
    }
}

static int run_file(struct rt_conn *c, const struct file *f, struct rt_err *err)
{
    const char *p = f->text;
    while (*(p = statement_start(p))) {
        sqlite3_stmt *st = NULL;
        const char *start = p, *tail = NULL;
        int rc = sqlite3_prepare_v2(c->db, p, -1, &st, &tail);
        if (rc == SQLITE_OK && st) {
            while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
            }
            rc = sqlite3_finalize(st);
        }
        if (rc != SQLITE_OK)
            return rt_err_set(err, RT_E_INVALID, "%s:%d: %s", f->name, line_of(f->text, start), sqlite3_errmsg(c->db));
        p = tail;
    }
    return 0;
}

static int remember(struct rt_conn *c, const char *set, const struct file *f, struct rt_err *err)
{
    static const char sql[] =
        "INSERT INTO perigee_migrations(\"set\", number, name, checksum, applied_at) VALUES (?,?,?,?,?)";
    struct rt_stmt *s;
    int rc = rt_conn_prepare(c, sql, sizeof sql - 1, &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, set, strlen(set));
    rt_bind_int(s, 2, f->number);
    rt_bind_text(s, 3, f->name, strlen(f->name));
    rt_bind_text(s, 4, f->checksum, 16);
    rt_bind_int(s, 5, rt_now());
    rc = rt_stmt_step(s, err);
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}

static int apply(struct rt_conn *c, const char *set, const struct file *f, struct rt_err *err)
{
    int rc = rt_conn_exec(c, "BEGIN IMMEDIATE", err);
    if (rc)
        return rc;
    c->internal = true;
    rc = run_file(c, f, err);
    c->internal = false;
    if (rc == 0)
        rc = remember(c, set, f, err);
    if (rc == 0)
        rc = rt_conn_exec(c, "COMMIT", err);
    if (rc)
        rt_conn_exec(c, "ROLLBACK", NULL);
    return rc;
}

/* Compares what was applied with the files; *ret_applied: how many are applied already. */
static int compare(struct rt_conn *c, const char *set, const struct folder *f, size_t *ret_applied, struct rt_err *err)
{
    static const char sql[] = "SELECT number, name, checksum FROM perigee_migrations WHERE \"set\" = ? ORDER BY number";
    struct rt_stmt *s;
    int rc = rt_conn_prepare(c, sql, sizeof sql - 1, &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, set, strlen(set));
    size_t i = 0, n;
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        const char *name = rt_col_text(s, 1, &n);
        if (i >= f->n || strcmp(f->files[i].name, name) != 0)
            rc = rt_err_set(err, RT_E_INVALID, "migration %s of %s was applied but its file is gone or renamed", name,
                            set);
        else if (strcmp(f->files[i].checksum, rt_col_text(s, 2, &n)) != 0)
            rc = rt_err_set(err, RT_E_INVALID,
                            "migration %s of %s was changed after it was applied: add a new one instead", name, set);
        if (rc < 0)
            break;
        i++;
    }
    rt_stmt_done(s);
    *ret_applied = i;
    return rc < 0 ? rc : 0;
}

static const char own_table[] =
    "CREATE TABLE IF NOT EXISTS perigee_migrations (\"set\" TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
    " checksum TEXT NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (\"set\", number))";

int rt_migrate(struct rt_conn *c, const char *set, const char *folder, int *ret_applied, struct rt_err *err)
{
    struct folder f = { 0 };
    size_t done = 0;
    int rc = read_folder(folder, &f, err);
    if (rc == 0)
        rc = rt_conn_exec(c, own_table, err);
    if (rc == 0)
        rc = compare(c, set, &f, &done, err);
    for (size_t i = done; rc == 0 && i < f.n; i++)
        rc = apply(c, set, &f.files[i], err);
    if (rc == 0 && ret_applied)
        *ret_applied = (int)(f.n - done);
    folder_fini(&f);
    return rc;
}

int rt_migrate_check(struct rt_conn *c, const char *set, const char *folder, struct rt_err *err)
{
    struct folder f = { 0 };
    size_t done = 0;
    int rc = read_folder(folder, &f, err);
    if (rc == 0)
        rc = compare(c, set, &f, &done, err);
    if (rc == 0 && done < f.n)
        rc = rt_err_set(err, RT_E_NOTFOUND, "%zu migration(s) of %s are not applied", f.n - done, set);
    folder_fini(&f);
    return rc;
}
