/* SPDX-License-Identifier: Apache-2.0
 *
 * Verification sums facts again, in memory, with the very split that recording uses, and walks the
 * sorted result beside the stored rows in the order of their key, so that what is stored but not expected
 * is found as surely as what is expected but not stored. Cells are kept in one plain array that is
 * sorted and summed whenever it is full: 48 bytes for each cell, however many facts fall into it. */
#include "analytics/analytics_internal.h"

#include <stdlib.h>

#include "base/map.h"

#define SELECT_NAMES "SELECT id, name FROM perigee_analytics_names"
#define SELECT_ALL                                                                                                     \
    "SELECT subject_kind, subject_id, day, data FROM perigee_analytics ORDER BY subject_kind, subject_id, day"

struct entry {
    uint64_t kind, measure;
    int64_t id, detail, value;
    int32_t day, slot;
};

struct rt_verify {
    struct entry *items;
    size_t count, cap;
    struct rt_map names; /* id → its name, heap */
};

typedef void differ_fn(void *arg, const char *measure, const char *kind, int64_t id, int64_t detail, int64_t t,
                       int64_t stored, int64_t expected);

struct compare {
    struct rt_verify *v;
    size_t next; /* the first entry that has not been met */
    int64_t differences;
    differ_fn *differ;
    void *arg;
};

struct rt_verify *rt_verify_new(void)
{
    struct rt_verify *v = calloc(1, sizeof *v);
    if (v)
        rt_map_init(&v->names);
    return v;
}

void rt_verify_free(struct rt_verify *v)
{
    if (!v)
        return;
    rt_map_fini(&v->names, free);
    free(v->items);
    free(v);
}

/* ---- names ---- */

static int learn_name(struct rt_verify *v, uint64_t id, const char *name, size_t n)
{
    if (rt_map_get(&v->names, &id, sizeof id))
        return 0;
    char *copy = strndup(name, n);
    if (!copy)
        return RT_E_NOMEM;
    int code = rt_map_set(&v->names, &id, sizeof id, copy, NULL);
    if (code < 0)
        free(copy);
    return code;
}

static const char *name_of(const struct rt_verify *v, uint64_t id)
{
    const char *name = rt_map_get(&v->names, &id, sizeof id);
    return name ? name : "(unknown)";
}

static int learn_stored_names(struct rt_verify *v, struct rt_conn *c, struct rt_err *err)
{
    struct rt_stmt *s;
    int code = rt_conn_prepare(c, SELECT_NAMES, sizeof SELECT_NAMES - 1, &s, err);
    if (code < 0)
        return code;
    while ((code = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        size_t n;
        const char *name = rt_col_text(s, 1, &n);
        if (learn_name(v, (uint64_t)rt_col_int(s, 0), name, n) < 0) {
            code = rt_err_set(err, RT_E_NOMEM, "no memory for names");
            break;
        }
    }
    rt_stmt_done(s);
    return code;
}

/* ---- expected cells ---- */

/* The order of rows, and of cells within them. */
static int entry_cmp(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    if (a->measure != b->measure)
        return a->measure < b->measure ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return (a->detail > b->detail) - (a->detail < b->detail);
}

/* Sorts and leaves one entry per cell, none for sums of 0. False when a sum overflows. */
static bool sum_up(struct rt_verify *v)
{
    size_t n = 0;
    if (v->count > 1)
        qsort(v->items, v->count, sizeof *v->items, entry_cmp);
    for (size_t i = 0; i < v->count;) {
        struct entry sum = v->items[i++];
        for (; i < v->count && entry_cmp(&sum, &v->items[i]) == 0; i++) {
            if (__builtin_add_overflow(sum.value, v->items[i].value, &sum.value))
                return false;
        }
        if (sum.value != 0)
            v->items[n++] = sum;
    }
    v->count = n;
    return true;
}

/* Makes room by summing up and, when that saves little, by growing: so sorting stays rare. */
static int make_room(struct rt_verify *v)
{
    if (!sum_up(v))
        return RT_E_LIMIT;
    if (v->count < v->cap / 2)
        return 0;
    size_t cap = v->cap ? v->cap * 2 : 1024;
    struct entry *items = reallocarray(v->items, cap, sizeof *items);
    if (!items)
        return RT_E_NOMEM;
    v->items = items;
    v->cap = cap;
    return 0;
}

static int push(struct rt_verify *v, const struct entry *e)
{
    int code = v->count == v->cap ? make_room(v) : 0;
    if (code == 0)
        v->items[v->count++] = *e;
    return code;
}

int rt_verify_add(struct rt_verify *v, const struct rt_fact *fact, struct rt_err *err)
{
    int code = analytics__fact_check(fact, err);
    if (code < 0)
        return code;
    struct entry e = { .id = fact->id, .detail = fact->detail };
    e.kind = analytics__id(fact->kind);
    e.measure = analytics__id(fact->measure);
    int64_t slot, last;
    code = learn_name(v, e.kind, fact->kind, strlen(fact->kind));
    if (code == 0)
        code = learn_name(v, e.measure, fact->measure, strlen(fact->measure));
    analytics__fact_slots(fact, &slot, &last);
    for (; code == 0 && slot <= last; slot++) {
        e.day = (int32_t)analytics__floor_div(slot, DAY_SLOTS);
        e.slot = (int32_t)(slot - (int64_t)e.day * DAY_SLOTS);
        e.value = analytics__fact_part(fact, slot);
        code = e.value != 0 ? push(v, &e) : 0;
    }
    if (code < 0)
        rt_err_set(err, code, code == RT_E_LIMIT ? "a sum became too large" : "no memory for the expected figures");
    return code;
}

/* ---- comparison ---- */

static void report_difference(struct compare *cmp, const struct entry *e, int64_t stored, int64_t expected)
{
    int64_t t = (int64_t)e->day * DAY_SECONDS + (int64_t)e->slot * RT_SLOT_SECONDS;
    cmp->differences++;
    if (cmp->differ)
        cmp->differ(cmp->arg, name_of(cmp->v, e->measure), name_of(cmp->v, e->kind), e->id, e->detail, t, stored,
                    expected);
}

/* Everything expected before `until` (NULL: everything left) was not stored. */
static void report_missing(struct compare *cmp, const struct entry *until)
{
    const struct rt_verify *v = cmp->v;
    for (; cmp->next < v->count && (!until || entry_cmp(&v->items[cmp->next], until) < 0); cmp->next++)
        report_difference(cmp, &v->items[cmp->next], 0, v->items[cmp->next].value);
}

static void compare_cell(struct compare *cmp, const struct entry *stored)
{
    report_missing(cmp, stored);
    const struct entry *expected = cmp->next < cmp->v->count ? &cmp->v->items[cmp->next] : NULL;
    if (!expected || entry_cmp(expected, stored) != 0) {
        report_difference(cmp, stored, stored->value, 0);
        return;
    }
    cmp->next++;
    if (expected->value != stored->value)
        report_difference(cmp, stored, stored->value, expected->value);
}

static int compare_row(struct compare *cmp, const struct rt_stmt *s, struct analytics__cells *cells, struct rt_err *err)
{
    struct entry e = { .kind = (uint64_t)rt_col_int(s, 0), .id = rt_col_int(s, 1) };
    size_t n;
    const void *blob = rt_col_blob(s, 3, &n);
    int64_t day = rt_col_int(s, 2);
    cells->count = 0;
    int code = analytics__unpack(blob, n, cells);
    if (code == RT_E_INTERNAL || day != (int32_t)day)
        return analytics__damaged(day, err);
    if (code < 0)
        return rt_err_set(err, code, "no memory for a day's figures");
    e.day = (int32_t)day;
    for (size_t i = 0; i < cells->count; i++) {
        const struct analytics__cell *cell = &cells->items[i];
        e.measure = cell->measure;
        e.detail = cell->detail;
        e.value = cell->value;
        e.slot = cell->slot;
        compare_cell(cmp, &e);
    }
    return 0;
}

static int compare_rows(struct compare *cmp, struct rt_conn *c, struct rt_err *err)
{
    struct analytics__cells cells = { 0 };
    struct rt_stmt *s;
    int code = rt_conn_prepare(c, SELECT_ALL, sizeof SELECT_ALL - 1, &s, err);
    if (code < 0)
        return code;
    while ((code = rt_stmt_step(s, err)) == RT_STEP_ROW) {
        code = compare_row(cmp, s, &cells, err);
        if (code < 0)
            break;
    }
    rt_stmt_done(s);
    free(cells.items);
    return code;
}

int64_t rt_verify_compare(struct rt_verify *v, struct rt_conn *c,
                          void (*differ)(void *arg, const char *measure, const char *kind, int64_t id, int64_t detail,
                                         int64_t t, int64_t stored, int64_t expected),
                          void *arg, struct rt_err *err)
{
    struct compare cmp = { .v = v, .differ = differ, .arg = arg };
    if (!sum_up(v))
        return rt_err_set(err, RT_E_LIMIT, "a sum became too large");
    int code = learn_stored_names(v, c, err);
    if (code == 0)
        code = compare_rows(&cmp, c, err);
    if (code < 0)
        return code;
    report_missing(&cmp, NULL);
    return cmp.differences;
}
