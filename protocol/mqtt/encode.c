#include "protocol/base/assert.h"
#include "protocol/mqtt/packet.h"

static size_t length_size(size_t body)
{
    return body < 128 ? 1 : body < 128 * 128 ? 2 : body < 128 * 128 * 128 ? 3 : 4;
}

static char *write_u8(char *at, unsigned value)
{
    *at = (char)value;
    return at + 1;
}

static char *write_u16(char *at, size_t value)
{
    at = write_u8(at, (unsigned)(value >> 8) & 0xff);
    return write_u8(at, (unsigned)value & 0xff);
}

static char *write_bytes(char *at, sky_span bytes)
{
    if (bytes.len > 0)
        memcpy(at, bytes.ptr, bytes.len);
    return at + bytes.len;
}

/* Makes room for a whole packet and writes its fixed header (2.2). NULL when it does not fit. */
static char *begin(struct sky_buf *out, enum sky_mqtt_type type, unsigned flags, size_t body)
{
    size_t size = 1 + length_size(body) + body;
    SKY_ASSERT(size <= SKY_MQTT_PACKET_MAX);
    char *at = sky_buf_reserve(out, size);
    if (at == NULL)
        return NULL;
    sky_buf_commit(out, size);
    at = write_u8(at, (unsigned)type << 4 | flags);
    for (; body > 127; body >>= 7)
        at = write_u8(at, 0x80 | (body & 0x7f));
    return write_u8(at, (unsigned)body);
}

bool sky_mqtt_put_connack(struct sky_buf *out, bool session_present, enum sky_mqtt_connack code)
{
    char *at = begin(out, SKY_MQTT_CONNACK, 0, 2);
    if (at == NULL)
        return false;
    at = write_u8(at, session_present);
    write_u8(at, code);
    return true;
}

static size_t publish_body(const struct sky_mqtt_publish *publish)
{
    return 2 + publish->topic.len + (publish->qos > 0 ? 2 : 0) + publish->payload.len;
}

size_t sky_mqtt_publish_size(const struct sky_mqtt_publish *publish)
{
    size_t body = publish_body(publish);
    return 1 + length_size(body) + body;
}

bool sky_mqtt_publish_fits(sky_span topic, sky_span payload, uint8_t qos)
{
    const struct sky_mqtt_publish publish = {.topic = topic, .payload = payload, .qos = qos};
    return topic.len > 0 && topic.len <= SKY_MQTT_STRING_MAX &&
           payload.len <= SKY_MQTT_PACKET_MAX &&
           sky_mqtt_publish_size(&publish) <= SKY_MQTT_PACKET_MAX;
}

bool sky_mqtt_put_publish(struct sky_buf *out, const struct sky_mqtt_publish *publish)
{
    SKY_ASSERT(publish->topic.len > 0 && publish->topic.len <= SKY_MQTT_STRING_MAX);
    SKY_ASSERT(publish->qos <= 2 && (publish->qos > 0) == (publish->packet_id != 0));
    SKY_ASSERT(publish->qos > 0 || !publish->dup); /* 3.3.1-2 */
    unsigned flags =
        (unsigned)publish->dup << 3 | (unsigned)publish->qos << 1 | (unsigned)publish->retain;
    char *at = begin(out, SKY_MQTT_PUBLISH, flags, publish_body(publish));
    if (at == NULL)
        return false;
    at = write_u16(at, publish->topic.len);
    at = write_bytes(at, publish->topic);
    if (publish->qos > 0)
        at = write_u16(at, publish->packet_id);
    write_bytes(at, publish->payload);
    return true;
}

bool sky_mqtt_put_ack(struct sky_buf *out, enum sky_mqtt_type type, uint16_t packet_id)
{
    SKY_ASSERT((type >= SKY_MQTT_PUBACK && type <= SKY_MQTT_PUBCOMP) || type == SKY_MQTT_UNSUBACK);
    char *at = begin(out, type, type == SKY_MQTT_PUBREL ? 2 : 0, 2);
    if (at == NULL)
        return false;
    write_u16(at, packet_id);
    return true;
}

bool sky_mqtt_put_suback(struct sky_buf *out, uint16_t packet_id, const uint8_t *codes,
                         size_t count)
{
    SKY_ASSERT(count > 0 && count <= SKY_MQTT_FILTERS_MAX);
    char *at = begin(out, SKY_MQTT_SUBACK, 0, 2 + count);
    if (at == NULL)
        return false;
    at = write_u16(at, packet_id);
    write_bytes(at, sky_span_of(codes, count));
    return true;
}

bool sky_mqtt_put_pingresp(struct sky_buf *out)
{
    return begin(out, SKY_MQTT_PINGRESP, 0, 0) != NULL;
}

const char *sky_mqtt_type_name(enum sky_mqtt_type type)
{
    static const char *const names[] = {
        [SKY_MQTT_CONNECT] = "CONNECT",   [SKY_MQTT_CONNACK] = "CONNACK",
        [SKY_MQTT_PUBLISH] = "PUBLISH",   [SKY_MQTT_PUBACK] = "PUBACK",
        [SKY_MQTT_PUBREC] = "PUBREC",     [SKY_MQTT_PUBREL] = "PUBREL",
        [SKY_MQTT_PUBCOMP] = "PUBCOMP",   [SKY_MQTT_SUBSCRIBE] = "SUBSCRIBE",
        [SKY_MQTT_SUBACK] = "SUBACK",     [SKY_MQTT_UNSUBSCRIBE] = "UNSUBSCRIBE",
        [SKY_MQTT_UNSUBACK] = "UNSUBACK", [SKY_MQTT_PINGREQ] = "PINGREQ",
        [SKY_MQTT_PINGRESP] = "PINGRESP", [SKY_MQTT_DISCONNECT] = "DISCONNECT",
    };
    bool named = type >= SKY_MQTT_CONNECT && type <= SKY_MQTT_DISCONNECT;
    return named ? names[type] : "reserved";
}
