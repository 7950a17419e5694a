/* A table row for a service of gateways: what a gateway publishes about devices behind it, with a
 * small registry to look them up in. */
#ifndef SKY_TEST_GATEWAY_CASE_H
#define SKY_TEST_GATEWAY_CASE_H

#include "tests/unit/cloud/service_case.h"

/* A device of the small registry; its id is its place, counted from 1. */
struct gateway_device {
    const char *product, *device, *secret, *product_secret;
    enum sky_node node;
    bool disabled, dynamic, disallowed;
    bool bound, bound_elsewhere, online, online_elsewhere;
    const char *document; /* that the service reads, in its version 7; NULL: it has none */
};

struct gateway_case {
    const char *name;
    const struct sky_service *service;
    const char *topic, *payload;
    const char *reply_topic, *reply; /* NULL: nothing is answered */
    const char *did; /* to devices, in order: "bind 1 2", "login 3", "register d1", "put 4 {..}"; ",
                        " between */
    const char *rule;      /* the gateway's first finding's; NULL: there is none */
    const char *peer_rule; /* the first finding of a device behind it; NULL: there is none */
    bool suspected;        /* the service recomputes a device's signature */
};

struct gateway_bench {
    struct service_bench base;
    const struct gateway_device *devices;
    size_t device_count;
    enum sky_node node; /* of the gateway's own product */
    size_t online_count;
    size_t behind_more; /* bound besides those of the small registry; they have no names */
    struct sky_product product, products[16];
    struct sky_device device, known[16];
    struct sky_peer peers[SKY_PEERS_MAX];
    struct sky_judge judges[16];
    struct sky_name behind[16];
};

static inline void gateway_look_up(struct gateway_bench *bench, struct sky_peer *peer, size_t place)
{
    static const char fresh[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab";
    assert_true(place < SKY_COUNT(bench->judges));
    sky_judge_init(&bench->judges[place], &bench->base.policy);
    peer->judge = &bench->judges[place];
    peer->allowed = true;
    peer->fresh = sky_span_of(fresh, SKY_PEER_FRESH);
    for (size_t i = 0; i < bench->device_count; i++) {
        const struct gateway_device *row = &bench->devices[i];
        if (!sky_span_eq_str(peer->product, row->product))
            continue;
        peer->known_product = &bench->products[i];
        peer->allowed = !row->disallowed;
        if (!sky_span_eq_str(peer->device, row->device))
            continue;
        peer->known = &bench->known[i];
        peer->bound = row->bound;
        peer->bound_elsewhere = row->bound_elsewhere;
        peer->online = row->online;
        peer->online_elsewhere = row->online_elsewhere;
        peer->document = sky_span_str(row->document);
        peer->document_version = row->document != NULL ? CASE_VERSION : 0;
        return;
    }
}

static inline void gateway_init(struct gateway_bench *bench, const char *cloud, const char *product,
                                const char *device, const struct gateway_device *devices,
                                size_t count)
{
    *bench = (struct gateway_bench){.devices = devices, .device_count = count};
    assert_true(count <= SKY_COUNT(bench->known));
    bench_init(&bench->base, cloud, product, device);
    bench->node = SKY_NODE_GATEWAY;
    snprintf(bench->product.key, sizeof bench->product.key, "%s", product);
    snprintf(bench->device.key, sizeof bench->device.key, "%s", device);
    bench->product.id = bench->device.id = 100;
    for (size_t i = 0; i < count; i++) {
        const struct gateway_device *row = &devices[i];
        struct sky_product *its = &bench->products[i];
        struct sky_device *known = &bench->known[i];
        its->id = (int64_t)i + 1;
        its->node = row->node;
        its->dynamic_activation = row->dynamic;
        known->id = (int64_t)i + 1;
        known->enabled = !row->disabled;
        snprintf(its->key, sizeof its->key, "%s", row->product);
        snprintf(its->secret, sizeof its->secret, "%s",
                 row->product_secret != NULL ? row->product_secret : "");
        snprintf(known->key, sizeof known->key, "%s", row->device);
        snprintf(known->secret, sizeof known->secret, "%s", row->secret != NULL ? row->secret : "");
        bench->online_count += row->online;
    }
}

static inline void gateway_send(struct gateway_bench *bench, const struct sky_service *service,
                                const char *topic, const char *payload)
{
    struct sky_facts *facts = &bench->base.facts;
    size_t behind = 0;
    bench->product.node = bench->node;
    facts->product = &bench->product;
    facts->device = &bench->device;
    for (size_t i = 0; i < bench->device_count; i++)
        if (bench->devices[i].bound)
            bench->behind[behind++] = (struct sky_name){sky_span_str(bench->devices[i].product),
                                                        sky_span_str(bench->devices[i].device)};
    facts->behind = bench->behind;
    facts->behind_count = behind + bench->behind_more;
    facts->online_count = bench->online_count;
    sky_effects_clear(&bench->base.effects);
    bench->base.uplink.topic = sky_span_str(topic);
    bench->base.uplink.payload = sky_span_str(payload);
    memset(bench->peers, 0, sizeof bench->peers);
    facts->peers = bench->peers;
    facts->peer_count =
        service->peers != NULL
            ? service->peers(&bench->base.uplink, &bench->base.effects.arena, bench->peers)
            : 0;
    for (size_t i = 0; i < facts->peer_count; i++)
        gateway_look_up(bench, &bench->peers[i], i);
    sky_judge_init(&bench->base.judge, &bench->base.policy);
    service->handle(&bench->base.uplink, facts, &bench->base.judge, &bench->base.effects);
}

/* What was done to devices, as struct gateway_case has it. */
static inline void gateway_did(const struct gateway_bench *bench, struct sky_buf *out)
{
    static const char *const words[] = {
        [SKY_EFFECT_BIND] = "bind",        [SKY_EFFECT_UNBIND] = "unbind",
        [SKY_EFFECT_LOGIN] = "login",      [SKY_EFFECT_LOGOUT] = "logout",
        [SKY_EFFECT_ACTIVATE] = "give",    [SKY_EFFECT_REGISTER] = "register",
        [SKY_EFFECT_PUT_DOCUMENT] = "put",
    };
    for (size_t i = 0; i < bench->base.effects.count; i++) {
        const struct sky_effect *effect = &bench->base.effects.list[i];
        if ((size_t)effect->kind >= SKY_COUNT(words) || words[effect->kind] == NULL)
            continue;
        sky_buf_addf(out, "%s%s", out->len > 0 ? ", " : "", words[effect->kind]);
        if (effect->kind == SKY_EFFECT_ACTIVATE || effect->kind == SKY_EFFECT_PUT_DOCUMENT)
            sky_buf_addf(out, " %d", (int)effect->subject);
        if (effect->kind == SKY_EFFECT_PUT_DOCUMENT)
            sky_buf_addf(out, " %.*s", SKY_SPAN_ARGS(effect->payload));
        for (size_t j = 0; j < effect->device_count && effect->kind != SKY_EFFECT_ACTIVATE; j++)
            if (effect->kind == SKY_EFFECT_REGISTER)
                sky_buf_addf(out, " %.*s", SKY_SPAN_ARGS(effect->registrations[j].device));
            else
                sky_buf_addf(out, " %d", (int)effect->devices[j]);
    }
}

static inline void run_gateway_case(struct gateway_bench *bench, const struct gateway_case *row)
{
    const struct service_case as_service = {.name = row->name, .rule = row->rule};
    const char *peer_rule = "none";
    bool suspected = false;
    struct sky_buf did;
    struct sky_arena arena;
    sky_buf_init(&did, 4096);
    sky_arena_init(&arena);
    gateway_send(bench, row->service, row->topic, row->payload);
    assert_effect(&as_service, "the reply", bench_effect(&bench->base, SKY_EFFECT_REPLY),
                  row->reply_topic, row->reply);
    gateway_did(bench, &did);
    assert_span(row->name, "what was done", sky_buf_span(&did), row->did != NULL ? row->did : "");
    assert_finding(&as_service, &bench->base.judge);
    for (size_t i = 0; i < bench->base.facts.peer_count; i++) {
        const struct sky_peer *peer = &bench->peers[i];
        struct sky_suspicion suspicion = {.now_ms = bench->base.facts.now_ms};
        if (peer->judge->count > 0 && strcmp(peer_rule, "none") == 0)
            peer_rule = peer->judge->findings[0].rule->id;
        if (peer->cause == SKY_CAUSE_SIGNATURE && row->service->suspect != NULL)
            suspected |= row->service->suspect(&bench->base.uplink, peer, &suspicion, &arena);
    }
    assert_string_equal(peer_rule, row->peer_rule != NULL ? row->peer_rule : "none");
    assert_int_equal(suspected, row->suspected);
    sky_arena_done(&arena);
    sky_buf_done(&did);
}

#endif
