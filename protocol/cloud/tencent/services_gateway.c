/* What a gateway says of the devices behind it ("网关子设备"): which there are, that one is bound
 * or not any more, that it is online or not. */
#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/login.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/cloud/tencent/services.h"

enum {
    LIST_BYTES_MAX = 1023, /* of a list that the C SDK reads: 18 devices with usual names */
    BIND_WINDOW_S = 600,   /* between the bind's time and now; the vendor publishes none */
};

/* The result of one device. The vendor's texts, and whose fault it is. */
enum result {
    RESULT_OK = 0,
    RESULT_UNBOUND = -1,
    RESULT_SYSTEM = -2,
    RESULT_PARAMETER = 801,
    RESULT_UNKNOWN = 802,
    RESULT_SIGNATURE = 803,
    RESULT_METHOD = 804,
    RESULT_EXPIRED = 805,
    RESULT_ELSEWHERE = 806,
    RESULT_NOT_ORDINARY = 807,
    RESULT_NO_GATEWAY = 808,
    RESULT_REPEATED = 809,
    RESULT_UNSUPPORTED = 810,
};

/* One message on its way through. */
struct request {
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    const struct type *type;
};

/* What a message may ask for. */
struct type {
    const char *name;
    void (*run)(struct request *request);
    enum result (*check)(const struct request *request, struct sky_peer *peer);
    enum sky_effect_kind effect; /* on the devices that pass the check */
};

/* ---- the signature of a bind ---- */

/* Its fields; empty where one is missing or of another JSON type. */
struct bind {
    sky_span signature, random, timestamp, signmethod, authtype;
};

static sky_span text_of(sky_span item, const char *key)
{
    sky_span value = sky_json_member(item, key);
    return sky_json_is_string(value) ? sky_json_text(value) : SKY_SPAN_NONE;
}

static sky_span number_of(sky_span item, const char *key)
{
    sky_span value = sky_json_member(item, key);
    return sky_json_is_number(value) ? value : SKY_SPAN_NONE;
}

static struct bind read_bind(sky_span item)
{
    return (struct bind){.signature = text_of(item, "signature"),
                         .random = number_of(item, "random"),
                         .timestamp = number_of(item, "timestamp"),
                         .signmethod = text_of(item, "signmethod"),
                         .authtype = text_of(item, "authtype")};
}

/* The key is the text of the device's psk: unlike in a login it is not decoded. */
static struct sky_recipe recipe_of(const struct bind *bind, const struct sky_peer *peer,
                                   enum sky_digest digest, struct sky_arena *arena)
{
    struct sky_recipe recipe = {.digest = digest,
                                .keying = SKY_HMAC,
                                .encoding = SKY_BASE64,
                                .style = {.values_only = true, .between = ";"}};
    sky_recipe_add(&recipe, "device",
                   sky_arena_printf(arena, "%.*s%.*s", SKY_SPAN_ARGS(peer->product),
                                    SKY_SPAN_ARGS(peer->device)));
    sky_recipe_add(&recipe, "random", bind->random);
    sky_recipe_add(&recipe, "timestamp", bind->timestamp);
    return recipe;
}

/* Other texts that devices sign, of which the first is printed so in one edition of the documents.
 * Their first field is all there is to sign. */
static void recognise(const struct bind *bind, const struct sky_peer *peer, enum sky_digest digest,
                      struct sky_arena *arena, struct sky_suspicion *s)
{
    const sky_span product = peer->product, device = peer->device, random = bind->random,
                   timestamp = bind->timestamp;
    const struct {
        enum sky_mistake mistake;
        const char *did;
        sky_span text;
    } rows[] = {
        {SKY_MISTAKE_SEPARATORS,
         "signed {product_id}{device_name};{random}{timestamp}, without the second semicolon",
         sky_arena_printf(arena, "%.*s%.*s;%.*s%.*s", SKY_SPAN_ARGS(product), SKY_SPAN_ARGS(device),
                          SKY_SPAN_ARGS(random), SKY_SPAN_ARGS(timestamp))},
        {SKY_MISTAKE_SEPARATORS,
         "signed {product_id};{device_name};{random};{timestamp}, with a semicolon too many",
         sky_arena_printf(arena, "%.*s;%.*s;%.*s;%.*s", SKY_SPAN_ARGS(product),
                          SKY_SPAN_ARGS(device), SKY_SPAN_ARGS(random), SKY_SPAN_ARGS(timestamp))},
        {SKY_MISTAKE_SWAPPED_KEYS,
         "signed {device_name}{product_id};{random};{timestamp}, the device before its product",
         sky_arena_printf(arena, "%.*s%.*s;%.*s;%.*s", SKY_SPAN_ARGS(device),
                          SKY_SPAN_ARGS(product), SKY_SPAN_ARGS(random), SKY_SPAN_ARGS(timestamp))},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_recipe recipe = recipe_of(bind, peer, digest, arena);
        recipe.field_count = 1;
        recipe.fields[0].value = rows[i].text;
        if (!sky_sign_matches(&recipe, sky_span_str(peer->known->secret), bind->signature))
            continue;
        s->plain = rows[i].mistake;
        s->plain_did = sky_span_str(rows[i].did);
    }
}

static bool suspect(const struct sky_uplink *uplink, const struct sky_peer *peer,
                    struct sky_suspicion *s, struct sky_arena *arena)
{
    (void)uplink;
    struct bind bind = read_bind(peer->item);
    const struct sky_signmethod *method = sky_tencent__signmethod(bind.signmethod);
    if (method == NULL || peer->known == NULL || peer->known->secret[0] == '\0')
        return false;
    s->due = recipe_of(&bind, peer, method->digest, arena);
    s->given = bind.signature;
    s->product = peer->product;
    s->device = peer->device;
    s->method = sky_span_str(method->name);
    s->secret_word = "psk";
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(peer->known->secret));
    sky_suspect_secret(s, SKY_SECRET_PRODUCT, sky_span_str(peer->known_product->secret));
    sky_suspect_secret(s, SKY_SECRET_OLD, sky_span_str(peer->known->old_secret));
    recognise(&bind, peer, method->digest, arena, s);
    return true;
}

/* With a certificate the key is a digest of its file, of which only another digest is registered
 * here: such a bind passes if the device has a certificate at all. */
static bool is_signed(const struct request *request, const struct bind *bind,
                      const struct sky_peer *peer, enum sky_digest digest)
{
    if (sky_span_eq_str(bind->authtype, "certificate"))
        return peer->known->fingerprint[0] != '\0';
    struct sky_recipe recipe = recipe_of(bind, peer, digest, &request->effects->arena);
    return sky_sign_matches(&recipe, sky_span_str(peer->known->secret), bind->signature);
}

/* ---- checks, in this server's order: the vendor publishes none ---- */

static enum result turn_away(struct sky_peer *peer, enum sky_cause cause, enum result result)
{
    peer->cause = cause;
    return result;
}

static enum result check_named(const struct request *request, struct sky_peer *peer)
{
    bool named = peer->product.len > 0 && peer->device.len > 0;
    sky_judge_rule(request->judge, TEN_RULE(GATEWAY_PARAMETER), named,
                   "%s of a device without product_id and device_name", request->type->name);
    return named ? RESULT_OK : turn_away(peer, SKY_CAUSE_SHAPE, RESULT_PARAMETER);
}

static enum result check_known(struct sky_peer *peer)
{
    sky_judge_rule(peer->judge, TEN_RULE(GATEWAY_DEVICE), peer->known != NULL,
                   "product '%.*s' has no device '%.*s'",
                   SKY_SPAN_ARGS(sky_admit_shown(peer->product)),
                   SKY_SPAN_ARGS(sky_admit_shown(peer->device)));
    return peer->known != NULL ? RESULT_OK : turn_away(peer, SKY_CAUSE_UNKNOWN, RESULT_UNKNOWN);
}

static enum result check_product(struct sky_peer *peer)
{
    return sky_judge_rule(peer->judge, TEN_RULE(GATEWAY_PRODUCT), peer->allowed,
                          "product %s is none of the gateway product's sub-products",
                          peer->known_product->key)
               ? turn_away(peer, SKY_CAUSE_STATE, RESULT_UNSUPPORTED)
               : RESULT_OK;
}

/* Of a signature the gateway's firmware is judged, which makes it, besides the device. True when it
 * is refused. */
static bool SKY_PRINTF(5, 6)
    judge_signature(const struct request *request, const struct sky_peer *peer,
                    const struct sky_rule *rule, bool kept, const char *fmt, ...)
{
    struct sky_judge *const judges[] = {request->judge, peer->judge};
    char what[SKY_WHY_REASON_MAX];
    bool refused = false;
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    for (size_t i = 0; i < SKY_COUNT(judges); i++)
        refused |= sky_judge_rule(judges[i], rule, kept, "%s/%s: %s", peer->known_product->key,
                                  peer->known->key, what);
    return refused;
}

static enum result check_signature(const struct request *request, struct sky_peer *peer,
                                   const struct bind *bind)
{
    int64_t time_s = (int64_t)sky_json_number(bind->timestamp),
            now_s = request->facts->now_ms / 1000;
    const struct sky_signmethod *method = sky_tencent__signmethod(bind->signmethod);
    bool psk = sky_span_eq_str(bind->authtype, "psk"),
         certificate = sky_span_eq_str(bind->authtype, "certificate");
    judge_signature(request, peer, TEN_RULE(GATEWAY_METHOD), method != NULL && (psk || certificate),
                    "signmethod '%.*s', authtype '%.*s'",
                    SKY_SPAN_ARGS(sky_admit_shown(bind->signmethod)),
                    SKY_SPAN_ARGS(sky_admit_shown(bind->authtype)));
    if (method == NULL || !(psk || certificate))
        return turn_away(peer, SKY_CAUSE_STATE, RESULT_METHOD);
    if (judge_signature(request, peer, TEN_RULE(GATEWAY_SIGN),
                        is_signed(request, bind, peer, method->digest),
                        "the signature is not the base64 of the %s of "
                        "{product_id}{device_name};{random};{timestamp} with the device's %s",
                        method->name, psk ? "psk, undecoded" : "certificate"))
        return turn_away(peer, SKY_CAUSE_SIGNATURE, RESULT_SIGNATURE);
    return judge_signature(request, peer, TEN_RULE(GATEWAY_EXPIRED),
                           time_s > now_s - BIND_WINDOW_S && time_s < now_s + BIND_WINDOW_S,
                           "the bind was signed at %lld, and it is %lld", (long long)time_s,
                           (long long)now_s)
               ? turn_away(peer, SKY_CAUSE_STATE, RESULT_EXPIRED)
               : RESULT_OK;
}

static enum result check_sender(const struct request *request, struct sky_peer *peer)
{
    const struct sky_product *product = request->facts->product;
    return sky_judge_rule(request->judge, TEN_RULE(GATEWAY_SENDER),
                          product->node == SKY_NODE_GATEWAY, "product %s is no gateway's",
                          product->key)
               ? turn_away(peer, SKY_CAUSE_STATE, RESULT_NO_GATEWAY)
               : RESULT_OK;
}

static enum result check_ordinary(const struct request *request, struct sky_peer *peer)
{
    bool ordinary = peer->known_product->node != SKY_NODE_GATEWAY &&
                    peer->known->id != request->facts->device->id;
    sky_judge_rule(peer->judge, TEN_RULE(GATEWAY_ORDINARY), ordinary, "%s/%s is a gateway itself",
                   peer->known_product->key, peer->known->key);
    return ordinary ? RESULT_OK : turn_away(peer, SKY_CAUSE_STATE, RESULT_NOT_ORDINARY);
}

static enum result check_bind(const struct request *request, struct sky_peer *peer)
{
    struct bind bind = read_bind(peer->item);
    bool complete = bind.signature.len > 0 && bind.random.len > 0 && bind.timestamp.len > 0 &&
                    bind.signmethod.len > 0 && bind.authtype.len > 0;
    enum result result = check_named(request, peer);
    if (result == RESULT_OK) {
        sky_judge_rule(request->judge, TEN_RULE(GATEWAY_PARAMETER), complete,
                       "a bind without signature, random, timestamp, signmethod or authtype");
        result = complete ? check_sender(request, peer)
                          : turn_away(peer, SKY_CAUSE_SHAPE, RESULT_PARAMETER);
    }
    if (result == RESULT_OK)
        result = check_known(peer);
    if (result == RESULT_OK)
        result = check_ordinary(request, peer);
    if (result == RESULT_OK)
        result = check_product(peer);
    if (result == RESULT_OK)
        result = check_signature(request, peer, &bind);
    if (result == RESULT_OK && peer->bound)
        result = RESULT_REPEATED; /* samples bind at every start: that is no fault */
    if (result == RESULT_OK &&
        sky_judge_rule(peer->judge, TEN_RULE(GATEWAY_ELSEWHERE), !peer->bound_elsewhere,
                       "%s/%s is bound to another gateway", peer->known_product->key,
                       peer->known->key))
        result = turn_away(peer, SKY_CAUSE_STATE, RESULT_ELSEWHERE);
    /* No code is published for one too many. */
    if (result == RESULT_OK && request->facts->behind_count >= SKY_TENCENT_BEHIND_MAX)
        result = turn_away(peer, SKY_CAUSE_STATE, RESULT_SYSTEM);
    return result;
}

/* Of a device that has to be bound to this gateway. */
static enum result check_bound(const struct request *request, struct sky_peer *peer)
{
    enum result result = check_named(request, peer);
    if (result == RESULT_OK)
        result = check_known(peer);
    if (result == RESULT_OK)
        result = check_product(peer);
    if (result != RESULT_OK)
        return result;
    sky_judge_rule(peer->judge, TEN_RULE(GATEWAY_UNBOUND), peer->bound,
                   "%s of %s/%s, which is not bound to this gateway", request->type->name,
                   peer->known_product->key, peer->known->key);
    return peer->bound ? RESULT_OK : turn_away(peer, SKY_CAUSE_STATE, RESULT_UNBOUND);
}

static enum result check_online(const struct request *request, struct sky_peer *peer)
{
    enum result result = check_bound(request, peer);
    return result == RESULT_OK &&
                   sky_judge_rule(peer->judge, TEN_RULE(DEVICE_DISABLED), peer->known->enabled,
                                  "device %s is disabled", peer->known->key)
               ? turn_away(peer, SKY_CAUSE_STATE, RESULT_SYSTEM)
               : result;
}

/* ---- what a message does ---- */

static void write_name(struct sky_jw *jw, sky_span product, sky_span device)
{
    sky_jw_object(jw);
    sky_jw_put_span(jw, "product_id", product);
    sky_jw_put_span(jw, "device_name", device);
}

static void begin_message(struct sky_jw *jw, const char *type)
{
    sky_jw_object(jw);
    sky_jw_put_str(jw, "type", type);
    sky_jw_key(jw, "payload");
    sky_jw_object(jw);
}

static void end_list(struct sky_jw *jw)
{
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    sky_jw_end_object(jw);
}

static void reply(const struct request *request, struct sky_buf *out)
{
    sky_envelope_reply(
        request->effects, request->uplink,
        sky_tencent_result_topic(request->uplink, "gateway", &request->effects->arena), out);
}

/* Whole, however long it becomes: nothing is known of the real cloud's pages. */
static void run_describe(struct request *request)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    begin_message(&jw, request->type->name);
    sky_jw_key(&jw, "devices");
    sky_jw_array(&jw);
    for (size_t i = 0; i < request->facts->behind_count; i++) {
        write_name(&jw, request->facts->behind[i].product, request->facts->behind[i].device);
        sky_jw_end_object(&jw);
    }
    end_list(&jw);
    sky_judge_rule(request->judge, TEN_RULE(GATEWAY_LIST), out.len <= LIST_BYTES_MAX,
                   "the list of %zu devices has %zu bytes", request->facts->behind_count, out.len);
    reply(request, &out);
}

/* One answer for all devices, in the order asked. */
static void run_devices(struct request *request)
{
    const struct sky_facts *facts = request->facts;
    int64_t *ids = sky_arena_take(&request->effects->arena, (facts->peer_count + 1) * sizeof *ids);
    size_t count = 0;
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    begin_message(&jw, request->type->name);
    sky_jw_key(&jw, "devices");
    sky_jw_array(&jw);
    for (size_t i = 0; i < facts->peer_count; i++) {
        struct sky_peer *peer = &facts->peers[i];
        enum result result = request->type->check(request, peer);
        if (result == RESULT_OK)
            ids[count++] = peer->known->id;
        if (result == RESULT_OK && request->type->effect == SKY_EFFECT_LOGIN &&
            peer->known->state != SKY_DEVICE_ACTIVE)
            sky_effects_add(request->effects, SKY_EFFECT_ONLINE)->subject = peer->known->id;
        write_name(&jw, peer->product, peer->device);
        sky_jw_put_int(&jw, "result", result);
        sky_jw_end_object(&jw);
    }
    if (facts->peer_count == 0) {
        sky_judge_broken(request->judge, TEN_RULE(GATEWAY_PARAMETER), "%s names no devices",
                         request->type->name);
        sky_jw_object(&jw);
        sky_jw_put_int(&jw, "result", RESULT_PARAMETER);
        sky_jw_end_object(&jw);
    }
    end_list(&jw);
    if (count > 0) {
        struct sky_effect *effect = sky_effects_add(request->effects, request->type->effect);
        effect->devices = ids;
        effect->device_count = count;
    }
    reply(request, &out);
}

/* The answer to a change that it was told of. */
static void run_nothing(struct request *request)
{
    (void)request;
}

static const struct type types[] = {
    {.name = "describe_sub_devices", .run = run_describe},
    {.name = "bind", .run = run_devices, .check = check_bind, .effect = SKY_EFFECT_BIND},
    {.name = "unbind", .run = run_devices, .check = check_bound, .effect = SKY_EFFECT_UNBIND},
    {.name = "online", .run = run_devices, .check = check_online, .effect = SKY_EFFECT_LOGIN},
    {.name = "offline", .run = run_devices, .check = check_bound, .effect = SKY_EFFECT_LOGOUT},
    {.name = "change", .run = run_nothing},
};

/* A message that is none gets no answer: none is documented. */
static void handle_gateway(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request = {.uplink = uplink, .facts = facts, .judge = judge, .effects = effects};
    struct sky_envelope envelope;
    sky_envelope_open(&envelope, uplink->payload, SKY_TENCENT_MESSAGE_MAX);
    sky_span name = sky_json_member(envelope.text, "type");
    for (size_t i = 0; i < SKY_COUNT(types); i++)
        if (sky_json_is_string(name) && sky_json_reads(sky_json_text(name), types[i].name))
            request.type = &types[i];
    sky_judge_kept(judge, TEN_RULE(SERVICE_UNKNOWN));
    sky_judge_rule(judge, TEN_RULE(GATEWAY_REQUEST), request.type != NULL,
                   "no JSON object with a type that gateways have: %.*s",
                   SKY_SPAN_ARGS(name.len > 0 ? sky_span_head(name, SKY_ENVELOPE_NAME_MAX)
                                              : SKY_SPAN("missing")));
    if (request.type != NULL)
        request.type->run(&request);
}

static size_t list_peers(const struct sky_uplink *uplink, struct sky_arena *arena,
                         struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    (void)arena;
    size_t count = 0;
    struct sky_envelope envelope;
    sky_envelope_open(&envelope, uplink->payload, SKY_TENCENT_MESSAGE_MAX);
    sky_span item,
        rest =
            sky_json_inside(sky_json_member(sky_json_member(envelope.text, "payload"), "devices"));
    while (count < SKY_PEERS_MAX && sky_json_next_element(&rest, &item))
        ret_peers[count++] = (struct sky_peer){.product = text_of(item, "product_id"),
                                               .device = text_of(item, "device_name"),
                                               .item = item};
    return count;
}

/* A message that only looks like it costs a list that nobody reads. */
static bool wants_list(const struct sky_uplink *uplink)
{
    return sky_span_contains(uplink->payload, SKY_SPAN("describe_sub_devices"));
}

const struct sky_service sky_tencent_gateway = {.name = "gateway",
                                                .reads = SKY_READS_DEVICE | SKY_READS_COUNTS |
                                                         SKY_READS_BEHIND,
                                                .handle = handle_gateway,
                                                .peers = list_peers,
                                                .lists = wants_list,
                                                .suspect = suspect};

/* ---- what the gateway is told ---- */

/* Only that the topology is another one now; sent as an answer is, to one who subscribed. */
static void tell(const struct sky_uplink *gateway, enum sky_behind_event event,
                 const struct sky_peer *peers, size_t count, sky_span id,
                 struct sky_effects *effects)
{
    (void)id;
    bool bound = event == SKY_BEHIND_BOUND;
    if (!bound && event != SKY_BEHIND_UNBOUND && event != SKY_BEHIND_DELETED)
        return;
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    begin_message(&jw, "change");
    sky_jw_put_int(&jw, "status", bound);
    sky_jw_key(&jw, "devices");
    sky_jw_array(&jw);
    for (size_t i = 0; i < count; i++) {
        write_name(&jw, peers[i].product, peers[i].device);
        sky_jw_end_object(&jw);
    }
    end_list(&jw);
    sky_effects_message(effects, SKY_EFFECT_REPLY,
                        sky_tencent_result_topic(gateway, "gateway", &effects->arena),
                        sky_envelope_keep(&effects->arena, &out), 1);
}

/* Bound is enough: after a reconnect the C SDK subscribes to its sub-devices' topics again and
 * never repeats that they are online. */
const struct sky_cloud_gateway sky_tencent_behind = {.opens_when_bound = true,
                                                     .bound_max = SKY_TENCENT_BEHIND_MAX,
                                                     .online_max = SKY_TENCENT_BEHIND_MAX,
                                                     .unannounced_rule =
                                                         TEN_RULE(GATEWAY_UNANNOUNCED),
                                                     .tell = tell};
