/* SPDX-License-Identifier: Apache-2.0
 *
 * The map: a long random conversation against a plain array, binary keys, ownership. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"

#define KEYS 500

static void behaves_like_an_array(void **state)
{
    (void)state;
    static int values[KEYS];
    static void *model[KEYS];
    struct rt_map m;
    size_t count = 0;
    rt_map_init(&m);
    for (int i = 0; i < 200000; i++) {
        uint64_t r = rt_rand64();
        size_t k = r % KEYS;
        char key[16];
        size_t n = (size_t)snprintf(key, sizeof(key), "key:%zu", k);
        assert_ptr_equal(rt_map_get(&m, key, n), model[k]);
        if (r >> 32 & 1) {
            void *old = &m;
            assert_int_equal(rt_map_set(&m, key, n, &values[r >> 40 & 255], &old), 0);
            assert_ptr_equal(old, model[k]);
            count += model[k] == NULL;
            model[k] = &values[r >> 40 & 255];
        } else {
            assert_ptr_equal(rt_map_remove(&m, key, n), model[k]);
            count -= model[k] != NULL;
            model[k] = NULL;
        }
        assert_int_equal(m.count, count);
    }
    rt_map_fini(&m, NULL);
    assert_int_equal(m.count, 0);
}

static void keys_are_bytes_and_copied(void **state)
{
    (void)state;
    int a, b, c;
    char key[] = { 'k', '\0', '1' };
    struct rt_map m;
    rt_map_init(&m);
    rt_map_set(&m, key, 3, &a, NULL);
    key[2] = '2';
    rt_map_set(&m, key, 3, &b, NULL);
    rt_map_set(&m, "", 0, &c, NULL);
    assert_ptr_equal(rt_map_get(&m,
                                "k\0"
                                "1",
                                3),
                     &a);
    assert_ptr_equal(rt_map_get(&m,
                                "k\0"
                                "2",
                                3),
                     &b);
    assert_null(rt_map_get(&m, "k", 1));
    assert_ptr_equal(rt_map_get(&m, NULL, 0), &c);
    rt_map_fini(&m, NULL);
}

static void empty_map_answers(void **state)
{
    (void)state;
    struct rt_map m;
    size_t pos = 0;
    rt_map_init(&m);
    assert_null(rt_map_get(&m, "a", 1));
    assert_null(rt_map_remove(&m, "a", 1));
    assert_null(rt_map_next(&m, &pos, NULL, NULL));
    rt_map_fini(&m, NULL);
}

static void visits_each_entry_once(void **state)
{
    (void)state;
    static int values[100];
    static int seen[100];
    struct rt_map m;
    rt_map_init(&m);
    for (int i = 0; i < 100; i++) {
        char key[8];
        rt_map_set(&m, key, (size_t)snprintf(key, sizeof(key), "%d", i), &values[i], NULL);
    }
    size_t pos = 0, n;
    const char *key;
    int *value;
    while ((value = rt_map_next(&m, &pos, &key, &n))) {
        char expected[8];
        long i = value - values;
        assert_int_equal(snprintf(expected, sizeof(expected), "%ld", i), n);
        assert_memory_equal(key, expected, n + 1); /* the copy is terminated */
        seen[i]++;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    rt_map_fini(&m, NULL);
}

static int dropped;

static void drop(void *value) { dropped += *(int *)value; }

static void drops_values_at_the_end(void **state)
{
    (void)state;
    int one = 1, ten = 10, hundred = 100;
    struct rt_map m;
    void *old = NULL;
    rt_map_init(&m);
    rt_map_set(&m, "a", 1, &one, NULL);
    rt_map_set(&m, "b", 1, &ten, NULL);
    rt_map_set(&m, "b", 1, &hundred, &old);
    assert_ptr_equal(old, &ten);
    rt_map_fini(&m, drop);
    assert_int_equal(dropped, 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_like_an_array),   cmocka_unit_test(keys_are_bytes_and_copied),
        cmocka_unit_test(empty_map_answers),       cmocka_unit_test(visits_each_entry_once),
        cmocka_unit_test(drops_values_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
