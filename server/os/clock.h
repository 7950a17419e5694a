/* The only clock of the program: real time, or a virtual one that is frozen and advanced. Devices
 * and clouds live by the virtual one; patience with peers that stall is in real time.
 * Everything below server/ gets time as an argument; everything in server/ asks here. */
#ifndef SKY_SERVER_OS_CLOCK_H
#define SKY_SERVER_OS_CLOCK_H

#include "protocol/base/timerq.h"

/* One advance goes at most this far: a hundred years. */
#define SKY_CLOCK_ADVANCE_MAX_MS (INT64_C(100) * 365 * 24 * 3600 * 1000)

struct sky_clock {
    int64_t offset_ms; /* virtual = real + offset while running */
    int64_t frozen_ms; /* virtual time while frozen */
    bool frozen;
    int64_t now_ms;  /* virtual Unix time as of the last update */
    int64_t real_ms; /* real Unix time as of the last update */
    int64_t mono_base_ms, wall_base_ms;
    struct sky_timerq timers;   /* due in virtual time */
    struct sky_timerq patience; /* due in real time */
    uint64_t turn_ms;           /* of the loop, at the last tick */
};

void sky_clock_init(struct sky_clock *clock);
void sky_clock_done(struct sky_clock *clock);

/* Reads the machine's clock. Called once per loop turn and before timers run. */
void sky_clock_update(struct sky_clock *clock);
/* The same, unless the loop has not turned since: `loop_ms` is the loop's own time. Every callback
 * of the loop begins with it. */
void sky_clock_tick(struct sky_clock *clock, uint64_t loop_ms);

void sky_clock_freeze(struct sky_clock *clock);
void sky_clock_resume(struct sky_clock *clock); /* goes on from the virtual time reached */
/* Jumps without firing what lies between; only forward jumps fire late timers on the next run. */
void sky_clock_set(struct sky_clock *clock, int64_t unix_ms);
/* Moves forward and fires, in order, everything due on the way, each seeing its own due time as
 * now. Works frozen and running. `by_ms` is 0..SKY_CLOCK_ADVANCE_MAX_MS. Not to be called from
 * a timer. */
void sky_clock_advance(struct sky_clock *clock, int64_t by_ms);
/* Fires what is due now, in virtual time, then in real time. */
void sky_clock_run(struct sky_clock *clock);
/* The real milliseconds until the next timer of either kind, 0 when one is due, or -1: none. */
int64_t sky_clock_next_ms(const struct sky_clock *clock);

/* In virtual time. `in_ms` is not negative. */
void sky_clock_timer(struct sky_clock *clock, struct sky_timer *timer, int64_t in_ms,
                     sky_timer_fn *fire);
void sky_clock_cancel(struct sky_clock *clock, struct sky_timer *timer);

/* In real time, for limits on peers. */
void sky_clock_patience(struct sky_clock *clock, struct sky_timer *timer, int64_t in_ms,
                        sky_timer_fn *fire);
void sky_clock_forgive(struct sky_clock *clock, struct sky_timer *timer);

#endif
