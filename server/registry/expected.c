#include "server/registry/expected.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/registry/registry.h"

/* Who answers for an expectation of everybody. */
static const char everybody[] = "all devices";

static const char *answerable(const struct sky_expectation *e)
{
    return e->name[0] != '\0' ? e->name : everybody;
}

sky_err sky_expected_add(struct sky_registry *registry, const struct sky_rule *rule,
                         const char *name, uint64_t min, uint64_t max, int64_t *ret_id)
{
    struct sky_expectation *e;
    size_t count = 0;
    DL_FOREACH (registry->expected, e)
        count++;
    if (count >= SKY_EXPECTATIONS_MAX)
        return SKY_ERR_LIMIT;
    e = sky_mem_new(sizeof *e);
    *e = (struct sky_expectation){.id = ++registry->last_expected,
                                  .rule = rule,
                                  .name = sky_mem_dup(name, strlen(name)),
                                  .min = min,
                                  .max = max};
    DL_APPEND(registry->expected, e);
    struct sky_party *party, *next;
    sky_party_answers(registry, sky_span_str(answerable(e)));
    HASH_ITER (hh, registry->parties.by_name, party, next)
        if (sky_party_is_of(party, sky_span_str(name)))
            e->count += sky_party_excuse(registry, party, rule, max - e->count);
    *ret_id = e->id;
    return SKY_OK;
}

void sky_expected_drop(struct sky_registry *registry, struct sky_expectation *expectation)
{
    DL_DELETE(registry->expected, expectation);
    free(expectation->name);
    free(expectation);
}

void sky_expected_end(struct sky_registry *registry, sky_span name)
{
    struct sky_expectation *e, *next;
    DL_FOREACH_SAFE (registry->expected, e, next)
        if (sky_party_named_of(sky_span_str(e->name), name))
            sky_expected_drop(registry, e);
}

struct sky_expectation *sky_expected_find(const struct sky_registry *registry, int64_t id)
{
    struct sky_expectation *e;
    DL_FOREACH (registry->expected, e)
        if (e->id == id)
            return e;
    return NULL;
}

static bool breaks(const struct sky_judge *judge, const struct sky_rule *rule)
{
    for (size_t i = 0; i < judge->count; i++)
        if (judge->findings[i].rule == rule)
            return true;
    return false;
}

bool sky_expected_takes(struct sky_registry *registry, const struct sky_party *party,
                        const struct sky_judge *judge)
{
    struct sky_expectation *e;
    bool expected = false;
    DL_FOREACH (registry->expected, e) {
        if (!sky_party_is_of(party, sky_span_str(e->name)) || !breaks(judge, e->rule))
            continue;
        expected |= e->count < e->max;
        e->count++;
    }
    return expected;
}

void sky_expected_judge(const struct sky_registry *registry, const struct sky_party *party,
                        struct sky_conduct *conduct)
{
    const struct sky_expectation *e;
    DL_FOREACH (registry->expected, e) {
        if (strcmp(answerable(e), party->name) != 0 || (e->count >= e->min && e->count <= e->max))
            continue;
        struct sky_proof *proof = sky_conduct_take_proof(conduct, e->rule);
        bool few = e->count < e->min;
        proof->refused = true;
        snprintf(proof->detail, sizeof proof->detail, "expected %llu times at %s, came %llu times",
                 (unsigned long long)(few ? e->min : e->max), few ? "least" : "most",
                 (unsigned long long)e->count);
    }
}
