/* From a device's publish to what it causes: rules, rights, service or subscribers.
 * Carriers (MQTT, CoAP) hand acts in; nothing here knows what carried them. */
#ifndef SKY_SERVER_BROKER_PUBLISH_H
#define SKY_SERVER_BROKER_PUBLISH_H

#include "server/broker/effects.h"

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
    void *ctx;                            /* for on_ack */
    const struct sky_reply_sink *replies; /* NULL: they go to the topic's subscribers */
};

struct sky_act_result {
    bool close; /* the connection ends here */
    enum sky_right right;
    bool served;     /* a service answered or at least looked at it */
    bool judged_bad; /* some enforced rule was broken */
};

/* Handles one publish of a device: journal, rules, rights, service or subscribers. */
struct sky_act_result sky_publish(struct sky_broker *broker, const struct sky_act *act);

/* What sky_cloud_right() said of a topic or filter, as rules; `without` is the one about none.
 * False: the act is refused, since one of them is enforced. With the right, all are kept. The
 * detail is `act`, the topic and `why`. */
bool sky_right_judge(const struct sky_cloud *cloud, enum sky_right right,
                     enum sky_limit_rule without, struct sky_judge *judge, const char *act,
                     sky_span topic, const char *why);

/* The device was granted a subscription by the SUBSCRIBE with that number in the journal: the cloud
 * may have something to say. */
void sky_publish_subscribed(struct sky_broker *broker, struct sky_session *session, sky_span filter,
                            uint64_t of);

#endif
