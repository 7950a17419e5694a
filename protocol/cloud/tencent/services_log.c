/* The level of the device's own log, as the console sets it. */
#include <inttypes.h>

#include "protocol/base/json_view.h"
#include "protocol/cloud/tencent/services.h"

static bool read_level(sky_span object, int64_t *ret_level)
{
    int64_t level;
    if (!sky_span_to_int(sky_json_member(object, "log_level"), &level) ||
        level > SKY_TENCENT_LOG_LEVEL_MAX)
        return false;
    *ret_level = level;
    return true;
}

/* In the order that the real cloud has, where the level stands within the 127 bytes that the C SDK
 * reads. */
static sky_span message(int64_t level, sky_span token, const struct sky_facts *facts,
                        struct sky_arena *arena)
{
    return sky_arena_printf(arena,
                            "{%s%.*s%s\"log_level\":%" PRId64 ",\"result\":0,\"timestamp\":%" PRId64
                            ",\"type\":\"get_log_level\"}",
                            token.len > 0 ? "\"clientToken\":" : "", SKY_SPAN_ARGS(token),
                            token.len > 0 ? "," : "", level, facts->now_ms / 1000);
}

static void handle_log(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_arena *arena = &effects->arena;
    int64_t level = 0; /* off until somebody sets it */
    if (!sky_tencent__open(uplink, "get_log_level", judge, &envelope))
        return;
    (void)read_level(facts->document, &level);
    sky_span token = sky_envelope_echoable(sky_json_member(envelope.text, "clientToken"));
    sky_effects_message(effects, SKY_EFFECT_REPLY, sky_tencent_result_topic(uplink, "log", arena),
                        message(level, token, facts, arena), uplink->qos > 0 ? 1 : 0);
}

const struct sky_service sky_tencent_log = {
    .name = "log-level", .document = "log", .handle = handle_log};

/* Told unasked, the device takes the level over; one that is away asks for it when it is back. */
sky_span sky_tencent__build_log_level(const struct sky_uplink *to,
                                      const struct sky_command_request *request,
                                      struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    struct sky_buf out;
    int64_t level;
    if (!read_level(sky_envelope_params(arena, request->params), &level))
        return SKY_SPAN_NONE;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_addf(&out, "{\"log_level\":%" PRId64 "}", level);
    sky_envelope_store(effects, request->facts, sky_tencent_log.document, &out);
    sky_span token = sky_arena_printf(arena, "\"%.*s\"", SKY_SPAN_ARGS(request->id));
    sky_effects_message(effects, SKY_EFFECT_PUSH, sky_tencent_result_topic(to, "log", arena),
                        message(level, token, request->facts, arena), 0);
    return sky_arena_copy(arena, request->id);
}
