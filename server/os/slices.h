/* Long acts, done piece by piece between what else the loop has to do: nobody waits for one of them
 * but whoever asked for it. */
#ifndef SKY_SERVER_OS_SLICES_H
#define SKY_SERVER_OS_SLICES_H

#include <stdbool.h>
#include <stddef.h>

struct sky_clock;
struct sky_slice;

/* Does a piece of half a millisecond or so. False: that was the last one. It is in no list while it
 * is called, so that its memory may go with the last piece. */
typedef bool sky_slice_fn(struct sky_slice *slice);

/* One long act; the caller's, who keeps it until it has ended or was removed. */
struct sky_slice {
    sky_slice_fn *step;
    struct sky_slice *prev, *next;
};

/* Zeroed: there are none. */
struct sky_slices {
    struct sky_slice *list; /* whose turn it is comes first */
};

void sky_slices_add(struct sky_slices *slices, struct sky_slice *slice);
/* It is not called again. Not for its own step, which returns false instead. */
void sky_slices_remove(struct sky_slices *slices, struct sky_slice *slice);

static inline bool sky_slices_are_done(const struct sky_slices *slices)
{
    return slices->list == NULL;
}

/* A piece of each after the other, one at least, until the turn of the loop is spent. */
void sky_slices_run(struct sky_slices *slices, const struct sky_clock *clock);

#endif
