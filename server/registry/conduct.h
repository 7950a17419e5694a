/* What came of everybody who was here: which rules each exercised and which it broke, with the
 * numbers of the events that prove it. Kept as it happens, so that a verdict reads no journal.
 * Devices have a party each, and so has whoever was refused without being one: under what it
 * claimed to be, or under the listener it came to. Knows no verdicts and no carriers. */
#ifndef SKY_SERVER_REGISTRY_CONDUCT_H
#define SKY_SERVER_REGISTRY_CONDUCT_H

#include <string.h>
#include <uthash.h>

#include "protocol/base/rule.h"
#include "protocol/cloud/cloud.h"
#include "store/store.h"

struct sky_registry;

enum {
    SKY_PARTY_NAME_MAX = 511,    /* bytes, escaped; the rest is cut */
    SKY_STRANGERS_MAX = 500,     /* parties that are no device; the oldest go */
    SKY_STRANGER_RULES_MAX = 64, /* broken rules of one of them that are kept */
    SKY_PROOF_EVENTS_MAX = 10,   /* numbers shown: of the first events, and of the last */
    SKY_PROOF_MISTAKE_MAX = 47,
};

/* One rule broken by one party. */
struct sky_proof {
    const struct sky_rule *rule;
    bool refused; /* the cloud turned the device away for it */
    uint64_t count;
    uint64_t events[SKY_PROOF_EVENTS_MAX];   /* in order; the last one is the newest */
    char detail[SKY_FINDING_DETAIL_MAX];     /* of the newest */
    char mistake[SKY_PROOF_MISTAKE_MAX + 1]; /* recognised then; "": none */
    char what[SKY_FINDING_DETAIL_MAX];       /* the device did, in the words of that mistake */
    struct sky_proof *next;
};

/* What a party did in some stretch of time: the raw material of a verdict. */
struct sky_conduct {
    struct sky_rule_set exercised;
    struct sky_proof *proofs; /* owned list, one for each broken rule */
};

static inline bool sky_conduct_is_empty(const struct sky_conduct *conduct)
{
    static const struct sky_rule_set none;
    return conduct->proofs == NULL && memcmp(&conduct->exercised, &none, sizeof none) == 0;
}
/* How many of its events are at hand. */
size_t sky_proof_shown(const struct sky_proof *proof);
/* NULL: the rule was not broken. */
const struct sky_proof *sky_conduct_proof(const struct sky_conduct *conduct,
                                          const struct sky_rule *rule);
/* The proof for the rule, empty when it is new. */
struct sky_proof *sky_conduct_take_proof(struct sky_conduct *conduct, const struct sky_rule *rule);
/* Adds what was done later. */
void sky_conduct_merge(struct sky_conduct *into, const struct sky_conduct *later);
void sky_conduct_done(struct sky_conduct *conduct); /* zeroed again */

/* From the last reset on, or from the start of the server. */
enum sky_period { SKY_CHAPTER, SKY_RUN, SKY_PERIODS };

struct sky_party {
    char *name;                    /* owned: "cloud/product/device", or what it claimed to be */
    const struct sky_cloud *cloud; /* NULL: unknown */
    bool device;                   /* of the registry, not only by its own word */
    uint64_t since[SKY_PERIODS];   /* its events count behind this number */
    struct sky_conduct chapter, earlier; /* chapters of the run */
    UT_hash_handle hh;
};

/* All of them, in the order in which they came. Zeroed is empty. */
struct sky_parties {
    struct sky_party *by_name; /* hash */
    size_t strangers;
    uint64_t lost;               /* strangers that had to go, in this run */
    uint64_t since[SKY_PERIODS]; /* events count behind this number */
};

/* From now on every event that shows a broken rule is booked with whoever did it. */
void sky_parties_watch(struct sky_registry *registry);
void sky_parties_done(struct sky_registry *registry); /* no session is left */

struct sky_party *sky_party_find(const struct sky_registry *registry, sky_span name);
/* Finds or makes the party of a device of the registry. */
struct sky_party *sky_party_of_device(struct sky_registry *registry,
                                      const struct sky_product *product,
                                      const struct sky_device *device);
/* It is in the registry no more: what it did stays, as long as there is room for strangers. */
void sky_party_leaves(struct sky_registry *registry, struct sky_party *party);

/* Makes sure of a party that stands for a device or product, or all of them, that may never come.
 */
void sky_party_answers(struct sky_registry *registry, sky_span name);
/* Takes what the party broke of the rule in this chapter off it, if it was `at_most` times; returns
 * how often. */
uint64_t sky_party_excuse(struct sky_registry *registry, struct sky_party *party,
                          const struct sky_rule *rule, uint64_t at_most);

/* Is the party's name that of the named thing, or of a part of it: "cloud", "cloud/product" or one
 * device? Everything is a part of "". */
bool sky_party_named_of(sky_span own, sky_span name);
static inline bool sky_party_is_of(const struct sky_party *party, sky_span name)
{
    return sky_party_named_of(sky_span_str(party->name), name);
}

/* What it did in the period, and what was expected of it and did not come: a copy, for the caller
 * to give to sky_conduct_done(). */
void sky_party_conduct(const struct sky_registry *registry, const struct sky_party *party,
                       enum sky_period period, struct sky_conduct *ret_conduct);

/* What was expected in the old chapter of what is named so is judged with it. A new one begins
 * behind event `seq`; empty: for all. With `forget` the run does, too. */
void sky_parties_turn(struct sky_registry *registry, sky_span name, uint64_t seq, bool forget);

#endif
