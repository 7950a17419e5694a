/* Products of the registry. */
#include "server/admin/api.h"
#include "server/registry/fixture_files.h"

static void write_members(struct sky_api *api, const struct sky_product *product)
{
    struct sky_jw *jw = &api->jw;
    sky_jw_put_str(jw, "cloud", product->cloud);
    sky_jw_put_str(jw, "product", product->key);
    sky_jw_put_bool(jw, "dynamicActivation", product->dynamic_activation);
    sky_jw_put_bool(jw, "requireCertificate", product->require_certificate);
    sky_jw_put_bool(jw, "httpsAuth", product->https_auth);
    sky_jw_put_str(jw, "nodeType", sky_node_name(product->node));
    if (sky_api_query_is(api, "secrets"))
        sky_jw_put_str(jw, "secret", product->secret);
}

static bool write_product(void *ctx, const struct sky_product *product)
{
    struct sky_api *api = ctx;
    sky_jw_object(&api->jw);
    write_members(api, product);
    sky_jw_end_object(&api->jw);
    return true;
}

void sky_api_product_read(struct sky_api *api)
{
    struct sky_product product;
    if (!sky_api_product(api, &product))
        return;
    sky_jw_object(&api->jw);
    write_members(api, &product);
    sky_api_write_texts(api, product.id);
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 200);
}

void sky_api_products_list(struct sky_api *api)
{
    struct sky_jw *jw = &api->jw;
    sky_jw_object(jw);
    sky_jw_key(jw, "products");
    sky_jw_array(jw);
    sky_err err = sky_store_each_product(api->app->store, write_product, api);
    sky_api_send_list(api, err);
}

/* The text of a fixture file, checked and loaded as one. */
void sky_api_products_create(struct sky_api *api)
{
    struct sky_seed_count count;
    struct sky_why why = {0};
    struct sky_app *app = api->app;
    sky_err err = sky_fixture_text_add(app->store, api->call->body, &app->registry.catalogue,
                                       &app->rng, app->clock.now_ms, &count, &why);
    if (err != SKY_OK) {
        sky_api_fail(api, err, &why);
        return;
    }
    sky_api_record(app, SKY_EVENT_REGISTRY, 0, "fixtures");
    struct sky_jw *jw = &api->jw;
    sky_jw_object(jw);
    sky_jw_put_int(jw, "productsAdded", (int64_t)count.products_added);
    sky_jw_put_int(jw, "productsChanged", (int64_t)count.products_changed);
    sky_jw_put_int(jw, "devicesAdded", (int64_t)count.devices_added);
    sky_jw_put_int(jw, "devicesChanged", (int64_t)count.devices_changed);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}
