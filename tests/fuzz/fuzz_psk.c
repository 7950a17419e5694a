/* Pre-shared-key identities of each cloud that has them: any text, or a good one with some bytes
 * changed. A key keeps its bounds, so do the keys of mistakes, and no finding tells a secret. */
#include "cloud_bench.h"

static void check_key(const struct sky_psk *key)
{
    SKY_ASSERT(key->len > 0 && key->len <= SKY_PSK_KEY_MAX);
    SKY_ASSERT(memchr(key->what, '\0', sizeof key->what) != NULL);
}

static void come(struct cloud_bench *bench, sky_span identity)
{
    const struct sky_cloud_psk *psk = bench->cloud->psk;
    static struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    struct sky_claim claim;
    struct sky_psk key;
    if (psk->claim(&bench->door, identity, &claim))
        SKY_ASSERT(claim.affinity >= SKY_AFFINITY_OPEN && claim.affinity <= SKY_AFFINITY_OWN);
    for (int known = 2; known >= 0; known--) {
        struct sky_facts facts = bench->facts;
        facts.product = known > 0 ? facts.product : NULL;
        facts.device = known > 1 ? facts.device : NULL;
        sky_judge_init(&bench->judge, &bench->policy);
        if (psk->admit(&bench->door, identity, &facts, &bench->judge, &key))
            check_key(&key);
        bench_check_findings(&bench->judge, identity);
        size_t count = psk->guesses(&bench->door, identity, &facts, guesses);
        SKY_ASSERT(count <= SKY_PSK_GUESSES_MAX);
        for (size_t i = 0; i < count; i++)
            check_key(&guesses[i]);
    }
    if (bench->cloud->coap != NULL && bench->cloud->coap->lifetime_ms != NULL)
        SKY_ASSERT(bench->cloud->coap->lifetime_ms(identity) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct cloud_bench bench;
    char room[512];
    struct sky_arena arena;
    if (len < 2 || len > sizeof room)
        return 0;
    bench_init(&bench, bytes[0]);
    sky_span identity = sky_span_of(bytes + 2, len - 2);
    sky_arena_init(&arena);
    if (bytes[1] & 1) {
        struct sky_credentials good;
        const struct sky_sign_request request = {.product = &bench.product,
                                                 .device = &bench.device,
                                                 .dynamic = bytes[1] & 2,
                                                 .now_ms = bench.facts.now_ms,
                                                 .fresh = bench.facts.fresh};
        bench.cloud->sign(&request, &arena, &good);
        identity = bench_edit(good.psk_identity, identity, room, sizeof room);
    }
    if (bench.cloud->psk != NULL)
        come(&bench, identity);
    sky_arena_done(&arena);
    bench_done(&bench);
    return 0;
}
