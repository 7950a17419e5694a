/* The one place where effects happen: everything a cloud wants done passes here, in order, is
 * journalled here. */
#ifndef SKY_SERVER_BROKER_EFFECTS_H
#define SKY_SERVER_BROKER_EFFECTS_H

#include "protocol/cloud/effects.h"
#include "server/broker/broker.h"

/* Where REPLY effects go instead of the topic's subscribers. */
struct sky_reply_sink {
    void (*take)(void *ctx, const struct sky_effect *reply);
    void *ctx;
};

/* Applies every effect of `effects` for `session`. `replies` NULL: they go to subscribers; `of` is
 * the number in the journal of the act that caused them. The first failure is
 * journalled and returned, and from then on nothing is sent that would say all went well. What the
 * store was told is durable only once sky_store_settle() says so. */
sky_err sky_apply(struct sky_broker *broker, struct sky_session *session,
                  const struct sky_reply_sink *replies, const struct sky_effects *effects,
                  uint64_t of);

#endif
