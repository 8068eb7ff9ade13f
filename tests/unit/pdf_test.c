/* SPDX-License-Identifier: Apache-2.0
 *
 * PDFs: what another reader finds in them, limits, no fonts, a disk that fills up. */
#include "report_fixture.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "report/pdf.h"

static struct rt_pdf_fonts *fonts;

static const struct rt_column columns[] = {
    { .title = { "Employee", 8 } },
    { .title = { "Hours", 5 }, .type = RT_COLUMN_HOURS },
};

static struct rt_document *sample(void)
{
    struct rt_document *d = rt_document_new(RT_DOCUMENT_PDF);
    d->title = RT_STR("Team report");
    d->period = RT_STR("January 2025");
    d->author = RT_STR("The app");
    d->now = 1737363600;
    return d;
}

/* Writes and frees the document; the file is in the test's folder. */
static int written(struct rt_document *d, const struct rt_source *source, struct rt_err *err)
{
    struct rt_spool *s = rt_spool_new(test_folder, 0);
    int rc = rt_pdf_write(d, source, fonts, s, err);
    if (rc == 0)
        save(s, in_folder("report.pdf"));
    rt_spool_free(s);
    rt_document_free(d);
    return rc;
}

/* The reader takes "1 / 3" for a letter-spaced "1/3". */
static char *text_of_file(void)
{
    char command[300];
    snprintf(command, sizeof command, "pdftotext -layout %s -", in_folder("report.pdf"));
    return output_of(command);
}

static int pages(void)
{
    char command[300];
    snprintf(command, sizeof command, "pdfinfo %s | sed -n 's/^Pages: *//p'", in_folder("report.pdf"));
    char *text = output_of(command);
    int n = atoi(text);
    free(text);
    return n;
}

static int occurrences(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

static void add_rows(struct rt_table *t, int n)
{
    char name[40];
    for (int i = 0; i < n; i++) {
        rt_table_row(t);
        put_text(t, (struct rt_str){ name, (size_t)snprintf(name, sizeof name, "Person %d", i + 1) });
        put_int(t, 1800 * i);
    }
}

static void a_page_says_what_it_is(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_document *d = sample();
    d->facts[0] = (struct rt_fact){ RT_STR("Focus time"), RT_STR("412.5 h") };
    d->n_facts = 1;
    add_rows(add_table(d, "Employees", columns, 2), 3);
    d->footer = RT_STR("Confidential");
    assert_int_equal(written(d, &no_source, &err), 0);
    char *text = text_of_file();
    static const char *const parts[] = {
        "Team report", "January 2025", "Focus time", "412.5 h",      "Employees",
        "Hours",       "Person 2",     "0.50",       "Confidential", "Generated 2025-01-20 09:00 UTC",
        "1/1"
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("no %s in %s", parts[i], text);
    free(text);
}

static void rows_go_over_pages_with_their_headings(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_document *d = sample();
    add_rows(add_table(d, "", columns, 2), 100);
    assert_int_equal(written(d, &no_source, &err), 0);
    char *text = text_of_file();
    assert_int_equal(pages(), 3);
    assert_int_equal(occurrences(text, "Employee"), 3);
    assert_int_equal(occurrences(text, "Person "), 100);
    assert_non_null(strstr(text, "3/3"));
    free(text);
}

static void the_same_document_is_the_same_file(void **state)
{
    (void)state;
    struct rt_buf files[2];
    for (int i = 0; i < 2; i++) {
        struct rt_spool *s = rt_spool_new(test_folder, 0);
        struct rt_document *d = sample();
        add_rows(add_table(d, "T", columns, 2), 20);
        assert_int_equal(rt_pdf_write(d, &no_source, fonts, s, NULL), 0);
        rt_buf_init(&files[i], 0);
        assert_int_equal(rt_spool_copy(s, &files[i], NULL), 0);
        rt_spool_free(s);
        rt_document_free(d);
    }
    assert_int_equal(files[0].len, files[1].len);
    assert_memory_equal(files[0].data, files[1].data, files[0].len);
    rt_buf_fini(&files[0]);
    rt_buf_fini(&files[1]);
}

static void hostile_text_is_only_text(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_document *d = sample();
    struct rt_table *t = add_table(d, "\xFF\x01", columns, 1);
    static const struct rt_str hostile[] = { RT_STR("<b>=cmd &amp;</b>"),
                                             RT_STR("a\0b"),
                                             RT_STR("\xFF\xFE"),
                                             RT_STR("over\ntwo\rlines"),
                                             RT_STR("\xE2\x80\xAE"
                                                    "evil"),
                                             RT_STR("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"),
                                             RT_STR("\xE6\x9D\x8E\xE5\xB0\x8F\xE9\xBE\x8D") };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        rt_table_row(t);
        put_text(t, hostile[i]);
    }
    char *longest = malloc(100000);
    memset(longest, 'W', 100000);
    rt_table_row(t);
    put_text(t, (struct rt_str){ longest, 100000 });
    free(longest);
    d->title = RT_STR("T\0\xFF\n");
    assert_int_equal(written(d, &no_source, &err), 0);
    char *text = text_of_file();
    assert_non_null(strstr(text, "<b>=cmd &amp;</b>"));
    assert_non_null(strstr(text, "over two lines"));
    assert_non_null(strstr(text, "WWWW\xE2\x80\xA6"));
    assert_int_equal(pages(), 1);
    free(text);
}

static void charts_take_any_numbers(void **state)
{
    (void)state;
    struct rt_str labels[RT_BARS_MAX];
    double many[RT_BARS_MAX];
    static double few[][3] = { { 0, 0, 0 },          { -1, -2, -3 },      { 1e300, -1e300, 5 },
                               { NAN, INFINITY, 1 }, { 0.001, 0, 0.002 }, { 1e-300, 0, -1e-300 } };
    for (int i = 0; i < RT_BARS_MAX; i++) {
        labels[i] = RT_STR("2025-01-20");
        many[i] = i % 7;
    }
    for (size_t i = 0; i <= sizeof few / sizeof *few; i++) {
        bool last = i == sizeof few / sizeof *few;
        struct rt_err err;
        struct rt_document *d = sample();
        d->chart =
            (struct rt_chart){ RT_STR("Hours"), RT_STR("h"), labels, last ? many : few[i], last ? RT_BARS_MAX : 3 };
        assert_int_equal(written(d, &no_source, &err), 0);
        char *text = text_of_file();
        assert_non_null(strstr(text, "2025-01-20"));
        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "inf"));
        free(text);
    }
}

static void an_empty_document_is_a_page(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_document *d = rt_document_new(RT_DOCUMENT_PDF);
    add_table(d, "", columns, 2);
    assert_int_equal(written(d, &no_source, &err), 0);
    assert_int_equal(pages(), 1);
}

static void many_columns_share_the_line(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_column wide[RT_COLUMNS_MAX];
    for (int i = 0; i < RT_COLUMNS_MAX; i++)
        wide[i] = (struct rt_column){ .title = RT_STR("A heading that is rather long"), .width = i == 0 ? 255 : 0 };
    struct rt_document *d = sample();
    struct rt_table *t = add_table(d, "", wide, RT_COLUMNS_MAX);
    rt_table_row(t);
    for (int i = 0; i < RT_COLUMNS_MAX; i++)
        put_int(t, i);
    assert_int_equal(written(d, &no_source, &err), 0);
    assert_int_equal(pages(), 1);
}

static void rows_are_bounded(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_document *d = sample();
    add_rows(add_table(d, "", columns, 2), 6000);
    add_rows(add_table(d, "", columns, 2), 6000);
    assert_int_equal(written(d, &no_source, &err), RT_E_LIMIT);
    assert_string_equal(err.msg, "a PDF has at most 10000 rows");
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct rt_err err;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 65536, before.rlim_max };
    struct rt_document *d = sample();
    add_rows(add_table(d, "", columns, 2), 10000);
    struct rt_spool *s = rt_spool_new(test_folder, 0);
    int fd;
    assert_int_equal(rt_spool_file(s, &fd, &err), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = rt_pdf_write(d, &no_source, fonts, s, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, RT_E_FULL);
    rt_spool_free(s);
    rt_document_free(d);
}

/* In a child that has not looked for fonts yet: run before anything else here does. */
static void no_fonts_is_a_clear_error(void **state)
{
    (void)state;
    int status;
    write_file(in_folder("fonts.conf"), "<?xml version=\"1.0\"?><fontconfig></fontconfig>");
    pid_t child = fork();
    if (child == 0) {
        struct rt_pdf_fonts *none;
        struct rt_err err;
        setenv("FONTCONFIG_FILE", in_folder("fonts.conf"), 1);
        bool said = rt_pdf_fonts_new(&none, &err) == RT_E_NOTFOUND && strstr(err.msg, "install fonts-dejavu-core");
        _exit(said ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int load_fonts(void **state)
{
    (void)state;
    return rt_pdf_fonts_new(&fonts, NULL);
}

static int free_fonts(void **state)
{
    (void)state;
    rt_pdf_fonts_free(fonts);
    return 0;
}

int main(void)
{
    const struct CMUnitTest first[] = { cmocka_unit_test(no_fonts_is_a_clear_error) };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_page_says_what_it_is, load_fonts),
        cmocka_unit_test(rows_go_over_pages_with_their_headings),
        cmocka_unit_test(the_same_document_is_the_same_file),
        cmocka_unit_test(hostile_text_is_only_text),
        cmocka_unit_test(charts_take_any_numbers),
        cmocka_unit_test(an_empty_document_is_a_page),
        cmocka_unit_test(many_columns_share_the_line),
        cmocka_unit_test(rows_are_bounded),
        cmocka_unit_test_teardown(a_full_disk_is_told, free_fonts),
    };
    int failed = cmocka_run_group_tests(first, make_test_folder, remove_test_folder);
    return failed + cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
