#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/base/timerq.h"

enum { MANY = 500 };

static struct sky_timerq queue;
static int64_t fired[4 * MANY];
static struct sky_timer *fired_timer[4 * MANY];
static size_t fired_count;

static int set_up(void **state)
{
    (void)state;
    sky_timerq_init(&queue);
    fired_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sky_timerq_done(&queue);
    return 0;
}

static void note(struct sky_timer *timer, int64_t now_ms)
{
    assert_false(sky_timer_is_set(timer));
    fired_timer[fired_count] = timer;
    fired[fired_count++] = now_ms;
}

static void an_empty_queue_has_nothing_due(void **state)
{
    (void)state;
    struct sky_timer timer = {0};
    assert_true(sky_timerq_next_ms(&queue) == INT64_MAX);
    assert_int_equal(sky_timerq_run(&queue, INT64_MAX), 0);
    sky_timerq_cancel(&queue, &timer);
    assert_false(sky_timer_is_set(&timer));
}

static void fires_what_is_due_in_order_with_its_own_time(void **state)
{
    (void)state;
    struct sky_timer a = {0}, b = {0}, c = {0};
    sky_timerq_set(&queue, &a, 30, note);
    sky_timerq_set(&queue, &b, -5, note);
    sky_timerq_set(&queue, &c, 31, note);
    assert_true(sky_timerq_next_ms(&queue) == -5);
    assert_int_equal(sky_timerq_run(&queue, 30), 2);
    assert_true(fired_timer[0] == &b && fired[0] == -5);
    assert_true(fired_timer[1] == &a && fired[1] == 30);
    assert_true(sky_timer_is_set(&c) && sky_timerq_next_ms(&queue) == 31);
}

static void ties_fire_in_the_order_they_were_set(void **state)
{
    (void)state;
    struct sky_timer timers[MANY] = {0};
    for (size_t i = 0; i < MANY; i++)
        sky_timerq_set(&queue, &timers[i], 7, note);
    sky_timerq_set(&queue, &timers[0], 7, note); /* set anew: behind the others */
    assert_int_equal(sky_timerq_run(&queue, 7), MANY);
    for (size_t i = 0; i + 1 < MANY; i++)
        assert_ptr_equal(fired_timer[i], &timers[i + 1]);
    assert_ptr_equal(fired_timer[MANY - 1], &timers[0]);
}

static void a_timer_can_be_moved_and_cancelled(void **state)
{
    (void)state;
    struct sky_timer a = {0}, b = {0};
    sky_timerq_set(&queue, &a, 10, note);
    sky_timerq_set(&queue, &b, 20, note);
    sky_timerq_set(&queue, &a, 30, note);
    assert_true(sky_timerq_next_ms(&queue) == 20);
    sky_timerq_cancel(&queue, &b);
    sky_timerq_cancel(&queue, &b);
    assert_int_equal(sky_timerq_run(&queue, 29), 0);
    assert_int_equal(sky_timerq_run(&queue, 30), 1);
}

static void again_in_ten(struct sky_timer *timer, int64_t now_ms)
{
    note(timer, now_ms);
    sky_timerq_set(&queue, timer, now_ms + 10, again_in_ten);
}

static void timers_set_while_running_fire_in_the_same_run(void **state)
{
    (void)state;
    struct sky_timer timer = {0}, other = {0};
    sky_timerq_set(&queue, &timer, 10, again_in_ten);
    sky_timerq_set(&queue, &other, 25, note);
    assert_int_equal(sky_timerq_run(&queue, 35), 4);
    assert_true(fired_timer[2] == &other);
    assert_true(fired[3] == 30 && sky_timerq_next_ms(&queue) == 40);
}

static void free_timer(struct sky_timer *timer, int64_t now_ms)
{
    note(timer, now_ms);
    free(timer);
}

static void a_timer_may_be_freed_when_it_fires(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        sky_timerq_set(&queue, sky_mem_new(sizeof(struct sky_timer)), i, free_timer);
    assert_int_equal(sky_timerq_run(&queue, 100), 10);
}

static void random_sets_moves_and_cancels_keep_the_order(void **state)
{
    (void)state;
    struct sky_timer timers[MANY] = {0};
    unsigned seed = 20240611;
    size_t set = 0;
    for (int i = 0; i < 20 * MANY; i++) {
        struct sky_timer *timer = &timers[(size_t)rand_r(&seed) % MANY];
        if (rand_r(&seed) % 3 == 0)
            sky_timerq_cancel(&queue, timer);
        else
            sky_timerq_set(&queue, timer, rand_r(&seed) % 100, note);
    }
    for (size_t i = 0; i < MANY; i++)
        set += sky_timer_is_set(&timers[i]);
    assert_int_equal(sky_timerq_run(&queue, 100), set);
    for (size_t i = 1; i < fired_count; i++) {
        const struct sky_timer *a = fired_timer[i - 1], *b = fired_timer[i];
        assert_true(a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->order < b->order));
    }
}

/* The count of what was set begins anew some day: ties are still in order. */
static void ties_are_in_order_where_the_count_begins_anew(void **state)
{
    (void)state;
    struct sky_timer timers[8] = {{.due_ms = 0}};
    queue.order = UINT32_MAX - 3;
    for (size_t i = 0; i < SKY_COUNT(timers); i++)
        sky_timerq_set(&queue, &timers[i], 10, note);
    assert_int_equal(sky_timerq_run(&queue, 10), SKY_COUNT(timers));
    for (size_t i = 0; i < SKY_COUNT(timers); i++)
        assert_ptr_equal(fired_timer[i], &timers[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_queue_has_nothing_due, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fires_what_is_due_in_order_with_its_own_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ties_fire_in_the_order_they_were_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_can_be_moved_and_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timers_set_while_running_fire_in_the_same_run, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_timer_may_be_freed_when_it_fires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ties_are_in_order_where_the_count_begins_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(random_sets_moves_and_cancels_keep_the_order, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("timerq", tests, NULL, NULL);
}
