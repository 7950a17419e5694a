/* What is done to many devices at once, or some of them after the other: whom it is about, and
 * going back to the beginning. */
#include "store/internal.h"

static sky_err clear(struct sky_store *store)
{
    sky_err err = sky_store__run(store, SKY_SQL_SCOPE_CLEAR, SKY_NO_ARGS);
    return err == SKY_OK ? sky_store__run(store, SKY_SQL_SCOPE_CLEAR_CHANGED, SKY_NO_ARGS) : err;
}

sky_err sky_store__scope_device(struct sky_store *store, int64_t device_id)
{
    sky_err err = clear(store);
    return err == SKY_OK
               ? sky_store__change(store, SKY_SQL_SCOPE_DEVICE, SKY_ARGS(SKY_INT(device_id)))
               : err;
}

sky_err sky_store__scope_products(struct sky_store *store, int64_t product_id)
{
    sky_err err = sky_store__run(store, SKY_SQL_SCOPE_CLEAR_PRODUCTS, SKY_NO_ARGS);
    if (err != SKY_OK)
        return err;
    return product_id != 0
               ? sky_store__run(store, SKY_SQL_SCOPE_PRODUCT, SKY_ARGS(SKY_INT(product_id)))
               : sky_store__run(store, SKY_SQL_SCOPE_PRODUCTS, SKY_NO_ARGS);
}

sky_err sky_store__scope_next(struct sky_store *store, enum sky_sql which,
                              const struct sky_arg *args, size_t count, int64_t *after_id)
{
    sky_err err = clear(store);
    if (err == SKY_OK)
        err = sky_store__change(store, which, args, count);
    if (err == SKY_OK)
        *after_id = sqlite3_last_insert_rowid(store->db); /* they went in in order */
    return err;
}

sky_err sky_store__scope_living(struct sky_store *store, int64_t product_id, int64_t *after_id,
                                size_t limit)
{
    int64_t rows = limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
    return product_id == 0
               ? sky_store__scope_next(store, SKY_SQL_SCOPE_NEXT,
                                       SKY_ARGS(SKY_INT(*after_id), SKY_INT(rows)), after_id)
               : sky_store__scope_next(
                     store, SKY_SQL_SCOPE_NEXT_OF,
                     SKY_ARGS(SKY_INT(product_id), SKY_INT(*after_id), SKY_INT(rows)), after_id);
}

sky_err sky_store__each_id(struct sky_store *store, enum sky_sql which, const struct sky_arg *args,
                           size_t count, sky_store_id_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, args, count);
    while (err == SKY_OK) {
        each(ctx, sqlite3_column_int64(stmt, 0));
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

bool sky_store_has_few_devices(struct sky_store *store, int64_t product_id, size_t few)
{
    sqlite3_stmt *stmt;
    const int64_t limit = (int64_t)few + 1;
    sky_err err = product_id == 0 ? sky_store__first(store, &stmt, SKY_SQL_COUNT_UP_TO,
                                                     SKY_ARGS(SKY_INT(limit)))
                                  : sky_store__first(store, &stmt, SKY_SQL_COUNT_UP_TO_OF,
                                                     SKY_ARGS(SKY_INT(product_id), SKY_INT(limit)));
    bool is_few = err != SKY_OK || sqlite3_column_int64(stmt, 0) < limit;
    sky_store__end(stmt);
    return is_few;
}

/* ---- back to the beginning ---- */

/* What is in scope, as one. The last three change what is known of products: whoever caches that is
 * told. */
static sky_err reset_scope(struct sky_store *store)
{
    static const enum sky_sql list[] = {
        SKY_SQL_RESET_DEVICES,   SKY_SQL_RESET_SESSIONS,          SKY_SQL_RESET_TOKENS,
        SKY_SQL_RESET_DOCUMENTS, SKY_SQL_DELETE_TEMPORARY,        SKY_SQL_RESET_UNSEEDED_BINDINGS,
        SKY_SQL_RESET_BINDINGS,  SKY_SQL_RESET_PRODUCT_DOCUMENTS,
    };
    sky_err err = SKY_OK;
    for (size_t i = 0; i < SKY_COUNT(list) && err == SKY_OK; i++) {
        err = sky_store__change(store, list[i], SKY_NO_ARGS);
        if (err == SKY_OK && i >= SKY_COUNT(list) - 3)
            store->generation++;
        if (err == SKY_ERR_NOT_FOUND)
            err = SKY_OK;
    }
    return err;
}

sky_err sky_store_reset_device(struct sky_store *store, int64_t id)
{
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = sky_store__run(store, SKY_SQL_SCOPE_CLEAR_PRODUCTS, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = sky_store__scope_device(store, id);
    if (err == SKY_OK)
        err = reset_scope(store);
    return sky_store__leave(store, err);
}

sky_err sky_store_reset_some(struct sky_store *store, int64_t product_id, int64_t *after_id,
                             size_t limit, sky_store_id_fn *each, void *ctx)
{
    int64_t last = *after_id;
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = *after_id == 0 ? sky_store__scope_products(store, product_id)
                         : sky_store__run(store, SKY_SQL_SCOPE_CLEAR_PRODUCTS, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = sky_store__scope_living(store, product_id, &last, limit);
    bool none = err == SKY_ERR_NOT_FOUND;
    if (err == SKY_OK || none)
        err = reset_scope(store);
    if (err == SKY_OK)
        err = sky_store__each_id(store, SKY_SQL_EACH_SCOPE, SKY_NO_ARGS, each, ctx);
    err = sky_store__leave(store, err);
    if (err == SKY_OK)
        *after_id = last;
    return err == SKY_OK && none ? SKY_ERR_NOT_FOUND : err;
}

static void ignore(void *ctx, int64_t id)
{
    (void)ctx;
    (void)id;
}

sky_err sky_store_reset_devices(struct sky_store *store, int64_t product_id)
{
    int64_t after_id = 0;
    sky_err err = sky_store_reset_some(store, product_id, &after_id, SIZE_MAX, ignore, NULL);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}
