#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/forward/queue.h"

enum { PARALLEL = 4 };

static struct sky_forward_queue queue;
static struct sky_forward_target *target;

static void set_limits(size_t messages, size_t bytes)
{
    const struct sky_forward_limits limits = {
        .target = {messages, bytes}, .total = {messages, bytes}, .parallel = PARALLEL};
    sky_forward_queue_done(&queue);
    sky_forward_queue_init(&queue, &limits);
    target = sky_forward_target(&queue, SKY_SPAN("http://a"));
}

static int set_up(void **state)
{
    (void)state;
    sky_forward_queue_init(&queue, &sky_forward_limits);
    set_limits(1000, 1000 * 1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sky_forward_queue_done(&queue);
    return 0;
}

static bool put(int64_t device_id, uint64_t seq)
{
    return sky_forward_put(target, device_id, seq, SKY_SPAN("{}"));
}

static struct sky_forward_message *expect_next(uint64_t seq, int64_t now_ms)
{
    struct sky_forward_message *message = sky_forward_take(&queue, now_ms);
    assert_non_null(message);
    assert_int_equal(message->seq, seq);
    return message;
}

static void expect_nothing(int64_t now_ms)
{
    assert_null(sky_forward_take(&queue, now_ms));
}

static struct sky_forward_change settle(struct sky_forward_message *message,
                                        enum sky_forward_outcome outcome, int64_t now_ms)
{
    return sky_forward_settle(message, outcome, now_ms);
}

/* ---- order ---- */

static void one_device_has_one_message_on_its_way(void **state)
{
    (void)state;
    assert_true(put(1, 10) && put(1, 11) && put(2, 12));
    struct sky_forward_message *first = expect_next(10, 0);
    assert_true(sky_span_eq_str(first->body, "{}"));
    struct sky_forward_message *other = expect_next(12, 0);
    expect_nothing(0);
    assert_true(sky_forward_next_ms(&queue) == INT64_MAX);
    settle(first, SKY_FORWARD_TAKEN, 0);
    assert_true(sky_forward_next_ms(&queue) <= 0);
    first = expect_next(11, 0);
    settle(other, SKY_FORWARD_REFUSED, 0);
    settle(first, SKY_FORWARD_TAKEN, 0);
    expect_nothing(0);
    assert_int_equal(queue.held.messages, 0);
    assert_int_equal(queue.held.bytes, 0);
    assert_int_equal(target->counts[SKY_FORWARD_COUNT_TAKEN], 2);
    assert_int_equal(queue.counts[SKY_FORWARD_COUNT_REFUSED], 1);
}

static void so_many_go_side_by_side(void **state)
{
    (void)state;
    struct sky_forward_message *messages[PARALLEL];
    for (int64_t i = 0; i <= PARALLEL; i++)
        assert_true(put(i, (uint64_t)i));
    for (size_t i = 0; i < PARALLEL; i++)
        messages[i] = expect_next(i, 0);
    expect_nothing(0);
    settle(messages[2], SKY_FORWARD_TAKEN, 0);
    settle(expect_next(PARALLEL, 0), SKY_FORWARD_TAKEN, 0);
}

static void targets_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct sky_forward_target *other = sky_forward_target(&queue, SKY_SPAN("http://b"));
    assert_true(put(1, 10));
    assert_true(sky_forward_put(other, 1, 11, SKY_SPAN("{}")));
    struct sky_forward_message *first = expect_next(10, 0), *second = expect_next(11, 0);
    settle(first, SKY_FORWARD_AWAY, 0);
    settle(second, SKY_FORWARD_TAKEN, 0);
    assert_true(sky_forward_put(other, 2, 12, SKY_SPAN("{}")));
    settle(expect_next(12, 0), SKY_FORWARD_TAKEN, 0);
    expect_nothing(0);
}

/* ---- patience ---- */

static void a_failure_holds_up_its_device_alone_and_twice_as_long_each_time(void **state)
{
    (void)state;
    int64_t now_ms = 1000, delay_ms = SKY_FORWARD_DELAY_MS;
    assert_true(put(1, 10) && put(1, 11));
    for (int i = 0; i < 10; i++) {
        struct sky_forward_change change =
            settle(expect_next(10, now_ms), SKY_FORWARD_FAILED, now_ms);
        assert_true(change.began == (i == 0) && !change.ended && !change.lost);
        assert_true(put(2, 20));
        change = settle(expect_next(20, now_ms), SKY_FORWARD_TAKEN, now_ms);
        assert_true(!change.began && !change.ended);
        assert_true(sky_forward_next_ms(&queue) == now_ms + delay_ms);
        expect_nothing(now_ms + delay_ms - 1);
        now_ms += delay_ms;
        delay_ms =
            2 * delay_ms < SKY_FORWARD_DELAY_MAX_MS ? 2 * delay_ms : SKY_FORWARD_DELAY_MAX_MS;
    }
    assert_true(settle(expect_next(10, now_ms), SKY_FORWARD_TAKEN, now_ms).ended);
    settle(expect_next(11, now_ms), SKY_FORWARD_FAILED, now_ms); /* from the beginning */
    assert_true(sky_forward_next_ms(&queue) == now_ms + SKY_FORWARD_DELAY_MS);
    assert_int_equal(target->counts[SKY_FORWARD_COUNT_TRIES], 11);
}

static void an_absent_target_is_asked_by_one_at_a_time(void **state)
{
    (void)state;
    struct sky_forward_message *first, *second;
    assert_true(put(1, 10) && put(2, 20) && put(3, 30));
    first = expect_next(10, 0);
    second = expect_next(20, 0);
    assert_true(settle(first, SKY_FORWARD_AWAY, 0).began);
    expect_nothing(SKY_FORWARD_DELAY_MS); /* one is still on its way */
    /* It left before the target was known to be away: that is no second failure. */
    assert_false(settle(second, SKY_FORWARD_AWAY, 50).began);
    assert_true(sky_forward_next_ms(&queue) == SKY_FORWARD_DELAY_MS);
    expect_nothing(SKY_FORWARD_DELAY_MS - 1);
    int64_t now_ms = SKY_FORWARD_DELAY_MS;
    first = expect_next(30, now_ms);
    expect_nothing(now_ms);
    settle(first, SKY_FORWARD_AWAY, now_ms);
    assert_true(sky_forward_next_ms(&queue) == 3 * SKY_FORWARD_DELAY_MS);
    /* Whatever it made of the message, it is there. */
    now_ms = 3 * SKY_FORWARD_DELAY_MS;
    settle(expect_next(10, now_ms), SKY_FORWARD_FAILED, now_ms);
    first = expect_next(20, now_ms);
    second = expect_next(30, now_ms);
    assert_false(settle(first, SKY_FORWARD_TAKEN, now_ms).ended);
    assert_false(settle(second, SKY_FORWARD_REFUSED, now_ms).ended);
    now_ms += SKY_FORWARD_DELAY_MS;
    assert_true(settle(expect_next(10, now_ms), SKY_FORWARD_TAKEN, now_ms).ended);
}

static void an_absent_target_loses_nothing_however_long_it_takes(void **state)
{
    (void)state;
    int64_t now_ms = 0, delay_ms = 0;
    assert_true(put(1, 10));
    while (now_ms < 2 * SKY_FORWARD_STUBBORN_MS) {
        assert_false(settle(expect_next(10, now_ms), SKY_FORWARD_AWAY, now_ms).lost);
        delay_ms = sky_forward_next_ms(&queue) - now_ms;
        now_ms += delay_ms;
    }
    assert_true(delay_ms == SKY_FORWARD_DELAY_MAX_MS);
    settle(expect_next(10, now_ms), SKY_FORWARD_TAKEN, now_ms);
}

static void a_message_that_only_fails_is_given_up(void **state)
{
    (void)state;
    assert_true(put(1, 10) && put(1, 11));
    settle(expect_next(10, 7), SKY_FORWARD_FAILED, 7);
    int64_t now_ms = 7 + SKY_FORWARD_STUBBORN_MS - 1;
    assert_false(settle(expect_next(10, now_ms), SKY_FORWARD_FAILED, now_ms).lost);
    now_ms += SKY_FORWARD_DELAY_MAX_MS;
    struct sky_forward_change change = settle(expect_next(10, now_ms), SKY_FORWARD_FAILED, now_ms);
    assert_true(change.lost && change.ended && !change.began);
    assert_int_equal(target->counts[SKY_FORWARD_COUNT_LOST], 1);
    settle(expect_next(11, now_ms), SKY_FORWARD_TAKEN, now_ms);
}

/* ---- room ---- */

static void messages_are_counted(void **state)
{
    (void)state;
    set_limits(3, 1000 * 1000);
    assert_true(put(1, 10) && put(2, 11) && put(3, 12));
    assert_false(put(1, 13));
    assert_int_equal(target->counts[SKY_FORWARD_COUNT_LOST], 1);
    settle(expect_next(10, 0), SKY_FORWARD_TAKEN, 0);
    assert_true(put(1, 14));
    assert_false(put(1, 15));
}

static void bytes_are_counted(void **state)
{
    (void)state;
    enum { BODY = 100 };
    size_t size = sizeof(struct sky_forward_message) + BODY;
    char body[BODY + 1] = {0};
    set_limits(1000, 2 * size);
    assert_true(sky_forward_put(target, 1, 10, sky_span_of(body, BODY)));
    assert_false(sky_forward_put(target, 1, 11, sky_span_of(body, BODY + 1)));
    assert_true(sky_forward_put(target, 1, 12, sky_span_of(body, BODY)));
    assert_int_equal(target->held.bytes, 2 * size);
    assert_false(sky_forward_put(target, 1, 13, SKY_SPAN("")));
    settle(expect_next(10, 0), SKY_FORWARD_REFUSED, 0);
    assert_int_equal(target->held.bytes, size);
}

static void all_targets_share_the_room(void **state)
{
    (void)state;
    const struct sky_forward_limits limits = {
        .target = {2, 1000 * 1000}, .total = {3, 1000 * 1000}, .parallel = PARALLEL};
    sky_forward_queue_done(&queue);
    sky_forward_queue_init(&queue, &limits);
    target = sky_forward_target(&queue, SKY_SPAN("http://a"));
    struct sky_forward_target *other = sky_forward_target(&queue, SKY_SPAN("http://b"));
    assert_true(put(1, 10) && put(1, 11));
    assert_false(put(1, 12));
    assert_true(sky_forward_put(other, 1, 13, SKY_SPAN("{}")));
    assert_false(sky_forward_put(other, 1, 14, SKY_SPAN("{}")));
    assert_int_equal(queue.counts[SKY_FORWARD_COUNT_LOST], 2);
    assert_int_equal(other->counts[SKY_FORWARD_COUNT_LOST], 1);
}

static void so_many_targets_and_an_idle_one_makes_room(void **state)
{
    (void)state;
    char url[32];
    for (int i = 1; i < SKY_FORWARD_TARGETS_MAX; i++) {
        snprintf(url, sizeof url, "http://host-%d", i);
        struct sky_forward_target *other = sky_forward_target(&queue, sky_span_str(url));
        assert_true(sky_forward_put(other, 1, (uint64_t)i, SKY_SPAN("{}")));
    }
    assert_true(put(1, 10));
    assert_int_equal(queue.target_count, SKY_FORWARD_TARGETS_MAX);
    assert_null(sky_forward_target(&queue, SKY_SPAN("http://one-more")));
    assert_ptr_equal(sky_forward_target(&queue, SKY_SPAN("http://a")), target);
    settle(expect_next(10, 0), SKY_FORWARD_TAKEN, 0);
    assert_non_null(sky_forward_target(&queue, SKY_SPAN("http://one-more")));
    assert_int_equal(queue.target_count, SKY_FORWARD_TARGETS_MAX);
    assert_int_equal(queue.counts[SKY_FORWARD_COUNT_TAKEN], 1);
}

static void what_is_no_url_is_no_target(void **state)
{
    (void)state;
    char url[SKY_URL_MAX + 2] = "http://";
    memset(url + 7, 'a', SKY_URL_MAX - 7 + 1);
    assert_null(sky_forward_target(&queue, sky_span_str(url)));
    url[SKY_URL_MAX] = '\0';
    assert_non_null(sky_forward_target(&queue, sky_span_str(url)));
    assert_null(sky_forward_target(&queue, SKY_SPAN("business")));
    assert_null(sky_forward_target(&queue, SKY_SPAN("")));
}

/* ---- against a model ---- */

enum { DEVICES = 7, MESSAGES_MAX = 20, STEPS = 20000 };

/* What a plain reader of the header would keep: lists of numbers, and when they may be tried. */
static struct model {
    struct model_device {
        uint64_t waiting[MESSAGES_MAX];
        size_t count;
        struct sky_forward_message *asked;
        unsigned failures;
        int64_t not_before_ms;
    } devices[DEVICES];
    size_t count;
    unsigned asked, unreached;
    int64_t not_before_ms;
    uint64_t counts[SKY_FORWARD_COUNTS];
} model;

static uint32_t chance(uint32_t below)
{
    static uint32_t state = 20261128;
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
}

static int64_t doubled(unsigned failures)
{
    int64_t ms = SKY_FORWARD_DELAY_MS;
    for (unsigned i = 1; i < failures && ms < SKY_FORWARD_DELAY_MAX_MS; i++)
        ms *= 2;
    return ms > SKY_FORWARD_DELAY_MAX_MS ? SKY_FORWARD_DELAY_MAX_MS : ms;
}

static void model_put(uint64_t seq)
{
    size_t which = chance(DEVICES);
    struct model_device *device = &model.devices[which];
    bool fits = model.count < MESSAGES_MAX;
    assert_true(put((int64_t)which, seq) == fits);
    if (fits) {
        device->waiting[device->count++] = seq;
        model.count++;
    } else {
        model.counts[SKY_FORWARD_COUNT_LOST]++;
    }
}

static bool may_go(const struct model_device *device, int64_t now_ms)
{
    if (device->count == 0 || device->asked != NULL || device->not_before_ms > now_ms)
        return false;
    return model.unreached > 0 ? model.asked == 0 && model.not_before_ms <= now_ms
                               : model.asked < PARALLEL;
}

static void model_take(int64_t now_ms)
{
    bool some = false;
    for (size_t i = 0; i < DEVICES; i++)
        some |= may_go(&model.devices[i], now_ms);
    struct sky_forward_message *message = sky_forward_take(&queue, now_ms);
    assert_true((message != NULL) == some);
    if (message == NULL)
        return;
    struct model_device *device = &model.devices[message->lane->device_id];
    assert_true(may_go(device, now_ms));
    assert_int_equal(message->seq, device->waiting[0]);
    device->asked = message;
    model.asked++;
}

static void model_settle(struct model_device *device, enum sky_forward_outcome outcome,
                         int64_t now_ms)
{
    settle(device->asked, outcome, now_ms);
    device->asked = NULL;
    model.asked--;
    if (outcome == SKY_FORWARD_AWAY) {
        if (model.unreached == 0 || model.not_before_ms <= now_ms)
            model.not_before_ms = now_ms + doubled(++model.unreached);
    } else {
        model.unreached = 0;
    }
    if (outcome == SKY_FORWARD_FAILED)
        device->not_before_ms = now_ms + doubled(++device->failures);
    if (outcome == SKY_FORWARD_FAILED || outcome == SKY_FORWARD_AWAY) {
        model.counts[SKY_FORWARD_COUNT_TRIES]++;
        return;
    }
    model.counts[outcome == SKY_FORWARD_TAKEN ? SKY_FORWARD_COUNT_TAKEN
                                              : SKY_FORWARD_COUNT_REFUSED]++;
    device->failures = 0;
    device->not_before_ms = 0;
    memmove(device->waiting, device->waiting + 1, --device->count * sizeof device->waiting[0]);
    model.count--;
}

static void check_model(int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    assert_int_equal(queue.held.messages, model.count);
    assert_memory_equal(queue.counts, model.counts, sizeof model.counts);
    for (int64_t at_ms = now_ms; at_ms <= now_ms + SKY_FORWARD_DELAY_MAX_MS && next_ms == INT64_MAX;
         at_ms += SKY_FORWARD_DELAY_MS / 2)
        for (size_t i = 0; i < DEVICES; i++)
            if (may_go(&model.devices[i], at_ms))
                next_ms = at_ms;
    if (next_ms != INT64_MAX) /* never later than something may go */
        assert_true(sky_forward_next_ms(&queue) <= next_ms);
}

static void anything_goes_as_in_the_model(void **state)
{
    (void)state;
    int64_t now_ms = 0;
    set_limits(MESSAGES_MAX, 1000 * 1000);
    model = (struct model){0};
    for (uint64_t step = 1; step <= STEPS; step++) {
        struct model_device *device = &model.devices[chance(DEVICES)];
        bool dark = step % 4000 > 3000; /* an outage now and then */
        uint32_t act = chance(10);
        if (act < 3)
            model_put(step);
        else if (act < 6)
            model_take(now_ms);
        else if (act < 9 && device->asked != NULL)
            model_settle(device,
                         dark || chance(8) == 0 ? SKY_FORWARD_AWAY
                                                : (enum sky_forward_outcome)chance(3),
                         now_ms);
        else if (act == 9)
            now_ms += chance(300);
        check_model(now_ms);
    }
    for (size_t i = 0; i < DEVICES; i++)
        if (model.devices[i].asked != NULL)
            model_settle(&model.devices[i], SKY_FORWARD_TAKEN, now_ms);
    while (model.count > 0) { /* all that is left comes, when it may */
        int64_t next_ms = sky_forward_next_ms(&queue);
        assert_true(next_ms != INT64_MAX);
        now_ms = next_ms > now_ms ? next_ms : now_ms;
        model_take(now_ms);
        for (size_t i = 0; i < DEVICES; i++)
            if (model.devices[i].asked != NULL)
                model_settle(&model.devices[i], SKY_FORWARD_TAKEN, now_ms);
    }
    assert_true(queue.counts[SKY_FORWARD_COUNT_TAKEN] > STEPS / 50);
    assert_true(queue.counts[SKY_FORWARD_COUNT_LOST] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(one_device_has_one_message_on_its_way),
        T(so_many_go_side_by_side),
        T(targets_do_not_wait_for_each_other),
        T(a_failure_holds_up_its_device_alone_and_twice_as_long_each_time),
        T(an_absent_target_is_asked_by_one_at_a_time),
        T(an_absent_target_loses_nothing_however_long_it_takes),
        T(a_message_that_only_fails_is_given_up),
        T(messages_are_counted),
        T(bytes_are_counted),
        T(all_targets_share_the_room),
        T(so_many_targets_and_an_idle_one_makes_room),
        T(what_is_no_url_is_no_target),
        T(anything_goes_as_in_the_model),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
