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
                    session != NULL && session->via != NULL &&
                        session->via->device_id == writing->gateway_id);
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
    sky_jw_end_array(&api->jw);
    sky_jw_end_object(&api->jw);
    if (err == SKY_OK)
        sky_api_send(api, 200);
    else
        sky_api_fail(api, err, NULL);
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

struct wanted {
    int64_t *ids; /* owned */
    size_t count;
};

static bool is_wanted(const struct wanted *wanted, int64_t id)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->ids[i] == id)
            return true;
    return false;
}

/* False, and answered, when an entry names no device that may stand there. */
static bool take_wanted(struct sky_api *api, const struct sky_product *gateway,
                        struct wanted *wanted)
{
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(gateway->cloud));
    const cJSON *item, *list = sky_json_get(api->body, "subDevices");
    char pointer[40];
    size_t index = 0;
    if (cJSON_GetArraySize(list) > cloud->gateway->bound_max) {
        sky_api_error(api, 413, "limit", "/subDevices", "%d devices; %u is the most",
                      cJSON_GetArraySize(list), cloud->gateway->bound_max);
        return false;
    }
    wanted->ids = sky_mem_new(((size_t)cJSON_GetArraySize(list) + 1) * sizeof *wanted->ids);
    cJSON_ArrayForEach (item, list) {
        struct sky_product product;
        struct sky_device device;
        const char *of = key_of(item, "product", cloud->words.product_key);
        const char *key = key_of(item, "device", cloud->words.device_key);
        snprintf(pointer, sizeof pointer, "/subDevices/%zu", index++);
        if (of == NULL || key == NULL) {
            sky_api_error(api, 400, "invalid", pointer, "an entry is {\"product\", \"device\"}");
            return false;
        }
        sky_err err = sky_store_find_device(api->app->store, sky_span_str(cloud->name),
                                            sky_span_str(of), sky_span_str(key), &product, &device);
        if (err == SKY_ERR_NOT_FOUND || (err == SKY_OK && product.node == SKY_NODE_GATEWAY)) {
            sky_api_error(
                api, err == SKY_OK ? 400 : 404, err == SKY_OK ? "invalid" : "not_found", pointer,
                err == SKY_OK ? "%s/%s is a gateway itself" : "there is no device %s/%s", of, key);
            return false;
        }
        if (err != SKY_OK) {
            sky_api_fail(api, err, NULL);
            return false;
        }
        if (!is_wanted(wanted, device.id))
            wanted->ids[wanted->count++] = device.id;
    }
    return true;
}

struct bound {
    int64_t ids[SKY_BEHIND_MAX];
    size_t count;
};

static bool take_bound(void *ctx, const struct sky_product *product,
                       const struct sky_device *device)
{
    struct bound *bound = ctx;
    (void)product;
    bound->ids[bound->count++] = device->id;
    return bound->count < SKY_BEHIND_MAX;
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

static sky_err change_all(struct sky_app *app, int64_t gateway_id, const struct wanted *wanted)
{
    struct bound *bound = sky_mem_new(sizeof *bound);
    sky_err err = sky_store_each_behind(app->store, gateway_id, SKY_BEHIND_MAX, take_bound, bound);
    for (size_t i = 0; i < bound->count && err == SKY_OK; i++)
        if (!is_wanted(wanted, bound->ids[i]))
            err = change(app, gateway_id, bound->ids[i], false);
    const struct wanted before = {bound->ids, bound->count};
    for (size_t i = 0; i < wanted->count && err == SKY_OK; i++)
        if (!is_wanted(&before, wanted->ids[i]))
            err = change(app, gateway_id, wanted->ids[i], true);
    free(bound);
    return err;
}

void sky_api_device_topology_put(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    struct wanted wanted = {.count = 0};
    if (take_gateway(api, &product, &device) && take_wanted(api, &product, &wanted)) {
        sky_err err = change_all(api->app, device.id, &wanted);
        if (err == SKY_OK && sky_api_flush(api))
            answer(api, device.id);
        else if (err != SKY_OK)
            sky_api_fail(api, err, NULL);
    }
    free(wanted.ids);
}
