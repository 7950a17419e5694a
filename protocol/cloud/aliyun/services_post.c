/* What a device reports of itself: properties and events, one at a time, in batches, of the past,
 * and of its sub-devices. */
#include <inttypes.h>

#include "protocol/cloud/aliyun/sub_device.h"

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

static void put_property(struct sky_latest *latest, sky_span name, sky_span given, int64_t now_ms)
{
    bool timed = is_timed(given);
    sky_span value =
        sky_json_compact(latest->arena, timed ? sky_json_member(given, "value") : given);
    int64_t time = 0;
    if (!timed || !sky_span_to_int(sky_json_member(given, "time"), &time))
        time = now_ms;
    sky_latest_put(latest, name,
                   sky_arena_printf(latest->arena, "{\"value\":%.*s,\"time\":%" PRId64 "}",
                                    SKY_SPAN_ARGS(value), time));
}

/* How a property of a message becomes one of the document. */
typedef void put_property_of(struct sky_latest *latest, sky_span name, sky_span given,
                             int64_t now_ms);

/* Keeps the properties of an object in the document, of the device behind the gateway whose id is
 * `subject`, or of the device itself (0). */
static void keep_properties(const struct sky_aliyun_request *request, sky_span properties,
                            put_property_of *put, sky_span document, int64_t version,
                            int64_t subject)
{
    struct sky_latest latest;
    struct sky_json_member property;
    struct sky_facts facts = {.document = document, .document_version = version};
    size_t before = request->effects->count;
    sky_latest_open(&latest, document, &request->effects->arena);
    sky_span rest = sky_json_inside(properties);
    while (sky_json_next_member(&rest, &property))
        put(&latest, property.key, property.value, request->facts->now_ms);
    sky_latest_save(&latest, &facts, sky_aliyun_property_post.document, request->effects);
    sky_latest_close(&latest);
    for (; before < request->effects->count; before++)
        request->effects->list[before].subject = subject;
}

static void keep_own(const struct sky_aliyun_request *request, sky_span properties,
                     put_property_of *put)
{
    keep_properties(request, properties, put, request->facts->document,
                    request->facts->document_version, 0);
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
    keep_own(&request, request.envelope.params, put_property);
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

static void handle_event_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_NOT_JSON, uplink, facts, judge, effects))
        return;
    struct sky_aliyun_fault fault =
        sky_json_is_object(request.envelope.params)
            ? SKY_ALIYUN_SOUND
            : sky_aliyun__fault(SKY_ALIYUN_PARAMETER, "params must be an object");
    if (!sky_aliyun__refused(&request, fault))
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

/* The newest of several values, wherever it stands among them. */
static void put_newest(struct sky_latest *latest, sky_span name, sky_span series, int64_t now_ms)
{
    sky_span element, newest = SKY_SPAN_NONE, rest = sky_json_inside(series);
    int64_t newest_ms = -1;
    while (sky_json_next_element(&rest, &element)) {
        int64_t time = now_ms;
        (void)sky_span_to_int(sky_json_member(element, "time"), &time);
        if (time >= newest_ms) {
            newest = element;
            newest_ms = time;
        }
    }
    if (newest.len > 0)
        put_property(latest, name, newest, now_ms);
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
    keep_own(&request, sky_json_member(request.envelope.params, "properties"), put_newest);
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
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
    keep_own(&request, sky_json_member(request.envelope.params, "properties"), put_property);
    for (size_t i = 0; i < facts->peer_count; i++) {
        const struct sky_peer *peer = &facts->peers[i];
        if (peer->bound)
            keep_properties(&request, sky_json_member(peer->item, "properties"), put_property,
                            peer->document, peer->document_version, peer->known->id);
    }
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

const struct sky_service sky_aliyun_property_post = {
    .name = "property-post", .document = "properties", .handle = handle_property_post};
const struct sky_service sky_aliyun_event_post = {.name = "event-post",
                                                  .handle = handle_event_post};
const struct sky_service sky_aliyun_batch_post = {
    .name = "batch-post", .document = "properties", .handle = handle_batch_post};
const struct sky_service sky_aliyun_pack_post = {.name = "pack-post",
                                                 .document = "properties",
                                                 .handle = handle_pack_post,
                                                 .peers = packed_peers};
const struct sky_service sky_aliyun_history_post = {
    .name = "history-post", .handle = handle_history_post, .peers = identified_peers};
const struct sky_service sky_aliyun_raw = {.name = "raw", .handle = handle_raw};
