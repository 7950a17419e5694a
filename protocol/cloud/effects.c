#include "protocol/cloud/effects.h"

#include "protocol/base/assert.h"

void sky_effects_init(struct sky_effects *effects)
{
    sky_arena_init_in(&effects->arena, effects->room, sizeof effects->room);
    effects->count = 0;
}

void sky_effects_done(struct sky_effects *effects)
{
    sky_arena_done(&effects->arena);
    effects->count = 0;
}

void sky_effects_clear(struct sky_effects *effects)
{
    sky_arena_clear(&effects->arena);
    effects->count = 0;
}

struct sky_effect *sky_effects_add(struct sky_effects *effects, enum sky_effect_kind kind)
{
    SKY_ASSERT(effects->count < SKY_EFFECTS_MAX);
    struct sky_effect *effect = &effects->list[effects->count++];
    *effect = (struct sky_effect){.kind = kind};
    return effect;
}

void sky_effects_online(struct sky_effects *effects, const struct sky_device *device)
{
    if (device->state == SKY_DEVICE_INACTIVE)
        sky_effects_add(effects, SKY_EFFECT_ONLINE);
}

void sky_effects_message(struct sky_effects *effects, enum sky_effect_kind kind, sky_span topic,
                         sky_span payload, uint8_t qos)
{
    struct sky_effect *effect = sky_effects_add(effects, kind);
    effect->topic = topic;
    effect->payload = payload;
    effect->qos = qos;
}
