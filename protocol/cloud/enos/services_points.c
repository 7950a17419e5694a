/* Measure points and events. */
#include <inttypes.h>

#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/services.h"

/* ---- measure points ---- */

/* A bad quality or a null is all that can be seen without the product's model. */
static bool point_is_valid(sky_span point)
{
    int64_t quality = 0;
    sky_span text = sky_json_member(point, "quality");
    bool wrapped = sky_json_member(point, "value").len > 0;
    if (sky_json_is_null(point) || sky_json_is_null(sky_json_member(point, "value")))
        return false;
    return !wrapped || text.len == 0 ||
           (sky_span_to_int(text, &quality) && quality <= SKY_ENOS_QUALITY_MAX);
}

static enum sky_enos_code check_points(sky_span entry)
{
    struct sky_json_member point;
    sky_span points = sky_json_member(entry, "measurepoints");
    sky_span rest = sky_json_inside(points);
    if (!sky_json_is_object(points))
        return SKY_ENOS_CODE_POINT_FORMAT;
    while (sky_json_next_member(&rest, &point))
        if (!point_is_valid(point.value))
            return SKY_ENOS_CODE_MODEL;
    return SKY_ENOS_CODE_OK;
}

/* An entry of a batch may name its device; a gateway's sub-devices are not played here. */
static bool is_own(const struct sky_enos_request *request, sky_span entry)
{
    sky_span product = sky_json_text(sky_json_member(entry, "productKey"));
    sky_span device = sky_json_text(sky_json_member(entry, "deviceKey"));
    return (product.len == 0 || sky_span_eq(product, request->uplink->product)) &&
           (device.len == 0 || sky_span_eq(device, request->uplink->device));
}

static bool skips_invalid(const struct sky_enos_request *request)
{
    return sky_span_eq_str(sky_json_member(request->envelope.text, "skipInvalidMeasurepoints"),
                           "true");
}

/* One failing entry fails the whole batch with its code. */
static enum sky_enos_code check_batch(const struct sky_enos_request *request)
{
    sky_span entry, rest = sky_json_inside(request->envelope.params);
    enum sky_enos_code code = SKY_ENOS_CODE_OK;
    if (!sky_json_is_array(request->envelope.params))
        return SKY_ENOS_CODE_POINT_FORMAT;
    while (code == SKY_ENOS_CODE_OK && sky_json_next_element(&rest, &entry)) {
        code = is_own(request, entry) ? check_points(entry) : SKY_ENOS_CODE_NO_SUB_DEVICE;
        if (code == SKY_ENOS_CODE_MODEL && skips_invalid(request))
            code = SKY_ENOS_CODE_OK;
    }
    return code;
}

static bool is_newer(const struct sky_latest *latest, sky_span name, int64_t time)
{
    int64_t stored = 0;
    sky_span old = sky_json_member(sky_latest_get(latest, name), "time");
    return !sky_span_to_int(old, &stored) || time >= stored;
}

static void put_point(struct sky_enos_request *request, const struct sky_json_member *point,
                      int64_t time)
{
    sky_span value = sky_json_member(point->value, "value"), quality = SKY_SPAN_NONE;
    if (value.len > 0)
        quality = sky_json_member(point->value, "quality");
    else
        value = point->value;
    struct sky_arena *arena = request->latest.arena;
    value = sky_json_compact(arena, value);
    sky_span head = quality.len == 0
                        ? SKY_SPAN_NONE
                        : sky_arena_printf(arena, "\"quality\":%.*s,", SKY_SPAN_ARGS(quality));
    sky_latest_put(&request->latest, point->key,
                   sky_arena_printf(arena, "{\"value\":%.*s,%.*s\"time\":%" PRId64 "}",
                                    SKY_SPAN_ARGS(value), SKY_SPAN_ARGS(head), time));
}

static void put_points(struct sky_enos_request *request, sky_span entry, bool resumed)
{
    struct sky_json_member point;
    int64_t time;
    if (!sky_span_to_int(sky_json_text(sky_json_member(entry, "time")), &time))
        time = request->facts->now_ms;
    sky_span rest = sky_json_inside(sky_json_member(entry, "measurepoints"));
    while (sky_json_next_member(&rest, &point))
        if (point_is_valid(point.value) &&
            (!resumed || is_newer(&request->latest, point.key, time)))
            put_point(request, &point, time);
}

static void take_points(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects, bool resumed)
{
    struct sky_enos_request request;
    if (!sky_enos__open(&request, uplink, facts, judge, effects))
        return;
    enum sky_enos_code code = check_points(request.envelope.params);
    if (code == SKY_ENOS_CODE_MODEL && skips_invalid(&request))
        code = SKY_ENOS_CODE_OK;
    if (sky_enos__refused_data(&request, code))
        return;
    sky_enos__open_values(&request);
    put_points(&request, request.envelope.params, resumed);
    sky_enos__save_values(&request, &sky_enos_measurepoint_post);
    sky_enos__succeed(&request);
}

static void take_batch(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects, bool resumed)
{
    struct sky_enos_request request;
    sky_span entry;
    if (!sky_enos__open(&request, uplink, facts, judge, effects) ||
        sky_enos__refused_data(&request, check_batch(&request)))
        return;
    sky_enos__open_values(&request);
    sky_span rest = sky_json_inside(request.envelope.params);
    while (sky_json_next_element(&rest, &entry))
        put_points(&request, entry, resumed);
    sky_enos__save_values(&request, &sky_enos_measurepoint_post);
    sky_enos__succeed(&request);
}

static void handle_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    take_points(uplink, facts, judge, effects, false);
}

static void handle_post_batch(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    take_batch(uplink, facts, judge, effects, false);
}

static void handle_resume(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    take_points(uplink, facts, judge, effects, true);
}

static void handle_resume_batch(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                struct sky_judge *judge, struct sky_effects *effects)
{
    take_batch(uplink, facts, judge, effects, true);
}

/* ---- events ---- */

static void handle_event_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (!sky_enos__open(&request, uplink, facts, judge, effects))
        return;
    bool sound = sky_json_is_object(sky_json_member(request.envelope.params, "events"));
    if (!sky_enos__refused_data(&request, sound ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_MODEL))
        sky_enos__succeed(&request);
}

const struct sky_service sky_enos_measurepoint_post = {
    .name = "measurepoint-post", .document = "properties", .handle = handle_post};
const struct sky_service sky_enos_measurepoint_post_batch = {
    .name = "measurepoint-post-batch", .document = "properties", .handle = handle_post_batch};
const struct sky_service sky_enos_measurepoint_resume = {
    .name = "measurepoint-resume", .document = "properties", .handle = handle_resume};
const struct sky_service sky_enos_measurepoint_resume_batch = {
    .name = "measurepoint-resume-batch", .document = "properties", .handle = handle_resume_batch};
const struct sky_service sky_enos_event_post = {.name = "event-post", .handle = handle_event_post};
