/* Back to the beginning: one device, one product, or everything. Whatever it is begins a new
 * chapter; events and the verdict of the run stay, unless they are to be forgotten. */
#include "server/admin/api.h"
#include "server/broker/gateways.h"
#include "server/broker/presence.h"
#include "server/os/config.h"
#include "server/registry/fixture_files.h"

/* A device that is there no more is a party no more either. */
static void forget_session(struct sky_app *app, struct sky_session *session)
{
    struct sky_product product;
    struct sky_device device;
    if (sky_store_get_device(app->store, session->device_id, &product, &device) ==
        SKY_ERR_NOT_FOUND)
        sky_session_leave(&app->broker, session);
    else
        sky_session_forget(&app->broker, session);
}

/* Of the devices that the named thing is or has; empty: of all. */
static void forget_sessions(struct sky_app *app, sky_span name)
{
    for (uint32_t slot = 0; slot < app->registry.slots; slot++) {
        struct sky_session *session = app->registry.by_slot[slot];
        if (session != NULL && sky_party_is_of(session->party, name))
            forget_session(app, session);
    }
}

/* Devices as the fixtures have them, those too that were deleted since. A fixture that cannot be
 * read any more must not leave things half done. Time is real again. */
static sky_err reset_all(struct sky_app *app, struct sky_why *why)
{
    struct sky_fixture_result loaded;
    sky_err err = sky_store_begin(app->store);
    if (err != SKY_OK)
        return err;
    err = sky_store_reset_devices(app->store, 0);
    if (err == SKY_OK && app->config->fixtures.count > 0)
        err = sky_fixture_files_load_within(app->store, &app->config->fixtures,
                                            &app->registry.catalogue, &app->rng, app->clock.now_ms,
                                            &loaded, why);
    if (err != SKY_OK) {
        sky_store_rollback(app->store);
        return err;
    }
    forget_sessions(app, SKY_SPAN_NONE);
    sky_clock_reset(&app->clock);
    return sky_store_commit(app->store);
}

struct claiming {
    struct sky_broker *broker;
    struct sky_buf gateways; /* their ids */
};

static bool take_id(void *ctx, const struct sky_product *product, const struct sky_device *device)
{
    (void)product;
    return sky_buf_add(&((struct claiming *)ctx)->gateways,
                       sky_span_of(&device->id, sizeof device->id));
}

/* What stands behind the product's gateways again stands behind no other. */
static sky_err claim_all(struct sky_app *app, const struct sky_product *product)
{
    struct claiming claiming = {.broker = &app->broker};
    int64_t id;
    if (product->node != SKY_NODE_GATEWAY)
        return SKY_OK;
    sky_buf_init(&claiming.gateways, SIZE_MAX);
    sky_err err = sky_store_each_device(app->store, product->id, 0, SIZE_MAX, take_id, &claiming);
    for (size_t at = 0; err == SKY_OK && at < claiming.gateways.len; at += sizeof id) {
        memcpy(&id, claiming.gateways.bytes + at, sizeof id);
        err = sky_gateway_claim(&app->broker, product, id);
    }
    sky_buf_done(&claiming.gateways);
    return err;
}

static sky_err reset_product(struct sky_app *app, sky_span name, const struct sky_product *product)
{
    sky_err err = sky_store_reset_devices(app->store, product->id);
    if (err != SKY_OK)
        return err;
    forget_sessions(app, name);
    return claim_all(app, product);
}

/* The journal keeps its events. */
static void begin_chapter(struct sky_api *api, sky_span name, int64_t device_id, const char *what)
{
    struct sky_journal_stats stats;
    sky_api_record(api->app, SKY_EVENT_RESET, device_id, what);
    sky_journal_stats(api->app->journal, &stats);
    sky_faults_clear(api->app->faults, name);
    sky_parties_turn(&api->app->registry, name, stats.last_seq - 1,
                     sky_api_body_bool(api, "forget", false));
    sky_api_send(api, 204);
}

static void reset_device(struct sky_api *api, const char *name)
{
    struct sky_app *app = api->app;
    struct sky_product product;
    struct sky_device device;
    sky_match_device(sky_span_str(name), &api->vars);
    if (!sky_api_device(api, &product, &device))
        return;
    if (device.temporary)
        sky_gateway_changed(&app->broker, &product, &device, SKY_BEHIND_DELETED);
    sky_err err = sky_store_reset_device(app->store, device.id);
    if (err == SKY_OK && !device.temporary)
        err = sky_gateway_claim(&app->broker, &product, device.id);
    if (err != SKY_OK) {
        sky_api_fail(api, err, NULL);
        return;
    }
    struct sky_session *session = sky_session_find(&app->registry, device.id);
    if (session != NULL)
        forget_session(app, session);
    begin_chapter(api, sky_span_str(name), device.id, "device");
}

void sky_api_reset(struct sky_api *api)
{
    const char *device = sky_api_body_text(api, "device");
    const char *product = sky_api_body_text(api, "product");
    struct sky_why why = {0};
    struct sky_product found;
    if (device != NULL) {
        reset_device(api, device);
        return;
    }
    if (product != NULL && !sky_api_product_named(api, product, &found))
        return;
    sky_err err = product != NULL ? reset_product(api->app, sky_span_str(product), &found)
                                  : reset_all(api->app, &why);
    if (err != SKY_OK)
        sky_api_fail(api, err, &why);
    else
        begin_chapter(api, sky_span_str(product != NULL ? product : ""), 0,
                      product != NULL ? product : "all");
}
