#include "server/os/turns.h"

const int64_t sky_turns_bounds_us[SKY_TURNS_BOUNDS] = {
    250,       500,        1000,       2500,       5000,        10 * 1000,   25 * 1000,
    50 * 1000, 100 * 1000, 250 * 1000, 500 * 1000, 1000 * 1000, 2500 * 1000, 5000 * 1000};
