/* THE exit and THE entry: whatever goes to a device, or comes from one, passes here as a value,
 * before it is bytes or an act. On the way out it is encoded and journalled here, and nowhere else.
 * A filter sees each passage and may withhold, delay, repeat or change it. Knows carriers by what
 * takes their bytes; knows no rules and no clouds. */
#ifndef SKY_SERVER_WIRE_WIRE_H
#define SKY_SERVER_WIRE_WIRE_H

#include "server/wire/passage.h"

/* Decides; a fate with a name is one that has been decided, the others let it pass. */
typedef struct sky_fate sky_wire_filter(void *ctx, struct sky_passage *passage);

struct sky_held;

/* Embedded; zeroed but for the first two, which are borrowed, lets everything pass. */
struct sky_wire {
    struct sky_clock *clock;
    struct sky_journal *journal;
    uint32_t points; /* a bit for each point at which the filter is asked */
    sky_wire_filter *filter;
    void *filter_ctx;
    struct sky_held *held; /* owned: what is delayed */
    size_t held_count, held_bytes;
    size_t behind; /* of those, that wait for the next */
};
enum {
    SKY_WIRE_COPIES_MAX = 100,                  /* of one passage */
    SKY_WIRE_HELD_MAX = 10000,                  /* passages that wait; more pass at once */
    SKY_WIRE_HELD_BYTES_MAX = 64 * 1024 * 1024, /* of them all */
};

void sky_wire_done(struct sky_wire *wire);

/* Is there anything at this point, or does anything wait for it? What costs nothing where nothing
 * is to be broken. */
static inline bool sky_wire_is_armed(const struct sky_wire *wire, enum sky_point point)
{
    return (wire->points >> point & 1) != 0 || wire->behind > 0;
}

/* Asks the filter, and tells of the fault that decided. For what is no packet: `accept` and
 * `handshake`, whose fate is carried out by who asks. */
struct sky_fate sky_wire_ask(struct sky_wire *wire, struct sky_passage *passage);

/* Is there anything that may want this? */
static inline bool sky_wire_asks(const struct sky_wire *wire, const struct sky_out *out)
{
    return sky_wire_is_armed(wire, out->point) ||
           (out->is_reply && sky_wire_is_armed(wire, SKY_POINT_REPLY));
}

/* Asks the filter about what is to be sent, before the sender acts on its having been sent; `out`
 * then says what the device will be told. */
void sky_wire_decide(struct sky_wire *wire, struct sky_out *out);

/* Encodes, journals and sends it. False, and nothing happened, when the carrier has no room. What
 * a fault withholds, or ends the connection in place of, counts as sent. */
bool sky_wire_send(struct sky_wire *wire, struct sky_out *out);

/* True: it is to be handled now. False: it was never seen, or has come by `again`, or will. */
bool sky_wire_enter(struct sky_wire *wire, const struct sky_in *in);

/* May the server end this connection now? */
bool sky_wire_may_close(struct sky_wire *wire, const struct sky_event_head *head,
                        const char *reason);

/* Does anything wait of that connection or channel? */
bool sky_wire_holds(const struct sky_wire *wire, const void *owner);
/* A connection or channel goes: nothing waits for it any more. */
void sky_wire_forget(struct sky_wire *wire, const void *owner);

#endif
