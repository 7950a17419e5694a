#include "server/broker/upgrades.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/ids.h"
#include "protocol/base/mem.h"
#include "server/broker/commands.h"
#include "server/broker/delivery.h"
#include "server/broker/effects.h"
#include "server/broker/images.h"
#include "server/broker/presence.h"
#include "store/images.h"

/* A device with an upgrade that is not over. */
struct sky_upgrade_watch {
    int64_t device_id;
    struct sky_broker *broker;
    struct sky_timer timeout; /* virtual time: when something has run for too long, */
    int64_t timeout_ms;       /* and which moment that is */
    struct sky_timer settle;  /* real time: until it is told of its own accord */
    UT_hash_handle hh;
};

struct sky_upgrade_wait {
    struct sky_broker *broker;
    int64_t device_id;
    char module[SKY_OTA_MODULE_MAX + 1];
    struct sky_timer timer;
    sky_upgrade_done_fn *done;
    void *ctx;
    struct sky_upgrade_wait *prev, *next;
};

/* ---- the document ---- */

sky_err sky_upgrades_view(struct sky_broker *broker, const struct sky_session *session,
                          struct sky_upgrades_view *view, struct sky_why *why)
{
    const struct sky_registry *registry = broker->registry;
    const struct sky_cloud *cloud = session->product->cloud;
    *view = (struct sky_upgrades_view){.facts = {.now_ms = registry->clock->now_ms}};
    sky_arena_init(&view->arena);
    sky_buf_init(&view->document, SKY_DOCUMENT_MAX);
    if (cloud->ota == NULL)
        return sky_why_set(why, SKY_ERR_NOT_FOUND, "", "%s has no upgrades here", cloud->title);
    sky_err err =
        sky_store_get_document(registry->store, session->device_id, SKY_SPAN(SKY_OTA_DOCUMENT),
                               &view->document, &view->facts.document_version);
    if (err != SKY_OK && err != SKY_ERR_NOT_FOUND)
        return sky_why_set(why, err, "", "the device's upgrades cannot be read");
    view->facts.document = sky_buf_span(&view->document);
    sky_ota_open(&view->ota, cloud, &view->facts, &view->arena);
    return SKY_OK;
}

void sky_upgrades_close(struct sky_upgrades_view *view)
{
    sky_arena_done(&view->arena);
    sky_buf_done(&view->document);
}

void sky_upgrades_store(struct sky_broker *broker, struct sky_session *session,
                        struct sky_upgrades_view *view)
{
    struct sky_effects effects;
    sky_effects_init(&effects);
    sky_ota_save(&view->ota, &view->facts, &effects);
    (void)sky_apply(broker, session, NULL, &effects, 0);
    sky_effects_done(&effects);
}

/* ---- who is watched ---- */

static struct sky_upgrade_watch *find_watch(const struct sky_broker *broker, int64_t device_id)
{
    struct sky_upgrade_watch *watch;
    HASH_FIND(hh, broker->upgrades.watches, &device_id, sizeof device_id, watch);
    return watch;
}

static struct sky_upgrade_watch *watch_of(struct sky_broker *broker, int64_t device_id)
{
    struct sky_upgrade_watch *watch = find_watch(broker, device_id);
    if (watch != NULL)
        return watch;
    watch = sky_mem_new(sizeof *watch);
    watch->device_id = device_id;
    watch->broker = broker;
    HASH_ADD(hh, broker->upgrades.watches, device_id, sizeof watch->device_id, watch);
    return watch;
}

static void drop_watch(struct sky_upgrade_watch *watch)
{
    struct sky_broker *broker = watch->broker;
    sky_clock_cancel(broker->registry->clock, &watch->timeout);
    sky_clock_forgive(broker->registry->clock, &watch->settle);
    HASH_DEL(broker->upgrades.watches, watch);
    free(watch);
}

/* NULL: the registry does not have the device any more. */
static struct sky_session *session_of(const struct sky_upgrade_watch *watch)
{
    struct sky_registry *registry = watch->broker->registry;
    struct sky_session *session = sky_session_find(registry, watch->device_id);
    struct sky_product product;
    struct sky_device device;
    if (session == NULL &&
        sky_store_get_device(registry->store, watch->device_id, &product, &device) == SKY_OK)
        session = sky_session_open(registry, &product, &device);
    return session;
}

static void on_timeout(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_upgrade_watch *watch = SKY_CONTAINER_OF(timer, struct sky_upgrade_watch, timeout);
    struct sky_broker *broker = watch->broker;
    struct sky_session *session = session_of(watch);
    struct sky_upgrades_view view;
    if (session == NULL) {
        drop_watch(watch);
        return;
    }
    if (sky_upgrades_view(broker, session, &view, NULL) == SKY_OK) {
        sky_ota_pass(&view.ota, watch->timeout_ms);
        sky_upgrades_store(broker, session, &view);
    }
    sky_upgrades_close(&view);
}

/* Keeps an eye on the device for as long as one of its upgrades is open. */
static void follow(struct sky_broker *broker, int64_t device_id, const struct sky_ota *ota)
{
    struct sky_clock *clock = broker->registry->clock;
    struct sky_upgrade_watch *watch = find_watch(broker, device_id);
    bool open = false;
    for (size_t i = 0; i < ota->count; i++)
        open |= sky_ota_is_open(&ota->rows[i]);
    if (!open && watch != NULL)
        drop_watch(watch);
    if (!open)
        return;
    watch = watch_of(broker, device_id);
    watch->timeout_ms = sky_ota_next_ms(ota);
    sky_clock_cancel(clock, &watch->timeout);
    if (watch->timeout_ms != INT64_MAX)
        sky_clock_timer(clock, &watch->timeout, watch->timeout_ms - clock->now_ms, on_timeout);
}

/* ---- telling devices ---- */

/* Can every message get to the device now? */
static bool gets_through(struct sky_broker *broker, struct sky_session *session,
                         struct sky_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        struct sky_effect *effect = &effects->list[i];
        uint8_t granted = 1;
        if (effect->kind != SKY_EFFECT_PUSH)
            continue;
        if (sky_session_is_connected(session) &&
            !sky_delivery_listened(broker, session, effect->topic, &granted))
            return false;
        if (effect->qos > granted)
            effect->qos = granted;
        if (sky_delivery_hindrance(broker, session, effect->topic, effect->payload, effect->qos,
                                   effect->delay_ms)
                .err != SKY_OK)
            return false;
    }
    return true;
}

/* One device, one upgrade; where another is due as well, the change of the document leads here
 * again. */
static void tell(struct sky_broker *broker, struct sky_session *session,
                 struct sky_upgrades_view *view, uint64_t of)
{
    struct sky_effects effects;
    char link[SKY_LINK_SIZE], digits[SKY_COMMAND_DIGITS];
    const struct sky_uplink to = sky_session_uplink(session);
    const sky_span id = sky_command_fresh_id(broker, session, digits);
    view->facts.link = sky_session_link(broker, session, link);
    sky_effects_init(&effects);
    if (sky_ota_tell(&view->ota, &to, &view->facts, id, &effects) &&
        gets_through(broker, session, &effects))
        (void)sky_apply(broker, session, NULL, &effects, of);
    sky_effects_done(&effects);
}

static void tell_waiting(struct sky_broker *broker, const struct sky_session *session,
                         const struct sky_ota *ota)
{
    struct sky_upgrade_wait *wait, *next;
    DL_FOREACH_SAFE (broker->upgrades.waits, wait, next) {
        const struct sky_ota_upgrade *upgrade = wait->device_id == session->device_id
                                                    ? sky_ota_find(ota, sky_span_str(wait->module))
                                                    : NULL;
        if (upgrade == NULL || sky_ota_is_open(upgrade))
            continue;
        sky_upgrade_done_fn *done = wait->done;
        void *ctx = wait->ctx;
        sky_upgrade_cancel_wait(wait);
        done(ctx, ota, upgrade);
    }
}

void sky_upgrades_look(struct sky_broker *broker, struct sky_session *session, uint64_t of)
{
    struct sky_upgrades_view view;
    if (sky_upgrades_view(broker, session, &view, NULL) == SKY_OK) {
        follow(broker, session->device_id, &view.ota);
        tell_waiting(broker, session, &view.ota);
        if (sky_session_is_online(session))
            tell(broker, session, &view, of);
    }
    sky_upgrades_close(&view);
}

static void on_settled(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_upgrade_watch *watch = SKY_CONTAINER_OF(timer, struct sky_upgrade_watch, settle);
    struct sky_session *session = session_of(watch);
    if (session != NULL)
        sky_upgrades_look(watch->broker, session, 0);
    else
        drop_watch(watch);
}

void sky_upgrades_arrived(struct sky_broker *broker, const struct sky_session *session)
{
    struct sky_upgrade_watch *watch = find_watch(broker, session->device_id);
    if (watch != NULL && !sky_timer_is_set(&watch->settle))
        sky_clock_patience(broker->registry->clock, &watch->settle, SKY_UPGRADE_SETTLE_MS,
                           on_settled);
}

/* ---- who waits ---- */

static void on_patience_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_upgrade_wait *wait = SKY_CONTAINER_OF(timer, struct sky_upgrade_wait, timer);
    struct sky_broker *broker = wait->broker;
    const struct sky_session *session = sky_session_find(broker->registry, wait->device_id);
    struct sky_upgrades_view view;
    char module[sizeof wait->module];
    sky_upgrade_done_fn *done = wait->done;
    void *ctx = wait->ctx;
    snprintf(module, sizeof module, "%s", wait->module);
    sky_upgrade_cancel_wait(wait);
    if (session == NULL) {
        done(ctx, NULL, NULL);
        return;
    }
    bool known = sky_upgrades_view(broker, session, &view, NULL) == SKY_OK;
    done(ctx, &view.ota, known ? sky_ota_find(&view.ota, sky_span_str(module)) : NULL);
    sky_upgrades_close(&view);
}

struct sky_upgrade_wait *sky_upgrade_wait(struct sky_broker *broker, int64_t device_id,
                                          sky_span module, int64_t wait_ms,
                                          sky_upgrade_done_fn *done, void *ctx)
{
    if (broker->upgrades.wait_count >= SKY_UPGRADE_WAITS_MAX)
        return NULL;
    struct sky_upgrade_wait *wait = sky_mem_new(sizeof *wait);
    wait->broker = broker;
    wait->device_id = device_id;
    wait->done = done;
    wait->ctx = ctx;
    bool fits = sky_span_copy(module, wait->module, sizeof wait->module);
    SKY_ASSERT(fits);
    DL_APPEND(broker->upgrades.waits, wait);
    broker->upgrades.wait_count++;
    sky_clock_patience(broker->registry->clock, &wait->timer, wait_ms, on_patience_over);
    return wait;
}

void sky_upgrade_cancel_wait(struct sky_upgrade_wait *wait)
{
    struct sky_broker *broker = wait->broker;
    sky_clock_forgive(broker->registry->clock, &wait->timer);
    DL_DELETE(broker->upgrades.waits, wait);
    broker->upgrades.wait_count--;
    free(wait);
}

void sky_upgrades_end_waits(struct sky_broker *broker, int64_t device_id)
{
    struct sky_upgrade_wait *wait, *next;
    DL_FOREACH_SAFE (broker->upgrades.waits, wait, next) {
        sky_upgrade_done_fn *done = wait->done;
        void *ctx = wait->ctx;
        if (wait->device_id != device_id)
            continue;
        sky_upgrade_cancel_wait(wait);
        done(ctx, NULL, NULL);
    }
}

/* ---- from start to end ---- */

static bool load_one(void *ctx, int64_t device_id, sky_span body)
{
    struct sky_broker *broker = ctx;
    const struct sky_facts facts = {.now_ms = broker->registry->clock->now_ms, .document = body};
    struct sky_product product;
    struct sky_device device;
    struct sky_arena arena;
    struct sky_ota ota;
    if (!sky_ota_any_open(body) ||
        sky_store_get_device(broker->registry->store, device_id, &product, &device) != SKY_OK)
        return true;
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(product.cloud));
    if (cloud == NULL || cloud->ota == NULL)
        return true;
    sky_arena_init(&arena);
    sky_ota_open(&ota, cloud, &facts, &arena);
    follow(broker, device_id, &ota);
    sky_arena_done(&arena);
    return true;
}

sky_err sky_upgrades_load(struct sky_broker *broker, struct sky_why *why)
{
    broker->upgrades.look = sky_upgrades_look;
    broker->upgrades.arrived = sky_upgrades_arrived;
    sky_err err = sky_store_each_document_called(broker->registry->store,
                                                 SKY_SPAN(SKY_OTA_DOCUMENT), load_one, broker);
    return err == SKY_OK ? SKY_OK : sky_store_why(broker->registry->store, why);
}

void sky_upgrades_load_of(struct sky_broker *broker, int64_t device_id)
{
    struct sky_buf body;
    int64_t version;
    sky_buf_init(&body, SKY_STORE_BLOB_MAX);
    if (sky_store_get_document(broker->registry->store, device_id, SKY_SPAN(SKY_OTA_DOCUMENT),
                               &body, &version) == SKY_OK)
        (void)load_one(broker, device_id, sky_buf_span(&body));
    sky_buf_done(&body);
}

void sky_upgrades_add_watched(const struct sky_broker *broker, struct sky_buf *ids)
{
    const struct sky_upgrade_watch *watch, *next;
    HASH_ITER (hh, broker->upgrades.watches, watch, next)
        sky_ids_add(ids, watch->device_id);
}

void sky_upgrades_done(struct sky_broker *broker)
{
    struct sky_upgrade_watch *watch, *next;
    HASH_ITER (hh, broker->upgrades.watches, watch, next)
        drop_watch(watch);
    while (broker->upgrades.waits != NULL)
        sky_upgrade_cancel_wait(broker->upgrades.waits);
    sky_images_done(broker);
}
