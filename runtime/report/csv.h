/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV (RFC 4180): CRLF, quotes where needed, UTF-8 with BOM off. Cells that a spreadsheet would run as
 * a formula (= + - @ TAB CR first) get a leading apostrophe, except plain numbers. */
#ifndef RT_REPORT_CSV_H
#define RT_REPORT_CSV_H

#include "base/buf.h"
#include "base/str.h"

struct rt_csv {
    struct rt_buf *out;
    bool line_begun;
};

void rt_csv_init(struct rt_csv *c, struct rt_buf *out);
void rt_csv_text(struct rt_csv *c, struct rt_str s); /* a cell from people: made formula-safe */
void rt_csv_int(struct rt_csv *c, int64_t v);
void rt_csv_double(struct rt_csv *c, double v);
void rt_csv_empty(struct rt_csv *c);
void rt_csv_end_row(struct rt_csv *c);

#endif
