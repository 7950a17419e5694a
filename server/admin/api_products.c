/* Products of the registry. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/bulk.h"
#include "server/registry/fixture_files.h"

static void write_members(struct sky_api *api, const struct sky_product *product)
{
    struct sky_jw *jw = &api->jw;
    sky_jw_put_str(jw, "cloud", product->cloud);
    sky_jw_put_str(jw, "product", product->key);
    sky_jw_put_bool(jw, "dynamicActivation", product->dynamic_activation);
    sky_jw_put_bool(jw, "requireCertificate", product->require_certificate);
    sky_jw_put_bool(jw, "httpsAuth", product->https_auth);
    sky_jw_put_str(jw, "nodeType", sky_node_name(product->node));
    if (sky_api_query_is(api, "secrets"))
        sky_jw_put_str(jw, "secret", product->secret);
}

static bool write_product(void *ctx, const struct sky_product *product)
{
    struct sky_api *api = ctx;
    sky_jw_object(&api->jw);
    write_members(api, product);
    sky_jw_end_object(&api->jw);
    return true;
}

void sky_api_product_read(struct sky_api *api)
{
    struct sky_product product;
    if (!sky_api_product(api, &product))
        return;
    sky_jw_object(&api->jw);
    write_members(api, &product);
    sky_api_write_texts(api, product.id);
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 200);
}

void sky_api_products_list(struct sky_api *api)
{
    struct sky_jw *jw = &api->jw;
    sky_jw_object(jw);
    sky_jw_key(jw, "products");
    sky_jw_array(jw);
    sky_err err = sky_store_each_product(api->app->store, write_product, api);
    sky_api_send_list(api, err);
}

/* ---- the text of a fixture file ---- */

struct adding {
    struct sky_bulk_act act;
    struct sky_buf text;
    struct sky_fixture_pieces pieces;
    size_t checked, written; /* of what is elsewhere, of the pieces */
    struct sky_seed_count count;
};

static struct adding *adding_of(struct sky_bulk_act *act)
{
    return SKY_CONTAINER_OF(act, struct adding, act);
}

static sky_err cut(struct sky_bulk_act *act, struct sky_why *why)
{
    struct adding *adding = adding_of(act);
    return sky_fixture_text_cut(sky_buf_span(&adding->text), &act->app->registry.catalogue,
                                act->now_ms, &adding->pieces, why);
}

/* All of it is checked before the first piece is written. */
static sky_err step(struct sky_bulk_act *act, struct sky_why *why)
{
    struct adding *adding = adding_of(act);
    struct sky_app *app = act->app;
    struct sky_strings *elsewhere = &adding->pieces.elsewhere, *texts = &adding->pieces.texts;
    struct sky_seed_count count;
    sky_err err = SKY_OK;
    if (act->at_once) {
        err =
            sky_fixture_text_add(app->store, sky_buf_span(&adding->text), &app->registry.catalogue,
                                 &app->rng, app->clock.now_ms, &adding->count, why);
        return err == SKY_OK ? SKY_ERR_NOT_FOUND : err;
    }
    if (adding->checked < elsewhere->count) {
        for (size_t i = 0; err == SKY_OK && i < SKY_BULK_SLICE; i++)
            if (adding->checked < elsewhere->count)
                err = sky_fixture_check_elsewhere(app->store, elsewhere->list[adding->checked++],
                                                  why);
        return err;
    }
    if (adding->written == texts->count)
        return SKY_ERR_NOT_FOUND;
    err =
        sky_fixture_piece_load(app->store, texts->list[adding->written++], true,
                               &app->registry.catalogue, &app->rng, app->clock.now_ms, &count, why);
    sky_fixture_sum(&adding->count, &count);
    act->in_part = true;
    return err;
}

static void done(struct sky_bulk_act *act)
{
    sky_api_record(act->app, SKY_EVENT_REGISTRY, 0, "fixtures");
}

static void answer(struct sky_bulk_act *act, struct sky_api *api, sky_err err,
                   const struct sky_why *why)
{
    const struct sky_seed_count *count = &adding_of(act)->count;
    struct sky_jw *jw = &api->jw;
    if (err != SKY_OK) {
        sky_api_fail(api, err, why);
        return;
    }
    sky_jw_object(jw);
    sky_jw_put_int(jw, "productsAdded", (int64_t)count->products_added);
    sky_jw_put_int(jw, "productsChanged", (int64_t)count->products_changed);
    sky_jw_put_int(jw, "devicesAdded", (int64_t)count->devices_added);
    sky_jw_put_int(jw, "devicesChanged", (int64_t)count->devices_changed);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}

static void free_adding(struct sky_bulk_act *act)
{
    struct adding *adding = adding_of(act);
    sky_buf_done(&adding->text);
    sky_strings_done(&adding->pieces.texts);
    sky_strings_done(&adding->pieces.elsewhere);
    free(adding);
}

static const struct sky_bulk_kind add_kind = {
    .prepare = cut, .step = step, .done = done, .answer = answer, .free = free_adding};

void sky_api_products_create(struct sky_api *api)
{
    struct adding *adding = sky_mem_new(sizeof *adding);
    *adding = (struct adding){.act = {.kind = &add_kind}};
    sky_buf_init(&adding->text, SKY_HTTP_ADMIN_BODY_MAX);
    sky_buf_add(&adding->text, api->call->body); /* whoever asked may go away */
    sky_bulk_do(api, &adding->act, api->call->body.len <= SKY_BULK_FEW_BYTES);
}
