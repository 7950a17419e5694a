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

static sky_err one_number_of(struct sky_store *store, enum sky_sql which, int64_t id,
                             int64_t *ret_number)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, SKY_ARGS(SKY_INT(id)));
    if (err == SKY_OK)
        err = sky_store__number(store, stmt, 0, 0, INT64_MAX, ret_number);
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

static const enum sky_sql copies_of_devices[] = {SKY_SQL_COPY_DEVICES, SKY_SQL_COPY_DOCUMENTS,
                                                 SKY_SQL_COPY_TOPOLOGY},
                          copies_of_products[] = {SKY_SQL_COPY_PRODUCTS,
                                                  SKY_SQL_COPY_PRODUCT_TOPICS,
                                                  SKY_SQL_COPY_PRODUCT_DOCUMENTS};

/* Room for so many bytes more. */
static sky_err grow(struct sky_snapshot *snapshot, int64_t bytes)
{
    if (bytes > snapshot->room)
        return SKY_ERR_LIMIT;
    snapshot->room -= bytes;
    snapshot->bytes += bytes;
    return SKY_OK;
}

/* The devices in scope, of which only those that last are kept in one that has a name. */
static sky_err copy_scope(struct sky_store *store, struct sky_snapshot *snapshot)
{
    bool of_device = sky_snapshot_is_of_device(snapshot);
    int64_t devices = 0, documents = 0;
    sky_err err = of_device ? SKY_OK : sky_store__run(store, SKY_SQL_SCOPE_LASTING, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = one_number(store, SKY_SQL_COUNT_SCOPE, 0, &devices);
    if (err == SKY_OK)
        err = one_number(store, SKY_SQL_SUM_SCOPE, 0, &documents);
    if (err == SKY_OK)
        err = grow(snapshot, documents + devices * (int64_t)SKY_SNAPSHOT_ROW);
    if (err != SKY_OK)
        return err;
    snapshot->devices += devices;
    err = run_all(store, copies_of_devices, SKY_COUNT(copies_of_devices), snapshot->id);
    return err == SKY_OK && !of_device
               ? sky_store__run(store, SKY_SQL_COPY_TOKENS, SKY_ARGS(SKY_INT(snapshot->id)))
               : err;
}

static sky_err begin(struct sky_store *store, struct sky_snapshot *snapshot, int64_t product_id,
                     sky_span faults, int64_t bytes_max)
{
    struct sky_snapshot other;
    int64_t count = 0, kept = 0, texts = 0;
    bool of_device = sky_snapshot_is_of_device(snapshot);
    sky_err err = sky_store_find_snapshot(store, sky_span_str(snapshot->name),
                                          sky_span_str(snapshot->product), &other);
    if (err != SKY_ERR_NOT_FOUND)
        return err == SKY_OK ? SKY_ERR_EXISTS : err;
    err = one_number(store, SKY_SQL_COUNT_SNAPSHOTS, 0, &count);
    if (err == SKY_OK)
        err = one_number(store, SKY_SQL_COUNT_SNAPSHOTS, 1, &kept);
    if (err == SKY_OK && !of_device)
        err = sky_store__scope_products(store, product_id);
    if (err == SKY_OK && !of_device)
        err = one_number(store, SKY_SQL_SUM_SCOPE_PRODUCTS, 0, &texts);
    if (err != SKY_OK)
        return err;
    snapshot->devices = snapshot->bytes = 0;
    snapshot->room = bytes_max - kept;
    if ((count >= SKY_SNAPSHOTS_MAX && !of_device) ||
        grow(snapshot, texts + (int64_t)faults.len + SKY_SNAPSHOT_ROW) != SKY_OK)
        return SKY_ERR_LIMIT;
    err = sky_store__run(store, SKY_SQL_ADD_SNAPSHOT,
                         SKY_ARGS(SKY_STR(snapshot->name), SKY_STR(snapshot->product),
                                  SKY_INT(snapshot->created_ms), SKY_INT(snapshot->now_ms),
                                  SKY_INT(snapshot->lived_ms), SKY_INT(snapshot->frozen),
                                  SKY_BYTES(faults)));
    if (err != SKY_OK)
        return err;
    snapshot->id = sqlite3_last_insert_rowid(store->db);
    return of_device
               ? SKY_OK
               : run_all(store, copies_of_products, SKY_COUNT(copies_of_products), snapshot->id);
}

sky_err sky_store_begin_snapshot(struct sky_store *store, struct sky_snapshot *snapshot,
                                 int64_t product_id, sky_span faults, int64_t bytes_max)
{
    SKY_ASSERT(!sky_snapshot_is_of_device(snapshot));
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    return sky_store__leave(store, begin(store, snapshot, product_id, faults, bytes_max));
}

sky_err sky_store_copy_some(struct sky_store *store, struct sky_snapshot *snapshot,
                            int64_t product_id, int64_t *after_id, size_t limit,
                            sky_store_id_fn *each, void *ctx)
{
    int64_t last = *after_id;
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = sky_store__scope_living(store, product_id, &last, limit);
    bool none = err == SKY_ERR_NOT_FOUND;
    if (err == SKY_OK)
        err = copy_scope(store, snapshot);
    if (err == SKY_OK)
        err = sky_store__each_id(store, SKY_SQL_EACH_SCOPE, SKY_NO_ARGS, each, ctx);
    err = sky_store__leave(store, none ? SKY_OK : err);
    if (err == SKY_OK)
        *after_id = last;
    return err == SKY_OK && none ? SKY_ERR_NOT_FOUND : err;
}

static void ignore(void *ctx, int64_t id)
{
    (void)ctx;
    (void)id;
}

sky_err sky_store_add_snapshot(struct sky_store *store, struct sky_snapshot *snapshot,
                               int64_t product_id, int64_t device_id, sky_span faults,
                               int64_t bytes_max)
{
    SKY_ASSERT(sky_snapshot_is_of_device(snapshot) == (device_id != 0));
    int64_t after_id = 0;
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = begin(store, snapshot, product_id, faults, bytes_max);
    if (err == SKY_OK && device_id == 0)
        err = sky_store_copy_some(store, snapshot, product_id, &after_id, SIZE_MAX, ignore, NULL);
    else if (err == SKY_OK) {
        err = sky_store__scope_device(store, device_id);
        if (err == SKY_OK)
            err = copy_scope(store, snapshot);
    }
    return sky_store__leave(store, err == SKY_ERR_NOT_FOUND && device_id == 0 ? SKY_OK : err);
}

sky_err sky_store_put_snapshot_session(struct sky_store *store, struct sky_snapshot *snapshot,
                                       int64_t device_id, sky_span state)
{
    if (state.len > SKY_STORE_BLOB_MAX || grow(snapshot, (int64_t)state.len) != SKY_OK)
        return SKY_ERR_LIMIT;
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

sky_err sky_store_hide_snapshot(struct sky_store *store, int64_t id)
{
    return sky_store__change(store, SKY_SQL_HIDE_SNAPSHOT, SKY_ARGS(SKY_INT(id)));
}

sky_err sky_store_hidden_snapshot(struct sky_store *store, int64_t *ret_id)
{
    return one_number(store, SKY_SQL_HIDDEN_SNAPSHOT, 0, ret_id);
}

sky_err sky_store_cut_snapshot(struct sky_store *store, int64_t id, size_t limit)
{
    static const enum sky_sql list[] = {
        SKY_SQL_CUT_SNAPSHOT_DEVICES,  SKY_SQL_CUT_SNAPSHOT_DOCUMENTS, SKY_SQL_CUT_SNAPSHOT_TOKENS,
        SKY_SQL_CUT_SNAPSHOT_TOPOLOGY, SKY_SQL_CUT_SNAPSHOT_SESSIONS,
    };
    bool more = false;
    for (size_t i = 0; i < SKY_COUNT(list); i++) {
        sky_err err =
            sky_store__change(store, list[i], SKY_ARGS(SKY_INT(id), SKY_INT((int64_t)limit)));
        if (err != SKY_OK && err != SKY_ERR_NOT_FOUND)
            return err;
        more |= err == SKY_OK;
    }
    if (more)
        return SKY_OK;
    sky_err err = sky_store_drop_snapshot(store, id);
    return err == SKY_OK ? SKY_ERR_NOT_FOUND : err;
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

sky_err sky_store_each_snapshot_session(struct sky_store *store, int64_t id, sky_store_id_fn *each,
                                        void *ctx)
{
    return sky_store__each_id(store, SKY_SQL_EACH_SNAPSHOT_SESSION, SKY_ARGS(SKY_INT(id)), each,
                              ctx);
}

/* ---- going back ---- */

/* Who has the name now: it may be another product or device than the one that had it then. */
static sky_err find_now(struct sky_store *store, const struct sky_snapshot *snapshot,
                        int64_t *ret_product, int64_t *ret_device)
{
    struct sky_product product = {.id = 0};
    struct sky_device device = {.id = 0};
    sky_span cloud = sky_span_str(snapshot->product), key = SKY_SPAN_NONE, name = SKY_SPAN_NONE;
    sky_err err = SKY_OK;
    sky_span_cut(cloud, '/', &cloud, &key);
    if (sky_span_cut(key, '/', &key, &name)) {
        err = sky_store_find_device(store, cloud, key, name, &product, &device);
        if (err == SKY_ERR_NOT_FOUND)
            device.id = SKY_STORE_NOBODY;
    } else if (key.len > 0) {
        err = sky_store_find_product(store, cloud, key, &product);
        if (err == SKY_ERR_NOT_FOUND)
            product.id = SKY_STORE_NOBODY;
    }
    *ret_product = product.id;
    *ret_device = device.id;
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
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

static sky_err run_steps(struct sky_store *store, const struct step *list, size_t count, int64_t id)
{
    sky_err err = SKY_OK;
    for (size_t i = 0; i < count && err == SKY_OK; i++)
        err = list[i].of_snapshot ? sky_store__run(store, list[i].sql, SKY_ARGS(SKY_INT(id)))
                                  : sky_store__run(store, list[i].sql, SKY_NO_ARGS);
    return err;
}

static sky_err tell_changed(struct sky_store *store, sky_store_id_fn *changed, void *ctx)
{
    return sky_store__each_id(store, SKY_SQL_EACH_CHANGED, SKY_NO_ARGS, changed, ctx);
}

/* ---- one device ---- */

static sky_err restore_device(struct sky_store *store, const struct sky_snapshot *snapshot,
                              sky_store_id_fn *changed, void *ctx)
{
    static const enum sky_sql then[] = {SKY_SQL_SCOPE_SNAPSHOT_PRODUCTS,
                                        SKY_SQL_SCOPE_SNAPSHOT_DEVICES},
                              itself[] = {SKY_SQL_DIFFER_DEVICES, SKY_SQL_DIFFER_TOPOLOGY,
                                          SKY_SQL_DIFFER_TOPOLOGY_GONE},
                              documents[] = {SKY_SQL_DIFFER_DOCUMENTS,
                                             SKY_SQL_DIFFER_DOCUMENTS_GONE};
    static const struct step back[] = {
        {SKY_SQL_BACK_DROP_DEVICES, true},    {SKY_SQL_BACK_DEVICES, true},
        {SKY_SQL_BACK_DROP_DOCUMENTS, false}, {SKY_SQL_BACK_DOCUMENTS, true},
        {SKY_SQL_BACK_DROP_TOPOLOGY, false},  {SKY_SQL_BACK_TOPOLOGY, true},
    };
    int64_t product_id, device_id;
    sky_err err = find_now(store, snapshot, &product_id, &device_id);
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_SCOPE_CLEAR_PRODUCTS, SKY_NO_ARGS);
    if (err == SKY_OK)
        err = sky_store__scope_device(store, device_id);
    if (err == SKY_OK || err == SKY_ERR_NOT_FOUND)
        err = run_all(store, then, SKY_COUNT(then), snapshot->id);
    if (err == SKY_OK)
        err = run_all(store, itself, SKY_COUNT(itself), snapshot->id);
    if (err == SKY_OK)
        err = tell_changed(store, changed, ctx);
    if (err == SKY_OK)
        err = run_all(store, documents, SKY_COUNT(documents), snapshot->id);
    return err == SKY_OK ? run_steps(store, back, SKY_COUNT(back), snapshot->id) : err;
}

/* ---- many, some after the other ---- */

/* Goes on with the next stage when there is nobody any more in this one. */
static sky_err next_stage(struct sky_store_restore *walk, sky_err err)
{
    if (err != SKY_ERR_NOT_FOUND)
        return err;
    walk->stage++;
    walk->after_id = 0;
    return SKY_OK;
}

static sky_err differ_behind(struct sky_store *store, const struct sky_store_restore *walk)
{
    return sky_store__run(store, SKY_SQL_DIFFER_BEHIND,
                          SKY_ARGS(SKY_INT(walk->snapshot_id), SKY_INT(walk->product_id)));
}

/* Devices that were not there then go first: they may have the names of others. */
static sky_err restore_gone(struct sky_store *store, struct sky_store_restore *walk, size_t limit,
                            sky_store_id_fn *changed, void *ctx)
{
    static const struct step list[] = {
        {SKY_SQL_SCOPE_ONLY_GONE, true},   {SKY_SQL_DIFFER_GONE, false},
        {SKY_SQL_BACK_DROP_DEVICES, true}, {SKY_SQL_BACK_DROP_DOCUMENTS, false},
        {SKY_SQL_BACK_DROP_TOKENS, false},
    };
    sky_err err = sky_store__scope_living(store, walk->product_id, &walk->after_id, limit);
    if (err == SKY_OK)
        err = run_steps(store, list, SKY_COUNT(list), walk->snapshot_id);
    if (err == SKY_OK)
        err = differ_behind(store, walk);
    if (err == SKY_OK)
        err = tell_changed(store, changed, ctx);
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_BACK_DROP_TOPOLOGY, SKY_NO_ARGS);
    return next_stage(walk, err);
}

/* Then products; who has the name from here on is the one that had it then. */
static sky_err restore_names(struct sky_store *store, struct sky_store_restore *walk)
{
    sky_err err = sky_store__scope_products(store, walk->product_id);
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_SCOPE_SNAPSHOT_PRODUCTS,
                             SKY_ARGS(SKY_INT(walk->snapshot_id)));
    if (err == SKY_OK)
        err = restore_products(store, walk->snapshot_id);
    if (err == SKY_OK && walk->product_id != 0)
        err = one_number_of(store, SKY_SQL_SNAPSHOT_PRODUCT, walk->snapshot_id, &walk->product_id);
    return next_stage(walk, err == SKY_OK ? SKY_ERR_NOT_FOUND : err);
}

static sky_err restore_there(struct sky_store *store, struct sky_store_restore *walk, size_t limit,
                             sky_store_id_fn *changed, sky_store_id_fn *each, void *ctx)
{
    static const enum sky_sql differ[] = {
        SKY_SQL_DIFFER_DEVICES, SKY_SQL_DIFFER_DOCUMENTS,   SKY_SQL_DIFFER_DOCUMENTS_GONE,
        SKY_SQL_DIFFER_TOKENS,  SKY_SQL_DIFFER_TOKENS_GONE,
    };
    static const struct step back[] = {
        {SKY_SQL_BACK_DEVICES, true},   {SKY_SQL_BACK_DROP_DOCUMENTS, false},
        {SKY_SQL_BACK_DOCUMENTS, true}, {SKY_SQL_BACK_DROP_TOKENS, false},
        {SKY_SQL_BACK_TOKENS, true},
    };
    sky_err err = sky_store__scope_next(
        store, SKY_SQL_SCOPE_NEXT_THEN,
        SKY_ARGS(SKY_INT(walk->snapshot_id), SKY_INT(walk->after_id), SKY_INT((int64_t)limit)),
        &walk->after_id);
    if (err == SKY_OK)
        err = run_all(store, differ, SKY_COUNT(differ), walk->snapshot_id);
    if (err == SKY_OK)
        err = tell_changed(store, changed, ctx);
    if (err == SKY_OK)
        err = run_steps(store, back, SKY_COUNT(back), walk->snapshot_id);
    if (err == SKY_OK)
        err = sky_store__each_id(store, SKY_SQL_EACH_SCOPE, SKY_NO_ARGS, each, ctx);
    return next_stage(walk, err);
}

/* Once all are there that can stand behind a gateway. */
static sky_err restore_topology(struct sky_store *store, struct sky_store_restore *walk,
                                size_t limit, sky_store_id_fn *changed, void *ctx)
{
    static const enum sky_sql differ[] = {SKY_SQL_DIFFER_TOPOLOGY, SKY_SQL_DIFFER_TOPOLOGY_GONE};
    static const struct step back[] = {{SKY_SQL_BACK_DROP_TOPOLOGY, false},
                                       {SKY_SQL_BACK_TOPOLOGY, true}};
    sky_err err = sky_store__scope_next(
        store, SKY_SQL_SCOPE_NEXT_GATEWAYS,
        SKY_ARGS(SKY_INT(walk->snapshot_id), SKY_INT(walk->after_id), SKY_INT((int64_t)limit)),
        &walk->after_id);
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_SCOPE_ONLY_OF, SKY_ARGS(SKY_INT(walk->product_id)));
    if (err == SKY_OK)
        err = run_all(store, differ, SKY_COUNT(differ), walk->snapshot_id);
    if (err == SKY_OK)
        err = differ_behind(store, walk);
    if (err == SKY_OK)
        err = tell_changed(store, changed, ctx);
    if (err == SKY_OK)
        err = run_steps(store, back, SKY_COUNT(back), walk->snapshot_id);
    return next_stage(walk, err);
}

sky_err sky_store_begin_restore(struct sky_store *store, const struct sky_snapshot *snapshot,
                                struct sky_store_restore *ret_walk)
{
    int64_t device_id;
    SKY_ASSERT(!sky_snapshot_is_of_device(snapshot));
    *ret_walk = (struct sky_store_restore){.snapshot_id = snapshot->id};
    return find_now(store, snapshot, &ret_walk->product_id, &device_id);
}

sky_err sky_store_restore_some(struct sky_store *store, struct sky_store_restore *walk,
                               size_t limit, sky_store_id_fn *changed, sky_store_id_fn *each,
                               void *ctx)
{
    enum { GONE, NAMES, THERE, TOPOLOGY, DONE };
    struct sky_store_restore next = *walk;
    if (limit > INT64_MAX)
        limit = INT64_MAX;
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    switch (next.stage) {
    case GONE:
        err = restore_gone(store, &next, limit, changed, ctx);
        break;
    case NAMES:
        err = restore_names(store, &next);
        break;
    case THERE:
        err = restore_there(store, &next, limit, changed, each, ctx);
        break;
    case TOPOLOGY:
        err = restore_topology(store, &next, limit, changed, ctx);
        break;
    default:
        break;
    }
    err = sky_store__leave(store, err);
    if (err == SKY_OK)
        *walk = next;
    return err == SKY_OK && next.stage == DONE ? SKY_ERR_NOT_FOUND : err;
}

static sky_err restore_many(struct sky_store *store, const struct sky_snapshot *snapshot,
                            sky_store_id_fn *changed, void *ctx)
{
    struct sky_store_restore walk;
    sky_err err = sky_store_begin_restore(store, snapshot, &walk);
    while (err == SKY_OK)
        err = sky_store_restore_some(store, &walk, SIZE_MAX, changed, ignore, ctx);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

sky_err sky_store_restore_snapshot(struct sky_store *store, const struct sky_snapshot *snapshot,
                                   sky_store_id_fn *changed, void *ctx)
{
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
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
