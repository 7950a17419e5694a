/* The application's side: MQTT clients that are no devices. They publish as the clouds do, and hear
 * what devices and clouds say, whatever carries it. Nothing they do is judged, no verdict has them,
 * and what they do in the journal names a client id and no device. Their sessions live in memory:
 * a kept one ends with the server, and no reset ends it. */
#ifndef SKY_SERVER_PORT_APPLICATIONS_H
#define SKY_SERVER_PORT_APPLICATIONS_H

#include "protocol/mqtt/packet.h"
#include "server/broker/broker.h"
#include "server/net/conn.h"

enum {
    SKY_APPLICATIONS_MAX = 64,             /* client ids, those away included */
    SKY_APPLICATION_ID_MAX = 128,          /* bytes of a client id */
    SKY_APPLICATION_INFLIGHT_MAX = 1000,   /* QoS 1 messages sent and not acknowledged */
    SKY_APPLICATION_QUEUE_MAX = 10000,     /* messages that wait for one application */
    SKY_APPLICATION_QUEUE_BYTES = 8 << 20, /* and their bytes */
};

struct sky_application;

/* Embedded. */
struct sky_applications {
    struct sky_port port;      /* of their connections, once they have said who they are */
    struct sky_broker *broker; /* borrowed, as the token */
    const char *token;         /* is their password; NULL: any is taken */
    struct sky_subs *subs;     /* owned, as the next two: what they subscribe to, by place */
    struct sky_application *list[SKY_APPLICATIONS_MAX];
    struct sky_receivers receivers;
};

void sky_applications_init(struct sky_applications *self, struct sky_broker *broker,
                           const char *token);
void sky_applications_done(struct sky_applications *self); /* connections have been closed */

/* Is this the login of an application? Its connection is for `port` then, with this CONNECT. */
bool sky_applications_claim(const struct sky_mqtt_connect *connect);

#endif
