/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of a write connection: what is collected and when it is in the file. A second descriptor looks at the file
 * as another connection would. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "db/db_internal.h"
#include "db_fixture.h"

static sqlite3_file *file;
static int look = -1;

static int open_log(void **state)
{
    static char path[256];    /* the file keeps it */
    if (make_test_folder(state))
        return -1;
    rt_conn_close(open_conn(":memory:", RT_CONN_WRITE));    /* the engine is up */
    sqlite3_vfs *vfs = sqlite3_vfs_find(DB_LOG_VFS);
    assert_non_null(vfs);
    write_file(in_folder("x.db"), "");    /* whose mode the log takes */
    snprintf(path, sizeof path, "%s/x.db-wal", test_folder);
    file = calloc(1, (size_t)vfs->szOsFile);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL;
    if (vfs->xOpen(vfs, path, file, flags, &flags))
        return -1;
    look = open(path, O_RDONLY);
    return look < 0;
}

static int close_log(void **state)
{
    int rc = file->pMethods ? file->pMethods->xClose(file) : 0;
    free(file);
    close(look);
    return rc ? rc : remove_test_folder(state);
}

static void put(const char *text, int at)
{
    assert_int_equal(file->pMethods->xWrite(file, text, (int)strlen(text), at), SQLITE_OK);
}

static void sync_log(void) { assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK); }

static void file_has(const char *text)
{
    char got[64] = "";
    assert_int_equal(pread(look, got, sizeof got - 1, 0), (ssize_t)strlen(text));
    assert_string_equal(got, text);
}

static void pieces_come_out_with_the_sync(void **state)
{
    (void)state;
    put("head ", 0);
    put("page ", 5);
    put("head2", 10);
    file_has("");
    sync_log();
    file_has("head page head2");
    put("!", 15);
    sync_log();
    file_has("head page head2!");
}

static void the_writer_reads_what_it_collected(void **state)
{
    char got[8] = "";
    (void)state;
    put("abcdef", 0);
    assert_int_equal(file->pMethods->xRead(file, got, 3, 2), SQLITE_OK);
    assert_string_equal(got, "cde");
    sqlite3_int64 size = 0;
    put("gh", 6);
    assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    assert_int_equal(size, 8);
}

static void a_write_elsewhere_brings_out_the_former(void **state)
{
    (void)state;
    put("abcdef", 0);
    put("XY", 2);
    file_has("abcdef");
    put("Z", 5);
    file_has("abXYef");
    assert_int_equal(file->pMethods->xTruncate(file, 4), SQLITE_OK);
    file_has("abXY");
}

static void more_than_it_collects_at_once(void **state)
{
    enum { PIECE = 5000, PIECES = 200, BIG = 127 << 10 };
    static char piece[PIECE], big[BIG], got[PIECE];
    struct stat st;
    (void)state;
    for (int i = 0; i < PIECES; i++) {
        memset(piece, 'a' + i % 26, PIECE);
        assert_int_equal(file->pMethods->xWrite(file, piece, PIECE, (sqlite3_int64)i * PIECE), SQLITE_OK);
    }
    memset(big, '+', BIG);
    assert_int_equal(file->pMethods->xWrite(file, big, BIG, PIECE * PIECES), SQLITE_OK);
    sync_log();
    fstat(look, &st);
    assert_int_equal(st.st_size, PIECE * PIECES + BIG);
    for (int i = 0; i < PIECES; i++) {
        memset(piece, 'a' + i % 26, PIECE);
        assert_int_equal(pread(look, got, PIECE, (off_t)i * PIECE), PIECE);
        assert_memory_equal(got, piece, PIECE);
    }
}

/* The error comes with the sync, which is before the commit; what could not be written is not tried again. */
static void an_error_is_that_of_the_sync(void **state)
{
    struct rlimit old, small;
    (void)state;
    put("kept", 0);
    sync_log();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 4;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    put("lost", 4);
    int rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_not_equal(rc, SQLITE_OK);
    sync_log();
    file_has("kept");
    put("more", 4);
    sync_log();
    file_has("keptmore");
}

static void closing_brings_out_the_rest(void **state)
{
    (void)state;
    put("rest", 0);
    file_has("");
    assert_int_equal(file->pMethods->xClose(file), SQLITE_OK);
    file_has("rest");
    file->pMethods = NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_log, close_log)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_come_out_with_the_sync),
        TEST(the_writer_reads_what_it_collected),
        TEST(a_write_elsewhere_brings_out_the_former),
        TEST(more_than_it_collects_at_once),
        TEST(an_error_is_that_of_the_sync),
        TEST(closing_brings_out_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
