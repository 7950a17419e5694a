#include "server/registry/parties.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"
#include "server/os/listeners.h"
#include "server/registry/rules.h"

/* ---- parties ---- */

static uint32_t hash_of_id(const void *party)
{
    return sky_index_hash_number(((const struct sky_party *)party)->device_id);
}

static bool has_id(const void *party, const void *id)
{
    return ((const struct sky_party *)party)->device_id == *(const int64_t *)id;
}

static uint32_t hash_of_name(const void *party)
{
    return ((const struct sky_party *)party)->hash;
}

static bool has_name(const void *party, const void *name)
{
    return sky_span_eq_str(*(const sky_span *)name, ((const struct sky_party *)party)->name);
}

static void forget_id(struct sky_parties *parties, struct sky_party *party)
{
    if (party->device_id != 0)
        sky_index_remove(&parties->by_id, party, hash_of_id);
    party->device_id = 0;
    parties->last = NULL;
}

/* One of those that make room for others. */
static bool is_stranger(const struct sky_party *party)
{
    return !party->device && !party->answers;
}

static struct sky_past *take_past(struct sky_registry *registry, struct sky_party *party)
{
    if (party->past == NULL) {
        party->past = sky_mem_new(sizeof *party->past);
        memcpy(party->past->since, registry->parties.since, sizeof party->past->since);
    }
    return party->past;
}

static void forget_past(struct sky_party *party)
{
    if (party->past != NULL)
        sky_conduct_done(&party->past->run);
    free(party->past);
    party->past = NULL;
}

/* The party behind the link, which then leads to the next one. */
static void drop(struct sky_parties *parties, struct sky_party **link)
{
    struct sky_party *party = *link;
    parties->strangers -= is_stranger(party);
    sky_index_remove(&parties->by_name, party, hash_of_name);
    *link = party->next;
    if (parties->newest == party)
        parties->newest =
            link != &parties->list ? SKY_CONTAINER_OF(link, struct sky_party, next) : NULL;
    forget_id(parties, party);
    sky_conduct_done(&party->chapter);
    forget_past(party);
    free(party);
}

static void make_room(struct sky_parties *parties)
{
    struct sky_party **link = &parties->list; /* the oldest first */
    while (parties->strangers > SKY_STRANGERS_MAX && *link != NULL) {
        if (is_stranger(*link)) {
            drop(parties, link);
            parties->lost++;
        } else {
            link = &(*link)->next;
        }
    }
}

struct sky_party *sky_party_find(const struct sky_registry *registry, sky_span name)
{
    return sky_index_find(&registry->parties.by_name, sky_index_hash_text(name), has_name, &name);
}

struct sky_party *sky_party_of_id(const struct sky_registry *registry, int64_t device_id)
{
    return sky_index_find(&registry->parties.by_id, sky_index_hash_number(device_id), has_id,
                          &device_id);
}

static struct sky_party *open_party(struct sky_registry *registry, sky_span name,
                                    const struct sky_cloud *cloud)
{
    struct sky_parties *parties = &registry->parties;
    struct sky_party *party = sky_party_find(registry, name);
    if (party != NULL)
        return party;
    party = sky_mem_new(offsetof(struct sky_party, name) + name.len + 1);
    memcpy(party->name, name.ptr, name.len);
    party->hash = sky_index_hash_text(name);
    party->cloud = cloud;
    parties->strangers++;
    sky_index_add(&parties->by_name, party, hash_of_name);
    *(parties->newest != NULL ? &parties->newest->next : &parties->list) = party;
    parties->newest = party;
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
    registry->parties.strangers -= is_stranger(party);
    party->device = true;
    if (party->device_id != device->id) {
        forget_id(&registry->parties, party);
        party->device_id = device->id;
        sky_index_add(&registry->parties.by_id, party, hash_of_id);
    }
    return party;
}

void sky_party_leaves(struct sky_registry *registry, struct sky_party *party, int64_t device_id)
{
    if (party->device_id != device_id)
        return;
    SKY_ASSERT(party->device);
    party->device = false;
    registry->parties.strangers += is_stranger(party);
    make_room(&registry->parties);
}

bool sky_party_is_gone(const struct sky_party *party)
{
    return !party->device && party->device_id != 0;
}

/* ---- what is expected ---- */

/* Makes sure of a party that stands for a device or product, or all of them, that may never come.
 */
static void answers(struct sky_registry *registry, sky_span name)
{
    sky_span cloud = name, rest;
    sky_span_cut(name, '/', &cloud, &rest);
    struct sky_party *party = open_party(registry, name, sky_cloud_find(cloud));
    registry->parties.strangers -= is_stranger(party);
    party->answers = true;
}

/* Takes what the party broke of the rule in this chapter off it, if it was `at_most` times; returns
 * how often. */
static uint64_t excuse(struct sky_registry *registry, struct sky_party *party,
                       const struct sky_rule *rule, uint64_t at_most)
{
    const struct sky_proof *proof = sky_conduct_proof(&party->chapter, rule);
    if (proof == NULL || proof->count > at_most)
        return 0;
    sky_rule_set_add(&party->chapter.exercised, sky_catalogue_place(&registry->catalogue, rule));
    return sky_conduct_forgive(&party->chapter, rule);
}

sky_err sky_parties_expect(struct sky_registry *registry, const struct sky_expectation *wanted,
                           int64_t *ret_id)
{
    struct sky_expectation *e = sky_expected_add(registry, wanted);
    struct sky_party *party;
    if (e == NULL)
        return SKY_ERR_LIMIT;
    answers(registry, sky_span_str(sky_expected_party(e)));
    LL_FOREACH (registry->parties.list, party)
        if (e->rule != NULL && sky_party_is_of(party, sky_span_str(e->name)))
            e->count += excuse(registry, party, e->rule, e->max - e->count);
    *ret_id = e->id;
    return SKY_OK;
}

/* ---- chapters ---- */

void sky_party_conduct(const struct sky_registry *registry, const struct sky_party *party,
                       enum sky_period period, struct sky_conduct *ret_conduct)
{
    *ret_conduct = (struct sky_conduct){0};
    if (period == SKY_RUN && party->past != NULL)
        sky_conduct_merge(ret_conduct, &party->past->run);
    sky_conduct_merge(ret_conduct, &party->chapter);
    sky_expected_judge(registry, party->name, ret_conduct);
}

/* What was done so far is of the run; or of nothing, if it is to be forgotten. */
static void turn(struct sky_registry *registry, struct sky_party *party, uint64_t seq, bool forget)
{
    struct sky_past *past = take_past(registry, party);
    past->since[SKY_CHAPTER] = seq;
    party->going_on = (struct sky_behaviour_state){0}; /* a connection of the old is none here */
    sky_expected_judge(registry, party->name, &party->chapter);
    registry->parties.strangers += party->answers && !party->device;
    party->answers = false;
    sky_conduct_merge(&past->run, &party->chapter);
    sky_conduct_done(&party->chapter);
    if (!forget)
        return;
    past->since[SKY_RUN] = seq;
    sky_conduct_done(&past->run);
}

void sky_parties_turn(struct sky_registry *registry, sky_span name, uint64_t seq, bool forget)
{
    struct sky_parties *parties = &registry->parties;
    struct sky_party **link = &parties->list, *party;
    bool all = forget && name.len == 0;
    parties->turned = seq;
    while ((party = *link) != NULL) {
        if (sky_party_is_of(party, name))
            turn(registry, party, seq, forget);
        if (all)
            forget_past(party); /* it is that of all */
        if (all && !party->device)
            drop(parties, link);
        else
            link = &party->next;
    }
    sky_expected_end(registry, name);
    make_room(parties);
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
    sky_expected_done(registry);
    while (registry->parties.list != NULL)
        drop(&registry->parties, &registry->parties.list);
    sky_index_done(&registry->parties.by_name);
    sky_index_done(&registry->parties.by_id);
}

/* ---- whose act it was ---- */

struct act {
    const struct sky_event_head *head;
    const struct sky_attr *attrs;
    size_t count;
};

static sky_span text_of(const struct act *act, enum sky_event_field field)
{
    const struct sky_attr *attr = sky_attr_find(act->attrs, act->count, field);
    return attr != NULL ? attr->bytes : SKY_SPAN_NONE;
}

/* A peer's word in a name: what would break a line, a list or the form of the name stands as \xNN.
 */
static void put_claimed(struct sky_buf *out, sky_span text)
{
    while (text.len > 0) {
        size_t len = sky_utf8_first(text);
        uint8_t first = (uint8_t)text.ptr[0];
        if (len == 0 || first < 0x20 || first == 0x7f || first == '/' || first == '\\') {
            sky_buf_addf(out, "\\x%02x", first);
            len = 1;
        } else {
            sky_buf_add(out, sky_span_head(text, len));
        }
        text = sky_span_tail(text, len);
    }
}

void sky_party_claimed(const struct sky_attr *attrs, size_t count, struct sky_buf *ret_name)
{
    static const struct {
        enum sky_event_field field;
        const char *word;
    } words[] = {{SKY_F_CLIENT_ID, "client id "},
                 {SKY_F_IDENTITY, "identity "},
                 {SKY_F_LISTENER, "listener "}};
    const struct act act = {.attrs = attrs, .count = count};
    sky_span cloud = text_of(&act, SKY_F_CLOUD), product = text_of(&act, SKY_F_PRODUCT),
             device = text_of(&act, SKY_F_DEVICE_KEY);
    if (cloud.len > 0 && product.len > 0 && device.len > 0) {
        put_claimed(ret_name, cloud);
        sky_buf_add_byte(ret_name, '/');
        put_claimed(ret_name, product);
        sky_buf_add_byte(ret_name, '/');
        put_claimed(ret_name, device);
    }
    for (size_t i = 0; i < SKY_COUNT(words) && ret_name->len == 0; i++) {
        sky_span word = text_of(&act, words[i].field);
        if (word.len == 0)
            continue;
        sky_buf_add_str(ret_name, words[i].word);
        put_claimed(ret_name, word);
    }
    if (ret_name->len == 0)
        sky_buf_add_str(ret_name, "a peer");
}

static struct sky_party *stranger_of(struct sky_registry *registry, const struct act *act)
{
    struct sky_buf name;
    sky_buf_init(&name, SKY_PARTY_NAME_MAX);
    sky_party_claimed(act->attrs, act->count, &name);
    struct sky_party *party =
        open_party(registry, sky_buf_span(&name), sky_cloud_find(text_of(act, SKY_F_CLOUD)));
    sky_buf_done(&name);
    return party;
}

/* NULL: an act of nobody, which was not refused for it. What it showed is told again with
 * the device that it comes to be. */
static struct sky_party *party_of(struct sky_registry *registry, const struct act *act,
                                  bool refused)
{
    struct sky_party *party = registry->parties.last;
    struct sky_product product;
    struct sky_device device;
    if (party != NULL && party->device_id == act->head->device_id)
        return party;
    party = sky_party_of_id(registry, act->head->device_id);
    if (party != NULL)
        return registry->parties.last = party;
    if (act->head->device_id != 0 &&
        sky_store_get_device(registry->store, act->head->device_id, &product, &device) == SKY_OK)
        return sky_party_of_device(registry, &product, &device);
    return refused ? stranger_of(registry, act) : NULL;
}

/* ---- booking ---- */

static size_t proofs_of(const struct sky_conduct *conduct)
{
    const struct sky_proof *proof;
    size_t count;
    LL_COUNT(conduct->proofs, proof, count);
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
                    sky_judge_found(judge, cloud->keepalive_rule);
    return replaced ? cloud->keepalive_rule : NULL;
}

static bool is_refused(const struct sky_judge *judge, const struct sky_rule *rule)
{
    return judge->refused != NULL && sky_policy_action(judge->policy, rule) == SKY_ENFORCE;
}

/* Every broken rule of an act, with the event that shows it. What failed anyhow was refused,
 * whatever is done about its rule. */
static void book_with(struct sky_registry *registry, struct sky_party *party, uint64_t seq,
                      const struct sky_judge *judge, bool failed, sky_span explanation,
                      bool expected)
{
    const struct sky_rule *explained = explained_rule(judge, explanation);
    expected |= sky_expected_breach(registry, sky_span_str(party->name), judge);
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
        sky_proof_add(proof, seq);
        memcpy(proof->detail, finding->detail, sizeof proof->detail);
        sky_proof_explain(proof, rule == explained ? explanation : SKY_SPAN_NONE);
        if (rule != explained)
            continue;
        put_text(proof->mistake, sizeof proof->mistake, sky_json_member(explanation, "mistake"));
        put_text(proof->what, sizeof proof->what, sky_json_member(explanation, "what"));
        if (strcmp(proof->what, proof->detail) == 0)
            proof->what[0] = '\0'; /* it says no more */
    }
}

/* What the event tells of a device's behaviour. Nothing that was only done to it makes it one that
 * was seen. */
static void behave(struct sky_registry *registry, const struct act *act, bool refused)
{
    const struct sky_behaviour_event event = {act->head, act->attrs, act->count, refused};
    struct sky_party *party = party_of(registry, act, false);
    if (party != NULL && (party->chapter.behaviour.known || act->head->direction == SKY_UP))
        sky_behaviour_add(sky_conduct_take_behaviour(&party->chapter), &party->going_on, &event,
                          sky_clock_lived_ms(registry->clock));
}

/* Whoever asks the API is a tool: what it leaves unread counts against nobody. One that speaks no
 * HTTP may be a device that takes it for its cloud. */
static bool is_askers(const struct act *act, const struct sky_judge *judge)
{
    const struct sky_listener_row *row = sky_listener_find(text_of(act, SKY_F_LISTENER));
    return row != NULL && row->allows & SKY_LISTEN_ADMIN &&
           !sky_judge_found(judge, sky_door_rule(SKY_RULE_DOOR_FIRST_BYTE));
}

/* A packet that cannot be read, or a handshake that was not carried through: nobody was let in. */
static void book(void *ctx, uint64_t seq, const struct sky_event_head *head,
                 const struct sky_attr *attrs, size_t count, const struct sky_judge *judge)
{
    struct sky_registry *registry = ctx;
    const struct act act = {head, attrs, count};
    bool idle = head->type == SKY_EVENT_PUBACK && head->direction == SKY_DOWN &&
                !registry->parties.ids_matter;
    if (head->device_id != 0 && sky_behaviour_reads(head->type) && !idle)
        behave(registry, &act, judge != NULL && judge->refused != NULL);
    bool expected = registry->expected.patterns > 0 && sky_expected_event(registry, seq);
    if (judge == NULL || judge->count == 0 || is_askers(&act, judge))
        return;
    sky_span explanation = text_of(&act, SKY_F_EXPLANATION);
    bool handshake = head->type == SKY_EVENT_TLS_HANDSHAKE || head->type == SKY_EVENT_PSK_HANDSHAKE;
    bool failed = head->type == SKY_EVENT_MALFORMED || (handshake && explanation.len > 0);
    struct sky_party *party = party_of(registry, &act, failed || judge->refused != NULL);
    if (party != NULL)
        book_with(registry, party, seq, judge, failed, explanation, expected);
}

/* As if it had been expected when it was booked. */
void sky_parties_excuse(struct sky_registry *registry, struct sky_expectation *expectation,
                        const struct sky_event *event)
{
    const struct act act = {&event->head, event->attrs, event->attr_count};
    if (expectation->count++ >= expectation->max || event->finding_count == 0)
        return;
    struct sky_party *party = party_of(registry, &act, true);
    for (size_t i = 0; i < event->finding_count; i++) {
        const struct sky_rule *rule =
            sky_catalogue_find(&registry->catalogue, event->findings[i].rule_id);
        if (rule != NULL && sky_conduct_forget(&party->chapter, rule, event->seq))
            sky_rule_set_add(&party->chapter.exercised,
                             sky_catalogue_place(&registry->catalogue, rule));
    }
}

void sky_parties_watch(struct sky_registry *registry)
{
    sky_journal_hear(registry->journal, book, registry);
}
