/* How long the turns of the loop held it, counted as a histogram: whoever waits for an answer waits
 * for the turns before it. */
#ifndef SKY_SERVER_OS_TURNS_H
#define SKY_SERVER_OS_TURNS_H

#include <stdint.h>

enum { SKY_TURNS_BOUNDS = 14 };

/* Ascending, in microseconds. */
extern const int64_t sky_turns_bounds_us[SKY_TURNS_BOUNDS];

struct sky_turns {
    uint64_t counts[SKY_TURNS_BOUNDS + 1]; /* up to each bound, above the one before; beyond all */
    int64_t sum_us;
};

static inline void sky_turns_add(struct sky_turns *turns, int64_t took_us)
{
    int place = 0;
    while (place < SKY_TURNS_BOUNDS && took_us > sky_turns_bounds_us[place])
        place++;
    turns->counts[place]++;
    turns->sum_us += took_us;
}

#endif
