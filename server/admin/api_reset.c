/* Back to the beginning: one device, or everything. */
#include "server/admin/api.h"
#include "server/broker/presence.h"
#include "server/os/config.h"
#include "server/registry/fixture_files.h"

static void forget_sessions(struct sky_app *app)
{
    for (uint32_t slot = 0; slot < app->registry.slots; slot++) {
        struct sky_session *session = app->registry.by_slot[slot];
        if (session != NULL)
            sky_session_forget(&app->broker, session);
    }
}

/* Devices as the fixtures have them, those too that were deleted since. */
static sky_err reset_registry(struct sky_app *app, struct sky_why *why)
{
    struct sky_fixture_result loaded;
    sky_err err = sky_store_reset_devices(app->store);
    if (err == SKY_OK && app->config->fixtures.count > 0)
        err = sky_fixture_files_load(app->store, &app->config->fixtures, &app->registry.catalogue,
                                     &app->rng, app->clock.now_ms, NULL, &loaded, why);
    return err;
}

static sky_err reset_all(struct sky_app *app, struct sky_why *why)
{
    forget_sessions(app);
    sky_clock_reset(&app->clock);
    sky_err err = reset_registry(app, why);
    if (err == SKY_OK)
        err = sky_journal_clear(app->journal);
    return err;
}

/* The journal keeps its events: they are everybody's. */
static void reset_one(struct sky_api *api, const char *name)
{
    struct sky_app *app = api->app;
    struct sky_product product;
    struct sky_device device;
    sky_match_device(sky_span_str(name), &api->vars);
    if (!sky_api_device(api, &product, &device))
        return;
    sky_err err = sky_store_reset_device(app->store, device.id);
    if (err == SKY_ERR_NOT_FOUND) {
        sky_api_error(api, 409, "conflict", "/device",
                      "no fixture names this device: there is nothing to go back to");
        return;
    }
    if (err != SKY_OK) {
        sky_api_fail(api, err, NULL);
        return;
    }
    struct sky_session *session = sky_session_find(&app->registry, device.id);
    if (session != NULL)
        sky_session_forget(&app->broker, session);
    sky_api_record(app, SKY_EVENT_RESET, device.id, "device");
    sky_api_send(api, 204);
}

void sky_api_reset(struct sky_api *api)
{
    const char *device = sky_api_body_text(api, "device");
    if (device != NULL) {
        reset_one(api, device);
        return;
    }
    struct sky_why why = {0};
    sky_err err = reset_all(api->app, &why);
    if (err != SKY_OK) {
        sky_api_fail(api, err, &why);
        return;
    }
    sky_api_record(api->app, SKY_EVENT_RESET, 0, "all");
    sky_api_send(api, 204);
}
