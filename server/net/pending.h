/* A bound on what all peers together leave unread, besides the one that each has of its own: the
 * memory of a server does not grow with the number of those that do not read. What counts is
 * memory: buffers by their size, filled or not; of what several wait for, each has a copy that
 * counts, and what a session keeps until its device acknowledges it is not output yet, and has the
 * cloud's own limits, and a bound for all (server/broker/delivery.h). When the bound is passed, who
 * has most waiting goes first, so that a device that only reads slowly stays; who that is, is
 * looked for only then, in relief.c. */
#ifndef SKY_SERVER_NET_PENDING_H
#define SKY_SERVER_NET_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SKY_PENDING_MAX = 256 * 1024 * 1024,     /* bytes */
    SKY_PENDING_EASE = SKY_PENDING_MAX / 16, /* that are free again after it was passed: the next
                                                look is not due at once */
};

/* Of all peers. */
struct sky_pending {
    size_t bytes;
    uint64_t ended; /* connections, for having most of it */
    bool easing;    /* who has is being looked for */
};

/* Of one of them. */
struct sky_pending_share {
    size_t aside;  /* bytes that its port keeps for it, besides its output */
    size_t bytes;  /* of all, as they are counted in the whole */
    bool outgrown; /* it had the most, and goes */
};

/* The share is so many bytes now. True: it has grown, and they are too many with all others. */
static inline bool sky_pending_book(struct sky_pending *pending, struct sky_pending_share *share,
                                    size_t bytes)
{
    bool more = bytes > share->bytes;
    pending->bytes += bytes - share->bytes;
    share->bytes = bytes;
    return more && pending->bytes > SKY_PENDING_MAX;
}

#endif
