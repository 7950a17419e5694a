#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/os/clock.h"

enum { T0 = 1000000 };

/* A timer that writes down when it was called and what the clock said then. */
struct probe {
    struct sky_timer timer;
    struct sky_clock *clock;
    int64_t called_with_ms, clock_said_ms;
    int calls, repeat_ms, order;
};

static int calls_so_far;

static void on_fire(struct sky_timer *timer, int64_t now_ms)
{
    struct probe *probe = SKY_CONTAINER_OF(timer, struct probe, timer);
    probe->called_with_ms = sky_clock_shown_ms(probe->clock, now_ms);
    probe->clock_said_ms = probe->clock->now_ms;
    probe->calls++;
    probe->order = ++calls_so_far;
    if (probe->repeat_ms > 0)
        sky_clock_timer(probe->clock, timer, probe->repeat_ms, on_fire);
}

static void freeze_at(struct sky_clock *clock, int64_t unix_ms)
{
    sky_clock_init(clock);
    sky_clock_freeze(clock);
    sky_clock_set(clock, unix_ms);
    calls_so_far = 0;
}

static void frozen_time_stands_still(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    clock.wall_base_ms += 5000; /* five seconds pass on the machine */
    sky_clock_update(&clock);
    assert_int_equal(clock.now_ms, T0);
    sky_clock_run(&clock);
    assert_int_equal(sky_clock_next_ms(&clock), -1);
    sky_clock_done(&clock);
}

static void running_time_follows_the_machine(void **state)
{
    (void)state;
    struct sky_clock clock;
    sky_clock_init(&clock);
    int64_t before_ms = clock.now_ms;
    clock.wall_base_ms += 5000;
    sky_clock_update(&clock);
    assert_true(clock.now_ms >= before_ms + 5000);
    assert_int_equal(clock.now_ms, clock.real_ms);
    sky_clock_done(&clock);
}

static void resume_goes_on_from_the_time_reached(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    sky_clock_advance(&clock, 500);
    sky_clock_resume(&clock);
    assert_int_equal(clock.now_ms, T0 + 500);
    clock.wall_base_ms += 1000;
    sky_clock_update(&clock);
    assert_in_range(clock.now_ms, T0 + 1500, T0 + 1500 + 60000);
    sky_clock_done(&clock);
}

static void advance_fires_in_order_each_at_its_due_time(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    struct probe late = {.clock = &clock}, early = {.clock = &clock}, never = {.clock = &clock};
    sky_clock_timer(&clock, &late.timer, 300, on_fire);
    sky_clock_timer(&clock, &early.timer, 100, on_fire);
    sky_clock_timer(&clock, &never.timer, 301, on_fire);
    sky_clock_advance(&clock, 300);
    assert_int_equal(early.order, 1);
    assert_int_equal(early.called_with_ms, T0 + 100);
    assert_int_equal(early.clock_said_ms, T0 + 100);
    assert_int_equal(late.order, 2);
    assert_int_equal(late.clock_said_ms, T0 + 300);
    assert_int_equal(never.calls, 0);
    assert_int_equal(clock.now_ms, T0 + 300);
    sky_clock_cancel(&clock, &never.timer);
    sky_clock_done(&clock);
}

static void advance_fires_what_its_timers_set(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    struct probe every = {.clock = &clock, .repeat_ms = 100};
    sky_clock_timer(&clock, &every.timer, 100, on_fire);
    sky_clock_advance(&clock, 1050);
    assert_int_equal(every.calls, 10);
    assert_int_equal(every.clock_said_ms, T0 + 1000);
    sky_clock_cancel(&clock, &every.timer);
    sky_clock_done(&clock);
}

static void advance_works_while_time_runs(void **state)
{
    (void)state;
    struct sky_clock clock;
    sky_clock_init(&clock);
    struct probe probe = {.clock = &clock};
    sky_clock_timer(&clock, &probe.timer, 3600 * 1000, on_fire);
    int64_t before_ms = clock.now_ms;
    sky_clock_advance(&clock, 3600 * 1000);
    assert_int_equal(probe.calls, 1);
    sky_clock_update(&clock);
    assert_true(clock.now_ms >= before_ms + 3600 * 1000);
    sky_clock_done(&clock);
}

static void set_forward_fires_late_timers_on_the_next_run(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    struct probe probe = {.clock = &clock};
    sky_clock_timer(&clock, &probe.timer, 100, on_fire);
    sky_clock_set(&clock, T0 + 1000);
    assert_int_equal(probe.calls, 0);
    sky_clock_run(&clock);
    assert_int_equal(sky_clock_next_ms(&clock), -1);
    assert_int_equal(probe.called_with_ms, T0 + 100);
    assert_int_equal(probe.clock_said_ms, T0 + 1000);
    sky_clock_done(&clock);
}

static void set_backward_leaves_timers_the_time_they_had(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    struct probe probe = {.clock = &clock};
    sky_clock_timer(&clock, &probe.timer, 100, on_fire);
    sky_clock_set(&clock, T0 - 1000);
    sky_clock_run(&clock);
    assert_int_equal(probe.calls, 0);
    sky_clock_advance(&clock, 99);
    assert_int_equal(probe.calls, 0);
    sky_clock_advance(&clock, 1);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(probe.clock_said_ms, T0 - 900);
    sky_clock_timer(&clock, &probe.timer, 50, on_fire); /* and what is set from then on */
    sky_clock_advance(&clock, 50);
    assert_int_equal(probe.calls, 2);
    sky_clock_done(&clock);
}

static void lived_time_never_goes_back(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    int64_t lived_ms = sky_clock_lived_ms(&clock);
    sky_clock_set(&clock, 0);
    assert_int_equal(sky_clock_lived_ms(&clock), lived_ms);
    assert_int_equal(sky_clock_shown_ms(&clock, lived_ms), 0);
    sky_clock_set(&clock, T0);
    assert_int_equal(sky_clock_lived_ms(&clock), lived_ms + T0);
    sky_clock_done(&clock);
}

static void time_ends_with_the_year_9999(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, SKY_CLOCK_END_MS - 100);
    struct probe probe = {.clock = &clock};
    sky_clock_advance(&clock, 100);
    assert_int_equal(clock.now_ms, SKY_CLOCK_END_MS);
    sky_clock_timer(&clock, &probe.timer, 1, on_fire);
    sky_clock_advance(&clock, 1);
    assert_int_equal(clock.now_ms, SKY_CLOCK_END_MS);
    sky_clock_resume(&clock);
    clock.wall_base_ms += 5000;
    sky_clock_update(&clock);
    assert_int_equal(clock.now_ms, SKY_CLOCK_END_MS);
    assert_int_equal(sky_clock_next_ms(&clock), -1);
    assert_int_equal(probe.calls, 0);
    sky_clock_cancel(&clock, &probe.timer);
    sky_clock_done(&clock);
}

static void reset_goes_back_to_real_time(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    struct probe probe = {.clock = &clock};
    sky_clock_timer(&clock, &probe.timer, 3600 * 1000, on_fire);
    sky_clock_set(&clock, SKY_CLOCK_END_MS);
    sky_clock_cancel(&clock, &probe.timer);
    sky_clock_reset(&clock);
    assert_false(clock.frozen);
    assert_int_equal(clock.now_ms, clock.real_ms);
    sky_clock_timer(&clock, &probe.timer, 250, on_fire);
    assert_in_range(sky_clock_next_ms(&clock), 0, 250);
    sky_clock_cancel(&clock, &probe.timer);
    sky_clock_done(&clock);
}

static void a_timer_in_the_past_is_due_at_once(void **state)
{
    (void)state;
    struct sky_clock clock;
    freeze_at(&clock, T0);
    struct probe probe = {.clock = &clock};
    sky_clock_timer(&clock, &probe.timer, -5000, on_fire);
    assert_int_equal(sky_clock_next_ms(&clock), 0);
    sky_clock_run(&clock);
    assert_int_equal(probe.calls, 1);
    sky_clock_done(&clock);
}

static void run_says_how_long_to_wait(void **state)
{
    (void)state;
    struct sky_clock clock;
    sky_clock_init(&clock);
    struct probe probe = {.clock = &clock};
    sky_clock_run(&clock);
    assert_int_equal(sky_clock_next_ms(&clock), -1);
    sky_clock_timer(&clock, &probe.timer, 250, on_fire);
    sky_clock_run(&clock);
    assert_int_equal(sky_clock_next_ms(&clock), 250);
    sky_clock_cancel(&clock, &probe.timer);
    sky_clock_run(&clock);
    assert_int_equal(sky_clock_next_ms(&clock), -1);
    sky_clock_done(&clock);
}

static void a_turn_lasts_from_its_first_reading(void **state)
{
    struct sky_clock clock;
    (void)state;
    sky_clock_init(&clock);
    sky_clock_end_turn(&clock);
    assert_true(sky_clock_end_turn(&clock) == 0); /* nothing was read: nothing happened */
    sky_clock_tick(&clock, 7);
    int64_t began_us = clock.turn_began_us;
    assert_true(began_us > 0);
    while (sky_clock_machine_us() < began_us + 2000)
        sky_clock_tick(&clock, 8);
    assert_true(clock.turn_began_us == began_us);
    assert_true(sky_clock_end_turn(&clock) >= 2000);
    sky_clock_tick(&clock, 8); /* the next turn, in the same millisecond of the loop */
    assert_true(clock.turn_began_us >= began_us + 2000);
    sky_clock_done(&clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_lasts_from_its_first_reading),
        cmocka_unit_test(frozen_time_stands_still),
        cmocka_unit_test(running_time_follows_the_machine),
        cmocka_unit_test(resume_goes_on_from_the_time_reached),
        cmocka_unit_test(advance_fires_in_order_each_at_its_due_time),
        cmocka_unit_test(advance_fires_what_its_timers_set),
        cmocka_unit_test(advance_works_while_time_runs),
        cmocka_unit_test(set_forward_fires_late_timers_on_the_next_run),
        cmocka_unit_test(set_backward_leaves_timers_the_time_they_had),
        cmocka_unit_test(lived_time_never_goes_back),
        cmocka_unit_test(time_ends_with_the_year_9999),
        cmocka_unit_test(reset_goes_back_to_real_time),
        cmocka_unit_test(a_timer_in_the_past_is_due_at_once),
        cmocka_unit_test(run_says_how_long_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
