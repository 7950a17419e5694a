/* Numbers and runs of bytes in a row of bytes, and out of it again. What is read may be anything:
 * past its end everything is 0 and empty, and `bad` says so. */
#ifndef SKY_BASE_PACK_H
#define SKY_BASE_PACK_H

#include "protocol/base/buf.h"

static inline void sky_pack_int(struct sky_buf *out, int64_t value)
{
    sky_buf_add(out, sky_span_of(&value, sizeof value));
}

static inline void sky_pack_span(struct sky_buf *out, sky_span bytes)
{
    sky_pack_int(out, (int64_t)bytes.len);
    sky_buf_add(out, bytes);
}

struct sky_unpack {
    sky_span rest;
    bool bad;
};

static inline int64_t sky_unpack_int(struct sky_unpack *in)
{
    int64_t value = 0;
    in->bad |= in->rest.len < sizeof value;
    if (!in->bad)
        memcpy(&value, in->rest.ptr, sizeof value);
    in->rest = in->bad ? SKY_SPAN_NONE : sky_span_tail(in->rest, sizeof value);
    return value;
}

static inline sky_span sky_unpack_span(struct sky_unpack *in)
{
    int64_t len = sky_unpack_int(in);
    in->bad |= len < 0 || (uint64_t)len > in->rest.len;
    sky_span bytes = in->bad ? SKY_SPAN_NONE : sky_span_head(in->rest, (size_t)len);
    in->rest = in->bad ? SKY_SPAN_NONE : sky_span_tail(in->rest, (size_t)len);
    return bytes;
}

#endif
