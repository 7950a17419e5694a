/* MQTT on a connection: bytes to packets, packets to acts. */
#ifndef SKY_SERVER_PORT_MQTT_H
#define SKY_SERVER_PORT_MQTT_H

#include "server/net/conn.h"

extern const struct sky_port sky_mqtt_port;

/* Cuts the link `in_ms` of virtual time from now. */
void sky_mqtt_port_cut(struct sky_conn *conn, int64_t in_ms);

#endif
