/* Which devices stand behind which gateway. */
#include "store/topology.h"

#include "store/internal.h"

sky_err sky_store_bind(struct sky_store *store, int64_t gateway_id, int64_t device_id)
{
    return sky_store__run(store, SKY_SQL_BIND, SKY_ARGS(SKY_INT(gateway_id), SKY_INT(device_id)));
}

sky_err sky_store_unbind(struct sky_store *store, int64_t gateway_id, int64_t device_id)
{
    sky_err err =
        sky_store__change(store, SKY_SQL_UNBIND, SKY_ARGS(SKY_INT(gateway_id), SKY_INT(device_id)));
    return err == SKY_OK
               ? sky_store__run(store, SKY_SQL_SWEEP_BINDINGS, SKY_ARGS(SKY_INT(gateway_id)))
               : err;
}

sky_err sky_store_is_bound(struct sky_store *store, int64_t gateway_id, int64_t device_id,
                           bool *ret_bound)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_FIND_BINDING,
                                   SKY_ARGS(SKY_INT(gateway_id), SKY_INT(device_id)));
    sky_store__end(stmt);
    if (err != SKY_OK && err != SKY_ERR_NOT_FOUND)
        return err;
    *ret_bound = err == SKY_OK;
    return SKY_OK;
}

static sky_err each_device(struct sky_store *store, enum sky_sql which, const struct sky_arg *args,
                           size_t count, sky_store_device_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    struct sky_product product;
    struct sky_device device;
    sky_err err = sky_store__first(store, &stmt, which, args, count);
    while (err == SKY_OK) {
        err = sky_store__product(store, stmt, 0, &product);
        if (err == SKY_OK)
            err = sky_store__device(store, stmt, SKY_PRODUCT_WIDTH, &device);
        if (err != SKY_OK || !each(ctx, &product, &device))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

sky_err sky_store_each_behind(struct sky_store *store, int64_t gateway_id, size_t limit,
                              sky_store_device_fn *each, void *ctx)
{
    int64_t rows = limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
    return each_device(store, SKY_SQL_DEVICES_BEHIND, SKY_ARGS(SKY_INT(gateway_id), SKY_INT(rows)),
                       each, ctx);
}

sky_err sky_store_each_gateway(struct sky_store *store, int64_t device_id,
                               sky_store_device_fn *each, void *ctx)
{
    return each_device(store, SKY_SQL_GATEWAYS_OF, SKY_ARGS(SKY_INT(device_id)), each, ctx);
}

size_t sky_store_count_behind(struct sky_store *store, int64_t gateway_id)
{
    sqlite3_stmt *stmt;
    sky_err err =
        sky_store__first(store, &stmt, SKY_SQL_COUNT_BEHIND, SKY_ARGS(SKY_INT(gateway_id)));
    size_t count = err == SKY_OK ? (size_t)sqlite3_column_int64(stmt, 0) : 0;
    sky_store__end(stmt);
    return count;
}

/* ---- for seeding ---- */

sky_err sky_store__doubt_bindings(struct sky_store *store, int64_t gateway_id)
{
    return sky_store__run(store, SKY_SQL_DOUBT_BINDINGS, SKY_ARGS(SKY_INT(gateway_id)));
}

sky_err sky_store__seed_binding(struct sky_store *store, int64_t gateway_id, int64_t device_id,
                                bool shared, bool moves)
{
    sqlite3_stmt *stmt;
    const struct sky_arg both[] = {SKY_INT(gateway_id), SKY_INT(device_id)};
    sky_err err = sky_store__change(store, SKY_SQL_KEEP_BINDING, both, SKY_COUNT(both));
    if (err != SKY_ERR_NOT_FOUND)
        return err; /* said before: what happened to it since stays */
    err = SKY_ERR_NOT_FOUND;
    if (!shared && !moves) {
        err = sky_store__first(store, &stmt, SKY_SQL_FIND_SEEDED_ELSEWHERE, both, SKY_COUNT(both));
        sky_store__end(stmt);
    }
    if (err != SKY_ERR_NOT_FOUND)
        return err == SKY_OK ? SKY_ERR_EXISTS : err;
    store->generation++;
    err = shared ? SKY_OK : sky_store__run(store, SKY_SQL_DROP_ELSEWHERE, both, SKY_COUNT(both));
    return err == SKY_OK ? sky_store__run(store, SKY_SQL_SEED_BINDING, both, SKY_COUNT(both)) : err;
}

sky_err sky_store__drop_doubted(struct sky_store *store, int64_t gateway_id)
{
    sky_err err = sky_store__change(store, SKY_SQL_DROP_DOUBTED, SKY_ARGS(SKY_INT(gateway_id)));
    store->generation += err == SKY_OK;
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}
