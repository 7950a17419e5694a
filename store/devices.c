/* Devices: finding them is the hot path of every login. */
#include <stdio.h>

#include "store/internal.h"

sky_err sky_store__device(struct sky_store *store, sqlite3_stmt *stmt, int column,
                          struct sky_device *ret_device)
{
    struct sky_device device = {
        .id = sqlite3_column_int64(stmt, column),
        .product_id = sqlite3_column_int64(stmt, column + 1),
        .state = sqlite3_column_int(stmt, column + 7) ? SKY_DEVICE_ACTIVE : SKY_DEVICE_INACTIVE,
        .enabled = sqlite3_column_int(stmt, column + 8),
        .secret_issued = sqlite3_column_int(stmt, column + 9),
        .temporary = sqlite3_column_int(stmt, column + 10),
    };
    const struct {
        char *out;
        size_t size;
    } texts[] = {
        {device.key, sizeof device.key},
        {device.secret, sizeof device.secret},
        {device.old_secret, sizeof device.old_secret},
        {device.asset_id, sizeof device.asset_id},
        {device.fingerprint, sizeof device.fingerprint},
    };
    for (size_t i = 0; i < SKY_COUNT(texts); i++) {
        sky_err err =
            sky_store__text(store, stmt, column + 2 + (int)i, texts[i].out, texts[i].size);
        if (err != SKY_OK)
            return err;
    }
    *ret_device = device;
    return SKY_OK;
}

/* ---- finding ---- */

static sky_err read_both(struct sky_store *store, sqlite3_stmt *stmt,
                         struct sky_product *ret_product, struct sky_device *ret_device)
{
    struct sky_product product;
    sky_err err = sky_store__product(store, stmt, 0, &product);
    if (err == SKY_OK)
        err = sky_store__device(store, stmt, SKY_PRODUCT_WIDTH, ret_device);
    if (err == SKY_OK)
        *ret_product = product;
    return err;
}

static sky_err one_device(struct sky_store *store, enum sky_sql which, const struct sky_arg *args,
                          size_t count, struct sky_product *ret_product,
                          struct sky_device *ret_device)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, args, count);
    if (err == SKY_OK)
        err = read_both(store, stmt, ret_product, ret_device);
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_find_device(struct sky_store *store, sky_span cloud, sky_span product,
                              sky_span device, struct sky_product *ret_product,
                              struct sky_device *ret_device)
{
    sqlite3_stmt *stmt;
    ret_product->id = 0;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_FIND_DEVICE,
                                   SKY_ARGS(SKY_TEXT(cloud), SKY_TEXT(product), SKY_TEXT(device)));
    if (err == SKY_OK && sqlite3_column_type(stmt, SKY_PRODUCT_WIDTH) == SQLITE_NULL) {
        err = sky_store__product(store, stmt, 0, ret_product);
        err = err == SKY_OK ? SKY_ERR_NOT_FOUND : err;
    } else if (err == SKY_OK) {
        err = read_both(store, stmt, ret_product, ret_device);
    }
    sky_store__end(stmt);
    return err;
}

static size_t common_prefix(sky_span a, sky_span b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.ptr[len] == b.ptr[len])
        len++;
    return len;
}

/* The longest key that is a prefix of `joined`. The greatest key not above `joined` either is it,
 * or parts from `joined` at some byte; no prefix longer than what they share can then exist (it
 * would lie between the two), so the search goes on with the shared part. */
static sky_err longest_prefix(struct sky_store *store, sky_span cloud, sky_span joined,
                              struct sky_product *ret_product)
{
    struct sky_product product;
    for (sky_span probe = joined; probe.len > 0;) {
        sky_err err = sky_store__find_product_up_to(store, cloud, probe, &product);
        if (err != SKY_OK)
            return err;
        sky_span key = sky_span_str(product.key);
        size_t shared = common_prefix(key, probe);
        if (shared == key.len) {
            *ret_product = product;
            return SKY_OK;
        }
        probe = sky_span_head(probe, shared);
    }
    return SKY_ERR_NOT_FOUND;
}

sky_err sky_store_find_joined(struct sky_store *store, sky_span cloud, sky_span joined,
                              struct sky_product *ret_product, struct sky_device *ret_device)
{
    struct sky_product product, longest = {.id = 0};
    sky_span head = sky_span_head(joined, SKY_KEY_MAX);
    sky_err err;
    while ((err = longest_prefix(store, cloud, head, &product)) == SKY_OK) {
        longest = longest.id ? longest : product;
        sky_span key = sky_span_str(product.key);
        err = sky_store_find_device(store, cloud, key, sky_span_tail(joined, key.len), ret_product,
                                    ret_device);
        if (err != SKY_ERR_NOT_FOUND)
            return err;
        head = sky_span_head(joined, key.len - 1);
    }
    *ret_product = longest;
    return err;
}

sky_err sky_store_get_device(struct sky_store *store, int64_t id, struct sky_product *ret_product,
                             struct sky_device *ret_device)
{
    return one_device(store, SKY_SQL_GET_DEVICE, SKY_ARGS(SKY_INT(id)), ret_product, ret_device);
}

sky_err sky_store_find_fingerprint(struct sky_store *store, sky_span fingerprint,
                                   struct sky_product *ret_product, struct sky_device *ret_device)
{
    return one_device(store, SKY_SQL_FIND_FINGERPRINT, SKY_ARGS(SKY_TEXT(fingerprint)), ret_product,
                      ret_device);
}

sky_err sky_store_device_name(struct sky_store *store, int64_t id, char *out, size_t out_size)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_DEVICE_NAME, SKY_ARGS(SKY_INT(id)));
    if (err == SKY_OK) {
        sky_span cloud = sky_store__span(stmt, 0), product = sky_store__span(stmt, 1),
                 device = sky_store__span(stmt, 2);
        snprintf(out, out_size, "%.*s/%.*s/%.*s", SKY_SPAN_ARGS(cloud), SKY_SPAN_ARGS(product),
                 SKY_SPAN_ARGS(device));
    }
    sky_store__end(stmt);
    return err;
}

/* ---- changing ---- */

sky_err sky_store_add_device(struct sky_store *store, struct sky_device *device)
{
    sky_err err = sky_store__change(
        store, SKY_SQL_ADD_DEVICE,
        SKY_ARGS(SKY_INT(device->product_id), SKY_STR(device->key), SKY_STR(device->secret),
                 SKY_STR(device->old_secret), SKY_STR(device->asset_id),
                 SKY_STR(device->fingerprint), SKY_INT(device->state), SKY_INT(device->enabled),
                 SKY_INT(device->secret_issued), SKY_INT(device->temporary)));
    if (err == SKY_OK)
        device->id = sqlite3_last_insert_rowid(store->db);
    return err;
}

sky_err sky_store__add_devices(struct sky_store *store, const struct sky_device *devices,
                               size_t count)
{
    struct sky_arg args[5 * SKY_DEVICES_AT_ONCE + 1];
    size_t used = 0;
    sky_err err = SKY_OK;
    SKY_ASSERT(count <= SKY_DEVICES_AT_ONCE);
    for (size_t i = 0; count < SKY_DEVICES_AT_ONCE && i < count && err == SKY_OK; i++) {
        struct sky_device device = devices[i];
        err = sky_store_add_device(store, &device);
    }
    if (count < SKY_DEVICES_AT_ONCE)
        return err;
    for (size_t i = 0; i < count; i++) {
        args[used++] = SKY_STR(devices[i].key);
        args[used++] = SKY_STR(devices[i].secret);
        args[used++] = SKY_STR(devices[i].asset_id);
        args[used++] = SKY_STR(devices[i].fingerprint);
        args[used++] = SKY_INT(devices[i].enabled);
    }
    args[used++] = SKY_INT(devices[0].product_id);
    return sky_store__run(store, SKY_SQL_ADD_DEVICES, args, used);
}

sky_err sky_store_set_device(struct sky_store *store, const struct sky_device *device)
{
    return sky_store__change(store, SKY_SQL_SET_DEVICE,
                             SKY_ARGS(SKY_INT(device->id), SKY_STR(device->secret),
                                      SKY_STR(device->old_secret), SKY_STR(device->asset_id),
                                      SKY_STR(device->fingerprint), SKY_INT(device->state),
                                      SKY_INT(device->enabled), SKY_INT(device->secret_issued)));
}

sky_err sky_store_set_device_state(struct sky_store *store, int64_t id, enum sky_device_state state)
{
    struct sky_product product;
    struct sky_device device;
    sky_err err =
        sky_store__change(store, SKY_SQL_SET_DEVICE_STATE, SKY_ARGS(SKY_INT(id), SKY_INT(state)));
    if (err != SKY_ERR_NOT_FOUND)
        return err;
    err = sky_store_get_device(store, id, &product, &device);
    return err == SKY_OK ? SKY_ERR_EXISTS : err;
}

sky_err sky_store_delete_device(struct sky_store *store, int64_t id)
{
    static const enum sky_sql list[] = {SKY_SQL_DELETE_DEVICE, SKY_SQL_DROP_SESSION,
                                        SKY_SQL_DROP_TOKENS, SKY_SQL_DROP_DOCUMENTS,
                                        SKY_SQL_DROP_BINDINGS};
    return sky_store__change_all(store, list, SKY_COUNT(list), SKY_ARGS(SKY_INT(id)));
}

/* ---- lists ---- */

sky_err sky_store_each_device(struct sky_store *store, int64_t product_id, int64_t after_id,
                              size_t limit, sky_store_device_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    struct sky_product product;
    struct sky_device device;
    int64_t rows = limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
    sky_err err =
        product_id == 0
            ? sky_store__first(store, &stmt, SKY_SQL_EACH_DEVICE,
                               SKY_ARGS(SKY_INT(after_id), SKY_INT(rows)))
            : sky_store__first(store, &stmt, SKY_SQL_EACH_DEVICE_OF,
                               SKY_ARGS(SKY_INT(product_id), SKY_INT(after_id), SKY_INT(rows)));
    while (err == SKY_OK) {
        err = read_both(store, stmt, &product, &device);
        if (err != SKY_OK || !each(ctx, &product, &device))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

sky_err sky_store_each_device_key(struct sky_store *store, int64_t product_id, sky_span around,
                                  size_t limit, sky_store_key_fn *each, void *ctx)
{
    return sky_store__each_key(
        store, each, ctx, SKY_SQL_EACH_DEVICE_KEY,
        SKY_ARGS(SKY_INT(product_id), SKY_TEXT(around), SKY_INT((int64_t)limit)));
}

size_t sky_store_count_devices(struct sky_store *store)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_COUNT_DEVICES, SKY_NO_ARGS);
    size_t count = err == SKY_OK ? (size_t)sqlite3_column_int64(stmt, 0) : 0;
    sky_store__end(stmt);
    return count;
}

/* ---- for seeding ---- */

static sky_err read_seeded(struct sky_store *store, sqlite3_stmt *stmt, int column,
                           struct sky_seeded *ret_seeded)
{
    struct sky_seeded seeded = {
        .known = sqlite3_column_type(stmt, column) != SQLITE_NULL,
        .enabled = sqlite3_column_int(stmt, column + 3),
    };
    sky_err err = sky_store__text(store, stmt, column, seeded.secret, sizeof seeded.secret);
    if (err == SKY_OK)
        err = sky_store__text(store, stmt, column + 1, seeded.asset_id, sizeof seeded.asset_id);
    if (err == SKY_OK)
        err =
            sky_store__text(store, stmt, column + 2, seeded.fingerprint, sizeof seeded.fingerprint);
    if (err == SKY_OK)
        *ret_seeded = seeded;
    return err;
}

sky_err sky_store__find_seeded(struct sky_store *store, int64_t product_id, sky_span key,
                               struct sky_device *ret_device, struct sky_seeded *ret_seeded)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_FIND_DEVICE_OF,
                                   SKY_ARGS(SKY_INT(product_id), SKY_TEXT(key)));
    if (err == SKY_OK)
        err = read_seeded(store, stmt, SKY_DEVICE_WIDTH, ret_seeded);
    if (err == SKY_OK)
        err = sky_store__device(store, stmt, 0, ret_device);
    sky_store__end(stmt);
    return err;
}

sky_err sky_store__set_seeded(struct sky_store *store, int64_t device_id,
                              const struct sky_seeded *seeded)
{
    return sky_store__change(store, SKY_SQL_SET_SEED,
                             SKY_ARGS(SKY_INT(device_id), SKY_STR(seeded->secret),
                                      SKY_STR(seeded->asset_id), SKY_STR(seeded->fingerprint),
                                      SKY_INT(seeded->enabled)));
}
