/* The rule catalogue. */
#include "server/admin/api.h"

void sky_api_write_rule(struct sky_api *api, size_t index)
{
    const struct sky_catalogue *catalogue = &api->app->registry.catalogue;
    const struct sky_rule *rule = sky_catalogue_at(catalogue, index);
    struct sky_jw *jw = &api->jw;
    sky_jw_put_str(jw, "id", rule->id);
    sky_jw_put_str(jw, "owner", sky_catalogue_owner(catalogue, index));
    sky_jw_put_str(jw, "severity", sky_severity_name(rule->severity));
    sky_jw_put_str(jw, "statement", rule->statement);
    sky_jw_put_str(jw, "hint", sky_catalogue_hint(catalogue, rule));
    sky_jw_put_str(jw, "source", rule->source);
}

void sky_api_rules(struct sky_api *api)
{
    const struct sky_app *app = api->app;
    struct sky_jw *jw = &api->jw;
    sky_jw_object(jw);
    sky_jw_key(jw, "rules");
    sky_jw_array(jw);
    for (size_t i = 0; i < app->registry.catalogue.rule_count; i++) {
        enum sky_action action =
            sky_policy_action(&app->registry.policy, sky_catalogue_at(&app->registry.catalogue, i));
        sky_jw_object(jw);
        sky_api_write_rule(api, i);
        sky_jw_put_str(jw, "action", sky_action_name(action));
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}
