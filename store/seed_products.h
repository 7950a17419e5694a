/* Products and devices as fixtures state them. Knows their form, but neither the store nor what is
 * done with what was read. Private to the seed. */
#ifndef SKY_STORE_SEED_PRODUCTS_H
#define SKY_STORE_SEED_PRODUCTS_H

#include "store/seed_read.h"

/* A text of a product, by its name in facts.h. */
enum sky_seed_product_text {
    SKY_SEED_CONFIG,
    SKY_SEED_MODEL,
    SKY_SEED_SUB_PRODUCTS,
    SKY_SEED_FORWARD,
    SKY_SEED_TEXTS
};

/* A product as a fixture states it. Views point into the tree. */
struct sky_seed_product {
    size_t cloud; /* number in the config */
    struct sky_product product;
    struct sky_product_topic topics[SKY_PRODUCT_TOPICS_MAX];
    size_t topic_count;
    struct sky_buf rules;                 /* owned: lines "ID=action" */
    struct sky_buf texts[SKY_SEED_TEXTS]; /* owned; empty: not given */
    char asset_id[SKY_KEY_MAX + 1];
    const cJSON *value;   /* as it was read */
    const cJSON *devices; /* NULL: none */
    bool added;           /* by this load: it has no devices but those that it gets here */
};

/* A device as a fixture states it. */
struct sky_seed_device {
    char key[SKY_KEY_MAX + 1];
    char secret[SKY_SECRET_MAX + 1]; /* empty: left to us */
    char asset_id[SKY_KEY_MAX + 1];
    char fingerprint[SKY_FINGERPRINT_HEX + 1];
    bool enabled;
    const cJSON *shadow;      /* NULL: none */
    const cJSON *sub_devices; /* NULL: none */
};

extern const char *const sky_seed_text_names[SKY_SEED_TEXTS];

/* Read the value we are at. False when it is so wrong that there is no key (and, for a product, no
 * cloud) to go on with; other errors are only counted. `ret_product` is initialised in any case and
 * given back by sky_seed_product_done(). */
bool sky_seed_read_product(struct sky_seed_reader *reader, const cJSON *value,
                           struct sky_seed_product *ret_product);
void sky_seed_product_done(struct sky_seed_product *product);
bool sky_seed_read_device(struct sky_seed_reader *reader, const cJSON *value,
                          const struct sky_seed_product *product,
                          struct sky_seed_device *ret_device);
/* One of a gateway's sub-devices; false, reported, when it names none. */
bool sky_seed_read_sub_device(struct sky_seed_reader *reader, const cJSON *value, size_t cloud,
                              char ret_product[SKY_KEY_MAX + 1], char ret_device[SKY_KEY_MAX + 1]);

#endif
