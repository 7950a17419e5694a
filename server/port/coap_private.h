/* The parts of the CoAP port among themselves: port (socket and channels), device (presence, what
 * waits), request (from a datagram to its answer). */
#ifndef SKY_SERVER_PORT_COAP_PRIVATE_H
#define SKY_SERVER_PORT_COAP_PRIVATE_H

#include <uv.h>

#include "protocol/coap/exchange.h"
#include "server/broker/broker.h"
#include "server/port/coap.h"
#include "server/port/pull.h"
#include "server/registry/psk.h"
#include "server/tls/dtls.h"

struct sky_coap_port {
    struct sky_broker *broker; /* borrowed, as the next two */
    struct sky_registry *registry;
    struct sky_net *net;
    uv_udp_t udp;
    struct sky_timer rest; /* until more is asked for */
    bool had_its_turn;     /* what was received last ended one */
    struct sky_door door;  /* of whoever has not named itself */
    struct sky_dtls *dtls;
    struct sky_coap_request request; /* at hand */
    struct sky_buf out, body;        /* its answer: the datagram, and its body */
    uint8_t reply_code;              /* of what a service replied in place of a body; 0: none */
    bool served;                     /* a service was asked */
    size_t online;                   /* devices */
    int64_t strangers_since_ms;      /* real time at which this second of theirs began */
    unsigned strangers, hushed;      /* journalled in it, and not */
    struct sky_coap_route *routes;   /* list: addresses that faults may want, the latest last */
    size_t route_count;
    size_t doomed; /* handshakes that a fault has its hands on */
};
enum { SKY_COAP_ROUTES_MAX = 256 };

/* One DTLS session with a device. */
struct sky_coap_channel {
    struct sky_coap_port *port;
    struct sky_dtls_peer *peer;
    struct sky_psk_try psk;
    struct sky_door door;
    struct sky_coap_peer coap;
    struct sky_fate *doom; /* owned; what becomes of the rest of its handshake; NULL: nothing */
    struct sky_coap_device *device; /* NULL: not open, or the device has gone */
    int64_t last_seen_ms;           /* virtual time */
    const char *close_reason;       /* static; NULL: the device's own doing */
    uint32_t id;                    /* as of connections, in the journal */
    struct sky_coap_channel *prev, *next;
};

/* What is kept for a device that came by CoAP; goes with its session. */
struct sky_coap_device {
    struct sky_fetcher fetcher;
    struct sky_coap_port *port;
    struct sky_session *session;
    struct sky_coap_channel *channels; /* list, oldest first */
    size_t channel_count;
    struct sky_pull pull;
    struct sky_timer alarm;  /* virtual time: the end of a lifetime, or of an idle channel */
    struct sky_timer expiry; /* virtual time: of what waits */
    int64_t lifetime_ms, last_seen_ms;
    bool online;
};

/* ---- port ---- */

struct sky_event_head sky_coap__event(const struct sky_coap_channel *channel,
                                      enum sky_event_type type, enum sky_direction direction);
uint64_t sky_coap__record(const struct sky_coap_channel *channel, enum sky_event_type type,
                          enum sky_direction direction, const struct sky_attr *attrs, size_t count,
                          const struct sky_judge *judge);
void sky_coap__close(struct sky_coap_channel *channel, const char *reason);
/* Clear bytes pass: for whoever captures. */
void sky_coap__tap(const struct sky_coap_channel *channel, bool from_peer, sky_span clear);

void sky_coap__send_raw(struct sky_coap_port *port, const struct sockaddr_storage *to,
                        sky_span datagram);

/* ---- route ---- */

/* A datagram on its way, out and in. */
void sky_coap__send(struct sky_coap_port *port, const struct sockaddr_storage *to,
                    sky_span datagram);
void sky_coap__receive(struct sky_coap_port *port, const struct sockaddr_storage *from,
                       sky_span datagram);
void sky_coap__drop_routes(struct sky_coap_port *port);
/* Did a fault have its hands on what came from there, or went there? */
bool sky_coap__is_touched(struct sky_coap_port *port, const struct sockaddr_storage *address);
void sky_coap__end_peer(struct sky_dtls_peer *peer, const struct sky_fate *fate);
/* It is known who shakes hands: asks what becomes of the rest, and sees to it. */
void sky_coap__doom(struct sky_coap_channel *channel, const struct sky_carrier *carrier);
void sky_coap__spare(struct sky_coap_channel *channel); /* that is over */

/* ---- device ---- */

/* The channel is open: the device's, from now on. */
void sky_coap__join(struct sky_coap_channel *channel, struct sky_session *session);
void sky_coap__leave(struct sky_coap_channel *channel);
/* Something has come from the device. */
void sky_coap__heard(struct sky_coap_channel *channel);
/* What waits has become less or more. */
void sky_coap__watch_waiting(struct sky_coap_device *device);

/* ---- request ---- */

/* Its device, as the wire has it. */
struct sky_carrier sky_coap__carrier(struct sky_coap_channel *channel);
/* One message of an open channel, from its bytes to its answer. */
void sky_coap__serve(struct sky_coap_channel *channel, sky_span clear);

#endif
