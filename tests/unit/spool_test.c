/* SPDX-License-Identifier: Apache-2.0
 *
 * The spool: when it leaves memory, what it leaves on disk (nothing), what a full disk does. */
#include "db_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "report/spool.h"

static int files_in(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void fill(struct rt_spool *s, size_t n)
{
    char block[4096];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)('a' + i % 26);
    for (size_t at = 0; at < n; at += sizeof block)
        assert_int_equal(rt_spool_write(s, block, n - at < sizeof block ? n - at : sizeof block, NULL), 0);
}

static void assert_content(struct rt_spool *s, size_t n)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    assert_int_equal(rt_spool_copy(s, &b, NULL), 0);
    assert_int_equal(b.len, n);
    for (size_t i = 0; i < n; i += 997)
        assert_int_equal(b.data[i], 'a' + i % 4096 % 26);
    rt_buf_fini(&b);
}

static void a_small_file_stays_in_memory(void **state)
{
    (void)state;
    struct rt_spool *s = rt_spool_new("/no/such/folder", 0);
    assert_content(s, 0);
    fill(s, RT_SPOOL_MEMORY);
    assert_true(rt_spool_in_memory(s));
    assert_int_equal(rt_spool_size(s), RT_SPOOL_MEMORY);
    assert_int_equal(rt_spool_take_file(s), -1);
    assert_content(s, RT_SPOOL_MEMORY);
    assert_int_equal(rt_spool_settle(s, NULL), 0);
    rt_spool_free(s);
}

static void a_large_one_is_a_file_without_a_name(void **state)
{
    (void)state;
    struct rt_spool *s = rt_spool_new(test_folder, 0);
    struct stat st;
    fill(s, RT_SPOOL_MEMORY + 5000);
    assert_false(rt_spool_in_memory(s));
    assert_int_equal(files_in(test_folder), 0);
    assert_content(s, RT_SPOOL_MEMORY + 5000);
    int fd = rt_spool_take_file(s);
    struct rt_err err;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    assert_true(fd >= 0);
    assert_int_equal(rt_spool_copy(s, &b, &err), RT_E_NOTFOUND);
    assert_string_equal(err.msg, "the file was sent already");
    assert_int_equal(rt_spool_write(s, "x", 1, &err), RT_E_NOTFOUND);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    rt_spool_free(s);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, RT_SPOOL_MEMORY + 5000);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 0);
    close(fd);
}

static void what_a_library_wrote_is_taken_over(void **state)
{
    (void)state;
    struct rt_spool *s = rt_spool_new(test_folder, 0);
    int fd;
    assert_int_equal(rt_spool_write(s, "ab", 2, NULL), 0);
    assert_int_equal(rt_spool_file(s, &fd, NULL), 0);
    assert_int_equal(write(fd, "cd", 2), 2);
    assert_int_equal(rt_spool_settle(s, NULL), 0);
    assert_true(rt_spool_in_memory(s));
    struct rt_buf b;
    rt_buf_init(&b, 0);
    assert_int_equal(rt_spool_copy(s, &b, NULL), 0);
    assert_string_equal(rt_buf_cstr(&b), "abcd");
    rt_buf_fini(&b);
    rt_spool_free(s);
}

static void lengths_are_bounded(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_buf b;
    struct rt_spool *s = rt_spool_new(test_folder, 3000000);
    fill(s, 3000000);
    rt_buf_init(&b, 2000000);
    assert_int_equal(rt_spool_copy(s, &b, &err), RT_E_LIMIT);
    rt_buf_fini(&b);
    assert_int_equal(rt_spool_write(s, "x", 1, &err), RT_E_LIMIT);
    assert_string_equal(err.msg, "the file is longer than 3000000 bytes");
    assert_int_equal(rt_spool_write(s, "", 0, &err), RT_E_LIMIT);
    rt_spool_free(s);
}

static void a_missing_folder_is_an_error(void **state)
{
    (void)state;
    struct rt_err err;
    struct rt_spool *s = rt_spool_new(in_folder("gone"), 0);
    fill(s, RT_SPOOL_MEMORY);
    assert_int_equal(rt_spool_write(s, "x", 1, &err), RT_E_IO);
    assert_int_equal(rt_spool_write(s, "x", 1, &err), RT_E_IO);
    rt_spool_free(s);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct rlimit before, small = { 2 << 20, RLIM_INFINITY };
    struct rt_err err;
    char block[65536] = "";
    int rc = 0;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct rt_spool *s = rt_spool_new(test_folder, 0);
    for (int i = 0; rc == 0 && i < 100; i++)
        rc = rt_spool_write(s, block, sizeof block, &err);
    assert_int_equal(rc, RT_E_FULL);
    rt_spool_free(s);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(files_in(test_folder), 0);
}

static void its_folder_begins_empty(void **state)
{
    (void)state;
    const char *folder = in_folder("tmp");
    struct stat st;
    struct rt_err err;
    assert_int_equal(rt_spool_folder(folder, NULL), 0);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    write_file(in_folder("tmp/left"), "over");
    assert_int_equal(rt_spool_folder(folder, NULL), 0);
    assert_int_equal(files_in(folder), 0);
    assert_int_equal(rt_spool_folder(in_folder("a/b"), &err), RT_E_IO);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_file_stays_in_memory),
        cmocka_unit_test(a_large_one_is_a_file_without_a_name),
        cmocka_unit_test(what_a_library_wrote_is_taken_over),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(a_missing_folder_is_an_error),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(its_folder_begins_empty),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
