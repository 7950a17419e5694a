/* What a test breaks on purpose. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/lists.h"
#include "server/admin/params.h"
#include "server/tls/lies.h"

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

/* ---- what there is ---- */

/* Names of those whose bits are set, as a list. */
static void put_names(struct sky_jw *jw, const char *key, unsigned bits, unsigned count,
                      const char *(*name)(unsigned))
{
    sky_jw_key(jw, key);
    sky_jw_array(jw);
    for (unsigned i = 0; i < count; i++)
        if (bits >> i & 1)
            sky_jw_str(jw, sky_span_str(name(i)));
    sky_jw_end_array(jw);
}

static const char *action_at(unsigned i)
{
    return sky_fault_action_name((enum sky_fault_action)i);
}

static const char *field_at(unsigned i)
{
    return sky_fault_field_name((enum sky_fault_field)i);
}

static const char *lie_at(unsigned i)
{
    return sky_lie_name((enum sky_lie)i);
}

static void put_point(struct sky_jw *jw, enum sky_point point)
{
    unsigned actions = 0;
    for (unsigned i = 0; i < SKY_FAULT_ACTION_COUNT; i++)
        actions |= (unsigned)(sky_fault_refusal(point, (enum sky_fault_action)i) == NULL) << i;
    sky_jw_object(jw);
    sky_jw_put_str(jw, "point", sky_point_name(point));
    sky_jw_put_str(jw, "direction", sky_direction_name(sky_point_direction(point)));
    put_names(jw, "actions", actions, SKY_FAULT_ACTION_COUNT, action_at);
    put_names(jw, "fields", sky_fault_fields(point), SKY_FAULT_FIELD_COUNT, field_at);
    sky_jw_key(jw, "refusals");
    sky_jw_object(jw);
    for (unsigned i = 0; i < SKY_FAULT_ACTION_COUNT; i++)
        if (!(actions >> i & 1))
            sky_jw_put_str(jw, action_at(i), sky_fault_refusal(point, (enum sky_fault_action)i));
    sky_jw_end_object(jw);
    sky_jw_end_object(jw);
}

/* With what the table of parameters says of it. */
static void put_argument(struct sky_jw *jw, const struct sky_fault_argument *argument)
{
    const struct sky_api_param *param = sky_params_fault_body;
    while (strcmp(param->name, argument->name) != 0)
        param++;
    sky_jw_object(jw);
    sky_jw_put_str(jw, "name", argument->name);
    sky_jw_put_str(jw, "kind", argument->kind);
    put_names(jw, "actions", argument->actions, SKY_FAULT_ACTION_COUNT, action_at);
    sky_jw_put_bool(jw, "required", argument->required);
    if (argument->bounded) {
        sky_jw_put_int(jw, "min", argument->min);
        sky_jw_put_int(jw, "max", argument->max);
    }
    sky_jw_put_str(jw, "about", param->about);
    sky_jw_end_object(jw);
}

void sky_api_faults_points(struct sky_api *api)
{
    struct sky_jw *jw = &api->jw;
    struct sky_fault_argument argument;
    sky_jw_object(jw);
    sky_jw_key(jw, "points");
    sky_jw_array(jw);
    for (unsigned i = 0; i < SKY_POINT_CHOSEN_COUNT; i++)
        put_point(jw, (enum sky_point)i);
    sky_jw_end_array(jw);
    sky_jw_key(jw, "arguments");
    sky_jw_array(jw);
    for (size_t i = 0; sky_fault_argument_at(i, &argument); i++)
        put_argument(jw, &argument);
    sky_jw_end_array(jw);
    put_names(jw, "certificates", ~(1U << SKY_LIE_NONE), SKY_LIE_COUNT, lie_at);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}

/* ---- what there is of them now ---- */

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
