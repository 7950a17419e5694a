/* The properties of a device ("物模型协议 / 设备属性"): reported by it, controlled by the
 * application. A control that the device has not answered is there for it to ask for. */
#include <inttypes.h>

#include "protocol/base/assert.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/shadow.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/cloud/tencent/services_thing.h"

#define DOWN "$thing/down/property"

static const struct sky_shadow_limits limits = {.depth_max = SKY_TENCENT_SHADOW_DEPTH_MAX,
                                                .bytes_max = SKY_TENCENT_VALUES_BYTES_MAX};

static void store(const struct sky_shadow *shadow, const struct sky_facts *facts,
                  struct sky_effects *effects)
{
    struct sky_effect *effect = sky_effects_add(effects, SKY_EFFECT_PUT_DOCUMENT);
    effect->name = sky_span_str(sky_tencent_property.document);
    effect->payload = sky_shadow_text(shadow);
    effect->version = facts->document_version + 1;
}

static void load(const struct sky_tencent_thing *thing, struct sky_shadow *ret_shadow)
{
    sky_shadow_load(ret_shadow, thing->facts, &thing->effects->arena);
}

static void run_report(struct sky_tencent_thing *thing)
{
    struct sky_arena *arena = &thing->effects->arena;
    struct sky_shadow shadow;
    if (sky_tencent__thing_late(thing, sky_json_member(thing->text, "timestamp")) ||
        sky_tencent__thing_misfit(thing, thing->params) ||
        sky_tencent__thing_unfit(thing, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, thing->params) ||
        sky_json_inside(thing->params).len == 0)
        return;
    load(thing, &shadow);
    sky_span state = sky_arena_printf(arena, "{\"reported\":%.*s}", SKY_SPAN_ARGS(thing->params));
    char said[SKY_SHADOW_FAULT_TEXT];
    enum sky_shadow_fault fault = sky_shadow_check(state, &limits);
    if (fault == SKY_SHADOW_FINE)
        fault = sky_shadow_merge(&shadow, state, false, &limits, thing->facts->now_ms);
    if (!sky_tencent__thing_bad(thing, SKY_TENCENT_THING_VALUE, TEN_RULE(THING_VALUE),
                                fault == SKY_SHADOW_FINE, "%s",
                                sky_shadow_fault_text(fault, &limits, said)))
        store(&shadow, thing->facts, thing->effects);
}

/* The device has seen what was to be controlled: it is not told again. */
static void drop_controls(const struct sky_tencent_thing *thing)
{
    struct sky_shadow shadow;
    load(thing, &shadow);
    if (shadow.state.sections[SKY_SHADOW_DESIRED].len == 0)
        return;
    enum sky_shadow_fault fault = sky_shadow_merge(&shadow, SKY_SPAN("{\"desired\":null}"), false,
                                                   &limits, thing->facts->now_ms);
    SKY_ASSERT(fault == SKY_SHADOW_FINE);
    store(&shadow, thing->facts, thing->effects);
}

/* Taken as they are answered, whatever the device made of them: the token of its answer is that of
 * the last control, as the C SDK keeps one. */
static void run_control_reply(struct sky_tencent_thing *thing)
{
    drop_controls(thing);
    sky_tencent__thing_answer(thing);
}

static void run_clear(struct sky_tencent_thing *thing)
{
    drop_controls(thing);
}

/* Writes "reported" or "control" with its values, and with their times where they are asked for. */
static void write_section(struct sky_jw *jw, const char *key, sky_span values)
{
    sky_jw_key(jw, key);
    sky_jw_raw(jw, values.len > 0 ? values : SKY_SPAN("{}"));
}

static void write_sections(struct sky_jw *jw, const struct sky_shadow_tree *tree, bool reported)
{
    sky_jw_object(jw);
    if (reported)
        write_section(jw, "reported", tree->sections[SKY_SHADOW_REPORTED]);
    /* Left out when there are none: the C SDK would call the application for an empty object. */
    if (tree->sections[SKY_SHADOW_DESIRED].len > 0)
        write_section(jw, "control", tree->sections[SKY_SHADOW_DESIRED]);
    sky_jw_end_object(jw);
}

/* Of type "report", the usual one, or "control", which leaves out what was reported. `showmeta` 1
 * adds the times in the shape of the shadow's, as none is published. */
static void run_get_status(struct sky_tencent_thing *thing)
{
    struct sky_shadow shadow;
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_span type = sky_json_text(sky_json_member(thing->text, "type"));
    bool control = sky_json_reads(type, "control");
    if (sky_tencent__thing_bad(thing, SKY_TENCENT_THING_UNKNOWN, TEN_RULE(THING_METHOD),
                               control || type.len == 0 || sky_json_reads(type, "report"),
                               "get_status has no type '%.*s'",
                               SKY_SPAN_ARGS(sky_span_head(type, SKY_ENVELOPE_NAME_MAX))))
        return;
    load(thing, &shadow);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_jw_put_str(&jw, "type", control ? "control" : "report");
    sky_jw_key(&jw, "data");
    write_sections(&jw, &shadow.state, !control);
    if (sky_json_number(sky_json_member(thing->text, "showmeta")) == 1) {
        sky_jw_key(&jw, "metadata");
        write_sections(&jw, &shadow.metadata, !control);
    }
    sky_tencent__thing_reply(thing, "get_status_reply",
                             sky_envelope_keep(&thing->effects->arena, &out));
}

static void run_info(struct sky_tencent_thing *thing)
{
    if (!sky_tencent__thing_misfit(thing, thing->params))
        sky_envelope_note(thing->effects, "device-info", thing->params);
}

static const struct sky_tencent_method methods[] = {
    {"report", "report_reply", run_report},
    {"get_status", "get_status_reply", run_get_status},
    {"clear_control", "clear_control_reply", run_clear},
    {"report_info", "report_info_reply", run_info},
    {"control_reply", NULL, run_control_reply},
};

/* The Python SDK answers a control without saying that it does. */
static bool is_bare_answer(const struct sky_uplink *uplink)
{
    struct sky_envelope envelope;
    sky_envelope_open(&envelope, uplink->payload, SKY_TENCENT_MESSAGE_MAX);
    return envelope.method.len == 0 && sky_json_member(envelope.text, "code").len > 0 &&
           sky_json_member(envelope.text, "clientToken").len > 0;
}

static void handle_property(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_tencent_thing thing = {.uplink = uplink,
                                      .facts = facts,
                                      .judge = judge,
                                      .effects = effects,
                                      .down = DOWN,
                                      .reply_to = "report_reply"};
    if (is_bare_answer(uplink))
        thing.method = SKY_SPAN("control_reply");
    sky_tencent__thing(&thing, methods, SKY_COUNT(methods));
}

const struct sky_service sky_tencent_property = {.name = "property",
                                                 .document = "properties",
                                                 .reads = SKY_READS_MODEL,
                                                 .handle = handle_property};

sky_span sky_tencent__build_control(const struct sky_uplink *to,
                                    const struct sky_command_request *request,
                                    struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    struct sky_shadow shadow;
    sky_span desired, params = sky_envelope_params(arena, request->params);
    sky_shadow_load(&shadow, request->facts, arena);
    if (!sky_json_is_object(params) ||
        !sky_model_sends(request->facts->model, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, params,
                         SKY_MODEL_WRITE, request->why) ||
        sky_shadow_desire(&shadow,
                          sky_arena_printf(arena, "{\"desired\":%.*s}", SKY_SPAN_ARGS(params)),
                          &limits, request->facts->now_ms, &desired, NULL) != SKY_OK)
        return SKY_SPAN_NONE;
    store(&shadow, request->facts, effects);
    sky_effects_message(
        effects, SKY_EFFECT_PUSH, sky_tencent__topic(to, DOWN, arena),
        sky_arena_printf(arena, "{\"method\":\"control\",\"clientToken\":\"%.*s\",\"params\":%.*s}",
                         SKY_SPAN_ARGS(request->id), SKY_SPAN_ARGS(params)),
        1);
    return sky_arena_copy(arena, request->id);
}
