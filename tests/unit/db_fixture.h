/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the database share: a folder of their own, removed at the end, and short ways to run SQL. */
#ifndef TESTS_DB_FIXTURE_H
#define TESTS_DB_FIXTURE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/db.h"
#include "unit.h"

static char test_folder[64];

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline int make_test_folder(void **state)
{
    (void)state;
    snprintf(test_folder, sizeof test_folder, "/tmp/perigee-unit-XXXXXX");
    return mkdtemp(test_folder) ? 0 : -1;
}

static inline int remove_test_folder(void **state)
{
    (void)state;
    return nftw(test_folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path in the test's folder; eight are valid at a time. */
static inline const char *in_folder(const char *name)
{
    static char paths[8][256];
    static int next;
    char *out = paths[next++ % 8];
    snprintf(out, 256, "%s/%s", test_folder, name);
    return out;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static inline struct rt_conn *open_conn(const char *path, enum rt_conn_mode mode)
{
    struct rt_conn *c = NULL;
    assert_int_equal(rt_conn_open(path, mode, &c, NULL), 0);
    return c;
}

static inline void run_sql(struct rt_conn *c, const char *sql)
{
    struct rt_err err = { 0 };
    if (rt_conn_exec(c, sql, &err))
        fail_msg("%s: %s", sql, err.msg);
}

static inline int64_t int_of(struct rt_conn *c, const char *sql)
{
    int64_t v = -1;
    struct rt_err err = { 0 };
    if (rt_conn_int(c, sql, &v, &err))
        fail_msg("%s: %s", sql, err.msg);
    return v;
}

static inline struct rt_stmt *prepared(struct rt_conn *c, const char *sql)
{
    struct rt_stmt *s = NULL;
    struct rt_err err = { 0 };
    if (rt_conn_prepare(c, sql, strlen(sql), &s, &err))
        fail_msg("%s: %s", sql, err.msg);
    return s;
}

#endif
