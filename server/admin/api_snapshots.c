/* Snapshots: named states to go back to. A name is one of its product: jobs that each keep to their
 * own need not agree on names. */
#include <stdio.h>

#include "server/admin/snapshots.h"

#include "server/admin/api.h"

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

/* ---- take and list ---- */

static void fail_take(struct sky_api *api, sky_err err, const struct sky_snapshot *snapshot)
{
    struct sky_why why = {0};
    if (err == SKY_ERR_EXISTS)
        sky_api_error(api, 409, "exists", "/name", "there is a snapshot '%s' already%s%s",
                      snapshot->name, snapshot->product[0] != '\0' ? ", of " : "",
                      snapshot->product);
    else if (err == SKY_ERR_LIMIT)
        sky_api_error(api, 409, "limit", "",
                      "%d snapshots, or %lld bytes, are kept at most; delete some",
                      SKY_SNAPSHOTS_MAX, (long long)SKY_SNAPSHOTS_BYTES_MAX);
    else
        sky_api_fail(api, err == SKY_ERR_STORE ? sky_store_why(api->app->store, &why) : err, &why);
}

void sky_api_snapshots_create(struct sky_api *api)
{
    struct sky_snapshot snapshot = {.id = 0};
    struct sky_product found;
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
    sky_span_copy(sky_span_str(name), snapshot.name, sizeof snapshot.name);
    sky_err err = sky_snapshot_take(api->app, product != NULL ? &found : NULL, &snapshot);
    if (err != SKY_OK) {
        fail_take(api, err, &snapshot);
        return;
    }
    sky_api_record(api->app, SKY_EVENT_REGISTRY, 0, "snapshot");
    write_snapshot(&api->jw, &snapshot);
    sky_api_send(api, 201);
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
    if (!find(api, &snapshot))
        return;
    sky_err err = sky_store_drop_snapshot(api->app->store, snapshot.id);
    if (err != SKY_OK)
        sky_api_fail(api, err, NULL);
    else if (sky_api_settle(api))
        sky_api_send(api, 204);
}

void sky_api_snapshot_restore(struct sky_api *api)
{
    struct sky_snapshot snapshot;
    struct sky_why why = {0};
    if (!find(api, &snapshot))
        return;
    sky_err err = sky_snapshot_restore(api->app, &snapshot);
    if (err != SKY_OK) {
        sky_api_fail(api, err == SKY_ERR_STORE ? sky_store_why(api->app->store, &why) : err, &why);
        return;
    }
    sky_api_record(api->app, SKY_EVENT_REGISTRY, 0, "restore");
    sky_api_send(api, 204);
}
