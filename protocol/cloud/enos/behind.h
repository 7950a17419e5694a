/* What the services of gateways have in common: whom a message names, whether its sender may speak
 * for others, and what becomes of several devices at once. Private to this folder. */
#ifndef SKY_ENOS_BEHIND_H
#define SKY_ENOS_BEHIND_H

#include "protocol/cloud/enos/request.h"

/* The devices in the params, or in the member `list` of them: an object names one, a list many. */
size_t sky_enos__behind_read(const struct sky_uplink *uplink, struct sky_arena *arena,
                             const char *list, struct sky_peer ret_peers[SKY_PEERS_MAX]);
/* Is every entry of the list an object with both keys, and are there no more than can be looked
 * up? */
bool sky_enos__behind_is_sound(const struct sky_enos_request *request, sky_span list);

/* sky_enos__open() for a gateway's message. False: it has been answered, with `code` when the
 * sender is no gateway. */
bool sky_enos__behind_open(struct sky_enos_request *request, const struct sky_uplink *uplink,
                           const struct sky_facts *facts, struct sky_judge *judge,
                           struct sky_effects *effects, enum sky_enos_code code);

/* Judges whether a device's signature is right: as the device's conduct, and as the gateway's,
 * whose firmware it is that signs. True when it is refused. */
bool sky_enos__behind_judge_sign(const struct sky_enos_request *request, struct sky_peer *peer,
                                 bool right);

/* Devices to which one thing happens. */
struct sky_enos_group {
    int64_t *ids; /* in the arena */
    size_t count;
};
struct sky_enos_group sky_enos__group(const struct sky_enos_request *request);
/* Adds it once. */
void sky_enos__group_add(struct sky_enos_group *group, const struct sky_peer *peer);
/* Appends the effect, if there is anybody in the group. */
void sky_enos__group_effect(struct sky_effects *effects, enum sky_effect_kind kind,
                            const struct sky_enos_group *group);

/* Why devices are turned away, for a reply's message. */
struct sky_enos_reasons {
    struct sky_buf text;
    enum sky_enos_code code; /* of the first; OK: there is none */
};
void sky_enos__reasons_init(struct sky_enos_reasons *reasons);
void sky_enos__reasons_add(struct sky_enos_reasons *reasons, enum sky_enos_code code,
                           const struct sky_peer *peer, const char *why);
/* Ends them; the text in the arena. */
sky_span sky_enos__reasons_done(struct sky_enos_reasons *reasons, struct sky_arena *arena);

/* The parts of struct sky_cloud_gateway. */
extern const struct sky_cloud_gateway sky_enos__gateway;

#endif
