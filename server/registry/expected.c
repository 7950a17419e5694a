#include "server/registry/expected.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/registry/rules.h"

struct sky_expectation *sky_expected_add(struct sky_registry *registry,
                                         const struct sky_expectation *wanted)
{
    struct sky_expected *expected = &registry->expected;
    struct sky_expectation *e;
    size_t count;
    DL_COUNT(expected->list, e, count);
    if (count >= SKY_EXPECTATIONS_MAX)
        return NULL;
    e = sky_mem_new(sizeof *e);
    *e = *wanted;
    e->id = ++expected->last_id;
    e->name = sky_mem_dup(wanted->name, strlen(wanted->name));
    DL_APPEND(expected->list, e);
    if (e->pattern == NULL)
        return e;
    if (expected->names == NULL)
        expected->names = sky_mem_new(sizeof *expected->names);
    expected->names->store = registry->store;
    expected->patterns++;
    return e;
}

void sky_expected_drop(struct sky_registry *registry, struct sky_expectation *expectation)
{
    struct sky_expected *expected = &registry->expected;
    DL_DELETE(expected->list, expectation);
    expected->patterns -= expectation->pattern != NULL;
    sky_pattern_free(expectation->pattern);
    free(expectation->event);
    free(expectation->words);
    free(expectation->name);
    free(expectation);
}

struct sky_expectation *sky_expected_find(const struct sky_registry *registry, int64_t id)
{
    struct sky_expectation *e;
    DL_FOREACH (registry->expected.list, e)
        if (e->id == id)
            return e;
    return NULL;
}

const char *sky_expected_party(const struct sky_expectation *expectation)
{
    return expectation->name[0] != '\0' ? expectation->name : "all devices";
}

/* ---- what comes ---- */

/* One more; true when that was expected. */
static bool came(struct sky_expectation *e)
{
    return e->count++ < e->max;
}

bool sky_expected_breach(struct sky_registry *registry, sky_span party,
                         const struct sky_judge *judge)
{
    struct sky_expectation *e;
    bool covered = false;
    DL_FOREACH (registry->expected.list, e)
        if (e->rule != NULL && sky_party_named_of(party, sky_span_str(e->name)) &&
            sky_judge_found(judge, e->rule))
            covered |= came(e);
    return covered;
}

bool sky_expected_event(struct sky_registry *registry, uint64_t seq)
{
    char room[SKY_DEVICE_NAME_MAX + 1];
    struct sky_cursor cursor;
    struct sky_event event;
    struct sky_subject subject;
    struct sky_expectation *e;
    bool covered = false;
    sky_cursor_init(&cursor, registry->journal, seq);
    if (sky_cursor_find(&cursor, seq, &event)) {
        sky_subject_of_event(&cursor, registry->expected.names, &event, room, &subject);
        DL_FOREACH (registry->expected.list, e)
            if (e->pattern != NULL && sky_pattern_matches(e->pattern, &subject))
                covered |= came(e);
    }
    sky_cursor_done(&cursor);
    return covered;
}

/* ---- what comes of it ---- */

static void tell(const struct sky_expectation *e, struct sky_proof *proof)
{
    bool few = e->count < e->min;
    size_t len = strlen(proof->detail);
    snprintf(proof->detail + len, sizeof proof->detail - len,
             "%sexpected %s%s%llu times at %s, came %llu times", len > 0 ? "; " : "",
             e->words != NULL ? e->words : "", e->words != NULL ? ": " : "",
             (unsigned long long)(few ? e->min : e->max), few ? "least" : "most",
             (unsigned long long)e->count);
}

void sky_expected_judge(const struct sky_registry *registry, const char *party,
                        struct sky_conduct *conduct)
{
    const struct sky_rule *met = sky_door_rule(SKY_RULE_EXPECTED_EVENT);
    const struct sky_expectation *e;
    DL_FOREACH (registry->expected.list, e) {
        if (strcmp(sky_expected_party(e), party) != 0)
            continue;
        if (e->count < e->min || e->count > e->max) {
            struct sky_proof *proof =
                sky_conduct_take_proof(conduct, e->rule != NULL ? e->rule : met);
            if (e->rule != NULL)
                proof->detail[0] = '\0';
            proof->refused = true;
            tell(e, proof);
        } else if (e->rule == NULL && e->count > 0) {
            sky_rule_set_add(&conduct->exercised, sky_catalogue_place(&registry->catalogue, met));
        }
    }
}

void sky_expected_end(struct sky_registry *registry, sky_span name)
{
    struct sky_expectation *e, *next;
    DL_FOREACH_SAFE (registry->expected.list, e, next)
        if (sky_party_named_of(sky_span_str(e->name), name))
            sky_expected_drop(registry, e);
}

void sky_expected_done(struct sky_registry *registry)
{
    sky_expected_end(registry, SKY_SPAN_NONE);
    free(registry->expected.names);
    registry->expected.names = NULL;
}
