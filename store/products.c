/* Products, their own topics, and their rule overrides. */
#include "store/internal.h"

const char *sky_node_name(enum sky_node node)
{
    static const char *const names[] = {[SKY_NODE_DEVICE] = "device",
                                        [SKY_NODE_GATEWAY] = "gateway",
                                        [SKY_NODE_SUB] = "sub-device"};
    return names[node];
}

sky_err sky_store__product(struct sky_store *store, sqlite3_stmt *stmt, int column,
                           struct sky_product *ret_product)
{
    struct sky_product product = {.id = sqlite3_column_int64(stmt, column)};
    sky_err err = sky_store__text(store, stmt, column + 1, product.cloud, sizeof product.cloud);
    if (err == SKY_OK)
        err = sky_store__text(store, stmt, column + 2, product.key, sizeof product.key);
    if (err == SKY_OK)
        err = sky_store__text(store, stmt, column + 3, product.secret, sizeof product.secret);
    if (err != SKY_OK)
        return err;
    product.dynamic_activation = sqlite3_column_int(stmt, column + 4);
    product.require_certificate = sqlite3_column_int(stmt, column + 5);
    product.https_auth = sqlite3_column_int(stmt, column + 6);
    int64_t node;
    err = sky_store__number(store, stmt, column + 7, SKY_NODE_DEVICE, SKY_NODE_SUB, &node);
    if (err != SKY_OK)
        return err;
    product.node = (enum sky_node)node;
    *ret_product = product;
    return SKY_OK;
}

static sky_err one_product(struct sky_store *store, enum sky_sql which, const struct sky_arg *args,
                           size_t count, struct sky_product *ret_product)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, args, count);
    if (err == SKY_OK)
        err = sky_store__product(store, stmt, 0, ret_product);
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_find_product(struct sky_store *store, sky_span cloud, sky_span key,
                               struct sky_product *ret_product)
{
    return one_product(store, SKY_SQL_FIND_PRODUCT, SKY_ARGS(SKY_TEXT(cloud), SKY_TEXT(key)),
                       ret_product);
}

sky_err sky_store_get_product(struct sky_store *store, int64_t id, struct sky_product *ret_product)
{
    return one_product(store, SKY_SQL_GET_PRODUCT, SKY_ARGS(SKY_INT(id)), ret_product);
}

sky_err sky_store__find_product_up_to(struct sky_store *store, sky_span cloud, sky_span key,
                                      struct sky_product *ret_product)
{
    return one_product(store, SKY_SQL_FIND_PRODUCT_UP_TO, SKY_ARGS(SKY_TEXT(cloud), SKY_TEXT(key)),
                       ret_product);
}

sky_err sky_store_put_product(struct sky_store *store, struct sky_product *product)
{
    sqlite3_stmt *stmt;
    store->generation++;
    sky_err err = sky_store__first(
        store, &stmt, SKY_SQL_PUT_PRODUCT,
        SKY_ARGS(SKY_STR(product->cloud), SKY_STR(product->key), SKY_STR(product->secret),
                 SKY_INT(product->dynamic_activation), SKY_INT(product->require_certificate),
                 SKY_INT(product->https_auth), SKY_INT(product->node)));
    int64_t id = err == SKY_OK ? sqlite3_column_int64(stmt, 0) : 0;
    /* The row comes before the write has landed: only the end of the statement lands it. */
    if (err == SKY_OK && (err = sky_store__step(store, stmt)) == SKY_ERR_NOT_FOUND)
        err = SKY_OK;
    sky_store__end(stmt);
    if (err == SKY_OK)
        product->id = id;
    return err;
}

sky_err sky_store_delete_product(struct sky_store *store, int64_t id)
{
    static const enum sky_sql list[] = {SKY_SQL_DELETE_PRODUCT,   SKY_SQL_DROP_SESSIONS_OF,
                                        SKY_SQL_DROP_TOKENS_OF,   SKY_SQL_DROP_DOCUMENTS_OF,
                                        SKY_SQL_DROP_BINDINGS_OF, SKY_SQL_DELETE_DEVICES_OF,
                                        SKY_SQL_DELETE_TOPICS,    SKY_SQL_DROP_PRODUCT_DOCUMENTS};
    store->generation++;
    return sky_store__change_all(store, list, SKY_COUNT(list), SKY_ARGS(SKY_INT(id)));
}

/* ---- topics and rules ---- */

sky_err sky_store_put_topics(struct sky_store *store, int64_t product_id,
                             const struct sky_product_topic *topics, size_t count)
{
    SKY_ASSERT(count <= SKY_PRODUCT_TOPICS_MAX);
    struct sky_product product;
    sky_err err = sky_store_get_product(store, product_id, &product);
    if (err == SKY_OK)
        err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    store->generation++;
    err = sky_store__run(store, SKY_SQL_DELETE_TOPICS, SKY_ARGS(SKY_INT(product_id)));
    for (size_t i = 0; i < count && err == SKY_OK; i++)
        err = sky_store__run(store, SKY_SQL_ADD_TOPIC,
                             SKY_ARGS(SKY_INT(product_id), SKY_INT((int64_t)i),
                                      SKY_STR(topics[i].pattern), SKY_INT(topics[i].pub),
                                      SKY_INT(topics[i].sub)));
    return sky_store__leave(store, err);
}

static sky_err read_topic(struct sky_store *store, sqlite3_stmt *stmt,
                          struct sky_product_topic *ret_topic)
{
    ret_topic->pub = sqlite3_column_int(stmt, 1);
    ret_topic->sub = sqlite3_column_int(stmt, 2);
    return sky_store__text(store, stmt, 0, ret_topic->pattern, sizeof ret_topic->pattern);
}

sky_err sky_store_get_topics(struct sky_store *store, int64_t product_id,
                             struct sky_product_topic *ret_topics, size_t *ret_count)
{
    sqlite3_stmt *stmt;
    size_t count = 0;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_GET_TOPICS, SKY_ARGS(SKY_INT(product_id)));
    while (err == SKY_OK && count < SKY_PRODUCT_TOPICS_MAX) {
        err = read_topic(store, stmt, &ret_topics[count++]);
        if (err == SKY_OK)
            err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    if (err != SKY_OK && err != SKY_ERR_NOT_FOUND)
        return err;
    *ret_count = count;
    return SKY_OK;
}

sky_err sky_store_put_rules(struct sky_store *store, int64_t product_id, sky_span lines)
{
    if (lines.len > SKY_STORE_BLOB_MAX)
        return SKY_ERR_LIMIT;
    store->generation++;
    return sky_store__change(store, SKY_SQL_PUT_RULES,
                             SKY_ARGS(SKY_INT(product_id), SKY_TEXT(lines)));
}

sky_err sky_store_get_rules(struct sky_store *store, int64_t product_id, struct sky_buf *ret_lines)
{
    return sky_store__bytes(store, SKY_SQL_GET_RULES, SKY_ARGS(SKY_INT(product_id)), ret_lines);
}

uint64_t sky_store_generation(const struct sky_store *store)
{
    return store->generation;
}

/* ---- lists ---- */

sky_err sky_store_each_product(struct sky_store *store, sky_store_product_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    struct sky_product product;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_EACH_PRODUCT, SKY_NO_ARGS);
    while (err == SKY_OK) {
        err = sky_store__product(store, stmt, 0, &product);
        if (err != SKY_OK || !each(ctx, &product))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

sky_err sky_store_each_product_key(struct sky_store *store, sky_span cloud, sky_span around,
                                   size_t limit, sky_store_key_fn *each, void *ctx)
{
    return sky_store__each_key(
        store, each, ctx, SKY_SQL_EACH_PRODUCT_KEY,
        SKY_ARGS(SKY_TEXT(cloud), SKY_TEXT(around), SKY_INT((int64_t)limit)));
}
