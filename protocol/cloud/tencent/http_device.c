/* What a device does by HTTP: it publishes, and hands in its log ("设备基于 HTTP 接入"). Signed
 * like the current form of registration, with the text of the device's key. */
#include "protocol/cloud/tencent/http.h"

#include <inttypes.h>
#include <math.h>

#include "auth/text.h"
#include "protocol/base/json.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/mqtt/packet.h"
#include "protocol/mqtt/topic.h"

enum {
    JSON_DEPTH_MAX = 4,
    SIGNATURE_MAX = 128, /* bytes of a signature, base64 undone */
    OLD_HEAD = 112,      /* bytes before the lines of an old log */
    OLD_SIGNATURE = 40,  /* of these: lower-case hexadecimal digits */
    OLD_PRODUCT_AT = 44, /* ten characters */
    OLD_DEVICE_AT = 54,  /* filled up with '#' */
    OLD_DEVICE = 48,
    OLD_KEY = 24, /* characters of the key's text that sign */
    OLD_BODY_MAX = 3000,
};

/* ---- common to calls with X-TC- headers ---- */

sky_span sky_tencent__member(sky_span body, const char *key, struct sky_arena *arena)
{
    sky_span value = sky_json_member(body, key);
    if (sky_json_is_string(value))
        return sky_json_string(arena, value);
    double number = sky_json_number(value);
    if (sky_json_is_number(value) && fabs(number) < 9e15)
        return sky_arena_printf(arena, "%" PRId64, (int64_t)number);
    return SKY_SPAN_NONE;
}

enum sky_encoding sky_tencent__encoding_of(sky_span signature, enum sky_digest digest)
{
    uint8_t bytes[SIGNATURE_MAX];
    size_t len;
    bool itself =
        sky_base64_decode(signature, bytes, sizeof bytes, &len) && len == sky_digest_len(digest);
    return itself ? SKY_BASE64 : SKY_BASE64_OF_HEX;
}

/* Documents spell the algorithm in several ways; the header's own spelling is signed. */
static const struct sky_signmethod *method_of(sky_span algorithm)
{
    for (size_t i = 0; i < SKY_TENCENT_SIGNMETHODS; i++)
        if (sky_span_eq_nocase(algorithm, sky_span_str(sky_tencent__signmethods[i].name)))
            return &sky_tencent__signmethods[i];
    return NULL;
}

void sky_tencent__read_tc(const struct sky_http_request *request, struct sky_arena *arena,
                          struct sky_tencent_tc *tc)
{
    sky_span host = sky_http_header(request, "Host"), port;
    uint8_t digest[SKY_DIGEST_MAX];
    char body_hex[SKY_DIGEST_HEX_MAX + 1];
    sky_span_cut(host, ':', &host, &port);
    sky_digest_hash(SKY_SHA256, &request->body, 1, digest);
    sky_hex_lower(sky_span_of(digest, sky_digest_len(SKY_SHA256)), body_hex);
    *tc = (struct sky_tencent_tc){.algorithm = sky_http_header(request, "X-TC-Algorithm"),
                                  .timestamp = sky_http_header(request, "X-TC-Timestamp"),
                                  .nonce = sky_http_header(request, "X-TC-Nonce"),
                                  .signature = sky_http_header(request, "X-TC-Signature")};
    const struct sky_signmethod *method = method_of(tc->algorithm);
    tc->recipe = (struct sky_recipe){.digest = method != NULL ? method->digest : SKY_SHA256,
                                     .keying = SKY_HMAC,
                                     .style = {.values_only = true, .between = "\n"}};
    sky_recipe_add(&tc->recipe, "method", SKY_SPAN("POST"));
    sky_recipe_add(&tc->recipe, "host", host);
    sky_recipe_add(&tc->recipe, "path", request->path);
    sky_recipe_add(&tc->recipe, "query", SKY_SPAN_NONE);
    sky_recipe_add(&tc->recipe, "algorithm", tc->algorithm);
    sky_recipe_add(&tc->recipe, "timestamp", tc->timestamp);
    sky_recipe_add(&tc->recipe, "nonce", tc->nonce);
    sky_recipe_add(&tc->recipe, "body", sky_arena_copy(arena, sky_span_str(body_hex)));
    tc->recipe.encoding = sky_tencent__encoding_of(tc->signature, tc->recipe.digest);
    tc->complete =
        method != NULL && tc->timestamp.len > 0 && tc->nonce.len > 0 && tc->signature.len > 0;
}

sky_span sky_tencent__fault_body(const char *name, const char *message,
                                 const struct sky_facts *facts, struct sky_arena *arena)
{
    return sky_arena_printf(arena,
                            "{\"Response\":{\"Error\":{\"Code\":\"%s\",\"Message\":\"%s\"},"
                            "\"RequestId\":\"%.*s\"}}",
                            name, message, SKY_SPAN_ARGS(sky_span_head(facts->fresh, 32)));
}

/* ---- a device's call ---- */

struct call {
    sky_span body, product, device;
    struct sky_tencent_tc tc;
    bool by_key; /* signed by its certificate's private key: that cannot be checked here */
};

static bool read_call(const struct sky_http_request *request, struct sky_arena *arena,
                      struct call *ret_call)
{
    *ret_call = (struct call){.body = sky_span_trim(request->body)};
    if (!sky_span_eq_str(request->method, "POST") ||
        sky_json_check(ret_call->body, JSON_DEPTH_MAX, NULL) != SKY_OK)
        return false;
    ret_call->product = sky_tencent__member(ret_call->body, "ProductId", arena);
    ret_call->device = sky_tencent__member(ret_call->body, "DeviceName", arena);
    sky_tencent__read_tc(request, arena, &ret_call->tc);
    ret_call->by_key = sky_span_eq_nocase(ret_call->tc.algorithm, SKY_SPAN("rsa-sha256"));
    return ret_call->product.len > 0 && ret_call->device.len > 0;
}

bool sky_tencent__device_claim(const struct sky_http_request *request, struct sky_claim *ret_claim,
                               struct sky_arena *arena)
{
    struct call call;
    if (!read_call(request, arena, &call))
        return false;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED,
                                    .product = call.product,
                                    .device = call.device,
                                    .affinity = SKY_AFFINITY_NAMED};
    return true;
}

bool sky_tencent__device_suspect(const struct sky_http_request *request,
                                 const struct sky_facts *facts, struct sky_suspicion *s,
                                 struct sky_arena *arena)
{
    struct call call;
    if (!read_call(request, arena, &call) || !call.tc.complete || facts->device == NULL ||
        facts->device->secret[0] == '\0')
        return false;
    s->due = call.tc.recipe;
    s->given = call.tc.signature;
    s->secret_word = "psk";
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(facts->device->secret));
    sky_suspect_secret(s, SKY_SECRET_PRODUCT, sky_span_str(facts->product->secret));
    return true;
}

static void refuse(struct sky_http_answer *answer, enum sky_cause cause, const char *name,
                   const char *message, const struct sky_facts *facts, struct sky_effects *effects)
{
    answer->cause = cause;
    answer->body = sky_tencent__fault_body(name, message, facts, &effects->arena);
}

/* The registered fingerprint is no key: who signs with one and has a certificate is believed. */
static bool is_signed(const struct call *call, const struct sky_device *device)
{
    if (call->by_key)
        return device->fingerprint[0] != '\0';
    return sky_sign_matches(&call->tc.recipe, sky_span_str(device->secret), call->tc.signature);
}

/* False, and answered, for a call that is refused; names and texts are this server's. */
static bool admit(const struct sky_http_request *request, const struct sky_facts *facts,
                  struct sky_judge *judge, struct sky_effects *effects, struct call *ret_call,
                  struct sky_http_answer *answer)
{
    bool read = read_call(request, &effects->arena, ret_call);
    bool complete = read && (ret_call->tc.complete || ret_call->by_key);
    *answer = (struct sky_http_answer){.status = 200};
    sky_judge_rule(judge, TEN_RULE(HTTP_CALL), complete,
                   "ProductId, DeviceName or one of the X-TC- headers is missing");
    if (!complete) {
        refuse(answer, SKY_CAUSE_SHAPE, "InvalidParameterValue", "parameter error", facts, effects);
        return false;
    }
    sky_judge_rule(judge, TEN_RULE(CLIENTID), facts->device != NULL,
                   "product '%.*s' has no device '%.*s'",
                   SKY_SPAN_ARGS(sky_admit_shown(ret_call->product)),
                   SKY_SPAN_ARGS(sky_admit_shown(ret_call->device)));
    if (facts->device == NULL) {
        refuse(answer, SKY_CAUSE_UNKNOWN, "ResourceNotFound", "device not found", facts, effects);
        return false;
    }
    bool disabled = sky_judge_rule(judge, TEN_RULE(DEVICE_DISABLED), facts->device->enabled,
                                   "device %s is disabled", facts->device->key);
    bool forged = sky_judge_rule(judge, TEN_RULE(HTTP_SIGN), is_signed(ret_call, facts->device),
                                 "the signature is not the HMAC-%s, with the undecoded psk, of the "
                                 "request",
                                 sky_digest_name(ret_call->tc.recipe.digest));
    if (disabled)
        refuse(answer, SKY_CAUSE_STATE, "FailedOperation", "device disabled", facts, effects);
    else if (forged)
        refuse(answer, SKY_CAUSE_SIGNATURE, "AuthFailure", "signature error", facts, effects);
    else if (judge->refused != NULL)
        refuse(answer, SKY_CAUSE_STATE, "FailedOperation", "not permitted", facts, effects);
    return !disabled && !forged && judge->refused == NULL;
}

static sky_span success_body(const struct sky_facts *facts, struct sky_arena *arena)
{
    return sky_arena_printf(arena, "{\"Response\":{\"RequestId\":\"%.*s\"}}",
                            SKY_SPAN_ARGS(sky_span_head(facts->fresh, 32)));
}

void sky_tencent__log_answer(const struct sky_http_request *request, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects,
                             struct sky_http_answer *ret_answer)
{
    struct call call;
    if (!admit(request, facts, judge, effects, &call, ret_answer))
        return;
    sky_span lines = sky_json_member(call.body, "Message");
    bool sound = sky_json_is_array(lines);
    sky_judge_rule(judge, TEN_RULE(HTTP_CALL), sound, "Message is no array of lines");
    if (!sound) {
        refuse(ret_answer, SKY_CAUSE_SHAPE, "InvalidParameterValue", "parameter error", facts,
               effects);
        return;
    }
    sky_envelope_note(effects, "device-log", lines);
    ret_answer->body = success_body(facts, &effects->arena);
}

/* The payload as bytes; false when it is not what it is said to be. */
static bool read_payload(sky_span body, struct sky_arena *arena, sky_span *ret_payload)
{
    sky_span text = sky_json_member(body, "Payload"),
             encoding = sky_tencent__member(body, "PayloadEncoding", arena);
    if (!sky_json_is_string(text))
        return false;
    *ret_payload = sky_json_string(arena, text);
    if (encoding.len == 0)
        return true;
    size_t len, size = ret_payload->len + 1;
    uint8_t *bytes = sky_arena_take(arena, size);
    bool decoded = sky_span_eq_nocase(encoding, SKY_SPAN("base64")) &&
                   sky_base64_decode(*ret_payload, bytes, size, &len);
    if (decoded)
        *ret_payload = sky_span_of(bytes, len);
    return decoded;
}

/* The message counts as the device's own, whether or not it has an MQTT session. */
void sky_tencent__publish_answer(const struct sky_http_request *request,
                                 const struct sky_facts *facts, struct sky_judge *judge,
                                 struct sky_effects *effects, struct sky_http_answer *ret_answer)
{
    struct call call;
    int64_t qos = 0;
    if (!admit(request, facts, judge, effects, &call, ret_answer))
        return;
    struct sky_arena *arena = &effects->arena;
    sky_span payload, number = sky_json_member(call.body, "Qos"),
                      topic = sky_tencent__member(call.body, "TopicName", arena);
    bool sound = (number.len == 0 || (sky_span_to_int(number, &qos) && qos <= 1)) &&
                 topic.len <= SKY_MQTT_STRING_MAX && sky_topic_valid_name(topic) &&
                 read_payload(call.body, arena, &payload);
    sky_judge_rule(judge, TEN_RULE(HTTP_CALL), sound,
                   "TopicName, Payload, PayloadEncoding or Qos is not as it should be");
    if (!sound) {
        refuse(ret_answer, SKY_CAUSE_SHAPE, "InvalidParameterValue", "parameter error", facts,
               effects);
        return;
    }
    ret_answer->topic = topic;
    ret_answer->payload = payload;
    ret_answer->qos = (uint8_t)qos;
    ret_answer->body = success_body(facts, arena);
    ret_answer->refused_body =
        sky_tencent__fault_body("FailedOperation", "publish refused", facts, arena);
}

/* ---- the old form of handing in a log, as the C SDK has it (log_upload.c) ---- */

static bool read_old(sky_span body, sky_span *ret_product, sky_span *ret_device)
{
    if (body.len < OLD_HEAD || body.len > OLD_BODY_MAX)
        return false;
    *ret_product = sky_span_head(sky_span_tail(body, OLD_PRODUCT_AT), SKY_TENCENT_PRODUCT_ID);
    *ret_device = sky_span_head(sky_span_tail(body, OLD_DEVICE_AT), OLD_DEVICE);
    while (ret_device->len > 0 && ret_device->ptr[ret_device->len - 1] == '#')
        ret_device->len--;
    return ret_device->len > 0;
}

bool sky_tencent__old_log_claim(const struct sky_http_request *request, struct sky_claim *ret_claim,
                                struct sky_arena *arena)
{
    (void)arena;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED, .affinity = SKY_AFFINITY_NAMED};
    return sky_span_eq_str(request->method, "POST") &&
           read_old(request->body, &ret_claim->product, &ret_claim->device);
}

static struct sky_recipe old_recipe(sky_span body)
{
    struct sky_recipe recipe = {
        .digest = SKY_SHA1, .keying = SKY_HMAC, .style = {.values_only = true}};
    sky_recipe_add(&recipe, "body", sky_span_tail(body, OLD_SIGNATURE));
    return recipe;
}

static sky_span old_key(const struct sky_device *device)
{
    return sky_span_head(sky_span_str(device->secret), OLD_KEY);
}

/* Of a log that is not too long to be searched. */
bool sky_tencent__old_log_suspect(const struct sky_http_request *request,
                                  const struct sky_facts *facts, struct sky_suspicion *s,
                                  struct sky_arena *arena)
{
    (void)arena;
    if (request->body.len < OLD_HEAD ||
        request->body.len > OLD_SIGNATURE + (size_t)SKY_SIGN_TEXT_MAX || facts->device == NULL ||
        facts->device->secret[0] == '\0')
        return false;
    s->due = old_recipe(request->body);
    s->given = sky_span_head(request->body, OLD_SIGNATURE);
    s->secret_word = "psk";
    sky_suspect_secret(s, SKY_SECRET_DUE, old_key(facts->device));
    return true;
}

/* With a certificate the key is a part of its text, which is not registered here. */
static bool old_is_signed(sky_span body, const struct sky_device *device)
{
    uint8_t digest[SKY_DIGEST_MAX];
    char hex[SKY_DIGEST_HEX_MAX + 1];
    sky_span text = sky_span_tail(body, OLD_SIGNATURE);
    if (body.ptr[OLD_SIGNATURE] == 'C')
        return device->fingerprint[0] != '\0';
    if (device->secret[0] == '\0')
        return false;
    sky_digest_hmac(SKY_SHA1, old_key(device), &text, 1, digest);
    sky_hex_lower(sky_span_of(digest, sky_digest_len(SKY_SHA1)), hex);
    return sky_digest_eq(sky_span_head(body, OLD_SIGNATURE), sky_span_str(hex));
}

/* Retcodes other than 0 are not published. */
void sky_tencent__old_log_answer(const struct sky_http_request *request,
                                 const struct sky_facts *facts, struct sky_judge *judge,
                                 struct sky_effects *effects, struct sky_http_answer *ret_answer)
{
    sky_span product, device;
    bool read = read_old(request->body, &product, &device);
    *ret_answer = (struct sky_http_answer){.status = 200, .body = SKY_SPAN("{\"Retcode\":-1}")};
    sky_judge_rule(judge, TEN_RULE(HTTP_CALL), read,
                   "a log of %zu bytes; %d bytes of a head and lines, %d at most, are taken",
                   request->body.len, OLD_HEAD, OLD_BODY_MAX);
    ret_answer->cause = SKY_CAUSE_SHAPE;
    if (!read)
        return;
    sky_judge_rule(judge, TEN_RULE(CLIENTID), facts->device != NULL,
                   "product '%.*s' has no device '%.*s'", SKY_SPAN_ARGS(sky_admit_shown(product)),
                   SKY_SPAN_ARGS(sky_admit_shown(device)));
    ret_answer->cause = SKY_CAUSE_UNKNOWN;
    if (facts->device == NULL)
        return;
    bool disabled = sky_judge_rule(judge, TEN_RULE(DEVICE_DISABLED), facts->device->enabled,
                                   "device %s is disabled", facts->device->key);
    bool forged =
        sky_judge_rule(judge, TEN_RULE(HTTP_SIGN), old_is_signed(request->body, facts->device),
                       "the log does not begin with the HMAC-SHA1, in hexadecimal, of what "
                       "follows, with the first "
                       "%d characters of the psk",
                       OLD_KEY);
    ret_answer->cause = disabled ? SKY_CAUSE_STATE : forged ? SKY_CAUSE_SIGNATURE : SKY_CAUSE_NONE;
    if (disabled || forged)
        return;
    sky_envelope_note(effects, "device-log", sky_span_tail(request->body, OLD_HEAD));
    ret_answer->body = SKY_SPAN("{\"Retcode\":0}");
}
