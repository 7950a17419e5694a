/* Products as the hot path needs them: read once, in place, and again when the registry changes. */
#ifndef SKY_SERVER_REGISTRY_PRODUCTS_H
#define SKY_SERVER_REGISTRY_PRODUCTS_H

#include <uthash.h>

#include "server/registry/registry.h"

struct sky_product_info {
    struct sky_product product;
    const struct sky_cloud *cloud;
    struct sky_product_topic *topics; /* owned */
    size_t topic_count;
    /* Texts of the product, all owned; empty: it has none. See SKY_PRODUCT_... in facts.h. */
    sky_span sub_products, config, forward;
    int64_t config_version;
    struct sky_model *model;   /* owned; NULL: it has none */
    struct sky_policy *policy; /* owned, when the product overrides rules; else NULL */
    UT_hash_handle hh;
};

/* The product's view, up to date with the registry; NULL when the registry has no such product. */
struct sky_product_info *sky_product_info(struct sky_registry *registry, int64_t product_id);
/* The same for a product that is known from elsewhere: when the registry cannot be read now, what
 * is known of it has to do. Never NULL. */
struct sky_product_info *sky_product_known(struct sky_registry *registry,
                                           const struct sky_product *product);
/* What acts on the product's behalf are judged by; NULL: no product. */
const struct sky_policy *sky_product_policy(const struct sky_registry *registry,
                                            const struct sky_product_info *product);

/* Is this a thing model of the cloud's form? A pointer in `why` is within it. */
SKY_MUST_USE sky_err sky_product_check_model(const struct sky_cloud *cloud, sky_span json,
                                             struct sky_why *why);

/* May devices of the product with that key stand behind gateways of this one? */
bool sky_product_takes_behind(const struct sky_product_info *gateway, const char *key);

/* Catches up with changes of the registry; called once a turn, costs nothing when there are none.
 * Whoever keeps what was derived from products compares registry->generation. */
void sky_products_follow(struct sky_registry *registry);
void sky_products_done(struct sky_registry *registry);

#endif
