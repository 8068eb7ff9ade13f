/* SPDX-License-Identifier: Apache-2.0
 *
 * What a report says, whatever file it becomes: texts, columns, rows that are there already and rows that
 * a query will deliver. Filled on a worker, written on a report thread; the document owns everything in it. */
#ifndef RT_REPORT_DOCUMENT_H
#define RT_REPORT_DOCUMENT_H

#include "base/buf.h"
#include "base/str.h"
#include "zone/zone.h"

enum {
    RT_COLUMNS_MAX = 256,
    RT_SHEETS_MAX = 64,
    RT_FACTS_MAX = 6,
    RT_BARS_MAX = 366,
    RT_TAPE_MAX = 32 << 20, /* bytes of rows that come from a script */
};

enum rt_column_type {
    RT_COLUMN_ANY, /* as the value is */
    RT_COLUMN_TEXT,
    RT_COLUMN_INTEGER,
    RT_COLUMN_NUMBER,
    RT_COLUMN_HOURS,   /* seconds, shown as hours with two decimals */
    RT_COLUMN_PERCENT, /* 0.25 is 25 % */
    RT_COLUMN_DATE,    /* "YYYY-MM-DD" or Unix seconds */
    RT_COLUMN_TIME,    /* Unix seconds or ISO 8601 */
};

struct rt_column {
    struct rt_str title;
    enum rt_column_type type;
    double width; /* 0: what suits the type */
};

enum rt_cell_kind { RT_CELL_EMPTY, RT_CELL_INT, RT_CELL_DOUBLE, RT_CELL_BOOL, RT_CELL_TIME, RT_CELL_TEXT };

struct rt_cell {
    enum rt_cell_kind kind;
    int64_t i; /* INT, BOOL, TIME (Unix seconds) */
    double d;
    struct rt_str s;
};

/* A table: a sheet of a workbook, a table of a PDF, a CSV file. Its items (rows and queries, in order) stand on a tape
 * as the functions below put them there. */
struct rt_table {
    struct rt_str title;
    struct rt_column *columns;
    int n_columns;
    struct rt_buf tape;
};

struct rt_fact {
    struct rt_str label, value;
};

struct rt_chart {
    struct rt_str title, unit;
    struct rt_str *labels;
    double *values;
    int n; /* 0: no chart */
};

enum rt_document_kind { RT_DOCUMENT_CSV, RT_DOCUMENT_XLSX, RT_DOCUMENT_PDF };

struct rt_document {
    enum rt_document_kind kind;
    struct rt_str title, subtitle, period, footer, author;
    const struct rt_zone *zone; /* of dates and times */
    int64_t now;
    struct rt_table tables[RT_SHEETS_MAX];
    int n_tables;
    struct rt_fact facts[RT_FACTS_MAX];
    int n_facts;
    struct rt_chart chart;
    bool queries; /* somewhere on the tapes */
    struct rt_block *blocks;
};

struct rt_document *rt_document_new(enum rt_document_kind kind);
void rt_document_free(struct rt_document *d);
/* Zeroed memory that lives as long as the document; NULL without memory. */
void *rt_document_alloc(struct rt_document *d, size_t n);
/* A copy, ended by a NUL that does not count; p is NULL without memory. */
struct rt_str rt_document_text(struct rt_document *d, struct rt_str s);

/* Begins a row: n_columns cells follow. */
void rt_table_row(struct rt_table *t);
/* Begins a query: its parameters follow as cells. by_name: its columns' names say where they belong. */
void rt_table_query(struct rt_document *d, struct rt_table *t, struct rt_str sql, bool by_name, unsigned params);
void rt_table_cell(struct rt_table *t, const struct rt_cell *c);
/* Takes the cell at *at of the tape; false at its end. Texts are borrowed from the tape. */
bool rt_tape_cell(const struct rt_buf *tape, size_t *at, struct rt_cell *ret);

#endif
