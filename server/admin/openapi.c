/* The description of the API, made from the table that dispatches it. (OpenAPI 3.0.3) */
#include <stdio.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"

static const char JSON[] = "application/json";

static const char *const kind_types[] = {
    [SKY_API_TEXT] = "string",   [SKY_API_INT] = "integer",    [SKY_API_BOOL] = "boolean",
    [SKY_API_DEVICE] = "string", [SKY_API_PRODUCT] = "string", [SKY_API_OBJECT] = "object",
    [SKY_API_ARRAY] = "array"};

static const struct {
    const char *placeholder;
    struct sky_api_param param;
} in_path[] = {
    {"{cloud}", {"cloud", SKY_API_TEXT, true, 0, SKY_CLOUD_NAME_MAX, "name of the cloud"}},
    {"{product}", {"product", SKY_API_TEXT, true, 0, SKY_KEY_MAX, "key of the product"}},
    {"{device}", {"device", SKY_API_TEXT, true, 0, SKY_KEY_MAX, "key of the device"}},
    {"{name}", {"name", SKY_API_TEXT, true, 0, SKY_STORE_NAME_MAX, "name of the document, or id"}},
};

static void write_kind(struct sky_jw *jw, enum sky_api_kind kind)
{
    if (kind != SKY_API_ANY)
        sky_jw_put_str(jw, "type", kind_types[kind]);
    if (kind == SKY_API_DEVICE)
        sky_jw_put_str(jw, "pattern", "^[^/]+/[^/]+/.+$");
    if (kind == SKY_API_PRODUCT)
        sky_jw_put_str(jw, "pattern", "^[^/]+/[^/]+$");
}

static void write_schema(struct sky_jw *jw, const struct sky_api_param *param)
{
    sky_jw_object(jw);
    write_kind(jw, param->kind);
    if (param->kind == SKY_API_INT) {
        sky_jw_put_int(jw, "minimum", param->min);
        sky_jw_put_int(jw, "maximum", param->max);
    }
    if (param->kind == SKY_API_TEXT) {
        if (param->min > 0)
            sky_jw_put_int(jw, "minLength", param->min);
        sky_jw_put_int(jw, "maxLength", param->max);
    }
    if (param->kind == SKY_API_ARRAY) {
        sky_jw_key(jw, "items");
        sky_jw_object(jw);
        sky_jw_end_object(jw);
    }
}

static void write_parameter(struct sky_jw *jw, const char *in, const struct sky_api_param *param)
{
    sky_jw_object(jw);
    sky_jw_put_str(jw, "name", param->name);
    sky_jw_put_str(jw, "in", in);
    sky_jw_put_bool(jw, "required", param->required);
    sky_jw_put_str(jw, "description", param->about);
    sky_jw_key(jw, "schema");
    write_schema(jw, param);
    sky_jw_end_object(jw);
    sky_jw_end_object(jw);
}

static void write_parameters(struct sky_jw *jw, const struct sky_route *route)
{
    sky_jw_key(jw, "parameters");
    sky_jw_array(jw);
    for (size_t i = 0; i < SKY_COUNT(in_path); i++) {
        if (strstr(route->path, in_path[i].placeholder) != NULL)
            write_parameter(jw, "path", &in_path[i].param);
    }
    for (const struct sky_api_param *p = route->query; p != NULL && p->name != NULL; p++)
        write_parameter(jw, "query", p);
    sky_jw_end_array(jw);
}

static void write_members(struct sky_jw *jw, const struct sky_api_param *members)
{
    bool any_required = false;
    sky_jw_put_str(jw, "type", "object");
    sky_jw_put_bool(jw, "additionalProperties", false);
    sky_jw_key(jw, "properties");
    sky_jw_object(jw);
    for (const struct sky_api_param *p = members; p->name != NULL; p++) {
        sky_jw_key(jw, p->name);
        write_schema(jw, p);
        sky_jw_put_str(jw, "description", p->about);
        sky_jw_end_object(jw);
        any_required |= p->required;
    }
    sky_jw_end_object(jw);
    if (!any_required)
        return;
    sky_jw_key(jw, "required");
    sky_jw_array(jw);
    for (const struct sky_api_param *p = members; p->name != NULL; p++) {
        if (p->required)
            sky_jw_str(jw, sky_span_str(p->name));
    }
    sky_jw_end_array(jw);
}

/* Opens "content" down to the schema, which the caller fills and closes with end_content(). */
static void begin_content(struct sky_jw *jw, const char *content_type)
{
    sky_jw_key(jw, "content");
    sky_jw_object(jw);
    sky_jw_key(jw, content_type);
    sky_jw_object(jw);
    sky_jw_key(jw, "schema");
    sky_jw_object(jw);
}

static void end_content(struct sky_jw *jw)
{
    sky_jw_end_object(jw);
    sky_jw_end_object(jw);
    sky_jw_end_object(jw);
}

static void write_request_body(struct sky_jw *jw, const struct sky_route *route)
{
    if (route->body == NULL && route->free_body == NULL)
        return;
    sky_jw_key(jw, "requestBody");
    sky_jw_object(jw);
    begin_content(jw, route->body_type ? route->body_type : JSON);
    if (route->body != NULL) {
        write_members(jw, route->body);
    } else {
        sky_jw_put_str(jw, "type", "object");
        sky_jw_put_str(jw, "description", route->free_body);
    }
    if (route->begin != NULL) {
        sky_jw_end_object(jw);
        sky_jw_end_object(jw);
        sky_jw_key(jw, SKY_API_RAW);
        sky_jw_object(jw);
        sky_jw_key(jw, "schema");
        sky_jw_object(jw);
        sky_jw_put_str(jw, "type", "string");
        sky_jw_put_str(jw, "format", "binary");
    }
    end_content(jw);
    sky_jw_end_object(jw);
}

static void put_ref(struct sky_jw *jw, const char *schema)
{
    char ref[64];
    snprintf(ref, sizeof ref, "#/components/schemas/%s", schema);
    sky_jw_put_str(jw, "$ref", ref);
}

static void write_answer(struct sky_jw *jw, int status, const char *about, const char *content_type,
                         const char *schema)
{
    char key[8];
    snprintf(key, sizeof key, "%d", status);
    sky_jw_key(jw, key);
    sky_jw_object(jw);
    sky_jw_put_str(jw, "description", about);
    if (sky_http_has_body(status)) {
        begin_content(jw, content_type);
        if (schema != NULL)
            put_ref(jw, schema);
        else
            sky_jw_put_str(jw, "type", "string");
        end_content(jw);
    }
    sky_jw_end_object(jw);
}

static void write_answers(struct sky_jw *jw, const struct sky_route *route)
{
    const char *type = route->content_type ? route->content_type : JSON;
    sky_jw_key(jw, "responses");
    sky_jw_object(jw);
    for (size_t i = 0; i < SKY_ROUTE_ANSWERS_MAX && route->answers[i].status != 0; i++) {
        const struct sky_api_answer *answer = &route->answers[i];
        bool error = answer->status >= 300;
        const char *schema = error ? "Error" : route->schema;
        write_answer(jw, answer->status, answer->about, error ? JSON : type,
                     answer->schema != NULL ? answer->schema : schema);
    }
    if (!route->open)
        write_answer(jw, 401, "the token is missing or wrong", JSON, "Error");
    sky_jw_end_object(jw);
}

static void write_operation(struct sky_jw *jw, const struct sky_route *route)
{
    char method[8] = {0};
    for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof method; i++)
        method[i] = (char)(route->method[i] | 0x20);
    sky_jw_key(jw, method);
    sky_jw_object(jw);
    sky_jw_put_str(jw, "summary", route->summary);
    write_parameters(jw, route);
    write_request_body(jw, route);
    write_answers(jw, route);
    if (route->open) {
        sky_jw_key(jw, "security");
        sky_jw_array(jw);
        sky_jw_end_array(jw);
    }
    sky_jw_end_object(jw);
}

/* Rows of one path stand together in the table: each path is one member. */
static void write_paths(struct sky_jw *jw)
{
    sky_jw_key(jw, "paths");
    sky_jw_object(jw);
    for (size_t i = 0; i < sky_route_count; i++) {
        const char *path = sky_routes[i].path;
        if (i == 0 || strcmp(path, sky_routes[i - 1].path) != 0) {
            sky_jw_key(jw, path);
            sky_jw_object(jw);
        }
        write_operation(jw, &sky_routes[i]);
        if (i + 1 == sky_route_count || strcmp(path, sky_routes[i + 1].path) != 0)
            sky_jw_end_object(jw);
    }
    sky_jw_end_object(jw);
}

/* ---- schemas ---- */

/* One value, or each of many. */
static void write_value(struct sky_jw *jw, const struct sky_api_member *member)
{
    sky_span rest = sky_span_str(member->of), word;
    if (member->kind == SKY_API_OBJECT && member->of != NULL) {
        put_ref(jw, member->of);
        return;
    }
    write_kind(jw, member->kind);
    if (member->of == NULL)
        return;
    sky_jw_key(jw, "enum");
    sky_jw_array(jw);
    while (sky_span_next(&rest, '|', &word))
        sky_jw_str(jw, word);
    sky_jw_end_array(jw);
}

static void write_values(struct sky_jw *jw, const struct sky_api_member *member)
{
    bool list = (member->how & SKY_API_LIST) != 0, map = (member->how & SKY_API_MAP) != 0;
    if (!list && !map) {
        write_value(jw, member);
        return;
    }
    sky_jw_put_str(jw, "type", list ? "array" : "object");
    sky_jw_key(jw, list ? "items" : "additionalProperties");
    sky_jw_object(jw);
    write_value(jw, member);
    sky_jw_end_object(jw);
}

/* A reference stands alone: what is beside it is ignored (OpenAPI 3.0.3, §4.7.23). */
static void write_member(struct sky_jw *jw, const struct sky_api_member *member)
{
    bool cut = (member->how & SKY_API_CUT) != 0;
    bool alone = cut || (member->kind == SKY_API_OBJECT && member->of != NULL &&
                         (member->how & (SKY_API_LIST | SKY_API_MAP)) == 0);
    sky_jw_key(jw, member->name);
    sky_jw_object(jw);
    if (alone) {
        sky_jw_key(jw, cut ? "anyOf" : "allOf");
        sky_jw_array(jw);
        sky_jw_object(jw);
    }
    write_values(jw, member);
    if (alone) {
        sky_jw_end_object(jw);
        if (cut)
            sky_jw_raw(jw, SKY_SPAN("{\"type\":\"string\"}"));
        sky_jw_end_array(jw);
    }
    if ((member->how & SKY_API_NULLABLE) != 0)
        sky_jw_put_bool(jw, "nullable", true);
    if (member->about != NULL)
        sky_jw_put_str(jw, "description", member->about);
    sky_jw_end_object(jw);
}

static void write_answer_schema(struct sky_jw *jw, const struct sky_api_schema *schema)
{
    const struct sky_api_member *member;
    bool any_required = false;
    sky_jw_object(jw);
    sky_jw_put_str(jw, "type", "object");
    sky_jw_key(jw, "properties");
    sky_jw_object(jw);
    for (member = schema->members; member->name != NULL; member++)
        write_member(jw, member);
    sky_jw_end_object(jw);
    for (member = schema->members; member->name != NULL; member++) {
        if ((member->how & SKY_API_OPTIONAL) != 0)
            continue;
        if (!any_required) {
            sky_jw_key(jw, "required");
            sky_jw_array(jw);
        }
        sky_jw_str(jw, sky_span_str(member->name));
        any_required = true;
    }
    if (any_required)
        sky_jw_end_array(jw);
    sky_jw_end_object(jw);
}

/* The schemas, and how the token is sent. */
static void write_components(struct sky_jw *jw)
{
    sky_jw_key(jw, "components");
    sky_jw_object(jw);
    sky_jw_key(jw, "schemas");
    sky_jw_object(jw);
    for (size_t i = 0; i < sky_api_schema_count; i++) {
        sky_jw_key(jw, sky_api_schemas[i].name);
        write_answer_schema(jw, &sky_api_schemas[i]);
    }
    sky_jw_end_object(jw);
    sky_jw_key(jw, "securitySchemes");
    sky_jw_raw(jw, SKY_SPAN("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
    sky_jw_end_object(jw);
}

void sky_api_openapi(struct sky_api *api)
{
    struct sky_jw *jw = &api->jw;
    sky_jw_object(jw);
    sky_jw_put_str(jw, "openapi", "3.0.3");
    sky_jw_key(jw, "info");
    sky_jw_object(jw);
    sky_jw_put_str(jw, "title", "skymock");
    sky_jw_put_str(jw, "version", SKY_VERSION);
    sky_jw_end_object(jw);
    sky_jw_key(jw, "security");
    sky_jw_raw(jw, SKY_SPAN("[{\"token\":[]}]"));
    write_paths(jw);
    write_components(jw);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}
