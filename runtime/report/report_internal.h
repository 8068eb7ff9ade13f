/* SPDX-License-Identifier: Apache-2.0
 *
 * What the units of this folder share: the marks on a tape, cleaned text, values as people read them. */
#ifndef RT_REPORT_INTERNAL_H
#define RT_REPORT_INTERNAL_H

#include "report/document.h"

enum { REPORT_ROW = 'r', REPORT_QUERY = 'q', REPORT_QUERY_BY_NAME = 'n' };

/* Sets `out` to text that every reader takes: well-formed UTF-8 (what is not becomes U+FFFD), no control characters
 * but line feeds and tabs (in `one_line` these are blanks), at most `max` UTF-16 units, cut with an ellipsis. */
void report__clean(struct rt_buf *out, struct rt_str s, size_t max, bool one_line);

/* The number that a spreadsheet stores for the cell in a column of that type; dates and times as days since the end of
 * 1899 on the zone's clock. False when the cell is text there. */
bool report__number(const struct rt_cell *c, enum rt_column_type type, const struct rt_zone *zone, double *ret);
/* Appends the cell as text for people. */
void report__show(const struct rt_cell *c, enum rt_column_type type, const struct rt_zone *zone, struct rt_buf *out);
/* Whether the column's values are set to the right, as numbers are. */
bool report__right(enum rt_column_type type);
/* A number with separators between thousands, `decimals` digits. */
void report__grouped(double v, int decimals, struct rt_buf *out);
/* "2025-01-20 09:00" on the zone's clock. */
void report__moment(int64_t t, const struct rt_zone *zone, struct rt_buf *out);

/* Points every descriptor of a file below `folder`, or of the same file as `file`, at nothing; not `file` itself. */
void report__disarm(const char *folder, int file);

#endif
