#include "protocol/cloud/tencent/services.h"

#include <inttypes.h>

#include "protocol/base/json_view.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/mqtt/topic.h"

enum { RPC_ID_LEVEL = 4, LOG_LEVEL_NONE = 0 };

sky_span sky_tencent_result_topic(const struct sky_uplink *uplink, const char *service,
                                  struct sky_arena *arena)
{
    return sky_arena_printf(arena, "$%s/operation/result/%.*s/%.*s", service,
                            SKY_SPAN_ARGS(uplink->product), SKY_SPAN_ARGS(uplink->device));
}

/* False, judged, when this is no JSON object with the type that the service answers: the vendor
 * documents no answer to anything else. */
static bool open_request(const struct sky_uplink *uplink, const char *type, struct sky_judge *judge,
                         struct sky_envelope *ret_envelope)
{
    sky_envelope_open(ret_envelope, uplink->payload, SKY_TENCENT_MESSAGE_MAX);
    sky_judge_kept(judge, TEN_RULE(SERVICE_UNKNOWN));
    sky_span sent = sky_json_member(ret_envelope->text, "type");
    bool fits = sky_json_is_string(sent) && sky_span_eq_str(sky_json_text(sent), type);
    sky_judge_rule(judge, TEN_RULE(SERVICE_REQUEST), fits, "%.*s: type %.*s where %s is answered",
                   SKY_SPAN_ARGS(uplink->topic),
                   SKY_SPAN_ARGS(sent.len > 0 ? sent : SKY_SPAN("missing")), type);
    return fits;
}

static bool asks_for_time(const struct sky_envelope *envelope)
{
    sky_span name, rest = sky_json_inside(sky_json_member(envelope->text, "resource"));
    while (sky_json_next_element(&rest, &name))
        if (sky_span_eq_str(name, "\"time\""))
            return true;
    return false;
}

static void handle_time(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_buf out;
    if (!open_request(uplink, "get", judge, &envelope))
        return;
    bool known = asks_for_time(&envelope);
    sky_judge_rule(judge, TEN_RULE(SERVICE_REQUEST), known, "resource is not [\"time\"]");
    if (!known)
        return;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_addf(&out,
                 "{\"type\":\"get\",\"time\":%" PRId64 ",\"ntptime1\":%" PRId64
                 ",\"ntptime2\":%" PRId64 "}",
                 facts->now_ms / 1000, facts->now_ms, facts->now_ms);
    sky_envelope_reply(effects, uplink, sky_tencent_result_topic(uplink, "sys", &effects->arena),
                       &out);
}

static void handle_log(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_buf out;
    if (!open_request(uplink, "get_log_level", judge, &envelope))
        return;
    sky_span token =
        sky_json_compact(&effects->arena, sky_json_member(envelope.text, "clientToken"));
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_addf(&out, "{\"type\":\"get_log_level\",\"log_level\":%d,\"timestamp\":%" PRId64,
                 (int)LOG_LEVEL_NONE, facts->now_ms / 1000);
    if (token.len > 0)
        sky_buf_addf(&out, ",\"clientToken\":%.*s", SKY_SPAN_ARGS(token));
    sky_buf_add_byte(&out, '}');
    sky_envelope_reply(effects, uplink, sky_tencent_result_topic(uplink, "log", &effects->arena),
                       &out);
}

static void handle_rpc_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts, (void)judge;
    sky_envelope_answer(effects, uplink, sky_topic_level(uplink->topic, RPC_ID_LEVEL),
                        sky_arena_printf(&effects->arena, "$rrpc/rxd/%.*s/%.*s/+",
                                         SKY_SPAN_ARGS(uplink->product),
                                         SKY_SPAN_ARGS(uplink->device)));
}

static void handle_unplayed(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts, (void)effects;
    sky_judge_rule(judge, TEN_RULE(SERVICE_UNKNOWN), false, SKY_ENVELOPE_UNPLAYED,
                   SKY_SPAN_ARGS(uplink->topic));
}

const struct sky_service sky_tencent_unplayed = {.name = "unplayed", .handle = handle_unplayed};
const struct sky_service sky_tencent_time = {.name = "time", .handle = handle_time};
const struct sky_service sky_tencent_log = {.name = "log-level", .handle = handle_log};
const struct sky_service sky_tencent_rpc_answer = {.name = "rpc-answer",
                                                   .handle = handle_rpc_answer};

/* What is sent and answered is opaque. */
static sky_span build_rpc(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    sky_span topic = sky_arena_printf(arena, "$rrpc/rxd/%.*s/%.*s/%.*s", SKY_SPAN_ARGS(to->product),
                                      SKY_SPAN_ARGS(to->device), SKY_SPAN_ARGS(request->id));
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic, sky_arena_copy(arena, request->params), 0);
    return sky_arena_copy(arena, request->id);
}

const struct sky_command_row sky_tencent_commands[SKY_TENCENT_COMMANDS] = {
    {.kind = "rpc", .build = build_rpc},
};
