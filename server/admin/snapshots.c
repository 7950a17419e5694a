#include "server/admin/snapshots.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/pack.h"
#include "server/admin/admin.h"
#include "server/broker/gateways.h"
#include "server/broker/holdings.h"
#include "server/broker/presence.h"
#include "server/broker/upgrades.h"
#include "server/broker/waits.h"
#include "server/fault/fault.h"
#include "server/port/coap.h"
#include "server/registry/parties.h"

static const char *close_reason(const struct sky_snapshot *snapshot)
{
    return sky_snapshot_is_of_device(snapshot) ? "the device is put back as it was before the test"
                                               : "a snapshot was restored";
}

/* ---- what is in memory only ---- */

/* Two runs: what the session holds, and what waits to be fetched. Nothing when both are empty. */
static void write_state(struct sky_app *app, struct sky_session *session, struct sky_buf *out)
{
    struct sky_buf parts[2];
    sky_buf_init(&parts[0], SKY_STORE_BLOB_MAX);
    sky_buf_init(&parts[1], SKY_STORE_BLOB_MAX);
    sky_holdings_write(&app->broker, session, &parts[0]);
    sky_coap_waiting_write(session, &parts[1]);
    for (size_t i = 0; i < 2; i++) {
        if (parts[0].len + parts[1].len > 0)
            sky_pack_span(out, sky_buf_span(&parts[i]));
        out->overflow |= parts[i].overflow;
    }
    sky_buf_done(&parts[0]);
    sky_buf_done(&parts[1]);
}

/* But for what goes on by itself. */
static bool same_state(sky_span a, sky_span b)
{
    struct sky_unpack one = {.rest = a}, other = {.rest = b};
    return sky_span_eq(sky_span_tail(sky_unpack_span(&one), SKY_HOLDINGS_HEAD),
                       sky_span_tail(sky_unpack_span(&other), SKY_HOLDINGS_HEAD)) &&
           sky_span_eq(sky_unpack_span(&one), sky_unpack_span(&other)) && !one.bad && !other.bad;
}

typedef sky_err session_fn(void *ctx, struct sky_session *session);

static sky_err each_session(struct sky_app *app, const struct sky_snapshot *snapshot,
                            session_fn *each, void *ctx)
{
    const struct sky_registry *registry = &app->registry;
    sky_span name = sky_span_str(snapshot->product);
    if (sky_snapshot_is_of_device(snapshot)) {
        const struct sky_party *party = sky_party_find(registry, name);
        struct sky_session *session =
            party != NULL ? sky_session_find(registry, party->device_id) : NULL;
        return session != NULL ? each(ctx, session) : SKY_OK;
    }
    sky_err err = SKY_OK;
    for (size_t slot = 0; slot < registry->slots && err == SKY_OK; slot++) {
        struct sky_session *session = registry->by_slot[slot];
        if (session != NULL && sky_party_is_of(session->party, name))
            err = each(ctx, session);
    }
    return err;
}

/* ---- taking ---- */

struct taking {
    struct sky_app *app;
    struct sky_snapshot *snapshot;
    struct sky_buf state;
};

static sky_err take_session(void *ctx, struct sky_session *session)
{
    struct taking *t = ctx;
    sky_buf_clear(&t->state);
    write_state(t->app, session, &t->state);
    if (t->state.overflow)
        return SKY_ERR_LIMIT;
    return t->state.len > 0
               ? sky_store_put_snapshot_session(t->app->store, t->snapshot, session->device_id,
                                                sky_buf_span(&t->state))
               : SKY_OK;
}

static sky_err take_sessions(struct sky_app *app, struct sky_snapshot *snapshot)
{
    struct taking taking = {.app = app, .snapshot = snapshot};
    sky_buf_init(&taking.state, SKY_STORE_BLOB_MAX);
    sky_err err = each_session(app, snapshot, take_session, &taking);
    sky_buf_done(&taking.state);
    return err;
}

/* Its name, and of what it is, are set. */
static sky_err take(struct sky_app *app, struct sky_snapshot *snapshot, int64_t product_id,
                    int64_t device_id)
{
    snapshot->created_ms = app->clock.real_ms;
    snapshot->now_ms = app->clock.now_ms;
    snapshot->lived_ms = sky_clock_lived_ms(&app->clock);
    snapshot->frozen = app->clock.frozen;
    struct sky_buf faults;
    sky_err err = sky_store_begin(app->store);
    if (err != SKY_OK)
        return err;
    sky_buf_init(&faults, SKY_STORE_BLOB_MAX);
    sky_faults_save(app->faults, sky_span_str(snapshot->product), &faults);
    err = faults.overflow
              ? SKY_ERR_LIMIT
              : sky_store_add_snapshot(app->store, snapshot, product_id, device_id,
                                       sky_buf_span(&faults),
                                       device_id != 0 ? INT64_MAX : SKY_SNAPSHOTS_BYTES_MAX);
    sky_buf_done(&faults);
    if (err == SKY_OK)
        err = take_sessions(app, snapshot);
    if (err == SKY_OK)
        err = sky_store_end_snapshot(app->store, snapshot);
    if (err == SKY_OK)
        return sky_store_commit(app->store);
    sky_store_rollback(app->store);
    return err;
}

sky_err sky_snapshot_take(struct sky_app *app, const struct sky_product *product,
                          struct sky_snapshot *snapshot)
{
    SKY_ASSERT(!sky_snapshot_is_of_device(snapshot));
    snapshot->product[0] = '\0';
    if (product != NULL)
        snprintf(snapshot->product, sizeof snapshot->product, "%s/%s", product->cloud,
                 product->key);
    return take(app, snapshot, product != NULL ? product->id : 0, 0);
}

sky_err sky_snapshot_keep_device(struct sky_app *app, const struct sky_product *product,
                                 const struct sky_device *device, struct sky_snapshot *ret_snapshot)
{
    struct sky_snapshot snapshot = {.id = 0};
    snprintf(snapshot.product, sizeof snapshot.product, "%s/%s/%s", product->cloud, product->key,
             device->key);
    sky_err err = take(app, &snapshot, product->id, device->id);
    if (err == SKY_OK)
        *ret_snapshot = snapshot;
    return err;
}

/* ---- going back ---- */

struct restoring {
    struct sky_app *app;
    const struct sky_snapshot *snapshot;
    struct sky_buf changed; /* ids of devices; some of them twice */
    struct sky_buf aged;    /* of those that are away and hold the same: its time is another */
    struct sky_buf state;   /* of the device at hand, then, */
    struct sky_buf present; /* and now */
    struct sky_buf faults;
    int64_t shift_ms;
};

static void add_id(struct sky_buf *ids, int64_t id)
{
    sky_buf_add(ids, sky_span_of(&id, sizeof id));
}

static void take_changed(void *ctx, int64_t device_id)
{
    add_id(&((struct restoring *)ctx)->changed, device_id);
}

/* NOT_FOUND counts as nothing. */
static sky_err get_state(struct restoring *r, int64_t device_id)
{
    sky_buf_clear(&r->state);
    sky_err err =
        sky_store_get_snapshot_session(r->app->store, r->snapshot->id, device_id, &r->state);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

/* A device that is online has subscribed to what it wants, whatever that was then. */
static bool is_its_own_doing(const struct restoring *r, const struct sky_session *session)
{
    struct sky_unpack one = {.rest = sky_buf_span(&r->present)},
                      other = {.rest = sky_buf_span(&r->state)};
    return sky_snapshot_is_of_device(r->snapshot) && sky_session_is_online(session) &&
           sky_holdings_messages(sky_unpack_span(&one)) == 0 &&
           sky_holdings_messages(sky_unpack_span(&other)) == 0 &&
           sky_span_eq(sky_unpack_span(&one), sky_unpack_span(&other));
}

static sky_err compare_session(void *ctx, struct sky_session *session)
{
    struct restoring *r = ctx;
    struct sky_buf *present = &r->present;
    sky_buf_clear(present);
    write_state(r->app, session, present);
    sky_err err = get_state(r, session->device_id);
    if (err != SKY_OK)
        return err;
    bool same = !present->overflow && (same_state(sky_buf_span(present), sky_buf_span(&r->state)) ||
                                       is_its_own_doing(r, session));
    if (!same && present->len + r->state.len > 0)
        add_id(&r->changed, session->device_id);
    else if (r->state.len > 0 && !sky_session_is_online(session))
        add_id(&r->aged, session->device_id);
    return SKY_OK;
}

/* Whom the server has not seen since its start. */
static void take_unknown(void *ctx, int64_t device_id)
{
    struct restoring *r = ctx;
    if (sky_session_find(&r->app->registry, device_id) == NULL)
        add_id(&r->changed, device_id);
}

static sky_err compare(struct restoring *r)
{
    sky_err err = each_session(r->app, r->snapshot, compare_session, r);
    return err == SKY_OK
               ? sky_store_each_snapshot_session(r->app->store, r->snapshot->id, take_unknown, r)
               : err;
}

/* What cannot be read was not written by this program: the device holds nothing then. */
static void put_back(struct restoring *r, int64_t device_id)
{
    struct sky_app *app = r->app;
    struct sky_product product;
    struct sky_device device;
    struct sky_session *session = sky_session_find(&app->registry, device_id);
    sky_err err = sky_store_get_device(app->store, device_id, &product, &device);
    if (err == SKY_ERR_NOT_FOUND && session != NULL)
        sky_session_leave(&app->broker, session);
    if (err != SKY_OK || get_state(r, device_id) != SKY_OK)
        return;
    if (session == NULL && r->state.len > 0)
        session = sky_session_open(&app->registry, &product, &device);
    if (session == NULL)
        return;
    struct sky_unpack in = {.rest = sky_buf_span(&r->state)};
    sky_span holdings = r->state.len > 0 ? sky_unpack_span(&in) : SKY_SPAN_NONE;
    sky_span waiting = r->state.len > 0 ? sky_unpack_span(&in) : SKY_SPAN_NONE;
    const char *reason = close_reason(r->snapshot);
    err = sky_coap_waiting_put_back(app->coap, session, waiting, r->shift_ms, reason);
    if (sky_holdings_put_back(&app->broker, session, holdings, r->shift_ms, reason) != SKY_OK ||
        err != SKY_OK)
        fprintf(stderr, "skymock: the snapshot \"%s\" has a damaged session of %s\n",
                r->snapshot->name, session->party->name);
}

static int by_number(const void *a, const void *b)
{
    int64_t one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return one < other ? -1 : one > other;
}

/* Each once. */
static void put_all_back(struct restoring *r, struct sky_buf *ids, bool changed)
{
    int64_t id, last = 0;
    size_t count = ids->len / sizeof id;
    if (count > 0)
        qsort(ids->bytes, count, sizeof id, by_number);
    for (size_t i = 0; i < count; i++, last = id) {
        memcpy(&id, ids->bytes + i * sizeof id, sizeof id);
        if (id == last)
            continue;
        if (changed) {
            sky_commands_end(&r->app->broker, id);
            sky_upgrades_end_waits(&r->app->broker, id);
        }
        put_back(r, id);
    }
}

/* What a gateway has again, another product's gateway has no more, where devices are not shared. */
static void claim(struct restoring *r)
{
    struct sky_product product;
    struct sky_device device;
    int64_t id;
    for (size_t at = 0; at < r->changed.len; at += sizeof id) {
        memcpy(&id, r->changed.bytes + at, sizeof id);
        if (sky_store_get_device(r->app->store, id, &product, &device) == SKY_OK &&
            product.node == SKY_NODE_GATEWAY)
            (void)!sky_gateway_claim(&r->app->broker, &product, id);
    }
}

static void put_faults_back(struct restoring *r)
{
    struct sky_why why;
    if (sky_faults_restore(r->app->faults, sky_span_str(r->snapshot->product),
                           sky_buf_span(&r->faults), &why) != SKY_OK)
        fprintf(stderr, "skymock: the snapshot \"%s\" has damaged faults: %s\n", r->snapshot->name,
                why.reason);
}

/* What a test case left open is open no more, even if the device is as it was. */
static sky_err close_case(void *ctx, struct sky_session *session)
{
    struct restoring *r = ctx;
    sky_commands_end(&r->app->broker, session->device_id);
    sky_upgrades_end_waits(&r->app->broker, session->device_id);
    return sky_store_snapshot_activated(r->app->store, r->snapshot, sky_session_is_online(session));
}

static sky_err look_at_upgrades(void *ctx, struct sky_session *session)
{
    sky_upgrades_look(&((struct restoring *)ctx)->app->broker, session, 0);
    return SKY_OK;
}

static sky_err restore(struct restoring *r)
{
    struct sky_app *app = r->app;
    bool of_device = sky_snapshot_is_of_device(r->snapshot);
    struct sky_why why;
    sky_err err = of_device ? each_session(app, r->snapshot, close_case, r) : SKY_OK;
    if (err == SKY_OK)
        err = sky_store_restore_snapshot(app->store, r->snapshot, take_changed, r);
    if (err == SKY_OK)
        err = compare(r);
    if (err == SKY_OK)
        err = sky_store_get_snapshot_faults(app->store, r->snapshot->id, &r->faults);
    if (err != SKY_OK) {
        sky_store_rollback(app->store);
        return err;
    }
    put_all_back(r, &r->changed, true);
    put_all_back(r, &r->aged, false);
    claim(r);
    if (r->snapshot->product[0] == '\0')
        sky_clock_go_to(&app->clock, r->snapshot->now_ms, r->snapshot->frozen);
    put_faults_back(r);
    err = sky_store_commit(app->store);
    if (err != SKY_OK)
        return err;
    return of_device ? each_session(app, r->snapshot, look_at_upgrades, r)
                     : sky_upgrades_load(&app->broker, &why);
}

sky_err sky_snapshot_restore(struct sky_app *app, const struct sky_snapshot *snapshot)
{
    struct restoring r = {.app = app,
                          .snapshot = snapshot,
                          .shift_ms = sky_clock_lived_ms(&app->clock) - snapshot->lived_ms};
    sky_err err = sky_store_begin(app->store);
    if (err != SKY_OK)
        return err;
    sky_buf_init(&r.changed, SIZE_MAX); /* as many as there are devices, and sessions */
    sky_buf_init(&r.aged, SIZE_MAX);
    sky_buf_init(&r.state, 2 * SKY_STORE_BLOB_MAX);
    sky_buf_init(&r.present, 2 * SKY_STORE_BLOB_MAX);
    sky_buf_init(&r.faults, SKY_STORE_BLOB_MAX);
    err = restore(&r);
    sky_buf_done(&r.changed);
    sky_buf_done(&r.aged);
    sky_buf_done(&r.state);
    sky_buf_done(&r.present);
    sky_buf_done(&r.faults);
    return err;
}

sky_err sky_snapshot_drop(struct sky_app *app, const struct sky_snapshot *snapshot)
{
    return sky_store_drop_snapshot(app->store, snapshot->id);
}

sky_err sky_admin_recover(struct sky_app *app)
{
    struct sky_snapshot snapshot;
    sky_err err;
    while ((err = sky_store_left_snapshot(app->store, &snapshot)) == SKY_OK) {
        fprintf(stderr, "skymock: %s is put back as it was before a test that was cut off\n",
                snapshot.product);
        err = sky_snapshot_restore(app, &snapshot);
        if (err == SKY_OK)
            err = sky_snapshot_drop(app, &snapshot);
        if (err != SKY_OK)
            break;
    }
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}
