/* SPDX-License-Identifier: Apache-2.0
 *
 * The packed form of a day and the split of a fact into slots, without a database. */
#include "analytics_fixture.h"

/* Cells with ascending keys. */
static void random_cells(struct analytics__cells *list)
{
    struct analytics__cell cell = { 0 };
    for (int m = (int)(rnd() % 4); m > 0; m--) {
        cell.measure += 1 + rnd() % 0x3fffffffffff;
        for (cell.slot = (int)(rnd() % 30); cell.slot < DAY_SLOTS; cell.slot += 1 + (int)(rnd() % 20)) {
            cell.detail = rnd() % 2 ? 0 : rnd_varied();
            for (int more = 0; more < 3 && cell.detail < INT64_MAX - 1000; more++) {
                cell.value = rnd_varied();
                assert_int_equal(analytics__cells_push(list, &cell), 0);
                cell.detail += 1 + (int64_t)(rnd() % 999);
            }
        }
    }
}

static void packed_cells_read_back(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        struct analytics__cells in = { 0 }, out = { 0 };
        struct rt_buf blob;
        random_cells(&in);
        rt_buf_init(&blob, 0);
        analytics__pack(&in, &blob);
        assert_false(blob.failed);
        assert_int_equal(analytics__unpack(blob.data, blob.len, &out), 0);
        assert_int_equal(in.count, out.count);
        for (size_t i = 0; i < in.count; i++) {
            assert_int_equal(analytics__cell_cmp(&in.items[i], &out.items[i]), 0);
            assert_int_equal(in.items[i].value, out.items[i].value);
        }
        free(in.items);
        free(out.items);
        rt_buf_fini(&blob);
    }
}

/* Unpacks a copy of exactly its size, so that a sanitizer sees reads beyond it. */
static int unpack_copy(const char *p, size_t n, struct analytics__cells *out)
{
    char *copy = malloc(n ? n : 1);
    memcpy(copy, p, n);
    out->count = 0;
    int code = analytics__unpack(copy, n, out);
    free(copy);
    return code;
}

static void damaged_blobs_are_noticed(void **state)
{
    struct analytics__cells in = { 0 }, out = { 0 };
    struct rt_buf blob;
    (void)state;
    do {
        in.count = 0;
        random_cells(&in);
    } while (in.count < 20 || in.items[0].measure != in.items[in.count - 1].measure);
    rt_buf_init(&blob, 0);
    analytics__pack(&in, &blob);
    for (size_t n = 2; n < blob.len; n++)
        assert_int_equal(unpack_copy(blob.data, n, &out), RT_E_INTERNAL);
    for (int round = 0; round < 20000; round++) {
        size_t at = rnd() % blob.len;
        char was = blob.data[at];
        blob.data[at] ^= (char)(1 << rnd() % 8);
        int code = unpack_copy(blob.data, blob.len, &out);
        assert_true(code == 0 || code == RT_E_INTERNAL);
        for (size_t i = 1; i < out.count; i++)    /* whatever was read is in order */
            assert_true(analytics__cell_cmp(&out.items[i - 1], &out.items[i]) < 0);
        blob.data[at] = was;
    }
    blob.data[0] = 2;
    assert_int_equal(unpack_copy(blob.data, blob.len, &out), RT_E_INTERNAL);
    free(in.items);
    free(out.items);
    rt_buf_fini(&blob);
}

static void groups_must_ascend(void **state)
{
    /* two groups of one cell each: slot 5 with the detail before it (0), value 1 */
    char blob[] = { 1, 7, 0, 0, 0, 0, 0, 2, (char)0x85, 2, 8, 0, 0, 0, 0, 0, 2, (char)0x85, 2 };
    struct analytics__cells out = { 0 };
    (void)state;
    assert_int_equal(unpack_copy(blob, sizeof blob, &out), 0);
    assert_true(out.count == 2 && out.items[0].measure == 7 && out.items[1].measure == 8);
    assert_true(out.items[1].slot == 5 && out.items[1].detail == 0 && out.items[1].value == 1);
    blob[10] = 7;
    assert_int_equal(unpack_copy(blob, sizeof blob, &out), RT_E_INTERNAL);
    blob[10] = 6;
    assert_int_equal(unpack_copy(blob, sizeof blob, &out), RT_E_INTERNAL);
    free(out.items);
}

static void ids_do_not_change(void **state)
{
    (void)state;
    assert_true(analytics__id("user") == 0x80e4032b3595u);
    assert_true(analytics__id(SECONDS) == 0x5cb10d1e09c2u);
}

static void parts_add_up_and_cancel(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        int64_t from = rnd_between(-1000000, 2000000000), first, last, sum = 0;
        int64_t to = from + (round % 5 ? rnd_between(0, 20000) : 0);
        int64_t value = round % 3 ? rnd_between(-5000, 5000) : rnd_varied();
        value += value == INT64_MIN;
        struct rt_fact f = fact(SECONDS, 0, from, to, value), back = f;
        back.value = -value;
        assert_int_equal(analytics__fact_check(&f, NULL), 0);
        analytics__fact_slots(&f, &first, &last);
        assert_true(first * 900 <= from && (last + 1) * 900 >= to);
        for (int64_t slot = first; slot <= last; slot++) {
            assert_int_equal(analytics__fact_part(&f, slot), -analytics__fact_part(&back, slot));
            sum += analytics__fact_part(&f, slot);
        }
        assert_int_equal(sum, value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_cells_read_back),
        cmocka_unit_test(damaged_blobs_are_noticed),
        cmocka_unit_test(groups_must_ascend),
        cmocka_unit_test(ids_do_not_change),
        cmocka_unit_test(parts_add_up_and_cancel),
    };
    return cmocka_run_group_tests_name("analytics pack", tests, NULL, NULL);
}
