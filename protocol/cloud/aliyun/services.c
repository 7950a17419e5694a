#include "protocol/cloud/aliyun/services.h"

#include <inttypes.h>

#include "protocol/base/assert.h"
#include "protocol/base/json_view.h"
#include "protocol/cloud/aliyun/rules.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/latest.h"
#include "protocol/mqtt/topic.h"

/* 200 and 460 are documented for the thing topics (help page 89304); what the cloud says to a
 * topic it does not know is not, so 404 is ours. */
enum { CODE_OK = 200, CODE_NOT_FOUND = 404, CODE_PARAMETER = 460 };

enum { THING_LEVEL = 4, COMBINE_LEVEL = 5, RPC_ID_LEVEL = 6, CUSTOM_RPC_ID_LEVEL = 3 };

static const char *code_text(int code)
{
    return code == CODE_OK          ? "success"
           : code == CODE_PARAMETER ? "request parameter error"
                                    : "not found";
}

/* `"thing.event.property.post"`, from /sys/{product}/{device}/thing/event/property/post, and
 * `"combine.login"`, from /ext/session/{product}/{device}/combine/login. */
static void write_method(struct sky_buf *out, sky_span topic)
{
    bool session = sky_span_starts(topic, SKY_SPAN("/ext/session/"));
    sky_span level, rest = sky_envelope_levels(topic, session ? COMBINE_LEVEL : THING_LEVEL);
    const char *before = "";
    struct sky_buf name;
    sky_buf_init(&name, rest.len + 1);
    while (sky_span_next(&rest, '/', &level)) {
        sky_buf_add_str(&name, before);
        sky_buf_add(&name, level);
        before = ".";
    }
    struct sky_jw jw = sky_jw(out);
    sky_jw_str(&jw, sky_buf_span(&name));
    sky_buf_done(&name);
}

/* The key order of the cloud's own answers; the C SDK finds keys by searching for them. */
static void reply(const struct sky_uplink *uplink, const struct sky_envelope *envelope, int code,
                  struct sky_effects *effects)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_addf(&out, "{\"code\":%d,\"data\":{}", code);
    if (envelope->id.len > 0)
        sky_buf_addf(&out, ",\"id\":%.*s", SKY_SPAN_ARGS(envelope->id));
    sky_buf_addf(&out, ",\"message\":\"%s\",\"method\":", code_text(code));
    write_method(&out, uplink->topic);
    sky_buf_add_str(&out, ",\"version\":\"1.0\"}");
    sky_envelope_reply(effects, uplink, sky_envelope_reply_topic(&effects->arena, uplink->topic),
                       &out);
}

/* {"sys":{"ack":0}}: the device asks for no answer (help page 89304). */
static bool wants_no_answer(const struct sky_envelope *envelope)
{
    return sky_span_eq_str(sky_json_member(sky_json_member(envelope->text, "sys"), "ack"), "0");
}

/* The request was in order, and so were the rules about it. */
static void succeed(const struct sky_uplink *uplink, const struct sky_envelope *envelope,
                    struct sky_judge *judge, struct sky_effects *effects)
{
    sky_judge_kept(judge, ALI_RULE(PARAMS));
    sky_judge_kept(judge, ALI_RULE(SERVICE_UNKNOWN));
    if (!wants_no_answer(envelope))
        reply(uplink, envelope, CODE_OK, effects);
}

/* False when the message is no JSON object: judged. */
static bool open_message(const struct sky_uplink *uplink, struct sky_judge *judge,
                         struct sky_envelope *ret_envelope)
{
    sky_envelope_open(ret_envelope, uplink->payload, SKY_ALIYUN_MESSAGE_MAX);
    bool sound = ret_envelope->fault == SKY_ENVELOPE_SOUND;
    const char *reason = ret_envelope->fault == SKY_ENVELOPE_EMPTY   ? "the payload is empty"
                         : ret_envelope->fault == SKY_ENVELOPE_LARGE ? "the payload is too long"
                                                                     : ret_envelope->why.reason;
    sky_judge_rule(judge, ALI_RULE(PAYLOAD_JSON), sound, "%.*s: %s", SKY_SPAN_ARGS(uplink->topic),
                   reason);
    return sound;
}

static void refuse_params(const struct sky_uplink *uplink, const struct sky_envelope *envelope,
                          const char *what, struct sky_judge *judge, struct sky_effects *effects)
{
    sky_judge_rule(judge, ALI_RULE(PARAMS), false, "%.*s: %s", SKY_SPAN_ARGS(uplink->topic), what);
    reply(uplink, envelope, CODE_PARAMETER, effects);
}

/* False when the request has been answered with an error. SDKs leave the method out, or empty. */
static bool open_request(const struct sky_uplink *uplink, struct sky_judge *judge,
                         struct sky_effects *effects, struct sky_envelope *ret_envelope)
{
    if (!open_message(uplink, judge, ret_envelope)) {
        reply(uplink, ret_envelope, CODE_PARAMETER, effects);
        return false;
    }
    sky_span method = ret_envelope->method;
    bool fits = method.len == 0 || sky_envelope_method_fits(method, uplink->topic, THING_LEVEL);
    if (!sky_judge_rule(judge, ALI_RULE(METHOD_TOPIC), fits, "method %.*s was sent to %.*s",
                        SKY_SPAN_ARGS(method), SKY_SPAN_ARGS(uplink->topic)))
        return true;
    reply(uplink, ret_envelope, CODE_PARAMETER, effects);
    return false;
}

/* ---- properties and events ---- */

/* {"value":v} or {"value":v,"time":ms}; anything else is the value itself. */
static bool is_timed(sky_span value)
{
    struct sky_json_member member;
    bool has_value = false;
    sky_span rest = sky_json_is_object(value) ? sky_json_inside(value) : SKY_SPAN_NONE;
    while (sky_json_next_member(&rest, &member)) {
        bool is_value = sky_span_eq_str(member.key, "value");
        if (!is_value && !sky_span_eq_str(member.key, "time"))
            return false;
        has_value |= is_value;
    }
    return has_value;
}

static void put_property(struct sky_latest *latest, const struct sky_json_member *property,
                         int64_t now_ms)
{
    bool timed = is_timed(property->value);
    sky_span value = sky_json_compact(
        latest->arena, timed ? sky_json_member(property->value, "value") : property->value);
    int64_t time = 0;
    if (!timed || !sky_span_to_int(sky_json_member(property->value, "time"), &time))
        time = now_ms;
    sky_latest_put(latest, property->key,
                   sky_arena_printf(latest->arena, "{\"value\":%.*s,\"time\":%" PRId64 "}",
                                    SKY_SPAN_ARGS(value), time));
}

static void handle_property_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                 struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_latest latest;
    struct sky_json_member property;
    if (!open_request(uplink, judge, effects, &envelope))
        return;
    if (!sky_json_is_object(envelope.params)) {
        refuse_params(uplink, &envelope, "params must be an object of properties", judge, effects);
        return;
    }
    sky_latest_open(&latest, facts->document, &effects->arena);
    sky_span rest = sky_json_inside(envelope.params);
    while (sky_json_next_member(&rest, &property))
        put_property(&latest, &property, facts->now_ms);
    sky_latest_save(&latest, facts, sky_aliyun_property_post.document, effects);
    sky_latest_close(&latest);
    succeed(uplink, &envelope, judge, effects);
}

static void handle_event_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    (void)facts;
    if (!open_request(uplink, judge, effects, &envelope))
        return;
    if (sky_json_is_object(envelope.params))
        succeed(uplink, &envelope, judge, effects);
    else
        refuse_params(uplink, &envelope, "params must be an object", judge, effects);
}

/* ---- tags ---- */

/* What is wrong with this entry of params, or NULL. */
static const char *tag_fault(sky_span tag, bool needs_value)
{
    sky_span key = sky_json_member(tag, "attrKey");
    if (!sky_json_is_string(key) || sky_json_text(key).len == 0)
        return "every tag needs an attrKey";
    if (needs_value && sky_json_member(tag, "attrValue").len == 0)
        return "every tag needs an attrValue";
    return NULL;
}

static const char *tags_fault(sky_span params, bool needs_value)
{
    sky_span tag, rest = sky_json_inside(params);
    const char *fault = NULL;
    size_t count = 0;
    if (!sky_json_is_array(params))
        return "params must be an array of tags";
    while (fault == NULL && sky_json_next_element(&rest, &tag))
        fault = ++count > SKY_ALIYUN_TAGS_MAX ? "more than 200 tags in one message"
                                              : tag_fault(tag, needs_value);
    return fault;
}

static void change_tags(const struct sky_uplink *uplink, const struct sky_facts *facts, bool update,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_latest latest;
    sky_span tag;
    if (!open_request(uplink, judge, effects, &envelope))
        return;
    const char *fault = tags_fault(envelope.params, update);
    if (fault != NULL) {
        refuse_params(uplink, &envelope, fault, judge, effects);
        return;
    }
    sky_latest_open(&latest, facts->document, &effects->arena);
    sky_span rest = sky_json_inside(envelope.params);
    while (sky_json_next_element(&rest, &tag)) {
        sky_span key = sky_json_text(sky_json_member(tag, "attrKey"));
        if (update)
            sky_latest_put(&latest, key,
                           sky_json_compact(latest.arena, sky_json_member(tag, "attrValue")));
        else
            sky_latest_drop(&latest, key);
    }
    sky_latest_save(&latest, facts, sky_aliyun_tags_update.document, effects);
    sky_latest_close(&latest);
    succeed(uplink, &envelope, judge, effects);
}

static void handle_tags_update(const struct sky_uplink *uplink, const struct sky_facts *facts,
                               struct sky_judge *judge, struct sky_effects *effects)
{
    change_tags(uplink, facts, true, judge, effects);
}

static void handle_tags_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                               struct sky_judge *judge, struct sky_effects *effects)
{
    change_tags(uplink, facts, false, judge, effects);
}

/* ---- versions ---- */

/* Help page 89307: one module a message, no answer. A module that goes without name is `default`.
 */
static void handle_version(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_latest latest;
    if (!open_message(uplink, judge, &envelope))
        return;
    sky_span version = sky_json_member(envelope.params, "version");
    sky_span module = sky_json_member(envelope.params, "module");
    bool named = sky_json_is_string(version) && sky_json_text(version).len > 0;
    bool usable = named && (module.len == 0 || sky_json_is_string(module));
    sky_judge_kept(judge, ALI_RULE(SERVICE_UNKNOWN));
    sky_judge_rule(judge, ALI_RULE(PARAMS), usable, "%.*s: %s", SKY_SPAN_ARGS(uplink->topic),
                   named ? "module must be a string" : "params must have a version, a string");
    if (!usable)
        return;
    sky_span name = sky_json_text(module);
    sky_latest_open(&latest, facts->document, &effects->arena);
    sky_latest_put(&latest, name.len > 0 ? name : SKY_SPAN("default"),
                   sky_json_compact(latest.arena, version));
    sky_latest_save(&latest, facts, sky_aliyun_version.document, effects);
    sky_latest_close(&latest);
}

/* ---- time ---- */

/* Help page 102509: the device's time comes back as it was sent, the server's are strings. */
static void handle_time(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_buf out;
    SKY_ASSERT(sky_span_ends(uplink->topic, SKY_SPAN("request")));
    if (!open_message(uplink, judge, &envelope))
        return;
    sky_span sent = sky_json_member(envelope.text, "deviceSendTime");
    bool usable = sky_json_is_string(sent) || sky_json_is_number(sent);
    sky_judge_rule(judge, ALI_RULE(PARAMS), usable, "a time request without deviceSendTime");
    if (!usable)
        return;
    sky_span base = sky_span_head(uplink->topic, uplink->topic.len - strlen("request"));
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_addf(&out,
                 "{\"deviceSendTime\":%.*s,\"serverRecvTime\":\"%" PRId64
                 "\",\"serverSendTime\":\"%" PRId64 "\"}",
                 SKY_SPAN_ARGS(sent), facts->now_ms, facts->now_ms);
    sky_envelope_reply(effects, uplink,
                       sky_arena_printf(&effects->arena, "%.*sresponse", SKY_SPAN_ARGS(base)),
                       &out);
}

/* ---- answers to commands ---- */

static void handle_rpc_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts, (void)judge;
    sky_envelope_answer(effects, uplink, sky_topic_level(uplink->topic, RPC_ID_LEVEL),
                        sky_arena_printf(&effects->arena, "/sys/%.*s/%.*s/rrpc/request/+",
                                         SKY_SPAN_ARGS(uplink->product),
                                         SKY_SPAN_ARGS(uplink->device)));
}

static void handle_custom_rpc_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                     struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts, (void)judge;
    sky_span id = sky_topic_level(uplink->topic, CUSTOM_RPC_ID_LEVEL);
    sky_span behind = sky_envelope_levels(uplink->topic, CUSTOM_RPC_ID_LEVEL + 1);
    sky_envelope_answer(
        effects, uplink, id,
        sky_arena_printf(&effects->arena, "/ext/rrpc/+/%.*s", SKY_SPAN_ARGS(behind)));
}

static void answer_not_found(const struct sky_uplink *uplink, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    sky_envelope_open(&envelope, uplink->payload, SKY_ALIYUN_MESSAGE_MAX);
    reply(uplink, &envelope, CODE_NOT_FOUND, effects);
}

/* A _reply may well answer what a test sent down by hand: nothing to find in it. */
static void handle_unknown(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts;
    if (sky_envelope_is_reply(uplink->topic))
        return;
    sky_judge_rule(judge, ALI_RULE(SERVICE_UNKNOWN), false, "nothing answers on %.*s",
                   SKY_SPAN_ARGS(uplink->topic));
    answer_not_found(uplink, effects);
}

static void handle_unplayed_unanswered(const struct sky_uplink *uplink,
                                       const struct sky_facts *facts, struct sky_judge *judge,
                                       struct sky_effects *effects)
{
    (void)facts, (void)effects;
    if (!sky_envelope_is_reply(uplink->topic))
        sky_judge_rule(judge, ALI_RULE(SERVICE_UNKNOWN), false, SKY_ENVELOPE_UNPLAYED,
                       SKY_SPAN_ARGS(uplink->topic));
}

static void handle_unplayed(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    handle_unplayed_unanswered(uplink, facts, judge, effects);
    if (!sky_envelope_is_reply(uplink->topic))
        answer_not_found(uplink, effects);
}

static void handle_command_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                  struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    if (!sky_envelope_is_reply(uplink->topic)) {
        handle_unknown(uplink, facts, judge, effects);
        return;
    }
    if (!open_message(uplink, judge, &envelope))
        return;
    bool named = envelope.id.len > 0;
    sky_judge_rule(judge, ALI_RULE(PARAMS), named, "%.*s: an answer without the command's id",
                   SKY_SPAN_ARGS(uplink->topic));
    sky_envelope_answer(effects, uplink, sky_json_text(envelope.id),
                        sky_envelope_asked_topic(&effects->arena, uplink->topic));
}

const struct sky_service sky_aliyun_property_post = {
    .name = "property-post", .document = "properties", .handle = handle_property_post};
const struct sky_service sky_aliyun_event_post = {.name = "event-post",
                                                  .handle = handle_event_post};
const struct sky_service sky_aliyun_tags_update = {
    .name = "tags-update", .document = "tags", .handle = handle_tags_update};
const struct sky_service sky_aliyun_tags_delete = {
    .name = "tags-delete", .document = "tags", .handle = handle_tags_delete};
const struct sky_service sky_aliyun_version = {
    .name = "version", .document = "versions", .handle = handle_version};
const struct sky_service sky_aliyun_time = {.name = "time", .handle = handle_time};
const struct sky_service sky_aliyun_rpc_answer = {.name = "rpc-answer",
                                                  .handle = handle_rpc_answer};
const struct sky_service sky_aliyun_custom_rpc_answer = {.name = "custom-rpc-answer",
                                                         .handle = handle_custom_rpc_answer};
const struct sky_service sky_aliyun_command_answer = {.name = "command-answer",
                                                      .handle = handle_command_answer};
const struct sky_service sky_aliyun_unplayed = {.name = "unplayed", .handle = handle_unplayed};
const struct sky_service sky_aliyun_unplayed_unanswered = {.name = "unplayed",
                                                           .handle = handle_unplayed_unanswered};
const struct sky_service sky_aliyun_unknown = {.name = "unknown", .handle = handle_unknown};

/* ---- commands ---- */

static sky_span push(struct sky_effects *effects, sky_span topic, sky_span payload, uint8_t qos,
                     sky_span id)
{
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic, payload, qos);
    return sky_arena_copy(&effects->arena, id);
}

/* `method` is the topic from "thing" on, with dots. */
static sky_span push_call(const struct sky_uplink *to, sky_span levels, sky_span method,
                          const struct sky_command_request *request, struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    sky_span params = sky_envelope_params(arena, request->params);
    if (params.len == 0)
        return SKY_SPAN_NONE;
    sky_span topic =
        sky_arena_printf(arena, "/sys/%.*s/%.*s/thing/service/%.*s", SKY_SPAN_ARGS(to->product),
                         SKY_SPAN_ARGS(to->device), SKY_SPAN_ARGS(levels));
    sky_span payload = sky_arena_printf(
        arena, "{\"method\":%.*s,\"id\":\"%.*s\",\"params\":%.*s,\"version\":\"1.0.0\"}",
        SKY_SPAN_ARGS(method), SKY_SPAN_ARGS(request->id), SKY_SPAN_ARGS(params));
    return push(effects, topic, payload, 1, request->id);
}

static sky_span build_property_set(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects)
{
    return push_call(to, SKY_SPAN("property/set"), SKY_SPAN("\"thing.service.property.set\""),
                     request, effects);
}

static sky_span build_service(const struct sky_uplink *to,
                              const struct sky_command_request *request,
                              struct sky_effects *effects)
{
    struct sky_buf method;
    struct sky_jw jw = sky_jw(&method);
    if (!sky_envelope_is_level(request->name))
        return SKY_SPAN_NONE;
    sky_buf_init(&method, SKY_ENVELOPE_REPLY_MAX);
    sky_span text =
        sky_arena_printf(&effects->arena, "thing.service.%.*s", SKY_SPAN_ARGS(request->name));
    sky_jw_str(&jw, text);
    return push_call(to, request->name, sky_envelope_keep(&effects->arena, &method), request,
                     effects);
}

/* Help pages 90568 and 90570: what is sent and answered is opaque, at QoS 0. */
static sky_span build_rpc(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    sky_span topic = sky_arena_printf(&effects->arena, "/sys/%.*s/%.*s/rrpc/request/%.*s",
                                      SKY_SPAN_ARGS(to->product), SKY_SPAN_ARGS(to->device),
                                      SKY_SPAN_ARGS(request->id));
    return push(effects, topic, sky_arena_copy(&effects->arena, request->params), 0, request->id);
}

/* The name is the custom topic; whether it is written with its leading slash makes no
 * difference, as the C SDK's own subscriptions (/ext/rrpc/+/sys/...) have a single one there. */
static sky_span build_custom_rpc(const struct sky_uplink *to,
                                 const struct sky_command_request *request,
                                 struct sky_effects *effects)
{
    (void)to;
    sky_span name = request->name;
    if (sky_span_starts(name, SKY_SPAN("/")))
        name = sky_span_tail(name, 1);
    if (!sky_topic_valid_name(name))
        return SKY_SPAN_NONE;
    sky_span topic = sky_arena_printf(&effects->arena, "/ext/rrpc/%.*s/%.*s",
                                      SKY_SPAN_ARGS(request->id), SKY_SPAN_ARGS(name));
    return push(effects, topic, sky_arena_copy(&effects->arena, request->params), 0, request->id);
}

const struct sky_command_row sky_aliyun_commands[SKY_ALIYUN_COMMANDS] = {
    {.kind = "property-set", .build = build_property_set},
    {.kind = "service", .build = build_service},
    {.kind = "rpc", .build = build_rpc},
    {.kind = "custom-rpc", .build = build_custom_rpc},
};
