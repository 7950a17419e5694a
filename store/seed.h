/* Fixtures: JSON text into products and devices. A text is taken whole or refused whole; loading
 * the same text again changes nothing. Cloud-specific words come in as a table. */
#ifndef SKY_STORE_SEED_H
#define SKY_STORE_SEED_H

#include "protocol/base/span.h"
#include "store/store.h"

enum {
    SKY_SEED_FILE_MAX = 64 * 1024 * 1024, /* bytes of one fixture file */
    SKY_SEED_ERRORS_MAX = 100,            /* reported per text; the rest are counted */
};

/* The vendor's words for one cloud and its checks. Borrowed for the call. */
struct sky_seed_cloud {
    const char *name;
    const char *product_key, *product_secret, *device_key, *device_secret;
    /* NULL: any secret will do. */
    sky_err (*check_secret)(sky_span secret, struct sky_why *why);
};

struct sky_seed_config {
    const struct sky_seed_cloud *clouds;
    size_t cloud_count;
    /* "ID=action" ok? Called for each entry of a product's "rules". */
    bool (*check_rule)(void *ctx, sky_span text, struct sky_why *why);
    /* A secret for a device without one, in the form of cloud number `cloud`. */
    void (*make_secret)(void *ctx, size_t cloud, char out[SKY_SECRET_MAX + 1]);
    /* Called for each error, in document order. */
    void (*on_error)(void *ctx, const struct sky_why *why);
    void *ctx;
};

/* What a load did. */
struct sky_seed_count {
    size_t products_added, products_changed, devices_added, devices_changed, errors;
};

/* Reads the whole text, reports every error, and writes only when there is none.
 * `store` NULL: checks only (`skymock check`). */
SKY_MUST_USE sky_err sky_seed_load(struct sky_store *store, sky_span json,
                                   const struct sky_seed_config *config,
                                   struct sky_seed_count *ret_count);

#endif
