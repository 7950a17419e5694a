/* A client's byte stream through the decoder. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/mqtt/packet.h"
#include "protocol/mqtt/topic.h"

enum { SIZE_MAX_HERE = 4096, SPLIT_MAX = 128 };

static void check_inside(sky_span view, sky_span packet)
{
    SKY_ASSERT(view.len == 0 ||
               (view.ptr >= packet.ptr && view.ptr + view.len <= packet.ptr + packet.len));
}

static void check_connect(const struct sky_mqtt_connect *c, sky_span packet)
{
    const sky_span views[] = {c->protocol,     c->client_id, c->will_topic,
                              c->will_payload, c->username,  c->password};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        check_inside(views[i], packet);
    SKY_ASSERT(c->has_username || !c->has_password);
    SKY_ASSERT(c->will_qos <= 2 && (c->has_will || (c->will_qos == 0 && !c->will_retain)));
}

/* What was decoded encodes to the same bytes, except for a length written in more bytes than it
 * needs. */
static void check_publish(const struct sky_mqtt_publish *p, sky_span packet)
{
    struct sky_buf again;
    check_inside(p->topic, packet);
    check_inside(p->payload, packet);
    SKY_ASSERT(sky_topic_valid_name(p->topic));
    sky_buf_init(&again, packet.len);
    SKY_ASSERT(sky_mqtt_put_publish(&again, p));
    SKY_ASSERT(again.len < packet.len || sky_span_eq(sky_buf_span(&again), packet));
    sky_buf_done(&again);
}

static void check_filters(struct sky_mqtt_filters filters, sky_span packet)
{
    sky_span filter;
    uint8_t qos;
    size_t count = 0;
    while (sky_mqtt_filter_next(&filters, &filter, &qos)) {
        check_inside(filter, packet);
        SKY_ASSERT(sky_topic_valid_filter(filter) && qos <= 2);
        count++;
    }
    SKY_ASSERT(count == filters.count && count > 0 && filters.packet_id != 0);
}

static void check_packet(const struct sky_mqtt_packet *packet, sky_span bytes)
{
    struct sky_mqtt_flaw flaw;
    struct sky_mqtt_packet part;
    for (size_t cut = 0; cut < bytes.len && cut < SPLIT_MAX; cut++)
        SKY_ASSERT(sky_mqtt_decode(sky_span_head(bytes, cut), SIZE_MAX_HERE, &part, &flaw) ==
                   SKY_MQTT_MORE);
    if (packet->type == SKY_MQTT_CONNECT)
        check_connect(&packet->as.connect, bytes);
    else if (packet->type == SKY_MQTT_PUBLISH)
        check_publish(&packet->as.publish, bytes);
    else if (packet->type == SKY_MQTT_SUBSCRIBE || packet->type == SKY_MQTT_UNSUBSCRIBE)
        check_filters(packet->as.filters, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sky_span rest = sky_span_of(bytes, len);
    struct sky_mqtt_packet packet;
    struct sky_mqtt_flaw flaw = {.rule = NULL};
    while (sky_mqtt_decode(rest, SIZE_MAX_HERE, &packet, &flaw) == SKY_MQTT_OK) {
        SKY_ASSERT(packet.size >= 2 && packet.size <= rest.len && packet.size <= SIZE_MAX_HERE);
        check_packet(&packet, sky_span_head(rest, packet.size));
        rest = sky_span_tail(rest, packet.size);
    }
    return 0;
}
