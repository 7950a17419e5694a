/* What applications send to a device, and its answers. */
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"
#include "protocol/cloud/model.h"

/* What came in answers a command to `asked`. */
static void take_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects, sky_span asked)
{
    struct sky_enos_request request;
    sky_enos__begin(&request, uplink, facts, judge, effects);
    if (sky_enos__judge_message(&request) != SKY_ENOS_CODE_OK)
        return;
    bool named = request.envelope.id.len > 0;
    sky_judge_rule(judge, ENOS_RULE(PARAMS), named, "%.*s: an answer without the command's id",
                   SKY_SPAN_ARGS(uplink->topic));
    sky_envelope_answer(effects, uplink, sky_json_text(request.envelope.id), asked);
}

static void handle_command_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                  struct sky_judge *judge, struct sky_effects *effects)
{
    if (!sky_envelope_is_reply(uplink->topic))
        sky_enos_unknown.handle(uplink, facts, judge, effects);
    else
        take_answer(uplink, facts, judge, effects,
                    sky_envelope_asked_topic(&effects->arena, uplink->topic));
}

/* The Java SDK (TrafficControlReply) answers where it was asked. */
static void handle_traffic_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                  struct sky_judge *judge, struct sky_effects *effects)
{
    take_answer(uplink, facts, judge, effects, sky_arena_copy(&effects->arena, uplink->topic));
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
const struct sky_service sky_enos_traffic_answer = {.name = "traffic-answer",
                                                    .handle = handle_traffic_answer};
const struct sky_service sky_enos_activation_answer = {.name = "activation-answer",
                                                       .handle = handle_activation_answer};

/* ---- commands ---- */

static sky_span push(const struct sky_uplink *to, sky_span levels, sky_span payload,
                     const struct sky_command_request *request, struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    sky_span topic = sky_arena_printf(arena, "/sys/%.*s/%.*s/%.*s", SKY_SPAN_ARGS(to->product),
                                      SKY_SPAN_ARGS(to->device), SKY_SPAN_ARGS(levels));
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic, payload, 1);
    return sky_arena_copy(arena, request->id);
}

static sky_span method_of(struct sky_arena *arena, sky_span levels)
{
    char *method = sky_arena_take(arena, levels.len);
    for (size_t i = 0; i < levels.len; i++)
        method[i] = levels.ptr[i] == '/' ? '.' : levels.ptr[i];
    return sky_span_of(method, levels.len);
}

/* The method is the levels of the topic, with dots. All four members are there: the C SDK drops a
 * command without one of them. `none` stands for params that are not given. */
static sky_span push_call(const struct sky_uplink *to, sky_span levels, const char *none,
                          const struct sky_command_request *request, struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    struct sky_buf out;
    sky_span params = sky_span_trim(request->params).len > 0
                          ? sky_envelope_params(arena, request->params)
                          : sky_span_str(none);
    if (params.len == 0)
        return SKY_SPAN_NONE;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_span(&jw, "id", request->id);
    sky_jw_put_str(&jw, "version", "1.0");
    sky_jw_key(&jw, "params");
    sky_jw_raw(&jw, params);
    sky_jw_put_span(&jw, "method", method_of(arena, levels));
    sky_jw_end_object(&jw);
    return push(to, levels, sky_envelope_keep(arena, &out), request, effects);
}

/* The cloud checks what it is to send, too. */
static bool fits_model(const struct sky_command_request *request, enum sky_model_part part,
                       sky_span id, unsigned flags)
{
    sky_span params = sky_span_trim(request->params);
    if (params.len == 0)
        params = SKY_SPAN("{}");
    return request->facts == NULL ||
           sky_json_check(params, SKY_ENVELOPE_DEPTH_MAX, NULL) != SKY_OK ||
           sky_model_sends(request->facts->model, part, id, params, flags, request->why);
}

static sky_span build_set(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    if (!fits_model(request, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, SKY_MODEL_WRITE))
        return SKY_SPAN_NONE;
    return push_call(to, SKY_SPAN("thing/service/measurepoint/set"), "{}", request, effects);
}

/* Its params are a list of names. */
static sky_span build_get(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    return push_call(to, SKY_SPAN("thing/service/measurepoint/get"), "[]", request, effects);
}

static sky_span build_service(const struct sky_uplink *to,
                              const struct sky_command_request *request,
                              struct sky_effects *effects)
{
    if (!sky_envelope_is_level(request->name) ||
        !fits_model(request, SKY_MODEL_SERVICE_IN, request->name, SKY_MODEL_COMPLETE))
        return SKY_SPAN_NONE;
    return push_call(
        to, sky_arena_printf(&effects->arena, "thing/service/%.*s", SKY_SPAN_ARGS(request->name)),
        "{}", request, effects);
}

/* The payload is not documented; the Java SDK reads it as any other command. */
static sky_span build_traffic(const struct sky_uplink *to,
                              const struct sky_command_request *request,
                              struct sky_effects *effects)
{
    return push_call(to, SKY_SPAN("traffic/control"), "{}", request, effects);
}

static sky_span build_raw(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    return push(to, SKY_SPAN("thing/model/down_raw"),
                sky_arena_copy(&effects->arena, request->params), request, effects);
}

/* No SDK reads these, and the documents name them once: the topics, and bytes both ways. */
static sky_span build_rpc(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    return push(to,
                sky_arena_printf(&effects->arena, "rrpc/request/%.*s", SKY_SPAN_ARGS(request->id)),
                sky_arena_copy(&effects->arena, request->params), request, effects);
}

const struct sky_command_row sky_enos_commands[SKY_ENOS_COMMANDS] = {
    {.kind = "measurepoint-set",
     .about = "sets measurepoints: params has them",
     .build = build_set},
    {.kind = "measurepoint-get",
     .about = "asks for measurepoints: payload is the list of their names, in JSON",
     .build = build_get},
    {.kind = "service",
     .about = "calls a service of the model: name is its identifier, params its input",
     .build = build_service},
    {.kind = "raw",
     .about = "bytes to a device without a data format: payload goes out as it is",
     .build = build_raw},
    {.kind = "rpc", .about = "an RRPC: params or payload goes out as it is", .build = build_rpc},
    {.kind = "traffic-control",
     .about = "on traffic/control: params as they are given",
     .build = build_traffic},
};
