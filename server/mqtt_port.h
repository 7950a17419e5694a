/* MQTT on a connection: bytes to packets to acts. */
#ifndef SKY_SERVER_MQTT_PORT_H
#define SKY_SERVER_MQTT_PORT_H

#include "server/conn.h"

extern const struct sky_port sky_mqtt_port;

#endif
