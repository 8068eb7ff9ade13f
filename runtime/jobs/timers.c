/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers as rows. Claiming deletes the row: if the job's transaction is rolled back or the process
 * dies, the row is still there and the job runs again, with the time at which it was due. */
#include "jobs/timers.h"

#include <string.h>

enum { RETRY_MAX_SECONDS = 3600 };

void rt_timer_init(struct rt_timer *t)
{
    *t = (struct rt_timer){ 0 };
    rt_buf_init(&t->key, 4096);
    rt_buf_init(&t->name, 4096);
    rt_buf_init(&t->args, 1 << 20);
}

void rt_timer_fini(struct rt_timer *t)
{
    rt_buf_fini(&t->key);
    rt_buf_fini(&t->name);
    rt_buf_fini(&t->args);
}

static int prepare(struct rt_conn *c, const char *sql, struct rt_stmt **ret, struct rt_err *err)
{
    return rt_conn_prepare(c, sql, strlen(sql), ret, err);
}

static int finish(struct rt_stmt *s, struct rt_err *err)
{
    int rc = rt_stmt_step(s, err);
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}

int rt_timer_put(struct rt_conn *c, struct rt_str key, int64_t due, struct rt_str name, struct rt_str args,
                 struct rt_err *err)
{
    struct rt_stmt *s;
    int rc =
        prepare(c,
                "INSERT INTO perigee_timers(key, name, args, due_at, next_at, attempts) VALUES (?,?,?,?,?,0) "
                "ON CONFLICT (key) DO UPDATE SET name = excluded.name, args = excluded.args, due_at = excluded.due_at, "
                "next_at = excluded.next_at, attempts = 0",
                &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, key.p, key.n);
    rt_bind_text(s, 2, name.p, name.n);
    rt_bind_text(s, 3, args.p, args.n);
    rt_bind_int(s, 4, due);
    rt_bind_int(s, 5, due);
    return finish(s, err);
}

int rt_timer_cancel(struct rt_conn *c, struct rt_str key, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = prepare(c, "DELETE FROM perigee_timers WHERE key = ?", &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, key.p, key.n);
    rc = finish(s, err);
    return rc ? rc : rt_conn_changes(c) > 0;
}

static void take_text(struct rt_stmt *s, int col, struct rt_buf *out)
{
    size_t n;
    const char *p = rt_col_text(s, col, &n);
    rt_buf_reset(out);
    rt_buf_put(out, p, n);
}

int rt_timer_claim(struct rt_conn *c, int64_t now, struct rt_timer *ret, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = prepare(c,
                     "SELECT key, name, args, due_at, attempts FROM perigee_timers WHERE next_at <= ? "
                     "ORDER BY next_at, key LIMIT 1",
                     &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, now);
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW) {
        take_text(s, 0, &ret->key);
        take_text(s, 1, &ret->name);
        take_text(s, 2, &ret->args);
        ret->due = rt_col_int(s, 3);
        ret->attempts = (int)rt_col_int(s, 4);
    }
    rt_stmt_done(s);
    if (rc != RT_STEP_ROW)
        return rc;
    return rt_timer_cancel(c, (struct rt_str){ ret->key.data, ret->key.len }, err);
}

int rt_timer_postpone(struct rt_conn *c, const struct rt_timer *t, int64_t now, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = prepare(c, "UPDATE perigee_timers SET attempts = ?, next_at = ? WHERE key = ?", &s, err);
    if (rc)
        return rc;
    int64_t wait = t->attempts < 12 ? INT64_C(1) << t->attempts : RETRY_MAX_SECONDS;
    rt_bind_int(s, 1, t->attempts + 1);
    rt_bind_int(s, 2, now + (wait < RETRY_MAX_SECONDS ? wait : RETRY_MAX_SECONDS));
    rt_bind_text(s, 3, t->key.data, t->key.len);
    return finish(s, err);
}

int rt_timer_names(struct rt_conn *c, bool (*each)(void *arg, const char *name, int64_t n), void *arg,
                   struct rt_err *err)
{
    struct rt_stmt *s;
    struct rt_buf name;
    int rc = prepare(c, "SELECT name, COUNT(*) FROM perigee_timers GROUP BY name ORDER BY name", &s, err);
    if (rc)
        return rc;
    rt_buf_init(&name, 4096);
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        take_text(s, 0, &name);
        if (!each(arg, rt_buf_cstr(&name), rt_col_int(s, 1)))
            break;
    }
    rt_stmt_done(s);
    rt_buf_fini(&name);
    return rc < 0 ? rc : 0;
}

int rt_timer_next(struct rt_conn *c, int64_t *ret, struct rt_err *err)
{
    int64_t next;
    int rc = rt_conn_int(c, "SELECT next_at FROM perigee_timers ORDER BY next_at LIMIT 1", &next, err);
    if (rc == RT_E_NOTFOUND) {
        *ret = INT64_MAX;
        return 0;
    }
    if (rc == 0)
        *ret = next;
    return rc;
}
