#include "server/broker/kept.h"

#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"
#include "protocol/mqtt/topic.h"

/* The store has packet ids written ahead, so that a message costs no write of the session. */
enum { IDS_AHEAD = 64 };

static struct sky_store *store_of(const struct sky_broker *broker)
{
    sky_store_batch(broker->registry->store);
    return broker->registry->store;
}

/* What could not be kept is told: the device was promised it. */
static void check(const struct sky_broker *broker, const struct sky_session *session, sky_err err,
                  const char *what)
{
    if (err == SKY_OK)
        return;
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, SKY_SPAN("session-not-kept")),
                                     SKY_ATTR(DETAIL, sky_span_str(what)),
                                     SKY_ATTR(REASON, sky_span_str(sky_err_text(err)))};
    const struct sky_event_head head = {
        .type = SKY_EVENT_NOTE, .direction = SKY_INSIDE, .device_id = session->device_id};
    sky_journal_add(broker->registry->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

static void put_session(struct sky_broker *broker, const struct sky_session *session,
                        int64_t away_since_ms)
{
    const struct sky_kept_session kept = {.device_id = session->device_id,
                                          .away_since_ms = away_since_ms,
                                          .last_id = session->mqtt.last_id | (IDS_AHEAD - 1)};
    check(broker, session, sky_store_put_session(store_of(broker), &kept), "the session");
}

/* ---- messages ---- */

static struct sky_broker *broker_of(const struct sky_mqtt_keeper *keeper)
{
    return SKY_CONTAINER_OF(keeper, struct sky_broker, keeper);
}

static struct sky_session *session_of(struct sky_mqtt_session *mqtt)
{
    return SKY_CONTAINER_OF(mqtt, struct sky_session, mqtt);
}

static int64_t put_message(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *mqtt,
                           const struct sky_mqtt_msg *msg)
{
    struct sky_broker *broker = broker_of(keeper);
    const struct sky_session *session = session_of(mqtt);
    struct sky_kept_message message = {.born_ms = msg->born_ms,
                                       .tag = msg->tag,
                                       .topic = sky_mqtt_msg_topic(msg),
                                       .payload = sky_mqtt_msg_payload(msg)};
    sky_err err = sky_store_put_message(store_of(broker), session->device_id, &message);
    check(broker, session, err, "a message");
    return err == SKY_OK ? message.id : 0;
}

static void sent_message(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *mqtt,
                         int64_t kept, uint16_t packet_id)
{
    struct sky_broker *broker = broker_of(keeper);
    const struct sky_session *session = session_of(mqtt);
    if (packet_id % IDS_AHEAD == 0)
        put_session(broker, session, 0);
    check(broker, session,
          sky_store_sent_message(store_of(broker), session->device_id, kept, packet_id),
          "the id of a message");
}

static void gone_message(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *mqtt,
                         int64_t kept)
{
    struct sky_broker *broker = broker_of(keeper);
    const struct sky_session *session = session_of(mqtt);
    check(broker, session, sky_store_delete_message(store_of(broker), session->device_id, kept),
          "the end of a message");
}

void sky_kept_put_back(struct sky_session *session, struct sky_mqtt_msg *msg, uint16_t packet_id)
{
    const struct sky_mqtt_keeper *keeper = session->mqtt.keeper;
    int64_t kept = keeper != NULL ? put_message(keeper, &session->mqtt, msg) : 0;
    if (kept != 0 && packet_id != 0)
        sent_message(keeper, &session->mqtt, kept, packet_id);
    sky_mqtt_session_restore(&session->mqtt, msg, packet_id, kept);
}

/* Whose messages are read. */
struct reading {
    struct sky_broker *broker;
    struct sky_session *session;
};

/* A file may have been changed by hand: what no packet can carry is left out, and told. */
static bool read_message(void *ctx, const struct sky_kept_message *kept)
{
    const struct reading *reading = ctx;
    if (sky_topic_valid_name(kept->topic) && sky_utf8_valid(kept->topic) == kept->topic.len &&
        sky_mqtt_publish_fits(kept->topic, kept->payload, 1))
        sky_mqtt_session_restore(&reading->session->mqtt,
                                 sky_mqtt_msg_new(kept->topic, kept->payload, kept->born_ms,
                                                  kept->tag, &reading->broker->message_bytes),
                                 kept->packet_id, kept->id);
    else
        check(reading->broker, reading->session, SKY_ERR_INVALID, "a message");
    return true;
}

void sky_kept_read(struct sky_broker *broker, struct sky_session *session)
{
    if (!session->unread)
        return;
    session->unread = false;
    struct reading reading = {broker, session};
    check(
        broker, session,
        sky_store_each_message(broker->registry->store, session->device_id, read_message, &reading),
        "the messages that waited");
}

/* ---- sessions ---- */

void sky_kept_begin(struct sky_broker *broker, struct sky_session *session)
{
    if (broker->keeper.put == NULL)
        return;
    session->mqtt.keeper = &broker->keeper;
    put_session(broker, session, 0);
}

void sky_kept_away(struct sky_broker *broker, struct sky_session *session)
{
    const struct sky_clock *clock = broker->registry->clock;
    if (session->mqtt.keeper != NULL)
        put_session(broker, session,
                    clock->real_ms - (sky_clock_lived_ms(clock) - session->away_since_ms));
}

void sky_kept_subscribed(struct sky_broker *broker, struct sky_session *session, sky_span filter,
                         uint8_t qos)
{
    if (session->mqtt.keeper != NULL)
        check(broker, session,
              sky_store_put_subscription(store_of(broker), session->device_id, filter, qos),
              "a subscription");
}

void sky_kept_unsubscribed(struct sky_broker *broker, struct sky_session *session, sky_span filter)
{
    if (session->mqtt.keeper != NULL)
        check(broker, session,
              sky_store_delete_subscription(store_of(broker), session->device_id, filter),
              "the end of a subscription");
}

void sky_kept_drop(struct sky_broker *broker, struct sky_session *session)
{
    if (session->mqtt.keeper == NULL)
        return;
    session->mqtt.keeper = NULL;
    session->unread = false;
    check(broker, session, sky_store_drop_session(store_of(broker), session->device_id),
          "the end of the session");
}

/* ---- after a start ---- */

static bool read_session(void *ctx, const struct sky_kept_session *kept)
{
    struct sky_broker *broker = ctx;
    struct sky_registry *registry = broker->registry;
    struct sky_product product;
    struct sky_device device;
    if (sky_store_get_device(registry->store, kept->device_id, &product, &device) != SKY_OK)
        return true;
    struct sky_session *session = sky_session_open(registry, &product, &device);
    session->kept = session->unread = true;
    session->mqtt.keeper = &broker->keeper;
    session->mqtt.last_id = kept->last_id;
    /* Whoever was connected when the server ended is away since now. A new server lives by real
     * time, so that is what was written, whatever the virtual time was. */
    int64_t away_ms = kept->away_since_ms != 0 ? registry->clock->real_ms - kept->away_since_ms : 0;
    session->away_since_ms = sky_clock_lived_ms(registry->clock) - (away_ms > 0 ? away_ms : 0);
    return true;
}

static bool read_subscription(void *ctx, int64_t device_id, sky_span filter, uint8_t qos)
{
    const struct sky_broker *broker = ctx;
    const struct sky_session *session = sky_session_find(broker->registry, device_id);
    if (session == NULL || !session->kept)
        return true;
    sky_err err = sky_topic_valid_filter(filter) && sky_utf8_valid(filter) == filter.len
                      ? sky_subs_add(broker->subs, session->slot, filter, qos)
                      : SKY_ERR_INVALID;
    check(broker, session, err, "a subscription");
    return true;
}

sky_err sky_kept_open(struct sky_broker *broker, struct sky_why *why)
{
    broker->keeper = (struct sky_mqtt_keeper){put_message, sent_message, gone_message};
    sky_err err = sky_store_each_session(broker->registry->store, read_session, broker);
    if (err == SKY_OK)
        err = sky_store_each_subscription(broker->registry->store, read_subscription, broker);
    if (err != SKY_OK)
        (void)sky_store_why(broker->registry->store, why);
    return err;
}
