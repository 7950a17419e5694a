/* Sessions that live in the store: what a device with clean session 0 was promised outlives the
 * process. Everything joins the turn's transaction, which is durable before anybody is told. */
#ifndef SKY_SERVER_BROKER_KEPT_H
#define SKY_SERVER_BROKER_KEPT_H

#include "server/broker/broker.h"

/* From now on sessions are kept, and those that were are here again: their subscriptions at once,
 * their messages when they are needed. */
SKY_MUST_USE sky_err sky_kept_open(struct sky_broker *broker, struct sky_why *why);

/* All below do nothing when sessions are not kept. */

/* The device has a session to come back to, from now on or still. */
void sky_kept_begin(struct sky_broker *broker, struct sky_session *session);
/* It is away, since session->away_since_ms. */
void sky_kept_away(struct sky_broker *broker, struct sky_session *session);
void sky_kept_subscribed(struct sky_broker *broker, struct sky_session *session, sky_span filter,
                         uint8_t qos);
void sky_kept_unsubscribed(struct sky_broker *broker, struct sky_session *session, sky_span filter);
void sky_kept_drop(struct sky_broker *broker, struct sky_session *session);
/* A message comes back into the session, behind those that it has; the reference is taken over.
 * `packet_id` 0: it was never sent. Works without a keeper, too. */
void sky_kept_put_back(struct sky_session *session, struct sky_mqtt_msg *msg, uint16_t packet_id);
/* Messages that are still in the store only come here. */
void sky_kept_read(struct sky_broker *broker, struct sky_session *session);

#endif
