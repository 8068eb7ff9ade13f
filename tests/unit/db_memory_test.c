/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's memory: contents kept when a block moves, freed blocks used again, blocks that change threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_internal.h"
#include "unit.h"

static const sqlite3_mem_methods *m = &db__memory;

static int set_up(void **state)
{
    (void)state;
    return m->xInit(NULL);
}

static int tear_down(void **state)
{
    (void)state;
    m->xShutdown(NULL);
    return 0;
}

static void a_block_has_its_size(void **state)
{
    (void)state;
    for (int n = 1; n < 5000; n += 7) {
        char *p = m->xMalloc(n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 8, 0);
        assert_true(m->xSize(p) >= n && m->xSize(p) == m->xRoundup(n));
        memset(p, 0x5a, (size_t)m->xSize(p));
        m->xFree(p);
    }
    assert_int_equal(m->xSize(NULL), 0);
    m->xFree(NULL);
}

static void contents_are_kept(void **state)
{
    static const int sizes[] = { 10, 60, 1000, 1030, 1200, 70000, 3000, 900, 16, 1 };
    int kept = 10;
    (void)state;
    char *p = m->xMalloc(sizes[0]);
    memset(p, 'x', (size_t)sizes[0]);
    for (int i = 1; i < 10; i++) {
        p = m->xRealloc(p, sizes[i]);
        assert_non_null(p);
        assert_true(m->xSize(p) >= sizes[i]);
        kept = kept < sizes[i] ? kept : sizes[i];
        for (int k = 0; k < kept; k++)
            assert_int_equal(p[k], 'x');
    }
    m->xFree(p);
}

static void a_freed_block_is_used_again(void **state)
{
    void *block[60];
    (void)state;
    for (int i = 0; i < 60; i++)
        block[i] = m->xMalloc(1024);
    for (int i = 0; i < 60; i++)
        m->xFree(block[i]);
    for (int i = 59; i >= 0; i--)
        assert_ptr_equal(m->xMalloc(1060), block[i]);    /* the same class */
    for (int i = 0; i < 60; i++)
        m->xFree(block[i]);
}

static void *fill_and_free(void *arg)
{
    void **block = arg;
    for (int i = 0; i < 1000; i++) {
        memset(block[i], 1, (size_t)m->xSize(block[i]));
        m->xFree(block[i]);
        block[i] = m->xMalloc(i + 1);
        memset(block[i], 2, (size_t)i + 1);
    }
    return NULL;
}

/* The write connection is used by one thread after the other. */
static void blocks_change_threads(void **state)
{
    static void *block[1000];
    pthread_t thread;
    (void)state;
    for (int i = 0; i < 1000; i++)
        block[i] = m->xMalloc(i + 1);
    assert_int_equal(pthread_create(&thread, NULL, fill_and_free, block), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(((char *)block[i])[i], 2);
        m->xFree(block[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_has_its_size),
        cmocka_unit_test(contents_are_kept),
        cmocka_unit_test(a_freed_block_is_used_again),
        cmocka_unit_test(blocks_change_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
