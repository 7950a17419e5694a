/* How a device of the fourth cloud logs in: client id DEVICE, user name PRODUCT, and for a password
 * a token, res=products/PRODUCT/devices/DEVICE&et=SECONDS&sign=BASE64. */
#include <inttypes.h>
#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/admit.h"
#include "tests/unit/cloud/fourth/fourth.h"

enum { TOKEN_VALID_S = 3600 };

const struct sky_mistake_rule sky_fourth__mistakes[SKY_FOURTH_MISTAKES] = {
    {SKY_MISTAKE_PRODUCT_SECRET, FOUR_RULE(SIGN_PRODUCT_KEY)},
    {SKY_MISTAKE_NOT_HMAC, FOUR_RULE(SIGN_NOT_HMAC)},
    {SKY_MISTAKE_KEY_DECODED, FOUR_RULE(SIGN_KEY_FORM)},
};

/* A token taken apart; views into the password. */
struct token {
    bool complete;
    sky_span resource, expiry, sign; /* the values */
};

static bool take_value(sky_span field, const char *key, sky_span *ret_value)
{
    sky_span before;
    return sky_span_cut(field, '=', &before, ret_value) && sky_span_eq_str(before, key);
}

static struct token read_token(sky_span password)
{
    sky_span fields[3];
    struct token token = {.complete = false};
    if (sky_grammar_fields(password, '&', fields, SKY_COUNT(fields)) != SKY_SHAPE_OK)
        return token;
    token.complete = take_value(fields[0], "res", &token.resource) &&
                     take_value(fields[1], "et", &token.expiry) &&
                     take_value(fields[2], "sign", &token.sign);
    return token;
}

/* Everything before the signature, as it stands in the token. */
static struct sky_recipe recipe_of(sky_span resource, sky_span expiry)
{
    struct sky_recipe recipe = {.digest = SKY_SHA256,
                                .keying = SKY_HMAC,
                                .encoding = SKY_BASE64,
                                .style = {.equals = "=", .between = "&"}};
    sky_recipe_add(&recipe, "res", resource);
    sky_recipe_add(&recipe, "et", expiry);
    return recipe;
}

bool sky_fourth__claim(const struct sky_login *login, struct sky_claim *ret_claim)
{
    if (!sky_span_starts(login->password, SKY_SPAN("res=")))
        return false;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED,
                                    .product = login->username,
                                    .device = login->client_id,
                                    .affinity = SKY_AFFINITY_OWN};
    return true;
}

static bool names_device(const struct token *token, const struct sky_login *login)
{
    char due[2 * SKY_KEY_MAX + 32];
    snprintf(due, sizeof due, "products/%.*s/devices/%.*s",
             SKY_SPAN_ARGS(sky_span_head(login->username, SKY_KEY_MAX)),
             SKY_SPAN_ARGS(sky_span_head(login->client_id, SKY_KEY_MAX)));
    return sky_span_eq_str(token->resource, due);
}

static void check_sign(const struct token *token, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_admission *admission)
{
    const struct sky_recipe recipe = recipe_of(token->resource, token->expiry);
    bool right = sky_sign_matches(&recipe, sky_span_str(facts->device->secret), token->sign);
    if (sky_judge_rule(judge, FOUR_RULE(SIGN), right, "the signature is not the device's"))
        sky_admit_refuse(admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_SIGNATURE);
    else if (!right && admission->connack == SKY_CONNACK_ACCEPTED)
        admission->cause = SKY_CAUSE_SIGNATURE;
    if (right)
        sky_admit_no_mistake(sky_fourth__mistakes, SKY_FOURTH_MISTAKES, judge);
}

void sky_fourth__admit(const struct sky_login *login, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects,
                       struct sky_admission *ret_admission)
{
    const struct token token = read_token(login->password);
    int64_t expiry_s = 0;
    *ret_admission = (struct sky_admission){0};
    bool bad = sky_judge_rule(judge, FOUR_RULE(TOKEN_SHAPE), token.complete,
                              "the password '%.*s' is not res=...&et=...&sign=...",
                              SKY_SPAN_ARGS(sky_span_head(login->password, 4)));
    if (token.complete) {
        bad |= sky_judge_rule(judge, FOUR_RULE(TOKEN_RESOURCE), names_device(&token, login),
                              "the token is for '%.*s'",
                              SKY_SPAN_ARGS(sky_admit_shown(token.resource)));
        bool valid = sky_span_to_int(token.expiry, &expiry_s) && expiry_s >= facts->now_ms / 1000;
        bad |=
            sky_judge_rule(judge, FOUR_RULE(TOKEN_EXPIRED), valid, "the token was good until %.*s",
                           SKY_SPAN_ARGS(sky_admit_shown(token.expiry)));
    }
    if (bad)
        sky_admit_refuse(ret_admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_SHAPE);
    sky_judge_rule(judge, FOUR_RULE(DEVICE_UNKNOWN), facts->device != NULL,
                   "'%.*s' has no device '%.*s'", SKY_SPAN_ARGS(sky_admit_shown(login->username)),
                   SKY_SPAN_ARGS(sky_admit_shown(login->client_id)));
    if (facts->device == NULL) {
        sky_admit_refuse(ret_admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_UNKNOWN);
        return;
    }
    if (sky_judge_rule(judge, FOUR_RULE(DEVICE_DISABLED), facts->device->enabled,
                       "device %s is disabled", facts->device->key))
        sky_admit_refuse(ret_admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_STATE);
    if (token.complete)
        check_sign(&token, facts, judge, ret_admission);
    sky_admit_settle(ret_admission, judge);
    if (ret_admission->connack == SKY_CONNACK_ACCEPTED)
        sky_effects_add(effects, SKY_EFFECT_ONLINE);
}

bool sky_fourth__suspect(const struct sky_login *login, const struct sky_facts *facts,
                         struct sky_suspicion *s, struct sky_arena *arena)
{
    (void)arena;
    const struct token token = read_token(login->password);
    if (!token.complete || facts->device == NULL || facts->device->secret[0] == '\0')
        return false;
    s->due = recipe_of(token.resource, token.expiry);
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(facts->device->secret));
    sky_suspect_secret(s, SKY_SECRET_PRODUCT, sky_span_str(facts->product->secret));
    s->given = token.sign;
    s->secret_word = "deviceKey";
    s->method = SKY_SPAN("hmacsha256");
    return true;
}

void sky_fourth__sign(const struct sky_sign_request *r, struct sky_arena *arena,
                      struct sky_credentials *c)
{
    *c = (struct sky_credentials){.client_id = sky_arena_copy(arena, sky_span_str(r->device->key)),
                                  .username = sky_arena_copy(arena, sky_span_str(r->product->key))};
    sky_span resource =
        sky_arena_printf(arena, "products/%s/devices/%s", r->product->key, r->device->key);
    sky_span expiry = sky_arena_printf(arena, "%" PRId64, r->now_ms / 1000 + TOKEN_VALID_S);
    const struct sky_recipe recipe = recipe_of(resource, expiry);
    sky_span sign = sky_credentials_signature(&recipe, r->device->secret, arena);
    c->password = sky_arena_printf(arena, "res=%.*s&et=%.*s&sign=%.*s", SKY_SPAN_ARGS(resource),
                                   SKY_SPAN_ARGS(expiry), SKY_SPAN_ARGS(sign));
}

void sky_fourth__make_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1])
{
    SKY_ASSERT(fresh.len >= SKY_FOURTH_SECRET_LEN);
    sky_span_copy(sky_span_head(fresh, SKY_FOURTH_SECRET_LEN), out, SKY_SECRET_MAX + 1);
}
