#include "protocol/cloud/envelope.h"

#include "protocol/base/assert.h"
#include "protocol/base/json_view.h"
#include "protocol/mqtt/topic.h"

sky_span sky_envelope_echoable(sky_span id)
{
    bool fits = id.len <= SKY_ENVELOPE_ID_MAX;
    return fits && (sky_json_is_string(id) || sky_json_is_number(id)) ? id : SKY_SPAN_NONE;
}

static bool says_something(sky_span method)
{
    return !sky_json_is_null(method) && !sky_span_eq_str(method, "\"\"");
}

/* In one pass, as params may be long. */
static void read_members(struct sky_envelope *envelope)
{
    struct sky_json_member member;
    sky_span rest = sky_json_inside(envelope->text);
    while (sky_json_next_member(&rest, &member)) {
        if (sky_json_reads(member.key, "id"))
            envelope->id = sky_envelope_echoable(member.value);
        else if (sky_json_reads(member.key, "version"))
            envelope->version = member.value;
        else if (sky_json_reads(member.key, "method"))
            envelope->method = says_something(member.value) ? member.value : SKY_SPAN_NONE;
        else if (sky_json_reads(member.key, "params"))
            envelope->params = member.value;
    }
}

void sky_envelope_open(struct sky_envelope *ret_envelope, sky_span payload, size_t payload_max)
{
    *ret_envelope = (struct sky_envelope){0};
    if (payload.len == 0) {
        ret_envelope->fault = SKY_ENVELOPE_EMPTY;
    } else if (payload.len > payload_max) {
        ret_envelope->fault = SKY_ENVELOPE_LARGE;
    } else if (sky_json_check(payload, SKY_ENVELOPE_DEPTH_MAX, &ret_envelope->why) != SKY_OK) {
        ret_envelope->fault = SKY_ENVELOPE_BROKEN;
    } else if (!sky_json_is_object(sky_span_trim(payload))) {
        ret_envelope->fault = SKY_ENVELOPE_BROKEN;
        (void)sky_why_set(&ret_envelope->why, SKY_ERR_INVALID, "", "the message is not an object");
    } else {
        ret_envelope->text = sky_span_trim(payload);
        read_members(ret_envelope);
    }
}

sky_span sky_envelope_levels(sky_span topic, size_t first)
{
    sky_span level;
    for (; first > 0; first--)
        if (!sky_span_next(&topic, '/', &level))
            return SKY_SPAN_NONE;
    return topic;
}

bool sky_envelope_method_fits(sky_span method, sky_span topic, size_t first)
{
    sky_span name = sky_json_text(method), levels = sky_envelope_levels(topic, first);
    if (!sky_json_is_string(method) || name.len != levels.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != (levels.ptr[i] == '/' ? '.' : levels.ptr[i]))
            return false;
    return true;
}

sky_span sky_envelope_reply_topic(struct sky_arena *arena, sky_span topic)
{
    return sky_arena_printf(arena, "%.*s_reply", SKY_SPAN_ARGS(topic));
}

bool sky_envelope_is_reply(sky_span topic)
{
    return sky_span_ends(topic, SKY_SPAN("_reply"));
}

sky_span sky_envelope_keep(struct sky_arena *arena, struct sky_buf *out)
{
    SKY_ASSERT(!out->overflow);
    sky_span kept = sky_arena_copy(arena, sky_buf_span(out));
    sky_buf_done(out);
    return kept;
}

sky_span sky_envelope_behind(struct sky_effects *effects, const struct sky_uplink *uplink,
                             const struct sky_facts *facts)
{
    const struct sky_vocabulary *words = &uplink->cloud->words;
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_jw_array(&jw);
    for (size_t i = 0; i < facts->behind_count; i++) {
        sky_jw_object(&jw);
        sky_jw_put_span(&jw, words->device_key, facts->behind[i].device);
        sky_jw_put_span(&jw, words->product_key, facts->behind[i].product);
        sky_jw_end_object(&jw);
    }
    sky_jw_end_array(&jw);
    return sky_envelope_keep(&effects->arena, &out);
}

void sky_envelope_reply(struct sky_effects *effects, const struct sky_uplink *uplink,
                        sky_span topic, struct sky_buf *out)
{
    sky_span body = sky_envelope_keep(&effects->arena, out);
    sky_effects_message(effects, SKY_EFFECT_REPLY, topic, body, uplink->qos > 0 ? 1 : 0);
}

void sky_envelope_store(struct sky_effects *effects, const struct sky_facts *facts,
                        const char *name, struct sky_buf *out)
{
    struct sky_effect *effect = sky_effects_add(effects, SKY_EFFECT_PUT_DOCUMENT);
    effect->name = sky_span_str(name);
    effect->payload = sky_envelope_keep(&effects->arena, out);
    effect->version = facts->document_version + 1;
}

sky_span sky_envelope_asked_topic(struct sky_arena *arena, sky_span topic)
{
    return sky_arena_copy(arena, sky_span_head(topic, topic.len - strlen("_reply")));
}

void sky_envelope_answer(struct sky_effects *effects, const struct sky_uplink *uplink, sky_span id,
                         sky_span answers)
{
    struct sky_effect *effect = sky_effects_add(effects, SKY_EFFECT_ANSWER);
    effect->topic = sky_arena_copy(&effects->arena, uplink->topic);
    effect->name = sky_arena_copy(&effects->arena, id);
    effect->answers = answers;
    effect->payload = sky_arena_copy(&effects->arena, uplink->payload);
}

void sky_envelope_note(struct sky_effects *effects, const char *what, sky_span details)
{
    struct sky_effect *effect = sky_effects_add(effects, SKY_EFFECT_NOTE);
    effect->name = sky_span_str(what);
    effect->payload = sky_arena_copy(&effects->arena, details);
}

sky_span sky_envelope_params(struct sky_arena *arena, sky_span params)
{
    if (sky_span_trim(params).len == 0)
        return SKY_SPAN("{}");
    if (params.len > SKY_ENVELOPE_PARAMS_MAX ||
        sky_json_check(params, SKY_ENVELOPE_DEPTH_MAX, NULL) != SKY_OK)
        return SKY_SPAN_NONE;
    return sky_json_compact(arena, sky_span_trim(params));
}

bool sky_envelope_is_level(sky_span name)
{
    return name.len <= SKY_ENVELOPE_NAME_MAX && sky_topic_valid_name(name) &&
           !sky_span_contains(name, SKY_SPAN("/"));
}
