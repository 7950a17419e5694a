/* Snapshots: named states to go back to. A name is one of its product: jobs that each keep to their
 * own need not agree on names. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/bulk.h"
#include "server/admin/snapshots.h"

static void write_snapshot(struct sky_jw *jw, const struct sky_snapshot *snapshot)
{
    char text[SKY_TIME_TEXT_MAX];
    sky_jw_object(jw);
    sky_jw_put_str(jw, "name", snapshot->name);
    if (snapshot->product[0] != '\0')
        sky_jw_put_str(jw, "product", snapshot->product);
    sky_time_text(snapshot->created_ms, text);
    sky_jw_put_str(jw, "created", text);
    sky_time_text(snapshot->now_ms, text);
    sky_jw_put_str(jw, "time", text);
    sky_jw_put_int(jw, "unixMs", snapshot->now_ms);
    sky_jw_put_bool(jw, "frozen", snapshot->frozen);
    sky_jw_put_int(jw, "devices", snapshot->devices);
    sky_jw_put_int(jw, "bytes", snapshot->bytes);
    sky_jw_end_object(jw);
}

/* ---- dropping ---- */

struct dropping {
    struct sky_bulk_act act;
    int64_t id;
    bool hidden;
};

/* Once it is hidden it is gone; what is still there of it then goes at the next start at the
 * latest, as do others of which something was left. */
static sky_err step_drop(struct sky_bulk_act *act, struct sky_why *why)
{
    struct dropping *dropping = SKY_CONTAINER_OF(act, struct dropping, act);
    struct sky_store *store = act->app->store;
    (void)why;
    if (!dropping->hidden) {
        dropping->hidden = true;
        return sky_store_hide_snapshot(store, dropping->id);
    }
    sky_err err = sky_store_cut_snapshot(store, dropping->id, SKY_BULK_SLICE);
    if (err == SKY_ERR_NOT_FOUND && act->call == NULL && !act->at_once)
        err = sky_store_hidden_snapshot(store, &dropping->id);
    return err != SKY_OK ? SKY_ERR_NOT_FOUND : SKY_OK;
}

static void free_dropping(struct sky_bulk_act *act)
{
    free(SKY_CONTAINER_OF(act, struct dropping, act));
}

static const struct sky_bulk_kind drop_kind = {.step = step_drop, .free = free_dropping};

static struct dropping *dropping_of(int64_t id)
{
    struct dropping *dropping = sky_mem_new(sizeof *dropping);
    *dropping = (struct dropping){.act = {.kind = &drop_kind}, .id = id};
    return dropping;
}

void sky_api_snapshots_sweep(struct sky_app *app)
{
    int64_t id;
    if (sky_store_hidden_snapshot(app->store, &id) == SKY_OK)
        sky_bulk_begin(app, &dropping_of(id)->act);
}

/* ---- take and list ---- */

struct taking {
    struct sky_bulk_act act;
    struct sky_snapshot_taking snapshot;
    struct sky_why why;
    sky_err failed; /* why nothing is to be left of it; OK: it goes on */
};

static struct taking *taking_of(struct sky_bulk_act *act)
{
    return SKY_CONTAINER_OF(act, struct taking, act);
}

/* Nothing is left of one that does not come to its end. */
static sky_err step_take(struct sky_bulk_act *act, struct sky_why *why)
{
    struct taking *taking = taking_of(act);
    struct sky_snapshot_taking *snapshot = &taking->snapshot;
    sky_err err;
    if (taking->failed == SKY_OK) {
        err = sky_snapshot_take_some(snapshot, SKY_BULK_SLICE);
        if (err == SKY_OK || err == SKY_ERR_NOT_FOUND || act->at_once || snapshot->snapshot.id == 0)
            return err;
        if (err == SKY_ERR_STORE)
            sky_store_why(act->app->store, &taking->why);
        taking->failed = err;
        return SKY_OK;
    }
    err = sky_store_cut_snapshot(act->app->store, snapshot->snapshot.id, SKY_BULK_SLICE);
    if (err == SKY_OK)
        return SKY_OK;
    *why = taking->why;
    return taking->failed;
}

static void taken(struct sky_bulk_act *act)
{
    sky_api_record(act->app, SKY_EVENT_REGISTRY, 0, "snapshot");
}

static void answer_taken(struct sky_bulk_act *act, struct sky_api *api, sky_err err,
                         const struct sky_why *why)
{
    const struct sky_snapshot *snapshot = &taking_of(act)->snapshot.snapshot;
    if (err == SKY_ERR_EXISTS) {
        sky_api_error(api, 409, "exists", "/name", "there is a snapshot '%s' already%s%s",
                      snapshot->name, snapshot->product[0] != '\0' ? ", of " : "",
                      snapshot->product);
    } else if (err == SKY_ERR_LIMIT) {
        sky_api_error(api, 409, "limit", "",
                      "%d snapshots, or %lld bytes, are kept at most; delete some",
                      SKY_SNAPSHOTS_MAX, (long long)SKY_SNAPSHOTS_BYTES_MAX);
    } else if (err != SKY_OK) {
        sky_api_fail(api, err, why);
    } else {
        write_snapshot(&api->jw, snapshot);
        sky_api_send(api, 201);
    }
}

static void free_taking(struct sky_bulk_act *act)
{
    struct taking *taking = taking_of(act);
    sky_snapshot_taking_done(&taking->snapshot);
    free(taking);
}

static const struct sky_bulk_kind take_kind = {
    .step = step_take, .done = taken, .answer = answer_taken, .free = free_taking};

void sky_api_snapshots_create(struct sky_api *api)
{
    struct sky_product found = {.id = 0};
    const char *name = sky_api_body_text(api, "name");
    const char *product = sky_api_body_text(api, "product");
    if (!sky_span_is_name(sky_span_str(name))) {
        sky_api_error(api, 400, "invalid", "/name",
                      "a name has 1 to %d letters, digits and ._- and begins with a letter or "
                      "digit",
                      SKY_SNAPSHOT_NAME_MAX);
        return;
    }
    if (product != NULL && !sky_api_product_named(api, product, &found))
        return;
    struct taking *taking = sky_mem_new(sizeof *taking);
    *taking = (struct taking){.act = {.kind = &take_kind}};
    sky_snapshot_taking_init(&taking->snapshot, api->app, product != NULL ? &found : NULL, name);
    sky_bulk_do(api, &taking->act,
                sky_store_has_few_devices(api->app->store, found.id, SKY_BULK_FEW));
}

struct list {
    struct sky_api *api;
    char product[SKY_API_PARAM_MAX]; /* empty: all */
};

static bool list_one(void *ctx, const struct sky_snapshot *snapshot)
{
    const struct list *list = ctx;
    if (list->product[0] == '\0' || strcmp(list->product, snapshot->product) == 0)
        write_snapshot(&list->api->jw, snapshot);
    return true;
}

void sky_api_snapshots_list(struct sky_api *api)
{
    struct list list = {.api = api};
    sky_api_query(api, "product", list.product);
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "snapshots");
    sky_jw_array(&api->jw);
    sky_err err = sky_store_each_snapshot(api->app->store, list_one, &list);
    sky_api_send_list(api, err);
}

/* ---- one ---- */

struct search {
    const char *name;
    const char *product; /* NULL: any */
    struct sky_snapshot found;
    size_t count;
};

static bool match_one(void *ctx, const struct sky_snapshot *snapshot)
{
    struct search *search = ctx;
    if (strcmp(search->name, snapshot->name) != 0 ||
        (search->product != NULL && strcmp(search->product, snapshot->product) != 0))
        return true;
    search->found = *snapshot;
    search->count++;
    return snapshot->product[0] != '\0'; /* that of everything comes before those of products */
}

/* That which the path names, of the product that the query or the body names. False, and answered,
 * when there is none, or it is not clear which. */
static bool find(struct sky_api *api, struct sky_snapshot *ret_snapshot)
{
    char product[SKY_API_PARAM_MAX];
    struct search search = {.name = api->vars.name, .product = sky_api_body_text(api, "product")};
    if (sky_api_query(api, "product", product))
        search.product = product;
    sky_err err = sky_store_each_snapshot(api->app->store, match_one, &search);
    bool whole = search.count > 0 && search.found.product[0] == '\0';
    if (err != SKY_OK)
        sky_api_fail(api, err, NULL);
    else if (search.count == 0)
        sky_api_error(api, 404, "not_found", "", "there is no snapshot '%s'", api->vars.name);
    else if (search.count > 1 && !whole)
        sky_api_error(api, 409, "conflict", "",
                      "%zu products have a snapshot '%s': say which with product=", search.count,
                      api->vars.name);
    else
        *ret_snapshot = search.found;
    return err == SKY_OK && (search.count == 1 || whole);
}

void sky_api_snapshot_read(struct sky_api *api)
{
    struct sky_snapshot snapshot;
    if (!find(api, &snapshot))
        return;
    write_snapshot(&api->jw, &snapshot);
    sky_api_send(api, 200);
}

void sky_api_snapshot_delete(struct sky_api *api)
{
    struct sky_snapshot snapshot;
    if (find(api, &snapshot))
        sky_bulk_do(api, &dropping_of(snapshot.id)->act, snapshot.devices <= SKY_BULK_FEW);
}

struct restoring {
    struct sky_bulk_act act;
    struct sky_snapshot snapshot;
    struct sky_snapshot_restoring restore;
};

static struct restoring *restoring_of(struct sky_bulk_act *act)
{
    return SKY_CONTAINER_OF(act, struct restoring, act);
}

static sky_err step_restore(struct sky_bulk_act *act, struct sky_why *why)
{
    struct restoring *restoring = restoring_of(act);
    (void)why;
    sky_err err = sky_snapshot_restore_some(&restoring->restore, SKY_BULK_SLICE);
    act->in_part = !act->at_once;
    if (!act->at_once)
        act->app->registry.hold.product_id = restoring->restore.walk.product_id;
    return err;
}

static void restored(struct sky_bulk_act *act)
{
    sky_api_record(act->app, SKY_EVENT_REGISTRY, 0, "restore");
}

static void free_restoring(struct sky_bulk_act *act)
{
    struct restoring *restoring = restoring_of(act);
    sky_snapshot_restoring_done(&restoring->restore);
    free(restoring);
}

static const struct sky_bulk_kind restore_kind = {
    .step = step_restore, .done = restored, .free = free_restoring};

void sky_api_snapshot_restore(struct sky_api *api)
{
    struct sky_snapshot snapshot;
    if (!find(api, &snapshot))
        return;
    struct restoring *restoring = sky_mem_new(sizeof *restoring);
    struct sky_product now = {.id = 0};
    *restoring =
        (struct restoring){.act = {.kind = &restore_kind, .holds = true}, .snapshot = snapshot};
    sky_snapshot_restoring_init(&restoring->restore, api->app, &restoring->snapshot);
    sky_span cloud = sky_span_str(snapshot.product), key = SKY_SPAN_NONE;
    if (sky_span_cut(cloud, '/', &cloud, &key) &&
        sky_store_find_product(api->app->store, cloud, key, &now) != SKY_OK)
        now.id = SKY_STORE_NOBODY;
    sky_bulk_do(api, &restoring->act,
                snapshot.devices <= SKY_BULK_FEW &&
                    sky_store_has_few_devices(api->app->store, now.id, SKY_BULK_FEW));
}
