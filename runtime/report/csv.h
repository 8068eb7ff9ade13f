/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV (RFC 4180): CRLF, quotes where needed, UTF-8 with BOM off. Cells that a spreadsheet would run as
 * a formula (= + - @ TAB CR first) get a leading apostrophe, except plain numbers. */
#ifndef RT_REPORT_CSV_H
#define RT_REPORT_CSV_H

#include "base/buf.h"
#include "base/str.h"
#include "report/rows.h"
#include "report/spool.h"

struct rt_csv {
    struct rt_buf *out;
    bool line_begun;
};

void rt_csv_init(struct rt_csv *c, struct rt_buf *out);
void rt_csv_text(struct rt_csv *c, struct rt_str s); /* a cell from people: made formula-safe */
void rt_csv_int(struct rt_csv *c, int64_t v);
void rt_csv_double(struct rt_csv *c, double v);
void rt_csv_empty(struct rt_csv *c);
void rt_csv_cell(struct rt_csv *c, const struct rt_cell *cell); /* booleans as true and false, times in ISO 8601 */
void rt_csv_end_row(struct rt_csv *c);

/* Moves what has gathered in c->out to the spool, now and then unless it is the end. */
int rt_csv_flush(struct rt_csv *c, struct rt_spool *out, bool end, struct rt_err *err);
/* The document's one table as a file: headings, then rows. */
int rt_csv_write(const struct rt_document *d, const struct rt_source *source, struct rt_spool *out, struct rt_err *err);

#endif
