/* Whoever answers for what was done: a party for each device, and for whoever was refused without
 * being one, under what it claimed to be or the listener it came to. What they break is booked as
 * it happens, so that a verdict reads no journal; but for what a test wants to see broken, which
 * counts against nobody. Knows no verdicts and no carriers. */
#ifndef SKY_SERVER_REGISTRY_PARTIES_H
#define SKY_SERVER_REGISTRY_PARTIES_H

#include "server/registry/expected.h"

/* From now on every event that shows a broken rule is booked with whoever did it. */
void sky_parties_watch(struct sky_registry *registry);
void sky_parties_done(struct sky_registry *registry); /* no session is left */

struct sky_party *sky_party_find(const struct sky_registry *registry, sky_span name);
/* NULL: it has shown nothing yet, or another device has its name now. */
struct sky_party *sky_party_of_id(const struct sky_registry *registry, int64_t device_id);
/* Finds or makes the party of a device of the registry. */
struct sky_party *sky_party_of_device(struct sky_registry *registry,
                                      const struct sky_product *product,
                                      const struct sky_device *device);
/* The device is in the registry no more: what it did stays, as long as there is room for strangers.
 * Nothing happens when another device has its name by now. */
void sky_party_leaves(struct sky_registry *registry, struct sky_party *party, int64_t device_id);
/* Was it a device, and has left? */
bool sky_party_is_gone(const struct sky_party *party);

/* What a peer that is no device goes by, from the fields of an event: what it claimed to be, or the
 * listener it came to. `ret_name` holds SKY_PARTY_NAME_MAX. */
void sky_party_claimed(const struct sky_attr *attrs, size_t count, struct sky_buf *ret_name);

/* For each period: its events count behind this number. */
static inline const uint64_t *sky_party_since(const struct sky_registry *registry,
                                              const struct sky_party *party)
{
    return party->past != NULL ? party->past->since : registry->parties.since;
}

/* Is it the named thing, or a part of it (sky_party_named_of())? */
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

/* Takes it into the present chapter, with what broke its rule in it before. LIMIT: there are too
 * many; `wanted` is untouched. Otherwise what it owns is taken over. */
SKY_MUST_USE sky_err sky_parties_expect(struct sky_registry *registry,
                                        const struct sky_expectation *wanted, int64_t *ret_id);
/* One event that matches its pattern happened before: it counts, and what it broke does not. */
void sky_parties_excuse(struct sky_registry *registry, struct sky_expectation *expectation,
                        const struct sky_event *event);

#endif
