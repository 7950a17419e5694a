#include <inttypes.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/enos/login.h"
#include "protocol/cloud/enos/rules.h"

struct sky_recipe sky_enos__recipe(const struct sky_enos_login *in, enum sky_digest digest)
{
    struct sky_recipe recipe = {
        .digest = digest, .keying = SKY_HASH_APPEND, .encoding = SKY_HEX_UPPER, .sorted = true};
    sky_span timestamp = sky_enos__item(in, "timestamp");
    sky_recipe_add(&recipe, "clientId", in->id);
    sky_recipe_add(&recipe, "deviceKey", in->device);
    sky_recipe_add(&recipe, "productKey", in->product);
    if (timestamp.ptr != NULL)
        sky_recipe_add(&recipe, "timestamp", timestamp);
    return recipe;
}

const char *sky_enos__secret(const struct sky_facts *facts, bool dynamic)
{
    return dynamic ? facts->product->secret : facts->device->secret;
}

/* What each recognised mistake means here. */
const struct sky_mistake_rule sky_enos__mistakes[SKY_ENOS_MISTAKES] = {
    {SKY_MISTAKE_VALUES_ONLY, ENOS_RULE(SIGN_CONTENT_ORDER)},
    {SKY_MISTAKE_FIELD_ORDER, ENOS_RULE(SIGN_CONTENT_ORDER)},
    {SKY_MISTAKE_FIELD_NAMES, ENOS_RULE(SIGN_CONTENT_ORDER)},
    {SKY_MISTAKE_SEPARATORS, ENOS_RULE(SIGN_CONTENT_ORDER)},
    {SKY_MISTAKE_SWAPPED_KEYS, ENOS_RULE(SIGN_CONTENT_ORDER)},
    {SKY_MISTAKE_WHOLE_CLIENT_ID, ENOS_RULE(SIGN_CONTENT_ORDER)},
    {SKY_MISTAKE_EXTRA_SIGNED, ENOS_RULE(SIGN_CONTENT_ORDER)},
    {SKY_MISTAKE_CLIENT_ID_PREFIX, ENOS_RULE(SIGN_CONTENT_ORDER)},
    {SKY_MISTAKE_TIMESTAMP_UNSENT, ENOS_RULE(TIMESTAMP_MISMATCH)},
    {SKY_MISTAKE_TIMESTAMP_LEFT_OUT, ENOS_RULE(TIMESTAMP_MISMATCH)},
    {SKY_MISTAKE_TIMESTAMP_UNIT, ENOS_RULE(TIMESTAMP_MISMATCH)},
    {SKY_MISTAKE_IS_HMAC, ENOS_RULE(SIGN_IS_HMAC)},
    {SKY_MISTAKE_PRODUCT_SECRET, ENOS_RULE(SIGN_WRONG_SECRET)},
    {SKY_MISTAKE_DEVICE_SECRET, ENOS_RULE(SIGN_WRONG_SECRET)},
    {SKY_MISTAKE_OLD_SECRET, ENOS_RULE(SECRET_STALE)},
};

/* The documents' examples, and what an SDK has built in. */
static const struct sky_sample samples[] = {
    {"clientId", "123"},
    {"clientId", "12345"},
    {"deviceKey", "device"},
    {"deviceKey", "tPbZGCdmaE"},
    {"productKey", "pk"},
    {"productKey", "KV315idW"},
    {"timestamp", "1548753362502"},
    {"timestamp", "2524608000000"},
};

bool sky_enos__suspect(const struct sky_login *login, const struct sky_facts *facts,
                       struct sky_suspicion *s, struct sky_arena *arena)
{
    struct sky_enos_login in;
    (void)arena;
    sky_enos__read(login, &in);
    const struct sky_signmethod *method = sky_enos__signmethod(&in);
    if (method == NULL || facts->device == NULL || facts->product == NULL ||
        login->password.len == 0 || sky_enos__secret(facts, in.dynamic)[0] == '\0')
        return false;
    s->due = sky_enos__recipe(&in, method->digest);
    s->secret_word = in.dynamic ? "productSecret" : "deviceSecret";
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(sky_enos__secret(facts, in.dynamic)));
    sky_suspect_secret(s, in.dynamic ? SKY_SECRET_DEVICE : SKY_SECRET_PRODUCT,
                       sky_span_str(sky_enos__secret(facts, !in.dynamic)));
    sky_suspect_secret(s, SKY_SECRET_OLD, sky_span_str(facts->device->old_secret));
    sky_suspect_samples(s, samples, SKY_COUNT(samples));
    sky_suspect_extra(s, "securemode", sky_enos__item(&in, "securemode"));
    sky_suspect_extra(s, "signmethod", sky_enos__item(&in, "signmethod"));
    s->whole_client_id = login->client_id;
    s->product = in.product;
    s->device = in.device;
    s->given = login->password;
    s->method = sky_span_str(method->name);
    return true;
}

void sky_enos__make_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1])
{
    sky_span_copy(sky_span_head(fresh, 32), out, SKY_SECRET_MAX + 1);
}

/* ---- what a well-behaved device sends ---- */

void sky_enos__sign(const struct sky_sign_request *r, struct sky_arena *arena,
                    struct sky_credentials *c)
{
    *c = (struct sky_credentials){
        .client_id =
            sky_arena_printf(arena, "%s|securemode=%d,signmethod=sha256,timestamp=%" PRId64 "|",
                             r->device->key, r->dynamic ? 3 : 2, r->now_ms),
        .username = sky_arena_printf(arena, "%s&%s", r->device->key, r->product->key)};
    struct sky_enos_login in;
    sky_enos__read(&(struct sky_login){.client_id = c->client_id, .username = c->username}, &in);
    struct sky_recipe recipe = sky_enos__recipe(&in, SKY_SHA256);
    c->password = sky_credentials_signature(
        &recipe, r->dynamic ? r->product->secret : r->device->secret, arena);
    if (r->dynamic)
        c->secret_topic = sky_enos__activation_topic(arena, sky_span_str(r->product->key),
                                                     sky_span_str(r->device->key));
    sky_enos__psk_credentials(r, arena, c);
}

/* ---- DTLS-PSK ---- */

/* 一机一密接入: the 9th to 24th byte of the secret's SHA-256. */
static const struct sky_psk_recipe psk_recipe = {
    .digest = SKY_SHA256, .from = SKY_ENOS_PSK_FROM, .len = SKY_ENOS_PSK_LEN};

/* Over DTLS every identity is meant for this cloud, so that a malformed one can be explained. */
bool sky_enos__psk_claim(const struct sky_door *door, sky_span identity,
                         struct sky_claim *ret_claim)
{
    struct sky_enos_identity id;
    if (door->transport != SKY_DTLS)
        return false;
    sky_enos__read_identity(identity, &id);
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED,
                                    .product = id.product,
                                    .device = id.device,
                                    .affinity = id.four ? SKY_AFFINITY_OWN : SKY_AFFINITY_OPEN};
    return true;
}

/* True when the identity is refused for its form. */
static bool judge_identity(sky_span text, const struct sky_enos_identity *id,
                           struct sky_judge *judge)
{
    int64_t lifetime_s = 0;
    sky_span bare = text;
    const char *tail = sky_identity_tail(&bare);
    bool bad = sky_judge_rule(judge, ENOS_RULE(COAP_IDENTITY_SHAPE), id->four,
                              "identity '%.*s' does not have four fields",
                              SKY_SPAN_ARGS(sky_admit_shown(bare)));
    if (!id->four)
        return true;
    if (id->braces)
        bad |=
            sky_judge_broken(judge, ENOS_RULE(COAP_IDENTITY_SHAPE),
                             "identity '%.*s' has its fields in braces: those are the document's",
                             SKY_SPAN_ARGS(sky_admit_shown(bare)));
    bad |= sky_judge_rule(judge, ENOS_RULE(COAP_IDENTITY_SPACE), !id->blanks,
                          "identity '%.*s' has %s%s", SKY_SPAN_ARGS(sky_admit_shown(bare)),
                          tail != NULL ? tail : "blanks in it",
                          tail != NULL ? " behind it: pass its length without" : "");
    bad |= sky_judge_rule(
        judge, ENOS_RULE(COAP_SECUREMODE), id->dynamic || sky_span_eq_str(id->mode, "2"),
        "secureMode is '%.*s'; 2 or 3 was expected", SKY_SPAN_ARGS(sky_admit_shown(id->mode)));
    bool number = sky_span_to_int(id->lifetime, &lifetime_s);
    bad |= sky_judge_rule(judge, ENOS_RULE(COAP_LIFETIME_RANGE),
                          number && lifetime_s >= SKY_ENOS_LIFETIME_MIN_S &&
                              lifetime_s <= SKY_ENOS_LIFETIME_MAX_S,
                          "lifetime is '%.*s'; %d to %d seconds are accepted",
                          SKY_SPAN_ARGS(sky_admit_shown(id->lifetime)), SKY_ENOS_LIFETIME_MIN_S,
                          SKY_ENOS_LIFETIME_MAX_S);
    return bad;
}

bool sky_enos__psk_admit(const struct sky_door *door, sky_span identity,
                         const struct sky_facts *facts, struct sky_judge *judge,
                         struct sky_psk *ret_key)
{
    struct sky_enos_identity id;
    (void)door;
    sky_enos__read_identity(identity, &id);
    sky_judge_kept(judge, ENOS_RULE(COAP_PORT)); /* it has come to this one */
    bool bad = judge_identity(identity, &id, judge);
    if (!id.four)
        return false;
    bool known = facts->device != NULL && facts->product != NULL;
    sky_judge_rule(judge, ENOS_RULE(COAP_DEVICE_UNKNOWN), known,
                   "product '%.*s' with device '%.*s' is not registered%s",
                   SKY_SPAN_ARGS(sky_admit_shown(id.product)),
                   SKY_SPAN_ARGS(sky_admit_shown(id.device)),
                   facts->swapped_known ? "; the two keys changed places" : "");
    if (!known)
        return false;
    bad |= sky_judge_rule(judge, ENOS_RULE(DEVICE_DISABLED), facts->device->enabled,
                          "device %s is disabled (code 723)", facts->device->key);
    bad |= sky_enos__judge_direct(facts, judge);
    if (id.dynamic) {
        bad |= sky_judge_rule(
            judge, ENOS_RULE(COAP_DYNAMIC_DISABLED), facts->product->dynamic_activation,
            "dynamic activation is switched off for product %s", facts->product->key);
        bad |= sky_judge_rule(
            judge, ENOS_RULE(DYNAMIC_ALREADY_ACTIVE), facts->device->state == SKY_DEVICE_INACTIVE,
            "device %s has been online with its secret already", facts->device->key);
    }
    const char *secret = sky_enos__secret(facts, id.dynamic);
    return !bad && secret[0] != '\0' && sky_psk_key(&psk_recipe, sky_span_str(secret), ret_key);
}

size_t sky_enos__psk_guesses(const struct sky_door *door, sky_span identity,
                             const struct sky_facts *facts, struct sky_psk *ret_guesses)
{
    struct sky_enos_identity id;
    (void)door;
    sky_enos__read_identity(identity, &id);
    if (facts->device == NULL || facts->product == NULL)
        return 0;
    const struct sky_secret secrets[] = {
        {.role = SKY_SECRET_DUE, .bytes = sky_span_str(sky_enos__secret(facts, id.dynamic))},
        {.role = id.dynamic ? SKY_SECRET_DEVICE : SKY_SECRET_PRODUCT,
         .bytes = sky_span_str(sky_enos__secret(facts, !id.dynamic))},
        {.role = SKY_SECRET_OLD, .bytes = sky_span_str(facts->device->old_secret)},
    };
    return sky_psk_guesses(&psk_recipe, secrets, sizeof secrets / sizeof secrets[0], ret_guesses,
                           SKY_PSK_GUESSES_MAX);
}

void sky_enos__psk_credentials(const struct sky_sign_request *r, struct sky_arena *arena,
                               struct sky_credentials *c)
{
    struct sky_psk key;
    const char *secret = r->dynamic ? r->product->secret : r->device->secret;
    if (!sky_psk_key(&psk_recipe, sky_span_str(secret), &key))
        return;
    c->psk_identity = sky_arena_printf(arena, "%s,%s,%d,3600", r->product->key, r->device->key,
                                       r->dynamic ? 3 : 2);
    c->psk_key_hex = sky_credentials_key(&key, arena);
    c->coap_method = r->dynamic ? SKY_SPAN("get") : SKY_SPAN("post");
    c->coap_path = sky_arena_printf(arena,
                                    r->dynamic ? "/topic/ext/session/%s/%s/thing/activate/info"
                                               : "/topic/sys/%s/%s/thing/model/up_raw",
                                    r->product->key, r->device->key);
}
