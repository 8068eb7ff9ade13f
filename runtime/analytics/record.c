/* SPDX-License-Identifier: Apache-2.0
 *
 * Recording is read, change and write back of the day rows that facts touch, in the caller's
 * transaction: rows, names and the change they belong to are committed or rolled back together, so
 * nothing here is remembered between calls. Within a call the row of the last fact stays in hand, as a
 * change's facts mostly share a subject and a day. The split is computed from running totals, which makes the
 * parts add up exactly, and on the magnitude, which makes the split of -value cancel that of value. */
#include "analytics/analytics_internal.h"

#include <stdlib.h>

#define SELECT_ROW "SELECT data FROM perigee_analytics WHERE subject_kind = ? AND subject_id = ? AND day = ?"
#define DELETE_ROW "DELETE FROM perigee_analytics WHERE subject_kind = ? AND subject_id = ? AND day = ?"
#define WRITE_ROW                                                                                                      \
    "INSERT INTO perigee_analytics (subject_kind, subject_id, day, data) VALUES (?, ?, ?, ?) "                         \
    "ON CONFLICT (subject_kind, subject_id, day) DO UPDATE SET data = excluded.data"
#define SELECT_NAME "SELECT name FROM perigee_analytics_names WHERE id = ?"
#define INSERT_NAME  "INSERT INTO perigee_analytics_names (id, name) VALUES (?, ?)"

enum { NAME_MAX_LEN = 64, NAMES_KNOWN = 8 };
#define SPAN_MAX   (INT64_C(3660) * DAY_SECONDS)
#define TIME_LIMIT INT64_C(253402300800) /* the year 10000, and as far before 1970 */

struct row_key {
    int64_t kind, id, day;
};

/* The work of one call. */
struct recording {
    struct rt_conn *conn;
    struct rt_err *err;
    uint64_t known[NAMES_KNOWN]; /* names that were looked up, with their ids; the oldest is forgotten */
    const char *names[NAMES_KNOWN];
    size_t n_known;
    bool in_hand; /* `key` and `cells` are a row's, not written back yet */
    struct row_key key;
    struct analytics__cells cells;
};

/* ---- facts ---- */

static bool name_ok(const char *name) { return name && name[0] && strnlen(name, NAME_MAX_LEN + 1) <= NAME_MAX_LEN; }

int analytics__fact_check(const struct rt_fact *f, struct rt_err *err)
{
    if (!name_ok(f->measure) || !name_ok(f->kind))
        return rt_err_set(err, RT_E_INVALID, "a fact needs a measure and a kind of 1 to %d bytes", NAME_MAX_LEN);
    if (f->from > f->to || f->from < -TIME_LIMIT || f->to >= TIME_LIMIT)
        return rt_err_set(err, RT_E_INVALID, "a fact of %s ends before it begins or lies outside the calendar",
                          f->measure);
    if (f->value == INT64_MIN)
        return rt_err_set(err, RT_E_INVALID, "a fact's value must have a negative, or it could not be withdrawn");
    if (f->to - f->from > SPAN_MAX)
        return rt_err_set(err, RT_E_LIMIT, "a fact of %s spans more than ten years", f->measure);
    return 0;
}

void analytics__fact_slots(const struct rt_fact *f, int64_t *ret_first, int64_t *ret_last)
{
    *ret_first = analytics__floor_div(f->from, RT_SLOT_SECONDS);
    *ret_last = f->from == f->to ? *ret_first : analytics__floor_div(f->to - 1, RT_SLOT_SECONDS);
}

/* What has accrued `seconds` after the fact's beginning. */
static uint64_t accrued(const struct rt_fact *f, int64_t seconds)
{
    uint64_t magnitude = f->value < 0 ? -(uint64_t)f->value : (uint64_t)f->value;
    return (uint64_t)((unsigned __int128)magnitude * (uint64_t)seconds / (uint64_t)(f->to - f->from));
}

int64_t analytics__fact_part(const struct rt_fact *f, int64_t slot)
{
    if (f->from == f->to)
        return f->value;
    int64_t a = slot * RT_SLOT_SECONDS, b = a + RT_SLOT_SECONDS;
    a = a > f->from ? a : f->from;
    b = b < f->to ? b : f->to;
    int64_t part = (int64_t)(accrued(f, b - f->from) - accrued(f, a - f->from));
    return f->value < 0 ? -part : part;
}

/* ---- names ---- */

static int insert_name(struct rt_conn *c, uint64_t id, const char *name, struct rt_err *err)
{
    struct rt_stmt *s;
    int code = rt_conn_prepare(c, INSERT_NAME, sizeof INSERT_NAME - 1, &s, err);
    if (code < 0)
        return code;
    rt_bind_int(s, 1, (int64_t)id);
    rt_bind_text(s, 2, name, strlen(name));
    code = rt_stmt_step(s, err);
    rt_stmt_done(s);
    return code < 0 ? code : 0;
}

/* Makes sure that the name is known and that its id means nothing else. */
static int register_name(struct rt_conn *c, uint64_t id, const char *name, struct rt_err *err)
{
    struct rt_stmt *s;
    size_t n = 0;
    int code = rt_conn_prepare(c, SELECT_NAME, sizeof SELECT_NAME - 1, &s, err);
    if (code < 0)
        return code;
    rt_bind_int(s, 1, (int64_t)id);
    code = rt_stmt_step(s, err);
    bool found = code == RT_STEP_ROW;
    const char *stored = found ? rt_col_text(s, 0, &n) : "";
    if (found && (strlen(name) != n || memcmp(name, stored, n) != 0))
        code = rt_err_set(err, RT_E_CONSTRAINT, "the names \"%s\" and \"%.*s\" share one id: choose another name", name,
                          (int)n, stored);
    rt_stmt_done(s);
    return code < 0 || found ? (code < 0 ? code : 0) : insert_name(c, id, name, err);
}

static int know_name(struct recording *r, uint64_t id, const char *name)
{
    size_t n = r->n_known < NAMES_KNOWN ? r->n_known : NAMES_KNOWN;
    for (size_t i = 0; i < n; i++)
        if (r->known[i] == id && strcmp(r->names[i], name) == 0)
            return 0;
    int code = register_name(r->conn, id, name, r->err);
    if (code == 0) {
        r->names[r->n_known % NAMES_KNOWN] = name;
        r->known[r->n_known++ % NAMES_KNOWN] = id;
    }
    return code;
}

/* ---- rows ---- */

static int prepare_row(struct rt_conn *c, const char *sql, const struct row_key *key, struct rt_stmt **ret,
                       struct rt_err *err)
{
    int code = rt_conn_prepare(c, sql, strlen(sql), ret, err);
    if (code < 0)
        return code;
    rt_bind_int(*ret, 1, key->kind);
    rt_bind_int(*ret, 2, key->id);
    rt_bind_int(*ret, 3, key->day);
    return 0;
}

static int read_row(struct rt_conn *c, const struct row_key *key, struct analytics__cells *cells, struct rt_err *err)
{
    struct rt_stmt *s;
    int code = prepare_row(c, SELECT_ROW, key, &s, err);
    if (code < 0)
        return code;
    code = rt_stmt_step(s, err);
    if (code == RT_STEP_ROW) {
        size_t n;
        const void *blob = rt_col_blob(s, 0, &n);
        code = analytics__unpack(blob, n, cells);
        if (code == RT_E_INTERNAL)
            analytics__damaged(key->day, err);
        else if (code < 0)
            rt_err_set(err, code, "no memory for a day's figures");
    }
    rt_stmt_done(s);
    return code;
}

static int write_row(struct rt_conn *c, const struct row_key *key, const struct analytics__cells *cells,
                     struct rt_err *err)
{
    struct rt_stmt *s;
    struct rt_buf blob;
    rt_buf_init(&blob, 0);
    analytics__pack(cells, &blob);
    int code = blob.failed ? rt_err_set(err, RT_E_NOMEM, "no memory for a day's figures") : 0;
    if (code == 0)
        code = prepare_row(c, cells->count > 0 ? WRITE_ROW : DELETE_ROW, key, &s, err);
    if (code == 0) {
        if (cells->count > 0)
            rt_bind_blob(s, 4, blob.data, blob.len);
        code = rt_stmt_step(s, err);
        rt_stmt_done(s);
    }
    rt_buf_fini(&blob);
    return code < 0 ? code : 0;
}

/* Adds to the cell of that place: it is made when absent and vanishes when its sum becomes 0. */
static int add_cell(struct analytics__cells *list, const struct analytics__cell *cell, struct rt_err *err)
{
    size_t lo = 0, hi = list->count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (analytics__cell_cmp(&list->items[mid], cell) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    size_t after = list->count - lo;
    if (after == 0 || analytics__cell_cmp(&list->items[lo], cell) != 0) {
        if (analytics__cells_push(list, cell) < 0)
            return rt_err_set(err, RT_E_NOMEM, "no memory for a day's figures");
        memmove(&list->items[lo + 1], &list->items[lo], after * sizeof *cell);
        list->items[lo] = *cell;
        return 0;
    }
    struct analytics__cell *at = &list->items[lo];
    if (__builtin_add_overflow(at->value, cell->value, &at->value))
        return rt_err_set(err, RT_E_LIMIT, "a sum became too large");
    if (at->value == 0) {
        memmove(at, at + 1, (after - 1) * sizeof *at);
        list->count--;
    }
    return 0;
}

static int write_back(struct recording *r)
{
    int code = r->in_hand ? write_row(r->conn, &r->key, &r->cells, r->err) : 0;
    r->in_hand = false;
    return code;
}

static int take_in_hand(struct recording *r, const struct row_key *key)
{
    if (r->in_hand && r->key.kind == key->kind && r->key.id == key->id && r->key.day == key->day)
        return 0;
    int code = write_back(r);
    if (code < 0)
        return code;
    r->key = *key;
    r->cells.count = 0;
    code = read_row(r->conn, key, &r->cells, r->err);
    r->in_hand = code >= 0;
    return code < 0 ? code : 0;
}

/* Adds the fact's slots first..last, which lie in the day of the row in hand. */
static int add_slots(struct recording *r, const struct rt_fact *f, uint64_t measure, int64_t first, int64_t last)
{
    int code = 0;
    for (int64_t slot = first; code == 0 && slot <= last; slot++) {
        struct analytics__cell cell = { .measure = measure, .detail = f->detail };
        cell.slot = (int)(slot - r->key.day * DAY_SLOTS);
        cell.value = analytics__fact_part(f, slot);
        if (cell.value != 0)
            code = add_cell(&r->cells, &cell, r->err);
    }
    return code;
}

static int record_one(struct recording *r, const struct rt_fact *fact)
{
    int code = analytics__fact_check(fact, r->err);
    if (code < 0 || fact->value == 0)
        return code;
    const uint64_t kind = analytics__id(fact->kind), measure = analytics__id(fact->measure);
    int64_t slot, last;
    code = know_name(r, kind, fact->kind);
    if (code == 0)
        code = know_name(r, measure, fact->measure);
    analytics__fact_slots(fact, &slot, &last);
    while (code == 0 && slot <= last) {
        struct row_key key = { (int64_t)kind, fact->id, analytics__floor_div(slot, DAY_SLOTS) };
        int64_t end = (key.day + 1) * DAY_SLOTS - 1;
        end = end < last ? end : last;
        code = take_in_hand(r, &key);
        if (code == 0)
            code = add_slots(r, fact, measure, slot, end);
        slot = end + 1;
    }
    return code;
}

int rt_analytics_record(struct rt_conn *c, const struct rt_fact *facts, size_t n, struct rt_err *err)
{
    struct recording r = { .conn = c, .err = err };
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++)
        code = record_one(&r, &facts[i]);
    if (code == 0)
        code = write_back(&r);
    free(r.cells.items);
    return code;
}
