/* Which devices stand behind a gateway: read, and set by the application. */
#include <stdio.h>

#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/broker/gateways.h"
#include "server/broker/presence.h"
#include "store/topology.h"

/* A gateway of the registry; false, and answered, when the path names none. */
static bool take_gateway(struct sky_api *api, struct sky_product *ret_product,
                         struct sky_device *ret_device)
{
    if (!sky_api_device(api, ret_product, ret_device))
        return false;
    if (ret_product->node == SKY_NODE_GATEWAY)
        return true;
    sky_api_error(api, 409, "conflict", "",
                  "this device is no gateway; the product's \"nodeType\" says which are");
    return false;
}

struct writing {
    struct sky_api *api;
    int64_t gateway_id;
};

static bool write_one(void *ctx, const struct sky_product *product, const struct sky_device *device)
{
    const struct writing *writing = ctx;
    struct sky_jw *jw = &writing->api->jw;
    const struct sky_session *session = sky_session_find(&writing->api->app->registry, device->id);
    sky_jw_object(jw);
    sky_jw_put_str(jw, "product", product->key);
    sky_jw_put_str(jw, "device", device->key);
    sky_jw_put_bool(jw, "online",
                    session != NULL && session->work->via != NULL &&
                        session->work->via->device_id == writing->gateway_id);
    sky_jw_end_object(jw);
    return true;
}

static void answer(struct sky_api *api, int64_t gateway_id)
{
    struct writing writing = {api, gateway_id};
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "subDevices");
    sky_jw_array(&api->jw);
    sky_err err =
        sky_store_each_behind(api->app->store, gateway_id, SKY_BEHIND_MAX, write_one, &writing);
    sky_api_send_list(api, err);
}

void sky_api_device_topology(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (take_gateway(api, &product, &device))
        answer(api, device.id);
}

/* ---- setting ---- */

/* A device by its keys in the vendor's words, or in this API's. */
static const char *key_of(const cJSON *item, const char *word, const char *vendors_word)
{
    const char *key = sky_json_get_str(item, word);
    return key != NULL ? key : sky_json_get_str(item, vendors_word);
}

enum {
    STEPS_PER_TURN = 16, /* of the work below: each is a few statements of SQL */
};

enum phase { RESOLVING, UNBINDING, BINDING, DONE };

/* A topology on its way to be as the application wants it: a piece a turn. */
struct job {
    struct sky_app *app;
    struct sky_http_call *call;
    const struct sky_route *route;
    const struct sky_cloud *cloud;
    int64_t gateway_id;
    const struct sky_product_info *gateway;
    cJSON *list; /* owned: what the body asks for */
    const cJSON *item;
    enum phase phase;
    size_t next;
    struct ids {
        size_t count;
        int64_t list[SKY_BEHIND_MAX];
    } wanted, bound;
    struct sky_timer timer;
};

static void job_free(struct job *job)
{
    sky_clock_forgive(&job->app->clock, &job->timer);
    cJSON_Delete(job->list);
    free(job);
}

static void on_gone(struct sky_http_call *call)
{
    job_free(call->state);
}

static bool has(const struct ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (ids->list[i] == id)
            return true;
    return false;
}

static bool take_bound(void *ctx, const struct sky_product *product,
                       const struct sky_device *device)
{
    struct ids *bound = ctx;
    (void)product;
    bound->list[bound->count++] = device->id;
    return bound->count < SKY_BEHIND_MAX;
}

/* One entry of the body. False, and answered, when it names no device that may stand there. */
static bool resolve(struct job *job, struct sky_api *api)
{
    char pointer[40];
    struct sky_product product;
    struct sky_device device;
    const char *of = key_of(job->item, "product", job->cloud->words.product_key);
    const char *key = key_of(job->item, "device", job->cloud->words.device_key);
    snprintf(pointer, sizeof pointer, "/subDevices/%zu", job->next++);
    job->item = job->item->next;
    if (of == NULL || key == NULL) {
        sky_api_error(api, 400, "invalid", pointer, "an entry is {\"product\", \"device\"}");
        return false;
    }
    sky_err err = sky_store_find_device(job->app->store, sky_span_str(job->cloud->name),
                                        sky_span_str(of), sky_span_str(key), &product, &device);
    if (err == SKY_ERR_NOT_FOUND)
        sky_api_error(api, 404, "not_found", pointer, "there is no device %s/%s", of, key);
    else if (err != SKY_OK)
        sky_api_fail(api, err, NULL);
    else if (product.node == SKY_NODE_GATEWAY)
        sky_api_error(api, 400, "invalid", pointer, "%s/%s is a gateway itself", of, key);
    else if (job->gateway != NULL && !sky_product_takes_behind(job->gateway, of))
        sky_api_error(api, 409, "conflict", pointer,
                      "the gateway's \"subProducts\" has no product %s", of);
    else {
        if (!has(&job->wanted, device.id))
            job->wanted.list[job->wanted.count++] = device.id;
        return true;
    }
    return false;
}

/* The gateway is told of each, as its cloud does when the console changes the topology. */
static sky_err change(struct sky_app *app, int64_t gateway_id, int64_t device_id, bool bind)
{
    struct sky_product product;
    struct sky_device device;
    sky_err err = sky_store_get_device(app->store, device_id, &product, &device);
    if (err == SKY_OK && !bind)
        sky_gateway_told(&app->broker, gateway_id, &product, &device, SKY_BEHIND_UNBOUND);
    if (err == SKY_OK)
        err = bind ? sky_gateway_bind(&app->broker, gateway_id, &product, &device, 0)
                   : sky_gateway_unbind(&app->broker, gateway_id, device_id, 0);
    if (err == SKY_OK && bind)
        sky_gateway_told(&app->broker, gateway_id, &product, &device, SKY_BEHIND_BOUND);
    return err;
}

/* The next of `from` that `other` has not is bound, or unbound. */
static sky_err change_next(struct job *job, const struct ids *from, const struct ids *other,
                           bool bind)
{
    int64_t id = from->list[job->next++];
    return has(other, id) ? SKY_OK : change(job->app, job->gateway_id, id, bind);
}

/* False, and answered, when there is no more to do. */
static bool step(struct job *job, struct sky_api *api)
{
    sky_err err = SKY_OK;
    if (job->phase == RESOLVING && job->item != NULL)
        return resolve(job, api);
    if (job->phase == UNBINDING && job->next < job->bound.count)
        err = change_next(job, &job->bound, &job->wanted, false);
    else if (job->phase == BINDING && job->next < job->wanted.count)
        err = change_next(job, &job->wanted, &job->bound, true);
    else if (job->phase == RESOLVING)
        err = sky_store_each_behind(job->app->store, job->gateway_id, SKY_BEHIND_MAX, take_bound,
                                    &job->bound);
    bool over = job->phase == RESOLVING ||
                job->next >= (job->phase == UNBINDING ? job->bound : job->wanted).count;
    if (over) {
        job->phase++;
        job->next = 0;
    }
    if (err == SKY_OK && job->phase == DONE && sky_api_flush(api))
        answer(api, job->gateway_id);
    else if (err != SKY_OK)
        sky_api_fail(api, err, NULL);
    return err == SKY_OK && job->phase != DONE;
}

static void on_turn(struct sky_timer *timer, int64_t now_ms)
{
    struct job *job = SKY_CONTAINER_OF(timer, struct job, timer);
    struct sky_api api = {.call = job->call, .app = job->app, .route = job->route};
    bool more = true;
    (void)now_ms;
    sky_buf_init(&api.out, SKY_HTTP_ANSWER_MAX);
    api.jw = sky_jw(&api.out);
    job->call->on_gone = NULL; /* it may be answered */
    for (int i = 0; i < STEPS_PER_TURN && more; i++)
        more = step(job, &api);
    if (more) {
        job->call->on_gone = on_gone;
        sky_clock_patience(&job->app->clock, timer, 1, on_turn);
    } else {
        job_free(job);
    }
    sky_buf_done(&api.out);
}

void sky_api_device_topology_put(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (!take_gateway(api, &product, &device))
        return;
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(product.cloud));
    int count = cJSON_GetArraySize(sky_json_get(api->body, "subDevices"));
    if (count > cloud->gateway->bound_max) {
        sky_api_error(api, 413, "limit", "/subDevices", "%d devices; %u is the most", count,
                      cloud->gateway->bound_max);
        return;
    }
    struct job *job = sky_mem_new(sizeof *job);
    job->app = api->app;
    job->call = api->call;
    job->route = api->route;
    job->cloud = cloud;
    job->gateway_id = device.id;
    job->gateway = sky_product_info(&api->app->registry, product.id);
    job->list = cJSON_DetachItemFromObjectCaseSensitive(api->body, "subDevices");
    job->item = job->list->child;
    api->call->state = job;
    api->call->on_gone = on_gone;
    sky_clock_patience(&api->app->clock, &job->timer, 0, on_turn);
}
