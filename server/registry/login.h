/* From CONNECT to CONNACK: whose claim it is, what the registry knows, what the cloud decides, and
 * for a refusal, why. */
#ifndef SKY_SERVER_REGISTRY_LOGIN_H
#define SKY_SERVER_REGISTRY_LOGIN_H

#include "protocol/cloud/cloud.h"
#include "protocol/mqtt/packet.h"
#include "server/registry/lookup.h"
#include "server/registry/refusal.h"

/* A CONNECT as the clouds see it; good for as long as both arguments are. */
struct sky_login sky_login_of(const struct sky_door *door, const struct sky_mqtt_connect *connect);

/* Picks the cloud whose claim on this login is best founded. False when none claims it. */
bool sky_login_recognise(struct sky_registry *registry, const struct sky_login *login,
                         struct sky_lookup *ret_lookup);

/* What a login came to. */
struct sky_login_outcome {
    bool postponed; /* nothing is decided: enough was searched in this turn, ask in another */
    uint8_t connack;
    enum sky_cause cause;
    unsigned traits;
    struct sky_refusal refusal;
};

/* Decides: cloud's admission, the general limits, and the explanation of a refusal. Changes
 * nothing but `judge` and `effects`. `lookup` may have no cloud. */
void sky_login_decide(struct sky_registry *registry, const struct sky_login *login,
                      const struct sky_mqtt_connect *connect, const struct sky_lookup *lookup,
                      struct sky_judge *judge, struct sky_effects *effects,
                      struct sky_login_outcome *ret_outcome);

#endif
