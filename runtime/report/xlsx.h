/* SPDX-License-Identifier: Apache-2.0
 *
 * Workbooks for spreadsheets (Office Open XML). Texts are stored as texts, so nothing a person typed can
 * become a formula or a link; dates and times are real ones; memory does not grow with the rows. */
#ifndef RT_REPORT_XLSX_H
#define RT_REPORT_XLSX_H

#include "report/rows.h"
#include "report/spool.h"

enum { RT_SHEET_ROWS_MAX = 1048575 /* below the headings */, RT_SHEET_NAME_BYTES = 128 };

/* Each table of the document is a sheet. `folder` for the library's temporary files. RT_E_LIMIT: too many rows. */
int rt_xlsx_write(const struct rt_document *d, const struct rt_source *source, const char *folder, struct rt_spool *out,
                  struct rt_err *err);

/* The sheet's name as spreadsheets allow it (1–31 characters, none of [ ] : * ? / \), different from the `n` names
 * before it in `names`. */
void rt_sheet_name(struct rt_str wanted, char (*names)[RT_SHEET_NAME_BYTES], int n);

#endif
