/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a report from its tape and from queries; values as numbers and as text; text cleaned. */
#include "report_fixture.h"

#include <math.h>

#include "base/clock.h"
#include "report/csv.h"
#include "report/report_internal.h"

static const struct rt_column three[] = { { .title = { "a", 1 } }, { .title = { "b", 1 } }, { .title = { "c", 1 } } };

static struct rt_conn *sample(void)
{
    struct rt_conn *c = open_conn(in_folder("rows.db"), RT_CONN_WRITE);
    run_sql(c, "DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, done INTEGER, at INTEGER);"
               "INSERT INTO t VALUES (1,'one',0,NULL),(2,'=two',1,1737363600),(3,NULL,1,0)");
    rt_conn_close(c);
    return open_conn(in_folder("rows.db"), RT_CONN_READ);
}

/* The document's rows as CSV, or the error. */
static char *rows_text(struct rt_document *d, const struct rt_source *source)
{
    struct rt_err err = { 0 };
    struct rt_buf b;
    size_t n;
    struct rt_spool *s = rt_spool_new(test_folder, 0);
    rt_buf_init(&b, 0);
    if (rt_csv_write(d, source, s, &err))
        rt_buf_printf(&b, "%s: %s", rt_code_name(err.code), err.msg);
    else
        assert_int_equal(rt_spool_copy(s, &b, NULL), 0);
    rt_buf_putc(&b, '\0');
    rt_spool_free(s);
    rt_document_free(d);
    return rt_buf_take(&b, &n);
}

static void assert_rows(struct rt_document *d, const struct rt_source *source, const char *expected)
{
    char *text = rows_text(d, source);
    assert_string_equal(text, expected);
    free(text);
}

static void rows_and_queries_in_order(void **state)
{
    (void)state;
    struct rt_source source = { .conn = sample() };
    struct rt_document *d = rt_document_new(RT_DOCUMENT_CSV);
    struct rt_table *t = add_table(d, "", three, 3);
    rt_table_row(t);
    put_text(t, RT_STR("x"));
    put_double(t, 2.5);
    rt_table_cell(t, &(struct rt_cell){ .kind = RT_CELL_BOOL, .i = 1 });
    rt_table_query(d, t, RT_STR("SELECT id, name, at AS \"at:time\" FROM t WHERE id < ? ORDER BY id"), false, 1);
    put_int(t, 3);
    rt_table_query(d, t, RT_STR("SELECT done AS \"c:bool\", id AS a FROM t WHERE name = ?"), true, 1);
    put_text(t, RT_STR("=two"));
    rt_table_row(t);
    for (int i = 0; i < 3; i++)
        rt_table_cell(t, &(struct rt_cell){ .kind = RT_CELL_EMPTY });
    assert_true(d->queries);
    assert_rows(d, &source, "a,b,c\r\nx,2.5,true\r\n1,one,\r\n2,'=two,2025-01-20T09:00:00Z\r\n2,,true\r\n,,\r\n");
    rt_conn_close(source.conn);
}

static char *query_error(const struct rt_source *source, struct rt_str sql, bool by_name, unsigned params)
{
    struct rt_document *d = rt_document_new(RT_DOCUMENT_CSV);
    struct rt_table *t = add_table(d, "", three, 3);
    rt_table_query(d, t, sql, by_name, params);
    for (unsigned i = 0; i < params; i++)
        put_int(t, 1);
    return rows_text(d, source);
}

static void wrong_queries_are_explained(void **state)
{
    (void)state;
    struct rt_source source = { .conn = sample() };
    static const struct {
        const char *sql, *says;
        bool by_name;
        unsigned params;
    } all[] = {
        { "SELECT 1, 2", "invalid: a query with 2 columns for a table with 3", false, 0 },
        { "SELECT 1 AS z", "invalid: a query has the column z, the table does not", true, 0 },
        { "SELECT 1, 2, ?", "invalid: 0 values for 1 placeholders in: SELECT 1, 2, ?", false, 0 },
        { "SELECT 1, 2, 3", "invalid: 2 values for 0 placeholders in: SELECT 1, 2, 3", false, 2 },
        { "DELETE FROM t RETURNING id, name, at", "invalid: a report only reads", false, 0 },
        { "SELECT missing", "invalid: no such column: missing", false, 0 },
        { "PRAGMA user_version", "denied: ", false, 0 },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char *text = query_error(&source, rt_str_of(all[i].sql), all[i].by_name, all[i].params);
        if (!strstr(text, all[i].says))
            fail_msg("%s: %s", all[i].sql, text);
        free(text);
    }
    assert_int_equal(int_of(source.conn, "SELECT count(*) FROM t"), 3);
    rt_conn_close(source.conn);
}

static void long_work_is_ended(void **state)
{
    (void)state;
    static const struct rt_str endless =
        RT_STR("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, i, i FROM n");
    atomic_bool stop = true;
    struct rt_source source = { .conn = sample(), .stop = &stop };
    char *text = query_error(&source, endless, false, 0);
    assert_string_equal(text, "interrupted: the server stops");
    free(text);
    source.stop = NULL;
    source.deadline_ns = rt_mono_ns() + 20000000;
    text = query_error(&source, endless, false, 0);
    assert_string_equal(text, "interrupted: the report took too long");
    free(text);
    text = query_error(&source,
                       RT_STR("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                              "SELECT max(i), 1, 1 FROM n"),
                       false, 0);
    assert_string_equal(text, "interrupted: the report took too long");
    free(text);
    rt_conn_close(source.conn);
}

static void assert_shown(const struct rt_cell c, enum rt_column_type type, const char *expected)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    report__show(&c, type, rt_zone_find("Asia/Kathmandu", 14), &b);
    assert_string_equal(rt_buf_cstr(&b), expected);
    rt_buf_fini(&b);
}

#define INT(v)  ((struct rt_cell){ .kind = RT_CELL_INT, .i = (v) })
#define DBL(v)  ((struct rt_cell){ .kind = RT_CELL_DOUBLE, .d = (v) })
#define TIME(v) ((struct rt_cell){ .kind = RT_CELL_TIME, .i = (v) })
#define TEXT(v) ((struct rt_cell){ .kind = RT_CELL_TEXT, .s = RT_STR(v) })

static void values_as_people_read_them(void **state)
{
    (void)state;
    assert_shown(INT(1234567), RT_COLUMN_INTEGER, "1,234,567");
    assert_shown(INT(123), RT_COLUMN_INTEGER, "123");
    assert_shown(INT(-1000), RT_COLUMN_INTEGER,
                 "\xE2\x88\x92"
                 "1,000");
    assert_shown(INT(1234567), RT_COLUMN_ANY, "1234567");
    assert_shown(DBL(-0.001), RT_COLUMN_NUMBER, "0.00");
    assert_shown(DBL(1234.5), RT_COLUMN_NUMBER, "1,234.50");
    assert_shown(INT(5400), RT_COLUMN_HOURS, "1.50");
    assert_shown(DBL(0.125), RT_COLUMN_PERCENT, "12.5%");
    assert_shown(DBL(NAN), RT_COLUMN_NUMBER, "");
    assert_shown(TEXT("n/a"), RT_COLUMN_NUMBER, "n/a");
    assert_shown(TEXT("2025-02-03"), RT_COLUMN_DATE, "2025-02-03");
    assert_shown(INT(1737398400), RT_COLUMN_DATE, "2025-01-21");
    assert_shown(TIME(1737363600), RT_COLUMN_ANY, "2025-01-20 14:45");
    assert_shown(TEXT("2025-01-20T09:00:00Z"), RT_COLUMN_TIME, "2025-01-20 14:45");
    assert_shown(TEXT("soon"), RT_COLUMN_TIME, "soon");
    assert_shown((struct rt_cell){ .kind = RT_CELL_EMPTY }, RT_COLUMN_HOURS, "");
}

static void values_as_numbers(void **state)
{
    (void)state;
    const struct rt_zone *utc = rt_zone_utc();
    struct rt_cell c = INT(0);
    double v;
    assert_true(report__number(&c, RT_COLUMN_DATE, utc, &v) && v == 25569);
    c = TEXT("2025-01-20T12:00:00Z");
    assert_true(report__number(&c, RT_COLUMN_TIME, utc, &v) && v == 45677.5);
    assert_true(report__number(&c, RT_COLUMN_DATE, utc, &v) && v == 45677);
    c = TEXT("1900-02-28"); /* before spreadsheets' calendar is right */
    assert_false(report__number(&c, RT_COLUMN_DATE, utc, &v));
    c = INT(5400);
    assert_true(report__number(&c, RT_COLUMN_HOURS, utc, &v) && v == 1.5);
    assert_false(report__number(&c, RT_COLUMN_TEXT, utc, &v));
    c = INT((1LL << 53) + 1);
    assert_false(report__number(&c, RT_COLUMN_INTEGER, utc, &v));
    c = TEXT("5");
    assert_false(report__number(&c, RT_COLUMN_INTEGER, utc, &v));
    c = DBL(INFINITY);
    assert_false(report__number(&c, RT_COLUMN_NUMBER, utc, &v));
}

static void assert_clean(struct rt_str s, size_t max, bool one_line, const char *expected)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    report__clean(&b, s, max, one_line);
    assert_string_equal(rt_buf_cstr(&b), expected);
    rt_buf_fini(&b);
}

static void text_that_every_reader_takes(void **state)
{
    (void)state;
    assert_clean(RT_STR("plain"), 99, true, "plain");
    assert_clean(RT_STR("a\r\nb\rc\td"), 99, false, "a\nb\nc\td");
    assert_clean(RT_STR("a\r\nb\tc\xE2\x80\xA8"
                        "d"),
                 99, true, "a b c d");
    assert_clean(RT_STR("a\0b\x01\x7F"), 99, true,
                 "a\xEF\xBF\xBD"
                 "b\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_clean(RT_STR("\xFF\xC3"), 99, true, "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_clean(RT_STR("\xED\xA0\x80|\xC2\x85|\xEF\xBF\xBF"), 99, true,
                 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD");
    assert_clean(RT_STR("abcdef"), 6, true, "abcdef");
    assert_clean(RT_STR("abcdefg"), 6, true, "abcde\xE2\x80\xA6");
    assert_clean(RT_STR("a\xF0\x9F\x8D\x85"
                        "b"),
                 3, true, "a\xE2\x80\xA6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_queries_in_order), cmocka_unit_test(wrong_queries_are_explained),
        cmocka_unit_test(long_work_is_ended),        cmocka_unit_test(values_as_people_read_them),
        cmocka_unit_test(values_as_numbers),         cmocka_unit_test(text_that_every_reader_takes),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
