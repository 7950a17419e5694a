/* A queue of timers ordered by due time, then by the order they were set.
 * Owns nothing and knows no clock: time is an argument, in milliseconds of whatever clock the
 * caller has, so a test runs a year in no time. */
#ifndef SKY_BASE_TIMERQ_H
#define SKY_BASE_TIMERQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sky_timer;
typedef void sky_timer_fn(struct sky_timer *timer, int64_t now_ms);

/* Embedded in what it wakes; zeroed means not set. Must be cancelled before its memory goes. */
struct sky_timer {
    int64_t due_ms;
    sky_timer_fn *fire;
    uint32_t order; /* set by the queue: ties fire first come, first served, if no more than 2^31 of
                       any others were set between them */
    uint32_t place; /* position in the queue plus 1; 0: not set */
};

struct sky_timerq {
    struct sky_timer **heap; /* owned array of borrowed timers */
    size_t count, room;
    uint32_t order;
};

void sky_timerq_init(struct sky_timerq *queue);
void sky_timerq_done(struct sky_timerq *queue); /* frees the array, cancels nothing */

/* Sets or moves a timer. */
void sky_timerq_set(struct sky_timerq *queue, struct sky_timer *timer, int64_t due_ms,
                    sky_timer_fn *fire);
void sky_timerq_cancel(struct sky_timerq *queue, struct sky_timer *timer);
static inline bool sky_timer_is_set(const struct sky_timer *timer)
{
    return timer->place != 0;
}

/* Due time of the next timer, or INT64_MAX. */
int64_t sky_timerq_next_ms(const struct sky_timerq *queue);

/* Fires, in order, every timer due at or before `now_ms`, each called with its own due time;
 * timers set meanwhile fire too if due. Returns how many fired. */
size_t sky_timerq_run(struct sky_timerq *queue, int64_t now_ms);

#endif
