#include <inttypes.h>

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/login.h"
#include "protocol/cloud/tencent/rules.h"

/* What each recognised mistake means here. */
const struct sky_mistake_rule sky_tencent__mistakes[SKY_TENCENT_MISTAKES] = {
    {SKY_MISTAKE_KEY_NOT_DECODED, TEN_RULE(PSK_NOT_DECODED)},
    {SKY_MISTAKE_OTHER_DIGEST, TEN_RULE(HMAC_METHOD)},
};

struct sky_recipe sky_tencent__recipe(const struct sky_login *login,
                                      const struct sky_tencent_login *in, enum sky_digest digest)
{
    struct sky_recipe recipe = {.digest = digest,
                                .keying = SKY_HMAC,
                                .key_form = SKY_KEY_BASE64,
                                .style = {.values_only = true, .between = ";"}};
    if (!in->four) {
        sky_recipe_add(&recipe, "username", login->username);
        return recipe;
    }
    sky_recipe_add(&recipe, "clientId", in->client_id);
    sky_recipe_add(&recipe, "sdkappid", in->sdkappid);
    sky_recipe_add(&recipe, "connid", in->connid);
    sky_recipe_add(&recipe, "expiry", in->expiry);
    return recipe;
}

/* The documents' examples, and what the vendor's SDKs have built in. */
static const struct sky_sample samples[] = {
    {"sdkappid", "12010126"}, {"sdkappid", "21010406"},        {"connid", "12345"},
    {"connid", "E4F3Q"},      {"expiry", "92233720368547758"}, {"expiry", "9223372036854775807"},
    {"expiry", "2147483647"}, {"expiry", "1591948593"},
};

/* The method that the password names, or would name if a field's limit had not cut it off; then
 * `*ret_lost` is what was lost. NULL: none. */
static const struct sky_signmethod *method_of(const struct sky_tencent_login *in,
                                              sky_span *ret_lost)
{
    const struct sky_signmethod *whole = sky_tencent__signmethod(in->method);
    *ret_lost = SKY_SPAN_NONE;
    if (whole != NULL)
        return whole;
    for (size_t i = 0; i < SKY_TENCENT_SIGNMETHODS; i++) {
        const struct sky_signmethod *row = &sky_tencent__signmethods[i];
        sky_span name = sky_span_str(row->name);
        bool by_length = !in->pair || in->method.len <= strlen("hmacsha");
        if (sky_span_starts(name, in->method) &&
            (!by_length || in->token.len == 2 * sky_digest_len(row->digest))) {
            *ret_lost = sky_span_tail(name, in->method.len);
            return row;
        }
    }
    return in->pair ? NULL : &sky_tencent__signmethods[1];
}

bool sky_tencent__suspect(const struct sky_login *login, const struct sky_facts *facts,
                          struct sky_suspicion *s, struct sky_arena *arena)
{
    struct sky_tencent_login in;
    sky_span lost;
    sky_tencent__read(login, &in);
    if (!in.pair)
        in.token = login->password;
    const struct sky_signmethod *method = method_of(&in, &lost);
    if (method == NULL || facts->device == NULL || in.token.len == 0 ||
        facts->device->secret[0] == '\0')
        return false;
    s->due = sky_tencent__recipe(login, &in, method->digest);
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(facts->device->secret));
    sky_suspect_secret(s, SKY_SECRET_PRODUCT, sky_span_str(facts->product->secret));
    sky_suspect_secret(s, SKY_SECRET_OLD, sky_span_str(facts->device->old_secret));
    sky_suspect_samples(s, samples, SKY_COUNT(samples));
    s->product = sky_span_str(facts->product->key);
    s->device = sky_span_str(facts->device->key);
    s->given = in.token;
    s->frame = in.pair ? NULL : "token;method";
    s->secret_word = "psk";
    s->method = sky_span_str(method->name);
    /* Only a right token was certainly whole before the rest was lost. */
    if (lost.len > 0 && sky_sign_matches(&s->due, s->secrets[0].bytes, in.token)) {
        s->plain = SKY_MISTAKE_DIGEST_FORM;
        s->plain_did = sky_arena_printf(
            arena, "sent a password that is cut off at %zu characters: %s%.*s is missing",
            login->password.len, in.pair ? "" : ";", SKY_SPAN_ARGS(lost));
    }
    return true;
}

sky_err sky_tencent__check_secret(sky_span secret, struct sky_why *why)
{
    uint8_t bytes[SKY_TENCENT_KEY_MAX];
    size_t len;
    bool good = sky_base64_decode(secret, bytes, sizeof bytes, &len) && len > 0;
    sky_mem_wipe(bytes, sizeof bytes);
    if (good)
        return SKY_OK;
    return sky_why_set(why, SKY_ERR_INVALID, "",
                       "a psk is base64 of at most %d bytes; copy it with its '=' at the end",
                       SKY_TENCENT_KEY_MAX);
}

void sky_tencent__make_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1])
{
    SKY_ASSERT(fresh.len >= SKY_TENCENT_KEY_BYTES);
    sky_base64_encode(sky_span_head(fresh, SKY_TENCENT_KEY_BYTES), out);
}

/* ---- what a well-behaved device sends ---- */

/* The decoded key as it is. */
static const struct sky_psk_recipe psk_recipe = {.len = 0, .form = SKY_KEY_BASE64};

void sky_tencent__sign(const struct sky_sign_request *r, struct sky_arena *arena,
                       struct sky_credentials *c)
{
    struct sky_tencent_login in;
    struct sky_psk key;
    if (r->dynamic) { /* the secret is fetched over HTTPS: there is nothing to log in with before */
        *c = (struct sky_credentials){.client_id = SKY_SPAN_NONE};
        sky_tencent__sign_registration(r, arena, c);
        return;
    }
    *c = (struct sky_credentials){
        .client_id = sky_arena_printf(arena, "%s%s", r->product->key, r->device->key),
        .username = sky_arena_printf(arena, "%s%s;12010126;%.*s;%" PRId64, r->product->key,
                                     r->device->key, SKY_SPAN_ARGS(sky_span_head(r->fresh, 5)),
                                     r->now_ms / 1000 + SKY_TENCENT_SIGN_AHEAD_S)};
    const struct sky_login login = {.client_id = c->client_id, .username = c->username};
    sky_tencent__read(&login, &in);
    struct sky_recipe recipe = sky_tencent__recipe(&login, &in, SKY_SHA256);
    sky_span token = sky_credentials_signature(&recipe, r->device->secret, arena);
    c->password = sky_arena_printf(arena, "%.*s;hmacsha256", SKY_SPAN_ARGS(token));
    c->psk_identity = c->client_id;
    if (sky_psk_key(&psk_recipe, sky_span_str(r->device->secret), &key))
        c->psk_key_hex = sky_credentials_key(&key, arena);
}

/* ---- TLS-PSK: identity and client id are the same text ---- */

bool sky_tencent__psk_claim(const struct sky_door *door, sky_span identity,
                            struct sky_claim *ret_claim)
{
    (void)sky_identity_tail(&identity);
    if (door->transport == SKY_DTLS || identity.len == 0 ||
        sky_span_contains(identity, SKY_SPAN("|")) || sky_span_contains(identity, SKY_SPAN(",")))
        return false;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_JOINED,
                                    .product = identity,
                                    .seam = SKY_TENCENT_PRODUCT_ID,
                                    .affinity = SKY_AFFINITY_FITTING};
    return true;
}

bool sky_tencent__psk_admit(const struct sky_door *door, sky_span identity,
                            const struct sky_facts *facts, struct sky_judge *judge,
                            struct sky_psk *ret_key)
{
    const char *tail = sky_identity_tail(&identity);
    (void)door;
    if (tail != NULL &&
        sky_judge_broken(judge, TEN_RULE(PSK_IDENTITY),
                         "identity '%.*s' has %s behind it: pass its length without",
                         SKY_SPAN_ARGS(sky_admit_shown(identity)), tail))
        return false;
    sky_judge_rule(judge, TEN_RULE(PSK_IDENTITY), facts->device != NULL,
                   "identity '%.*s' is no product id with one of its device names",
                   SKY_SPAN_ARGS(sky_admit_shown(identity)));
    if (facts->device == NULL)
        return false;
    if (sky_judge_rule(judge, TEN_RULE(DEVICE_DISABLED), facts->device->enabled,
                       "device %s is disabled", facts->device->key))
        return false;
    sky_span secret = sky_span_str(facts->device->secret);
    bool decoded = sky_tencent__check_secret(secret, NULL) == SKY_OK;
    sky_judge_rule(judge, TEN_RULE(PSK_BASE64), decoded, "the key registered for %s is not base64",
                   facts->device->key);
    return decoded && sky_psk_key(&psk_recipe, secret, ret_key);
}

size_t sky_tencent__psk_guesses(const struct sky_door *door, sky_span identity,
                                const struct sky_facts *facts, struct sky_psk *ret_guesses)
{
    (void)door;
    (void)identity;
    if (facts->device == NULL)
        return 0;
    const struct sky_secret secrets[] = {
        {.role = SKY_SECRET_DUE, .bytes = sky_span_str(facts->device->secret)},
        {.role = SKY_SECRET_PRODUCT, .bytes = sky_span_str(facts->product->secret)},
        {.role = SKY_SECRET_OLD, .bytes = sky_span_str(facts->device->old_secret)},
    };
    return sky_psk_guesses(&psk_recipe, secrets, SKY_COUNT(secrets), ret_guesses,
                           SKY_PSK_GUESSES_MAX);
}
