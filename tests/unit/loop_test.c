/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop: messages of other threads, the hook before sleep, alarms, watched descriptors. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "loop/loop.h"
#include "unit.h"

enum { THREADS = 4, EACH = 5000 };

static struct rt_loop *loop;

static int fresh(void **state)
{
    (void)state;
    return rt_loop_new(&loop, NULL);
}

static int done(void **state)
{
    (void)state;
    rt_loop_free(loop);
    return 0;
}

struct letter {
    struct rt_message message;
    int thread, number;
};

static struct letter letters[THREADS][EACH];
static pthread_t loop_thread;
static int last[THREADS], received, disordered, elsewhere;

static void receive(struct rt_message *m)
{
    struct letter *l = (struct letter *)m;
    elsewhere += !pthread_equal(pthread_self(), loop_thread);
    disordered += l->number != last[l->thread]++;
    if (++received == THREADS * EACH)
        rt_loop_stop(loop);
}

static void *post_all(void *arg)
{
    int t = (int)(intptr_t)arg;
    for (int i = 0; i < EACH; i++) {
        letters[t][i] = (struct letter){ .message.run = receive, .thread = t, .number = i };
        rt_loop_post(loop, &letters[t][i].message);
    }
    return NULL;
}

static void messages_of_threads_arrive_once_in_order(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    loop_thread = pthread_self();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, (void *)(intptr_t)i), 0);
    rt_loop_run(loop);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(received, THREADS * EACH);
    assert_int_equal(disordered, 0);
    assert_int_equal(elsewhere, 0);
}

static int rounds, posted_rounds;

static void stop_now(struct rt_message *m)
{
    (void)m;
    rt_loop_stop(loop);
}

static void again(struct rt_message *m)
{
    if (++posted_rounds == 3)
        m->run = stop_now;
    rt_loop_post(loop, m);    /* a message may be posted again from its own run */
}

static void count_round(void *arg)
{
    (*(int *)arg)++;
}

static void the_hook_runs_before_each_sleep(void **state)
{
    struct rt_message m = { .run = again };
    (void)state;
    rounds = posted_rounds = 0;
    rt_loop_each(loop, count_round, &rounds);
    rt_loop_post(loop, &m);
    rt_loop_run(loop);
    assert_int_equal(posted_rounds, 3);
    assert_true(rounds >= 3);
}

struct bell {
    struct rt_alarm *alarm;
    int rings;
};

static void ring(void *arg)
{
    struct bell *b = arg;
    if (++b->rings == 3)
        rt_loop_stop(loop);
    else
        rt_alarm_set(b->alarm, 1);
}

static void never(void *arg)
{
    (void)arg;
    fail_msg("a cleared alarm rang");
}

static void alarms_ring_once_and_can_be_set_again(void **state)
{
    struct bell b = { 0 };
    struct rt_alarm *cleared;
    (void)state;
    assert_int_equal(rt_alarm_new(loop, ring, &b, &b.alarm, NULL), 0);
    assert_int_equal(rt_alarm_new(loop, never, NULL, &cleared, NULL), 0);
    rt_alarm_set(cleared, 0);
    rt_alarm_clear(cleared);
    rt_alarm_set(b.alarm, 60000);
    rt_alarm_set(b.alarm, 0);    /* the later call counts */
    rt_loop_run(loop);
    assert_int_equal(b.rings, 3);
    rt_alarm_free(b.alarm);
    rt_alarm_free(cleared);
    rt_alarm_free(NULL);
}

struct reader {
    int fd, calls;
};

static void read_one(void *arg)
{
    struct reader *r = arg;
    char c;
    assert_int_equal(read(r->fd, &c, 1), 1);
    if (++r->calls == 3)
        rt_loop_stop(loop);
}

static void a_watch_fires_while_there_is_something_to_read(void **state)
{
    int fds[2];
    struct reader r = { 0 };
    struct rt_watch *watch;
    (void)state;
    assert_int_equal(pipe(fds), 0);
    r.fd = fds[0];
    assert_int_equal(rt_watch_new(loop, fds[0], read_one, &r, &watch, NULL), 0);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    rt_loop_run(loop);
    assert_int_equal(r.calls, 3);
    rt_watch_free(watch);
    close(fds[0]);
    close(fds[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_of_threads_arrive_once_in_order),
        TEST(the_hook_runs_before_each_sleep),
        TEST(alarms_ring_once_and_can_be_set_again),
        TEST(a_watch_fires_while_there_is_something_to_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
