/* SPDX-License-Identifier: Apache-2.0
 *
 * A workbook with one bad sheet name does not open at all, so names are put right instead of refused: they
 * come from people (teams, projects). */
#include <stdio.h>
#include <strings.h>

#include "report/report_internal.h"
#include "report/xlsx.h"

enum { UNITS = 31 };

static bool taken(const char *name, char (*names)[RT_SHEET_NAME_BYTES], int n)
{
    for (int i = 0; i < n; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strcasecmp(name, "History") == 0; /* reserved */
}

static void put_cleaned(struct rt_buf *out, struct rt_str wanted, size_t units)
{
    report__clean(out, rt_str_trim(wanted), units, true);
    for (size_t i = 0; i < out->len; i++)
        if (memchr("[]:*?/\\", out->data[i], 7) || ((i == 0 || i + 1 == out->len) && out->data[i] == '\''))
            out->data[i] = '-';
    if (out->len == 0)
        rt_buf_puts(out, "Sheet");
}

void rt_sheet_name(struct rt_str wanted, char (*names)[RT_SHEET_NAME_BYTES], int n)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    put_cleaned(&b, wanted, UNITS);
    snprintf(names[n], RT_SHEET_NAME_BYTES, "%s", rt_buf_cstr(&b));
    for (int k = 2; taken(names[n], names, n); k++) { /* ends: one of n + 2 different names is free */
        put_cleaned(&b, wanted, UNITS - 6);
        snprintf(names[n], RT_SHEET_NAME_BYTES, "%s (%d)", rt_buf_cstr(&b), k);
    }
    rt_buf_fini(&b);
}
