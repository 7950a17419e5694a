/* Who waits for events: each looks when there are new ones, in turn with all others and within a
 * share of each turn of the loop, at its end. Knows neither routes nor what is waited for. */
#ifndef SKY_SERVER_JUDGE_WAITS_H
#define SKY_SERVER_JUDGE_WAITS_H

#include "protocol/base/timerq.h"

struct sky_clock;
struct sky_journal;
struct sky_wait;

enum {
    SKY_WAITS_TURN_US = 2500, /* of a turn of the loop for all who wait; then others are served */
};

struct sky_waits {
    struct sky_clock *clock; /* borrowed, as the journal */
    struct sky_journal *journal;
    struct sky_wait *list; /* who has looked last is the last */
    struct sky_timer look;
    bool news;        /* since all were told to look */
    uint64_t pass;    /* through the list; counts */
    uint64_t ends_ns; /* when this turn's share is used up */
};

/* Embedded in what waits; zeroed but for `look`. */
struct sky_wait {
    /* Looks at what there is, until it has seen all or sky_wait_time_is_up(); then it says
     * sky_wait_again(). May end the wait. */
    void (*look)(struct sky_wait *wait);
    struct sky_waits *waits;
    struct sky_timer deadline;
    bool overdue; /* the deadline has passed; whoever looks may clear it and set another */
    bool due;     /* is to look */
    uint64_t pass;
    struct sky_wait *prev, *next;
};

void sky_waits_open(struct sky_waits *waits, struct sky_clock *clock, struct sky_journal *journal);
void sky_waits_close(struct sky_waits *waits); /* nobody waits any more */

/* It looks for the first time at the end of this turn. */
void sky_wait_begin(struct sky_waits *waits, struct sky_wait *wait);
void sky_wait_end(struct sky_wait *wait);
/* It is overdue, and looks, in `in_ms` of real time. */
void sky_wait_until(struct sky_wait *wait, int64_t in_ms);
/* It has not seen all there is, and looks again in the next turn. */
void sky_wait_again(struct sky_wait *wait);
bool sky_wait_time_is_up(const struct sky_wait *wait);

#endif
