/* Which part of a file a request asks for (RFC 9110 §14). Pure. */
#ifndef SKY_HTTP_RANGE_H
#define SKY_HTTP_RANGE_H

#include "protocol/base/span.h"

enum sky_http_part {
    SKY_HTTP_WHOLE,   /* there is no range, or none that counts: answered with 200 */
    SKY_HTTP_PART,    /* 206 */
    SKY_HTTP_NOTHING, /* it begins behind the end: 416 */
};

/* Bytes `first` to `last` of a file of `size` bytes, at least 1. `range` is the header's value. */
struct sky_http_range {
    uint64_t first, last;
};

/* One range counts, "bytes=N-", "bytes=N-M" or "bytes=-N"; a last position behind the end is as
 * good as the end (§14.1.2), where a vendor's SDK puts it: one too high. Anything else is as if it
 * were not there, which §14.2 allows. */
enum sky_http_part sky_http_range(sky_span range, uint64_t size, struct sky_http_range *ret_range);

#endif
