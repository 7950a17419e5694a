#include "server/wire/passage.h"

#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "server/tls/channel.h"

enum { FILTERS_JSON_MAX = 64 * 1024 };

static const struct {
    const char *name;
    enum sky_direction direction;
} points[] = {
#define X(point, text, direction) [SKY_POINT_##point] = {text, SKY_##direction},
    SKY_POINTS(X)
#undef X
};

const char *sky_point_name(enum sky_point point)
{
    SKY_ASSERT(point < SKY_POINT_COUNT);
    return points[point].name;
}

enum sky_direction sky_point_direction(enum sky_point point)
{
    SKY_ASSERT(point < SKY_POINT_COUNT);
    return points[point].direction;
}

const struct sky_who *sky_passage_who(const struct sky_passage *passage, struct sky_who *room)
{
    const struct sky_carrier *carrier = passage->carrier;
    if (passage->who != NULL)
        return passage->who;
    *room = (struct sky_who){0};
    if (carrier != NULL && carrier->conn != NULL) {
        struct sky_conn *conn = carrier->conn;
        sky_conn_peer(conn, room->room, sizeof room->room);
        room->listener = sky_span_str(conn->door->listener->name);
        room->peer = sky_span_str(room->room);
        room->client_id = sky_conn_client_id(conn, room->id_room);
        room->server_name = conn->door->server_name;
        if (conn->work->tls != NULL)
            room->identity = sky_tls_identity(conn->work->tls);
    } else if (carrier != NULL && carrier->kind->know != NULL) {
        carrier->kind->know(carrier->channel, room);
    }
    return room;
}

sky_span sky_wire_filters(const struct sky_mqtt_filters *filters, const uint8_t *codes,
                          struct sky_buf *out)
{
    struct sky_mqtt_filters walk = *filters;
    struct sky_jw jw = sky_jw(out);
    sky_span filter;
    uint8_t qos;
    sky_buf_init(out, FILTERS_JSON_MAX);
    sky_jw_array(&jw);
    for (size_t i = 0; sky_mqtt_filter_next(&walk, &filter, &qos); i++) {
        sky_jw_object(&jw);
        sky_jw_put_span(&jw, "filter", filter);
        if (walk.with_qos)
            sky_jw_put_int(&jw, "qos", qos);
        if (codes != NULL)
            sky_jw_put_int(&jw, "code", codes[i]);
        sky_jw_end_object(&jw);
    }
    sky_jw_end_array(&jw);
    return out->overflow ? SKY_SPAN("[]") : sky_buf_span(out);
}

/* ---- in words ---- */

#define SHOWN_MAX 80 /* bytes of a topic or path */

static void say_publish(const struct sky_mqtt_publish *publish, char text[SKY_PASSAGE_TEXT_MAX])
{
    sky_span topic = sky_span_head(publish->topic, SHOWN_MAX);
    if (publish->packet_id != 0)
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "PUBLISH %u%s to %.*s", publish->packet_id,
                 publish->dup ? " (DUP)" : "", SKY_SPAN_ARGS(topic));
    else
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "PUBLISH to %.*s", SKY_SPAN_ARGS(topic));
}

static void say_out(const struct sky_out *out, char text[SKY_PASSAGE_TEXT_MAX])
{
    if (out->is_raw) {
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "%zu bytes", out->as.raw.len);
        return;
    }
    switch (out->point) {
    case SKY_POINT_CONNACK:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "CONNACK %u, session present %d", out->as.connack.code,
                 out->as.connack.session_present);
        return;
    case SKY_POINT_PUBACK_DOWN:
    case SKY_POINT_UNSUBACK:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "%s %u", sky_mqtt_type_name(out->as.ack.type),
                 out->as.ack.packet_id);
        return;
    case SKY_POINT_SUBACK:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "SUBACK %u", out->as.suback.filters.packet_id);
        return;
    case SKY_POINT_PUBLISH_DOWN:
        say_publish(&out->as.publish.packet, text);
        return;
    case SKY_POINT_COAP_ANSWER:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "CoAP %u.%02u", out->as.coap.response.code >> 5,
                 out->as.coap.response.code & 0x1fU);
        return;
    case SKY_POINT_HTTP_ANSWER:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "HTTP %d", out->as.http.reply.status);
        return;
    default:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "PINGRESP");
    }
}

static void say_packet(const struct sky_mqtt_packet *packet, char text[SKY_PASSAGE_TEXT_MAX])
{
    const char *type = sky_mqtt_type_name(packet->type);
    switch (packet->type) {
    case SKY_MQTT_CONNECT:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "CONNECT of %.*s",
                 SKY_SPAN_ARGS(sky_span_head(packet->as.connect.client_id, SHOWN_MAX)));
        return;
    case SKY_MQTT_PUBLISH:
        say_publish(&packet->as.publish, text);
        return;
    case SKY_MQTT_SUBSCRIBE:
    case SKY_MQTT_UNSUBSCRIBE:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "%s %u", type, packet->as.filters.packet_id);
        return;
    case SKY_MQTT_PINGREQ:
    case SKY_MQTT_DISCONNECT:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "%s", type);
        return;
    default:
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "%s %u", type, packet->as.packet_id);
    }
}

void sky_passage_say(const struct sky_passage *passage, char text[SKY_PASSAGE_TEXT_MAX])
{
    text[0] = '\0';
    if (passage->out != NULL)
        say_out(passage->out, text);
    else if (passage->in != NULL && passage->in->packet != NULL)
        say_packet(passage->in->packet, text);
    else if (passage->in != NULL && passage->in->path.len > 0)
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "%.*s",
                 SKY_SPAN_ARGS(sky_span_head(passage->in->path, SHOWN_MAX)));
    else if (passage->in != NULL)
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "%zu bytes", passage->in->bytes.len);
}
