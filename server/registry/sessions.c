#include "server/registry/sessions.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/subs.h"
#include "server/app.h"
#include "server/port/coap.h"

void sky_sessions_init(struct sky_sessions *sessions)
{
    *sessions = (struct sky_sessions){0};
}

/* ---- products ---- */

/* Rule overrides of a product, one a line, on top of the general policy. */
static void load_policy(struct sky_app *app, struct sky_product_info *info)
{
    struct sky_buf lines;
    sky_buf_init(&lines, SKY_RULES_MAX * 64);
    if (sky_store_get_rules(app->store, info->product.id, &lines) == SKY_OK && lines.len > 0) {
        info->policy = sky_mem_new(sizeof *info->policy);
        *info->policy = app->policy;
        sky_span rest = sky_buf_span(&lines), line;
        while (sky_span_next(&rest, '\n', &line))
            if (line.len > 0 && sky_policy_override(info->policy, line, NULL) != SKY_OK)
                continue; /* a rule of an older build: it no longer exists */
    }
    sky_buf_done(&lines);
}

static void unload(struct sky_product_info *info)
{
    free(info->topics);
    free(info->policy);
    info->topics = NULL;
    info->topic_count = 0;
    info->policy = NULL;
}

/* Reads the product anew; false, and nothing changed, when it is gone. */
static bool load(struct sky_app *app, struct sky_product_info *info, int64_t product_id)
{
    struct sky_product product;
    if (sky_store_get_product(app->store, product_id, &product) != SKY_OK)
        return false;
    unload(info);
    info->product = product;
    info->cloud = sky_cloud_find(sky_span_str(product.cloud));
    SKY_ASSERT(info->cloud != NULL);
    struct sky_product_topic topics[SKY_PRODUCT_TOPICS_MAX];
    if (sky_store_get_topics(app->store, product_id, topics, &info->topic_count) != SKY_OK)
        info->topic_count = 0;
    if (info->topic_count > 0) {
        info->topics = sky_mem_grow(NULL, info->topic_count * sizeof *topics);
        memcpy(info->topics, topics, info->topic_count * sizeof *topics);
    }
    load_policy(app, info);
    return true;
}

/* Every view of a product is read again, in place, and what was derived from it forgotten. */
void sky_sessions_follow(struct sky_app *app)
{
    struct sky_sessions *sessions = &app->sessions;
    uint64_t generation = sky_store_generation(app->store);
    if (generation == sessions->registry_generation)
        return;
    sessions->registry_generation = generation;
    struct sky_product_info *info, *next;
    HASH_ITER (hh, sessions->products, info, next)
        (void)load(app, info, info->product.id);
    sky_broker_forget(app);
}

struct sky_product_info *sky_product_info(struct sky_app *app, int64_t product_id)
{
    sky_sessions_follow(app);
    struct sky_product_info *info;
    HASH_FIND(hh, app->sessions.products, &product_id, sizeof product_id, info);
    if (info != NULL)
        return info;
    info = sky_mem_new(sizeof *info);
    if (!load(app, info, product_id)) {
        free(info);
        return NULL;
    }
    HASH_ADD(hh, app->sessions.products, product.id, sizeof info->product.id, info);
    return info;
}

const struct sky_policy *sky_product_policy(struct sky_app *app,
                                            const struct sky_product_info *product)
{
    return product != NULL && product->policy != NULL ? product->policy : &app->policy;
}

/* ---- sessions ---- */

struct sky_session *sky_session_find(struct sky_app *app, int64_t device_id)
{
    struct sky_session *session;
    HASH_FIND(hh, app->sessions.by_device, &device_id, sizeof device_id, session);
    return session;
}

struct sky_session *sky_session_at(struct sky_app *app, uint32_t slot)
{
    SKY_ASSERT(slot < app->sessions.slots && app->sessions.by_slot[slot] != NULL);
    return app->sessions.by_slot[slot];
}

static uint32_t take_slot(struct sky_sessions *sessions, struct sky_session *session)
{
    if (sessions->free_count > 0) {
        uint32_t slot = sessions->free_slots[--sessions->free_count];
        sessions->by_slot[slot] = session;
        return slot;
    }
    if (sessions->slots == sessions->room) {
        sessions->room = sessions->room ? sessions->room * 2 : 64;
        sessions->by_slot =
            sky_mem_grow(sessions->by_slot, sessions->room * sizeof *sessions->by_slot);
        sessions->free_slots =
            sky_mem_grow(sessions->free_slots, sessions->room * sizeof *sessions->free_slots);
    }
    sessions->by_slot[sessions->slots] = session;
    return (uint32_t)sessions->slots++;
}

struct sky_session *sky_session_open(struct sky_app *app, const struct sky_product *product,
                                     const struct sky_device *device)
{
    struct sky_session *session = sky_session_find(app, device->id);
    if (session != NULL)
        return session;
    struct sky_product_info *info = sky_product_info(app, product->id);
    SKY_ASSERT(info != NULL);
    session = sky_mem_new(sizeof *session);
    session->device_id = device->id;
    session->product = info;
    session->device_key = sky_mem_dup(device->key, strlen(device->key));
    session->mqtt.on_sent = sky_broker_sent;
    session->slot = take_slot(&app->sessions, session);
    HASH_ADD(hh, app->sessions.by_device, device_id, sizeof session->device_id, session);
    return session;
}

void sky_session_wipe(struct sky_app *app, struct sky_session *session)
{
    sky_subs_drop(app->broker.subs, session->slot);
    sky_mqtt_session_done(&session->mqtt);
    session->kept = false;
}

void sky_session_expire(struct sky_app *app, struct sky_session *session)
{
    int64_t away_max_ms = session->product->cloud->limits.session.queue_age_max_ms;
    if (session->kept && session->conn == NULL && away_max_ms > 0 &&
        app->clock.now_ms - session->away_since_ms > away_max_ms)
        sky_session_wipe(app, session);
}

bool sky_session_is_online(const struct sky_session *session)
{
    return (session->conn != NULL && !session->conn->closing) || sky_coap_is_online(session);
}

bool sky_session_kick(struct sky_app *app, struct sky_session *session, const char *reason)
{
    (void)app;
    bool kicked = sky_coap_kick(session, reason);
    if (session->conn == NULL || session->conn->closing)
        return kicked;
    sky_conn_close(session->conn, reason);
    return true;
}

void sky_session_detach(struct sky_app *app, struct sky_session *session)
{
    if (session->conn == NULL)
        return;
    sky_clock_cancel(&app->clock, &session->conn->alarm);
    session->conn->state = NULL;
    session->conn = NULL;
    session->away_since_ms = app->clock.now_ms;
    app->sessions.online--;
    if (session->clean)
        sky_session_wipe(app, session);
}

static void drop(struct sky_app *app, struct sky_session *session)
{
    struct sky_sessions *sessions = &app->sessions;
    sky_session_wipe(app, session);
    sky_coap_forget(app, session);
    sessions->by_slot[session->slot] = NULL;
    sessions->free_slots[sessions->free_count++] = session->slot;
    HASH_DEL(sessions->by_device, session);
    free(session->device_key);
    free(session);
}

void sky_session_forget(struct sky_app *app, struct sky_session *session)
{
    if (session->conn != NULL)
        sky_conn_close(session->conn, "the device was taken out of the registry");
    sky_session_detach(app, session);
    drop(app, session);
    sky_broker_forget(app); /* topics remember the rights of the slot, which gets a new owner */
}

void sky_sessions_done(struct sky_app *app)
{
    struct sky_session *session, *next_session;
    HASH_ITER (hh, app->sessions.by_device, session, next_session)
        drop(app, session);
    struct sky_product_info *info, *next_info;
    HASH_ITER (hh, app->sessions.products, info, next_info) {
        HASH_DEL(app->sessions.products, info);
        unload(info);
        free(info);
    }
    free(app->sessions.by_slot);
    free(app->sessions.free_slots);
    sky_sessions_init(&app->sessions);
}

void sky_session_judged(struct sky_app *app, struct sky_session *session,
                        const struct sky_judge *judge)
{
    sky_rule_set_merge(&session->conduct.exercised, &judge->exercised);
    for (size_t i = 0; i < judge->count; i++)
        sky_rule_set_add(&session->conduct.broken,
                         sky_catalogue_index(&app->catalogue, judge->findings[i].rule));
}

struct sky_uplink sky_session_uplink(const struct sky_session *session)
{
    const struct sky_product_info *product = session->product;
    return (struct sky_uplink){
        .cloud = product->cloud,
        .product = sky_span_str(product->product.key),
        .device = sky_span_str(session->device_key),
        .transport = session->conn != NULL ? session->conn->door.transport : SKY_TCP,
        .traits = session->traits,
    };
}
