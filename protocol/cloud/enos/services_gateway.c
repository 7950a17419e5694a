/* A gateway's topology: which devices stand behind it, and new ones that it registers. */
#include "protocol/base/mem.h"
#include "protocol/cloud/enos/behind.h"
#include "protocol/cloud/enos/login.h"
#include "protocol/cloud/enos/proof.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"

enum {
    MADE_KEY_LEN = 10,   /* letters and digits of a key that the cloud makes up, as its examples */
    NEW_SECRET_LEN = 32, /* of what is random for each device, behind those */
};

static size_t read_peers(const struct sky_uplink *uplink, struct sky_arena *arena,
                         struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_enos__behind_read(uplink, arena, NULL, ret_peers);
}

/* ---- topology ---- */

/* Either secret signs, but the product's only where it may stand in for the device's: where devices
 * fetch theirs with it. */
static void read_proof(const struct sky_peer *peer, struct sky_arena *arena,
                       struct sky_enos_proof *ret_proof)
{
    sky_enos__proof_read(peer->item, SKY_SPAN_NONE, arena, ret_proof);
    if (peer->known_product != NULL && !peer->known_product->dynamic_activation) {
        ret_proof->stated = true;
        ret_proof->dynamic = false;
    }
}

static bool suspect(const struct sky_uplink *uplink, const struct sky_peer *peer,
                    struct sky_suspicion *ret_suspicion, struct sky_arena *arena)
{
    struct sky_enos_proof proof;
    (void)uplink;
    read_proof(peer, arena, &proof);
    return sky_enos__proof_suspect(&proof, peer, ret_suspicion);
}

/* Why the device cannot be added, or NULL. */
static const char *turned_away(struct sky_enos_request *request, struct sky_peer *peer)
{
    bool gateway = peer->known != NULL && peer->known_product->node == SKY_NODE_GATEWAY;
    sky_judge_rule(request->judge, ENOS_RULE(SUB_KNOWN), peer->known != NULL,
                   "%.*s with '%.*s' is added to the topology and not registered (code 1255)",
                   SKY_SPAN_ARGS(sky_admit_shown(peer->product)),
                   SKY_SPAN_ARGS(sky_admit_shown(peer->device)));
    if (peer->known == NULL) {
        peer->cause = SKY_CAUSE_UNKNOWN;
        return "the device does not exist";
    }
    if (!sky_judge_rule(request->judge, ENOS_RULE(SUB_ALLOWED), !gateway && peer->allowed,
                        "%s of product %s may not stand behind this gateway%s (code 1255)",
                        peer->known->key, peer->known_product->key,
                        gateway ? ": it is one itself" : ""))
        return NULL;
    peer->cause = SKY_CAUSE_STATE;
    return gateway ? "the device is itself a gateway"
                   : "the device may not be added to the gateway";
}

static bool is_proven(struct sky_enos_request *request, struct sky_peer *peer)
{
    struct sky_enos_proof proof;
    read_proof(peer, &request->effects->arena, &proof);
    return !sky_enos__behind_judge_sign(request, peer, sky_enos__proof_holds(&proof, peer));
}

/* One that cannot be added fails the whole call. One that is there already may be added again: no
 * document has it otherwise, and gateways do so after a restart. */
static void handle_topo_add(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    struct sky_enos_reasons reasons;
    if (!sky_enos__behind_open(&request, uplink, facts, judge, effects, SKY_ENOS_CODE_TOPO_ADD))
        return;
    bool sound = sky_enos__behind_is_sound(&request, request.envelope.params);
    if (sky_enos__refused_data(&request, sound ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_TOPO_ADD))
        return;
    sky_enos__reasons_init(&reasons);
    struct sky_enos_group added = sky_enos__group(&request);
    for (size_t i = 0; i < facts->peer_count; i++) {
        struct sky_peer *peer = &facts->peers[i];
        const char *why = turned_away(&request, peer);
        if (why != NULL)
            sky_enos__reasons_add(&reasons, SKY_ENOS_CODE_TOPO_ADD, peer, why);
        else if (!is_proven(&request, peer)) /* the page has no code for it: that of a login */
            sky_enos__reasons_add(&reasons, SKY_ENOS_CODE_SIGNATURE, peer,
                                  "the signature is wrong");
        else if (!peer->bound)
            sky_enos__group_add(&added, peer);
    }
    if (facts->behind_count + added.count > sky_enos__gateway.bound_max && added.count > 0)
        sky_enos__reasons_add(&reasons, SKY_ENOS_CODE_TOPO_ADD, &facts->peers[0],
                              "the gateway has as many sub-devices as it may have");
    enum sky_enos_code code = reasons.code;
    sky_span message = sky_enos__reasons_done(&reasons, &effects->arena);
    if (code == SKY_ENOS_CODE_OK)
        sky_enos__group_effect(effects, SKY_EFFECT_BIND, &added);
    sky_enos__reply_saying(&request, code, message, SKY_SPAN("{}"));
}

/* Why the device is not removed, or NULL. */
static const char *held_back(struct sky_enos_request *request, struct sky_peer *peer)
{
    sky_judge_rule(request->judge, ENOS_RULE(SUB_KNOWN), peer->known != NULL,
                   "%.*s with '%.*s' is taken from the topology and not registered (code 1256)",
                   SKY_SPAN_ARGS(sky_admit_shown(peer->product)),
                   SKY_SPAN_ARGS(sky_admit_shown(peer->device)));
    if (peer->known == NULL)
        return "the device does not exist";
    sky_judge_rule(request->judge, ENOS_RULE(SUB_BEHIND), peer->bound,
                   "%s is taken from the topology, and is not in it (code 1256)", peer->known->key);
    if (!peer->bound)
        return "the device is not a sub-device of the gateway";
    return sky_judge_rule(request->judge, ENOS_RULE(SUB_ONLINE), !peer->online,
                          "%s is taken from the topology, and still online (code 1256)",
                          peer->known->key)
               ? "the device is still online"
               : NULL;
}

/* The page says that one which cannot be removed fails the call; the tests of the vendor's Node.js
 * SDK, that one which can be makes it succeed, and they clean up with an empty list. */
static void handle_topo_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                               struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    struct sky_enos_reasons reasons;
    if (!sky_enos__behind_open(&request, uplink, facts, judge, effects, SKY_ENOS_CODE_TOPO_DELETE))
        return;
    bool sound = sky_enos__behind_is_sound(&request, request.envelope.params);
    if (sky_enos__refused_data(&request, sound ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_TOPO_DELETE))
        return;
    sky_enos__reasons_init(&reasons);
    struct sky_enos_group removed = sky_enos__group(&request);
    for (size_t i = 0; i < facts->peer_count; i++) {
        const char *why = held_back(&request, &facts->peers[i]);
        if (why != NULL)
            sky_enos__reasons_add(&reasons, SKY_ENOS_CODE_TOPO_DELETE, &facts->peers[i], why);
        else
            sky_enos__group_add(&removed, &facts->peers[i]);
    }
    enum sky_enos_code code = removed.count > 0 ? SKY_ENOS_CODE_OK : reasons.code;
    sky_span message = sky_enos__reasons_done(&reasons, &effects->arena);
    sky_enos__group_effect(effects, SKY_EFFECT_UNBIND, &removed);
    sky_enos__reply_saying(&request, code, code == SKY_ENOS_CODE_OK ? SKY_SPAN_NONE : message,
                           SKY_SPAN("{}"));
}

static void handle_topo_get(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (!sky_enos__behind_open(&request, uplink, facts, judge, effects, SKY_ENOS_CODE_UNREADABLE))
        return;
    sky_enos__reply(&request, SKY_ENOS_CODE_OK, sky_envelope_behind(effects, uplink, facts));
}

/* ---- registering ---- */

static bool has_name(sky_span item)
{
    sky_span name = sky_json_member(item, "deviceName"); /* text, or an object of texts */
    return (sky_json_is_string(name) || sky_json_is_object(name)) &&
           sky_json_is_string(sky_json_member(item, "timezone"));
}

/* The C SDK sends the two keys alone; without a device key a name and a time zone are due. */
static bool registration_is_sound(const struct sky_peer *peer)
{
    if (peer->product.len == 0)
        return false;
    if (peer->device.len == 0)
        return has_name(peer->item);
    return peer->device.len <= SKY_KEY_MAX && sky_envelope_is_level(peer->device);
}

static bool registrations_are_sound(const struct sky_enos_request *request)
{
    size_t count = 0;
    sky_span item, rest = sky_json_inside(request->envelope.params);
    if (!sky_json_is_array(request->envelope.params))
        return false;
    while (sky_json_next_element(&rest, &item))
        if (++count > SKY_PEERS_MAX)
            return false;
    for (size_t i = 0; i < request->facts->peer_count; i++)
        if (!registration_is_sound(&request->facts->peers[i]))
            return false;
    return true;
}

/* Named twice in one message, or registered. */
static bool is_taken(const struct sky_facts *facts, size_t place)
{
    const struct sky_peer *peer = &facts->peers[place];
    bool taken = peer->known != NULL;
    for (size_t i = 0; i < place && peer->device.len > 0; i++)
        taken |= sky_span_eq(peer->product, facts->peers[i].product) &&
                 sky_span_eq(peer->device, facts->peers[i].device);
    return taken;
}

/* One that cannot be registered fails the call, and nothing is registered. */
static bool judge_registrations(struct sky_enos_request *request, struct sky_enos_reasons *reasons)
{
    const struct sky_facts *facts = request->facts;
    for (size_t i = 0; i < facts->peer_count; i++) {
        struct sky_peer *peer = &facts->peers[i];
        bool taken = is_taken(facts, i);
        sky_judge_rule(request->judge, ENOS_RULE(SUB_KNOWN), peer->known_product != NULL,
                       "a device is registered of product '%.*s', which there is not (code 1200)",
                       SKY_SPAN_ARGS(sky_admit_shown(peer->product)));
        sky_judge_rule(request->judge, ENOS_RULE(SUB_KEY), !taken,
                       "the key '%.*s' is taken already (code 702)",
                       SKY_SPAN_ARGS(sky_admit_shown(peer->device)));
        if (peer->known_product == NULL)
            sky_enos__reasons_add(reasons, SKY_ENOS_CODE_UNREADABLE, peer,
                                  "the product does not exist");
        else if (taken)
            sky_enos__reasons_add(reasons, SKY_ENOS_CODE_KEY_TAKEN, peer,
                                  "the device key already exists");
    }
    return reasons->code == SKY_ENOS_CODE_OK;
}

static struct sky_registration registration_of(const struct sky_peer *peer)
{
    return (struct sky_registration){
        .product_id = peer->known_product->id,
        .device = peer->device.len > 0 ? peer->device : sky_span_head(peer->fresh, MADE_KEY_LEN),
        .secret = sky_span_head(sky_span_tail(peer->fresh, MADE_KEY_LEN), NEW_SECRET_LEN),
    };
}

/* In the order of the request: SDKs find their devices by place. */
static sky_span register_all(const struct sky_enos_request *request)
{
    const struct sky_facts *facts = request->facts;
    struct sky_arena *arena = &request->effects->arena;
    struct sky_registration *list = sky_arena_take(arena, (facts->peer_count + 1) * sizeof *list);
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_array(&jw);
    for (size_t i = 0; i < facts->peer_count; i++) {
        list[i] = registration_of(&facts->peers[i]);
        sky_jw_object(&jw);
        sky_jw_put_str(&jw, "assetId", facts->device != NULL ? facts->device->asset_id : "");
        sky_jw_put_span(&jw, "productKey", facts->peers[i].product);
        sky_jw_put_span(&jw, "deviceKey", list[i].device);
        sky_jw_put_span(&jw, "deviceSecret", list[i].secret);
        sky_jw_end_object(&jw);
    }
    sky_jw_end_array(&jw);
    if (facts->peer_count > 0) {
        struct sky_effect *effect = sky_effects_add(request->effects, SKY_EFFECT_REGISTER);
        effect->registrations = list;
        effect->device_count = facts->peer_count;
    }
    return sky_envelope_keep(arena, &out);
}

static void handle_register(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    struct sky_enos_reasons reasons;
    if (!sky_enos__behind_open(&request, uplink, facts, judge, effects, SKY_ENOS_CODE_UNREADABLE))
        return;
    bool sound = registrations_are_sound(&request);
    if (sky_enos__refused_data(&request, sound ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_UNREADABLE))
        return;
    sky_enos__reasons_init(&reasons);
    bool good = judge_registrations(&request, &reasons);
    enum sky_enos_code code = reasons.code;
    sky_span message = sky_enos__reasons_done(&reasons, &effects->arena);
    sky_enos__reply_saying(&request, code, message, good ? register_all(&request) : SKY_SPAN("{}"));
}

const struct sky_service sky_enos_topo_add = {.name = "topo-add",
                                              .reads = SKY_READS_DEVICE | SKY_READS_COUNTS,
                                              .handle = handle_topo_add,
                                              .peers = read_peers,
                                              .suspect = suspect};
const struct sky_service sky_enos_topo_delete = {.name = "topo-delete",
                                                 .reads = SKY_READS_DEVICE,
                                                 .handle = handle_topo_delete,
                                                 .peers = read_peers};
const struct sky_service sky_enos_topo_get = {
    .name = "topo-get", .reads = SKY_READS_DEVICE | SKY_READS_BEHIND, .handle = handle_topo_get};
const struct sky_service sky_enos_register = {.name = "device-register",
                                              .reads = SKY_READS_DEVICE | SKY_READS_FRESH,
                                              .handle = handle_register,
                                              .peers = read_peers};
