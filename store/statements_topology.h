/* The statements of gateways and of texts of products, as in statements.h. `seeded` is 2 while a
 * load has yet to say whether the fixtures still name the binding. */
#ifndef SKY_STORE_STATEMENTS_TOPOLOGY_H
#define SKY_STORE_STATEMENTS_TOPOLOGY_H

/* clang-format off */
#define SKY_STORE_TOPOLOGY_STATEMENTS(X)                                                           \
    X(GET_PRODUCT_DOCUMENT,                                                                        \
      "SELECT body, version FROM product_document"                                                 \
      " WHERE product_id = ?1 AND name = ?2 AND length(body) > 0")                                 \
    X(PUT_PRODUCT_DOCUMENT,                                                                        \
      "INSERT INTO product_document (product_id, name, body, version)"                             \
      " SELECT id, ?2, ?3, 1 FROM product WHERE id = ?1 AND deleted = 0"                           \
      " ON CONFLICT (product_id, name) DO UPDATE SET body = excluded.body, version = version + 1") \
    X(SEED_PRODUCT_DOCUMENT,                                                                       \
      "INSERT INTO product_document (product_id, name, body, version, seed)"                       \
      " SELECT id, ?2, ?3, 1, ?3 FROM product WHERE id = ?1 AND deleted = 0"                       \
      " ON CONFLICT (product_id, name) DO UPDATE SET body = excluded.body, seed = excluded.seed,"  \
      " version = version + 1 WHERE seed IS NOT excluded.seed")                                    \
    X(UNSEED_PRODUCT_DOCUMENT,                                                                     \
      "UPDATE product_document SET body = x'', seed = NULL, version = version + 1"                 \
      " WHERE product_id = ?1 AND name = ?2 AND seed IS NOT NULL")                                 \
    X(DROP_PRODUCT_DOCUMENTS, "DELETE FROM product_document WHERE product_id = ?1")                \
                                                                                                   \
    X(BIND,                                                                                        \
      "INSERT INTO topology (gateway_id, device_id, bound, seeded) VALUES (?1, ?2, 1, 0)"          \
      " ON CONFLICT (gateway_id, device_id) DO UPDATE SET bound = 1")                              \
    X(DOUBT_BINDINGS, "UPDATE topology SET seeded = 2 WHERE gateway_id = ?1 AND seeded")           \
    X(KEEP_BINDING,                                                                                \
      "UPDATE topology SET seeded = 1 WHERE gateway_id = ?1 AND device_id = ?2 AND seeded")        \
    X(SEED_BINDING,                                                                                \
      "INSERT INTO topology (gateway_id, device_id, bound, seeded) VALUES (?1, ?2, 1, 1)"          \
      " ON CONFLICT (gateway_id, device_id) DO UPDATE SET bound = 1, seeded = 1")                  \
    X(FIND_SEEDED_ELSEWHERE,                                                                       \
      "SELECT 1 FROM topology WHERE device_id = ?2 AND gateway_id <> ?1 AND seeded")               \
    X(DROP_ELSEWHERE, "DELETE FROM topology WHERE device_id = ?2 AND gateway_id <> ?1")            \
    X(DROP_DOUBTED, "DELETE FROM topology WHERE gateway_id = ?1 AND seeded = 2")                   \
    X(UNBIND, "UPDATE topology SET bound = 0 WHERE gateway_id = ?1 AND device_id = ?2 AND bound")  \
    X(SWEEP_BINDINGS, "DELETE FROM topology WHERE gateway_id = ?1 AND NOT bound AND NOT seeded")   \
    X(FIND_BINDING,                                                                                \
      "SELECT 1 FROM topology WHERE gateway_id = ?1 AND device_id = ?2 AND bound")                 \
    X(GATEWAYS_OF,                                                                                 \
      "SELECT " SKY_PRODUCT_COLUMNS ", " SKY_DEVICE_COLUMNS " FROM topology t"                     \
      " JOIN device d ON d.id = t.gateway_id JOIN product p ON p.id = d.product_id"                \
      " WHERE t.device_id = ?1 AND t.bound AND d.deleted = 0 ORDER BY t.id")                       \
    X(DEVICES_BEHIND,                                                                              \
      "SELECT " SKY_PRODUCT_COLUMNS ", " SKY_DEVICE_COLUMNS " FROM topology t"                     \
      " JOIN device d ON d.id = t.device_id JOIN product p ON p.id = d.product_id"                 \
      " WHERE t.gateway_id = ?1 AND t.bound AND d.deleted = 0 ORDER BY t.id LIMIT ?2")             \
    X(COUNT_BEHIND, "SELECT count(*) FROM topology WHERE gateway_id = ?1 AND bound")               \
    X(DROP_BINDINGS, "DELETE FROM topology WHERE gateway_id = ?1 OR device_id = ?1")               \
    X(DROP_BINDINGS_OF,                                                                            \
      "DELETE FROM topology WHERE gateway_id IN (SELECT id FROM device WHERE product_id = ?1 AND deleted = 0)"     \
      " OR device_id IN (SELECT id FROM device WHERE product_id = ?1 AND deleted = 0)")                            \
/* clang-format on */

#endif
