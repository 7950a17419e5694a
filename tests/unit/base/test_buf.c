#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "protocol/base/arena.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"

static void appends_until_its_bound_and_marks_overflow(void **state)
{
    (void)state;
    struct sky_buf buf;
    sky_buf_init(&buf, 6);
    assert_int_equal(sky_buf_span(&buf).len, 0);
    assert_true(sky_buf_add_str(&buf, "abcde"));
    assert_false(sky_buf_add_str(&buf, "fg"));
    assert_true(buf.overflow);
    assert_int_equal(buf.len, 5);
    assert_true(sky_buf_add_byte(&buf, 'f'));
    assert_true(buf.overflow); /* stays until cleared: something is missing */
    assert_true(sky_span_eq_str(sky_buf_span(&buf), "abcdef"));
    sky_buf_clear(&buf);
    assert_false(buf.overflow);
    assert_true(sky_buf_add(&buf, SKY_SPAN_NONE));
    assert_int_equal(buf.len, 0);
    sky_buf_done(&buf);
    assert_true(sky_buf_add_str(&buf, "again"));
    sky_buf_done(&buf);
}

static void grows_over_many_sizes_without_losing_bytes(void **state)
{
    (void)state;
    struct sky_buf buf;
    sky_buf_init(&buf, 100000);
    for (int i = 0; i < 10000; i++)
        assert_true(sky_buf_addf(&buf, "%04d", i));
    assert_int_equal(buf.len, 40000);
    assert_memory_equal(buf.bytes + 4 * 9876, "9876", 4);
    sky_buf_done(&buf);
}

static void appending_nothing_always_works(void **state)
{
    (void)state;
    struct sky_buf buf;
    sky_buf_init(&buf, 0);
    assert_true(sky_buf_add(&buf, SKY_SPAN_NONE));
    sky_buf_done(&buf);
    assert_true(sky_buf_addf(&buf, "%s", ""));
    assert_false(sky_buf_add_byte(&buf, 0));
    sky_buf_done(&buf);
}

static void formats_whole_or_not_at_all(void **state)
{
    (void)state;
    struct sky_buf buf;
    sky_buf_init(&buf, 8);
    assert_true(sky_buf_addf(&buf, "%d-%s", 12, "ab"));
    assert_false(sky_buf_addf(&buf, "%s", "0123456789"));
    assert_true(sky_span_eq_str(sky_buf_span(&buf), "12-ab"));
    assert_true(sky_buf_addf(&buf, "%s", "xyz")); /* full to the last byte */
    assert_false(sky_buf_addf(&buf, "%s", "z"));
    assert_true(sky_span_eq_str(sky_buf_span(&buf), "12-abxyz"));
    sky_buf_done(&buf);
}

static void formats_into_any_room_that_is_left(void **state)
{
    (void)state;
    char text[260];
    memset(text, 'x', sizeof text);
    for (int filled = 0; filled < 130; filled++) {
        for (int more = 0; more < 130; more++) {
            struct sky_buf buf;
            sky_buf_init(&buf, 300);
            assert_true(sky_buf_add(&buf, sky_span_of(text, (size_t)filled)));
            assert_true(sky_buf_addf(&buf, "%.*s", more, text));
            assert_true(sky_buf_addf(&buf, "%d", 7));
            assert_int_equal(buf.len, filled + more + 1);
            assert_memory_equal(buf.bytes, text, (size_t)(filled + more));
            assert_int_equal(buf.bytes[filled + more], '7');
            sky_buf_done(&buf);
        }
    }
}

static void writes_numbers_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {{0, "0"},
                {9, "9"},
                {-10, "-10"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_buf buf;
        sky_buf_init(&buf, strlen(rows[i].text));
        assert_true(sky_buf_add_int(&buf, rows[i].value));
        assert_true(sky_span_eq_str(sky_buf_span(&buf), rows[i].text));
        assert_false(sky_buf_add_int(&buf, rows[i].value));
        assert_true(sky_span_eq_str(sky_buf_span(&buf), rows[i].text));
        sky_buf_done(&buf);
    }
}

static void reserves_and_commits_within_the_bound(void **state)
{
    (void)state;
    struct sky_buf buf;
    sky_buf_init(&buf, 16);
    char *at = sky_buf_reserve(&buf, 16);
    assert_non_null(at);
    memcpy(at, "hello", 5);
    sky_buf_commit(&buf, 5);
    assert_null(sky_buf_reserve(&buf, 12));
    assert_true(buf.overflow);
    assert_null(sky_buf_reserve(&buf, SIZE_MAX));
    assert_true(sky_span_eq_str(sky_buf_span(&buf), "hello"));
    sky_buf_done(&buf);
}

static void drops_from_the_front(void **state)
{
    (void)state;
    struct sky_buf buf;
    sky_buf_init(&buf, 16);
    sky_buf_drop(&buf, 0);
    sky_buf_add_str(&buf, "abcdef");
    sky_buf_drop(&buf, 2);
    assert_true(sky_span_eq_str(sky_buf_span(&buf), "cdef"));
    sky_buf_drop(&buf, 4);
    assert_int_equal(buf.len, 0);
    sky_buf_done(&buf);
}

static void arena_pieces_stay_where_they_are(void **state)
{
    (void)state;
    struct sky_arena arena;
    sky_span copies[2000];
    sky_arena_init(&arena);
    for (int i = 0; i < 2000; i++)
        copies[i] = sky_arena_printf(&arena, "piece %d", i);
    for (int i = 0; i < 2000; i++) {
        char want[32];
        snprintf(want, sizeof want, "piece %d", i);
        assert_true(sky_span_eq_str(copies[i], want));
        assert_int_equal(copies[i].ptr[copies[i].len], '\0');
    }
    sky_arena_done(&arena);
}

static void arena_pieces_are_zeroed_and_aligned_also_after_clear(void **state)
{
    (void)state;
    struct sky_arena arena;
    sky_arena_init(&arena);
    sky_arena_clear(&arena);
    for (int round = 0; round < 2; round++) {
        for (size_t size = 1; size < 100; size++) {
            unsigned char *piece = sky_arena_take(&arena, size);
            assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(piece[i], 0);
            memset(piece, 0xff, size);
        }
        sky_arena_clear(&arena);
    }
    sky_arena_done(&arena);
}

static void arena_takes_pieces_larger_than_its_blocks(void **state)
{
    (void)state;
    struct sky_arena arena;
    sky_arena_init(&arena);
    char *big = sky_arena_take(&arena, 1000000);
    memset(big, 'x', 1000000);
    sky_span copy = sky_arena_copy(&arena, sky_span_of(big, 1000000));
    assert_memory_equal(copy.ptr, big, 1000000);
    assert_int_equal(sky_arena_copy(&arena, SKY_SPAN_NONE).len, 0);
    sky_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_until_its_bound_and_marks_overflow),
        cmocka_unit_test(grows_over_many_sizes_without_losing_bytes),
        cmocka_unit_test(appending_nothing_always_works),
        cmocka_unit_test(formats_whole_or_not_at_all),
        cmocka_unit_test(formats_into_any_room_that_is_left),
        cmocka_unit_test(writes_numbers_whole_or_not_at_all),
        cmocka_unit_test(reserves_and_commits_within_the_bound),
        cmocka_unit_test(drops_from_the_front),
        cmocka_unit_test(arena_pieces_stay_where_they_are),
        cmocka_unit_test(arena_pieces_are_zeroed_and_aligned_also_after_clear),
        cmocka_unit_test(arena_takes_pieces_larger_than_its_blocks),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
