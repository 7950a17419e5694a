/* Reading compact JSON text in place: members and elements as spans, each exactly as it was
 * written, so that an id or a number can be echoed digit for digit. Only for text that has passed
 * sky_json_parse(); anything else yields fewer members, never a read outside the span. */
#ifndef SKY_CLOUD_MEMBER_H
#define SKY_CLOUD_MEMBER_H

#include "protocol/base/arena.h"
#include "protocol/base/span.h"

struct sky_member {
    sky_span key;   /* without its quotes, escapes as written */
    sky_span value; /* a string keeps its quotes */
};

/* A copy without the blanks between tokens; the functions below need text in this form. */
sky_span sky_member_compact(struct sky_arena *arena, sky_span json);

/* What stands between the brackets of an object or array; empty for anything else. */
sky_span sky_member_inside(sky_span container);

/* Takes the next member or element off what sky_member_inside() gave. False at the end. */
bool sky_member_next(sky_span *rest, struct sky_member *ret_member);
bool sky_member_next_element(sky_span *rest, sky_span *ret_value);

/* The value under `key`, which needs no escapes; empty when it is absent or this is no object. */
sky_span sky_member_get(sky_span object, const char *key);

/* By the first character. */
bool sky_member_is_object(sky_span value);
bool sky_member_is_array(sky_span value);
bool sky_member_is_string(sky_span value);
bool sky_member_is_number(sky_span value);

/* A string without its quotes; any other value as it is. */
sky_span sky_member_text(sky_span value);

#endif
