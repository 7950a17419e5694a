/* The journal with a store below it: what survives, what is dropped, what is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/journal/journal.h"
#include "server/journal/private.h"
#include "server/journal/read.h"
#include "server/os/clock.h"
#include "store/internal.h"
#include "store/pages.h"

struct bench {
    char path[64];
    struct sky_store *store;
    struct sky_clock clock;
    struct sky_journal *journal;
    struct sky_event event;
};

static void open_file(struct bench *bench, size_t bytes_max, size_t events_max)
{
    struct sky_why why;
    assert_int_equal(sky_store_open(bench->path, &bench->store, &why), SKY_OK);
    sky_clock_init(&bench->clock);
    bench->journal = sky_journal_new(bytes_max, events_max, bench->store, &bench->clock);
}

static void close_file(struct bench *bench)
{
    sky_journal_free(bench->journal);
    sky_store_close(bench->store);
    sky_clock_done(&bench->clock);
}

/* As if the process had been killed: what is only in memory is lost. */
static void kill_it(struct bench *bench)
{
    bench->journal->flushed_seq = bench->journal->ring.next_seq - 1;
    close_file(bench);
}

static int in_a_file(void **state)
{
    struct bench *bench = sky_mem_new(sizeof *bench);
    strcpy(bench->path, "/tmp/skymock-journal-XXXXXX");
    int fd = mkstemp(bench->path);
    assert_true(fd >= 0);
    close(fd);
    *state = bench;
    return 0;
}

static int remove_it(void **state)
{
    struct bench *bench = *state;
    char name[80];
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < SKY_COUNT(suffixes); i++) {
        snprintf(name, sizeof name, "%s%s", bench->path, suffixes[i]);
        unlink(name);
    }
    free(bench);
    return 0;
}

static uint64_t publish_bytes(struct bench *bench, size_t len)
{
    static char payload[SKY_JOURNAL_PAYLOAD_MAX];
    struct sky_event_head head = {.type = SKY_EVENT_PUBLISH, .device_id = 5};
    struct sky_attr attrs[] = {SKY_ATTR(TOPIC, SKY_SPAN("/a")),
                               SKY_ATTR(PAYLOAD, sky_span_of(payload, len))};
    return sky_journal_add(bench->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

static void publish(struct bench *bench, int count)
{
    for (int i = 0; i < count; i++)
        publish_bytes(bench, 64);
}

static void flush(struct bench *bench)
{
    assert_int_equal(sky_journal_flush(bench->journal), SKY_OK);
}

/* Reads from `from` on and checks that the numbers run without a gap from `first` to `last`. */
static void assert_readable(struct bench *bench, uint64_t from, uint64_t first, uint64_t last)
{
    struct sky_cursor cursor;
    sky_cursor_init(&cursor, bench->journal, from);
    for (uint64_t seq = first; seq <= last; seq++) {
        assert_true(sky_cursor_next(&cursor, &bench->event));
        assert_int_equal(bench->event.seq, seq);
        assert_int_equal(bench->event.head.device_id, 5);
    }
    assert_false(sky_cursor_next(&cursor, &bench->event));
    sky_cursor_done(&cursor);
}

static struct sky_journal_stats stats_of(const struct bench *bench)
{
    struct sky_journal_stats stats;
    sky_journal_stats(bench->journal, &stats);
    return stats;
}

static void what_was_flushed_is_there_after_a_kill(void **state)
{
    struct bench *bench = *state;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    publish(bench, 5);
    flush(bench);
    publish(bench, 2); /* nobody has seen these */
    kill_it(bench);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    assert_readable(bench, 0, 1, 5);
    assert_int_equal(stats_of(bench).first_seq, 1);
    assert_int_equal(stats_of(bench).last_seq, 5);
    assert_int_equal(stats_of(bench).recorded, 0);
    publish(bench, 1);
    assert_readable(bench, 3, 3, 6);
    close_file(bench);
}

static void closing_writes_the_rest(void **state)
{
    struct bench *bench = *state;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    publish(bench, 5);
    close_file(bench);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    assert_readable(bench, 0, 1, 5);
    close_file(bench);
}

static void reading_crosses_from_pages_into_the_ring(void **state)
{
    struct bench *bench = *state;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 10000);
    for (int i = 0; i < 20; i++) {
        publish(bench, 7);
        flush(bench);
    }
    close_file(bench);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 10000);
    publish(bench, 5); /* not flushed */
    assert_readable(bench, 0, 1, 145);
    assert_readable(bench, 8, 8, 145);
    assert_readable(bench, 20, 20, 145);
    assert_readable(bench, 143, 143, 145);
    assert_readable(bench, 146, 146, 145);
    close_file(bench);
}

static void any_event_is_found_by_its_number(void **state)
{
    struct bench *bench = *state;
    struct sky_cursor cursor;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 10000);
    publish(bench, 100);
    close_file(bench);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 10000);
    publish(bench, 2);
    sky_cursor_init(&cursor, bench->journal, 0);
    for (uint64_t seq = 102; seq >= 1; seq--) {
        assert_true(sky_cursor_find(&cursor, seq, &bench->event));
        assert_int_equal(bench->event.seq, seq);
    }
    assert_false(sky_cursor_find(&cursor, 0, &bench->event));
    assert_false(sky_cursor_find(&cursor, 103, &bench->event));
    sky_cursor_done(&cursor);
    close_file(bench);
}

/* They may be on pages of their own: to look at the one must not take the other away. */
static void a_found_event_outlives_a_look_at_what_it_carries(void **state)
{
    struct bench *bench = *state;
    struct sky_cursor cursor;
    sky_span topic, payload;
    const struct sky_event_head head = {.type = SKY_EVENT_PUBACK, .device_id = 5};
    open_file(bench, 4 << 20, 10000);
    const struct sky_attr attrs[] = {SKY_ATTR(REASON, SKY_SPAN("why")),
                                     SKY_ATTR_INT(OF, (int64_t)publish_bytes(bench, 1000))};
    for (int i = 0; i < 400; i++)
        publish_bytes(bench, 1000);
    uint64_t seq = sky_journal_add(bench->journal, &head, attrs, SKY_COUNT(attrs), NULL);
    close_file(bench);
    open_file(bench, 4 << 20, 10000);
    sky_cursor_init(&cursor, bench->journal, 0);
    assert_true(sky_cursor_find(&cursor, 1, &bench->event)); /* the longer page: room for both */
    assert_true(sky_cursor_find(&cursor, seq, &bench->event));
    assert_true(sky_cursor_message(&cursor, &bench->event, &topic, &payload));
    assert_true(sky_span_eq(topic, SKY_SPAN("/a")));
    assert_int_equal(payload.len, 1000);
    assert_true(sky_span_eq(sky_event_get(&bench->event, SKY_F_REASON)->bytes, SKY_SPAN("why")));
    sky_cursor_done(&cursor);
    close_file(bench);
}

/* Ten times the ring: the store takes what the ring has no room for. */
static void nothing_is_lost_while_the_store_keeps_up(void **state)
{
    struct bench *bench = *state;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 100000);
    bench->journal->pages.bytes_max = UINT64_MAX;
    publish(bench, 4000);
    assert_int_equal(stats_of(bench).evicted, 0);
    assert_readable(bench, 0, 1, 4000);
    close_file(bench);
}

static void pages_are_bounded_by_count(void **state)
{
    struct bench *bench = *state;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 20);
    for (int i = 0; i < 10; i++) {
        publish(bench, 5);
        flush(bench);
    }
    struct sky_journal_stats stats = stats_of(bench);
    assert_int_equal(stats.first_seq, 31);
    assert_int_equal(stats.evicted, 30);
    assert_readable(bench, 0, 31, 50);
    close_file(bench);
}

static void pages_are_bounded_by_bytes_also_over_a_restart(void **state)
{
    struct bench *bench = *state;
    for (int run = 0; run < 4; run++) {
        open_file(bench, SKY_JOURNAL_BYTES_MIN, 100000);
        for (int i = 0; i < 10; i++) {
            publish_bytes(bench, 1000);
            publish_bytes(bench, 1000);
            publish_bytes(bench, 1000);
            flush(bench);
            assert_true(stats_of(bench).page_bytes <= SKY_JOURNAL_BYTES_MIN);
        }
        close_file(bench);
    }
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 100000);
    struct sky_journal_stats stats = stats_of(bench);
    assert_int_equal(stats.last_seq, 120);
    assert_in_range(stats.first_seq, 58, 67);
    assert_readable(bench, 0, stats.first_seq, 120);
    close_file(bench);
}

static void clear_keeps_the_numbers_over_a_restart(void **state)
{
    struct bench *bench = *state;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    publish(bench, 5);
    flush(bench);
    publish(bench, 3);
    assert_int_equal(sky_journal_clear(bench->journal), SKY_OK);
    assert_readable(bench, 0, 1, 0);
    assert_int_equal(stats_of(bench).first_seq, 0);
    kill_it(bench);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    assert_int_equal(stats_of(bench).first_seq, 0);
    publish(bench, 2);
    flush(bench);
    assert_readable(bench, 0, 9, 10);
    assert_int_equal(stats_of(bench).first_seq, 9);
    kill_it(bench);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    assert_readable(bench, 0, 9, 10);
    close_file(bench);
}

static void pages_of_another_version_are_dropped_and_numbers_go_on(void **state)
{
    struct bench *bench = *state;
    struct sky_why why;
    assert_int_equal(sky_store_open(bench->path, &bench->store, &why), SKY_OK);
    assert_int_equal(sky_store_put_page(bench->store, 1, 7, SKY_SPAN("written by another version")),
                     SKY_OK);
    sky_store_close(bench->store);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    assert_int_equal(stats_of(bench).first_seq, 0);
    assert_int_equal(stats_of(bench).evicted, 7);
    publish(bench, 1);
    flush(bench);
    assert_readable(bench, 0, 8, 8);
    close_file(bench);
}

/* Three pages of two events each; then one of them is another than was written. */
static void lose_page(struct bench *bench, const char *damage, uint64_t first, uint64_t last)
{
    struct sky_store *store;
    struct sky_why why;
    remove(bench->path);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    for (int i = 0; i < 3; i++) {
        publish(bench, 2);
        flush(bench);
    }
    close_file(bench);
    assert_int_equal(sky_store_open(bench->path, &store, &why), SKY_OK);
    assert_int_equal(sqlite3_exec(store->db, damage, NULL, NULL, NULL), SQLITE_OK);
    sky_store_close(store);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    assert_int_equal(stats_of(bench).first_seq, first);
    publish(bench, 1); /* no number is given twice */
    flush(bench);
    assert_int_equal(stats_of(bench).last_seq, 7);
    assert_int_equal(stats_of(bench).evicted, 2);
    assert_readable(bench, last, last, 7);
    close_file(bench);
}

static void a_damaged_page_is_dropped_and_counted(void **state)
{
    struct bench *bench = *state;
    lose_page(bench, "UPDATE page SET bytes = zeroblob(length(bytes)) WHERE last_seq = 2", 3, 3);
    lose_page(bench, "UPDATE page SET sum = sum + 1 WHERE last_seq = 4", 1, 5);
    lose_page(bench, "UPDATE page SET sum = 0 WHERE last_seq = 6", 1, 7);
    lose_page(bench, "DELETE FROM page WHERE last_seq = 4", 1, 5);
}

static void a_damaged_page_costs_its_rest_only(void **state)
{
    struct bench *bench = *state;
    struct sky_buf page;
    uint64_t first, last;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    publish(bench, 4);
    close_file(bench);
    struct sky_why why;
    assert_int_equal(sky_store_open(bench->path, &bench->store, &why), SKY_OK);
    sky_buf_init(&page, SKY_PAGE_MAX);
    assert_int_equal(sky_store_get_page(bench->store, 1, &first, &last, &page), SKY_OK);
    assert_int_equal(sky_store_drop_pages(bench->store, last + 1), SKY_OK);
    size_t entry = (page.len - SKY_PAGE_HEAD) / 4;
    memset(page.bytes + SKY_PAGE_HEAD + 2 * entry, 0xff, 8); /* the size of the third */
    assert_int_equal(sky_store_put_page(bench->store, 1, 4, sky_buf_span(&page)), SKY_OK);
    sky_buf_done(&page);
    sky_store_close(bench->store);
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 1000);
    publish(bench, 1);
    struct sky_cursor cursor;
    sky_cursor_init(&cursor, bench->journal, 0);
    static const uint64_t expected[] = {1, 2, 5};
    for (size_t i = 0; i < SKY_COUNT(expected); i++) {
        assert_true(sky_cursor_next(&cursor, &bench->event));
        assert_int_equal(bench->event.seq, expected[i]);
    }
    assert_false(sky_cursor_next(&cursor, &bench->event));
    sky_cursor_done(&cursor);
    close_file(bench);
}

/* A page that is there already makes the store refuse the next one of that number. */
static void what_the_store_refuses_is_lost_and_counted(void **state)
{
    struct bench *bench = *state;
    open_file(bench, SKY_JOURNAL_BYTES_MIN, 10);
    bench->journal->pages.bytes_max = UINT64_MAX;
    publish(bench, 10);
    assert_int_equal(sky_store_put_page(bench->store, 10, 10, SKY_SPAN("in the way")), SKY_OK);
    assert_int_not_equal(sky_journal_flush(bench->journal), SKY_OK);
    publish(bench, 4); /* the ring is full: the store is asked again, in vain */
    assert_int_equal(stats_of(bench).evicted, 4);
    assert_int_equal(stats_of(bench).first_seq, 5);
    assert_int_equal(sky_store_drop_pages(bench->store, 11), SKY_OK);
    flush(bench);
    assert_readable(bench, 0, 5, 14);
    close_file(bench);
}

#define IN_A_FILE(test) cmocka_unit_test_setup_teardown(test, in_a_file, remove_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FILE(what_was_flushed_is_there_after_a_kill),
        IN_A_FILE(closing_writes_the_rest),
        IN_A_FILE(reading_crosses_from_pages_into_the_ring),
        IN_A_FILE(any_event_is_found_by_its_number),
        IN_A_FILE(a_found_event_outlives_a_look_at_what_it_carries),
        IN_A_FILE(nothing_is_lost_while_the_store_keeps_up),
        IN_A_FILE(pages_are_bounded_by_count),
        IN_A_FILE(pages_are_bounded_by_bytes_also_over_a_restart),
        IN_A_FILE(clear_keeps_the_numbers_over_a_restart),
        IN_A_FILE(pages_of_another_version_are_dropped_and_numbers_go_on),
        IN_A_FILE(a_damaged_page_is_dropped_and_counted),
        IN_A_FILE(a_damaged_page_costs_its_rest_only),
        IN_A_FILE(what_the_store_refuses_is_lost_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
