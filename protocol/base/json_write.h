/* Writes JSON without a tree: compact, keys in the order written, straight into a bounded buffer.
 */
#ifndef SKY_BASE_JSON_WRITE_H
#define SKY_BASE_JSON_WRITE_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/span.h"

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

/* Values. A span with invalid UTF-8 or NUL has each offending byte written as U+FFFD. */
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
