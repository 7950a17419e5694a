/* The device shadow, by "MQTT 协议说明 / TOPIC 规范" and the vendor's pages on shadows. SDKs older
 * than the thing model's topics speak the same protocol on $template, about its properties. */
#include "protocol/base/assert.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/shadow.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/cloud/tencent/services.h"

static const struct sky_shadow_limits limits = {
    .depth_max = SKY_TENCENT_SHADOW_DEPTH_MAX,
    .bytes_max = SKY_TENCENT_SHADOW_BYTES_MAX,
};

/* Whose protocol it is. */
struct family {
    const char *topic, *document;
    int64_t unit_ms; /* of the times in the document: those of $template are milliseconds, as
                        observed */
};
static const struct family of_shadow = {"shadow", "shadow", 1000},
                           of_template = {"template", "properties", 1};

/* One request on its way through. */
struct request {
    const struct family *family;
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    sky_span text;  /* the payload; empty when it is no object */
    sky_span type;  /* JSON, empty when it is no string */
    sky_span token; /* as it came, empty when there is none to echo */
    struct sky_shadow shadow;
};

static int64_t now(const struct family *family, const struct sky_facts *facts)
{
    return facts->now_ms / family->unit_ms;
}

/* Everything up to where the payload goes. */
static void begin_answer(const struct request *request, enum sky_tencent_shadow_result result,
                         struct sky_jw *jw)
{
    sky_jw_object(jw);
    if (request->type.len > 0) {
        sky_jw_key(jw, "type");
        sky_jw_raw(jw, request->type);
    }
    sky_jw_put_int(jw, "result", result);
    sky_jw_put_int(jw, "timestamp", now(request->family, request->facts));
    if (request->token.len > 0) {
        sky_jw_key(jw, "clientToken");
        sky_jw_raw(jw, request->token);
    }
    sky_jw_key(jw, "payload");
}

static void end_answer(const struct request *request, struct sky_jw *jw)
{
    struct sky_arena *arena = &request->effects->arena;
    sky_jw_end_object(jw);
    sky_envelope_reply(request->effects, request->uplink,
                       sky_tencent_result_topic(request->uplink, request->family->topic, arena),
                       jw->out);
}

/* `result` with the whole document. */
static void answer_document(const struct request *request, enum sky_tencent_shadow_result result)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    begin_answer(request, result, &jw);
    sky_shadow_write(&jw, &request->shadow);
    end_answer(request, &jw);
}

static void answer_error(const struct request *request, enum sky_tencent_shadow_result result)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    begin_answer(request, result, &jw);
    sky_jw_raw(&jw, SKY_SPAN("{}"));
    end_answer(request, &jw);
}

/* The sections that were sent, as they were sent, or their times. */
static void write_touched(struct sky_jw *jw, const char *key, sky_span state, bool stamps,
                          int64_t time_s)
{
    static const char *const names[] = {"reported", "desired"};
    struct sky_buf out;
    sky_jw_key(jw, key);
    sky_jw_object(jw);
    for (size_t i = 0; i < SKY_COUNT(names); i++) {
        sky_span section = sky_json_member(state, names[i]);
        if (section.len == 0)
            continue;
        sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
        if (stamps)
            sky_shadow_write_stamps(&out, section, time_s);
        else
            sky_json_rewrite(&out, section);
        sky_jw_key(jw, names[i]);
        sky_jw_raw(jw, sky_buf_span(&out));
        sky_buf_done(&out);
    }
    sky_jw_end_object(jw);
}

static void answer_update(const struct request *request, sky_span state)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    begin_answer(request, SKY_TENCENT_SHADOW_OK, &jw);
    sky_jw_object(&jw);
    write_touched(&jw, "state", state, false, 0);
    write_touched(&jw, "metadata", state, true, request->shadow.timestamp_s);
    sky_jw_put_int(&jw, "version", request->shadow.version);
    sky_jw_put_int(&jw, "timestamp", request->shadow.timestamp_s);
    sky_jw_end_object(&jw);
    end_answer(request, &jw);
}

static void store(const struct family *family, const struct sky_shadow *shadow,
                  const struct sky_facts *facts, struct sky_effects *effects)
{
    struct sky_effect *effect = sky_effects_add(effects, SKY_EFFECT_PUT_DOCUMENT);
    SKY_ASSERT(shadow->version == facts->document_version + 1);
    effect->name = sky_span_str(family->document);
    effect->payload = sky_shadow_text(shadow);
    effect->version = shadow->version;
}

static enum sky_tencent_shadow_result fault_result(enum sky_shadow_fault fault)
{
    switch (fault) {
    case SKY_SHADOW_FINE:
        return SKY_TENCENT_SHADOW_OK;
    case SKY_SHADOW_ARRAY_NULL:
        return SKY_TENCENT_SHADOW_ARRAY_NULL;
    case SKY_SHADOW_DEEP:
        return SKY_TENCENT_SHADOW_DEPTH;
    case SKY_SHADOW_LARGE:
    case SKY_SHADOW_MANY:
        return SKY_TENCENT_SHADOW_SIZE;
    case SKY_SHADOW_SHAPE:
    default:
        return SKY_TENCENT_SHADOW_STATE;
    }
}

/* Judges and, when there is a fault, answers it: what is not sound or passes a limit is not kept,
 * even where the rule is only reported. */
static bool refused_state(const struct request *request, enum sky_shadow_fault fault)
{
    bool size = fault == SKY_SHADOW_DEEP || fault == SKY_SHADOW_LARGE;
    bool sound = fault == SKY_SHADOW_FINE;
    char said[SKY_SHADOW_FAULT_TEXT];
    const char *text = sky_shadow_fault_text(fault, &limits, said);
    sky_judge_rule(request->judge, TEN_RULE(SHADOW_STATE), sound || size, "%s", text);
    sky_judge_rule(request->judge, TEN_RULE(SHADOW_LIMIT), sound || !size, "%s", text);
    if (!sound)
        answer_error(request, fault_result(fault));
    return !sound;
}

/* An update without a version is unconditional: the C SDK never sends one. */
static bool refused_version(const struct request *request)
{
    sky_span version = sky_json_member(request->text, "version");
    if (version.len == 0)
        return false;
    double sent = sky_json_is_number(version) ? sky_json_number(version) : -1;
    bool kept = sent == (double)request->shadow.version;
    if (!sky_judge_rule(request->judge, TEN_RULE(SHADOW_VERSION), kept,
                        "version %.0f was sent, the shadow has %lld", sent,
                        (long long)request->shadow.version))
        return false;
    answer_document(request, SKY_TENCENT_SHADOW_VERSION);
    return true;
}

static void update(struct request *request)
{
    sky_span state = sky_json_member(request->text, "state");
    bool overwrite = sky_span_eq_str(sky_json_member(request->text, "overwriteUpdate"), "true");
    if (refused_state(request, sky_shadow_check(state, &limits)) || refused_version(request) ||
        refused_state(request, sky_shadow_merge(&request->shadow, state, overwrite, &limits,
                                                now(request->family, request->facts))))
        return;
    request->shadow.version++;
    store(request->family, &request->shadow, request->facts, request->effects);
    answer_update(request, state);
}

static void dispatch(struct request *request)
{
    sky_span type = sky_json_text(request->type);
    bool get = sky_json_reads(type, "get");
    bool change = sky_json_reads(type, "update");
    bool delta = sky_json_reads(type, "delta");
    sky_judge_rule(request->judge, TEN_RULE(SHADOW_DELTA_UPLINK), !delta,
                   "a message of type delta was published");
    sky_judge_rule(request->judge, TEN_RULE(SHADOW_TYPE), get || change || delta, "type is %.*s",
                   SKY_SPAN_ARGS(type.len > 0 ? type : SKY_SPAN("missing")));
    if (get)
        answer_document(request, SKY_TENCENT_SHADOW_OK);
    else if (change)
        update(request);
    else
        answer_error(request, delta ? SKY_TENCENT_SHADOW_DELTA : SKY_TENCENT_SHADOW_TYPE);
}

static bool parse(struct request *request, struct sky_why *why)
{
    sky_span payload = request->uplink->payload;
    if (payload.len > SKY_TENCENT_MESSAGE_MAX) {
        (void)sky_why_set(why, SKY_ERR_LIMIT, "", "the payload is longer than 16 KB");
        return false;
    }
    if (sky_json_check(payload, SKY_ENVELOPE_DEPTH_MAX, why) != SKY_OK)
        return false;
    request->text = sky_span_trim(payload);
    if (sky_json_is_object(request->text))
        return true;
    (void)sky_why_set(why, SKY_ERR_INVALID, "", "the message is not an object");
    return false;
}

static void handle(const struct family *family, const struct sky_uplink *uplink,
                   const struct sky_facts *facts, struct sky_judge *judge,
                   struct sky_effects *effects)
{
    struct sky_why why = {0};
    struct request request = {
        .family = family, .uplink = uplink, .facts = facts, .judge = judge, .effects = effects};
    sky_judge_rule(judge, TEN_RULE(SHADOW_NOT_SUBSCRIBED), uplink->reply_subscribed,
                   "a request without a subscription to the result topic");
    bool sound = parse(&request, &why);
    sky_judge_rule(judge, TEN_RULE(SHADOW_JSON), sound, "%s", why.reason);
    if (sound) {
        sky_span type = sky_json_member(request.text, "type");
        request.type = sky_json_is_string(type) ? sky_envelope_echoable(type) : SKY_SPAN_NONE;
        request.token = sky_envelope_echoable(sky_json_member(request.text, "clientToken"));
        sky_shadow_load(&request.shadow, facts, &effects->arena);
        dispatch(&request);
    } else {
        answer_error(&request, SKY_TENCENT_SHADOW_NOT_JSON);
    }
}

static void handle_shadow(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    handle(&of_shadow, uplink, facts, judge, effects);
}

static void handle_template(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    handle(&of_template, uplink, facts, judge, effects);
}

const struct sky_service sky_tencent_shadow = {.name = "shadow",
                                               .document = "shadow",
                                               .handle = handle_shadow,
                                               .reply =
                                                   "$shadow/operation/result/{product}/{device}"};
const struct sky_service sky_tencent_template = {
    .name = "template",
    .document = "properties",
    .handle = handle_template,
    .reply = "$template/operation/result/{product}/{device}"};

/* ---- the application's side ---- */

/* In a delta the state is flat: no "reported", no "delta" around it. */
static void push_delta(const struct family *family, enum sky_effect_kind kind,
                       const struct sky_uplink *to, const struct sky_shadow *shadow, sky_span delta,
                       struct sky_effects *effects)
{
    struct sky_buf out, stamps;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&stamps, SKY_ENVELOPE_REPLY_MAX);
    sky_shadow_write_stamps(&stamps, delta, shadow->timestamp_s);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "type", "delta");
    sky_jw_put_int(&jw, "timestamp", shadow->timestamp_s);
    sky_jw_key(&jw, "payload");
    sky_jw_object(&jw);
    sky_jw_key(&jw, "state");
    sky_jw_raw(&jw, delta);
    sky_jw_key(&jw, "metadata");
    sky_jw_raw(&jw, sky_buf_span(&stamps));
    sky_jw_put_int(&jw, "version", shadow->version);
    sky_jw_put_int(&jw, "timestamp", shadow->timestamp_s);
    sky_jw_end_object(&jw);
    sky_jw_end_object(&jw);
    sky_buf_done(&stamps);
    sky_effects_message(effects, kind, sky_tencent_result_topic(to, family->topic, &effects->arena),
                        sky_envelope_keep(&effects->arena, &out), 1);
}

sky_err sky_tencent_shadow_patch(const struct sky_uplink *to, const struct sky_facts *facts,
                                 sky_span patch, struct sky_effects *effects, struct sky_why *why)
{
    struct sky_shadow shadow;
    sky_span desired;
    sky_shadow_load(&shadow, facts, &effects->arena);
    sky_err err = sky_shadow_desire(&shadow, patch, &limits, now(&of_shadow, facts), &desired, why);
    if (err != SKY_OK)
        return err;
    sky_span delta = sky_shadow_changed(&shadow, desired);
    store(&of_shadow, &shadow, facts, effects);
    if (delta.len > 0)
        push_delta(&of_shadow, SKY_EFFECT_PUBLISH, to, &shadow, delta, effects);
    return SKY_OK;
}

/* A control for a device that listens on $template: the values as a delta, whatever was reported.
 * Nothing answers it; the device takes back what is desired. */
sky_span sky_tencent__build_template(const struct sky_uplink *to,
                                     const struct sky_command_request *request,
                                     struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    struct sky_shadow shadow;
    sky_span desired, params = sky_envelope_params(arena, request->params);
    sky_shadow_load(&shadow, request->facts, arena);
    if (sky_shadow_desire(&shadow,
                          sky_arena_printf(arena, "{\"desired\":%.*s}", SKY_SPAN_ARGS(params)),
                          &limits, now(&of_template, request->facts), &desired, NULL) != SKY_OK)
        return SKY_SPAN_NONE;
    store(&of_template, &shadow, request->facts, effects);
    push_delta(&of_template, SKY_EFFECT_PUSH, to, &shadow, desired, effects);
    return sky_arena_copy(arena, request->id);
}

sky_err sky_tencent_shadow_seed(sky_span fixture, int64_t now_ms, struct sky_arena *arena,
                                sky_span *ret_document, int64_t *ret_version, struct sky_why *why)
{
    return sky_shadow_seed(fixture, &limits, now_ms, arena, ret_document, ret_version, why);
}
