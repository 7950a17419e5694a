#include "protocol/http/range.h"

#include "protocol/base/assert.h"

enum sky_http_part sky_http_range(sky_span range, uint64_t size, struct sky_http_range *ret_range)
{
    static const sky_span unit = SKY_SPAN("bytes=");
    sky_span first, last;
    int64_t from = 0, to = (int64_t)size - 1;
    SKY_ASSERT(size > 0 && size < INT64_MAX);
    *ret_range = (struct sky_http_range){0, size - 1};
    if (!sky_span_eq_nocase(sky_span_head(range, unit.len), unit) ||
        !sky_span_cut(sky_span_trim(sky_span_tail(range, unit.len)), '-', &first, &last) ||
        (first.len > 0 && !sky_span_to_int(first, &from)) ||
        (last.len > 0 && !sky_span_to_int(last, &to)) || first.len + last.len == 0)
        return SKY_HTTP_WHOLE;
    if (first.len == 0) { /* so many of the end */
        if (to == 0)
            return SKY_HTTP_NOTHING;
        from = to < (int64_t)size ? (int64_t)size - to : 0;
        to = (int64_t)size - 1;
    }
    if (from >= (int64_t)size)
        return SKY_HTTP_NOTHING;
    if (to < from)
        return SKY_HTTP_WHOLE;
    if (to >= (int64_t)size)
        to = (int64_t)size - 1;
    *ret_range = (struct sky_http_range){(uint64_t)from, (uint64_t)to};
    return SKY_HTTP_PART;
}
