/* Upgrades of a device's firmware: ordered, with an image that comes in any of three ways, shown,
 * waited for and cancelled. */
#include <stdio.h>
#include <stdlib.h>

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/admin/checks.h"
#include "server/broker/images.h"
#include "server/broker/upgrades.h"
#include "server/os/worker.h"

/* An order on its way from the request to the upgrade, or to the end of that. */
struct order {
    struct sky_app *app;
    struct sky_http_call *call; /* NULL: nobody waits for the answer any more */
    int64_t device_id;
    char version[SKY_OTA_VERSION_MAX + 1], module[SKY_OTA_MODULE_MAX + 1];
    bool chunked;
    int64_t wait_ms;
    struct sky_image image; /* id 0: not stored yet */
    uv_work_t work;
    struct sky_upgrade_wait *wait; /* NULL: not yet */
};

/* ---- showing ---- */

static void reply_upgrade(struct sky_http_call *call, int status, const struct sky_ota *ota,
                          const struct sky_ota_upgrade *upgrade)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_DOCUMENT_MAX);
    sky_ota_show(ota, upgrade, &jw);
    sky_api_reply_json(call, status, sky_buf_span(&out));
    sky_buf_done(&out);
}

static void reply_why(struct sky_http_call *call, sky_err err, const struct sky_why *why)
{
    struct sky_api api = {.call = call};
    sky_buf_init(&api.out, SKY_HTTP_ANSWER_MAX);
    sky_api_fail(&api, err, why);
    sky_buf_done(&api.out);
}

/* False, and answered, when there is no such device or its cloud has no upgrades. The view is to be
 * closed in either case. */
static bool open_view(struct sky_api *api, struct sky_session **ret_session,
                      struct sky_upgrades_view *view)
{
    struct sky_product product;
    struct sky_device device;
    struct sky_why why = {0};
    *view = (struct sky_upgrades_view){0};
    if (!sky_api_device(api, &product, &device))
        return false;
    *ret_session = sky_session_open(&api->app->registry, &product, &device);
    sky_err err = sky_upgrades_view(&api->app->broker, *ret_session, view, &why);
    if (err != SKY_OK)
        sky_api_fail(api, err, &why);
    return err == SKY_OK;
}

void sky_api_device_ota(struct sky_api *api)
{
    struct sky_session *session;
    struct sky_upgrades_view view;
    if (open_view(api, &session, &view)) {
        sky_jw_object(&api->jw);
        sky_jw_key(&api->jw, "upgrades");
        sky_jw_array(&api->jw);
        for (size_t i = 0; i < view.ota.count; i++)
            if (view.ota.rows[i].state != SKY_OTA_NONE)
                sky_ota_show(&view.ota, &view.ota.rows[i], &api->jw);
        sky_jw_end_array(&api->jw);
        sky_jw_key(&api->jw, "versions");
        sky_jw_object(&api->jw);
        for (size_t i = 0; i < view.ota.count; i++) {
            sky_jw_key_raw(&api->jw, view.ota.rows[i].module);
            sky_jw_str(&api->jw, view.ota.rows[i].reported);
        }
        sky_jw_end_object(&api->jw);
        sky_jw_end_object(&api->jw);
        sky_api_send(api, 200);
    }
    sky_upgrades_close(&view);
}

/* ---- cancelling ---- */

void sky_api_device_ota_cancel(struct sky_api *api)
{
    struct sky_session *session;
    struct sky_upgrades_view view;
    char module[SKY_API_PARAM_MAX];
    bool one = sky_api_query(api, "module", module), canceled = false;
    if (!open_view(api, &session, &view))
        goto out;
    if (one)
        canceled = sky_ota_cancel(&view.ota, sky_span_str(module));
    for (size_t i = 0; !one && i < view.ota.count; i++)
        canceled |= sky_ota_cancel(&view.ota, view.ota.rows[i].module);
    if (!canceled) {
        sky_api_error(api, 404, "not_found", "", "no upgrade is under way that could be canceled");
        goto out;
    }
    sky_upgrades_store(&api->app->broker, session, &view);
    if (sky_api_flush(api))
        sky_api_send(api, 204);
out:
    sky_upgrades_close(&view);
}

/* ---- waiting ---- */

static void on_done(void *ctx, const struct sky_ota *ota, const struct sky_ota_upgrade *upgrade)
{
    struct order *order = ctx;
    char message[160];
    if (upgrade != NULL && !sky_ota_is_open(upgrade)) {
        reply_upgrade(order->call, 200, ota, upgrade);
    } else {
        snprintf(message, sizeof message, "the upgrade did not end in time; it is %s",
                 upgrade != NULL ? sky_ota_state_name(upgrade->state) : "gone");
        sky_api_reply_error(order->call, 504, "timeout", message);
    }
    free(order);
}

static void on_gone(struct sky_http_call *call)
{
    struct order *order = call->state;
    order->call = NULL;
    if (order->wait == NULL)
        return; /* whoever works for it frees it */
    sky_upgrade_cancel_wait(order->wait);
    free(order);
}

/* ---- ordering ---- */

static void give_up(struct order *order, sky_err err, const struct sky_why *why)
{
    if (order->image.id != 0)
        sky_image_drop(&order->app->broker, order->image.id);
    if (order->call != NULL)
        reply_why(order->call, err, why);
    free(order);
}

static struct sky_ota_order terms(const struct order *order)
{
    return (struct sky_ota_order){.module = sky_span_str(order->module),
                                  .version = sky_span_str(order->version),
                                  .file = sky_span_str(order->image.name),
                                  .size = order->image.size,
                                  .md5 = sky_span_str(order->image.md5),
                                  .sha256 = sky_span_str(order->image.sha256),
                                  .chunked = order->chunked,
                                  .stream_id = order->chunked ? order->image.id : 0};
}

/* The image of the module's last upgrade, which is over, has no use any more. */
static void drop_last(struct sky_app *app, const struct sky_ota *ota, sky_span module)
{
    const struct sky_ota_upgrade *last = sky_ota_find(ota, module);
    struct sky_image image;
    if (last != NULL && last->file.len > 0 &&
        sky_store_find_image(app->store, last->file, &image) == SKY_OK)
        sky_image_drop(&app->broker, image.id);
}

/* The upgrade exists from here on, and is kept before anybody is told. */
static void answer_created(struct order *order, struct sky_session *session)
{
    struct sky_broker *broker = &order->app->broker;
    struct sky_upgrades_view view;
    struct sky_why why = {0};
    const struct sky_ota_upgrade *upgrade = NULL;
    sky_err err = sky_upgrades_view(broker, session, &view, &why);
    if (err == SKY_OK)
        upgrade = sky_ota_find(&view.ota, sky_span_str(order->module));
    if (err == SKY_OK && upgrade == NULL)
        err = SKY_ERR_NOT_FOUND;
    if (err == SKY_OK && order->wait_ms > 0) {
        order->wait = sky_upgrade_wait(broker, order->device_id, upgrade->module, order->wait_ms,
                                       on_done, order);
        if (order->wait != NULL)
            goto out;
        err = sky_why_set(&why, SKY_ERR_BUSY, "",
                          "%d calls wait already, the most that may; the upgrade is on its "
                          "way",
                          SKY_UPGRADE_WAITS_MAX);
    }
    if (err == SKY_OK)
        reply_upgrade(order->call, 202, &view.ota, upgrade);
    else
        reply_why(order->call, err, &why);
    free(order);
out:
    sky_upgrades_close(&view);
}

static void create(struct order *order)
{
    struct sky_app *app = order->app;
    struct sky_product product;
    struct sky_device device;
    struct sky_upgrades_view view = {0};
    struct sky_session *session = NULL;
    struct sky_why why = {0};
    const struct sky_ota_order wanted = terms(order);
    sky_err err = sky_store_get_device(app->store, order->device_id, &product, &device);
    if (err == SKY_OK) {
        session = sky_session_open(&app->registry, &product, &device);
        err = sky_upgrades_view(&app->broker, session, &view, &why);
    }
    if (err == SKY_OK)
        err = sky_ota_check(&view.ota, &wanted, &why);
    if (err == SKY_OK) {
        sky_store_batch(app->store);
        drop_last(app, &view.ota, wanted.module);
        sky_ota_create(&view.ota, &wanted);
        sky_upgrades_store(&app->broker, session, &view);
        err = sky_app_settle(app, &why);
    }
    if (session != NULL)
        sky_upgrades_close(&view);
    if (err != SKY_OK)
        give_up(order, err, &why);
    else
        answer_created(order, session);
}

/* ---- the image ---- */

static void digest(uv_work_t *work)
{
    sky_worker_step_back();
    sky_image_digest(&SKY_CONTAINER_OF(work, struct order, work)->image);
}

static void on_digested(uv_work_t *work, int status)
{
    struct order *order = SKY_CONTAINER_OF(work, struct order, work);
    struct sky_why why = {0};
    sky_clock_tick(&order->app->clock, uv_now(&order->app->loop));
    sky_err err = status == 0 ? SKY_OK : SKY_ERR_BUSY;
    if (err == SKY_OK && order->call != NULL)
        err = sky_image_add_made(&order->app->broker, order->device_id, &order->image, &why);
    if (err != SKY_OK || order->call == NULL)
        give_up(order, err, &why);
    else
        create(order);
}

static void make_up(struct order *order, int64_t size)
{
    sky_rng_bytes(&order->app->rng, &order->image.pattern, sizeof order->image.pattern);
    order->image.pattern |= 1; /* 0 stands for none */
    order->image.size = size;
    uv_queue_work(&order->app->loop, &order->work, digest, on_digested);
}

static void decode(struct order *order, const cJSON *body)
{
    struct sky_image_writer *writer = NULL;
    struct sky_why why = {0};
    size_t len = 0;
    uint8_t *bytes = NULL;
    sky_err err = sky_take_image(body, "", &bytes, &len, &why);
    if (err == SKY_OK)
        err = sky_image_begin(&order->app->broker, order->device_id, (int64_t)len, &writer, &why);
    if (err == SKY_OK) {
        err = sky_image_add(writer, sky_span_of(bytes, len));
        if (err == SKY_OK)
            err = sky_image_end(writer, &order->image);
        else
            sky_image_abort(writer);
    }
    free(bytes);
    if (err != SKY_OK)
        give_up(order, err, &why);
    else
        create(order);
}

/* ---- an image as the body of the request ---- */

struct upload {
    struct sky_api_raw raw;
    struct sky_image_writer *writer; /* owned; NULL: what comes is thrown away */
    sky_err err;                     /* why */
    struct sky_why why;
};

static void drop_upload(struct sky_api_raw *raw)
{
    struct upload *upload = SKY_CONTAINER_OF(raw, struct upload, raw);
    sky_image_abort(upload->writer);
    free(upload);
}

static void on_upload_gone(struct sky_http_call *call)
{
    drop_upload(call->state);
}

static void on_upload(struct sky_http_call *call, sky_span bytes)
{
    struct upload *upload = SKY_CONTAINER_OF((struct sky_api_raw *)call->state, struct upload, raw);
    if (upload->writer == NULL)
        return;
    upload->err = sky_image_add(upload->writer, bytes);
    if (upload->err == SKY_OK)
        return;
    sky_image_abort(upload->writer);
    upload->writer = NULL;
    if (upload->err == SKY_ERR_LIMIT)
        sky_why_set(&upload->why, SKY_ERR_LIMIT, "", "an image has at most %d bytes",
                    SKY_IMAGE_MAX);
}

void sky_api_device_ota_begin(struct sky_api *api, bool welcome)
{
    struct sky_http_call *call = api->call;
    struct sky_product product;
    struct sky_device device;
    struct upload *upload = sky_mem_new(sizeof *upload);
    int64_t size = call->head.chunked ? SKY_IMAGE_MAX : (int64_t)call->head.body_len;
    upload->err = SKY_ERR_NOT_FOUND;
    if (welcome && size > SKY_IMAGE_MAX)
        upload->err = sky_why_set(&upload->why, SKY_ERR_LIMIT, "", "an image has at most %d bytes",
                                  SKY_IMAGE_MAX);
    else if (welcome &&
             sky_store_find_device(api->app->store, sky_span_str(api->vars.cloud),
                                   sky_span_str(api->vars.product), sky_span_str(api->vars.device),
                                   &product, &device) == SKY_OK)
        upload->err =
            sky_image_begin(&api->app->broker, device.id, size, &upload->writer, &upload->why);
    upload->raw.drop = drop_upload;
    call->state = &upload->raw;
    call->on_body = on_upload;
    call->on_gone = on_upload_gone;
}

/* The image that came. False, and answered, when it is not all there. */
static bool take_upload(struct sky_api *api, struct sky_image *ret_image)
{
    struct upload *upload = SKY_CONTAINER_OF(api->raw, struct upload, raw);
    sky_err err = upload->err;
    if (err == SKY_OK) {
        err = sky_image_end(upload->writer, ret_image);
        upload->writer = NULL;
    }
    if (err != SKY_OK)
        sky_api_fail(api, err, &upload->why);
    return err == SKY_OK;
}

/* ---- the request ---- */

/* A member of the body, or, when that is the image, a parameter of the query. */
static const char *word(const struct sky_api *api, const char *name, char out[SKY_API_PARAM_MAX])
{
    if (sky_api_query(api, name, out))
        return out;
    const char *text = sky_api_body_text(api, name);
    return text != NULL ? text : "";
}

static bool copy_word(struct sky_api *api, const char *name, char *out, size_t out_size)
{
    char text[SKY_API_PARAM_MAX], pointer[32];
    if (sky_span_copy(sky_span_str(word(api, name, text)), out, out_size))
        return true;
    snprintf(pointer, sizeof pointer, "/%s", name);
    sky_api_error(api, 400, "invalid", pointer, "it has more than %zu characters", out_size - 1);
    return false;
}

/* False, and answered, when the request says too little, or too much. */
static bool read_order(struct sky_api *api, struct order *order)
{
    char protocol[16], version[SKY_API_PARAM_MAX];
    struct sky_why why;
    if (api->raw == NULL && sky_api_query(api, "version", version)) /* it may stand there, too */
        sky_json_put(api->body, "version", cJSON_CreateString(version));
    sky_err err = api->raw == NULL ? sky_check_upgrade_form(api->body, "", &why) : SKY_OK;
    if (err != SKY_OK) {
        sky_api_fail(api, err, &why);
        return false;
    }
    order->wait_ms = sky_api_query_int(api, "waitMs", sky_api_body_int(api, "waitMs", 0));
    if (!copy_word(api, "version", order->version, sizeof order->version) ||
        !copy_word(api, "module", order->module, sizeof order->module) ||
        !copy_word(api, "protocol", protocol, sizeof protocol))
        return false;
    order->chunked = strcmp(protocol, "mqtt") == 0;
    if (!order->chunked && protocol[0] != '\0' && strcmp(protocol, "https") != 0) {
        sky_api_error(api, 400, "invalid", "/protocol", "'%s' is neither https nor mqtt", protocol);
        return false;
    }
    return true;
}

/* What can be refused is refused before anything is made for it: then it has been answered. */
static bool check_order(struct sky_api *api, struct order *order)
{
    struct sky_session *session;
    struct sky_upgrades_view view;
    struct sky_why why = {0};
    bool good = open_view(api, &session, &view) && read_order(api, order);
    if (good) {
        struct sky_ota_order wanted = terms(order);
        wanted.size = sky_api_body_int(api, "size", 0);
        sky_err err = sky_ota_check(&view.ota, &wanted, &why);
        order->device_id = session->device_id;
        good = err == SKY_OK;
        if (!good)
            sky_api_fail(api, err, &why);
    }
    sky_upgrades_close(&view);
    return good;
}

static void go_on(struct sky_api *api, struct order *order)
{
    struct sky_http_call *call = api->call;
    order->app = api->app;
    order->call = call;
    call->state = order;
    call->on_gone = on_gone;
    if (api->raw != NULL)
        create(order);
    else if (sky_api_body_text(api, "payloadBase64") != NULL)
        decode(order, api->body);
    else
        make_up(order, sky_api_body_int(api, "size", 0));
}

void sky_api_device_ota_create(struct sky_api *api)
{
    struct order *order = sky_mem_new(sizeof *order);
    if (check_order(api, order) && (api->raw == NULL || take_upload(api, &order->image)))
        go_on(api, order);
    else
        free(order);
}
