/* Events that a device posts and actions that it is asked for ("物模型协议 / 设备事件, 设备行为").
 */
#include <inttypes.h>

#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/cloud/tencent/services_thing.h"

#define ACTION_DOWN "$thing/down/action"

/* ---- events ---- */

static bool is_event_type(sky_span type)
{
    static const char *const types[] = {"\"info\"", "\"alert\"", "\"fault\""};
    for (size_t i = 0; i < SKY_COUNT(types); i++)
        if (sky_span_eq_str(type, types[i]))
            return true;
    return false;
}

/* Parameters may be missing, as any one of them may. */
static bool is_bad_event(struct sky_tencent_thing *thing, sky_span event)
{
    sky_span id = sky_json_member(event, "eventId"), type = sky_json_member(event, "type"),
             params = sky_json_member(event, "params");
    return sky_tencent__thing_bad(thing, SKY_TENCENT_THING_UNKNOWN, TEN_RULE(THING_EVENT),
                                  sky_json_is_string(id) && sky_json_text(id).len > 0,
                                  "an event has no eventId") ||
           sky_tencent__thing_bad(thing, SKY_TENCENT_THING_VALUE, TEN_RULE(THING_EVENT),
                                  is_event_type(type), "type is %.*s, not info, alert or fault",
                                  SKY_SPAN_ARGS(type.len > 0
                                                    ? sky_span_head(type, SKY_ENVELOPE_NAME_MAX)
                                                    : SKY_SPAN("missing"))) ||
           sky_tencent__thing_late(thing, sky_json_member(event, "timestamp")) ||
           (params.len > 0 && sky_tencent__thing_misfit(thing, params)) ||
           sky_tencent__thing_unfit(thing, SKY_MODEL_EVENT, sky_json_text(id),
                                    params.len > 0 ? params : SKY_SPAN("{}"));
}

/* A list of events, also under the method for one, where the Python SDK puts it. */
static bool is_bad_post(struct sky_tencent_thing *thing, bool list)
{
    sky_span event, events = sky_json_member(thing->text, "events");
    if (!list && events.len == 0)
        return is_bad_event(thing, thing->text);
    if (sky_tencent__thing_bad(thing, SKY_TENCENT_THING_VALUE, TEN_RULE(THING_VALUE),
                               sky_json_is_array(events), "events is no array"))
        return true;
    for (sky_span rest = sky_json_inside(events); sky_json_next_element(&rest, &event);)
        if (is_bad_event(thing, event))
            return true;
    return false;
}

static void run_event(struct sky_tencent_thing *thing)
{
    (void)is_bad_post(thing, false);
    sky_tencent__thing_reply(thing, "event_reply", SKY_SPAN("\"version\":\"1.0\",\"data\":{}"));
}

static void run_events(struct sky_tencent_thing *thing)
{
    (void)is_bad_post(thing, true);
    sky_tencent__thing_reply(thing, "events_reply", SKY_SPAN("\"data\":{}"));
}

static const struct sky_tencent_method event_methods[] = {
    {"event_post", "event_reply", run_event},
    {"events_post", "events_reply", run_events},
};

static void handle_event(const struct sky_uplink *uplink, const struct sky_facts *facts,
                         struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_tencent_thing thing = {.uplink = uplink,
                                      .facts = facts,
                                      .judge = judge,
                                      .effects = effects,
                                      .down = "$thing/down/event",
                                      .reply_to = "event_reply"};
    sky_tencent__thing(&thing, event_methods, SKY_COUNT(event_methods));
}

/* ---- actions ---- */

static const struct sky_tencent_method action_methods[] = {
    {"action_reply", NULL, sky_tencent__thing_answer},
};

static void handle_action(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_tencent_thing thing = {
        .uplink = uplink, .facts = facts, .judge = judge, .effects = effects, .down = ACTION_DOWN};
    sky_tencent__thing(&thing, action_methods, SKY_COUNT(action_methods));
}

const struct sky_service sky_tencent_event = {
    .name = "event", .reads = SKY_READS_MODEL, .handle = handle_event};
const struct sky_service sky_tencent_action = {.name = "action", .handle = handle_action};

/* Time and parameters are there even where there is nothing to say: the C SDK calls no action
 * without them, or without one of the inputs that its model has. */
sky_span sky_tencent__build_action(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_span params = sky_envelope_params(arena, request->params);
    if (!sky_json_is_object(params) || !sky_envelope_is_level(request->name) ||
        !sky_model_sends(request->facts->model, SKY_MODEL_SERVICE_IN, request->name, params,
                         SKY_MODEL_COMPLETE, request->why))
        return SKY_SPAN_NONE;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "method", "action");
    sky_jw_put_span(&jw, "clientToken", request->id);
    sky_jw_put_span(&jw, "actionId", request->name);
    sky_jw_put_int(&jw, "timestamp", request->facts->now_ms);
    sky_jw_key(&jw, "params");
    sky_jw_raw(&jw, params);
    sky_jw_end_object(&jw);
    sky_effects_message(effects, SKY_EFFECT_PUSH, sky_tencent__topic(to, ACTION_DOWN, arena),
                        sky_envelope_keep(arena, &out), 1);
    return sky_arena_copy(arena, request->id);
}
