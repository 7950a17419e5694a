/* Back to the beginning: one device, one product, or everything. Whatever it is begins a new
 * chapter; events and the verdict of the run stay, unless they are to be forgotten. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/broker/gateways.h"
#include "server/broker/presence.h"
#include "server/os/config.h"
#include "server/registry/fixture_files.h"
#include "store/topology.h"

/* Of the devices that the named thing is or has; empty: of all. */
static void forget_sessions(struct sky_app *app, sky_span name)
{
    for (uint32_t slot = 0; slot < app->registry.slots; slot++) {
        struct sky_session *session = app->registry.by_slot[slot];
        if (session != NULL && sky_party_is_of(session->party, name))
            sky_session_forget(&app->broker, session);
    }
}

/* Devices as the fixtures have them, those too that were deleted since. Time is real again. */
static sky_err reset_all(struct sky_app *app, struct sky_why *why)
{
    struct sky_fixture_result loaded;
    bool fixtures = app->config->fixtures.count > 0;
    /* A fixture that cannot be read any more must not leave things half done. */
    sky_err err = SKY_OK;
    if (fixtures)
        err = sky_fixture_files_load(NULL, &app->config->fixtures, &app->registry.catalogue,
                                     &app->rng, app->clock.now_ms, NULL, &loaded, why);
    if (err != SKY_OK)
        return err;
    forget_sessions(app, SKY_SPAN_NONE);
    err = sky_store_reset_devices(app->store);
    if (err == SKY_OK && fixtures)
        err = sky_fixture_files_load(app->store, &app->config->fixtures, &app->registry.catalogue,
                                     &app->rng, app->clock.now_ms, NULL, &loaded, why);
    if (err != SKY_OK)
        return err;
    sky_clock_reset(&app->clock);
    return SKY_OK;
}

struct ids {
    int64_t *list; /* owned */
    size_t count;
};

static bool take_id(void *ctx, const struct sky_product *product, const struct sky_device *device)
{
    struct ids *ids = ctx;
    (void)product;
    ids->list = sky_mem_grow(ids->list, (ids->count + 1) * sizeof *ids->list);
    ids->list[ids->count++] = device->id;
    return true;
}

/* As above; a device that no fixture named goes. */
static sky_err reset_product(struct sky_app *app, sky_span name, const struct sky_product *product)
{
    struct ids ids = {0};
    sky_err err = sky_store_each_device(app->store, product->id, 0, SIZE_MAX, take_id, &ids);
    if (err == SKY_OK)
        forget_sessions(app, name);
    for (size_t i = 0; err == SKY_OK && i < ids.count; i++) {
        err = sky_store_reset_device(app->store, ids.list[i]);
        if (err == SKY_ERR_NOT_FOUND)
            err = sky_store_delete_device(app->store, ids.list[i]);
        else if (err == SKY_OK)
            err = sky_gateway_claim(&app->broker, product, ids.list[i]);
    }
    free(ids.list);
    return err == SKY_OK ? sky_store_reset_product(app->store, product->id) : err;
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

static void reset_device(struct sky_api *api, sky_span name)
{
    struct sky_app *app = api->app;
    struct sky_product product;
    struct sky_device device;
    sky_match_device(name, &api->vars);
    if (!sky_api_device(api, &product, &device))
        return;
    sky_err err = sky_store_reset_device(app->store, device.id);
    if (err == SKY_ERR_NOT_FOUND) {
        sky_api_error(api, 409, "conflict", "/device",
                      "no fixture names this device: there is nothing to go back to");
        return;
    }
    if (err == SKY_OK)
        err = sky_gateway_claim(&app->broker, &product, device.id);
    if (err != SKY_OK) {
        sky_api_fail(api, err, NULL);
        return;
    }
    struct sky_session *session = sky_session_find(&app->registry, device.id);
    if (session != NULL)
        sky_session_forget(&app->broker, session);
    begin_chapter(api, name, device.id, "device");
}

static sky_err find_product(struct sky_api *api, const char *name, struct sky_product *ret_product)
{
    sky_match_product(sky_span_str(name), &api->vars);
    return sky_store_find_product(api->app->store, sky_span_str(api->vars.cloud),
                                  sky_span_str(api->vars.product), ret_product);
}

void sky_api_reset(struct sky_api *api)
{
    const char *device = sky_api_body_text(api, "device");
    const char *product = sky_api_body_text(api, "product");
    struct sky_why why = {0};
    struct sky_product found;
    if (device != NULL && product != NULL) {
        sky_api_error(api, 400, "invalid", "/product", "give a device or a product, not both");
        return;
    }
    if (device != NULL) {
        reset_device(api, sky_span_str(device));
        return;
    }
    sky_err err = product != NULL ? find_product(api, product, &found) : SKY_OK;
    if (err == SKY_ERR_NOT_FOUND) {
        sky_api_error(api, 404, "not_found", "/product", "there is no product '%s'", product);
        return;
    }
    if (err == SKY_OK)
        err = product != NULL ? reset_product(api->app, sky_span_str(product), &found)
                              : reset_all(api->app, &why);
    if (err != SKY_OK)
        sky_api_fail(api, err, &why);
    else
        begin_chapter(api, sky_span_str(product != NULL ? product : ""), 0,
                      product != NULL ? product : "all");
}
