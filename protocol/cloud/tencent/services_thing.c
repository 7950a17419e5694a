#include "protocol/cloud/tencent/services_thing.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/rules.h"

enum { DAY_MS = 24 * 3600 * 1000 };

bool sky_tencent__thing_bad(struct sky_tencent_thing *thing, enum sky_tencent_thing_code code,
                            const struct sky_rule *rule, bool kept, const char *fmt, ...)
{
    char reason[SKY_WHY_REASON_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    sky_judge_rule(thing->judge, rule, kept, "%.*s: %s", SKY_SPAN_ARGS(thing->uplink->topic),
                   reason);
    if (!kept && thing->code == SKY_TENCENT_THING_OK) {
        thing->code = code;
        snprintf(thing->status, sizeof thing->status, "%s", reason);
    }
    return !kept;
}

bool sky_tencent__thing_late(struct sky_tencent_thing *thing, sky_span timestamp)
{
    double sent = sky_json_number(timestamp), now = (double)thing->facts->now_ms;
    bool number = sky_json_is_number(timestamp);
    bool near = number && (sent == 0 || (sent > now - DAY_MS && sent < now + DAY_MS));
    return sky_tencent__thing_bad(
        thing, SKY_TENCENT_THING_TIME, TEN_RULE(THING_TIME), timestamp.len == 0 || near,
        "timestamp %.*s is not within a day of %.0f",
        SKY_SPAN_ARGS(sky_span_head(timestamp, SKY_JSON_NUMBER_MAX)), now);
}

bool sky_tencent__thing_misfit(struct sky_tencent_thing *thing, sky_span params)
{
    struct sky_json_member member = {0};
    sky_span rest = sky_json_inside(params);
    bool object = sky_json_is_object(params), sound = object;
    while (sound && sky_json_next_member(&rest, &member))
        sound = !sky_json_is_null(member.value);
    return sky_tencent__thing_bad(thing, SKY_TENCENT_THING_VALUE, TEN_RULE(THING_VALUE), sound,
                                  object ? "%.*s is null" : "%.*sparams is not an object",
                                  SKY_SPAN_ARGS(object ? member.key : SKY_SPAN_NONE));
}

bool sky_tencent__thing_unfit(struct sky_tencent_thing *thing, enum sky_model_part part,
                              sky_span id, sky_span params)
{
    const struct sky_model_ask ask = {thing->facts->model, thing->text, thing->judge};
    struct sky_model_fault fault;
    if (sky_model_takes(&ask, part, id, params, 0, &fault))
        return false;
    thing->code = fault.code;
    sky_model_say(&fault, thing->status, sizeof thing->status);
    return true;
}

void sky_tencent__thing_reply(struct sky_tencent_thing *thing, const char *method, sky_span more)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "method", method);
    if (thing->token.len > 0) {
        sky_jw_key(&jw, "clientToken");
        sky_jw_raw(&jw, thing->token);
    }
    sky_jw_put_int(&jw, "code", thing->code);
    sky_jw_put_str(&jw, "status", thing->code == SKY_TENCENT_THING_OK ? "success" : thing->status);
    if (more.len > 0) {
        sky_buf_add_byte(&out, ',');
        sky_buf_add(&out, more);
    }
    sky_jw_end_object(&jw);
    sky_envelope_reply(thing->effects, thing->uplink,
                       sky_tencent__topic(thing->uplink, thing->down, &thing->effects->arena),
                       &out);
}

void sky_tencent__thing_answer(struct sky_tencent_thing *thing)
{
    sky_envelope_answer(thing->effects, thing->uplink, sky_json_text(thing->token),
                        sky_tencent__topic(thing->uplink, thing->down, &thing->effects->arena));
}

/* False when it is no message: then nothing in it can be read, and whoever sent it cannot tell what
 * the answer belongs to. */
static bool open_message(struct sky_tencent_thing *thing)
{
    struct sky_envelope envelope;
    sky_envelope_open(&envelope, thing->uplink->payload, SKY_TENCENT_MESSAGE_MAX);
    sky_judge_kept(thing->judge, TEN_RULE(SERVICE_UNKNOWN));
    bool sound = envelope.fault == SKY_ENVELOPE_SOUND;
    const char *reason = envelope.fault == SKY_ENVELOPE_EMPTY   ? "the payload is empty"
                         : envelope.fault == SKY_ENVELOPE_LARGE ? "the payload is longer than 16 KB"
                                                                : envelope.why.reason;
    if (sky_tencent__thing_bad(thing, SKY_TENCENT_THING_NOT_JSON, TEN_RULE(THING_JSON), sound, "%s",
                               reason))
        return false;
    thing->text = envelope.text;
    if (thing->method.len == 0)
        thing->method = sky_json_text(envelope.method);
    thing->params = envelope.params;
    thing->token = sky_envelope_echoable(sky_json_member(envelope.text, "clientToken"));
    return true;
}

static const struct sky_tencent_method *find_method(const struct sky_tencent_thing *thing,
                                                    const struct sky_tencent_method *methods,
                                                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sky_json_reads(thing->method, methods[i].name))
            return &methods[i];
    return NULL;
}

void sky_tencent__thing(struct sky_tencent_thing *thing, const struct sky_tencent_method *methods,
                        size_t count)
{
    const struct sky_tencent_method *method = NULL;
    const char *reply = thing->reply_to;
    if (open_message(thing)) {
        method = find_method(thing, methods, count);
        sky_tencent__thing_bad(thing, SKY_TENCENT_THING_UNKNOWN, TEN_RULE(THING_METHOD),
                               method != NULL, "method '%.*s' is none of this topic",
                               SKY_SPAN_ARGS(sky_span_head(thing->method, SKY_ENVELOPE_NAME_MAX)));
    }
    if (method != NULL) {
        reply = method->reply;
        sky_judge_rule(thing->judge, TEN_RULE(THING_TOKEN), thing->token.len > 0,
                       "%.*s: %s has no clientToken", SKY_SPAN_ARGS(thing->uplink->topic),
                       method->name);
        method->run(thing);
    }
    const struct sky_effects *effects = thing->effects;
    bool answered = false;
    for (size_t i = 0; i < effects->count; i++)
        answered |= effects->list[i].kind == SKY_EFFECT_REPLY;
    if (reply != NULL && !answered)
        sky_tencent__thing_reply(thing, reply, SKY_SPAN_NONE);
}
