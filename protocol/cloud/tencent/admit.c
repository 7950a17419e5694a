#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/login.h"
#include "protocol/cloud/tencent/rules.h"

enum { KEEPALIVE_MAX_S = 900, CONNECT_EVERY_MS = 5000 };
/* 13 digits. SDKs have far larger constants built in, such as LONG_MAX and a hundredth of it. */
static const int64_t MS_MIN = INT64_C(1000000000000), MS_MAX = INT64_C(9999999999999);

/* A login while it is being judged. */
struct visit {
    const struct sky_login *login;
    const struct sky_tencent_login *in;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_admission *admission;
    bool proven; /* by the channel: no password is needed */
};

static bool all_digits(sky_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

/* SDKs send LONG_MAX; a number too long for int64 is as far away. */
static void check_expiry(struct visit *v)
{
    sky_span text = v->in->expiry;
    int64_t expiry = INT64_MAX;
    bool number = all_digits(text);
    if (number)
        sky_span_to_int(text, &expiry);
    bool bad = sky_judge_rule(v->judge, TEN_RULE(EXPIRY_FORMAT), number,
                              "expiry is '%.*s', not a decimal number of seconds",
                              SKY_SPAN_ARGS(sky_admit_shown(text)));
    if (bad)
        sky_admit_refuse(v->admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_SHAPE);
    if (!number)
        return;
    bool seconds = expiry < MS_MIN || expiry > MS_MAX;
    int64_t now_s = v->facts->now_ms / 1000;
    sky_judge_rule(v->judge, TEN_RULE(EXPIRY_MS), seconds, "expiry %.*s looks like milliseconds",
                   SKY_SPAN_ARGS(sky_admit_shown(text)));
    if (sky_judge_rule(v->judge, TEN_RULE(EXPIRED), expiry >= now_s,
                       "expiry %.*s was %lld s before now (%lld): is the device's clock right?",
                       SKY_SPAN_ARGS(sky_admit_shown(text)), (long long)(now_s - expiry),
                       (long long)now_s))
        sky_admit_refuse(v->admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_STATE);
}

static void check_username(struct visit *v)
{
    const struct sky_tencent_login *in = v->in;
    bool bad = sky_judge_rule(v->judge, TEN_RULE(USERNAME_SHAPE), in->four,
                              "user name '%.*s' does not have the four fields "
                              "clientId;sdkappid;connid;expiry",
                              SKY_SPAN_ARGS(sky_admit_shown(v->login->username)));
    if (in->four) {
        bad |= sky_judge_rule(v->judge, TEN_RULE(USERNAME_CLIENTID),
                              sky_span_eq(in->client_id, v->login->client_id),
                              "the user name begins with '%.*s', the client id is '%.*s'",
                              SKY_SPAN_ARGS(sky_admit_shown(in->client_id)),
                              SKY_SPAN_ARGS(sky_admit_shown(v->login->client_id)));
        sky_judge_rule(v->judge, TEN_RULE(SDKAPPID), sky_span_eq_str(in->sdkappid, "12010126"),
                       "sdkappid is %.*s", SKY_SPAN_ARGS(sky_admit_shown(in->sdkappid)));
        sky_judge_rule(v->judge, TEN_RULE(CONNID), in->connid.len > 0, "connid is empty");
    }
    if (bad)
        sky_admit_refuse(v->admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_SHAPE);
    if (in->four)
        check_expiry(v);
}

static bool check_device(struct visit *v)
{
    bool known = v->facts->device != NULL && v->facts->product != NULL;
    sky_judge_rule(v->judge, TEN_RULE(CLIENTID), known,
                   "client id '%.*s' is no product id with one of its device names%s",
                   SKY_SPAN_ARGS(sky_admit_shown(v->login->client_id)),
                   v->facts->product != NULL ? "; the product is known, the device is not" : "");
    if (!known)
        sky_admit_refuse(v->admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_UNKNOWN);
    return known;
}

static void check_channel(struct visit *v)
{
    const struct sky_door *door = v->login->door;
    const struct sky_device *device = v->facts->device;
    bool bad = sky_judge_rule(v->judge, TEN_RULE(DEVICE_DISABLED), device->enabled,
                              "device %s is disabled", device->key);
    bad |= sky_judge_rule(v->judge, TEN_RULE(SUB_DIRECT), v->facts->product->node != SKY_NODE_SUB,
                          "devices of product %s come by a gateway", v->facts->product->key);
    bad |= sky_admit_judge_certificate(door, v->facts, TEN_RULE(CERTIFICATE),
                                       TEN_RULE(CERTIFICATE_DEVICE), v->judge);
    if (door->psk_device_id != 0)
        bad |= sky_judge_rule(v->judge, TEN_RULE(PSK_DEVICE), !sky_door_is_others(door, device),
                              "the channel was opened with another device's key");
    if (bad)
        sky_admit_refuse(v->admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_STATE);
    if (sky_door_is_encrypted(door))
        sky_judge_rule(v->judge, TEN_RULE(TLS_VERSION), door->tls_version >= SKY_TLS_1_2,
                       "the connection uses TLS 1.%d", (int)(door->tls_version & 0xff) - 1);
    v->proven = door->psk_device_id == device->id ||
                sky_admit_certificate(door, v->facts) == SKY_CERTIFICATE_OWN;
}

/* 注意: 1883 for keys in clear, 8883 for TLS, 80 and 443 for WebSocket; other listeners of this
 * server do as well. */
static void check_port(struct visit *v)
{
    const struct sky_door *door = v->login->door;
    bool clear = !sky_door_is_encrypted(door);
    const char *due = sky_door_is_websocket(door) ? "https" : clear ? "mqtt" : "mqtts";
    if (door->listener != NULL)
        sky_judge_rule(v->judge, TEN_RULE(PORT_PSK), strcmp(door->listener->name, due) == 0,
                       "a %s login came in on listener %s instead of %s", clear ? "plain" : "TLS",
                       door->listener->name, due);
}

/* 使用限制 */
static void check_habits(struct visit *v)
{
    uint16_t keepalive_s = v->login->keepalive_s;
    int64_t since_ms = v->facts->now_ms - v->facts->previous_login_ms;
    if (sky_judge_rule(v->judge, TEN_RULE(KEEPALIVE_RANGE), keepalive_s <= KEEPALIVE_MAX_S,
                       "keepalive is %u s; 0 to %d s are accepted", keepalive_s, KEEPALIVE_MAX_S))
        sky_admit_refuse(v->admission, SKY_CONNACK_CLIENT_ID, SKY_CAUSE_SHAPE);
    if (v->facts->previous_login_ms != 0)
        sky_judge_rule(v->judge, TEN_RULE(CONNECT_RATE), since_ms >= CONNECT_EVERY_MS,
                       "connected again after %lld ms", (long long)since_ms);
}

static void check_token(struct visit *v, const struct sky_signmethod *method)
{
    struct sky_recipe recipe = sky_tencent__recipe(v->login, v->in, method->digest);
    sky_span secret = sky_span_str(v->facts->device->secret);
    bool decoded = sky_tencent__check_secret(secret, NULL) == SKY_OK;
    sky_judge_rule(v->judge, TEN_RULE(PSK_BASE64), decoded,
                   "the key registered for %s is not base64", v->facts->device->key);
    bool right = decoded && sky_sign_matches(&recipe, secret, v->in->token);
    bool bad = sky_judge_rule(v->judge, TEN_RULE(SIGN), right,
                              "the token (%zu characters, expected %zu) is not the %s of the "
                              "user name with the decoded key",
                              v->in->token.len, 2 * sky_digest_len(method->digest), method->name);
    if (right)
        sky_admit_no_mistake(sky_tencent__mistakes, SKY_TENCENT_MISTAKES, v->judge);
    sky_admit_signature(v->admission, right, bad || !decoded);
}

static void check_password(struct visit *v)
{
    const struct sky_signmethod *method = sky_tencent__signmethod(v->in->method);
    bool present = v->login->has_password && v->login->password.len > 0;
    bool bad = sky_judge_rule(v->judge, TEN_RULE(NO_PASSWORD), present || v->proven,
                              "there is no password, and the channel proves nothing about %s",
                              v->facts->device->key);
    if (v->proven) /* MQTT通道，安全等级: it may be anything then */
        return;
    if (present) {
        bad |= sky_judge_rule(v->judge, TEN_RULE(PASSWORD_SHAPE), v->in->pair,
                              "the password does not have the two fields token;method");
        /* Whoever sends the key in the method's place is not to find it in a report. */
        sky_span key = sky_span_str(v->facts->device->secret);
        bool told = key.len > 0 && sky_span_contains(v->in->method, key);
        if (v->in->pair)
            bad |= sky_judge_rule(
                v->judge, TEN_RULE(HMAC_METHOD), method != NULL,
                "the method is '%.*s'; hmacsha256 or hmacsha1 was expected",
                SKY_SPAN_ARGS(told ? SKY_SPAN("{psk}") : sky_admit_shown(v->in->method)));
    }
    /* Without a method there is nothing to compare, but perhaps something to recognise. */
    if (bad || (present && method == NULL))
        sky_admit_refuse(v->admission, SKY_CONNACK_CREDENTIALS,
                         present ? SKY_CAUSE_SIGNATURE : SKY_CAUSE_SHAPE);
    if (present && method != NULL)
        check_token(v, method);
}

void sky_tencent__admit(const struct sky_login *login, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects,
                        struct sky_admission *ret_admission)
{
    struct sky_tencent_login in;
    sky_tencent__read(login, &in);
    *ret_admission = (struct sky_admission){0};
    struct visit visit = {login, &in, facts, judge, ret_admission, false};
    check_username(&visit);
    if (!check_device(&visit))
        return;
    check_channel(&visit);
    check_port(&visit);
    check_habits(&visit);
    check_password(&visit);
    sky_admit_settle(ret_admission, judge);
    if (ret_admission->connack == SKY_CONNACK_ACCEPTED)
        sky_effects_online(effects, facts->device);
}
