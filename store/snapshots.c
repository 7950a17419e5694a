#include "store/snapshots.h"

#include "store/internal.h"

/* ---- taking ---- */

static sky_err one_number(struct sky_store *store, enum sky_sql which, int column,
                          int64_t *ret_number)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = sky_store__number(store, stmt, column, 0, INT64_MAX, ret_number);
    sky_store__end(stmt);
    return err;
}

static sky_err run_all(struct sky_store *store, const enum sky_sql *list, size_t count, int64_t id)
{
    sky_err err = SKY_OK;
    for (size_t i = 0; i < count && err == SKY_OK; i++)
        err = sky_store__run(store, list[i], SKY_ARGS(SKY_INT(id)));
    return err;
}

/* What one of a device has is in front. */
static const enum sky_sql copies[] = {
    SKY_SQL_COPY_DEVICES,  SKY_SQL_COPY_DOCUMENTS,      SKY_SQL_COPY_TOPOLOGY,
    SKY_SQL_COPY_PRODUCTS, SKY_SQL_COPY_PRODUCT_TOPICS, SKY_SQL_COPY_PRODUCT_DOCUMENTS,
    SKY_SQL_COPY_TOKENS,
};
enum { COPIES_OF_DEVICE = 3 };

static sky_err copy_rows(struct sky_store *store, struct sky_snapshot *snapshot, sky_span faults,
                         int64_t bytes_max)
{
    bool of_device = sky_snapshot_is_of_device(snapshot);
    int64_t documents = 0, kept = 0;
    sky_err err = SKY_OK;
    if (!of_device)
        err = sky_store__run(store, SKY_SQL_SCOPE_LASTING, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = one_number(store, SKY_SQL_COUNT_SCOPE, 0, &snapshot->devices);
    if (err == SKY_OK)
        err = one_number(store, SKY_SQL_SUM_SCOPE, 0, &documents);
    if (err != SKY_OK)
        return err;
    snapshot->bytes =
        documents + (int64_t)faults.len + (snapshot->devices + 1) * (int64_t)SKY_SNAPSHOT_ROW;
    err = one_number(store, SKY_SQL_COUNT_SNAPSHOTS, 1, &kept);
    snapshot->room = bytes_max - kept - snapshot->bytes;
    if (err == SKY_OK && snapshot->room < 0)
        err = SKY_ERR_LIMIT;
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_ADD_SNAPSHOT,
                             SKY_ARGS(SKY_STR(snapshot->name), SKY_STR(snapshot->product),
                                      SKY_INT(snapshot->created_ms), SKY_INT(snapshot->now_ms),
                                      SKY_INT(snapshot->lived_ms), SKY_INT(snapshot->frozen),
                                      SKY_BYTES(faults)));
    if (err != SKY_OK)
        return err;
    snapshot->id = sqlite3_last_insert_rowid(store->db);
    return run_all(store, copies, of_device ? COPIES_OF_DEVICE : SKY_COUNT(copies), snapshot->id);
}

sky_err sky_store_add_snapshot(struct sky_store *store, struct sky_snapshot *snapshot,
                               int64_t product_id, int64_t device_id, sky_span faults,
                               int64_t bytes_max)
{
    SKY_ASSERT(sky_snapshot_is_of_device(snapshot) == (device_id != 0));
    struct sky_snapshot other;
    int64_t count = 0;
    sky_err err = sky_store_find_snapshot(store, sky_span_str(snapshot->name),
                                          sky_span_str(snapshot->product), &other);
    if (err != SKY_ERR_NOT_FOUND)
        return err == SKY_OK ? SKY_ERR_EXISTS : err;
    err = one_number(store, SKY_SQL_COUNT_SNAPSHOTS, 0, &count);
    if (err == SKY_OK && count >= SKY_SNAPSHOTS_MAX && device_id == 0)
        return SKY_ERR_LIMIT;
    if (err == SKY_OK)
        err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = sky_store__scope(store, product_id, device_id);
    if (err == SKY_OK)
        err = copy_rows(store, snapshot, faults, bytes_max);
    return sky_store__leave(store, err);
}

sky_err sky_store_put_snapshot_session(struct sky_store *store, struct sky_snapshot *snapshot,
                                       int64_t device_id, sky_span state)
{
    if (state.len > SKY_STORE_BLOB_MAX || (int64_t)state.len > snapshot->room)
        return SKY_ERR_LIMIT;
    snapshot->room -= (int64_t)state.len;
    snapshot->bytes += (int64_t)state.len;
    return sky_store__run(store, SKY_SQL_PUT_SNAPSHOT_SESSION,
                          SKY_ARGS(SKY_INT(snapshot->id), SKY_INT(device_id), SKY_BYTES(state)));
}

sky_err sky_store_end_snapshot(struct sky_store *store, const struct sky_snapshot *snapshot)
{
    return sky_store__change(
        store, SKY_SQL_SET_SNAPSHOT,
        SKY_ARGS(SKY_INT(snapshot->id), SKY_INT(snapshot->devices), SKY_INT(snapshot->bytes)));
}

/* ---- finding ---- */

static sky_err read_snapshot(struct sky_store *store, sqlite3_stmt *stmt,
                             struct sky_snapshot *ret_snapshot)
{
    struct sky_snapshot snapshot = {.id = sqlite3_column_int64(stmt, 0),
                                    .frozen = sqlite3_column_int(stmt, 6)};
    sky_err err = sky_store__text(store, stmt, 1, snapshot.name, sizeof snapshot.name);
    if (err == SKY_OK)
        err = sky_store__text(store, stmt, 2, snapshot.product, sizeof snapshot.product);
    if (err == SKY_OK)
        err = sky_store__time(store, stmt, 3, &snapshot.created_ms);
    if (err == SKY_OK)
        err = sky_store__time(store, stmt, 4, &snapshot.now_ms);
    if (err == SKY_OK)
        err = sky_store__time(store, stmt, 5, &snapshot.lived_ms);
    if (err == SKY_OK)
        err = sky_store__number(store, stmt, 7, 0, SKY_STORE_NUMBER_MAX, &snapshot.devices);
    if (err == SKY_OK)
        err = sky_store__number(store, stmt, 8, 0, SKY_STORE_NUMBER_MAX, &snapshot.bytes);
    if (err == SKY_OK)
        *ret_snapshot = snapshot;
    return err;
}

sky_err sky_store_find_snapshot(struct sky_store *store, sky_span name, sky_span product,
                                struct sky_snapshot *ret_snapshot)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_FIND_SNAPSHOT,
                                   SKY_ARGS(SKY_TEXT(name), SKY_TEXT(product)));
    if (err == SKY_OK)
        err = read_snapshot(store, stmt, ret_snapshot);
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_left_snapshot(struct sky_store *store, struct sky_snapshot *ret_snapshot)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_LEFT_SNAPSHOT, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = read_snapshot(store, stmt, ret_snapshot);
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_each_snapshot(struct sky_store *store, sky_store_snapshot_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    struct sky_snapshot snapshot;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_EACH_SNAPSHOT, SKY_NO_ARGS);
    while (err == SKY_OK) {
        err = read_snapshot(store, stmt, &snapshot);
        if (err != SKY_OK || !each(ctx, &snapshot))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

sky_err sky_store_drop_snapshot(struct sky_store *store, int64_t id)
{
    return sky_store__change(store, SKY_SQL_DROP_SNAPSHOT, SKY_ARGS(SKY_INT(id)));
}

sky_err sky_store_get_snapshot_session(struct sky_store *store, int64_t id, int64_t device_id,
                                       struct sky_buf *ret_state)
{
    return sky_store__bytes(store, SKY_SQL_GET_SNAPSHOT_SESSION,
                            SKY_ARGS(SKY_INT(id), SKY_INT(device_id)), ret_state);
}

sky_err sky_store_get_snapshot_faults(struct sky_store *store, int64_t id,
                                      struct sky_buf *ret_faults)
{
    return sky_store__bytes(store, SKY_SQL_GET_SNAPSHOT_FAULTS, SKY_ARGS(SKY_INT(id)), ret_faults);
}

sky_err sky_store_snapshots_mention(struct sky_store *store, int64_t device_id, sky_span name,
                                    sky_span bytes, bool *ret_found)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_FIND_SNAPSHOT_DOCUMENT,
                                   SKY_ARGS(SKY_INT(device_id), SKY_TEXT(name), SKY_BYTES(bytes)));
    sky_store__end(stmt);
    if (err != SKY_OK && err != SKY_ERR_NOT_FOUND)
        return err;
    *ret_found = err == SKY_OK;
    return SKY_OK;
}

static sky_err each_id(struct sky_store *store, enum sky_sql which, const struct sky_arg *args,
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

sky_err sky_store_each_snapshot_session(struct sky_store *store, int64_t id, sky_store_id_fn *each,
                                        void *ctx)
{
    return each_id(store, SKY_SQL_EACH_SNAPSHOT_SESSION, SKY_ARGS(SKY_INT(id)), each, ctx);
}

/* ---- going back ---- */

enum { NOBODY = -1 }; /* has this id */

/* Everybody who lives now, and who lived then. The product or device that has its name now may be
 * another one. */
static sky_err scope_of(struct sky_store *store, const struct sky_snapshot *snapshot)
{
    static const enum sky_sql then[] = {SKY_SQL_SCOPE_SNAPSHOT_PRODUCTS,
                                        SKY_SQL_SCOPE_SNAPSHOT_DEVICES};
    struct sky_product product = {.id = 0};
    struct sky_device device = {.id = 0};
    sky_span cloud = sky_span_str(snapshot->product), key = SKY_SPAN_NONE, name = SKY_SPAN_NONE;
    sky_err err = SKY_OK;
    sky_span_cut(cloud, '/', &cloud, &key);
    if (sky_span_cut(key, '/', &key, &name)) {
        err = sky_store_find_device(store, cloud, key, name, &product, &device);
        if (err == SKY_ERR_NOT_FOUND)
            device.id = NOBODY;
    } else if (key.len > 0) {
        err = sky_store_find_product(store, cloud, key, &product);
        if (err == SKY_ERR_NOT_FOUND)
            product.id = NOBODY;
    }
    if (err == SKY_OK || err == SKY_ERR_NOT_FOUND)
        err = sky_store__scope(store, product.id, device.id);
    if (err == SKY_OK || err == SKY_ERR_NOT_FOUND)
        err = run_all(store, then, SKY_COUNT(then), snapshot->id);
    return err;
}

static sky_err restore_products(struct sky_store *store, int64_t id)
{
    static const enum sky_sql list[] = {
        SKY_SQL_BACK_DROP_PRODUCTS,          SKY_SQL_BACK_PRODUCTS,
        SKY_SQL_BACK_DROP_PRODUCT_TOPICS,    SKY_SQL_BACK_PRODUCT_TOPICS,
        SKY_SQL_BACK_DROP_PRODUCT_DOCUMENTS, SKY_SQL_BACK_PRODUCT_DOCUMENTS,
    };
    sky_err err = SKY_OK;
    for (size_t i = 0; i < SKY_COUNT(list) && (err == SKY_OK || err == SKY_ERR_NOT_FOUND); i++) {
        err = sky_store__change(store, list[i], SKY_ARGS(SKY_INT(id)));
        store->generation += err == SKY_OK;
    }
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

struct step {
    enum sky_sql sql;
    bool of_snapshot; /* names the snapshot */
};

static sky_err restore_devices(struct sky_store *store, const struct sky_snapshot *snapshot)
{
    static const struct step list[] = {
        {SKY_SQL_BACK_DROP_DEVICES, true},    {SKY_SQL_BACK_DEVICES, true},
        {SKY_SQL_BACK_DROP_DOCUMENTS, false}, {SKY_SQL_BACK_DOCUMENTS, true},
        {SKY_SQL_BACK_DROP_TOPOLOGY, false},  {SKY_SQL_BACK_TOPOLOGY, true},
        {SKY_SQL_BACK_DROP_TOKENS, false},    {SKY_SQL_BACK_TOKENS, true},
    };
    enum { OF_DEVICE = 6 }; /* of these */
    size_t count = sky_snapshot_is_of_device(snapshot) ? OF_DEVICE : SKY_COUNT(list);
    sky_err err = SKY_OK;
    for (size_t i = 0; i < count && err == SKY_OK; i++)
        err = list[i].of_snapshot
                  ? sky_store__run(store, list[i].sql, SKY_ARGS(SKY_INT(snapshot->id)))
                  : sky_store__run(store, list[i].sql, SKY_NO_ARGS);
    return err;
}

static sky_err tell_changed(struct sky_store *store, sky_store_id_fn *changed, void *ctx)
{
    return each_id(store, SKY_SQL_EACH_CHANGED, SKY_NO_ARGS, changed, ctx);
}

static sky_err restore_device(struct sky_store *store, const struct sky_snapshot *snapshot,
                              sky_store_id_fn *changed, void *ctx)
{
    static const enum sky_sql itself[] = {SKY_SQL_DIFFER_DEVICES, SKY_SQL_DIFFER_TOPOLOGY,
                                          SKY_SQL_DIFFER_TOPOLOGY_GONE},
                              documents[] = {SKY_SQL_DIFFER_DOCUMENTS,
                                             SKY_SQL_DIFFER_DOCUMENTS_GONE};
    sky_err err = run_all(store, itself, SKY_COUNT(itself), snapshot->id);
    if (err == SKY_OK)
        err = tell_changed(store, changed, ctx);
    if (err == SKY_OK)
        err = run_all(store, documents, SKY_COUNT(documents), snapshot->id);
    return err == SKY_OK ? restore_devices(store, snapshot) : err;
}

static sky_err restore_many(struct sky_store *store, const struct sky_snapshot *snapshot,
                            sky_store_id_fn *changed, void *ctx)
{
    static const enum sky_sql differ[] = {
        SKY_SQL_DIFFER_DEVICES,       SKY_SQL_DIFFER_DOCUMENTS,   SKY_SQL_DIFFER_DOCUMENTS_GONE,
        SKY_SQL_DIFFER_TOKENS,        SKY_SQL_DIFFER_TOKENS_GONE, SKY_SQL_DIFFER_TOPOLOGY,
        SKY_SQL_DIFFER_TOPOLOGY_GONE, SKY_SQL_DIFFER_BEHIND,
    };
    sky_err err = run_all(store, differ, SKY_COUNT(differ), snapshot->id);
    if (err == SKY_OK)
        err = tell_changed(store, changed, ctx);
    if (err == SKY_OK)
        err = restore_products(store, snapshot->id);
    return err == SKY_OK ? restore_devices(store, snapshot) : err;
}

sky_err sky_store_restore_snapshot(struct sky_store *store, const struct sky_snapshot *snapshot,
                                   sky_store_id_fn *changed, void *ctx)
{
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = scope_of(store, snapshot);
    if (err == SKY_OK)
        err = sky_snapshot_is_of_device(snapshot) ? restore_device(store, snapshot, changed, ctx)
                                                  : restore_many(store, snapshot, changed, ctx);
    return sky_store__leave(store, err);
}

sky_err sky_store_snapshot_activated(struct sky_store *store, const struct sky_snapshot *snapshot,
                                     bool is_online)
{
    return sky_store__run(store, SKY_SQL_SNAPSHOT_ACTIVATED,
                          SKY_ARGS(SKY_INT(snapshot->id), SKY_INT(is_online)));
}
