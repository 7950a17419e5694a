#include "server/registry/psk.h"

#include <stdio.h>

#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/admit.h"
#include "server/tls/explain.h"
#include "server/tls/rules.h"

enum { PSK_EXPLANATION_MAX = 2048, OTHER_KEYS_MAX = 64 };

/* The cloud whose claim on the identity is best founded, or none. */
static bool recognise(struct sky_registry *registry, const struct sky_door *door, sky_span identity,
                      struct sky_lookup *ret_lookup)
{
    int best = 0;
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        const struct sky_cloud *cloud = sky_clouds[i];
        struct sky_claim claim;
        struct sky_lookup lookup;
        if (cloud->psk == NULL || !cloud->psk->claim(door, identity, &claim))
            continue;
        sky_lookup_claim(registry, cloud, &claim, &lookup);
        int here = sky_lookup_known(&lookup) * 1000 + claim.affinity;
        if (here > best) {
            best = here;
            sky_lookup_copy(ret_lookup, &lookup);
        }
    }
    return best > 0;
}

static void record(struct sky_registry *registry, const struct sky_door *door, uint32_t connection,
                   const struct sky_psk_try *psk, sky_span cipher, sky_span explanation,
                   const struct sky_judge *judge)
{
    struct sky_attr attrs[9] = {SKY_ATTR(LISTENER, sky_span_str(door->listener->name)),
                                SKY_ATTR(PEER, sky_span_str(psk->peer)),
                                SKY_ATTR(IDENTITY, sky_span_str(psk->identity))};
    size_t count = 3;
    if (psk->cloud != NULL)
        attrs[count++] = SKY_ATTR(CLOUD, sky_span_str(psk->cloud->name));
    attrs[count++] = SKY_ATTR(DETAIL, cipher.len > 0 ? cipher : SKY_SPAN("refused"));
    if (cipher.len > 0) {
        attrs[count++] = SKY_ATTR(CIPHER, cipher);
        attrs[count++] =
            SKY_ATTR(TLS_VERSION, door->transport == SKY_DTLS
                                      ? SKY_SPAN("DTLS 1.2")
                                      : sky_span_str(sky_tls_version_name(door->tls_version)));
        if (door->transport == SKY_DTLS && psk->cloud->coap != NULL &&
            psk->cloud->coap->lifetime_ms != NULL)
            attrs[count++] = SKY_ATTR_INT(
                KEEPALIVE, psk->cloud->coap->lifetime_ms(sky_span_str(psk->identity)) / 1000);
    }
    if (explanation.len > 0)
        attrs[count++] = SKY_ATTR(EXPLANATION, explanation);
    const struct sky_event_head head = {.type = SKY_EVENT_PSK_HANDSHAKE,
                                        .direction = SKY_UP,
                                        .transport = door->transport,
                                        .connection = connection,
                                        .device_id = psk->device_id};
    sky_journal_add(registry->journal, &head, attrs, count, judge);
}

static void explain(struct sky_buf *out, const char *what, const char *mistake,
                    const struct sky_rule *rule, const struct sky_catalogue *catalogue)
{
    struct sky_jw jw = sky_jw(out);
    sky_jw_object(&jw);
    if (mistake[0] != '\0')
        sky_jw_put_str(&jw, "mistake", mistake);
    sky_jw_put_str(&jw, "what", what);
    sky_jw_put_str(&jw, "hint", sky_catalogue_hint(catalogue, rule));
    sky_jw_put_str(&jw, "rule", rule->id);
    sky_jw_end_object(&jw);
}

/* Books the judgement with the device, if it is one, and journals it with its explanation. */
static void record_refusal(struct sky_registry *registry, const struct sky_door *door,
                           uint32_t connection, const struct sky_psk_try *psk,
                           const struct sky_lookup *lookup, const struct sky_judge *judge,
                           const char *mistake)
{
    struct sky_buf explanation;
    sky_buf_init(&explanation, PSK_EXPLANATION_MAX);
    if (judge->count > 0) {
        const struct sky_finding *last = &judge->findings[judge->count - 1];
        explain(&explanation, last->detail, mistake, last->rule, &registry->catalogue);
    }
    if (lookup->device.id != 0)
        sky_session_judged(sky_session_open(registry, &lookup->product, &lookup->device), judge);
    record(registry, door, connection, psk, SKY_SPAN_NONE, sky_buf_span(&explanation), judge);
    sky_buf_done(&explanation);
}

/* Is it, by the other kind of encryption, a registered device's? Then that cloud. */
static const struct sky_cloud *cloud_elsewhere(struct sky_registry *registry,
                                               const struct sky_door *door, sky_span identity)
{
    struct sky_door other = *door;
    struct sky_lookup lookup = {0};
    other.transport = door->transport == SKY_DTLS ? SKY_TLS : SKY_DTLS;
    return recognise(registry, &other, identity, &lookup) && lookup.device.id != 0 ? lookup.cloud
                                                                                   : NULL;
}

static void judge_stranger(struct sky_registry *registry, const struct sky_door *door,
                           sky_span identity, const char *text, struct sky_judge *judge)
{
    const struct sky_rule *rule = sky_tls_rule(SKY_RULE_TLS_PSK_IDENTITY);
    const struct sky_cloud *cloud = cloud_elsewhere(registry, door, identity);
    bool datagrams = door->transport == SKY_DTLS;
    if (cloud != NULL)
        sky_judge_broken(
            judge, rule,
            "the identity '%s' is a registered device's, but %s takes it over %s only, "
            "not over %s",
            text, cloud->title, datagrams ? "TLS" : "DTLS", datagrams ? "DTLS" : "TLS");
    else
        sky_judge_broken(judge, rule, "identity '%s' has the shape of no cloud's", text);
}

bool sky_psk_open(struct sky_registry *registry, const struct sky_door *door, uint32_t connection,
                  const char *peer, sky_span identity, struct sky_psk_try *ret_try)
{
    struct sky_lookup lookup = {0};
    struct sky_judge judge;
    *ret_try = (struct sky_psk_try){0};
    sky_tls_identity_text(identity, ret_try->identity);
    snprintf(ret_try->peer, sizeof ret_try->peer, "%s", peer);
    const struct sky_tls_identity_mistake *mistake = sky_tls_identity_mistake(identity, &identity);
    sky_judge_init(&judge, &registry->policy);
    bool admitted = false, recognised = recognise(registry, door, identity, &lookup);
    if (recognised) {
        ret_try->cloud = lookup.cloud;
        ret_try->device_id = lookup.device.id;
        judge.policy = sky_lookup_policy(registry, &lookup);
    }
    if (mistake != NULL)
        sky_judge_broken(&judge, sky_tls_rule(SKY_RULE_TLS_PSK_IDENTITY), "the identity '%s' %s%s",
                         ret_try->identity, mistake->what,
                         lookup.device.id != 0 ? "; without it, it is a registered device's" : "");
    else if (!recognised)
        judge_stranger(registry, door, identity, ret_try->identity, &judge);
    else
        admitted = lookup.cloud->psk->admit(door, identity, &lookup.facts, &judge, &ret_try->key) &&
                   lookup.device.id != 0;
    if (!admitted) {
        ret_try->key.len = 0;
        record_refusal(registry, door, connection, ret_try, &lookup, &judge,
                       mistake != NULL ? mistake->name : "");
        return false;
    }
    sky_session_judged(sky_session_open(registry, &lookup.product, &lookup.device), &judge);
    return true;
}

void sky_psk_done(struct sky_registry *registry, const struct sky_door *door, uint32_t connection,
                  const struct sky_psk_try *psk, sky_span cipher)
{
    struct sky_judge judge;
    struct sky_session *session = sky_session_find(registry, psk->device_id);
    sky_judge_init(&judge, sky_product_policy(registry, session != NULL ? session->product : NULL));
    const struct sky_cloud_psk *keys = psk->cloud->psk;
    if (keys->key_rule != NULL)
        sky_judge_kept(&judge, keys->key_rule);
    sky_admit_no_mistake(keys->mistake_rules, keys->mistake_rule_count, &judge);
    if (session != NULL)
        sky_session_judged(session, &judge);
    record(registry, door, connection, psk, cipher, SKY_SPAN_NONE, &judge);
}

/* ---- the key was wrong ---- */

/* The search for the key that the device used. */
struct search {
    struct sky_registry *registry;
    const struct sky_door *door;
    sky_span identity;
    const struct sky_lookup *lookup;
    bool (*fits)(void *ctx, const struct sky_psk *guess);
    void *ctx;
    struct sky_psk found; /* len 0: not yet */
};

static void try_guesses(struct search *search)
{
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    size_t count = search->lookup->cloud->psk->guesses(search->door, search->identity,
                                                       &search->lookup->facts, guesses);
    for (size_t i = 0; i < count && search->found.len == 0; i++)
        if (search->fits(search->ctx, &guesses[i]))
            search->found = guesses[i];
}

/* The key that would be due to another device of the product. */
static bool try_other(void *ctx, const struct sky_product *product, const struct sky_device *device)
{
    struct search *search = ctx;
    struct sky_facts facts = search->lookup->facts;
    struct sky_judge unused;
    struct sky_psk key;
    if (device->id == search->lookup->device.id)
        return true;
    facts.product = product;
    facts.device = device;
    sky_judge_init(&unused, &search->registry->policy);
    if (!search->lookup->cloud->psk->admit(search->door, search->identity, &facts, &unused, &key) ||
        !search->fits(search->ctx, &key))
        return true;
    search->found = key;
    search->found.mistake = SKY_MISTAKE_OTHER_DEVICE;
    snprintf(search->found.what, sizeof search->found.what, "the key of another device, %s",
             device->key);
    return false;
}

static void judge_key(const struct search *search, const struct sky_psk_try *psk,
                      struct sky_judge *judge)
{
    const struct sky_rule *rule = psk->cloud->psk->key_rule;
    if (rule == NULL)
        rule = sky_tls_rule(SKY_RULE_TLS_PSK_KEY);
    if (search->found.len == 0) {
        sky_judge_broken(judge, rule, "wrong key for '%s'; no known mistake leads to it",
                         psk->identity);
        return;
    }
    sky_judge_broken(judge, rule, "wrong key for '%s': the device used %s", psk->identity,
                     search->found.what);
    const struct sky_rule *special = sky_cloud_psk_mistake_rule(psk->cloud, search->found.mistake);
    if (special != NULL && special != rule)
        sky_judge_broken(judge, special, "the device used %s", search->found.what);
}

void sky_psk_failed(struct sky_registry *registry, const struct sky_door *door, uint32_t connection,
                    const struct sky_psk_try *psk,
                    bool (*fits)(void *ctx, const struct sky_psk *guess), void *ctx)
{
    struct sky_lookup lookup = {0};
    struct sky_judge judge;
    sky_span identity = sky_span_str(psk->identity);
    if (!recognise(registry, door, identity, &lookup))
        return;
    struct search search = {registry, door, identity, &lookup, fits, ctx, {.len = 0}};
    if (fits != NULL) {
        try_guesses(&search);
        if (search.found.len == 0 && lookup.product.id != 0 &&
            sky_store_each_device(registry->store, lookup.product.id, 0, OTHER_KEYS_MAX + 1,
                                  try_other, &search) != SKY_OK)
            search.found.len = 0; /* without the others the mistake stays unknown */
    }
    sky_judge_init(&judge, sky_lookup_policy(registry, &lookup));
    judge_key(&search, psk, &judge);
    record_refusal(registry, door, connection, psk, &lookup, &judge,
                   search.found.len > 0 ? sky_mistake_name(search.found.mistake) : "");
}
