/* The statements of snapshots, as in statements.h. Whom they speak of stands in the tables that
 * statements_scope.h has. */
#ifndef SKY_STORE_STATEMENTS_SNAPSHOTS_H
#define SKY_STORE_STATEMENTS_SNAPSHOTS_H

/* The same columns of two tables. */
#define SKY_SNAPSHOT_PRODUCT                                                                       \
    "id, cloud, key, secret, dynamic_activation, require_certificate, https_auth, rules, node"
#define SKY_SNAPSHOT_DEVICE                                                                        \
    "id, product_id, key, secret, old_secret, asset_id, fingerprint, state, enabled, "             \
    "secret_issued, seed_secret, seed_asset_id, seed_fingerprint, seed_enabled"
#define SKY_SNAPSHOT_DEVICE_OF(t)                                                                  \
    t ".id, " t ".secret, " t ".old_secret, " t ".asset_id, " t ".fingerprint, " t ".state, " t    \
      ".enabled, " t ".secret_issued, " t ".seed_secret, " t ".seed_asset_id, " t                  \
      ".seed_fingerprint, " t ".seed_enabled"

/* Devices in scope that have a row `a` of one table which the other, `b`, has not likewise. */
#define SKY_SNAPSHOT_DIFFERS(key, a, b, same)                                                      \
    "INSERT OR IGNORE INTO temp.changed SELECT s.id FROM temp.scope s CROSS JOIN " a " ON a." key  \
    " = s.id WHERE NOT EXISTS (SELECT 1 FROM " b " AND " same ")"
#define SKY_SNAPSHOT_AND(table) "snapshot_" table " a ON a.snapshot_id = ?1 AND "

/* clang-format off */
#define SKY_STORE_SNAPSHOT_STATEMENTS(X)                                                           \
    X(ADD_SNAPSHOT,                                                                                \
      "INSERT INTO snapshot (name, product, created_ms, now_ms, lived_ms, frozen, devices, bytes," \
      " faults) VALUES (?1, ?2, ?3, ?4, ?5, ?6, -1, 0, ?7)")                                       \
    X(SET_SNAPSHOT, "UPDATE snapshot SET devices = ?2, bytes = ?3 WHERE id = ?1")                  \
    X(COUNT_SNAPSHOTS,                                                                             \
      "SELECT count(*), ifnull(sum(bytes), 0) FROM snapshot"                                       \
      " WHERE name <> '' AND devices >= 0")                                                        \
    X(FIND_SNAPSHOT,                                                                               \
      "SELECT id, name, product, created_ms, now_ms, lived_ms, frozen, devices, bytes"             \
      " FROM snapshot WHERE name = ?1 AND product = ?2 AND devices >= 0")                          \
    X(EACH_SNAPSHOT,                                                                               \
      "SELECT id, name, product, created_ms, now_ms, lived_ms, frozen, devices, bytes"             \
      " FROM snapshot WHERE name <> '' AND devices >= 0 ORDER BY id")                              \
    X(LEFT_SNAPSHOT,                                                                               \
      "SELECT id, name, product, created_ms, now_ms, lived_ms, frozen, devices, bytes"             \
      " FROM snapshot WHERE name = '' AND devices >= 0 LIMIT 1")                                   \
    X(SNAPSHOT_ACTIVATED,                                                                          \
      "UPDATE snapshot_device AS n SET state = d.state, secret_issued = d.secret_issued,"          \
      " secret = CASE WHEN d.secret_issued THEN d.secret ELSE n.secret END,"                       \
      " old_secret = CASE WHEN d.secret_issued THEN d.old_secret ELSE n.old_secret END"            \
      " FROM device d WHERE n.snapshot_id = ?1 AND d.id = n.id AND d.deleted = 0"                  \
      " AND (d.secret_issued OR (?2 AND NOT n.secret_issued))")                                    \
    X(HIDE_SNAPSHOT, "UPDATE snapshot SET devices = -1 WHERE id = ?1")                             \
    X(HIDDEN_SNAPSHOT, "SELECT id FROM snapshot WHERE devices < 0 LIMIT 1")                        \
    X(CUT_SNAPSHOT_DEVICES,                                                                        \
      "DELETE FROM snapshot_device WHERE snapshot_id = ?1 AND id IN"                               \
      " (SELECT id FROM snapshot_device WHERE snapshot_id = ?1 LIMIT ?2)")                         \
    X(CUT_SNAPSHOT_DOCUMENTS,                                                                      \
      "DELETE FROM snapshot_document WHERE rowid IN"                                               \
      " (SELECT rowid FROM snapshot_document WHERE snapshot_id = ?1 LIMIT ?2)")                    \
    X(CUT_SNAPSHOT_TOKENS,                                                                         \
      "DELETE FROM snapshot_token WHERE snapshot_id = ?1 AND device_id IN"                         \
      " (SELECT device_id FROM snapshot_token WHERE snapshot_id = ?1 LIMIT ?2)")                   \
    X(CUT_SNAPSHOT_TOPOLOGY,                                                                       \
      "DELETE FROM snapshot_topology WHERE (snapshot_id, gateway_id, device_id) IN"                \
      " (SELECT snapshot_id, gateway_id, device_id FROM snapshot_topology"                         \
      " WHERE snapshot_id = ?1 LIMIT ?2)")                                                         \
    X(CUT_SNAPSHOT_SESSIONS,                                                                       \
      "DELETE FROM snapshot_session WHERE rowid IN"                                                \
      " (SELECT rowid FROM snapshot_session WHERE snapshot_id = ?1 LIMIT ?2)")                     \
    X(DROP_SNAPSHOT, "DELETE FROM snapshot WHERE id = ?1")                                         \
    X(GET_SNAPSHOT_FAULTS, "SELECT faults FROM snapshot WHERE id = ?1")                            \
    X(FIND_SNAPSHOT_DOCUMENT,                                                                      \
      "SELECT 1 FROM snapshot s CROSS JOIN snapshot_document d ON d.snapshot_id = s.id"            \
      " WHERE d.device_id = ?1 AND d.name = ?2 AND instr(d.body, ?3) > 0 LIMIT 1")                 \
    X(PUT_SNAPSHOT_SESSION,                                                                        \
      "INSERT INTO snapshot_session (snapshot_id, device_id, state)"                               \
      " SELECT snapshot_id, id, ?3 FROM snapshot_device WHERE snapshot_id = ?1 AND id = ?2")       \
    X(GET_SNAPSHOT_SESSION,                                                                        \
      "SELECT state FROM snapshot_session WHERE snapshot_id = ?1 AND device_id = ?2")              \
    X(EACH_SNAPSHOT_SESSION, "SELECT device_id FROM snapshot_session WHERE snapshot_id = ?1")      \
    X(SUM_SCOPE,                                                                                   \
      "SELECT ifnull(sum(length(d.body)), 0)"                                                      \
      " FROM temp.scope s CROSS JOIN document d ON d.device_id = s.id")                            \
    X(SUM_SCOPE_PRODUCTS,                                                                          \
      "SELECT ifnull(sum(length(d.body) + ifnull(length(d.seed), 0)), 0)"                          \
      " FROM temp.scope_product s CROSS JOIN product_document d ON d.product_id = s.id")           \
    X(SNAPSHOT_PRODUCT, "SELECT id FROM snapshot_product WHERE snapshot_id = ?1")                  \
                                                                                                   \
    X(COPY_PRODUCTS,                                                                               \
      "INSERT INTO snapshot_product SELECT ?1, " SKY_SNAPSHOT_PRODUCT                              \
      " FROM product WHERE id IN temp.scope_product")                                              \
    X(COPY_PRODUCT_TOPICS,                                                                         \
      "INSERT INTO snapshot_product_topic SELECT ?1, product_id, place, pattern, pub, sub"         \
      " FROM product_topic WHERE product_id IN temp.scope_product")                                \
    X(COPY_PRODUCT_DOCUMENTS,                                                                      \
      "INSERT INTO snapshot_product_document SELECT ?1, product_id, name, body, version, seed"     \
      " FROM product_document WHERE product_id IN temp.scope_product")                             \
    X(COPY_DEVICES,                                                                                \
      "INSERT INTO snapshot_device SELECT ?1, " SKY_SNAPSHOT_DEVICE                                \
      " FROM device WHERE id IN temp.scope")                                                       \
    X(COPY_DOCUMENTS,                                                                              \
      "INSERT INTO snapshot_document SELECT ?1, device_id, name, body, version"                    \
      " FROM document WHERE device_id IN temp.scope")                                              \
    X(COPY_TOKENS,                                                                                 \
      "INSERT INTO snapshot_token SELECT ?1, device_id, place, id, token, expires_ms"              \
      " FROM token WHERE device_id IN temp.scope")                                                 \
    X(COPY_TOPOLOGY,                                                                               \
      "INSERT INTO snapshot_topology SELECT ?1, id, gateway_id, device_id, bound, seeded"          \
      " FROM topology WHERE gateway_id IN temp.scope")                                             \
                                                                                                   \
    X(DIFFER_GONE, "INSERT INTO temp.changed SELECT id FROM temp.scope")                           \
    X(DIFFER_DEVICES,                                                                              \
      "INSERT OR IGNORE INTO temp.changed SELECT s.id FROM temp.scope s"                           \
      " LEFT JOIN device a ON a.id = s.id AND a.deleted = 0"                                       \
      " LEFT JOIN snapshot_device b ON b.snapshot_id = ?1 AND b.id = s.id"                         \
      " WHERE (" SKY_SNAPSHOT_DEVICE_OF("a") ") IS NOT (" SKY_SNAPSHOT_DEVICE_OF("b") ")")         \
    X(DIFFER_DOCUMENTS,                                                                            \
      SKY_SNAPSHOT_DIFFERS("device_id", "document a",                                              \
        "snapshot_document b WHERE b.snapshot_id = ?1 AND b.device_id = a.device_id",              \
        "b.name = a.name AND b.version = a.version AND b.body = a.body"))                          \
    X(DIFFER_DOCUMENTS_GONE,                                                                       \
      SKY_SNAPSHOT_DIFFERS("snapshot_id = ?1 AND a.device_id", "snapshot_document a",              \
        "document b WHERE b.device_id = a.device_id", "b.name = a.name"))                          \
    X(DIFFER_TOKENS,                                                                               \
      SKY_SNAPSHOT_DIFFERS("device_id", "token a",                                                 \
        "snapshot_token b WHERE b.snapshot_id = ?1 AND b.device_id = a.device_id",                 \
        "b.place = a.place AND b.id = a.id AND b.token = a.token"                                  \
        " AND b.expires_ms = a.expires_ms"))                                                       \
    X(DIFFER_TOKENS_GONE,                                                                          \
      SKY_SNAPSHOT_DIFFERS("snapshot_id = ?1 AND a.device_id", "snapshot_token a",                 \
        "token b WHERE b.device_id = a.device_id", "b.place = a.place"))                           \
    X(DIFFER_TOPOLOGY,                                                                             \
      SKY_SNAPSHOT_DIFFERS("gateway_id", "topology a",                                             \
        "snapshot_topology b WHERE b.snapshot_id = ?1 AND b.gateway_id = a.gateway_id",            \
        "b.device_id = a.device_id AND b.bound = a.bound AND b.seeded = a.seeded"))                \
    X(DIFFER_TOPOLOGY_GONE,                                                                        \
      SKY_SNAPSHOT_DIFFERS("snapshot_id = ?1 AND a.gateway_id", "snapshot_topology a",             \
        "topology b WHERE b.gateway_id = a.gateway_id", "b.device_id = a.device_id"))              \
    X(DIFFER_BEHIND,                                                                               \
      "INSERT OR IGNORE INTO temp.changed SELECT a.device_id FROM temp.changed c"                  \
      " CROSS JOIN topology a ON a.gateway_id = c.id AND a.bound"                                  \
      " WHERE (?2 = 0 OR (SELECT product_id FROM device d WHERE d.id = a.device_id) = ?2)"         \
      " AND NOT EXISTS (SELECT 1 FROM snapshot_topology b"                                         \
      " WHERE b.snapshot_id = ?1 AND b.gateway_id = a.gateway_id AND b.device_id = a.device_id"    \
      " AND b.bound)")                                                                             \
                                                                                                   \
    X(BACK_DROP_PRODUCTS,                                                                          \
      "UPDATE product SET deleted = 1, secret = '', rules = '' WHERE id IN temp.scope_product"     \
      " AND deleted = 0"                                                                           \
      " AND id NOT IN (SELECT id FROM snapshot_product WHERE snapshot_id = ?1)")                   \
    X(BACK_PRODUCTS,                                                                               \
      "UPDATE product SET deleted = 0, secret = n.secret,"                                         \
      " dynamic_activation = n.dynamic_activation,"                                                \
      " require_certificate = n.require_certificate, https_auth = n.https_auth, rules = n.rules,"  \
      " node = n.node FROM snapshot_product n WHERE n.snapshot_id = ?1 AND n.id = product.id AND"  \
      " (product.deleted, product.secret, product.dynamic_activation,"                             \
      " product.require_certificate, product.https_auth, product.rules, product.node) IS NOT"      \
      " (0, n.secret, n.dynamic_activation, n.require_certificate, n.https_auth, n.rules, n.node)")\
    X(BACK_DROP_PRODUCT_TOPICS,                                                                    \
      "DELETE FROM product_topic AS a WHERE product_id IN temp.scope_product AND NOT EXISTS"       \
      " (SELECT 1 FROM snapshot_product_topic b WHERE b.snapshot_id = ?1"                          \
      " AND b.product_id = a.product_id AND b.place = a.place AND b.pattern = a.pattern"           \
      " AND b.pub = a.pub AND b.sub = a.sub)")                                                     \
    X(BACK_PRODUCT_TOPICS,                                                                         \
      "INSERT OR IGNORE INTO product_topic SELECT product_id, place, pattern, pub, sub"            \
      " FROM snapshot_product_topic WHERE snapshot_id = ?1")                                       \
    X(BACK_DROP_PRODUCT_DOCUMENTS,                                                                 \
      "DELETE FROM product_document AS a WHERE product_id IN temp.scope_product AND NOT EXISTS"    \
      " (SELECT 1 FROM snapshot_product_document b WHERE b.snapshot_id = ?1"                       \
      " AND b.product_id = a.product_id AND b.name = a.name AND b.version = a.version"             \
      " AND b.body = a.body AND b.seed IS a.seed)")                                                \
    X(BACK_PRODUCT_DOCUMENTS,                                                                      \
      "INSERT OR IGNORE INTO product_document SELECT product_id, name, body, version, seed"        \
      " FROM snapshot_product_document WHERE snapshot_id = ?1")                                    \
                                                                                                   \
    X(BACK_DROP_DEVICES,                                                                           \
      "UPDATE device SET " SKY_DELETED " WHERE id IN temp.changed AND deleted = 0"                 \
      " AND NOT EXISTS (SELECT 1 FROM snapshot_device n"                                           \
      " WHERE n.snapshot_id = ?1 AND n.id = device.id)")                                           \
    X(BACK_DEVICES,                                                                                \
      "UPDATE device SET deleted = 0, secret = n.secret,"                                          \
      " old_secret = n.old_secret, asset_id = n.asset_id, fingerprint = n.fingerprint,"            \
      " state = n.state, enabled = n.enabled, secret_issued = n.secret_issued,"                    \
      " seed_secret = n.seed_secret, seed_asset_id = n.seed_asset_id,"                             \
      " seed_fingerprint = n.seed_fingerprint, seed_enabled = n.seed_enabled"                      \
      " FROM snapshot_device n"                                                                    \
      " WHERE n.snapshot_id = ?1 AND n.id = device.id AND device.id IN temp.changed")              \
    X(BACK_DROP_DOCUMENTS, "DELETE FROM document WHERE device_id IN temp.changed")                 \
    X(BACK_DOCUMENTS,                                                                              \
      "INSERT INTO document SELECT device_id, name, body, version FROM snapshot_document"          \
      " WHERE snapshot_id = ?1 AND device_id IN temp.changed")                                     \
    X(BACK_DROP_TOKENS, "DELETE FROM token WHERE device_id IN temp.changed")                       \
    X(BACK_TOKENS,                                                                                 \
      "INSERT OR REPLACE INTO token SELECT device_id, place, id, token, expires_ms"                \
      " FROM snapshot_token WHERE snapshot_id = ?1 AND device_id IN temp.changed")                 \
    X(BACK_DROP_TOPOLOGY, "DELETE FROM topology WHERE gateway_id IN temp.changed")                 \
    X(BACK_TOPOLOGY,                                                                               \
      "INSERT INTO topology (gateway_id, device_id, bound, seeded)"                                \
      " SELECT n.gateway_id, n.device_id, n.bound, n.seeded FROM snapshot_topology n"              \
      " JOIN device d ON d.id = n.device_id AND d.deleted = 0"                                     \
      " WHERE n.snapshot_id = ?1 AND n.gateway_id IN temp.changed ORDER BY n.id")                  \
/* clang-format on */

#endif
