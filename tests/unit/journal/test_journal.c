#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/journal/journal.h"
#include "server/journal/names.h"
#include "server/journal/private.h"
#include "server/journal/read.h"
#include "server/os/clock.h"

/* Rules of a cloud that does not exist. */
static const struct sky_rule rows[] = {
    {.id = "X-ENFORCED",
     .statement = "keeps it",
     .severity = SKY_ERROR,
     .action = {SKY_ENFORCE, SKY_ENFORCE}},
    {.id = "X-REPORTED",
     .statement = "keeps that",
     .severity = SKY_WARNING,
     .action = {SKY_REPORT, SKY_REPORT}},
};

struct bench {
    struct sky_clock clock;
    struct sky_catalogue catalogue;
    struct sky_policy policy;
    struct sky_journal *journal;
    struct sky_cursor cursor;
    struct sky_event event;
};

enum { T0 = 1000000, MANY = 1000000 };

static void open_bench(struct bench *bench, size_t bytes_max, size_t events_max)
{
    sky_clock_init(&bench->clock);
    sky_clock_freeze(&bench->clock);
    sky_clock_set(&bench->clock, T0);
    sky_catalogue_init(&bench->catalogue);
    sky_catalogue_add(&bench->catalogue,
                      (struct sky_rule_table){"x", rows, SKY_COUNT(rows), false});
    sky_policy_init(&bench->policy, &bench->catalogue, SKY_PROFILE_SEED);
    bench->journal = sky_journal_new(bytes_max, events_max, NULL, &bench->clock);
    sky_cursor_init(&bench->cursor, bench->journal, 0);
}

static void close_bench(struct bench *bench)
{
    sky_cursor_done(&bench->cursor);
    sky_journal_free(bench->journal);
    sky_clock_done(&bench->clock);
}

static uint64_t publish(struct bench *bench, int64_t device_id, const char *topic, sky_span payload)
{
    struct sky_event_head head = {
        .type = SKY_EVENT_PUBLISH, .direction = SKY_UP, .connection = 7, .device_id = device_id};
    struct sky_attr attrs[] = {SKY_ATTR(TOPIC, sky_span_str(topic)), SKY_ATTR(PAYLOAD, payload),
                               SKY_ATTR_INT(QOS, 1), SKY_ATTR_INT(PACKET_ID, -5)};
    return sky_journal_add(bench->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

static struct sky_journal_stats stats_of(const struct bench *bench)
{
    struct sky_journal_stats stats;
    sky_journal_stats(bench->journal, &stats);
    return stats;
}

/* How many events the filter finds from the start. */
static int count_found(struct bench *bench, struct sky_event_filter filter)
{
    struct sky_cursor cursor;
    bool more;
    int found = 0;
    sky_cursor_init(&cursor, bench->journal, 0);
    while (sky_cursor_search(&cursor, &filter, MANY, &bench->event, &more))
        found++;
    sky_cursor_done(&cursor);
    return found;
}

static void assert_bytes(sky_span actual, sky_span expected)
{
    assert_int_equal(actual.len, expected.len);
    if (expected.len > 0)
        assert_memory_equal(actual.ptr, expected.ptr, expected.len);
}

/* ---- recording and reading ---- */

static void what_is_recorded_is_read_back(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 100);
    assert_int_equal(publish(&bench, 42, "/a/b", SKY_SPAN("\0\xff")), 1);
    assert_true(sky_cursor_next(&bench.cursor, &bench.event));
    assert_int_equal(bench.event.seq, 1);
    assert_int_equal(bench.event.now_ms, T0);
    assert_int_equal(bench.event.real_ms, bench.clock.real_ms);
    assert_int_equal(bench.event.head.type, SKY_EVENT_PUBLISH);
    assert_int_equal(bench.event.head.connection, 7);
    assert_int_equal(bench.event.head.device_id, 42);
    assert_bytes(sky_event_get(&bench.event, SKY_F_TOPIC)->bytes, SKY_SPAN("/a/b"));
    assert_bytes(sky_event_get(&bench.event, SKY_F_PAYLOAD)->bytes, SKY_SPAN("\0\xff"));
    assert_int_equal(sky_event_get(&bench.event, SKY_F_PACKET_ID)->number, -5);
    assert_null(sky_event_get(&bench.event, SKY_F_RETAIN));
    assert_false(bench.event.cut);
    assert_false(sky_cursor_next(&bench.cursor, &bench.event));
    close_bench(&bench);
}

static void a_cursor_at_the_end_goes_on_when_there_is_more(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 100);
    assert_false(sky_cursor_next(&bench.cursor, &bench.event));
    publish(&bench, 1, "/a", SKY_SPAN_NONE);
    assert_true(sky_cursor_next(&bench.cursor, &bench.event));
    assert_false(sky_cursor_next(&bench.cursor, &bench.event));
    publish(&bench, 1, "/a", SKY_SPAN_NONE);
    assert_true(sky_cursor_next(&bench.cursor, &bench.event));
    assert_int_equal(bench.event.seq, 2);
    close_bench(&bench);
}

static void findings_are_kept_with_what_was_done_about_them(void **state)
{
    (void)state;
    struct bench bench;
    struct sky_judge judge;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 100);
    sky_judge_init(&judge, &bench.policy);
    sky_judge_broken(&judge, &rows[1], "did %d", 1);
    sky_judge_broken(&judge, &rows[0], "did %d", 2);
    struct sky_event_head head = {.type = SKY_EVENT_CONNECT};
    sky_journal_add(bench.journal, &head, NULL, 0, &judge);
    assert_true(sky_cursor_next(&bench.cursor, &bench.event));
    assert_int_equal(bench.event.finding_count, 2);
    assert_bytes(bench.event.findings[0].rule_id, SKY_SPAN("X-REPORTED"));
    assert_bytes(bench.event.findings[0].detail, SKY_SPAN("did 1"));
    assert_int_equal(bench.event.findings[0].action, SKY_REPORT);
    assert_int_equal(bench.event.findings[1].action, SKY_ENFORCE);
    assert_bytes(bench.event.refused, SKY_SPAN("X-ENFORCED"));
    close_bench(&bench);
}

static void the_largest_judgement_fits(void **state)
{
    (void)state;
    struct bench bench;
    struct sky_judge judge;
    char detail[2 * SKY_FINDING_DETAIL_MAX];
    memset(detail, 'x', sizeof detail - 1);
    detail[sizeof detail - 1] = '\0';
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 100);
    sky_judge_init(&judge, &bench.policy);
    for (int i = 0; i < SKY_FINDINGS_MAX + 3; i++)
        sky_judge_broken(&judge, &rows[1], "%s", detail);
    struct sky_event_head head = {.type = SKY_EVENT_CONNECT};
    sky_journal_add(bench.journal, &head, NULL, 0, &judge);
    assert_true(sky_cursor_next(&bench.cursor, &bench.event));
    assert_int_equal(bench.event.finding_count, SKY_FINDINGS_MAX);
    assert_int_equal(bench.event.findings_lost, 3);
    assert_int_equal(bench.event.findings[11].detail.len, SKY_FINDING_DETAIL_MAX - 1);
    assert_int_equal(bench.event.refused.len, 0);
    close_bench(&bench);
}

static void a_field_is_cut_at_its_limit(void **state)
{
    (void)state;
    static const struct {
        size_t len, kept;
        bool cut;
    } rows_[] = {{SKY_JOURNAL_PAYLOAD_MAX, SKY_JOURNAL_PAYLOAD_MAX, false},
                 {SKY_JOURNAL_PAYLOAD_MAX + 1, SKY_JOURNAL_PAYLOAD_MAX, true}};
    char *bytes = sky_mem_new(SKY_JOURNAL_PAYLOAD_MAX + 1);
    for (size_t i = 0; i < SKY_COUNT(rows_); i++) {
        struct bench bench;
        open_bench(&bench, (16 * 1024 * 1024), 100);
        publish(&bench, 1, "/a", sky_span_of(bytes, rows_[i].len));
        assert_true(sky_cursor_next(&bench.cursor, &bench.event));
        assert_int_equal(sky_event_get(&bench.event, SKY_F_PAYLOAD)->bytes.len, rows_[i].kept);
        assert_int_equal(bench.event.cut, rows_[i].cut);
        close_bench(&bench);
    }
    free(bytes);
}

/* ---- bounds ---- */

static void the_oldest_go_first_when_the_count_is_reached(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 10);
    for (int i = 0; i < 10; i++)
        publish(&bench, 1, "/a", SKY_SPAN_NONE);
    assert_int_equal(stats_of(&bench).evicted, 0);
    publish(&bench, 1, "/a", SKY_SPAN_NONE);
    struct sky_journal_stats stats = stats_of(&bench);
    assert_int_equal(stats.evicted, 1);
    assert_int_equal(stats.first_seq, 2);
    assert_int_equal(stats.last_seq, 11);
    assert_int_equal(stats.recorded, 11);
    close_bench(&bench);
}

static void the_oldest_go_first_when_the_bytes_are_used_up(void **state)
{
    (void)state;
    struct bench bench;
    char payload[1000] = {0};
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 1000);
    for (int i = 0; i < 200; i++)
        publish(&bench, 1, "/a", sky_span_of(payload, sizeof payload));
    struct sky_journal_stats stats = stats_of(&bench);
    assert_int_equal(stats.last_seq, 200);
    assert_int_equal(stats.evicted, stats.first_seq - 1);
    assert_in_range(stats.last_seq - stats.first_seq + 1, 50, 64);
    assert_true(stats.bytes_used <= stats.bytes_max);
    close_bench(&bench);
}

/* Sizes that never divide the ring evenly; every event that is left must read back whole. */
static void entries_stay_whole_while_the_ring_goes_round(void **state)
{
    (void)state;
    struct bench bench;
    static char payload[1200];
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 1000);
    for (unsigned i = 1; i <= 5000; i++) {
        size_t len = i * 7919 % sizeof payload;
        memset(payload, (int)(i & 0xff), sizeof payload);
        publish(&bench, i, "/a", sky_span_of(payload, len));
        struct sky_journal_stats stats = stats_of(&bench);
        uint64_t probe = stats.first_seq + i % (stats.last_seq - stats.first_seq + 1);
        assert_true(sky_cursor_find(&bench.cursor, probe, &bench.event));
        assert_int_equal(bench.event.head.device_id, probe);
        sky_span kept = sky_event_get(&bench.event, SKY_F_PAYLOAD)->bytes;
        assert_int_equal(kept.len, probe * 7919 % sizeof payload);
        for (size_t at = 0; at < kept.len; at++)
            assert_int_equal((unsigned char)kept.ptr[at], probe & 0xff);
    }
    close_bench(&bench);
}

static void the_largest_event_fits_the_smallest_journal(void **state)
{
    (void)state;
    struct bench bench;
    struct sky_attr attrs[SKY_JOURNAL_ATTRS_MAX];
    char *bytes = sky_mem_new(SKY_JOURNAL_PAYLOAD_MAX);
    for (size_t i = 0; i < SKY_COUNT(attrs); i++)
        attrs[i] = SKY_ATTR(PAYLOAD, sky_span_of(bytes, SKY_JOURNAL_PAYLOAD_MAX));
    struct sky_event_head head = {.type = SKY_EVENT_PUBLISH};
    open_bench(&bench, 0, 10);
    for (int i = 0; i < 3; i++)
        sky_journal_add(bench.journal, &head, attrs, SKY_COUNT(attrs), NULL);
    assert_true(sky_cursor_next(&bench.cursor, &bench.event));
    assert_int_equal(bench.event.attr_count, SKY_JOURNAL_ATTRS_MAX);
    assert_true(bench.event.cut);
    free(bytes);
    close_bench(&bench);
}

static void a_cursor_that_was_overtaken_goes_on_at_the_oldest(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 10);
    publish(&bench, 1, "/a", SKY_SPAN_NONE);
    assert_true(sky_cursor_next(&bench.cursor, &bench.event));
    for (int i = 0; i < 30; i++)
        publish(&bench, 1, "/a", SKY_SPAN_NONE);
    assert_true(sky_cursor_next(&bench.cursor, &bench.event));
    assert_int_equal(bench.event.seq, 22);
    close_bench(&bench);
}

static void clear_forgets_and_numbers_go_on(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 10);
    publish(&bench, 1, "/a", SKY_SPAN_NONE);
    publish(&bench, 1, "/a", SKY_SPAN_NONE);
    assert_int_equal(sky_journal_clear(bench.journal), SKY_OK);
    assert_false(sky_cursor_next(&bench.cursor, &bench.event));
    assert_int_equal(stats_of(&bench).first_seq, 0);
    assert_int_equal(stats_of(&bench).last_seq, 0);
    assert_int_equal(publish(&bench, 1, "/a", SKY_SPAN_NONE), 3);
    assert_int_equal(stats_of(&bench).first_seq, 3);
    assert_int_equal(stats_of(&bench).evicted, 0);
    close_bench(&bench);
}

static void note_seq(void *ctx, uint64_t seq)
{
    *(uint64_t *)ctx = seq;
}

static void the_watcher_hears_of_every_event(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t heard = 0;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 10);
    sky_journal_watch(bench.journal, note_seq, &heard);
    publish(&bench, 1, "/a", SKY_SPAN_NONE);
    assert_int_equal(heard, 1);
    sky_journal_watch(bench.journal, NULL, NULL);
    publish(&bench, 1, "/a", SKY_SPAN_NONE);
    assert_int_equal(heard, 1);
    close_bench(&bench);
}

/* ---- filters ---- */

/* 1: publish of device 1; 2: its delivery to device 2; 3: refused connect that claims to be c/p/d,
 * with a finding; 4: publish of device 3, which is device 2 made again. */
static void record_a_story(struct bench *bench)
{
    struct sky_judge judge;
    uint64_t of = publish(bench, 1, "/one/up", SKY_SPAN("hello"));
    struct sky_event_head down = {
        .type = SKY_EVENT_PUBLISH, .direction = SKY_DOWN, .connection = 8, .device_id = 2};
    struct sky_attr carried = SKY_ATTR_INT(OF, (int64_t)of);
    sky_journal_add(bench->journal, &down, &carried, 1, NULL);
    sky_judge_init(&judge, &bench->policy);
    sky_judge_broken(&judge, &rows[0], "bad");
    struct sky_event_head connect = {.type = SKY_EVENT_CONNECT, .connection = 9};
    struct sky_attr claim[] = {SKY_ATTR(CLOUD, SKY_SPAN("c")), SKY_ATTR(PRODUCT, SKY_SPAN("p")),
                               SKY_ATTR(DEVICE_KEY, SKY_SPAN("d"))};
    sky_journal_add(bench->journal, &connect, claim, SKY_COUNT(claim), &judge);
    publish(bench, 3, "/two/up", SKY_SPAN_NONE);
}

static void filters_find_what_they_say(void **state)
{
    (void)state;
    static struct sky_device_names names = {
        .cache = {[1] = {1, "c/p/one"}, [2] = {2, "c/p/two"}, [3] = {3, "c/p/two"}}};
    static const struct {
        const char *what;
        struct sky_event_filter filter;
        int found;
    } table[] = {
        {"everything", {.types = 0}, 4},
        {"a type", {.types = UINT64_C(1) << SKY_EVENT_CONNECT}, 1},
        {"two types",
         {.types = UINT64_C(1) << SKY_EVENT_CONNECT | UINT64_C(1) << SKY_EVENT_PUBLISH},
         4},
        {"a type that did not happen", {.types = UINT64_C(1) << SKY_EVENT_FAULT}, 0},
        {"a direction", {.directions = 1u << SKY_DOWN}, 1},
        {"a connection", {.connection = 7}, 2},
        {"a device",
         {.names = &names, .cloud = {"c", 1}, .product = {"p", 1}, .device = {"two", 3}},
         2},
        {"who claims to be a device",
         {.names = &names, .cloud = {"c", 1}, .product = {"p", 1}, .device = {"d", 1}},
         1},
        {"who claims to be a device of another product",
         {.names = &names, .cloud = {"c", 1}, .product = {"q", 1}, .device = {"d", 1}},
         0},
        {"a topic, carried ones too", {.topic = {"/one/#", 6}}, 2},
        {"a topic with +", {.topic = {"/+/up", 5}}, 3},
        {"another topic", {.topic = {"/three", 6}}, 0},
        {"a rule", {.rule = {"X-ENFORCED", 10}}, 1},
        {"a rule nobody broke", {.rule = {"X-REPORTED", 10}}, 0},
        {"two at once", {.directions = 1u << SKY_UP, .topic = {"/one/#", 6}}, 1},
    };
    struct bench bench;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 100);
    record_a_story(&bench);
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        int found = count_found(&bench, table[i].filter);
        if (found != table[i].found)
            fail_msg("%s: found %d, expected %d", table[i].what, found, table[i].found);
    }
    close_bench(&bench);
}

static void a_delivery_has_the_message_it_carries(void **state)
{
    (void)state;
    struct bench bench;
    sky_span topic, payload;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 100);
    record_a_story(&bench);
    assert_true(sky_cursor_find(&bench.cursor, 2, &bench.event));
    sky_cursor_message(&bench.cursor, &bench.event, &topic, &payload);
    assert_bytes(topic, SKY_SPAN("/one/up"));
    assert_bytes(payload, SKY_SPAN("hello"));
    close_bench(&bench);
}

static void a_search_stops_when_its_effort_is_spent(void **state)
{
    (void)state;
    struct bench bench;
    bool more;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 100);
    for (int i = 0; i < 10; i++)
        publish(&bench, 1, "/a", SKY_SPAN_NONE);
    publish(&bench, 2, "/b", SKY_SPAN_NONE);
    struct sky_event_filter filter = {.topic = SKY_SPAN("/b")};
    assert_false(sky_cursor_search(&bench.cursor, &filter, 10, &bench.event, &more));
    assert_true(more);
    assert_true(sky_cursor_search(&bench.cursor, &filter, 10, &bench.event, &more));
    assert_int_equal(bench.event.seq, 11);
    assert_false(sky_cursor_search(&bench.cursor, &filter, 10, &bench.event, &more));
    assert_false(more);
    close_bench(&bench);
}

/* ---- damage ---- */

static void a_damaged_entry_is_refused_not_followed(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, SKY_JOURNAL_BYTES_MIN, 100);
    record_a_story(&bench);
    for (uint64_t seq = 1; seq <= 4; seq++) {
        sky_span entry = sky_ring_at(&bench.journal->ring, seq);
        char *bytes = sky_mem_dup(entry.ptr, entry.len);
        for (size_t at = 0; at < entry.len; at++) {
            for (int bit = 0; bit < 8; bit++) {
                bytes[at] ^= (char)(1 << bit);
                (void)sky_entry_read(sky_span_of(bytes, entry.len), &bench.event);
                bytes[at] ^= (char)(1 << bit);
            }
            assert_false(sky_entry_read(sky_span_of(bytes, at), &bench.event));
        }
        assert_true(sky_entry_read(sky_span_of(bytes, entry.len), &bench.event));
        memset(bytes + offsetof(struct sky_entry_head, seq), 0, sizeof(uint64_t));
        assert_false(sky_entry_read(sky_span_of(bytes, entry.len), &bench.event)); /* no number */
        free(bytes);
    }
    close_bench(&bench);
}

/* ---- memory ---- */

static size_t resident_bytes(const struct sky_ring *ring)
{
    static unsigned char there[64 * 1024];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (ring->room + page - 1) / page;
    size_t count = 0;
    assert_true(pages <= sizeof there);
    assert_int_equal(mincore(ring->bytes, ring->room, there), 0);
    for (size_t i = 0; i < pages; i++)
        count += there[i] & 1;
    return count * page;
}

static void memory_is_taken_as_it_fills(void **state)
{
    enum { ROOM = 32 * 1024 * 1024, LITTLE = 1024 * 1024, MORE = 3 * 1024 * 1024 };
    static char payload[8 * 1024];
    struct bench bench;
    (void)state;
    open_bench(&bench, ROOM, MANY);
    struct sky_ring *ring = &bench.journal->ring;
    assert_true(resident_bytes(ring) == 0);
    assert_true(sky_journal_plan_warmth(bench.journal));
    sky_journal_warm(bench.journal);
    assert_in_range(resident_bytes(ring), 1, LITTLE);
    assert_false(sky_journal_plan_warmth(bench.journal)); /* nothing has come since */
    while (ring->write_at < MORE)
        publish(&bench, 1, "t", sky_span_of(payload, sizeof payload));
    assert_true(sky_journal_plan_warmth(bench.journal));
    sky_journal_warm(bench.journal);
    assert_in_range(resident_bytes(ring), 2 * MORE, 4 * MORE);
    assert_false(sky_journal_plan_warmth(bench.journal));
    while (stats_of(&bench).evicted == 0)
        publish(&bench, 1, "t", sky_span_of(payload, sizeof payload));
    while (sky_journal_plan_warmth(bench.journal))
        sky_journal_warm(bench.journal);
    assert_true(resident_bytes(ring) == ROOM);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_taken_as_it_fills),
        cmocka_unit_test(what_is_recorded_is_read_back),
        cmocka_unit_test(a_cursor_at_the_end_goes_on_when_there_is_more),
        cmocka_unit_test(findings_are_kept_with_what_was_done_about_them),
        cmocka_unit_test(the_largest_judgement_fits),
        cmocka_unit_test(a_field_is_cut_at_its_limit),
        cmocka_unit_test(the_oldest_go_first_when_the_count_is_reached),
        cmocka_unit_test(the_oldest_go_first_when_the_bytes_are_used_up),
        cmocka_unit_test(entries_stay_whole_while_the_ring_goes_round),
        cmocka_unit_test(the_largest_event_fits_the_smallest_journal),
        cmocka_unit_test(a_cursor_that_was_overtaken_goes_on_at_the_oldest),
        cmocka_unit_test(clear_forgets_and_numbers_go_on),
        cmocka_unit_test(the_watcher_hears_of_every_event),
        cmocka_unit_test(filters_find_what_they_say),
        cmocka_unit_test(a_delivery_has_the_message_it_carries),
        cmocka_unit_test(a_search_stops_when_its_effort_is_spent),
        cmocka_unit_test(a_damaged_entry_is_refused_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
