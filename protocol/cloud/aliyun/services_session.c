/* Sub-devices that log in and out by their gateway's connection, what becomes of messages for those
 * that have not, and what a gateway is told of them (help page 89300). */
#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/sub_device.h"

/* ---- /ext/error ---- */

/* On a topic of its own, since a connection that carries many is not closed for one of them. */
void sky_aliyun__push_error(const struct sky_uplink *gateway, enum sky_aliyun_code code,
                            sky_span id, struct sky_effects *effects)
{
    sky_span topic =
        sky_arena_printf(&effects->arena, "/ext/error/%.*s/%.*s", SKY_SPAN_ARGS(gateway->product),
                         SKY_SPAN_ARGS(gateway->device));
    sky_span payload =
        sky_arena_printf(&effects->arena, "{\"code\":%d,\"id\":\"%.*s\",\"message\":\"%s\"}",
                         (int)code, SKY_SPAN_ARGS(id), sky_aliyun__message_of(code));
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic, payload, 1);
}

/* What comes for a device that is not online by this gateway is dropped, and the gateway learns it.
 */
void sky_aliyun__refused_publish(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                 struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    if (facts->peer_count == 0)
        return;
    struct sky_peer *peer = &facts->peers[0];
    sky_envelope_open(&envelope, uplink->payload, SKY_ALIYUN_MESSAGE_MAX);
    sky_judge_broken(judge, ALI_RULE(SUB_ONLINE), "%.*s is not online by this gateway",
                     SKY_SPAN_ARGS(peer->device));
    enum sky_aliyun_code code =
        peer->known != NULL && !peer->known->enabled ? SKY_ALIYUN_DISABLED : SKY_ALIYUN_NO_SESSION;
    sky_aliyun__push_error(uplink, code, sky_json_text(envelope.id), effects);
}

/* ---- logging in ---- */

static size_t one_peer(const struct sky_uplink *uplink, struct sky_arena *arena,
                       struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_aliyun__find_peers(uplink, SKY_ALIYUN_ITSELF, arena, ret_peers);
}

static size_t listed_peers(const struct sky_uplink *uplink, struct sky_arena *arena,
                           struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_aliyun__find_peers(uplink, SKY_ALIYUN_LIST, arena, ret_peers);
}

static size_t login_peers(const struct sky_uplink *uplink, struct sky_arena *arena,
                          struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_aliyun__find_peers(uplink, SKY_ALIYUN_DEVICE_LIST, arena, ret_peers);
}

static bool is_any(const struct sky_peer *peer)
{
    (void)peer;
    return true;
}

static struct sky_aliyun_fault login_fault(const struct sky_aliyun_request *request,
                                           struct sky_peer *peer)
{
    struct sky_aliyun_fault fault =
        sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_UNKNOWN), peer->known != NULL,
                               SKY_ALIYUN_NO_DEVICE, "there is no such device");
    if (fault.code == SKY_ALIYUN_OK)
        fault =
            sky_aliyun__peer_fault(request, peer, ALI_RULE(DEVICE_DISABLED), peer->known->enabled,
                                   SKY_ALIYUN_DISABLED, "the device is disabled");
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__peer_fault(request, peer, ALI_RULE(SUB_DEVICE), peer->bound,
                                       SKY_ALIYUN_NO_RELATION, "the device is not in the topology");
    if (fault.code == SKY_ALIYUN_OK)
        fault = sky_aliyun__check_sub_sign(request, peer, SKY_ALIYUN_SUB_SIGNATURE);
    return fault;
}

static struct sky_aliyun_fault online_fault(const struct sky_aliyun_request *request)
{
    size_t online = request->facts->online_count;
    for (size_t i = 0; i < request->facts->peer_count; i++)
        online += !request->facts->peers[i].online;
    return online > SKY_ALIYUN_BOUND_MAX
               ? sky_aliyun__too_many(SKY_ALIYUN_ONLINE_MANY, "more sub-devices online than may be")
               : SKY_ALIYUN_SOUND;
}

/* {"deviceName":..,"productKey":..}: the C SDK wants both, with an error too, or its caller waits
 * in vain. */
static void name_in_errors(struct sky_aliyun_request *request)
{
    sky_span names = sky_aliyun__names(request, NULL); /* a list of one */
    request->error_data = sky_span_of(names.ptr + 1, names.len - 2);
}

/* A device's secret is in use from its first login on. One that is logged in already is so once
 * more. */
static void let_in(const struct sky_aliyun_request *request, sky_span names)
{
    const struct sky_facts *facts = request->facts;
    sky_aliyun__affect(request, SKY_EFFECT_LOGIN, is_any);
    for (size_t i = 0; i < facts->peer_count; i++)
        if (facts->peers[i].known->state != SKY_DEVICE_ACTIVE)
            sky_effects_add(request->effects, SKY_EFFECT_ONLINE)->subject =
                facts->peers[i].known->id;
    sky_aliyun__succeed(request, names);
}

static void handle_login(const struct sky_uplink *uplink, const struct sky_facts *facts,
                         struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_ITSELF, 1, uplink, facts, judge, effects))
        return;
    name_in_errors(&request);
    if (sky_aliyun__refused_peers(&request, login_fault) ||
        sky_aliyun__refused(&request, online_fault(&request)))
        return;
    let_in(&request, request.error_data);
}

/* All are logged in or none; an error names those that it is about. */
static bool refused_list(struct sky_aliyun_request *request, sky_aliyun_fault_of *fault_of)
{
    struct sky_aliyun_fault fault = sky_aliyun__first_fault(request, fault_of);
    request->error_data = sky_aliyun__names(request, sky_aliyun__is_faulty);
    return sky_aliyun__refused(request, fault);
}

static void handle_batch_login(const struct sky_uplink *uplink, const struct sky_facts *facts,
                               struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_DEVICE_LIST, SKY_ALIYUN_BATCH_MAX, uplink,
                                   facts, judge, effects) ||
        refused_list(&request, login_fault) ||
        sky_aliyun__refused(&request, online_fault(&request)))
        return;
    let_in(&request, sky_aliyun__names(&request, NULL));
}

/* ---- logging out ---- */

static struct sky_aliyun_fault logout_fault(const struct sky_aliyun_request *request,
                                            struct sky_peer *peer)
{
    return sky_aliyun__peer_fault(request, peer, ALI_RULE(SUB_ONLINE), peer->online,
                                  SKY_ALIYUN_NO_SESSION, "the device is not online");
}

static void handle_logout(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_ITSELF, 1, uplink, facts, judge, effects))
        return;
    name_in_errors(&request);
    if (sky_aliyun__refused_peers(&request, logout_fault))
        return;
    sky_aliyun__affect(&request, SKY_EFFECT_LOGOUT, is_any);
    sky_aliyun__succeed(&request, request.error_data);
}

static void handle_batch_logout(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin_gateway(&request, SKY_ALIYUN_LIST, SKY_ALIYUN_BATCH_MAX, uplink, facts,
                                   judge, effects) ||
        refused_list(&request, logout_fault))
        return;
    sky_aliyun__affect(&request, SKY_EFFECT_LOGOUT, is_any);
    sky_aliyun__succeed(&request, sky_aliyun__names(&request, NULL));
}

/* ---- telling the gateway ---- */

/* What each event comes to: the change of topology, the message on the sub-device's own topic, and
 * the error that ends its session. The page's table of statuses has 2 for disabled and its example
 * 8, as SDKs do: the example counts. */
static const struct {
    int status; /* -1: the topology stays as it is */
    const char *levels;
    enum sky_aliyun_code code; /* OK: none */
} notices[] = {
    [SKY_BEHIND_BOUND] = {0, NULL, SKY_ALIYUN_OK},
    [SKY_BEHIND_UNBOUND] = {1, NULL, SKY_ALIYUN_NO_RELATION},
    [SKY_BEHIND_ENABLED] = {2, "thing/enable", SKY_ALIYUN_OK},
    [SKY_BEHIND_DISABLED] = {8, "thing/disable", SKY_ALIYUN_DISABLED},
    [SKY_BEHIND_DELETED] = {1, "thing/delete", SKY_ALIYUN_DELETED},
    [SKY_BEHIND_OUSTED] = {-1, NULL, SKY_ALIYUN_OUSTED},
};

static void tell_one(const struct sky_uplink *gateway, enum sky_behind_event event,
                     const struct sky_peer *peer, sky_span id, struct sky_effects *effects)
{
    if (notices[event].levels != NULL) {
        struct sky_uplink to = *gateway;
        to.product = peer->product;
        to.device = peer->device;
        (void)sky_aliyun__call(&to, sky_span_str(notices[event].levels), SKY_SPAN("{}"), id,
                               effects);
        effects->list[effects->count - 1].subject = peer->known != NULL ? peer->known->id : 0;
    }
    if (notices[event].code != SKY_ALIYUN_OK && (peer->online || event == SKY_BEHIND_OUSTED))
        sky_aliyun__push_error(gateway, notices[event].code, id, effects);
}

static void tell(const struct sky_uplink *gateway, enum sky_behind_event event,
                 const struct sky_peer *peers, size_t count, sky_span id,
                 struct sky_effects *effects)
{
    struct sky_buf list;
    for (size_t i = 0; i < count && i < SKY_ALIYUN_TOLD_MAX; i++)
        tell_one(gateway, event, &peers[i], id, effects);
    if (notices[event].status < 0)
        return;
    sky_buf_init(&list, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&list);
    sky_jw_object(&jw);
    sky_jw_put_int(&jw, "status", notices[event].status);
    sky_jw_key(&jw, "subList");
    sky_jw_array(&jw);
    for (size_t i = 0; i < count; i++) {
        sky_jw_object(&jw);
        sky_jw_put_span(&jw, "productKey", peers[i].product);
        sky_jw_put_span(&jw, "deviceName", peers[i].device);
        sky_jw_end_object(&jw);
    }
    sky_jw_end_array(&jw);
    sky_jw_end_object(&jw);
    (void)sky_aliyun__call(gateway, SKY_SPAN("thing/topo/change"),
                           sky_envelope_keep(&effects->arena, &list), id, effects);
}

const struct sky_service sky_aliyun_login = {.name = "sub-login",
                                             .reads = SKY_READS_DEVICE | SKY_READS_COUNTS,
                                             .handle = handle_login,
                                             .peers = one_peer,
                                             .suspect = sky_aliyun__suspect_sub};
const struct sky_service sky_aliyun_batch_login = {.name = "sub-batch-login",
                                                   .reads = SKY_READS_DEVICE | SKY_READS_COUNTS,
                                                   .handle = handle_batch_login,
                                                   .peers = login_peers,
                                                   .suspect = sky_aliyun__suspect_sub};
const struct sky_service sky_aliyun_logout = {
    .name = "sub-logout", .reads = SKY_READS_DEVICE, .handle = handle_logout, .peers = one_peer};
const struct sky_service sky_aliyun_batch_logout = {.name = "sub-batch-logout",
                                                    .reads = SKY_READS_DEVICE,
                                                    .handle = handle_batch_logout,
                                                    .peers = listed_peers};

const struct sky_cloud_gateway sky_aliyun__gateway = {
    .bound_max = SKY_ALIYUN_BOUND_MAX, .online_max = SKY_ALIYUN_BOUND_MAX, .tell = tell};
