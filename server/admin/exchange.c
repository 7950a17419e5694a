/* What a request says, and how it is answered: what all routes share. */
#include "server/admin/api.h"

#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "store/lost.h"

static const char JSON[] = "application/json"; /* whose texts end with a line end */

/* ---- answering ---- */

void sky_api_reply_json(struct sky_http_call *call, int status, sky_span body)
{
    const struct sky_http_reply reply = {
        .status = status, .content_type = JSON, .body = body, .line_end = true};
    sky_http_reply(call, &reply);
}

void sky_api_write_error(struct sky_jw *jw, const char *code, const char *pointer,
                         const char *message)
{
    sky_jw_object(jw);
    sky_jw_key(jw, "error");
    sky_jw_object(jw);
    sky_jw_put_str(jw, "code", code);
    sky_jw_put_str(jw, "message", message);
    sky_jw_put_str(jw, "pointer", pointer);
    sky_jw_end_object(jw);
    sky_jw_end_object(jw);
}

void sky_api_reply_error(struct sky_http_call *call, int status, const char *code,
                         const char *message)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_HTTP_ANSWER_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_api_write_error(&jw, code, "", message);
    sky_api_reply_json(call, status, sky_buf_span(&out));
    sky_buf_done(&out);
}

static void reply(struct sky_api *api, int status, const char *content_type)
{
    const struct sky_http_reply whole = {.status = status,
                                         .content_type = content_type,
                                         .body = sky_buf_span(&api->out),
                                         .line_end = content_type == JSON,
                                         .extra = api->extra};
    sky_http_give(api->call, &whole, &api->out);
}

void sky_api_send(struct sky_api *api, int status)
{
    if (api->out.overflow) {
        sky_api_error(api, 500, "limit", "",
                      "the answer would be longer than %d bytes; ask for less",
                      SKY_HTTP_ANSWER_MAX);
        return;
    }
    reply(api, status, api->out.len > 0 ? JSON : NULL);
}

void sky_api_send_text(struct sky_api *api, const char *content_type)
{
    reply(api, 200, content_type);
}

void sky_api_error(struct sky_api *api, int status, const char *code, const char *pointer,
                   const char *fmt, ...)
{
    char message[SKY_API_MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    sky_buf_clear(&api->out);
    api->jw = sky_jw(&api->out);
    sky_api_write_error(&api->jw, code, pointer, message);
    reply(api, status, JSON);
}

static int status_of(sky_err err)
{
    static const int statuses[] = {
        [SKY_ERR_INVALID] = 400,  [SKY_ERR_NOT_FOUND] = 404, [SKY_ERR_EXISTS] = 409,
        [SKY_ERR_CONFLICT] = 409, [SKY_ERR_DENIED] = 403,    [SKY_ERR_LIMIT] = 413,
        [SKY_ERR_BUSY] = 503,     [SKY_ERR_IO] = 500,        [SKY_ERR_STORE] = 507,
        [SKY_ERR_CRYPTO] = 500};
    SKY_ASSERT(err != SKY_OK && (size_t)err < SKY_COUNT(statuses));
    return statuses[err];
}

void sky_api_fail(struct sky_api *api, sky_err err, const struct sky_why *why)
{
    bool said = why != NULL && why->reason[0] != '\0';
    sky_api_error(api, status_of(err), sky_err_slug(err), said ? why->pointer : "", "%s",
                  said ? why->reason : sky_err_text(err));
}

void sky_api_fail_store(struct sky_api *api, sky_err err)
{
    struct sky_why why = {.reason = ""};
    if (err == SKY_ERR_STORE)
        (void)sky_store_why(api->app->store, &why);
    sky_api_fail(api, err, &why);
}

sky_err sky_api_check_text(struct sky_api *api, sky_span text)
{
    return text.len == 0 || sky_json_check(text, SKY_JSON_DEPTH_MAX, NULL) == SKY_OK
               ? SKY_OK
               : sky_store_blame(api->app->store, "a document is no JSON");
}

void sky_api_send_list(struct sky_api *api, sky_err err)
{
    sky_jw_end_array(&api->jw);
    sky_jw_end_object(&api->jw);
    if (err == SKY_OK)
        sky_api_send(api, 200);
    else
        sky_api_fail(api, err, NULL);
}

/* ---- asking ---- */

bool sky_api_query(const struct sky_api *api, const char *name, char out[SKY_API_PARAM_MAX])
{
    bool bad;
    return sky_http_query(api->call->head.query, name, out, SKY_API_PARAM_MAX, &bad) && !bad;
}

int64_t sky_api_query_int(const struct sky_api *api, const char *name, int64_t otherwise)
{
    char text[SKY_API_PARAM_MAX];
    int64_t value;
    if (!sky_api_query(api, name, text) || !sky_span_to_int(sky_span_str(text), &value))
        return otherwise;
    return value;
}

bool sky_api_query_is(const struct sky_api *api, const char *name)
{
    char text[SKY_API_PARAM_MAX];
    return sky_api_query(api, name, text) && strcmp(text, "true") == 0;
}

const char *sky_api_body_text(const struct sky_api *api, const char *name)
{
    return api->body ? sky_json_get_str(api->body, name) : NULL;
}

const char *sky_api_body_whom(const struct sky_api *api, const char **ret_key)
{
    const char *device = sky_api_body_text(api, "device");
    const char *product = sky_api_body_text(api, "product");
    *ret_key = device != NULL ? "device" : product != NULL ? "product" : NULL;
    return device != NULL ? device : product != NULL ? product : "";
}

int64_t sky_api_body_int(const struct sky_api *api, const char *name, int64_t otherwise)
{
    const cJSON *item = api->body ? sky_json_get(api->body, name) : NULL;
    return item ? (int64_t)item->valuedouble : otherwise;
}

bool sky_api_body_bool(const struct sky_api *api, const char *name, bool otherwise)
{
    const cJSON *item = api->body ? sky_json_get(api->body, name) : NULL;
    return item ? cJSON_IsTrue(item) : otherwise;
}

const struct sky_cloud *sky_api_cloud(struct sky_api *api, const char *name)
{
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(name));
    if (cloud == NULL)
        sky_api_error(api, 404, "not_found", "", "there is no cloud '%s'", name);
    return cloud;
}

bool sky_api_device(struct sky_api *api, struct sky_product *ret_product,
                    struct sky_device *ret_device)
{
    const struct sky_path_vars *vars = &api->vars;
    if (sky_api_cloud(api, vars->cloud) == NULL)
        return false;
    sky_err err = sky_store_find_device(api->app->store, sky_span_str(vars->cloud),
                                        sky_span_str(vars->product), sky_span_str(vars->device),
                                        ret_product, ret_device);
    if (err == SKY_ERR_NOT_FOUND)
        sky_api_error(api, 404, "not_found", "", "there is no %s '%s' in cloud %s",
                      ret_product->id ? "device" : "product",
                      ret_product->id ? vars->device : vars->product, vars->cloud);
    else if (err != SKY_OK)
        sky_api_fail(api, err, NULL);
    return err == SKY_OK;
}

bool sky_api_settle(struct sky_api *api)
{
    struct sky_why why = {0};
    sky_err err = sky_app_settle(api->app, &why);
    if (err != SKY_OK)
        sky_api_fail(api, err, &why);
    return err == SKY_OK;
}

bool sky_api_flush(struct sky_api *api)
{
    if (!sky_api_settle(api))
        return false;
    sky_err err = sky_journal_flush(api->app->journal);
    if (err != SKY_OK)
        sky_api_fail(api, err, NULL);
    return err == SKY_OK;
}

void sky_api_record(struct sky_app *app, enum sky_event_type type, int64_t device_id,
                    const char *name)
{
    const struct sky_event_head head = {
        .type = type, .direction = SKY_INSIDE, .device_id = device_id};
    const struct sky_attr attr = SKY_ATTR(NAME, sky_span_str(name));
    sky_journal_add(app->journal, &head, &attr, 1, NULL);
}
