/* HTTP on a connection: requests to calls, answers back, one request at a time. What a call means
 * is the business of the handlers that are handed in: the admin API's, and the one of devices. */
#ifndef SKY_SERVER_PORT_HTTP_H
#define SKY_SERVER_PORT_HTTP_H

#include "protocol/base/buf.h"
#include "protocol/http/answer.h"
#include "protocol/http/head.h"
#include "server/net/conn.h"

enum {
    SKY_HTTP_ADMIN_BODY_MAX = 1024 * 1024, /* bytes of a request's body; more: 413 */
    SKY_HTTP_DEVICE_BODY_MAX = 16 * 1024,
    SKY_HTTP_REFUSAL_MAX = 1024,                /* bytes of what a refused request is answered */
    SKY_HTTP_CONNS_MAX = 1024,                  /* of devices, and of the API; more: 503 */
    SKY_HTTP_PIPELINED_MAX = 64 * 1024,         /* bytes read ahead while an answer is due */
    SKY_HTTP_ANSWER_MAX = 64 * 1024 * 1024,     /* bytes of an answer's body; more: 500 */
    SKY_HTTP_ANSWERS_MAX = SKY_PENDING_MAX / 2, /* bytes of all that wait to be read; more: 503 */
    SKY_HTTP_STREAM_ENOUGH = 128 * 1024, /* a stream with that many bytes is asked again later */
    SKY_HTTP_IDLE_MS = 120 * 1000,       /* real time a kept connection may wait */
    SKY_HTTP_BODY_MS = 30 * 1000,        /* real time from head to complete body */
    SKY_HTTP_UNREAD_MS = 60 * 1000,      /* real time in which a client reads nothing */
    SKY_HTTP_TAKEN_MAX =
        256 * 1024 * 1024,      /* bytes of a body that is taken as it comes; more: 413 */
    SKY_HTTP_PIECE = 64 * 1024, /* bytes that a long answer gets at a time */
    SKY_HTTP_TURN_PIECES = 4,   /* pieces that all of them get in a turn of the loop together */
};

/* A request and the answer it is waiting for. Owned by the port; the handler may keep a pointer to
 * it until it has answered, or ended the stream, or on_gone was called. */
struct sky_http_call {
    void *owner; /* the handler's context */
    struct sky_conn *conn;
    struct sky_http_head head; /* views, valid as long as the call */
    sky_span body;             /* likewise */

    /* Whose it is, as far as the handler knows when it answers, for faults; 0: nobody known. */
    int64_t device_id, product_id;
    uint64_t of; /* its number in the journal, likewise */
    bool serves; /* the cloud answers it, not only the server */

    /* The handler's own. */
    void *state;
    /* The client went away, or the server stops, before the answer was complete. May be NULL. */
    void (*on_gone)(struct sky_http_call *call);
    /* Takes the bytes of the body as they come, in place of `body`; set by the handler's begin().
     */
    void (*on_body)(struct sky_http_call *call, sky_span bytes);
    /* Streams: append what there is to send, until it is SKY_HTTP_STREAM_ENOUGH; nothing means:
     * wait for a wake-up. Downloads: append the next SKY_HTTP_PIECE or less; nothing means: it
     * cannot be read, and the connection ends here. */
    void (*on_room)(struct sky_http_call *call, struct sky_buf *out);
    void (*on_sent)(struct sky_http_call *call); /* a download is complete, and the call over */

    /* The program itself asks, and gets the answer here; then `conn` is NULL, and nothing can be
     * streamed or downloaded. NULL: a peer asks. */
    void (*on_answer)(struct sky_http_call *call, const struct sky_http_reply *reply);
};

/* Who answers the requests of a listener, and how they are read for it. */
struct sky_http_handler {
    size_t body_max; /* bytes */
    /* Exactly one valid Host, and bodies in chunks too, as RFC 9112 has it. Else a bad Host is for
     * the handler to judge, and chunks are refused. */
    bool by_the_book;
    bool no_sniff; /* of every answer, see struct sky_http_reply */
    /* A request with a body has begun. Who wants it as it comes, be it longer than `body_max`, sets
     * on_body, and may set state and on_gone; `take` has the call when all has come. NULL: nobody
     * does. */
    void (*begin)(void *owner, struct sky_http_call *call);
    /* Answers the call, now or later. */
    void (*take)(void *owner, struct sky_http_call *call);
    /* The peer has left, or was closed, before the whole body came. NULL: nobody cares. */
    void (*cut_short)(void *owner, const struct sky_http_call *call);
    /* A request that never comes to be a call, for this reason: fills in `body`, and `reply` but
     * for it; the status is set, and may be changed. The connection ends with it. */
    void (*refused)(void *owner, struct sky_conn *conn, const struct sky_http_head *head,
                    const char *reason, struct sky_http_reply *reply, struct sky_buf *body);
    /* Takes the connection over for WebSocket, with the request's own bytes, by giving it another
     * port. Else returns why not, and fills in status and header lines to refuse it with. NULL:
     * upgrades are not followed, and the request is answered as any other (RFC 9110 §7.8). */
    const char *(*upgrade)(void *owner, struct sky_conn *conn, const struct sky_http_head *head,
                           sky_span bytes, struct sky_http_reply *ret_reply);
    void *owner;
};

/* Answers, now or on a later turn of the loop; copies what it needs. The call is over. */
void sky_http_reply(struct sky_http_call *call, const struct sky_http_reply *reply);
/* The same with a body that may be long: it is what `body` has, which is taken over where that
 * saves a copy, and empty then. */
void sky_http_give(struct sky_http_call *call, const struct sky_http_reply *reply,
                   struct sky_buf *body);

/* The handler keeps so many bytes for the answer, or for what a stream is to say next: they count
 * among what waits to be read. False: too much does by now, and the call has been answered 503. */
bool sky_http_prepare(struct sky_http_call *call, size_t bytes);

/* Answers 200 with a body of unknown length: call->on_room is asked for it whenever the client has
 * room. It ends with the connection. */
void sky_http_stream(struct sky_http_call *call, const char *content_type);
void sky_http_stream_wake(struct sky_http_call *call); /* there is something to send */
void sky_http_stream_end(struct sky_http_call *call);  /* the call is over */

/* Answers with a body of `length` bytes, which call->on_room is asked for piece by piece, in turn
 * with all others that download. Of `reply` counts all but the body. The call is over when
 * on_sent or on_gone was called; for a HEAD, which has no body, on_sent is at once. */
void sky_http_send(struct sky_http_call *call, const struct sky_http_reply *reply, uint64_t length);

struct sky_http;
struct sky_wire;

/* `admin` takes what comes by listeners of that kind, `devices` the rest. */
struct sky_http *sky_http_open(struct sky_net *net, struct sky_wire *wire,
                               const struct sky_http_handler *devices,
                               const struct sky_http_handler *admin);
/* After every connection has been closed. NULL is fine. */
void sky_http_close(struct sky_http *http);
/* The port on a connection whose first clear byte is a letter. */
struct sky_port *sky_http_port(struct sky_http *http);
size_t sky_http_count(const struct sky_http *http); /* open HTTP connections */

#endif
