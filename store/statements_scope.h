/* The statements of what is done to many devices at once, as in statements.h. Whom they speak of
 * stands in tables of their own, which are in memory: `scope`, devices, `scope_product`, and
 * `changed`, those in scope that a restore has to change. */
#ifndef SKY_STORE_STATEMENTS_SCOPE_H
#define SKY_STORE_STATEMENTS_SCOPE_H

#define SKY_STORE_SCOPE_TABLES                                                                     \
    "CREATE TEMP TABLE scope (id INTEGER PRIMARY KEY);"                                            \
    "CREATE TEMP TABLE scope_product (id INTEGER PRIMARY KEY);"                                    \
    "CREATE TEMP TABLE changed (id INTEGER PRIMARY KEY)"

#define SKY_DELETED                                                                                \
    "deleted = 1, secret = '', old_secret = '', fingerprint = '', seed_secret = NULL, "            \
    "seed_fingerprint = NULL"

/* clang-format off */
#define SKY_STORE_SCOPE_STATEMENTS(X)                                                              \
    X(SCOPE_CLEAR, "DELETE FROM temp.scope")                                                       \
    X(SCOPE_CLEAR_PRODUCTS, "DELETE FROM temp.scope_product")                                      \
    X(SCOPE_CLEAR_CHANGED, "DELETE FROM temp.changed")                                             \
    X(SCOPE_DEVICE, "INSERT INTO temp.scope SELECT id FROM device WHERE id = ?1 AND deleted = 0")  \
    X(SCOPE_PRODUCT,                                                                               \
      "INSERT INTO temp.scope_product SELECT id FROM product WHERE id = ?1 AND deleted = 0")       \
    X(SCOPE_PRODUCTS,                                                                              \
      "INSERT INTO temp.scope_product SELECT id FROM product WHERE deleted = 0")                   \
    X(SCOPE_NEXT,                                                                                  \
      "INSERT INTO temp.scope SELECT id FROM device WHERE deleted = 0"                             \
      " AND (product_id, key) > (ifnull((SELECT product_id FROM device WHERE id = ?1), 0),"        \
      " ifnull((SELECT key FROM device WHERE id = ?1), ''))"                                       \
      " ORDER BY product_id, key LIMIT ?2")                                                        \
    X(SCOPE_NEXT_OF,                                                                               \
      "INSERT INTO temp.scope SELECT id FROM device WHERE deleted = 0"                             \
      " AND product_id = ?1 AND key > ifnull((SELECT key FROM device WHERE id = ?2), '')"          \
      " ORDER BY key LIMIT ?3")                                                                    \
    X(SCOPE_NEXT_THEN,                                                                             \
      "INSERT INTO temp.scope SELECT id FROM snapshot_device"                                      \
      " WHERE snapshot_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3")                                  \
    X(SCOPE_NEXT_GATEWAYS,                                                                         \
      "INSERT INTO temp.scope"                                                                     \
      " SELECT gateway_id FROM (SELECT DISTINCT gateway_id FROM topology WHERE gateway_id > ?2"    \
      " ORDER BY gateway_id LIMIT ?3)"                                                             \
      " UNION SELECT gateway_id FROM (SELECT DISTINCT gateway_id FROM snapshot_topology"           \
      " WHERE snapshot_id = ?1 AND gateway_id > ?2 ORDER BY gateway_id LIMIT ?3)"                  \
      " ORDER BY 1 LIMIT ?3")                                                                      \
    X(SCOPE_ONLY_OF,                                                                               \
      "DELETE FROM temp.scope WHERE ?1 <> 0 AND"                                                   \
      " (SELECT product_id FROM device d WHERE d.id = scope.id) IS NOT ?1")                        \
    X(SCOPE_ONLY_GONE,                                                                             \
      "DELETE FROM temp.scope WHERE EXISTS (SELECT 1 FROM snapshot_device n"                       \
      " WHERE n.snapshot_id = ?1 AND n.id = scope.id)")                                            \
    X(EACH_SCOPE, "SELECT id FROM temp.scope")                                                     \
    X(COUNT_UP_TO,                                                                                 \
      "SELECT count(*) FROM (SELECT 1 FROM device WHERE deleted = 0 LIMIT ?1)")                    \
    X(COUNT_UP_TO_OF,                                                                              \
      "SELECT count(*) FROM (SELECT 1 FROM device"                                                 \
      " WHERE product_id = ?1 AND deleted = 0 LIMIT ?2)")                                          \
    X(SCOPE_LASTING,                                                                               \
      "DELETE FROM temp.scope WHERE (SELECT temporary FROM device d WHERE d.id = scope.id)")       \
    X(SCOPE_SNAPSHOT_PRODUCTS,                                                                     \
      "INSERT OR IGNORE INTO temp.scope_product"                                                   \
      " SELECT id FROM snapshot_product WHERE snapshot_id = ?1")                                   \
    X(SCOPE_SNAPSHOT_DEVICES,                                                                      \
      "INSERT OR IGNORE INTO temp.scope SELECT id FROM snapshot_device n WHERE snapshot_id = ?1"   \
      " AND (product_id IN temp.scope_product"                                                     \
      " OR EXISTS (SELECT 1 FROM product p WHERE p.id = n.product_id AND p.deleted = 0))")         \
    X(COUNT_SCOPE, "SELECT count(*) FROM temp.scope")                                              \
    X(EACH_CHANGED, "SELECT id FROM temp.changed")                                                 \
                                                                                                   \
    X(RESET_DEVICES,                                                                               \
      "UPDATE device SET secret = seed_secret, old_secret = '', asset_id = seed_asset_id,"         \
      " fingerprint = seed_fingerprint, enabled = seed_enabled, state = 0, secret_issued = 0"      \
      " WHERE id IN temp.scope AND seed_secret IS NOT NULL AND NOT temporary AND"                  \
      " (secret, old_secret, asset_id, fingerprint, enabled, state, secret_issued) IS NOT"         \
      " (seed_secret, '', seed_asset_id, seed_fingerprint, seed_enabled, 0, 0)")                   \
    X(DELETE_TEMPORARY,                                                                            \
      "UPDATE device SET " SKY_DELETED " WHERE id IN temp.scope AND temporary")                    \
    X(RESET_SESSIONS, "DELETE FROM session WHERE device_id IN temp.scope")                         \
    X(RESET_TOKENS, "DELETE FROM token WHERE device_id IN temp.scope")                             \
    X(RESET_DOCUMENTS, "DELETE FROM document WHERE device_id IN temp.scope")                       \
    X(RESET_UNSEEDED_BINDINGS,                                                                     \
      "DELETE FROM topology WHERE NOT seeded"                                                      \
      " AND (gateway_id IN temp.scope OR device_id IN temp.scope)")                                \
    X(RESET_BINDINGS,                                                                              \
      "UPDATE topology SET bound = 1 WHERE NOT bound"                                              \
      " AND (gateway_id IN temp.scope OR device_id IN temp.scope)")                                \
    X(RESET_PRODUCT_DOCUMENTS,                                                                     \
      "UPDATE product_document SET body = ifnull(seed, x''), version = version + 1"                \
      " WHERE product_id IN temp.scope_product AND body IS NOT ifnull(seed, x'')")
/* clang-format on */

#endif
