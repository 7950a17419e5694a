/* The registry and everything else that outlives a run, in SQLite: the only door to it.
 * Knows keys, secrets and documents; knows no cloud (a cloud is a name here), no socket, no clock.
 * All calls are synchronous and take microseconds; strings returned are values. */
#ifndef SKY_STORE_STORE_H
#define SKY_STORE_STORE_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/facts.h"

struct sky_store;

/* Opens or creates; brings an older schema up to date (all in one transaction). ":memory:" works.
 * A file of a newer version, or not a database, is refused and left untouched. */
SKY_MUST_USE sky_err sky_store_open(const char *path, struct sky_store **ret_store,
                                    struct sky_why *why);
void sky_store_close(struct sky_store *store); /* NULL is fine */

/* Writes between begin and commit land together or not at all. Nesting is not allowed. */
SKY_MUST_USE sky_err sky_store_begin(struct sky_store *store);
SKY_MUST_USE sky_err sky_store_commit(struct sky_store *store);
void sky_store_rollback(struct sky_store *store);

/* Changes whenever a product or device does: whoever caches one compares. */
uint64_t sky_store_generation(const struct sky_store *store);

/* ---- products ---- */

SKY_MUST_USE sky_err sky_store_find_product(struct sky_store *store, sky_span cloud, sky_span key,
                                            struct sky_product *ret_product);
SKY_MUST_USE sky_err sky_store_get_product(struct sky_store *store, int64_t id,
                                           struct sky_product *ret_product);
/* Creates, or replaces what is stored under the same cloud and key. Sets product->id. */
SKY_MUST_USE sky_err sky_store_put_product(struct sky_store *store, struct sky_product *product);
SKY_MUST_USE sky_err sky_store_delete_product(struct sky_store *store, int64_t id);
SKY_MUST_USE sky_err sky_store_put_topics(struct sky_store *store, int64_t product_id,
                                          const struct sky_product_topic *topics, size_t count);
/* Writes at most SKY_PRODUCT_TOPICS_MAX rows. */
SKY_MUST_USE sky_err sky_store_get_topics(struct sky_store *store, int64_t product_id,
                                          struct sky_product_topic *ret_topics, size_t *ret_count);
/* Rule overrides of a product: lines "ID=action". */
SKY_MUST_USE sky_err sky_store_put_rules(struct sky_store *store, int64_t product_id,
                                         sky_span lines);
SKY_MUST_USE sky_err sky_store_get_rules(struct sky_store *store, int64_t product_id,
                                         struct sky_buf *ret_lines);

/* ---- devices ---- */

/* NOT_FOUND when the device is unknown; `*ret_product` is set even then if the product is known
 * (its id is 0 if not). */
SKY_MUST_USE sky_err sky_store_find_device(struct sky_store *store, sky_span cloud,
                                           sky_span product, sky_span device,
                                           struct sky_product *ret_product,
                                           struct sky_device *ret_device);
/* For clouds that write both keys as one word: the longest product key that is a prefix, and the
 * device that is the rest. */
SKY_MUST_USE sky_err sky_store_find_joined(struct sky_store *store, sky_span cloud, sky_span joined,
                                           struct sky_product *ret_product,
                                           struct sky_device *ret_device);
SKY_MUST_USE sky_err sky_store_get_device(struct sky_store *store, int64_t id,
                                          struct sky_product *ret_product,
                                          struct sky_device *ret_device);
/* By the SHA-256 of its certificate, lower hex. */
SKY_MUST_USE sky_err sky_store_find_fingerprint(struct sky_store *store, sky_span fingerprint,
                                                struct sky_product *ret_product,
                                                struct sky_device *ret_device);
/* EXISTS when there is one with this key. Sets device->id. */
SKY_MUST_USE sky_err sky_store_add_device(struct sky_store *store, struct sky_device *device);
/* All fields of the device with device->id. */
SKY_MUST_USE sky_err sky_store_set_device(struct sky_store *store, const struct sky_device *device);
/* Its documents and tokens go too; its id and names stay known to sky_store_device_name(). */
SKY_MUST_USE sky_err sky_store_delete_device(struct sky_store *store, int64_t id);
/* "cloud/product/device" of any device there ever was. */
SKY_MUST_USE sky_err sky_store_device_name(struct sky_store *store, int64_t id, char *out,
                                           size_t out_size);

/* Calls `each` for every device, or those of one product (`product_id` 0: all), by product and
 * key, from the one after `after_id`'s place on, `limit` at the most, until it returns false. */
SKY_MUST_USE sky_err sky_store_each_device(struct sky_store *store, int64_t product_id,
                                           int64_t after_id, size_t limit,
                                           bool (*each)(void *ctx,
                                                        const struct sky_product *product,
                                                        const struct sky_device *device),
                                           void *ctx);
SKY_MUST_USE sky_err sky_store_each_product(struct sky_store *store,
                                            bool (*each)(void *ctx,
                                                         const struct sky_product *product),
                                            void *ctx);
size_t sky_store_count_devices(struct sky_store *store);

/* ---- documents: one JSON text per device and name ---- */

/* NOT_FOUND, with `*ret_body` untouched, if there is none. Appends to `ret_body`. */
SKY_MUST_USE sky_err sky_store_get_document(struct sky_store *store, int64_t device_id,
                                            sky_span name, struct sky_buf *ret_body,
                                            int64_t *ret_version);
SKY_MUST_USE sky_err sky_store_put_document(struct sky_store *store, int64_t device_id,
                                            sky_span name, sky_span body, int64_t version);
SKY_MUST_USE sky_err sky_store_delete_document(struct sky_store *store, int64_t device_id,
                                               sky_span name);

/* ---- login tokens ---- */

SKY_MUST_USE sky_err sky_store_put_token(struct sky_store *store, const struct sky_token *token);
SKY_MUST_USE sky_err sky_store_find_token(struct sky_store *store, sky_span id,
                                          struct sky_token *ret_token);
SKY_MUST_USE sky_err sky_store_drop_tokens(struct sky_store *store, int64_t expired_before_ms);

/* ---- the journal's pages: opaque bytes by range of numbers ---- */

SKY_MUST_USE sky_err sky_store_put_page(struct sky_store *store, uint64_t first_seq,
                                        uint64_t last_seq, sky_span bytes);
/* The page that holds `seq`, or the first one after it. */
SKY_MUST_USE sky_err sky_store_get_page(struct sky_store *store, uint64_t seq,
                                        uint64_t *ret_first_seq, uint64_t *ret_last_seq,
                                        struct sky_buf *ret_bytes);
SKY_MUST_USE sky_err sky_store_drop_pages(struct sky_store *store, uint64_t last_seq_below);
/* First and last number kept; both 0 when empty. */
SKY_MUST_USE sky_err sky_store_page_range(struct sky_store *store, uint64_t *ret_first,
                                          uint64_t *ret_last);

#endif
