/* Who subscribes to what: filters of all subscribers, and the receivers of a topic.
 * Exact filters are found through a hash, filters with wildcards through a trie.
 * Subscribers are small numbers that mean nothing here. */
#ifndef SKY_MQTT_SUBS_H
#define SKY_MQTT_SUBS_H

#include "protocol/base/err.h"
#include "protocol/base/span.h"

enum {
    SKY_SUBS_PER_DEVICE_MAX = 1000,      /* filters; a cloud may set less */
    SKY_SUBS_PER_SUBSCRIBER_MAX = 32000, /* it may be a gateway, which has those of many devices */
    SKY_SUBS_TRIE_DEPTH_MAX = 128,       /* levels of a filter with wildcards */
    SKY_SUBS_SUBSCRIBERS_MAX = 1 << 20,  /* subscribers are numbers below this */
};

struct sky_subs;

struct sky_receiver {
    uint32_t subscriber;
    uint8_t qos; /* highest of its matching filters (3.3.5-1) */
};

/* A growable list of receivers; `list` is owned, free with sky_receivers_done(). */
struct sky_receivers {
    struct sky_receiver *list;
    size_t count, room;
};
void sky_receivers_done(struct sky_receivers *receivers);

struct sky_subs *sky_subs_new(void);
void sky_subs_free(struct sky_subs *subs);

/* Adds, or changes the QoS of, one subscription (3.8.4-3). LIMIT when the subscriber has too
 * many or the filter is too deep. The filter, which must be valid, is copied. */
SKY_MUST_USE sky_err sky_subs_add(struct sky_subs *subs, uint32_t subscriber, sky_span filter,
                                  uint8_t qos);
/* False when there was no such subscription. */
bool sky_subs_remove(struct sky_subs *subs, uint32_t subscriber, sky_span filter);
bool sky_subs_has(const struct sky_subs *subs, uint32_t subscriber, sky_span filter);
void sky_subs_drop(struct sky_subs *subs, uint32_t subscriber); /* all of one subscriber */
size_t sky_subs_count(const struct sky_subs *subs, uint32_t subscriber);

/* Calls `each` for every subscription of one subscriber, in no order. `each` must not change
 * subscriptions; the filter is valid until they change. */
void sky_subs_each(const struct sky_subs *subs, uint32_t subscriber,
                   void (*each)(void *ctx, sky_span filter, uint8_t qos), void *ctx);

/* Replaces the content of `*receivers` by everyone whose filters match, each once, in no order.
 * `topic` must be a valid name. */
void sky_subs_match(struct sky_subs *subs, sky_span topic, struct sky_receivers *receivers);

/* Grows with every change: a cached match is good while this stands still. */
uint64_t sky_subs_generation(const struct sky_subs *subs);

#endif
