#include <inttypes.h>
#include <stdio.h>

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

static sky_span keep_key(struct sky_arena *arena, const char *text)
{
    struct sky_tencent_key key;
    sky_tencent__decode_key(text, &key);
    sky_span kept = sky_arena_copy(arena, sky_tencent__key_span(&key));
    sky_mem_wipe(&key, sizeof key);
    return kept;
}

bool sky_tencent__suspect(const struct sky_login *login, const struct sky_facts *facts,
                          struct sky_suspicion *s, struct sky_arena *arena)
{
    struct sky_tencent_login in;
    sky_tencent__read(login, &in);
    const struct sky_signmethod *method = sky_tencent__signmethod(in.method);
    if (method == NULL || facts->device == NULL || in.token.len == 0)
        return false;
    sky_span due = keep_key(arena, facts->device->secret);
    if (due.len == 0)
        return false;
    s->due =
        (struct sky_recipe){.digest = method->digest, .keying = SKY_HMAC, .text = login->username};
    sky_suspect_secret(s, SKY_SECRET_DUE, due);
    sky_suspect_secret(s, SKY_SECRET_UNDECODED, sky_span_str(facts->device->secret));
    sky_suspect_secret(s, SKY_SECRET_PRODUCT, sky_span_str(facts->product->secret));
    if (facts->device->old_secret[0] != '\0')
        sky_suspect_secret(s, SKY_SECRET_OLD, keep_key(arena, facts->device->old_secret));
    s->given = in.token;
    s->secret_word = "psk";
    s->method = sky_span_str(method->name);
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

void sky_tencent__sign(const struct sky_sign_request *r, struct sky_credentials *c)
{
    struct sky_tencent_key key;
    char token[SKY_DIGEST_HEX_MAX + 1];
    *c = (struct sky_credentials){.client_id = ""};
    sky_tencent__decode_key(r->device->secret, &key);
    snprintf(c->client_id, sizeof c->client_id, "%s%s", r->product->key, r->device->key);
    snprintf(c->username, sizeof c->username, "%s%s;12010126;%.*s;%" PRId64, r->product->key,
             r->device->key, SKY_SPAN_ARGS(sky_span_head(r->fresh, 5)),
             r->now_ms / 1000 + SKY_TENCENT_SIGN_AHEAD_S);
    const struct sky_recipe recipe = {
        .digest = SKY_SHA256, .keying = SKY_HMAC, .text = sky_span_str(c->username)};
    sky_recipe_hex(&recipe, sky_tencent__key_span(&key), false, token);
    snprintf(c->password, sizeof c->password, "%s;hmacsha256", token);
    snprintf(c->psk_identity, sizeof c->psk_identity, "%s", c->client_id);
    if (key.len <= SKY_PSK_KEY_MAX)
        sky_hex_lower(sky_tencent__key_span(&key), c->psk_key_hex);
    sky_mem_wipe(&key, sizeof key);
    if (r->dynamic)
        sky_tencent__sign_registration(r, c);
}

/* ---- TLS-PSK: identity and client id are the same text ---- */

static const struct sky_psk_recipe psk_recipe = {.len = 0}; /* the decoded key as it is */

bool sky_tencent__psk_claim(const struct sky_door *door, sky_span identity,
                            struct sky_claim *ret_claim)
{
    if (door->transport == SKY_DTLS || identity.len == 0 ||
        sky_span_contains(identity, SKY_SPAN("|")) || sky_span_contains(identity, SKY_SPAN(",")))
        return false;
    *ret_claim = (struct sky_claim){
        .kind = SKY_CLAIM_JOINED, .product = identity, .affinity = SKY_AFFINITY_FITTING};
    return true;
}

bool sky_tencent__psk_admit(const struct sky_door *door, sky_span identity,
                            const struct sky_facts *facts, struct sky_judge *judge,
                            struct sky_psk *ret_key)
{
    struct sky_tencent_key key;
    (void)door;
    sky_judge_rule(judge, TEN_RULE(PSK_IDENTITY), facts->device != NULL,
                   "identity '%.*s' is no product id with one of its device names",
                   SKY_SPAN_ARGS(sky_admit_shown(identity)));
    if (facts->device == NULL)
        return false;
    if (sky_judge_rule(judge, TEN_RULE(DEVICE_DISABLED), facts->device->enabled,
                       "device %s is disabled", facts->device->key))
        return false;
    bool decoded = sky_tencent__decode_key(facts->device->secret, &key);
    sky_judge_rule(judge, TEN_RULE(PSK_BASE64), decoded, "the key registered for %s is not base64",
                   facts->device->key);
    bool made = decoded && sky_psk_key(&psk_recipe, sky_tencent__key_span(&key), ret_key);
    sky_mem_wipe(&key, sizeof key);
    return made;
}

size_t sky_tencent__psk_guesses(const struct sky_door *door, sky_span identity,
                                const struct sky_facts *facts, struct sky_psk *ret_guesses)
{
    struct sky_tencent_key key, old;
    (void)door;
    (void)identity;
    if (facts->device == NULL || !sky_tencent__decode_key(facts->device->secret, &key))
        return 0;
    sky_tencent__decode_key(facts->device->old_secret, &old);
    const struct sky_secret secrets[] = {
        {.role = SKY_SECRET_DUE, .bytes = sky_tencent__key_span(&key)},
        {.role = SKY_SECRET_UNDECODED, .bytes = sky_span_str(facts->device->secret)},
        {.role = SKY_SECRET_PRODUCT, .bytes = sky_span_str(facts->product->secret)},
        {.role = SKY_SECRET_OLD, .bytes = sky_tencent__key_span(&old)},
    };
    size_t count =
        sky_psk_guesses(&psk_recipe, secrets, SKY_COUNT(secrets), ret_guesses, SKY_PSK_GUESSES_MAX);
    sky_mem_wipe(&key, sizeof key);
    sky_mem_wipe(&old, sizeof old);
    return count;
}
