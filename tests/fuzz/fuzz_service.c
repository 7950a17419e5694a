/* What an admitted device publishes, to any service of its cloud, one message a line behind a byte
 * that chooses the topic; what is stored by one is there for the next. What comes of it is JSON on
 * topics, in bounds, and the versions of documents never go back. */
#include "cloud_bench.h"

enum { PAYLOAD_MAX = 4096, SERVICES_MAX = 400, MESSAGES_MAX = 8, DOCUMENTS = 16 };

static struct cloud_bench bench;
static struct sky_judge peer_judges[SKY_PEERS_MAX];

/* Documents by name, as the store has them. */
static struct {
    char name[64];
    char text[2 * PAYLOAD_MAX];
    size_t len;
    int64_t version;
} documents[DOCUMENTS];

static size_t document_at(sky_span name)
{
    for (size_t i = 0; i < DOCUMENTS; i++) {
        if (documents[i].name[0] == '\0')
            SKY_ASSERT(sky_span_copy(name, documents[i].name, sizeof documents[i].name));
        if (sky_span_eq_str(name, documents[i].name))
            return i;
    }
    SKY_ASSERT(false);
    return 0;
}

static void store(const struct sky_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        const struct sky_effect *effect = &effects->list[i];
        if (effect->kind != SKY_EFFECT_PUT_DOCUMENT || effect->subject != 0 ||
            effect->payload.len > sizeof documents[0].text)
            continue;
        size_t at = document_at(effect->name);
        memcpy(documents[at].text, effect->payload.ptr, effect->payload.len);
        documents[at].len = effect->payload.len;
        SKY_ASSERT(effect->version >= documents[at].version || effect->version == 0);
        documents[at].version = effect->version;
    }
}

/* Every other one that is named is known, bound, online. */
static void look_up_peers(const struct sky_service *service, const struct sky_uplink *uplink)
{
    struct sky_peer *peers =
        sky_arena_take(&bench.effects.arena, SKY_PEERS_MAX * sizeof(struct sky_peer));
    bench.facts.peers = peers;
    bench.facts.peer_count = service->peers(uplink, &bench.effects.arena, peers);
    SKY_ASSERT(bench.facts.peer_count <= SKY_PEERS_MAX);
    for (size_t i = 0; i < bench.facts.peer_count; i++) {
        bool known = peers[i].device.len % 2 == 0;
        sky_judge_init(&peer_judges[i], &bench.policy);
        peers[i].judge = &peer_judges[i];
        peers[i].fresh = SKY_SPAN(BENCH_FRESH);
        peers[i].allowed = true;
        peers[i].known_product = peers[i].product.len > 0 ? &bench.product : NULL;
        peers[i].known = known ? &bench.device : NULL;
        peers[i].bound = known && peers[i].device.len % 4 == 0;
    }
}

static void act(const struct sky_service *service, sky_span topic, sky_span payload)
{
    const struct sky_uplink uplink = {.cloud = bench.cloud,
                                      .product = sky_span_str(bench.product.key),
                                      .device = sky_span_str(bench.device.key),
                                      .topic = topic,
                                      .payload = payload,
                                      .qos = payload.len % 2,
                                      .reply_subscribed = true};
    sky_judge_init(&bench.judge, &bench.policy);
    sky_effects_clear(&bench.effects);
    bench.facts.document = SKY_SPAN_NONE;
    bench.facts.document_version = 0;
    if (service->document != NULL) {
        size_t at = document_at(sky_span_str(service->document));
        bench.facts.document = sky_span_of(documents[at].text, documents[at].len);
        bench.facts.document_version = documents[at].version;
    }
    if (service->peers != NULL)
        look_up_peers(service, &uplink);
    if (service->wants != NULL) {
        struct sky_piece_request wanted = {.offset = 0};
        if (service->wants(&uplink, &bench.facts, &bench.effects.arena, &wanted))
            SKY_ASSERT(wanted.size <= SKY_PIECE_MAX && wanted.offset >= 0);
    }
    service->handle(&uplink, &bench.facts, &bench.judge, &bench.effects);
    bench_check_findings(&bench.judge, payload);
    bench_check_effects(&bench.effects);
    store(&bench.effects);
    for (size_t i = 0; service->suspect != NULL && i < bench.facts.peer_count; i++) {
        struct sky_suspicion suspicion = {.now_ms = bench.facts.now_ms};
        struct sky_explanation explanation;
        if (bench.facts.peers[i].cause == SKY_CAUSE_SIGNATURE &&
            service->suspect(&uplink, &bench.facts.peers[i], &suspicion, &bench.effects.arena))
            sky_explain(&suspicion, &explanation);
    }
    bench.facts.peers = NULL;
    bench.facts.peer_count = 0;
}

/* The row's topic with the device's keys, and an "x" where anything may stand. */
static bool topic_of(const struct sky_topic_row *row, char out[512])
{
    const struct sky_topic_keys keys = {sky_span_str(bench.product.key),
                                        sky_span_str(bench.device.key)};
    if (!sky_topic_fill(sky_span_str(row->pattern), &keys, out, 512))
        return false;
    for (char *c = out; *c != '\0'; c++)
        if (*c == '+' || *c == '#' || *c == '{' || *c == '}')
            *c = 'x';
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct sky_topic_row *rows[SERVICES_MAX];
    size_t count = 0;
    char topic[512];
    if (len < 2 || len > PAYLOAD_MAX)
        return 0;
    bench_init(&bench, bytes[0]);
    memset(documents, 0, sizeof documents);
    for (size_t i = 0; i < bench.cloud->topics->count && count < SERVICES_MAX; i++)
        if (bench.cloud->topics->rows[i].service != NULL)
            rows[count++] = &bench.cloud->topics->rows[i];
    sky_span rest = sky_span_of(bytes + 1, len - 1), line;
    for (size_t i = 0; i < MESSAGES_MAX && sky_span_next(&rest, '\n', &line); i++) {
        if (line.len == 0)
            continue;
        const struct sky_topic_row *row = rows[(uint8_t)line.ptr[0] % count];
        if (topic_of(row, topic))
            act(row->service, sky_span_str(topic), sky_span_tail(line, 1));
    }
    bench_done(&bench);
    return 0;
}
