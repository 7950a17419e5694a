/* Whom a gateway's message names: looked up for the cloud, and what it judged of them booked. */
#include <stdlib.h>

#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "server/broker/behind.h"
#include "server/broker/peers.h"
#include "server/registry/refusal.h"
#include "store/topology.h"

/* What a peer's pointers lead to. */
struct room {
    struct sky_product product;
    struct sky_device device;
    struct sky_judge judge;
};

struct other {
    int64_t gateway_id;
    bool found;
};

static bool is_other(void *ctx, const struct sky_product *product, const struct sky_device *device)
{
    struct other *other = ctx;
    (void)product;
    other->found |= device->id != other->gateway_id;
    return !other->found;
}

static void look_up_binding(struct sky_broker *broker, const struct sky_session *gateway,
                            struct sky_peer *peer)
{
    struct sky_store *store = broker->registry->store;
    struct other other = {.gateway_id = gateway->device_id};
    const struct sky_session *session = sky_session_find(broker->registry, peer->known->id);
    if (sky_store_is_bound(store, gateway->device_id, peer->known->id, &peer->bound) != SKY_OK)
        peer->bound = false;
    if (sky_store_each_gateway(store, peer->known->id, is_other, &other) == SKY_OK)
        peer->bound_elsewhere = other.found;
    if (session == NULL)
        return;
    peer->online = session->work->via == gateway;
    peer->online_elsewhere = !peer->online && (session->work->via != NULL || session->conn != NULL);
}

/* NOT_FOUND is none; any other error means that it is there and cannot be read. */
static sky_err look_up_document(struct sky_broker *broker, const char *name,
                                struct sky_arena *arena, struct sky_peer *peer)
{
    struct sky_buf body;
    sky_buf_init(&body, SKY_DOCUMENT_MAX);
    sky_err err = sky_store_get_document(broker->registry->store, peer->known->id,
                                         sky_span_str(name), &body, &peer->document_version);
    if (err == SKY_OK)
        peer->document = sky_arena_copy(arena, sky_buf_span(&body));
    sky_buf_done(&body);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

static void look_up(struct sky_broker *broker, const struct sky_session *gateway,
                    struct sky_arena *arena, struct sky_peer *peer)
{
    struct sky_registry *registry = broker->registry;
    struct room *room = sky_arena_take(arena, sizeof *room);
    room->product.id = room->device.id = 0;
    sky_err err =
        sky_store_find_device(registry->store, sky_span_str(gateway->product->cloud->name),
                              peer->product, peer->device, &room->product, &room->device);
    if (room->product.id != 0) {
        peer->known_product = &room->product;
        peer->allowed = room->product.node != SKY_NODE_GATEWAY &&
                        sky_product_takes_behind(gateway->product, room->product.key);
    }
    if (err == SKY_OK) {
        peer->known = &room->device;
        look_up_binding(broker, gateway, peer);
    }
    sky_judge_init(&room->judge,
                   room->product.id != 0
                       ? sky_product_policy(registry, sky_product_info(registry, room->product.id))
                       : &registry->policy);
    peer->judge = &room->judge;
}

static void draw_fresh(struct sky_broker *broker, struct sky_arena *arena, struct sky_peer *peer)
{
    char *text = sky_arena_take(arena, SKY_PEER_FRESH + 1);
    sky_rng_text(broker->registry->rng, text, SKY_PEER_FRESH);
    peer->fresh = sky_span_of(text, SKY_PEER_FRESH);
}

sky_err sky_peers_look_up(struct sky_broker *broker, const struct sky_session *gateway,
                          const struct sky_service *service, const struct sky_uplink *uplink,
                          struct sky_arena *arena, struct sky_facts *facts)
{
    sky_err err = SKY_OK;
    struct sky_peer *peers = sky_arena_take(arena, SKY_PEERS_MAX * sizeof *peers);
    memset(peers, 0, SKY_PEERS_MAX * sizeof *peers);
    facts->peer_count = service->peers(uplink, arena, peers);
    facts->peers = peers;
    for (size_t i = 0; i < facts->peer_count && err == SKY_OK; i++) {
        look_up(broker, gateway, arena, &peers[i]);
        if (service->reads & SKY_READS_FRESH)
            draw_fresh(broker, arena, &peers[i]);
        if (service->reads & SKY_READS_MODEL && peers[i].known_product != NULL)
            peers[i].model = sky_product_info(broker->registry, peers[i].known_product->id)->model;
        if (service->document != NULL && peers[i].known != NULL)
            err = look_up_document(broker, service->document, arena, &peers[i]);
    }
    return err;
}

void sky_peers_look_up_topic(struct sky_broker *broker, const struct sky_session *gateway,
                             const struct sky_uplink *uplink, struct sky_arena *arena,
                             struct sky_facts *facts)
{
    sky_span product, device, rest = uplink->topic;
    while (sky_behind_next_pair(&rest, &product, &device)) {
        struct sky_peer found = {.product = product, .device = device};
        look_up(broker, gateway, arena, &found);
        if (found.known == NULL)
            continue;
        facts->peers = sky_arena_take(arena, sizeof *facts->peers);
        *facts->peers = found;
        facts->peer_count = 1;
        return;
    }
}

/* ---- all that are bound ---- */

struct listing {
    struct sky_arena *arena;
    struct sky_name *names;
    size_t count;
};

static bool take_name(void *ctx, const struct sky_product *product, const struct sky_device *device)
{
    struct listing *listing = ctx;
    listing->names[listing->count++] =
        (struct sky_name){sky_arena_copy(listing->arena, sky_span_str(product->key)),
                          sky_arena_copy(listing->arena, sky_span_str(device->key))};
    return listing->count < SKY_BEHIND_MAX;
}

void sky_peers_count(struct sky_broker *broker, const struct sky_session *gateway,
                     struct sky_facts *facts)
{
    facts->behind_count = sky_store_count_behind(broker->registry->store, gateway->device_id);
    facts->online_count = gateway->work->behind_count;
}

sky_err sky_peers_list(struct sky_broker *broker, const struct sky_session *gateway,
                       struct sky_arena *arena, struct sky_facts *facts)
{
    struct listing listing = {.arena = arena};
    listing.names = sky_arena_take(arena, SKY_BEHIND_MAX * sizeof *listing.names);
    sky_err err = sky_store_each_behind(broker->registry->store, gateway->device_id, SKY_BEHIND_MAX,
                                        take_name, &listing);
    facts->behind = listing.names;
    facts->behind_count = listing.count;
    facts->online_count = gateway->work->behind_count;
    return err;
}

/* ---- what the cloud judged ---- */

static const struct sky_rule *rule_of(const void *ctx, enum sky_mistake mistake)
{
    return sky_cloud_mistake_rule(ctx, mistake);
}

/* As the registry's explanations have it. */
static void as_lookup(const struct sky_uplink *uplink, const struct sky_facts *facts,
                      const struct sky_peer *peer, struct sky_lookup *ret)
{
    *ret = (struct sky_lookup){
        .cloud = uplink->cloud,
        .claim = {.kind = SKY_CLAIM_NAMED, .product = peer->product, .device = peer->device}};
    ret->facts.now_ms = facts->now_ms;
    if (peer->known_product != NULL) {
        ret->product = *peer->known_product;
        ret->facts.product = &ret->product;
    }
    if (peer->known != NULL) {
        ret->device = *peer->known;
        ret->facts.device = &ret->device;
    }
}

/* Its own secret is what a gateway signs with by mistake, most of all. */
static void add_gateways_secret(struct sky_broker *broker, const struct sky_uplink *uplink,
                                struct sky_arena *arena, struct sky_suspicion *suspicion)
{
    struct sky_product product;
    struct sky_device device;
    if (suspicion->secret_count >= SKY_SECRETS_MAX ||
        sky_store_find_device(broker->registry->store, sky_span_str(uplink->cloud->name),
                              uplink->product, uplink->device, &product, &device) != SKY_OK ||
        device.secret[0] == '\0')
        return;
    suspicion->secrets[suspicion->secret_count++] =
        (struct sky_secret){.role = SKY_SECRET_OTHER,
                            .bytes = sky_arena_copy(arena, sky_span_str(device.secret)),
                            .name = sky_arena_printf(arena, "%s, the gateway", device.key)};
}

static void explain(struct sky_broker *broker, const struct sky_service *service,
                    const struct sky_uplink *uplink, const struct sky_facts *facts,
                    const struct sky_peer *peer, struct sky_refusal *refusal)
{
    struct sky_registry *registry = broker->registry;
    bool unknown = peer->cause == SKY_CAUSE_UNKNOWN;
    bool forged = peer->cause == SKY_CAUSE_SIGNATURE && service->suspect != NULL;
    if (!unknown && !forged)
        return;
    refusal->unsearched = !sky_refusal_may_search(registry);
    if (refusal->unsearched)
        return;
    struct sky_arena arena;
    struct sky_lookup lookup;
    struct sky_suspicion suspicion = {.now_ms = facts->now_ms};
    as_lookup(uplink, facts, peer, &lookup);
    sky_arena_init(&arena);
    if (unknown)
        sky_refusal_find_similar(registry, &lookup, refusal);
    else if (service->suspect(uplink, peer, &suspicion, &arena)) {
        add_gateways_secret(broker, uplink, &arena, &suspicion);
        sky_refusal_explain(registry, &lookup, &suspicion, &arena, rule_of, uplink->cloud,
                            peer->judge, refusal);
    }
    sky_arena_done(&arena);
}

static void record_turned_away(struct sky_broker *broker, const struct sky_service *service,
                               const struct sky_uplink *uplink, const struct sky_facts *facts,
                               const struct sky_peer *peer, uint64_t of)
{
    struct sky_refusal refusal = {.explained = false};
    struct sky_buf explanation;
    struct sky_draft draft;
    char name[2 * SKY_KEY_MAX + 2];
    explain(broker, service, uplink, facts, peer, &refusal);
    sky_buf_init(&explanation, SKY_REFUSAL_JSON_MAX);
    sky_draft_begin(
        &draft, (struct sky_event_head){.type = SKY_EVENT_SUB_DEVICE,
                                        .direction = SKY_UP,
                                        .transport = uplink->transport,
                                        .device_id = peer->known != NULL ? peer->known->id : 0});
    snprintf(name, sizeof name, "%.*s/%.*s", SKY_SPAN_ARGS(uplink->product),
             SKY_SPAN_ARGS(uplink->device));
    sky_draft_add(&draft, SKY_ATTR(SERVICE, sky_span_str(service->name)));
    sky_draft_add(&draft, SKY_ATTR(GATEWAY, sky_span_str(name)));
    sky_draft_add(&draft, SKY_ATTR_INT(OF, (int64_t)of));
    sky_draft_add(&draft, SKY_ATTR(CLOUD, sky_span_str(uplink->cloud->name)));
    if (peer->known == NULL) {
        sky_draft_add(&draft, SKY_ATTR(PRODUCT, peer->product));
        sky_draft_add(&draft, SKY_ATTR(DEVICE_KEY, peer->device));
    }
    if (peer->cause != SKY_CAUSE_NONE) {
        sky_refusal_json(&refusal, peer->judge, &explanation);
        sky_draft_add(&draft, SKY_ATTR(EXPLANATION, sky_buf_span(&explanation)));
    }
    sky_journal_record(broker->registry->journal, &draft, peer->judge);
    sky_buf_done(&explanation);
}

void sky_peers_judged(struct sky_broker *broker, const struct sky_service *service,
                      const struct sky_uplink *uplink, const struct sky_facts *facts, uint64_t of)
{
    for (size_t i = 0; i < facts->peer_count; i++) {
        const struct sky_peer *peer = &facts->peers[i];
        if (peer->cause != SKY_CAUSE_NONE || peer->judge->count > 0)
            record_turned_away(broker, service, uplink, facts, peer, of);
        if (peer->known != NULL)
            sky_session_judged(sky_session_open(broker->registry, peer->known_product, peer->known),
                               peer->judge);
    }
}
