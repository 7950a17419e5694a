/* Fixtures: JSON text into products and devices. A text is taken whole or refused whole; loading
 * the same text again changes nothing. Cloud-specific words come in as a table.
 *
 * Of a device, a later load changes only what the text says otherwise than at the last load: what
 * has happened since (a secret issued by an activation, a device switched off) stays. */
#ifndef SKY_STORE_SEED_H
#define SKY_STORE_SEED_H

#include "protocol/base/span.h"
#include "store/store.h"

enum {
    SKY_SEED_FILE_MAX = 64 * 1024 * 1024, /* bytes of one fixture file */
    SKY_SEED_ERRORS_MAX = 100,            /* reported per text; the rest are counted */
    SKY_SEED_RULES_MAX = 256,             /* overrides of one product */
    SKY_SEED_DOCUMENT_MAX = 64 * 1024,    /* bytes of an initial document */
    SKY_SEED_CONFIG_MAX = 128 * 1024,     /* bytes of a product's remote configuration */
    SKY_SEED_MODEL_MAX = 256 * 1024,      /* bytes of a thing model */
    SKY_SEED_SUB_PRODUCTS_MAX = 256,
    SKY_SEED_SUB_DEVICES_MAX = 2000, /* of one gateway */
};

/* The name under which a device's "shadow" is stored. */
#define SKY_SEED_DOCUMENT "shadow"

/* The vendor's words for one cloud and its checks. Borrowed for the call. */
struct sky_seed_cloud {
    const char *name;
    const char *product_key, *product_secret, *device_key, *device_secret;
    /* NULL: any secret will do. */
    sky_err (*check_secret)(sky_span secret, struct sky_why *why);
    bool shares_sub_devices; /* one may stand behind several gateways */
    bool has_gateways;
};

struct sky_seed_config {
    const struct sky_seed_cloud *clouds;
    size_t cloud_count;
    /* "ID=action" ok? Called for each entry of a product's "rules". NULL: any is. */
    bool (*check_rule)(void *ctx, sky_span text, struct sky_why *why);
    /* A secret for a device without one, in the form of cloud number `cloud`. May be NULL when
     * there is no store. */
    void (*make_secret)(void *ctx, size_t cloud, char out[SKY_SECRET_MAX + 1]);
    /* Called for each error, in document order. */
    void (*on_error)(void *ctx, const struct sky_why *why);
    void *ctx;
    /* The SHA-256 of a certificate in PEM, lower hex. NULL: only fingerprints are taken. */
    sky_err (*certificate_fingerprint)(void *ctx, sky_span pem, char out[SKY_FINGERPRINT_HEX + 1],
                                       struct sky_why *why);
    /* The initial document from a device's "shadow": appends the text to be stored and sets its
     * version. A pointer in `why` is within the shadow. NULL: it is stored as it is, version 0. */
    sky_err (*make_document)(void *ctx, size_t cloud, sky_span name, sky_span json,
                             struct sky_buf *ret_body, int64_t *ret_version, struct sky_why *why);
    /* Is the thing model of cloud number `cloud` good? A pointer in `why` is within the model.
     * NULL: any is. */
    sky_err (*check_model)(void *ctx, size_t cloud, sky_span json, struct sky_why *why);
    /* Appends the thing model that a file holds. NULL: no files are read. */
    sky_err (*read_model)(void *ctx, const char *path, struct sky_buf *ret_json,
                          struct sky_why *why);
    /* What a product that is there already has, and the text does not name, stays. */
    bool keeps_absent;
    /* Devices behind gateways are bound with sky_seed_bind(), later: they may stand in another
     * text. */
    bool binds_later;
    /* A device that another text put behind another gateway, in a cloud that does not share them,
     * moves. Without it that is an error. Of one text it always is. */
    bool moves_devices;
    /* A device behind a gateway that is not in the store, where `why` points: it is in another one,
     * maybe. NULL: that is an error. */
    void (*elsewhere)(void *ctx, size_t cloud, sky_span product, sky_span device,
                      const struct sky_why *why);
    /* Is one word a slip of the other? For "did you mean". NULL: never. */
    bool (*similar)(sky_span a, sky_span b);
};

/* What a load did. */
struct sky_seed_count {
    size_t products_added, products_changed, devices_added, devices_changed, errors;
    size_t gateways; /* in the text */
};

/* Reads the whole text (a byte order mark in front is skipped), reports every error, and writes
 * only when there is none, all in one. `store` NULL: checks only. Works inside a transaction too.
 * Always sets `*ret_count`. INVALID when the text has errors, LIMIT when it is too long, or what
 * the store says; each has been reported through on_error. */
SKY_MUST_USE sky_err sky_seed_load(struct sky_store *store, sky_span json,
                                   const struct sky_seed_config *config,
                                   struct sky_seed_count *ret_count);

/* Binds the devices that stand behind gateways from the start; those of a text that was loaded,
 * into a store that has all of them. What the text said at the last load and says no more ends;
 * what was bound or unbound since stays. Errors as above. */
SKY_MUST_USE sky_err sky_seed_bind(struct sky_store *store, sky_span json,
                                   const struct sky_seed_config *config,
                                   struct sky_seed_count *ret_count);

/* Is this text fit to be a product or device key: 1 to SKY_KEY_MAX bytes, without characters that
 * topics and paths are made of? `what` names it in the reason. */
SKY_MUST_USE sky_err sky_seed_check_key(const char *what, sky_span key, struct sky_why *why);

#endif
