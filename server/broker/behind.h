/* Who stands behind which gateway, and what a gateway may do for them. A device that is online by a
 * gateway has a session of its own, which that one's connection serves: rights, services, journal
 * and verdict are its own. */
#ifndef SKY_SERVER_BROKER_BEHIND_H
#define SKY_SERVER_BROKER_BEHIND_H

#include "server/broker/broker.h"

/* Is it one that others may stand behind? */
bool sky_behind_is_gateway(const struct sky_session *session);

/* As sky_cloud_right() for this device; what it has no right to, one behind it may have. `*ret_row`
 * is as there; `*ret_subject` is set to the device whose topic that is, if that is one behind it.
 */
enum sky_right sky_behind_right(struct sky_broker *broker, const struct sky_session *session,
                                sky_span filter, unsigned want,
                                const struct sky_topic_row **ret_row,
                                const struct sky_session **ret_subject);
/* The device that a message to this gateway is for; `session` itself when for none behind it. */
struct sky_session *sky_behind_addressee(struct sky_broker *broker, struct sky_session *session,
                                         sky_span topic);
/* The device whose keys stand in the topic, of whichever cloud; NULL: none that was here has. */
struct sky_session *sky_behind_owner(const struct sky_broker *broker, sky_span topic);
/* Takes the next two neighbouring levels of a topic that may be a product's key and a device's. */
bool sky_behind_next_pair(sky_span *rest, sky_span *ret_product, sky_span *ret_device);

/* The device, which is not online, is by this gateway; or not any more. */
void sky_behind_link(struct sky_broker *broker, struct sky_session *gateway,
                     struct sky_session *device);
void sky_behind_unlink(struct sky_broker *broker, struct sky_session *device);

#endif
