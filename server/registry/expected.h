/* What a test wants to see broken: acts that break such a rule do not count against whoever did
 * them, and there have to be as many as was said. Knows no verdicts. */
#ifndef SKY_SERVER_REGISTRY_EXPECTED_H
#define SKY_SERVER_REGISTRY_EXPECTED_H

#include "server/registry/conduct.h"

enum { SKY_EXPECTATIONS_MAX = 1000 };
#define SKY_EXPECTED_COUNT_MAX INT64_C(1000000000)

struct sky_expectation {
    int64_t id;
    const struct sky_rule *rule;
    char *name; /* owned: of the device or product that may break it; "": of any */
    uint64_t min, max;
    uint64_t count; /* acts that broke it, in this chapter */
    struct sky_expectation *prev, *next;
};

/* Takes it into the present chapter, with what broke the rule in it before. LIMIT: there are too
 * many. `name` is copied. */
SKY_MUST_USE sky_err sky_expected_add(struct sky_registry *registry, const struct sky_rule *rule,
                                      const char *name, uint64_t min, uint64_t max,
                                      int64_t *ret_id);
/* What it covered stays covered. */
void sky_expected_drop(struct sky_registry *registry, struct sky_expectation *expectation);
struct sky_expectation *sky_expected_find(const struct sky_registry *registry, int64_t id);

/* The chapter of what is named so is over, and what was expected in it; empty: of all. */
void sky_expected_end(struct sky_registry *registry, sky_span name);

/* Counts an act of the party. True: it was expected, and is no one's fault. */
bool sky_expected_takes(struct sky_registry *registry, const struct sky_party *party,
                        const struct sky_judge *judge);
/* Puts what came too seldom or too often, and is the party's to answer for, among its proofs. */
void sky_expected_judge(const struct sky_registry *registry, const struct sky_party *party,
                        struct sky_conduct *conduct);

#endif
