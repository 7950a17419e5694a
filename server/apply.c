#include "server/apply.h"

#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/mqtt_port.h"

/* For so long a device that comes with an expired token is told that it has expired. */
enum {
    TOKEN_KEPT_EXPIRED_MS = 24 * 3600 * 1000,
    TOKEN_SWEEP_MS = 60 * 1000,
};

/* One effect in its surroundings. */
struct site {
    struct sky_app *app;
    struct sky_session *session;
    const struct sky_act *act;
    uint64_t of;
};

static void record(const struct site *site, enum sky_event_type type, const struct sky_attr *attrs,
                   size_t count)
{
    const struct sky_conn *conn = site->session->conn;
    const struct sky_event_head head = {.type = type,
                                        .direction = SKY_INSIDE,
                                        .transport = conn != NULL ? conn->door.transport : SKY_TCP,
                                        .connection = conn != NULL ? conn->id : 0,
                                        .device_id = site->session->device_id};
    sky_journal_add(site->app->journal, &head, attrs, count, NULL);
}

static void record_failure(const struct site *site, const char *what, sky_err err)
{
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, sky_span_str(what)),
                                     SKY_ATTR(REASON, sky_span_str(sky_err_text(err)))};
    record(site, SKY_EVENT_NOTE, attrs, SKY_COUNT(attrs));
}

static void do_reply(const struct site *site, const struct sky_effect *effect)
{
    if (site->act != NULL && site->act->on_reply != NULL)
        site->act->on_reply(site->act->ctx, effect);
    else
        sky_broker_reply(site->app, site->session, effect->topic, effect->payload, effect->qos,
                         site->of);
}

static void do_push(const struct site *site, const struct sky_effect *effect)
{
    sky_broker_push(site->app, site->session, effect->topic, effect->payload, effect->qos, site->of,
                    effect->delay_ms);
}

/* A message from the cloud that nobody is there to receive is worth a line: nobody else tells. */
static void do_publish(const struct site *site, const struct sky_effect *effect)
{
    if (sky_broker_spread(site->app, effect->topic, effect->payload, effect->qos, site->of) > 0)
        return;
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, effect->topic),
                                     SKY_ATTR(PAYLOAD, effect->payload),
                                     SKY_ATTR(REASON, SKY_SPAN("nobody subscribes to the topic"))};
    record(site, SKY_EVENT_DROP, attrs, SKY_COUNT(attrs));
}

static void do_put_document(const struct site *site, const struct sky_effect *effect)
{
    sky_store_batch(site->app->store);
    sky_err err = sky_store_put_document(site->app->store, site->session->device_id, effect->name,
                                         effect->payload, effect->version);
    if (err != SKY_OK) {
        record_failure(site, "put-document", err);
        return;
    }
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, effect->name),
                                     SKY_ATTR_INT(VERSION, effect->version),
                                     SKY_ATTR_INT(OF, (int64_t)site->of)};
    record(site, SKY_EVENT_DOCUMENT, attrs, SKY_COUNT(attrs));
}

/* Changes the device as the registry has it, if `change` says there is anything to change. */
static void change_device(const struct site *site, enum sky_event_type type,
                          bool (*change)(struct sky_device *device,
                                         const struct sky_effect *effect),
                          const struct sky_effect *effect)
{
    struct sky_product product;
    struct sky_device device;
    sky_store_batch(site->app->store);
    sky_err err =
        sky_store_get_device(site->app->store, site->session->device_id, &product, &device);
    if (err == SKY_OK && !change(&device, effect))
        return;
    if (err == SKY_OK)
        err = sky_store_set_device(site->app->store, &device);
    if (err != SKY_OK)
        record_failure(site, "change-device", err);
    else
        record(site, type, NULL, 0);
}

static bool hand_out_secret(struct sky_device *device, const struct sky_effect *effect)
{
    snprintf(device->old_secret, sizeof device->old_secret, "%s", device->secret);
    device->secret_issued = sky_span_copy(effect->payload, device->secret, sizeof device->secret);
    SKY_ASSERT(device->secret_issued);
    return true;
}

static bool set_active(struct sky_device *device, const struct sky_effect *effect)
{
    (void)effect;
    if (device->state == SKY_DEVICE_ACTIVE)
        return false;
    device->state = SKY_DEVICE_ACTIVE;
    return true;
}

static void do_activate(const struct site *site, const struct sky_effect *effect)
{
    change_device(site, SKY_EVENT_ACTIVATE, hand_out_secret, effect);
}

static void do_online(const struct site *site, const struct sky_effect *effect)
{
    change_device(site, SKY_EVENT_ONLINE, set_active, effect);
}

/* Tokens that expired long ago go, looked for now and then only. */
static sky_err sweep_tokens(struct sky_app *app)
{
    int64_t now_ms = app->clock.now_ms;
    if (now_ms - app->tokens_swept_ms < TOKEN_SWEEP_MS)
        return SKY_OK;
    app->tokens_swept_ms = now_ms;
    return sky_store_drop_tokens(app->store, now_ms - TOKEN_KEPT_EXPIRED_MS);
}

static void do_mint_token(const struct site *site, const struct sky_effect *effect)
{
    struct sky_token token = {.device_id = site->session->device_id,
                              .expires_ms = site->app->clock.now_ms + effect->delay_ms};
    sky_span_copy(effect->name, token.id, sizeof token.id);
    sky_span_copy(effect->payload, token.token, sizeof token.token);
    sky_store_batch(site->app->store);
    sky_err err = sweep_tokens(site->app);
    if (err == SKY_OK)
        err = sky_store_put_token(site->app->store, &token);
    if (err != SKY_OK)
        record_failure(site, "mint-token", err);
    else
        record(site, SKY_EVENT_TOKEN, NULL, 0);
}

static void do_answer(const struct site *site, const struct sky_effect *effect)
{
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, effect->name), SKY_ATTR(TOPIC, effect->topic),
                                     SKY_ATTR(PAYLOAD, effect->payload),
                                     SKY_ATTR_INT(OF, (int64_t)site->of)};
    record(site, SKY_EVENT_ANSWER, attrs, SKY_COUNT(attrs));
    sky_commands_answered(site->app, site->session, effect->name, effect->topic, effect->payload);
}

static void do_close(const struct site *site, const struct sky_effect *effect)
{
    struct sky_conn *conn = site->session->conn;
    if (conn == NULL)
        return;
    if (effect->delay_ms == 0)
        sky_conn_close(conn, "the cloud ends the connection");
    else
        sky_mqtt_port_cut(conn, effect->delay_ms);
}

static void do_note(const struct site *site, const struct sky_effect *effect)
{
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, effect->name),
                                     SKY_ATTR(DETAIL, effect->payload)};
    record(site, SKY_EVENT_NOTE, attrs, SKY_COUNT(attrs));
}

static void (*const doers[])(const struct site *site, const struct sky_effect *effect) = {
    [SKY_EFFECT_REPLY] = do_reply,           [SKY_EFFECT_PUSH] = do_push,
    [SKY_EFFECT_PUBLISH] = do_publish,       [SKY_EFFECT_PUT_DOCUMENT] = do_put_document,
    [SKY_EFFECT_ACTIVATE] = do_activate,     [SKY_EFFECT_ONLINE] = do_online,
    [SKY_EFFECT_MINT_TOKEN] = do_mint_token, [SKY_EFFECT_ANSWER] = do_answer,
    [SKY_EFFECT_CLOSE] = do_close,           [SKY_EFFECT_NOTE] = do_note,
};

void sky_apply(struct sky_app *app, struct sky_session *session, const struct sky_act *act,
               struct sky_effects *effects, uint64_t of)
{
    const struct site site = {app, session, act, of};
    for (size_t i = 0; i < effects->count; i++) {
        const struct sky_effect *effect = &effects->list[i];
        SKY_ASSERT((size_t)effect->kind < SKY_COUNT(doers));
        doers[effect->kind](&site, effect);
    }
    sky_effects_clear(effects);
}
