/* What came of everybody who was here: which rules each exercised and which it broke, with the
 * numbers of the events that prove it. Values only: who does what is parties.h's business. */
#ifndef SKY_SERVER_REGISTRY_CONDUCT_H
#define SKY_SERVER_REGISTRY_CONDUCT_H

#include <string.h>

#include "protocol/base/index.h"
#include "protocol/base/rule.h"
#include "protocol/cloud/cloud.h"
#include "server/registry/behaviour.h"
#include "store/store.h"

enum {
    SKY_PARTY_NAME_MAX = 511,    /* bytes, escaped; the rest is cut */
    SKY_STRANGERS_MAX = 500,     /* parties that are no device; the oldest go */
    SKY_STRANGER_RULES_MAX = 64, /* broken rules of one of them that are kept */
    SKY_PROOF_EVENTS_MAX = 10,   /* numbers shown: of the first events, and of the last */
    SKY_PROOF_MISTAKE_MAX = 47,
    SKY_PROOF_EXPLANATION_MAX = 8 * 1024, /* bytes of JSON; a longer one is not kept */
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
    char *explanation; /* owned: the newest event's, a JSON object; NULL: it had none */
    struct sky_proof *next;
};

/* What a party did in some stretch of time: the raw material of a verdict. */
struct sky_conduct {
    struct sky_rule_set exercised;
    struct sky_proof *proofs; /* owned list, one for each broken rule */
    struct sky_behaviour behaviour;
};

static inline bool sky_conduct_is_empty(const struct sky_conduct *conduct)
{
    static const struct sky_rule_set none;
    return conduct->proofs == NULL && memcmp(&conduct->exercised, &none, sizeof none) == 0;
}
/* Adds one more event that shows it. */
void sky_proof_add(struct sky_proof *proof, uint64_t seq);
/* How many of its events are at hand. */
size_t sky_proof_shown(const struct sky_proof *proof);
/* NULL: the rule was not broken. */
const struct sky_proof *sky_conduct_proof(const struct sky_conduct *conduct,
                                          const struct sky_rule *rule);
/* The proof for the rule, empty when it is new. */
struct sky_proof *sky_conduct_take_proof(struct sky_conduct *conduct, const struct sky_rule *rule);
/* Takes it out of the conduct; returns how many events showed it, 0 when the rule was not broken.
 */
uint64_t sky_conduct_forgive(struct sky_conduct *conduct, const struct sky_rule *rule);
/* Takes one event out of what shows it; true: it was the last, and the proof is gone. */
bool sky_conduct_forget(struct sky_conduct *conduct, const struct sky_rule *rule, uint64_t seq);
/* Keeps a copy of the newest event's explanation, if it is no longer than a proof may have. */
void sky_proof_explain(struct sky_proof *proof, sky_span explanation);
/* Its figures, which are known from now on. */
static inline struct sky_behaviour *sky_conduct_take_behaviour(struct sky_conduct *conduct)
{
    conduct->behaviour.known = true;
    return &conduct->behaviour;
}
/* Adds what was done later. */
void sky_conduct_merge(struct sky_conduct *into, const struct sky_conduct *later);
void sky_conduct_done(struct sky_conduct *conduct); /* zeroed again */

/* From the last reset on, or from the start of the server. */
enum sky_period { SKY_CHAPTER, SKY_RUN, SKY_PERIODS };

/* What there is of a party of chapters before the present one. */
struct sky_past {
    uint64_t since[SKY_PERIODS]; /* its events count behind this number */
    struct sky_conduct run;      /* the chapters of the run before */
};

struct sky_party {
    struct sky_party *next;        /* all of them */
    const struct sky_cloud *cloud; /* NULL: unknown */
    int64_t device_id;             /* the newest of that name; 0: there was none */
    struct sky_conduct chapter;
    struct sky_past *past; /* owned; NULL: this chapter is its first */
    struct sky_behaviour_state going_on;
    uint32_t hash; /* of its name: sky_index_hash_text() */
    bool device;   /* of the registry, not only by its own word */
    bool answers;  /* stands for who is expected in this chapter, and may never come */
    char name[];   /* "cloud/product/device", or what it claimed to be */
};

/* Is a party's name that of the named thing, or of a part of it: "cloud", "cloud/product" or one
 * device? Everything is a part of "". */
bool sky_party_named_of(sky_span own, sky_span name);

/* All of them. Zeroed is empty. */
struct sky_parties {
    struct sky_party *list;   /* owned, in the order in which they came */
    struct sky_party *newest; /* the last of the list; NULL: it is empty */
    struct sky_index by_name; /* of all */
    struct sky_index by_id;   /* of those that have a device id */
    struct sky_party *last;   /* whose event came last, in case the next is of the same; or NULL */
    bool ids_matter;          /* packet ids are followed, until they are acknowledged */
    size_t strangers;
    uint64_t lost;               /* strangers that had to go, in this run */
    uint64_t since[SKY_PERIODS]; /* events count behind this number */
    uint64_t turned;             /* the last time that anybody began a new chapter */
};

#endif
