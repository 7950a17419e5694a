#include "server/broker/gateways.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/broker/behind.h"
#include "server/broker/presence.h"
#include "store/topology.h"

static const struct sky_cloud_gateway *rules_of(const struct sky_session *session)
{
    return session->product->cloud->gateway;
}

/* ---- telling ---- */

void sky_gateway_told(struct sky_broker *broker, int64_t gateway_id,
                      const struct sky_product *product, const struct sky_device *device,
                      enum sky_behind_event event)
{
    struct sky_session *gateway = sky_session_find(broker->registry, gateway_id);
    if (gateway != NULL && broker->tell_gateway != NULL && sky_behind_is_gateway(gateway) &&
        sky_session_is_connected(gateway))
        broker->tell_gateway(broker, gateway, event, product, device);
}

static void tell_of_session(struct sky_broker *broker, int64_t gateway_id,
                            enum sky_behind_event event, const struct sky_session *device)
{
    struct sky_product product;
    struct sky_device known;
    if (sky_store_get_device(broker->registry->store, device->device_id, &product, &known) ==
        SKY_OK)
        sky_gateway_told(broker, gateway_id, &product, &known, event);
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

/* The device's gateways, but one, do not get any more what goes to its topics: also one that came
 * back to a session with subscriptions from when the device was online by it. */
static void end_subscriptions(struct sky_broker *broker, const struct sky_product *product,
                              const char *device_key, const struct gateways *gateways,
                              const struct sky_session *but)
{
    for (size_t i = 0; i < gateways->count; i++) {
        struct sky_session *gateway = sky_session_find(broker->registry, gateways->ids[i]);
        struct sky_name name = {sky_span_str(product->key), sky_span_str(device_key)};
        if (gateway != NULL && gateway != but)
            sky_session_end_filters(broker, gateway, &name, 1);
    }
}

/* The device is online elsewhere than by any of its gateways but that one. */
static void leave_to(struct sky_broker *broker, const struct sky_session *device,
                     const struct sky_session *but)
{
    const struct gateways gateways = gateways_of(broker, device->device_id);
    end_subscriptions(broker, &device->product->product, sky_session_key(device), &gateways, but);
}

void sky_gateway_changed(struct sky_broker *broker, const struct sky_product *product,
                         const struct sky_device *device, enum sky_behind_event event)
{
    struct gateways gateways = gateways_of(broker, device->id);
    for (size_t i = 0; i < gateways.count; i++)
        sky_gateway_told(broker, gateways.ids[i], product, device, event);
    struct sky_session *session = sky_session_find(broker->registry, device->id);
    if (session != NULL && session->work->via != NULL && event != SKY_BEHIND_ENABLED)
        sky_session_go_offline(
            broker, session, event == SKY_BEHIND_DELETED ? "it was deleted" : "it was disabled", 0);
    if (event != SKY_BEHIND_ENABLED)
        end_subscriptions(broker, product, device->key, &gateways, NULL);
}

/* ---- logging in ---- */

/* It has one session: what it kept of one of its own ends, and what other gateways kept of it. */
static void come_online(struct sky_broker *broker, struct sky_session *gateway,
                        struct sky_session *device, const char *reason, uint64_t of)
{
    sky_session_wipe(broker, device);
    leave_to(broker, device, gateway);
    sky_behind_link(broker, gateway, device);
    sky_session_record_behind(broker, SKY_EVENT_ONLINE, device->device_id, gateway->party->name,
                              reason, of);
}

void sky_gateway_login(struct sky_broker *broker, struct sky_session *gateway,
                       struct sky_session *device, uint64_t of)
{
    SKY_ASSERT(device != gateway);
    device->announced = true;
    if (device->work->via == gateway)
        return;
    int64_t former_id = device->work->via != NULL ? device->work->via->device_id : 0;
    if (device->work->via != NULL)
        sky_session_go_offline(broker, device, "another gateway logged it in", of);
    if (device->work->behind != NULL)
        sky_session_part(broker, device, "its gateway stands behind another now");
    if (device->conn != NULL) {
        (void)sky_session_kick(device, "the device was logged in by its gateway");
        sky_session_detach(broker, device);
    }
    come_online(broker, gateway, device, NULL, of);
    if (former_id != 0)
        tell_of_session(broker, former_id, SKY_BEHIND_OUSTED, device);
}

void sky_gateway_ousted(struct sky_broker *broker, struct sky_session *device)
{
    int64_t former_id = device->work->via != NULL ? device->work->via->device_id : 0;
    if (former_id != 0)
        sky_session_go_offline(broker, device, "it connected by itself", 0);
    leave_to(broker, device, NULL);
    if (former_id != 0)
        tell_of_session(broker, former_id, SKY_BEHIND_OUSTED, device);
}

void sky_gateway_use(struct sky_broker *broker, struct sky_session *gateway,
                     struct sky_session *device, struct sky_judge *judge)
{
    const struct sky_rule *rule = rules_of(gateway)->unannounced_rule;
    if (rule != NULL)
        sky_judge_rule(judge, rule, device->announced,
                       "a topic of %s was used, which was never said to be online",
                       device->party->name);
    /* Over HTTP it has no connection for the device to be online by. */
    if (device->work->via == NULL && gateway->conn != NULL)
        come_online(broker, gateway, device, "its gateway uses its topics", 0);
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

sky_err sky_gateway_unbind(struct sky_broker *broker, int64_t gateway_id, int64_t device_id,
                           uint64_t of)
{
    char name[SKY_STORE_TITLE_MAX + 1];
    const struct gateways left = {{gateway_id}, 1};
    struct sky_product product;
    struct sky_device device;
    struct sky_session *session = sky_session_find(broker->registry, device_id);
    if (session != NULL && session->work->via != NULL &&
        session->work->via->device_id == gateway_id)
        sky_session_go_offline(broker, session, "it was unbound", of);
    if (session != NULL)
        session->announced = false;
    if (sky_store_get_device(broker->registry->store, device_id, &product, &device) == SKY_OK)
        end_subscriptions(broker, &product, device.key, &left, NULL);
    sky_store_batch(broker->registry->store);
    sky_err err = sky_store_unbind(broker->registry->store, gateway_id, device_id);
    if (err != SKY_OK)
        return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
    sky_session_record_behind(broker, SKY_EVENT_UNBIND, device_id,
                              name_of(broker, gateway_id, name), NULL, of);
    return SKY_OK;
}

/* Unless the cloud shares devices. */
static sky_err take_from_others(struct sky_broker *broker, int64_t gateway_id,
                                const struct sky_product *product, const struct sky_device *device,
                                uint64_t of)
{
    struct gateways gateways = {.count = 0};
    sky_err err = SKY_OK;
    if (!sky_cloud_find(sky_span_str(product->cloud))->gateway->shared)
        gateways = gateways_of(broker, device->id);
    for (size_t i = 0; i < gateways.count && err == SKY_OK; i++) {
        if (gateways.ids[i] == gateway_id)
            continue;
        sky_gateway_told(broker, gateways.ids[i], product, device, SKY_BEHIND_UNBOUND);
        err = sky_gateway_unbind(broker, gateways.ids[i], device->id, of);
    }
    return err;
}

struct behind {
    struct behind_one {
        struct sky_product product;
        struct sky_device device;
    } * list; /* owned */
    size_t count;
};

static bool take_behind(void *ctx, const struct sky_product *product,
                        const struct sky_device *device)
{
    struct behind *behind = ctx;
    behind->list = sky_mem_grow(behind->list, (behind->count + 1) * sizeof *behind->list);
    behind->list[behind->count++] = (struct behind_one){*product, *device};
    return true;
}

sky_err sky_gateway_claim(struct sky_broker *broker, const struct sky_product *product,
                          int64_t gateway_id)
{
    struct behind behind = {.count = 0};
    if (product->node != SKY_NODE_GATEWAY)
        return SKY_OK;
    sky_err err = sky_store_each_behind(broker->registry->store, gateway_id, SKY_BEHIND_MAX,
                                        take_behind, &behind);
    for (size_t i = 0; i < behind.count && err == SKY_OK; i++)
        err = take_from_others(broker, gateway_id, &behind.list[i].product, &behind.list[i].device,
                               0);
    free(behind.list);
    return err;
}

sky_err sky_gateway_bind(struct sky_broker *broker, int64_t gateway_id,
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
    err = take_from_others(broker, gateway_id, product, device, of);
    sky_store_batch(store);
    if (err == SKY_OK)
        err = sky_store_bind(store, gateway_id, device->id);
    if (err != SKY_OK)
        return err;
    sky_session_record_behind(broker, SKY_EVENT_BIND, device->id, name_of(broker, gateway_id, name),
                              NULL, of);
    return SKY_OK;
}
