/* SPDX-License-Identifier: Apache-2.0
 *
 * The allocator of Lua states: counts, limit, contents kept when a block moves, small pieces used again. */
#include "lua/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void *grow(struct rt_alloc *a, void *p, size_t before, size_t after) { return rt_alloc(a, p, before, after); }

static void bytes_are_counted(void **state)
{
    struct rt_alloc a = { .limit = 1 << 20 };
    (void)state;
    void *p = grow(&a, NULL, 5, 100); /* Lua passes the kind of a new object as its size */
    assert_non_null(p);
    assert_int_equal(a.used, 100);
    p = grow(&a, p, 100, 10);
    assert_int_equal(a.used, 10);
    p = grow(&a, p, 10, 5000);
    assert_int_equal(a.used, 5000);
    assert_null(grow(&a, p, 5000, 0));
    assert_null(grow(&a, NULL, 0, 0));
    assert_int_equal(a.used, 0);
    rt_alloc_fini(&a);
}

static void above_the_limit_nothing_is_given(void **state)
{
    struct rt_alloc a = { .limit = 1000 };
    (void)state;
    void *p = grow(&a, NULL, 0, 600);
    assert_null(grow(&a, NULL, 0, 500));
    assert_null(grow(&a, p, 600, 1001));
    assert_int_equal(a.used, 600);
    p = grow(&a, p, 600, 1000); /* the refused block was still valid */
    assert_non_null(p);
    p = grow(&a, p, 1000, 20);
    assert_non_null(p);
    void *q = grow(&a, NULL, 0, 500);
    assert_non_null(q);
    grow(&a, p, 20, 0);
    grow(&a, q, 500, 0);
    assert_int_equal(a.used, 0);
    rt_alloc_fini(&a);
}

static void small_pieces_are_used_again(void **state)
{
    struct rt_alloc a = { .limit = 1 << 20 };
    (void)state;
    char *p = grow(&a, NULL, 0, 33), *other = grow(&a, NULL, 0, 64);
    grow(&a, p, 33, 0);
    assert_ptr_equal(grow(&a, NULL, 0, 48), p); /* the same class of sizes */
    grow(&a, other, 64, 0);
    assert_ptr_not_equal(grow(&a, NULL, 0, 128), other);
    rt_alloc_fini(&a);
}

/* Blocks of all sizes move about; each keeps its pattern and none overlaps another. */
static void contents_stay(void **state)
{
    enum { N = 400, ROUNDS = 40000 };
    static struct {
        unsigned char *p;
        size_t n;
    } block[N];
    struct rt_alloc a = { .limit = 64 << 20 };
    unsigned seed = 7;
    size_t sum = 0;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        int i = rand_r(&seed) % N;
        size_t n = (size_t)(rand_r(&seed) % (rand_r(&seed) % 4 ? 300 : 3000));
        for (size_t k = 0; k < block[i].n; k++)
            assert_int_equal(block[i].p[k], i % 251);
        unsigned char *p = grow(&a, block[i].p, block[i].n, n);
        assert_true((p == NULL) == (n == 0));
        assert_int_equal((uintptr_t)p % 16, 0);
        sum = sum - block[i].n + n;
        block[i].p = p;
        block[i].n = n;
        if (p)
            memset(p, i % 251, n);
        assert_int_equal(a.used, sum);
    }
    for (int i = 0; i < N; i++)
        grow(&a, block[i].p, block[i].n, 0);
    assert_int_equal(a.used, 0);
    rt_alloc_fini(&a);
}

/* Many small pieces, of which `kept` stay in use. */
static void slabs_without_pieces_in_use_are_given_back(void **state)
{
    enum { N = 20000, SIZE = 64, KEEP_EACH = 5000 };
    struct rt_alloc a = { .limit = 64 << 20 };
    static unsigned char *p[N];
    (void)state;
    for (int i = 0; i < N; i++) {
        p[i] = grow(&a, NULL, 0, SIZE);
        memset(p[i], i & 0xff, SIZE);
    }
    size_t full = a.held;
    rt_alloc_trim(&a); /* nothing is free */
    assert_int_equal(a.held, full);
    for (int i = 0; i < N; i++)
        if (i % KEEP_EACH != 0)
            grow(&a, p[i], SIZE, 0);
    rt_alloc_trim(&a);
    assert_true(a.held <= (size_t)(N / KEEP_EACH + 1) * (64 << 10));
    for (int i = 0; i < N; i++) /* what is left of the lists is used again, and nothing else */
        if (i % KEEP_EACH != 0) {
            p[i] = grow(&a, NULL, 0, SIZE);
            memset(p[i], i & 0xff, SIZE);
        }
    for (int i = 0; i < N; i++)
        assert_true(p[i][0] == (i & 0xff) && p[i][SIZE - 1] == (i & 0xff));
    assert_true(a.held <= full + (64 << 10));
    rt_alloc_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_counted),
        cmocka_unit_test(above_the_limit_nothing_is_given),
        cmocka_unit_test(small_pieces_are_used_again),
        cmocka_unit_test(contents_stay),
        cmocka_unit_test(slabs_without_pieces_in_use_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
