/* A whole fixture text: walked once to find every error, then again to write. */
#include <stdio.h>
#include <uthash.h>

#include "protocol/base/arena.h"
#include "store/internal.h"
#include "store/seed_products.h"

/* One pass over a text. */
struct load {
    struct sky_seed_reader reader;
    bool binds;              /* this pass binds devices to gateways, and does nothing else */
    struct sky_store *store; /* NULL in the first pass */
    struct sky_seed_count *count;
    struct seen *products; /* in this pass */
    struct seen *devices;  /* in the present product; as the next only in the first pass */
    struct seen *behind;   /* gateways */
    struct sky_arena product_names, device_names, behind_names;
    struct sky_device fresh[SKY_DEVICES_AT_ONCE]; /* of the present product, still to be written */
    size_t fresh_count;
    sky_err err; /* the store's, once it refused: nothing is written after it */
};

/* ---- duplicates ---- */

struct seen {
    UT_hash_handle hh;
    size_t index;
};

/* False when the name was there before; `*ret_first` is then where. */
static bool first_time(struct seen **table, struct sky_arena *names, sky_span name, size_t index,
                       size_t *ret_first)
{
    struct seen *seen;
    HASH_FIND(hh, *table, name.ptr, name.len, seen);
    if (seen != NULL) {
        *ret_first = seen->index;
        return false;
    }
    seen = sky_arena_take(names, sizeof *seen);
    seen->index = index;
    sky_span kept = sky_arena_copy(names, name);
    HASH_ADD_KEYPTR(hh, *table, kept.ptr, kept.len, seen);
    return true;
}

static void forget(struct seen **table, struct sky_arena *names)
{
    HASH_CLEAR(hh, *table); /* the entries are the arena's */
    sky_arena_clear(names);
}

/* ---- writing ---- */

static bool same_product(const struct sky_product *a, const struct sky_product *b)
{
    return strcmp(a->secret, b->secret) == 0 && a->dynamic_activation == b->dynamic_activation &&
           a->require_certificate == b->require_certificate && a->https_auth == b->https_auth &&
           a->node == b->node;
}

static bool same_topics(const struct sky_product_topic *a, size_t a_count,
                        const struct sky_product_topic *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i].pattern, b[i].pattern) != 0 || a[i].pub != b[i].pub || a[i].sub != b[i].sub)
            return false;
    return true;
}

static sky_err write_topics(struct sky_store *store, const struct sky_seed_product *said,
                            bool *ret_changed)
{
    struct sky_product_topic topics[SKY_PRODUCT_TOPICS_MAX];
    size_t count;
    sky_err err = sky_store_get_topics(store, said->product.id, topics, &count);
    if (err != SKY_OK || same_topics(topics, count, said->topics, said->topic_count))
        return err;
    *ret_changed = true;
    return sky_store_put_topics(store, said->product.id, said->topics, said->topic_count);
}

static sky_err write_rules(struct sky_store *store, const struct sky_seed_product *said,
                           bool *ret_changed)
{
    struct sky_buf lines;
    sky_buf_init(&lines, SKY_STORE_BLOB_MAX);
    sky_err err = sky_store_get_rules(store, said->product.id, &lines);
    if (err == SKY_OK && !sky_span_eq(sky_buf_span(&lines), sky_buf_span(&said->rules))) {
        *ret_changed = true;
        err = sky_store_put_rules(store, said->product.id, sky_buf_span(&said->rules));
    }
    sky_buf_done(&lines);
    return err;
}

/* Is the product's member to be as the text has it, absent or not? */
static bool is_said(const struct load *load, const struct sky_seed_product *said, const char *name)
{
    return !load->reader.config->keeps_absent || cJSON_HasObjectItem(said->value, name);
}

/* Takes over what is stored where the text says nothing. */
static void keep_absent(const struct load *load, const struct sky_product *stored,
                        struct sky_seed_product *said)
{
    struct sky_product *product = &said->product;
    if (!is_said(load, said, load->reader.config->clouds[said->cloud].product_secret))
        memcpy(product->secret, stored->secret, sizeof product->secret);
    if (!is_said(load, said, "dynamicActivation"))
        product->dynamic_activation = stored->dynamic_activation;
    if (!is_said(load, said, "requireCertificate"))
        product->require_certificate = stored->require_certificate;
    if (!is_said(load, said, "httpsAuth"))
        product->https_auth = stored->https_auth;
    if (!is_said(load, said, "nodeType"))
        product->node = stored->node;
}

static sky_err write_texts(struct load *load, const struct sky_seed_product *said, bool added,
                           bool *ret_changed)
{
    struct sky_store *store = load->store;
    for (size_t i = 0; i < SKY_SEED_TEXTS; i++) {
        if (!added && !is_said(load, said, sky_seed_text_names[i]))
            continue;
        sky_err err = sky_store__seed_product_document(store, said->product.id,
                                                       sky_span_str(sky_seed_text_names[i]),
                                                       sky_buf_span(&said->texts[i]));
        if (err != SKY_OK && err != SKY_ERR_NOT_FOUND)
            return err;
        *ret_changed |= err == SKY_OK;
    }
    return SKY_OK;
}

/* Sets said->product.id. */
static sky_err write_product(struct load *load, struct sky_seed_product *said)
{
    struct sky_product stored;
    bool changed = false;
    sky_err err = sky_store_find_product(load->store, sky_span_str(said->product.cloud),
                                         sky_span_str(said->product.key), &stored);
    bool added = said->added = err == SKY_ERR_NOT_FOUND;
    if (err == SKY_OK) {
        said->product.id = stored.id;
        keep_absent(load, &stored, said);
    }
    if (added || (err == SKY_OK && !same_product(&stored, &said->product))) {
        changed = true;
        err = sky_store_put_product(load->store, &said->product);
    }
    if (err == SKY_OK && (added || is_said(load, said, "topics")))
        err = write_topics(load->store, said, &changed);
    if (err == SKY_OK && (added || is_said(load, said, "rules")))
        err = write_rules(load->store, said, &changed);
    if (err == SKY_OK)
        err = write_texts(load, said, added, &changed);
    load->count->products_added += added;
    load->count->products_changed += changed && !added;
    return err;
}

static sky_err write_fresh(struct load *load)
{
    size_t count = load->fresh_count;
    load->fresh_count = 0;
    return sky_store__add_devices(load->store, load->fresh, count);
}

/* At once if `ret_device` is needed, which gets its id then; NULL: with others. */
static sky_err add_device(struct load *load, const struct sky_seed_product *product,
                          const struct sky_seed_device *said, struct sky_seeded *after,
                          struct sky_device *ret_device)
{
    const struct sky_seed_config *config = load->reader.config;
    struct sky_device device = {.product_id = product->product.id, .enabled = after->enabled};
    if (after->secret[0] == '\0')
        config->make_secret(config->ctx, product->cloud, after->secret);
    memcpy(device.key, said->key, sizeof device.key);
    memcpy(device.secret, after->secret, sizeof device.secret);
    memcpy(device.asset_id, after->asset_id, sizeof device.asset_id);
    memcpy(device.fingerprint, after->fingerprint, sizeof device.fingerprint);
    load->count->devices_added++;
    if (ret_device == NULL) {
        load->fresh[load->fresh_count++] = device;
        return load->fresh_count == SKY_DEVICES_AT_ONCE ? write_fresh(load) : SKY_OK;
    }
    sky_err err = write_fresh(load); /* ids are in the order of the text */
    if (err == SKY_OK)
        err = sky_store_add_device(load->store, &device);
    *ret_device = device;
    return err;
}

/* Takes over what the fixture says otherwise than last time. True if that changed the device. */
static bool merge(struct sky_device *device, const struct sky_seeded *before,
                  const struct sky_seeded *after)
{
    struct sky_device old = *device;
    if (!before->known || strcmp(before->secret, after->secret) != 0) {
        if (strcmp(device->secret, after->secret) != 0) {
            device->old_secret[0] = '\0';
            device->secret_issued = false;
        }
        memcpy(device->secret, after->secret, sizeof device->secret);
    }
    if (!before->known || strcmp(before->asset_id, after->asset_id) != 0)
        memcpy(device->asset_id, after->asset_id, sizeof device->asset_id);
    if (!before->known || strcmp(before->fingerprint, after->fingerprint) != 0)
        memcpy(device->fingerprint, after->fingerprint, sizeof device->fingerprint);
    if (!before->known || before->enabled != after->enabled)
        device->enabled = after->enabled;
    return strcmp(old.secret, device->secret) != 0 || strcmp(old.asset_id, device->asset_id) != 0 ||
           strcmp(old.fingerprint, device->fingerprint) != 0 || old.enabled != device->enabled;
}

static bool same_seeded(const struct sky_seeded *a, const struct sky_seeded *b)
{
    return a->known == b->known && a->enabled == b->enabled && strcmp(a->secret, b->secret) == 0 &&
           strcmp(a->asset_id, b->asset_id) == 0 && strcmp(a->fingerprint, b->fingerprint) == 0;
}

static sky_err write_device(struct load *load, const struct sky_seed_product *product,
                            const struct sky_seed_device *said, bool document,
                            struct sky_device *ret_device)
{
    struct sky_seeded before, after = {.known = true, .enabled = said->enabled};
    memcpy(after.secret, said->secret, sizeof after.secret);
    memcpy(after.asset_id, said->asset_id, sizeof after.asset_id);
    memcpy(after.fingerprint, said->fingerprint, sizeof after.fingerprint);
    sky_err err = product->added
                      ? SKY_ERR_NOT_FOUND
                      : sky_store__find_seeded(load->store, product->product.id,
                                               sky_span_str(said->key), ret_device, &before);
    if (err == SKY_ERR_NOT_FOUND)
        return add_device(load, product, said, &after,
                          product->added && !document ? NULL : ret_device);
    if (err != SKY_OK)
        return err;
    /* A fixture without a secret leaves it as it is. */
    if (after.secret[0] == '\0')
        memcpy(after.secret, before.known ? before.secret : ret_device->secret,
               sizeof after.secret);
    if (merge(ret_device, &before, &after)) {
        load->count->devices_changed++;
        err = sky_store_set_device(load->store, ret_device);
    }
    if (err == SKY_OK && !same_seeded(&before, &after))
        err = sky_store__set_seeded(load->store, ret_device->id, &after);
    return err;
}

/* ---- the initial document ---- */

/* The text to store; reports what is wrong with it. */
static bool make_document(struct load *load, size_t cloud, const cJSON *shadow,
                          struct sky_buf *ret_body, int64_t *ret_version)
{
    const struct sky_seed_config *config = load->reader.config;
    struct sky_buf json;
    struct sky_why why = {.pointer = ""};
    sky_err err = SKY_OK;
    sky_buf_init(&json, SKY_SEED_DOCUMENT_MAX);
    *ret_version = 0;
    if (!sky_json_print(&json, shadow))
        err = sky_why_set(&why, SKY_ERR_LIMIT, "", "the document is longer than %d bytes",
                          SKY_SEED_DOCUMENT_MAX);
    else if (config->make_document == NULL)
        sky_buf_add(ret_body, sky_buf_span(&json));
    else
        err = config->make_document(config->ctx, cloud, SKY_SPAN(SKY_SEED_DOCUMENT),
                                    sky_buf_span(&json), ret_body, ret_version, &why);
    if (err == SKY_OK && ret_body->overflow)
        err = sky_why_set(&why, SKY_ERR_LIMIT, "", "the document becomes longer than %d bytes",
                          SKY_SEED_DOCUMENT_MAX);
    if (err != SKY_OK)
        sky_seed_error_below(&load->reader, "shadow", &why);
    sky_buf_done(&json);
    return err == SKY_OK;
}

static sky_err put_document(struct load *load, int64_t device_id, sky_span body, int64_t version)
{
    sky_span name = SKY_SPAN(SKY_SEED_DOCUMENT);
    struct sky_buf old;
    int64_t old_version;
    sky_buf_init(&old, SKY_STORE_BLOB_MAX);
    sky_err err = sky_store_get_document(load->store, device_id, name, &old, &old_version);
    sky_buf_done(&old);
    if (err != SKY_ERR_NOT_FOUND)
        return err; /* the device has one already, and it is the device's */
    return sky_store_put_document(load->store, device_id, name, body, version);
}

/* ---- devices behind gateways ---- */

/* None stands behind a gateway twice, nor behind a second one where its cloud has that not. */
static void check_behind(struct load *load, const struct sky_seed_product *product,
                         const struct sky_seed_device *gateway)
{
    const struct sky_seed_cloud *cloud = &load->reader.config->clouds[product->cloud];
    char keys[2][SKY_KEY_MAX + 1];
    const cJSON *value;
    size_t index = 0, first, mark = sky_seed_down_key(&load->reader, "subDevices");
    cJSON_ArrayForEach (value, gateway->sub_devices) {
        char name[SKY_STORE_TITLE_MAX + 2 * (SKY_KEY_MAX + 1) + 1];
        size_t at = sky_seed_down_index(&load->reader, index++);
        if (sky_seed_read_sub_device(&load->reader, value, product->cloud, keys[0], keys[1])) {
            int len = snprintf(name, sizeof name, "%s/%s/%s/%s/%s", cloud->name, keys[0], keys[1],
                               cloud->shares_sub_devices ? product->product.key : "",
                               cloud->shares_sub_devices ? gateway->key : "");
            if (!first_time(&load->behind, &load->behind_names, sky_span_of(name, (size_t)len), 0,
                            &first))
                sky_seed_error(&load->reader, "%s/%s stands behind %s already; remove one", keys[0],
                               keys[1], cloud->shares_sub_devices ? "this gateway" : "a gateway");
        }
        sky_seed_up(&load->reader, at);
    }
    sky_seed_up(&load->reader, mark);
}

/* Binds one device to the gateway, or reports why it cannot. */
static void bind_one(struct load *load, const struct sky_seed_product *product,
                     const struct sky_device *gateway, const cJSON *value)
{
    char keys[2][SKY_KEY_MAX + 1];
    struct sky_product its_product;
    struct sky_device device;
    const struct sky_seed_cloud *cloud = &load->reader.config->clouds[product->cloud];
    if (!sky_seed_read_sub_device(&load->reader, value, product->cloud, keys[0], keys[1]))
        return;
    sky_err err =
        sky_store_find_device(load->store, sky_span_str(cloud->name), sky_span_str(keys[0]),
                              sky_span_str(keys[1]), &its_product, &device);
    const struct sky_seed_config *config = load->reader.config;
    if (err == SKY_ERR_NOT_FOUND && config->elsewhere != NULL) {
        struct sky_why why;
        (void)sky_why_set(&why, err, load->reader.pointer, "%s", sky_err_text(err));
        return config->elsewhere(config->ctx, product->cloud, sky_span_str(keys[0]),
                                 sky_span_str(keys[1]), &why);
    }
    if (err == SKY_ERR_NOT_FOUND)
        return sky_seed_error(&load->reader, "there is no device %s/%s; register it, too", keys[0],
                              keys[1]);
    if (err == SKY_OK && its_product.node == SKY_NODE_GATEWAY)
        return sky_seed_error(&load->reader,
                              "%s/%s is a gateway; none stands behind another gateway", keys[0],
                              keys[1]);
    if (err == SKY_OK)
        err =
            sky_store__seed_binding(load->store, gateway->id, device.id, cloud->shares_sub_devices,
                                    load->reader.config->moves_devices);
    if (err == SKY_ERR_EXISTS)
        return sky_seed_error(&load->reader, "%s/%s stands behind another gateway already", keys[0],
                              keys[1]);
    load->err = err;
}

static void bind_devices(struct load *load, const struct sky_seed_product *product,
                         const struct sky_seed_device *said)
{
    struct sky_product its_product;
    struct sky_device gateway;
    const cJSON *value;
    size_t index = 0, mark = sky_seed_down_key(&load->reader, "subDevices");
    load->err = sky_store_find_device(
        load->store, sky_span_str(load->reader.config->clouds[product->cloud].name),
        sky_span_str(product->product.key), sky_span_str(said->key), &its_product, &gateway);
    if (load->err == SKY_OK)
        load->err = sky_store__doubt_bindings(load->store, gateway.id);
    cJSON_ArrayForEach (value, said->sub_devices) {
        size_t at = sky_seed_down_index(&load->reader, index++);
        if (load->err == SKY_OK)
            bind_one(load, product, &gateway, value);
        sky_seed_up(&load->reader, at);
    }
    if (load->err == SKY_OK)
        load->err = sky_store__drop_doubted(load->store, gateway.id);
    sky_seed_up(&load->reader, mark);
}

/* ---- the walk ---- */

static void take_device(struct load *load, const struct sky_seed_product *product,
                        const struct sky_seed_device *said)
{
    bool is_gateway = product->product.node == SKY_NODE_GATEWAY;
    if (load->binds) {
        if (is_gateway && load->err == SKY_OK)
            bind_devices(load, product, said);
        return;
    }
    if (load->store == NULL && is_gateway) {
        load->count->gateways++;
        if (load->reader.errors == 0)
            check_behind(load, product, said);
    }
    struct sky_buf body;
    int64_t version;
    struct sky_device device;
    sky_buf_init(&body, SKY_SEED_DOCUMENT_MAX);
    bool document =
        said->shadow != NULL && make_document(load, product->cloud, said->shadow, &body, &version);
    if (load->store != NULL && load->reader.errors == 0 && load->err == SKY_OK) {
        load->err = write_device(load, product, said, document, &device);
        if (load->err == SKY_OK && document)
            load->err = put_document(load, device.id, sky_buf_span(&body), version);
    }
    sky_buf_done(&body);
}

static void walk_device(struct load *load, const struct sky_seed_product *product,
                        const cJSON *value, size_t index)
{
    struct sky_seed_reader *reader = &load->reader;
    struct sky_seed_device said;
    size_t first, mark = sky_seed_down_index(reader, index);
    if (sky_seed_read_device(reader, value, product, &said)) {
        if (load->store == NULL &&
            !first_time(&load->devices, &load->device_names, sky_span_str(said.key), index, &first))
            sky_seed_error_at(reader, reader->config->clouds[product->cloud].device_key,
                              "\"%s\" is already in this product, at index %zu; remove one",
                              said.key, first);
        take_device(load, product, &said);
    }
    sky_seed_up(reader, mark);
}

static void walk_devices(struct load *load, const struct sky_seed_product *product)
{
    size_t index = 0, mark = sky_seed_down_key(&load->reader, "devices");
    const cJSON *value;
    cJSON_ArrayForEach (value, product->devices) {
        walk_device(load, product, value, index++);
        if (load->err != SKY_OK)
            break;
    }
    if (load->err == SKY_OK && load->fresh_count > 0)
        load->err = write_fresh(load);
    forget(&load->devices, &load->device_names);
    sky_seed_up(&load->reader, mark);
}

static void check_first(struct load *load, const struct sky_seed_product *said, size_t index)
{
    char name[SKY_CLOUD_NAME_MAX + 1 + SKY_KEY_MAX + 1];
    size_t first;
    int len = snprintf(name, sizeof name, "%s/%s", said->product.cloud, said->product.key);
    if (!first_time(&load->products, &load->product_names, sky_span_of(name, (size_t)len), index,
                    &first))
        sky_seed_error_at(&load->reader, load->reader.config->clouds[said->cloud].product_key,
                          "\"%s\" is already at /products/%zu; put all its devices there",
                          said->product.key, first);
}

static void walk_product(struct load *load, const cJSON *value, size_t index)
{
    struct sky_seed_product said;
    size_t mark = sky_seed_down_index(&load->reader, index);
    bool named = sky_seed_read_product(&load->reader, value, &said);
    if (named)
        check_first(load, &said, index);
    if (named && load->store != NULL && load->reader.errors == 0 && load->err == SKY_OK &&
        !load->binds)
        load->err = write_product(load, &said);
    bool binds_none = load->binds && said.product.node != SKY_NODE_GATEWAY;
    if (said.devices != NULL && load->err == SKY_OK && !binds_none)
        walk_devices(load, &said);
    sky_seed_product_done(&said);
    sky_seed_up(&load->reader, mark);
}

static void walk(struct load *load, const cJSON *tree)
{
    struct sky_seed_field fields[] = {{"products", SKY_SEED_LIST, true, NULL}};
    if (cJSON_IsArray(tree)) {
        sky_seed_error(&load->reader, "expected an object {\"products\": [...]}, this is a list; "
                                      "put it into one");
        return;
    }
    if (!sky_seed_object(&load->reader, tree, fields, SKY_COUNT(fields), NULL))
        return;
    size_t index = 0, mark = sky_seed_down_key(&load->reader, "products");
    const cJSON *value;
    cJSON_ArrayForEach (value, fields[0].value) {
        walk_product(load, value, index++);
        if (load->err != SKY_OK)
            break;
    }
    forget(&load->products, &load->product_names);
    forget(&load->behind, &load->behind_names);
    sky_seed_up(&load->reader, mark);
}

/* ---- a whole text ---- */

static sky_err write_all(struct load *load, struct sky_store *store, const cJSON *tree)
{
    load->store = store;
    load->err = sky_store__enter(store);
    if (load->err == SKY_OK) {
        if (!load->binds)
            walk(load, tree);
        if (load->err == SKY_OK && (load->binds || !load->reader.config->binds_later)) {
            load->binds = true;
            walk(load, tree);
        }
        if (load->err == SKY_OK && load->reader.errors > 0)
            load->err = SKY_ERR_INVALID;
        load->err = sky_store__leave(store, load->err);
    }
    if (load->err != SKY_OK)
        *load->count = (struct sky_seed_count){.gateways = load->count->gateways};
    if (load->err != SKY_OK && load->err != SKY_ERR_INVALID) {
        struct sky_why why;
        (void)sky_store_why(store, &why);
        sky_seed_error(&load->reader, "nothing was written: %s", why.reason);
    }
    return load->err;
}

static sky_err read_tree(struct load *load, sky_span text, cJSON **ret_tree)
{
    struct sky_why why;
    if (text.len > SKY_SEED_FILE_MAX) {
        sky_seed_error(&load->reader, "the text has %zu bytes; %d is the most", text.len,
                       SKY_SEED_FILE_MAX);
        return SKY_ERR_LIMIT;
    }
    if (sky_span_starts(text, SKY_SPAN("\xef\xbb\xbf")))
        text = sky_span_tail(text, 3);
    sky_err err = sky_json_parse(text, SKY_JSON_DEPTH_MAX, ret_tree, &why);
    if (err != SKY_OK)
        sky_seed_error_below(&load->reader, NULL, &why);
    return err;
}

static sky_err load_text(struct sky_store *store, sky_span json,
                         const struct sky_seed_config *config, bool binds,
                         struct sky_seed_count *ret_count)
{
    struct load load = {.reader = {.config = config}, .count = ret_count, .binds = binds};
    cJSON *tree = NULL;
    *ret_count = (struct sky_seed_count){0};
    sky_arena_init(&load.product_names);
    sky_arena_init(&load.device_names);
    sky_arena_init(&load.behind_names);
    sky_err err = read_tree(&load, json, &tree);
    if (err == SKY_OK && !binds) {
        walk(&load, tree);
        err = load.reader.errors > 0 ? SKY_ERR_INVALID : SKY_OK;
    }
    if (err == SKY_OK && store != NULL)
        err = write_all(&load, store, tree);
    ret_count->errors = load.reader.errors;
    cJSON_Delete(tree);
    sky_arena_done(&load.product_names);
    sky_arena_done(&load.device_names);
    sky_arena_done(&load.behind_names);
    return err;
}

sky_err sky_seed_load(struct sky_store *store, sky_span json, const struct sky_seed_config *config,
                      struct sky_seed_count *ret_count)
{
    SKY_ASSERT(store == NULL || config->make_secret != NULL);
    return load_text(store, json, config, false, ret_count);
}

sky_err sky_seed_bind(struct sky_store *store, sky_span json, const struct sky_seed_config *config,
                      struct sky_seed_count *ret_count)
{
    SKY_ASSERT(store != NULL);
    return load_text(store, json, config, true, ret_count);
}
