/* What the registry knows of a claim: the facts a cloud decides on. */
#ifndef SKY_SERVER_REGISTRY_LOOKUP_H
#define SKY_SERVER_REGISTRY_LOOKUP_H

#include "server/registry/sessions.h"

enum { SKY_FRESH_LEN = 64 }; /* random characters drawn for every act */

/* Values, so that nothing dangles; `facts` points into this struct. */
struct sky_lookup {
    const struct sky_cloud *cloud; /* NULL: no cloud recognised the claim */
    struct sky_claim claim;
    struct sky_product product; /* id 0: unknown */
    struct sky_device device;   /* id 0: unknown */
    struct sky_token token;
    char fresh[SKY_FRESH_LEN + 1];
    struct sky_facts facts;
    bool failed; /* the store could not say: unknown does not mean unregistered */
};

/* Fills `*ret_lookup` for a claim of `cloud`. */
void sky_lookup_claim(struct sky_registry *registry, const struct sky_cloud *cloud,
                      const struct sky_claim *claim, struct sky_lookup *ret_lookup);
/* Fills `*ret_lookup` for an act of a session with what is read of it, SKY_READS_...: its device,
 * if the registry still has it, and random characters. */
void sky_lookup_session(struct sky_registry *registry, const struct sky_session *session,
                        unsigned reads, struct sky_lookup *ret_lookup);
/* Draws the random characters of `lookup`. */
void sky_lookup_fresh(struct sky_registry *registry, struct sky_lookup *lookup);
/* A lookup points into itself: this copies it so that the copy points into the copy. */
void sky_lookup_copy(struct sky_lookup *to, const struct sky_lookup *from);
/* How much is known, for choosing between clouds. */
enum sky_known {
    SKY_KNOWN_NOTHING = 1,
    SKY_KNOWN_PRODUCT, /* or the device, if both keys change places */
    SKY_KNOWN_DEVICE,
};
enum sky_known sky_lookup_known(const struct sky_lookup *lookup);
/* The policy that an act of this claimant is judged by. */
const struct sky_policy *sky_lookup_policy(struct sky_registry *registry,
                                           const struct sky_lookup *lookup);

#endif
