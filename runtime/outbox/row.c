/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows for scripts are written as JSON text into a buffer of the caller's: a script's error can then never
 * leave a statement open. Absent values are left out, as nil is in Lua. */
#include <string.h>

#include "base/json.h"
#include "outbox/outbox_internal.h"

int outbox__prepare(struct rt_conn *c, const char *sql, struct rt_stmt **ret, struct rt_err *err)
{
    return rt_conn_prepare(c, sql, strlen(sql), ret, err);
}

int outbox__run(struct rt_stmt *s, struct rt_err *err)
{
    int rc = RT_STEP_ROW;
    while (rc == RT_STEP_ROW)
        rc = rt_stmt_step(s, err);
    rt_stmt_done(s);
    return rc;
}

static void member(struct rt_buf *out, const char *name)
{
    rt_buf_printf(out, "%s\"%s\":", out->len > 0 && out->data[out->len - 1] == '{' ? "" : ",", name);
}

void outbox__member_text(struct rt_buf *out, const struct rt_stmt *s, int col, const char *name)
{
    size_t n;
    if (rt_col_type(s, col) == RT_NULL)
        return;
    const char *p = rt_col_text(s, col, &n);
    member(out, name);
    rt_json_put_string(out, p, n);
}

void outbox__member_int(struct rt_buf *out, const struct rt_stmt *s, int col, const char *name)
{
    if (rt_col_type(s, col) == RT_NULL)
        return;
    member(out, name);
    rt_json_put_int(out, rt_col_int(s, col));
}

void outbox__copy(struct rt_buf *out, const struct rt_stmt *s, int col)
{
    size_t n;
    const void *p = rt_col_blob(s, col, &n);
    rt_buf_reset(out);
    rt_buf_put(out, p, n);
}
