/* Time, what all services have in common, and the list of commands. */
#include "protocol/cloud/tencent/services.h"

#include <inttypes.h>

#include "protocol/base/json_view.h"
#include "protocol/cloud/tencent/rules.h"

sky_span sky_tencent__topic(const struct sky_uplink *uplink, const char *prefix,
                            struct sky_arena *arena)
{
    return sky_arena_printf(arena, "%s/%.*s/%.*s", prefix, SKY_SPAN_ARGS(uplink->product),
                            SKY_SPAN_ARGS(uplink->device));
}

sky_span sky_tencent_result_topic(const struct sky_uplink *uplink, const char *service,
                                  struct sky_arena *arena)
{
    return sky_arena_printf(arena, "$%s/operation/result/%.*s/%.*s", service,
                            SKY_SPAN_ARGS(uplink->product), SKY_SPAN_ARGS(uplink->device));
}

bool sky_tencent__open(const struct sky_uplink *uplink, const char *type, struct sky_judge *judge,
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
    if (!sky_tencent__open(uplink, "get", judge, &envelope))
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

const struct sky_service sky_tencent_time = {.name = "time", .handle = handle_time};

const struct sky_command_row sky_tencent_commands[SKY_TENCENT_COMMANDS] = {
    {.kind = "rpc",
     .about = "a call over $rrpc: params or payload goes out as it is",
     .build = sky_tencent__build_rpc},
    {.kind = "broadcast",
     .about = "as each device of a product gets it: params or payload; nobody answers",
     .build = sky_tencent__build_broadcast,
     .traits = SKY_COMMAND_SILENT,
     .params_max = SKY_TENCENT_BROADCAST_MAX},
    {.kind = "raw",
     .about =
         "bytes to a device without a data template: payload goes out as it is; nobody answers",
     .build = sky_tencent__build_raw,
     .traits = SKY_COMMAND_SILENT},
    {.kind = "log-level",
     .about = "how much the device is to log, which is kept: params is {log_level}; nobody answers",
     .build = sky_tencent__build_log_level,
     .traits = SKY_COMMAND_SILENT | SKY_COMMAND_KEPT,
     .document = "log"},
    {.kind = "control",
     .about = "sets properties, which are kept: params has them",
     .build = sky_tencent__build_control,
     .traits = SKY_COMMAND_KEPT,
     .document = "properties"},
    {.kind = "template-control",
     .about = "the same for a device that listens on $template; nobody answers",
     .build = sky_tencent__build_template,
     .traits = SKY_COMMAND_SILENT | SKY_COMMAND_KEPT,
     .document = "properties"},
    {.kind = "action",
     .about = "calls an action of the model: name is its id, params its input",
     .build = sky_tencent__build_action},
    {.kind = "config",
     .about = "pushes the product's remote configuration, or params; nobody answers",
     .build = sky_tencent__build_config,
     .traits = SKY_COMMAND_SILENT},
    {.kind = "notice",
     .about =
         "a notice on $thing/down/service: name is its method, params its members; nobody answers",
     .build = sky_tencent__build_notice,
     .traits = SKY_COMMAND_SILENT},
};
