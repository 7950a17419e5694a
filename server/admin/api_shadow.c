/* What the cloud keeps of a device: its shadow, its latest values, its documents. */
#include "protocol/base/mem.h"
#include "protocol/cloud/shadow.h"
#include "server/admin/api.h"
#include "server/broker/effects.h"
#include "server/broker/presence.h"

/* A document as it is stored, with the facts that show it to the cloud. */
struct stored {
    struct sky_facts facts; /* the document is empty when the device has none of that name */
    struct sky_buf body;
};

/* False, and answered, when the store refuses. Ends with stored_done() in either case. */
static bool stored_get(struct sky_api *api, const struct sky_device *device, const char *name,
                       struct stored *stored)
{
    *stored = (struct stored){.facts = {.device = device, .now_ms = api->app->clock.now_ms}};
    sky_buf_init(&stored->body, SKY_STORE_BLOB_MAX);
    sky_err err = sky_store_get_document(api->app->store, device->id, sky_span_str(name),
                                         &stored->body, &stored->facts.document_version);
    stored->facts.document = sky_buf_span(&stored->body);
    if (err == SKY_OK)
        err = sky_api_check_text(api, stored->facts.document);
    if (err == SKY_OK || err == SKY_ERR_NOT_FOUND)
        return true;
    sky_api_fail_store(api, err);
    return false;
}

static void stored_done(struct stored *stored)
{
    sky_buf_done(&stored->body);
}

/* ---- shadow ---- */

/* The cloud of the device that the path names. NULL, and answered, when there is no such device or
 * its cloud has no shadow. */
static const struct sky_cloud *cloud_with_shadow(struct sky_api *api, struct sky_product *product,
                                                 struct sky_device *device)
{
    if (!sky_api_device(api, product, device))
        return NULL;
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(product->cloud));
    if (cloud->shadow != NULL)
        return cloud;
    sky_api_error(api, 404, "not_found", "", "%s keeps no shadow of a device", cloud->title);
    return NULL;
}

static void show_shadow(struct sky_api *api, const struct sky_cloud *cloud,
                        const struct sky_device *device)
{
    struct stored stored;
    struct sky_arena arena;
    if (stored_get(api, device, cloud->shadow->document, &stored)) {
        sky_arena_init(&arena);
        sky_jw_raw(&api->jw, sky_shadow_show(&stored.facts, &arena));
        sky_arena_done(&arena);
        sky_api_send(api, 200);
    }
    stored_done(&stored);
}

void sky_api_device_shadow(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    const struct sky_cloud *cloud = cloud_with_shadow(api, &product, &device);
    if (cloud != NULL)
        show_shadow(api, cloud, &device);
}

/* False, and answered, when the cloud refuses. */
static bool patch(struct sky_api *api, const struct sky_cloud *cloud,
                  const struct sky_product *product, const struct sky_device *device)
{
    struct sky_app *app = api->app;
    struct sky_session *session = sky_session_open(&app->registry, product, device);
    struct sky_uplink to = sky_session_uplink(session);
    struct sky_effects effects;
    struct stored stored;
    struct sky_why why = {0};
    bool done = false;
    sky_effects_init(&effects);
    if (stored_get(api, device, cloud->shadow->document, &stored)) {
        sky_err err = cloud->shadow->patch(&to, &stored.facts, api->call->body, &effects, &why);
        done = err == SKY_OK;
        if (done)
            sky_apply(&app->broker, session, NULL, &effects, 0);
        else
            sky_api_fail(api, err, &why);
    }
    sky_effects_done(&effects);
    stored_done(&stored);
    return done;
}

void sky_api_device_shadow_patch(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    const struct sky_cloud *cloud = cloud_with_shadow(api, &product, &device);
    if (cloud != NULL && patch(api, cloud, &product, &device) && sky_api_settle(api))
        show_shadow(api, cloud, &device);
}

/* ---- documents ---- */

static void write_document(struct sky_api *api, const char *key, const struct stored *stored)
{
    sky_span text = stored->facts.document;
    sky_jw_object(&api->jw);
    sky_jw_put_int(&api->jw, "version", stored->facts.document_version);
    sky_jw_key(&api->jw, key);
    sky_jw_raw(&api->jw, text.len > 0 ? text : SKY_SPAN("{}"));
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 200);
}

/* A device that posted nothing yet has no values, and that is an answer. */
void sky_api_device_properties(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    struct stored stored;
    if (!sky_api_device(api, &product, &device))
        return;
    if (stored_get(api, &device, "properties", &stored))
        write_document(api, "properties", &stored);
    stored_done(&stored);
}

static bool write_name(void *ctx, sky_span name, sky_span body, int64_t version)
{
    struct sky_jw *jw = ctx;
    (void)body;
    sky_jw_object(jw);
    sky_jw_put_span(jw, "name", name);
    sky_jw_put_int(jw, "version", version);
    sky_jw_end_object(jw);
    return true;
}

void sky_api_device_documents(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    if (!sky_api_device(api, &product, &device))
        return;
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "documents");
    sky_jw_array(&api->jw);
    sky_err err = sky_store_each_document(api->app->store, device.id, write_name, &api->jw);
    sky_api_send_list(api, err);
}

void sky_api_device_document(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    struct stored stored;
    if (!sky_api_device(api, &product, &device))
        return;
    if (stored_get(api, &device, api->vars.name, &stored)) {
        if (stored.facts.document.len > 0)
            write_document(api, "document", &stored);
        else
            sky_api_error(api, 404, "not_found", "", "the device has no document '%s'",
                          api->vars.name);
    }
    stored_done(&stored);
}
