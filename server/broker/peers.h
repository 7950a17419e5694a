/* Devices that a gateway's message names: looked up for the cloud, and what it judged of them
 * booked. */
#ifndef SKY_SERVER_BROKER_PEERS_H
#define SKY_SERVER_BROKER_PEERS_H

#include "server/broker/broker.h"

/* Looks up whom the service's message names: fills in the facts' peers, which live in the arena.
 * Fails when a document of theirs cannot be read. */
SKY_MUST_USE sky_err sky_peers_look_up(struct sky_broker *broker, const struct sky_session *gateway,
                                       const struct sky_service *service,
                                       const struct sky_uplink *uplink, struct sky_arena *arena,
                                       struct sky_facts *facts);
/* The device that a topic names, if the registry has it, likewise. */
void sky_peers_look_up_topic(struct sky_broker *broker, const struct sky_session *gateway,
                             const struct sky_uplink *uplink, struct sky_arena *arena,
                             struct sky_facts *facts);
/* How many devices are bound to it and online by it. */
void sky_peers_count(struct sky_broker *broker, const struct sky_session *gateway,
                     struct sky_facts *facts);
/* The devices bound to it, and how many are online by it. */
SKY_MUST_USE sky_err sky_peers_list(struct sky_broker *broker, const struct sky_session *gateway,
                                    struct sky_arena *arena, struct sky_facts *facts);
/* Books what was judged of each, and journals who was turned away, explained like a login. */
void sky_peers_judged(struct sky_broker *broker, const struct sky_service *service,
                      const struct sky_uplink *uplink, const struct sky_facts *facts, uint64_t of);

#endif
