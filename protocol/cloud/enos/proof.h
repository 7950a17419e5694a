/* What a gateway shows for a device behind it: the fields of its signature, in the spelling of
 * every SDK, and whether they prove it. Private to this folder. */
#ifndef SKY_ENOS_PROOF_H
#define SKY_ENOS_PROOF_H

#include "protocol/cloud/admit.h"
#include "protocol/cloud/gateway.h"

struct sky_enos_proof {
    sky_span client_id, timestamp, sign, clean_session; /* as characters */
    sky_span method;                                    /* its name as sent; empty: none was */
    enum sky_digest digest;
    bool method_known;
    bool stated;  /* it says which secret signs */
    bool dynamic; /* the product's */
};

/* Reads an item; what it lacks is `outer`'s, where a batch states it once. Views into the item, or
 * into the arena. */
void sky_enos__proof_read(sky_span item, sky_span outer, struct sky_arena *arena,
                          struct sky_enos_proof *ret_proof);

/* Does the signature hold, for a device that is registered? `*ret_proof` says by which secret, if
 * it did not before. */
bool sky_enos__proof_holds(struct sky_enos_proof *proof, const struct sky_peer *peer);

/* As struct sky_service.suspect has it. */
bool sky_enos__proof_suspect(const struct sky_enos_proof *proof, const struct sky_peer *peer,
                             struct sky_suspicion *ret_suspicion);

#endif
