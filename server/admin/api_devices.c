/* Devices of the registry. */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/lists.h"
#include "server/broker/gateways.h"
#include "server/broker/presence.h"
#include "server/registry/credentials.h"
#include "server/registry/lookup.h"
#include "store/seed.h"

enum {
    MADE_KEY_LEN = 16, /* characters; the clouds want 4 to 32 */
    MADE_KEY_ATTEMPTS = 3,
};

static void put_text_or_null(struct sky_jw *jw, const char *key, const char *text)
{
    if (*text != '\0') {
        sky_jw_put_str(jw, key, text);
        return;
    }
    sky_jw_key(jw, key);
    sky_jw_null(jw);
}

/* What is known of the device since the server started. */
static void write_presence(struct sky_api *api, int64_t device_id)
{
    const struct sky_session *session = sky_session_find(&api->app->registry, device_id);
    struct sky_jw *jw = &api->jw;
    char seen[SKY_TIME_TEXT_MAX] = "";
    bool online = session != NULL && sky_session_is_online(session);
    if (session != NULL && session->last_seen_ms != 0)
        sky_time_text(sky_clock_shown_ms(&api->app->clock, session->last_seen_ms), seen);
    sky_jw_put_bool(jw, "online", online);
    const struct sky_session *carrier = session != NULL ? sky_session_carrier(session) : NULL;
    if (online && carrier->conn != NULL)
        sky_jw_put_int(jw, "connection", carrier->conn->id);
    if (session != NULL && session->conn != NULL)
        sky_jw_put_int(jw, "keepAlive", session->keepalive_s);
    if (carrier != session)
        sky_jw_put_str(jw, "gateway", carrier->party->name);
    put_text_or_null(jw, "lastSeen", seen);
    if (session != NULL) {
        sky_jw_put_int(jw, "published", (int64_t)session->work->published);
        sky_jw_put_int(jw, "delivered", (int64_t)session->work->delivered);
        sky_jw_put_int(jw, "subscriptions",
                       (int64_t)sky_subs_count(api->app->broker.subs, session->slot));
    }
}

/* All members, of an object that stays open. */
static void write_members(struct sky_api *api, const struct sky_product *product,
                          const struct sky_device *device)
{
    struct sky_jw *jw = &api->jw;
    char name[SKY_DEVICE_NAME_MAX + 1];
    snprintf(name, sizeof name, "%s/%s/%s", product->cloud, product->key, device->key);
    sky_jw_object(jw);
    sky_jw_put_str(jw, "name", name);
    sky_jw_put_str(jw, "cloud", product->cloud);
    sky_jw_put_str(jw, "product", product->key);
    sky_jw_put_str(jw, "device", device->key);
    sky_jw_put_bool(jw, "enabled", device->enabled);
    sky_jw_put_str(jw, "state", device->state == SKY_DEVICE_ACTIVE ? "active" : "inactive");
    sky_jw_put_bool(jw, "secretIssued", device->secret_issued);
    put_text_or_null(jw, "assetId", device->asset_id);
    put_text_or_null(jw, "fingerprint", device->fingerprint);
    if (device->temporary)
        sky_jw_put_bool(jw, "temporary", true);
    if (sky_api_query_is(api, "secrets")) {
        sky_jw_put_str(jw, "secret", device->secret);
        put_text_or_null(jw, "oldSecret", device->old_secret);
    }
    write_presence(api, device->id);
}

static void write_device(struct sky_api *api, const struct sky_product *product,
                         const struct sky_device *device)
{
    write_members(api, product, device);
    sky_jw_end_object(&api->jw);
}

/* Signed as the query says. */
static void write_credentials(struct sky_api *api, const struct sky_product *product,
                              const struct sky_device *device)
{
    char fresh[SKY_FRESH_LEN + 1];
    sky_rng_text(&api->app->rng, fresh, SKY_FRESH_LEN);
    const struct sky_sign_request request = {.product = product,
                                             .device = device,
                                             .dynamic = sky_api_query_is(api, "dynamic"),
                                             .tls = sky_api_query_is(api, "tls"),
                                             .now_ms = api->app->clock.now_ms,
                                             .fresh = sky_span_of(fresh, SKY_FRESH_LEN)};
    sky_credentials_tell(&api->jw, sky_cloud_find(sky_span_str(product->cloud)), &request);
}

/* ---- list ---- */

struct listing {
    struct sky_list list;
    char cloud[SKY_API_PARAM_MAX], product[SKY_API_PARAM_MAX], text[SKY_API_PARAM_MAX],
        online[SKY_API_PARAM_MAX];    /* empty: all */
    struct sky_product after_product; /* it goes on behind this one's device; no id: from the first
                                         on */
    struct sky_device after_device;
    size_t left; /* to be told */
    bool more;   /* than the page has */
    bool paused; /* until the next turn */
};

static void drop(struct sky_list *list)
{
    free(SKY_CONTAINER_OF(list, struct listing, list));
}

static bool is_wanted(const struct listing *listing, const struct sky_product *product,
                      const struct sky_device *device)
{
    char name[SKY_DEVICE_NAME_MAX + 1];
    const struct sky_session *session =
        sky_session_find(&listing->list.api.app->registry, device->id);
    bool online = session != NULL && sky_session_is_online(session);
    snprintf(name, sizeof name, "%s/%s/%s", product->cloud, product->key, device->key);
    return (listing->online[0] == '\0' || online == (strcmp(listing->online, "true") == 0)) &&
           sky_span_contains_nocase(sky_span_str(name), sky_span_str(listing->text));
}

static bool list_device(void *ctx, const struct sky_product *product,
                        const struct sky_device *device)
{
    struct listing *listing = ctx;
    bool wanted = is_wanted(listing, product, device);
    if (wanted && listing->left == 0) {
        listing->more = true;
        return false;
    }
    if (wanted) {
        write_device(&listing->list.api, product, device);
        listing->left--;
    }
    listing->after_product = *product;
    listing->after_device = *device;
    listing->paused = sky_list_time_is_up(&listing->list);
    return !listing->paused;
}

static bool is_named(const char *name, const struct sky_product *product)
{
    struct sky_path_vars vars;
    return sky_match_product(sky_span_str(name), &vars) &&
           strcmp(vars.cloud, product->cloud) == 0 && strcmp(vars.product, product->key) == 0;
}

static bool is_listed(const struct listing *listing, const struct sky_product *product)
{
    return (listing->cloud[0] == '\0' || strcmp(listing->cloud, product->cloud) == 0) &&
           (listing->product[0] == '\0' || strcmp(listing->product, product->key) == 0 ||
            is_named(listing->product, product));
}

/* They come in this order. */
static int compare(const struct sky_product *a, const struct sky_product *b)
{
    int order = strcmp(a->cloud, b->cloud);
    return order != 0 ? order : strcmp(a->key, b->key);
}

static bool list_product(void *ctx, const struct sky_product *product)
{
    struct listing *listing = ctx;
    int order = listing->after_product.id == 0 ? 1 : compare(product, &listing->after_product);
    if (order < 0 || !is_listed(listing, product))
        return true;
    listing->list.err = sky_store_each_device(listing->list.api.app->store, product->id,
                                              order == 0 ? listing->after_device.id : 0, SIZE_MAX,
                                              list_device, listing);
    return listing->list.err == SKY_OK && !listing->more && !listing->paused;
}

static bool tell(struct sky_list *list)
{
    struct listing *listing = SKY_CONTAINER_OF(list, struct listing, list);
    struct sky_jw *jw = &list->api.jw;
    const struct sky_product *product = &listing->after_product;
    char next[SKY_DEVICE_NAME_MAX + 1] = "";
    listing->paused = false;
    sky_err err = sky_store_each_product(list->api.app->store, list_product, listing);
    if (list->err == SKY_OK)
        list->err = err;
    if (listing->paused && list->err == SKY_OK)
        return false;
    if (listing->more)
        snprintf(next, sizeof next, "%s/%s/%s", product->cloud, product->key,
                 listing->after_device.key);
    sky_jw_end_array(jw);
    put_text_or_null(jw, "next", next);
    sky_jw_end_object(jw);
    return true;
}

/* Where the page begins: behind the device that `after` names. */
static bool find_start(struct sky_api *api, struct listing *listing)
{
    char after[SKY_API_PARAM_MAX];
    if (!sky_api_query(api, "after", after))
        return true;
    sky_match_device(sky_span_str(after), &api->vars);
    return sky_api_device(api, &listing->after_product, &listing->after_device);
}

void sky_api_devices_list(struct sky_api *api)
{
    struct listing *listing = sky_mem_new(sizeof *listing);
    listing->list.tell = tell;
    listing->list.drop = drop;
    listing->left = (size_t)sky_api_query_int(api, "limit", SKY_API_PAGE_DEFAULT);
    sky_api_query(api, "cloud", listing->cloud);
    sky_api_query(api, "product", listing->product);
    sky_api_query(api, "online", listing->online);
    sky_api_query(api, "text", listing->text);
    if (!find_start(api, listing)) {
        drop(&listing->list);
        return;
    }
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "devices");
    sky_jw_array(&api->jw);
    sky_list_begin(api, &listing->list);
}

/* ---- create, read, change, delete ---- */

static void make_secret(struct sky_app *app, const struct sky_cloud *cloud,
                        char out[SKY_SECRET_MAX + 1])
{
    char fresh[SKY_FRESH_LEN + 1];
    sky_rng_text(&app->rng, fresh, SKY_FRESH_LEN);
    cloud->make_secret(sky_span_of(fresh, SKY_FRESH_LEN), out);
}

static bool is_lower_hex(const char *text)
{
    return strspn(text, "0123456789abcdef") == strlen(text);
}

/* Takes the members of the body that are fields of a device. False, and answered, when one is not
 * as it must be. */
static bool take_fields(struct sky_api *api, const struct sky_cloud *cloud,
                        struct sky_device *device)
{
    struct sky_why why = {0};
    const char *secret = sky_api_body_text(api, "secret");
    const char *asset_id = sky_api_body_text(api, "assetId");
    const char *fingerprint = sky_api_body_text(api, "fingerprint");
    device->enabled = sky_api_body_bool(api, "enabled", device->enabled);
    if (secret != NULL && cloud->check_secret != NULL &&
        cloud->check_secret(sky_span_str(secret), &why) != SKY_OK) {
        sky_api_error(api, 400, "invalid", "/secret", "%s", why.reason);
        return false;
    }
    if (fingerprint != NULL && *fingerprint != '\0' &&
        (strlen(fingerprint) != SKY_FINGERPRINT_HEX || !is_lower_hex(fingerprint))) {
        sky_api_error(api, 400, "invalid", "/fingerprint",
                      "a fingerprint is the SHA-256 of the certificate: 64 lower-case hex digits");
        return false;
    }
    if (secret != NULL) {
        sky_span_copy(sky_span_str(secret), device->secret, sizeof device->secret);
        device->secret_issued = false;
    }
    if (asset_id != NULL)
        sky_span_copy(sky_span_str(asset_id), device->asset_id, sizeof device->asset_id);
    if (fingerprint != NULL)
        sky_span_copy(sky_span_str(fingerprint), device->fingerprint, sizeof device->fingerprint);
    return true;
}

/* Where the new device is to be. False, and answered, when that cannot be. */
static bool find_place(struct sky_api *api, const struct sky_cloud **ret_cloud,
                       struct sky_product *ret_product)
{
    struct sky_why why = {0};
    const char *cloud = sky_api_body_text(api, "cloud");
    const char *product = sky_api_body_text(api, "product");
    const char *key = sky_api_body_text(api, "device");
    *ret_cloud = sky_cloud_find(sky_span_str(cloud));
    if (*ret_cloud == NULL) {
        sky_api_error(api, 404, "not_found", "/cloud", "there is no cloud '%s'", cloud);
        return false;
    }
    if (sky_store_find_product(api->app->store, sky_span_str(cloud), sky_span_str(product),
                               ret_product) != SKY_OK) {
        sky_api_error(api, 404, "not_found", "/product",
                      "cloud %s has no product '%s'; POST /api/v1/products makes one", cloud,
                      product);
        return false;
    }
    if (key != NULL && sky_seed_check_key("device", sky_span_str(key), &why) != SKY_OK) {
        sky_api_error(api, 400, "invalid", "/device", "%s", why.reason);
        return false;
    }
    return true;
}

/* A key that is not given is made, in a form that every cloud takes. */
static sky_err add_device(struct sky_app *app, const char *key, struct sky_device *device)
{
    sky_err err = SKY_ERR_EXISTS;
    if (key != NULL)
        sky_span_copy(sky_span_str(key), device->key, sizeof device->key);
    for (int attempt = 0; attempt < MADE_KEY_ATTEMPTS && err == SKY_ERR_EXISTS; attempt++) {
        if (key == NULL)
            sky_rng_text(&app->rng, device->key, MADE_KEY_LEN);
        err = sky_store_add_device(app->store, device);
        if (key != NULL)
            break;
    }
    return err;
}

void sky_api_devices_create(struct sky_api *api)
{
    const struct sky_cloud *cloud;
    struct sky_product product;
    const char *key = sky_api_body_text(api, "device");
    struct sky_device device = {.enabled = true,
                                .temporary = sky_api_body_bool(api, "temporary", false)};
    if (!find_place(api, &cloud, &product) || !take_fields(api, cloud, &device))
        return;
    device.product_id = product.id;
    if (device.secret[0] == '\0')
        make_secret(api->app, cloud, device.secret);
    sky_err err = add_device(api->app, key, &device);
    if (err == SKY_ERR_EXISTS) {
        sky_api_error(api, 409, "exists", "/device", "%s/%s has a device '%s' already", cloud->name,
                      product.key, device.key);
        return;
    }
    if (err != SKY_OK) {
        sky_api_fail(api, err, NULL);
        return;
    }
    sky_api_record(api->app, SKY_EVENT_REGISTRY, device.id, "create");
    write_members(api, &product, &device);
    if (key == NULL || device.temporary) {
        sky_jw_key(&api->jw, "credentials");
        sky_jw_object(&api->jw);
        write_credentials(api, &product, &device);
        sky_jw_end_object(&api->jw);
    }
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 201);
}

void sky_api_device_read(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (!sky_api_device(api, &product, &device))
        return;
    write_device(api, &product, &device);
    sky_api_send(api, 200);
}

void sky_api_device_change(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (!sky_api_device(api, &product, &device))
        return;
    bool was_enabled = device.enabled;
    if (!take_fields(api, sky_cloud_find(sky_span_str(product.cloud)), &device))
        return;
    sky_err err = sky_store_set_device(api->app->store, &device);
    if (err != SKY_OK) {
        sky_api_fail(api, err, NULL);
        return;
    }
    sky_api_record(api->app, SKY_EVENT_REGISTRY, device.id, "change");
    if (was_enabled != device.enabled)
        sky_gateway_changed(&api->app->broker, &product, &device,
                            device.enabled ? SKY_BEHIND_ENABLED : SKY_BEHIND_DISABLED);
    write_device(api, &product, &device);
    sky_api_send(api, 200);
}

void sky_api_device_delete(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (!sky_api_device(api, &product, &device))
        return;
    sky_gateway_changed(&api->app->broker, &product, &device, SKY_BEHIND_DELETED);
    sky_err err = sky_store_delete_device(api->app->store, device.id);
    if (err != SKY_OK) {
        sky_api_fail(api, err, NULL);
        return;
    }
    sky_api_record(api->app, SKY_EVENT_REGISTRY, device.id, "delete");
    struct sky_session *session = sky_session_find(&api->app->registry, device.id);
    if (session != NULL)
        sky_session_leave(&api->app->broker, session);
    sky_api_send(api, 204);
}

/* ---- what belongs to a device ---- */

void sky_api_device_credentials(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (!sky_api_device(api, &product, &device))
        return;
    sky_jw_object(&api->jw);
    write_credentials(api, &product, &device);
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 200);
}

void sky_api_device_disconnect(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (!sky_api_device(api, &product, &device))
        return;
    struct sky_session *session = sky_session_find(&api->app->registry, device.id);
    bool behind = session != NULL && session->work->via != NULL;
    if (behind)
        sky_session_go_offline(&api->app->broker, session, "disconnected by the admin API", 0);
    if (session != NULL && (behind || sky_session_kick(session, "disconnected by the admin API")))
        sky_api_send(api, 204);
    else
        sky_api_error(api, 409, "conflict", "", "the device is not connected");
}

void sky_api_device_twin(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (!sky_api_device(api, &product, &device))
        return;
    struct sky_session *session = sky_session_find(&api->app->registry, device.id);
    if (session != NULL && sky_mqtt_twin(session))
        sky_api_send(api, 204);
    else
        sky_api_error(api, 409, "conflict", "", "the device is not connected over MQTT");
}
