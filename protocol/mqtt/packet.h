/* MQTT 3.1.1 (and 3.1) control packets: bytes to views and values to bytes.
 * Pure: no I/O, no allocation, no logging. Must never know of devices or clouds.
 * Source: OASIS MQTT Version 3.1.1, chapters 2 and 3; the rows of rules.h quote the statements. */
#ifndef SKY_MQTT_PACKET_H
#define SKY_MQTT_PACKET_H

#include "protocol/base/buf.h"
#include "protocol/base/rule.h"
#include "protocol/base/span.h"

enum {
    SKY_MQTT_PACKET_MAX = 640 * 1024, /* bytes of one packet, fixed header included */
    SKY_MQTT_HEADER_MAX = 5,          /* bytes: type and remaining length (2.2.3) */
    SKY_MQTT_STRING_MAX = 65535,      /* bytes (1.5.3) */
    SKY_MQTT_FILTERS_MAX = 256,       /* filters in one SUBSCRIBE or UNSUBSCRIBE */
    SKY_MQTT_LEVEL_BRIDGE = 0x80,     /* brokers' own bit of the protocol level: a bridge */
};

enum sky_mqtt_type {
    SKY_MQTT_CONNECT = 1,
    SKY_MQTT_CONNACK,
    SKY_MQTT_PUBLISH,
    SKY_MQTT_PUBACK,
    SKY_MQTT_PUBREC,
    SKY_MQTT_PUBREL,
    SKY_MQTT_PUBCOMP,
    SKY_MQTT_SUBSCRIBE,
    SKY_MQTT_SUBACK,
    SKY_MQTT_UNSUBSCRIBE,
    SKY_MQTT_UNSUBACK,
    SKY_MQTT_PINGREQ,
    SKY_MQTT_PINGRESP,
    SKY_MQTT_DISCONNECT,
};

enum sky_mqtt_connack {
    SKY_CONNACK_ACCEPTED,
    SKY_CONNACK_PROTOCOL,
    SKY_CONNACK_CLIENT_ID,
    SKY_CONNACK_UNAVAILABLE,
    SKY_CONNACK_CREDENTIALS,
    SKY_CONNACK_NOT_AUTHORIZED,
};

enum { SKY_SUBACK_FAILURE = 0x80 };

struct sky_mqtt_connect {
    sky_span protocol; /* "MQTT" or "MQIsdp" */
    uint8_t level;     /* 4 or 3, or a bridge's; else nothing behind the keepalive is decoded */
    bool level_known;  /* it is the one that goes with the name */
    bool clean_session, has_will, will_retain, has_username, has_password;
    uint8_t will_qos;
    uint16_t keepalive_s;
    sky_span client_id, will_topic, will_payload, username, password;
};

struct sky_mqtt_publish {
    sky_span topic, payload;
    uint16_t packet_id; /* 0 for QoS 0 */
    uint8_t qos;        /* 0, 1 or 2; 3 is BAD */
    bool dup, retain;
};

/* The payload of SUBSCRIBE or UNSUBSCRIBE, validated; walk it with sky_mqtt_filter_next(). */
struct sky_mqtt_filters {
    sky_span rest;
    uint16_t packet_id;
    uint16_t count;
    bool with_qos;
};

struct sky_mqtt_packet {
    enum sky_mqtt_type type;
    size_t size; /* bytes of the whole packet */
    union {
        struct sky_mqtt_connect connect;
        struct sky_mqtt_publish publish;
        struct sky_mqtt_filters filters; /* SUBSCRIBE, UNSUBSCRIBE */
        uint16_t packet_id;              /* PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK */
    } as;
};

enum sky_mqtt_result { SKY_MQTT_MORE, SKY_MQTT_OK, SKY_MQTT_BAD };

/* What is wrong with a packet, and where. The texts are static. */
struct sky_mqtt_flaw {
    const struct sky_rule *rule; /* the statement broken, a row of sky_mqtt_rules */
    const char *field;           /* "will topic" */
    const char *part;            /* "'s length", or "" for the field itself */
    const char *wrong;           /* "runs past the packet's end" */
    size_t offset;               /* in the packet, whose first byte is byte 0 */
    size_t count, most;          /* of what there may be only so much; most 0: no such thing */
    const char *unit;            /* "filters" */
};

/* "the will topic's length at byte 23 runs past the packet's end" */
void sky_mqtt_flaw_text(const struct sky_mqtt_flaw *flaw, char *out, size_t out_size);

/* Decodes the packet at the front of `in`, of types a client sends. Views point into `in`.
 * OK: `*ret_packet` is set. BAD: `*ret_flaw` is. MORE: nothing is set; call again with more bytes.
 * A packet longer than `size_max` is BAD as soon as its length is known. */
enum sky_mqtt_result sky_mqtt_decode(sky_span in, size_t size_max,
                                     struct sky_mqtt_packet *ret_packet,
                                     struct sky_mqtt_flaw *ret_flaw);

/* Takes the next filter off; `*ret_qos` is 0 for UNSUBSCRIBE. False at the end. */
bool sky_mqtt_filter_next(struct sky_mqtt_filters *filters, sky_span *ret_filter, uint8_t *ret_qos);

/* Encoders append to `out`; false, with nothing appended, when it is full. Topics longer than
 * SKY_MQTT_STRING_MAX and packets longer than SKY_MQTT_PACKET_MAX are the caller's error. */
bool sky_mqtt_put_connack(struct sky_buf *out, bool session_present, enum sky_mqtt_connack code);
bool sky_mqtt_put_publish(struct sky_buf *out, const struct sky_mqtt_publish *publish);
size_t sky_mqtt_publish_size(const struct sky_mqtt_publish *publish); /* bytes it will take */
/* Can a packet carry this at all? */
bool sky_mqtt_publish_fits(sky_span topic, sky_span payload, uint8_t qos);
bool sky_mqtt_put_ack(struct sky_buf *out, enum sky_mqtt_type type, uint16_t packet_id);
bool sky_mqtt_put_suback(struct sky_buf *out, uint16_t packet_id, const uint8_t *codes,
                         size_t count);
bool sky_mqtt_put_pingresp(struct sky_buf *out);

/* "CONNECT", "PUBLISH"; "reserved" outside 1..14. */
const char *sky_mqtt_type_name(enum sky_mqtt_type type);

#endif
