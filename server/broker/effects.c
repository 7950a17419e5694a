#include "server/broker/effects.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/ota.h"
#include "server/broker/delivery.h"
#include "server/broker/gateways.h"
#include "server/broker/presence.h"
#include "server/broker/waits.h"

/* One effect in its surroundings. */
struct site {
    struct sky_broker *broker;
    struct sky_session *session;
    const struct sky_reply_sink *replies;
    uint64_t of;
    sky_err err;   /* the first failure */
    bool upgrades; /* the document of upgrades was replaced */
};

static void record_judged(const struct site *site, enum sky_event_type type,
                          const struct sky_attr *attrs, size_t count, const struct sky_judge *judge)
{
    const struct sky_conn *conn = sky_session_carrier(site->session)->conn;
    const struct sky_event_head head = {.type = type,
                                        .direction = SKY_INSIDE,
                                        .transport = conn != NULL ? conn->door->transport : SKY_TCP,
                                        .connection = conn != NULL ? conn->id : 0,
                                        .device_id = site->session->device_id};
    sky_journal_add(site->broker->registry->journal, &head, attrs, count, judge);
}

static void record(const struct site *site, enum sky_event_type type, const struct sky_attr *attrs,
                   size_t count)
{
    record_judged(site, type, attrs, count, NULL);
}

static void fail(struct site *site, const char *what, sky_err err)
{
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, sky_span_str(what)),
                                     SKY_ATTR(REASON, sky_span_str(sky_err_text(err))),
                                     SKY_ATTR_INT(OF, (int64_t)site->of)};
    record(site, SKY_EVENT_NOTE, attrs, SKY_COUNT(attrs));
    if (site->err == SKY_OK)
        site->err = err;
}

static void do_reply(struct site *site, const struct sky_effect *effect)
{
    if (site->replies != NULL)
        site->replies->take(site->replies->ctx, effect);
    else
        sky_deliver_reply(site->broker, site->session, effect->topic, effect->payload, effect->qos,
                          site->of);
}

static void do_push(struct site *site, const struct sky_effect *effect)
{
    sky_deliver_to(site->broker, site->session, effect->topic, effect->payload, effect->qos,
                   site->of, effect->delay_ms);
}

/* A message from the cloud that nobody is there to receive is worth a line: nobody else tells. */
static void do_publish(struct site *site, const struct sky_effect *effect)
{
    struct sky_delivered delivered =
        sky_deliver(site->broker, effect->topic, effect->payload, effect->qos, site->of);
    if (delivered.receivers + delivered.dropped > 0)
        return;
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, effect->topic),
                                     SKY_ATTR(PAYLOAD, effect->payload),
                                     SKY_ATTR(REASON, SKY_SPAN("nobody subscribes to the topic"))};
    record(site, SKY_EVENT_DROP, attrs, SKY_COUNT(attrs));
}

static void do_put_document(struct site *site, const struct sky_effect *effect)
{
    sky_store_batch(site->broker->registry->store);
    sky_err err = sky_store_put_document(site->broker->registry->store, site->session->device_id,
                                         effect->name, effect->payload, effect->version);
    if (err != SKY_OK) {
        fail(site, "put-document", err);
        return;
    }
    site->upgrades |= sky_span_eq_str(effect->name, SKY_OTA_DOCUMENT);
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, effect->name),
                                     SKY_ATTR_INT(VERSION, effect->version),
                                     SKY_ATTR_INT(OF, (int64_t)site->of)};
    record(site, SKY_EVENT_DOCUMENT, attrs, SKY_COUNT(attrs));
}

static void changed_device(struct site *site, enum sky_event_type type, sky_err err)
{
    if (err != SKY_OK)
        fail(site, "change-device", err);
    else
        record(site, type, NULL, 0);
}

static void do_activate(struct site *site, const struct sky_effect *effect)
{
    struct sky_store *store = site->broker->registry->store;
    struct sky_product product;
    struct sky_device device;
    sky_store_batch(store);
    sky_err err = sky_store_get_device(store, site->session->device_id, &product, &device);
    if (err == SKY_OK) {
        snprintf(device.old_secret, sizeof device.old_secret, "%s", device.secret);
        device.secret_issued = sky_span_copy(effect->payload, device.secret, sizeof device.secret);
        SKY_ASSERT(device.secret_issued);
        err = sky_store_set_device(store, &device);
    }
    changed_device(site, SKY_EVENT_ACTIVATE, err);
}

static void set_state(struct site *site, enum sky_event_type type, enum sky_device_state state)
{
    struct sky_store *store = site->broker->registry->store;
    sky_store_batch(store);
    sky_err err = sky_store_set_device_state(store, site->session->device_id, state);
    if (err != SKY_ERR_EXISTS)
        changed_device(site, type, err);
}

static void do_reset(struct site *site, const struct sky_effect *effect)
{
    (void)effect;
    set_state(site, SKY_EVENT_REGISTRY, SKY_DEVICE_INACTIVE);
}

static void do_online(struct site *site, const struct sky_effect *effect)
{
    (void)effect;
    set_state(site, SKY_EVENT_ONLINE, SKY_DEVICE_ACTIVE);
}

/* Each token takes the place of the device's oldest, which nobody presents any more. */
static sky_err put_token(struct site *site, const struct sky_token *token)
{
    struct sky_session *session = site->session;
    size_t newest = SKY_STORE_TOKENS_MAX - 1;
    sky_err err = SKY_OK;
    if (session->tokens == 0)
        err = sky_store_newest_token(site->broker->registry->store, token->device_id, &newest);
    else
        newest = session->tokens - 1U;
    size_t place = (newest + 1) % SKY_STORE_TOKENS_MAX;
    if (err == SKY_OK || err == SKY_ERR_NOT_FOUND)
        err = sky_store_put_token(site->broker->registry->store, place, token);
    if (err == SKY_OK)
        session->tokens = (uint8_t)(place + 1);
    session->token_waits |= err == SKY_OK;
    return err;
}

static void do_mint_token(struct site *site, const struct sky_effect *effect)
{
    struct sky_token token = {.device_id = site->session->device_id,
                              .expires_ms = sky_clock_lived_ms(site->broker->registry->clock) +
                                            effect->delay_ms};
    sky_span_copy(effect->name, token.id, sizeof token.id);
    sky_span_copy(effect->payload, token.token, sizeof token.token);
    sky_store_batch(site->broker->registry->store);
    sky_err err = put_token(site, &token);
    if (err != SKY_OK)
        fail(site, "mint-token", err);
    else
        record(site, SKY_EVENT_TOKEN, NULL, 0);
}

static void do_answer(struct site *site, const struct sky_effect *effect)
{
    struct sky_registry *registry = site->broker->registry;
    struct sky_command_wait *asked =
        effect->in_order
            ? sky_command_next(site->broker, site->session, effect->answers)
            : sky_command_asked(site->broker, site->session, effect->name, effect->answers);
    sky_span id = effect->in_order && asked != NULL ? sky_span_str(asked->id) : effect->name;
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, id), SKY_ATTR(TOPIC, effect->topic),
                                     SKY_ATTR(PAYLOAD, effect->payload),
                                     SKY_ATTR_INT(OF, (int64_t)site->of)};
    const struct sky_command_answer answer = {id, effect->topic, effect->payload};
    struct sky_judge judge;
    sky_judge_init(&judge, sky_product_policy(registry, site->session->product));
    const struct sky_rule *rule =
        effect->in_order ? NULL : site->session->product->cloud->answer_id;
    bool refused = asked != NULL && rule != NULL &&
                   sky_judge_rule(&judge, rule, sky_span_eq_str(effect->name, asked->id),
                                  "command %s was answered under the id '%.*s'", asked->id,
                                  SKY_SPAN_ARGS(sky_span_head(effect->name, SKY_COMMAND_ID_MAX)));
    record_judged(site, SKY_EVENT_ANSWER, attrs, SKY_COUNT(attrs), &judge);
    sky_session_judged(site->session, &judge);
    if (asked != NULL && !refused)
        sky_command_answered(asked, &answer);
    else
        sky_command_stray(site->broker, site->session, &answer);
}

/* A device by id, with its session; false when the registry has it no more. */
static struct sky_session *session_of(struct site *site, int64_t device_id,
                                      struct sky_product *ret_product,
                                      struct sky_device *ret_device)
{
    struct sky_registry *registry = site->broker->registry;
    sky_err err = sky_store_get_device(registry->store, device_id, ret_product, ret_device);
    if (err == SKY_OK)
        return sky_session_open(registry, ret_product, ret_device);
    if (err != SKY_ERR_NOT_FOUND)
        fail(site, "device-behind", err);
    return NULL;
}

static void bring_online(struct site *site, struct sky_session *gateway, struct sky_session *device)
{
    struct sky_broker *broker = site->broker;
    sky_gateway_login(broker, gateway, device, site->of);
    if (broker->upgrades.arrived != NULL)
        broker->upgrades.arrived(broker, device);
}

static void do_behind(struct site *site, const struct sky_effect *effect)
{
    struct sky_session *gateway = site->session;
    struct sky_product product;
    struct sky_device device;
    /* Those that went: a gateway's subscriptions are many, and looked through once for all. */
    struct sky_name *gone = sky_mem_new((effect->device_count + 1) * sizeof *gone);
    size_t gone_count = 0;
    for (size_t i = 0; i < effect->device_count && site->err == SKY_OK; i++) {
        struct sky_session *session = session_of(site, effect->devices[i], &product, &device);
        sky_err err = SKY_OK;
        if (session == NULL || session == gateway)
            continue;
        if (effect->kind == SKY_EFFECT_BIND)
            err = sky_gateway_bind(site->broker, gateway->device_id, &product, &device, site->of);
        else if (effect->kind == SKY_EFFECT_UNBIND)
            err = sky_gateway_unbind(site->broker, gateway->device_id, device.id, site->of);
        else if (effect->kind == SKY_EFFECT_LOGIN && gateway->work->via == NULL &&
                 gateway->conn != NULL)
            bring_online(site, gateway, session);
        else if (effect->kind == SKY_EFFECT_LOGOUT && session->work->via == gateway) {
            session->announced = false; /* it said that it is not online */
            sky_session_part_one(site->broker, session, "its gateway logged it out", site->of);
            gone[gone_count++] = sky_session_name(session);
        }
        if (err != SKY_OK)
            fail(site, "device-behind", err);
    }
    sky_session_end_filters(site->broker, gateway, gone, gone_count);
    free(gone);
}

static void do_register(struct site *site, const struct sky_effect *effect)
{
    sky_store_batch(site->broker->registry->store);
    for (size_t i = 0; i < effect->device_count && site->err == SKY_OK; i++) {
        const struct sky_registration *wanted = &effect->registrations[i];
        struct sky_device device = {.product_id = wanted->product_id, .enabled = true};
        bool fits = sky_span_copy(wanted->device, device.key, sizeof device.key) &&
                    sky_span_copy(wanted->secret, device.secret, sizeof device.secret);
        SKY_ASSERT(fits);
        sky_err err = sky_store_add_device(site->broker->registry->store, &device);
        if (err != SKY_OK) {
            fail(site, "register", err);
            continue;
        }
        const struct sky_event_head head = {
            .type = SKY_EVENT_REGISTRY, .direction = SKY_INSIDE, .device_id = device.id};
        const struct sky_attr attrs[] = {SKY_ATTR(NAME, SKY_SPAN("registered")),
                                         SKY_ATTR_INT(OF, (int64_t)site->of)};
        sky_journal_add(site->broker->registry->journal, &head, attrs, SKY_COUNT(attrs), NULL);
    }
}

static void do_upgrade(struct site *site, const struct sky_effect *effect)
{
    const struct sky_attr attrs[] = {
        SKY_ATTR(NAME, effect->name), SKY_ATTR(STATE, sky_span_str(effect->state)),
        SKY_ATTR_INT(OF, (int64_t)site->of), SKY_ATTR(REASON, effect->payload)};
    record(site, SKY_EVENT_UPGRADE, attrs, SKY_COUNT(attrs) - (effect->payload.len == 0 ? 1 : 0));
}

static void do_close(struct site *site, const struct sky_effect *effect)
{
    struct sky_conn *conn = site->session->conn;
    if (conn == NULL)
        return;
    if (effect->delay_ms == 0)
        sky_conn_close(conn, "the cloud ends the connection");
    else
        sky_conn_cut(conn, effect->delay_ms);
}

static void do_note(struct site *site, const struct sky_effect *effect)
{
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, effect->name),
                                     SKY_ATTR(DETAIL, effect->payload)};
    record(site, SKY_EVENT_NOTE, attrs, SKY_COUNT(attrs));
}

/* What there is to do, and whether it tells anybody that the rest was done. */
static const struct doer {
    void (*run)(struct site *site, const struct sky_effect *effect);
    bool tells;
} doers[] = {
    [SKY_EFFECT_REPLY] = {do_reply, true},
    [SKY_EFFECT_PUSH] = {do_push, true},
    [SKY_EFFECT_PUBLISH] = {do_publish, true},
    [SKY_EFFECT_PUT_DOCUMENT] = {do_put_document, false},
    [SKY_EFFECT_ACTIVATE] = {do_activate, false},
    [SKY_EFFECT_ONLINE] = {do_online, false},
    [SKY_EFFECT_RESET] = {do_reset, false},
    [SKY_EFFECT_MINT_TOKEN] = {do_mint_token, false},
    [SKY_EFFECT_ANSWER] = {do_answer, false},
    [SKY_EFFECT_BIND] = {do_behind, false},
    [SKY_EFFECT_UNBIND] = {do_behind, false},
    [SKY_EFFECT_LOGIN] = {do_behind, false},
    [SKY_EFFECT_LOGOUT] = {do_behind, false},
    [SKY_EFFECT_REGISTER] = {do_register, false},
    [SKY_EFFECT_UPGRADE] = {do_upgrade, false},
    [SKY_EFFECT_CLOSE] = {do_close, false},
    [SKY_EFFECT_NOTE] = {do_note, false},
};

sky_err sky_apply(struct sky_broker *broker, struct sky_session *session,
                  const struct sky_reply_sink *replies, const struct sky_effects *effects,
                  uint64_t of)
{
    struct site site = {
        .broker = broker, .session = session, .replies = replies, .of = of, .err = SKY_OK};
    for (size_t i = 0; i < effects->count; i++) {
        const struct sky_effect *effect = &effects->list[i];
        SKY_ASSERT((size_t)effect->kind < SKY_COUNT(doers));
        const struct doer *doer = &doers[effect->kind];
        struct sky_product product;
        struct sky_device device;
        site.session = session; /* whose act it is that finds no subject */
        if (effect->subject != 0)
            site.session = session_of(&site, effect->subject, &product, &device);
        if (site.session == NULL)
            continue;
        if (site.err == SKY_OK || !doer->tells)
            doer->run(&site, effect);
    }
    if (site.upgrades && broker->upgrades.look != NULL)
        broker->upgrades.look(broker, session, of);
    return site.err;
}
