/* The registry and everything else that outlives a run, in SQLite: the only door to it.
 * Knows keys, secrets and documents; knows no cloud (a cloud is a name here), no socket, no clock.
 * All calls are synchronous and take microseconds; strings returned are values.
 *
 * Every call that can fail returns SKY_ERR_STORE when the database itself refuses (disk full,
 * damaged file); sky_store_why() then says what it said. What one call does is done as a whole or
 * not at all. An `each` callback may read the store but neither write to it nor start the same
 * walk again. */
#ifndef SKY_STORE_STORE_H
#define SKY_STORE_STORE_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/facts.h"

enum {
    SKY_STORE_BLOB_MAX = 16 * 1024 * 1024, /* bytes of one document, page or note */
    SKY_STORE_NAME_MAX = 96,               /* characters of a document's or note's name */
    SKY_STORE_TOKENS_MAX = 16,             /* login tokens of one device: places for them */
    SKY_STORE_TOPIC_MAX = 65535,           /* bytes of a topic or filter: MQTT 3.1.1 §1.5.3 */
    SKY_STORE_PAYLOAD_MAX = 640 * 1024,    /* bytes of a message that waits for its device */
    SKY_STORE_TITLE_MAX = SKY_CLOUD_NAME_MAX + 2 * SKY_KEY_MAX + 2, /* "cloud/product/device" */
};

/* Versions and the journal's numbers end here: still exact in JSON (RFC 8259 §6), and what was read
 * can always be counted on from. */
#define SKY_STORE_NUMBER_MAX ((INT64_C(1) << 53) - 1)

struct sky_store;

/* Opens or creates; brings an older schema up to date (all in one transaction). ":memory:" works.
 * The file is held exclusively: one that another process has open is refused (BUSY). A file of a
 * newer version, or not ours, is refused (INVALID) and left untouched. The caller closes. */
SKY_MUST_USE sky_err sky_store_open(const char *path, struct sky_store **ret_store,
                                    struct sky_why *why);
/* NULL is fine; an open transaction is undone, an open batch is not. */
void sky_store_close(struct sky_store *store);

/* Writes between begin and commit land together or not at all. Nesting is not allowed. A commit
 * that fails has rolled back. When a write in between fails, the caller rolls back: the database
 * may have done so already, and takes no further writes until then. */
SKY_MUST_USE sky_err sky_store_begin(struct sky_store *store);
SKY_MUST_USE sky_err sky_store_commit(struct sky_store *store);
void sky_store_rollback(struct sky_store *store);

/* Writes after this, and reads too, are one transaction until the batch is settled: many small
 * writes cost what one does. Nothing happens when one is open already. Each write stands for itself
 * all the same: one that fails leaves the others. When the batch cannot be opened, writes are
 * durable one by one, as they are without it. */
void sky_store_batch(struct sky_store *store);
/* Makes what was written since durable; OK when no batch is open. On failure some of it is lost.
 * Beginning a transaction settles first; when that loses something, nothing can be begun until
 * whoever settles next has been told. */
SKY_MUST_USE sky_err sky_store_settle(struct sky_store *store);

/* Changes whenever a product, its topics or its rules do: whoever caches them compares. A device
 * that is added or changed leaves it as it is, since every first login changes one. */
uint64_t sky_store_generation(const struct sky_store *store);

/* Fills `why` with what the database said when a call last returned SKY_ERR_STORE; returns that. */
sky_err sky_store_why(const struct sky_store *store, struct sky_why *why);

/* ---- products ---- */

/* What the devices of a product are: "device", "gateway", "sub-device". */
const char *sky_node_name(enum sky_node node);

SKY_MUST_USE sky_err sky_store_find_product(struct sky_store *store, sky_span cloud, sky_span key,
                                            struct sky_product *ret_product);
SKY_MUST_USE sky_err sky_store_get_product(struct sky_store *store, int64_t id,
                                           struct sky_product *ret_product);
/* Creates, or replaces what has this cloud and key (topics, rules, devices stay). Sets the id. */
SKY_MUST_USE sky_err sky_store_put_product(struct sky_store *store, struct sky_product *product);
/* Its devices go too, as by sky_store_delete_device(). */
SKY_MUST_USE sky_err sky_store_delete_product(struct sky_store *store, int64_t id);
/* Replaces all of the product's own topics; `count` <= SKY_PRODUCT_TOPICS_MAX. */
SKY_MUST_USE sky_err sky_store_put_topics(struct sky_store *store, int64_t product_id,
                                          const struct sky_product_topic *topics, size_t count);
/* Writes at most SKY_PRODUCT_TOPICS_MAX rows. */
SKY_MUST_USE sky_err sky_store_get_topics(struct sky_store *store, int64_t product_id,
                                          struct sky_product_topic *ret_topics, size_t *ret_count);
/* Rule overrides of a product: lines "ID=action", each ended by a newline. */
SKY_MUST_USE sky_err sky_store_put_rules(struct sky_store *store, int64_t product_id,
                                         sky_span lines);
SKY_MUST_USE sky_err sky_store_get_rules(struct sky_store *store, int64_t product_id,
                                         struct sky_buf *ret_lines);

typedef bool sky_store_product_fn(void *ctx, const struct sky_product *product);
/* By cloud and key, until `each` returns false. */
SKY_MUST_USE sky_err sky_store_each_product(struct sky_store *store, sky_store_product_fn *each,
                                            void *ctx);
typedef bool sky_store_key_fn(void *ctx, sky_span key);
/* Keys of a cloud's products near `around` in the alphabet, at most `limit` on either side. */
SKY_MUST_USE sky_err sky_store_each_product_key(struct sky_store *store, sky_span cloud,
                                                sky_span around, size_t limit,
                                                sky_store_key_fn *each, void *ctx);

/* ---- devices ---- */

/* NOT_FOUND when the device is unknown; `*ret_product` is set even then if the product is known
 * (its id is 0 if not). */
SKY_MUST_USE sky_err sky_store_find_device(struct sky_store *store, sky_span cloud,
                                           sky_span product, sky_span device,
                                           struct sky_product *ret_product,
                                           struct sky_device *ret_device);
/* For clouds that write both keys as one word: the longest product key that is a prefix and has a
 * device named by the rest. NOT_FOUND if none has; `*ret_product` is then the longest prefix. */
SKY_MUST_USE sky_err sky_store_find_joined(struct sky_store *store, sky_span cloud, sky_span joined,
                                           struct sky_product *ret_product,
                                           struct sky_device *ret_device);
SKY_MUST_USE sky_err sky_store_get_device(struct sky_store *store, int64_t id,
                                          struct sky_product *ret_product,
                                          struct sky_device *ret_device);
/* By the SHA-256 of its certificate, lower hex; of several, the one registered first. */
SKY_MUST_USE sky_err sky_store_find_fingerprint(struct sky_store *store, sky_span fingerprint,
                                                struct sky_product *ret_product,
                                                struct sky_device *ret_device);
/* This is how it was made: a reset goes back to it. EXISTS when there is one with this key;
 * NOT_FOUND when there is no such product. Sets device->id. */
SKY_MUST_USE sky_err sky_store_add_device(struct sky_store *store, struct sky_device *device);
/* All fields of the device with device->id, except its product and key, which never change. */
SKY_MUST_USE sky_err sky_store_set_device(struct sky_store *store, const struct sky_device *device);
/* EXISTS when it is in this state already. */
SKY_MUST_USE sky_err sky_store_set_device_state(struct sky_store *store, int64_t id,
                                                enum sky_device_state state);
/* Secrets, documents, tokens and session go; sky_store_device_name() still knows its names. */
SKY_MUST_USE sky_err sky_store_delete_device(struct sky_store *store, int64_t id);
/* Back to how the fixtures had it when they were last loaded, or else to how it was made, and
 * inactive; bindings, too. Documents, tokens and session go; one that is temporary goes itself.
 * NOT_FOUND when there is no such device. */
SKY_MUST_USE sky_err sky_store_reset_device(struct sky_store *store, int64_t id);
/* All devices of the product, and its texts; 0: of all products. */
SKY_MUST_USE sky_err sky_store_reset_devices(struct sky_store *store, int64_t product_id);
typedef void sky_store_id_fn(void *ctx, int64_t device_id);
/* The same for the next `limit` devices behind the place of `*after_id`, which moves on; the texts
 * with the first, from 0 on. Tells which these are. NOT_FOUND: there were none any more. */
SKY_MUST_USE sky_err sky_store_reset_some(struct sky_store *store, int64_t product_id,
                                          int64_t *after_id, size_t limit, sky_store_id_fn *each,
                                          void *ctx);
bool sky_store_has_few_devices(struct sky_store *store, int64_t product_id, size_t few);
/* "cloud/product/device" of any device there ever was; `out_size` of SKY_STORE_TITLE_MAX + 1 always
 * suffices, in a smaller one the text may be cut. */
SKY_MUST_USE sky_err sky_store_device_name(struct sky_store *store, int64_t id, char *out,
                                           size_t out_size);

typedef bool sky_store_device_fn(void *ctx, const struct sky_product *product,
                                 const struct sky_device *device);
/* Calls `each` for every device, or those of one product (`product_id` 0: all), by product (in
 * order of creation) and key, from the one after `after_id`'s place on (0: from the start; a
 * deleted device still has its place), `limit` at the most, until it returns false. */
SKY_MUST_USE sky_err sky_store_each_device(struct sky_store *store, int64_t product_id,
                                           int64_t after_id, size_t limit,
                                           sky_store_device_fn *each, void *ctx);
/* As sky_store_each_product_key(): the keys of a product's devices. */
SKY_MUST_USE sky_err sky_store_each_device_key(struct sky_store *store, int64_t product_id,
                                               sky_span around, size_t limit,
                                               sky_store_key_fn *each, void *ctx);
size_t sky_store_count_devices(struct sky_store *store); /* 0 on failure too */

/* ---- documents: one JSON text per device and name ---- */

/* NOT_FOUND, with `*ret_body` untouched, if there is none. Appends to `ret_body`; LIMIT if it does
 * not fit there. */
SKY_MUST_USE sky_err sky_store_get_document(struct sky_store *store, int64_t device_id,
                                            sky_span name, struct sky_buf *ret_body,
                                            int64_t *ret_version);
SKY_MUST_USE sky_err sky_store_put_document(struct sky_store *store, int64_t device_id,
                                            sky_span name, sky_span body, int64_t version);
SKY_MUST_USE sky_err sky_store_delete_document(struct sky_store *store, int64_t device_id,
                                               sky_span name);
typedef bool sky_store_document_fn(void *ctx, sky_span name, sky_span body, int64_t version);
/* By name, until `each` returns false; the spans are valid during the call. */
SKY_MUST_USE sky_err sky_store_each_document(struct sky_store *store, int64_t device_id,
                                             sky_store_document_fn *each, void *ctx);

/* ---- login tokens ---- */

/* Creates, in place of the one with the same id, and of the device's that had this `place`, which
 * is below SKY_STORE_TOKENS_MAX. NOT_FOUND when there is no such device. */
SKY_MUST_USE sky_err sky_store_put_token(struct sky_store *store, size_t place,
                                         const struct sky_token *token);
/* The place of the device's token that lasts longest. NOT_FOUND when it has none. */
SKY_MUST_USE sky_err sky_store_newest_token(struct sky_store *store, int64_t device_id,
                                            size_t *ret_place);
SKY_MUST_USE sky_err sky_store_find_token(struct sky_store *store, sky_span id,
                                          struct sky_token *ret_token);

/* ---- MQTT sessions that outlive their connection ---- */

/* Creates or replaces. NOT_FOUND when there is no such device. What belongs to a session can be
 * kept once the session is, and goes with it. */
SKY_MUST_USE sky_err sky_store_put_session(struct sky_store *store,
                                           const struct sky_kept_session *session);
/* OK also when there is none. A device that is deleted or reset loses its session, too. */
SKY_MUST_USE sky_err sky_store_drop_session(struct sky_store *store, int64_t device_id);
typedef bool sky_store_session_fn(void *ctx, const struct sky_kept_session *session);
/* By device, until `each` returns false. */
SKY_MUST_USE sky_err sky_store_each_session(struct sky_store *store, sky_store_session_fn *each,
                                            void *ctx);

/* Creates or replaces; `qos` <= 2. NOT_FOUND when there is no such session; LIMIT when the filter
 * is longer than SKY_STORE_TOPIC_MAX. */
SKY_MUST_USE sky_err sky_store_put_subscription(struct sky_store *store, int64_t device_id,
                                                sky_span filter, uint8_t qos);
SKY_MUST_USE sky_err sky_store_delete_subscription(struct sky_store *store, int64_t device_id,
                                                   sky_span filter);
typedef bool sky_store_subscription_fn(void *ctx, int64_t device_id, sky_span filter, uint8_t qos);
/* Of all sessions, by device and filter, until `each` returns false. */
SKY_MUST_USE sky_err sky_store_each_subscription(struct sky_store *store,
                                                 sky_store_subscription_fn *each, void *ctx);

/* Behind those that the session has; sets message->id. NOT_FOUND when there is no such session;
 * LIMIT when the topic is longer than SKY_STORE_TOPIC_MAX or the payload than
 * SKY_STORE_PAYLOAD_MAX. */
SKY_MUST_USE sky_err sky_store_put_message(struct sky_store *store, int64_t device_id,
                                           struct sky_kept_message *message);
/* It was sent for the first time, under this id. */
SKY_MUST_USE sky_err sky_store_sent_message(struct sky_store *store, int64_t device_id, int64_t id,
                                            uint16_t packet_id);
SKY_MUST_USE sky_err sky_store_delete_message(struct sky_store *store, int64_t device_id,
                                              int64_t id);
typedef bool sky_store_message_fn(void *ctx, const struct sky_kept_message *message);
/* Of one session, the oldest first, until `each` returns false; the spans are valid during the
 * call. One that is damaged comes with an empty topic. */
SKY_MUST_USE sky_err sky_store_each_message(struct sky_store *store, int64_t device_id,
                                            sky_store_message_fn *each, void *ctx);

/* ---- notes: whatever else must outlive a run, by name ---- */

/* NOT_FOUND, with `*ret_value` untouched, if there is none. Appends; LIMIT if it does not fit. */
SKY_MUST_USE sky_err sky_store_get_note(struct sky_store *store, sky_span name,
                                        struct sky_buf *ret_value);
SKY_MUST_USE sky_err sky_store_put_note(struct sky_store *store, sky_span name, sky_span value);
SKY_MUST_USE sky_err sky_store_delete_note(struct sky_store *store, sky_span name);
/* Names that begin with `prefix`, in order, until `each` returns false. */
SKY_MUST_USE sky_err sky_store_each_note(struct sky_store *store, sky_span prefix,
                                         sky_store_key_fn *each, void *ctx);

#endif
