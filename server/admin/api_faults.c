/* What a test breaks on purpose. */
#include "server/admin/api.h"

void sky_api_faults_create(struct sky_api *api)
{
    struct sky_why why;
    int64_t id;
    sky_err err = sky_faults_add(api->app->faults, api->body, "", &why, &id);
    if (err == SKY_ERR_LIMIT) {
        sky_api_error(api, 409, "limit", "", "%s", why.reason);
        return;
    }
    if (err != SKY_OK) {
        sky_api_fail(api, err, &why);
        return;
    }
    sky_jw_object(&api->jw);
    sky_jw_put_int(&api->jw, "id", id);
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 201);
}

void sky_api_faults_list(struct sky_api *api)
{
    struct sky_api_scope scope;
    if (!sky_api_scope(api, &scope))
        return;
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "faults");
    sky_jw_array(&api->jw);
    sky_faults_print(api->app->faults, sky_span_str(scope.name), &api->jw);
    sky_jw_end_array(&api->jw);
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 200);
}

void sky_api_faults_clear(struct sky_api *api)
{
    struct sky_api_scope scope;
    if (!sky_api_scope(api, &scope))
        return;
    sky_faults_clear(api->app->faults, sky_span_str(scope.name));
    sky_api_send(api, 204);
}

void sky_api_faults_delete(struct sky_api *api)
{
    int64_t id;
    if (sky_span_to_int(sky_span_str(api->vars.name), &id) && sky_faults_drop(api->app->faults, id))
        sky_api_send(api, 204);
    else
        sky_api_error(api, 404, "not_found", "", "there is no fault '%s'", api->vars.name);
}
