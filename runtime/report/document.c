/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents are filled in one go and freed at once, so all their small pieces hang on one list. A tape has
 * its items one behind the other: a report thread reads it from front to end, once. */
#include "report/document.h"

#include <stdlib.h>

#include "report/report_internal.h"

struct rt_block {
    struct rt_block *next;
    char bytes[];
};

struct rt_document *rt_document_new(enum rt_document_kind kind)
{
    struct rt_document *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->kind = kind;
    d->zone = rt_zone_utc();
    for (int i = 0; i < RT_SHEETS_MAX; i++)
        rt_buf_init(&d->tables[i].tape, RT_TAPE_MAX);
    return d;
}

void rt_document_free(struct rt_document *d)
{
    if (!d)
        return;
    for (int i = 0; i < RT_SHEETS_MAX; i++)
        rt_buf_fini(&d->tables[i].tape);
    for (struct rt_block *b = d->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(d);
}

void *rt_document_alloc(struct rt_document *d, size_t n)
{
    struct rt_block *b = calloc(1, sizeof *b + n);
    if (!b)
        return NULL;
    b->next = d->blocks;
    d->blocks = b;
    return b->bytes;
}

struct rt_str rt_document_text(struct rt_document *d, struct rt_str s)
{
    char *p = rt_document_alloc(d, s.n + 1);
    if (!p)
        return (struct rt_str){ NULL, 0 };
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct rt_str){ p, s.n };
}

void rt_table_row(struct rt_table *t) { rt_buf_putc(&t->tape, REPORT_ROW); }

void rt_table_query(struct rt_document *d, struct rt_table *t, struct rt_str sql, bool by_name, unsigned params)
{
    d->queries = true;
    rt_buf_putc(&t->tape, by_name ? REPORT_QUERY_BY_NAME : REPORT_QUERY);
    rt_table_cell(t, &(struct rt_cell){ .kind = RT_CELL_TEXT, .s = sql });
    rt_table_cell(t, &(struct rt_cell){ .kind = RT_CELL_INT, .i = params });
}

void rt_table_cell(struct rt_table *t, const struct rt_cell *c)
{
    rt_buf_putc(&t->tape, (char)c->kind);
    switch (c->kind) {
    case RT_CELL_EMPTY: return;
    case RT_CELL_DOUBLE: rt_buf_put(&t->tape, &c->d, sizeof c->d); return;
    case RT_CELL_TEXT:
        rt_buf_put(&t->tape, &c->s.n, sizeof c->s.n);
        rt_buf_put(&t->tape, c->s.p, c->s.n);
        return;
    default: rt_buf_put(&t->tape, &c->i, sizeof c->i); return;
    }
}

static bool take(const struct rt_buf *tape, size_t *at, void *out, size_t n)
{
    if (tape->len - *at < n)
        return false;
    memcpy(out, tape->data + *at, n);
    *at += n;
    return true;
}

bool rt_tape_cell(const struct rt_buf *tape, size_t *at, struct rt_cell *ret)
{
    unsigned char kind;
    if (!take(tape, at, &kind, 1))
        return false;
    *ret = (struct rt_cell){ .kind = kind };
    switch (ret->kind) {
    case RT_CELL_EMPTY: return true;
    case RT_CELL_DOUBLE: return take(tape, at, &ret->d, sizeof ret->d);
    case RT_CELL_TEXT:
        if (!take(tape, at, &ret->s.n, sizeof ret->s.n) || tape->len - *at < ret->s.n)
            return false;
        ret->s.p = tape->data + *at;
        *at += ret->s.n;
        return true;
    default: return take(tape, at, &ret->i, sizeof ret->i);
    }
}
