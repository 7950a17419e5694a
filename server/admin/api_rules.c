/* The rule catalogue. */
#include "server/admin/api.h"
#include "server/judge/report.h"

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
        sky_report_put_rule(jw, &app->registry.catalogue, i);
        sky_jw_put_str(jw, "action", sky_action_name(action));
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}
