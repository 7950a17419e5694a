/* What passes between devices and the server, as values: before it is bytes on the way out, and
 * before it is an act on the way in. Vocabulary; knows nothing of what becomes of it. */
#ifndef SKY_SERVER_WIRE_PASSAGE_H
#define SKY_SERVER_WIRE_PASSAGE_H

#include "protocol/coap/exchange.h"
#include "protocol/http/answer.h"
#include "protocol/mqtt/packet.h"
#include "server/journal/journal.h"
#include "server/net/client_id.h"
#include "server/net/conn.h"
#include "server/net/fate.h"

/* What passes. Row: enumerator, name, direction. A fault can be put at each of the first; behind
 * them come those that only the server itself asks about. */
#define SKY_POINTS(X)                                                                              \
    X(ACCEPT, "accept", UP)       /* a TCP peer */                                                 \
    X(HANDSHAKE, "handshake", UP) /* of TLS or DTLS: its ClientHello */                            \
    X(CONNECT, "connect", UP)                                                                      \
    X(CONNACK, "connack", DOWN)                                                                    \
    X(PUBLISH_UP, "publish-up", UP)                                                                \
    X(PUBACK_DOWN, "puback-down", DOWN) /* PUBREC and PUBCOMP too */                               \
    X(PUBLISH_DOWN, "publish-down", DOWN)                                                          \
    X(PUBACK_UP, "puback-up", UP) /* PUBREC, PUBREL and PUBCOMP too */                             \
    X(SUBSCRIBE, "subscribe", UP)                                                                  \
    X(SUBACK, "suback", DOWN)                                                                      \
    X(UNSUBSCRIBE, "unsubscribe", UP)                                                              \
    X(UNSUBACK, "unsuback", DOWN)                                                                  \
    X(PINGREQ, "pingreq", UP)                                                                      \
    X(PINGRESP, "pingresp", DOWN)                                                                  \
    X(DISCONNECT, "disconnect", UP)                                                                \
    X(REPLY, "reply", DOWN) /* the cloud's answer to a service, before what carries it */          \
    X(HTTP_ANSWER, "http-answer", DOWN)                                                            \
    X(COAP_ANSWER, "coap-answer", DOWN)                                                            \
    X(DATAGRAM_UP, "datagram-up", UP) /* as it came, sealed */                                     \
    X(DATAGRAM_DOWN, "datagram-down", DOWN)                                                        \
    SKY_POINTS_INSIDE(X)
#define SKY_POINTS_INSIDE(X)                                                                       \
    X(HTTP_CALL, "http-call", UP)                                                                  \
    X(COAP_REQUEST, "coap-request", UP)                                                            \
    X(CLOSE, "close", DOWN) /* the server ends a connection */

enum sky_point {
#define X(name, text, direction) SKY_POINT_##name,
    SKY_POINTS(X)
#undef X
        SKY_POINT_COUNT,
    SKY_POINT_CHOSEN_COUNT = SKY_POINT_HTTP_CALL, /* those at which faults can be put */
};
const char *sky_point_name(enum sky_point point);
enum sky_direction sky_point_direction(enum sky_point point);

/* What is known of who is at the other end. Views, valid while it is there, and while this is. */
struct sky_who {
    sky_span listener, peer, client_id, server_name, identity; /* empty: not known */
    char room[64];                                             /* for the peer's address */
    char id_room[SKY_CLIENT_ID_KEPT];                          /* for the client id */
};

/* What a channel of datagrams can do. */
struct sky_channel_kind {
    void (*send)(void *channel, sky_span datagram); /* which may get lost */
    void (*know)(void *channel, struct sky_who *ret_who);
    /* Ends it as the fate has it, which is not SKY_BREAK_NONE; NULL: it cannot be ended. */
    void (*end)(void *channel, const struct sky_fate *fate);
};

/* Who takes the bytes, or has sent them: a connection, or a channel. */
struct sky_carrier {
    struct sky_conn *conn; /* NULL: a channel */
    void *channel;
    const struct sky_channel_kind *kind;
};
static inline void *sky_carrier_owner(const struct sky_carrier *carrier)
{
    return carrier->conn != NULL ? (void *)carrier->conn : carrier->channel;
}

/* Something for a device. */
struct sky_out {
    enum sky_point point;
    struct sky_event_head head; /* type and direction are set here */
    struct sky_carrier to;
    uint64_t of; /* number in the journal of what it answers or carries; 0: nothing */
    union {
        struct {
            bool session_present;
            uint8_t code;
        } connack;
        struct {
            enum sky_mqtt_type type;
            uint16_t packet_id;
        } ack;
        struct {
            struct sky_mqtt_filters filters;
            const uint8_t *codes; /* one for each filter */
            bool lies;            /* the device is told `lie` of all of them */
            uint8_t lie;
        } suback;
        struct {
            struct sky_mqtt_publish packet;
            bool whole; /* the journal has no publish with this content: this event shows it */
        } publish;
        struct {
            struct sky_coap_peer *peer;
            const struct sky_coap_request *request;
            struct sky_coap_response response;
        } coap;
        struct sky_http_response http;
        sky_span raw;
    } as;
    bool is_raw;   /* bytes already, that no event tells of: CoAP's own answers, 100 Continue */
    bool is_reply; /* the cloud's answer to a service */
    bool decided;  /* sky_wire_decide() was asked before, and that is its answer: */
    struct sky_fate fate;
    int64_t product_id; /* whose it is where no device is proven; 0: the device's */
};

/* Begins something for the device of a connection; what `as` holds is the caller's to fill in. */
static inline void sky_out_begin(struct sky_out *out, enum sky_point point, struct sky_conn *conn)
{
    out->point = point;
    out->head.transport = conn->door->transport;
    out->head.connection = conn->id;
    out->head.device_id = conn->device_id;
    out->to = (struct sky_carrier){.conn = conn};
    out->of = out->product_id = 0;
    out->is_raw = out->is_reply = out->decided = false;
}

/* Something from a device. */
struct sky_in {
    enum sky_point point;
    struct sky_event_head head;
    sky_span bytes;                         /* as they came, in the clear */
    const struct sky_mqtt_packet *packet;   /* one of the three, or none: what they mean */
    const struct sky_coap_request *request; /* its head only, when it comes in blocks */
    sky_span path;                          /* of an HTTP call */
    struct sky_carrier from;                /* sky_wire_forget() when it goes */
    int64_t product_id;                     /* whose it is where no device is proven; or 0 */
    bool later; /* were it to be taken once more, then not from within sky_wire_enter() */
    /* Takes the bytes later, or once more, or changed: then nothing is held against anybody. */
    void (*again)(void *owner, sky_span bytes);
};

/* A passage as a filter sees it; `out` may be changed, `in` not. Where no packet is, as at
 * `accept`, it has neither. */
struct sky_passage {
    enum sky_point point;
    const struct sky_event_head *head;
    const struct sky_carrier *carrier; /* NULL: nobody is there yet */
    const struct sky_who *who;         /* NULL: to be asked of the carrier, by sky_passage_who() */
    int64_t product_id;                /* as of both of the next */
    struct sky_out *out;
    const struct sky_in *in;
    const char *reason; /* of CLOSE */
    bool leads;         /* something waits to go right behind it */
};

/* Who is at the other end, into `room` unless the passage has it already. */
const struct sky_who *sky_passage_who(const struct sky_passage *passage, struct sky_who *room);

/* "PUBACK 7", "PUBLISH 3 to /a/b"; empty: there is nothing to say. */
enum { SKY_PASSAGE_TEXT_MAX = 160 };
void sky_passage_say(const struct sky_passage *passage, char text[SKY_PASSAGE_TEXT_MAX]);

/* The filters of a packet as JSON, with the codes they were answered with if there are any; "[]"
 * when that grew too long. */
sky_span sky_wire_filters(const struct sky_mqtt_filters *filters, const uint8_t *codes,
                          struct sky_buf *out);

#endif
