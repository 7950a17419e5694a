/* Devices over CoAP and DTLS: the UDP socket, their channels, and what waits for them. Knows no
 * cloud: what a request means, a hook of the device's cloud decides. */
#ifndef SKY_SERVER_PORT_COAP_H
#define SKY_SERVER_PORT_COAP_H

#include "protocol/base/err.h"
#include "protocol/base/span.h"

struct sky_app;
struct sky_session;

enum {
    SKY_COAP_CHANNELS_MAX = 4,  /* of one device; the oldest makes room */
    SKY_COAP_STRANGERS_MAX = 50 /* journalled a second of those that are no device of ours */
};
/* A channel that is silent for longer (three days) is let go. */
#define SKY_COAP_IDLE_MS (INT64_C(72) * 3600 * 1000)

/* Binds the listener of the table whose row says DTLS, if the configuration wants it, and counts
 * it among app->front's. On failure `why` says what to do. */
SKY_MUST_USE sky_err sky_coap_port_open(struct sky_app *app, struct sky_why *why);
/* Says goodbye to every device and closes the socket; needs loop turns after. */
void sky_coap_port_close(struct sky_app *app);
/* Once the loop has run empty. */
void sky_coap_port_free(struct sky_app *app);

size_t sky_coap_port_channels(const struct sky_app *app);
size_t sky_coap_port_online(const struct sky_app *app); /* devices */

/* ---- devices ---- */

/* Has the device come by CoAP, so that it fetches what is sent to it? */
bool sky_coap_fetches(const struct sky_session *session);
/* Has it been heard of within its lifetime? */
bool sky_coap_is_online(const struct sky_session *session);

/* Lets a message wait for a device that fetches, for `ttl_ms` of virtual time at most: 0 stands for
 * the longest, a negative one for as long as the device is online. Journals it or why it cannot
 * wait. */
void sky_coap_push(struct sky_app *app, struct sky_session *session, sky_span topic,
                   sky_span payload, uint64_t of, int64_t ttl_ms);

/* Closes the device's channels; false when it has none. `reason` is static. */
bool sky_coap_kick(struct sky_session *session, const char *reason);
/* The session is about to go: so does all that is kept here for it. */
void sky_coap_forget(struct sky_app *app, struct sky_session *session);

#endif
