#include "server/admin/snapshots.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/ids.h"
#include "protocol/base/mem.h"
#include "protocol/base/pack.h"
#include "server/admin/api.h"
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

/* Of the device that one of a device is of; NULL: it has none. */
static struct sky_session *session_of(struct sky_app *app, const struct sky_snapshot *snapshot)
{
    const struct sky_party *party = sky_party_find(&app->registry, sky_span_str(snapshot->product));
    return party != NULL ? sky_session_find(&app->registry, party->device_id) : NULL;
}

/* ---- taking ---- */

static void take_id(void *ctx, int64_t device_id)
{
    sky_ids_add(&((struct sky_snapshot_taking *)ctx)->ids, device_id);
}

static sky_err take_session(struct sky_snapshot_taking *t, struct sky_session *session)
{
    sky_buf_clear(&t->state);
    write_state(t->app, session, &t->state);
    if (t->state.overflow)
        return SKY_ERR_LIMIT;
    return t->state.len > 0
               ? sky_store_put_snapshot_session(t->app->store, &t->snapshot, session->device_id,
                                                sky_buf_span(&t->state))
               : SKY_OK;
}

void sky_snapshot_taking_init(struct sky_snapshot_taking *t, struct sky_app *app,
                              const struct sky_product *product, const char *name)
{
    *t = (struct sky_snapshot_taking){.app = app, .product_id = product != NULL ? product->id : 0};
    (void)sky_span_copy(sky_span_str(name), t->snapshot.name, sizeof t->snapshot.name);
    if (product != NULL)
        snprintf(t->snapshot.product, sizeof t->snapshot.product, "%s/%s", product->cloud,
                 product->key);
    sky_buf_init(&t->ids, SIZE_MAX); /* as many as there are devices */
    sky_buf_init(&t->state, SKY_STORE_BLOB_MAX);
}

void sky_snapshot_taking_done(struct sky_snapshot_taking *t)
{
    sky_buf_done(&t->ids);
    sky_buf_done(&t->state);
}

static sky_err begin(struct sky_snapshot_taking *t, int64_t device_id)
{
    struct sky_app *app = t->app;
    struct sky_snapshot *snapshot = &t->snapshot;
    struct sky_buf faults;
    snapshot->created_ms = app->clock.real_ms;
    snapshot->now_ms = app->clock.now_ms;
    snapshot->lived_ms = sky_clock_lived_ms(&app->clock);
    snapshot->frozen = app->clock.frozen;
    sky_buf_init(&faults, SKY_STORE_BLOB_MAX);
    sky_faults_save(app->faults, sky_span_str(snapshot->product), &faults);
    sky_err err = SKY_ERR_LIMIT;
    if (!faults.overflow)
        err = device_id != 0
                  ? sky_store_add_snapshot(app->store, snapshot, t->product_id, device_id,
                                           sky_buf_span(&faults), INT64_MAX)
                  : sky_store_begin_snapshot(app->store, snapshot, t->product_id,
                                             sky_buf_span(&faults), SKY_SNAPSHOTS_BYTES_MAX);
    sky_buf_done(&faults);
    return err;
}

sky_err sky_snapshot_take_some(struct sky_snapshot_taking *t, size_t limit)
{
    struct sky_store *store = t->app->store;
    if (t->snapshot.id == 0)
        return begin(t, 0);
    sky_buf_clear(&t->ids);
    sky_err err =
        sky_store_copy_some(store, &t->snapshot, t->product_id, &t->after_id, limit, take_id, t);
    for (size_t i = 0; err == SKY_OK && i < sky_ids_count(&t->ids); i++) {
        struct sky_session *session = sky_session_find(&t->app->registry, sky_ids_at(&t->ids, i));
        if (session != NULL)
            err = take_session(t, session);
    }
    if (err != SKY_ERR_NOT_FOUND)
        return err;
    err = sky_store_end_snapshot(store, &t->snapshot);
    return err == SKY_OK ? SKY_ERR_NOT_FOUND : err;
}

/* All or nothing. */
static sky_err end_whole(struct sky_app *app, sky_err err)
{
    if (err == SKY_OK)
        return sky_store_commit(app->store);
    sky_store_rollback(app->store);
    return err;
}

sky_err sky_snapshot_take(struct sky_app *app, const struct sky_product *product,
                          struct sky_snapshot *snapshot)
{
    struct sky_snapshot_taking taking;
    SKY_ASSERT(!sky_snapshot_is_of_device(snapshot));
    sky_err err = sky_store_begin(app->store);
    if (err != SKY_OK)
        return err;
    sky_snapshot_taking_init(&taking, app, product, snapshot->name);
    while (err == SKY_OK)
        err = sky_snapshot_take_some(&taking, SIZE_MAX);
    *snapshot = taking.snapshot;
    sky_snapshot_taking_done(&taking);
    return end_whole(app, err == SKY_ERR_NOT_FOUND ? SKY_OK : err);
}

sky_err sky_snapshot_keep_device(struct sky_app *app, const struct sky_product *product,
                                 const struct sky_device *device, struct sky_snapshot *ret_snapshot)
{
    struct sky_snapshot_taking taking;
    sky_err err = sky_store_begin(app->store);
    if (err != SKY_OK)
        return err;
    sky_snapshot_taking_init(&taking, app, product, "");
    snprintf(taking.snapshot.product, sizeof taking.snapshot.product, "%s/%s/%s", product->cloud,
             product->key, device->key);
    err = begin(&taking, device->id);
    struct sky_session *session = session_of(app, &taking.snapshot);
    if (err == SKY_OK && session != NULL)
        err = take_session(&taking, session);
    if (err == SKY_OK)
        err = sky_store_end_snapshot(app->store, &taking.snapshot);
    err = end_whole(app, err);
    if (err == SKY_OK)
        *ret_snapshot = taking.snapshot;
    sky_snapshot_taking_done(&taking);
    return err;
}

/* ---- going back ---- */

static void take_changed(void *ctx, int64_t device_id)
{
    sky_ids_add(&((struct sky_snapshot_restoring *)ctx)->changed, device_id);
}

/* NOT_FOUND counts as nothing. */
static sky_err get_state(struct sky_snapshot_restoring *r, int64_t device_id)
{
    sky_buf_clear(&r->state);
    sky_err err =
        sky_store_get_snapshot_session(r->app->store, r->snapshot->id, device_id, &r->state);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

/* A device that is online has subscribed to what it wants, whatever that was then. */
static bool is_its_own_doing(const struct sky_snapshot_restoring *r,
                             const struct sky_session *session)
{
    struct sky_unpack one = {.rest = sky_buf_span(&r->present)},
                      other = {.rest = sky_buf_span(&r->state)};
    return sky_snapshot_is_of_device(r->snapshot) && sky_session_is_online(session) &&
           sky_holdings_messages(sky_unpack_span(&one)) == 0 &&
           sky_holdings_messages(sky_unpack_span(&other)) == 0 &&
           sky_span_eq(sky_unpack_span(&one), sky_unpack_span(&other));
}

/* Is what its session holds what it held then? Whom the server has not seen since its start holds
 * nothing. */
static sky_err compare(struct sky_snapshot_restoring *r, int64_t device_id)
{
    struct sky_session *session = sky_session_find(&r->app->registry, device_id);
    struct sky_buf *present = &r->present;
    sky_err err = get_state(r, device_id);
    if (err != SKY_OK)
        return err;
    sky_buf_clear(present);
    if (session != NULL)
        write_state(r->app, session, present);
    bool same = session != NULL && !present->overflow &&
                (same_state(sky_buf_span(present), sky_buf_span(&r->state)) ||
                 is_its_own_doing(r, session));
    if (!same && present->len + r->state.len > 0)
        sky_ids_add(&r->changed, device_id);
    else if (r->state.len > 0 && session != NULL && !sky_session_is_online(session))
        sky_ids_add(&r->aged, device_id);
    return SKY_OK;
}

static void take_there(void *ctx, int64_t device_id)
{
    sky_ids_add(&((struct sky_snapshot_restoring *)ctx)->there, device_id);
}

/* What cannot be read was not written by this program: the device holds nothing then. */
static void put_back(struct sky_snapshot_restoring *r, int64_t device_id)
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
static void put_all_back(struct sky_snapshot_restoring *r, struct sky_buf *ids, bool changed)
{
    int64_t id, last = 0;
    size_t count = sky_ids_count(ids);
    if (count > 0)
        qsort(ids->bytes, count, sizeof id, by_number);
    for (size_t i = 0; i < count; i++, last = id) {
        id = sky_ids_at(ids, i);
        if (id == last)
            continue;
        if (changed) {
            sky_commands_end(&r->app->broker, id);
            sky_upgrades_end_waits(&r->app->broker, id);
            sky_ids_add(&r->put_back, id);
        }
        put_back(r, id);
    }
}

/* What a gateway has again, another product's gateway has no more, where devices are not shared. */
static void claim(struct sky_snapshot_restoring *r)
{
    struct sky_product product;
    struct sky_device device;
    for (size_t i = 0; i < sky_ids_count(&r->changed); i++) {
        int64_t id = sky_ids_at(&r->changed, i);
        if (sky_store_get_device(r->app->store, id, &product, &device) == SKY_OK &&
            product.node == SKY_NODE_GATEWAY)
            (void)!sky_gateway_claim(&r->app->broker, &product, id);
    }
}

static void put_faults_back(struct sky_snapshot_restoring *r)
{
    struct sky_why why;
    if (sky_faults_restore(r->app->faults, sky_span_str(r->snapshot->product),
                           sky_buf_span(&r->faults), &why) != SKY_OK)
        fprintf(stderr, "skymock: the snapshot \"%s\" has damaged faults: %s\n", r->snapshot->name,
                why.reason);
}

void sky_snapshot_restoring_init(struct sky_snapshot_restoring *r, struct sky_app *app,
                                 const struct sky_snapshot *snapshot)
{
    *r = (struct sky_snapshot_restoring){.app = app,
                                         .snapshot = snapshot,
                                         .shift_ms =
                                             sky_clock_lived_ms(&app->clock) - snapshot->lived_ms};
    sky_buf_init(&r->changed, SIZE_MAX); /* as many as there are devices, and sessions */
    sky_buf_init(&r->aged, SIZE_MAX);
    sky_buf_init(&r->there, SIZE_MAX);
    sky_buf_init(&r->put_back, SIZE_MAX);
    sky_buf_init(&r->state, 2 * SKY_STORE_BLOB_MAX);
    sky_buf_init(&r->present, 2 * SKY_STORE_BLOB_MAX);
    sky_buf_init(&r->faults, SKY_STORE_BLOB_MAX);
}

void sky_snapshot_restoring_done(struct sky_snapshot_restoring *r)
{
    sky_buf_done(&r->changed);
    sky_buf_done(&r->aged);
    sky_buf_done(&r->there);
    sky_buf_done(&r->put_back);
    sky_buf_done(&r->state);
    sky_buf_done(&r->present);
    sky_buf_done(&r->faults);
}

/* Sessions as they were, of the devices that were found to be others or to be there. */
static sky_err put_sessions_back(struct sky_snapshot_restoring *r)
{
    sky_err err = SKY_OK;
    for (size_t i = 0; err == SKY_OK && i < sky_ids_count(&r->there); i++)
        err = compare(r, sky_ids_at(&r->there, i));
    sky_buf_clear(&r->there);
    if (err != SKY_OK)
        return err;
    put_all_back(r, &r->changed, true);
    put_all_back(r, &r->aged, false);
    claim(r);
    sky_buf_clear(&r->changed);
    sky_buf_clear(&r->aged);
    return SKY_OK;
}

/* Behind the devices, what is nobody's. */
static sky_err put_rest_back(struct sky_snapshot_restoring *r)
{
    sky_err err = sky_store_get_snapshot_faults(r->app->store, r->snapshot->id, &r->faults);
    if (err != SKY_OK)
        return err;
    if (r->snapshot->product[0] == '\0')
        sky_clock_go_to(&r->app->clock, r->snapshot->now_ms, r->snapshot->frozen);
    put_faults_back(r);
    sky_upgrades_add_watched(&r->app->broker, &r->put_back);
    return SKY_OK;
}

sky_err sky_snapshot_restore_some(struct sky_snapshot_restoring *r, size_t limit)
{
    enum { BEGIN, DEVICES, UPGRADES };
    struct sky_store *store = r->app->store;
    sky_err err;
    if (r->stage == BEGIN) {
        r->stage = DEVICES;
        return sky_store_begin_restore(store, r->snapshot, &r->walk);
    }
    if (r->stage == DEVICES) {
        err = sky_store_restore_some(store, &r->walk, limit, take_changed, take_there, r);
        if (err == SKY_OK)
            return put_sessions_back(r);
        if (err != SKY_ERR_NOT_FOUND)
            return err;
        r->stage = UPGRADES;
        return put_rest_back(r);
    }
    for (size_t i = 0; i < limit; i++) {
        if (r->looked_at == sky_ids_count(&r->put_back))
            return SKY_ERR_NOT_FOUND;
        sky_upgrades_load_of(&r->app->broker, sky_ids_at(&r->put_back, r->looked_at++));
    }
    return SKY_OK;
}

/* What a test case left open is open no more, even if the device is as it was. */
static sky_err close_case(struct sky_snapshot_restoring *r, struct sky_session *session)
{
    sky_commands_end(&r->app->broker, session->device_id);
    sky_upgrades_end_waits(&r->app->broker, session->device_id);
    return sky_store_snapshot_activated(r->app->store, r->snapshot, sky_session_is_online(session));
}

static sky_err restore_device(struct sky_snapshot_restoring *r)
{
    struct sky_app *app = r->app;
    struct sky_session *session = session_of(app, r->snapshot);
    sky_err err = session != NULL ? close_case(r, session) : SKY_OK;
    if (err == SKY_OK)
        err = sky_store_restore_snapshot(app->store, r->snapshot, take_changed, r);
    if (err == SKY_OK)
        err = sky_store_each_snapshot_session(app->store, r->snapshot->id, take_there, r);
    if (err == SKY_OK && session != NULL)
        sky_ids_add(&r->there, session->device_id);
    if (err == SKY_OK)
        err = put_sessions_back(r);
    return err == SKY_OK ? put_rest_back(r) : err;
}

sky_err sky_snapshot_restore(struct sky_app *app, const struct sky_snapshot *snapshot)
{
    struct sky_snapshot_restoring r;
    bool of_device = sky_snapshot_is_of_device(snapshot);
    sky_err err = sky_store_begin(app->store);
    if (err != SKY_OK)
        return err;
    sky_snapshot_restoring_init(&r, app, snapshot);
    if (of_device)
        err = restore_device(&r);
    while (!of_device && err == SKY_OK)
        err = sky_snapshot_restore_some(&r, SIZE_MAX);
    err = end_whole(app, err == SKY_ERR_NOT_FOUND ? SKY_OK : err);
    struct sky_session *session = of_device ? session_of(app, snapshot) : NULL;
    if (err == SKY_OK && session != NULL)
        sky_upgrades_look(&app->broker, session, 0);
    sky_snapshot_restoring_done(&r);
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
    if (err != SKY_ERR_NOT_FOUND)
        return err;
    sky_api_snapshots_sweep(app);
    return SKY_OK;
}
