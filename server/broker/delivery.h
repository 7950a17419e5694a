/* Getting a message to its receivers: at once, or when they are back, fetch it, or acknowledge what
 * was sent before. `of` is the journal's number of what caused it. */
#ifndef SKY_SERVER_BROKER_DELIVERY_H
#define SKY_SERVER_BROKER_DELIVERY_H

#include "server/broker/topics.h"

enum {
    SKY_MESSAGE_BYTES_MAX = 256 * 1024 * 1024, /* of all messages that wait, for all devices */
};

/* What became of a message for many. */
struct sky_delivered {
    size_t receivers, dropped;      /* those that get it; those that subscribe and do not */
    struct sky_hindrance hindrance; /* of the last that does not */
};

/* From the cloud to everyone subscribed. */
struct sky_delivered sky_deliver(struct sky_broker *broker, sky_span topic, sky_span payload,
                                 uint8_t qos, uint64_t of);
/* The same as the cloud of `session`, which may be NULL, sends its messages: where it does that
 * unasked, to the device as well. */
struct sky_delivered sky_deliver_message(struct sky_broker *broker, struct sky_session *session,
                                         sky_span topic, sky_span payload, uint8_t qos,
                                         uint64_t of);
/* The same for what a device has published: the journal has its content already. */
void sky_deliver_carried(struct sky_broker *broker, struct sky_topic_node *node, sky_span topic,
                         sky_span payload, uint8_t qos, uint64_t of);
/* To one device, whether or not it subscribed. One that is not on MQTT but fetches what is sent to
 * it may do so for `ttl_ms`, as struct sky_fetcher_ops has it. Dropped, and journalled, when
 * something is in the way. */
struct sky_hindrance sky_deliver_to(struct sky_broker *broker, struct sky_session *session,
                                    sky_span topic, sky_span payload, uint8_t qos, uint64_t of,
                                    int64_t ttl_ms);
/* To one device if it subscribed to the topic (or its session subscribes by itself). */
bool sky_deliver_reply(struct sky_broker *broker, struct sky_session *session, sky_span topic,
                       sky_span payload, uint8_t qos, uint64_t of);

/* The device acknowledged a message; what waited for that goes out. False: none of that id is in
 * flight. */
bool sky_deliver_acknowledged(struct sky_broker *broker, struct sky_session *session,
                              uint16_t packet_id);
/* The connection has room again: what waited for it goes out. */
void sky_deliver_waiting(struct sky_broker *broker, struct sky_session *session);
/* The device is back with its session kept: sends again what it has not acknowledged, then what
 * waited; or the first of it, where the cloud spaces them (`mqtt.spaced` is above 0). */
void sky_deliver_resumed(struct sky_broker *broker, struct sky_session *session);
/* Sends the next of those that are spaced. False: that was the last. */
bool sky_deliver_spaced(struct sky_broker *broker, struct sky_session *session);

/* What keeps such a message from the device, were it sent to it now: then it would be dropped. */
struct sky_hindrance sky_delivery_hindrance(struct sky_broker *broker, struct sky_session *session,
                                            sky_span topic, sky_span payload, uint8_t qos,
                                            int64_t ttl_ms);
/* Is there a way to the device: now, when it fetches, or, with QoS 1, when it is back? `session`
 * may be NULL. */
bool sky_delivery_reaches(const struct sky_session *session, uint8_t qos);
/* Is what goes to this topic sent to the device: because it subscribed (`*ret_qos` is the highest
 * granted, else 1), because its session subscribes by itself, or because the cloud pushes it? */
bool sky_delivery_listened(struct sky_broker *broker, const struct sky_session *session,
                           sky_span topic, uint8_t *ret_qos);

#endif
