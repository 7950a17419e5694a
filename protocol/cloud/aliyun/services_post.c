/* What a device reports of itself: properties and events, one at a time, in batches, of the past,
 * and of its sub-devices. */
#include <inttypes.h>
#include <stdio.h>

#include "protocol/cloud/aliyun/sub_device.h"
#include "protocol/cloud/model.h"
#include "protocol/mqtt/topic.h"

enum { EVENT_LEVEL = 6 };

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

static sky_span value_of(sky_span given)
{
    return is_timed(given) ? sky_json_member(given, "value") : given;
}

/* Milliseconds, as a number or its digits; or there is none. */
static bool has_time(sky_span given)
{
    int64_t time;
    sky_span said = is_timed(given) ? sky_json_member(given, "time") : SKY_SPAN_NONE;
    return said.len == 0 || sky_span_to_int(sky_json_text(said), &time);
}

/* Whose values are kept: the device's own, or those of one behind it. */
struct owner {
    sky_span document;
    int64_t document_version;
    int64_t subject; /* its id, where it is behind this device; 0: it is this device */
    const struct sky_model *model;
    struct sky_judge *judge;
};

static struct owner itself(const struct sky_aliyun_request *request)
{
    return (struct owner){.document = request->facts->document,
                          .document_version = request->facts->document_version,
                          .model = request->facts->model,
                          .judge = request->judge};
}

static struct owner behind(const struct sky_peer *peer)
{
    return (struct owner){.document = peer->document,
                          .document_version = peer->document_version,
                          .subject = peer->known->id,
                          .model = peer->model,
                          .judge = peer->judge};
}

/* The code of what is wrong with a property, judged; OK: nothing. */
static int property_code(const struct sky_aliyun_request *request, const struct owner *owner,
                         sky_span name, sky_span given)
{
    const struct sky_model_ask ask = {owner->model, request->envelope.text, owner->judge};
    struct sky_model_fault fault;
    if (!sky_model_takes_value(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, name, value_of(given),
                               &fault))
        return fault.code;
    if (has_time(given))
        return SKY_ALIYUN_OK;
    sky_judge_broken(owner->judge, ALI_RULE(PARAMS), "the time of %.*s is no milliseconds",
                     SKY_SPAN_ARGS(sky_span_head(name, SKY_MODEL_ID_MAX)));
    return SKY_ALIYUN_TIME;
}

/* The same of an event; `given` is what it reports, or {"value":that,"time":..}. */
static int event_code(const struct sky_aliyun_request *request, const struct owner *owner,
                      sky_span id, sky_span given)
{
    const struct sky_model_ask ask = {owner->model, request->envelope.text, owner->judge};
    struct sky_model_fault fault;
    bool wrapped = is_timed(given) && sky_json_is_object(value_of(given));
    if (!sky_model_takes(&ask, SKY_MODEL_EVENT, id, wrapped ? value_of(given) : given, 0, &fault))
        return fault.code;
    if (!wrapped || has_time(given))
        return SKY_ALIYUN_OK;
    sky_judge_broken(owner->judge, ALI_RULE(PARAMS), "the time of event %.*s is no milliseconds",
                     SKY_SPAN_ARGS(sky_span_head(id, SKY_MODEL_ID_MAX)));
    return SKY_ALIYUN_TIME;
}

/* {"value":..,"time":..}; runs for every property of a post: no formatted printing here. */
static sky_span timed(struct sky_arena *arena, sky_span value, int64_t time)
{
    static const char front[] = "{\"value\":", middle[] = ",\"time\":";
    enum { FRONT = sizeof front - 1, MIDDLE = sizeof middle - 1, DIGITS = 20 };
    char digits[DIGITS], *text = sky_arena_take(arena, FRONT + value.len + MIDDLE + DIGITS + 1);
    uint64_t rest = time < 0 ? 0 - (uint64_t)time : (uint64_t)time;
    size_t first = DIGITS, len = 0;
    do {
        digits[--first] = (char)('0' + rest % 10);
    } while ((rest /= 10) > 0);
    if (time < 0)
        digits[--first] = '-';
    memcpy(text, front, FRONT);
    len = FRONT;
    memcpy(text + len, value.ptr, value.len);
    len += value.len;
    memcpy(text + len, middle, MIDDLE);
    len += MIDDLE;
    memcpy(text + len, digits + first, DIGITS - first);
    len += DIGITS - first;
    text[len++] = '}';
    return sky_span_of(text, len);
}

static void put_property(const struct sky_aliyun_request *request, struct sky_latest *latest,
                         sky_span name, sky_span given)
{
    sky_span value = sky_json_compact(latest->arena, value_of(given));
    int64_t time = request->facts->now_ms;
    if (is_timed(given))
        (void)sky_span_to_int(sky_json_text(sky_json_member(given, "time")), &time);
    sky_latest_put(latest, name, timed(latest->arena, value, time));
}

/* Why one property was not kept, as captured answers say it: {"name":"tsl parse: ..."}. */
static void tell_dropped(struct sky_jw *dropped, sky_span name, int code)
{
    char text[48];
    snprintf(text, sizeof text,
             code == SKY_ALIYUN_UNKNOWN ? "tsl parse: params not exist" : "tsl parse: error %d",
             code);
    sky_jw_key_raw(dropped, name);
    sky_jw_str(dropped, sky_span_str(text));
}

/* How a property of a message comes into the table. */
typedef void keep_property(const struct sky_aliyun_request *request, const struct owner *owner,
                           struct sky_latest *latest, const struct sky_json_member *property,
                           struct sky_jw *dropped);

/* Bad ones are dropped singly: what they are is the request's data (help page 44542). */
static void keep_one(const struct sky_aliyun_request *request, const struct owner *owner,
                     struct sky_latest *latest, const struct sky_json_member *property,
                     struct sky_jw *dropped)
{
    int code = property_code(request, owner, property->key, property->value);
    if (code == SKY_ALIYUN_OK)
        put_property(request, latest, property->key, property->value);
    else
        tell_dropped(dropped, property->key, code);
}

/* Keeps the properties of an object in their owner's document; returns those that were not. */
static sky_span keep_properties(const struct sky_aliyun_request *request, const struct owner *owner,
                                sky_span properties, keep_property *keep)
{
    struct sky_latest latest;
    struct sky_json_member property;
    struct sky_buf out;
    struct sky_facts facts = {.document = owner->document,
                              .document_version = owner->document_version};
    struct sky_effects *effects = request->effects;
    size_t before = effects->count;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw dropped = sky_jw(&out);
    sky_jw_object(&dropped);
    sky_latest_open(&latest, owner->document, &effects->arena);
    sky_span rest = sky_json_inside(properties);
    while (sky_json_next_member(&rest, &property))
        keep(request, owner, &latest, &property, &dropped);
    sky_latest_save(&latest, &facts, sky_aliyun_property_post.document, effects);
    sky_latest_close(&latest);
    sky_jw_end_object(&dropped);
    for (; before < effects->count; before++)
        effects->list[before].subject = owner->subject;
    return sky_envelope_keep(&effects->arena, &out);
}

static struct sky_aliyun_fault properties_fault(sky_span properties)
{
    if (!sky_json_is_object(properties))
        return sky_aliyun__fault(SKY_ALIYUN_PARAMETER, "params must be an object of properties");
    if (sky_aliyun__is_longer(properties, SKY_ALIYUN_PROPERTIES_MAX))
        return sky_aliyun__too_many(SKY_ALIYUN_PROPERTIES_MANY, "more than 200 properties");
    return SKY_ALIYUN_SOUND;
}

static void handle_property_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                 struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_NOT_JSON, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, properties_fault(request.envelope.params)))
        return;
    sky_judge_kept(judge, ALI_RULE(ENTRIES));
    const struct owner owner = itself(&request);
    sky_aliyun__succeed(&request,
                        keep_properties(&request, &owner, request.envelope.params, keep_one));
}

/* What does not fit the model, or has no time, is judged: the code says it. */
static bool refused_by_model(const struct sky_aliyun_request *request, int code)
{
    if (code != SKY_ALIYUN_OK)
        sky_aliyun__reply(request, (enum sky_aliyun_code)code, request->error_data);
    return code != SKY_ALIYUN_OK;
}

static void handle_event_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_NOT_JSON, uplink, facts, judge, effects))
        return;
    sky_span params = request.envelope.params;
    if (!sky_json_is_object(params)) {
        (void)sky_aliyun__refused(
            &request, sky_aliyun__fault(SKY_ALIYUN_PARAMETER, "params must be an object"));
        return;
    }
    const struct owner owner = itself(&request);
    if (!refused_by_model(
            &request,
            event_code(&request, &owner, sky_topic_level(uplink->topic, EVENT_LEVEL), params)))
        sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

/* ---- several at once ---- */

/* Is this an object or absent? */
static bool is_optional_object(sky_span value)
{
    return value.len == 0 || sky_json_is_object(value);
}

/* {"properties":{..},"events":{..}}, either of which may be absent. The limit of events is 20 on
 * the service's page; the page of codes says 200 of the same code, and the service's own page
 * counts here. */
static struct sky_aliyun_fault bundle_fault(sky_span bundle)
{
    sky_span properties = sky_json_member(bundle, "properties");
    sky_span events = sky_json_member(bundle, "events");
    if (!sky_json_is_object(bundle) || !is_optional_object(properties) ||
        !is_optional_object(events))
        return sky_aliyun__fault(SKY_ALIYUN_PARAMETER, "properties and events must be objects");
    if (sky_aliyun__is_longer(properties, SKY_ALIYUN_PROPERTIES_MAX))
        return sky_aliyun__too_many(SKY_ALIYUN_PROPERTIES_MANY, "more than 200 properties");
    if (sky_aliyun__is_longer(events, SKY_ALIYUN_EVENTS_MAX))
        return sky_aliyun__too_many(SKY_ALIYUN_EVENTS_MANY, "more than 20 events");
    return SKY_ALIYUN_SOUND;
}

/* Has every name an array of {"value":..,"time":..}? */
static bool are_series(sky_span names)
{
    struct sky_json_member member;
    sky_span element, rest = sky_json_inside(names);
    while (sky_json_next_member(&rest, &member)) {
        sky_span elements = sky_json_inside(member.value);
        if (!sky_json_is_array(member.value))
            return false;
        while (sky_json_next_element(&elements, &element))
            if (!is_timed(element))
                return false;
    }
    return true;
}

/* The newest of those that fit, wherever it stands among them. */
static void keep_newest(const struct sky_aliyun_request *request, const struct owner *owner,
                        struct sky_latest *latest, const struct sky_json_member *property,
                        struct sky_jw *dropped)
{
    sky_span element, newest = SKY_SPAN_NONE, rest = sky_json_inside(property->value);
    int64_t newest_ms = -1;
    int bad = SKY_ALIYUN_OK;
    while (sky_json_next_element(&rest, &element)) {
        int64_t time = request->facts->now_ms;
        int code = property_code(request, owner, property->key, element);
        if (bad == SKY_ALIYUN_OK)
            bad = code;
        (void)sky_span_to_int(sky_json_text(sky_json_member(element, "time")), &time);
        if (code == SKY_ALIYUN_OK && time >= newest_ms) {
            newest = element;
            newest_ms = time;
        }
    }
    if (newest.len > 0)
        put_property(request, latest, property->key, newest);
    if (bad != SKY_ALIYUN_OK)
        tell_dropped(dropped, property->key, bad);
}

/* The first code that is not OK of an object of events, or of lists of them. */
static int events_code(const struct sky_aliyun_request *request, const struct owner *owner,
                       sky_span events)
{
    struct sky_json_member event;
    sky_span element, rest = sky_json_inside(events);
    int code = SKY_ALIYUN_OK;
    while (code == SKY_ALIYUN_OK && sky_json_next_member(&rest, &event)) {
        sky_span elements = sky_json_inside(event.value);
        if (!sky_json_is_array(event.value))
            code = event_code(request, owner, event.key, event.value);
        else
            while (code == SKY_ALIYUN_OK && sky_json_next_element(&elements, &element))
                code = event_code(request, owner, event.key, element);
    }
    return code;
}

static struct sky_aliyun_fault batch_fault(sky_span params)
{
    struct sky_aliyun_fault fault = bundle_fault(params);
    if (fault.code == SKY_ALIYUN_OK && (!are_series(sky_json_member(params, "properties")) ||
                                        !are_series(sky_json_member(params, "events"))))
        fault = sky_aliyun__fault(SKY_ALIYUN_PARAMETER,
                                  "each name must have an array of {\"value\":..,\"time\":..}");
    return fault;
}

static void handle_batch_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_NOT_JSON, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, batch_fault(request.envelope.params)))
        return;
    sky_judge_kept(judge, ALI_RULE(ENTRIES));
    const struct owner owner = itself(&request);
    sky_span params = request.envelope.params;
    if (!refused_by_model(&request,
                          events_code(&request, &owner, sky_json_member(params, "events"))))
        sky_aliyun__succeed(
            &request,
            keep_properties(&request, &owner, sky_json_member(params, "properties"), keep_newest));
}

/* Of whom a device may speak: of itself, and of what stands behind it. */
static struct sky_aliyun_fault identity_fault(const struct sky_aliyun_request *request,
                                              struct sky_peer *peer)
{
    const struct sky_name name = {peer->product, peer->device};
    bool own = sky_aliyun__is_own(request->uplink, &name);
    struct sky_aliyun_fault fault =
        sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_UNKNOWN), own || peer->known != NULL,
                               SKY_ALIYUN_NO_DEVICE, "there is no such device");
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__peer_fault(request, peer, ALI_RULE(SUB_DEVICE), own || peer->bound,
                                       SKY_ALIYUN_NO_RELATION,
                                       "it is neither the device itself nor in its topology");
    return fault;
}

/* [{"identity":{..},"properties":{..},"events":{..}}, ..] */
static struct sky_aliyun_fault sub_devices_fault(const struct sky_aliyun_request *request)
{
    struct sky_aliyun_fault fault = SKY_ALIYUN_SOUND;
    sky_span sub_devices = sky_json_member(request->envelope.params, "subDevices");
    if (sub_devices.len > 0 && !sky_json_is_array(sub_devices))
        return sky_aliyun__fault(SKY_ALIYUN_PARAMETER, "subDevices must be an array");
    if (sky_aliyun__is_longer(sub_devices, SKY_ALIYUN_SUB_DEVICES_MAX))
        return sky_aliyun__too_many(SKY_ALIYUN_SUB_DEVICES_MANY, "more than 20 sub-devices");
    for (size_t i = 0; fault.code == SKY_ALIYUN_OK && i < request->facts->peer_count; i++)
        fault = bundle_fault(request->facts->peers[i].item);
    return fault.code == SKY_ALIYUN_OK ? sky_aliyun__first_fault(request, identity_fault) : fault;
}

static size_t packed_peers(const struct sky_uplink *uplink, struct sky_arena *arena,
                           struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_aliyun__find_peers(uplink, SKY_ALIYUN_SUB_DEVICES, arena, ret_peers);
}

/* The first code that is not OK in {"properties":{..},"events":{..}}. */
static int bundle_code(const struct sky_aliyun_request *request, const struct owner *owner,
                       sky_span bundle)
{
    struct sky_json_member property;
    sky_span rest = sky_json_inside(sky_json_member(bundle, "properties"));
    int code = SKY_ALIYUN_OK;
    while (code == SKY_ALIYUN_OK && sky_json_next_member(&rest, &property))
        code = property_code(request, owner, property.key, property.value);
    return code == SKY_ALIYUN_OK ? events_code(request, owner, sky_json_member(bundle, "events"))
                                 : code;
}

static void keep_fitting(const struct sky_aliyun_request *request, const struct owner *owner,
                         struct sky_latest *latest, const struct sky_json_member *property,
                         struct sky_jw *dropped)
{
    (void)owner, (void)dropped;
    put_property(request, latest, property->key, property->value);
}

static void keep_pack(const struct sky_aliyun_request *request, const struct owner *owner)
{
    const struct sky_facts *facts = request->facts;
    (void)keep_properties(request, owner, sky_json_member(request->envelope.params, "properties"),
                          keep_fitting);
    for (size_t i = 0; i < facts->peer_count; i++) {
        if (!facts->peers[i].bound)
            continue;
        const struct owner its = behind(&facts->peers[i]);
        (void)keep_properties(request, &its, sky_json_member(facts->peers[i].item, "properties"),
                              keep_fitting);
    }
}

/* All of it is taken, or nothing (help page 89301). */
static void handle_pack_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_NOT_JSON, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, bundle_fault(request.envelope.params)) ||
        sky_aliyun__refused(&request, sub_devices_fault(&request)))
        return;
    sky_judge_kept(judge, ALI_RULE(ENTRIES));
    sky_judge_kept(judge, ALI_RULE(SUB_DEVICE));
    const struct owner owner = itself(&request);
    int code = bundle_code(&request, &owner, request.envelope.params);
    for (size_t i = 0; code == SKY_ALIYUN_OK && i < facts->peer_count; i++) {
        if (!facts->peers[i].bound)
            continue;
        const struct owner its = behind(&facts->peers[i]);
        code = bundle_code(&request, &its, facts->peers[i].item);
    }
    if (refused_by_model(&request, code))
        return;
    keep_pack(&request, &owner);
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

/* ---- of the past ---- */

/* [{"P":{"value":..,"time":..}}, ..]: an array of objects, or absent. */
static bool are_objects(sky_span array)
{
    sky_span element, rest = sky_json_inside(array);
    bool sound = array.len == 0 || sky_json_is_array(array);
    while (sound && sky_json_next_element(&rest, &element))
        sound = sky_json_is_object(element);
    return sound;
}

static struct sky_aliyun_fault history_fault(const struct sky_aliyun_request *request)
{
    if (!sky_json_is_array(request->envelope.params))
        return sky_aliyun__fault(SKY_ALIYUN_PARAMETER, "params must be an array");
    for (size_t i = 0; i < request->facts->peer_count; i++) {
        sky_span entry = request->facts->peers[i].item;
        if (!sky_json_is_object(entry) || !are_objects(sky_json_member(entry, "properties")) ||
            !are_objects(sky_json_member(entry, "events")))
            return sky_aliyun__fault(SKY_ALIYUN_PARAMETER,
                                     "properties and events must be arrays of objects");
    }
    return sky_aliyun__first_fault(request, identity_fault);
}

static size_t identified_peers(const struct sky_uplink *uplink, struct sky_arena *arena,
                               struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_aliyun__find_peers(uplink, SKY_ALIYUN_IDENTITIES, arena, ret_peers);
}

/* What was does not change what is: current values stay. The service's page gives the reply's topic
 * without _reply; the C SDK subscribes to one with it. */
static void handle_history_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_NOT_JSON, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, history_fault(&request)))
        return;
    sky_judge_kept(judge, ALI_RULE(SUB_DEVICE));
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

/* ---- bytes ---- */

/* They are what the product's owner translates by a script in the cloud. No script runs here: they
 * are for the test to look at, and nothing says what the cloud answers without one. */
static void handle_raw(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    (void)uplink, (void)facts, (void)effects;
    sky_judge_kept(judge, ALI_RULE(SERVICE_UNKNOWN));
}

const struct sky_service sky_aliyun_property_post = {.name = "property-post",
                                                     .document = "properties",
                                                     .reads = SKY_READS_MODEL,
                                                     .handle = handle_property_post};
const struct sky_service sky_aliyun_event_post = {
    .name = "event-post", .reads = SKY_READS_MODEL, .handle = handle_event_post};
const struct sky_service sky_aliyun_batch_post = {.name = "batch-post",
                                                  .document = "properties",
                                                  .reads = SKY_READS_MODEL,
                                                  .handle = handle_batch_post};
const struct sky_service sky_aliyun_pack_post = {.name = "pack-post",
                                                 .document = "properties",
                                                 .handle = handle_pack_post,
                                                 .peers = packed_peers};
const struct sky_service sky_aliyun_history_post = {
    .name = "history-post", .handle = handle_history_post, .peers = identified_peers};
const struct sky_service sky_aliyun_raw = {.name = "raw", .handle = handle_raw};
