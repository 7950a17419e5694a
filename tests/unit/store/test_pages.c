/* The journal's pages: found by number, and checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/internal.h"
#include "store/pages.h"

static int open_store(void **state)
{
    struct sky_store *store;
    struct sky_why why;
    assert_int_equal(sky_store_open(":memory:", &store, &why), SKY_OK);
    *state = store;
    return 0;
}

static int close_store(void **state)
{
    sky_store_close(*state);
    return 0;
}

static void finds_the_page_that_holds_a_number_or_the_next(void **state)
{
    static const struct {
        uint64_t seq, first; /* first 0: none */
    } rows[] = {{0, 1}, {1, 1}, {10, 1}, {11, 21}, {20, 21}, {30, 21}, {31, 0}, {UINT64_MAX, 0}};
    struct sky_store *store = *state;
    uint64_t first = 9, last = 9;
    assert_int_equal(sky_store_page_range(store, &first, &last), SKY_OK);
    assert_true(first == 0 && last == 0);
    assert_int_equal(sky_store_put_page(store, 1, 10, SKY_SPAN("one")), SKY_OK);
    assert_int_equal(sky_store_put_page(store, 21, 30, SKY_SPAN("two")), SKY_OK);
    assert_int_equal(sky_store_put_page(store, 25, 30, SKY_SPAN("two")), SKY_ERR_EXISTS);
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_buf bytes;
        sky_buf_init(&bytes, 16);
        sky_err err = sky_store_get_page(store, rows[i].seq, &first, &last, &bytes);
        assert_int_equal(err, rows[i].first ? SKY_OK : SKY_ERR_NOT_FOUND);
        if (rows[i].first) {
            assert_int_equal(first, rows[i].first);
            assert_int_equal(last, first + 9);
            assert_true(sky_span_eq_str(sky_buf_span(&bytes), first == 1 ? "one" : "two"));
        }
        sky_buf_done(&bytes);
    }
    assert_int_equal(sky_store_page_range(store, &first, &last), SKY_OK);
    assert_true(first == 1 && last == 30);
    assert_int_equal(sky_store_drop_pages(store, 10), SKY_OK); /* page 1..10 ends at 10: stays */
    assert_int_equal(sky_store_page_range(store, &first, &last), SKY_OK);
    assert_true(first == 1 && last == 30);
    assert_int_equal(sky_store_drop_pages(store, 11), SKY_OK);
    assert_int_equal(sky_store_page_range(store, &first, &last), SKY_OK);
    assert_true(first == 21 && last == 30);
    assert_int_equal(sky_store_drop_pages(store, UINT64_MAX), SKY_OK);
    assert_int_equal(sky_store_page_range(store, &first, &last), SKY_OK);
    assert_true(first == 0 && last == 0);
}

/* Four pages, 1..10, 11..20, 21..30 and 41..50; then the damage, then the check. */
static void check_pages(const char *damage, uint64_t want_lost, uint64_t want_last,
                        size_t want_pages)
{
    struct sky_store *store;
    struct sky_why why;
    char bytes[100];
    uint64_t last = 99, lost = 99, first;
    struct sky_buf page;
    size_t pages = 0;
    memset(bytes, 'x', sizeof bytes);
    sky_buf_init(&page, 4096);
    assert_int_equal(sky_store_open(":memory:", &store, &why), SKY_OK);
    static const uint64_t firsts[] = {1, 11, 21, 41};
    for (size_t i = 0; i < SKY_COUNT(firsts); i++)
        assert_int_equal(sky_store_put_page(store, firsts[i], firsts[i] + 9,
                                            sky_span_of(bytes, sizeof bytes - i)),
                         SKY_OK);
    assert_int_equal(sqlite3_exec(store->db, damage, NULL, NULL, NULL), SQLITE_OK);
    for (int round = 0; round < 2; round++) { /* what is lost is not lost again */
        assert_int_equal(sky_store_check_pages(store, &last, &lost), SKY_OK);
        if (round == 0 && (lost != want_lost || last != want_last))
            fail_msg("%s: %llu lost, the last is %llu", damage, (unsigned long long)lost,
                     (unsigned long long)last);
    }
    for (uint64_t seq = 1; sky_store_get_page(store, seq, &first, &last, &page) == SKY_OK; pages++)
        seq = last + 1;
    assert_int_equal(pages, want_pages);
    sky_buf_done(&page);
    sky_store_close(store);
}

static void drops_damaged_pages_and_counts_what_they_held(void **state)
{
    (void)state;
    check_pages("DELETE FROM page", 0, 0, 0);
    check_pages("SELECT 1", 10, 50, 4); /* 31..40 were never put */
    check_pages("UPDATE page SET sum = NULL", 10, 50, 4);
    check_pages("UPDATE page SET bytes = x'78' WHERE last_seq = 20", 20, 50, 3);
    check_pages("UPDATE page SET bytes = cast(replace(bytes, 'xxxxxxx', 'xxxyxxx') AS BLOB)"
                " WHERE last_seq = 20",
                20, 50, 3);
    check_pages("UPDATE page SET bytes = cast(substr(bytes, 2) || 'y' AS BLOB)"
                " WHERE last_seq = 10",
                20, 50, 3);
    check_pages("UPDATE page SET sum = sum + 1 WHERE last_seq = 50", 20, 50, 3);
    check_pages("UPDATE page SET sum = 'x' WHERE last_seq = 50", 20, 50, 3);
    check_pages("UPDATE page SET first_seq = 12 WHERE last_seq = 20", 20, 50, 3);
    check_pages("UPDATE page SET first_seq = 1 WHERE last_seq = 20", 20, 50, 3);
    check_pages("UPDATE page SET first_seq = -9223372036854775807 WHERE last_seq = 20", 20, 50, 3);
    check_pages("UPDATE page SET first_seq = 9223372036854775807 WHERE last_seq = 20", 20, 50, 3);
    check_pages("UPDATE page SET last_seq = 9223372036854775807 WHERE last_seq = 50", 1, 30, 3);
    check_pages("UPDATE page SET last_seq = 9007199254740991 WHERE last_seq = 50", 1, 30, 3);
    check_pages("UPDATE page SET last_seq = -9223372036854775807 WHERE last_seq = 20", 20, 50, 3);
    check_pages("UPDATE page SET last_seq = 0 WHERE last_seq = 20", 20, 50, 3);
}

static void numbers_of_pages_have_a_greatest(void **state)
{
    struct sky_store *store = *state;
    uint64_t last, lost, most = SKY_STORE_NUMBER_MAX;
    assert_int_equal(sky_store_put_page(store, most, most, SKY_SPAN("x")), SKY_OK);
    assert_int_equal(sky_store_put_page(store, most + 1, most + 1, SKY_SPAN("x")), SKY_ERR_LIMIT);
    assert_int_equal(sky_store_check_pages(store, &last, &lost), SKY_OK);
    assert_true(last == most && lost == 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_the_page_that_holds_a_number_or_the_next),
        TEST(drops_damaged_pages_and_counts_what_they_held),
        TEST(numbers_of_pages_have_a_greatest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
