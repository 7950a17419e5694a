/* What tests expect of devices, by a rule that is broken or by a pattern of events: what it covers
 * counts against nobody, and when the chapter has seen less or more of it, that does. Knows nobody
 * but by name. */
#ifndef SKY_SERVER_REGISTRY_EXPECTED_H
#define SKY_SERVER_REGISTRY_EXPECTED_H

#include "server/pattern/pattern.h"
#include "server/registry/registry.h"

enum { SKY_EXPECTATIONS_MAX = 1000 };
#define SKY_EXPECTED_COUNT_MAX INT64_C(1000000000)

struct sky_expectation {
    int64_t id;
    const struct sky_rule *rule; /* that is broken; NULL: an event is expected, */
    struct sky_pattern *pattern; /* owned: this, of whoever is named; */
    char *event, *words;         /* owned: its JSON, and a sentence for people */
    char *name; /* owned: of the device or product that it is expected of; "": of any */
    uint64_t min, max;
    uint64_t count; /* how often it came in this chapter */
    struct sky_expectation *prev, *next;
};

/* Copies the name, takes over what else is owned. NULL: there are too many, and nothing was taken.
 */
struct sky_expectation *sky_expected_add(struct sky_registry *registry,
                                         const struct sky_expectation *wanted);
/* What it covered stays covered. */
void sky_expected_drop(struct sky_registry *registry, struct sky_expectation *expectation);
struct sky_expectation *sky_expected_find(const struct sky_registry *registry, int64_t id);
/* The party that answers when it does not come. */
const char *sky_expected_party(const struct sky_expectation *expectation);

/* Counts it wherever this party was expected to break a rule, or where the event matches; true when
 * some expectation covers it. */
bool sky_expected_breach(struct sky_registry *registry, sky_span party,
                         const struct sky_judge *judge);
bool sky_expected_event(struct sky_registry *registry, uint64_t seq);

/* Adds to its conduct what this party answers for, as things stand. */
void sky_expected_judge(const struct sky_registry *registry, const char *party,
                        struct sky_conduct *conduct);

/* The chapter of what is named so is over, and what was expected in it; empty: of all. */
void sky_expected_end(struct sky_registry *registry, sky_span name);
void sky_expected_done(struct sky_registry *registry);

#endif
