/* Logins that are not signed with the device's secret: with a token, and for a secret. */
#include "protocol/base/json.h"
#include "protocol/cloud/aliyun/login.h"
#include "protocol/cloud/aliyun/rules.h"

/* 设备接入流程: a bad iotId or iotToken gets 3, not 4 or 5 as MQTT would have it. */
static void check_token(const struct sky_login *login, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_admission *admission)
{
    bool known = facts->token != NULL && facts->device != NULL && facts->product != NULL;
    sky_judge_rule(judge, ALI_RULE(TOKEN_INVALID), known,
                   "user name '%.*s' is no iotId that was handed out",
                   SKY_SPAN_ARGS(sky_admit_shown(login->username)));
    if (!known) {
        sky_admit_refuse(admission, SKY_CONNACK_UNAVAILABLE, SKY_CAUSE_UNKNOWN);
        return;
    }
    bool paired = sky_digest_eq(sky_span_str(facts->token->token), login->password);
    bool fresh = facts->now_ms < facts->token->expires_ms;
    bool bad = sky_judge_rule(judge, ALI_RULE(TOKEN_PAIR), paired,
                              "the password is not the iotToken that came with this iotId");
    bad |= sky_judge_rule(judge, ALI_RULE(TOKEN_EXPIRED), fresh, "the iotToken expired %lld s ago",
                          (long long)(facts->now_ms - facts->token->expires_ms) / 1000);
    if (bad)
        sky_admit_refuse(admission, SKY_CONNACK_UNAVAILABLE, SKY_CAUSE_STATE);
    bad = sky_judge_rule(judge, ALI_RULE(DEVICE_DISABLED), facts->device->enabled,
                         "device %s is disabled", facts->device->key);
    bad |= sky_aliyun__judge_direct(facts->product, judge);
    if (bad)
        sky_admit_refuse(admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_STATE);
}

void sky_aliyun__admit_token(const struct sky_login *login, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects,
                             struct sky_admission *ret_admission)
{
    sky_judge_rule(judge, ALI_RULE(TOKEN_NO_TLS), sky_door_is_encrypted(login->door),
                   "the token came over plain TCP");
    check_token(login, facts, judge, ret_admission);
    sky_admit_settle(ret_admission, judge);
    if (ret_admission->connack != SKY_CONNACK_ACCEPTED)
        return;
    sky_judge_kept(judge, ALI_RULE(TOKEN_SIGNED_LOGIN));
    sky_effects_online(effects, facts->device);
}

/* 基于MQTT通道的设备动态注册: 2 for parameters and for plain TCP. False: nothing to verify. */
static bool check_request(const struct sky_login *login, const struct sky_aliyun_login *in,
                          struct sky_judge *judge, struct sky_admission *admission)
{
    sky_span type = sky_aliyun__auth_type(in);
    const struct sky_signmethod *method = sky_aliyun__signmethod(in);
    bool complete = sky_aliyun__item(in, "random").len > 0 && method != NULL;
    bool played = sky_span_eq_str(type, "register");
    sky_judge_rule(judge, ALI_RULE(AUTH_TYPE), played,
                   "authType %.*s is documented, but not played here: only register is",
                   SKY_SPAN_ARGS(sky_admit_shown(type)));
    if (!played) { /* its other rules are not those of a registration */
        sky_admit_refuse(admission, SKY_CONNACK_CLIENT_ID, SKY_CAUSE_STATE);
        return false;
    }
    bool bad = sky_judge_rule(judge, ALI_RULE(REGISTER_TLS), sky_door_is_encrypted(login->door),
                              "the registration came over plain TCP");
    bad |=
        sky_judge_rule(judge, ALI_RULE(REGISTER_PARAM), complete,
                       method == NULL ? "the signmethod is not a known one" : "random is missing");
    if (bad || method == NULL || !in->readable)
        sky_admit_refuse(admission, SKY_CONNACK_CLIENT_ID, SKY_CAUSE_SHAPE);
    return method != NULL && in->readable;
}

/* As above: 4 for whatever else is wrong. False: there is nobody. */
static bool check_device(const struct sky_login *login, const struct sky_aliyun_login *in,
                         const struct sky_facts *facts, struct sky_judge *judge,
                         struct sky_admission *admission)
{
    sky_judge_rule(judge, ALI_RULE(USERNAME_SHAPE), in->named,
                   "user name '%.*s' is not of the form deviceName&productKey",
                   SKY_SPAN_ARGS(sky_admit_shown(login->username)));
    if (!in->named) {
        sky_admit_refuse(admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_SHAPE);
        return false;
    }
    bool known = facts->device != NULL && facts->product != NULL;
    sky_judge_rule(judge, ALI_RULE(DEVICE_UNKNOWN), known,
                   "product '%.*s' with device '%.*s' is not registered",
                   SKY_SPAN_ARGS(sky_admit_shown(in->product)),
                   SKY_SPAN_ARGS(sky_admit_shown(in->device)));
    if (!known) {
        sky_admit_refuse(admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_UNKNOWN);
        return false;
    }
    bool bad = sky_judge_rule(judge, ALI_RULE(DEVICE_DISABLED), facts->device->enabled,
                              "device %s is disabled", facts->device->key);
    bad |= sky_aliyun__judge_direct(facts->product, judge);
    bad |= sky_judge_rule(judge, ALI_RULE(REGISTER_DISABLED), facts->product->dynamic_activation,
                          "product %s does not permit dynamic registration", facts->product->key);
    if (bad)
        sky_admit_refuse(admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_STATE);
    return true;
}

static void check_proof(const struct sky_login *login, const struct sky_aliyun_login *in,
                        const struct sky_facts *facts, struct sky_judge *judge,
                        struct sky_admission *admission)
{
    struct sky_recipe recipe =
        sky_aliyun__register_recipe(in->product, in->device, sky_aliyun__item(in, "random"),
                                    sky_aliyun__signmethod(in)->digest);
    bool right = sky_sign_matches(&recipe, sky_span_str(facts->product->secret), login->password);
    bool bad = sky_judge_rule(judge, ALI_RULE(REGISTER_SIGN), right,
                              "the password is not the %s of deviceName, productKey and random",
                              sky_aliyun__signmethod(in)->name);
    sky_admit_signature(admission, right, bad);
    if (sky_judge_rule(judge, ALI_RULE(REGISTER_ACTIVE),
                       facts->device->state == SKY_DEVICE_INACTIVE,
                       "device %s has been online already", facts->device->key))
        sky_admit_refuse(admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_STATE);
}

sky_span sky_aliyun__secret_json(struct sky_arena *arena, const struct sky_facts *facts,
                                 sky_span secret)
{
    struct sky_buf out;
    sky_buf_init(&out, 2048);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "productKey", facts->product->key);
    sky_jw_put_str(&jw, "deviceName", facts->device->key);
    sky_jw_put_span(&jw, "deviceSecret", secret);
    sky_jw_end_object(&jw);
    sky_span json = sky_arena_copy(arena, sky_buf_span(&out));
    sky_buf_done(&out);
    return json;
}

/* The secret is pushed without a subscription; the device has 15 s to leave by itself. */
static void hand_out(const struct sky_facts *facts, struct sky_effects *effects)
{
    char secret[SKY_SECRET_MAX + 1];
    sky_aliyun__make_secret(facts->fresh, secret);
    struct sky_effect *activate = sky_effects_add(effects, SKY_EFFECT_ACTIVATE);
    activate->payload = sky_arena_copy(&effects->arena, sky_span_str(secret));
    sky_effects_message(effects, SKY_EFFECT_PUSH, SKY_SPAN("/ext/register"),
                        sky_aliyun__secret_json(&effects->arena, facts, activate->payload), 1);
    sky_effects_add(effects, SKY_EFFECT_CLOSE)->delay_ms = SKY_ALIYUN_REGISTER_CLOSE_MS;
}

void sky_aliyun__admit_register(const struct sky_login *login, const struct sky_aliyun_login *in,
                                const struct sky_facts *facts, struct sky_judge *judge,
                                struct sky_effects *effects, struct sky_admission *ret_admission)
{
    /* Trait first: what a registration may do differently holds for a refused one too. */
    ret_admission->traits = SKY_TRAIT_ACTIVATION;
    if (!check_request(login, in, judge, ret_admission) ||
        !check_device(login, in, facts, judge, ret_admission))
        return;
    check_proof(login, in, facts, judge, ret_admission);
    sky_admit_settle(ret_admission, judge);
    if (ret_admission->connack == SKY_CONNACK_ACCEPTED)
        hand_out(facts, effects);
}
