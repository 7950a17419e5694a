/* The calls a device makes over HTTPS before MQTT: for a login token, and for its secret. The
 * vendor's clients read the code in the body only and cannot read blanks in JSON. */
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/login.h"
#include "protocol/cloud/aliyun/rules.h"

enum {
    CODE_AUTH = 401,
    CODE_PARAMETER = 460,
    CODE_DEVICE = 5001,
    CODE_AUTH_TYPE = 6200,

    STATUS_OK = 200,
    STATUS_METHOD = 405,
    BODY_MAX = 1024,
};
static const int64_t TOKEN_VALID_MS = INT64_C(7) * 24 * 3600 * 1000; /* 响应参数 / iotToken */

/* One call while it is being judged. */
struct call {
    const struct sky_http_request *request;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    struct sky_http_answer *answer;
    struct sky_pairs form;
    bool readable;
};

static const char *message_of(int code)
{
    switch (code) {
    case CODE_AUTH:
        return "request auth error";
    case CODE_PARAMETER:
        return "param error";
    case CODE_DEVICE:
        return "meta device not found";
    default:
        return "auth type mismatch";
    }
}

/* Unless it is refused already: the first reason is the one told. */
static void refuse(struct call *c, int code, enum sky_cause cause)
{
    if (c->answer->status != 0)
        return;
    *c->answer = (struct sky_http_answer){
        .status = STATUS_OK,
        .body = sky_arena_printf(&c->effects->arena, "{\"code\":%d,\"message\":\"%s\"}", code,
                                 message_of(code)),
        .cause = cause};
}

static bool read_form(const struct sky_http_request *request, struct sky_arena *arena,
                      struct sky_pairs *ret_form)
{
    char *scratch = sky_arena_take(arena, request->body.len + 1);
    return sky_grammar_form(request->body, scratch, request->body.len, ret_form) == SKY_SHAPE_OK;
}

static sky_span field(const struct sky_pairs *form, const char *key)
{
    const struct sky_pair *pair = sky_pairs_find(form, key);
    return pair != NULL ? pair->value : SKY_SPAN_NONE;
}

static bool claim(const struct sky_http_request *request, struct sky_claim *ret_claim,
                  struct sky_arena *arena)
{
    struct sky_pairs form;
    if (!read_form(request, arena, &form))
        return false;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED,
                                    .product = field(&form, "productKey"),
                                    .device = field(&form, "deviceName"),
                                    .affinity = SKY_AFFINITY_NAMED};
    return ret_claim->product.len > 0 && ret_claim->device.len > 0;
}

/* ---- what every call is held to ---- */

static bool is_form(sky_span content_type)
{
    const sky_span form = SKY_SPAN("application/x-www-form-urlencoded");
    return sky_span_eq_nocase(sky_span_head(sky_span_trim(content_type), form.len), form);
}

static void check_transport(struct call *c)
{
    const struct sky_http_request *r = c->request;
    int64_t length;
    sky_judge_rule(c->judge, ALI_RULE(HTTPS_METHOD), sky_span_eq_str(r->method, "POST"),
                   "%.*s was used instead of POST", SKY_SPAN_ARGS(sky_admit_shown(r->method)));
    if (!sky_span_eq_str(r->method, "POST")) { /* there is no form to judge */
        refuse(c, CODE_PARAMETER, SKY_CAUSE_SHAPE);
        c->answer->status = STATUS_METHOD;
        return;
    }
    sky_judge_rule(c->judge, ALI_RULE(HTTPS_PLAIN), sky_door_is_encrypted(r->door),
                   "the request came over plain HTTP");
    bool bad =
        sky_judge_rule(c->judge, ALI_RULE(HTTPS_CONTENT_TYPE), is_form(r->content_type),
                       "Content-Type is '%.*s'", SKY_SPAN_ARGS(sky_admit_shown(r->content_type)));
    if (sky_span_to_int(sky_http_header(r, "Content-Length"), &length))
        bad |= sky_judge_rule(
            c->judge, ALI_RULE(HTTPS_CONTENT_LENGTH), length == (int64_t)r->body.len,
            "Content-Length is %lld, the body has %zu bytes", (long long)length, r->body.len);
    if (bad)
        refuse(c, CODE_PARAMETER, SKY_CAUSE_SHAPE);
}

/* The first of the keys that is missing, or NULL. */
static const char *missing(const struct sky_pairs *form, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (field(form, keys[i]).len == 0)
            return keys[i];
    return NULL;
}

/* False: nobody to go on with. */
static bool check_device(struct call *c)
{
    bool known = c->facts->device != NULL && c->facts->product != NULL;
    sky_judge_rule(c->judge, ALI_RULE(HTTPS_DEVICE), known,
                   "product '%.*s' with device '%.*s' is not registered",
                   SKY_SPAN_ARGS(sky_admit_shown(field(&c->form, "productKey"))),
                   SKY_SPAN_ARGS(sky_admit_shown(field(&c->form, "deviceName"))));
    if (!known) {
        refuse(c, CODE_DEVICE, SKY_CAUSE_UNKNOWN);
        return false;
    }
    bool bad = sky_judge_rule(c->judge, ALI_RULE(DEVICE_DISABLED), c->facts->device->enabled,
                              "device %s is disabled", c->facts->device->key);
    bad |= sky_aliyun__judge_direct(c->facts->product, c->judge);
    if (bad)
        refuse(c, CODE_AUTH, SKY_CAUSE_STATE);
    return true;
}

/* True when the answer is still to be given. */
static bool is_admitted(struct call *c)
{
    if (c->judge->refused != NULL)
        refuse(c, CODE_AUTH, SKY_CAUSE_STATE);
    return c->answer->status == 0;
}

/* False: there is nothing more to judge. */
static bool begin(struct call *c)
{
    *c->answer = (struct sky_http_answer){0};
    c->readable = read_form(c->request, &c->effects->arena, &c->form);
    check_transport(c);
    return c->answer->status != STATUS_METHOD;
}

/* A secret among the parameters, by its name; empty: none. */
static sky_span posted_secret(const struct sky_pairs *form)
{
    static const char *const names[] = {"deviceSecret", "productSecret", "secret"};
    for (size_t i = 0; i < form->count; i++)
        for (size_t j = 0; j < SKY_COUNT(names); j++)
            if (sky_span_eq_nocase(form->list[i].key, sky_span_str(names[j])))
                return form->list[i].key;
    return SKY_SPAN_NONE;
}

static void check_secrecy(struct call *c)
{
    sky_span secret = posted_secret(&c->form);
    sky_judge_rule(c->judge, ALI_RULE(HTTPS_SECRET_SENT), secret.len == 0,
                   "%.*s was posted in clear", SKY_SPAN_ARGS(secret));
}

/* ---- POST /auth/devicename ---- */

static const char *const unsigned_keys[] = {"version", "sign", "resources", "resouces",
                                            "signmethod"};

static bool is_signed(sky_span key)
{
    for (size_t i = 0; i < SKY_COUNT(unsigned_keys); i++)
        if (sky_span_eq_str(key, unsigned_keys[i]))
            return false;
    return true;
}

/* Everything that was sent and is not excluded, by name; `without` may be NULL. False when that is
 * too much. */
static bool token_recipe(const struct sky_pairs *form, const struct sky_pair *without,
                         enum sky_digest digest, struct sky_recipe *ret_recipe)
{
    struct sky_recipe recipe = {
        .digest = digest, .keying = SKY_HMAC, .encoding = SKY_HEX_UPPER, .sorted = true};
    for (size_t i = 0; i < form->count; i++)
        if (is_signed(form->list[i].key) && &form->list[i] != without &&
            !sky_recipe_add_pair(&recipe, form->list[i]))
            return false;
    *ret_recipe = recipe;
    return true;
}

/* 认证请求参数信息. False: nothing to verify. */
static bool check_token_form(struct call *c)
{
    static const char *const required[] = {"productKey", "deviceName", "sign", "clientId"};
    struct sky_recipe recipe;
    sky_span method = field(&c->form, "signmethod");
    size_t chars = sky_admit_chars(field(&c->form, "clientId"));
    const char *absent = missing(&c->form, required, SKY_COUNT(required));
    bool usable = c->readable && absent == NULL && sky_aliyun__signmethod_named(method) != NULL &&
                  token_recipe(&c->form, NULL, SKY_MD5, &recipe);
    char room[80];
    sky_span like = SKY_SPAN_NONE;
    if (absent != NULL && c->readable)
        like = sky_misspelt_note(&c->form, absent, room);
    bool bad = sky_judge_rule(
        c->judge, ALI_RULE(HTTPS_PARAM_MISSING), absent == NULL,
        c->readable ? "%s is missing%.*s%s" : "the body is no form%s%.*s%s",
        c->readable && absent != NULL ? absent : "", SKY_SPAN_ARGS(like),
        absent != NULL && posted_secret(&c->form).len > 0 ? "; a secret was posted instead" : "");
    bad |= sky_judge_rule(
        c->judge, ALI_RULE(HTTPS_CLIENTID_LENGTH), chars <= SKY_ALIYUN_CLIENT_ID_MAX,
        "clientId has %zu characters, %d are permitted", chars, SKY_ALIYUN_CLIENT_ID_MAX);
    check_secrecy(c);
    sky_judge_rule(c->judge, ALI_RULE(HTTPS_SIGNMETHOD_DEFAULT), method.ptr != NULL,
                   "signmethod is missing; hmacmd5 is assumed%.*s",
                   SKY_SPAN_ARGS(sky_misspelt_note(&c->form, "signmethod", room)));
    bad |= sky_judge_rule(c->judge, ALI_RULE(HTTPS_SIGNMETHOD),
                          sky_aliyun__signmethod_named(method) != NULL, "signmethod is '%.*s'",
                          SKY_SPAN_ARGS(sky_admit_shown(method)));
    sky_judge_rule(c->judge, ALI_RULE(HTTPS_RESOUCES_TYPO),
                   sky_pairs_find(&c->form, "resouces") == NULL,
                   "the parameter is called resouces");
    if (bad || !usable)
        refuse(c, CODE_PARAMETER, SKY_CAUSE_SHAPE);
    return usable;
}

static const struct sky_mistake_rule token_mistakes[] = {
    {SKY_MISTAKE_EXTRA_SIGNED, ALI_RULE(HTTPS_SIGN_EXCLUDED)},
    {SKY_MISTAKE_OTHER_DIGEST, ALI_RULE(HTTPS_SIGNMETHOD)},
    {SKY_MISTAKE_VALUES_ONLY, ALI_RULE(HTTPS_SIGN)},
    {SKY_MISTAKE_NOT_HMAC, ALI_RULE(HTTPS_SIGN)},
    {SKY_MISTAKE_TIMESTAMP_UNSENT, ALI_RULE(HTTPS_SIGN)},
    {SKY_MISTAKE_TIMESTAMP_LEFT_OUT, ALI_RULE(HTTPS_SIGN)},
    {SKY_MISTAKE_TIMESTAMP_UNIT, ALI_RULE(HTTPS_SIGN)},
};

static void check_token_sign(struct call *c)
{
    struct sky_recipe recipe;
    const struct sky_signmethod *method =
        sky_aliyun__signmethod_named(field(&c->form, "signmethod"));
    if (sky_judge_rule(c->judge, ALI_RULE(HTTPS_AUTH_TYPE), c->facts->product->https_auth,
                       "product %s does not permit authentication over HTTPS",
                       c->facts->product->key))
        refuse(c, CODE_AUTH_TYPE, SKY_CAUSE_STATE);
    bool right =
        token_recipe(&c->form, NULL, method->digest, &recipe) &&
        sky_sign_matches(&recipe, sky_span_str(c->facts->device->secret), field(&c->form, "sign"));
    if (sky_judge_rule(c->judge, ALI_RULE(HTTPS_SIGN), right,
                       "sign is not the %s of the other parameters", method->name))
        refuse(c, CODE_AUTH, SKY_CAUSE_SIGNATURE);
    if (right)
        sky_judge_kept(c->judge, ALI_RULE(HTTPS_SIGN_EXCLUDED));
}

/* resources=mqtt,... asks for the broker's address. */
static bool wants_mqtt(const struct sky_pairs *form)
{
    sky_span name, names = field(form, "resources");
    if (names.ptr == NULL)
        names = field(form, "resouces");
    while (sky_span_next(&names, ',', &name))
        if (sky_span_eq_str(sky_span_trim(name), "mqtt"))
            return true;
    return false;
}

static void grant_token(struct call *c)
{
    struct sky_effect *mint = sky_effects_add(c->effects, SKY_EFFECT_MINT_TOKEN);
    struct sky_arena *arena = &c->effects->arena;
    mint->name = sky_arena_copy(arena, sky_span_head(c->facts->fresh, SKY_ALIYUN_TOKEN_ID_CHARS));
    mint->payload = sky_arena_copy(
        arena, sky_span_head(sky_span_tail(c->facts->fresh, SKY_ALIYUN_TOKEN_ID_CHARS),
                             SKY_ALIYUN_TOKEN_CHARS));
    mint->delay_ms = TOKEN_VALID_MS;
    struct sky_buf out;
    sky_buf_init(&out, BODY_MAX);
    sky_buf_addf(&out, "{\"code\":200,\"data\":{\"iotId\":\"%.*s\",\"iotToken\":\"%.*s\"",
                 SKY_SPAN_ARGS(mint->name), SKY_SPAN_ARGS(mint->payload));
    if (wants_mqtt(&c->form)) {
        sky_buf_add_str(&out, ",\"resources\":{\"mqtt\":{\"host\":");
        struct sky_jw jw = sky_jw(&out);
        sky_jw_str(&jw, c->request->advertise_host);
        sky_buf_addf(&out, ",\"port\":%u}}", c->request->advertise_port);
    }
    sky_buf_add_str(&out, "},\"message\":\"success\"}");
    *c->answer = (struct sky_http_answer){.status = STATUS_OK,
                                          .body = sky_arena_copy(arena, sky_buf_span(&out))};
    sky_buf_done(&out);
}

static void answer_token(const struct sky_http_request *request, const struct sky_facts *facts,
                         struct sky_judge *judge, struct sky_effects *effects,
                         struct sky_http_answer *ret_answer)
{
    struct call c = {request, facts, judge, effects, ret_answer, {.count = 0}, false};
    if (begin(&c) && check_token_form(&c) && check_device(&c)) {
        check_token_sign(&c);
        if (is_admitted(&c))
            grant_token(&c);
    }
}

/* What any signature of a form can be suspected of. */
static void suspect_form(const struct sky_pairs *form, const struct sky_signmethod *method,
                         struct sky_suspicion *s, struct sky_arena *arena)
{
    sky_span secret = posted_secret(form);
    if (secret.len > 0) {
        s->plain = SKY_MISTAKE_SECRET_SENT;
        s->plain_did = sky_arena_printf(arena, "posted %.*s in clear", SKY_SPAN_ARGS(secret));
    }
    s->product = field(form, "productKey");
    s->device = field(form, "deviceName");
    sky_suspect_samples(s, sky_aliyun__samples, SKY_ALIYUN_SAMPLES);
    for (size_t i = 0; i < SKY_COUNT(unsigned_keys); i++)
        if (!sky_span_eq_str(sky_span_str(unsigned_keys[i]), "sign"))
            sky_suspect_extra(s, unsigned_keys[i], field(form, unsigned_keys[i]));
    s->given = field(form, "sign");
    s->method = sky_span_str(method->name);
}

static bool suspect_token(const struct sky_http_request *request, const struct sky_facts *facts,
                          struct sky_suspicion *s, struct sky_arena *arena)
{
    struct sky_pairs form;
    if (!read_form(request, arena, &form) || facts->device == NULL)
        return false;
    const struct sky_pair *misspelt;
    const struct sky_signmethod *method = sky_aliyun__signmethod_meant(&form, &misspelt);
    if (method == NULL || facts->device->secret[0] == '\0' ||
        !token_recipe(&form, misspelt, method->digest, &s->due))
        return false;
    if (misspelt != NULL)
        sky_suspect_spelling(s, misspelt->key, "signmethod", arena);
    suspect_form(&form, method, s, arena);
    s->secret_word = "deviceSecret";
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(facts->device->secret));
    sky_suspect_secret(s, SKY_SECRET_PRODUCT, sky_span_str(facts->product->secret));
    sky_suspect_secret(s, SKY_SECRET_OLD, sky_span_str(facts->device->old_secret));
    return true;
}

/* ---- POST /auth/register/device ---- */

/* The SDK writes signMethod here, unlike in the other call. */
static sky_span register_method(const struct sky_pairs *form)
{
    sky_span method = field(form, "signMethod");
    return method.ptr != NULL ? method : field(form, "signmethod");
}

static bool check_register_form(struct call *c)
{
    static const char *const required[] = {"productKey", "deviceName", "random", "sign"};
    sky_span method = register_method(&c->form);
    const char *absent = missing(&c->form, required, SKY_COUNT(required));
    if (absent == NULL && (method.len == 0 || sky_aliyun__signmethod_named(method) == NULL))
        absent = "a known signMethod";
    bool usable = c->readable && absent == NULL;
    check_secrecy(c);
    sky_judge_rule(c->judge, ALI_RULE(REGISTER_PARAM), usable, "%s is missing",
                   absent != NULL ? absent : "a readable form");
    if (!usable)
        refuse(c, CODE_PARAMETER, SKY_CAUSE_SHAPE);
    return usable;
}

static struct sky_recipe register_recipe(const struct sky_pairs *form)
{
    return sky_aliyun__register_recipe(field(form, "productKey"), field(form, "deviceName"),
                                       field(form, "random"),
                                       sky_aliyun__signmethod_named(register_method(form))->digest);
}

static void check_register(struct call *c)
{
    struct sky_recipe recipe = register_recipe(&c->form);
    if (sky_judge_rule(c->judge, ALI_RULE(REGISTER_DISABLED), c->facts->product->dynamic_activation,
                       "product %s does not permit dynamic registration", c->facts->product->key))
        refuse(c, CODE_AUTH_TYPE, SKY_CAUSE_STATE);
    if (sky_judge_rule(c->judge, ALI_RULE(REGISTER_SIGN),
                       sky_sign_matches(&recipe, sky_span_str(c->facts->product->secret),
                                        field(&c->form, "sign")),
                       "sign is not the HMAC of deviceName, productKey and random"))
        refuse(c, CODE_AUTH, SKY_CAUSE_SIGNATURE);
    if (sky_judge_rule(c->judge, ALI_RULE(REGISTER_ACTIVE),
                       c->facts->device->state == SKY_DEVICE_INACTIVE,
                       "device %s has been online already", c->facts->device->key))
        refuse(c, CODE_AUTH_TYPE, SKY_CAUSE_STATE);
}

static void grant_secret(struct call *c)
{
    char secret[SKY_SECRET_MAX + 1];
    struct sky_arena *arena = &c->effects->arena;
    sky_aliyun__make_secret(c->facts->fresh, secret);
    struct sky_effect *activate = sky_effects_add(c->effects, SKY_EFFECT_ACTIVATE);
    activate->payload = sky_arena_copy(arena, sky_span_str(secret));
    sky_span data = sky_aliyun__secret_json(arena, c->facts, activate->payload);
    *c->answer = (struct sky_http_answer){
        .status = STATUS_OK,
        .body = sky_arena_printf(arena, "{\"code\":200,\"data\":%.*s,\"message\":\"success\"}",
                                 SKY_SPAN_ARGS(data))};
}

static void answer_register(const struct sky_http_request *request, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects,
                            struct sky_http_answer *ret_answer)
{
    struct call c = {request, facts, judge, effects, ret_answer, {.count = 0}, false};
    if (begin(&c) && check_register_form(&c) && check_device(&c)) {
        check_register(&c);
        if (is_admitted(&c))
            grant_secret(&c);
    }
}

static bool suspect_register(const struct sky_http_request *request, const struct sky_facts *facts,
                             struct sky_suspicion *s, struct sky_arena *arena)
{
    struct sky_pairs form;
    if (!read_form(request, arena, &form) || facts->device == NULL ||
        sky_aliyun__signmethod_named(register_method(&form)) == NULL ||
        facts->product->secret[0] == '\0')
        return false;
    s->due = register_recipe(&form);
    suspect_form(&form, sky_aliyun__signmethod_named(register_method(&form)), s, arena);
    s->secret_word = "productSecret";
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(facts->product->secret));
    sky_suspect_secret(s, SKY_SECRET_DEVICE, sky_span_str(facts->device->secret));
    return true;
}

/* 错误码 500: in the vendor's own spelling. */
#define FAILURE                                                                                    \
    {                                                                                              \
        STATUS_OK, "{\"code\":500,\"message\":\"unknow error\"}"                                   \
    }

const struct sky_http_row sky_aliyun__http[SKY_ALIYUN_HTTP_CALLS] = {
    {.method = "POST",
     .path = "/auth/devicename",
     .failure = FAILURE,
     .mistake_rules = token_mistakes,
     .mistake_rule_count = SKY_COUNT(token_mistakes),
     .claim = claim,
     .answer = answer_token,
     .suspect = suspect_token},
    {.method = "POST",
     .path = "/auth/register/device",
     .failure = FAILURE,
     .claim = claim,
     .answer = answer_register,
     .suspect = suspect_register},
};
