/* What is done to many devices at once: whom it is about, and going back to the beginning. */
#include "store/internal.h"

sky_err sky_store__scope(struct sky_store *store, int64_t product_id, int64_t device_id)
{
    sky_err err = sky_store__run(store, SKY_SQL_SCOPE_CLEAR, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_SCOPE_CLEAR_PRODUCTS, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_SCOPE_CLEAR_CHANGED, SKY_NO_ARGS);
    if (err != SKY_OK)
        return err;
    if (device_id != 0)
        return sky_store__change(store, SKY_SQL_SCOPE_DEVICE, SKY_ARGS(SKY_INT(device_id)));
    err = product_id != 0
              ? sky_store__run(store, SKY_SQL_SCOPE_PRODUCT, SKY_ARGS(SKY_INT(product_id)))
              : sky_store__run(store, SKY_SQL_SCOPE_PRODUCTS, SKY_NO_ARGS);
    return err == SKY_OK ? sky_store__run(store, SKY_SQL_SCOPE_DEVICES, SKY_NO_ARGS) : err;
}

/* The last three change what is known of products: whoever caches that is told. */
static sky_err reset(struct sky_store *store, int64_t product_id, int64_t device_id)
{
    static const enum sky_sql list[] = {
        SKY_SQL_RESET_DEVICES,   SKY_SQL_RESET_SESSIONS,          SKY_SQL_RESET_TOKENS,
        SKY_SQL_RESET_DOCUMENTS, SKY_SQL_DELETE_TEMPORARY,        SKY_SQL_RESET_UNSEEDED_BINDINGS,
        SKY_SQL_RESET_BINDINGS,  SKY_SQL_RESET_PRODUCT_DOCUMENTS,
    };
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = sky_store__scope(store, product_id, device_id);
    for (size_t i = 0; i < SKY_COUNT(list) && err == SKY_OK; i++) {
        err = sky_store__change(store, list[i], SKY_NO_ARGS);
        if (err == SKY_OK && i >= SKY_COUNT(list) - 3)
            store->generation++;
        if (err == SKY_ERR_NOT_FOUND)
            err = SKY_OK;
    }
    return sky_store__leave(store, err);
}

sky_err sky_store_reset_device(struct sky_store *store, int64_t id)
{
    return reset(store, 0, id);
}

sky_err sky_store_reset_devices(struct sky_store *store, int64_t product_id)
{
    return reset(store, product_id, 0);
}
