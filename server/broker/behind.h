/* Devices behind gateways: who is online by which gateway, what a gateway may do for them, and what
 * it is told of them. A device that is online so has a session of its own, which its gateway's
 * connection serves: rights, services, journal and verdict are its own. */
#ifndef SKY_SERVER_BROKER_BEHIND_H
#define SKY_SERVER_BROKER_BEHIND_H

#include "server/broker/broker.h"

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
/* The gateway makes use of a topic of the device: that brings it online, where its cloud has it so,
 * and breaks a rule if the gateway never said that it was. */
void sky_behind_use(struct sky_broker *broker, struct sky_session *gateway,
                    struct sky_session *device, struct sky_judge *judge);

/* The device is online by the gateway from now on, and nowhere else. `of` is the journal's number
 * of the act, here and below; 0: none. */
void sky_behind_online(struct sky_broker *broker, struct sky_session *gateway,
                       struct sky_session *device, uint64_t of);
/* It is not any more, for this reason, and the gateway's subscriptions to its topics end. */
void sky_behind_offline(struct sky_broker *broker, struct sky_session *device, const char *reason,
                        uint64_t of);
/* The device has come by itself: the gateway is told. */
void sky_behind_ousted(struct sky_broker *broker, struct sky_session *device);
/* None is online by this gateway any more. */
void sky_behind_part(struct sky_broker *broker, struct sky_session *gateway, const char *reason);

/* Binds, unless the cloud shares devices taking it from other gateways, who are told. LIMIT: as
 * many are bound as the cloud takes. */
SKY_MUST_USE sky_err sky_behind_bind(struct sky_broker *broker, int64_t gateway_id,
                                     const struct sky_product *product,
                                     const struct sky_device *device, uint64_t of);
/* OK also when it is not bound. */
SKY_MUST_USE sky_err sky_behind_unbind(struct sky_broker *broker, int64_t gateway_id,
                                       int64_t device_id, uint64_t of);

/* The application changed something about the device: its gateways are told, those that are online;
 * disabled, it goes offline. To be called before a deletion, after anything else. */
void sky_behind_changed(struct sky_broker *broker, const struct sky_product *product,
                        const struct sky_device *device, enum sky_behind_event event);
/* Tells one gateway. */
void sky_behind_tell(struct sky_broker *broker, int64_t gateway_id, enum sky_behind_event event,
                     const struct sky_product *product, const struct sky_device *device);

/* Takes the next two neighbouring levels of a topic that may be a product's key and a device's. */
bool sky_behind__next_pair(sky_span *rest, sky_span *ret_product, sky_span *ret_device);

/* ---- what a gateway's service is to know, and what it made of it ---- */

/* Looks up whom the service's message names: fills in the facts' peers, which live in the arena.
 * Fails when a document of theirs cannot be read. */
sky_err sky_behind_look_up(struct sky_broker *broker, const struct sky_session *gateway,
                           const struct sky_service *service, const struct sky_uplink *uplink,
                           struct sky_arena *arena, struct sky_facts *facts);
/* The device that a topic names, if the registry has it, likewise. */
void sky_behind_look_up_topic(struct sky_broker *broker, const struct sky_session *gateway,
                              const struct sky_uplink *uplink, struct sky_arena *arena,
                              struct sky_facts *facts);
/* The devices bound to it, and how many are online by it. */
sky_err sky_behind_list(struct sky_broker *broker, const struct sky_session *gateway,
                        struct sky_arena *arena, struct sky_facts *facts);
/* Books what was judged of each, and journals who was turned away, explained like a login. */
void sky_behind_judged(struct sky_broker *broker, const struct sky_service *service,
                       const struct sky_uplink *uplink, const struct sky_facts *facts, uint64_t of);

#endif
