#include "server/broker/presence.h"

#include <stdlib.h>

#include "server/broker/behind.h"
#include "server/broker/kept.h"
#include "server/broker/topics.h"
#include "server/registry/parties.h"

bool sky_session_is_connected(const struct sky_session *session)
{
    const struct sky_conn *conn = sky_session_carrier(session)->conn;
    return conn != NULL && !conn->closing;
}

bool sky_session_is_online(const struct sky_session *session)
{
    const struct sky_fetcher *fetcher = session->work->fetcher;
    return sky_session_is_connected(session) ||
           (fetcher != NULL && fetcher->ops->is_online(fetcher));
}

struct sky_uplink sky_session_uplink(const struct sky_session *session)
{
    const struct sky_product_info *product = session->product;
    const struct sky_session *carrier = sky_session_carrier(session);
    return (struct sky_uplink){
        .cloud = product->cloud,
        .product = sky_span_str(product->product.key),
        .device = sky_span_str(sky_session_key(session)),
        .transport = carrier->conn != NULL ? carrier->conn->door->transport : SKY_TCP,
        .traits = carrier->traits,
    };
}

sky_span sky_session_link(const struct sky_broker *broker, const struct sky_session *session,
                          char out[SKY_LINK_SIZE])
{
    return sky_link(broker->net, sky_session_carrier(session)->conn, broker->advertise_host, out);
}

/* Gives back what is held in memory. */
static void release(struct sky_broker *broker, struct sky_session *session)
{
    sky_subs_drop(broker->subs, session->slot);
    sky_mqtt_session_done(&session->mqtt);
}

void sky_session_wipe(struct sky_broker *broker, struct sky_session *session)
{
    release(broker, session);
    sky_kept_drop(broker, session);
    session->kept = false;
}

sky_err sky_session_subscribe(struct sky_broker *broker, struct sky_session *session,
                              sky_span filter, uint8_t qos)
{
    sky_err err = sky_subs_add(broker->subs, session->slot, filter, qos);
    if (err == SKY_OK)
        sky_kept_subscribed(broker, session, filter, qos);
    return err;
}

void sky_session_unsubscribe(struct sky_broker *broker, struct sky_session *session,
                             sky_span filter)
{
    sky_subs_remove(broker->subs, session->slot, filter);
    sky_kept_unsubscribed(broker, session, filter);
}

void sky_session_expire(struct sky_broker *broker, struct sky_session *session)
{
    int64_t away_max_ms = session->product->cloud->limits.session.queue_age_max_ms;
    if (session->kept && session->conn == NULL && away_max_ms > 0 &&
        sky_clock_lived_ms(broker->registry->clock) - session->away_since_ms > away_max_ms)
        sky_session_wipe(broker, session);
}

bool sky_session_kick(struct sky_session *session, const char *reason)
{
    struct sky_fetcher *fetcher = session->work->fetcher;
    bool kicked = fetcher != NULL && fetcher->ops->kick(fetcher, reason);
    if (session->conn == NULL || session->conn->closing)
        return kicked;
    sky_conn_close(session->conn, reason);
    return true;
}

/* ---- behind gateways ---- */

void sky_session_record_behind(struct sky_broker *broker, enum sky_event_type type,
                               int64_t device_id, const char *gateway, const char *reason,
                               uint64_t of)
{
    const struct sky_event_head head = {
        .type = type, .direction = SKY_INSIDE, .device_id = device_id};
    struct sky_draft draft;
    sky_draft_begin(&draft, head);
    sky_draft_add(&draft, SKY_ATTR(GATEWAY, sky_span_str(gateway)));
    if (reason != NULL)
        sky_draft_add(&draft, SKY_ATTR(REASON, sky_span_str(reason)));
    if (of != 0)
        sky_draft_add(&draft, SKY_ATTR_INT(OF, (int64_t)of));
    sky_journal_record(broker->registry->journal, &draft, NULL);
}

/* Filters of one subscriber that are other devices'. */
struct filters {
    const struct sky_name *devices; /* in order */
    size_t count;
    struct sky_buf names; /* each with a NUL behind */
};

static int compare_names(const void *a, const void *b)
{
    const struct sky_name *one = a, *other = b;
    int order = sky_span_order(one->device, other->device);
    return order != 0 ? order : sky_span_order(one->product, other->product);
}

static void take_filter(void *ctx, sky_span filter, uint8_t qos)
{
    struct filters *filters = ctx;
    struct sky_name name;
    sky_span rest = filter;
    (void)qos;
    while (sky_behind_next_pair(&rest, &name.product, &name.device))
        if (bsearch(&name, filters->devices, filters->count, sizeof name, compare_names) != NULL) {
            sky_buf_add(&filters->names, filter);
            sky_buf_add_byte(&filters->names, '\0');
            return;
        }
}

void sky_session_end_filters(struct sky_broker *broker, struct sky_session *gateway,
                             struct sky_name *devices, size_t count)
{
    struct filters filters = {.devices = devices, .count = count};
    sky_span filter;
    if (count == 0 || sky_subs_count(broker->subs, gateway->slot) == 0)
        return;
    qsort(devices, count, sizeof *devices, compare_names);
    sky_buf_init(&filters.names, SIZE_MAX);
    sky_subs_each(broker->subs, gateway->slot, take_filter, &filters);
    sky_span rest = sky_buf_span(&filters.names);
    while (rest.len > 0 && sky_span_next(&rest, '\0', &filter))
        if (filter.len > 0)
            sky_session_unsubscribe(broker, gateway, filter);
    sky_buf_done(&filters.names);
}

struct sky_name sky_session_name(const struct sky_session *session)
{
    return (struct sky_name){sky_span_str(session->product->product.key),
                             sky_span_str(sky_session_key(session))};
}

void sky_session_part_one(struct sky_broker *broker, struct sky_session *device, const char *reason,
                          uint64_t of)
{
    sky_session_record_behind(broker, SKY_EVENT_OFFLINE, device->device_id,
                              device->work->via->party->name, reason, of);
    sky_behind_unlink(broker, device);
}

void sky_session_go_offline(struct sky_broker *broker, struct sky_session *device,
                            const char *reason, uint64_t of)
{
    struct sky_name name = sky_session_name(device);
    struct sky_session *gateway = device->work->via;
    sky_session_part_one(broker, device, reason, of);
    sky_session_end_filters(broker, gateway, &name, 1);
}

/* Its subscriptions stay, as its session does. */
void sky_session_part(struct sky_broker *broker, struct sky_session *gateway, const char *reason)
{
    while (gateway->work->behind != NULL)
        sky_session_part_one(broker, gateway->work->behind, reason, 0);
}

void sky_session_detach(struct sky_broker *broker, struct sky_session *session)
{
    if (session->conn == NULL)
        return;
    sky_session_part(broker, session, "its gateway left");
    sky_clock_cancel(broker->registry->clock, &session->conn->alarm);
    sky_clock_cancel(broker->registry->clock, &session->conn->work->spaced);
    session->conn->state = NULL;
    session->conn = NULL;
    session->away_since_ms = sky_clock_lived_ms(broker->registry->clock);
    broker->registry->online--;
    if (session->clean)
        sky_session_wipe(broker, session);
    else
        sky_kept_away(broker, session);
}

static void drop(struct sky_broker *broker, struct sky_session *session)
{
    release(broker, session);
    if (session->work->fetcher != NULL)
        session->work->fetcher->ops->forget(session->work->fetcher);
    sky_session_drop(broker->registry, session);
}

void sky_session_forget(struct sky_broker *broker, struct sky_session *session)
{
    if (session->work->via != NULL)
        sky_session_go_offline(broker, session, "it was taken out of the registry", 0);
    if (session->conn != NULL)
        sky_conn_close(session->conn, "the device was taken out of the registry");
    sky_session_detach(broker, session);
    sky_session_wipe(broker, session);
    drop(broker, session);
    sky_topics_forget(broker); /* they remember the rights of the slot, which gets a new owner */
}

void sky_session_leave(struct sky_broker *broker, struct sky_session *session)
{
    struct sky_party *party = session->party;
    int64_t id = session->device_id;
    sky_session_forget(broker, session);
    sky_party_leaves(broker->registry, party, id);
}

void sky_sessions_forget(struct sky_broker *broker)
{
    for (size_t slot = 0; slot < broker->registry->slots; slot++) {
        struct sky_session *session = broker->registry->by_slot[slot];
        if (session == NULL)
            continue;
        session->conn = NULL;
        if (session->work != &sky_session_at_rest)
            session->work->via = session->work->behind = NULL;
        drop(broker, session);
    }
}
