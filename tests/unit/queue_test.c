/* SPDX-License-Identifier: Apache-2.0
 *
 * Sharing out the slots: turns, caps, and that neither failing nor slow receivers take what others need. */
#include <stdlib.h>

#include "outbox/queue.h"
#include "unit.h"

enum { SLOTS = 16, EACH = 4, APPS = 2, ITEMS = 4096 };

static struct rt_queue *q;
static struct rt_queue_item items[ITEMS];
static int n_items, dropped;
static int64_t clock_ms;

static int fresh(void **state)
{
    (void)state;
    q = rt_queue_new(APPS, SLOTS, EACH);
    n_items = dropped = 0;
    clock_ms = 1000;
    return q ? 0 : -1;
}

static void drop(struct rt_queue_item *item)
{
    (void)item;
    dropped++;
}

static int done(void **state)
{
    (void)state;
    rt_queue_free(q, drop);
    return 0;
}

static void due(int app, int64_t endpoint) { assert_int_equal(rt_queue_due(q, app, endpoint, 0), 0); }

static struct rt_queue_item *begin(int app, int64_t endpoint)
{
    struct rt_queue_item *i = &items[n_items];
    *i = (struct rt_queue_item){ .app = app, .endpoint = endpoint, .seq = ++n_items };
    rt_queue_begin(q, i, clock_ms);
    return i;
}

/* Takes a turn and begins all that it may. How many; the endpoint in *ret. */
static int turn(int64_t *ret, bool more)
{
    int app, room;
    rt_queue_advance(q, clock_ms, clock_ms);
    if (!rt_queue_next(q, &app, ret, &room))
        return 0;
    for (int i = 0; i < room; i++)
        begin(app, *ret);
    rt_queue_end_turn(q, more);
    return room;
}

static void end(struct rt_queue_item *i, bool failed, int64_t latency)
{
    rt_queue_ended(q, i, failed, latency);
    rt_queue_done(q, i);
}

/* One delivery that works makes an endpoint a good one. */
static void make_good(int app, int64_t endpoint)
{
    int64_t id;
    due(app, endpoint);
    assert_int_equal(turn(&id, false), 1);
    assert_int_equal(id, endpoint);
    end(&items[n_items - 1], false, 5);
}

static void a_new_one_has_one_and_a_good_one_four(void **state)
{
    int64_t id;
    (void)state;
    make_good(0, 7);
    due(0, 7);
    assert_int_equal(turn(&id, true), EACH);
    assert_int_equal(turn(&id, true), 0);
    end(&items[1], false, 5);
    assert_int_equal(turn(&id, true), 1);
    end(&items[2], true, 5);                /* failed: it has three and may have one */
    assert_int_equal(turn(&id, true), 0);
    for (int i = 3; i < 5; i++)
        end(&items[i], true, 5);
    assert_int_equal(turn(&id, true), 0);
    end(&items[5], true, 5);
    assert_int_equal(turn(&id, true), 1);
}

static void due_when_its_time_has_come(void **state)
{
    int64_t id;
    (void)state;
    rt_queue_due(q, 0, 1, 5000);
    rt_queue_due(q, 0, 2, 3000);
    rt_queue_due(q, 0, 1, 4000);
    assert_int_equal(rt_queue_advance(q, 2999, 0), 3000);
    assert_int_equal(turn(&id, false), 0);
    clock_ms = 3000;
    assert_int_equal(turn(&id, false), 1);
    assert_int_equal(id, 2);
    assert_int_equal(rt_queue_advance(q, 3000, 0), 4000);
    clock_ms = 4000;
    assert_int_equal(turn(&id, false), 1);
    assert_int_equal(id, 1);
    assert_true(rt_queue_advance(q, 4000, 0) == INT64_MAX);
}

static void endpoints_and_apps_take_turns(void **state)
{
    int64_t order[6];
    (void)state;
    for (int64_t i = 1; i <= 5; i++)
        due(0, i);
    due(1, 100);
    for (int i = 0; i < 6; i++)
        assert_int_equal(turn(&order[i], false), 1);
    assert_true(order[0] == 100 || order[1] == 100);    /* it does not wait for all five of the other app */
    for (int i = 0, last = 0; i < 6; i++) {
        if (order[i] == 100)
            continue;
        assert_true(order[i] > last);
        last = (int)order[i];
    }
}

static void new_and_failing_ones_have_half_of_the_slots(void **state)
{
    int64_t id;
    int begun = 0;
    (void)state;
    make_good(0, 1);
    for (int64_t i = 1000; i < 1100; i++)
        due(1, i);
    while (turn(&id, true))
        begun++;
    assert_int_equal(begun, SLOTS / 2);
    due(0, 1);
    assert_int_equal(turn(&id, true), EACH);
    assert_int_equal(id, 1);
    assert_int_equal(turn(&id, true), 0);
    end(&items[1], true, 5);
    assert_int_equal(turn(&id, true), 1);
    assert_true(id >= 1000);
}

static void what_gets_slow_makes_room(void **state)
{
    int64_t id;
    (void)state;
    for (int64_t i = 1; i <= 4; i++)
        make_good(0, i);
    for (int64_t i = 1; i <= 3; i++)
        due(0, i);
    assert_int_equal(turn(&id, true), EACH);
    assert_int_equal(turn(&id, true), EACH);
    due(0, 4);
    assert_int_equal(turn(&id, true), 0);    /* all slots of good ones are taken */
    assert_int_equal(rt_queue_patience(q, clock_ms), RT_QUEUE_SLOW_MS);
    clock_ms += RT_QUEUE_SLOW_MS;
    assert_int_equal(rt_queue_patience(q, clock_ms), 0);
    assert_int_equal(turn(&id, true), EACH);
    assert_int_equal(turn(&id, true), EACH); /* 3 and 4 */
    assert_int_equal(id, 4);
    for (int i = 4; i < 12; i++)
        end(&items[i], false, RT_QUEUE_SLOW_MS);
    due(0, 1);
    assert_int_equal(turn(&id, false), EACH); /* slow ones have four, too, among the others */
    assert_int_equal(id, 1);
}

static void never_more_than_twice_the_slots(void **state)
{
    int64_t id;
    int begun = 0;
    (void)state;
    for (int64_t i = 1; i <= 50; i++)
        make_good(0, i);
    for (int64_t i = 1; i <= 50; i++)
        due(0, i);
    for (int round = 0; round < 20; round++) {
        for (int n; (n = turn(&id, true)) > 0;)
            begun += n;
        clock_ms += RT_QUEUE_SLOW_MS;
    }
    assert_int_equal(begun, 2 * SLOTS);
}

static void rows_are_held_until_they_are_recorded(void **state)
{
    int64_t id;
    (void)state;
    due(0, 1);
    assert_int_equal(turn(&id, true), 1);
    assert_true(rt_queue_holds(q, 0, 1, 1));
    assert_false(rt_queue_holds(q, 1, 1, 1));
    rt_queue_ended(q, &items[0], false, 5);
    assert_true(rt_queue_holds(q, 0, 1, 1));
    assert_int_equal(rt_queue_held(q, 0, 1), 1);
    rt_queue_done(q, &items[0]);
    assert_false(rt_queue_holds(q, 0, 1, 1));
    assert_int_equal(rt_queue_held(q, 0, 1), 0);
}

static void what_is_not_done_is_dropped_in_the_end(void **state)
{
    int64_t id;
    (void)state;
    make_good(0, 1);
    due(0, 1);
    assert_int_equal(turn(&id, true), EACH);
    rt_queue_ended(q, &items[1], false, 5);
    rt_queue_free(q, drop);
    q = NULL;
    assert_int_equal(dropped, EACH);
}

/* Anything in any order: caps hold, and in the end everybody was served. */
static void whatever_happens_the_caps_hold(void **state)
{
    struct rt_queue_item *running[2 * SLOTS];
    int n = 0, per[APPS][40] = { 0 }, served[APPS][40] = { 0 };
    (void)state;
    srand(7);
    for (int step = 0; step < 20000 && n_items < ITEMS - EACH; step++) {
        int app, room;
        int64_t id;
        clock_ms += rand() % 50;
        if (step < 10000)
            rt_queue_due(q, rand() % APPS, rand() % 40, clock_ms + rand() % 100);
        rt_queue_advance(q, clock_ms, clock_ms);
        if (rand() % 2 && rt_queue_next(q, &app, &id, &room)) {
            assert_true(room >= 1 && room <= EACH);
            for (int i = rand() % 2 ? room : 1; i > 0; i--) {
                running[n++] = begin(app, id);
                served[app][id]++;
                per[app][id]++;
            }
            assert_true(per[app][id] <= EACH && n <= 2 * SLOTS);
            rt_queue_end_turn(q, rand() % 3 == 0);
        } else if (n > 0) {
            int k = rand() % n;
            struct rt_queue_item *i = running[k];
            running[k] = running[--n];
            per[i->app][i->endpoint]--;
            end(i, rand() % 4 == 0, clock_ms - i->begun);
        }
    }
    for (int a = 0; a < APPS; a++)
        for (int i = 0; i < 40; i++)
            assert_true(served[a][i] > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_one_has_one_and_a_good_one_four),
        TEST(due_when_its_time_has_come),
        TEST(endpoints_and_apps_take_turns),
        TEST(new_and_failing_ones_have_half_of_the_slots),
        TEST(what_gets_slow_makes_room),
        TEST(never_more_than_twice_the_slots),
        TEST(rows_are_held_until_they_are_recorded),
        TEST(what_is_not_done_is_dropped_in_the_end),
        TEST(whatever_happens_the_caps_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
