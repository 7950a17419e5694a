/* The rules every MQTT peer is held to: the specification's statements that a decoder can see
 * broken, and the limits this server sets for every cloud. */
#ifndef SKY_MQTT_RULES_H
#define SKY_MQTT_RULES_H

#include "protocol/base/rule.h"

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
    SKY_LIMIT_SUB_COUNT,        /* filters per packet or per device */
    SKY_LIMIT_RULES
};

/* Rows of the specification, id "MQTT-3.1.2-3" after the statement's own number, then the
 * SKY_LIMIT_RULES rows with ids "MQTT-WILL", "MQTT-KEEPALIVE-RANGE" and so on. */
extern const struct sky_rule_table sky_mqtt_rules;

const struct sky_rule *sky_mqtt_limit_rule(enum sky_limit_rule which);

#endif
