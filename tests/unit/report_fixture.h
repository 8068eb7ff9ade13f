/* SPDX-License-Identifier: Apache-2.0
 *
 * Short ways to make documents and to run programs over the files they become. */
#ifndef TESTS_REPORT_FIXTURE_H
#define TESTS_REPORT_FIXTURE_H

#include "db_fixture.h"

#include "report/rows.h"
#include "report/spool.h"

static const struct rt_source no_source;

static inline struct rt_table *add_table(struct rt_document *d, const char *title, const struct rt_column *columns,
                                         int n)
{
    struct rt_table *t = &d->tables[d->n_tables++];
    t->title = rt_str_of(title);
    t->columns = rt_document_alloc(d, (size_t)n * sizeof *columns);
    memcpy(t->columns, columns, (size_t)n * sizeof *columns);
    t->n_columns = n;
    return t;
}

static inline void put_text(struct rt_table *t, struct rt_str s)
{
    rt_table_cell(t, &(struct rt_cell){ .kind = RT_CELL_TEXT, .s = s });
}

static inline void put_int(struct rt_table *t, int64_t i)
{
    rt_table_cell(t, &(struct rt_cell){ .kind = RT_CELL_INT, .i = i });
}

static inline void put_double(struct rt_table *t, double d)
{
    rt_table_cell(t, &(struct rt_cell){ .kind = RT_CELL_DOUBLE, .d = d });
}

static inline void save(struct rt_spool *s, const char *path)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    assert_int_equal(rt_spool_copy(s, &b, NULL), 0);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b.data, 1, b.len, f), b.len);
    assert_int_equal(fclose(f), 0);
    rt_buf_fini(&b);
}

/* What a shell command prints; freed by the caller. */
static inline char *output_of(const char *command)
{
    struct rt_buf b;
    char block[4096];
    size_t n;
    rt_buf_init(&b, 0);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        rt_buf_put(&b, block, n);
    if (pclose(f) != 0)
        fail_msg("%s failed: %s", command, rt_buf_cstr(&b));
    rt_buf_putc(&b, '\0');
    return rt_buf_take(&b, &n);
}

#endif
