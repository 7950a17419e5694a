#include "server/judge/report.h"

#include "protocol/base/assert.h"

void sky_report_judge(const struct sky_report *report, struct sky_report_party *party)
{
    const struct sky_catalogue *catalogue = report->catalogue;
    party->verdict = sky_verdict_of_party(catalogue, party->cloud, party->conduct);
    memset(party->rules, 0, sizeof party->rules);
    for (size_t i = 0; i < catalogue->rule_count; i++)
        if (sky_report_has_rule(report, party, i))
            party->rules[sky_verdict_of_rule(catalogue, i, party->conduct)]++;
}

static struct sky_report_cloud *cloud_of(struct sky_report *report, const struct sky_cloud *cloud)
{
    for (size_t i = 0; i < report->cloud_count; i++)
        if (report->clouds[i].cloud == cloud)
            return &report->clouds[i];
    SKY_ASSERT(report->cloud_count < sizeof report->clouds / sizeof *report->clouds);
    report->clouds[report->cloud_count].cloud = cloud;
    return &report->clouds[report->cloud_count++];
}

void sky_report_count(struct sky_report *report, const struct sky_report_party *party)
{
    struct sky_report_cloud *cloud = cloud_of(report, party->cloud);
    report->verdict = sky_verdict_worse(report->verdict, party->verdict);
    report->parties[party->verdict]++;
    for (size_t i = 0; i <= SKY_VERDICT_FAILED; i++)
        report->rules[i] += party->rules[i];
    cloud->parties++;
    for (size_t i = 0; i < report->catalogue->rule_count; i++) {
        if (!sky_report_has_rule(report, party, i))
            continue;
        struct sky_report_rule rule = sky_report_rule(report, party, i);
        uint64_t *set = rule.proof != NULL                          ? cloud->broken
                        : rule.verdict != SKY_VERDICT_NOT_EXERCISED ? cloud->kept
                                                                    : NULL;
        if (set != NULL)
            set[i / 64] |= UINT64_C(1) << (i % 64);
    }
}

bool sky_report_has_rule(const struct sky_report *report, const struct sky_report_party *party,
                         size_t index)
{
    return ((party->device || party->gone) &&
            sky_verdict_concerns(report->catalogue, index, party->cloud)) ||
           sky_conduct_proof(party->conduct, sky_catalogue_at(report->catalogue, index)) != NULL;
}

struct sky_report_rule sky_report_rule(const struct sky_report *report,
                                       const struct sky_report_party *party, size_t index)
{
    const struct sky_rule *row = sky_catalogue_at(report->catalogue, index);
    return (struct sky_report_rule){
        .index = index,
        .row = row,
        .verdict = sky_verdict_of_rule(report->catalogue, index, party->conduct),
        .proof = sky_conduct_proof(party->conduct, row)};
}
