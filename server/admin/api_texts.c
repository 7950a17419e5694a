/* Texts of a product: its remote configuration, its thing model, where its uplinks go. */
#include <stdio.h>

#include "protocol/base/arena.h"
#include "protocol/base/assert.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/base/url.h"
#include "protocol/cloud/model.h"
#include "server/admin/api.h"
#include "store/seed.h"
#include "store/topology.h"

/* A text, and what makes a good one; `check` fills in `why`. All but a URL are JSON. */
struct text {
    const char *name;
    size_t max;
    sky_err (*check)(const struct sky_cloud *cloud, sky_span json, struct sky_why *why);
    bool plain; /* a JSON string in the API, its characters in the store */
};

static sky_err check_model(const struct sky_cloud *cloud, sky_span json, struct sky_why *why)
{
    struct sky_model_whys whys = {.count = 0};
    struct sky_model *model = NULL;
    if (cloud->model == NULL)
        return sky_why_set(why, SKY_ERR_INVALID, "", "%s has no thing models", cloud->title);
    sky_err err = sky_model_compile(cloud->model, json, &model, &whys);
    if (err != SKY_OK)
        *why = whys.list[0];
    sky_model_free(model);
    return err;
}

static sky_err check_sub_products(const struct sky_cloud *cloud, sky_span json, struct sky_why *why)
{
    sky_span key, rest = sky_json_inside(json);
    size_t count = 0;
    if (cloud->gateway == NULL || !sky_json_is_array(json))
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "this is a list of product keys, of a gateway");
    while (sky_json_next_element(&rest, &key))
        if (!sky_json_is_string(key) || ++count > SKY_SEED_SUB_PRODUCTS_MAX)
            return sky_why_set(why, SKY_ERR_INVALID, "", "these are at most %d product keys",
                               SKY_SEED_SUB_PRODUCTS_MAX);
    return SKY_OK;
}

static sky_err check_forward(const struct sky_cloud *cloud, sky_span text, struct sky_why *why)
{
    struct sky_url url;
    (void)cloud;
    return sky_url_parse(text, &url)
               ? SKY_OK
               : sky_why_set(why, SKY_ERR_INVALID, "",
                             "this is no URL that begins with http:// or https:// and is at most "
                             "%d bytes long",
                             SKY_URL_MAX);
}

static const struct text texts[] = {
    {SKY_PRODUCT_CONFIG, SKY_SEED_CONFIG_MAX, NULL, false},
    {SKY_PRODUCT_MODEL, SKY_SEED_MODEL_MAX, check_model, false},
    {SKY_PRODUCT_SUB_PRODUCTS, SKY_SEED_MODEL_MAX, check_sub_products, false},
    {SKY_PRODUCT_FORWARD, SKY_URL_MAX, check_forward, true},
};

static const struct text *text_named(const char *name)
{
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        if (strcmp(name, texts[i].name) == 0)
            return &texts[i];
    SKY_ASSERT(false);
    return NULL;
}

bool sky_api_product(struct sky_api *api, struct sky_product *ret_product)
{
    const struct sky_path_vars *vars = &api->vars;
    if (sky_api_cloud(api, vars->cloud) == NULL)
        return false;
    sky_err err = sky_store_find_product(api->app->store, sky_span_str(vars->cloud),
                                         sky_span_str(vars->product), ret_product);
    if (err == SKY_ERR_NOT_FOUND)
        sky_api_error(api, 404, "not_found", "", "there is no product '%s' in cloud %s",
                      vars->product, vars->cloud);
    else if (err != SKY_OK)
        sky_api_fail(api, err, NULL);
    return err == SKY_OK;
}

void sky_api_write_texts(struct sky_api *api, int64_t product_id)
{
    struct sky_jw *jw = &api->jw;
    for (size_t i = 0; i < SKY_COUNT(texts); i++) {
        struct sky_buf body;
        int64_t version;
        sky_buf_init(&body, SKY_STORE_BLOB_MAX);
        if (sky_store_get_product_document(api->app->store, product_id, sky_span_str(texts[i].name),
                                           &body, &version) == SKY_OK) {
            sky_jw_key(jw, texts[i].name);
            if (texts[i].plain)
                sky_jw_str(jw, sky_buf_span(&body));
            else
                sky_jw_raw(jw, sky_buf_span(&body));
        }
        sky_buf_done(&body);
    }
}

/* Takes `json` for the text, null for none. False, and answered, when it is not good; a pointer is
 * below `pointer`. */
static bool put(struct sky_api *api, const struct sky_product *product, const struct text *text,
                sky_span json, const char *pointer)
{
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(product->cloud));
    struct sky_arena arena;
    struct sky_why why = {.pointer = ""};
    sky_err err = SKY_OK;
    sky_arena_init(&arena);
    sky_span body = sky_json_is_null(json) ? SKY_SPAN_NONE
                    : text->plain          ? sky_json_string(&arena, json)
                                           : sky_json_compact(&arena, json);
    if (body.len > text->max)
        err =
            sky_why_set(&why, SKY_ERR_LIMIT, "", "%zu bytes; %zu is the most", body.len, text->max);
    else if (!sky_json_is_null(json) && text->check != NULL)
        err = text->check(cloud, body, &why);
    if (err == SKY_OK)
        err = sky_store_put_product_document(api->app->store, product->id, sky_span_str(text->name),
                                             body);
    sky_arena_done(&arena);
    if (err == SKY_OK)
        return true;
    if (err == SKY_ERR_INVALID || err == SKY_ERR_LIMIT) {
        char whole[SKY_WHY_POINTER_MAX];
        snprintf(whole, sizeof whole, "%s%s", pointer, why.pointer);
        snprintf(why.pointer, sizeof why.pointer, "%s", whole);
    }
    sky_api_fail(api, err, &why);
    return false;
}

/* ---- one of them ---- */

static void read_one(struct sky_api *api, const char *name)
{
    struct sky_product product;
    struct sky_buf body;
    int64_t version;
    if (!sky_api_product(api, &product))
        return;
    sky_buf_init(&body, SKY_STORE_BLOB_MAX);
    sky_err err = sky_store_get_product_document(api->app->store, product.id, sky_span_str(name),
                                                 &body, &version);
    if (err == SKY_OK) {
        sky_jw_object(&api->jw);
        sky_jw_put_int(&api->jw, "version", version);
        sky_jw_key(&api->jw, name);
        sky_jw_raw(&api->jw, sky_buf_span(&body));
        sky_jw_end_object(&api->jw);
        sky_api_send(api, 200);
    } else if (err == SKY_ERR_NOT_FOUND) {
        sky_api_error(api, 404, "not_found", "", "the product has no %s", name);
    } else {
        sky_api_fail(api, err, NULL);
    }
    sky_buf_done(&body);
}

static void put_one(struct sky_api *api, const char *name)
{
    struct sky_product product;
    struct sky_why why = {.pointer = ""};
    sky_span json = sky_span_trim(api->call->body);
    if (!sky_api_product(api, &product))
        return;
    sky_err err = sky_json_check(json, SKY_API_BODY_DEPTH_MAX, &why);
    if (err != SKY_OK) {
        sky_api_fail(api, err, &why);
        return;
    }
    if (!put(api, &product, text_named(name), json, "") || !sky_api_settle(api))
        return;
    sky_api_record(api->app, SKY_EVENT_REGISTRY, 0, name);
    sky_api_send(api, 204);
}

static void delete_one(struct sky_api *api, const char *name)
{
    struct sky_product product;
    if (!sky_api_product(api, &product) ||
        !put(api, &product, text_named(name), SKY_SPAN("null"), "") || !sky_api_settle(api))
        return;
    sky_api_record(api->app, SKY_EVENT_REGISTRY, 0, name);
    sky_api_send(api, 204);
}

void sky_api_product_config(struct sky_api *api)
{
    read_one(api, SKY_PRODUCT_CONFIG);
}

void sky_api_product_config_put(struct sky_api *api)
{
    put_one(api, SKY_PRODUCT_CONFIG);
}

void sky_api_product_config_delete(struct sky_api *api)
{
    delete_one(api, SKY_PRODUCT_CONFIG);
}

void sky_api_product_model(struct sky_api *api)
{
    read_one(api, SKY_PRODUCT_MODEL);
}

void sky_api_product_model_put(struct sky_api *api)
{
    put_one(api, SKY_PRODUCT_MODEL);
}

void sky_api_product_model_delete(struct sky_api *api)
{
    delete_one(api, SKY_PRODUCT_MODEL);
}

/* ---- all of them ---- */

void sky_api_product_change(struct sky_api *api)
{
    struct sky_product product;
    sky_span body = sky_span_trim(api->call->body);
    char pointer[SKY_STORE_NAME_MAX + 2];
    if (!sky_api_product(api, &product))
        return;
    for (size_t i = 0; i < SKY_COUNT(texts); i++) {
        sky_span json = sky_json_member(body, texts[i].name);
        snprintf(pointer, sizeof pointer, "/%s", texts[i].name);
        if (json.len > 0 && !put(api, &product, &texts[i], json, pointer))
            return;
    }
    if (!sky_api_settle(api))
        return;
    sky_api_record(api->app, SKY_EVENT_REGISTRY, 0, "product");
    sky_api_product_read(api);
}
