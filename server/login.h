/* From CONNECT to CONNACK: whose claim it is, what the registry knows, what the cloud decides, and
 * for a refusal, why. */
#ifndef SKY_SERVER_LOGIN_H
#define SKY_SERVER_LOGIN_H

#include "protocol/cloud/cloud.h"
#include "protocol/mqtt/packet.h"

struct sky_app;
struct sky_session;

/* What was looked up for a claim: values, so that nothing dangles. */
struct sky_lookup {
    const struct sky_cloud *cloud; /* NULL: no cloud recognised the claim */
    struct sky_claim claim;
    struct sky_product product;
    struct sky_device device;
    struct sky_token token;
    char fresh[65];
    struct sky_facts facts; /* points into this struct */
};

/* Fills `*ret_lookup` for a claim of `cloud`. */
void sky_lookup_claim(struct sky_app *app, const struct sky_cloud *cloud,
                      const struct sky_claim *claim, struct sky_lookup *ret_lookup);
/* A lookup points into itself: this copies it so that the copy points into the copy. */
void sky_lookup_copy(struct sky_lookup *to, const struct sky_lookup *from);
/* 3: the device is known; 2: the product is; 1: neither. */
int sky_lookup_known(const struct sky_lookup *lookup);

/* Picks the cloud whose claim on this login is best founded. False when none claims it. */
bool sky_login_recognise(struct sky_app *app, const struct sky_login *login,
                         struct sky_lookup *ret_lookup);

/* What a login came to. */
struct sky_login_outcome {
    uint8_t connack;
    enum sky_cause cause;
    unsigned traits;
    bool explained;
    struct sky_explanation explanation; /* when `explained` */
    char similar[SKY_KEY_MAX + 1];      /* for an unknown name: the nearest known one, or "" */
};

/* Decides: cloud's admission, the general limits, and the explanation of a refusal. Changes
 * nothing but `judge` and `effects`. `lookup` may have no cloud. */
void sky_login_decide(struct sky_app *app, const struct sky_login *login,
                      const struct sky_mqtt_connect *connect, const struct sky_lookup *lookup,
                      struct sky_judge *judge, struct sky_effects *effects,
                      struct sky_login_outcome *ret_outcome);

/* The explanation as a JSON object, for the journal and the command line. */
void sky_login_explain_json(const struct sky_login_outcome *outcome, const struct sky_judge *judge,
                            struct sky_buf *out);

#endif
