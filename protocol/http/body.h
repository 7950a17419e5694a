/* The body of one request as it comes: of known length, or in chunks (RFC 9112 §6, §7.1). Pure;
 * whoever has the head begins it and feeds it whatever bytes there are. */
#ifndef SKY_HTTP_BODY_H
#define SKY_HTTP_BODY_H

#include "protocol/base/buf.h"
#include "protocol/http/head.h"

enum {
    SKY_HTTP_CHUNK_LINE_MAX = 256,    /* bytes of a line with a chunk's size */
    SKY_HTTP_CHUNK_DIGITS_MAX = 8,    /* hexadecimal digits of it */
    SKY_HTTP_TRAILERS_MAX = 4 * 1024, /* bytes of header lines behind the last chunk */
};

enum sky_http_body_result {
    SKY_HTTP_BODY_MORE,
    SKY_HTTP_BODY_DONE,
    SKY_HTTP_BODY_BAD,      /* these are no chunks */
    SKY_HTTP_BODY_TOO_LONG, /* more than the buffer may hold */
};

struct sky_http_body {
    int step;      /* of reading chunks */
    uint64_t left; /* bytes of the body, or of the present chunk, that are still to come */
    size_t line;   /* bytes of the present line, or of all trailers */
};

void sky_http_body_begin(struct sky_http_body *body, const struct sky_http_head *head);

/* Takes bytes off the front of `in` and appends what is body to `out`, whose bound is the body's.
 * `*ret_used` bytes were looked at; with DONE the next request begins behind them. */
enum sky_http_body_result sky_http_body_feed(struct sky_http_body *body, sky_span in,
                                             size_t *ret_used, struct sky_buf *out);

#endif
