/* From a publish to its receivers: rights, services, subscriptions, delivery.
 * Carriers (MQTT, CoAP, the admin API) hand acts in; nothing here knows what carried them. */
#ifndef SKY_SERVER_BROKER_BROKER_H
#define SKY_SERVER_BROKER_BROKER_H

#include <uthash.h>

#include "protocol/cloud/cloud.h"
#include "protocol/mqtt/session.h"
#include "protocol/mqtt/subs.h"

struct sky_app;
struct sky_session;

enum {
    /* Topics remembered, and the bytes that this takes; the oldest make room for new ones. */
    SKY_TOPIC_NODES_MAX = 65536,
    SKY_TOPIC_BYTES_MAX = 16 * 1024 * 1024,
};

/* A topic that was published to, with what was found out about it. */
struct sky_topic_node {
    UT_hash_handle hh;
    const struct sky_topic_row *row; /* the publisher's cloud's row, or NULL */
    struct sky_receivers receivers;  /* good while the generation stands */
    uint64_t generation;             /* of the subscriptions */
    uint32_t publisher;              /* slot whose right is cached, UINT32_MAX: none */
    uint8_t right;                   /* enum sky_right */
    bool fits;                       /* the publisher's cloud takes topics of this length */
    uint16_t len;
    char name[];
};

struct sky_broker {
    struct sky_subs *subs;
    struct sky_topic_node *nodes; /* hash by name */
    size_t node_bytes;            /* taken by them */
    uint64_t epoch;               /* grows whenever nodes are forgotten: pointers to them die */
};

/* One act of publishing by a device. */
struct sky_act {
    struct sky_session *session;
    sky_span topic, payload;
    enum sky_transport transport;
    uint32_t connection; /* 0: none */
    uint16_t packet_id;
    uint8_t qos;
    bool dup, retain;
    /* The act is taken: acknowledge it now, before anything it causes goes out. Not called for one
     * whose acknowledgement the cloud withholds. NULL: nothing to do. */
    void (*on_ack)(const struct sky_act *act);
    /* Where REPLY effects go instead of the topic's subscribers; NULL: to the subscribers. */
    void (*on_reply)(void *ctx, const struct sky_effect *reply);
    void *ctx;
};

struct sky_act_result {
    bool close; /* the connection ends here */
    enum sky_right right;
    bool served;     /* a service answered or at least looked at it */
    bool judged_bad; /* some enforced rule was broken */
};

void sky_broker_init(struct sky_broker *broker);
void sky_broker_done(struct sky_broker *broker);

/* Handles one publish of a device: journal, rules, rights, service or subscribers. */
struct sky_act_result sky_broker_publish(struct sky_app *app, const struct sky_act *act);

/* To everyone subscribed; `of` is the journal's number of the publish that caused it. Returns the
 * number of receivers. */
size_t sky_broker_spread(struct sky_app *app, sky_span topic, sky_span payload, uint8_t qos,
                         uint64_t of);
/* To one device, whether or not it subscribed. One that is not on MQTT but fetches what is sent to
 * it may do so for `ttl_ms`, as sky_coap_push() has it. */
void sky_broker_push(struct sky_app *app, struct sky_session *session, sky_span topic,
                     sky_span payload, uint8_t qos, uint64_t of, int64_t ttl_ms);
/* To one device if it subscribed to the topic (or its session subscribes by itself). */
bool sky_broker_reply(struct sky_app *app, struct sky_session *session, sky_span topic,
                      sky_span payload, uint8_t qos, uint64_t of);

/* The hook of every session's delivery state: journals what is put out. */
void sky_broker_sent(struct sky_mqtt_session *mqtt, const struct sky_mqtt_msg *msg, uint16_t id,
                     bool again);
/* The device is back with its session kept: sends again what it has not acknowledged, then what
 * waited. */
void sky_broker_resume(struct sky_app *app, struct sky_session *session);
/* The device was granted a subscription by the SUBSCRIBE with that number in the journal: the cloud
 * may have something to say. */
void sky_broker_subscribed(struct sky_app *app, struct sky_session *session, sky_span filter,
                           uint64_t of);

/* Does the session subscribe to this topic? `*ret_qos` is the highest granted. */
bool sky_broker_subscribes(struct sky_app *app, const struct sky_session *session, sky_span topic,
                           uint8_t *ret_qos);

/* Would a message reach the device: now, when it fetches it, or, with QoS 1, when it is back?
 * `session` may be NULL. */
bool sky_broker_reaches(const struct sky_session *session, uint8_t qos);
/* Is what goes to this topic sent to the device: because it subscribed (`*ret_qos` is the highest
 * granted, else 1), because its session subscribes by itself, or because the cloud pushes it? */
bool sky_broker_listens(struct sky_app *app, const struct sky_session *session, sky_span topic,
                        uint8_t *ret_qos);

/* Forgets cached topics (the registry or subscriptions changed under them). */
void sky_broker_forget(struct sky_app *app);

#endif
