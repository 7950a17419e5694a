/* What the running server knows of each device it has admitted: one session for each, online or
 * away, found by registry id. Knows delivery state and conduct; knows no bytes. */
#ifndef SKY_SERVER_REGISTRY_SESSIONS_H
#define SKY_SERVER_REGISTRY_SESSIONS_H

#include <uthash.h>

#include "protocol/cloud/cloud.h"
#include "store/store.h"

struct sky_app;
struct sky_coap_device;
struct sky_conn;
struct sky_topic_node;

/* A product as the hot path needs it; reloaded when the registry changes. */
struct sky_product_info {
    struct sky_product product;
    const struct sky_cloud *cloud;
    struct sky_product_topic *topics; /* owned */
    size_t topic_count;
    struct sky_policy *policy; /* owned, when the product overrides rules; else NULL */
    UT_hash_handle hh;
};

/* What a device did, as sets of rule indices: the raw material of a verdict. */
struct sky_conduct {
    struct sky_rule_set exercised, broken;
    uint16_t packet_types; /* one bit for each type of MQTT packet that has come, decoded */
};

struct sky_session {
    int64_t device_id;
    struct sky_product_info *product; /* never NULL, outlives the session */
    char *device_key;                 /* owned */
    struct sky_conn *conn;            /* NULL: away */
    struct sky_coap_device *coap;     /* owned; NULL: it has not come by CoAP */
    struct sky_mqtt_session mqtt;
    struct sky_conduct conduct;
    struct sky_topic_node *last_topic; /* the last one it published to; good in `last_epoch` */
    uint64_t last_epoch;
    int64_t last_seen_ms;  /* virtual time */
    int64_t last_login_ms; /* of the last try, admitted or not; 0: none */
    int64_t away_since_ms;
    uint64_t published, delivered;
    int64_t rate_second; /* virtual time in seconds that `rate` counts in */
    uint32_t rate[2];    /* publishes in that second, with QoS 0 and above */
    uint32_t slot;       /* index in the table; also its number as a subscriber */
    uint16_t keepalive_s;
    uint16_t traits;
    uint8_t tokens;             /* 1 + the place of its newest login token; 0: not looked up */
    bool token_waits;           /* it fetched a login token and has not logged in since */
    bool clean;                 /* ends with the connection */
    bool kept;                  /* there is state to come back to */
    bool silent, dead;          /* its present silence: noted past 1.0, past 1.5 of the keepalive */
    bool subscribed_activation; /* for the judgement at the end of an activation */
    UT_hash_handle hh;
};

struct sky_sessions {
    struct sky_session *by_device; /* hash */
    struct sky_session **by_slot;  /* owned; NULL entries are free */
    uint32_t *free_slots;          /* owned; numbers of those entries, the last is taken first */
    size_t slots, room, free_count;
    struct sky_product_info *products; /* hash by product id */
    uint64_t registry_generation;
    size_t online;
};

void sky_sessions_init(struct sky_sessions *sessions);
void sky_sessions_done(struct sky_app *app);

/* NULL when the device was never admitted since start. */
struct sky_session *sky_session_find(struct sky_app *app, int64_t device_id);
struct sky_session *sky_session_at(struct sky_app *app, uint32_t slot);
/* Finds or makes the session of a device of the registry. */
struct sky_session *sky_session_open(struct sky_app *app, const struct sky_product *product,
                                     const struct sky_device *device);
/* The device is not on its connection any more: that has closed, or another takes its place. What
 * a clean session held goes with it (3.1.2-6). */
void sky_session_detach(struct sky_app *app, struct sky_session *session);
/* Ends it for good: subscriptions, messages, conduct. Closes its connection. */
void sky_session_forget(struct sky_app *app, struct sky_session *session);
/* Drops subscriptions and messages, keeps conduct (clean session, 3.1.2-6). */
void sky_session_wipe(struct sky_app *app, struct sky_session *session);
/* Drops them if the device has been away for longer than its cloud keeps a session. */
void sky_session_expire(struct sky_app *app, struct sky_session *session);
/* Is the device to be reached, over MQTT or CoAP? */
bool sky_session_is_online(const struct sky_session *session);
/* Closes the device's connection, if any, and its CoAP channels, for the stated reason. False when
 * it is away. */
bool sky_session_kick(struct sky_app *app, struct sky_session *session, const char *reason);

/* Catches up with changes of the registry; called once a turn, costs nothing when there are none.
 */
void sky_sessions_follow(struct sky_app *app);

/* The product's view, up to date with the registry; NULL when the registry has no such product. */
struct sky_product_info *sky_product_info(struct sky_app *app, int64_t product_id);
const struct sky_policy *sky_product_policy(struct sky_app *app,
                                            const struct sky_product_info *product);

/* Books the judgement of one act into the device's conduct. */
void sky_session_judged(struct sky_app *app, struct sky_session *session,
                        const struct sky_judge *judge);

/* The uplink value for an act of this session, without topic and payload. */
struct sky_uplink sky_session_uplink(const struct sky_session *session);

#endif
