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
    struct sky_door door; /* of whoever has not named itself */
    struct sky_dtls *dtls;
    struct sky_coap_request request; /* at hand */
    struct sky_buf out, body;        /* its answer: the datagram, and its body */
    uint8_t reply_code;              /* of what a service replied in place of a body; 0: none */
    size_t online;                   /* devices */
    int64_t strangers_since_ms;      /* real time at which this second of theirs began */
    unsigned strangers, hushed;      /* journalled in it, and not */
};

/* One DTLS session with a device. */
struct sky_coap_channel {
    struct sky_coap_port *port;
    struct sky_dtls_peer *peer;
    struct sky_psk_try psk;
    struct sky_door door;
    struct sky_coap_peer coap;
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

/* ---- device ---- */

/* The channel is open: the device's, from now on. */
void sky_coap__join(struct sky_coap_channel *channel, struct sky_session *session);
void sky_coap__leave(struct sky_coap_channel *channel);
/* Something has come from the device. */
void sky_coap__heard(struct sky_coap_channel *channel);
/* What waits has become less or more. */
void sky_coap__watch_waiting(struct sky_coap_device *device);

/* ---- request ---- */

/* One message of an open channel, from its bytes to its answer. */
void sky_coap__serve(struct sky_coap_channel *channel, sky_span clear);

#endif
