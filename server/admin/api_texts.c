/* Texts of a product: its remote configuration, its thing model, where its uplinks go. */
#include <stdio.h>

#include "protocol/base/arena.h"
#include "protocol/base/assert.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/base/url.h"
#include "server/admin/api.h"
#include "store/seed.h"
#include "store/topology.h"

/* A text, and what makes a good one; `check` fills in `why`. All but a URL are JSON. */
struct text {
    const char *name;
    size_t max;
    sky_err (*check)(const struct sky_product *product, const struct sky_cloud *cloud,
                     sky_span json, struct sky_why *why);
    bool plain; /* a JSON string in the API, its characters in the store */
};

static sky_err check_model(const struct sky_product *product, const struct sky_cloud *cloud,
                           sky_span json, struct sky_why *why)
{
    (void)product;
    return sky_product_check_model(cloud, json, why);
}

static sky_err check_sub_products(const struct sky_product *product, const struct sky_cloud *cloud,
                                  sky_span json, struct sky_why *why)
{
    sky_span key, rest = sky_json_inside(json);
    struct sky_arena arena;
    sky_err err = SKY_OK;
    (void)cloud;
    if (product->node != SKY_NODE_GATEWAY || !sky_json_is_array(json))
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "this is a list of product keys, of a gateway");
    sky_arena_init(&arena);
    for (size_t count = 0; err == SKY_OK && sky_json_next_element(&rest, &key); count++) {
        char pointer[32];
        snprintf(pointer, sizeof pointer, "/%zu", count);
        if (count == SKY_SEED_SUB_PRODUCTS_MAX)
            err = sky_why_set(why, SKY_ERR_LIMIT, "", "more than %d product keys",
                              SKY_SEED_SUB_PRODUCTS_MAX);
        else if (!sky_json_is_string(key))
            err = sky_why_set(why, SKY_ERR_INVALID, pointer, "this is no product key");
        else if ((err = sky_seed_check_key("a product's key", sky_json_string(&arena, key), why)) !=
                 SKY_OK)
            snprintf(why->pointer, sizeof why->pointer, "%s", pointer);
    }
    sky_arena_done(&arena);
    return err;
}

static sky_err check_forward(const struct sky_product *product, const struct sky_cloud *cloud,
                             sky_span text, struct sky_why *why)
{
    struct sky_url url;
    (void)product;
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

bool sky_api_product_named(struct sky_api *api, const char *name, struct sky_product *ret_product)
{
    struct sky_path_vars vars = {0};
    sky_err err = SKY_ERR_NOT_FOUND;
    if (sky_match_product(sky_span_str(name), &vars))
        err = sky_store_find_product(api->app->store, sky_span_str(vars.cloud),
                                     sky_span_str(vars.product), ret_product);
    if (err == SKY_ERR_NOT_FOUND)
        sky_api_error(api, 404, "not_found", "/product", "there is no product '%s'", name);
    else if (err != SKY_OK)
        sky_api_fail(api, err, NULL);
    return err == SKY_OK;
}

/* With what may be secret in it, a user's name, a password or a query, only for who asks. */
static void write_url(struct sky_api *api, sky_span text)
{
    char shown[SKY_URL_MAX + 1];
    sky_jw_str(&api->jw, sky_api_query_is(api, "secrets") ? text : sky_url_shown(text, shown));
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
                write_url(api, sky_buf_span(&body));
            else if (sky_api_check_text(api, sky_buf_span(&body)) == SKY_OK)
                sky_jw_raw(jw, sky_buf_span(&body));
            else
                sky_jw_null(jw);
        }
        sky_buf_done(&body);
    }
}

/* `json` as it is stored: empty for null, which stands for none. False, and answered, when it is
 * not good; a pointer is below `pointer`. */
static bool take(struct sky_api *api, const struct sky_product *product, const struct text *text,
                 sky_span json, const char *pointer, struct sky_arena *arena, sky_span *ret_body)
{
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(product->cloud));
    struct sky_why why = {.pointer = ""};
    sky_err err = SKY_OK;
    sky_span body = sky_json_is_null(json) ? SKY_SPAN_NONE
                    : text->plain          ? sky_json_string(arena, json)
                                           : sky_json_compact(arena, json);
    if (body.len > text->max)
        err =
            sky_why_set(&why, SKY_ERR_LIMIT, "", "%zu bytes; %zu is the most", body.len, text->max);
    else if (!sky_json_is_null(json) && text->check != NULL)
        err = text->check(product, cloud, body, &why);
    *ret_body = body;
    if (err == SKY_OK)
        return true;
    char whole[SKY_WHY_POINTER_MAX];
    int len = snprintf(whole, sizeof whole, "%s%s", pointer, why.pointer);
    if (len > 0 && (size_t)len < sizeof whole)
        memcpy(why.pointer, whole, (size_t)len + 1);
    sky_api_fail(api, err, &why);
    return false;
}

/* The texts that are given, all of them or none; false, and answered, when one is not good. */
static bool put(struct sky_api *api, const struct sky_product *product,
                const sky_span given[SKY_COUNT(texts)], bool named)
{
    struct sky_arena arena;
    sky_span bodies[SKY_COUNT(texts)];
    char pointer[SKY_STORE_NAME_MAX + 2] = "";
    bool good = true;
    sky_arena_init(&arena);
    for (size_t i = 0; i < SKY_COUNT(texts) && good; i++) {
        if (named)
            snprintf(pointer, sizeof pointer, "/%s", texts[i].name);
        if (given[i].len > 0)
            good = take(api, product, &texts[i], given[i], pointer, &arena, &bodies[i]);
    }
    for (size_t i = 0; i < SKY_COUNT(texts) && good; i++) {
        sky_err err = given[i].len == 0
                          ? SKY_OK
                          : sky_store_put_product_document(api->app->store, product->id,
                                                           sky_span_str(texts[i].name), bodies[i]);
        good = err == SKY_OK;
        if (!good)
            sky_api_fail(api, err, NULL);
    }
    sky_arena_done(&arena);
    return good && sky_api_settle(api);
}

static bool put_named(struct sky_api *api, const struct sky_product *product, const char *name,
                      sky_span json)
{
    sky_span given[SKY_COUNT(texts)] = {{NULL, 0}};
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        if (strcmp(name, texts[i].name) == 0)
            given[i] = json;
    return put(api, product, given, false);
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
    if (err == SKY_OK)
        err = sky_api_check_text(api, sky_buf_span(&body));
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
        sky_api_fail_store(api, err);
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
    if (!put_named(api, &product, name, json))
        return;
    sky_api_record(api->app, SKY_EVENT_REGISTRY, 0, name);
    sky_api_send(api, 204);
}

static void delete_one(struct sky_api *api, const char *name)
{
    struct sky_product product;
    if (!sky_api_product(api, &product) || !put_named(api, &product, name, SKY_SPAN("null")))
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
    sky_span given[SKY_COUNT(texts)];
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        given[i] = sky_json_member(body, texts[i].name);
    if (!sky_api_product(api, &product) || !put(api, &product, given, true))
        return;
    sky_api_record(api->app, SKY_EVENT_REGISTRY, 0, "product");
    sky_api_product_read(api);
}
