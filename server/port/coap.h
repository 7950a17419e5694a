/* Devices over CoAP and DTLS: the UDP socket, their channels, and what waits for them. Knows no
 * cloud: what a request means, a hook of the device's cloud decides. */
#ifndef SKY_SERVER_PORT_COAP_H
#define SKY_SERVER_PORT_COAP_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"

struct sky_broker;
struct sky_config;
struct sky_coap_port;
struct sky_net;
struct sky_session;

enum {
    SKY_COAP_CHANNELS_MAX = 4,  /* of one device; the oldest makes room */
    SKY_COAP_STRANGERS_MAX = 50 /* journalled a second of those that are no device of ours */
};
/* A channel that is silent for longer (three days) is let go. */
#define SKY_COAP_IDLE_MS (INT64_C(72) * 3600 * 1000)

/* Binds the listener of the table whose row says DTLS, if the configuration wants it, and counts
 * it among those of `net`; `*ret_port` is NULL when it does not. On failure `why` says what to do,
 * and the caller closes what was opened. */
SKY_MUST_USE sky_err sky_coap_port_open(struct sky_broker *broker, struct sky_net *net,
                                        const struct sky_config *config,
                                        struct sky_coap_port **ret_port, struct sky_why *why);
/* Says goodbye to every device and closes the socket; needs loop turns after. NULL is fine. */
void sky_coap_port_close(struct sky_coap_port *port);
/* Once the loop has run empty, and no session has come by it any more. NULL is fine. */
void sky_coap_port_free(struct sky_coap_port *port);

/* ---- what waits for a device, to be kept and put back ---- */

/* Appends; nothing when nothing waits. */
void sky_coap_waiting_write(const struct sky_session *session, struct sky_buf *out);
/* This waits for the device, and nothing else; what is open to it is closed for the stated reason,
 * which is static. `shift_ms` is lived time between the writing and now. INVALID: the bytes are no
 * such writing. `port` NULL: nothing can wait. */
SKY_MUST_USE sky_err sky_coap_waiting_put_back(struct sky_coap_port *port,
                                               struct sky_session *session, sky_span bytes,
                                               int64_t shift_ms, const char *reason);

/* NULL is fine: none. */
size_t sky_coap_port_channels(const struct sky_coap_port *port);
/* Handshakes, for want of room. */
uint64_t sky_coap_port_turned_away(const struct sky_coap_port *port);
size_t sky_coap_port_online(const struct sky_coap_port *port); /* devices */

#endif
