#include "server/broker/behind.h"

#include <stdio.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"
#include "server/broker/commands.h"
#include "server/broker/effects.h"
#include "server/broker/presence.h"
#include "server/registry/parties.h"

/* Keys stand side by side in every cloud's topics, and not far from the beginning. */
enum { TOPIC_PAIRS_MAX = 8 };

static const struct sky_cloud_gateway *rules_of(const struct sky_session *session)
{
    return session->product->cloud->gateway;
}

static bool is_gateway(const struct sky_session *session)
{
    return rules_of(session) != NULL && session->product->product.node == SKY_NODE_GATEWAY;
}

static void record(struct sky_broker *broker, enum sky_event_type type, int64_t device_id,
                   const char *gateway, const char *reason, uint64_t of)
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

/* ---- whose topic is it? ---- */

/* The session of a device by its keys, if it has one already. */
static struct sky_session *find(const struct sky_broker *broker, const struct sky_cloud *cloud,
                                sky_span product, sky_span device)
{
    char name[SKY_STORE_TITLE_MAX + 1];
    int len = snprintf(name, sizeof name, "%s/%.*s/%.*s", cloud->name, SKY_SPAN_ARGS(product),
                       SKY_SPAN_ARGS(device));
    if (len < 0 || (size_t)len >= sizeof name)
        return NULL;
    const struct sky_party *party =
        sky_party_find(broker->registry, sky_span_of(name, (size_t)len));
    return party != NULL && party->device_id != 0
               ? sky_session_find(broker->registry, party->device_id)
               : NULL;
}

/* A device that is bound, of a cloud where that suffices; not one that is online elsewhere. */
static struct sky_session *open_bound(struct sky_broker *broker, const struct sky_session *gateway,
                                      sky_span product, sky_span device)
{
    struct sky_product known_product;
    struct sky_device known;
    bool bound;
    struct sky_store *store = broker->registry->store;
    if (sky_store_find_device(store, sky_span_str(gateway->product->cloud->name), product, device,
                              &known_product, &known) != SKY_OK ||
        !known.enabled ||
        sky_store_is_bound(store, gateway->device_id, known.id, &bound) != SKY_OK || !bound)
        return NULL;
    struct sky_session *session = sky_session_open(broker->registry, &known_product, &known);
    return session->conn == NULL && session->via == NULL ? session : NULL;
}

static struct sky_session *behind_of(struct sky_broker *broker, const struct sky_session *gateway,
                                     sky_span product, sky_span device)
{
    struct sky_session *session = find(broker, gateway->product->cloud, product, device);
    if (session != NULL && session->via == gateway)
        return session;
    return rules_of(gateway)->opens_when_bound ? open_bound(broker, gateway, product, device)
                                               : NULL;
}

/* Takes the next two neighbouring levels that may be keys. */
bool sky_behind__next_pair(sky_span *rest, sky_span *ret_product, sky_span *ret_device)
{
    sky_span product, after;
    while (sky_span_next(rest, '/', &product)) {
        after = *rest;
        if (product.len == 0 || product.len > SKY_KEY_MAX ||
            !sky_span_next(&after, '/', ret_device) || ret_device->len == 0 ||
            ret_device->len > SKY_KEY_MAX)
            continue;
        *ret_product = product;
        return true;
    }
    return false;
}

static struct sky_session *behind_of_topic(struct sky_broker *broker,
                                           const struct sky_session *gateway, sky_span topic)
{
    sky_span product, device, rest = topic;
    struct sky_session *found = NULL;
    for (int i = 0;
         i < TOPIC_PAIRS_MAX && found == NULL && sky_behind__next_pair(&rest, &product, &device);
         i++)
        found = behind_of(broker, gateway, product, device);
    return found;
}

static enum sky_right right_of(const struct sky_session *session, sky_span filter, unsigned want,
                               const struct sky_topic_row **ret_row)
{
    const struct sky_product_info *product = session->product;
    return sky_cloud_right(product->cloud, sky_span_str(product->product.key),
                           sky_span_str(session->device_key), product->topics, product->topic_count,
                           filter, want, ret_row);
}

enum sky_right sky_behind_right(struct sky_broker *broker, const struct sky_session *session,
                                sky_span filter, unsigned want,
                                const struct sky_topic_row **ret_row,
                                const struct sky_session **ret_subject)
{
    enum sky_right right = right_of(session, filter, want, ret_row);
    if (right == SKY_RIGHT_GRANTED || !is_gateway(session))
        return right;
    const struct sky_session *device = behind_of_topic(broker, session, filter);
    if (device == NULL)
        return right;
    *ret_subject = device;
    return right_of(device, filter, want, ret_row);
}

struct sky_session *sky_behind_addressee(struct sky_broker *broker, struct sky_session *session,
                                         sky_span topic)
{
    struct sky_session *device =
        session->behind != NULL ? behind_of_topic(broker, session, topic) : NULL;
    return device != NULL ? device : session;
}

/* ---- coming and going ---- */

static void link_to(struct sky_broker *broker, struct sky_session *gateway,
                    struct sky_session *device)
{
    SKY_ASSERT(device->via == NULL && device->conn == NULL && gateway->via == NULL);
    device->via = gateway;
    DL_APPEND(gateway->behind, device);
    gateway->behind_count++;
    device->last_seen_ms = sky_clock_lived_ms(broker->registry->clock);
    broker->links++;
}

static void unlink_from_gateway(struct sky_broker *broker, struct sky_session *device)
{
    struct sky_session *gateway = device->via;
    DL_DELETE(gateway->behind, device);
    gateway->behind_count--;
    device->via = NULL;
    device->prev = device->next = NULL;
    device->away_since_ms = sky_clock_lived_ms(broker->registry->clock);
    broker->links++;
}

/* Filters of one subscriber that are another device's. */
struct filters {
    sky_span product, device;
    struct sky_buf names; /* each with a NUL behind */
};

static void take_filter(void *ctx, sky_span filter, uint8_t qos)
{
    struct filters *filters = ctx;
    sky_span product, device, rest = filter;
    (void)qos;
    while (sky_behind__next_pair(&rest, &product, &device))
        if (sky_span_eq(product, filters->product) && sky_span_eq(device, filters->device)) {
            sky_buf_add(&filters->names, filter);
            sky_buf_add_byte(&filters->names, '\0');
            return;
        }
}

static void end_subscriptions(struct sky_broker *broker, struct sky_session *gateway,
                              const struct sky_session *device)
{
    struct filters filters = {.product = sky_span_str(device->product->product.key),
                              .device = sky_span_str(device->device_key)};
    sky_span filter;
    sky_buf_init(&filters.names, SIZE_MAX);
    sky_subs_each(broker->subs, gateway->slot, take_filter, &filters);
    sky_span rest = sky_buf_span(&filters.names);
    while (rest.len > 0 && sky_span_next(&rest, '\0', &filter))
        if (filter.len > 0)
            sky_session_unsubscribe(broker, gateway, filter);
    sky_buf_done(&filters.names);
}

void sky_behind_offline(struct sky_broker *broker, struct sky_session *device, const char *reason,
                        uint64_t of)
{
    struct sky_session *gateway = device->via;
    record(broker, SKY_EVENT_OFFLINE, device->device_id, gateway->party->name, reason, of);
    end_subscriptions(broker, gateway, device);
    unlink_from_gateway(broker, device);
}

/* Its subscriptions stay, as its session does. */
void sky_behind_part(struct sky_broker *broker, struct sky_session *gateway, const char *reason)
{
    while (gateway->behind != NULL) {
        struct sky_session *device = gateway->behind;
        record(broker, SKY_EVENT_OFFLINE, device->device_id, gateway->party->name, reason, 0);
        unlink_from_gateway(broker, device);
    }
}

static void tell_of_session(struct sky_broker *broker, int64_t gateway_id,
                            enum sky_behind_event event, const struct sky_session *device)
{
    struct sky_product product;
    struct sky_device known;
    if (sky_store_get_device(broker->registry->store, device->device_id, &product, &known) ==
        SKY_OK)
        sky_behind_tell(broker, gateway_id, event, &product, &known);
}

void sky_behind_online(struct sky_broker *broker, struct sky_session *gateway,
                       struct sky_session *device, uint64_t of)
{
    SKY_ASSERT(device != gateway);
    device->announced = true;
    if (device->via == gateway)
        return;
    int64_t former_id = device->via != NULL ? device->via->device_id : 0;
    if (device->via != NULL)
        sky_behind_offline(broker, device, "another gateway logged it in", of);
    if (device->behind != NULL)
        sky_behind_part(broker, device, "its gateway stands behind another now");
    if (device->conn != NULL) {
        (void)sky_session_kick(device, "the device was logged in by its gateway");
        sky_session_detach(broker, device);
    }
    link_to(broker, gateway, device);
    record(broker, SKY_EVENT_ONLINE, device->device_id, gateway->party->name, NULL, of);
    if (former_id != 0)
        tell_of_session(broker, former_id, SKY_BEHIND_OUSTED, device);
}

void sky_behind_ousted(struct sky_broker *broker, struct sky_session *device)
{
    if (device->via == NULL)
        return;
    int64_t former_id = device->via->device_id;
    sky_behind_offline(broker, device, "it connected by itself", 0);
    tell_of_session(broker, former_id, SKY_BEHIND_OUSTED, device);
}

void sky_behind_use(struct sky_broker *broker, struct sky_session *gateway,
                    struct sky_session *device, struct sky_judge *judge)
{
    const struct sky_rule *rule = rules_of(gateway)->unannounced_rule;
    if (rule != NULL)
        sky_judge_rule(judge, rule, device->announced,
                       "a topic of %s was used, which was never said to be online",
                       device->party->name);
    if (device->via != NULL)
        return;
    link_to(broker, gateway, device);
    record(broker, SKY_EVENT_ONLINE, device->device_id, gateway->party->name,
           "its gateway uses its topics", 0);
}

/* ---- telling ---- */

void sky_behind_tell(struct sky_broker *broker, int64_t gateway_id, enum sky_behind_event event,
                     const struct sky_product *product, const struct sky_device *device)
{
    struct sky_session *gateway = sky_session_find(broker->registry, gateway_id);
    if (gateway == NULL || !is_gateway(gateway) || rules_of(gateway)->tell == NULL ||
        !sky_session_is_connected(gateway))
        return;
    const struct sky_session *session = sky_session_find(broker->registry, device->id);
    struct sky_uplink to = sky_session_uplink(gateway);
    const struct sky_peer peer = {.product = sky_span_str(product->key),
                                  .device = sky_span_str(device->key),
                                  .known_product = product,
                                  .known = device,
                                  .online = session != NULL && session->via == gateway};
    char id[SKY_COMMAND_DIGITS];
    struct sky_effects effects;
    sky_effects_init(&effects);
    rules_of(gateway)->tell(&to, event, &peer, 1, sky_command_fresh_id(broker, gateway, id),
                            &effects);
    sky_apply(broker, gateway, NULL, &effects, 0);
    sky_effects_done(&effects);
}

/* Gateways of a device: few, and told after the walk, as the walk may not write. */
enum { GATEWAYS_MAX = 64 };
struct gateways {
    int64_t ids[GATEWAYS_MAX];
    size_t count;
};

static bool take_gateway(void *ctx, const struct sky_product *product,
                         const struct sky_device *device)
{
    struct gateways *gateways = ctx;
    (void)product;
    gateways->ids[gateways->count++] = device->id;
    return gateways->count < GATEWAYS_MAX;
}

static struct gateways gateways_of(struct sky_broker *broker, int64_t device_id)
{
    struct gateways gateways = {.count = 0};
    if (sky_store_each_gateway(broker->registry->store, device_id, take_gateway, &gateways) !=
        SKY_OK)
        gateways.count = 0;
    return gateways;
}

void sky_behind_changed(struct sky_broker *broker, const struct sky_product *product,
                        const struct sky_device *device, enum sky_behind_event event)
{
    struct gateways gateways = gateways_of(broker, device->id);
    for (size_t i = 0; i < gateways.count; i++)
        sky_behind_tell(broker, gateways.ids[i], event, product, device);
    struct sky_session *session = sky_session_find(broker->registry, device->id);
    if (session != NULL && session->via != NULL && event != SKY_BEHIND_ENABLED)
        sky_behind_offline(broker, session,
                           event == SKY_BEHIND_DELETED ? "it was deleted" : "it was disabled", 0);
}

/* ---- binding ---- */

static const char *name_of(struct sky_broker *broker, int64_t device_id,
                           char out[SKY_STORE_TITLE_MAX + 1])
{
    if (sky_store_device_name(broker->registry->store, device_id, out, SKY_STORE_TITLE_MAX + 1) !=
        SKY_OK)
        snprintf(out, SKY_STORE_TITLE_MAX + 1, "?");
    return out;
}

sky_err sky_behind_unbind(struct sky_broker *broker, int64_t gateway_id, int64_t device_id,
                          uint64_t of)
{
    char name[SKY_STORE_TITLE_MAX + 1];
    struct sky_session *session = sky_session_find(broker->registry, device_id);
    if (session != NULL && session->via != NULL && session->via->device_id == gateway_id)
        sky_behind_offline(broker, session, "it was unbound", of);
    if (session != NULL)
        session->announced = false;
    sky_store_batch(broker->registry->store);
    sky_err err = sky_store_unbind(broker->registry->store, gateway_id, device_id);
    if (err != SKY_OK)
        return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
    broker->links++;
    record(broker, SKY_EVENT_UNBIND, device_id, name_of(broker, gateway_id, name), NULL, of);
    return SKY_OK;
}

sky_err sky_behind_bind(struct sky_broker *broker, int64_t gateway_id,
                        const struct sky_product *product, const struct sky_device *device,
                        uint64_t of)
{
    char name[SKY_STORE_TITLE_MAX + 1];
    bool bound = false;
    struct sky_store *store = broker->registry->store;
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(product->cloud));
    SKY_ASSERT(cloud != NULL && cloud->gateway != NULL && gateway_id != device->id);
    sky_err err = sky_store_is_bound(store, gateway_id, device->id, &bound);
    if (err != SKY_OK || bound)
        return err;
    if (sky_store_count_behind(store, gateway_id) >= cloud->gateway->bound_max)
        return SKY_ERR_LIMIT;
    struct gateways former = {.count = 0};
    if (!cloud->gateway->shared)
        former = gateways_of(broker, device->id);
    for (size_t i = 0; i < former.count && err == SKY_OK; i++) {
        sky_behind_tell(broker, former.ids[i], SKY_BEHIND_UNBOUND, product, device);
        err = sky_behind_unbind(broker, former.ids[i], device->id, of);
    }
    sky_store_batch(store);
    if (err == SKY_OK)
        err = sky_store_bind(store, gateway_id, device->id);
    if (err != SKY_OK)
        return err;
    broker->links++;
    record(broker, SKY_EVENT_BIND, device->id, name_of(broker, gateway_id, name), NULL, of);
    return SKY_OK;
}
