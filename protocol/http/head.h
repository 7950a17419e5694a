/* The head of one HTTP/1 request, as views: what the HTTP port must know to read the request and
 * answer it, and what its handlers read. Pure; knows no connection. (RFC 9112) */
#ifndef SKY_HTTP_HEAD_H
#define SKY_HTTP_HEAD_H

#include "protocol/base/span.h"

enum {
    SKY_HTTP_HEAD_MAX = 8 * 1024, /* bytes of request line and header lines */
    SKY_HTTP_TARGET_MAX = 4 * 1024,
};

struct sky_http_head {
    sky_span method, path, query; /* as sent: percent-encoded; the query without its '?' */
    sky_span host;                /* whom it is for: of an absolute target, else its Host */
    sky_span headers;             /* the header lines, CRLF between */
    uint64_t body_len;            /* bytes of body that follow; 0 when it is chunked */
    bool chunked;
    bool older; /* HTTP/1.0 */
    bool keep_alive;
    bool expects_continue;
    bool upgrades;          /* to WebSocket (RFC 6455 §4.1) */
    const char *host_fault; /* what is wrong with its Host (§3.2), a static phrase; NULL: nothing */
};

/* How many bytes of empty lines stand before the request (§2.2 has them skipped). */
size_t sky_http_head_blank(sky_span in);

/* Length of the head at the front of `in`, its empty line included; 0 when it is not complete. A
 * line that ends without its CR ends the head too: no request is made of that. */
size_t sky_http_head_len(sky_span in);

/* What more bytes than a head may have are refused with: 414 when already the first line has no end
 * (§3), else 431 (RFC 6585 §5). */
int sky_http_head_excess(sky_span in);

/* Parses a complete head. Returns 0, or the status to refuse it with and a phrase that says why
 * (static); method and path are set even then as far as they could be read. A bad Host is no
 * reason to refuse: who is laxer than the RFC reads host_fault. */
int sky_http_head_parse(sky_span head, struct sky_http_head *ret_head, const char **ret_reason);

/* The value of the first header of that name (any case), trimmed. */
bool sky_http_head_header(sky_span headers, const char *name, sky_span *ret_value);
/* Do the headers of that name, lists with commas between, have this item (any case)? */
bool sky_http_head_lists(sky_span headers, const char *name, const char *item);

/* "example.com:80", "[::1]" and the like without the port, and without the brackets. */
sky_span sky_http_host_name(sky_span host);

/* Decodes %XX, and '+' as a blank when `plus` is set, into `out`; false when an escape is broken
 * or it does not fit with its NUL. */
bool sky_http_decode(sky_span text, bool plus, char *out, size_t out_size);
/* The value of a query's parameter, decoded. False when it is absent; `*ret_bad` when it is there
 * and broken or too long. */
bool sky_http_query(sky_span query, const char *name, char *out, size_t out_size, bool *ret_bad);

#endif
