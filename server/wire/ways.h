/* What goes out, point by point: how it is encoded, and the event that tells of it; and in words
 * what passes, either way. Values to bytes and events; knows nothing of faults and carriers. */
#ifndef SKY_SERVER_WIRE_WAYS_H
#define SKY_SERVER_WIRE_WAYS_H

#include "server/wire/wire.h"

enum { SKY_PASSAGE_TEXT_MAX = 160 };

/* Can this point be sent to at all? */
bool sky_way_is_out(enum sky_point point);

/* False, and nothing appended, when there is no room. */
bool sky_way_encode(const struct sky_wire *wire, const struct sky_out *out, struct sky_buf *bytes);

/* Puts together the event that tells that it was sent; `room` holds what has to be made for it, and
 * is the caller's to give to sky_buf_done(). False: whoever asked has told already. */
bool sky_way_tell(struct sky_out *out, struct sky_draft *draft, struct sky_buf *room);

/* "PUBACK 7", "PUBLISH 3 to /a/b" */
void sky_passage_say(const struct sky_passage *passage, char text[SKY_PASSAGE_TEXT_MAX]);

#endif
