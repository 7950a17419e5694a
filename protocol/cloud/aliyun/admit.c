#include "auth/text.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/login.h"
#include "protocol/cloud/aliyun/rules.h"

/* A direct login while it is being judged. */
struct visit {
    const struct sky_login *login;
    const struct sky_aliyun_login *in;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_admission *admission;
};

/* MQTT连接错误码: 2 for everything wrong with the client id. False: nothing to go on with. */
static bool check_client_id(struct visit *v)
{
    const struct sky_aliyun_login *in = v->in;
    bool shaped = in->shape == SKY_SHAPE_OK || in->shape == SKY_SHAPE_NO_EQUALS;
    size_t chars = sky_admit_chars(in->id);
    bool bad =
        sky_judge_rule(v->judge, ALI_RULE(CLIENTID_SHAPE), shaped && in->id.len > 0,
                       "client id '%.*s...': %s", SKY_SPAN_ARGS(sky_admit_shown(in->id)),
                       shaped ? "nothing stands in front of the block" : sky_shape_text(in->shape));
    bad |= sky_judge_rule(v->judge, ALI_RULE(EXT_PARAM), in->shape != SKY_SHAPE_NO_EQUALS,
                          "an item between the bars is not of the form key=value");
    bad |= sky_judge_rule(v->judge, ALI_RULE(CLIENTID_LENGTH), chars <= SKY_ALIYUN_CLIENT_ID_MAX,
                          "the id has %zu characters, %d are permitted", chars,
                          SKY_ALIYUN_CLIENT_ID_MAX);
    if (bad || !in->readable)
        sky_admit_refuse(v->admission, SKY_CONNACK_CLIENT_ID, SKY_CAUSE_SHAPE);
    return in->readable;
}

static void check_securemode(struct visit *v)
{
    sky_span mode = sky_aliyun__item(v->in, "securemode");
    bool tls = sky_span_eq_str(mode, "2"), tcp = sky_span_eq_str(mode, "3");
    bool encrypted = sky_door_is_encrypted(v->login->door);
    bool bad = sky_judge_rule(v->judge, ALI_RULE(SECUREMODE), tls || tcp,
                              "securemode is %.*s; 2 or 3 was expected",
                              SKY_SPAN_ARGS(sky_admit_value(mode)));
    if (tls || tcp)
        bad |= sky_judge_rule(v->judge, ALI_RULE(SECUREMODE_MISMATCH), tls == encrypted,
                              "securemode=%s means %s, but the connection is %s", tls ? "2" : "3",
                              tls ? "TLS" : "plain TCP", encrypted ? "TLS" : "plain TCP");
    if (bad)
        sky_admit_refuse(v->admission, SKY_CONNACK_CLIENT_ID, SKY_CAUSE_SHAPE);
}

static void check_signmethod(struct visit *v)
{
    sky_span name = sky_aliyun__item(v->in, "signmethod");
    char room[80];
    sky_span other = sky_misspelt_note(&v->in->block, "signmethod", room);
    bool known = sky_aliyun__signmethod(v->in) != NULL;
    sky_judge_rule(v->judge, ALI_RULE(SIGNMETHOD_MISSING), name.ptr != NULL,
                   "signmethod is missing; hmacmd5 is assumed%.*s", SKY_SPAN_ARGS(other));
    if (name.ptr != NULL)
        sky_judge_rule(v->judge, ALI_RULE(SIGNMETHOD), known,
                       "signmethod is '%.*s'; hmacmd5, hmacsha1 or hmacsha256 was expected",
                       SKY_SPAN_ARGS(sky_admit_shown(name)));
    if (!known) /* nothing can be computed with it, so the policy cannot let it pass */
        sky_admit_refuse(v->admission, SKY_CONNACK_CLIENT_ID, SKY_CAUSE_SHAPE);
}

/* 使用限制: 30 to 1200 s; the C SDK up to version 3 doubles what it is configured with, version 4
 * (Link SDK) sends it as it is. */
static void check_keepalive_doubling(struct visit *v)
{
    uint16_t keepalive_s = v->login->keepalive_s;
    bool doubled = keepalive_s > 300 && keepalive_s <= 1200 && keepalive_s % 2 == 0 &&
                   !sky_span_starts(sky_aliyun__item(v->in, "_v"), SKY_SPAN("sdk-c-4"));
    sky_judge_rule(
        v->judge, ALI_RULE(KEEPALIVE_SDK_DOUBLING), !doubled,
        "keepalive is %u s: the C SDK up to version 3 sends that when %u s is configured",
        keepalive_s, keepalive_s / 2);
}

static void check_host(struct visit *v)
{
    sky_span name = v->login->door->server_name, first, domain;
    if (!sky_span_cut(name, '.', &first, &domain) ||
        !sky_span_starts(domain, SKY_SPAN("iot-as-mqtt.")))
        return; /* localhost and the like: a bench has names of its own */
    sky_judge_rule(v->judge, ALI_RULE(HOST), sky_span_eq_nocase(first, v->in->product),
                   "connected to %.*s, but the user name's product key is %.*s",
                   SKY_SPAN_ARGS(sky_span_head(name, 100)),
                   SKY_SPAN_ARGS(sky_admit_shown(v->in->product)));
}

/* False: nobody to go on with. */
static bool check_names(struct visit *v)
{
    const struct sky_aliyun_login *in = v->in;
    sky_judge_rule(v->judge, ALI_RULE(USERNAME_SHAPE), in->named,
                   "user name '%.*s' is not of the form deviceName&productKey",
                   SKY_SPAN_ARGS(sky_admit_shown(v->login->username)));
    if (!in->named) {
        sky_admit_refuse(v->admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_SHAPE);
        return false;
    }
    bool swapped = v->facts->device == NULL && v->facts->swapped_known;
    sky_judge_rule(v->judge, ALI_RULE(USERNAME_ORDER), !swapped,
                   "'%.*s' is the product key and '%.*s' the device name: they changed places",
                   SKY_SPAN_ARGS(sky_admit_shown(in->device)),
                   SKY_SPAN_ARGS(sky_admit_shown(in->product)));
    if (!swapped)
        sky_judge_rule(v->judge, ALI_RULE(DEVICE_UNKNOWN), v->facts->device != NULL,
                       v->facts->product != NULL ? "product %.*s has no device '%.*s'"
                                                 : "there is no product '%.*s' (device '%.*s')",
                       SKY_SPAN_ARGS(sky_admit_shown(in->product)),
                       SKY_SPAN_ARGS(sky_admit_shown(in->device)));
    if (v->facts->device == NULL || v->facts->product == NULL) {
        sky_admit_refuse(v->admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_UNKNOWN);
        return false;
    }
    return true;
}

static void check_state(struct visit *v)
{
    const struct sky_door *door = v->login->door;
    const struct sky_device *device = v->facts->device;
    bool bad = sky_judge_rule(v->judge, ALI_RULE(DEVICE_DISABLED), device->enabled,
                              "device %s is disabled", device->key);
    bad |= sky_aliyun__judge_direct(v->facts->product, v->judge);
    bad |= sky_admit_judge_certificate(door, v->facts, ALI_RULE(CERTIFICATE),
                                       ALI_RULE(CERTIFICATE_DEVICE), v->judge);
    if (door->psk_device_id != 0)
        bad |= sky_judge_rule(v->judge, ALI_RULE(PSK_DEVICE), !sky_door_is_others(door, device),
                              "the channel was opened with another device's pre-shared key");
    if (bad)
        sky_admit_refuse(v->admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_STATE);
}

static void check_signature(struct visit *v)
{
    const struct sky_signmethod *method = sky_aliyun__signmethod(v->in);
    if (method == NULL)
        return;
    struct sky_recipe recipe = sky_aliyun__recipe(v->in, method->digest);
    size_t digits = 2 * sky_digest_len(method->digest), sent = v->login->password.len;
    bool right =
        sky_sign_matches(&recipe, sky_span_str(v->facts->device->secret), v->login->password);
    bool bad = sky_judge_rule(
        v->judge, ALI_RULE(SIGN), right,
        "the password (%zu characters, expected %zu) is not the %s of the login's fields", sent,
        digits, method->name);
    if (right)
        sky_admit_no_mistake(sky_aliyun__mistakes, SKY_ALIYUN_MISTAKES, v->judge);
    sky_admit_signature(v->admission, right, bad);
}

static unsigned traits_of(const struct sky_aliyun_login *in)
{
    unsigned traits = 0;
    int64_t ext;
    if (sky_span_eq_str(sky_aliyun__item(in, "_ss"), "1"))
        traits |= SKY_TRAIT_AUTO_SUBSCRIBED;
    if (sky_span_eq_str(sky_aliyun__item(in, "gw"), "1"))
        traits |= SKY_TRAIT_GATEWAY;
    if (sky_span_to_int(sky_aliyun__item(in, "ext"), &ext) && ext & 1)
        traits |= SKY_TRAIT_CUSTOM_RPC;
    return traits;
}

static void admit_direct(struct visit *v, struct sky_effects *effects)
{
    check_keepalive_doubling(v);
    if (!check_client_id(v))
        return;
    check_securemode(v);
    check_signmethod(v);
    if (!check_names(v))
        return;
    check_host(v);
    check_state(v);
    check_signature(v);
    if (v->facts->token != NULL) /* one that waits to be used */
        sky_judge_broken(v->judge, ALI_RULE(TOKEN_SIGNED_LOGIN),
                         "the device has a token, yet it logs in with its device name");
    sky_admit_settle(v->admission, v->judge);
    if (v->admission->connack != SKY_CONNACK_ACCEPTED)
        return;
    v->admission->traits = traits_of(v->in);
    sky_effects_online(effects, v->facts->device);
}

bool sky_aliyun__judge_direct(const struct sky_product *product, struct sky_judge *judge)
{
    return sky_judge_rule(judge, ALI_RULE(SUB_DIRECT), product->node != SKY_NODE_SUB,
                          "devices of product %s come by a gateway", product->key);
}

void sky_aliyun__admit(const struct sky_login *login, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects,
                       struct sky_admission *ret_admission)
{
    struct sky_aliyun_login in;
    sky_aliyun__read(login, &in);
    *ret_admission = (struct sky_admission){0};
    if (in.kind == SKY_ALIYUN_TOKEN) {
        sky_aliyun__admit_token(login, facts, judge, effects, ret_admission);
        return;
    }
    if (in.kind == SKY_ALIYUN_REGISTER) {
        sky_aliyun__admit_register(login, &in, facts, judge, effects, ret_admission);
        return;
    }
    struct visit visit = {login, &in, facts, judge, ret_admission};
    admit_direct(&visit, effects);
}
