/* What waits for a device that fetches its commands: a queue in order of arrival, each command
 * with the moment it is of no use any more. Knows no carrier and reads no clock. */
#ifndef SKY_SERVER_PORT_PULL_H
#define SKY_SERVER_PORT_PULL_H

#include "protocol/base/err.h"
#include "protocol/base/span.h"

enum {
    SKY_PULL_MAX = 50,               /* commands waiting for one device */
    SKY_PULL_TTL_MAX_S = 172800,     /* a command waits for two days at most */
    SKY_PULL_PAYLOAD_MAX = 64 * 1024 /* bytes: what the device can be handed block by block */
};

/* A command that waits. */
struct sky_pull_item {
    sky_span topic, payload; /* owned by the queue */
    uint64_t of;             /* number in the journal of what caused it; 0: nothing */
    int64_t until_ms;        /* of use before this moment */
    struct sky_pull_item *prev, *next;
};

/* Embedded; zeroed is empty. */
struct sky_pull {
    struct sky_pull_item *items; /* list */
    size_t count;
};

void sky_pull_done(struct sky_pull *pull);

/* Copies it to the end of the queue. LIMIT: the queue is full, or the payload too long. */
sky_err sky_pull_add(struct sky_pull *pull, sky_span topic, sky_span payload, uint64_t of,
                     int64_t until_ms);

/* The command whose turn it is, or NULL; valid until the next change. */
static inline const struct sky_pull_item *sky_pull_first(const struct sky_pull *pull)
{
    return pull->items;
}
void sky_pull_drop_first(struct sky_pull *pull);

/* Drops what is of no use at `now_ms`, telling `gone` of each (which may be NULL). */
void sky_pull_expire(struct sky_pull *pull, int64_t now_ms,
                     void (*gone)(void *ctx, const struct sky_pull_item *item), void *ctx);
/* When the next one expires, or INT64_MAX. */
int64_t sky_pull_next_ms(const struct sky_pull *pull);

#endif
