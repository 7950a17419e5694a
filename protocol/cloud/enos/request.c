#include "protocol/cloud/enos/request.h"

#include "protocol/base/mem.h"
#include "protocol/cloud/enos/limits.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/mqtt/topic.h"

/* Over CoAP only what keeps a message from being read or taken has a code in place of a body; what
 * a service makes of it is in the body, and the code says that it was changed. */
static const struct {
    enum sky_enos_code code;
    uint8_t coap_code;
    const char *text;
} texts[] = {
    {SKY_ENOS_CODE_SUB_COUNT, 0, "Too many sub-devices are online"},
    {SKY_ENOS_CODE_KEY_TAKEN, 0, "Device key already exists"},
    {SKY_ENOS_CODE_NO_DEVICE, 0, "Device not found"},
    {SKY_ENOS_CODE_DISABLED, 0, "Device is disabled"},
    {SKY_ENOS_CODE_NOT_BEHIND, 0, "Not a sub-device of the gateway"},
    {SKY_ENOS_CODE_SIGNATURE, 0, "Signature check failed"},
    {SKY_ENOS_CODE_CERTIFICATE, 0, "Certificate login is required"},
    {SKY_ENOS_CODE_NO_UPGRADE, 0, "No upgrade task for the device"},
    {SKY_ENOS_CODE_NOT_STARTED, 0, "The upgrade task is not started"},
    {SKY_ENOS_CODE_DYNAMIC, 0, "Dynamic activation is not allowed"},
    {SKY_ENOS_CODE_TOO_LARGE, SKY_COAP_TOO_LARGE, "Msg size is too large, discard the message"},
    {SKY_ENOS_CODE_NO_RIGHT, SKY_COAP_FORBIDDEN, "Publish to topic with no write permission"},
    {SKY_ENOS_CODE_UNREADABLE, 0, "Payload cannot be parsed"},
    {SKY_ENOS_CODE_MODEL, 0, "Model validate failed"},
    {SKY_ENOS_CODE_POINT_FORMAT, 0, "Measurepoint post data format error"},
    {SKY_ENOS_CODE_UPDATE_FORMAT, 0, "Attribute update data format error"},
    {SKY_ENOS_CODE_QUERY_FORMAT, 0, "Attribute query data format error"},
    {SKY_ENOS_CODE_DELETE_FORMAT, 0, "Attribute delete data format error"},
    {SKY_ENOS_CODE_NO_SUB_DEVICE, 0, "No sub-device permission"},
    {SKY_ENOS_CODE_NOT_JSON, SKY_COAP_BAD_REQUEST, "Payload format error"},
    {SKY_ENOS_CODE_EMPTY, SKY_COAP_BAD_REQUEST, "Payload is empty"},
    {SKY_ENOS_CODE_TOPO_ADD, 0, "Add topo failed"},
    {SKY_ENOS_CODE_TOPO_DELETE, 0, "Delete topo failed"},
    {SKY_ENOS_CODE_METHOD, 0, "Methods not consistent"},
};

enum { EVENT_ID_LEVEL = 6 }; /* of /sys/{product}/{device}/thing/event/{id}/... */

/* The first level that a method names: the one behind the device's key. */
static size_t method_level(sky_span topic)
{
    return sky_span_starts(topic, SKY_SPAN("/ext/session/")) ? 5 : 4;
}

const char *sky_enos__code_text(enum sky_enos_code code)
{
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "";
}

static uint8_t coap_code(enum sky_enos_code code)
{
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        if (texts[i].code == code)
            return texts[i].coap_code;
    return 0;
}

/* The vendor's key order. Every answer has data, an integer code and the id as it came: SDKs drop
 * or choke on others. */
void sky_enos__reply_saying(const struct sky_enos_request *request, enum sky_enos_code code,
                            sky_span message, sky_span data)
{
    const struct sky_uplink *uplink = request->uplink;
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    if (request->envelope.id.len > 0) {
        sky_jw_key(&jw, "id");
        sky_jw_raw(&jw, request->envelope.id);
    }
    sky_jw_put_int(&jw, "code", code);
    if (message.len > 0)
        sky_jw_put_span(&jw, "message", message);
    sky_jw_key(&jw, "data");
    sky_jw_raw(&jw, data);
    sky_jw_end_object(&jw);
    sky_envelope_reply(request->effects, uplink,
                       sky_envelope_reply_topic(&request->effects->arena, uplink->topic), &out);
    request->effects->list[request->effects->count - 1].coap_code = coap_code(code);
}

void sky_enos__reply(const struct sky_enos_request *request, enum sky_enos_code code, sky_span data)
{
    sky_enos__reply_saying(request, code, sky_span_str(sky_enos__code_text(code)), data);
}

void sky_enos__succeed(const struct sky_enos_request *request)
{
    sky_enos__reply(request, SKY_ENOS_CODE_OK, SKY_SPAN("{}"));
}

/* SDKs read both lists of a batch login's answer, whatever came of it. */
sky_span sky_enos__nothing(const struct sky_enos_request *request)
{
    return sky_span_ends(request->uplink->topic, SKY_SPAN("/combine/login/batch"))
               ? SKY_SPAN("{\"loginedSubDevices\":[],\"failedSubDevices\":[]}")
               : SKY_SPAN("{}");
}

void sky_enos__fail(const struct sky_enos_request *request, enum sky_enos_code code)
{
    sky_enos__reply(request, code, sky_enos__nothing(request));
}

enum sky_enos_code sky_enos__judge_message(struct sky_enos_request *request)
{
    const struct sky_envelope *envelope = &request->envelope;
    sky_span topic = request->uplink->topic;
    bool fits = envelope->fault != SKY_ENVELOPE_LARGE;
    sky_judge_rule(request->judge,
                   sky_cloud_limit_rule(request->uplink->cloud, SKY_LIMIT_PAYLOAD_SIZE), fits,
                   "%zu bytes on %.*s", request->uplink->payload.len, SKY_SPAN_ARGS(topic));
    if (!fits)
        return SKY_ENOS_CODE_TOO_LARGE;
    bool empty = envelope->fault == SKY_ENVELOPE_EMPTY;
    bool sound = envelope->fault == SKY_ENVELOPE_SOUND;
    sky_judge_rule(request->judge, ENOS_RULE(PAYLOAD_JSON), sound, "%.*s: %s", SKY_SPAN_ARGS(topic),
                   empty ? "the payload is empty" : envelope->why.reason);
    return sound ? SKY_ENOS_CODE_OK : empty ? SKY_ENOS_CODE_EMPTY : SKY_ENOS_CODE_NOT_JSON;
}

static void judge_version(struct sky_enos_request *request)
{
    sky_span version = request->envelope.version;
    bool known = sky_span_eq_str(version, "\"1.0\"") || sky_span_eq_str(version, "\"1.1\"");
    sky_judge_rule(request->judge, ENOS_RULE(VERSION), known, "version is %.*s",
                   SKY_SPAN_ARGS(version.len > 0 ? version : SKY_SPAN("absent")));
}

void sky_enos__begin(struct sky_enos_request *request, const struct sky_uplink *uplink,
                     const struct sky_facts *facts, struct sky_judge *judge,
                     struct sky_effects *effects)
{
    *request = (struct sky_enos_request){
        .uplink = uplink, .facts = facts, .judge = judge, .effects = effects};
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
    sky_span name = sky_json_text(method), tail = sky_envelope_levels(topic, method_level(topic));
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
static bool method_is_taken(const struct sky_enos_request *request)
{
    sky_span method = request->envelope.method, topic = request->uplink->topic;
    bool fits = method.len == 0 || sky_envelope_method_fits(method, topic, method_level(topic));
    bool spelled = !fits && is_sdk_spelling(method, topic);
    sky_judge_rule(request->judge, ENOS_RULE(METHOD_SPELLING), !spelled,
                   "method %.*s was sent to %.*s", SKY_SPAN_ARGS(method), SKY_SPAN_ARGS(topic));
    return !sky_judge_rule(request->judge, ENOS_RULE(METHOD_TOPIC), fits || spelled,
                           "method %.*s was sent to %.*s", SKY_SPAN_ARGS(method),
                           SKY_SPAN_ARGS(topic));
}

/* The page on events calls `method` optional, so only a wrong one counts. */
bool sky_enos__open(struct sky_enos_request *request, const struct sky_uplink *uplink,
                    const struct sky_facts *facts, struct sky_judge *judge,
                    struct sky_effects *effects)
{
    sky_enos__begin(request, uplink, facts, judge, effects);
    enum sky_enos_code code = sky_enos__judge_message(request);
    if (code != SKY_ENOS_CODE_OK) {
        sky_enos__fail(request, code);
        return false;
    }
    judge_version(request);
    sky_judge_kept(judge, ENOS_RULE(SERVICE_UNKNOWN));
    if (method_is_taken(request))
        return true;
    sky_enos__fail(request, SKY_ENOS_CODE_METHOD);
    return false;
}

bool sky_enos__refused_data(struct sky_enos_request *request, enum sky_enos_code code)
{
    bool kept = code == SKY_ENOS_CODE_OK;
    const struct sky_rule *rule =
        code == SKY_ENOS_CODE_NO_SUB_DEVICE ? ENOS_RULE(TOPIC_ACL) : ENOS_RULE(PARAMS);
    sky_judge_rule(request->judge, rule, kept, "%.*s: code %d, %s",
                   SKY_SPAN_ARGS(request->uplink->topic), (int)code, sky_enos__code_text(code));
    if (!kept)
        sky_enos__fail(request, code);
    return !kept;
}

void sky_enos__open_values(struct sky_enos_request *request)
{
    sky_latest_open(&request->latest, request->facts->document, &request->effects->arena);
}

void sky_enos__save_values(struct sky_enos_request *request, const struct sky_service *service)
{
    sky_latest_save(&request->latest, request->facts, service->document, request->effects);
    sky_latest_close(&request->latest);
}
