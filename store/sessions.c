/* MQTT sessions that outlive their connection, what they subscribed to, and what waits for them. */
#include "store/internal.h"

enum { QOS_MAX = 2 };

/* Borrowed until the next step; never empty (MQTT 3.1.1 §4.7.3). */
static sky_err read_topic(struct sky_store *store, sqlite3_stmt *stmt, int column,
                          sky_span *ret_topic)
{
    *ret_topic = sky_store__span(stmt, column);
    if (ret_topic->len > 0 && ret_topic->len <= SKY_STORE_TOPIC_MAX)
        return SKY_OK;
    return sky_store__damaged(store, "a topic is longer than any that is written, or empty");
}

/* ---- sessions ---- */

sky_err sky_store_put_session(struct sky_store *store, const struct sky_kept_session *session)
{
    return sky_store__change(store, SKY_SQL_PUT_SESSION,
                             SKY_ARGS(SKY_INT(session->device_id), SKY_INT(session->away_since_ms),
                                      SKY_INT(session->last_id)));
}

sky_err sky_store_drop_session(struct sky_store *store, int64_t device_id)
{
    return sky_store__run(store, SKY_SQL_DROP_SESSION, SKY_ARGS(SKY_INT(device_id)));
}

sky_err sky_store_each_session(struct sky_store *store, sky_store_session_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_EACH_SESSION, SKY_NO_ARGS);
    while (err == SKY_OK) {
        int64_t away_since_ms, last_id;
        err = sky_store__time(store, stmt, 1, &away_since_ms);
        if (err == SKY_OK)
            err = sky_store__number(store, stmt, 2, 0, UINT16_MAX, &last_id);
        if (err != SKY_OK)
            break;
        struct sky_kept_session session = {.device_id = sqlite3_column_int64(stmt, 0),
                                           .away_since_ms = away_since_ms,
                                           .last_id = (uint16_t)last_id};
        if (!each(ctx, &session))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

/* ---- subscriptions ---- */

sky_err sky_store_put_subscription(struct sky_store *store, int64_t device_id, sky_span filter,
                                   uint8_t qos)
{
    SKY_ASSERT(filter.len > 0 && qos <= QOS_MAX);
    if (filter.len > SKY_STORE_TOPIC_MAX)
        return SKY_ERR_LIMIT;
    return sky_store__change(store, SKY_SQL_PUT_SUBSCRIPTION,
                             SKY_ARGS(SKY_INT(device_id), SKY_TEXT(filter), SKY_INT(qos)));
}

sky_err sky_store_delete_subscription(struct sky_store *store, int64_t device_id, sky_span filter)
{
    return sky_store__change(store, SKY_SQL_DELETE_SUBSCRIPTION,
                             SKY_ARGS(SKY_INT(device_id), SKY_TEXT(filter)));
}

sky_err sky_store_each_subscription(struct sky_store *store, sky_store_subscription_fn *each,
                                    void *ctx)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_EACH_SUBSCRIPTION, SKY_NO_ARGS);
    while (err == SKY_OK) {
        sky_span filter;
        int64_t qos;
        err = read_topic(store, stmt, 1, &filter);
        if (err == SKY_OK)
            err = sky_store__number(store, stmt, 2, 0, QOS_MAX, &qos);
        if (err != SKY_OK || !each(ctx, sqlite3_column_int64(stmt, 0), filter, (uint8_t)qos))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

/* ---- messages ---- */

sky_err sky_store_put_message(struct sky_store *store, int64_t device_id,
                              struct sky_kept_message *message)
{
    SKY_ASSERT(message->topic.len > 0);
    if (message->topic.len > SKY_STORE_TOPIC_MAX || message->payload.len > SKY_STORE_PAYLOAD_MAX)
        return SKY_ERR_LIMIT;
    sky_err err =
        sky_store__change(store, SKY_SQL_PUT_MESSAGE,
                          SKY_ARGS(SKY_INT(device_id), SKY_INT(message->packet_id),
                                   SKY_INT(message->born_ms), SKY_INT((int64_t)message->tag),
                                   SKY_TEXT(message->topic), SKY_BYTES(message->payload)));
    if (err == SKY_OK)
        message->id = sqlite3_last_insert_rowid(store->db);
    return err;
}

sky_err sky_store_sent_message(struct sky_store *store, int64_t device_id, int64_t id,
                               uint16_t packet_id)
{
    return sky_store__change(store, SKY_SQL_SENT_MESSAGE,
                             SKY_ARGS(SKY_INT(device_id), SKY_INT(id), SKY_INT(packet_id)));
}

sky_err sky_store_delete_message(struct sky_store *store, int64_t device_id, int64_t id)
{
    return sky_store__change(store, SKY_SQL_DELETE_MESSAGE,
                             SKY_ARGS(SKY_INT(device_id), SKY_INT(id)));
}

static sky_err read_message(struct sky_store *store, sqlite3_stmt *stmt,
                            struct sky_kept_message *ret_message)
{
    int64_t packet_id;
    sky_err err = sky_store__number(store, stmt, 1, 0, UINT16_MAX, &packet_id);
    if (err == SKY_OK)
        err = sky_store__time(store, stmt, 2, &ret_message->born_ms);
    if (err == SKY_OK)
        err = read_topic(store, stmt, 4, &ret_message->topic);
    if (err != SKY_OK)
        return err;
    ret_message->id = sqlite3_column_int64(stmt, 0);
    ret_message->packet_id = (uint16_t)packet_id;
    ret_message->tag = (uint64_t)sqlite3_column_int64(stmt, 3);
    ret_message->payload = sky_store__span(stmt, 5);
    if (ret_message->payload.len > SKY_STORE_PAYLOAD_MAX)
        return sky_store__damaged(store, "a message is longer than any that is written");
    return SKY_OK;
}

sky_err sky_store_each_message(struct sky_store *store, int64_t device_id,
                               sky_store_message_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    struct sky_kept_message message;
    sky_err err =
        sky_store__first(store, &stmt, SKY_SQL_EACH_MESSAGE, SKY_ARGS(SKY_INT(device_id)));
    while (err == SKY_OK) {
        /* A damaged one must not stand before those behind it. */
        if (read_message(store, stmt, &message) != SKY_OK)
            message = (struct sky_kept_message){.id = sqlite3_column_int64(stmt, 0)};
        if (!each(ctx, &message))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}
