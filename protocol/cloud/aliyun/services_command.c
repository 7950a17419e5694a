/* What the application sends a device, and the device's answers. */
#include "protocol/cloud/aliyun/request.h"
#include "protocol/cloud/model.h"
#include "protocol/mqtt/topic.h"

enum { KIND_LEVEL = 5, SERVICE_LEVEL = 6, RPC_ID_LEVEL = 6, CUSTOM_RPC_ID_LEVEL = 3 };

/* ---- answers ---- */

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

/* What a service returned, where it did what it was asked. */
static void judge_output(const struct sky_aliyun_request *request)
{
    sky_span topic = request->uplink->topic, text = request->envelope.text;
    const struct sky_model_ask ask = {request->facts->model, text, request->judge};
    sky_span data = sky_json_member(text, "data");
    sky_span name = sky_topic_level(topic, SERVICE_LEVEL);
    if (sky_span_eq(sky_topic_level(topic, KIND_LEVEL), SKY_SPAN("service")) &&
        sky_topic_levels(topic) == SERVICE_LEVEL + 1 && sky_json_is_object(data) &&
        sky_span_eq_str(sky_json_member(text, "code"), "200"))
        (void)sky_model_takes(&ask, SKY_MODEL_SERVICE_OUT,
                              sky_span_head(name, name.len - strlen("_reply")), data, 0, NULL);
}

static void handle_command_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                  struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_envelope_is_reply(uplink->topic)) {
        sky_aliyun_unknown.handle(uplink, facts, judge, effects);
        return;
    }
    if (!sky_aliyun__open(&request, uplink, facts, judge, effects))
        return;
    sky_span id = request.envelope.id;
    sky_judge_rule(judge, ALI_RULE(PARAMS), id.len > 0, "%.*s: an answer without the command's id",
                   SKY_SPAN_ARGS(uplink->topic));
    judge_output(&request);
    sky_envelope_answer(effects, uplink, sky_json_text(id),
                        sky_envelope_asked_topic(&effects->arena, uplink->topic));
}

/* Bytes of the device's own, or what an SDK writes without care (the C SDK refuses a configuration
 * with text that is no JSON): there is nothing to find in it, and where no id can be read it is to
 * what was asked first. */
static void handle_loose_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    (void)facts, (void)judge;
    sky_envelope_open(&envelope, uplink->payload, SKY_ALIYUN_MESSAGE_MAX);
    sky_envelope_answer(effects, uplink, sky_json_text(envelope.id),
                        sky_envelope_asked_topic(&effects->arena, uplink->topic));
    effects->list[effects->count - 1].in_order = envelope.id.len == 0;
}

const struct sky_service sky_aliyun_rpc_answer = {.name = "rpc-answer",
                                                  .handle = handle_rpc_answer};
const struct sky_service sky_aliyun_custom_rpc_answer = {.name = "custom-rpc-answer",
                                                         .handle = handle_custom_rpc_answer};
const struct sky_service sky_aliyun_command_answer = {
    .name = "command-answer", .reads = SKY_READS_MODEL, .handle = handle_command_answer};
const struct sky_service sky_aliyun_loose_answer = {.name = "command-answer",
                                                    .handle = handle_loose_answer};

/* ---- commands ---- */

/* Empty when params are not JSON. */
static sky_span call(const struct sky_uplink *to, sky_span levels,
                     const struct sky_command_request *request, struct sky_effects *effects)
{
    sky_span params = sky_envelope_params(&effects->arena, request->params);
    return params.len > 0 ? sky_aliyun__call(to, levels, params, request->id, effects)
                          : SKY_SPAN_NONE;
}

static void take_first(void *ctx, const struct sky_model_fault *fault)
{
    struct sky_model_fault *first = ctx;
    if (first->kind == SKY_MODEL_FINE && fault->kind != SKY_MODEL_FORM)
        *first = *fault;
}

/* The cloud checks what it is to send, too. */
static bool fits_model(const struct sky_command_request *request, enum sky_model_part part,
                       sky_span id, unsigned flags, struct sky_arena *arena)
{
    const struct sky_model *model = request->facts->model;
    struct sky_model_fault first = {.kind = SKY_MODEL_FINE};
    char sentence[SKY_MODEL_SENTENCE_MAX];
    sky_span params = sky_envelope_params(arena, request->params);
    if (model == NULL || params.len == 0)
        return true;
    (void)sky_model_check(model, part, id, params, flags, take_first, &first);
    if (first.kind == SKY_MODEL_FINE)
        return true;
    sky_model_say(&first, sentence, sizeof sentence);
    (void)sky_why_set(request->why, SKY_ERR_INVALID, "/params",
                      "the product's model does not take this (code %d): %s", first.code, sentence);
    return false;
}

static sky_span build_property_set(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects)
{
    if (!fits_model(request, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, SKY_MODEL_WRITE, &effects->arena))
        return SKY_SPAN_NONE;
    return call(to, SKY_SPAN("thing/service/property/set"), request, effects);
}

static bool is_service(const struct sky_command_request *request, struct sky_arena *arena)
{
    return sky_envelope_is_level(request->name) &&
           fits_model(request, SKY_MODEL_SERVICE_IN, request->name, SKY_MODEL_COMPLETE, arena);
}

static sky_span build_service(const struct sky_uplink *to,
                              const struct sky_command_request *request,
                              struct sky_effects *effects)
{
    if (!is_service(request, &effects->arena))
        return SKY_SPAN_NONE;
    return call(
        to, sky_arena_printf(&effects->arena, "thing/service/%.*s", SKY_SPAN_ARGS(request->name)),
        request, effects);
}

/* Help pages 90568 and 90570: what is sent and answered is opaque, at QoS 0. */
static sky_span build_rpc(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    sky_span levels =
        sky_arena_printf(&effects->arena, "rrpc/request/%.*s", SKY_SPAN_ARGS(request->id));
    return sky_aliyun__push(to, levels, sky_arena_copy(&effects->arena, request->params), 0,
                            request->id, effects);
}

/* A service whose callType is sync: the call comes as an RRPC, and its answer goes back as one. */
static sky_span build_service_sync(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects)
{
    sky_span params = sky_envelope_params(&effects->arena, request->params);
    if (params.len == 0 || !is_service(request, &effects->arena))
        return SKY_SPAN_NONE;
    sky_span name =
        sky_arena_printf(&effects->arena, "thing/service/%.*s", SKY_SPAN_ARGS(request->name));
    sky_span levels =
        sky_arena_printf(&effects->arena, "rrpc/request/%.*s", SKY_SPAN_ARGS(request->id));
    return sky_aliyun__push(to, levels, sky_aliyun__message(name, params, request->id, effects), 0,
                            request->id, effects);
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
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic,
                        sky_arena_copy(&effects->arena, request->params), 0);
    return sky_arena_copy(&effects->arena, request->id);
}

/* As the cloud's script would have made them. */
static sky_span build_raw(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    return sky_aliyun__push(to, SKY_SPAN("thing/model/down_raw"),
                            sky_arena_copy(&effects->arena, request->params), 0, request->id,
                            effects);
}

/* What each device of the product gets; nobody answers it (help page 69909). */
static sky_span build_broadcast(const struct sky_uplink *to,
                                const struct sky_command_request *request,
                                struct sky_effects *effects)
{
    sky_span levels =
        sky_arena_printf(&effects->arena, "broadcast/request/%.*s", SKY_SPAN_ARGS(request->id));
    return sky_aliyun__push(to, levels, sky_arena_copy(&effects->arena, request->params), 0,
                            request->id, effects);
}

/* ---- commands that a document keeps ---- */

/* Appends the document with these members, of which a former one of the same name goes. */
static void keep_member(const struct sky_command_request *request, const char *document,
                        sky_span name, sky_span value, struct sky_effects *effects)
{
    struct sky_latest latest;
    sky_latest_open(&latest, request->facts->document, &effects->arena);
    sky_latest_put(&latest, name, value);
    sky_latest_save(&latest, request->facts, document, effects);
    sky_latest_close(&latest);
}

/* Help page: 设备期望属性值. Each write counts the property's version up; a device that is not
 * reached asks for what it missed. */
static sky_span build_desired_set(const struct sky_uplink *to,
                                  const struct sky_command_request *request,
                                  struct sky_effects *effects)
{
    struct sky_latest desired;
    struct sky_json_member member;
    sky_span params = sky_envelope_params(&effects->arena, request->params);
    if (!sky_json_is_object(params) || sky_aliyun__is_longer(params, SKY_ALIYUN_DESIRED_MAX) ||
        !fits_model(request, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, SKY_MODEL_WRITE, &effects->arena))
        return SKY_SPAN_NONE;
    sky_latest_open(&desired, request->facts->document, &effects->arena);
    sky_span rest = sky_json_inside(params);
    while (sky_json_next_member(&rest, &member)) {
        sky_span former = sky_latest_get(&desired, member.key);
        sky_latest_put(&desired, member.key,
                       sky_arena_printf(&effects->arena, "{\"value\":%.*s,\"version\":%.0f}",
                                        SKY_SPAN_ARGS(member.value),
                                        sky_json_number(sky_json_member(former, "version")) + 1));
    }
    sky_latest_save(&desired, request->facts, SKY_ALIYUN_DESIRED, effects);
    sky_latest_close(&desired);
    return sky_aliyun__call(to, SKY_SPAN("thing/service/property/set"), params, request->id,
                            effects);
}

/* params is the task: {"taskId":..,"status":..,"jobDocument":{..}}. */
static sky_span build_job(const struct sky_uplink *to, const struct sky_command_request *request,
                          struct sky_effects *effects)
{
    sky_span task = sky_envelope_params(&effects->arena, request->params);
    sky_span id = sky_json_member(task, "taskId");
    if (!sky_json_is_string(id) || sky_json_text(id).len == 0)
        return SKY_SPAN_NONE;
    keep_member(request, SKY_ALIYUN_JOBS, sky_json_text(id), task, effects);
    return sky_aliyun__call(
        to, SKY_SPAN("thing/job/notify"),
        sky_arena_printf(&effects->arena, "{\"task\":%.*s}", SKY_SPAN_ARGS(task)), request->id,
        effects);
}

/* params is {"mode":1} to have logs sent, {"mode":0} to have no more of them. */
static sky_span build_log_config(const struct sky_uplink *to,
                                 const struct sky_command_request *request,
                                 struct sky_effects *effects)
{
    sky_span content = sky_envelope_params(&effects->arena, request->params);
    sky_span mode = sky_json_member(content, "mode");
    if (!sky_json_is_number(mode))
        return SKY_SPAN_NONE;
    keep_member(request, SKY_ALIYUN_LOG_CONFIG, SKY_SPAN("mode"), mode, effects);
    return sky_aliyun__call(to, SKY_SPAN("thing/config/log/push"),
                            sky_arena_printf(&effects->arena,
                                             "{\"getType\":\"content\",\"content\":%.*s}",
                                             SKY_SPAN_ARGS(content)),
                            request->id, effects);
}

/* ---- to gateways ---- */

/* params is [{"productKey":..,"deviceName":..}]: the gateway is asked to add them. */
static sky_span build_topo_add(const struct sky_uplink *to,
                               const struct sky_command_request *request,
                               struct sky_effects *effects)
{
    return call(to, SKY_SPAN("thing/topo/add/notify"), request, effects);
}

/* params is {"productKey":..,"timeout":seconds}: devices of that product may join. */
static sky_span build_permit(const struct sky_uplink *to, const struct sky_command_request *request,
                             struct sky_effects *effects)
{
    return call(to, SKY_SPAN("thing/gateway/permit"), request, effects);
}

const struct sky_command_row sky_aliyun_commands[SKY_ALIYUN_COMMANDS] = {
    {.kind = "property-set",
     .about = "sets properties: params has them",
     .build = build_property_set},
    {.kind = "service",
     .about = "calls a service of the model: name is its identifier, params its input",
     .build = build_service},
    {.kind = "service-sync",
     .about = "the same for a service whose callType is sync: it goes and comes as an RRPC",
     .build = build_service_sync},
    {.kind = "rpc", .about = "an RRPC: params or payload goes out as it is", .build = build_rpc},
    {.kind = "custom-rpc",
     .about = "an RRPC on a custom topic, which is the name: params or payload goes out as it is",
     .build = build_custom_rpc},
    {.kind = "raw",
     .about = "bytes to a device without a data format: payload goes out as it is",
     .build = build_raw},
    {.kind = "broadcast",
     .about = "as each device of a product gets it: params or payload; nobody answers",
     .build = build_broadcast,
     .traits = SKY_COMMAND_SILENT},
    {.kind = "desired-set",
     .about = "sets desired properties, which are kept: params has them",
     .build = build_desired_set,
     .traits = SKY_COMMAND_KEPT,
     .document = SKY_ALIYUN_DESIRED},
    {.kind = "job",
     .about = "a task, which is kept: params is {taskId, status, jobDocument}",
     .build = build_job,
     .traits = SKY_COMMAND_KEPT,
     .document = SKY_ALIYUN_JOBS},
    {.kind = "log-config",
     .about = "whether the device is to send its log, which is kept: params is {mode: 0 or 1}",
     .build = build_log_config,
     .traits = SKY_COMMAND_KEPT,
     .document = SKY_ALIYUN_LOG_CONFIG},
    {.kind = "config",
     .about = "pushes the product's remote configuration",
     .build = sky_aliyun__build_config,
     .reads = SKY_READS_DEVICE | SKY_READS_LINK},
    {.kind = "topo-add",
     .about = "asks a gateway to add devices: payload is the list [{productKey, deviceName}]",
     .build = build_topo_add},
    {.kind = "permit",
     .about = "lets devices join a gateway: params is {productKey, timeout}, in seconds",
     .build = build_permit},
};
