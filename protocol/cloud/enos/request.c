#include "protocol/cloud/enos/request.h"

#include "protocol/cloud/enos/limits.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/mqtt/topic.h"

static const struct {
    enum sky_enos_code code;
    uint8_t coap_code;
    const char *text;
} texts[] = {
    {SKY_ENOS_CODE_TOO_LARGE, SKY_COAP_TOO_LARGE, "Msg size is too large, discard the message"},
    {SKY_ENOS_CODE_NO_RIGHT, SKY_COAP_FORBIDDEN, "Publish to topic with no write permission"},
    {SKY_ENOS_CODE_MODEL, SKY_COAP_BAD_REQUEST, "Model validate failed"},
    {SKY_ENOS_CODE_POINT_FORMAT, SKY_COAP_BAD_REQUEST, "Measurepoint post data format error"},
    {SKY_ENOS_CODE_UPDATE_FORMAT, SKY_COAP_BAD_REQUEST, "Attribute update data format error"},
    {SKY_ENOS_CODE_QUERY_FORMAT, SKY_COAP_BAD_REQUEST, "Attribute query data format error"},
    {SKY_ENOS_CODE_DELETE_FORMAT, SKY_COAP_BAD_REQUEST, "Attribute delete data format error"},
    {SKY_ENOS_CODE_NO_SUB_DEVICE, SKY_COAP_FORBIDDEN, "No sub-device permission"},
    {SKY_ENOS_CODE_NOT_JSON, SKY_COAP_BAD_REQUEST, "Payload format error"},
    {SKY_ENOS_CODE_EMPTY, SKY_COAP_BAD_REQUEST, "Payload is empty"},
    {SKY_ENOS_CODE_METHOD, SKY_COAP_BAD_REQUEST, "Methods not consistent"},
};

enum { EVENT_ID_LEVEL = 6 }; /* of /sys/{product}/{device}/thing/event/{id}/... */

static const char *code_text(enum sky_enos_code code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "";
}

/* CoAP's answers have a code in place of a body when something is wrong. */
static uint8_t coap_code(enum sky_enos_code code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return texts[i].coap_code;
    return 0;
}

/* The vendor's key order; `data` is a JSON object. */
void sky_enos__reply(const struct sky_enos_request *request, enum sky_enos_code code, sky_span data)
{
    const struct sky_uplink *uplink = request->uplink;
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_add_byte(&out, '{');
    if (request->envelope.id.len > 0)
        sky_buf_addf(&out, "\"id\":%.*s,", SKY_SPAN_ARGS(request->envelope.id));
    sky_buf_addf(&out, "\"code\":%d,", (int)code);
    if (code != SKY_ENOS_CODE_OK)
        sky_buf_addf(&out, "\"message\":\"%s\",", code_text(code));
    sky_buf_addf(&out, "\"data\":%.*s}", SKY_SPAN_ARGS(data));
    sky_envelope_reply(request->effects, uplink,
                       sky_envelope_reply_topic(&request->effects->arena, uplink->topic), &out);
    request->effects->list[request->effects->count - 1].coap_code = coap_code(code);
}

void sky_enos__succeed(const struct sky_enos_request *request)
{
    sky_enos__reply(request, SKY_ENOS_CODE_OK, SKY_SPAN("{}"));
}

void sky_enos__fail(const struct sky_enos_request *request, enum sky_enos_code code)
{
    sky_enos__reply(request, code, SKY_SPAN("{}"));
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
    sky_span name = sky_json_text(method), tail = sky_envelope_levels(topic, SKY_ENOS_SYS_LEVEL);
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
    bool fits = method.len == 0 || sky_envelope_method_fits(method, topic, SKY_ENOS_SYS_LEVEL);
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
                   SKY_SPAN_ARGS(request->uplink->topic), (int)code, code_text(code));
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
