/* SPDX-License-Identifier: Apache-2.0
 *
 * libxlsxwriter in its constant-memory mode: finished rows go to a temporary file, at the end everything is
 * packed into one. It does not look at errors of those temporary files; here that is made up for, so that a
 * full disk never gives a workbook with rows missing. */
#include "report/xlsx.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "report/report_internal.h"

enum { TEXT_UNITS = 32767, LOOK_EVERY = 1024, SPARE_BYTES = 4 << 20 };

struct book {
    const struct rt_document *d;
    lxw_workbook *workbook;
    lxw_format *heading, *plain[RT_COLUMN_TIME + 1];
    char folder[1024];
    struct rt_buf text, escaped;
    uint64_t sheet_bytes; /* of all sheets, unpacked */
};

static const struct {
    const char *format;
    double width;
} looks[] = {
    [RT_COLUMN_ANY] = { NULL, 18 },          [RT_COLUMN_TEXT] = { NULL, 28 },
    [RT_COLUMN_INTEGER] = { "#,##0", 12 },   [RT_COLUMN_NUMBER] = { "#,##0.00", 12 },
    [RT_COLUMN_HOURS] = { "#,##0.00", 12 },  [RT_COLUMN_PERCENT] = { "0.0%", 10 },
    [RT_COLUMN_DATE] = { "yyyy-mm-dd", 12 }, [RT_COLUMN_TIME] = { "yyyy-mm-dd hh:mm:ss", 20 },
};

static bool is_hex(const char *p)
{
    for (int i = 0; i < 4; i++)
        if (!memchr("0123456789abcdefABCDEF", p[i], 22))
            return false;
    return true;
}

/* Spreadsheets read _x0041_ as a character of that code: the underscore is written as one. */
static void escape(struct book *b)
{
    struct rt_buf *t = &b->text;
    rt_buf_reset(&b->escaped);
    for (size_t i = 0; i < t->len; i++)
        if (t->data[i] == '_' && i + 6 < t->len && t->data[i + 1] == 'x' && is_hex(t->data + i + 2) &&
            t->data[i + 6] == '_')
            rt_buf_puts(&b->escaped, "_x005F_");
        else
            rt_buf_putc(&b->escaped, t->data[i]);
    report__clean(t, (struct rt_str){ b->escaped.data, b->escaped.len }, TEXT_UNITS, false);
}

static const char *clean(struct book *b, struct rt_str s, bool one_line)
{
    report__clean(&b->text, s, TEXT_UNITS, one_line);
    if (b->text.len > 6 && memmem(b->text.data, b->text.len, "_x", 2))
        escape(b);
    return rt_buf_cstr(&b->text);
}

static lxw_format *new_format(struct book *b, const char *number)
{
    lxw_format *f = workbook_add_format(b->workbook);
    if (f && number)
        format_set_num_format(f, number);
    return f;
}

static int open_book(struct book *b, int fd, struct rt_err *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    lxw_workbook_options options = { .constant_memory = LXW_TRUE, .tmpdir = b->folder };
    b->workbook = workbook_new_opt(path, &options);
    bool ok = b->workbook != NULL;
    for (int i = 0; ok && i <= RT_COLUMN_TIME; i++) {
        b->plain[i] = looks[i].format ? new_format(b, looks[i].format) : NULL;
        ok = b->plain[i] || !looks[i].format;
    }
    b->heading = ok ? new_format(b, NULL) : NULL;
    if (!b->heading)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a workbook");
    format_set_bold(b->heading);
    format_set_bg_color(b->heading, 0xE8EDF2);
    format_set_bottom(b->heading, LXW_BORDER_THIN);
    char *title = strdup(clean(b, b->d->title, true)), *author = strdup(clean(b, b->d->author, true));
    lxw_doc_properties p = { .title = title, .author = author, .created = (time_t)b->d->now };
    workbook_set_properties(b->workbook, &p);
    free(title);
    free(author);
    return 0;
}

static void write_cell(struct book *b, lxw_worksheet *sheet, uint32_t row, uint16_t col, const struct rt_cell *c,
                       enum rt_column_type type)
{
    double v;
    lxw_format *format = b->plain[type == RT_COLUMN_ANY && c->kind == RT_CELL_TIME ? RT_COLUMN_TIME : type];
    if (c->kind == RT_CELL_EMPTY)
        return;
    if (c->kind == RT_CELL_BOOL && type != RT_COLUMN_TEXT) {
        worksheet_write_boolean(sheet, row, col, c->i != 0, NULL);
    } else if (report__number(c, type, b->d->zone, &v)) {
        worksheet_write_number(sheet, row, col, v, format);
    } else {
        struct rt_buf shown;
        rt_buf_init(&shown, 0);
        if (c->kind != RT_CELL_TEXT)
            report__show(c, type == RT_COLUMN_DATE || type == RT_COLUMN_TIME ? type : RT_COLUMN_ANY, b->d->zone,
                         &shown);
        worksheet_write_string(sheet, row, col,
                               clean(b, c->kind == RT_CELL_TEXT ? c->s : rt_str_of(rt_buf_cstr(&shown)), false), NULL);
        rt_buf_fini(&shown);
    }
}

static void write_headings(struct book *b, lxw_worksheet *sheet, const struct rt_table *t)
{
    for (int i = 0; i < t->n_columns; i++) {
        const struct rt_column *c = &t->columns[i];
        const char *title = clean(b, c->title, true);
        double width = c->width > 0 ? c->width : looks[c->type].width;
        double least = (double)rt_utf8_len(title, strlen(title)) + 4; /* room for the filter's button */
        if (c->width <= 0 && width < least)
            width = least < 60 ? least : 60;
        worksheet_set_column(sheet, (lxw_col_t)i, (lxw_col_t)i, width < 255 ? width : 255, b->plain[c->type]);
        worksheet_write_string(sheet, 0, (lxw_col_t)i, title, b->heading);
    }
    worksheet_freeze_panes(sheet, 1, 0);
}

static int full(struct rt_err *err) { return rt_err_set(err, RT_E_FULL, "the disk is full"); }

static int check_file(lxw_worksheet *sheet, struct rt_err *err)
{
    FILE *f = sheet->optimize_tmpfile;
    return f && ferror(f) ? full(err) : 0;
}

static int write_rows(struct book *b, lxw_worksheet *sheet, const struct rt_table *t, struct rt_rows *rows,
                      struct rt_err *err)
{
    struct rt_cell cells[RT_COLUMNS_MAX];
    uint32_t row = 0;
    int rc;
    while ((rc = rt_rows_next(rows, cells, err)) > 0) {
        if (++row > RT_SHEET_ROWS_MAX)
            return rt_err_set(err, RT_E_LIMIT, "a sheet has at most %d rows", RT_SHEET_ROWS_MAX);
        for (int i = 0; i < t->n_columns; i++)
            write_cell(b, sheet, row, (uint16_t)i, &cells[i], t->columns[i].type);
        if (row % LOOK_EVERY == 0 && (rc = check_file(sheet, err)))
            return rc;
    }
    if (rc == 0)
        worksheet_autofilter(sheet, 0, 0, row ? row : 1, (lxw_col_t)(t->n_columns - 1));
    return rc;
}

static int write_sheet(struct book *b, const struct rt_table *t, const char *name, const struct rt_source *source,
                       struct rt_err *err)
{
    lxw_worksheet *sheet = workbook_add_worksheet(b->workbook, name);
    if (!sheet)
        return rt_err_set(err, RT_E_IO, "the sheet %s cannot be made", name);
    struct rt_rows rows;
    write_headings(b, sheet, t);
    rt_rows_begin(&rows, t, source);
    int rc = write_rows(b, sheet, t, &rows, err);
    rt_rows_end(&rows);
    if (rc == 0)
        rc = check_file(sheet, err);
    if (rc == 0 && sheet->optimize_tmpfile) {
        if (fflush(sheet->optimize_tmpfile))
            return full(err);
        b->sheet_bytes += (uint64_t)ftello(sheet->optimize_tmpfile);
    }
    return rc;
}

/* Errors of the files that it packs from cannot be seen, so there has to be room for them before, and some of it
 * after. */
static int check_room(struct book *b, uint64_t bytes, struct rt_err *err)
{
    struct statvfs v;
    return statvfs(b->folder, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < bytes ? full(err) : 0;
}

/* The library forgets open files when it gives up: their rows so far would fill the disk until the process ends. */
static void abandon(struct book *b)
{
    for (lxw_sheet *s = b->workbook ? STAILQ_FIRST(b->workbook->sheets) : NULL; s; s = STAILQ_NEXT(s, list_pointers))
        if (s->u.worksheet->optimize_tmpfile)
            fclose(s->u.worksheet->optimize_tmpfile);
    lxw_workbook_free(b->workbook);
    b->workbook = NULL;
}

static int close_book(struct book *b, int fd, struct rt_err *err)
{
    lxw_error e = workbook_close(b->workbook);
    b->workbook = NULL;
    if (e == LXW_NO_ERROR)
        return 0;
    report__disarm(b->folder, fd);
    bool disk = e == LXW_ERROR_CREATING_TMPFILE || e == LXW_ERROR_CREATING_XLSX_FILE ||
                e == LXW_ERROR_READING_TMPFILE || (e >= LXW_ERROR_ZIP_FILE_OPERATION && e <= LXW_ERROR_ZIP_CLOSE);
    return rt_err_set(err,
                      e == LXW_ERROR_MEMORY_MALLOC_FAILED ? RT_E_NOMEM
                      : disk                              ? RT_E_FULL
                                                          : RT_E_INTERNAL,
                      "the workbook cannot be written: %s", lxw_strerror(e));
}

static int write_book(struct book *b, const struct rt_source *source, struct rt_spool *out, struct rt_err *err)
{
    char names[RT_SHEETS_MAX][RT_SHEET_NAME_BYTES];
    int fd, rc = rt_spool_file(out, &fd, err);
    if (rc == 0)
        rc = open_book(b, fd, err);
    for (int i = 0; rc == 0 && i < b->d->n_tables; i++) {
        rt_sheet_name(b->d->tables[i].title, names, i);
        rc = write_sheet(b, &b->d->tables[i], names[i], source, err);
    }
    if (rc == 0)
        rc = check_room(b, 2 * b->sheet_bytes + SPARE_BYTES, err);
    if (rc == 0)
        rc = close_book(b, fd, err);
    if (rc == 0)
        rc = check_room(b, SPARE_BYTES / 4, err);
    if (b->workbook)
        abandon(b);
    return rc ? rc : rt_spool_settle(out, err);
}

int rt_xlsx_write(const struct rt_document *d, const struct rt_source *source, const char *folder, struct rt_spool *out,
                  struct rt_err *err)
{
    struct book b = { .d = d };
    snprintf(b.folder, sizeof b.folder, "%s/book-XXXXXX", folder);
    if (!mkdtemp(b.folder))
        return full(err);
    rt_buf_init(&b.text, 0);
    rt_buf_init(&b.escaped, 0);
    int rc = write_book(&b, source, out, err);
    rt_buf_fini(&b.text);
    rt_buf_fini(&b.escaped);
    rmdir(b.folder);
    return rc;
}
