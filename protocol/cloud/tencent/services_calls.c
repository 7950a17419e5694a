/* What goes down as bytes: remote calls with their answers, broadcasts, raw messages. */
#include "protocol/cloud/tencent/services.h"
#include "protocol/mqtt/topic.h"

enum { RPC_ID_LEVEL = 4 };

static void handle_rpc_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts, (void)judge;
    sky_envelope_answer(effects, uplink, sky_topic_level(uplink->topic, RPC_ID_LEVEL),
                        sky_arena_printf(&effects->arena, "$rrpc/rxd/%.*s/%.*s/+",
                                         SKY_SPAN_ARGS(uplink->product),
                                         SKY_SPAN_ARGS(uplink->device)));
}

const struct sky_service sky_tencent_rpc_answer = {.name = "rpc-answer",
                                                   .handle = handle_rpc_answer};

/* With QoS 0 nothing of it is kept for a device that is away. */
static sky_span push_bytes(const struct sky_command_request *request, sky_span topic,
                           struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic, sky_arena_copy(arena, request->params), 0);
    return sky_arena_copy(arena, request->id);
}

/* The command's id is the process id. All have the same number of digits, which the C SDK needs: it
 * copies an id over the one before and leaves what was longer. */
sky_span sky_tencent__build_rpc(const struct sky_uplink *to,
                                const struct sky_command_request *request,
                                struct sky_effects *effects)
{
    return push_bytes(request,
                      sky_arena_printf(&effects->arena, "$rrpc/rxd/%.*s/%.*s/%.*s",
                                       SKY_SPAN_ARGS(to->product), SKY_SPAN_ARGS(to->device),
                                       SKY_SPAN_ARGS(request->id)),
                      effects);
}

/* Only those who are online get one ("广播通信"). */
sky_span sky_tencent__build_broadcast(const struct sky_uplink *to,
                                      const struct sky_command_request *request,
                                      struct sky_effects *effects)
{
    return push_bytes(request, sky_tencent__topic(to, "$broadcast/rxd", &effects->arena), effects);
}

sky_span sky_tencent__build_raw(const struct sky_uplink *to,
                                const struct sky_command_request *request,
                                struct sky_effects *effects)
{
    return push_bytes(request, sky_tencent__topic(to, "$thing/down/raw", &effects->arena), effects);
}
