/* SPDX-License-Identifier: Apache-2.0
 *
 * What a member that comes back has missed. Two passes over the same rows of one snapshot: the first sees whether all
 * of it is there and how much it is, so that a client gets everything or is told to load anew, never a part. */
#include <string.h>

#include "events/events_internal.h"

/* The first number after which the log is complete: its marker's, or the one before its first event. */
static int reaches_back(struct rt_conn *c, struct rt_str room, int64_t *ret, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = events__prepare(c, "SELECT seq, body IS NULL FROM perigee_events WHERE room = ? ORDER BY seq LIMIT 1", &s,
                             err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, room.p, room.n);
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW)
        *ret = rt_col_int(s, 0) - (rt_col_int(s, 1) ? 0 : 1);
    rt_stmt_done(s);
    return rc;
}

static int fits(struct rt_stmt *s, struct rt_err *err)
{
    size_t total = 0, n;
    int rc;
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        rt_col_text(s, 1, &n);
        total += n;
        if (total > RT_EVENTS_REPLAY_BYTES)
            return 0;
    }
    return rc < 0 ? rc : 1;
}

static int hand_out(struct rt_stmt *s, struct rt_str room,
                    bool (*each)(void *arg, struct rt_ws_text *text, struct rt_str except), void *arg,
                    struct rt_err *err)
{
    struct rt_str body, except;
    int rc;
    while ((rc = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        body.p = rt_col_text(s, 1, &body.n);
        struct rt_ws_text *text = events__text(room, rt_col_int(s, 0), body);
        if (!text)
            return rt_err_set(err, RT_E_NOMEM, "no memory for an event");
        except.p = rt_col_text(s, 2, &except.n);
        if (!each(arg, text, except))
            return 0;
    }
    return rc;
}

int rt_events_missed(struct rt_events *e, struct rt_conn *c, struct rt_str room, int64_t after,
                     bool (*each)(void *arg, struct rt_ws_text *text, struct rt_str except), void *arg,
                     int64_t *ret_last, struct rt_err *err)
{
    struct rt_stmt *s;
    int64_t last = 0, first = 0;
    (void)e;
    int rc = events__last(c, room, &last, err);
    if (rc == 0)
        rc = rt_err_set(err, RT_E_INTERNAL, "the room is not in the log");
    if (rc < 0)
        return rc;
    *ret_last = last;
    if (after < 0 || after >= last)
        return after <= last;
    rc = reaches_back(c, room, &first, err);
    if (rc < 0 || after < first)
        return rc < 0 ? rc : 0;
    rc = events__prepare(c, "SELECT seq, body, skip FROM perigee_events WHERE room = ? AND seq > ? ORDER BY seq", &s,
                         err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, room.p, room.n);
    rt_bind_int(s, 2, after);
    rc = fits(s, err);
    if (rc == 1) {
        rt_stmt_again(s);
        rc = hand_out(s, room, each, arg, err);
        rc = rc < 0 ? rc : 1;
    }
    rt_stmt_done(s);
    return rc;
}
