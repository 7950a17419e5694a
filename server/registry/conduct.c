#include "server/registry/conduct.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"
#include "server/registry/expected.h"
#include "server/registry/sessions.h"

/* ---- conduct ---- */

const struct sky_proof *sky_conduct_proof(const struct sky_conduct *conduct,
                                          const struct sky_rule *rule)
{
    const struct sky_proof *proof = conduct->proofs;
    while (proof != NULL && proof->rule != rule)
        proof = proof->next;
    return proof;
}

struct sky_proof *sky_conduct_take_proof(struct sky_conduct *conduct, const struct sky_rule *rule)
{
    struct sky_proof **at = &conduct->proofs;
    while (*at != NULL && (*at)->rule != rule)
        at = &(*at)->next;
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
static void add_event(struct sky_proof *proof, uint64_t seq)
{
    proof->count++;
    proof->events[sky_proof_shown(proof) - 1] = seq;
}

static void merge_proof(struct sky_proof *into, const struct sky_proof *later)
{
    struct sky_proof before = *into;
    size_t shown = sky_proof_shown(&before);
    *into = *later;
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
}

void sky_conduct_done(struct sky_conduct *conduct)
{
    while (conduct->proofs != NULL) {
        struct sky_proof *next = conduct->proofs->next;
        free(conduct->proofs);
        conduct->proofs = next;
    }
    *conduct = (struct sky_conduct){0};
}

/* ---- parties ---- */

static void drop(struct sky_parties *parties, struct sky_party *party)
{
    parties->strangers -= !party->device;
    HASH_DEL(parties->by_name, party);
    sky_conduct_done(&party->chapter);
    sky_conduct_done(&party->earlier);
    free(party->name);
    free(party);
}

static void make_room(struct sky_parties *parties)
{
    struct sky_party *party, *next;
    HASH_ITER (hh, parties->by_name, party, next) { /* the oldest first */
        if (parties->strangers <= SKY_STRANGERS_MAX)
            return;
        if (party->device)
            continue;
        drop(parties, party);
        parties->lost++;
    }
}

struct sky_party *sky_party_find(const struct sky_registry *registry, sky_span name)
{
    struct sky_party *party;
    HASH_FIND(hh, registry->parties.by_name, name.ptr, name.len, party);
    return party;
}

static struct sky_party *open_party(struct sky_registry *registry, sky_span name,
                                    const struct sky_cloud *cloud)
{
    struct sky_parties *parties = &registry->parties;
    struct sky_party *party = sky_party_find(registry, name);
    if (party != NULL)
        return party;
    party = sky_mem_new(sizeof *party);
    party->name = sky_mem_new(name.len + 1);
    memcpy(party->name, name.ptr, name.len);
    party->cloud = cloud;
    memcpy(party->since, parties->since, sizeof party->since);
    parties->strangers++;
    HASH_ADD_KEYPTR(hh, parties->by_name, party->name, name.len, party);
    make_room(parties);
    return party;
}

struct sky_party *sky_party_of_device(struct sky_registry *registry,
                                      const struct sky_product *product,
                                      const struct sky_device *device)
{
    char name[SKY_STORE_TITLE_MAX + 1];
    int len = snprintf(name, sizeof name, "%s/%s/%s", product->cloud, product->key, device->key);
    SKY_ASSERT(len > 0 && (size_t)len < sizeof name);
    struct sky_party *party = open_party(registry, sky_span_of(name, (size_t)len),
                                         sky_cloud_find(sky_span_str(product->cloud)));
    registry->parties.strangers -= !party->device;
    party->device = true;
    return party;
}

void sky_party_leaves(struct sky_registry *registry, struct sky_party *party)
{
    SKY_ASSERT(party->device);
    party->device = false;
    registry->parties.strangers++;
    make_room(&registry->parties);
}

bool sky_party_named_of(sky_span own, sky_span name)
{
    return name.len == 0 || (sky_span_eq(sky_span_head(own, name.len), name) &&
                             (own.len == name.len || own.ptr[name.len] == '/'));
}

void sky_party_answers(struct sky_registry *registry, sky_span name)
{
    sky_span cloud = name, rest;
    sky_span_cut(name, '/', &cloud, &rest);
    open_party(registry, name, sky_cloud_find(cloud));
}

/* That it was exercised stays. */
uint64_t sky_party_excuse(struct sky_registry *registry, struct sky_party *party,
                          const struct sky_rule *rule, uint64_t at_most)
{
    struct sky_proof **at = &party->chapter.proofs;
    while (*at != NULL && (*at)->rule != rule)
        at = &(*at)->next;
    struct sky_proof *proof = *at;
    if (proof == NULL || proof->count > at_most)
        return 0;
    uint64_t count = proof->count;
    *at = proof->next;
    free(proof);
    sky_rule_set_add(&party->chapter.exercised, sky_catalogue_place(&registry->catalogue, rule));
    return count;
}

void sky_party_conduct(const struct sky_registry *registry, const struct sky_party *party,
                       enum sky_period period, struct sky_conduct *ret_conduct)
{
    *ret_conduct = (struct sky_conduct){0};
    if (period == SKY_RUN)
        sky_conduct_merge(ret_conduct, &party->earlier);
    sky_conduct_merge(ret_conduct, &party->chapter);
    sky_expected_judge(registry, party, ret_conduct);
}

void sky_parties_turn(struct sky_registry *registry, sky_span name, uint64_t seq, bool forget)
{
    struct sky_parties *parties = &registry->parties;
    struct sky_party *party, *next;
    HASH_ITER (hh, parties->by_name, party, next) {
        if (!sky_party_is_of(party, name))
            continue;
        party->since[SKY_CHAPTER] = seq;
        sky_expected_judge(registry, party, &party->chapter);
        sky_conduct_merge(&party->earlier, &party->chapter);
        sky_conduct_done(&party->chapter);
        if (!forget)
            continue;
        party->since[SKY_RUN] = seq;
        sky_conduct_done(&party->earlier);
        if (!party->device && name.len == 0)
            drop(parties, party);
    }
    sky_expected_end(registry, name);
    if (name.len > 0)
        return;
    parties->since[SKY_CHAPTER] = seq;
    if (!forget)
        return;
    parties->since[SKY_RUN] = seq;
    parties->lost = 0;
}

void sky_parties_done(struct sky_registry *registry)
{
    sky_expected_end(registry, SKY_SPAN_NONE);
    while (registry->parties.by_name != NULL)
        drop(&registry->parties, registry->parties.by_name);
}

/* ---- whose act it was ---- */

struct act {
    const struct sky_event_head *head;
    const struct sky_attr *attrs;
    size_t count;
};

static sky_span text_of(const struct act *act, enum sky_event_field field)
{
    for (size_t i = 0; i < act->count; i++)
        if (act->attrs[i].field == field)
            return act->attrs[i].bytes;
    return SKY_SPAN_NONE;
}

/* A peer's word in a name: what would break a line, a list or the form of the name stands as \xNN.
 */
static void put_claimed(struct sky_buf *out, sky_span text)
{
    while (text.len > 0) {
        size_t len = 1;
        while (len < 4 && len < text.len && sky_utf8_valid(sky_span_head(text, len)) != len)
            len++;
        uint8_t first = (uint8_t)text.ptr[0];
        if (sky_utf8_valid(sky_span_head(text, len)) != len || first < 0x20 || first == 0x7f ||
            first == '/' || first == '\\') {
            sky_buf_addf(out, "\\x%02x", first);
            len = 1;
        } else {
            sky_buf_add(out, sky_span_head(text, len));
        }
        text = sky_span_tail(text, len);
    }
}

static struct sky_party *stranger_of(struct sky_registry *registry, const struct act *act)
{
    static const struct {
        enum sky_event_field field;
        const char *word;
    } words[] = {{SKY_F_CLIENT_ID, "client id "},
                 {SKY_F_IDENTITY, "identity "},
                 {SKY_F_LISTENER, "listener "}};
    sky_span cloud = text_of(act, SKY_F_CLOUD), product = text_of(act, SKY_F_PRODUCT),
             device = text_of(act, SKY_F_DEVICE_KEY);
    struct sky_buf name;
    sky_buf_init(&name, SKY_PARTY_NAME_MAX);
    if (cloud.len > 0 && product.len > 0 && device.len > 0) {
        put_claimed(&name, cloud);
        sky_buf_add_byte(&name, '/');
        put_claimed(&name, product);
        sky_buf_add_byte(&name, '/');
        put_claimed(&name, device);
    }
    for (size_t i = 0; i < SKY_COUNT(words) && name.len == 0; i++) {
        sky_span word = text_of(act, words[i].field);
        if (word.len == 0)
            continue;
        sky_buf_add_str(&name, words[i].word);
        put_claimed(&name, word);
    }
    if (name.len == 0)
        sky_buf_add_str(&name, "a peer");
    struct sky_party *party = open_party(registry, sky_buf_span(&name), sky_cloud_find(cloud));
    sky_buf_done(&name);
    return party;
}

/* NULL: an act of nobody, which was not refused for it. What it showed is told again with
 * the device that it comes to be. */
static struct sky_party *party_of(struct sky_registry *registry, const struct act *act,
                                  bool refused)
{
    const struct sky_session *session = sky_session_find(registry, act->head->device_id);
    struct sky_product product;
    struct sky_device device;
    if (session != NULL)
        return session->party;
    if (act->head->device_id != 0 &&
        sky_store_get_device(registry->store, act->head->device_id, &product, &device) == SKY_OK)
        return sky_party_of_device(registry, &product, &device);
    return refused ? stranger_of(registry, act) : NULL;
}

/* ---- booking ---- */

static size_t proofs_of(const struct sky_conduct *conduct)
{
    size_t count = 0;
    for (const struct sky_proof *proof = conduct->proofs; proof != NULL; proof = proof->next)
        count++;
    return count;
}

static void put_text(char *out, size_t out_size, sky_span written)
{
    struct sky_buf text;
    sky_buf_init(&text, SKY_EXPLAIN_TEXT_MAX);
    sky_json_decode(&text, sky_json_text(written));
    size_t len = sky_utf8_valid(sky_span_head(sky_buf_span(&text), out_size - 1));
    memcpy(out, text.bytes != NULL ? text.bytes : "", len);
    out[len] = '\0';
    sky_buf_done(&text);
}

/* The mistake that was recognised goes with the rule that the explanation names, or else with the
 * one that refused. */
static const struct sky_rule *explained_rule(const struct sky_judge *judge, sky_span explanation)
{
    sky_span id = sky_json_text(sky_json_member(explanation, "rule"));
    for (size_t i = 0; i < judge->count; i++)
        if (sky_span_eq_str(id, judge->findings[i].rule->id))
            return judge->findings[i].rule;
    return judge->refused;
}

static bool breaks(const struct sky_judge *judge, const struct sky_rule *rule)
{
    for (size_t i = 0; i < judge->count; i++)
        if (judge->findings[i].rule == rule)
            return true;
    return false;
}

/* One cause is told once: the cloud's own rule takes the place of this general one. NULL: none
 * does.
 */
static const struct sky_rule *replaced_by(const struct sky_party *party,
                                          const struct sky_judge *judge,
                                          const struct sky_rule *rule)
{
    const struct sky_cloud *cloud = party->cloud;
    bool replaced = cloud != NULL && cloud->keepalive_rule != NULL &&
                    rule == sky_cloud_limit_rule(cloud, SKY_LIMIT_KEEPALIVE) &&
                    breaks(judge, cloud->keepalive_rule);
    return replaced ? cloud->keepalive_rule : NULL;
}

static bool is_refused(const struct sky_judge *judge, const struct sky_rule *rule)
{
    return judge->refused != NULL && sky_policy_action(judge->policy, rule) == SKY_ENFORCE;
}

/* Every broken rule of an act, with the event that shows it. What failed anyhow was refused,
 * whatever is done about its rule. */
static void book_with(struct sky_registry *registry, struct sky_party *party, uint64_t seq,
                      const struct sky_judge *judge, bool failed, sky_span explanation)
{
    const struct sky_rule *explained = explained_rule(judge, explanation);
    bool expected = sky_expected_takes(registry, party, judge);
    for (size_t i = 0; i < judge->count; i++) {
        const struct sky_finding *finding = &judge->findings[i];
        const struct sky_rule *own = replaced_by(party, judge, finding->rule);
        const struct sky_rule *rule = own != NULL ? own : finding->rule;
        if (expected) {
            sky_rule_set_add(&party->chapter.exercised,
                             sky_catalogue_place(&registry->catalogue, rule));
            continue;
        }
        if (!party->device && sky_conduct_proof(&party->chapter, rule) == NULL &&
            proofs_of(&party->chapter) >= SKY_STRANGER_RULES_MAX)
            continue;
        struct sky_proof *proof = sky_conduct_take_proof(&party->chapter, rule);
        proof->refused |= failed || is_refused(judge, finding->rule);
        if (own != NULL)
            continue;
        add_event(proof, seq);
        memcpy(proof->detail, finding->detail, sizeof proof->detail);
        if (rule != explained)
            continue;
        put_text(proof->mistake, sizeof proof->mistake, sky_json_member(explanation, "mistake"));
        put_text(proof->what, sizeof proof->what, sky_json_member(explanation, "what"));
        if (strcmp(proof->what, proof->detail) == 0)
            proof->what[0] = '\0'; /* it says no more */
    }
}

/* A packet that cannot be read, or a handshake that was not carried through: nobody was let in. */
static void book(void *ctx, uint64_t seq, const struct sky_event_head *head,
                 const struct sky_attr *attrs, size_t count, const struct sky_judge *judge)
{
    struct sky_registry *registry = ctx;
    const struct act act = {head, attrs, count};
    sky_span explanation = text_of(&act, SKY_F_EXPLANATION);
    bool handshake = head->type == SKY_EVENT_TLS_HANDSHAKE || head->type == SKY_EVENT_PSK_HANDSHAKE;
    bool failed = head->type == SKY_EVENT_MALFORMED || (handshake && explanation.len > 0);
    struct sky_party *party = party_of(registry, &act, failed || judge->refused != NULL);
    if (party != NULL)
        book_with(registry, party, seq, judge, failed, explanation);
}

void sky_parties_watch(struct sky_registry *registry)
{
    sky_journal_judged(registry->journal, book, registry);
}
