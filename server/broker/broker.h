/* Between devices: topics, rights, delivery, services, commands. The context that the room's parts
 * share; nothing here knows what carries a message. */
#ifndef SKY_SERVER_BROKER_BROKER_H
#define SKY_SERVER_BROKER_BROKER_H

#include "protocol/mqtt/subs.h"
#include "server/registry/sessions.h"
#include "server/wire/wire.h"

struct sky_act;
struct sky_broker;
struct sky_command_wait;
struct sky_topic_node;
struct sky_upgrade_wait;
struct sky_upgrade_watch;

/* See upgrades.h. */
struct sky_upgrades {
    struct sky_upgrade_watch *watches; /* hash by device */
    struct sky_upgrade_wait *waits;    /* list */
    size_t wait_count;
    struct sky_buf doomed; /* ids of images that are on their way out of the store; see images.h */
    struct sky_timer sweep;
    /* Are told of every change of a device's upgrades, and of those that come by a gateway. */
    void (*look)(struct sky_broker *broker, struct sky_session *session, uint64_t of);
    void (*arrived)(struct sky_broker *broker, const struct sky_session *session);
};

struct sky_commands {
    struct sky_command_wait *waiting; /* list */
    size_t count;
    uint32_t first_id, last_id; /* of this run; 0: none yet */
};

struct sky_broker {
    struct sky_registry *registry; /* borrowed, as the next */
    struct sky_wire *wire;
    struct sky_subs *subs;        /* owned */
    struct sky_topic_node *nodes; /* hash by name; see topics.h */
    size_t node_bytes;            /* taken by them */
    uint64_t last_node_id;
    uint64_t generation;          /* of the registry that they were made from */
    int64_t swept_ms;             /* real time of a sweep of images that made no room; 0: none */
    uint64_t epoch;               /* grows whenever nodes are forgotten: pointers to them die */
    struct sky_commands commands; /* see waits.h */
    struct sky_upgrades upgrades;
    const struct sky_net *net;  /* borrowed: for the port in links */
    const char *advertise_host; /* for what devices download; NULL: where they came */
    /* Tells a gateway that is connected what became of a device behind it; NULL: none is told. */
    void (*tell_gateway)(struct sky_broker *broker, struct sky_session *gateway,
                         enum sky_behind_event event, const struct sky_product *product,
                         const struct sky_device *device);
    size_t message_bytes;          /* memory of messages that are not acknowledged, or wait */
    struct sky_mqtt_keeper keeper; /* of sessions in the store, see kept.h; zeroed: none are */
    /* A publish of a device is in the journal under that number, and is carried. NULL: nobody asks.
     */
    void (*on_uplink)(void *ctx, const struct sky_act *act, uint64_t seq);
    void *on_uplink_ctx;
    /* Something is published to a topic, by a device or by the cloud, whoever subscribes. NULL:
     * nobody listens. */
    void (*overhear)(void *ctx, sky_span topic, sky_span payload, uint8_t qos, uint64_t of);
    void *overhear_ctx;
};

#endif
