/* Back to the beginning: one device, one product, or everything. Whatever it is begins a new
 * chapter; events and the verdict of the run stay, unless they are to be forgotten. */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/ids.h"
#include "protocol/base/mem.h"
#include "server/admin/bulk.h"
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

/* The journal keeps its events. */
static void begin_chapter(struct sky_app *app, sky_span name, int64_t device_id, const char *what,
                          bool forget)
{
    struct sky_journal_stats stats;
    sky_api_record(app, SKY_EVENT_RESET, device_id, what);
    sky_journal_stats(app->journal, &stats);
    sky_faults_clear(app->faults, name);
    sky_parties_turn(&app->registry, name, stats.last_seq - 1, forget);
}

/* ---- many devices ---- */

struct reset {
    struct sky_bulk_act act;
    struct sky_product product; /* id 0: everything */
    char name[SKY_STORE_TITLE_MAX + 1];
    bool forget;
    bool devices_done;
    int64_t after_id;
    struct sky_buf ids;               /* of the slice */
    struct sky_fixture_pieces pieces; /* what the fixtures say */
    size_t checked, written;          /* of what is elsewhere, of the pieces */
};

static struct reset *reset_of(struct sky_bulk_act *act)
{
    return SKY_CONTAINER_OF(act, struct reset, act);
}

static void take_id(void *ctx, int64_t id)
{
    sky_ids_add(&((struct reset *)ctx)->ids, id);
}

static bool reads_fixtures(const struct reset *reset)
{
    return reset->product.id == 0 && reset->act.app->config->fixtures.count > 0;
}

/* A fixture that cannot be read any more must not leave things half done. */
static sky_err read_fixtures(struct sky_bulk_act *act, struct sky_why *why)
{
    struct reset *reset = reset_of(act);
    const struct sky_app *app = act->app;
    struct sky_fixture_result result;
    if (!reads_fixtures(reset))
        return SKY_OK;
    return sky_fixture_files_cut(&app->config->fixtures, &app->registry.catalogue, act->now_ms,
                                 NULL, &reset->pieces, true, &result, why);
}

/* The devices at hand have no sessions any more. What stands behind the product's gateways again
 * stands behind no other. */
static sky_err let_go(struct reset *reset)
{
    struct sky_app *app = reset->act.app;
    sky_err err = SKY_OK;
    for (size_t i = 0; i < sky_ids_count(&reset->ids) && err == SKY_OK; i++) {
        int64_t id = sky_ids_at(&reset->ids, i);
        struct sky_session *session = sky_session_find(&app->registry, id);
        if (session != NULL)
            forget_session(app, session);
        if (reset->product.id != 0)
            err = sky_gateway_claim(&app->broker, &reset->product, id);
    }
    sky_buf_clear(&reset->ids);
    return err;
}

/* Nobody loses a session before the fixtures are found good. */
static sky_err reset_at_once(struct reset *reset, struct sky_why *why)
{
    struct sky_app *app = reset->act.app;
    struct sky_fixture_result loaded;
    sky_err err = sky_store_reset_some(app->store, reset->product.id, &reset->after_id, SIZE_MAX,
                                       take_id, reset);
    if (err == SKY_ERR_NOT_FOUND)
        err = SKY_OK;
    if (err == SKY_OK && reads_fixtures(reset))
        err = sky_fixture_files_load_within(app->store, &app->config->fixtures,
                                            &app->registry.catalogue, &app->rng, app->clock.now_ms,
                                            &loaded, why);
    if (err == SKY_OK)
        err = let_go(reset);
    return err == SKY_OK ? SKY_ERR_NOT_FOUND : err;
}

static sky_err step(struct sky_bulk_act *act, struct sky_why *why)
{
    struct reset *reset = reset_of(act);
    struct sky_app *app = act->app;
    struct sky_seed_count count;
    if (act->at_once)
        return reset_at_once(reset, why);
    if (reset->checked < reset->pieces.elsewhere.count)
        return sky_fixture_check_elsewhere(app->store,
                                           reset->pieces.elsewhere.list[reset->checked++], why);
    act->in_part = reset->after_id != 0;
    if (!reset->devices_done) {
        sky_err err = sky_store_reset_some(app->store, reset->product.id, &reset->after_id,
                                           SKY_BULK_SLICE, take_id, reset);
        reset->devices_done = err == SKY_ERR_NOT_FOUND;
        return err == SKY_OK || reset->devices_done ? let_go(reset) : err;
    }
    if (reset->written == reset->pieces.texts.count)
        return SKY_ERR_NOT_FOUND;
    return sky_fixture_piece_load(app->store, reset->pieces.texts.list[reset->written++], false,
                                  &app->registry.catalogue, &app->rng, app->clock.now_ms, &count,
                                  why);
}

/* Time is real again, when all is. */
static void done(struct sky_bulk_act *act)
{
    struct reset *reset = reset_of(act);
    if (reset->product.id == 0)
        sky_clock_reset(&act->app->clock);
    begin_chapter(act->app, sky_span_str(reset->name), 0,
                  reset->product.id != 0 ? reset->name : "all", reset->forget);
}

static void free_reset(struct sky_bulk_act *act)
{
    struct reset *reset = reset_of(act);
    sky_buf_done(&reset->ids);
    sky_strings_done(&reset->pieces.texts);
    sky_strings_done(&reset->pieces.elsewhere);
    free(reset);
}

static const struct sky_bulk_kind reset_kind = {
    .prepare = read_fixtures, .step = step, .done = done, .free = free_reset};

static void reset_many(struct sky_api *api, const char *name, const struct sky_product *product)
{
    const struct sky_app *app = api->app;
    struct reset *reset = sky_mem_new(sizeof *reset);
    *reset = (struct reset){.act = {.kind = &reset_kind, .holds = true},
                            .forget = sky_api_body_bool(api, "forget", false)};
    if (product != NULL) {
        reset->product = *product;
        reset->act.held_product = product->id;
        (void)sky_span_copy(sky_span_str(name), reset->name, sizeof reset->name);
    }
    sky_buf_init(&reset->ids, SIZE_MAX);
    bool few = sky_store_has_few_devices(app->store, reset->product.id, SKY_BULK_FEW);
    if (product == NULL)
        few = few && sky_fixture_files_are_short(&app->config->fixtures, SKY_BULK_FEW_BYTES);
    sky_bulk_do(api, &reset->act, few);
}

/* ---- one device ---- */

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
    begin_chapter(app, sky_span_str(name), device.id, "device",
                  sky_api_body_bool(api, "forget", false));
    sky_api_send(api, 204);
}

void sky_api_reset(struct sky_api *api)
{
    const char *device = sky_api_body_text(api, "device");
    const char *product = sky_api_body_text(api, "product");
    struct sky_product found;
    if (device != NULL)
        reset_device(api, device);
    else if (product == NULL)
        reset_many(api, "", NULL);
    else if (sky_api_product_named(api, product, &found))
        reset_many(api, product, &found);
}
