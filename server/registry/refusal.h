/* Why somebody was refused, for the journal and the command line: the recognised mistake in a
 * signature, or the rule that decided, and a similar name where a name is unknown. */
#ifndef SKY_SERVER_REGISTRY_REFUSAL_H
#define SKY_SERVER_REGISTRY_REFUSAL_H

#include "protocol/base/buf.h"
#include "server/registry/lookup.h"

enum {
    SKY_REFUSAL_JSON_MAX =
        16 * 1024,               /* every text of an explanation, should each byte be escaped */
    SKY_REFUSAL_OTHERS_MAX = 64, /* other devices of the product whose secrets are tried */

    /* A search costs milliseconds, and whoever logs in wrongly can ask for thousands. */
    SKY_SEARCHES_PER_TURN = 2,       /* of the loop; logins wait for another, calls do without */
    SKY_SEARCHES_WAITING_MAX = 1000, /* logins that wait; more are refused without a search */
};

/* How much was searched in this turn of the loop. */
struct sky_searches {
    uint32_t turn;
    unsigned count;
    size_t waiting; /* logins; kept by the port that lets them wait */
};

/* May another search for a mistake begin in this turn? */
bool sky_refusal_may_search(struct sky_app *app);

struct sky_refusal {
    bool explained;  /* `explanation` is filled */
    bool unsearched; /* there were too many to look for the mistake */
    bool failed;     /* it is no mistake of the peer's: the store did not answer */
    struct sky_explanation explanation;
    char similar[SKY_KEY_MAX + 1]; /* the nearest known name, or "" */
};

/* A wrong signature: adds the secrets of the product's other devices to `suspicion`, looks for the
 * mistake, and judges its rules, which `rule_of` finds (NULL for mistakes without one). */
void sky_refusal_explain(struct sky_app *app, const struct sky_lookup *lookup,
                         struct sky_suspicion *suspicion, struct sky_arena *arena,
                         const struct sky_rule *(*rule_of)(const void *ctx, enum sky_mistake m),
                         const void *ctx, struct sky_judge *judge, struct sky_refusal *ret_refusal);

/* An unknown name: looks for one that it may be a slip of. */
void sky_refusal_find_similar(struct sky_app *app, const struct sky_lookup *lookup,
                              struct sky_refusal *ret_refusal);

/* As a JSON object. */
void sky_refusal_json(const struct sky_refusal *refusal, const struct sky_judge *judge,
                      struct sky_buf *out);

#endif
