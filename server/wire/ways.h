/* What goes out, point by point: how it is encoded, and the event that tells of it. Values to bytes
 * and events; knows nothing of faults and carriers. */
#ifndef SKY_SERVER_WIRE_WAYS_H
#define SKY_SERVER_WIRE_WAYS_H

#include "server/wire/passage.h"

/* Can this point be sent to at all? */
bool sky_way_is_out(enum sky_point point);

/* False, and nothing appended, when there is no room. */
bool sky_way_encode(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes);

/* Puts together the event that tells that it was sent; `room` holds what has to be made for it, and
 * is the caller's to give to sky_buf_done(). False: whoever asked has told already. */
bool sky_way_tell(struct sky_out *out, struct sky_draft *draft, struct sky_buf *room);

#endif
