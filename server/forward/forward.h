/* Hands what devices publish to business servers, by HTTP POST, one JSON object each, as the
 * vendors' clouds do with the messages of their devices. In the order of each device, at least
 * once: whoever must not count a message twice knows it again by its `seq`. Any 2xx takes it; a 4xx
 * other than 408 and 429 refuses it for good; everything else, redirects too, is tried again. The
 * first failure, the recovery, what was refused and what was lost are events. Lives in real time: a
 * business server does not stand still with virtual time. Knows no carriers, and never makes the
 * loop wait. */
#ifndef SKY_SERVER_FORWARD_FORWARD_H
#define SKY_SERVER_FORWARD_FORWARD_H

#include "server/broker/publish.h"
#include "server/forward/post.h"
#include "server/forward/queue.h"

enum {
    /* Bytes of one object: what fits into a packet of a device, each byte escaped, fits. */
    SKY_FORWARD_BODY_MAX = 4 * 1024 * 1024,
    SKY_FORWARD_FAREWELL_MS = 2 * 1000, /* for what still waits when the server stops */
};

struct sky_forward {
    struct sky_forward_queue queue;
    struct sky_post *post; /* owned; NULL: nothing was forwarded yet */
    const char *ca_file;   /* borrowed, as the next three */
    uv_loop_t *loop;
    struct sky_clock *clock;
    struct sky_journal *journal;
    struct sky_timer timer; /* when something may go */
    struct sky_timer farewell;
    struct sky_buf body; /* of the message at hand */
};

/* `ca_file` as in post.h. `now`: there will be messages, so say at once what is wrong; else the
 * first one is in time. */
SKY_MUST_USE sky_err sky_forward_open(struct sky_forward *forward, uv_loop_t *loop,
                                      struct sky_clock *clock, struct sky_journal *journal,
                                      const char *ca_file, bool now, struct sky_why *why);
/* After sky_forward_open() only; handles close in the next turns of the loop. */
void sky_forward_close(struct sky_forward *forward);

/* The act stands in the journal under that number. Copies what it needs. */
void sky_forward_uplink(struct sky_forward *forward, sky_span url, const struct sky_act *act,
                        uint64_t seq);

/* The target's URL without what may be secret in it: user name, password, query. */
sky_span sky_forward_shown(const struct sky_forward_target *target, char out[SKY_URL_MAX + 1]);

/* Runs the loop until nothing waits any more, SKY_FORWARD_FAREWELL_MS at most. Returns how many
 * messages are lost by that; the journal says so too. */
size_t sky_forward_farewell(struct sky_forward *forward);

#endif
