/* HTTP answers: values to bytes (RFC 9110, RFC 9112). Pure; the time is an argument. */
#ifndef SKY_HTTP_ANSWER_H
#define SKY_HTTP_ANSWER_H

#include "protocol/base/buf.h"

enum { SKY_HTTP_DATE_SIZE = 30 }; /* with its NUL */

/* What a request is answered with. Spans are borrowed. */
struct sky_http_reply {
    int status;
    const char *content_type; /* NULL: no body */
    sky_span body;
    bool line_end;  /* the body gets a line end, for people at a terminal */
    bool no_sniff;  /* browsers take the type as it is told (Fetch, X-Content-Type-Options) */
    sky_span extra; /* further header lines, each with its CRLF */
};

/* The same on its way to one client. */
struct sky_http_response {
    struct sky_http_reply reply;
    bool keep_alive;
    bool head_only;        /* the request was HEAD */
    sky_span method, path; /* of the request, for whoever looks on; may be empty */
};

/* "Not Found"; "Unknown" for a status without a phrase. */
const char *sky_http_phrase(int status);

/* A 204 has none and no length of it, and neither has a 304, whose length would be that of what it
 * does not send (RFC 9110 §8.6). */
bool sky_http_has_body(int status);

/* The date header's form, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7). */
void sky_http_date(int64_t unix_ms, char out[SKY_HTTP_DATE_SIZE]);

/* Appends the head of an answer. Some devices look for exactly "Content-Length: " and know no other
 * spelling. Without a length the body ends with the connection. */
void sky_http_put_head(struct sky_buf *out, const struct sky_http_reply *reply, bool has_length,
                       bool keep_alive, int64_t now_ms);
/* Appends head and body; false, and `out` overflown, when they do not fit. */
bool sky_http_put(struct sky_buf *out, const struct sky_http_response *answer, int64_t now_ms);

#endif
