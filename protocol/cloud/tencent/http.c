/* Dynamic registration: a device that knows only its product's secret fetches its key, wrapped in
 * AES. The SDK's form and the current document's differ in every detail but the wrapping. */
#include <inttypes.h>
#include <stdio.h>

#include "auth/cipher.h"
#include "auth/text.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/http.h"
#include "protocol/cloud/tencent/rules.h"

enum {
    STATUS_OK = 200,
    JSON_DEPTH_MAX = 4,
    PLAIN_MAX = 256, /* bytes of the wrapped answer */
};

/* Which of the two forms a call has. */
struct dialect {
    const char *path, *product, *device; /* names of the body's members */
    bool headers;                        /* the rest is in X-TC- headers */
};
static const struct dialect sdk = {"/register/dev", "productId", "deviceName", false};
static const struct dialect current = {"/device/register", "ProductId", "DeviceName", true};

/* Why a call is refused; codes and words are this server's, the vendor publishes none. */
enum fault { FAULT_NONE, FAULT_SHAPE, FAULT_UNKNOWN, FAULT_STATE, FAULT_SIGNATURE };
struct fault_text {
    int code;
    const char *name, *message;
    enum sky_cause cause;
};
static const struct fault_text faults[] = {
    [FAULT_SHAPE] = {1001, "InvalidParameterValue", "parameter error", SKY_CAUSE_SHAPE},
    [FAULT_UNKNOWN] = {1002, "ResourceNotFound", "device not found", SKY_CAUSE_UNKNOWN},
    [FAULT_STATE] = {1003, "FailedOperation", "registration not permitted", SKY_CAUSE_STATE},
    [FAULT_SIGNATURE] = {1004, "AuthFailure", "signature error", SKY_CAUSE_SIGNATURE},
};

/* A registration taken apart; everything lives in an arena. */
struct registration {
    sky_span product, device, nonce, timestamp;
    sky_span signature; /* empty: none */
    struct sky_recipe recipe;
    bool complete;
};

/* ---- reading ---- */

static struct sky_recipe sdk_recipe(sky_span device, sky_span nonce, sky_span product,
                                    sky_span timestamp)
{
    struct sky_recipe recipe = {.digest = SKY_SHA1,
                                .keying = SKY_HMAC,
                                .encoding = SKY_BASE64_OF_HEX,
                                .style = {.equals = "=", .between = "&"},
                                .sorted = true};
    sky_recipe_add(&recipe, "deviceName", device);
    sky_recipe_add(&recipe, "nonce", nonce);
    sky_recipe_add(&recipe, "productId", product);
    sky_recipe_add(&recipe, "timestamp", timestamp);
    return recipe;
}

static void read_sdk(sky_span body, struct sky_arena *arena, struct registration *r)
{
    r->nonce = sky_tencent__member(body, "nonce", arena);
    r->timestamp = sky_tencent__member(body, "timestamp", arena);
    r->recipe = sdk_recipe(r->device, r->nonce, r->product, r->timestamp);
    r->signature = sky_tencent__member(body, "signature", arena);
    r->complete = true;
}

static void read_current(const struct sky_http_request *request, struct sky_arena *arena,
                         struct registration *r)
{
    struct sky_tencent_tc tc;
    sky_tencent__read_tc(request, arena, &tc);
    r->nonce = tc.nonce;
    r->timestamp = tc.timestamp;
    r->signature = tc.signature;
    r->recipe = tc.recipe;
    r->complete = tc.complete;
}

/* The SDK labels its JSON as a form, so the content type says nothing. */
static bool read_registration(const struct sky_http_request *request, const struct dialect *dialect,
                              struct sky_arena *arena, struct registration *r)
{
    sky_span body = sky_span_trim(request->body);
    *r = (struct registration){.complete = false};
    if (!sky_span_eq_str(request->method, "POST") ||
        sky_json_check(body, JSON_DEPTH_MAX, NULL) != SKY_OK)
        return false;
    r->product = sky_tencent__member(body, dialect->product, arena);
    r->device = sky_tencent__member(body, dialect->device, arena);
    if (dialect->headers)
        read_current(request, arena, r);
    else
        read_sdk(body, arena, r);
    r->recipe.encoding = sky_tencent__encoding_of(r->signature, r->recipe.digest);
    r->complete = r->complete && r->product.len > 0 && r->device.len > 0 && r->nonce.len > 0 &&
                  r->timestamp.len > 0 && r->signature.len > 0;
    return r->product.len > 0 && r->device.len > 0;
}

/* ---- answering ---- */

/* Base64 of AES-128-CBC: the key is the product secret's first 16 characters, the initialisation
 * vector sixteen times the character 0, the padding zeros. */
static sky_span wrap_key(const struct sky_facts *facts, struct sky_arena *arena, size_t *ret_len)
{
    char plain[PLAIN_MAX + SKY_AES_BLOCK], base64[2 * PLAIN_MAX];
    uint8_t wrapped[PLAIN_MAX + SKY_AES_BLOCK], key[SKY_AES_BLOCK] = {0}, iv[SKY_AES_BLOCK];
    int len = snprintf(plain, sizeof plain, "{\"encryptionType\":2,\"psk\":\"%s\"}",
                       facts->device->secret);
    sky_span secret = sky_span_head(sky_span_str(facts->product->secret), SKY_AES_BLOCK);
    memcpy(key, secret.ptr, secret.len);
    memset(iv, '0', sizeof iv);
    sky_cipher_encrypt(key, iv, sky_span_of(plain, (size_t)len), wrapped);
    sky_base64_encode(sky_span_of(wrapped, sky_cipher_len((size_t)len)), base64);
    sky_mem_wipe(plain, sizeof plain);
    sky_mem_wipe(key, sizeof key);
    *ret_len = (size_t)len;
    return sky_arena_copy(arena, sky_span_str(base64));
}

static sky_span success_body(const struct sky_facts *facts, const struct dialect *dialect,
                             struct sky_arena *arena)
{
    size_t len;
    sky_span payload = wrap_key(facts, arena, &len);
    if (!dialect->headers)
        return sky_arena_printf(arena,
                                "{\"code\":0,\"message\":\"\",\"len\":%zu,\"payload\":\"%.*s\"}",
                                len, SKY_SPAN_ARGS(payload));
    return sky_arena_printf(
        arena, "{\"Response\":{\"Len\":%zu,\"Payload\":\"%.*s\",\"RequestId\":\"%.*s\"}}", len,
        SKY_SPAN_ARGS(payload), SKY_SPAN_ARGS(sky_span_head(facts->fresh, 32)));
}

static sky_span fault_body(const struct fault_text *fault, const struct sky_facts *facts,
                           const struct dialect *dialect, struct sky_arena *arena)
{
    if (!dialect->headers)
        return sky_arena_printf(arena, "{\"code\":%d,\"message\":\"%s\"}", fault->code,
                                fault->message);
    return sky_tencent__fault_body(fault->name, fault->message, facts, arena);
}

static enum fault judge_state(const struct sky_facts *facts, struct sky_judge *judge)
{
    bool bad = sky_judge_rule(judge, TEN_RULE(DEVICE_DISABLED), facts->device->enabled,
                              "device %s is disabled", facts->device->key);
    bad |= sky_judge_rule(judge, TEN_RULE(REGISTER_DISABLED), facts->product->dynamic_activation,
                          "product %s does not permit dynamic registration", facts->product->key);
    bad |= sky_judge_rule(judge, TEN_RULE(REGISTER_ACTIVE),
                          facts->device->state == SKY_DEVICE_INACTIVE,
                          "device %s has been online already", facts->device->key);
    return bad ? FAULT_STATE : FAULT_NONE;
}

static enum fault judge_registration(const struct registration *r, const struct sky_facts *facts,
                                     struct sky_judge *judge)
{
    sky_judge_rule(judge, TEN_RULE(REGISTER_SHAPE), r->complete,
                   "product id, device name, nonce, timestamp or signature is missing");
    if (!r->complete)
        return FAULT_SHAPE;
    bool known = facts->device != NULL && facts->product != NULL;
    sky_judge_rule(judge, TEN_RULE(CLIENTID), known, "product '%.*s' has no device '%.*s'",
                   SKY_SPAN_ARGS(sky_admit_shown(r->product)),
                   SKY_SPAN_ARGS(sky_admit_shown(r->device)));
    if (!known)
        return FAULT_UNKNOWN;
    enum fault fault = judge_state(facts, judge);
    bool right = sky_sign_matches(&r->recipe, sky_span_str(facts->product->secret), r->signature);
    bool bad = sky_judge_rule(judge, TEN_RULE(REGISTER_SIGN), right,
                              "the signature is not the HMAC-%s, with the product secret, of the "
                              "request's fields",
                              sky_digest_name(r->recipe.digest));
    if (fault == FAULT_NONE && bad)
        fault = FAULT_SIGNATURE;
    return fault == FAULT_NONE && judge->refused != NULL ? FAULT_STATE : fault;
}

static void answer(const struct dialect *dialect, const struct sky_http_request *request,
                   const struct sky_facts *facts, struct sky_judge *judge,
                   struct sky_effects *effects, struct sky_http_answer *ret_answer)
{
    struct registration r;
    read_registration(request, dialect, &effects->arena, &r);
    enum fault fault = judge_registration(&r, facts, judge);
    *ret_answer = (struct sky_http_answer){.status = STATUS_OK};
    if (fault == FAULT_NONE) {
        ret_answer->body = success_body(facts, dialect, &effects->arena);
        return;
    }
    ret_answer->cause = faults[fault].cause;
    ret_answer->body = fault_body(&faults[fault], facts, dialect, &effects->arena);
}

static bool suspect(const struct dialect *dialect, const struct sky_http_request *request,
                    const struct sky_facts *facts, struct sky_suspicion *s, struct sky_arena *arena)
{
    struct registration r;
    if (!read_registration(request, dialect, arena, &r) || !r.complete || facts->device == NULL ||
        facts->product->secret[0] == '\0')
        return false;
    s->due = r.recipe;
    s->given = r.signature;
    s->secret_word = "productSecret";
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(facts->product->secret));
    sky_suspect_secret(s, SKY_SECRET_DEVICE, sky_span_str(facts->device->secret));
    return true;
}

static bool claim(const struct dialect *dialect, const struct sky_http_request *request,
                  struct sky_claim *ret_claim, struct sky_arena *arena)
{
    struct registration r;
    if (!read_registration(request, dialect, arena, &r))
        return false;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED,
                                    .product = r.product,
                                    .device = r.device,
                                    .affinity = SKY_AFFINITY_NAMED};
    return true;
}

/* ---- the two calls ---- */

static bool claim_sdk(const struct sky_http_request *request, struct sky_claim *ret_claim,
                      struct sky_arena *arena)
{
    return claim(&sdk, request, ret_claim, arena);
}

static void answer_sdk(const struct sky_http_request *request, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects,
                       struct sky_http_answer *ret_answer)
{
    answer(&sdk, request, facts, judge, effects, ret_answer);
}

static bool suspect_sdk(const struct sky_http_request *request, const struct sky_facts *facts,
                        struct sky_suspicion *ret_suspicion, struct sky_arena *arena)
{
    return suspect(&sdk, request, facts, ret_suspicion, arena);
}

static bool claim_current(const struct sky_http_request *request, struct sky_claim *ret_claim,
                          struct sky_arena *arena)
{
    return claim(&current, request, ret_claim, arena);
}

static void answer_current(const struct sky_http_request *request, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects,
                           struct sky_http_answer *ret_answer)
{
    answer(&current, request, facts, judge, effects, ret_answer);
}

static bool suspect_current(const struct sky_http_request *request, const struct sky_facts *facts,
                            struct sky_suspicion *ret_suspicion, struct sky_arena *arena)
{
    return suspect(&current, request, facts, ret_suspicion, arena);
}

const struct sky_http_row sky_tencent__http[SKY_TENCENT_HTTP_CALLS] = {
    {.method = "POST",
     .path = "/device/publish",
     .failure = {STATUS_OK, SKY_TENCENT_HTTP_FAILURE},
     .claim = sky_tencent__device_claim,
     .answer = sky_tencent__publish_answer,
     .suspect = sky_tencent__device_suspect},
    {.method = "POST",
     .path = "/device/reportlog",
     .failure = {STATUS_OK, SKY_TENCENT_HTTP_FAILURE},
     .claim = sky_tencent__device_claim,
     .answer = sky_tencent__log_answer,
     .suspect = sky_tencent__device_suspect},
    {.method = "POST",
     .path = "/cgi-bin/report-log",
     .failure = {STATUS_OK, "{\"Retcode\":-1}"},
     .claim = sky_tencent__old_log_claim,
     .answer = sky_tencent__old_log_answer,
     .suspect = sky_tencent__old_log_suspect},
    {.method = "POST",
     .path = "/register/dev",
     .failure = {STATUS_OK, "{\"code\":1005,\"message\":\"internal error\"}"},
     .claim = claim_sdk,
     .answer = answer_sdk,
     .suspect = suspect_sdk},
    {.method = "POST",
     .path = "/device/register",
     .failure = {STATUS_OK, SKY_TENCENT_HTTP_FAILURE},
     .claim = claim_current,
     .answer = answer_current,
     .suspect = suspect_current},
};

void sky_tencent__sign_registration(const struct sky_sign_request *request, struct sky_arena *arena,
                                    struct sky_credentials *c)
{
    sky_span now = sky_arena_printf(arena, "%" PRId64, request->now_ms / 1000),
             nonce = sky_arena_printf(arena, "%" PRId64, request->now_ms % INT32_MAX);
    struct sky_recipe recipe = sdk_recipe(sky_span_str(request->device->key), nonce,
                                          sky_span_str(request->product->key), now);
    sky_span signature = sky_credentials_signature(&recipe, request->product->secret, arena);
    c->https_path = sky_span_str(sdk.path);
    c->https_form = sky_arena_printf(
        arena,
        "{\"deviceName\":\"%s\",\"nonce\":%.*s,\"productId\":\"%s\",\"timestamp\":%.*s,"
        "\"signature\":\"%.*s\"}",
        request->device->key, SKY_SPAN_ARGS(nonce), request->product->key, SKY_SPAN_ARGS(now),
        SKY_SPAN_ARGS(signature));
}
