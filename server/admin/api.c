#include "server/admin/api.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/digest.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/similar.h"
#include "server/admin/guard.h"
#include "server/os/config.h"
#include "server/suite/run.h"

enum {
    ALLOW_MAX = 128,
    NEAR_SHOWN = 3,
    FORM_MAX = 64,
    READ_HERE_MAX = 32 * 1024, /* bytes of a body that is read on the loop */
};

static const char JSON[] = "application/json";

/* ---- checking a request against its row ---- */

static const struct sky_api_param *find_param(const struct sky_api_param *list, sky_span name)
{
    for (; list != NULL && list->name != NULL; list++) {
        if (sky_span_eq_str(name, list->name))
            return list;
    }
    return NULL;
}

/* "; 'count' is meant?" of a name that is none of the list; nothing when none is near. */
static void suggest_param(const struct sky_api_param *list, const char *name, char out[FORM_MAX])
{
    struct sky_nearest nearest = {0};
    for (; list != NULL && list->name != NULL; list++)
        sky_nearest_try(&nearest, list->name, sky_span_str(name));
    *out = '\0';
    if (nearest.name != NULL)
        snprintf(out, FORM_MAX, "; '%s' is meant?", nearest.name);
}

/* What a value of the parameter must be. */
static void say_form(const struct sky_api_param *param, char out[FORM_MAX])
{
    static const char *const forms[] = {[SKY_API_BOOL] = "must be true or false",
                                        [SKY_API_OBJECT] = "must be an object",
                                        [SKY_API_ARRAY] = "must be an array",
                                        [SKY_API_DEVICE] = "must be CLOUD/PRODUCT/DEVICE",
                                        [SKY_API_PRODUCT] = "must be CLOUD/PRODUCT",
                                        [SKY_API_ANY] = "may be anything"};
    long long min = param->min, max = param->max;
    if (param->kind == SKY_API_INT)
        snprintf(out, FORM_MAX, "must be an integer, %lld to %lld", min, max);
    else if (param->kind == SKY_API_TEXT)
        snprintf(out, FORM_MAX, "must be a string of %lld to %lld bytes", min, max);
    else
        snprintf(out, FORM_MAX, "%s", forms[param->kind]);
}

static bool is_in_bounds(const struct sky_api_param *param, int64_t value)
{
    return value >= param->min && value <= param->max;
}

/* Is this text, of a query, a value of the parameter? */
static bool is_text_of(const struct sky_api_param *param, const char *text)
{
    struct sky_path_vars vars;
    int64_t value;
    sky_span span = sky_span_str(text);
    switch (param->kind) {
    case SKY_API_INT:
        return sky_span_to_int(span, &value) && is_in_bounds(param, value);
    case SKY_API_TEXT:
        return is_in_bounds(param, (int64_t)span.len);
    case SKY_API_BOOL:
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    case SKY_API_DEVICE:
        return sky_match_device(span, &vars);
    case SKY_API_PRODUCT:
        return sky_match_product(span, &vars);
    default:
        return true;
    }
}

static bool check_query_piece(struct sky_api *api, sky_span piece)
{
    char name[64], text[SKY_API_PARAM_MAX], form[FORM_MAX];
    bool bad;
    sky_span key = piece, value;
    sky_span_cut(piece, '=', &key, &value);
    const struct sky_api_param *param = find_param(api->route->query, key);
    if (param == NULL) {
        if (!sky_http_decode(key, true, name, sizeof name))
            name[0] = '\0';
        suggest_param(api->route->query, name, form);
        sky_api_error(api, 400, "invalid", "", "%s has no query parameter '%s'%s", api->route->path,
                      name, form);
        return false;
    }
    sky_http_query(api->call->head.query, param->name, text, sizeof text, &bad);
    if (!bad && is_text_of(param, text))
        return true;
    say_form(param, form);
    sky_api_error(api, 400, "invalid", "", "query parameter '%s' %s%s", param->name, form,
                  bad ? "; it is longer than 511 bytes, or badly encoded (%XX)" : "");
    return false;
}

_Static_assert(SKY_API_PARAM_MAX == 512, "as is said");

static bool check_query(struct sky_api *api)
{
    char text[SKY_API_PARAM_MAX];
    bool bad;
    sky_span rest = api->call->head.query, piece;
    while (sky_span_next(&rest, '&', &piece)) {
        if (piece.len > 0 && !check_query_piece(api, piece))
            return false;
    }
    const struct sky_api_param *param = api->route->query;
    for (; param != NULL && param->name != NULL; param++) {
        if (param->required &&
            !sky_http_query(api->call->head.query, param->name, text, sizeof text, &bad)) {
            sky_api_error(api, 400, "invalid", "", "query parameter '%s' is missing", param->name);
            return false;
        }
    }
    return true;
}

/* Is this value, of a body, one of the member? */
static bool is_value_of(const struct sky_api_param *param, const cJSON *value)
{
    double number = value->valuedouble;
    switch (param->kind) {
    case SKY_API_INT:
        return cJSON_IsNumber(value) && number == floor(number) && number >= (double)param->min &&
               number <= (double)param->max;
    case SKY_API_BOOL:
        return cJSON_IsBool(value);
    case SKY_API_OBJECT:
        return cJSON_IsObject(value);
    case SKY_API_ARRAY:
        return cJSON_IsArray(value);
    case SKY_API_ANY:
        return true;
    default:
        return cJSON_IsString(value) && is_text_of(param, value->valuestring);
    }
}

/* A member that belongs into the pattern beside it. */
static bool is_of_pattern(const struct sky_route *route, const char *member)
{
    return sky_pattern_knows(member) && find_param(route->body, SKY_SPAN("event")) != NULL;
}

static sky_err check_member(const struct sky_route *route, const cJSON *member, const char *at,
                            struct sky_why *why)
{
    char pointer[SKY_WHY_POINTER_MAX], form[FORM_MAX];
    const struct sky_api_param *param = find_param(route->body, sky_span_str(member->string));
    if (param != NULL && is_value_of(param, member))
        return SKY_OK;
    snprintf(pointer, sizeof pointer, "%s/%s", at, member->string);
    if (param == NULL && is_of_pattern(route, member->string))
        return sky_why_set(why, SKY_ERR_INVALID, pointer,
                           "'%s' is a member of the pattern: {\"event\": {\"%s\": ...}}",
                           member->string, member->string);
    if (param == NULL) {
        suggest_param(route->body, member->string, form);
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "'%.100s' is not known here%s",
                           member->string, form);
    }
    say_form(param, form);
    return sky_why_set(why, SKY_ERR_INVALID, pointer, "'%.100s' %s", member->string, form);
}

static sky_err check_members(const struct sky_route *route, const cJSON *body, const char *at,
                             struct sky_why *why)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, body) {
        sky_err err = check_member(route, member, at, why);
        if (err != SKY_OK)
            return err;
    }
    for (const struct sky_api_param *param = route->body; param->name != NULL; param++)
        if (param->required && sky_json_get(body, param->name) == NULL)
            return sky_why_set(why, SKY_ERR_INVALID, at, "'%s' is missing", param->name);
    const struct sky_api_param *device = find_param(route->body, SKY_SPAN("device")),
                               *product = find_param(route->body, SKY_SPAN("product"));
    char pointer[SKY_WHY_POINTER_MAX];
    snprintf(pointer, sizeof pointer, "%s/product", at);
    if (device == NULL || device->kind != SKY_API_DEVICE || product == NULL ||
        sky_json_get(body, "device") == NULL || sky_json_get(body, "product") == NULL)
        return SKY_OK;
    return sky_why_set(why, SKY_ERR_INVALID, pointer, "give a device or a product, not both");
}

sky_err sky_api_check_body(const char *method, const char *path, const cJSON *body, const char *at,
                           struct sky_why *why)
{
    const struct sky_route *route = sky_routes;
    while (route < sky_routes + sky_route_count &&
           (strcmp(route->method, method) != 0 || strcmp(route->path, path) != 0))
        route++;
    SKY_ASSERT(route < sky_routes + sky_route_count);
    if (route->body != NULL) {
        sky_err err = check_members(route, body, at, why);
        return err == SKY_OK && route->check != NULL ? route->check(body, at, why) : err;
    }
    if (route->free_body != NULL || cJSON_GetArraySize(body) == 0)
        return SKY_OK;
    return sky_why_set(why, SKY_ERR_INVALID, at, "%s takes nothing", path);
}

/* What a page of another site can send without being asked is none of the types that count (Fetch
 * §2.2.2). The answer is the line that works. */
static bool check_type(struct sky_api *api)
{
    const struct sky_http_head *head = &api->call->head;
    const char *due = api->route->body_type ? api->route->body_type : JSON;
    sky_span type = SKY_SPAN("none"), rest;
    if (api->call->body.len == 0)
        return true;
    if (sky_http_head_header(head->headers, "Content-Type", &type) &&
        !sky_span_cut(type, ';', &type, &rest))
        rest = SKY_SPAN_NONE;
    if (sky_span_eq_nocase(sky_span_trim(type), sky_span_str(due)))
        return true;
    bool json = strcmp(due, JSON) == 0, post = sky_span_eq(head->method, SKY_SPAN("POST"));
    sky_api_error(
        api, 415, "type", "",
        "the body's type must be %s, not %.*s; with curl: curl %s%.*s%s%s%s http://%.*s%.*s", due,
        SKY_SPAN_ARGS(sky_span_head(type, 64)), post ? "" : "-X ", post ? 0 : (int)head->method.len,
        head->method.ptr, post ? "" : " ",
        json ? "--json '{...}'" : "--data-binary @FILE -H Content-Type:", json ? "" : due,
        SKY_SPAN_ARGS(sky_span_head(head->host, 100)),
        SKY_SPAN_ARGS(sky_span_head(head->path, 150)));
    return false;
}

/* ---- reading a body ---- */

/* An empty body is an empty object, so that a POST without anything to say needs none. */
static void read_body(const struct sky_route *route, const struct sky_catalogue *rules,
                      sky_span text, struct sky_api_reading *read)
{
    read->err = sky_json_parse(text.len > 0 ? text : SKY_SPAN("{}"), SKY_API_BODY_DEPTH_MAX,
                               &read->tree, &read->why);
    if (read->err == SKY_OK && route->make != NULL && cJSON_IsObject(read->tree))
        read->made = route->make(rules, read->tree);
}

/* One that is read off the loop, which it would hold for tens of milliseconds. */
struct far_reading {
    uv_work_t work;
    struct sky_app *app;
    struct sky_http_call *call; /* NULL: it has gone meanwhile */
    const struct sky_route *route;
    sky_span text; /* owned */
    struct sky_api_reading read;
};

static void answer(struct sky_api *api);

static void read_far(uv_work_t *work)
{
    struct far_reading *far = SKY_CONTAINER_OF(work, struct far_reading, work);
    read_body(far->route, &far->app->registry.catalogue, far->text, &far->read);
}

static void on_read_far(uv_work_t *work, int status)
{
    struct far_reading *far = SKY_CONTAINER_OF(work, struct far_reading, work);
    struct sky_api_reading *read = &far->read;
    (void)status;
    sky_clock_tick(&far->app->clock, uv_now(&far->app->loop));
    if (far->call != NULL) {
        struct sky_api api = {.call = far->call, .app = far->app, .read = read};
        far->call->state = NULL;
        far->call->on_gone = NULL;
        answer(&api);
    }
    if (read->made != NULL)
        read->made->drop(read->made);
    cJSON_Delete(read->tree);
    free((char *)far->text.ptr);
    free(far);
}

static void on_far_gone(struct sky_http_call *call)
{
    ((struct far_reading *)call->state)->call = NULL;
}

static void begin_reading(struct sky_api *api)
{
    struct far_reading *far = sky_mem_new(sizeof *far);
    sky_span text = api->call->body;
    *far = (struct far_reading){.app = api->app, .call = api->call, .route = api->route};
    far->text = sky_span_of(sky_mem_dup(text.ptr, text.len), text.len);
    api->call->state = far;
    api->call->on_gone = on_far_gone;
    uv_queue_work(&api->app->loop, &far->work, read_far, on_read_far);
}

/* False: it is answered, or will be. */
static bool check_body(struct sky_api *api)
{
    struct sky_api_reading here = {.err = SKY_OK}, *from = api->read != NULL ? api->read : &here;
    sky_span text = api->call->body;
    if (api->route->free_body != NULL)
        return true;
    if (api->route->body == NULL && text.len > 0) {
        sky_api_error(api, 400, "invalid", "", "%s %s takes no body", api->route->method,
                      api->route->path);
        return false;
    }
    if (api->route->body == NULL)
        return true;
    bool is_long = text.len > READ_HERE_MAX || api->route->make != NULL;
    if (api->read == NULL && is_long && api->call->on_answer == NULL) {
        begin_reading(api);
        return false;
    }
    if (api->read == NULL)
        read_body(api->route, &api->app->registry.catalogue, text, from);
    struct sky_api_reading read = *from;
    *from = (struct sky_api_reading){.err = SKY_OK};
    api->body = read.tree;
    api->made = read.made;
    if (read.err == SKY_OK && !cJSON_IsObject(api->body))
        read.err = sky_why_set(&read.why, SKY_ERR_INVALID, "", "the body must be a JSON object");
    if (read.err == SKY_OK)
        read.err = check_members(api->route, api->body, "", &read.why);
    if (read.err != SKY_OK)
        sky_api_fail(api, read.err, &read.why);
    return read.err == SKY_OK;
}

/* ---- dispatching ---- */

static bool is_method(const struct sky_route *route, sky_span method)
{
    if (sky_span_eq(method, SKY_SPAN("HEAD")))
        method = SKY_SPAN("GET");
    return sky_span_eq_str(method, route->method);
}

/* The row for this request, or NULL with the methods that its path does know, "GET, POST". Of two
 * paths that match, the first in the table is meant: that without placeholders, as OpenAPI has it.
 */
static const struct sky_route *find_route(struct sky_api *api, struct sky_buf *allowed)
{
    const struct sky_http_head *head = &api->call->head;
    struct sky_path_vars vars;
    const char *path = NULL;
    for (size_t i = 0; i < sky_route_count; i++) {
        const struct sky_route *route = &sky_routes[i];
        if (!sky_match_path(sky_span_str(route->path), head->path, &vars) ||
            (path != NULL && strcmp(path, route->path) != 0))
            continue;
        path = route->path;
        if (is_method(route, head->method)) {
            api->vars = vars;
            return route;
        }
        sky_buf_addf(allowed, "%s%s", allowed->len > 0 ? ", " : "", route->method);
    }
    return NULL;
}

static void answer_wrong_method(struct sky_api *api, sky_span allowed)
{
    char line[ALLOW_MAX];
    int len = snprintf(line, sizeof line, "Allow: %.*s\r\n", SKY_SPAN_ARGS(allowed));
    SKY_ASSERT(len > 0 && (size_t)len < sizeof line);
    api->extra = sky_span_of(line, (size_t)len);
    sky_api_error(api, 405, "method", "", "this path knows %.*s", SKY_SPAN_ARGS(allowed));
}

/* Names the routes nearest to a path that is none. */
static void answer_no_route(struct sky_api *api)
{
    sky_span path = api->call->head.path;
    struct sky_buf near;
    unsigned best = 0, shown = 0;
    sky_buf_init(&near, SKY_API_MESSAGE_MAX / 2);
    for (size_t i = 0; i < sky_route_count; i++) {
        unsigned points = sky_match_nearness(sky_span_str(sky_routes[i].path), path);
        best = points > best ? points : best;
    }
    for (size_t i = 0; best > 0 && i < sky_route_count && shown < NEAR_SHOWN; i++) {
        if (sky_match_nearness(sky_span_str(sky_routes[i].path), path) == best)
            sky_buf_addf(&near, "%s%s %s", shown++ ? ", " : "", sky_routes[i].method,
                         sky_routes[i].path);
    }
    sky_api_error(api, 404, "not_found", "", "there is no '%.*s' here; near: %.*s",
                  SKY_SPAN_ARGS(sky_span_head(path, SKY_API_MESSAGE_MAX / 4)),
                  SKY_SPAN_ARGS(shown ? sky_buf_span(&near) : SKY_SPAN("GET /openapi.json")));
    sky_buf_done(&near);
}

static bool has_token(const struct sky_api *api)
{
    const char *token = api->app->config->admin_token;
    sky_span given;
    return token != NULL &&
           sky_http_head_header(api->call->head.headers, "Authorization", &given) &&
           sky_span_eq_nocase(sky_span_head(given, 7), SKY_SPAN("Bearer ")) &&
           sky_digest_eq(sky_span_trim(sky_span_tail(given, 7)), sky_span_str(token));
}

/* Only clients that a browser does not run leave Host out, in HTTP/1.0. */
static bool is_for_us(const struct sky_api *api)
{
    const struct sky_config *config = api->app->config;
    sky_span name = sky_http_host_name(api->call->head.host);
    const struct sky_listen *listen = sky_config_listen(config, api->call->conn->door->listener);
    return name.len == 0 || sky_guard_host(config, listen->host, name);
}

enum asker { ASKER_WELCOME, ASKER_ELSEWHERE, ASKER_FOREIGN, ASKER_UNKNOWN };

/* Who is it that asks? */
static enum asker judge_asker(const struct sky_api *api)
{
    const struct sky_http_head *head = &api->call->head;
    bool trusted = has_token(api), open = api->route != NULL && api->route->open;
    sky_span origin;
    if (!trusted && !is_for_us(api))
        return ASKER_ELSEWHERE;
    if (sky_http_head_header(head->headers, "Origin", &origin) &&
        !sky_guard_origin(origin, head->host))
        return ASKER_FOREIGN;
    return trusted || open || api->app->config->admin_token == NULL ? ASKER_WELCOME : ASKER_UNKNOWN;
}

/* May whoever asks be answered? Else it has been told why not. */
static bool check_asker(struct sky_api *api)
{
    const struct sky_http_head *head = &api->call->head;
    sky_span name = sky_span_head(sky_http_host_name(head->host), 100), origin = SKY_SPAN_NONE;
    switch (judge_asker(api)) {
    case ASKER_ELSEWHERE:
        sky_api_error(api, 421, "host", "",
                      "'%.*s' is not known as a name of this server; if it is one, start skymock "
                      "with --admin-host %.*s",
                      SKY_SPAN_ARGS(name), SKY_SPAN_ARGS(name));
        return false;
    case ASKER_FOREIGN:
        (void)sky_http_head_header(head->headers, "Origin", &origin);
        sky_api_error(api, 403, "origin", "", "pages of '%.*s' may not use this API",
                      SKY_SPAN_ARGS(sky_span_head(origin, 100)));
        return false;
    case ASKER_UNKNOWN:
        api->extra = SKY_SPAN("WWW-Authenticate: Bearer\r\n");
        sky_api_error(
            api, 401, "token", "",
            "the admin token is missing or wrong; send it as Authorization: Bearer TOKEN");
        return false;
    case ASKER_WELCOME:
        break;
    }
    return true;
}

/* The program itself may ask anything. */
static void dispatch(struct sky_api *api)
{
    struct sky_buf allowed;
    sky_buf_init(&allowed, ALLOW_MAX / 2);
    api->route = find_route(api, &allowed);
    if (api->call->on_answer == NULL && !check_asker(api)) {
        sky_buf_done(&allowed);
        return;
    }
    if (api->route != NULL) {
        if (!sky_bulk_waits(api) && check_query(api) && check_type(api) && check_body(api) &&
            sky_api_settle(api))
            api->route->handle(api);
    } else if (allowed.len > 0) {
        answer_wrong_method(api, sky_buf_span(&allowed));
    } else {
        answer_no_route(api);
    }
    sky_buf_done(&allowed);
}

static void answer(struct sky_api *api)
{
    sky_buf_init(&api->out, SKY_HTTP_ANSWER_MAX);
    api->jw = sky_jw(&api->out);
    dispatch(api);
    if (api->made != NULL)
        api->made->drop(api->made);
    cJSON_Delete(api->body);
    sky_buf_done(&api->out);
}

void sky_api_take(struct sky_app *app, struct sky_http_call *call)
{
    struct sky_api api = {.call = call, .app = app};
    if (call->on_body != NULL) {
        api.raw = call->state;
        call->state = NULL;
        call->on_gone = NULL;
    }
    answer(&api);
    if (api.raw != NULL)
        api.raw->drop(api.raw);
}

static void take(void *app, struct sky_http_call *call)
{
    sky_api_take(app, call);
}

/* The one type of body that is taken as it comes, by the rows that say so. */
static void begin(void *app, struct sky_http_call *call)
{
    struct sky_api api = {.call = call, .app = app};
    struct sky_buf allowed;
    sky_span type = SKY_SPAN_NONE, rest;
    (void)sky_http_head_header(call->head.headers, "Content-Type", &type);
    if (sky_span_cut(type, ';', &type, &rest))
        type = sky_span_trim(type);
    if (!sky_span_eq_nocase(type, SKY_SPAN(SKY_API_RAW)))
        return;
    sky_buf_init(&allowed, ALLOW_MAX / 2);
    api.route = find_route(&api, &allowed);
    sky_buf_done(&allowed);
    if (api.route != NULL && api.route->begin != NULL)
        api.route->begin(&api, judge_asker(&api) == ASKER_WELCOME);
}

static void refused(void *app, struct sky_conn *conn, const struct sky_http_head *head,
                    const char *reason, struct sky_http_reply *reply, struct sky_buf *body)
{
    (void)app;
    (void)conn;
    (void)head;
    struct sky_jw jw = sky_jw(body);
    reply->line_end = true;
    sky_api_write_error(&jw, "http", "", reason);
}

struct sky_http_handler sky_admin_handler(struct sky_app *app)
{
    return (struct sky_http_handler){.body_max = SKY_HTTP_ADMIN_BODY_MAX,
                                     .by_the_book = true,
                                     .no_sniff = true,
                                     .begin = begin,
                                     .take = take,
                                     .refused = refused,
                                     .owner = app};
}

/* ---- opening ---- */

void sky_admin_open(struct sky_app *app)
{
    app->admin = sky_mem_new(sizeof *app->admin);
    app->admin->names.store = app->store;
    sky_waits_open(&app->admin->waits, &app->clock, app->journal);
    app->admin->suites = sky_api_suites_open(app);
    app->admin->bulk = sky_bulk_open(app);
}

void sky_admin_free(struct sky_app *app)
{
    if (app->admin == NULL)
        return;
    sky_suites_free(app->admin->suites);
    sky_bulk_close(app->admin->bulk);
    sky_waits_close(&app->admin->waits);
    free(app->admin);
    app->admin = NULL;
}
