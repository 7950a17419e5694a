/* Whether a text is JSON, and a writer; neither builds a tree.
 * Reading: a text is checked once and whole, bounded in size and depth, and errors say where; then
 * its values are read in place (json_view.h).
 * Writing: compact, keys in the order written, straight into a bounded buffer. */
#ifndef SKY_BASE_JSON_H
#define SKY_BASE_JSON_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/span.h"

enum {
    SKY_JSON_DEPTH_MAX = 64,
    SKY_JSON_NUMBER_MAX = 63,     /* characters of one number */
    SKY_JSON_MEMBERS_MAX = 65536, /* of one object */
};

/* Is this exactly one JSON value by RFC 8259? Trailing bytes, NUL bytes (also as \u0000), invalid
 * UTF-8 and deeper nesting than `depth_max` (at most SKY_JSON_DEPTH_MAX) are errors whose reason
 * names line and column; equal keys in one object (§4), more members than SKY_JSON_MEMBERS_MAX and
 * numbers beyond a double (§6) are errors with the pointer set. INVALID in every case. */
SKY_MUST_USE sky_err sky_json_check(sky_span text, int depth_max, struct sky_why *why);

/* A writer: puts commas where they belong. Zeroed except `out`. */
struct sky_jw {
    struct sky_buf *out; /* borrowed; its overflow mark is the only error */
    bool comma;          /* the next value or key needs one in front */
};

static inline struct sky_jw sky_jw(struct sky_buf *out)
{
    return (struct sky_jw){.out = out};
}

void sky_jw_object(struct sky_jw *jw); /* { */
void sky_jw_end_object(struct sky_jw *jw);
void sky_jw_array(struct sky_jw *jw); /* [ */
void sky_jw_end_array(struct sky_jw *jw);
void sky_jw_key(struct sky_jw *jw, const char *key);
void sky_jw_key_raw(struct sky_jw *jw, sky_span key); /* trusted: as it stands in JSON */

/* Values. A span with invalid UTF-8 has each offending byte written as U+FFFD. */
void sky_jw_str(struct sky_jw *jw, sky_span text);
void sky_jw_int(struct sky_jw *jw, int64_t value);
void sky_jw_bool(struct sky_jw *jw, bool value);
void sky_jw_null(struct sky_jw *jw);
void sky_jw_raw(struct sky_jw *jw, sky_span json); /* trusted: already JSON */

/* Key and value at once. */
void sky_jw_put_str(struct sky_jw *jw, const char *key, const char *text);
void sky_jw_put_span(struct sky_jw *jw, const char *key, sky_span text);
void sky_jw_put_int(struct sky_jw *jw, const char *key, int64_t value);
void sky_jw_put_bool(struct sky_jw *jw, const char *key, bool value);

#endif
