#include "protocol/cloud/aliyun/sub_device.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/admit.h"

/* ---- who is named ---- */

sky_span sky_aliyun__devices(sky_span params, enum sky_aliyun_place place)
{
    static const char *const keys[] = {[SKY_ALIYUN_DEVICE_LIST] = "deviceList",
                                       [SKY_ALIYUN_PROXIED] = "proxieds",
                                       [SKY_ALIYUN_SUB_DEVICES] = "subDevices",
                                       [SKY_ALIYUN_IDENTITIES] = NULL};
    if (place == SKY_ALIYUN_ITSELF)
        return sky_json_is_object(params) ? params : SKY_SPAN_NONE;
    sky_span list = keys[place] != NULL ? sky_json_member(params, keys[place]) : params;
    return sky_json_is_array(list) ? list : SKY_SPAN_NONE;
}

static void read_peer(struct sky_arena *arena, sky_span item, bool identity, struct sky_peer *peer)
{
    sky_span named = identity ? sky_json_member(item, "identity") : item;
    struct sky_name name = {SKY_SPAN_NONE, SKY_SPAN_NONE};
    (void)sky_aliyun__read_name(arena, named, &name);
    *peer = (struct sky_peer){.product = name.product, .device = name.device, .item = item};
}

size_t sky_aliyun__find_peers(const struct sky_uplink *uplink, enum sky_aliyun_place place,
                              struct sky_arena *arena, struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    struct sky_envelope envelope;
    size_t count = 0;
    sky_span item;
    bool identity = place == SKY_ALIYUN_SUB_DEVICES || place == SKY_ALIYUN_IDENTITIES;
    sky_envelope_open(&envelope, uplink->payload, SKY_ALIYUN_MESSAGE_MAX);
    sky_span devices = sky_aliyun__devices(envelope.params, place);
    if (place == SKY_ALIYUN_ITSELF && devices.len > 0)
        read_peer(arena, devices, identity, &ret_peers[count++]);
    sky_span rest = sky_json_is_array(devices) ? sky_json_inside(devices) : SKY_SPAN_NONE;
    while (count < SKY_PEERS_MAX && sky_json_next_element(&rest, &item))
        read_peer(arena, item, identity, &ret_peers[count++]);
    return count;
}

/* ---- what is made of them ---- */

/* What the cloud says to one that is no gateway is not documented. */
bool sky_aliyun__refused_gateway(const struct sky_aliyun_request *request)
{
    const struct sky_product *product = request->facts->product;
    bool gateway = product != NULL && product->node == SKY_NODE_GATEWAY;
    if (!sky_judge_rule(request->judge, ALI_RULE(GATEWAY), gateway, "%.*s is no gateway's product",
                        SKY_SPAN_ARGS(request->uplink->product)))
        return false;
    sky_aliyun__reply(request, SKY_ALIYUN_PARAMETER, request->error_data);
    return true;
}

bool sky_aliyun__begin_gateway(struct sky_aliyun_request *request, enum sky_aliyun_place place,
                               size_t max, const struct sky_uplink *uplink,
                               const struct sky_facts *facts, struct sky_judge *judge,
                               struct sky_effects *effects)
{
    if (!sky_aliyun__begin(request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects) ||
        sky_aliyun__refused_gateway(request))
        return false;
    sky_span devices = sky_aliyun__devices(request->envelope.params, place);
    struct sky_aliyun_fault fault = SKY_ALIYUN_SOUND;
    if (devices.len == 0)
        fault = sky_aliyun__fault(SKY_ALIYUN_PARAMETER, place == SKY_ALIYUN_ITSELF
                                                            ? "params must be a device"
                                                            : "params must have a list of devices");
    else if (place != SKY_ALIYUN_ITSELF && sky_aliyun__is_longer(devices, max))
        fault =
            sky_aliyun__too_many(SKY_ALIYUN_PARAMETER, "more devices than one message may name");
    if (sky_aliyun__refused(request, fault))
        return false;
    sky_judge_kept(judge, ALI_RULE(ENTRIES));
    return true;
}

bool sky_aliyun__is_faulty(const struct sky_peer *peer)
{
    return peer->cause != SKY_CAUSE_NONE;
}

struct sky_aliyun_fault sky_aliyun__first_fault(const struct sky_aliyun_request *request,
                                                sky_aliyun_fault_of *fault_of)
{
    struct sky_aliyun_fault first = SKY_ALIYUN_SOUND;
    for (size_t i = 0; i < request->facts->peer_count; i++) {
        struct sky_peer *peer = &request->facts->peers[i];
        bool named = peer->product.len > 0 && peer->device.len > 0;
        struct sky_aliyun_fault fault =
            named ? fault_of(request, peer)
                  : sky_aliyun__peer_fault(request, peer, ALI_RULE(PARAMS), false,
                                           SKY_ALIYUN_PARAMETER,
                                           "a device needs productKey and deviceName");
        if (first.code == SKY_ALIYUN_OK)
            first = fault;
    }
    return first;
}

bool sky_aliyun__refused_peers(const struct sky_aliyun_request *request,
                               sky_aliyun_fault_of *fault_of)
{
    return sky_aliyun__refused(request, sky_aliyun__first_fault(request, fault_of));
}

void sky_aliyun__judge_peer(const struct sky_aliyun_request *request, struct sky_peer *peer,
                            const struct sky_rule *rule, bool kept, const char *what)
{
    struct sky_judge *const judges[] = {request->judge, peer->judge};
    for (size_t i = 0; i < SKY_COUNT(judges); i++)
        if (judges[i] != NULL)
            sky_judge_rule(judges[i], rule, kept, "%.*s/%.*s on %.*s: %s",
                           SKY_SPAN_ARGS(sky_admit_shown(peer->product)),
                           SKY_SPAN_ARGS(sky_admit_shown(peer->device)),
                           SKY_SPAN_ARGS(request->uplink->topic), what);
}

struct sky_aliyun_fault sky_aliyun__peer_fault(const struct sky_aliyun_request *request,
                                               struct sky_peer *peer, const struct sky_rule *rule,
                                               bool kept, enum sky_aliyun_code code,
                                               const char *what)
{
    sky_aliyun__judge_peer(request, peer, rule, kept, what);
    if (kept)
        return SKY_ALIYUN_SOUND;
    peer->cause = peer->known != NULL ? SKY_CAUSE_STATE : SKY_CAUSE_UNKNOWN;
    return (struct sky_aliyun_fault){code, NULL, NULL};
}

sky_span sky_aliyun__names(const struct sky_aliyun_request *request,
                           bool (*is_one)(const struct sky_peer *peer))
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_array(&jw);
    for (size_t i = 0; i < request->facts->peer_count; i++) {
        const struct sky_peer *peer = &request->facts->peers[i];
        if (is_one != NULL && !is_one(peer))
            continue;
        sky_jw_object(&jw);
        sky_jw_put_span(&jw, "deviceName", peer->device);
        sky_jw_put_span(&jw, "productKey", peer->product);
        sky_jw_end_object(&jw);
    }
    sky_jw_end_array(&jw);
    return sky_envelope_keep(&request->effects->arena, &out);
}

void sky_aliyun__affect(const struct sky_aliyun_request *request, enum sky_effect_kind kind,
                        bool (*is_one)(const struct sky_peer *peer))
{
    const struct sky_facts *facts = request->facts;
    int64_t *ids = sky_arena_take(&request->effects->arena, (facts->peer_count + 1) * sizeof *ids);
    size_t count = 0;
    for (size_t i = 0; i < facts->peer_count; i++) {
        bool named = false; /* before: once is enough */
        for (size_t j = 0; j < count; j++)
            named |= ids[j] == facts->peers[i].known->id;
        if (!named && is_one(&facts->peers[i]))
            ids[count++] = facts->peers[i].known->id;
    }
    if (count == 0)
        return;
    struct sky_effect *effect = sky_effects_add(request->effects, kind);
    effect->devices = ids;
    effect->device_count = count;
}

/* ---- signatures ---- */

/* Spelt as the documents have them; any letter case is taken. */
static const struct {
    const char *name;
    enum sky_digest digest;
    enum sky_keying keying;
} methods[] = {
    {"hmacMd5", SKY_MD5, SKY_HMAC},
    {"hmacSha1", SKY_SHA1, SKY_HMAC},
    {"hmacSha256", SKY_SHA256, SKY_HMAC},
    /* Documented without its formula: text, then secret, as plain digests are made elsewhere. */
    {"Sha256", SKY_SHA256, SKY_HASH_APPEND},
};

/* A string's characters, or a number's digits: SDKs send timestamps as either. */
static sky_span text_of(struct sky_arena *arena, sky_span value)
{
    return sky_json_is_number(value) ? value : sky_json_string(arena, value);
}

/* The documents have signmethod in a topology's messages and signMethod in a session's; SDKs have
 * either in both, and some, where there is a list, beside the list. */
static sky_span method_of(struct sky_arena *arena, sky_span params, sky_span item)
{
    static const char *const names[] = {"signMethod", "signmethod"};
    sky_span found = SKY_SPAN_NONE;
    for (size_t i = 0; found.len == 0 && i < 2 * SKY_COUNT(names); i++)
        found = sky_json_string(arena, sky_json_member(i < 2 ? item : params, names[i % 2]));
    return found;
}

static const char *read_sign(struct sky_arena *arena, sky_span params, const struct sky_peer *peer,
                             struct sky_aliyun_sub_sign *sign)
{
    size_t i = 0;
    *sign = (struct sky_aliyun_sub_sign){
        .given = sky_json_string(arena, sky_json_member(peer->item, "sign")),
        .method = method_of(arena, params, peer->item)};
    while (i < SKY_COUNT(methods) &&
           !sky_span_eq_nocase(sign->method, sky_span_str(methods[i].name)))
        i++;
    if (i == SKY_COUNT(methods))
        return "signMethod is not hmacMd5, hmacSha1, hmacSha256 or Sha256";
    if (sign->given.len == 0)
        return "sign is missing";
    sign->recipe = (struct sky_recipe){.digest = methods[i].digest,
                                       .keying = methods[i].keying,
                                       .encoding = SKY_HEX_UPPER,
                                       .sorted = true};
    sky_recipe_add(&sign->recipe, "deviceName", peer->device);
    sky_recipe_add(&sign->recipe, "productKey", peer->product);
    return NULL;
}

/* Unlike a direct login's, the clientId is signed whole, with whatever stands between bars: both
 * the C SDK and the Python one put a block into it and sign that too. A timestamp is any text: the
 * C SDK's is its uptime. */
const char *sky_aliyun__read_sub_sign(struct sky_arena *arena, sky_span params,
                                      const struct sky_peer *peer,
                                      struct sky_aliyun_sub_sign *ret_sign)
{
    const char *what = read_sign(arena, params, peer, ret_sign);
    sky_span id = sky_json_string(arena, sky_json_member(peer->item, "clientId"));
    sky_span timestamp = text_of(arena, sky_json_member(peer->item, "timestamp"));
    if (what == NULL && id.len == 0)
        what = "clientId is missing";
    if (what != NULL)
        return what;
    sky_recipe_add(&ret_sign->recipe, "clientId", id);
    if (timestamp.len > 0)
        sky_recipe_add(&ret_sign->recipe, "timestamp", timestamp);
    return NULL;
}

const char *sky_aliyun__read_proxy_sign(struct sky_arena *arena, const struct sky_peer *peer,
                                        struct sky_aliyun_sub_sign *ret_sign)
{
    const char *what = read_sign(arena, SKY_SPAN_NONE, peer, ret_sign);
    sky_span random = sky_json_string(arena, sky_json_member(peer->item, "random"));
    if (what == NULL && random.len == 0)
        what = "random is missing";
    if (what == NULL)
        sky_recipe_add(&ret_sign->recipe, "random", random);
    return what;
}

/* With cleanSession among the fields, as the edition of 2018 has it and no later one, nor any SDK.
 */
static bool matches_with_session(const struct sky_peer *peer, struct sky_recipe recipe)
{
    sky_span clean = sky_json_text(sky_json_member(peer->item, "cleanSession"));
    return clean.len > 0 && sky_recipe_add(&recipe, "cleanSession", clean) &&
           sky_sign_matches(&recipe, sky_span_str(peer->known->secret),
                            sky_json_text(sky_json_member(peer->item, "sign")));
}

struct sky_aliyun_fault sky_aliyun__check_sub_sign(const struct sky_aliyun_request *request,
                                                   struct sky_peer *peer, enum sky_aliyun_code code)
{
    struct sky_aliyun_sub_sign sign;
    SKY_ASSERT(peer->known != NULL);
    const char *what =
        sky_aliyun__read_sub_sign(&request->effects->arena, request->envelope.params, peer, &sign);
    if (what != NULL)
        return sky_aliyun__peer_fault(request, peer, ALI_RULE(PARAMS), false, SKY_ALIYUN_PARAMETER,
                                      what);
    bool right = sky_sign_matches(&sign.recipe, sky_span_str(peer->known->secret), sign.given);
    bool old = !right && matches_with_session(peer, sign.recipe);
    sky_aliyun__judge_peer(request, peer, ALI_RULE(SUB_SIGN_SESSION), !old,
                           "cleanSession is among the signed fields");
    struct sky_aliyun_fault fault = sky_aliyun__peer_fault(
        request, peer, ALI_RULE(SUB_SIGN), right || old, code,
        "sign is not the digest of clientId, deviceName, productKey and timestamp");
    if (fault.code != SKY_ALIYUN_OK)
        peer->cause = SKY_CAUSE_SIGNATURE;
    return fault;
}

bool sky_aliyun__suspect_sub(const struct sky_uplink *uplink, const struct sky_peer *peer,
                             struct sky_suspicion *s, struct sky_arena *arena)
{
    struct sky_envelope envelope;
    struct sky_aliyun_sub_sign sign;
    sky_envelope_open(&envelope, uplink->payload, SKY_ALIYUN_MESSAGE_MAX);
    if (peer->known == NULL || peer->known->secret[0] == '\0' ||
        sky_aliyun__read_sub_sign(arena, envelope.params, peer, &sign) != NULL)
        return false;
    s->due = sign.recipe;
    s->secret_word = "deviceSecret";
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(peer->known->secret));
    if (peer->known_product != NULL)
        sky_suspect_secret(s, SKY_SECRET_PRODUCT, sky_span_str(peer->known_product->secret));
    sky_suspect_secret(s, SKY_SECRET_OLD, sky_span_str(peer->known->old_secret));
    sky_suspect_samples(s, sky_aliyun__samples, SKY_ALIYUN_SAMPLES);
    sky_suspect_extra(s, "signMethod", sign.method);
    s->product = peer->product;
    s->device = peer->device;
    s->given = sign.given;
    s->method = sign.method;
    return true;
}
