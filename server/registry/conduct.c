#include "server/registry/conduct.h"

#include <stdlib.h>

#include "protocol/base/mem.h"

const struct sky_proof *sky_conduct_proof(const struct sky_conduct *conduct,
                                          const struct sky_rule *rule)
{
    const struct sky_proof *proof = conduct->proofs;
    while (proof != NULL && proof->rule != rule)
        proof = proof->next;
    return proof;
}

/* Where the rule's proof stands, or would stand. */
static struct sky_proof **place_of(struct sky_conduct *conduct, const struct sky_rule *rule)
{
    struct sky_proof **at = &conduct->proofs;
    while (*at != NULL && (*at)->rule != rule)
        at = &(*at)->next;
    return at;
}

struct sky_proof *sky_conduct_take_proof(struct sky_conduct *conduct, const struct sky_rule *rule)
{
    struct sky_proof **at = place_of(conduct, rule);
    if (*at == NULL) {
        *at = sky_mem_new(sizeof **at);
        (*at)->rule = rule;
    }
    return *at;
}

size_t sky_proof_shown(const struct sky_proof *proof)
{
    return proof->count < SKY_PROOF_EVENTS_MAX ? (size_t)proof->count : SKY_PROOF_EVENTS_MAX;
}

/* The newest event always has the last place. */
void sky_proof_add(struct sky_proof *proof, uint64_t seq)
{
    proof->count++;
    proof->events[sky_proof_shown(proof) - 1] = seq;
}

/* Where more events showed it than are kept, the numbers stay as they are. */
bool sky_conduct_forget(struct sky_conduct *conduct, const struct sky_rule *rule, uint64_t seq)
{
    struct sky_proof *proof = *place_of(conduct, rule);
    if (proof == NULL)
        return false;
    if (proof->count <= 1) {
        sky_conduct_forgive(conduct, rule);
        return true;
    }
    size_t shown = sky_proof_shown(proof), at = 0;
    while (at < shown && proof->events[at] != seq)
        at++;
    if (proof->count <= SKY_PROOF_EVENTS_MAX && at < shown)
        memmove(&proof->events[at], &proof->events[at + 1],
                (shown - at - 1) * sizeof *proof->events);
    proof->count--;
    return false;
}

void sky_proof_explain(struct sky_proof *proof, sky_span explanation)
{
    free(proof->explanation);
    proof->explanation = explanation.len > 0 && explanation.len <= SKY_PROOF_EXPLANATION_MAX
                             ? sky_mem_dup(explanation.ptr, explanation.len)
                             : NULL;
}

static void free_proof(struct sky_proof *proof)
{
    free(proof->explanation);
    free(proof);
}

uint64_t sky_conduct_forgive(struct sky_conduct *conduct, const struct sky_rule *rule)
{
    struct sky_proof **at = place_of(conduct, rule);
    struct sky_proof *proof = *at;
    if (proof == NULL)
        return 0;
    uint64_t count = proof->count;
    *at = proof->next;
    free_proof(proof);
    return count;
}

static void merge_proof(struct sky_proof *into, const struct sky_proof *later)
{
    struct sky_proof before = *into;
    size_t shown = sky_proof_shown(&before);
    *into = *later;
    into->explanation = before.explanation;
    sky_proof_explain(into, later->explanation != NULL ? sky_span_str(later->explanation)
                                                       : SKY_SPAN_NONE);
    into->next = before.next;
    into->refused |= before.refused;
    into->count += before.count;
    memcpy(into->events, before.events, sizeof into->events);
    for (size_t i = 0; i < sky_proof_shown(later); i++)
        into->events[shown < SKY_PROOF_EVENTS_MAX ? shown++ : SKY_PROOF_EVENTS_MAX - 1] =
            later->events[i];
}

void sky_conduct_merge(struct sky_conduct *into, const struct sky_conduct *later)
{
    sky_rule_set_merge(&into->exercised, &later->exercised);
    for (const struct sky_proof *proof = later->proofs; proof != NULL; proof = proof->next)
        merge_proof(sky_conduct_take_proof(into, proof->rule), proof);
    if (later->behaviour.known)
        sky_behaviour_merge(sky_conduct_take_behaviour(into), &later->behaviour);
}

void sky_conduct_done(struct sky_conduct *conduct)
{
    while (conduct->proofs != NULL) {
        struct sky_proof *next = conduct->proofs->next;
        free_proof(conduct->proofs);
        conduct->proofs = next;
    }
    sky_behaviour_done(&conduct->behaviour);
    *conduct = (struct sky_conduct){0};
}

bool sky_party_named_of(sky_span own, sky_span name)
{
    return name.len == 0 || (sky_span_eq(sky_span_head(own, name.len), name) &&
                             (own.len == name.len || own.ptr[name.len] == '/'));
}
