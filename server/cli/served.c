#include "server/cli/served.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/cli/http_client.h"
#include "server/os/listeners.h"

enum { PATH_SIZE = 4096 };

void sky_cli_place_standard(struct sky_cli_place *ret_place)
{
    const struct sky_listener_row *row;

    *ret_place = (struct sky_cli_place){.host = "localhost"};
    for (size_t i = 0; (row = sky_listener_row(i)) != NULL && i < SKY_PLACES_MAX; i++)
        ret_place->ports[i] = row->port;
}

/* The caller frees the tree. */
static sky_err ask(const struct sky_config *config, const char *path, cJSON **ret_tree,
                   struct sky_why *why)
{
    return sky_http_get_json(config->url, path, config->admin_token, ret_tree, why);
}

static void take_text(const cJSON *tree, const char *key, char *out, size_t size)
{
    const char *text = sky_json_get_str(tree, key);

    if (text != NULL)
        sky_span_copy(sky_span_str(text), out, size);
}

static sky_err ask_place(const struct sky_config *config, struct sky_cli_place *place,
                         struct sky_why *why)
{
    const struct sky_listener_row *row;
    uint16_t admin;
    cJSON *tree;

    sky_err err = sky_http_parse_url(config->url, place->host, &admin, why);
    if (err == SKY_OK)
        err = ask(config, "/version", &tree, why);
    if (err != SKY_OK)
        return err;
    const cJSON *ports = sky_json_get(tree, "listeners");
    for (size_t i = 0; (row = sky_listener_row(i)) != NULL && i < SKY_PLACES_MAX; i++) {
        const cJSON *port = sky_json_get(ports, row->name);
        place->ports[i] = cJSON_IsNumber(port) ? (uint16_t)port->valuedouble : 0;
    }
    cJSON_Delete(tree);
    return SKY_OK;
}

static sky_err ask_product(const struct sky_config *config, struct sky_product *product,
                           struct sky_why *why)
{
    const cJSON *each, *found = NULL;
    cJSON *tree;

    sky_err err = ask(config, "/api/v1/products?secrets=true", &tree, why);
    if (err != SKY_OK)
        return err;
    cJSON_ArrayForEach (each, sky_json_get(tree, "products")) {
        const char *cloud = sky_json_get_str(each, "cloud");
        const char *key = sky_json_get_str(each, "product");
        if (cloud != NULL && key != NULL && strcmp(cloud, product->cloud) == 0 &&
            strcmp(key, product->key) == 0)
            found = each;
    }
    if (found == NULL)
        err = sky_why_set(why, SKY_ERR_NOT_FOUND, "", "%.100s has no product %s/%s", config->url,
                          product->cloud, product->key);
    take_text(found, "secret", product->secret, sizeof product->secret);
    product->dynamic_activation = cJSON_IsTrue(sky_json_get(found, "dynamicActivation"));
    product->require_certificate = cJSON_IsTrue(sky_json_get(found, "requireCertificate"));
    product->https_auth = cJSON_IsTrue(sky_json_get(found, "httpsAuth"));
    cJSON_Delete(tree);
    return err;
}

static sky_err ask_device(const struct sky_config *config, const struct sky_product *product,
                          struct sky_device *device, struct sky_why *why)
{
    const char *const steps[] = {"/api/v1/devices/", product->cloud, "/", product->key, "/",
                                 device->key};
    struct sky_buf path;
    cJSON *tree;

    sky_buf_init(&path, PATH_SIZE);
    for (size_t i = 0; i < SKY_COUNT(steps); i++)
        sky_http_add_escaped(&path, steps[i]);
    sky_buf_add_str(&path, "?secrets=true");
    sky_buf_add_byte(&path, '\0');
    SKY_ASSERT(!path.overflow); /* three keys at the most */
    sky_err err = ask(config, path.bytes, &tree, why);
    sky_buf_done(&path);
    if (err != SKY_OK)
        return err;
    const char *state = sky_json_get_str(tree, "state");
    take_text(tree, "secret", device->secret, sizeof device->secret);
    take_text(tree, "fingerprint", device->fingerprint, sizeof device->fingerprint);
    device->enabled = cJSON_IsTrue(sky_json_get(tree, "enabled"));
    device->state =
        state != NULL && strcmp(state, "active") == 0 ? SKY_DEVICE_ACTIVE : SKY_DEVICE_INACTIVE;
    cJSON_Delete(tree);
    return SKY_OK;
}

/* Signatures carry the time, and the server's may have been moved. */
static sky_err ask_clock(const struct sky_config *config, struct sky_clock *clock,
                         struct sky_why *why)
{
    cJSON *tree;

    sky_err err = ask(config, "/api/v1/clock", &tree, why);
    if (err != SKY_OK)
        return err;
    const cJSON *now_ms = sky_json_get(tree, "unixMs");
    if (cJSON_IsNumber(now_ms))
        sky_clock_set(clock, (int64_t)now_ms->valuedouble);
    cJSON_Delete(tree);
    return SKY_OK;
}

sky_err sky_cli_device_ask(const struct sky_config *config, struct sky_cli_device *device,
                           struct sky_cli_place *ret_place, struct sky_why *why)
{
    static char memory[] = ":memory:";
    struct sky_product *product = &device->product;

    *device = (struct sky_cli_device){.config = *config};
    device->config.fixtures = (struct sky_strings){0}; /* the server has its own */
    device->config.store = memory;
    sky_err err = sky_cli_device_parse(config->args.list[0], device, why);
    if (err != SKY_OK)
        return err;
    struct sky_app *app = sky_mem_new(sizeof *app);
    err = sky_app_prepare(app, &device->config, why);
    if (err != SKY_OK) {
        free(app);
        return err;
    }
    device->app = app;
    err = ask_place(config, ret_place, why);
    if (err == SKY_OK)
        err = ask_product(config, product, why);
    if (err == SKY_OK)
        err = ask_device(config, product, &device->device, why);
    if (err == SKY_OK)
        err = ask_clock(config, &app->clock, why);
    return err;
}
