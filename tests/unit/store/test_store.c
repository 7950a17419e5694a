#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/internal.h"
#include "store/pages.h"

static int open_store(void **state)
{
    struct sky_store *store;
    struct sky_why why;
    assert_int_equal(sky_store_open(":memory:", &store, &why), SKY_OK);
    *state = store;
    return 0;
}

static int close_store(void **state)
{
    sky_store_close(*state);
    return 0;
}

static struct sky_product put_product(struct sky_store *store, const char *cloud, const char *key)
{
    struct sky_product product = {.https_auth = true};
    assert_true(sky_span_copy(sky_span_str(cloud), product.cloud, sizeof product.cloud));
    assert_true(sky_span_copy(sky_span_str(key), product.key, sizeof product.key));
    assert_int_equal(sky_store_put_product(store, &product), SKY_OK);
    return product;
}

static struct sky_device add_device(struct sky_store *store, int64_t product_id, const char *key)
{
    struct sky_device device = {.product_id = product_id, .secret = "secret", .enabled = true};
    assert_true(sky_span_copy(sky_span_str(key), device.key, sizeof device.key));
    assert_int_equal(sky_store_add_device(store, &device), SKY_OK);
    return device;
}

static sky_err find(struct sky_store *store, const char *cloud, const char *product,
                    const char *device, struct sky_product *ret_product,
                    struct sky_device *ret_device)
{
    return sky_store_find_device(store, sky_span_str(cloud), sky_span_str(product),
                                 sky_span_str(device), ret_product, ret_device);
}

static void fill(char *out, size_t len, char with)
{
    memset(out, with, len);
    out[len] = '\0';
}

/* ---- statements ---- */

static void the_schema_has_what_every_statement_names(void **state)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SKY_STORE_STATEMENTS(X)
#undef X
    };
    struct sky_store *store = *state;
    for (size_t i = 0; i < SKY_COUNT(texts); i++) {
        sqlite3_stmt *stmt;
        if (sqlite3_prepare_v2(store->db, texts[i], -1, &stmt, NULL) != SQLITE_OK)
            fail_msg("%s: %s", texts[i], sqlite3_errmsg(store->db));
        sqlite3_finalize(stmt);
    }
}

/* ---- products ---- */

static void keeps_every_field_of_a_product(void **state)
{
    struct sky_store *store = *state;
    struct sky_product product = {.dynamic_activation = true, .require_certificate = true}, found;
    fill(product.cloud, SKY_CLOUD_NAME_MAX, 'c');
    fill(product.key, SKY_KEY_MAX, 'k');
    fill(product.secret, SKY_SECRET_MAX, 's');
    assert_int_equal(sky_store_put_product(store, &product), SKY_OK);
    assert_true(product.id > 0);
    assert_int_equal(sky_store_find_product(store, sky_span_str(product.cloud),
                                            sky_span_str(product.key), &found),
                     SKY_OK);
    assert_int_equal(found.id, product.id);
    assert_string_equal(found.cloud, product.cloud);
    assert_string_equal(found.key, product.key);
    assert_string_equal(found.secret, product.secret);
    assert_true(found.dynamic_activation);
    assert_true(found.require_certificate);
    assert_false(found.https_auth);
    assert_int_equal(sky_store_get_product(store, product.id, &found), SKY_OK);
    assert_int_equal(sky_store_get_product(store, product.id + 1, &found), SKY_ERR_NOT_FOUND);
}

static void replaces_a_product_of_the_same_name_and_keeps_its_id(void **state)
{
    struct sky_store *store = *state;
    struct sky_product first = put_product(store, "aliyun", "pk"), found;
    struct sky_product other = put_product(store, "enos", "pk");
    assert_int_not_equal(first.id, other.id);
    struct sky_product again = first;
    again.id = 0;
    again.dynamic_activation = true;
    assert_int_equal(sky_store_put_product(store, &again), SKY_OK);
    assert_int_equal(again.id, first.id);
    assert_int_equal(sky_store_get_product(store, first.id, &found), SKY_OK);
    assert_true(found.dynamic_activation);
    assert_int_equal(sky_store_get_product(store, other.id, &found), SKY_OK);
    assert_false(found.dynamic_activation);
}

static void replaces_all_topics_of_a_product_at_once(void **state)
{
    struct sky_store *store = *state;
    int64_t id = put_product(store, "aliyun", "pk").id;
    struct sky_product_topic topics[SKY_PRODUCT_TOPICS_MAX], found[SKY_PRODUCT_TOPICS_MAX];
    size_t count = 99;
    for (size_t i = 0; i < SKY_PRODUCT_TOPICS_MAX; i++) {
        topics[i] = (struct sky_product_topic){.pub = i % 2, .sub = i % 3 == 0};
        snprintf(topics[i].pattern, sizeof topics[i].pattern, "/%zu", i);
    }
    assert_int_equal(sky_store_get_topics(store, id, found, &count), SKY_OK);
    assert_int_equal(count, 0);
    assert_int_equal(sky_store_put_topics(store, id, topics, SKY_PRODUCT_TOPICS_MAX), SKY_OK);
    assert_int_equal(sky_store_get_topics(store, id, found, &count), SKY_OK);
    assert_int_equal(count, SKY_PRODUCT_TOPICS_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(found[i].pattern, topics[i].pattern);
        assert_int_equal(found[i].pub, topics[i].pub);
        assert_int_equal(found[i].sub, topics[i].sub);
    }
    assert_int_equal(sky_store_put_topics(store, id, topics + 5, 1), SKY_OK);
    assert_int_equal(sky_store_get_topics(store, id, found, &count), SKY_OK);
    assert_int_equal(count, 1);
    assert_string_equal(found[0].pattern, "/5");
    assert_int_equal(sky_store_put_topics(store, id + 1, topics, 1), SKY_ERR_NOT_FOUND);
}

static void keeps_the_rules_of_a_product(void **state)
{
    struct sky_store *store = *state;
    int64_t id = put_product(store, "aliyun", "pk").id;
    struct sky_buf lines;
    sky_buf_init(&lines, 32);
    assert_int_equal(sky_store_get_rules(store, id, &lines), SKY_OK);
    assert_int_equal(lines.len, 0);
    assert_int_equal(sky_store_put_rules(store, id, SKY_SPAN("A=off\nB=report\n")), SKY_OK);
    assert_int_equal(sky_store_get_rules(store, id, &lines), SKY_OK);
    assert_true(sky_span_eq_str(sky_buf_span(&lines), "A=off\nB=report\n"));
    assert_int_equal(sky_store_put_rules(store, id + 1, SKY_SPAN("")), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_get_rules(store, id + 1, &lines), SKY_ERR_NOT_FOUND);
    sky_buf_done(&lines);
    sky_buf_init(&lines, 14);
    assert_int_equal(sky_store_get_rules(store, id, &lines), SKY_ERR_LIMIT);
    sky_buf_done(&lines);
}

struct listed {
    char text[512];
    size_t stop_after, calls;
};

static void list(struct listed *listed, sky_span text)
{
    size_t len = strlen(listed->text);
    snprintf(listed->text + len, sizeof listed->text - len, "%.*s ", SKY_SPAN_ARGS(text));
    listed->calls++;
}

static bool list_key(void *ctx, sky_span key)
{
    struct listed *listed = ctx;
    list(listed, key);
    return listed->calls != listed->stop_after;
}

static bool list_product(void *ctx, const struct sky_product *product)
{
    return list_key(ctx, sky_span_str(product->key));
}

static bool list_device(void *ctx, const struct sky_product *product,
                        const struct sky_device *device)
{
    assert_int_equal(product->id, device->product_id);
    return list_key(ctx, sky_span_str(device->key));
}

static void lists_products_by_cloud_and_key(void **state)
{
    struct sky_store *store = *state;
    put_product(store, "enos", "a");
    put_product(store, "aliyun", "z");
    int64_t gone = put_product(store, "aliyun", "m").id;
    put_product(store, "aliyun", "b");
    assert_int_equal(sky_store_delete_product(store, gone), SKY_OK);
    struct listed listed = {.calls = 0};
    assert_int_equal(sky_store_each_product(store, list_product, &listed), SKY_OK);
    assert_string_equal(listed.text, "b z a ");
    listed = (struct listed){.stop_after = 2};
    assert_int_equal(sky_store_each_product(store, list_product, &listed), SKY_OK);
    assert_string_equal(listed.text, "b z ");
}

static void offers_the_keys_near_a_mistyped_one(void **state)
{
    struct sky_store *store = *state;
    int64_t id = put_product(store, "aliyun", "pk").id;
    put_product(store, "aliyun", "pl");
    put_product(store, "enos", "pk2");
    const char *keys[] = {"a", "b", "c", "e", "f", "g"};
    for (size_t i = 0; i < SKY_COUNT(keys); i++)
        add_device(store, id, keys[i]);
    struct listed listed = {.calls = 0};
    assert_int_equal(sky_store_each_device_key(store, id, SKY_SPAN("d"), 2, list_key, &listed),
                     SKY_OK);
    assert_string_equal(listed.text, "e f c b ");
    listed = (struct listed){.calls = 0};
    assert_int_equal(sky_store_each_product_key(store, SKY_SPAN("aliyun"), SKY_SPAN("pkk"), 10,
                                                list_key, &listed),
                     SKY_OK);
    assert_string_equal(listed.text, "pl pk ");
}

static void deleting_a_product_deletes_its_devices_and_frees_its_name(void **state)
{
    struct sky_store *store = *state;
    struct sky_product product = put_product(store, "aliyun", "pk"), found;
    struct sky_device device = add_device(store, product.id, "dev"), found_device;
    struct sky_token token = {.id = "i", .token = "t", .device_id = device.id};
    assert_int_equal(sky_store_put_token(store, 0, &token), SKY_OK);
    assert_int_equal(
        sky_store_put_document(store, device.id, SKY_SPAN("shadow"), SKY_SPAN("{}"), 1), SKY_OK);
    assert_int_equal(sky_store_delete_product(store, product.id), SKY_OK);
    assert_int_equal(find(store, "aliyun", "pk", "dev", &found, &found_device), SKY_ERR_NOT_FOUND);
    assert_int_equal(found.id, 0);
    assert_int_equal(sky_store_get_device(store, device.id, &found, &found_device),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_find_token(store, SKY_SPAN("i"), &token), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_count_devices(store), 0);
    assert_int_equal(sky_store_delete_product(store, product.id), SKY_ERR_NOT_FOUND);
    assert_int_not_equal(put_product(store, "aliyun", "pk").id, product.id);
    char name[SKY_STORE_TITLE_MAX + 1];
    assert_int_equal(sky_store_device_name(store, device.id, name, sizeof name), SKY_OK);
    assert_string_equal(name, "aliyun/pk/dev");
}

/* ---- devices ---- */

static void keeps_every_field_of_a_device(void **state)
{
    struct sky_store *store = *state;
    struct sky_product product = put_product(store, "enos", "pk"), found_product;
    struct sky_device device = {.product_id = product.id,
                                .state = SKY_DEVICE_ACTIVE,
                                .enabled = true,
                                .secret_issued = true},
                      found;
    fill(device.key, SKY_KEY_MAX, 'k');
    fill(device.secret, SKY_SECRET_MAX, 's');
    fill(device.old_secret, SKY_SECRET_MAX, 'o');
    fill(device.asset_id, SKY_KEY_MAX, 'a');
    fill(device.fingerprint, SKY_FINGERPRINT_HEX, 'f');
    assert_int_equal(sky_store_add_device(store, &device), SKY_OK);
    assert_int_equal(find(store, "enos", "pk", device.key, &found_product, &found), SKY_OK);
    assert_memory_equal(&found, &device, sizeof found);
    device.state = SKY_DEVICE_INACTIVE;
    device.enabled = device.secret_issued = false;
    memset(device.secret, 0, sizeof device.secret);
    memset(device.fingerprint, 0, sizeof device.fingerprint);
    assert_int_equal(sky_store_set_device(store, &device), SKY_OK);
    assert_int_equal(sky_store_get_device(store, device.id, &found_product, &found), SKY_OK);
    assert_memory_equal(&found, &device, sizeof found);
    assert_string_equal(found_product.key, "pk");
    const enum sky_device_state active = SKY_DEVICE_ACTIVE;
    assert_int_equal(sky_store_set_device_state(store, device.id, active), SKY_OK);
    assert_int_equal(sky_store_set_device_state(store, device.id, active), SKY_ERR_EXISTS);
    assert_int_equal(sky_store_get_device(store, device.id, &found_product, &found), SKY_OK);
    device.state = active;
    assert_memory_equal(&found, &device, sizeof found);
    device.id++;
    assert_int_equal(sky_store_set_device(store, &device), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_set_device_state(store, device.id, active), SKY_ERR_NOT_FOUND);
}

static void refuses_a_second_device_of_the_same_name(void **state)
{
    struct sky_store *store = *state;
    int64_t one = put_product(store, "aliyun", "pk1").id,
            two = put_product(store, "aliyun", "pk2").id;
    struct sky_device device = add_device(store, one, "dev");
    assert_int_equal(sky_store_add_device(store, &device), SKY_ERR_EXISTS);
    add_device(store, two, "dev");
    device.product_id = two + 1;
    assert_int_equal(sky_store_add_device(store, &device), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_count_devices(store), 2);
}

static void names_the_product_of_an_unknown_device(void **state)
{
    struct sky_store *store = *state;
    put_product(store, "aliyun", "pk");
    struct sky_product product;
    struct sky_device device;
    assert_int_equal(find(store, "aliyun", "pk", "dev", &product, &device), SKY_ERR_NOT_FOUND);
    assert_string_equal(product.key, "pk");
    assert_int_equal(find(store, "aliyun", "PK", "dev", &product, &device), SKY_ERR_NOT_FOUND);
    assert_int_equal(product.id, 0);
    assert_int_equal(find(store, "enos", "pk", "dev", &product, &device), SKY_ERR_NOT_FOUND);
    assert_int_equal(product.id, 0);
}

static void a_deleted_device_keeps_its_name_but_gives_it_free(void **state)
{
    struct sky_store *store = *state;
    struct sky_product product = put_product(store, "aliyun", "pk");
    struct sky_device old = add_device(store, product.id, "dev"), found;
    assert_int_equal(sky_store_delete_device(store, old.id), SKY_OK);
    assert_int_equal(sky_store_delete_device(store, old.id), SKY_ERR_NOT_FOUND);
    assert_int_equal(find(store, "aliyun", "pk", "dev", &product, &found), SKY_ERR_NOT_FOUND);
    struct sky_device fresh = add_device(store, product.id, "dev");
    assert_true(fresh.id > old.id);
    char name[SKY_STORE_TITLE_MAX + 1];
    assert_int_equal(sky_store_device_name(store, old.id, name, sizeof name), SKY_OK);
    assert_string_equal(name, "aliyun/pk/dev");
    assert_int_equal(sky_store_device_name(store, fresh.id + 1, name, sizeof name),
                     SKY_ERR_NOT_FOUND);
}

static void never_gives_an_id_twice(void **state)
{
    struct sky_store *store = *state;
    int64_t product_id = put_product(store, "aliyun", "pk").id, last = 0;
    for (int i = 0; i < 3; i++) {
        struct sky_device device = add_device(store, product_id, "dev");
        assert_true(device.id > last);
        last = device.id;
        assert_int_equal(sky_store_delete_device(store, device.id), SKY_OK);
    }
}

static void finds_the_seam_of_keys_written_as_one_word(void **state)
{
    static const struct {
        const char *joined, *product, *device; /* device NULL: not found */
    } rows[] = {
        {"PRODdev", "PROD", "dev"},
        {"PROD12dev", "PROD12", "dev"},
        {"PROD1dev", "PROD", "1dev"},     /* no product PROD1: the shorter one has it */
        {"PROD12only", "PROD", "12only"}, /* the longest has no such device */
        {"PROD12nobody", "PROD12", NULL},
        {"PRODzzz", "PROD", NULL},
        {"PROD", "PROD", NULL},
        {"PRO", NULL, NULL},
        {"Zdev", "Z", "dev"},
        {"ZZdev", "Z", NULL},
        {"", NULL, NULL},
    };
    struct sky_store *store = *state;
    int64_t shorter = put_product(store, "tencent", "PROD").id;
    int64_t longer = put_product(store, "tencent", "PROD12").id;
    int64_t single = put_product(store, "tencent", "Z").id;
    put_product(store, "tencent", "PROD12345");
    put_product(store, "tencent", "PRODA");
    put_product(store, "aliyun", "PROD12de");
    add_device(store, shorter, "dev");
    add_device(store, shorter, "1dev");
    add_device(store, shorter, "12only");
    add_device(store, longer, "dev");
    add_device(store, single, "dev");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_product product;
        struct sky_device device;
        sky_err err = sky_store_find_joined(store, SKY_SPAN("tencent"),
                                            sky_span_str(rows[i].joined), &product, &device);
        if (err != (rows[i].device ? SKY_OK : SKY_ERR_NOT_FOUND))
            fail_msg("%s: %s", rows[i].joined, sky_err_slug(err));
        if (rows[i].product == NULL)
            assert_int_equal(product.id, 0);
        else
            assert_string_equal(product.key, rows[i].product);
        if (rows[i].device != NULL)
            assert_string_equal(device.key, rows[i].device);
    }
}

static void finds_the_seam_after_the_longest_possible_key(void **state)
{
    struct sky_store *store = *state;
    char key[SKY_KEY_MAX + 1], joined[2 * SKY_KEY_MAX + 1];
    fill(key, SKY_KEY_MAX, 'p');
    snprintf(joined, sizeof joined, "%sdev", key);
    add_device(store, put_product(store, "tencent", key).id, "dev");
    struct sky_product product;
    struct sky_device device;
    assert_int_equal(
        sky_store_find_joined(store, SKY_SPAN("tencent"), sky_span_str(joined), &product, &device),
        SKY_OK);
    assert_string_equal(device.key, "dev");
}

static void finds_a_device_by_its_certificate(void **state)
{
    struct sky_store *store = *state;
    struct sky_product product = put_product(store, "enos", "pk");
    struct sky_device first = add_device(store, product.id, "dev1"), found;
    add_device(store, product.id, "dev2");
    fill(first.fingerprint, SKY_FINGERPRINT_HEX, 'a');
    assert_int_equal(sky_store_set_device(store, &first), SKY_OK);
    sky_span fingerprint = sky_span_str(first.fingerprint);
    assert_int_equal(sky_store_find_fingerprint(store, fingerprint, &product, &found), SKY_OK);
    assert_int_equal(found.id, first.id);
    assert_int_equal(sky_store_find_fingerprint(store, SKY_SPAN(""), &product, &found),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_delete_device(store, first.id), SKY_OK);
    assert_int_equal(sky_store_find_fingerprint(store, fingerprint, &product, &found),
                     SKY_ERR_NOT_FOUND);
}

static void walks_devices_page_by_page(void **state)
{
    struct sky_store *store = *state;
    int64_t second = put_product(store, "aliyun", "z").id,
            third = put_product(store, "aliyun", "a").id;
    int64_t b = add_device(store, second, "b").id;
    add_device(store, second, "a");
    add_device(store, second, "c");
    int64_t d = add_device(store, third, "d").id;
    struct listed listed = {.calls = 0};
    assert_int_equal(sky_store_each_device(store, 0, 0, SIZE_MAX, list_device, &listed), SKY_OK);
    assert_string_equal(listed.text, "a b c d ");
    listed = (struct listed){.calls = 0};
    assert_int_equal(sky_store_each_device(store, 0, b, 2, list_device, &listed), SKY_OK);
    assert_string_equal(listed.text, "c d ");
    listed = (struct listed){.calls = 0};
    assert_int_equal(sky_store_each_device(store, second, 0, 2, list_device, &listed), SKY_OK);
    assert_string_equal(listed.text, "a b ");
    assert_int_equal(sky_store_delete_device(store, b), SKY_OK);
    listed = (struct listed){.calls = 0}; /* the place of a deleted device is still a place */
    assert_int_equal(sky_store_each_device(store, second, b, 9, list_device, &listed), SKY_OK);
    assert_string_equal(listed.text, "c ");
    listed = (struct listed){.calls = 0};
    assert_int_equal(sky_store_each_device(store, 0, d, 9, list_device, &listed), SKY_OK);
    assert_string_equal(listed.text, "");
    listed = (struct listed){.stop_after = 1};
    assert_int_equal(sky_store_each_device(store, 0, 0, 9, list_device, &listed), SKY_OK);
    assert_string_equal(listed.text, "a ");
}

/* ---- documents, tokens, notes ---- */

static void keeps_documents_apart_by_device_and_name(void **state)
{
    struct sky_store *store = *state;
    int64_t product_id = put_product(store, "aliyun", "pk").id;
    int64_t one = add_device(store, product_id, "one").id,
            two = add_device(store, product_id, "two").id;
    struct sky_buf body;
    int64_t version = -1;
    sky_buf_init(&body, 8);
    assert_int_equal(sky_store_put_document(store, one, SKY_SPAN("shadow"), SKY_SPAN("{}"), 1),
                     SKY_OK);
    assert_int_equal(sky_store_put_document(store, one, SKY_SPAN("shadow"), SKY_SPAN("{1}"), 2),
                     SKY_OK);
    assert_int_equal(sky_store_put_document(store, one, SKY_SPAN("tags"), SKY_SPAN("a\0b"), 7),
                     SKY_OK);
    assert_int_equal(sky_store_get_document(store, two, SKY_SPAN("shadow"), &body, &version),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(body.len, 0);
    assert_int_equal(sky_store_get_document(store, one, SKY_SPAN("shadow"), &body, &version),
                     SKY_OK);
    assert_int_equal(version, 2);
    assert_int_equal(sky_store_get_document(store, one, SKY_SPAN("tags"), &body, &version), SKY_OK);
    assert_true(sky_span_eq(sky_buf_span(&body), SKY_SPAN("{1}a\0b"))); /* appended */
    assert_int_equal(sky_store_get_document(store, one, SKY_SPAN("shadow"), &body, &version),
                     SKY_ERR_LIMIT);
    assert_int_equal(sky_store_delete_document(store, one, SKY_SPAN("tags")), SKY_OK);
    assert_int_equal(sky_store_delete_document(store, one, SKY_SPAN("tags")), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_delete_device(store, one), SKY_OK);
    assert_int_equal(sky_store_get_document(store, one, SKY_SPAN("shadow"), &body, &version),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_put_document(store, one, SKY_SPAN("shadow"), SKY_SPAN("{}"), 1),
                     SKY_ERR_NOT_FOUND);
    sky_buf_done(&body);
}

static bool list_document(void *ctx, sky_span name, sky_span body, int64_t version)
{
    list(ctx, name);
    list(ctx, body);
    struct listed *listed = ctx;
    return version != (int64_t)listed->stop_after;
}

static void lists_the_documents_of_a_device(void **state)
{
    struct sky_store *store = *state;
    int64_t id = add_device(store, put_product(store, "aliyun", "pk").id, "dev").id;
    assert_int_equal(sky_store_put_document(store, id, SKY_SPAN("b"), SKY_SPAN("2"), 5), SKY_OK);
    assert_int_equal(sky_store_put_document(store, id, SKY_SPAN("a"), SKY_SPAN("1"), 4), SKY_OK);
    struct listed listed = {.calls = 0};
    assert_int_equal(sky_store_each_document(store, id, list_document, &listed), SKY_OK);
    assert_string_equal(listed.text, "a 1 b 2 ");
    listed = (struct listed){.stop_after = 4};
    assert_int_equal(sky_store_each_document(store, id, list_document, &listed), SKY_OK);
    assert_string_equal(listed.text, "a 1 ");
}

static void bounds_the_size_of_documents_pages_and_notes(void **state)
{
    struct sky_store *store = *state;
    int64_t id = add_device(store, put_product(store, "aliyun", "pk").id, "dev").id;
    sky_span most = sky_span_of(sky_mem_new(SKY_STORE_BLOB_MAX + 1), SKY_STORE_BLOB_MAX);
    sky_span more = sky_span_of(most.ptr, most.len + 1);
    char text[SKY_STORE_NAME_MAX + 2];
    fill(text, SKY_STORE_NAME_MAX + 1, 'n');
    sky_span name = sky_span_of(text, SKY_STORE_NAME_MAX);
    sky_span long_name = sky_span_str(text);
    assert_int_equal(sky_store_put_document(store, id, name, most, 1), SKY_OK);
    assert_int_equal(sky_store_put_document(store, id, name, more, 1), SKY_ERR_LIMIT);
    assert_int_equal(sky_store_put_document(store, id, long_name, SKY_SPAN(""), 1), SKY_ERR_LIMIT);
    assert_int_equal(sky_store_put_page(store, 1, 1, most), SKY_OK);
    assert_int_equal(sky_store_put_page(store, 2, 2, more), SKY_ERR_LIMIT);
    assert_int_equal(sky_store_put_note(store, name, most), SKY_OK);
    assert_int_equal(sky_store_put_note(store, name, more), SKY_ERR_LIMIT);
    assert_int_equal(sky_store_put_note(store, long_name, SKY_SPAN("")), SKY_ERR_LIMIT);
    free((void *)most.ptr);
}

static void a_token_takes_the_place_of_the_one_that_had_it(void **state)
{
    struct sky_store *store = *state;
    int64_t product = put_product(store, "aliyun", "pk").id;
    int64_t id = add_device(store, product, "dev").id;
    int64_t other = add_device(store, product, "other").id;
    struct sky_token token = {.id = "of another", .device_id = other}, found;
    size_t newest;
    assert_int_equal(sky_store_put_token(store, 0, &token), SKY_OK);
    token.device_id = id;
    assert_int_equal(sky_store_newest_token(store, id, &newest), SKY_ERR_NOT_FOUND);
    for (size_t i = 0; i < SKY_STORE_TOKENS_MAX + 1; i++) {
        snprintf(token.id, sizeof token.id, "%zu", i);
        token.expires_ms++;
        assert_int_equal(sky_store_put_token(store, i % SKY_STORE_TOKENS_MAX, &token), SKY_OK);
        assert_int_equal(sky_store_newest_token(store, id, &newest), SKY_OK);
        assert_int_equal(newest, i % SKY_STORE_TOKENS_MAX);
    }
    assert_int_equal(sky_store_find_token(store, SKY_SPAN("0"), &found), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_find_token(store, SKY_SPAN("1"), &found), SKY_OK);
    assert_int_equal(sky_store_find_token(store, SKY_SPAN("16"), &found), SKY_OK);
    assert_int_equal(sky_store_find_token(store, SKY_SPAN("of another"), &found), SKY_OK);
}

static void keeps_tokens_as_they_are_until_their_device_goes(void **state)
{
    struct sky_store *store = *state;
    int64_t id = add_device(store, put_product(store, "aliyun", "pk").id, "dev").id;
    struct sky_token token = {.device_id = id, .expires_ms = 101}, found;
    fill(token.id, SKY_TOKEN_MAX, 'i');
    fill(token.token, SKY_TOKEN_MAX, 't');
    assert_int_equal(sky_store_put_token(store, 3, &token), SKY_OK);
    assert_int_equal(sky_store_put_token(store, 4, &token), SKY_OK); /* the id says which it is */
    assert_int_equal(sky_store_find_token(store, sky_span_str(token.id), &found), SKY_OK);
    assert_string_equal(found.token, token.token);
    assert_int_equal(found.device_id, id);
    assert_int_equal(found.expires_ms, 101);
    token.device_id++;
    assert_int_equal(sky_store_put_token(store, 0, &token), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_delete_device(store, id), SKY_OK);
    assert_int_equal(sky_store_find_token(store, sky_span_str(token.id), &found),
                     SKY_ERR_NOT_FOUND);
}

static void keeps_notes_by_name_and_lists_them_by_prefix(void **state)
{
    struct sky_store *store = *state;
    struct sky_buf value;
    sky_buf_init(&value, 8);
    assert_int_equal(sky_store_get_note(store, SKY_SPAN("a/1"), &value), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_put_note(store, SKY_SPAN("a/2"), SKY_SPAN("x")), SKY_OK);
    assert_int_equal(sky_store_put_note(store, SKY_SPAN("a/1"), SKY_SPAN("old")), SKY_OK);
    assert_int_equal(sky_store_put_note(store, SKY_SPAN("a/1"), SKY_SPAN("n\0w")), SKY_OK);
    assert_int_equal(sky_store_put_note(store, SKY_SPAN("b"), SKY_SPAN("")), SKY_OK);
    assert_int_equal(sky_store_get_note(store, SKY_SPAN("a/1"), &value), SKY_OK);
    assert_true(sky_span_eq(sky_buf_span(&value), SKY_SPAN("n\0w")));
    struct listed listed = {.calls = 0};
    assert_int_equal(sky_store_each_note(store, SKY_SPAN("a/"), list_key, &listed), SKY_OK);
    assert_string_equal(listed.text, "a/1 a/2 ");
    assert_int_equal(sky_store_delete_note(store, SKY_SPAN("a/1")), SKY_OK);
    assert_int_equal(sky_store_delete_note(store, SKY_SPAN("a/1")), SKY_ERR_NOT_FOUND);
    listed = (struct listed){.calls = 0};
    assert_int_equal(sky_store_each_note(store, SKY_SPAN(""), list_key, &listed), SKY_OK);
    assert_string_equal(listed.text, "a/2 b ");
    sky_buf_done(&value);
}

/* ---- transactions ---- */

static void a_rollback_undoes_everything_since_begin(void **state)
{
    struct sky_store *store = *state;
    put_product(store, "aliyun", "before");
    assert_int_equal(sky_store_begin(store), SKY_OK);
    int64_t id = put_product(store, "aliyun", "within").id;
    add_device(store, id, "dev");
    struct sky_product_topic topic = {.pattern = "/a", .pub = true};
    assert_int_equal(sky_store_put_topics(store, id, &topic, 1), SKY_OK);
    sky_store_rollback(store);
    struct listed listed = {.calls = 0};
    assert_int_equal(sky_store_each_product(store, list_product, &listed), SKY_OK);
    assert_string_equal(listed.text, "before ");
    assert_int_equal(sky_store_count_devices(store), 0);
    assert_int_equal(sky_store_begin(store), SKY_OK);
    put_product(store, "aliyun", "after");
    assert_int_equal(sky_store_commit(store), SKY_OK);
    listed = (struct listed){.calls = 0};
    assert_int_equal(sky_store_each_product(store, list_product, &listed), SKY_OK);
    assert_string_equal(listed.text, "after before ");
}

static void a_refused_write_leaves_the_transaction_usable(void **state)
{
    struct sky_store *store = *state;
    assert_int_equal(sky_store_begin(store), SKY_OK);
    int64_t id = put_product(store, "aliyun", "pk").id;
    struct sky_device device = add_device(store, id, "one");
    assert_int_equal(sky_store_add_device(store, &device), SKY_ERR_EXISTS);
    assert_int_equal(sky_store_delete_device(store, device.id + 1), SKY_ERR_NOT_FOUND);
    add_device(store, id, "two");
    assert_int_equal(sky_store_commit(store), SKY_OK);
    assert_int_equal(sky_store_count_devices(store), 2);
}

static void the_generation_tells_of_every_change_to_products(void **state)
{
    struct sky_store *store = *state;
    uint64_t last = sky_store_generation(store);
#define CHANGED()                                                                                  \
    do {                                                                                           \
        assert_true(sky_store_generation(store) != last);                                          \
        last = sky_store_generation(store);                                                        \
    } while (0)
    struct sky_product product = put_product(store, "aliyun", "pk");
    CHANGED();
    struct sky_device device = add_device(store, product.id, "dev");
    assert_int_equal(sky_store_set_device(store, &device), SKY_OK);
    assert_true(sky_store_generation(store) == last); /* every first login changes a device */
    assert_int_equal(sky_store_put_rules(store, product.id, SKY_SPAN("")), SKY_OK);
    CHANGED();
    assert_int_equal(sky_store_put_topics(store, product.id, NULL, 0), SKY_OK);
    CHANGED();
    assert_int_equal(sky_store_put_document(store, device.id, SKY_SPAN("d"), SKY_SPAN(""), 1),
                     SKY_OK);
    assert_true(sky_store_generation(store) == last); /* documents are nobody's cache */
    assert_int_equal(sky_store_begin(store), SKY_OK);
    sky_store_rollback(store);
    CHANGED();
    assert_int_equal(sky_store_delete_device(store, device.id), SKY_OK);
    assert_int_equal(sky_store_reset_devices(store, 0), SKY_OK);
    assert_true(sky_store_generation(store) == last);
    assert_int_equal(sky_store_delete_product(store, product.id), SKY_OK);
    CHANGED();
#undef CHANGED
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_schema_has_what_every_statement_names),
        TEST(keeps_every_field_of_a_product),
        TEST(replaces_a_product_of_the_same_name_and_keeps_its_id),
        TEST(replaces_all_topics_of_a_product_at_once),
        TEST(keeps_the_rules_of_a_product),
        TEST(lists_products_by_cloud_and_key),
        TEST(offers_the_keys_near_a_mistyped_one),
        TEST(deleting_a_product_deletes_its_devices_and_frees_its_name),
        TEST(keeps_every_field_of_a_device),
        TEST(refuses_a_second_device_of_the_same_name),
        TEST(names_the_product_of_an_unknown_device),
        TEST(a_deleted_device_keeps_its_name_but_gives_it_free),
        TEST(never_gives_an_id_twice),
        TEST(finds_the_seam_of_keys_written_as_one_word),
        TEST(finds_the_seam_after_the_longest_possible_key),
        TEST(finds_a_device_by_its_certificate),
        TEST(walks_devices_page_by_page),
        TEST(keeps_documents_apart_by_device_and_name),
        TEST(lists_the_documents_of_a_device),
        TEST(bounds_the_size_of_documents_pages_and_notes),
        TEST(a_token_takes_the_place_of_the_one_that_had_it),
        TEST(keeps_tokens_as_they_are_until_their_device_goes),
        TEST(keeps_notes_by_name_and_lists_them_by_prefix),
        TEST(a_rollback_undoes_everything_since_begin),
        TEST(a_refused_write_leaves_the_transaction_usable),
        TEST(the_generation_tells_of_every_change_to_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
