#include "server/wire/ways.h"

#include <stdio.h>

#include "protocol/base/json.h"

enum { FILTERS_JSON_MAX = 64 * 1024 };

/* ---- how each point is encoded ---- */

static bool put_connack(const struct sky_wire *wire, const struct sky_out *out,
                        struct sky_buf *bytes)
{
    (void)wire;
    return sky_mqtt_put_connack(bytes, out->as.connack.session_present,
                                (enum sky_mqtt_connack)out->as.connack.code);
}

static bool put_ack(const struct sky_wire *wire, const struct sky_out *out, struct sky_buf *bytes)
{
    (void)wire;
    return sky_mqtt_put_ack(bytes, out->as.ack.type, out->as.ack.packet_id);
}

/* What the device is told of each filter. */
static const uint8_t *codes_of(const struct sky_out *out, uint8_t room[SKY_MQTT_FILTERS_MAX])
{
    if (!out->as.suback.lies)
        return out->as.suback.codes;
    memset(room, out->as.suback.lie, out->as.suback.filters.count);
    return room;
}

static bool put_suback(const struct sky_wire *wire, const struct sky_out *out,
                       struct sky_buf *bytes)
{
    (void)wire;
    const struct sky_mqtt_filters *filters = &out->as.suback.filters;
    uint8_t codes[SKY_MQTT_FILTERS_MAX];
    return sky_mqtt_put_suback(bytes, filters->packet_id, codes_of(out, codes), filters->count);
}

static bool put_publish(const struct sky_wire *wire, const struct sky_out *out,
                        struct sky_buf *bytes)
{
    (void)wire;
    return sky_mqtt_put_publish(bytes, &out->as.publish.packet);
}

static bool put_pingresp(const struct sky_wire *wire, const struct sky_out *out,
                         struct sky_buf *bytes)
{
    (void)wire;
    (void)out;
    return sky_mqtt_put_pingresp(bytes);
}

static bool put_http(const struct sky_wire *wire, const struct sky_out *out, struct sky_buf *bytes)
{
    return sky_http_put(bytes, &out->as.http, wire->clock->real_ms);
}

static bool put_coap(const struct sky_wire *wire, const struct sky_out *out, struct sky_buf *bytes)
{
    sky_coap_respond(out->as.coap.peer, out->as.coap.request, &out->as.coap.response,
                     wire->clock->real_ms, bytes);
    return true;
}

/* ---- how each point is journalled ---- */

static void tell_connack(const struct sky_out *out, struct sky_draft *draft, struct sky_buf *room)
{
    (void)room;
    sky_draft_add(draft, SKY_ATTR_INT(CODE, out->as.connack.code));
    sky_draft_add(draft, SKY_ATTR_INT(SESSION_PRESENT, out->as.connack.session_present));
}

static void tell_ack(const struct sky_out *out, struct sky_draft *draft, struct sky_buf *room)
{
    (void)room;
    sky_draft_add(draft, SKY_ATTR_INT(PACKET_ID, out->as.ack.packet_id));
}

static void tell_nothing(const struct sky_out *out, struct sky_draft *draft, struct sky_buf *room)
{
    (void)room;
    (void)out;
    (void)draft;
}

static void tell_publish(const struct sky_out *out, struct sky_draft *draft, struct sky_buf *room)
{
    (void)room;
    const struct sky_mqtt_publish *packet = &out->as.publish.packet;
    sky_draft_add(draft, SKY_ATTR_INT(OF, (int64_t)out->of));
    sky_draft_add(draft, SKY_ATTR_INT(QOS, packet->qos));
    if (packet->packet_id != 0)
        sky_draft_add(draft, SKY_ATTR_INT(PACKET_ID, packet->packet_id));
    if (packet->dup)
        sky_draft_add(draft, SKY_ATTR_INT(DUP, 1));
    if (out->as.publish.whole) {
        sky_draft_add(draft, SKY_ATTR(TOPIC, packet->topic));
        sky_draft_add(draft, SKY_ATTR(PAYLOAD, packet->payload));
    }
}

/* 2.05 is shown as 205. */
static void tell_coap(const struct sky_out *out, struct sky_draft *draft, struct sky_buf *room)
{
    (void)room;
    const struct sky_coap_response *response = &out->as.coap.response;
    sky_draft_add(draft, SKY_ATTR_INT(OF, (int64_t)out->of));
    sky_draft_add(draft,
                  SKY_ATTR_INT(STATUS, (response->code >> 5) * 100 + (response->code & 0x1f)));
    if (response->body.len > 0)
        sky_draft_add(draft, SKY_ATTR(PAYLOAD, response->body));
    if (response->extra != 0)
        sky_draft_add(draft, SKY_ATTR(PATH, response->extra_value));
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

static void tell_suback(const struct sky_out *out, struct sky_draft *draft, struct sky_buf *room)
{
    const struct sky_mqtt_filters *filters = &out->as.suback.filters;
    uint8_t codes[SKY_MQTT_FILTERS_MAX];
    sky_draft_add(draft, SKY_ATTR_INT(PACKET_ID, filters->packet_id));
    sky_draft_add(draft, SKY_ATTR(FILTERS, sky_wire_filters(filters, codes_of(out, codes), room)));
}

/* ---- the table of what goes out ---- */

enum { NO_EVENT = SKY_EVENT_TYPE_COUNT };

static const struct way {
    bool (*put)(const struct sky_wire *wire, const struct sky_out *out, struct sky_buf *bytes);
    enum sky_event_type event; /* NO_EVENT: whoever asked has told already */
    void (*tell)(const struct sky_out *out, struct sky_draft *draft, struct sky_buf *room);
    const char *name;
} ways[SKY_POINT_COUNT] = {
    [SKY_POINT_CONNACK] = {put_connack, SKY_EVENT_CONNACK, tell_connack, "CONNACK"},
    [SKY_POINT_PUBACK_DOWN] = {put_ack, SKY_EVENT_PUBACK, tell_ack, NULL},
    [SKY_POINT_SUBACK] = {put_suback, SKY_EVENT_SUBACK, tell_suback, "SUBACK"},
    [SKY_POINT_UNSUBACK] = {put_ack, SKY_EVENT_UNSUBACK, tell_ack, NULL},
    [SKY_POINT_PUBLISH_DOWN] = {put_publish, SKY_EVENT_PUBLISH, tell_publish, NULL},
    [SKY_POINT_PINGRESP] = {put_pingresp, SKY_EVENT_PONG, tell_nothing, "PINGRESP"},
    [SKY_POINT_COAP_ANSWER] = {put_coap, SKY_EVENT_COAP_RESPONSE, tell_coap, NULL},
    [SKY_POINT_HTTP_ANSWER] = {put_http, (enum sky_event_type)NO_EVENT, NULL, NULL},
    [SKY_POINT_DATAGRAM_DOWN] = {NULL, (enum sky_event_type)NO_EVENT, NULL, NULL},
};

bool sky_way_is_out(enum sky_point point)
{
    return ways[point].put != NULL || point == SKY_POINT_DATAGRAM_DOWN;
}

bool sky_way_encode(const struct sky_wire *wire, const struct sky_out *out, struct sky_buf *bytes)
{
    return out->is_raw ? sky_buf_add(bytes, out->as.raw) : ways[out->point].put(wire, out, bytes);
}

bool sky_way_tell(struct sky_out *out, struct sky_draft *draft, struct sky_buf *room)
{
    const struct way *way = &ways[out->point];
    sky_buf_init(room, 0);
    if (way->tell == NULL || out->is_raw ||
        (out->point == SKY_POINT_PUBACK_DOWN && out->as.ack.type == SKY_MQTT_PUBCOMP))
        return false;
    out->head.type = way->event;
    out->head.direction = SKY_DOWN;
    sky_draft_begin(draft, out->head);
    way->tell(out, draft, room);
    return true;
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
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "%s", ways[out->point].name);
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
