#include "protocol/base/assert.h"
#include "protocol/base/utf8.h"
#include "protocol/mqtt/packet.h"
#include "protocol/mqtt/rules.h"
#include "protocol/mqtt/topic.h"

/* What is left of a packet's body. A failed step leaves in `broken` why. */
struct reader {
    const uint8_t *at, *end;
    enum sky_mqtt_rule_id broken;
};

static bool fail(struct reader *r, enum sky_mqtt_rule_id rule)
{
    r->broken = rule;
    return false;
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static bool read_u8(struct reader *r, uint8_t *ret_value)
{
    if (left(r) < 1)
        return fail(r, SKY_MQTT_RULE_TRUNCATED);
    *ret_value = *r->at++;
    return true;
}

static bool read_u16(struct reader *r, uint16_t *ret_value)
{
    if (left(r) < 2)
        return fail(r, SKY_MQTT_RULE_TRUNCATED);
    *ret_value = (uint16_t)(r->at[0] << 8 | r->at[1]);
    r->at += 2;
    return true;
}

/* Two bytes of length and as many bytes as they say. */
static bool read_binary(struct reader *r, sky_span *ret_bytes)
{
    uint16_t len;
    if (!read_u16(r, &len))
        return false;
    if (left(r) < len)
        return fail(r, SKY_MQTT_RULE_TRUNCATED);
    *ret_bytes = sky_span_of(r->at, len);
    r->at += len;
    return true;
}

/* 1.5.3. Control characters other than U+0000 are discouraged there, not forbidden. */
static bool read_string(struct reader *r, sky_span *ret_text)
{
    sky_span text;
    if (!read_binary(r, &text))
        return false;
    size_t valid = sky_utf8_valid(text);
    if (valid < text.len)
        return fail(r, text.ptr[valid] == '\0' ? SKY_MQTT_RULE_NUL : SKY_MQTT_RULE_UTF8);
    *ret_text = text;
    return true;
}

static bool read_packet_id(struct reader *r, uint16_t *ret_id)
{
    uint16_t id;
    if (!read_u16(r, &id))
        return false;
    if (id == 0)
        return fail(r, SKY_MQTT_RULE_PACKET_ID);
    *ret_id = id;
    return true;
}

/* A field that a flag promised and that the packet ends before. */
static bool is_there(struct reader *r, enum sky_mqtt_rule_id promise)
{
    return left(r) > 0 || fail(r, promise);
}

/* ---- CONNECT (3.1) ---- */

enum {
    CONNECT_RESERVED = 0x01,
    CONNECT_CLEAN = 0x02,
    CONNECT_WILL = 0x04,
    CONNECT_WILL_QOS = 0x18,
    CONNECT_WILL_RETAIN = 0x20,
    CONNECT_PASSWORD = 0x40,
    CONNECT_USERNAME = 0x80,
};

static bool take_connect_flags(struct reader *r, uint8_t flags, struct sky_mqtt_connect *c)
{
    c->clean_session = flags & CONNECT_CLEAN;
    c->has_will = flags & CONNECT_WILL;
    c->will_qos = (flags & CONNECT_WILL_QOS) >> 3;
    c->will_retain = flags & CONNECT_WILL_RETAIN;
    c->has_username = flags & CONNECT_USERNAME;
    c->has_password = flags & CONNECT_PASSWORD;
    if (flags & CONNECT_RESERVED)
        return fail(r, SKY_MQTT_RULE_CONNECT_FLAG);
    if (!c->has_will && c->will_qos != 0)
        return fail(r, SKY_MQTT_RULE_NO_WILL_QOS);
    if (c->will_qos == 3)
        return fail(r, SKY_MQTT_RULE_WILL_QOS);
    if (!c->has_will && c->will_retain)
        return fail(r, SKY_MQTT_RULE_NO_WILL_RETAIN);
    if (!c->has_username && c->has_password)
        return fail(r, SKY_MQTT_RULE_ONLY_PASSWORD);
    return true;
}

/* 3.1.3-1: client id, will topic, will message, user name, password. */
static bool read_connect_payload(struct reader *r, struct sky_mqtt_connect *c)
{
    if (!is_there(r, SKY_MQTT_RULE_CLIENT_ID) || !read_string(r, &c->client_id))
        return false;
    if (c->has_will &&
        (!is_there(r, SKY_MQTT_RULE_WILL_FIELDS) || !read_string(r, &c->will_topic) ||
         !is_there(r, SKY_MQTT_RULE_WILL_FIELDS) || !read_binary(r, &c->will_payload)))
        return false;
    if (c->has_username && (!is_there(r, SKY_MQTT_RULE_USERNAME) || !read_string(r, &c->username)))
        return false;
    return !c->has_password ||
           (is_there(r, SKY_MQTT_RULE_PASSWORD) && read_binary(r, &c->password));
}

static bool read_connect(struct reader *r, struct sky_mqtt_connect *c)
{
    uint8_t flags;
    *c = (struct sky_mqtt_connect){0};
    if (!read_string(r, &c->protocol))
        return false;
    bool is_v311 = sky_span_eq_str(c->protocol, "MQTT");
    if (!is_v311 && !sky_span_eq_str(c->protocol, "MQIsdp"))
        return fail(r, SKY_MQTT_RULE_PROTOCOL);
    if (!read_u8(r, &c->level) || !read_u8(r, &flags) || !read_u16(r, &c->keepalive_s))
        return false;
    c->level_known = c->level == (is_v311 ? 4 : 3);
    if (!c->level_known) {
        r->at = r->end; /* another version lays out the rest in its own way */
        return true;
    }
    return take_connect_flags(r, flags, c) && read_connect_payload(r, c);
}

/* ---- PUBLISH (3.3) ---- */

enum { PUBLISH_RETAIN = 0x01, PUBLISH_QOS = 0x06, PUBLISH_DUP = 0x08 };

static bool has_wildcard_byte(sky_span topic)
{
    return memchr(topic.ptr, '#', topic.len) != NULL || memchr(topic.ptr, '+', topic.len) != NULL;
}

static bool read_publish(struct reader *r, uint8_t flags, struct sky_mqtt_publish *p)
{
    *p = (struct sky_mqtt_publish){
        .qos = (flags & PUBLISH_QOS) >> 1,
        .dup = flags & PUBLISH_DUP,
        .retain = flags & PUBLISH_RETAIN,
    };
    if (!read_string(r, &p->topic))
        return false;
    if (p->topic.len == 0)
        return fail(r, SKY_MQTT_RULE_TOPIC_EMPTY);
    if (has_wildcard_byte(p->topic))
        return fail(r, SKY_MQTT_RULE_TOPIC_WILDCARD);
    if (p->qos > 0 && !read_packet_id(r, &p->packet_id))
        return false;
    p->payload = sky_span_of(r->at, left(r));
    r->at = r->end;
    return true;
}

/* ---- SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10) ---- */

static bool read_filter(struct reader *r, bool with_qos)
{
    sky_span filter;
    uint8_t qos;
    if (!read_string(r, &filter))
        return false;
    switch (sky_topic_filter_flaw(filter)) {
    case SKY_FILTER_EMPTY:
        return fail(r, SKY_MQTT_RULE_TOPIC_EMPTY);
    case SKY_FILTER_HASH:
        return fail(r, SKY_MQTT_RULE_FILTER_HASH);
    case SKY_FILTER_PLUS:
        return fail(r, SKY_MQTT_RULE_FILTER_PLUS);
    case SKY_FILTER_GOOD:
        break;
    }
    if (!with_qos)
        return true;
    return read_u8(r, &qos) && (qos <= 2 || fail(r, SKY_MQTT_RULE_SUBSCRIBE_QOS));
}

static bool read_filters(struct reader *r, bool with_qos, struct sky_mqtt_filters *f)
{
    *f = (struct sky_mqtt_filters){.with_qos = with_qos};
    if (!read_packet_id(r, &f->packet_id))
        return false;
    if (left(r) == 0)
        return fail(r, with_qos ? SKY_MQTT_RULE_SUBSCRIBE_NONE : SKY_MQTT_RULE_UNSUB_NONE);
    f->rest = sky_span_of(r->at, left(r));
    while (left(r) > 0) {
        if (f->count == SKY_MQTT_FILTERS_MAX)
            return fail(r, SKY_MQTT_RULE_FILTER_COUNT);
        if (!read_filter(r, with_qos))
            return false;
        f->count++;
    }
    return true;
}

bool sky_mqtt_filter_next(struct sky_mqtt_filters *filters, sky_span *ret_filter, uint8_t *ret_qos)
{
    const uint8_t *at = (const uint8_t *)filters->rest.ptr;
    if (filters->rest.len == 0)
        return false;
    size_t len = (size_t)(at[0] << 8 | at[1]), used = 2 + len + filters->with_qos;
    SKY_ASSERT(used <= filters->rest.len);
    *ret_filter = sky_span_of(at + 2, len);
    *ret_qos = filters->with_qos ? at[2 + len] : 0;
    filters->rest = sky_span_tail(filters->rest, used);
    return true;
}

/* ---- any packet ---- */

/* Table 2.1 and table 2.2: who sends a type, with which flags. */
static bool check_first_byte(uint8_t byte, enum sky_mqtt_rule_id *ret_broken)
{
    enum { ANY = -1, SERVER = -2, RESERVED = -3 };
    static const struct {
        int8_t flags;
        uint8_t broken; /* enum sky_mqtt_rule_id */
    } types[16] = {
        [0] = {RESERVED, SKY_MQTT_RULE_RESERVED_TYPE},
        [SKY_MQTT_CONNECT] = {0, SKY_MQTT_RULE_FLAGS},
        [SKY_MQTT_CONNACK] = {SERVER, SKY_MQTT_RULE_SERVER_TYPE},
        [SKY_MQTT_PUBLISH] = {ANY, 0},
        [SKY_MQTT_PUBACK] = {0, SKY_MQTT_RULE_FLAGS},
        [SKY_MQTT_PUBREC] = {0, SKY_MQTT_RULE_FLAGS},
        [SKY_MQTT_PUBREL] = {2, SKY_MQTT_RULE_PUBREL_FLAGS},
        [SKY_MQTT_PUBCOMP] = {0, SKY_MQTT_RULE_FLAGS},
        [SKY_MQTT_SUBSCRIBE] = {2, SKY_MQTT_RULE_SUBSCRIBE_FLAGS},
        [SKY_MQTT_SUBACK] = {SERVER, SKY_MQTT_RULE_SERVER_TYPE},
        [SKY_MQTT_UNSUBSCRIBE] = {2, SKY_MQTT_RULE_UNSUB_FLAGS},
        [SKY_MQTT_UNSUBACK] = {SERVER, SKY_MQTT_RULE_SERVER_TYPE},
        [SKY_MQTT_PINGREQ] = {0, SKY_MQTT_RULE_FLAGS},
        [SKY_MQTT_PINGRESP] = {SERVER, SKY_MQTT_RULE_SERVER_TYPE},
        [SKY_MQTT_DISCONNECT] = {0, SKY_MQTT_RULE_DISCONNECT_FLAGS},
        [15] = {RESERVED, SKY_MQTT_RULE_RESERVED_TYPE},
    };
    uint8_t flags = byte & 0x0f;
    int wanted = types[byte >> 4].flags;
    if (wanted == ANY) {
        bool qos3 = (flags & PUBLISH_QOS) == PUBLISH_QOS;
        *ret_broken = qos3 ? SKY_MQTT_RULE_QOS3 : SKY_MQTT_RULE_DUP_QOS0;
        return !qos3 && ((flags & PUBLISH_QOS) != 0 || !(flags & PUBLISH_DUP));
    }
    *ret_broken = (enum sky_mqtt_rule_id)types[byte >> 4].broken;
    return flags == wanted;
}

/* 2.2.3: bytes the length field takes; 0: more are needed; -1: a fifth byte is announced. */
static int read_length(const uint8_t *at, size_t len, size_t *ret_value)
{
    size_t value = 0;
    for (size_t i = 0; i < SKY_MQTT_HEADER_MAX - 1; i++) {
        if (i == len)
            return 0;
        value |= (size_t)(at[i] & 0x7f) << (7 * i);
        if (!(at[i] & 0x80)) {
            *ret_value = value;
            return (int)i + 1;
        }
    }
    return -1;
}

static bool read_body(struct reader *r, uint8_t first, struct sky_mqtt_packet *p)
{
    bool read = true;
    switch (p->type) {
    case SKY_MQTT_CONNECT:
        read = read_connect(r, &p->as.connect);
        break;
    case SKY_MQTT_PUBLISH:
        read = read_publish(r, first & 0x0f, &p->as.publish);
        break;
    case SKY_MQTT_SUBSCRIBE:
    case SKY_MQTT_UNSUBSCRIBE:
        read = read_filters(r, p->type == SKY_MQTT_SUBSCRIBE, &p->as.filters);
        break;
    case SKY_MQTT_PUBACK:
    case SKY_MQTT_PUBREC:
    case SKY_MQTT_PUBREL:
    case SKY_MQTT_PUBCOMP:
        read = read_packet_id(r, &p->as.packet_id);
        break;
    default: /* PINGREQ, DISCONNECT: no body */
        break;
    }
    return read && (left(r) == 0 || fail(r, SKY_MQTT_RULE_TRAILING));
}

static enum sky_mqtt_result bad(enum sky_mqtt_rule_id broken, const struct sky_rule **ret_rule)
{
    *ret_rule = sky_mqtt_rule(broken);
    return SKY_MQTT_BAD;
}

enum sky_mqtt_result sky_mqtt_decode(sky_span in, size_t size_max,
                                     struct sky_mqtt_packet *ret_packet,
                                     const struct sky_rule **ret_rule)
{
    const uint8_t *bytes = (const uint8_t *)in.ptr;
    enum sky_mqtt_rule_id broken;
    size_t body;
    if (in.len == 0)
        return SKY_MQTT_MORE;
    if (!check_first_byte(bytes[0], &broken))
        return bad(broken, ret_rule);
    int length_size = read_length(bytes + 1, in.len - 1, &body);
    if (length_size < 0)
        return bad(SKY_MQTT_RULE_LENGTH, ret_rule);
    if (length_size == 0)
        return SKY_MQTT_MORE;
    size_t header = 1 + (size_t)length_size;
    if (header + body > size_max)
        return bad(SKY_MQTT_RULE_PACKET_SIZE, ret_rule);
    if (in.len < header + body)
        return SKY_MQTT_MORE;
    struct reader r = {.at = bytes + header, .end = bytes + header + body};
    struct sky_mqtt_packet packet;
    packet.type = (enum sky_mqtt_type)(bytes[0] >> 4);
    packet.size = header + body;
    if (!read_body(&r, bytes[0], &packet))
        return bad(r.broken, ret_rule);
    *ret_packet = packet;
    return SKY_MQTT_OK;
}
