/* Devices behind a gateway come online and go by it, and it is told what becomes of them. */
#include "protocol/base/mem.h"
#include "protocol/cloud/enos/behind.h"
#include "protocol/cloud/enos/limits.h"
#include "protocol/cloud/enos/login.h"
#include "protocol/cloud/enos/proof.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"

/* ---- one device ---- */

/* A device that wants to be online. */
struct visit {
    struct sky_enos_request *request;
    struct sky_peer *peer;
    struct sky_enos_proof proof;
    size_t online; /* how many are so far */
};

/* Does the policy refuse what was judged? Then this is why. */
static enum sky_enos_code refuse_if(struct visit *v, bool broken, enum sky_enos_code code,
                                    enum sky_cause cause)
{
    if (!broken)
        return SKY_ENOS_CODE_OK;
    v->peer->cause = cause;
    return code;
}

static enum sky_enos_code judge_place(struct visit *v)
{
    const struct sky_peer *peer = v->peer;
    sky_judge_rule(v->request->judge, ENOS_RULE(SUB_KNOWN), peer->known != NULL,
                   "%.*s with '%.*s' is logged in and not registered (code 705)",
                   SKY_SPAN_ARGS(sky_admit_shown(peer->product)),
                   SKY_SPAN_ARGS(sky_admit_shown(peer->device)));
    if (peer->known == NULL)
        return refuse_if(v, true, SKY_ENOS_CODE_NO_DEVICE, SKY_CAUSE_UNKNOWN);
    bool broken = sky_judge_rule(v->request->judge, ENOS_RULE(SUB_BEHIND), peer->bound,
                                 "%s is logged in, and not in the gateway's topology (code 740)",
                                 peer->known->key);
    return refuse_if(v, broken, SKY_ENOS_CODE_NOT_BEHIND, SKY_CAUSE_STATE);
}

static enum sky_enos_code judge_state(struct visit *v)
{
    const struct sky_peer *peer = v->peer;
    bool broken = sky_judge_rule(peer->judge, ENOS_RULE(DEVICE_DISABLED), peer->known->enabled,
                                 "device %s is disabled (code 723)", peer->known->key);
    if (broken)
        return refuse_if(v, true, SKY_ENOS_CODE_DISABLED, SKY_CAUSE_STATE);
    if (peer->known_product->require_certificate)
        broken =
            sky_judge_broken(peer->judge, ENOS_RULE(CERT_REQUIRED),
                             "product %s demands certificates, and %s comes by a gateway (code "
                             "746)",
                             peer->known_product->key, peer->known->key);
    return refuse_if(v, broken, SKY_ENOS_CODE_CERTIFICATE, SKY_CAUSE_STATE);
}

/* A login with the product's secret fetches the device's, as one of a device's own does. */
static enum sky_enos_code judge_activation(struct visit *v)
{
    const struct sky_peer *peer = v->peer;
    bool broken = sky_judge_rule(
        peer->judge, ENOS_RULE(DYNAMIC_DISABLED), peer->known_product->dynamic_activation,
        "dynamic activation is switched off for product %s (code 770)", peer->known_product->key);
    broken |= sky_judge_rule(
        peer->judge, ENOS_RULE(DYNAMIC_ALREADY_ACTIVE), peer->known->state == SKY_DEVICE_INACTIVE,
        "device %s has been online with its secret already (code 770)", peer->known->key);
    return refuse_if(v, broken, SKY_ENOS_CODE_DYNAMIC, SKY_CAUSE_STATE);
}

static enum sky_enos_code judge_proof(struct visit *v)
{
    bool right = sky_enos__proof_holds(&v->proof, v->peer);
    enum sky_enos_code code = v->proof.dynamic ? judge_activation(v) : SKY_ENOS_CODE_OK;
    if (code != SKY_ENOS_CODE_OK)
        return code;
    bool broken = sky_enos__behind_judge_sign(v->request, v->peer, right);
    return refuse_if(v, broken, SKY_ENOS_CODE_SIGNATURE, SKY_CAUSE_SIGNATURE);
}

static enum sky_enos_code judge_room(struct visit *v)
{
    if (v->peer->online)
        return SKY_ENOS_CODE_OK;
    v->online++;
    bool broken = sky_judge_rule(v->request->judge, ENOS_RULE(SUB_COUNT),
                                 v->online <= sky_enos__gateway.online_max,
                                 "%s would be number %zu of the gateway's devices online; %u are "
                                 "taken",
                                 v->peer->known->key, v->online, sky_enos__gateway.online_max);
    return refuse_if(v, broken, SKY_ENOS_CODE_SUB_COUNT, SKY_CAUSE_STATE);
}

/* The code that refuses the login, or OK. */
static enum sky_enos_code judge_login(struct visit *v)
{
    static enum sky_enos_code (*const steps[])(struct visit *) = {judge_place, judge_state,
                                                                  judge_proof, judge_room};
    enum sky_enos_code code = SKY_ENOS_CODE_OK;
    for (size_t i = 0; i < SKY_COUNT(steps) && code == SKY_ENOS_CODE_OK; i++)
        code = steps[i](v);
    return code;
}

/* The secret that the login hands out, made if need be; empty: none. An active device keeps its
 * own, whatever the policy let it ask. */
static sky_span hand_out(struct visit *v)
{
    struct sky_effects *effects = v->request->effects;
    const struct sky_device *known = v->peer->known;
    char secret[SKY_SECRET_MAX + 1];
    if (!v->proof.dynamic)
        return SKY_SPAN_NONE;
    if (known->state == SKY_DEVICE_ACTIVE)
        return sky_span_str(known->secret);
    sky_enos__make_secret(v->peer->fresh, secret);
    struct sky_effect *activate = sky_effects_add(effects, SKY_EFFECT_ACTIVATE);
    activate->subject = known->id;
    activate->payload = sky_arena_copy(&effects->arena, sky_span_str(secret));
    return activate->payload;
}

/* Its secret, if it came with that, is in use from now on. */
static void let_in(struct visit *v, struct sky_jw *jw)
{
    const struct sky_device *known = v->peer->known;
    sky_span secret = hand_out(v);
    if (!v->proof.dynamic && known->state == SKY_DEVICE_INACTIVE)
        sky_effects_add(v->request->effects, SKY_EFFECT_ONLINE)->subject = known->id;
    sky_jw_object(jw);
    sky_jw_put_str(jw, "assetId", known->asset_id);
    sky_jw_put_span(jw, "productKey", v->peer->product);
    sky_jw_put_span(jw, "deviceKey", v->peer->device);
    if (secret.len > 0)
        sky_jw_put_span(jw, "deviceSecret", secret);
    sky_jw_end_object(jw);
}

/* ---- login and logout ---- */

static size_t read_peer(const struct sky_uplink *uplink, struct sky_arena *arena,
                        struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_enos__behind_read(uplink, arena, NULL, ret_peers);
}

static bool suspect(const struct sky_uplink *uplink, const struct sky_peer *peer,
                    struct sky_suspicion *ret_suspicion, struct sky_arena *arena)
{
    struct sky_envelope envelope;
    struct sky_enos_proof proof;
    sky_envelope_open(&envelope, uplink->payload, SKY_ENOS_MESSAGE_MAX);
    sky_enos__proof_read(peer->item, envelope.params, arena, &proof);
    return sky_enos__proof_suspect(&proof, peer, ret_suspicion);
}

/* SDKs find out by these keys whom an answer is about, also one with an error. */
static sky_span keys_of(const struct sky_enos_request *request)
{
    struct sky_buf out;
    if (request->facts->peer_count == 0)
        return SKY_SPAN("{}");
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_span(&jw, "productKey", request->facts->peers[0].product);
    sky_jw_put_span(&jw, "deviceKey", request->facts->peers[0].device);
    sky_jw_end_object(&jw);
    return sky_envelope_keep(&request->effects->arena, &out);
}

/* Is it one device, with both keys? Else it has been answered. */
static bool names_one(struct sky_enos_request *request)
{
    const struct sky_facts *facts = request->facts;
    bool sound = sky_json_is_object(request->envelope.params) && facts->peer_count == 1 &&
                 facts->peers[0].product.len > 0 && facts->peers[0].device.len > 0;
    return !sky_enos__refused_data(request, sound ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_NOT_JSON);
}

static void handle_login(const struct sky_uplink *uplink, const struct sky_facts *facts,
                         struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (!sky_enos__behind_open(&request, uplink, facts, judge, effects, SKY_ENOS_CODE_NOT_BEHIND) ||
        !names_one(&request))
        return;
    struct visit v = {.request = &request, .peer = facts->peers, .online = facts->online_count};
    sky_enos__proof_read(v.peer->item, SKY_SPAN_NONE, &effects->arena, &v.proof);
    enum sky_enos_code code = judge_login(&v);
    if (code != SKY_ENOS_CODE_OK) {
        sky_enos__reply(&request, code, keys_of(&request));
        return;
    }
    struct sky_enos_group group = sky_enos__group(&request);
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_enos__group_add(&group, v.peer);
    sky_enos__group_effect(effects, SKY_EFFECT_LOGIN, &group);
    let_in(&v, &jw);
    sky_enos__reply_saying(&request, code, SKY_SPAN("success"),
                           sky_envelope_keep(&effects->arena, &out));
}

/* A device that nobody knows is logged out already; one that is online elsewhere is another's. */
static void handle_logout(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (!sky_enos__behind_open(&request, uplink, facts, judge, effects, SKY_ENOS_CODE_NOT_BEHIND) ||
        !names_one(&request))
        return;
    const struct sky_peer *peer = facts->peers;
    bool others = peer->known != NULL && peer->online_elsewhere && !peer->online;
    bool broken =
        sky_judge_rule(judge, ENOS_RULE(SUB_BEHIND), !others,
                       "%.*s is logged out, and online by another than this gateway (code "
                       "740)",
                       SKY_SPAN_ARGS(sky_admit_shown(peer->device)));
    struct sky_enos_group group = sky_enos__group(&request);
    if (peer->known != NULL && peer->online)
        sky_enos__group_add(&group, peer);
    sky_enos__group_effect(effects, SKY_EFFECT_LOGOUT, &group);
    sky_enos__reply(&request, broken ? SKY_ENOS_CODE_NOT_BEHIND : SKY_ENOS_CODE_OK,
                    keys_of(&request));
}

/* ---- several at once ---- */

static size_t read_batch(const struct sky_uplink *uplink, struct sky_arena *arena,
                         struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    return sky_enos__behind_read(uplink, arena, "subDevices", ret_peers);
}

/* The two lists of a batch's answer, in the making. */
struct batch {
    struct sky_enos_group in;
    struct sky_enos_reasons reasons;
    struct sky_buf logined, failed;
    struct sky_jw logined_jw, failed_jw;
};

static void batch_init(struct batch *batch, const struct sky_enos_request *request)
{
    batch->in = sky_enos__group(request);
    sky_enos__reasons_init(&batch->reasons);
    sky_buf_init(&batch->logined, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_init(&batch->failed, SKY_ENVELOPE_REPLY_MAX);
    batch->logined_jw = sky_jw(&batch->logined);
    batch->failed_jw = sky_jw(&batch->failed);
    sky_jw_array(&batch->logined_jw);
    sky_jw_array(&batch->failed_jw);
}

static sky_span batch_done(struct batch *batch, struct sky_arena *arena)
{
    sky_jw_end_array(&batch->logined_jw);
    sky_jw_end_array(&batch->failed_jw);
    sky_span logined = sky_envelope_keep(arena, &batch->logined);
    sky_span failed = sky_envelope_keep(arena, &batch->failed);
    return sky_arena_printf(arena, "{\"loginedSubDevices\":%.*s,\"failedSubDevices\":%.*s}",
                            SKY_SPAN_ARGS(logined), SKY_SPAN_ARGS(failed));
}

static void batch_take(struct batch *batch, struct visit *v)
{
    enum sky_enos_code code = judge_login(v);
    if (code == SKY_ENOS_CODE_OK) {
        sky_enos__group_add(&batch->in, v->peer);
        let_in(v, &batch->logined_jw);
        return;
    }
    sky_enos__reasons_add(&batch->reasons, code, v->peer, sky_enos__code_text(code));
    sky_jw_object(&batch->failed_jw);
    sky_jw_put_span(&batch->failed_jw, "deviceKey", v->peer->device);
    sky_jw_put_span(&batch->failed_jw, "productKey", v->peer->product);
    sky_jw_end_object(&batch->failed_jw);
}

/* Those that can come in do so, whatever becomes of the others; the code is the first other's. */
static void handle_batch(const struct sky_uplink *uplink, const struct sky_facts *facts,
                         struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    struct batch batch;
    if (!sky_enos__behind_open(&request, uplink, facts, judge, effects, SKY_ENOS_CODE_NOT_BEHIND))
        return;
    sky_span params = request.envelope.params;
    bool sound = sky_enos__behind_is_sound(&request, sky_json_member(params, "subDevices"));
    if (sky_enos__refused_data(&request, sound ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_NOT_JSON))
        return;
    batch_init(&batch, &request);
    struct visit v = {.request = &request, .online = facts->online_count};
    for (size_t i = 0; i < facts->peer_count; i++) {
        v.peer = &facts->peers[i];
        sky_enos__proof_read(v.peer->item, params, &effects->arena, &v.proof);
        batch_take(&batch, &v);
    }
    sky_enos__group_effect(effects, SKY_EFFECT_LOGIN, &batch.in);
    enum sky_enos_code code = batch.reasons.code;
    sky_span message = sky_enos__reasons_done(&batch.reasons, &effects->arena);
    sky_enos__reply_saying(&request, code, message, batch_done(&batch, &effects->arena));
}

/* ---- what the gateway is told ---- */

static void put_keys(struct sky_jw *jw, const struct sky_peer *peer)
{
    sky_jw_object(jw);
    sky_jw_put_span(jw, "productKey", peer->product);
    sky_jw_put_span(jw, "deviceKey", peer->device);
    sky_jw_end_object(jw);
}

/* The pages have a list. The C SDK reads an object, and drops a message that has a list; no other
 * looks inside. So one device is an object. Nothing tells of a changed topology. */
static void tell(const struct sky_uplink *gateway, enum sky_behind_event event,
                 const struct sky_peer *peers, size_t count, sky_span id,
                 struct sky_effects *effects)
{
    static const char *const words[] = {[SKY_BEHIND_ENABLED] = "enable",
                                        [SKY_BEHIND_DISABLED] = "disable",
                                        [SKY_BEHIND_DELETED] = "delete"};
    struct sky_arena *arena = &effects->arena;
    struct sky_buf out;
    if ((size_t)event >= SKY_COUNT(words) || words[event] == NULL || count == 0)
        return;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_span(&jw, "id", id);
    sky_jw_put_str(&jw, "version", "1.0");
    sky_jw_key(&jw, "params");
    if (count > 1)
        sky_jw_array(&jw);
    for (size_t i = 0; i < count; i++)
        put_keys(&jw, &peers[i]);
    if (count > 1)
        sky_jw_end_array(&jw);
    sky_jw_put_span(&jw, "method", sky_arena_printf(arena, "combine.%s", words[event]));
    sky_jw_end_object(&jw);
    sky_effects_message(effects, SKY_EFFECT_PUSH,
                        sky_arena_printf(arena, "/ext/session/%.*s/%.*s/combine/%s",
                                         SKY_SPAN_ARGS(gateway->product),
                                         SKY_SPAN_ARGS(gateway->device), words[event]),
                        sky_envelope_keep(arena, &out), 1);
}

/* Devices may be behind several gateways, and belong to the one that logged them in last. */
const struct sky_cloud_gateway sky_enos__gateway = {
    .shared = true, .bound_max = SKY_BEHIND_MAX, .online_max = SKY_ENOS_ONLINE_MAX, .tell = tell};

/* To what it was told; nothing waits for it. */
static void handle_told(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    sky_enos__begin(&request, uplink, facts, judge, effects);
    if (sky_enos__judge_message(&request) == SKY_ENOS_CODE_OK)
        sky_envelope_note(effects, "notice-confirmed", request.envelope.text);
}

const struct sky_service sky_enos_combine_login = {.name = "combine-login",
                                                   .reads = SKY_READS_DEVICE | SKY_READS_FRESH |
                                                            SKY_READS_COUNTS,
                                                   .handle = handle_login,
                                                   .peers = read_peer,
                                                   .suspect = suspect};
const struct sky_service sky_enos_combine_batch = {.name = "combine-login-batch",
                                                   .reads = SKY_READS_DEVICE | SKY_READS_FRESH |
                                                            SKY_READS_COUNTS,
                                                   .handle = handle_batch,
                                                   .peers = read_batch,
                                                   .suspect = suspect};
const struct sky_service sky_enos_combine_logout = {.name = "combine-logout",
                                                    .reads = SKY_READS_DEVICE,
                                                    .handle = handle_logout,
                                                    .peers = read_peer};
const struct sky_service sky_enos_notice_answer = {.name = "notice-answer", .handle = handle_told};
