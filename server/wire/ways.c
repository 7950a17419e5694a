#include "server/wire/ways.h"

#include <string.h>

/* ---- how each point is encoded ---- */

static bool put_connack(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes)
{
    (void)real_ms;
    return sky_mqtt_put_connack(bytes, out->as.connack.session_present,
                                (enum sky_mqtt_connack)out->as.connack.code);
}

static bool put_ack(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes)
{
    (void)real_ms;
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

static bool put_suback(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes)
{
    (void)real_ms;
    const struct sky_mqtt_filters *filters = &out->as.suback.filters;
    uint8_t codes[SKY_MQTT_FILTERS_MAX];
    return sky_mqtt_put_suback(bytes, filters->packet_id, codes_of(out, codes), filters->count);
}

static bool put_publish(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes)
{
    (void)real_ms;
    return sky_mqtt_put_publish(bytes, &out->as.publish.packet);
}

static bool put_pingresp(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes)
{
    (void)real_ms;
    (void)out;
    return sky_mqtt_put_pingresp(bytes);
}

static bool put_http(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes)
{
    return sky_http_put(bytes, &out->as.http, real_ms);
}

static bool put_coap(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes)
{
    sky_coap_respond(out->as.coap.peer, out->as.coap.request, &out->as.coap.response, real_ms,
                     bytes);
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
    bool (*put)(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes);
    enum sky_event_type event; /* NO_EVENT: whoever asked has told already */
    void (*tell)(const struct sky_out *out, struct sky_draft *draft, struct sky_buf *room);
} ways[SKY_POINT_COUNT] = {
    [SKY_POINT_CONNACK] = {put_connack, SKY_EVENT_CONNACK, tell_connack},
    [SKY_POINT_PUBACK_DOWN] = {put_ack, SKY_EVENT_PUBACK, tell_ack},
    [SKY_POINT_SUBACK] = {put_suback, SKY_EVENT_SUBACK, tell_suback},
    [SKY_POINT_UNSUBACK] = {put_ack, SKY_EVENT_UNSUBACK, tell_ack},
    [SKY_POINT_PUBLISH_DOWN] = {put_publish, SKY_EVENT_PUBLISH, tell_publish},
    [SKY_POINT_PINGRESP] = {put_pingresp, SKY_EVENT_PONG, tell_nothing},
    [SKY_POINT_COAP_ANSWER] = {put_coap, SKY_EVENT_COAP_RESPONSE, tell_coap},
    [SKY_POINT_HTTP_ANSWER] = {put_http, (enum sky_event_type)NO_EVENT, NULL},
    [SKY_POINT_DATAGRAM_DOWN] = {NULL, (enum sky_event_type)NO_EVENT, NULL},
};

bool sky_way_is_out(enum sky_point point)
{
    return ways[point].put != NULL || point == SKY_POINT_DATAGRAM_DOWN;
}

bool sky_way_encode(const struct sky_out *out, int64_t real_ms, struct sky_buf *bytes)
{
    return out->is_raw ? sky_buf_add(bytes, out->as.raw)
                       : ways[out->point].put(out, real_ms, bytes);
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
