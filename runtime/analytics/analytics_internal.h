/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share: the packed form of a subject's UTC day, the split of a fact into
 * slots, and the reading of a subject's rows. A row's blob is
 *
 *   version byte (1), then groups by ascending measure:
 *     measure    6 bytes, low byte first
 *     length     varint, bytes of the cells that follow
 *     cells      ascending by slot, then detail:
 *       slot     1 byte: 0–95, plus 128 when the detail is that of the cell before (0 at first)
 *       detail   zigzag varint, unless it is the same
 *       value    zigzag varint, never 0
 *
 * so that a reader skips measures it was not asked for. A measure or kind is stored as a hash of its
 * name: nobody looks ids up and none can go stale when a transaction is rolled back. */
#ifndef RT_ANALYTICS_INTERNAL_H
#define RT_ANALYTICS_INTERNAL_H

#include "analytics/analytics.h"

#include "base/buf.h"

enum { DAY_SECONDS = 86400, DAY_SLOTS = DAY_SECONDS / RT_SLOT_SECONDS, MEASURES_MAX = 32 };

/* ---- pack.c ---- */

struct analytics__cell {
    uint64_t measure;
    int64_t detail, value;
    int slot; /* of the day, 0–95 */
};

struct analytics__cells {
    struct analytics__cell *items;
    size_t count, cap;
};

/* Walks over a blob without copying. `group` is the measure the reader stands in. */
struct analytics__reader {
    const unsigned char *p, *group_end, *end;
    uint64_t group;
    int64_t detail;
    int slot;
    bool started;
};

/* The 48-bit id of a measure or kind; never changes between releases. */
uint64_t analytics__id(const char *name);
int64_t analytics__floor_div(int64_t a, int64_t b); /* b > 0 */

/* 0, or RT_E_INTERNAL for a version that is not known. An empty blob has no groups. */
int analytics__reader_init(struct analytics__reader *r, const void *blob, size_t n);
/* 1 and the reader stands before the next group's first cell, 0 at the end, RT_E_INTERNAL when damaged. */
int analytics__next_group(struct analytics__reader *r);
/* 1 and *ret, 0 at the end of the group, RT_E_INTERNAL when damaged. */
int analytics__next_cell(struct analytics__reader *r, struct analytics__cell *ret);

int analytics__cells_push(struct analytics__cells *list, const struct analytics__cell *cell);
/* Appends all cells of a blob, in order. RT_E_NOMEM or RT_E_INTERNAL. */
int analytics__unpack(const void *blob, size_t n, struct analytics__cells *list);
/* Writes sorted cells; nothing at all for none. */
void analytics__pack(const struct analytics__cells *list, struct rt_buf *out);
/* The order of cells within a row. */
int analytics__cell_cmp(const struct analytics__cell *a, const struct analytics__cell *b);

/* ---- record.c ---- */

/* Refuses facts that could not be stored or withdrawn. */
int analytics__fact_check(const struct rt_fact *fact, struct rt_err *err);
/* First and last slot (counted from 1970) of a checked fact. */
void analytics__fact_slots(const struct rt_fact *fact, int64_t *ret_first, int64_t *ret_last);
/* The part of the value that falls into a slot. The parts of a fact add up to its value; those of the same
 * fact with -value are their negatives. */
int64_t analytics__fact_part(const struct rt_fact *fact, int64_t slot);

/* ---- breakdown.c ---- */

/* Sums by detail: a hash table of rows of 2 + measures numbers, which become the report's. */
struct analytics__details {
    int64_t *rows;
    uint32_t *index; /* row + 1, 0 = free; twice as many as rows fit */
    size_t width, count, size, last;
};

/* Adds to a detail's sum of a measure and marks it as the subject's (`subject` counts from 1, in the order in which
 * they are added). 1 when the detail is new to the subject, 0 when not, RT_E_NOMEM or RT_E_LIMIT. */
int analytics__details_add(struct analytics__details *d, int measure, int64_t detail, int64_t subject, int64_t value);
/* How many details are not 0 in all measures. */
int64_t analytics__details_count(const struct analytics__details *d);
/* Turns the table into the breakdown by detail >> shift, ranked as rt_report.by_key, and hands its rows over. After it
 * only fini() is left. RT_E_LIMIT when a sum of sums is too large. */
int analytics__details_take(struct analytics__details *d, unsigned shift, int64_t **ret_rows, size_t *ret_count);
void analytics__details_fini(struct analytics__details *d);

/* ---- report.c ---- */

/* The open range scan of a subject's rows for UTC days first..last, in order. */
int analytics__rows(struct rt_conn *c, const char *kind, int64_t id, int64_t first, int64_t last, struct rt_stmt **ret,
                    struct rt_err *err);
/* 1 with the row's day and a reader over its blob (valid until the next call), 0 at the end, or a negative code. */
int analytics__next_row(struct rt_stmt *s, int64_t *ret_day, struct analytics__reader *ret_reader, struct rt_err *err);
/* A damaged row's error. */
int analytics__damaged(int64_t day, struct rt_err *err);

#endif
