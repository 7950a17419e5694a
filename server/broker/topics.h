/* Topics that were published to, with what was found out about each: the publisher's right, the
 * service, the receivers. A cache: whatever it holds can be found out again. */
#ifndef SKY_SERVER_BROKER_TOPICS_H
#define SKY_SERVER_BROKER_TOPICS_H

#include "server/broker/broker.h"

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
    uint64_t id;                     /* of no other node, ever */
    uint32_t publisher;              /* slot whose right is cached, UINT32_MAX: none */
    uint32_t subject;                /* slot of the device whose topic that is: the publisher's,
                                        or that of one behind it */
    uint8_t right;                   /* enum sky_right */
    bool fits;                       /* the publisher's cloud takes topics of this length */
    uint16_t len;
    char name[];
};

void sky_topics_init(struct sky_broker *broker);
void sky_topics_done(struct sky_broker *broker);
/* Forgets them all: a subscriber's number has a new owner. */
void sky_topics_forget(struct sky_broker *broker);

/* The topic's node, with the right of this publisher in it. Nodes are good until one is asked for
 * another topic, or something is subscribed to. */
struct sky_topic_node *sky_topic_of(struct sky_broker *broker, struct sky_session *session,
                                    sky_span topic);
/* Who gets what is published to a topic; valid as above. */
const struct sky_receivers *sky_topic_receivers(struct sky_broker *broker,
                                                struct sky_topic_node *node);
const struct sky_receivers *sky_receivers_of(struct sky_broker *broker, sky_span topic);

/* Does the session subscribe to this topic? `*ret_qos` is the highest granted. */
bool sky_topic_subscribed(struct sky_broker *broker, const struct sky_session *session,
                          sky_span topic, uint8_t *ret_qos);

#endif
