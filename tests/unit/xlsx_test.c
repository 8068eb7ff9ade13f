/* SPDX-License-Identifier: Apache-2.0
 *
 * Workbooks: sheet names, limits, what is inside the file. tests/flow opens them with another program. */
#include "report_fixture.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "report/report_internal.h"
#include "report/xlsx.h"

static const struct rt_column columns[] = {
    { .title = { "Text", 4 } },
    { .title = { "Number", 6 }, .type = RT_COLUMN_NUMBER },
    { .title = { "Day", 3 }, .type = RT_COLUMN_DATE },
};

/* Open descriptors of files, other than /dev/null, that have no name. */
static int nameless_files(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char link[300], path[300];
        snprintf(link, sizeof link, "/proc/self/fd/%s", e->d_name);
        ssize_t length = readlink(link, path, sizeof path - 1);
        path[length > 0 ? length : 0] = 0;
        n += strstr(path, " (deleted)") != NULL;
    }
    closedir(d);
    return n;
}

/* Writes and frees the document; the workbook is in the test's folder. */
static int written(struct rt_document *d, const struct rt_source *source, struct rt_err *err)
{
    struct rt_spool *s = rt_spool_new(test_folder, 0);
    int rc = rt_xlsx_write(d, source, test_folder, s, err);
    if (rc == 0)
        save(s, in_folder("book.xlsx"));
    rt_spool_free(s);
    rt_document_free(d);
    return rc;
}

/* A part of the workbook, unpacked. */
static char *part(const char *name)
{
    char command[512];
    snprintf(command, sizeof command,
             "python3 -c 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; "
             "sys.stdout.buffer.write(z.read(sys.argv[2]))' %s %s",
             in_folder("book.xlsx"), name);
    return output_of(command);
}

static void texts_are_texts(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_document *d = rt_document_new(RT_DOCUMENT_XLSX);
    struct rt_table *t = add_table(d, "People", columns, 3);
    static const struct rt_str hostile[] = {
        RT_STR("=cmd|' /C calc'!A0"), RT_STR("+1"),     RT_STR("@x"), RT_STR("\t=1"), RT_STR("http://example.com"),
        RT_STR("a\0b<&>\"\xFF"),      RT_STR("_x0041_")
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        rt_table_row(t);
        put_text(t, hostile[i]);
        put_text(t, RT_STR("=2"));
        put_text(t, RT_STR("2025-01-20"));
    }
    assert_int_equal(written(d, &no_source, &err), 0);
    char *sheet = part("xl/worksheets/sheet1.xml");
    assert_null(strstr(sheet, "<f>"));
    assert_null(strstr(sheet, "hyperlink"));
    assert_non_null(strstr(sheet, "<t>=cmd|' /C calc'!A0</t>"));
    assert_non_null(strstr(sheet, "a\xEF\xBF\xBD"
                                  "b&lt;&amp;&gt;\"\xEF\xBF\xBD</t>"));
    assert_non_null(strstr(sheet, "<t>_x005F_x0041_</t>"));
    assert_non_null(strstr(sheet, "<v>45677</v>"));
    assert_non_null(strstr(sheet, "<autoFilter ref=\"A1:C8\"/>"));
    assert_non_null(strstr(sheet, "state=\"frozen\""));
    free(sheet);
}

static void an_empty_sheet_is_a_sheet(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_document *d = rt_document_new(RT_DOCUMENT_XLSX);
    add_table(d, "", columns, 3);
    add_table(d, "", columns, 1);
    assert_int_equal(written(d, &no_source, &err), 0);
    char *book = part("xl/workbook.xml");
    assert_non_null(strstr(book, "name=\"Sheet\""));
    assert_non_null(strstr(book, "name=\"Sheet (2)\""));
    free(book);
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_document *d = rt_document_new(RT_DOCUMENT_XLSX);
    struct rt_table *t = add_table(d, "Long", columns, 1);
    char *text = malloc(280000);
    for (int i = 0; i < 40000; i++)
        memcpy(text + 7 * i, "_x0041_", 7); /* longer still once escaped */
    rt_table_row(t);
    put_text(t, (struct rt_str){ text, 280000 });
    free(text);
    assert_int_equal(written(d, &no_source, &err), 0);
    char *sheet = part("xl/worksheets/sheet1.xml");
    assert_non_null(strstr(sheet, "\xE2\x80\xA6</t>"));
    free(sheet);
}

static void rows_are_bounded_and_nothing_is_left_open(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_source source = { .conn = open_conn(in_folder("x.db"), RT_CONN_WRITE) };
    struct rt_document *d = rt_document_new(RT_DOCUMENT_XLSX);
    struct rt_table *t = add_table(d, "Many", columns, 1);
    rt_table_query(d, t, RT_STR("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"),
                   false, 0);
    assert_int_equal(written(d, &source, &err), RT_E_LIMIT);
    assert_string_equal(err.msg, "a sheet has at most 1048575 rows");
    assert_int_equal(nameless_files(), 0);
    rt_conn_close(source.conn);
}

static int files_in(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct rt_err err;
    int before_files = files_in(test_folder);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t size = 1000; size < 3000000; size *= 4) { /* wherever in the work it becomes full */
        struct rt_document *d = rt_document_new(RT_DOCUMENT_XLSX);
        struct rt_table *t = add_table(d, "Rows", columns, 1);
        for (int i = 0; i < 100000; i++) {
            rt_table_row(t);
            put_int(t, i * 7919 % 100003);
        }
        small = (struct rlimit){ size, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        struct rt_spool *s = rt_spool_new(test_folder, 0);
        int rc = rt_xlsx_write(d, &no_source, test_folder, s, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(rc, RT_E_FULL);
        rt_spool_free(s);
        rt_document_free(d);
        assert_int_equal(nameless_files(), 0);
        assert_int_equal(files_in(test_folder), before_files);
    }
}

static void files_that_a_library_forgot_give_their_space_back(void **state)
{
    (void)state;
    const char *folder = in_folder("book");
    assert_int_equal(mkdir(folder, 0700), 0);
    int out = rt_spool_open(test_folder, NULL), other = rt_spool_open(test_folder, NULL);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", out);
    FILE *again = fopen(path, "wb"), *below = fopen(in_folder("book/x"), "wb");
    assert_int_equal(unlink(in_folder("book/x")), 0);
    fputs("buffered", below);
    assert_int_equal(nameless_files(), 4);
    report__disarm(folder, out);
    assert_int_equal(nameless_files(), 2);
    assert_int_equal(fclose(below), 0); /* writes to nothing */
    assert_int_equal(fclose(again), 0);
    assert_int_equal(write(out, "x", 1), 1);
    assert_int_equal(write(other, "x", 1), 1);
    close(out);
    close(other);
    assert_int_equal(rmdir(folder), 0);
}

static void sheet_names_are_put_right(void **state)
{
    (void)state;
    static const struct {
        struct rt_str wanted;
        const char *gets;
    } all[] = {
        { RT_STR("Team A"), "Team A" },
        { RT_STR("team a"), "team a (2)" },
        { RT_STR("TEAM A"), "TEAM A (3)" },
        { RT_STR("[a]:b*c?d/e\\f"), "-a--b-c-d-e-f" },
        { RT_STR("'quoted'"), "-quoted-" },
        { RT_STR("  "), "Sheet" },
        { RT_STR("History"), "History (2)" },
        { RT_STR("12345678901234567890123456789012345"), "123456789012345678901234567890\xE2\x80\xA6" },
        { RT_STR("12345678901234567890123456789012345"), "123456789012345678901234\xE2\x80\xA6 (2)" },
        { RT_STR("a\nb\0"), "a b\xEF\xBF\xBD" },
    };
    char names[16][RT_SHEET_NAME_BYTES];
    for (int i = 0; i < (int)(sizeof all / sizeof *all); i++) {
        rt_sheet_name(all[i].wanted, names, i);
        assert_string_equal(names[i], all[i].gets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_texts),
        cmocka_unit_test(an_empty_sheet_is_a_sheet),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(rows_are_bounded_and_nothing_is_left_open),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(sheet_names_are_put_right),
        cmocka_unit_test(files_that_a_library_forgot_give_their_space_back),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
