#include "server/wire/wire.h"

#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "server/tls/channel.h"

enum {
    FILTERS_JSON_MAX = 64 * 1024,
    ASIDE_MAX = SKY_CONN_OUTPUT_MAX, /* bytes of one passage that does not go out at once */
};

static const char *const point_names[] = {
#define X(name, text) [SKY_POINT_##name] = text,
    SKY_POINTS(X)
#undef X
};

const char *sky_point_name(enum sky_point point)
{
    SKY_ASSERT(point < SKY_POINT_COUNT);
    return point_names[point];
}

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

static bool put_suback(const struct sky_wire *wire, const struct sky_out *out,
                       struct sky_buf *bytes)
{
    (void)wire;
    const struct sky_mqtt_filters *filters = out->as.suback.filters;
    return sky_mqtt_put_suback(bytes, filters->packet_id, out->as.suback.codes, filters->count);
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

static void tell_connack(const struct sky_out *out, struct sky_draft *draft)
{
    sky_draft_add(draft, SKY_ATTR_INT(CODE, out->as.connack.code));
    sky_draft_add(draft, SKY_ATTR_INT(SESSION_PRESENT, out->as.connack.session_present));
}

static void tell_ack(const struct sky_out *out, struct sky_draft *draft)
{
    sky_draft_add(draft, SKY_ATTR_INT(PACKET_ID, out->as.ack.packet_id));
}

static void tell_nothing(const struct sky_out *out, struct sky_draft *draft)
{
    (void)out;
    (void)draft;
}

static void tell_publish(const struct sky_out *out, struct sky_draft *draft)
{
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
static void tell_coap(const struct sky_out *out, struct sky_draft *draft)
{
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

/* ---- the table of what goes out ---- */

enum { NO_EVENT = SKY_EVENT_TYPE_COUNT };

static const struct way {
    bool (*put)(const struct sky_wire *wire, const struct sky_out *out, struct sky_buf *bytes);
    enum sky_event_type event; /* NO_EVENT: whoever asked has told already */
    void (*tell)(const struct sky_out *out, struct sky_draft *draft);
} ways[SKY_POINT_COUNT] = {
    [SKY_POINT_CONNACK] = {put_connack, SKY_EVENT_CONNACK, tell_connack},
    [SKY_POINT_PUBACK_DOWN] = {put_ack, SKY_EVENT_PUBACK, tell_ack},
    [SKY_POINT_SUBACK] = {put_suback, SKY_EVENT_SUBACK, NULL},
    [SKY_POINT_UNSUBACK] = {put_ack, SKY_EVENT_UNSUBACK, tell_ack},
    [SKY_POINT_PUBLISH_DOWN] = {put_publish, SKY_EVENT_PUBLISH, tell_publish},
    [SKY_POINT_PINGRESP] = {put_pingresp, SKY_EVENT_PONG, tell_nothing},
    [SKY_POINT_COAP_ANSWER] = {put_coap, SKY_EVENT_COAP_RESPONSE, tell_coap},
    [SKY_POINT_HTTP_ANSWER] = {put_http, (enum sky_event_type)NO_EVENT, NULL},
};

static void tell_suback(struct sky_wire *wire, const struct sky_out *out)
{
    struct sky_buf json;
    const struct sky_attr attrs[] = {
        SKY_ATTR_INT(PACKET_ID, out->as.suback.filters->packet_id),
        SKY_ATTR(FILTERS, sky_wire_filters(out->as.suback.filters, out->as.suback.codes, &json))};
    sky_journal_add(wire->journal, &out->head, attrs, SKY_COUNT(attrs), NULL);
    sky_buf_done(&json);
}

static void tell(struct sky_wire *wire, struct sky_out *out)
{
    const struct way *way = &ways[out->point];
    struct sky_draft draft;
    if ((unsigned)way->event == NO_EVENT || out->is_raw ||
        (out->point == SKY_POINT_PUBACK_DOWN && out->as.ack.type == SKY_MQTT_PUBCOMP))
        return;
    out->head.type = way->event;
    out->head.direction = SKY_DOWN;
    if (way->tell == NULL) {
        tell_suback(wire, out);
        return;
    }
    sky_draft_begin(&draft, out->head);
    way->tell(out, &draft);
    sky_journal_record(wire->journal, &draft, NULL);
}

static bool encode(const struct sky_wire *wire, const struct sky_out *out, struct sky_buf *bytes)
{
    return out->is_raw ? sky_buf_add(bytes, out->as.raw) : ways[out->point].put(wire, out, bytes);
}

static void take(const struct sky_carrier *to, sky_span bytes)
{
    if (to->conn == NULL)
        to->kind->send(to->channel, bytes);
    else if (!to->conn->closing)
        sky_conn_write(to->conn, bytes);
}

/* ---- what is delayed ---- */

struct sky_held {
    struct sky_wire *wire;
    struct sky_timer timer;
    const void *owner; /* whose going ends it */
    struct sky_carrier to;
    void (*again)(void *owner, sky_span bytes); /* NULL: it goes out */
    void *again_owner;
    struct sky_held *prev, *next;
    size_t len;
    char bytes[];
};

static void drop(struct sky_held *held)
{
    sky_clock_cancel(held->wire->clock, &held->timer);
    DL_DELETE(held->wire->held, held);
    held->wire->held_count--;
    free(held);
}

static void on_due(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_held *held = SKY_CONTAINER_OF(timer, struct sky_held, timer);
    (void)now_ms;
    DL_DELETE(held->wire->held, held);
    held->wire->held_count--;
    if (held->again != NULL)
        held->again(held->again_owner, sky_span_of(held->bytes, held->len));
    else
        take(&held->to, sky_span_of(held->bytes, held->len));
    free(held);
}

static struct sky_held *hold(struct sky_wire *wire, sky_span bytes, int64_t delay_ms)
{
    struct sky_held *held = sky_mem_new(sizeof *held + bytes.len);
    held->wire = wire;
    held->len = bytes.len;
    if (bytes.len > 0)
        memcpy(held->bytes, bytes.ptr, bytes.len);
    DL_APPEND(wire->held, held);
    wire->held_count++;
    sky_clock_timer(wire->clock, &held->timer, delay_ms, on_due);
    return held;
}

void sky_wire_forget(struct sky_wire *wire, const void *owner)
{
    struct sky_held *held, *next;
    DL_FOREACH_SAFE (wire->held, held, next)
        if (held->owner == owner)
            drop(held);
}

void sky_wire_done(struct sky_wire *wire)
{
    while (wire->held != NULL)
        drop(wire->held);
}

/* ---- passing ---- */

const struct sky_who *sky_passage_who(const struct sky_passage *passage, struct sky_who *room)
{
    const struct sky_carrier *carrier = passage->carrier;
    if (passage->who != NULL)
        return passage->who;
    *room = (struct sky_who){0};
    if (carrier != NULL && carrier->conn != NULL) {
        struct sky_conn *conn = carrier->conn;
        sky_conn_peer(conn, room->room, sizeof room->room);
        room->listener = sky_span_str(conn->door.listener->name);
        room->peer = sky_span_str(room->room);
        room->server_name = conn->door.server_name;
        if (conn->tls != NULL)
            room->identity = sky_tls_identity(conn->tls);
    } else if (carrier != NULL && carrier->kind->know != NULL) {
        carrier->kind->know(carrier->channel, room);
    }
    return room;
}

struct sky_fate sky_wire_ask(struct sky_wire *wire, struct sky_passage *passage)
{
    struct sky_fate fate = wire->filter(wire->filter_ctx, passage);
    if (fate.name != NULL) {
        struct sky_event_head head = *passage->head;
        head.type = SKY_EVENT_FAULT;
        head.direction = SKY_INSIDE;
        const struct sky_attr attrs[] = {
            SKY_ATTR(NAME, sky_span_str(fate.name)),
            SKY_ATTR(DETAIL, sky_span_str(sky_point_name(passage->point)))};
        sky_journal_add(wire->journal, &head, attrs, SKY_COUNT(attrs), NULL);
    }
    SKY_ASSERT(fate.copies <= SKY_WIRE_COPIES_MAX && fate.delay_ms >= 0);
    if (fate.delay_ms > 0 && wire->held_count >= SKY_WIRE_HELD_MAX)
        fate.delay_ms = 0;
    return fate;
}

/* With a filter at work: bytes are made aside, so that they can wait, or never go. */
static bool send_filtered(struct sky_wire *wire, struct sky_out *out)
{
    struct sky_passage passage = {
        .point = out->point, .head = &out->head, .carrier = &out->to, .out = out};
    struct sky_fate fate = sky_wire_ask(wire, &passage);
    struct sky_buf bytes;
    sky_buf_init(&bytes, ASIDE_MAX);
    bool made = encode(wire, out, &bytes);
    for (unsigned i = 0; made && !fate.withhold && i <= fate.copies; i++) {
        if (fate.delay_ms > 0) {
            struct sky_held *held = hold(wire, sky_buf_span(&bytes), fate.delay_ms);
            held->to = out->to;
            held->owner = sky_carrier_owner(&out->to);
        } else {
            take(&out->to, sky_buf_span(&bytes));
        }
    }
    if (made && !fate.withhold)
        tell(wire, out);
    sky_buf_done(&bytes);
    return made;
}

bool sky_wire_send(struct sky_wire *wire, struct sky_out *out)
{
    SKY_ASSERT(ways[out->point].put != NULL);
    if (sky_wire_is_armed(wire, out->point))
        return send_filtered(wire, out);
    if (out->to.conn != NULL) {
        if (!encode(wire, out, sky_conn_out(out->to.conn)))
            return false;
        tell(wire, out);
        return true;
    }
    struct sky_buf datagram;
    sky_buf_init(&datagram, SKY_COAP_SENT_MAX);
    tell(wire, out); /* responding may consume what is told of */
    (void)encode(wire, out, &datagram);
    take(&out->to, sky_buf_span(&datagram));
    sky_buf_done(&datagram);
    return true;
}

bool sky_wire_enter(struct sky_wire *wire, const struct sky_in *in)
{
    if (!sky_wire_is_armed(wire, in->point))
        return true;
    struct sky_passage passage = {.point = in->point,
                                  .head = &in->head,
                                  .carrier = &in->from,
                                  .claimed_id = in->claimed_id,
                                  .in = in};
    struct sky_fate fate = sky_wire_ask(wire, &passage);
    if (fate.withhold)
        return false;
    bool now = fate.delay_ms == 0 || in->again == NULL;
    for (unsigned i = now ? 1 : 0; in->again != NULL && i <= fate.copies; i++) {
        struct sky_held *held = hold(wire, in->bytes, fate.delay_ms);
        held->owner = held->again_owner = sky_carrier_owner(&in->from);
        held->again = in->again;
    }
    return now;
}

bool sky_wire_may_close(struct sky_wire *wire, const struct sky_event_head *head,
                        const char *reason)
{
    if (!sky_wire_is_armed(wire, SKY_POINT_CLOSE))
        return true;
    struct sky_passage passage = {.point = SKY_POINT_CLOSE, .head = head, .reason = reason};
    return !sky_wire_ask(wire, &passage).withhold;
}
