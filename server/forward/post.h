/* Requests over HTTP to elsewhere, on the loop: libcurl's door. It resolves names in threads, keeps
 * connections, and tells how each request ended; it knows nothing of order, retries and devices.
 * libcurl and not libwebsockets, because connections that are kept and come again when the far end
 * has dropped them, time limits, names and certificates are its business and would be ours there;
 * what is ours here is to watch its sockets and to set its one timer. */
#ifndef SKY_SERVER_FORWARD_POST_H
#define SKY_SERVER_FORWARD_POST_H

#include <uv.h>

#include "protocol/base/err.h"
#include "protocol/base/span.h"
#include "server/os/clock.h"

enum {
    SKY_POST_TIMEOUT_MS = 10 * 1000, /* of one request, from the name to the last byte */
    SKY_POST_CONNECT_MS = 5 * 1000,
    SKY_POST_ANSWER_MAX = 64 * 1024, /* bytes of an answer's body: nobody reads it */
    SKY_POST_KEPT_MAX = 64,          /* connections that are kept for later */
    SKY_POST_CA_MAX = 1024 * 1024,   /* bytes of certificates */
};

struct sky_post;

struct sky_post_result {
    int status;         /* of the answer; 0: there was none */
    bool sent;          /* some of the request at least */
    const char *reason; /* why there was no answer; valid during the call */
};
typedef void sky_post_fn(void *ctx, void *tag, const struct sky_post_result *result);

/* `ca_file` holds the certificates (PEM) that servers are believed by; NULL: the system's. On
 * failure `why` says what to do. */
SKY_MUST_USE sky_err sky_post_open(uv_loop_t *loop, struct sky_clock *clock, const char *ca_file,
                                   sky_post_fn *answered, void *ctx, struct sky_post **ret_post,
                                   struct sky_why *why);
/* Requests under way end without a word. Some turns of the loop later the last handle is closed.
 * NULL is fine. */
void sky_post_close(struct sky_post *post);

/* Sends the body as JSON. It must stay until `answered` has been called, which never happens within
 * this call. Redirects are answers like any other: nothing is sent to a place that nobody named.
 * No proxy is used, whatever the environment says. */
void sky_post_send(struct sky_post *post, const char *url, sky_span body, void *tag);

#endif
