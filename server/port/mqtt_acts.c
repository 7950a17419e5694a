/* What a device does once it is admitted, but for its subscriptions. */
#include "protocol/mqtt/rules.h"
#include "server/broker/delivery.h"
#include "server/broker/publish.h"
#include "server/port/mqtt_private.h"

/* ---- PUBLISH and its acknowledgements ---- */

static void acknowledge(const struct sky_act *act)
{
    struct sky_conn *conn = act->ctx;
    if (act->qos == 0 || conn->closing)
        return;
    sky_mqtt__send_ack(conn, SKY_POINT_PUBACK_DOWN,
                       act->qos == 1 ? SKY_MQTT_PUBACK : SKY_MQTT_PUBREC, act->packet_id);
}

void sky_mqtt__on_publish(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    const struct sky_mqtt_publish *publish = &packet->as.publish;
    const struct sky_act act = {.session = conn->state,
                                .topic = publish->topic,
                                .payload = publish->payload,
                                .transport = conn->door->transport,
                                .connection = conn->id,
                                .packet_id = publish->packet_id,
                                .qos = publish->qos,
                                .dup = publish->dup,
                                .retain = publish->retain,
                                .on_ack = acknowledge,
                                .ctx = conn};
    if (sky_publish(sky_mqtt__port(conn)->broker, &act).close)
        sky_conn_close(conn, "published with QoS 2");
}

void sky_mqtt__on_puback(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    struct sky_session *session = conn->state;
    struct sky_judge judge;
    uint16_t next_id = sky_mqtt_session_next_ack(&session->mqtt);
    bool known =
        sky_deliver_acknowledged(sky_mqtt__port(conn)->broker, session, packet->as.packet_id);
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    if (!sky_mqtt__touched(conn, AT_DELIVERY)) {
        sky_judge_rule(&judge, sky_mqtt_rule(SKY_MQTT_RULE_ACK_ID), known,
                       "PUBACK %u, but no message with this id is in flight", packet->as.packet_id);
        sky_judge_rule(&judge, sky_mqtt_rule(SKY_MQTT_RULE_ACK_ORDER),
                       !known || packet->as.packet_id == next_id,
                       "PUBACK %u, but %u was sent before it and is not acknowledged",
                       packet->as.packet_id, next_id);
    }
    const struct sky_attr attr = SKY_ATTR_INT(PACKET_ID, packet->as.packet_id);
    sky_mqtt__record(conn, SKY_EVENT_PUBACK, SKY_UP, &attr, 1, &judge);
    sky_session_judged(session, &judge);
}

/* The QoS 2 packets. Where the rule is only reported, PUBREL is answered so that a client's
 * exchange ends; the others belong to exchanges this server never starts. */
void sky_mqtt__on_qos2_packet(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    struct sky_judge judge;
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    /* A fault can make a message one of QoS 2, which the device then receives as one. */
    bool refused =
        !sky_mqtt__touched(conn, AT_DELIVERY) &&
        sky_judge_broken(&judge, sky_cloud_limit_rule(sky_mqtt__cloud(conn), SKY_LIMIT_PACKET_TYPE),
                         "sent %s, which belongs to QoS 2", sky_mqtt_type_name(packet->type));
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, sky_span_str(sky_mqtt_type_name(packet->type))),
                                     SKY_ATTR_INT(PACKET_ID, packet->as.packet_id)};
    sky_mqtt__record(conn, SKY_EVENT_NOTE, SKY_UP, attrs, SKY_COUNT(attrs), &judge);
    sky_session_judged(conn->state, &judge);
    if (refused)
        sky_conn_close(conn, "sent a QoS 2 packet");
    else if (packet->type == SKY_MQTT_PUBREL)
        sky_mqtt__send_ack(conn, SKY_POINT_PUBACK_DOWN, SKY_MQTT_PUBCOMP, packet->as.packet_id);
}

/* ---- PINGREQ and DISCONNECT ---- */

void sky_mqtt__on_pingreq(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    (void)packet;
    sky_mqtt__record(conn, SKY_EVENT_PING, SKY_UP, NULL, 0, NULL);
    struct sky_out out;
    sky_out_begin(&out, SKY_POINT_PINGRESP, conn);
    sky_wire_send(sky_mqtt__port(conn)->broker->wire, &out);
}

void sky_mqtt__on_disconnect(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    (void)packet;
    sky_conn_close(conn, "the device disconnected");
}
