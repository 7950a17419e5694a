/* The only clock of the program: real time, or a virtual one that is frozen and advanced. Devices
 * and clouds live by the virtual one; patience with peers that stall is in real time: how long a
 * socket may stand open without a login, a request without its body, a handshake unfinished, how
 * long the API waits for an answer.
 * What lasts, lasts in lived time: virtual time that has passed. It goes on from where it was when
 * virtual time is set backwards, so that what had ten seconds left has ten seconds left.
 * Everything below server/ gets time as an argument; everything in server/ asks here. */
#ifndef SKY_SERVER_OS_CLOCK_H
#define SKY_SERVER_OS_CLOCK_H

#include "protocol/base/timerq.h"

/* One advance goes at most this far: a hundred years. */
#define SKY_CLOCK_ADVANCE_MAX_MS (INT64_C(100) * 365 * 24 * 3600 * 1000)
/* The end of virtual time, where it stands still: of the year 9999. */
#define SKY_CLOCK_END_MS INT64_C(253402300799999)

enum { SKY_TURN_BUDGET_US = 2000 };

struct sky_clock {
    int64_t offset_ms; /* virtual = real + offset while running */
    int64_t frozen_ms; /* virtual time while frozen */
    bool frozen;
    int64_t now_ms;    /* virtual Unix time as of the last update */
    int64_t real_ms;   /* real Unix time as of the last update */
    int64_t behind_ms; /* how far virtual time was set backwards, all together; see ..._go_to() */
    int64_t mono_base_ms, wall_base_ms;
    struct sky_timerq timers;   /* due in lived time */
    struct sky_timerq patience; /* due in real time */
    uint64_t turn_ms;           /* of the loop, at the last tick */
    int64_t turn_began_us;      /* with the first reading in this turn; 0: none yet */
};

void sky_clock_init(struct sky_clock *clock);
void sky_clock_done(struct sky_clock *clock);

/* The machine's own time since some moment, in microseconds: to hold long work to slices. */
int64_t sky_clock_machine_us(void);

/* Reads the machine's clock. Called once per loop turn and before timers run. */
void sky_clock_update(struct sky_clock *clock);
/* The same, unless it is the same turn and the loop's own time, `loop_ms`, has not gone on. Every
 * callback of the loop begins with it. */
void sky_clock_tick(struct sky_clock *clock, uint64_t loop_ms);
/* For how long this turn has held the loop, from the first reading on, in microseconds. */
int64_t sky_clock_turn_us(const struct sky_clock *clock);
/* The turn is over: how long has it held the loop, from the first reading on? */
int64_t sky_clock_end_turn(struct sky_clock *clock);
/* Has the turn held the loop for its budget? What can wait then waits for the next one. */
bool sky_clock_turn_is_spent(const struct sky_clock *clock);

void sky_clock_freeze(struct sky_clock *clock);
void sky_clock_resume(struct sky_clock *clock); /* goes on from the virtual time reached */
/* Virtual time that has passed, to reckon durations with: as if it had never been set backwards. */
static inline int64_t sky_clock_lived_ms(const struct sky_clock *clock)
{
    return clock->now_ms + clock->behind_ms;
}
/* The virtual time that a moment of lived time has at present. */
static inline int64_t sky_clock_shown_ms(const struct sky_clock *clock, int64_t lived_ms)
{
    return lived_ms - clock->behind_ms;
}

/* Back to real time, running. */
void sky_clock_reset(struct sky_clock *clock);
/* Jumps, to SKY_CLOCK_END_MS at most, without firing what lies between: forwards, late timers fire
 * on the next run; backwards, timers are due as long from then on as they were before. */
void sky_clock_set(struct sky_clock *clock, int64_t unix_ms);
/* Jumps, forwards or backwards, without that time having passed: every timer is due as long from
 * then on as it was before. */
void sky_clock_go_to(struct sky_clock *clock, int64_t unix_ms, bool frozen);
/* Moves forward and fires, in order, everything due on the way, each seeing its own due time as
 * now. Works frozen and running. `by_ms` is 0..SKY_CLOCK_ADVANCE_MAX_MS; at SKY_CLOCK_END_MS it
 * stops. Not to be called from
 * a timer. */
void sky_clock_advance(struct sky_clock *clock, int64_t by_ms);
/* Fires what is due now, in virtual time, then in real time. */
void sky_clock_run(struct sky_clock *clock);
/* The real milliseconds until the next timer of either kind, 0 when one is due, or -1: none. */
int64_t sky_clock_next_ms(const struct sky_clock *clock);

/* In lived time; one that is not in the future is due at once. */
void sky_clock_timer(struct sky_clock *clock, struct sky_timer *timer, int64_t in_ms,
                     sky_timer_fn *fire);
void sky_clock_cancel(struct sky_clock *clock, struct sky_timer *timer);

/* In real time, for limits on peers. */
void sky_clock_patience(struct sky_clock *clock, struct sky_timer *timer, int64_t in_ms,
                        sky_timer_fn *fire);
void sky_clock_forgive(struct sky_clock *clock, struct sky_timer *timer);

#endif
