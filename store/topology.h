/* The store's gateways and the devices behind them, and texts of products. As store.h, which it
 * belongs to. */
#ifndef SKY_STORE_TOPOLOGY_H
#define SKY_STORE_TOPOLOGY_H

#include "store/store.h"

/* ---- texts of products ---- */

/* As for devices. The version grows with every change, and is the store's. */
SKY_MUST_USE sky_err sky_store_get_product_document(struct sky_store *store, int64_t product_id,
                                                    sky_span name, struct sky_buf *ret_body,
                                                    int64_t *ret_version);
/* An empty body takes it away. NOT_FOUND when there is no such product. */
SKY_MUST_USE sky_err sky_store_put_product_document(struct sky_store *store, int64_t product_id,
                                                    sky_span name, sky_span body);

/* ---- gateways: which devices stand behind which ---- */

SKY_MUST_USE sky_err sky_store_bind(struct sky_store *store, int64_t gateway_id, int64_t device_id);
/* NOT_FOUND when it was not bound. */
SKY_MUST_USE sky_err sky_store_unbind(struct sky_store *store, int64_t gateway_id,
                                      int64_t device_id);
SKY_MUST_USE sky_err sky_store_is_bound(struct sky_store *store, int64_t gateway_id,
                                        int64_t device_id, bool *ret_bound);
/* The devices bound to a gateway, in the order of binding, `limit` at the most; the gateways of a
 * device; until `each` returns false. */
SKY_MUST_USE sky_err sky_store_each_behind(struct sky_store *store, int64_t gateway_id,
                                           size_t limit, sky_store_device_fn *each, void *ctx);
SKY_MUST_USE sky_err sky_store_each_gateway(struct sky_store *store, int64_t device_id,
                                            sky_store_device_fn *each, void *ctx);
size_t sky_store_count_behind(struct sky_store *store, int64_t gateway_id); /* 0 on failure too */

#endif
