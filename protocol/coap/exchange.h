/* The message layer towards one peer that only asks (RFC 7252 §4, RFC 7959): duplicates answered
 * from memory, blocks put together and handed out, requests passed on once.
 * Pure: datagrams come as spans, answers go into the buffer handed in, time is an argument. */
#ifndef SKY_COAP_EXCHANGE_H
#define SKY_COAP_EXCHANGE_H

#include "protocol/coap/message.h"

enum {
    SKY_COAP_BODY_MAX = 64 * 1024, /* bytes of a body in blocks, either way */
    SKY_COAP_SZX_MAX = 6,          /* blocks of 1024 bytes */
    SKY_COAP_SINGLE_MAX = 1024,    /* bytes of a payload that needs no blocks (4.6) */
    SKY_COAP_REMEMBERED_MAX = 8,   /* answers kept for duplicates, per peer */
    SKY_COAP_TRANSFERS_MAX = 2, /* bodies in blocks side by side, each way; a further one takes the
                                   place of the one that stood for longest */
    SKY_COAP_EXCHANGE_LIFETIME_MS = 247 * 1000, /* 4.8.2 */
    SKY_COAP_TRANSFER_IDLE_MS = 93 * 1000, /* an unfinished body is dropped (MAX_TRANSMIT_WAIT) */
};

/* Oddities of a message, or'ed. */
enum {
    SKY_COAP_SAW_MALFORMED = 1 << 0,
    SKY_COAP_SAW_ID_REUSED = 1 << 1, /* a message id in use, with another request */
    SKY_COAP_SAW_OBSERVE = 1 << 2,
    SKY_COAP_SAW_OPTION = 1 << 3, /* refused for an option: `refused_option` */
    SKY_COAP_SAW_LARGE = 1 << 4,  /* a single payload of more than SKY_COAP_SINGLE_MAX */
    SKY_COAP_SAW_GAP = 1 << 5,    /* a block that does not follow the one before */
    SKY_COAP_SAW_TOO_LARGE = 1 << 6,
    SKY_COAP_SAW_DUPLICATE = 1 << 7, /* answered from memory: no act of its own */
    SKY_COAP_SAW_TOKEN_REUSED = 1 << 8,
    SKY_COAP_SAW_PING = 1 << 9, /* 4.3 */
};

/* Embedded; zeroed is a peer that has sent nothing. Memory beyond this struct only after the first
 * request. */
struct sky_coap_peer {
    struct sky_coap_memory *memory; /* owned */
    uint16_t next_id;               /* of the next answer that needs a message id of its own */
};
void sky_coap_peer_done(struct sky_coap_peer *peer);

/* A whole request, its body put together. Views: valid until the next call for this peer. */
struct sky_coap_request {
    struct sky_coap_message message; /* as it came; for a body in blocks, the last one */
    sky_span body;
};

/* What the request is answered with. */
struct sky_coap_response {
    uint8_t code;
    sky_span body;  /* JSON; copied where it takes several blocks */
    uint16_t extra; /* an elective option more, or 0 */
    sky_span extra_value;
};

enum sky_coap_step {
    SKY_COAP_STEP_DONE,    /* nothing to do; an answer may have been written */
    SKY_COAP_STEP_REQUEST, /* a new request: answer it with sky_coap_respond() */
};

/* Takes one datagram. `*ret_saw` is set always, `ret_request->message` unless the datagram is no
 * CoAP at all, `ret_request->body` for STEP_REQUEST. At most one datagram is appended to `out`. */
enum sky_coap_step sky_coap_receive(struct sky_coap_peer *peer, sky_span datagram, int64_t now_ms,
                                    struct sky_coap_request *ret_request, unsigned *ret_saw,
                                    struct sky_buf *out);

/* Answers the request just received, piggybacked when it was confirmable (5.2.1), and remembers
 * the answer; `request->body` is gone then. A body longer than one block goes out block by block
 * as the peer asks. */
void sky_coap_respond(struct sky_coap_peer *peer, const struct sky_coap_request *request,
                      const struct sky_coap_response *response, int64_t now_ms,
                      struct sky_buf *out);

/* In place of sky_coap_respond(), for a request with SKY_COAP_SAW_ID_REUSED: appends what the
 * earlier request under its message id was answered with, as a server does that tells requests
 * apart by their ids alone. */
void sky_coap_repeat(struct sky_coap_peer *peer, const struct sky_coap_request *request,
                     int64_t now_ms, struct sky_buf *out);

#endif
