/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket of the commands: who may come, one line, one answer, deep folders, what a dead process left. */
#include <pthread.h>
#include <pwd.h>
#include <sys/socket.h>

#include "db_fixture.h"
#include "server/control.h"

static struct rt_control *c;

static int fresh(void **state) { return make_test_folder(state) ? -1 : rt_control_open(test_folder, &c, NULL); }

static int done(void **state)
{
    rt_control_close(c);
    return remove_test_folder(state);
}

struct asking {
    const char *folder, *line;
    int rc, status;
    struct rt_buf text;
    struct rt_err err;
};

static void *ask(void *arg)
{
    struct asking *a = arg;
    rt_buf_init(&a->text, 0);
    a->rc = rt_control_ask(a->folder, a->line, &a->status, &a->text, &a->err);
    return NULL;
}

/* Takes the next request; accepting does not wait, asking may not have begun. */
static void take(struct rt_control *from, struct rt_control_request *q)
{
    while (!rt_control_take(from, q))
        usleep(1000);
}

static void a_line_and_its_answer(void **state)
{
    struct asking a = { .folder = test_folder, .line = "status --json" };
    struct rt_control_request q;
    pthread_t t;
    char *text = malloc(300000);
    (void)state;
    memset(text, 'x', 300000);
    pthread_create(&t, NULL, ask, &a);
    take(c, &q);
    assert_string_equal(q.line, "status --json");
    assert_int_equal(q.n, 13);
    assert_string_equal(q.who, getpwuid(getuid())->pw_name);
    rt_control_answer(&q, 3, text, 300000);
    pthread_join(t, NULL);
    assert_int_equal(a.rc, 0);
    assert_int_equal(a.status, 3);
    assert_int_equal(a.text.len, 300000);
    rt_buf_fini(&a.text);
    free(text);
}

static void for_its_owner_only(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(lstat(in_folder("perigee.sock"), &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void nobody_is_there(void **state)
{
    struct asking a = { .folder = test_folder, .line = "status" };
    (void)state;
    rt_control_close(c);
    c = NULL;
    assert_int_equal(access(in_folder("perigee.sock"), F_OK), -1);
    ask(&a);
    assert_int_equal(a.rc, RT_E_NOTFOUND);
    assert_non_null(strstr(a.err.msg, test_folder));
    a.folder = "/nonexistent";
    ask(&a);
    assert_int_equal(a.rc, RT_E_NOTFOUND);
    assert_non_null(strstr(a.err.msg, "/nonexistent"));
}

static void what_a_dead_process_left(void **state)
{
    struct rt_control *again;
    (void)state;
    assert_int_equal(rt_control_open(test_folder, &again, NULL), 0); /* the file of the first one is replaced */
    rt_control_close(c);
    c = NULL;
    rt_control_close(again);
    assert_int_equal(access(in_folder("perigee.sock"), F_OK), -1);
}

static void a_deep_folder(void **state)
{
    char deep[1000];
    struct rt_control *far;
    struct rt_control_request q;
    struct asking a = { .folder = deep, .line = "reload" };
    pthread_t t;
    (void)state;
    snprintf(deep, sizeof deep, "%s", test_folder);
    for (int i = 0; i < 6; i++) {
        strcat(deep, "/a-folder-with-quite-a-long-name-of-its-own");
        assert_int_equal(mkdir(deep, 0700), 0);
    }
    assert_int_equal(rt_control_open(deep, &far, NULL), 0);
    pthread_create(&t, NULL, ask, &a);
    take(far, &q);
    rt_control_answer(&q, 0, "", 0);
    pthread_join(t, NULL);
    assert_int_equal(a.rc, 0);
    rt_buf_fini(&a.text);
    rt_control_close(far);
}

static void who_hangs_up(void **state)
{
    struct rt_control_request q;
    int fd;
    (void)state;
    assert_false(rt_control_take(c, &q));
    assert_int_equal(rt_control_connect(test_folder, &fd, NULL), 0);
    assert_int_equal(write(fd, "relo", 4), 4);
    close(fd);
    assert_false(rt_control_take(c, &q));
    assert_int_equal(rt_control_connect(test_folder, &fd, NULL), 0);
    assert_int_equal(write(fd, "reload\n", 7), 7);
    close(fd);
    assert_true(rt_control_take(c, &q));
    rt_control_answer(&q, 0, "nobody reads this", 17); /* no signal ends the process */
}

static void a_line_that_is_too_long(void **state)
{
    static char line[RT_CONTROL_LINE_MAX + 2];
    struct rt_control_request q;
    int fd;
    (void)state;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    assert_int_equal(rt_control_connect(test_folder, &fd, NULL), 0);
    assert_int_equal(send(fd, line, sizeof line, 0), sizeof line);
    assert_false(rt_control_take(c, &q));
    close(fd);
}

static void the_server_goes_before_it_answers(void **state)
{
    struct asking a = { .folder = test_folder, .line = "reload" };
    struct rt_control_request q;
    pthread_t t;
    (void)state;
    pthread_create(&t, NULL, ask, &a);
    take(c, &q);
    close(q.fd);
    free(q.line);
    pthread_join(t, NULL);
    assert_int_equal(a.rc, RT_E_IO);
    rt_buf_fini(&a.text);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_line_and_its_answer), CASE(for_its_owner_only),       CASE(nobody_is_there),
        CASE(what_a_dead_process_left), CASE(a_deep_folder),         CASE(who_hangs_up),
        CASE(a_line_that_is_too_long),  CASE(the_server_goes_before_it_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
