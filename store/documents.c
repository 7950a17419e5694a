/* Documents of devices and products, and notes: named bytes. */
#include "store/images.h"
#include "store/topology.h"

#include "store/internal.h"

static sky_err check_size(sky_span name, sky_span bytes)
{
    return name.len > SKY_STORE_NAME_MAX || bytes.len > SKY_STORE_BLOB_MAX ? SKY_ERR_LIMIT : SKY_OK;
}

static sky_err read_version(struct sky_store *store, sqlite3_stmt *stmt, int column,
                            int64_t *ret_version)
{
    return sky_store__number(store, stmt, column, 0, SKY_STORE_NUMBER_MAX, ret_version);
}

/* Of whatever has the id: a device, or a product. */
static sky_err get(struct sky_store *store, enum sky_sql which, int64_t id, sky_span name,
                   struct sky_buf *ret_body, int64_t *ret_version)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, SKY_ARGS(SKY_INT(id), SKY_TEXT(name)));
    if (err == SKY_OK)
        err = sky_store__append(stmt, 0, ret_body);
    if (err == SKY_OK)
        err = read_version(store, stmt, 1, ret_version);
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_get_document(struct sky_store *store, int64_t device_id, sky_span name,
                               struct sky_buf *ret_body, int64_t *ret_version)
{
    return get(store, SKY_SQL_GET_DOCUMENT, device_id, name, ret_body, ret_version);
}

sky_err sky_store_put_document(struct sky_store *store, int64_t device_id, sky_span name,
                               sky_span body, int64_t version)
{
    sky_err err = check_size(name, body);
    if (err == SKY_OK && (version < 0 || version > SKY_STORE_NUMBER_MAX))
        err = SKY_ERR_LIMIT;
    if (err != SKY_OK)
        return err;
    return sky_store__change(
        store, SKY_SQL_PUT_DOCUMENT,
        SKY_ARGS(SKY_INT(device_id), SKY_TEXT(name), SKY_BYTES(body), SKY_INT(version)));
}

sky_err sky_store_delete_document(struct sky_store *store, int64_t device_id, sky_span name)
{
    return sky_store__change(store, SKY_SQL_DELETE_DOCUMENT,
                             SKY_ARGS(SKY_INT(device_id), SKY_TEXT(name)));
}

sky_err sky_store_each_document(struct sky_store *store, int64_t device_id,
                                sky_store_document_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    sky_err err =
        sky_store__first(store, &stmt, SKY_SQL_EACH_DOCUMENT, SKY_ARGS(SKY_INT(device_id)));
    while (err == SKY_OK) {
        int64_t version;
        err = read_version(store, stmt, 2, &version);
        if (err != SKY_OK ||
            !each(ctx, sky_store__span(stmt, 0), sky_store__span(stmt, 1), version))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

sky_err sky_store_each_document_called(struct sky_store *store, sky_span name,
                                       sky_store_named_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    sky_err err =
        sky_store__first(store, &stmt, SKY_SQL_EACH_DOCUMENT_CALLED, SKY_ARGS(SKY_TEXT(name)));
    while (err == SKY_OK) {
        if (!each(ctx, sqlite3_column_int64(stmt, 0), sky_store__span(stmt, 1)))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

/* ---- of products ---- */

sky_err sky_store_get_product_document(struct sky_store *store, int64_t product_id, sky_span name,
                                       struct sky_buf *ret_body, int64_t *ret_version)
{
    return get(store, SKY_SQL_GET_PRODUCT_DOCUMENT, product_id, name, ret_body, ret_version);
}

sky_err sky_store_put_product_document(struct sky_store *store, int64_t product_id, sky_span name,
                                       sky_span body)
{
    sky_err err = check_size(name, body);
    if (err != SKY_OK)
        return err;
    store->generation++;
    return sky_store__change(store, SKY_SQL_PUT_PRODUCT_DOCUMENT,
                             SKY_ARGS(SKY_INT(product_id), SKY_TEXT(name), SKY_BYTES(body)));
}

sky_err sky_store__seed_product_document(struct sky_store *store, int64_t product_id, sky_span name,
                                         sky_span body)
{
    sky_err err = check_size(name, body);
    if (err != SKY_OK)
        return err;
    if (body.len == 0)
        err = sky_store__change(store, SKY_SQL_UNSEED_PRODUCT_DOCUMENT,
                                SKY_ARGS(SKY_INT(product_id), SKY_TEXT(name)));
    else
        err = sky_store__change(store, SKY_SQL_SEED_PRODUCT_DOCUMENT,
                                SKY_ARGS(SKY_INT(product_id), SKY_TEXT(name), SKY_BYTES(body)));
    store->generation += err == SKY_OK;
    return err;
}

/* ---- notes ---- */

sky_err sky_store_get_note(struct sky_store *store, sky_span name, struct sky_buf *ret_value)
{
    return sky_store__bytes(store, SKY_SQL_GET_NOTE, SKY_ARGS(SKY_TEXT(name)), ret_value);
}

sky_err sky_store_put_note(struct sky_store *store, sky_span name, sky_span value)
{
    sky_err err = check_size(name, value);
    if (err != SKY_OK)
        return err;
    return sky_store__run(store, SKY_SQL_PUT_NOTE, SKY_ARGS(SKY_TEXT(name), SKY_BYTES(value)));
}

sky_err sky_store_delete_note(struct sky_store *store, sky_span name)
{
    return sky_store__change(store, SKY_SQL_DELETE_NOTE, SKY_ARGS(SKY_TEXT(name)));
}

sky_err sky_store_each_note(struct sky_store *store, sky_span prefix, sky_store_key_fn *each,
                            void *ctx)
{
    return sky_store__each_key(store, each, ctx, SKY_SQL_EACH_NOTE, SKY_ARGS(SKY_TEXT(prefix)));
}
