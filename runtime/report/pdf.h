/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports on paper: A4, title and period, headline figures, a bar chart, tables over as many pages as they
 * need. Any script of Unicode that the machine has fonts for. */
#ifndef RT_REPORT_PDF_H
#define RT_REPORT_PDF_H

#include "report/rows.h"
#include "report/spool.h"

enum { RT_PDF_ROWS_MAX = 10000 };

/* Fonts as loaded by one thread, used by that thread alone. */
struct rt_pdf_fonts;
/* RT_E_NOTFOUND when the machine has no fonts at all. */
int rt_pdf_fonts_new(struct rt_pdf_fonts **ret, struct rt_err *err);
void rt_pdf_fonts_free(struct rt_pdf_fonts *f);

/* RT_E_LIMIT: more than RT_PDF_ROWS_MAX rows. */
int rt_pdf_write(const struct rt_document *d, const struct rt_source *source, struct rt_pdf_fonts *fonts,
                 struct rt_spool *out, struct rt_err *err);

#endif
