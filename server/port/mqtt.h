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

#endif
