#include <stdio.h>
#include <string.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"
#include "protocol/mqtt/packet.h"
#include "protocol/mqtt/rules.h"
#include "protocol/mqtt/topic.h"

/* What is left of a packet. A failed step leaves in `flaw` what is wrong and where. */
struct reader {
    const uint8_t *start, *at, *end;
    struct sky_mqtt_flaw flaw;
};

/* `wrong` continues "the {field}{part} at byte {where} ...". */
static bool fail_at(struct reader *r, enum sky_mqtt_rule_id rule, const uint8_t *where,
                    const char *field, const char *part, const char *wrong)
{
    r->flaw = (struct sky_mqtt_flaw){.rule = sky_mqtt_rule(rule),
                                     .field = field,
                                     .part = part,
                                     .wrong = wrong,
                                     .offset = (size_t)(where - r->start)};
    return false;
}

static bool fail(struct reader *r, enum sky_mqtt_rule_id rule, const uint8_t *where,
                 const char *field, const char *wrong)
{
    return fail_at(r, rule, where, field, "", wrong);
}

static bool fail_beyond(struct reader *r, enum sky_mqtt_rule_id rule, const uint8_t *where,
                        const char *field, size_t count, size_t most, const char *unit)
{
    fail(r, rule, where, field, "is more than the server takes");
    r->flaw.count = count;
    r->flaw.most = most;
    r->flaw.unit = unit;
    return false;
}

static const char cut_short[] = "is cut short by the packet's end";

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static bool read_u8(struct reader *r, const char *field, uint8_t *ret_value)
{
    if (left(r) < 1)
        return fail(r, SKY_MQTT_RULE_TRUNCATED, r->at, field, cut_short);
    *ret_value = *r->at++;
    return true;
}

static bool read_u16(struct reader *r, const char *field, uint16_t *ret_value)
{
    if (left(r) < 2)
        return fail(r, SKY_MQTT_RULE_TRUNCATED, r->at, field, cut_short);
    *ret_value = (uint16_t)(r->at[0] << 8 | r->at[1]);
    r->at += 2;
    return true;
}

/* Two bytes of length and as many bytes as they say. */
static bool read_binary(struct reader *r, const char *field, sky_span *ret_bytes)
{
    static const char length[] = "'s length";
    if (left(r) < 2)
        return fail_at(r, SKY_MQTT_RULE_TRUNCATED, r->at, field, length, cut_short);
    size_t len = (size_t)(r->at[0] << 8 | r->at[1]);
    if (left(r) - 2 < len)
        return fail_at(r, SKY_MQTT_RULE_TRUNCATED, r->at, field, length,
                       "runs past the packet's end");
    *ret_bytes = sky_span_of(r->at + 2, len);
    r->at += 2 + len;
    return true;
}

/* 1.5.3. Control characters other than U+0000 are discouraged there, not forbidden. */
static bool read_string(struct reader *r, const char *field, sky_span *ret_text)
{
    sky_span text;
    if (!read_binary(r, field, &text))
        return false;
    size_t valid = sky_utf8_valid(text);
    if (valid < text.len) {
        const uint8_t *flaw = (const uint8_t *)text.ptr + valid;
        return *flaw == '\0' ? fail(r, SKY_MQTT_RULE_NUL, flaw, field, "has a NUL character")
                             : fail(r, SKY_MQTT_RULE_UTF8, flaw, field, "is not UTF-8");
    }
    *ret_text = text;
    return true;
}

static bool read_packet_id(struct reader *r, uint16_t *ret_id)
{
    static const char field[] = "packet identifier";
    uint16_t id;
    if (!read_u16(r, field, &id))
        return false;
    if (id == 0)
        return fail(r, SKY_MQTT_RULE_PACKET_ID, r->at - 2, field, "is 0");
    *ret_id = id;
    return true;
}

/* A field that has to be there and that the packet ends before. */
static bool is_there(struct reader *r, enum sky_mqtt_rule_id promise, const char *field)
{
    return left(r) > 0 || fail(r, promise, r->at, field,
                               promise == SKY_MQTT_RULE_CLIENT_ID
                                   ? "is missing"
                                   : "is missing, though the connect flags announce it");
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

static bool take_connect_flags(struct reader *r, const uint8_t *at, uint8_t flags,
                               struct sky_mqtt_connect *c)
{
    c->clean_session = flags & CONNECT_CLEAN;
    c->has_will = flags & CONNECT_WILL;
    c->will_qos = (flags & CONNECT_WILL_QOS) >> 3;
    c->will_retain = flags & CONNECT_WILL_RETAIN;
    c->has_username = flags & CONNECT_USERNAME;
    c->has_password = flags & CONNECT_PASSWORD;
    static const struct {
        const char *wrong;
        enum sky_mqtt_rule_id rule;
    } flaws[] = {
        {"has the reserved bit 0 set", SKY_MQTT_RULE_CONNECT_FLAG},
        {"has a will QoS without the will flag", SKY_MQTT_RULE_NO_WILL_QOS},
        {"has both bits of the will QoS set", SKY_MQTT_RULE_WILL_QOS},
        {"has will retain without the will flag", SKY_MQTT_RULE_NO_WILL_RETAIN},
        {"announces a password without a user name", SKY_MQTT_RULE_ONLY_PASSWORD},
    };
    const bool found[SKY_COUNT(flaws)] = {
        flags & CONNECT_RESERVED, !c->has_will && c->will_qos != 0, c->will_qos == 3,
        !c->has_will && c->will_retain, !c->has_username && c->has_password};
    for (size_t i = 0; i < SKY_COUNT(flaws); i++)
        if (found[i])
            return fail(r, flaws[i].rule, at, "connect flags byte", flaws[i].wrong);
    return true;
}

/* 3.1.3-1: client id, will topic, will message, user name, password. */
static bool read_connect_payload(struct reader *r, struct sky_mqtt_connect *c)
{
    static const char client_id[] = "client id", will_topic[] = "will topic",
                      will_message[] = "will message", username[] = "user name",
                      password[] = "password";
    if (!is_there(r, SKY_MQTT_RULE_CLIENT_ID, client_id) ||
        !read_string(r, client_id, &c->client_id))
        return false;
    if (c->has_will && (!is_there(r, SKY_MQTT_RULE_WILL_FIELDS, will_topic) ||
                        !read_string(r, will_topic, &c->will_topic) ||
                        !is_there(r, SKY_MQTT_RULE_WILL_FIELDS, will_message) ||
                        !read_binary(r, will_message, &c->will_payload)))
        return false;
    if (c->has_username &&
        (!is_there(r, SKY_MQTT_RULE_USERNAME, username) || !read_string(r, username, &c->username)))
        return false;
    return !c->has_password || (is_there(r, SKY_MQTT_RULE_PASSWORD, password) &&
                                read_binary(r, password, &c->password));
}

static bool read_connect(struct reader *r, struct sky_mqtt_connect *c)
{
    static const char name[] = "protocol name";
    const uint8_t *start = r->at;
    uint8_t flags;
    *c = (struct sky_mqtt_connect){0};
    if (!read_string(r, name, &c->protocol))
        return false;
    bool is_v311 = sky_span_eq_str(c->protocol, "MQTT");
    if (!is_v311 && !sky_span_eq_str(c->protocol, "MQIsdp"))
        return fail(r, SKY_MQTT_RULE_PROTOCOL, start + 2, name,
                    "is neither MQTT (level 4) nor MQIsdp (level 3)");
    if (!read_u8(r, "protocol level", &c->level) || !read_u8(r, "connect flags byte", &flags) ||
        !read_u16(r, "keepalive", &c->keepalive_s))
        return false;
    c->level_known = c->level == (is_v311 ? 4 : 3);
    uint8_t level = c->level & (uint8_t)~SKY_MQTT_LEVEL_BRIDGE;
    if (level != 3 && level != 4) {
        r->at = r->end; /* another version lays out the rest in its own way */
        return true;
    }
    return take_connect_flags(r, r->at - 3, flags, c) && read_connect_payload(r, c);
}

/* ---- PUBLISH (3.3) ---- */

enum { PUBLISH_RETAIN = 0x01, PUBLISH_QOS = 0x06, PUBLISH_DUP = 0x08 };

static bool read_publish(struct reader *r, uint8_t flags, struct sky_mqtt_publish *p)
{
    static const char field[] = "topic";
    const uint8_t *start = r->at;
    *p = (struct sky_mqtt_publish){
        .qos = (flags & PUBLISH_QOS) >> 1,
        .dup = flags & PUBLISH_DUP,
        .retain = flags & PUBLISH_RETAIN,
    };
    if (!read_string(r, field, &p->topic))
        return false;
    if (p->topic.len == 0)
        return fail(r, SKY_MQTT_RULE_TOPIC_EMPTY, start, field, "is empty");
    for (const uint8_t *at = start + 2; at < r->at; at++)
        if (*at == '#' || *at == '+')
            return fail(r, SKY_MQTT_RULE_TOPIC_WILDCARD, at, field, "has a wildcard");
    if (p->qos > 0 && !read_packet_id(r, &p->packet_id))
        return false;
    p->payload = sky_span_of(r->at, left(r));
    r->at = r->end;
    return true;
}

/* ---- SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10) ---- */

static bool read_filter(struct reader *r, bool with_qos)
{
    static const char field[] = "topic filter", requested[] = "requested QoS";
    const uint8_t *start = r->at;
    sky_span filter;
    uint8_t qos;
    if (!read_string(r, field, &filter))
        return false;
    switch (sky_topic_filter_flaw(filter)) {
    case SKY_FILTER_EMPTY:
        return fail(r, SKY_MQTT_RULE_TOPIC_EMPTY, start, field, "is empty");
    case SKY_FILTER_HASH:
        return fail(r, SKY_MQTT_RULE_FILTER_HASH, start + 2, field,
                    "has a '#' that is not the whole of the last level");
    case SKY_FILTER_PLUS:
        return fail(r, SKY_MQTT_RULE_FILTER_PLUS, start + 2, field,
                    "has a '+' that is not the whole of a level");
    case SKY_FILTER_GOOD:
        break;
    }
    if (!with_qos)
        return true;
    if (!read_u8(r, requested, &qos))
        return false;
    return qos <= 2 || fail(r, SKY_MQTT_RULE_SUBSCRIBE_QOS, r->at - 1, requested, "is above 2");
}

static bool read_filters(struct reader *r, bool with_qos, struct sky_mqtt_filters *f)
{
    static const char field[] = "topic filter";
    *f = (struct sky_mqtt_filters){.with_qos = with_qos};
    if (!read_packet_id(r, &f->packet_id))
        return false;
    if (left(r) == 0)
        return fail(r, with_qos ? SKY_MQTT_RULE_SUBSCRIBE_NONE : SKY_MQTT_RULE_UNSUB_NONE, r->at,
                    field, "is missing; there has to be one at least");
    f->rest = sky_span_of(r->at, left(r));
    while (left(r) > 0) {
        if (f->count == SKY_MQTT_FILTERS_MAX)
            return fail_beyond(r, SKY_MQTT_RULE_FILTER_COUNT, r->at, field, f->count + 1,
                               SKY_MQTT_FILTERS_MAX, "filters of a packet");
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
static bool check_first_byte(struct reader *r, uint8_t byte)
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
    enum sky_mqtt_rule_id rule = (enum sky_mqtt_rule_id)types[byte >> 4].broken;
    if (wanted == RESERVED)
        return fail(r, rule, r->start, "packet type", "is a reserved one");
    if (wanted == SERVER)
        return fail(r, rule, r->start, "packet type", "is one that only servers send");
    if (wanted != ANY)
        return flags == wanted || fail(r, rule, r->start, "header's flags",
                                       wanted == 0 ? "are not 0000" : "are not 0010");
    if ((flags & PUBLISH_QOS) == PUBLISH_QOS)
        return fail(r, SKY_MQTT_RULE_QOS3, r->start, "QoS", "has both bits set");
    return (flags & PUBLISH_QOS) != 0 || !(flags & PUBLISH_DUP) ||
           fail(r, SKY_MQTT_RULE_DUP_QOS0, r->start, "DUP flag", "is set with QoS 0");
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
    return read &&
           (left(r) == 0 || fail(r, SKY_MQTT_RULE_TRAILING, r->at, "rest",
                                 "belongs to no field, yet the remaining length counts it"));
}

void sky_mqtt_flaw_text(const struct sky_mqtt_flaw *flaw, char *out, size_t out_size)
{
    snprintf(out, out_size, "the %s%s at byte %zu %s", flaw->field, flaw->part, flaw->offset,
             flaw->wrong);
    size_t len = strlen(out);
    if (flaw->most > 0)
        snprintf(out + len, out_size - len, ": %zu %s, at most %zu", flaw->count, flaw->unit,
                 flaw->most);
}

enum sky_mqtt_result sky_mqtt_decode(sky_span in, size_t size_max,
                                     struct sky_mqtt_packet *ret_packet,
                                     struct sky_mqtt_flaw *ret_flaw)
{
    const uint8_t *bytes = (const uint8_t *)in.ptr;
    struct reader r = {.start = bytes};
    struct sky_mqtt_packet packet;
    size_t body;
    if (in.len == 0)
        return SKY_MQTT_MORE;
    if (!check_first_byte(&r, bytes[0]))
        goto bad;
    int length_size = read_length(bytes + 1, in.len - 1, &body);
    if (length_size < 0) {
        fail(&r, SKY_MQTT_RULE_LENGTH, bytes + 1, "remaining length", "has more than four bytes");
        goto bad;
    }
    if (length_size == 0)
        return SKY_MQTT_MORE;
    size_t header = 1 + (size_t)length_size;
    if (header + body > size_max) {
        fail_beyond(&r, SKY_MQTT_RULE_PACKET_SIZE, bytes + 1, "remaining length", header + body,
                    size_max, "bytes of a packet");
        goto bad;
    }
    if (in.len < header + body)
        return SKY_MQTT_MORE;
    r.at = bytes + header;
    r.end = r.at + body;
    packet.type = (enum sky_mqtt_type)(bytes[0] >> 4);
    packet.size = header + body;
    if (!read_body(&r, bytes[0], &packet))
        goto bad;
    *ret_packet = packet;
    return SKY_MQTT_OK;
bad:
    *ret_flaw = r.flaw;
    return SKY_MQTT_BAD;
}
