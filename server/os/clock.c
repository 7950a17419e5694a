#include "server/os/clock.h"

#include <time.h>

#include "protocol/base/assert.h"

/* Within what a double, and the store, hold exactly. */
#define BEHIND_MAX_MS (INT64_C(1) << 52)

static int64_t read_us(clockid_t which)
{
    struct timespec at;
    int failed = clock_gettime(which, &at);
    SKY_ASSERT(!failed);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static int64_t read_ms(clockid_t which)
{
    return read_us(which) / 1000;
}

int64_t sky_clock_machine_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

void sky_clock_init(struct sky_clock *clock)
{
    *clock = (struct sky_clock){.mono_base_ms = read_ms(CLOCK_MONOTONIC),
                                .wall_base_ms = read_ms(CLOCK_REALTIME)};
    sky_timerq_init(&clock->timers);
    sky_timerq_init(&clock->patience);
    sky_clock_update(clock);
}

void sky_clock_done(struct sky_clock *clock)
{
    sky_timerq_done(&clock->timers);
    sky_timerq_done(&clock->patience);
}

/* Wall time is read once, at the start, and goes on with the monotonic clock: a machine whose
 * time is corrected under a running test must not fire a keepalive. */
void sky_clock_update(struct sky_clock *clock)
{
    int64_t now_us = read_us(CLOCK_MONOTONIC);
    if (clock->turn_began_us == 0)
        clock->turn_began_us = now_us;
    clock->real_ms = clock->wall_base_ms + (now_us / 1000 - clock->mono_base_ms);
    clock->now_ms = clock->frozen ? clock->frozen_ms : clock->real_ms + clock->offset_ms;
    if (clock->now_ms > SKY_CLOCK_END_MS)
        clock->now_ms = SKY_CLOCK_END_MS;
}

void sky_clock_tick(struct sky_clock *clock, uint64_t loop_ms)
{
    if (loop_ms == clock->turn_ms && clock->turn_began_us != 0)
        return;
    clock->turn_ms = loop_ms;
    sky_clock_update(clock);
}

int64_t sky_clock_turn_us(const struct sky_clock *clock)
{
    return clock->turn_began_us != 0 ? sky_clock_machine_us() - clock->turn_began_us : 0;
}

int64_t sky_clock_end_turn(struct sky_clock *clock)
{
    int64_t took_us = sky_clock_turn_us(clock);
    clock->turn_began_us = 0;
    return took_us;
}

bool sky_clock_turn_is_spent(const struct sky_clock *clock)
{
    return sky_clock_turn_us(clock) >= SKY_TURN_BUDGET_US;
}

void sky_clock_freeze(struct sky_clock *clock)
{
    sky_clock_update(clock);
    clock->frozen_ms = clock->now_ms;
    clock->frozen = true;
}

void sky_clock_resume(struct sky_clock *clock)
{
    sky_clock_update(clock);
    clock->offset_ms = clock->now_ms - clock->real_ms;
    clock->frozen = false;
}

/* Makes `unix_ms` the virtual time, frozen or running. Nobody goes back so often that the bound
 * matters; without it the sum could overflow. */
static void jump(struct sky_clock *clock, int64_t unix_ms)
{
    if (unix_ms > SKY_CLOCK_END_MS)
        unix_ms = SKY_CLOCK_END_MS;
    if (unix_ms < clock->now_ms && clock->behind_ms < BEHIND_MAX_MS)
        clock->behind_ms += clock->now_ms - unix_ms;
    clock->frozen_ms = unix_ms;
    clock->offset_ms = unix_ms - clock->real_ms;
    clock->now_ms = unix_ms;
}

void sky_clock_reset(struct sky_clock *clock)
{
    sky_clock_update(clock);
    clock->frozen = false;
    jump(clock, clock->real_ms);
}

void sky_clock_set(struct sky_clock *clock, int64_t unix_ms)
{
    sky_clock_update(clock);
    jump(clock, unix_ms);
}

void sky_clock_go_to(struct sky_clock *clock, int64_t unix_ms, bool frozen)
{
    sky_clock_update(clock);
    int64_t lived_ms = sky_clock_lived_ms(clock);
    jump(clock, unix_ms);
    if (lived_ms - clock->now_ms <= BEHIND_MAX_MS)
        clock->behind_ms = lived_ms - clock->now_ms;
    clock->frozen = frozen;
}

void sky_clock_advance(struct sky_clock *clock, int64_t by_ms)
{
    SKY_ASSERT(by_ms >= 0 && by_ms <= SKY_CLOCK_ADVANCE_MAX_MS);
    sky_clock_update(clock);
    int64_t end_ms = clock->now_ms + by_ms;
    if (end_ms > SKY_CLOCK_END_MS)
        end_ms = SKY_CLOCK_END_MS;
    for (;;) {
        int64_t due_ms = sky_timerq_next_ms(&clock->timers);
        if (due_ms > end_ms + clock->behind_ms)
            break;
        if (due_ms > sky_clock_lived_ms(clock))
            jump(clock, sky_clock_shown_ms(clock, due_ms));
        sky_timerq_run(&clock->timers, due_ms);
    }
    jump(clock, end_ms);
}

void sky_clock_run(struct sky_clock *clock)
{
    sky_timerq_run(&clock->timers, sky_clock_lived_ms(clock));
    sky_timerq_run(&clock->patience, clock->real_ms);
}

int64_t sky_clock_next_ms(const struct sky_clock *clock)
{
    int64_t due_ms = sky_timerq_next_ms(&clock->timers);
    int64_t wait_ms = sky_timerq_next_ms(&clock->patience);
    if (wait_ms != INT64_MAX)
        wait_ms -= clock->real_ms;
    /* While virtual time stands still only what is due already is due. */
    if (due_ms != INT64_MAX)
        due_ms -= sky_clock_lived_ms(clock);
    bool stands = clock->frozen || clock->now_ms == SKY_CLOCK_END_MS;
    if (due_ms < wait_ms && (!stands || due_ms <= 0))
        wait_ms = due_ms;
    if (wait_ms == INT64_MAX)
        return -1;
    return wait_ms > 0 ? wait_ms : 0;
}

void sky_clock_timer(struct sky_clock *clock, struct sky_timer *timer, int64_t in_ms,
                     sky_timer_fn *fire)
{
    sky_timerq_set(&clock->timers, timer, sky_clock_lived_ms(clock) + (in_ms > 0 ? in_ms : 0),
                   fire);
}

void sky_clock_cancel(struct sky_clock *clock, struct sky_timer *timer)
{
    sky_timerq_cancel(&clock->timers, timer);
}

void sky_clock_patience(struct sky_clock *clock, struct sky_timer *timer, int64_t in_ms,
                        sky_timer_fn *fire)
{
    sky_timerq_set(&clock->patience, timer, clock->real_ms + in_ms, fire);
}

void sky_clock_forgive(struct sky_clock *clock, struct sky_timer *timer)
{
    sky_timerq_cancel(&clock->patience, timer);
}
