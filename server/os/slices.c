#include "server/os/slices.h"

#include <utlist.h>

#include "server/os/clock.h"

void sky_slices_add(struct sky_slices *slices, struct sky_slice *slice)
{
    DL_APPEND(slices->list, slice);
}

void sky_slices_remove(struct sky_slices *slices, struct sky_slice *slice)
{
    DL_DELETE(slices->list, slice);
}

void sky_slices_run(struct sky_slices *slices, const struct sky_clock *clock)
{
    while (slices->list != NULL) {
        struct sky_slice *slice = slices->list;
        DL_DELETE(slices->list, slice);
        if (slice->step(slice))
            DL_APPEND(slices->list, slice);
        if (sky_clock_turn_is_spent(clock))
            break;
    }
}
