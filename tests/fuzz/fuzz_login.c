/* CONNECT of each cloud: whatever client id, user name and password come - any texts, or good ones
 * with some bytes changed -, there is one answer, a refusal has no effects, and the explanation of
 * a wrong signature ends within its cost and tells no secret. */
#include "auth/explain.h"
#include "cloud_bench.h"

enum { FIELD_MAX = 600 };

/* The secret may stand in a client id or user name, whoever put it there; a password is none. */
static bool is_said(const struct sky_login *login)
{
    return sky_span_contains(login->client_id, SKY_SPAN(BENCH_SECRET)) ||
           sky_span_contains(login->username, SKY_SPAN(BENCH_SECRET));
}

static void explain(struct cloud_bench *bench, const struct sky_login *login)
{
    struct sky_suspicion suspicion = {.now_ms = bench->facts.now_ms};
    struct sky_explanation explanation;
    struct sky_arena arena;
    sky_arena_init(&arena);
    if (bench->cloud->suspect(login, &bench->facts, &suspicion, &arena)) {
        SKY_ASSERT(suspicion.secret_count <= SKY_SECRETS_MAX);
        sky_explain(&suspicion, &explanation);
        SKY_ASSERT(explanation.what[0] != '\0' && explanation.mistake < SKY_MISTAKES);
        SKY_ASSERT(explanation.cost <= SKY_EXPLAIN_BLOCKS_MAX + 1000);
        const char *const words[] = {explanation.signed_text, explanation.sent_text,
                                     explanation.what, explanation.hint};
        for (size_t i = 0; i < SKY_COUNT(words) && !is_said(login); i++)
            SKY_ASSERT(strstr(words[i], BENCH_SECRET) == NULL);
    }
    sky_arena_done(&arena);
}

static void check_claim(const struct sky_claim *claim)
{
    SKY_ASSERT(claim->affinity >= SKY_AFFINITY_OPEN && claim->affinity <= SKY_AFFINITY_OWN);
    SKY_ASSERT(claim->kind != SKY_CLAIM_NAMED || claim->product.ptr != NULL ||
               claim->product.len == 0);
}

static void come(struct cloud_bench *bench, struct sky_login *login, bool signed_well)
{
    struct sky_claim claim;
    struct sky_admission admission;
    if (bench->cloud->claim(login, &claim))
        check_claim(&claim);
    for (int known = 2; known >= 0; known--) {
        struct sky_facts facts = bench->facts;
        facts.product = known > 0 ? facts.product : NULL;
        facts.device = known > 1 ? facts.device : NULL;
        sky_judge_init(&bench->judge, &bench->policy);
        sky_effects_clear(&bench->effects);
        bench->cloud->admit(login, &facts, &bench->judge, &bench->effects, &admission);
        SKY_ASSERT((admission.connack == 0) || bench->effects.count == 0);
        SKY_ASSERT(known == 2 || admission.connack != 0);
        SKY_ASSERT(!signed_well || known < 2 || admission.cause != SKY_CAUSE_SIGNATURE);
        bench_check_findings(&bench->judge,
                             is_said(login) ? SKY_SPAN(BENCH_SECRET) : SKY_SPAN_NONE);
        bench_check_effects(&bench->effects);
        if (admission.cause == SKY_CAUSE_SIGNATURE && known == 2)
            explain(bench, login);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct cloud_bench bench;
    static char rooms[3][FIELD_MAX];
    struct sky_credentials good = {.client_id = SKY_SPAN_NONE};
    struct sky_arena arena;
    sky_span fields[3] = {SKY_SPAN_NONE, SKY_SPAN_NONE, SKY_SPAN_NONE};
    if (len < 2 || len > 4 * FIELD_MAX)
        return 0;
    bench_init(&bench, bytes[0]);
    sky_arena_init(&arena);
    sky_span rest = sky_span_of(bytes + 2, len - 2);
    for (size_t i = 0; i < SKY_COUNT(fields); i++)
        (void)sky_span_next(&rest, '\n', &fields[i]);
    bool edited = bytes[1] & 1, untouched = true;
    if (edited) {
        const struct sky_sign_request request = {.product = &bench.product,
                                                 .device = &bench.device,
                                                 .tls = bench.door.tls_version != 0,
                                                 .now_ms = bench.facts.now_ms,
                                                 .fresh = bench.facts.fresh};
        bench.cloud->sign(&request, &arena, &good);
        const sky_span due[] = {good.client_id, good.username, good.password};
        for (size_t i = 0; i < SKY_COUNT(fields); i++) {
            untouched &= fields[i].len < 2;
            fields[i] = bench_edit(due[i], fields[i], rooms[i], FIELD_MAX);
        }
    }
    struct sky_login login = {.door = &bench.door,
                              .client_id = fields[0],
                              .username = fields[1],
                              .password = fields[2],
                              .has_username = !(bytes[1] & 2),
                              .has_password = !(bytes[1] & 4),
                              .clean_session = bytes[1] & 8,
                              .level = bytes[1] & 16 ? 3 : 4,
                              .keepalive_s = (uint16_t)(bytes[1] * 8)};
    come(&bench, &login, edited && untouched && login.has_username && login.has_password);
    sky_arena_done(&arena);
    bench_done(&bench);
    return 0;
}
