/* Is a text JSON? It is checked once and whole, bounded in depth and members, and errors say where;
 * then its values are read in place (json_view.h) or built into a tree (json_tree.h). */
#ifndef SKY_BASE_JSON_H
#define SKY_BASE_JSON_H

#include "protocol/base/json_view.h"
#include "protocol/base/json_write.h"

enum {
    SKY_JSON_DEPTH_MAX = 64,
    SKY_JSON_MEMBERS_MAX = 65536, /* of one object */
};

/* Is this exactly one JSON value by RFC 8259? Trailing bytes, NUL bytes (also as \u0000), invalid
 * UTF-8 and deeper nesting than `depth_max` (at most SKY_JSON_DEPTH_MAX) are errors whose reason
 * names line and column; equal keys in one object (§4), more members than SKY_JSON_MEMBERS_MAX and
 * numbers beyond a double (§6) are errors with the pointer set. INVALID in every case. */
SKY_MUST_USE sky_err sky_json_check(sky_span text, int depth_max, struct sky_why *why);

#endif
