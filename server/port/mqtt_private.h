/* What the files of the MQTT port share. */
#ifndef SKY_SERVER_PORT_MQTT_PRIVATE_H
#define SKY_SERVER_PORT_MQTT_PRIVATE_H

#include "protocol/base/mem.h"
#include "protocol/mqtt/packet.h"
#include "server/port/mqtt.h"

static inline struct sky_mqtt_port *sky_mqtt__port(const struct sky_conn *conn)
{
    return SKY_CONTAINER_OF(conn->port, struct sky_mqtt_port, port);
}

/* Journals an act on the connection; returns its number. */
uint64_t sky_mqtt__record(struct sky_conn *conn, enum sky_event_type type,
                          enum sky_direction direction, const struct sky_attr *attrs, size_t count,
                          const struct sky_judge *judge);
/* The policy of its device's product, or the general one. */
const struct sky_policy *sky_mqtt__policy(const struct sky_conn *conn);
void sky_mqtt__send_ack(struct sky_conn *conn, enum sky_point point, enum sky_mqtt_type type,
                        uint16_t packet_id);

/* The peer has sent what breaks the specification: nothing after it can be trusted (4.8.0-1). */
void sky_mqtt__malformed(struct sky_conn *conn, const struct sky_rule *rule, const char *what,
                         sky_span bytes);
/* A whole packet has come. */
void sky_mqtt__note_life(struct sky_conn *conn);
/* Where packets of a type enter. */
enum sky_point sky_mqtt__point(enum sky_mqtt_type type);
/* Does what it asks for; `bytes` begins with it. */
void sky_mqtt__handle(struct sky_conn *conn, const struct sky_mqtt_packet *packet, sky_span bytes);
/* Every packet enters here, and is handled if it may. False: it was not seen, or not yet. */
bool sky_mqtt__enter(struct sky_conn *conn, const struct sky_mqtt_packet *packet, sky_span rest);

/* The cloud of its device; NULL: not logged in. */
const struct sky_cloud *sky_mqtt__cloud(const struct sky_conn *conn);

/* What a fault did at one of these points explains what the device did then. */
static inline bool sky_mqtt__touched(const struct sky_conn *conn, uint32_t points)
{
    return (conn->work->touched & points) != 0;
}
#define AT(point) (UINT32_C(1) << SKY_POINT_##point)
#define AT_LOGIN (AT(CONNACK) | AT(SUBSCRIBE) | AT(SUBACK))
#define AT_DELIVERY (AT(PUBLISH_DOWN) | AT(REPLY) | AT(PUBACK_UP))
/* What it sends to be heard, or waits for. */
#define AT_LIFE                                                                                    \
    (AT_LOGIN | AT_DELIVERY | AT(PUBLISH_UP) | AT(PUBACK_DOWN) | AT(UNSUBSCRIBE) | AT(UNSUBACK) |  \
     AT(PINGREQ) | AT(PINGRESP) | AT(DISCONNECT))

void sky_mqtt__on_publish(struct sky_conn *conn, const struct sky_mqtt_packet *packet);
void sky_mqtt__on_puback(struct sky_conn *conn, const struct sky_mqtt_packet *packet);
void sky_mqtt__on_qos2_packet(struct sky_conn *conn, const struct sky_mqtt_packet *packet);
void sky_mqtt__on_pingreq(struct sky_conn *conn, const struct sky_mqtt_packet *packet);
void sky_mqtt__on_disconnect(struct sky_conn *conn, const struct sky_mqtt_packet *packet);
void sky_mqtt__on_subscribe(struct sky_conn *conn, const struct sky_mqtt_packet *packet);
void sky_mqtt__on_unsubscribe(struct sky_conn *conn, const struct sky_mqtt_packet *packet);

#endif
