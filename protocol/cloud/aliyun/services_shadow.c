/* The device shadow of the vendor's help page 53964 and of the C SDK 2.x, which matches answers
 * by clientToken and clears with the string "null". */
#include <stdio.h>

#include "protocol/base/json_view.h"
#include "protocol/cloud/aliyun/rules.h"
#include "protocol/cloud/aliyun/services.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/shadow.h"

static const struct sky_shadow_limits limits = {
    .depth_max = SKY_ALIYUN_SHADOW_DEPTH_MAX,
    .bytes_max = SKY_ALIYUN_SHADOW_BYTES_MAX,
    .attributes_max = SKY_ALIYUN_SHADOW_ATTRIBUTES_MAX,
};

/* The SDK's list, and 409 from the help page. What the cloud says to a shadow too deep or too
 * large is not published: 500 is this server's choice. */
enum code {
    CODE_OK = 0,
    CODE_NOT_JSON = 400,
    CODE_NO_METHOD = 401,
    CODE_NO_STATE = 402,
    CODE_BAD_VERSION = 403,
    CODE_NO_REPORTED = 404,
    CODE_EMPTY_REPORTED = 405,
    CODE_BAD_METHOD = 406,
    CODE_EMPTY_SHADOW = 407,
    CODE_TOO_MANY = 408,
    CODE_CONFLICT = 409,
    CODE_TOO_LARGE = 500,
};

static const struct {
    enum code code;
    const char *text;
} texts[] = {
    {CODE_NOT_JSON, "incorrect json format"},
    {CODE_NO_METHOD, "method is missing"},
    {CODE_NO_STATE, "state is missing"},
    {CODE_BAD_VERSION, "version is not a number of at least 0"},
    {CODE_NO_REPORTED, "reported is missing"},
    {CODE_EMPTY_REPORTED, "reported has no attributes"},
    {CODE_BAD_METHOD, "unknown method"},
    {CODE_EMPTY_SHADOW, "the shadow is empty"},
    {CODE_TOO_MANY, "too many attributes"},
    {CODE_CONFLICT, "version conflict"},
    {CODE_TOO_LARGE, "the shadow is too deep or too large"},
};

/* One request on its way through. */
struct request {
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    sky_span text;  /* the payload; empty when it is no object */
    sky_span token; /* as it came, empty when there is none to echo */
    struct sky_shadow shadow;
};

static const double version_max = 9007199254740991.0; /* 2^53 - 1: exact in JSON everywhere */

static int64_t now_s(const struct sky_facts *facts)
{
    return facts->now_ms / 1000;
}

static const char *code_text(enum code code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "";
}

static sky_span answer_topic(const struct sky_uplink *uplink, struct sky_arena *arena)
{
    return sky_arena_printf(arena, "/shadow/get/%.*s/%.*s", SKY_SPAN_ARGS(uplink->product),
                            SKY_SPAN_ARGS(uplink->device));
}

/* Behind the payload. */
static void end_answer(const struct request *request, struct sky_jw *jw)
{
    sky_jw_put_int(jw, "timestamp", now_s(request->facts));
    if (request->token.len > 0) {
        sky_jw_key(jw, "clientToken");
        sky_jw_raw(jw, request->token);
    }
    sky_jw_end_object(jw);
    sky_envelope_reply(request->effects, request->uplink,
                       answer_topic(request->uplink, &request->effects->arena), jw->out);
}

static void begin_payload(struct sky_jw *jw, const char *method, const char *status)
{
    sky_jw_object(jw);
    sky_jw_put_str(jw, "method", method);
    sky_jw_key(jw, "payload");
    sky_jw_object(jw);
    sky_jw_put_str(jw, "status", status);
}

static void answer_error(const struct request *request, enum code code)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    char digits[8];
    snprintf(digits, sizeof digits, "%d", (int)code);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    begin_payload(&jw, "reply", "error");
    sky_jw_key(&jw, "content");
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "errorcode", digits);
    sky_jw_put_str(&jw, "errormessage", code_text(code));
    sky_jw_end_object(&jw);
    sky_jw_end_object(&jw);
    end_answer(request, &jw);
}

static void answer_success(const struct request *request)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    begin_payload(&jw, "reply", "success");
    sky_jw_put_int(&jw, "version", request->shadow.version);
    sky_jw_end_object(&jw);
    end_answer(request, &jw);
}

/* The whole shadow, as in an answer to get and in a control message. */
static void write_document(struct sky_jw *jw, const char *method, const struct sky_shadow *shadow)
{
    begin_payload(jw, method, "success");
    sky_shadow_write_tree(jw, "state", &shadow->state, SKY_SPAN_NONE);
    sky_shadow_write_tree(jw, "metadata", &shadow->metadata, SKY_SPAN_NONE);
    sky_jw_end_object(jw);
    sky_jw_put_int(jw, "version", shadow->version);
}

static void answer_document(const struct request *request)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    write_document(&jw, "reply", &request->shadow);
    end_answer(request, &jw);
}

static void store(const struct sky_shadow *shadow, struct sky_effects *effects)
{
    struct sky_effect *effect = sky_effects_add(effects, SKY_EFFECT_PUT_DOCUMENT);
    effect->name = sky_span_str(sky_aliyun_shadow.document);
    effect->payload = sky_shadow_text(shadow);
    effect->version = shadow->version;
}

/* ---- the requests ---- */

/* Writes the strings "null" below `value` as real ones; `all`: every value that is no object. */
static void write_nulls(struct sky_jw *jw, sky_span value, bool all)
{
    struct sky_json_member child;
    sky_span rest = sky_json_inside(value);
    if (!sky_json_is_object(value)) {
        sky_jw_raw(jw, all || sky_span_eq_str(value, "\"null\"") ? SKY_SPAN("null") : value);
        return;
    }
    sky_jw_object(jw);
    while (sky_json_next_member(&rest, &child)) {
        sky_jw_key_raw(jw, child.key);
        write_nulls(jw, child.value, all);
    }
    sky_jw_end_object(jw);
}

static enum code fault_code(enum sky_shadow_fault fault)
{
    switch (fault) {
    case SKY_SHADOW_FINE:
        return CODE_OK;
    case SKY_SHADOW_MANY:
        return CODE_TOO_MANY;
    case SKY_SHADOW_DEEP:
    case SKY_SHADOW_LARGE:
        return CODE_TOO_LARGE;
    case SKY_SHADOW_SHAPE:
    case SKY_SHADOW_ARRAY_NULL:
    default:
        return CODE_NOT_JSON;
    }
}

/* An update that only acknowledges ("desired":"null") needs no reported. */
static enum code check_state(sky_span state)
{
    sky_span reported = sky_json_member(state, "reported");
    if (reported.len == 0 && sky_json_member(state, "desired").len == 0)
        return CODE_NO_REPORTED;
    if (sky_json_is_object(reported) && sky_json_inside(reported).len == 0)
        return CODE_EMPTY_REPORTED;
    return fault_code(sky_shadow_check(state, &limits));
}

/* The version after the change. A version that was sent must be above the stored one and becomes
 * the new one; none, or 0 as in the vendor's API, means: not checked. */
static enum code next_version(const struct request *request, int64_t *ret_version)
{
    sky_span version = sky_json_member(request->text, "version");
    double sent = sky_json_number(version);
    *ret_version = request->shadow.version + 1;
    if (version.len > 0 && (!sky_json_is_number(version) || sent < 0 || sent > version_max))
        return CODE_BAD_VERSION;
    if (sent == 0)
        return CODE_OK;
    bool kept = sent > (double)request->shadow.version;
    if (sky_judge_rule(request->judge, ALI_RULE(SHADOW_VERSION), kept,
                       "version %.0f was sent, the shadow has %lld", sent,
                       (long long)request->shadow.version))
        return CODE_CONFLICT;
    if (kept)
        *ret_version = (int64_t)sent;
    return CODE_OK;
}

/* Help page 53964: with version -1 the device wants the shadow empty, and its version 0. */
static bool clears(const struct request *request)
{
    return sky_json_number(sky_json_member(request->text, "version")) == -1;
}

static enum code clear(struct request *request)
{
    request->shadow =
        (struct sky_shadow){.arena = request->shadow.arena, .timestamp_s = now_s(request->facts)};
    store(&request->shadow, request->effects);
    answer_success(request);
    return CODE_OK;
}

/* The state that was sent, with its nulls; too deep a one is not read that far. */
static enum code read_state(const struct request *request, bool removes, sky_span *ret_state)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_span state = sky_json_member(request->text, "state");
    if (!sky_json_is_object(state))
        return CODE_NO_STATE;
    if (sky_json_depth(state) > limits.depth_max + 1)
        return CODE_TOO_LARGE;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    write_nulls(&jw, state, removes);
    *ret_state = sky_envelope_keep(&request->effects->arena, &out);
    return check_state(*ret_state);
}

static enum code change(struct request *request, bool removes)
{
    sky_span state;
    int64_t version;
    if (clears(request))
        return clear(request);
    enum code code = read_state(request, removes, &state);
    if (code == CODE_OK && removes && sky_shadow_is_empty(&request->shadow))
        code = CODE_EMPTY_SHADOW;
    if (code == CODE_OK)
        code = next_version(request, &version);
    if (code == CODE_OK)
        code = fault_code(
            sky_shadow_merge(&request->shadow, state, false, &limits, now_s(request->facts)));
    if (code != CODE_OK)
        return code;
    request->shadow.version = version;
    store(&request->shadow, request->effects);
    answer_success(request);
    return CODE_OK;
}

static enum code get(struct request *request)
{
    if (sky_shadow_is_empty(&request->shadow))
        return CODE_EMPTY_SHADOW;
    answer_document(request);
    return CODE_OK;
}

static enum code dispatch(struct request *request)
{
    sky_span method = sky_json_member(request->text, "method");
    if (request->text.len == 0)
        return CODE_NOT_JSON;
    if (!sky_json_is_string(method))
        return CODE_NO_METHOD;
    if (sky_json_reads(sky_json_text(method), "get"))
        return get(request);
    if (sky_json_reads(sky_json_text(method), "update"))
        return change(request, false);
    if (sky_json_reads(sky_json_text(method), "delete"))
        return change(request, true);
    return CODE_BAD_METHOD;
}

/* The text without the commas in objects that have no member on one of their sides, in the arena.
 * What it is otherwise does not matter: it is checked afterwards. */
static sky_span without_bare_commas(sky_span text, struct sky_arena *arena)
{
    char *out = sky_arena_take(arena, text.len + 1);
    uint64_t objects = 0; /* bit 0: the innermost container is an object; the next one out, bit 1 */
    size_t len = 0, comma = 0; /* where the last one is */
    bool in_string = false;
    char last = '\0'; /* outside of strings, no blank */
    for (size_t at = 0; at < text.len; at++) {
        char c = text.ptr[at];
        if (!in_string && c == ',' && (objects & 1) && (last == '{' || last == ','))
            continue;
        if (!in_string && c == '}' && last == ',')
            out[comma] = ' ';
        if (!in_string && c == ',')
            comma = len;
        if (c == '{' || c == '[')
            objects = in_string ? objects : objects << 1 | (c == '{');
        else if (c == '}' || c == ']')
            objects = in_string ? objects : objects >> 1;
        if (in_string && c == '\\' && at + 1 < text.len) {
            out[len++] = c;
            c = text.ptr[++at];
        } else if (c == '"') {
            in_string = !in_string;
        }
        if ((unsigned char)c > ' ')
            last = c;
        out[len++] = c;
    }
    return sky_span_of(out, len);
}

/* Is it JSON? The C SDK's shadow delete has {"method":"delete",,"state":...}: that is, too. */
static bool read_text(struct request *request, struct sky_why *why)
{
    sky_span payload = request->uplink->payload;
    if (payload.len > SKY_ALIYUN_MESSAGE_MAX)
        return false;
    bool sound = sky_json_check(payload, SKY_ENVELOPE_DEPTH_MAX, why) == SKY_OK;
    if (!sound) {
        payload = without_bare_commas(payload, &request->effects->arena);
        if (sky_json_check(payload, SKY_ENVELOPE_DEPTH_MAX, NULL) != SKY_OK)
            return false;
    }
    sky_judge_rule(request->judge, ALI_RULE(SHADOW_COMMA), sound, "%s", why->reason);
    request->text = sky_span_trim(payload);
    if (!sky_json_is_object(request->text))
        request->text = SKY_SPAN_NONE;
    return request->text.len > 0;
}

static void parse(struct request *request)
{
    struct sky_why why = {.reason = "the message is longer than 256 KB, or not an object"};
    bool sound = read_text(request, &why);
    sky_judge_rule(request->judge, ALI_RULE(PAYLOAD_JSON), sound, "%s", why.reason);
    if (!sound)
        return;
    request->token = sky_envelope_echoable(sky_json_member(request->text, "clientToken"));
}

static void handle_shadow(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request = {.uplink = uplink, .facts = facts, .judge = judge, .effects = effects};
    parse(&request);
    sky_shadow_load(&request.shadow, facts, &effects->arena);
    enum code code = dispatch(&request);
    if (request.text.len > 0 && code != CODE_CONFLICT)
        sky_judge_rule(judge, ALI_RULE(SHADOW_FORMAT), code == CODE_OK || code == CODE_EMPTY_SHADOW,
                       "%s", code_text(code));
    if (code != CODE_OK)
        answer_error(&request, code);
}

const struct sky_service sky_aliyun_shadow = {
    .name = "shadow", .document = "shadow", .handle = handle_shadow};

/* ---- the application's side ---- */

static void push_control(const struct sky_uplink *to, const struct sky_shadow *shadow,
                         struct sky_effects *effects)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    write_document(&jw, "control", shadow);
    sky_jw_put_int(&jw, "timestamp", shadow->timestamp_s);
    sky_jw_end_object(&jw);
    sky_effects_message(effects, SKY_EFFECT_PUBLISH, answer_topic(to, &effects->arena),
                        sky_envelope_keep(&effects->arena, &out), 1);
}

sky_err sky_aliyun_shadow_patch(const struct sky_uplink *to, const struct sky_facts *facts,
                                sky_span patch, struct sky_effects *effects, struct sky_why *why)
{
    struct sky_shadow shadow;
    sky_span desired;
    sky_shadow_load(&shadow, facts, &effects->arena);
    sky_err err = sky_shadow_desire(&shadow, patch, &limits, now_s(facts), &desired, why);
    if (err != SKY_OK)
        return err;
    store(&shadow, effects);
    if (shadow.state.sections[SKY_SHADOW_DESIRED].len > 0)
        push_control(to, &shadow, effects);
    return SKY_OK;
}

sky_err sky_aliyun_shadow_seed(sky_span fixture, int64_t now_ms, struct sky_arena *arena,
                               sky_span *ret_document, int64_t *ret_version, struct sky_why *why)
{
    return sky_shadow_seed(fixture, &limits, now_ms, arena, ret_document, ret_version, why);
}
