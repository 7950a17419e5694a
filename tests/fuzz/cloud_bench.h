/* What the targets of the clouds share: for each cloud one product with one device, and what the
 * server looks up for an act of it. */
#ifndef TESTS_FUZZ_CLOUD_BENCH_H
#define TESTS_FUZZ_CLOUD_BENCH_H

#include <stdio.h>

#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "protocol/mqtt/topic.h"

#define BENCH_FRESH "freshFRESH0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
#define BENCH_SECRET "c2VjcmV0U0VDUkVUMTIzNA==" /* good in every cloud; 16 bytes where decoded */

struct cloud_bench {
    const struct sky_cloud *cloud;
    struct sky_catalogue catalogue;
    struct sky_policy policy;
    struct sky_judge judge;
    struct sky_effects effects;
    struct sky_listener_row listener;
    struct sky_door door;
    struct sky_product product;
    struct sky_device device;
    struct sky_token token;
    struct sky_facts facts;
};

/* `how` chooses the cloud, how the device is connected and what is known of it. */
static inline void bench_init(struct cloud_bench *bench, unsigned how)
{
    size_t clouds = 0;
    while (sky_clouds[clouds] != NULL)
        clouds++;
    if (bench->cloud == NULL) {
        sky_catalogue_init(&bench->catalogue);
        sky_cloud_fill_catalogue(&bench->catalogue);
        sky_policy_init(&bench->policy, &bench->catalogue, SKY_PROFILE_SEED);
    }
    bench->cloud = sky_clouds[how % clouds];
    how /= (unsigned)clouds;
    sky_judge_init(&bench->judge, &bench->policy);
    sky_effects_init(&bench->effects);
    bench->listener = (struct sky_listener_row){.name = "mqtt"};
    bench->door =
        (struct sky_door){.listener = &bench->listener, .transport = how & 1 ? SKY_TLS : SKY_TCP};
    bench->door.tls_version = how & 1 ? SKY_TLS_1_2 : 0;
    bench->product = (struct sky_product){.id = 1,
                                          .key = "KV315idW",
                                          .secret = "productSecret16b",
                                          .dynamic_activation = how & 2,
                                          .https_auth = true,
                                          .node = how & 4 ? SKY_NODE_GATEWAY : SKY_NODE_DEVICE};
    snprintf(bench->product.cloud, sizeof bench->product.cloud, "%s", bench->cloud->name);
    bench->device = (struct sky_device){.id = 7,
                                        .product_id = 1,
                                        .key = "dev1",
                                        .secret = BENCH_SECRET,
                                        .asset_id = "asset1",
                                        .enabled = !(how & 8)};
    bench->token = (struct sky_token){
        .id = "iotId", .token = "iotToken", .device_id = 7, .expires_ms = INT64_MAX / 2};
    bench->facts = (struct sky_facts){.product = &bench->product,
                                      .device = &bench->device,
                                      .token = how & 16 ? &bench->token : NULL,
                                      .now_ms = INT64_C(1600000000000),
                                      .fresh = SKY_SPAN(BENCH_FRESH),
                                      .link = SKY_SPAN("https://127.0.0.1:8443/")};
}

static inline void bench_done(struct cloud_bench *bench)
{
    sky_effects_done(&bench->effects);
}

/* No finding says a secret, unless the peer has said it itself where it is no secret: `heard`. */
static inline void bench_check_findings(const struct sky_judge *judge, sky_span heard)
{
    const bool said = sky_span_contains(heard, SKY_SPAN(BENCH_SECRET));
    SKY_ASSERT(judge->count <= SKY_FINDINGS_MAX);
    for (size_t i = 0; i < judge->count; i++) {
        SKY_ASSERT(judge->findings[i].rule != NULL);
        SKY_ASSERT(said || strstr(judge->findings[i].detail, BENCH_SECRET) == NULL);
    }
}

/* What is sent is JSON on a topic that can be published to, and what is stored is JSON, too. */
static inline void bench_check_effects(const struct sky_effects *effects)
{
    SKY_ASSERT(effects->count <= SKY_EFFECTS_MAX);
    for (size_t i = 0; i < effects->count; i++) {
        const struct sky_effect *effect = &effects->list[i];
        switch (effect->kind) {
        case SKY_EFFECT_REPLY:
        case SKY_EFFECT_PUSH:
        case SKY_EFFECT_PUBLISH:
            SKY_ASSERT(effect->topic.len > 0 && effect->topic.len <= SKY_MQTT_STRING_MAX);
            SKY_ASSERT(effect->payload.len <= SKY_MQTT_PACKET_MAX * 8u && effect->qos <= 1);
            break;
        case SKY_EFFECT_PUT_DOCUMENT:
            SKY_ASSERT(effect->name.len > 0 && effect->version >= 0);
            SKY_ASSERT(sky_json_check(effect->payload, SKY_JSON_DEPTH_MAX, NULL) == SKY_OK);
            break;
        case SKY_EFFECT_ANSWER:
            SKY_ASSERT(effect->in_order || effect->name.ptr != NULL || effect->name.len == 0);
            break;
        default:
            break;
        }
    }
}

/* Writes over a good text, byte by byte as `edits` say: a place, and what comes there; the text
 * itself where there are none. What is longer than `room` is cut. */
static inline sky_span bench_edit(sky_span good, sky_span edits, char *room, size_t size)
{
    sky_span text = sky_span_head(good, size);
    if (text.len > 0)
        memcpy(room, text.ptr, text.len);
    for (size_t i = 0; i + 1 < edits.len && text.len > 0; i += 2)
        room[(uint8_t)edits.ptr[i] % text.len] = edits.ptr[i + 1];
    return sky_span_of(room, text.len);
}

#endif
