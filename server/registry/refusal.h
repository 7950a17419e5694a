/* Why somebody was refused, for the journal and the command line: the recognised mistake in a
 * signature, or the rule that decided, and a similar name where a name is unknown. */
#ifndef SKY_SERVER_REGISTRY_REFUSAL_H
#define SKY_SERVER_REGISTRY_REFUSAL_H

#include "protocol/base/buf.h"
#include "server/registry/lookup.h"

enum {
    SKY_REFUSAL_JSON_MAX =
        16 * 1024,               /* every text of an explanation, should each byte be escaped */
    SKY_SIMILAR_MAX = 8,         /* names as near as the nearest that are told */
    SKY_REFUSAL_OTHERS_MAX = 64, /* other devices of the product whose secrets are tried */
};

/* May another search for a mistake begin in this turn? */
bool sky_refusal_may_search(const struct sky_registry *registry);

struct sky_refusal {
    bool explained;  /* `explanation` is filled */
    bool slipped;    /* so it is, but there was no signature to explain */
    bool unsearched; /* there were too many to look for the mistake */
    bool stranger;   /* it was no cloud's login: each one's form is told */
    bool failed;     /* it is no mistake of the peer's: the store did not answer */
    struct sky_explanation explanation;
    const struct sky_rule *rule; /* of the mistake; NULL: it has none of its own */
    char similar[SKY_SIMILAR_MAX * (SKY_KEY_MAX + 2) + 1]; /* the nearest known name, or names, with
                                                              ", " between; "": none */
};

/* A wrong signature: adds the secrets of the product's other devices to `suspicion`, looks for the
 * mistake, and judges its rules, which `rule_of` finds (NULL for mistakes without one). */
void sky_refusal_explain(struct sky_registry *registry, const struct sky_lookup *lookup,
                         struct sky_suspicion *suspicion, struct sky_arena *arena,
                         const struct sky_rule *(*rule_of)(const void *ctx, enum sky_mistake m),
                         const void *ctx, struct sky_judge *judge, struct sky_refusal *ret_refusal);

/* An unknown name: looks for one that it may be a slip of. */
void sky_refusal_find_similar(struct sky_registry *registry, const struct sky_lookup *lookup,
                              struct sky_refusal *ret_refusal);

/* A login that is no device's: was something in it plainly not meant? */
void sky_refusal_find_slip(const struct sky_login *login, struct sky_refusal *ret_refusal);

/* As a JSON object. */
void sky_refusal_json(const struct sky_refusal *refusal, const struct sky_judge *judge,
                      struct sky_buf *out);

#endif
