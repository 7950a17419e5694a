/* What a test breaks on purpose. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/lists.h"

enum { TOLD_AT_ONCE = 64 }; /* faults, between two looks at the time */

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

struct faults_list {
    struct sky_list list;
    struct sky_api_scope scope;
    int64_t last; /* number of the one that was told last */
};

static void drop(struct sky_list *list)
{
    free(SKY_CONTAINER_OF(list, struct faults_list, list));
}

static bool tell(struct sky_list *list)
{
    struct faults_list *faults = SKY_CONTAINER_OF(list, struct faults_list, list);
    struct sky_jw *jw = &list->api.jw;
    while (sky_faults_print(list->api.app->faults, sky_span_str(faults->scope.name), &faults->last,
                            TOLD_AT_ONCE, jw)) {
        if (sky_list_time_is_up(list))
            return false;
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    return true;
}

void sky_api_faults_list(struct sky_api *api)
{
    struct sky_api_scope scope;
    if (!sky_api_scope(api, &scope))
        return;
    struct faults_list *faults = sky_mem_new(sizeof *faults);
    *faults = (struct faults_list){.list = {.tell = tell, .drop = drop}, .scope = scope};
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "faults");
    sky_jw_array(&api->jw);
    sky_list_begin(api, &faults->list);
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
    sky_span name = sky_span_str(api->vars.name);
    if ((sky_span_to_int(name, &id) && sky_faults_drop(api->app->faults, id)) ||
        sky_faults_drop_named(api->app->faults, name))
        sky_api_send(api, 204);
    else
        sky_api_error(api, 404, "not_found", "", "there is no fault '%s'", api->vars.name);
}
