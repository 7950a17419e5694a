/* What the commands share that reason about one device without a server. */
#include <stdlib.h>
#include <unistd.h>

#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/cli/cli.h"

static sky_err no_such_cloud(const char *name, struct sky_why *why)
{
    char names[100] = "";
    size_t len = 0;

    for (size_t i = 0; sky_clouds[i] != NULL && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i ? ", " : "",
                                sky_clouds[i]->name);
    return sky_why_set(why, SKY_ERR_NOT_FOUND, "", "%.100s: no such cloud; there are %s", name,
                       names);
}

sky_err sky_cli_device_parse(const char *name, struct sky_cli_device *device, struct sky_why *why)
{
    struct sky_product *product = &device->product;
    sky_span cloud, product_key, key, rest;

    if (!sky_span_cut(sky_span_str(name), '/', &cloud, &rest) ||
        !sky_span_cut(rest, '/', &product_key, &key) || product_key.len == 0 || key.len == 0 ||
        !sky_span_copy(product_key, product->key, sizeof product->key) ||
        !sky_span_copy(key, device->device.key, sizeof device->device.key))
        return sky_why_set(why, SKY_ERR_INVALID, "", "%.200s: give CLOUD/PRODUCT/DEVICE", name);
    device->cloud = sky_cloud_find(cloud);
    if (device->cloud == NULL)
        return no_such_cloud(name, why);
    sky_span_copy(cloud, product->cloud, sizeof product->cloud);
    return SKY_OK;
}

sky_err sky_cli_check_whom(const struct sky_config *config, struct sky_why *why)
{
    struct sky_cli_device named = {.app = NULL};
    sky_span cloud, key;

    if (config->device != NULL && config->product != NULL)
        return sky_why_set(why, SKY_ERR_INVALID, "", "--device or --product: give one of them");
    if (config->device != NULL && sky_cli_device_parse(config->device, &named, why) != SKY_OK)
        return sky_config_blame(config, &config->device, 0, SKY_ERR_INVALID, why);
    if (config->product == NULL)
        return SKY_OK;
    bool cut = sky_span_cut(sky_span_str(config->product), '/', &cloud, &key);
    if (!cut || key.len == 0 || sky_span_contains(key, SKY_SPAN("/")))
        (void)sky_why_set(why, SKY_ERR_INVALID, "", "%.200s: give CLOUD/PRODUCT", config->product);
    else if (sky_cloud_find(cloud) == NULL)
        (void)no_such_cloud(config->product, why);
    else
        return SKY_OK;
    return sky_config_blame(config, &config->product, 0, SKY_ERR_INVALID, why);
}

static sky_err find_named(struct sky_cli_device *device, const char *name, struct sky_why *why)
{
    struct sky_cli_device named = {0};

    sky_err err = sky_cli_device_parse(name, &named, why);
    if (err != SKY_OK)
        return err;
    device->cloud = named.cloud;
    if (sky_store_find_device(device->app->store, sky_span_str(named.product.cloud),
                              sky_span_str(named.product.key), sky_span_str(named.device.key),
                              &device->product, &device->device) == SKY_OK)
        return SKY_OK;
    return sky_why_set(why, SKY_ERR_NOT_FOUND, "",
                       "%.120s: no such %s; name its fixtures with --fixtures, or the server's "
                       "database with --store; skymock sign also asks a running server: --url URL",
                       name, device->product.id ? "device in this product" : "product");
}

/* Whoever stands in a project folder need not name its fixtures every time. */
static struct sky_strings fixtures_of(const struct sky_config *config)
{
    static char folder[] = "fixtures";
    static char *list[] = {folder};

    if (config->fixtures.count > 0 || strcmp(config->store, ":memory:") != 0 ||
        access(folder, R_OK) != 0)
        return config->fixtures;
    return (struct sky_strings){.list = list, .count = 1};
}

sky_err sky_cli_device_find(const struct sky_config *config, struct sky_cli_device *device,
                            struct sky_why *why)
{
    *device = (struct sky_cli_device){.config = *config};
    device->config.fixtures = fixtures_of(config);
    struct sky_app *app = sky_mem_new(sizeof *app);
    sky_err err = sky_app_prepare(app, &device->config, why);
    if (err != SKY_OK) {
        free(app);
        return err;
    }
    device->app = app;
    return find_named(device, config->args.list[0], why);
}

void sky_cli_device_done(struct sky_cli_device *device)
{
    if (device->app == NULL)
        return;
    sky_app_release(device->app);
    free(device->app);
}
