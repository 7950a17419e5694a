/* HTTP on a connection: requests to calls, answers back. The only part that knows libwebsockets,
 * which gets the clear bytes of each connection through a socket pair, one request at a time.
 * What a call means is the business of its handler: the admin API, or a cloud's HTTP calls. */
#ifndef SKY_SERVER_PORT_HTTP_H
#define SKY_SERVER_PORT_HTTP_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "server/net/conn.h"
#include "server/port/http_head.h"

enum {
    SKY_HTTP_ADMIN_BODY_MAX = 1024 * 1024, /* bytes of a request's body; more: 413 */
    SKY_HTTP_DEVICE_BODY_MAX = 16 * 1024,
    SKY_HTTP_CONNS_MAX = 1024,                /* of devices, and of the API; more: 503 */
    SKY_HTTP_PIPELINED_MAX = 64 * 1024,       /* bytes read ahead while an answer is due */
    SKY_HTTP_ANSWER_MAX = 64 * 1024 * 1024,   /* bytes of an answer's body; more: 500 */
    SKY_HTTP_ANSWERS_MAX = 256 * 1024 * 1024, /* bytes of all that wait to be read; more: 503 */
    SKY_HTTP_STREAM_ENOUGH = 128 * 1024, /* a stream with that many bytes is asked again later */
    SKY_HTTP_IDLE_MS = 120 * 1000,       /* real time a kept connection may wait */
    SKY_HTTP_BODY_MS = 30 * 1000,        /* real time from head to complete body */
    SKY_HTTP_UNREAD_MS = 60 * 1000,      /* real time in which a client reads nothing */
};

/* A request and the answer it is waiting for. Owned by the port; the handler may keep a pointer to
 * it until it has answered, or ended the stream, or on_gone was called. */
struct sky_http_call {
    void *owner; /* the handler's context */
    struct sky_conn *conn;
    struct sky_http_head head; /* views, valid as long as the call */
    sky_span body;             /* likewise */

    /* The handler's own. */
    void *state;
    /* The client went away, or the server stops, before the answer was complete. May be NULL. */
    void (*on_gone)(struct sky_http_call *call);
    /* Streams: append what there is to send, until it is SKY_HTTP_STREAM_ENOUGH; nothing means:
     * wait for a wake-up. */
    void (*on_room)(struct sky_http_call *call, struct sky_buf *out);
};

struct sky_http_reply {
    int status;
    const char *content_type; /* NULL: no body */
    sky_span body;
    sky_span extra; /* further header lines, each with its CRLF */
};

/* Answers, now or on a later turn of the loop; copies what it needs. The call is over. */
void sky_http_reply(struct sky_http_call *call, const struct sky_http_reply *reply);

/* Answers 200 with a body of unknown length: call->on_room is asked for it whenever the client has
 * room. It ends with the connection. */
void sky_http_stream(struct sky_http_call *call, const char *content_type);
void sky_http_stream_wake(struct sky_http_call *call); /* there is something to send */
void sky_http_stream_end(struct sky_http_call *call);  /* the call is over */

/* What calls mean: the API's business, or the clouds'. */
struct sky_http_handler {
    void (*take)(void *owner, struct sky_http_call *call);
    /* The peer has left, or was closed, before the whole body came; NULL: of no interest. */
    void (*cut_short)(void *owner, const struct sky_http_call *call);
    /* A request that never becomes a call: what it is answered with, `status` or another, and one
     * phrase. NULL: as it is. */
    int (*refused)(void *owner, const struct sky_conn *conn, sky_span method, sky_span path,
                   int status, const char **reason);
    void *owner;
};

struct sky_http;

/* `admin` takes what comes by listeners of that kind, `devices` the rest. */
SKY_MUST_USE sky_err sky_http_open(struct sky_net *net, const struct sky_http_handler *devices,
                                   const struct sky_http_handler *admin, struct sky_http **ret_http,
                                   struct sky_why *why);
/* After every connection has been closed. NULL is fine. */
void sky_http_close(struct sky_http *http);
/* The port on a connection whose first clear byte is a letter. */
struct sky_port *sky_http_port(struct sky_http *http);
size_t sky_http_count(const struct sky_http *http); /* open HTTP connections */

#endif
