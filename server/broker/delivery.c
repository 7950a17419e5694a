#include "server/broker/delivery.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/broker/behind.h"
#include "server/broker/kept.h"
#include "server/broker/presence.h"

/* A message on its way to receivers: encoded for each, shared by those who must wait for it. */
struct parcel {
    sky_span topic, payload;
    uint64_t of;
    bool whole;               /* the journal has no publish with this content: deliveries show it */
    bool reply;               /* a service's */
    struct sky_mqtt_msg *msg; /* made when the first receiver has to keep it */
};

/* The tag of a kept message: the number of its publish, whether deliveries show the content, and
 * whether it is a reply. */
#define TAG_WHOLE (UINT64_C(1) << 63)
#define TAG_REPLY (UINT64_C(1) << 62)

static uint64_t tag_of(const struct parcel *parcel)
{
    return parcel->of | (parcel->whole ? TAG_WHOLE : 0) | (parcel->reply ? TAG_REPLY : 0);
}

static void record_drop(struct sky_broker *broker, const struct sky_session *session,
                        const struct parcel *parcel, const char *reason)
{
    const struct sky_attr attrs[] = {SKY_ATTR_INT(OF, (int64_t)parcel->of),
                                     SKY_ATTR(TOPIC, parcel->topic),
                                     SKY_ATTR(REASON, sky_span_str(reason))};
    const struct sky_event_head head = {
        .type = SKY_EVENT_DROP, .direction = SKY_DOWN, .device_id = session->device_id};
    sky_journal_add(broker->registry->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

/* Puts a publish out on the session's connection. */
static bool put(struct sky_broker *broker, struct sky_session *session,
                const struct sky_mqtt_publish *packet, uint64_t tag)
{
    struct sky_out out;
    struct sky_session *addressee = sky_behind_addressee(broker, session, packet->topic);
    sky_out_begin(&out, SKY_POINT_PUBLISH_DOWN, session->conn);
    out.head.device_id = addressee->device_id;
    out.of = tag & ~(TAG_WHOLE | TAG_REPLY);
    out.is_reply = (tag & TAG_REPLY) != 0;
    out.as.publish.packet = *packet;
    out.as.publish.whole = (tag & TAG_WHOLE) != 0;
    if (!sky_wire_send(broker->wire, &out))
        return false;
    const struct sky_behaviour_message message = {.way = SKY_WAY_DOWN,
                                                  .topic = packet->topic,
                                                  .len = packet->payload.len,
                                                  .qos = packet->qos};
    sky_session_carried(broker->registry, addressee, &message);
    return true;
}

/* Where the session's QoS 1 messages go. */
struct outlet {
    struct sky_mqtt_outlet base;
    struct sky_broker *broker;
    struct sky_session *session;
};

static bool put_next(struct sky_mqtt_outlet *base, const struct sky_mqtt_publish *publish,
                     uint64_t tag)
{
    const struct outlet *outlet = SKY_CONTAINER_OF(base, struct outlet, base);
    const struct sky_buf *out = sky_conn_out(outlet->session->conn);
    if (sky_mqtt_publish_size(publish) > out->max - out->len)
        return false;
    return put(outlet->broker, outlet->session, publish, tag);
}

static struct outlet outlet_of(struct sky_broker *broker, struct sky_session *session)
{
    return (struct outlet){.base = {put_next}, .broker = broker, .session = session};
}

/* ---- what is in the way ---- */

static const struct sky_hindrance
    nothing = {.err = SKY_OK},
    too_long = {.err = SKY_ERR_LIMIT, .reason = "it is longer than the 655360 bytes of a packet"},
    away = {.err = SKY_ERR_CONFLICT, .reason = "QoS 0 and the device is away"},
    not_kept = {.err = SKY_ERR_CONFLICT,
                .reason = "the device is away and its session is not kept"},
    not_read = {.err = SKY_ERR_CONFLICT,
                .reason = "the device does not read: too much waits for it, of 4194304 bytes that "
                          "may"},
    all_full = {.err = SKY_ERR_CONFLICT,
                .reason = "too much waits for all devices together, of 268435456 bytes that may"};
_Static_assert(SKY_MQTT_PACKET_MAX == 655360 && SKY_CONN_OUTPUT_MAX == 4194304 &&
                   SKY_MESSAGE_BYTES_MAX == 268435456,
               "as is said");

static bool has_room(const struct sky_session *session, sky_span topic, sky_span payload,
                     uint8_t qos)
{
    const struct sky_mqtt_publish publish = {.topic = topic, .payload = payload, .qos = qos};
    const struct sky_buf *out = sky_conn_out(session->conn);
    return sky_mqtt_publish_size(&publish) <= out->max - out->len;
}

/* Would the message wait where too many do? Whoever reads what it is sent gets it all the same. */
static bool is_too_much(const struct sky_broker *broker, const struct sky_session *session,
                        bool online, size_t bytes)
{
    bool waits = !online || sky_mqtt_session_waiting(&session->mqtt) > 0;
    return waits && broker->message_bytes + bytes > SKY_MESSAGE_BYTES_MAX;
}

/* On the device's way by MQTT: the one place that decides what is dropped. */
static struct sky_hindrance hindrance_of(struct sky_broker *broker, struct sky_session *session,
                                         sky_span topic, sky_span payload, uint8_t qos)
{
    const struct sky_mqtt_session_limits *limits = &session->product->cloud->limits.session;
    bool online = sky_session_is_connected(session);
    if (!sky_mqtt_publish_fits(topic, payload, qos))
        return too_long;
    if (qos == 0)
        return !online ? away : has_room(session, topic, payload, qos) ? nothing : not_read;
    if (!online && !session->kept)
        return not_kept;
    sky_kept_read(broker, session);
    if (is_too_much(broker, session, online, topic.len + payload.len))
        return all_full;
    return sky_mqtt_session_takes(&session->mqtt, limits, topic.len + payload.len, !online,
                                  online && has_room(session, topic, payload, qos))
               ? nothing
               : (struct sky_hindrance){.err = SKY_ERR_CONFLICT,
                                        .reason = "the device's queue is full",
                                        .full = limits};
}

static bool is_fetching(const struct sky_session *session)
{
    return !sky_session_is_connected(session) && session->work->fetcher != NULL;
}

struct sky_hindrance sky_delivery_hindrance(struct sky_broker *broker, struct sky_session *session,
                                            sky_span topic, sky_span payload, uint8_t qos,
                                            int64_t ttl_ms)
{
    return is_fetching(session)
               ? session->work->fetcher->ops->hindrance(session->work->fetcher, payload.len, ttl_ms)
               : hindrance_of(broker, sky_session_carrier(session), topic, payload, qos);
}

/* ---- delivering ---- */

static void deliver_0(struct sky_broker *broker, struct sky_session *session, struct parcel *parcel)
{
    const struct sky_mqtt_publish publish = {.topic = parcel->topic, .payload = parcel->payload};
    (void)put(broker, session, &publish, tag_of(parcel));
}

static void deliver_1(struct sky_broker *broker, struct sky_session *session, struct parcel *parcel)
{
    struct outlet outlet = outlet_of(broker, session);
    if (parcel->msg == NULL)
        parcel->msg = sky_mqtt_msg_new(parcel->topic, parcel->payload,
                                       sky_clock_lived_ms(broker->registry->clock), tag_of(parcel),
                                       &broker->message_bytes);
    (void)sky_mqtt_session_deliver(&session->mqtt, &session->product->cloud->limits.session,
                                   parcel->msg,
                                   sky_session_is_connected(session) ? &outlet.base : NULL);
}

/* What one device says to another at QoS 0 is nobody's loss when that one is away. What has no room
 * is put out all the same: this is what ends the connection of a peer that does not read. */
static struct sky_hindrance deliver(struct sky_broker *broker, struct sky_session *session,
                                    struct parcel *parcel, uint8_t qos)
{
    struct sky_hindrance hindrance =
        hindrance_of(broker, session, parcel->topic, parcel->payload, qos);
    char text[SKY_HINDRANCE_TEXT];
    if (hindrance.err == SKY_OK || hindrance.reason == not_read.reason)
        (qos == 0 ? deliver_0 : deliver_1)(broker, session, parcel);
    if (hindrance.err != SKY_OK && (parcel->whole || hindrance.reason != away.reason))
        record_drop(broker, session, parcel, sky_hindrance_text(&hindrance, text));
    return hindrance;
}

static struct sky_delivered spread(struct sky_broker *broker, const struct sky_receivers *to,
                                   struct parcel *parcel, uint8_t qos)
{
    struct sky_delivered delivered = {.hindrance = nothing};
    for (size_t i = 0; i < to->count; i++) {
        struct sky_session *session = sky_session_at(broker->registry, to->list[i].subscriber);
        struct sky_hindrance hindrance =
            deliver(broker, session, parcel, qos < to->list[i].qos ? qos : to->list[i].qos);
        if (hindrance.err == SKY_OK) {
            delivered.receivers++;
        } else {
            delivered.dropped++;
            delivered.hindrance = hindrance;
        }
    }
    sky_mqtt_msg_unref(parcel->msg);
    return delivered;
}

static void overhear(const struct sky_broker *broker, sky_span topic, sky_span payload, uint8_t qos,
                     uint64_t of)
{
    if (broker->overhear != NULL)
        broker->overhear(broker->overhear_ctx, topic, payload, qos, of);
}

struct sky_delivered sky_deliver(struct sky_broker *broker, sky_span topic, sky_span payload,
                                 uint8_t qos, uint64_t of)
{
    overhear(broker, topic, payload, qos, of);
    struct parcel parcel = {.topic = topic, .payload = payload, .of = of, .whole = true};
    return spread(broker, sky_receivers_of(broker, topic), &parcel, qos);
}

static struct sky_hindrance push(struct sky_broker *broker, struct sky_session *session,
                                 struct parcel parcel, uint8_t qos)
{
    struct sky_hindrance hindrance = deliver(broker, session, &parcel, qos);
    sky_mqtt_msg_unref(parcel.msg);
    return hindrance;
}

static struct sky_hindrance to_one(struct sky_broker *broker, struct sky_session *session,
                                   sky_span topic, sky_span payload, uint8_t qos, uint64_t of,
                                   int64_t ttl_ms)
{
    const struct parcel parcel = {.topic = topic, .payload = payload, .of = of, .whole = true};
    return is_fetching(session) ? session->work->fetcher->ops->push(session->work->fetcher, topic,
                                                                    payload, of, ttl_ms)
                                : push(broker, sky_session_carrier(session), parcel, qos);
}

struct sky_hindrance sky_deliver_to(struct sky_broker *broker, struct sky_session *session,
                                    sky_span topic, sky_span payload, uint8_t qos, uint64_t of,
                                    int64_t ttl_ms)
{
    overhear(broker, topic, payload, qos, of);
    return to_one(broker, session, topic, payload, qos, of, ttl_ms);
}

struct sky_delivered sky_deliver_message(struct sky_broker *broker, struct sky_session *session,
                                         sky_span topic, sky_span payload, uint8_t qos, uint64_t of)
{
    uint8_t granted;
    struct sky_hindrance hindrance = nothing;
    bool unasked = sky_delivery_reaches(session, 1) &&
                   !sky_topic_subscribed(broker, sky_session_carrier(session), topic, &granted) &&
                   sky_delivery_listened(broker, session, topic, &granted);
    if (unasked)
        hindrance = to_one(broker, session, topic, payload, qos, of, 0);
    struct sky_delivered delivered = sky_deliver(broker, topic, payload, qos, of);
    delivered.receivers += unasked && hindrance.err == SKY_OK;
    if (hindrance.err != SKY_OK) {
        delivered.dropped++;
        delivered.hindrance = hindrance;
    }
    return delivered;
}

bool sky_delivery_reaches(const struct sky_session *session, uint8_t qos)
{
    if (session == NULL)
        return false;
    return sky_session_is_connected(session) || session->work->fetcher != NULL ||
           (qos > 0 && sky_session_carrier(session)->kept);
}

bool sky_delivery_listened(struct sky_broker *broker, const struct sky_session *session,
                           sky_span topic, uint8_t *ret_qos)
{
    const struct sky_product_info *product = session->product;
    const struct sky_session *carrier = sky_session_carrier(session);
    if (sky_topic_subscribed(broker, carrier, topic, ret_qos))
        return true;
    *ret_qos = 1;
    return sky_cloud_is_pushed(product->cloud, sky_span_str(product->product.key),
                               sky_span_str(sky_session_key(session)), topic, carrier->traits);
}

bool sky_deliver_reply(struct sky_broker *broker, struct sky_session *session, sky_span topic,
                       sky_span payload, uint8_t qos, uint64_t of)
{
    uint8_t granted = 1;
    struct sky_session *carrier = sky_session_carrier(session);
    overhear(broker, topic, payload, qos, of);
    if (!sky_topic_subscribed(broker, carrier, topic, &granted) &&
        !(carrier->traits & SKY_TRAIT_AUTO_SUBSCRIBED))
        return false;
    const struct parcel parcel = {
        .topic = topic, .payload = payload, .of = of, .whole = true, .reply = true};
    push(broker, carrier, parcel, qos < granted ? qos : granted);
    return true;
}

void sky_deliver_carried(struct sky_broker *broker, struct sky_topic_node *node, sky_span topic,
                         sky_span payload, uint8_t qos, uint64_t of)
{
    struct parcel parcel = {.topic = topic, .payload = payload, .of = of};
    spread(broker, sky_topic_receivers(broker, node), &parcel, qos);
}

bool sky_deliver_acknowledged(struct sky_broker *broker, struct sky_session *session,
                              uint16_t packet_id)
{
    struct outlet outlet = outlet_of(broker, session);
    return sky_mqtt_session_puback(&session->mqtt, &session->product->cloud->limits.session,
                                   packet_id, &outlet.base);
}

void sky_deliver_waiting(struct sky_broker *broker, struct sky_session *session)
{
    struct outlet outlet = outlet_of(broker, session);
    if (session->mqtt.window != NULL)
        sky_mqtt_session_pump(&session->mqtt, &session->product->cloud->limits.session,
                              &outlet.base);
}

bool sky_deliver_spaced(struct sky_broker *broker, struct sky_session *session)
{
    struct outlet outlet = outlet_of(broker, session);
    return sky_mqtt_session_step(&session->mqtt, &session->product->cloud->limits.session,
                                 &outlet.base);
}

void sky_deliver_resumed(struct sky_broker *broker, struct sky_session *session)
{
    struct outlet outlet = outlet_of(broker, session);
    sky_kept_read(broker, session);
    size_t dropped =
        sky_mqtt_session_resume(&session->mqtt, &session->product->cloud->limits.session,
                                sky_clock_lived_ms(broker->registry->clock), &outlet.base);
    if (dropped == 0)
        return;
    const struct sky_attr attrs[] = {
        SKY_ATTR_INT(COUNT, (int64_t)dropped),
        SKY_ATTR(REASON, SKY_SPAN("the messages waited longer than the cloud keeps them"))};
    const struct sky_event_head head = {.type = SKY_EVENT_DROP,
                                        .direction = SKY_DOWN,
                                        .transport = session->conn->door->transport,
                                        .connection = session->conn->id,
                                        .device_id = session->device_id};
    sky_journal_add(broker->registry->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}
