/* MQTT on a connection: bytes to packets, packets to acts. */
#ifndef SKY_SERVER_PORT_MQTT_H
#define SKY_SERVER_PORT_MQTT_H

#include "server/broker/broker.h"
#include "server/net/conn.h"

struct sky_applications;

struct sky_mqtt_port {
    struct sky_port port;
    struct sky_broker *broker;             /* borrowed */
    struct sky_applications *applications; /* borrowed; NULL: there are none */
};
void sky_mqtt_port_init(struct sky_mqtt_port *port, struct sky_broker *broker);

/* Somebody else logs in as the device, without a clean session, and is gone again: its connection
 * closes as for a second login of its own (MQTT 3.1.1 [MQTT-3.1.4-2]), which nobody holds against
 * it. False: it is not on a connection of its own. */
bool sky_mqtt_twin(struct sky_session *session);

#endif
