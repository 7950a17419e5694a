/* The remote configuration of a product ("远程配置"), under the current topics and those that older
 * SDKs have. One of them asks on the old and listens on the current, so that every answer goes to
 * both: a device gets what it subscribed to. */
#include "protocol/base/json_view.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/cloud/tencent/services.h"

enum { CONFIG_MAX = 128 * 1024 }; /* bytes; 远程配置 / 使用限制 */

enum result { RESULT_OK = 0, RESULT_DISABLED = 1001, RESULT_EMPTY = 1002, RESULT_ILLEGAL = 1003 };

/* What becomes of a product's text. Without one it never was switched on. */
static enum result result_of(sky_span config)
{
    if (config.len == 0)
        return RESULT_DISABLED;
    if (sky_json_is_null(config) || sky_span_eq_str(config, "{}"))
        return RESULT_EMPTY;
    return sky_json_is_object(config) && config.len <= CONFIG_MAX ? RESULT_OK : RESULT_ILLEGAL;
}

/* The payload is the object itself, which C's SDK hands on as text; without one it is empty. */
static sky_span message(const char *type, enum result result, sky_span config,
                        struct sky_arena *arena)
{
    if (result != RESULT_OK)
        config = SKY_SPAN("{}");
    return sky_arena_printf(arena, "{\"type\":\"%s\",\"result\":%d,\"payload\":%.*s}", type,
                            (int)result, SKY_SPAN_ARGS(config));
}

static void handle_config(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_arena *arena = &effects->arena;
    if (!sky_tencent__open(uplink, "get", judge, &envelope))
        return;
    sky_span config = sky_json_compact(arena, sky_span_trim(facts->config));
    sky_span body = message("reply", result_of(config), config, arena);
    uint8_t qos = uplink->qos > 0;
    sky_effects_message(effects, SKY_EFFECT_REPLY,
                        sky_tencent_result_topic(uplink, "config", arena), body, qos);
    sky_effects_message(effects, SKY_EFFECT_REPLY,
                        sky_tencent__topic(uplink, "$config/update", arena), body, qos);
}

const struct sky_service sky_tencent_config = {
    .name = "config", .reads = SKY_READS_CONFIG, .handle = handle_config};

/* The product's configuration, or the one that the parameters give. No queue is known: only a
 * device that is online gets it. */
sky_span sky_tencent__build_config(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    sky_span config = request->params.len > 0
                          ? sky_envelope_params(arena, request->params)
                          : sky_json_compact(arena, sky_span_trim(request->facts->config));
    enum result result = result_of(config);
    if (result != RESULT_OK && (config.len > 0 || request->params.len == 0))
        (void)sky_why_set(
            request->why, SKY_ERR_INVALID, "/params", "%s",
            result == RESULT_DISABLED ? "the product has no configuration; PUT .../config sets one"
            : result == RESULT_EMPTY  ? "the configuration is empty"
                                      : "the configuration is no object, or longer than 128 KB");
    if (result != RESULT_OK)
        return SKY_SPAN_NONE;
    sky_span body = message("push", RESULT_OK, config, arena);
    sky_effects_message(effects, SKY_EFFECT_PUSH, sky_tencent_result_topic(to, "config", arena),
                        body, 0);
    sky_effects_message(effects, SKY_EFFECT_PUSH, sky_tencent__topic(to, "$config/update", arena),
                        body, 0);
    return sky_arena_copy(arena, request->id);
}
