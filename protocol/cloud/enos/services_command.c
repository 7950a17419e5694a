/* What applications send to a device, and its answers. */
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"

static void handle_command_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                  struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (!sky_envelope_is_reply(uplink->topic)) {
        sky_enos_unknown.handle(uplink, facts, judge, effects);
        return;
    }
    sky_enos__begin(&request, uplink, facts, judge, effects);
    if (sky_enos__judge_message(&request) != SKY_ENOS_CODE_OK)
        return;
    bool named = request.envelope.id.len > 0;
    sky_judge_rule(judge, ENOS_RULE(PARAMS), named, "%.*s: an answer without the command's id",
                   SKY_SPAN_ARGS(uplink->topic));
    sky_envelope_answer(effects, uplink, sky_json_text(request.envelope.id),
                        sky_envelope_asked_topic(&effects->arena, uplink->topic));
}

static void handle_activation_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                     struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    sky_enos__begin(&request, uplink, facts, judge, effects);
    if (sky_enos__judge_message(&request) == SKY_ENOS_CODE_OK)
        sky_envelope_note(effects, "activation-confirmed", request.envelope.text);
}

const struct sky_service sky_enos_command_answer = {.name = "command-answer",
                                                    .handle = handle_command_answer};
const struct sky_service sky_enos_activation_answer = {.name = "activation-answer",
                                                       .handle = handle_activation_answer};

/* ---- commands ---- */

/* `levels` follow "thing/service/" in the topic, and with dots in the method. */
static sky_span push_call(const struct sky_uplink *to, sky_span levels, sky_span method,
                          const struct sky_command_request *request, struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    struct sky_buf out;
    sky_span params = sky_envelope_params(arena, request->params);
    if (params.len == 0)
        return SKY_SPAN_NONE;
    sky_span topic =
        sky_arena_printf(arena, "/sys/%.*s/%.*s/thing/service/%.*s", SKY_SPAN_ARGS(to->product),
                         SKY_SPAN_ARGS(to->device), SKY_SPAN_ARGS(levels));
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_span(&jw, "id", request->id);
    sky_jw_put_str(&jw, "version", "1.0");
    sky_jw_key(&jw, "params");
    sky_jw_raw(&jw, params);
    sky_jw_put_span(&jw, "method",
                    sky_arena_printf(arena, "thing.service.%.*s", SKY_SPAN_ARGS(method)));
    sky_jw_end_object(&jw);
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic, sky_envelope_keep(arena, &out), 1);
    return sky_arena_copy(arena, request->id);
}

static sky_span build_set(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    return push_call(to, SKY_SPAN("measurepoint/set"), SKY_SPAN("measurepoint.set"), request,
                     effects);
}

static sky_span build_get(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    return push_call(to, SKY_SPAN("measurepoint/get"), SKY_SPAN("measurepoint.get"), request,
                     effects);
}

static sky_span build_service(const struct sky_uplink *to,
                              const struct sky_command_request *request,
                              struct sky_effects *effects)
{
    if (!sky_envelope_is_level(request->name))
        return SKY_SPAN_NONE;
    return push_call(to, request->name, request->name, request, effects);
}

const struct sky_command_row sky_enos_commands[SKY_ENOS_COMMANDS] = {
    {"measurepoint-set", build_set},
    {"measurepoint-get", build_get},
    {"service", build_service},
};
