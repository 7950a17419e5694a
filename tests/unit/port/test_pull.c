#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/port/pull.h"

static void add(struct sky_pull *pull, const char *payload, int64_t until_ms)
{
    assert_int_equal(sky_pull_add(pull, SKY_SPAN("topic"), sky_span_str(payload), 7, until_ms),
                     SKY_OK);
}

static void assert_first(const struct sky_pull *pull, const char *payload)
{
    const struct sky_pull_item *item = sky_pull_first(pull);
    assert_non_null(item);
    assert_true(sky_span_eq_str(item->payload, payload));
    assert_true(sky_span_eq_str(item->topic, "topic"));
    assert_int_equal(item->of, 7);
}

static void commands_come_in_the_order_they_went(void **state)
{
    struct sky_pull pull = {0};
    (void)state;
    assert_null(sky_pull_first(&pull));
    add(&pull, "one", 100);
    add(&pull, "two", 50);
    assert_first(&pull, "one");
    sky_pull_drop_first(&pull);
    assert_first(&pull, "two");
    sky_pull_drop_first(&pull);
    assert_null(sky_pull_first(&pull));
    sky_pull_done(&pull);
}

static void a_queue_has_a_limit(void **state)
{
    struct sky_pull pull = {0};
    (void)state;
    for (size_t i = 0; i < SKY_PULL_MAX; i++)
        add(&pull, "x", 100);
    assert_int_equal(sky_pull_add(&pull, SKY_SPAN("t"), SKY_SPAN("y"), 0, 100), SKY_ERR_LIMIT);
    assert_int_equal(pull.count, SKY_PULL_MAX);
    sky_pull_drop_first(&pull);
    add(&pull, "y", 100);
    sky_pull_done(&pull);
    assert_int_equal(pull.count, 0);
}

static void a_payload_has_a_limit(void **state)
{
    struct sky_pull pull = {0};
    char *payload = sky_mem_new(SKY_PULL_PAYLOAD_MAX + 1);
    sky_span longest = sky_span_of(payload, SKY_PULL_PAYLOAD_MAX);
    sky_span longer = sky_span_of(payload, SKY_PULL_PAYLOAD_MAX + 1);
    (void)state;
    assert_int_equal(sky_pull_add(&pull, SKY_SPAN("t"), longest, 0, 1), SKY_OK);
    assert_int_equal(sky_pull_add(&pull, SKY_SPAN("t"), longer, 0, 1), SKY_ERR_LIMIT);
    sky_pull_done(&pull);
    free(payload);
}

static void count(void *ctx, const struct sky_pull_item *item)
{
    assert_true(item->payload.len > 0);
    ++*(size_t *)ctx;
}

static void each_command_expires_in_its_own_time(void **state)
{
    struct sky_pull pull = {0};
    size_t gone = 0;
    (void)state;
    assert_int_equal(sky_pull_next_ms(&pull), INT64_MAX);
    add(&pull, "late", 100);
    add(&pull, "soon", 50);
    add(&pull, "never", INT64_MAX);
    assert_int_equal(sky_pull_next_ms(&pull), 50);
    sky_pull_expire(&pull, 49, count, &gone);
    assert_int_equal(gone, 0);
    sky_pull_expire(&pull, 50, count, &gone);
    assert_int_equal(gone, 1);
    assert_first(&pull, "late");
    assert_int_equal(sky_pull_next_ms(&pull), 100);
    sky_pull_expire(&pull, 1000, NULL, NULL);
    assert_first(&pull, "never");
    assert_int_equal(pull.count, 1);
    sky_pull_done(&pull);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_come_in_the_order_they_went),
        cmocka_unit_test(a_queue_has_a_limit),
        cmocka_unit_test(a_payload_has_a_limit),
        cmocka_unit_test(each_command_expires_in_its_own_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
