/* The rules every MQTT peer is held to: the specification's statements that a decoder or a server
 * can see broken, and the limits this server sets for every cloud. */
#ifndef SKY_MQTT_RULES_H
#define SKY_MQTT_RULES_H

#include "protocol/base/rule.h"

/* What the specification asks. The decoder reports the first group, the server the second. */
enum sky_mqtt_rule_id {
    SKY_MQTT_RULE_UTF8,             /* 1.5.3-1 */
    SKY_MQTT_RULE_NUL,              /* 1.5.3-2 */
    SKY_MQTT_RULE_FLAGS,            /* 2.2.2-1 */
    SKY_MQTT_RULE_RESERVED_TYPE,    /* types 0 and 15 */
    SKY_MQTT_RULE_SERVER_TYPE,      /* types only a server sends */
    SKY_MQTT_RULE_LENGTH,           /* remaining length of more than four bytes */
    SKY_MQTT_RULE_PACKET_SIZE,      /* longer than this server takes */
    SKY_MQTT_RULE_TRUNCATED,        /* a field reaches past the packet's end */
    SKY_MQTT_RULE_TRAILING,         /* bytes behind the last field */
    SKY_MQTT_RULE_PACKET_ID,        /* 2.3.1-1 */
    SKY_MQTT_RULE_PROTOCOL,         /* 3.1.2-1 */
    SKY_MQTT_RULE_CONNECT_FLAG,     /* 3.1.2-3 */
    SKY_MQTT_RULE_WILL_FIELDS,      /* 3.1.2-9 */
    SKY_MQTT_RULE_NO_WILL_QOS,      /* 3.1.2-13 */
    SKY_MQTT_RULE_WILL_QOS,         /* 3.1.2-14 */
    SKY_MQTT_RULE_NO_WILL_RETAIN,   /* 3.1.2-15 */
    SKY_MQTT_RULE_USERNAME,         /* 3.1.2-19 */
    SKY_MQTT_RULE_PASSWORD,         /* 3.1.2-21 */
    SKY_MQTT_RULE_ONLY_PASSWORD,    /* 3.1.2-22 */
    SKY_MQTT_RULE_CLIENT_ID,        /* 3.1.3-3 */
    SKY_MQTT_RULE_DUP_QOS0,         /* 3.3.1-2 */
    SKY_MQTT_RULE_QOS3,             /* 3.3.1-4 */
    SKY_MQTT_RULE_TOPIC_WILDCARD,   /* 3.3.2-2 */
    SKY_MQTT_RULE_PUBREL_FLAGS,     /* 3.6.1-1 */
    SKY_MQTT_RULE_SUBSCRIBE_FLAGS,  /* 3.8.1-1 */
    SKY_MQTT_RULE_SUBSCRIBE_NONE,   /* 3.8.3-3 */
    SKY_MQTT_RULE_SUBSCRIBE_QOS,    /* 3.8.3-4 */
    SKY_MQTT_RULE_UNSUB_FLAGS,      /* 3.10.1-1 */
    SKY_MQTT_RULE_UNSUB_NONE,       /* 3.10.3-2 */
    SKY_MQTT_RULE_DISCONNECT_FLAGS, /* 3.14.1-1 */
    SKY_MQTT_RULE_FILTER_HASH,      /* 4.7.1-2 */
    SKY_MQTT_RULE_FILTER_PLUS,      /* 4.7.1-3 */
    SKY_MQTT_RULE_FILTER_COUNT,     /* more than SKY_MQTT_FILTERS_MAX */
    SKY_MQTT_RULE_TOPIC_EMPTY,      /* 4.7.3-1 */

    SKY_MQTT_RULE_FIRST_PACKET,     /* 3.1.0-1: closed */
    SKY_MQTT_RULE_SECOND_CONNECT,   /* 3.1.0-2: closed */
    SKY_MQTT_RULE_CONNECT_TIMEOUT,  /* 3.1.4: CONNECT never came, or never whole: closed */
    SKY_MQTT_RULE_LEVEL,            /* 3.1.2-2: CONNACK 1 */
    SKY_MQTT_RULE_EMPTY_ID,         /* 3.1.3-7: CONNACK 2 */
    SKY_MQTT_RULE_ACK_ID,           /* 2.3.1-6: PUBACK for nothing in flight */
    SKY_MQTT_RULE_ACK_ORDER,        /* 4.6.0-2 */
    SKY_MQTT_RULE_AFTER_DISCONNECT, /* 3.14.4-2 */
    SKY_MQTT_RULE_RESUBSCRIBE,      /* 3.2.2.2: its subscriptions were lost, as it was told */
    SKY_MQTT_SPEC_RULES
};

/* The limits set for every cloud; a cloud that has a row of its own names it in its table
 * (struct sky_cloud, `limit_rules`) and that row is used instead. */
enum sky_limit_rule {
    SKY_LIMIT_WILL,             /* will flag in CONNECT: refused with 5 */
    SKY_LIMIT_RETAIN,           /* retain flag: delivered, not retained */
    SKY_LIMIT_QOS2_PUBLISH,     /* closes the connection */
    SKY_LIMIT_QOS2_SUBSCRIBE,   /* 0x80 for that filter */
    SKY_LIMIT_PACKET_TYPE,      /* PUBREC, PUBREL, PUBCOMP: closes the connection */
    SKY_LIMIT_KEEPALIVE,        /* outside 60..300 s, 0 included: refused with 2 */
    SKY_LIMIT_KEEPALIVE_SILENT, /* nothing for more than 1.0 x keepalive: finding */
    SKY_LIMIT_KEEPALIVE_DEAD,   /* nothing for 1.5 x keepalive: closed */
    SKY_LIMIT_DUPLICATE_LOGIN,  /* the second login closes the first */
    SKY_LIMIT_PAYLOAD_SIZE,     /* payload longer than the cloud carries */
    SKY_LIMIT_TOPIC_PUB,        /* publish outside the device's rights */
    SKY_LIMIT_TOPIC_SUB,        /* subscribe outside the device's rights: 0x80 */
    SKY_LIMIT_TOPIC_DIRECTION,  /* a topic of its own used the wrong way round */
    SKY_LIMIT_TOPIC_OTHER,      /* a topic of another device */
    SKY_LIMIT_SUB_COUNT,        /* more filters than a device may have: 0x80 */
    SKY_LIMIT_TOPIC_LENGTH,     /* topic or filter longer, or of more levels, than the cloud's */
    SKY_LIMIT_PUBLISH_RATE,     /* more messages in a second than the cloud takes from a device */
    SKY_LIMIT_RULES
};

/* Rows of the specification, id "MQTT-3.1.2-3" after the statement's own number where it has one,
 * then the SKY_LIMIT_RULES rows with ids "MQTT-WILL", "MQTT-KEEPALIVE-RANGE" and so on. */
extern const struct sky_rule_table sky_mqtt_rules;

const struct sky_rule *sky_mqtt_rule(enum sky_mqtt_rule_id which);
/* Has a device kept this rule with a packet of this type (enum sky_mqtt_type) that could be
 * decoded? */
bool sky_mqtt_rule_kept_by(enum sky_mqtt_rule_id which, unsigned type);
const struct sky_rule *sky_mqtt_limit_rule(enum sky_limit_rule which);

#endif
