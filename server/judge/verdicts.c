#include "server/judge/verdicts.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

static const char *const names[] = {[SKY_VERDICT_NOT_EXERCISED] = "not exercised",
                                    [SKY_VERDICT_PASSED] = "passed",
                                    [SKY_VERDICT_WARNED] = "warned",
                                    [SKY_VERDICT_FAILED] = "failed"};

const char *sky_verdict_name(enum sky_verdict verdict)
{
    SKY_ASSERT(verdict < SKY_COUNT(names));
    return names[verdict];
}

bool sky_verdict_concerns(const struct sky_catalogue *catalogue, size_t rule,
                          const struct sky_cloud *cloud)
{
    sky_span owner = sky_span_str(sky_catalogue_owner(catalogue, rule));
    return (cloud != NULL && sky_span_eq_str(owner, cloud->name)) || sky_cloud_find(owner) == NULL;
}

static enum sky_verdict of_proof(const struct sky_proof *proof)
{
    static const enum sky_verdict broken[] = {[SKY_INFO] = SKY_VERDICT_PASSED,
                                              [SKY_WARNING] = SKY_VERDICT_WARNED,
                                              [SKY_ERROR] = SKY_VERDICT_FAILED};
    return proof->refused ? SKY_VERDICT_FAILED : broken[proof->rule->severity];
}

enum sky_verdict sky_verdict_of_rule(const struct sky_catalogue *catalogue, size_t rule,
                                     const struct sky_conduct *conduct)
{
    const struct sky_rule *row = sky_catalogue_at(catalogue, rule);
    const struct sky_proof *proof = sky_conduct_proof(conduct, row);
    if (proof != NULL)
        return of_proof(proof);
    if (sky_rule_set_has(&conduct->exercised, sky_catalogue_place(catalogue, row)))
        return SKY_VERDICT_PASSED;
    return SKY_VERDICT_NOT_EXERCISED;
}

enum sky_verdict sky_verdict_of_party(const struct sky_catalogue *catalogue,
                                      const struct sky_cloud *cloud,
                                      const struct sky_conduct *conduct)
{
    enum sky_verdict worst = SKY_VERDICT_NOT_EXERCISED;
    for (const struct sky_proof *proof = conduct->proofs; proof != NULL; proof = proof->next)
        worst = sky_verdict_worse(worst, of_proof(proof));
    for (size_t rule = 0; rule < catalogue->rule_count && worst < SKY_VERDICT_PASSED; rule++) {
        if (sky_verdict_concerns(catalogue, rule, cloud))
            worst = sky_verdict_worse(worst, sky_verdict_of_rule(catalogue, rule, conduct));
    }
    return worst;
}
