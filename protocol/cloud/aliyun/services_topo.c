/* A gateway's topology: which devices stand behind it, and how those get their secrets (help pages
 * 89299 and 89298). */
#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/sub_device.h"

static size_t list_peers(const struct sky_uplink *uplink, struct sky_arena *arena,
                         struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_aliyun__find_peers(uplink, SKY_ALIYUN_LIST, arena, ret_peers);
}

static size_t proxied_peers(const struct sky_uplink *uplink, struct sky_arena *arena,
                            struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_aliyun__find_peers(uplink, SKY_ALIYUN_PROXIED, arena, ret_peers);
}

/* ---- adding ---- */

static bool is_new(const struct sky_peer *peer)
{
    return !peer->bound;
}

/* Could it stand behind this gateway, whoever asks for that? */
static struct sky_aliyun_fault candidate_fault(const struct sky_aliyun_request *request,
                                               struct sky_peer *peer)
{
    struct sky_aliyun_fault fault =
        sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_UNKNOWN), peer->known != NULL,
                               SKY_ALIYUN_NO_DEVICE, "there is no such device");
    if (fault.code == SKY_ALIYUN_OK)
        fault =
            sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_DISABLED), peer->known->enabled,
                                   SKY_ALIYUN_DEVICE_DISABLED, "the device is disabled");
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__peer_fault(request, peer, ALI_RULE(SUB_DEVICE), peer->allowed,
                                       SKY_ALIYUN_PARAMETER,
                                       "its product may not stand behind this one");
    return fault;
}

/* A disabled device and a wrong signature have other codes here than at a login. */
static struct sky_aliyun_fault add_fault(const struct sky_aliyun_request *request,
                                         struct sky_peer *peer)
{
    const struct sky_name name = {peer->product, peer->device};
    struct sky_aliyun_fault fault = sky_aliyun__peer_fault(
        request, peer, ALI_RULE(SUB_DEVICE), !sky_aliyun__is_own(request->uplink, &name),
        SKY_ALIYUN_SELF, "a gateway does not stand behind itself");
    if (fault.code == SKY_ALIYUN_OK)
        fault = candidate_fault(request, peer);
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__check_sub_sign(request, peer, SKY_ALIYUN_NOT_AUTHORIZED);
    return fault;
}

/* 6400: there are as many behind the gateway as it may have. */
static struct sky_aliyun_fault quota_fault(const struct sky_aliyun_request *request)
{
    size_t behind = request->facts->behind_count;
    for (size_t i = 0; i < request->facts->peer_count; i++)
        behind += is_new(&request->facts->peers[i]);
    return behind > SKY_ALIYUN_BOUND_MAX
               ? sky_aliyun__too_many(SKY_ALIYUN_BOUND_MANY, "more sub-devices than may be added")
               : SKY_ALIYUN_SOUND;
}

/* All are added or none. One that is behind this gateway already is added once more; one behind
 * another moves. */
static void handle_add(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_LIST, SKY_ALIYUN_ADD_MAX, uplink, facts,
                                   judge, effects) ||
        sky_aliyun__refused_peers(&request, add_fault) ||
        sky_aliyun__refused(&request, quota_fault(&request)))
        return;
    sky_aliyun__affect(&request, SKY_EFFECT_BIND, is_new);
    sky_aliyun__succeed(&request, sky_aliyun__names(&request, NULL));
}

/* ---- taking away, and showing ---- */

static bool is_bound(const struct sky_peer *peer)
{
    return peer->bound;
}

static struct sky_aliyun_fault delete_fault(const struct sky_aliyun_request *request,
                                            struct sky_peer *peer)
{
    struct sky_aliyun_fault fault =
        sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_UNKNOWN), peer->known != NULL,
                               SKY_ALIYUN_NO_DEVICE, "there is no such device");
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__peer_fault(request, peer, ALI_RULE(SUB_DEVICE), peer->bound,
                                       SKY_ALIYUN_NO_RELATION, "the device is not in the topology");
    return fault;
}

static void handle_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_LIST, SKY_ALIYUN_ADD_MAX, uplink, facts,
                                   judge, effects) ||
        sky_aliyun__refused_peers(&request, delete_fault))
        return;
    for (size_t i = 0; i < facts->peer_count; i++)
        if (facts->peers[i].online)
            sky_aliyun__push_error(uplink, SKY_ALIYUN_NO_RELATION,
                                   sky_json_text(request.envelope.id), effects);
    sky_aliyun__affect(&request, SKY_EFFECT_UNBIND, is_bound);
    sky_aliyun__succeed(&request, sky_aliyun__names(&request, NULL));
}

/* Link SDK 4 has a text where params should be, and nothing is asked of them. */
static void handle_get(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects) ||
        sky_aliyun__refused_gateway(&request))
        return;
    sky_aliyun__succeed(&request, sky_envelope_behind(effects, uplink, facts));
}

/* ---- found ---- */

/* 4 to 32 letters, digits and -_@.: (the page of codes, 6280). */
static bool is_device_name(sky_span name)
{
    bool sound = name.len >= 4 && name.len <= 32;
    for (size_t i = 0; sound && i < name.len; i++)
        sound = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_@.:",
                       name.ptr[i]) != NULL;
    return sound;
}

/* The devices need not be registered: the application decides what becomes of them. */
static struct sky_aliyun_fault found_fault(const struct sky_aliyun_request *request,
                                           struct sky_peer *peer)
{
    struct sky_aliyun_fault fault =
        sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_UNKNOWN), peer->known_product != NULL,
                               SKY_ALIYUN_NO_PRODUCT, "there is no such product");
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__peer_fault(request, peer, ALI_RULE(PARAMS),
                                       is_device_name(peer->device), SKY_ALIYUN_DEVICE_NAME,
                                       "a device name has 4 to 32 letters, digits and -_@.:");
    return fault;
}

static void handle_found(const struct sky_uplink *uplink, const struct sky_facts *facts,
                         struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (sky_aliyun__begin_gateway(&request, SKY_ALIYUN_LIST, SKY_PEERS_MAX, uplink, facts, judge,
                                  effects) &&
        !sky_aliyun__refused_peers(&request, found_fault))
        sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

/* ---- registering ---- */

static struct sky_aliyun_fault register_fault(const struct sky_aliyun_request *request,
                                              struct sky_peer *peer)
{
    const struct sky_product *product = peer->known_product;
    struct sky_aliyun_fault fault =
        sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_UNKNOWN), product != NULL,
                               SKY_ALIYUN_PRODUCT_QUERY, "there is no such product");
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__peer_fault(request, peer, ALI_RULE(REGISTER_DISABLED),
                                       product->dynamic_activation, SKY_ALIYUN_NO_REGISTRATION,
                                       "the product does not permit dynamic registration");
    if (fault.code == SKY_ALIYUN_OK)
        fault = candidate_fault(request, peer);
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__peer_fault(request, peer, ALI_RULE(SUB_DEVICE), !peer->bound_elsewhere,
                                       SKY_ALIYUN_BOUND_ELSEWHERE,
                                       "the device stands behind another gateway");
    return fault;
}

/* The members that tell a device its secret. */
static void write_secret(struct sky_jw *jw, const struct sky_peer *peer)
{
    sky_jw_put_span(jw, "productKey", peer->product);
    sky_jw_put_span(jw, "deviceName", peer->device);
    sky_jw_put_str(jw, "deviceSecret", peer->known->secret);
}

static void handle_register(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_buf out;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_LIST, SKY_PEERS_MAX, uplink, facts, judge,
                                   effects) ||
        sky_aliyun__refused_peers(&request, register_fault))
        return;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_array(&jw);
    for (size_t i = 0; i < facts->peer_count; i++) {
        sky_jw_object(&jw);
        sky_jw_put_span(&jw, "iotId",
                        sky_span_head(facts->peers[i].fresh, SKY_ALIYUN_TOKEN_ID_CHARS));
        write_secret(&jw, &facts->peers[i]);
        sky_jw_end_object(&jw);
    }
    sky_jw_end_array(&jw);
    sky_aliyun__succeed(&request, sky_envelope_keep(&effects->arena, &out));
}

/* Known from the C SDK only, which looks at nothing but the code. */
static struct sky_aliyun_fault unregister_fault(const struct sky_aliyun_request *request,
                                                struct sky_peer *peer)
{
    return sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_UNKNOWN), peer->known != NULL,
                                  SKY_ALIYUN_NO_DEVICE, "there is no such device");
}

static void handle_unregister(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_LIST, SKY_PEERS_MAX, uplink, facts, judge,
                                   effects) ||
        sky_aliyun__refused_peers(&request, unregister_fault))
        return;
    sky_aliyun__affect(&request, SKY_EFFECT_UNBIND, is_bound);
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

/* ---- registering with the product's secret ---- */

static struct sky_aliyun_fault proxy_fault(const struct sky_aliyun_request *request,
                                           struct sky_peer *peer)
{
    struct sky_aliyun_sub_sign sign;
    struct sky_aliyun_fault fault = register_fault(request, peer);
    if (fault.code != SKY_ALIYUN_OK)
        return fault;
    const char *what = sky_aliyun__read_proxy_sign(&request->effects->arena, peer, &sign);
    if (what != NULL)
        return sky_aliyun__peer_fault(request, peer, ALI_RULE(PARAMS), false, SKY_ALIYUN_PARAMETER,
                                      what);
    return sky_aliyun__peer_fault(
        request, peer, ALI_RULE(REGISTER_SIGN),
        sky_sign_matches(&sign.recipe, sky_span_str(peer->known_product->secret), sign.given),
        SKY_ALIYUN_NOT_AUTHORIZED, "sign is not the digest of deviceName, productKey and random");
}

/* Each for itself: the C SDK wants both lists, even when one is empty. */
static void handle_proxy(const struct sky_uplink *uplink, const struct sky_facts *facts,
                         struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_buf good, bad;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_PROXIED, SKY_PEERS_MAX, uplink, facts,
                                   judge, effects))
        return;
    sky_buf_init(&good, SKY_ENVELOPE_REPLY_MAX / 2);
    sky_buf_init(&bad, SKY_ENVELOPE_REPLY_MAX / 4);
    struct sky_jw successes = sky_jw(&good), failures = sky_jw(&bad);
    for (size_t i = 0; i < facts->peer_count; i++) {
        struct sky_peer *peer = &facts->peers[i];
        struct sky_aliyun_fault fault = proxy_fault(&request, peer);
        struct sky_jw *jw = fault.code == SKY_ALIYUN_OK ? &successes : &failures;
        sky_jw_object(jw);
        if (fault.code == SKY_ALIYUN_OK) {
            write_secret(jw, peer);
        } else {
            sky_jw_put_span(jw, "productKey", peer->product);
            sky_jw_put_span(jw, "deviceName", peer->device);
            sky_jw_key(jw, "errorDetail");
            sky_jw_object(jw);
            sky_jw_put_int(jw, "code", (int)fault.code);
            sky_jw_end_object(jw);
        }
        sky_jw_end_object(jw);
    }
    sky_aliyun__succeed(&request, sky_arena_printf(&effects->arena,
                                                   "{\"failures\":[%.*s],\"successes\":[%.*s]}",
                                                   SKY_SPAN_ARGS(sky_buf_span(&bad)),
                                                   SKY_SPAN_ARGS(sky_buf_span(&good))));
    sky_buf_done(&bad);
    sky_buf_done(&good);
}

const struct sky_service sky_aliyun_topo_add = {.name = "topo-add",
                                                .reads = SKY_READS_DEVICE | SKY_READS_COUNTS,
                                                .handle = handle_add,
                                                .peers = list_peers,
                                                .suspect = sky_aliyun__suspect_sub};
const struct sky_service sky_aliyun_topo_delete = {
    .name = "topo-delete", .reads = SKY_READS_DEVICE, .handle = handle_delete, .peers = list_peers};
const struct sky_service sky_aliyun_topo_get = {
    .name = "topo-get", .reads = SKY_READS_DEVICE | SKY_READS_BEHIND, .handle = handle_get};
const struct sky_service sky_aliyun_list_found = {
    .name = "list-found", .reads = SKY_READS_DEVICE, .handle = handle_found, .peers = list_peers};
const struct sky_service sky_aliyun_sub_register = {.name = "sub-register",
                                                    .reads = SKY_READS_DEVICE | SKY_READS_FRESH,
                                                    .handle = handle_register,
                                                    .peers = list_peers};
const struct sky_service sky_aliyun_sub_unregister = {.name = "sub-unregister",
                                                      .reads = SKY_READS_DEVICE,
                                                      .handle = handle_unregister,
                                                      .peers = list_peers};
const struct sky_service sky_aliyun_proxy_register = {.name = "proxy-register",
                                                      .reads = SKY_READS_DEVICE,
                                                      .handle = handle_proxy,
                                                      .peers = proxied_peers};
