/* Every SQL statement of the store, as rows of an X-macro: the enumerator's tail and the text.
 * Each is prepared when first used and kept. Result columns that make up a product or a device
 * always come in the order of SKY_PRODUCT_COLUMNS and SKY_DEVICE_COLUMNS. */
#ifndef SKY_STORE_STATEMENTS_H
#define SKY_STORE_STATEMENTS_H

#include "store/statements_scope.h"
#include "store/statements_snapshots.h"
#include "store/statements_topology.h"

#define SKY_PRODUCT_COLUMNS                                                                        \
    "p.id, p.cloud, p.key, p.secret, p.dynamic_activation, p.require_certificate, p.https_auth, "  \
    "p.node"
#define SKY_DEVICE_COLUMNS                                                                         \
    "d.id, d.product_id, d.key, d.secret, d.old_secret, d.asset_id, d.fingerprint, d.state, "      \
    "d.enabled, d.secret_issued, d.temporary"
#define SKY_SEED_COLUMNS "d.seed_secret, d.seed_asset_id, d.seed_fingerprint, d.seed_enabled"

/* In order of the index device_by_key, from behind the place of a device that may be deleted. */
#define SKY_DEVICE_WALK                                                                            \
    "SELECT " SKY_PRODUCT_COLUMNS ", " SKY_DEVICE_COLUMNS                                          \
    " FROM device d JOIN product p ON p.id = d.product_id WHERE d.deleted = 0"

/* clang-format off */
#define SKY_GIVEN_4 "(?, ?, ?, ?, ?), (?, ?, ?, ?, ?), (?, ?, ?, ?, ?), (?, ?, ?, ?, ?)"
#define SKY_GIVEN_8 SKY_GIVEN_4 ", " SKY_GIVEN_4

#define SKY_STORE_STATEMENTS(X)                                                                    \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(SAVEPOINT, "SAVEPOINT whole")                                                                \
    X(RELEASE, "RELEASE whole")                                                                    \
                                                                                                   \
    X(FIND_PRODUCT,                                                                                \
      "SELECT " SKY_PRODUCT_COLUMNS " FROM product p"                                              \
      " WHERE p.cloud = ?1 AND p.key = ?2 AND p.deleted = 0")                                      \
    X(GET_PRODUCT,                                                                                 \
      "SELECT " SKY_PRODUCT_COLUMNS " FROM product p WHERE p.id = ?1 AND p.deleted = 0")           \
    X(FIND_PRODUCT_UP_TO,                                                                          \
      "SELECT " SKY_PRODUCT_COLUMNS " FROM product p"                                              \
      " WHERE p.cloud = ?1 AND p.key <= ?2 AND p.deleted = 0 ORDER BY p.key DESC LIMIT 1")         \
    X(EACH_PRODUCT,                                                                                \
      "SELECT " SKY_PRODUCT_COLUMNS " FROM product p WHERE p.deleted = 0"                          \
      " ORDER BY p.cloud, p.key")                                                                  \
    X(EACH_PRODUCT_KEY,                                                                            \
      "SELECT key FROM (SELECT key FROM product WHERE cloud = ?1 AND key >= ?2 AND deleted = 0"    \
      " ORDER BY key LIMIT ?3)"                                                                    \
      " UNION ALL SELECT key FROM (SELECT key FROM product"                                        \
      " WHERE cloud = ?1 AND key < ?2 AND deleted = 0 ORDER BY key DESC LIMIT ?3)")                \
    X(PUT_PRODUCT,                                                                                 \
      "INSERT INTO product (cloud, key, secret, dynamic_activation, require_certificate,"          \
      " https_auth, node) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"                                     \
      " ON CONFLICT (cloud, key) WHERE deleted = 0 DO UPDATE SET secret = excluded.secret,"        \
      " dynamic_activation = excluded.dynamic_activation,"                                         \
      " require_certificate = excluded.require_certificate, https_auth = excluded.https_auth,"     \
      " node = excluded.node"                                                                      \
      " RETURNING id")                                                                             \
    X(DELETE_PRODUCT,                                                                              \
      "UPDATE product SET deleted = 1, secret = '', rules = '' WHERE id = ?1 AND deleted = 0")     \
    X(GET_RULES, "SELECT rules FROM product WHERE id = ?1 AND deleted = 0")                        \
    X(PUT_RULES, "UPDATE product SET rules = ?2 WHERE id = ?1 AND deleted = 0")                    \
    X(DELETE_TOPICS, "DELETE FROM product_topic WHERE product_id = ?1")                            \
    X(ADD_TOPIC,                                                                                   \
      "INSERT INTO product_topic (product_id, place, pattern, pub, sub)"                           \
      " VALUES (?1, ?2, ?3, ?4, ?5)")                                                              \
    X(GET_TOPICS,                                                                                  \
      "SELECT pattern, pub, sub FROM product_topic WHERE product_id = ?1 ORDER BY place")          \
                                                                                                   \
    X(FIND_DEVICE,                                                                                 \
      "SELECT " SKY_PRODUCT_COLUMNS ", " SKY_DEVICE_COLUMNS                                        \
      " FROM product p LEFT JOIN device d"                                                         \
      " ON d.product_id = p.id AND d.key = ?3 AND d.deleted = 0"                                   \
      " WHERE p.cloud = ?1 AND p.key = ?2 AND p.deleted = 0")                                      \
    X(FIND_DEVICE_OF,                                                                              \
      "SELECT " SKY_DEVICE_COLUMNS ", " SKY_SEED_COLUMNS                                           \
      " FROM device d WHERE d.product_id = ?1 AND d.key = ?2 AND d.deleted = 0")                   \
    X(GET_DEVICE,                                                                                  \
      "SELECT " SKY_PRODUCT_COLUMNS ", " SKY_DEVICE_COLUMNS                                        \
      " FROM device d JOIN product p ON p.id = d.product_id WHERE d.id = ?1 AND d.deleted = 0")    \
    X(FIND_FINGERPRINT,                                                                            \
      "SELECT " SKY_PRODUCT_COLUMNS ", " SKY_DEVICE_COLUMNS                                        \
      " FROM device d JOIN product p ON p.id = d.product_id"                                       \
      " WHERE d.fingerprint = ?1 AND d.fingerprint <> '' AND d.deleted = 0"                        \
      " ORDER BY d.id LIMIT 1")                                                                    \
    X(DEVICE_NAME,                                                                                 \
      "SELECT p.cloud, p.key, d.key FROM device d JOIN product p ON p.id = d.product_id"           \
      " WHERE d.id = ?1")                                                                          \
    X(ADD_DEVICE, /* one row, not those of a SELECT: nothing to be undone but the row is kept */    \
      "INSERT INTO device (product_id, key, secret, old_secret, asset_id, fingerprint, state,"     \
      " enabled, secret_issued, temporary, seed_secret, seed_asset_id, seed_fingerprint,"          \
      " seed_enabled) VALUES ((SELECT id FROM product WHERE id = ?1 AND deleted = 0),"             \
      " ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?3, ?5, ?6, ?8)")                                     \
    X(ADD_DEVICES, /* SKY_DEVICES_AT_ONCE of them, of one product */                               \
      "WITH given (key, secret, asset_id, fingerprint, enabled) AS (VALUES " SKY_GIVEN_8           \
      ", " SKY_GIVEN_8 ") INSERT INTO device (product_id, key, secret, old_secret, asset_id,"      \
      " fingerprint, state, enabled, secret_issued, temporary, seed_secret, seed_asset_id,"        \
      " seed_fingerprint, seed_enabled) SELECT ?, key, secret, '', asset_id, fingerprint, 0,"      \
      " enabled, 0, 0, secret, asset_id, fingerprint, enabled FROM given")                         \
    X(SET_DEVICE,                                                                                  \
      "UPDATE device SET secret = ?2, old_secret = ?3, asset_id = ?4, fingerprint = ?5,"           \
      " state = ?6, enabled = ?7, secret_issued = ?8 WHERE id = ?1 AND deleted = 0")               \
    X(SET_DEVICE_STATE,                                                                            \
      "UPDATE device SET state = ?2 WHERE id = ?1 AND state <> ?2 AND deleted = 0")                \
    X(SET_SEED,                                                                                    \
      "UPDATE device SET seed_secret = ?2, seed_asset_id = ?3, seed_fingerprint = ?4,"             \
      " seed_enabled = ?5, temporary = 0 WHERE id = ?1 AND deleted = 0")                           \
    X(DELETE_DEVICE,                                                                               \
      "UPDATE device SET " SKY_DELETED " WHERE id = ?1 AND deleted = 0")                           \
    X(DELETE_DEVICES_OF,                                                                           \
      "UPDATE device SET " SKY_DELETED " WHERE product_id = ?1 AND deleted = 0")                   \
    X(EACH_DEVICE,                                                                                 \
      SKY_DEVICE_WALK                                                                              \
      " AND (d.product_id, d.key) > (ifnull((SELECT product_id FROM device WHERE id = ?1), 0),"    \
      " ifnull((SELECT key FROM device WHERE id = ?1), ''))"                                       \
      " ORDER BY d.product_id, d.key LIMIT ?2")                                                    \
    X(EACH_DEVICE_OF,                                                                              \
      SKY_DEVICE_WALK                                                                              \
      " AND d.product_id = ?1 AND d.key > ifnull((SELECT key FROM device WHERE id = ?2), '')"      \
      " ORDER BY d.key LIMIT ?3")                                                                  \
    X(EACH_DEVICE_KEY,                                                                             \
      "SELECT key FROM (SELECT key FROM device WHERE product_id = ?1 AND key >= ?2"                \
      " AND deleted = 0 ORDER BY key LIMIT ?3)"                                                    \
      " UNION ALL SELECT key FROM (SELECT key FROM device"                                         \
      " WHERE product_id = ?1 AND key < ?2 AND deleted = 0 ORDER BY key DESC LIMIT ?3)")           \
    X(COUNT_DEVICES, "SELECT count(*) FROM device WHERE deleted = 0")                              \
                                                                                                   \
    SKY_STORE_TOPOLOGY_STATEMENTS(X) \
    SKY_STORE_SCOPE_STATEMENTS(X) \
    SKY_STORE_SNAPSHOT_STATEMENTS(X) \
    X(GET_DOCUMENT, "SELECT body, version FROM document WHERE device_id = ?1 AND name = ?2")       \
    X(PUT_DOCUMENT,                                                                                \
      "INSERT INTO document (device_id, name, body, version)"                                      \
      " SELECT id, ?2, ?3, ?4 FROM device WHERE id = ?1 AND deleted = 0"                           \
      " ON CONFLICT (device_id, name) DO UPDATE SET body = excluded.body,"                         \
      " version = excluded.version")                                                               \
    X(DELETE_DOCUMENT, "DELETE FROM document WHERE device_id = ?1 AND name = ?2")                  \
    X(EACH_DOCUMENT,                                                                               \
      "SELECT name, body, version FROM document WHERE device_id = ?1 ORDER BY name")               \
    X(DROP_DOCUMENTS, "DELETE FROM document WHERE device_id = ?1")                                 \
    X(DROP_DOCUMENTS_OF,                                                                           \
      "DELETE FROM document WHERE device_id IN (SELECT id FROM device WHERE product_id = ?1 AND deleted = 0)")     \
                                                                                                   \
    X(PUT_TOKEN,                                                                                   \
      "INSERT OR REPLACE INTO token (device_id, place, id, token, expires_ms)"                     \
      " SELECT id, ?2, ?3, ?4, ?5 FROM device WHERE id = ?1 AND deleted = 0")                      \
    X(NEWEST_TOKEN,                                                                                \
      "SELECT place FROM token WHERE device_id = ?1 ORDER BY expires_ms DESC, place DESC LIMIT 1") \
    X(FIND_TOKEN, "SELECT id, token, device_id, expires_ms FROM token WHERE id = ?1")              \
    X(DROP_TOKENS, "DELETE FROM token WHERE device_id = ?1")                                       \
    X(DROP_TOKENS_OF,                                                                              \
      "DELETE FROM token WHERE device_id IN (SELECT id FROM device WHERE product_id = ?1 AND deleted = 0)")        \
                                                                                                   \
    X(PUT_SESSION,                                                                                 \
      "INSERT INTO session (device_id, away_since_ms, last_id)"                                    \
      " SELECT id, ?2, ?3 FROM device WHERE id = ?1 AND deleted = 0"                               \
      " ON CONFLICT (device_id) DO UPDATE SET away_since_ms = excluded.away_since_ms,"             \
      " last_id = excluded.last_id")                                                               \
    X(EACH_SESSION, "SELECT device_id, away_since_ms, last_id FROM session ORDER BY device_id")    \
    X(DROP_SESSION, "DELETE FROM session WHERE device_id = ?1")                                    \
    X(DROP_SESSIONS_OF,                                                                            \
      "DELETE FROM session WHERE device_id IN (SELECT id FROM device WHERE product_id = ?1 AND deleted = 0)")      \
    X(PUT_SUBSCRIPTION,                                                                            \
      "INSERT INTO subscription (device_id, filter, qos)"                                          \
      " SELECT device_id, ?2, ?3 FROM session WHERE device_id = ?1"                                \
      " ON CONFLICT (device_id, filter) DO UPDATE SET qos = excluded.qos")                         \
    X(DELETE_SUBSCRIPTION, "DELETE FROM subscription WHERE device_id = ?1 AND filter = ?2")        \
    X(EACH_SUBSCRIPTION,                                                                           \
      "SELECT device_id, filter, qos FROM subscription ORDER BY device_id, filter")                \
    X(PUT_MESSAGE,                                                                                 \
      "INSERT INTO message (device_id, packet_id, born_ms, tag, topic, payload)"                   \
      " SELECT device_id, ?2, ?3, ?4, ?5, ?6 FROM session WHERE device_id = ?1")                   \
    X(SENT_MESSAGE, "UPDATE message SET packet_id = ?3 WHERE id = ?2 AND device_id = ?1")          \
    X(DELETE_MESSAGE, "DELETE FROM message WHERE id = ?2 AND device_id = ?1")                      \
    X(EACH_MESSAGE,                                                                                \
      "SELECT id, packet_id, born_ms, tag, topic, payload FROM message"                         \
      " WHERE device_id = ?1 ORDER BY id")                                                         \
                                                                                                   \
    X(PUT_PAGE, "INSERT INTO page (last_seq, first_seq, bytes, sum) VALUES (?1, ?2, ?3, ?4)")      \
    X(GET_PAGE,                                                                                    \
      "SELECT first_seq, last_seq, bytes FROM page WHERE last_seq >= ?1"                           \
      " ORDER BY last_seq LIMIT 1")                                                                \
    X(NEXT_PAGE,                                                                                   \
      "SELECT first_seq, last_seq, bytes, sum FROM page WHERE last_seq > ?1"                       \
      " ORDER BY last_seq LIMIT 1")                                                                \
    X(DROP_PAGE, "DELETE FROM page WHERE last_seq = ?1")                                           \
    X(DROP_PAGES, "DELETE FROM page WHERE last_seq < ?1")                                          \
    X(PAGE_RANGE,                                                                                  \
      "SELECT ifnull((SELECT first_seq FROM page ORDER BY last_seq LIMIT 1), 0),"                  \
      " ifnull((SELECT max(last_seq) FROM page), 0)")                                              \
                                                                                                   \
    X(ADD_IMAGE,                                                                                   \
      "INSERT OR IGNORE INTO image (name, size, md5, sha256, pattern, created_ms)"                 \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                                          \
    X(SET_IMAGE, "UPDATE image SET size = ?2, md5 = ?3, sha256 = ?4 WHERE id = ?1")                \
    X(FIND_IMAGE,                                                                                  \
      "SELECT id, name, size, md5, sha256, pattern, created_ms FROM image WHERE name = ?1")        \
    X(EACH_IMAGE,                                                                                  \
      "SELECT id, name, size, md5, sha256, pattern, created_ms FROM image ORDER BY id")            \
    X(COUNT_IMAGES,                                                                                \
      "SELECT count(*), ifnull(sum(iif(pattern = 0, size, 0)), 0) FROM image")                     \
    X(DROP_IMAGE, "DELETE FROM image WHERE id = ?1")                                               \
    X(PUT_PIECE,                                                                                   \
      "INSERT OR REPLACE INTO image_piece (image_id, place, bytes)"                                \
      " SELECT id, ?2, ?3 FROM image WHERE id = ?1")                                               \
    X(GET_PIECE, "SELECT bytes FROM image_piece WHERE image_id = ?1 AND place = ?2")               \
    X(DROP_PIECES,                                                                                 \
      "DELETE FROM image_piece WHERE image_id = ?1 AND place IN"                                   \
      " (SELECT place FROM image_piece WHERE image_id = ?1 LIMIT ?2)")                             \
    X(EACH_DOCUMENT_CALLED,                                                                        \
      "SELECT device_id, body, version FROM document WHERE name = ?1 ORDER BY device_id")          \
                                                                                                   \
    X(GET_NOTE, "SELECT value FROM note WHERE name = ?1")                                          \
    X(PUT_NOTE, "INSERT OR REPLACE INTO note (name, value) VALUES (?1, ?2)")                       \
    X(DELETE_NOTE, "DELETE FROM note WHERE name = ?1")                                             \
    X(EACH_NOTE,                                                                                   \
      "SELECT name FROM note WHERE name >= ?1 AND substr(name, 1, length(?1)) = ?1"                \
      " ORDER BY name")
/* clang-format on */

#endif
