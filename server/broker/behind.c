#include "server/broker/behind.h"

#include <stdio.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "server/registry/parties.h"
#include "store/topology.h"

/* Keys stand side by side in every cloud's topics, and not far from the beginning. */
enum { TOPIC_PAIRS_MAX = 8 };

static const struct sky_cloud_gateway *rules_of(const struct sky_session *session)
{
    return session->product->cloud->gateway;
}

bool sky_behind_is_gateway(const struct sky_session *session)
{
    return rules_of(session) != NULL && session->product->product.node == SKY_NODE_GATEWAY;
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
    return session->conn == NULL && session->work->via == NULL ? session : NULL;
}

static struct sky_session *behind_of(struct sky_broker *broker, const struct sky_session *gateway,
                                     sky_span product, sky_span device)
{
    struct sky_session *session = find(broker, gateway->product->cloud, product, device);
    if (session != NULL && session->work->via == gateway)
        return session;
    return rules_of(gateway)->opens_when_bound ? open_bound(broker, gateway, product, device)
                                               : NULL;
}

/* Takes the next two neighbouring levels that may be keys. */
bool sky_behind_next_pair(sky_span *rest, sky_span *ret_product, sky_span *ret_device)
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
         i < TOPIC_PAIRS_MAX && found == NULL && sky_behind_next_pair(&rest, &product, &device);
         i++)
        found = behind_of(broker, gateway, product, device);
    return found;
}

struct sky_session *sky_behind_owner(const struct sky_broker *broker, sky_span topic)
{
    sky_span product, device, rest = topic;
    struct sky_session *found = NULL;
    for (int i = 0;
         i < TOPIC_PAIRS_MAX && found == NULL && sky_behind_next_pair(&rest, &product, &device);
         i++)
        for (size_t c = 0; found == NULL && sky_clouds[c] != NULL; c++)
            found = find(broker, sky_clouds[c], product, device);
    return found;
}

static enum sky_right right_of(const struct sky_session *session, sky_span filter, unsigned want,
                               const struct sky_topic_row **ret_row)
{
    const struct sky_product_info *product = session->product;
    return sky_cloud_right(product->cloud, sky_span_str(product->product.key),
                           sky_span_str(sky_session_key(session)), product->topics,
                           product->topic_count, filter, want, ret_row);
}

enum sky_right sky_behind_right(struct sky_broker *broker, const struct sky_session *session,
                                sky_span filter, unsigned want,
                                const struct sky_topic_row **ret_row,
                                const struct sky_session **ret_subject)
{
    enum sky_right right = right_of(session, filter, want, ret_row);
    if (right == SKY_RIGHT_GRANTED || !sky_behind_is_gateway(session))
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
        session->work->behind != NULL ? behind_of_topic(broker, session, topic) : NULL;
    return device != NULL ? device : session;
}

/* ---- who is online by whom ---- */

void sky_behind_link(struct sky_broker *broker, struct sky_session *gateway,
                     struct sky_session *device)
{
    SKY_ASSERT(device->work->via == NULL && device->conn == NULL && gateway->work->via == NULL);
    sky_session_work(device)->via = gateway;
    sky_session_work(gateway)->behind_count++;
    DL_APPEND2(gateway->work->behind, device, work->prev, work->next);
    device->last_seen_ms = sky_clock_lived_ms(broker->registry->clock);
}

void sky_behind_unlink(struct sky_broker *broker, struct sky_session *device)
{
    struct sky_session *gateway = device->work->via;
    DL_DELETE2(gateway->work->behind, device, work->prev, work->next);
    gateway->work->behind_count--;
    device->work->via = device->work->prev = device->work->next = NULL;
    device->away_since_ms = sky_clock_lived_ms(broker->registry->clock);
}
