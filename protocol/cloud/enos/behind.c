#include "protocol/cloud/enos/behind.h"

#include "protocol/base/mem.h"
#include "protocol/cloud/enos/limits.h"
#include "protocol/cloud/enos/login.h"
#include "protocol/cloud/enos/rules.h"

enum { REASONS_MAX = 16 * 1024 };

static sky_span key_of(sky_span item, const char *name, struct sky_arena *arena)
{
    return sky_json_string(arena, sky_json_member(item, name));
}

static struct sky_peer peer_of(sky_span item, struct sky_arena *arena)
{
    return (struct sky_peer){.product = key_of(item, "productKey", arena),
                             .device = key_of(item, "deviceKey", arena),
                             .item = item};
}

size_t sky_enos__behind_read(const struct sky_uplink *uplink, struct sky_arena *arena,
                             const char *list, struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    struct sky_envelope envelope;
    size_t count = 0;
    sky_envelope_open(&envelope, uplink->payload, SKY_ENOS_MESSAGE_MAX);
    sky_span items = list != NULL ? sky_json_member(envelope.params, list) : envelope.params;
    if (sky_json_is_object(items))
        ret_peers[count++] = peer_of(items, arena);
    sky_span item, rest = sky_json_is_array(items) ? sky_json_inside(items) : SKY_SPAN_NONE;
    while (count < SKY_PEERS_MAX && sky_json_next_element(&rest, &item))
        ret_peers[count++] = peer_of(item, arena);
    return count;
}

bool sky_enos__behind_is_sound(const struct sky_enos_request *request, sky_span list)
{
    size_t count = 0;
    sky_span item, rest = sky_json_inside(list);
    if (!sky_json_is_array(list))
        return false;
    while (sky_json_next_element(&rest, &item))
        if (++count > SKY_PEERS_MAX)
            return false;
    for (size_t i = 0; i < request->facts->peer_count; i++)
        if (request->facts->peers[i].product.len == 0 || request->facts->peers[i].device.len == 0)
            return false;
    return true;
}

/* No document and no SDK has a gateway over CoAP. */
bool sky_enos__behind_open(struct sky_enos_request *request, const struct sky_uplink *uplink,
                           const struct sky_facts *facts, struct sky_judge *judge,
                           struct sky_effects *effects, enum sky_enos_code code)
{
    if (!sky_enos__open(request, uplink, facts, judge, effects))
        return false;
    if (uplink->transport == SKY_DTLS) {
        sky_enos__fail(request, SKY_ENOS_CODE_NO_RIGHT);
        return false;
    }
    bool gateway = facts->product != NULL && facts->product->node == SKY_NODE_GATEWAY;
    if (!sky_judge_rule(judge, ENOS_RULE(GATEWAY), gateway,
                        "%.*s: product %.*s is not one of gateways (code %d)",
                        SKY_SPAN_ARGS(uplink->topic), SKY_SPAN_ARGS(uplink->product), (int)code))
        return true;
    sky_enos__reply_saying(request, code, SKY_SPAN("The sender is not a gateway"),
                           sky_enos__nothing(request));
    return false;
}

bool sky_enos__behind_judge_sign(const struct sky_enos_request *request, struct sky_peer *peer,
                                 bool right)
{
    struct sky_judge *const judges[] = {request->judge, peer->judge};
    bool refused = false;
    for (size_t i = 0; i < SKY_COUNT(judges); i++)
        refused |= sky_judge_rule(judges[i], ENOS_RULE(SUB_SIGN), right,
                                  "%.*s: the signature of %s is wrong (code 742)",
                                  SKY_SPAN_ARGS(request->uplink->topic), peer->known->key);
    if (right)
        sky_admit_no_mistake(sky_enos__mistakes, SKY_ENOS_MISTAKES, peer->judge);
    else
        peer->cause = SKY_CAUSE_SIGNATURE;
    return refused;
}

struct sky_enos_group sky_enos__group(const struct sky_enos_request *request)
{
    return (struct sky_enos_group){
        .ids = sky_arena_take(&request->effects->arena,
                              (request->facts->peer_count + 1) * sizeof(int64_t))};
}

void sky_enos__group_add(struct sky_enos_group *group, const struct sky_peer *peer)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->ids[i] == peer->known->id)
            return;
    group->ids[group->count++] = peer->known->id;
}

void sky_enos__group_effect(struct sky_effects *effects, enum sky_effect_kind kind,
                            const struct sky_enos_group *group)
{
    if (group->count == 0)
        return;
    struct sky_effect *effect = sky_effects_add(effects, kind);
    effect->devices = group->ids;
    effect->device_count = group->count;
}

void sky_enos__reasons_init(struct sky_enos_reasons *reasons)
{
    sky_buf_init(&reasons->text, REASONS_MAX);
    reasons->code = SKY_ENOS_CODE_OK;
}

void sky_enos__reasons_add(struct sky_enos_reasons *reasons, enum sky_enos_code code,
                           const struct sky_peer *peer, const char *why)
{
    if (reasons->code == SKY_ENOS_CODE_OK)
        reasons->code = code;
    sky_buf_addf(&reasons->text, "%.*s&%.*s:%s;", SKY_SPAN_ARGS(sky_span_head(peer->product, 64)),
                 SKY_SPAN_ARGS(sky_span_head(peer->device, 64)), why);
}

sky_span sky_enos__reasons_done(struct sky_enos_reasons *reasons, struct sky_arena *arena)
{
    sky_span text = sky_arena_copy(arena, sky_buf_span(&reasons->text));
    sky_buf_done(&reasons->text);
    return text;
}
