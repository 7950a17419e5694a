#include "protocol/cloud/enos/services.h"

#include <inttypes.h>

#include "protocol/base/json_view.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/latest.h"
#include "protocol/mqtt/topic.h"

/* The vendor's codes and texts (common parameter page and each service's page). The format codes
 * of tags and events are not published: the attributes' and the model's are used for them. */
enum code {
    CODE_OK = 200,
    CODE_TOO_LARGE = 1008,
    CODE_NO_RIGHT = 1009,
    CODE_MODEL = 1204,
    CODE_POINT_FORMAT = 1206,
    CODE_UPDATE_FORMAT = 1207,
    CODE_QUERY_FORMAT = 1208,
    CODE_DELETE_FORMAT = 1209,
    CODE_NO_SUB_DEVICE = 1212,
    CODE_NOT_JSON = 1220,
    CODE_EMPTY = 1251,
    CODE_METHOD = 1260,
};

static const struct {
    enum code code;
    uint8_t coap_code;
    const char *text;
} texts[] = {
    {CODE_TOO_LARGE, SKY_COAP_TOO_LARGE, "Msg size is too large, discard the message"},
    {CODE_NO_RIGHT, SKY_COAP_FORBIDDEN, "Publish to topic with no write permission"},
    {CODE_MODEL, SKY_COAP_BAD_REQUEST, "Model validate failed"},
    {CODE_POINT_FORMAT, SKY_COAP_BAD_REQUEST, "Measurepoint post data format error"},
    {CODE_UPDATE_FORMAT, SKY_COAP_BAD_REQUEST, "Attribute update data format error"},
    {CODE_QUERY_FORMAT, SKY_COAP_BAD_REQUEST, "Attribute query data format error"},
    {CODE_DELETE_FORMAT, SKY_COAP_BAD_REQUEST, "Attribute delete data format error"},
    {CODE_NO_SUB_DEVICE, SKY_COAP_FORBIDDEN, "No sub-device permission"},
    {CODE_NOT_JSON, SKY_COAP_BAD_REQUEST, "Payload format error"},
    {CODE_EMPTY, SKY_COAP_BAD_REQUEST, "Payload is empty"},
    {CODE_METHOD, SKY_COAP_BAD_REQUEST, "Methods not consistent"},
};

enum { THING_LEVEL = 4, EVENT_ID_LEVEL = 6 }; /* of /sys/{product}/{device}/thing/event/{id}/... */

/* One request on its way through: every service works on this. */
struct request {
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    struct sky_envelope envelope;
    struct sky_latest latest;
};

static const char *code_text(enum code code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "";
}

/* CoAP's answers have a code in place of a body when something is wrong. */
static uint8_t coap_code(enum code code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return texts[i].coap_code;
    return 0;
}

static struct sky_effect *last(struct sky_effects *effects)
{
    return &effects->list[effects->count - 1];
}

/* The vendor's key order; `data` is a JSON object. */
static void reply(const struct request *request, enum code code, sky_span data)
{
    const struct sky_uplink *uplink = request->uplink;
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_add_byte(&out, '{');
    if (request->envelope.id.len > 0)
        sky_buf_addf(&out, "\"id\":%.*s,", SKY_SPAN_ARGS(request->envelope.id));
    sky_buf_addf(&out, "\"code\":%d,", (int)code);
    if (code != CODE_OK)
        sky_buf_addf(&out, "\"message\":\"%s\",", code_text(code));
    sky_buf_addf(&out, "\"data\":%.*s}", SKY_SPAN_ARGS(data));
    sky_envelope_reply(request->effects, uplink,
                       sky_envelope_reply_topic(&request->effects->arena, uplink->topic), &out);
    last(request->effects)->coap_code = coap_code(code);
}

static void succeed(const struct request *request)
{
    reply(request, CODE_OK, SKY_SPAN("{}"));
}

static void fail(const struct request *request, enum code code)
{
    reply(request, code, SKY_SPAN("{}"));
}

/* Judges the message as such and returns the code that refuses it, or OK. */
static enum code judge_message(struct request *request)
{
    const struct sky_envelope *envelope = &request->envelope;
    sky_span topic = request->uplink->topic;
    bool fits = envelope->fault != SKY_ENVELOPE_LARGE;
    sky_judge_rule(request->judge,
                   sky_cloud_limit_rule(request->uplink->cloud, SKY_LIMIT_PAYLOAD_SIZE), fits,
                   "%zu bytes on %.*s", request->uplink->payload.len, SKY_SPAN_ARGS(topic));
    if (!fits)
        return CODE_TOO_LARGE;
    bool empty = envelope->fault == SKY_ENVELOPE_EMPTY;
    bool sound = envelope->fault == SKY_ENVELOPE_SOUND;
    sky_judge_rule(request->judge, ENOS_RULE(PAYLOAD_JSON), sound, "%.*s: %s", SKY_SPAN_ARGS(topic),
                   empty ? "the payload is empty" : envelope->why.reason);
    return sound ? CODE_OK : empty ? CODE_EMPTY : CODE_NOT_JSON;
}

static void judge_version(struct request *request)
{
    sky_span version = request->envelope.version;
    bool known = sky_span_eq_str(version, "\"1.0\"") || sky_span_eq_str(version, "\"1.1\"");
    sky_judge_rule(request->judge, ENOS_RULE(VERSION), known, "version is %.*s",
                   SKY_SPAN_ARGS(version.len > 0 ? version : SKY_SPAN("absent")));
}

static void begin(struct request *request, const struct sky_uplink *uplink,
                  const struct sky_facts *facts, struct sky_judge *judge,
                  struct sky_effects *effects)
{
    *request =
        (struct request){.uplink = uplink, .facts = facts, .judge = judge, .effects = effects};
    sky_envelope_open(&request->envelope, uplink->payload, SKY_ENOS_MESSAGE_MAX);
}

/* How the vendor's own SDK (MethodConstants.py, EventPostRequest.py) and its page on progress spell
 * a method; any letter case is taken with them. */
static bool is_sdk_spelling(sky_span method, sky_span topic)
{
    static const struct {
        const char *topic, *method;
    } spellings[] = {
        {"ota/device/inform", "ota.inform"},
        {"ota/device/progress", "ota.progress"},
        {"ota/device/progress", "ota.device.process"},
        {"ota/device/getversion", "ota.device.getversion"},
    };
    static const sky_span event = SKY_SPAN("thing.event.%s.post"); /* the event's id follows */
    sky_span name = sky_json_text(method), tail = sky_envelope_levels(topic, THING_LEVEL);
    if (!sky_json_is_string(method))
        return false;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (sky_span_eq_str(tail, spellings[i].topic) &&
            sky_span_eq_nocase(name, sky_span_str(spellings[i].method)))
            return true;
    return sky_span_starts(tail, SKY_SPAN("thing/event/")) && sky_span_starts(name, event) &&
           sky_span_eq(sky_span_tail(name, event.len), sky_topic_level(topic, EVENT_ID_LEVEL));
}

/* The topic decides which service it is; false when the method says another. */
static bool method_is_taken(const struct request *request)
{
    sky_span method = request->envelope.method, topic = request->uplink->topic;
    bool fits = method.len == 0 || sky_envelope_method_fits(method, topic, THING_LEVEL);
    bool spelled = !fits && is_sdk_spelling(method, topic);
    sky_judge_rule(request->judge, ENOS_RULE(METHOD_SPELLING), !spelled,
                   "method %.*s was sent to %.*s", SKY_SPAN_ARGS(method), SKY_SPAN_ARGS(topic));
    return !sky_judge_rule(request->judge, ENOS_RULE(METHOD_TOPIC), fits || spelled,
                           "method %.*s was sent to %.*s", SKY_SPAN_ARGS(method),
                           SKY_SPAN_ARGS(topic));
}

/* False when the request has been answered with an error. The page on events calls `method`
 * optional, so only a wrong one counts. */
static bool admit(struct request *request, const struct sky_uplink *uplink,
                  const struct sky_facts *facts, struct sky_judge *judge,
                  struct sky_effects *effects)
{
    begin(request, uplink, facts, judge, effects);
    enum code code = judge_message(request);
    if (code != CODE_OK) {
        fail(request, code);
        return false;
    }
    judge_version(request);
    sky_judge_kept(judge, ENOS_RULE(SERVICE_UNKNOWN));
    if (method_is_taken(request))
        return true;
    fail(request, CODE_METHOD);
    return false;
}

/* True when this breaks the rule and is to be refused. */
static bool refused_data(struct request *request, enum code code)
{
    bool kept = code == CODE_OK;
    const struct sky_rule *rule =
        code == CODE_NO_SUB_DEVICE ? ENOS_RULE(TOPIC_ACL) : ENOS_RULE(PARAMS);
    sky_judge_rule(request->judge, rule, kept, "%.*s: code %d, %s",
                   SKY_SPAN_ARGS(request->uplink->topic), (int)code, code_text(code));
    if (!kept)
        fail(request, code);
    return !kept;
}

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

static enum code check_points(sky_span entry)
{
    struct sky_json_member point;
    sky_span points = sky_json_member(entry, "measurepoints");
    sky_span rest = sky_json_inside(points);
    if (!sky_json_is_object(points))
        return CODE_POINT_FORMAT;
    while (sky_json_next_member(&rest, &point))
        if (!point_is_valid(point.value))
            return CODE_MODEL;
    return CODE_OK;
}

/* An entry of a batch may name its device; a gateway's sub-devices are not played here. */
static bool is_own(const struct request *request, sky_span entry)
{
    sky_span product = sky_json_text(sky_json_member(entry, "productKey"));
    sky_span device = sky_json_text(sky_json_member(entry, "deviceKey"));
    return (product.len == 0 || sky_span_eq(product, request->uplink->product)) &&
           (device.len == 0 || sky_span_eq(device, request->uplink->device));
}

static bool skips_invalid(const struct request *request)
{
    return sky_span_eq_str(sky_json_member(request->envelope.text, "skipInvalidMeasurepoints"),
                           "true");
}

/* One failing entry fails the whole batch with its code. */
static enum code check_batch(const struct request *request)
{
    sky_span entry, rest = sky_json_inside(request->envelope.params);
    enum code code = CODE_OK;
    if (!sky_json_is_array(request->envelope.params))
        return CODE_POINT_FORMAT;
    while (code == CODE_OK && sky_json_next_element(&rest, &entry)) {
        code = is_own(request, entry) ? check_points(entry) : CODE_NO_SUB_DEVICE;
        if (code == CODE_MODEL && skips_invalid(request))
            code = CODE_OK;
    }
    return code;
}

static bool is_newer(const struct sky_latest *latest, sky_span name, int64_t time)
{
    int64_t stored = 0;
    sky_span old = sky_json_member(sky_latest_get(latest, name), "time");
    return !sky_span_to_int(old, &stored) || time >= stored;
}

static void put_point(struct request *request, const struct sky_json_member *point, int64_t time)
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

static void put_points(struct request *request, sky_span entry, bool resumed)
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

static void open_values(struct request *request)
{
    sky_latest_open(&request->latest, request->facts->document, &request->effects->arena);
}

static void save_values(struct request *request, const struct sky_service *service)
{
    sky_latest_save(&request->latest, request->facts, service->document, request->effects);
    sky_latest_close(&request->latest);
}

static void take_points(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects, bool resumed)
{
    struct request request;
    if (!admit(&request, uplink, facts, judge, effects))
        return;
    enum code code = check_points(request.envelope.params);
    if (code == CODE_MODEL && skips_invalid(&request))
        code = CODE_OK;
    if (refused_data(&request, code))
        return;
    open_values(&request);
    put_points(&request, request.envelope.params, resumed);
    save_values(&request, &sky_enos_measurepoint_post);
    succeed(&request);
}

static void take_batch(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects, bool resumed)
{
    struct request request;
    sky_span entry;
    if (!admit(&request, uplink, facts, judge, effects) ||
        refused_data(&request, check_batch(&request)))
        return;
    open_values(&request);
    sky_span rest = sky_json_inside(request.envelope.params);
    while (sky_json_next_element(&rest, &entry))
        put_points(&request, entry, resumed);
    save_values(&request, &sky_enos_measurepoint_post);
    succeed(&request);
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
    struct request request;
    if (!admit(&request, uplink, facts, judge, effects))
        return;
    bool sound = sky_json_is_object(sky_json_member(request.envelope.params, "events"));
    if (!refused_data(&request, sound ? CODE_OK : CODE_MODEL))
        succeed(&request);
}

/* ---- attributes and tags ---- */

/* How many members or elements, but no more than one past the limit. */
static size_t count_entries(sky_span container)
{
    size_t count = 0;
    sky_span entry, rest = sky_json_inside(container);
    while (count <= SKY_ENOS_BATCH_MAX && sky_json_next_element(&rest, &entry))
        count++;
    return count;
}

/* A list of names, or nothing at all. */
static bool names_are_sound(sky_span names)
{
    sky_span name, rest = sky_json_inside(names);
    if (names.len == 0 || sky_json_is_null(names))
        return true;
    if (!sky_json_is_array(names) || count_entries(names) > SKY_ENOS_BATCH_MAX)
        return false;
    while (sky_json_next_element(&rest, &name))
        if (!sky_json_is_string(name))
            return false;
    return true;
}

/* The asked-for values as one JSON object, each name once; all of them when no names are given. */
static sky_span select_values(struct request *request, sky_span names)
{
    struct sky_buf out;
    sky_span name, rest = sky_json_inside(names);
    const char *before = "";
    if (rest.len == 0)
        return request->facts->document.len > 0 ? request->facts->document : SKY_SPAN("{}");
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_add_byte(&out, '{');
    while (sky_json_next_element(&rest, &name)) {
        sky_span value = sky_latest_get(&request->latest, sky_json_text(name));
        if (value.len == 0)
            continue;
        sky_buf_addf(&out, "%s%.*s:%.*s", before, SKY_SPAN_ARGS(name), SKY_SPAN_ARGS(value));
        sky_latest_drop(&request->latest, sky_json_text(name));
        before = ",";
    }
    sky_buf_add_byte(&out, '}');
    return sky_envelope_keep(&request->effects->arena, &out);
}

static void query_values(struct request *request, const char *list)
{
    sky_span names = sky_json_member(request->envelope.params, list);
    if (refused_data(request, names_are_sound(names) ? CODE_OK : CODE_QUERY_FORMAT))
        return;
    open_values(request);
    reply(request, CODE_OK, select_values(request, names));
    sky_latest_close(&request->latest);
}

static void delete_values(struct request *request, const char *list,
                          const struct sky_service *service)
{
    sky_span name, names = sky_json_member(request->envelope.params, list);
    if (refused_data(request, names_are_sound(names) ? CODE_OK : CODE_DELETE_FORMAT))
        return;
    open_values(request);
    sky_span rest = sky_json_inside(names);
    while (sky_json_next_element(&rest, &name))
        sky_latest_drop(&request->latest, sky_json_text(name));
    save_values(request, service);
    succeed(request);
}

static enum code check_attributes(sky_span params)
{
    struct sky_json_member attribute;
    sky_span attributes = sky_json_member(params, "attributes");
    sky_span rest = sky_json_inside(attributes);
    bool absent = sky_json_is_object(params) && attributes.len == 0; /* reports nothing */
    if (!absent && !sky_json_is_object(attributes))
        return CODE_UPDATE_FORMAT;
    if (count_entries(attributes) > SKY_ENOS_BATCH_MAX)
        return CODE_UPDATE_FORMAT;
    while (sky_json_next_member(&rest, &attribute))
        if (sky_json_is_null(attribute.value))
            return CODE_MODEL;
    return CODE_OK;
}

static void handle_attribute_update(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                    struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    struct sky_json_member attribute;
    if (!admit(&request, uplink, facts, judge, effects) ||
        refused_data(&request, check_attributes(request.envelope.params)))
        return;
    open_values(&request);
    sky_span rest = sky_json_inside(sky_json_member(request.envelope.params, "attributes"));
    while (sky_json_next_member(&rest, &attribute))
        sky_latest_put(&request.latest, attribute.key,
                       sky_json_compact(request.latest.arena, attribute.value));
    save_values(&request, &sky_enos_attribute_update);
    succeed(&request);
}

static void handle_attribute_query(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                   struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    if (admit(&request, uplink, facts, judge, effects))
        query_values(&request, "attributes");
}

static void handle_attribute_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                    struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    if (admit(&request, uplink, facts, judge, effects))
        delete_values(&request, "attributes", &sky_enos_attribute_delete);
}

static bool is_word(sky_span key)
{
    for (size_t i = 0; i < key.len; i++) {
        char lower = (char)(key.ptr[i] | 0x20);
        bool digit = key.ptr[i] >= '0' && key.ptr[i] <= '9';
        if (!(lower >= 'a' && lower <= 'z') && key.ptr[i] != '_' && !(digit && i > 0))
            return false;
    }
    return key.len > 0;
}

static enum code check_tags(sky_span params)
{
    sky_span tag, rest = sky_json_inside(params);
    if (!sky_json_is_array(params) || count_entries(params) > SKY_ENOS_BATCH_MAX)
        return CODE_UPDATE_FORMAT;
    while (sky_json_next_element(&rest, &tag)) {
        sky_span key = sky_json_member(tag, "tagKey");
        sky_span name = sky_json_text(key);
        if (!sky_json_is_string(key) || name.len > SKY_ENOS_TAG_KEY_MAX || !is_word(name) ||
            !sky_json_is_string(sky_json_member(tag, "tagValue")))
            return CODE_UPDATE_FORMAT;
    }
    return CODE_OK;
}

static void handle_tag_update(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    sky_span tag;
    if (!admit(&request, uplink, facts, judge, effects) ||
        refused_data(&request, check_tags(request.envelope.params)))
        return;
    open_values(&request);
    sky_span rest = sky_json_inside(request.envelope.params);
    while (sky_json_next_element(&rest, &tag))
        sky_latest_put(&request.latest, sky_json_text(sky_json_member(tag, "tagKey")),
                       sky_json_member(tag, "tagValue"));
    save_values(&request, &sky_enos_tag_update);
    succeed(&request);
}

static void handle_tag_query(const struct sky_uplink *uplink, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    if (admit(&request, uplink, facts, judge, effects))
        query_values(&request, "tags");
}

static void handle_tag_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    if (admit(&request, uplink, facts, judge, effects))
        delete_values(&request, "tags", &sky_enos_tag_delete);
}

/* ---- answers, and what nobody answers ---- */

static void refuse(const struct sky_uplink *uplink, const struct sky_facts *facts,
                   struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    begin(&request, uplink, facts, judge, effects);
    bool large = request.envelope.fault == SKY_ENVELOPE_LARGE;
    if (!sky_envelope_is_reply(uplink->topic))
        fail(&request, large ? CODE_TOO_LARGE : CODE_NO_RIGHT);
}

/* A _reply may well answer what a test sent down by hand: nothing to find in it. */
static void handle_unknown(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    if (sky_envelope_is_reply(uplink->topic))
        return;
    sky_judge_rule(judge, ENOS_RULE(SERVICE_UNKNOWN), false, "nothing answers on %.*s",
                   SKY_SPAN_ARGS(uplink->topic));
    refuse(uplink, facts, judge, effects);
    last(effects)->coap_code = SKY_COAP_NOT_FOUND;
}

static void judge_unplayed(const struct sky_uplink *uplink, struct sky_judge *judge)
{
    sky_judge_rule(judge, ENOS_RULE(SERVICE_UNKNOWN), false, SKY_ENVELOPE_UNPLAYED,
                   SKY_SPAN_ARGS(uplink->topic));
}

static void handle_unplayed(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    if (sky_envelope_is_reply(uplink->topic))
        return;
    judge_unplayed(uplink, judge);
    refuse(uplink, facts, judge, effects);
}

/* Devices wait for the acknowledgement, whatever comes of their report. */
static void handle_ota(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    bool asks = sky_span_ends(uplink->topic, SKY_SPAN("/getversion"));
    if (sky_envelope_is_reply(uplink->topic) || !admit(&request, uplink, facts, judge, effects))
        return;
    judge_unplayed(uplink, judge);
    reply(&request, CODE_OK, asks ? SKY_SPAN("[]") : SKY_SPAN("{}"));
}

/* SDKs wait for a reply to up_raw, one at a time, and look at nothing in it. */
static void handle_raw(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    const struct request request = {
        .uplink = uplink,
        .facts = facts,
        .judge = judge,
        .effects = effects,
        .envelope = {.id = SKY_SPAN("\"\"")},
    };
    judge_unplayed(uplink, judge);
    succeed(&request);
}

static void handle_command_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                  struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request;
    if (!sky_envelope_is_reply(uplink->topic)) {
        handle_unknown(uplink, facts, judge, effects);
        return;
    }
    begin(&request, uplink, facts, judge, effects);
    if (judge_message(&request) != CODE_OK)
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
    struct request request;
    begin(&request, uplink, facts, judge, effects);
    if (judge_message(&request) == CODE_OK)
        sky_envelope_note(effects, "activation-confirmed", request.envelope.text);
}

void sky_enos_refuse_publish(const struct sky_uplink *uplink, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects)
{
    refuse(uplink, facts, judge, effects);
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
const struct sky_service sky_enos_attribute_update = {
    .name = "attribute-update", .document = "attributes", .handle = handle_attribute_update};
const struct sky_service sky_enos_attribute_query = {
    .name = "attribute-query", .document = "attributes", .handle = handle_attribute_query};
const struct sky_service sky_enos_attribute_delete = {
    .name = "attribute-delete", .document = "attributes", .handle = handle_attribute_delete};
const struct sky_service sky_enos_tag_update = {
    .name = "tag-update", .document = "tags", .handle = handle_tag_update};
const struct sky_service sky_enos_tag_query = {
    .name = "tag-query", .document = "tags", .handle = handle_tag_query};
const struct sky_service sky_enos_tag_delete = {
    .name = "tag-delete", .document = "tags", .handle = handle_tag_delete};
const struct sky_service sky_enos_command_answer = {.name = "command-answer",
                                                    .handle = handle_command_answer};
const struct sky_service sky_enos_activation_answer = {.name = "activation-answer",
                                                       .handle = handle_activation_answer};
const struct sky_service sky_enos_ota = {.name = "ota", .handle = handle_ota};
const struct sky_service sky_enos_raw = {.name = "raw", .handle = handle_raw};
const struct sky_service sky_enos_unplayed = {.name = "unplayed", .handle = handle_unplayed};
const struct sky_service sky_enos_unknown = {.name = "unknown", .handle = handle_unknown};

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
    {.kind = "measurepoint-set", .build = build_set},
    {.kind = "measurepoint-get", .build = build_get},
    {.kind = "service", .build = build_service},
};
