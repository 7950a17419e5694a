#include "server/registry/products.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/model.h"
#include "store/topology.h"

/* Rule overrides of a product, one a line, on top of the general policy. */
static void load_policy(struct sky_registry *registry, struct sky_product_info *info)
{
    struct sky_buf lines;
    sky_buf_init(&lines, SKY_RULE_PLACES * 64);
    if (sky_store_get_rules(registry->store, info->product.id, &lines) == SKY_OK && lines.len > 0) {
        info->policy = sky_mem_new(sizeof *info->policy);
        *info->policy = registry->policy;
        sky_span rest = sky_buf_span(&lines), line;
        while (sky_span_next(&rest, '\n', &line))
            if (line.len > 0 && sky_policy_override(info->policy, line, NULL) != SKY_OK)
                continue; /* a rule of an older build: it no longer exists */
    }
    sky_buf_done(&lines);
}

/* Appends nothing when the product has no such text. */
static sky_span load_text(struct sky_registry *registry, const struct sky_product_info *info,
                          const char *name, int64_t *ret_version)
{
    struct sky_buf body;
    sky_span text = SKY_SPAN_NONE;
    sky_buf_init(&body, SKY_STORE_BLOB_MAX);
    if (sky_store_get_product_document(registry->store, info->product.id, sky_span_str(name), &body,
                                       ret_version) == SKY_OK)
        text = sky_span_of(sky_mem_dup((const char *)body.bytes, body.len), body.len);
    sky_buf_done(&body);
    return text;
}

static void load_texts(struct sky_registry *registry, struct sky_product_info *info)
{
    int64_t version;
    info->sub_products = load_text(registry, info, SKY_PRODUCT_SUB_PRODUCTS, &version);
    info->forward = load_text(registry, info, SKY_PRODUCT_FORWARD, &version);
    info->config = load_text(registry, info, SKY_PRODUCT_CONFIG, &info->config_version);
}

/* One that was taken compiles; one of an older build's form is left out. */
static void load_model(struct sky_registry *registry, struct sky_product_info *info)
{
    int64_t version;
    sky_span text = load_text(registry, info, SKY_PRODUCT_MODEL, &version);
    if (text.len > 0 && info->cloud->model != NULL &&
        sky_model_compile(info->cloud->model, text, &info->model, NULL) != SKY_OK)
        info->model = NULL;
    free((void *)text.ptr);
}

static void free_text(sky_span *text)
{
    free((void *)text->ptr);
    *text = SKY_SPAN_NONE;
}

static void unload(struct sky_product_info *info)
{
    free_text(&info->sub_products);
    free_text(&info->forward);
    free_text(&info->config);
    sky_model_free(info->model);
    info->model = NULL;
    free(info->topics);
    free(info->policy);
    info->topics = NULL;
    info->topic_count = 0;
    info->policy = NULL;
}

/* Reads the product anew; false, and nothing changed, when it is gone. */
static bool load(struct sky_registry *registry, struct sky_product_info *info, int64_t product_id)
{
    struct sky_product product;
    if (sky_store_get_product(registry->store, product_id, &product) != SKY_OK)
        return false;
    unload(info);
    info->product = product;
    info->cloud = sky_cloud_find(sky_span_str(product.cloud));
    SKY_ASSERT(info->cloud != NULL);
    struct sky_product_topic topics[SKY_PRODUCT_TOPICS_MAX];
    if (sky_store_get_topics(registry->store, product_id, topics, &info->topic_count) != SKY_OK)
        info->topic_count = 0;
    if (info->topic_count > 0) {
        info->topics = sky_mem_grow(NULL, info->topic_count * sizeof *topics);
        memcpy(info->topics, topics, info->topic_count * sizeof *topics);
    }
    load_policy(registry, info);
    load_texts(registry, info);
    load_model(registry, info);
    return true;
}

/* Every view of a product is read again, in place. */
void sky_products_follow(struct sky_registry *registry)
{
    uint64_t generation = sky_store_generation(registry->store);
    if (generation == registry->generation)
        return;
    registry->generation = generation;
    struct sky_product_info *info, *next;
    HASH_ITER (hh, registry->products, info, next)
        (void)load(registry, info, info->product.id);
}

void sky_products_done(struct sky_registry *registry)
{
    struct sky_product_info *info, *next;
    HASH_ITER (hh, registry->products, info, next) {
        HASH_DEL(registry->products, info);
        unload(info);
        free(info);
    }
}

struct sky_product_info *sky_product_info(struct sky_registry *registry, int64_t product_id)
{
    sky_products_follow(registry);
    struct sky_product_info *info;
    HASH_FIND(hh, registry->products, &product_id, sizeof product_id, info);
    if (info != NULL)
        return info;
    info = sky_mem_new(sizeof *info);
    if (!load(registry, info, product_id)) {
        free(info);
        return NULL;
    }
    HASH_ADD(hh, registry->products, product.id, sizeof info->product.id, info);
    return info;
}

struct sky_product_info *sky_product_known(struct sky_registry *registry,
                                           const struct sky_product *product)
{
    struct sky_product_info *info = sky_product_info(registry, product->id);
    if (info != NULL)
        return info;
    info = sky_mem_new(sizeof *info);
    info->product = *product;
    info->cloud = sky_cloud_find(sky_span_str(product->cloud));
    SKY_ASSERT(info->cloud != NULL);
    HASH_ADD(hh, registry->products, product.id, sizeof info->product.id, info);
    return info;
}

const struct sky_policy *sky_product_policy(const struct sky_registry *registry,
                                            const struct sky_product_info *product)
{
    return product != NULL && product->policy != NULL ? product->policy : &registry->policy;
}

bool sky_product_takes_behind(const struct sky_product_info *gateway, const char *key)
{
    sky_span element, rest = sky_json_inside(gateway->sub_products);
    bool any = gateway->sub_products.len == 0, listed = false;
    while (!any && !listed && sky_json_next_element(&rest, &element))
        listed = sky_json_is_string(element) && sky_json_reads(sky_json_text(element), key);
    return any || listed;
}

sky_err sky_product_check_model(const struct sky_cloud *cloud, sky_span json, struct sky_why *why)
{
    struct sky_model_whys whys = {.count = 0};
    struct sky_model *model = NULL;
    if (cloud->model == NULL)
        return sky_why_set(why, SKY_ERR_INVALID, "", "%s has no thing models; leave the field out",
                           cloud->title);
    sky_err err = sky_model_compile(cloud->model, json, &model, &whys);
    if (err != SKY_OK)
        *why = whys.list[0];
    sky_model_free(model);
    return err;
}
