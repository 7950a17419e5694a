#include "protocol/cloud/aliyun/request.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { THING_LEVEL = 4, COMBINE_LEVEL = 5 };

/* What each code says, and the rule that a request usually breaks which is answered with it. */
static const struct code_row {
    enum sky_aliyun_code code;
    const char *message;
    const struct sky_rule *rule;
} codes[] = {
    {SKY_ALIYUN_OK, "success", NULL}, /* to the letter: the C SDK compares it */
    {SKY_ALIYUN_NO_BLOCK, "no such block", NULL},
    {SKY_ALIYUN_NOT_AUTHORIZED, "request auth error", NULL},
    {SKY_ALIYUN_NOT_FOUND, "not found", NULL},
    {SKY_ALIYUN_OUSTED, "device connected elsewhere", NULL},
    {SKY_ALIYUN_ONLINE_MANY, "too many sub-devices under gateway", NULL},
    {SKY_ALIYUN_TOO_FAST, "rate limit", NULL},
    {SKY_ALIYUN_PARAMETER, "request parameter error", ALI_RULE(PARAMS)},
    {SKY_ALIYUN_NO_SESSION, "device session error", NULL},
    {SKY_ALIYUN_DELETED, "device deleted", NULL},
    {SKY_ALIYUN_DISABLED, "device forbidden", NULL},
    {SKY_ALIYUN_PRODUCT_QUERY, "query product info failed", NULL},
    {SKY_ALIYUN_NO_MODEL, "query tsl failed", NULL},
    {SKY_ALIYUN_NO_DEVICE, "device not found", NULL},
    {SKY_ALIYUN_DEVICE_DISABLED, "device forbidden", NULL},
    {SKY_ALIYUN_NO_PRODUCT, "product does not exist", NULL},
    {SKY_ALIYUN_DEVICE_NAME, "device name is invalid", NULL},
    {SKY_ALIYUN_SUB_SIGNATURE, "sign check failed", NULL},
    {SKY_ALIYUN_NO_REGISTRATION, "dynamic register is off", NULL},
    {SKY_ALIYUN_BOUND_MANY, "too many sub-devices", NULL},
    {SKY_ALIYUN_SELF, "gateway can not add itself", NULL},
    {SKY_ALIYUN_BOUND_ELSEWHERE, "device is bound to another gateway", NULL},
    {SKY_ALIYUN_NO_CONFIG, "no config", NULL},
    {SKY_ALIYUN_NOT_JSON, "payload is not json", ALI_RULE(PAYLOAD_JSON)},
    {SKY_ALIYUN_DESIRED_MANY, "too many desired properties", NULL},
    {SKY_ALIYUN_PROPERTIES_MANY, "too many properties", NULL},
    {SKY_ALIYUN_EVENTS_MANY, "too many events", NULL},
    {SKY_ALIYUN_SUB_DEVICES_MANY, "too many sub-devices", NULL},
    {SKY_ALIYUN_NO_RELATION, "topological relation does not exist", ALI_RULE(SUB_DEVICE)},
};

/* The model's validator has more codes (63xx); one text does for them. */
static const struct code_row *find_code(enum sky_aliyun_code code)
{
    static const struct code_row model = {SKY_ALIYUN_OK, "tsl parse error", ALI_RULE(MODEL)};
    for (size_t i = 0; i < SKY_COUNT(codes); i++)
        if (codes[i].code == code)
            return &codes[i];
    return &model;
}

const char *sky_aliyun__message_of(enum sky_aliyun_code code)
{
    return find_code(code)->message;
}

/* `thing.event.property.post`, from /sys/{product}/{device}/thing/event/property/post, and
 * `combine.login`, from /ext/session/{product}/{device}/combine/login. */
static void write_method(struct sky_jw *jw, sky_span levels)
{
    struct sky_buf name;
    sky_span level, rest = levels;
    const char *before = "";
    sky_buf_init(&name, levels.len + 1);
    while (sky_span_next(&rest, '/', &level)) {
        sky_buf_add_str(&name, before);
        sky_buf_add(&name, level);
        before = ".";
    }
    sky_jw_str(jw, sky_buf_span(&name));
    sky_buf_done(&name);
}

static sky_span service_levels(sky_span topic)
{
    bool session = sky_span_starts(topic, SKY_SPAN("/ext/session/"));
    return sky_envelope_levels(topic, session ? COMBINE_LEVEL : THING_LEVEL);
}

/* The C SDK's buffer has this size, and it loses what is longer without a word. */
static void note_long(struct sky_effects *effects, sky_span topic, size_t len)
{
    if (len > SKY_ALIYUN_SDK_BUFFER)
        sky_envelope_note(effects, "longer-than-sdk-buffer", topic);
}

/* All six members, in the order of the cloud's own answers: each of them is demanded by some SDK
 * (Python reads `message` and `id`, C wants `data`), and C takes an id only as a string. */
void sky_aliyun__reply(const struct sky_aliyun_request *request, enum sky_aliyun_code code,
                       sky_span data)
{
    struct sky_buf out;
    sky_span topic = request->uplink->topic;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_addf(&out, "{\"code\":%d,\"data\":", (int)code);
    sky_buf_add(&out, data);
    sky_buf_add_str(&out, ",\"id\":\"");
    sky_buf_add(&out, sky_json_text(request->envelope.id));
    sky_buf_addf(&out, "\",\"message\":\"%s\",\"method\":", sky_aliyun__message_of(code));
    struct sky_jw jw = sky_jw(&out);
    write_method(&jw, service_levels(topic));
    sky_buf_add_str(&out, ",\"version\":\"1.0\"}");
    note_long(request->effects, topic, out.len);
    sky_envelope_reply(request->effects, request->uplink,
                       sky_envelope_reply_topic(&request->effects->arena, topic), &out);
}

/* {"sys":{"ack":0}}: the device asks for no answer (help page 89304). */
static bool wants_no_answer(const struct sky_envelope *envelope)
{
    return sky_span_eq_str(sky_json_member(sky_json_member(envelope->text, "sys"), "ack"), "0");
}

void sky_aliyun__succeed(const struct sky_aliyun_request *request, sky_span data)
{
    sky_judge_kept(request->judge, ALI_RULE(PARAMS));
    sky_judge_kept(request->judge, ALI_RULE(SERVICE_UNKNOWN));
    if (!wants_no_answer(&request->envelope))
        sky_aliyun__reply(request, SKY_ALIYUN_OK, data);
}

bool sky_aliyun__refused(const struct sky_aliyun_request *request, struct sky_aliyun_fault fault)
{
    if (fault.code == SKY_ALIYUN_OK)
        return false;
    if (fault.what != NULL) {
        const struct sky_rule *rule = fault.rule != NULL ? fault.rule : find_code(fault.code)->rule;
        SKY_ASSERT(rule != NULL);
        sky_judge_broken(request->judge, rule, "%.*s: %s", SKY_SPAN_ARGS(request->uplink->topic),
                         fault.what);
    }
    sky_aliyun__reply(request, fault.code, request->error_data);
    return true;
}

bool sky_aliyun__open(struct sky_aliyun_request *request, const struct sky_uplink *uplink,
                      const struct sky_facts *facts, struct sky_judge *judge,
                      struct sky_effects *effects)
{
    *request = (struct sky_aliyun_request){.uplink = uplink,
                                           .facts = facts,
                                           .judge = judge,
                                           .effects = effects,
                                           .error_data = SKY_SPAN("{}")};
    const struct sky_envelope *envelope = &request->envelope;
    sky_envelope_open(&request->envelope, uplink->payload, SKY_ALIYUN_MESSAGE_MAX);
    bool sound = envelope->fault == SKY_ENVELOPE_SOUND;
    const char *reason = envelope->fault == SKY_ENVELOPE_EMPTY ? "the payload is empty"
                         : envelope->fault == SKY_ENVELOPE_LARGE
                             ? "the payload is longer than 256 KB"
                             : envelope->why.reason;
    sky_judge_rule(judge, ALI_RULE(PAYLOAD_JSON), sound, "%.*s: %s", SKY_SPAN_ARGS(uplink->topic),
                   reason);
    return sound;
}

/* SDKs leave the method out, or empty. */
bool sky_aliyun__begin(struct sky_aliyun_request *request, enum sky_aliyun_code broken,
                       const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    if (!sky_aliyun__open(request, uplink, facts, judge, effects)) {
        sky_aliyun__reply(request, broken, SKY_SPAN("{}"));
        return false;
    }
    sky_span method = request->envelope.method;
    sky_span levels = service_levels(uplink->topic);
    bool fits = method.len == 0 || sky_envelope_method_fits(method, levels, 0);
    if (!sky_judge_rule(judge, ALI_RULE(METHOD_TOPIC), fits, "method %.*s was sent to %.*s",
                        SKY_SPAN_ARGS(method), SKY_SPAN_ARGS(uplink->topic)))
        return true;
    sky_aliyun__reply(request, SKY_ALIYUN_PARAMETER, SKY_SPAN("{}"));
    return false;
}

bool sky_aliyun__read_name(struct sky_arena *arena, sky_span object, struct sky_name *ret_name)
{
    const struct sky_name name = {
        .product = sky_json_string(arena, sky_json_member(object, "productKey")),
        .device = sky_json_string(arena, sky_json_member(object, "deviceName"))};
    if (name.product.len == 0 || name.device.len == 0)
        return false;
    *ret_name = name;
    return true;
}

bool sky_aliyun__is_own(const struct sky_uplink *uplink, const struct sky_name *name)
{
    return sky_span_eq(name->product, uplink->product) && sky_span_eq(name->device, uplink->device);
}

bool sky_aliyun__is_longer(sky_span container, size_t max)
{
    struct sky_json_member member;
    sky_span element, rest = sky_json_inside(container);
    bool array = sky_json_is_array(container);
    size_t count = 0;
    while (count <= max &&
           (array ? sky_json_next_element(&rest, &element) : sky_json_next_member(&rest, &member)))
        count++;
    return count > max;
}

sky_span sky_aliyun__push(const struct sky_uplink *to, sky_span levels, sky_span payload,
                          uint8_t qos, sky_span id, struct sky_effects *effects)
{
    sky_span topic =
        sky_arena_printf(&effects->arena, "/sys/%.*s/%.*s/%.*s", SKY_SPAN_ARGS(to->product),
                         SKY_SPAN_ARGS(to->device), SKY_SPAN_ARGS(levels));
    note_long(effects, topic, payload.len);
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic, payload, qos);
    return sky_arena_copy(&effects->arena, id);
}

sky_span sky_aliyun__message(sky_span levels, sky_span params, sky_span id,
                             struct sky_effects *effects)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_buf_add_str(&out, "{\"method\":");
    write_method(&jw, levels);
    sky_buf_addf(&out, ",\"id\":\"%.*s\",\"params\":", SKY_SPAN_ARGS(id));
    sky_buf_add(&out, params);
    sky_buf_add_str(&out, ",\"version\":\"1.0.0\"}");
    return sky_envelope_keep(&effects->arena, &out);
}

sky_span sky_aliyun__call(const struct sky_uplink *to, sky_span levels, sky_span params,
                          sky_span id, struct sky_effects *effects)
{
    return sky_aliyun__push(to, levels, sky_aliyun__message(levels, params, id, effects), 1, id,
                            effects);
}
