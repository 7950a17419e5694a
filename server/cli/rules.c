#include "server/registry/rules.h"
#include "protocol/base/json.h"
#include "server/cli/cli.h"

static void print_table(const struct sky_policy *policy)
{
    const struct sky_catalogue *catalogue = policy->catalogue;
    const char *owner = "";

    for (size_t i = 0; i < catalogue->rule_count; i++) {
        const struct sky_rule *rule = sky_catalogue_at(catalogue, i);
        if (strcmp(owner, sky_catalogue_owner(catalogue, i)) != 0) {
            owner = sky_catalogue_owner(catalogue, i);
            printf("%s%s\n", i ? "\n" : "", owner);
        }
        printf("  %-32s %-8s %-8s %s\n", rule->id, sky_action_name(sky_policy_action(policy, rule)),
               sky_severity_name(rule->severity), rule->statement);
        printf("  %-32s source: %s\n", "", rule->source);
        printf("  %-32s hint: %s\n", "", sky_catalogue_hint(catalogue, rule));
    }
}

static void write_rule(struct sky_jw *jw, const struct sky_policy *policy, size_t index)
{
    const struct sky_rule *rule = sky_catalogue_at(policy->catalogue, index);

    sky_jw_object(jw);
    sky_jw_put_str(jw, "id", rule->id);
    sky_jw_put_str(jw, "owner", sky_catalogue_owner(policy->catalogue, index));
    sky_jw_put_str(jw, "severity", sky_severity_name(rule->severity));
    sky_jw_put_str(jw, "statement", rule->statement);
    sky_jw_put_str(jw, "hint", sky_catalogue_hint(policy->catalogue, rule));
    sky_jw_put_str(jw, "source", rule->source);
    sky_jw_put_str(jw, "action", sky_action_name(sky_policy_action(policy, rule)));
    sky_jw_end_object(jw);
}

static void print_json(const struct sky_policy *policy)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);

    sky_buf_init(&out, SIZE_MAX);
    sky_jw_object(&jw);
    sky_jw_key(&jw, "rules");
    sky_jw_array(&jw);
    for (size_t i = 0; i < policy->catalogue->rule_count; i++)
        write_rule(&jw, policy, i);
    sky_jw_end_array(&jw);
    sky_jw_end_object(&jw);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&out)));
    sky_buf_done(&out);
}

int sky_cli_rules(const struct sky_config *config)
{
    struct sky_catalogue catalogue;
    struct sky_policy policy;
    struct sky_why why;

    sky_rules_catalogue(config->profile, &catalogue);
    if (sky_rules_policy(config, &catalogue, &policy, &why) != SKY_OK)
        return sky_cli_fail("--rule %s", why.reason);
    if (config->json)
        print_json(&policy);
    else
        print_table(&policy);
    return SKY_EXIT_OK;
}
