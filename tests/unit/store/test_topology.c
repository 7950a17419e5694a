/* Gateways and the devices behind them, and texts of products. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "store/internal.h"
#include "store/topology.h"

enum { DEVICES = 6 };

struct bench {
    struct sky_store *store;
    struct sky_product product;
    int64_t gateways[2], devices[DEVICES];
};

static int64_t add_device(struct bench *bench, const char *prefix, size_t number)
{
    struct sky_device device = {.product_id = bench->product.id, .enabled = true};
    snprintf(device.key, sizeof device.key, "%s%zu", prefix, number);
    assert_int_equal(sky_store_add_device(bench->store, &device), SKY_OK);
    struct sky_seeded seeded = {.known = true, .enabled = true};
    assert_int_equal(sky_store__set_seeded(bench->store, device.id, &seeded), SKY_OK);
    return device.id;
}

static int open_bench(void **state)
{
    struct bench *bench = sky_mem_new(sizeof *bench);
    struct sky_why why;
    assert_int_equal(sky_store_open(":memory:", &bench->store, &why), SKY_OK);
    bench->product = (struct sky_product){.cloud = "aliyun", .key = "p"};
    assert_int_equal(sky_store_put_product(bench->store, &bench->product), SKY_OK);
    for (size_t i = 0; i < SKY_COUNT(bench->gateways); i++)
        bench->gateways[i] = add_device(bench, "g", i);
    for (size_t i = 0; i < DEVICES; i++)
        bench->devices[i] = add_device(bench, "d", i);
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;
    sky_store_close(bench->store);
    free(bench);
    return 0;
}

struct listed {
    char text[256];
    size_t stop_after, calls;
};

static bool list_device(void *ctx, const struct sky_product *product,
                        const struct sky_device *device)
{
    struct listed *listed = ctx;
    size_t len = strlen(listed->text);
    assert_int_equal(product->id, device->product_id);
    snprintf(listed->text + len, sizeof listed->text - len, "%s ", device->key);
    return ++listed->calls != listed->stop_after;
}

static void behind(struct bench *bench, size_t gateway, const char *wanted)
{
    struct listed listed = {.calls = 0};
    assert_int_equal(sky_store_each_behind(bench->store, bench->gateways[gateway], SIZE_MAX,
                                           list_device, &listed),
                     SKY_OK);
    assert_string_equal(listed.text, wanted);
    assert_int_equal(sky_store_count_behind(bench->store, bench->gateways[gateway]), listed.calls);
}

static void gateways_of(struct bench *bench, size_t device, const char *wanted)
{
    struct listed listed = {.calls = 0};
    assert_int_equal(
        sky_store_each_gateway(bench->store, bench->devices[device], list_device, &listed), SKY_OK);
    assert_string_equal(listed.text, wanted);
}

static void binds(struct bench *bench, size_t gateway, size_t device)
{
    assert_int_equal(sky_store_bind(bench->store, bench->gateways[gateway], bench->devices[device]),
                     SKY_OK);
}

static void unbinds(struct bench *bench, size_t gateway, size_t device, sky_err err)
{
    assert_int_equal(
        sky_store_unbind(bench->store, bench->gateways[gateway], bench->devices[device]), err);
}

static void seeds(struct bench *bench, size_t gateway, size_t device)
{
    assert_int_equal(sky_store__seed_binding(bench->store, bench->gateways[gateway],
                                             bench->devices[device], true, false),
                     SKY_OK);
}

static int count_rows(struct bench *bench)
{
    sqlite3_stmt *stmt;
    assert_int_equal(
        sqlite3_prepare_v2(bench->store->db, "SELECT count(*) FROM topology", -1, &stmt, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int count = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return count;
}

/* ---- binding ---- */

static void lists_devices_in_the_order_of_binding(void **state)
{
    struct bench *bench = *state;
    behind(bench, 0, "");
    binds(bench, 0, 3);
    binds(bench, 0, 1);
    binds(bench, 0, 2);
    binds(bench, 1, 1);
    behind(bench, 0, "d3 d1 d2 ");
    behind(bench, 1, "d1 ");
    gateways_of(bench, 1, "g0 g1 ");
    gateways_of(bench, 4, "");
    binds(bench, 0, 3); /* again: nothing happens */
    behind(bench, 0, "d3 d1 d2 ");
    unbinds(bench, 0, 3, SKY_OK);
    binds(bench, 0, 3);
    behind(bench, 0, "d1 d2 d3 ");
}

static void a_walk_ends_at_its_limit_or_when_told(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < DEVICES; i++)
        binds(bench, 0, i);
    binds(bench, 1, 0);
    struct listed listed = {.stop_after = 2};
    assert_int_equal(
        sky_store_each_behind(bench->store, bench->gateways[0], SIZE_MAX, list_device, &listed),
        SKY_OK);
    assert_string_equal(listed.text, "d0 d1 ");
    listed = (struct listed){.calls = 0};
    assert_int_equal(
        sky_store_each_behind(bench->store, bench->gateways[0], 3, list_device, &listed), SKY_OK);
    assert_string_equal(listed.text, "d0 d1 d2 ");
    listed = (struct listed){.stop_after = 1};
    assert_int_equal(sky_store_each_gateway(bench->store, bench->devices[0], list_device, &listed),
                     SKY_OK);
    assert_string_equal(listed.text, "g0 ");
}

static void is_bound_until_unbound(void **state)
{
    struct bench *bench = *state;
    bool bound = true;
    int64_t gateway = bench->gateways[0], device = bench->devices[0];
    assert_int_equal(sky_store_is_bound(bench->store, gateway, device, &bound), SKY_OK);
    assert_false(bound);
    unbinds(bench, 0, 0, SKY_ERR_NOT_FOUND);
    binds(bench, 0, 0);
    assert_int_equal(sky_store_is_bound(bench->store, gateway, device, &bound), SKY_OK);
    assert_true(bound);
    assert_int_equal(sky_store_is_bound(bench->store, device, gateway, &bound), SKY_OK);
    assert_false(bound);
    unbinds(bench, 0, 0, SKY_OK);
    unbinds(bench, 0, 0, SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_is_bound(bench->store, gateway, device, &bound), SKY_OK);
    assert_false(bound);
    assert_int_equal(count_rows(bench), 0);
}

static void what_is_deleted_stands_nowhere(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < 3; i++) {
        binds(bench, 0, i);
        seeds(bench, 1, i);
    }
    assert_int_equal(sky_store_delete_device(bench->store, bench->devices[1]), SKY_OK);
    behind(bench, 0, "d0 d2 ");
    behind(bench, 1, "d0 d2 ");
    assert_int_equal(sky_store_delete_device(bench->store, bench->gateways[1]), SKY_OK);
    gateways_of(bench, 0, "g0 ");
    assert_int_equal(count_rows(bench), 2);
    assert_int_equal(sky_store_delete_product(bench->store, bench->product.id), SKY_OK);
    assert_int_equal(count_rows(bench), 0);
}

static void a_kind_of_product_that_is_never_written_is_damage(void **state)
{
    struct bench *bench = *state;
    struct sky_product found;
    assert_int_equal(
        sqlite3_exec(bench->store->db, "UPDATE product SET node = 2", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sky_store_get_product(bench->store, bench->product.id, &found), SKY_OK);
    assert_int_equal(found.node, SKY_NODE_SUB);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            sqlite3_exec(bench->store->db,
                         i == 0 ? "UPDATE product SET node = 3" : "UPDATE product SET node = -1",
                         NULL, NULL, NULL),
            SQLITE_OK);
        assert_int_equal(sky_store_get_product(bench->store, bench->product.id, &found),
                         SKY_ERR_STORE);
    }
}

/* ---- bindings of the fixtures ---- */

static void a_binding_of_the_fixtures_comes_back_at_a_reset(void **state)
{
    struct bench *bench = *state;
    seeds(bench, 0, 0);
    seeds(bench, 0, 1);
    binds(bench, 0, 2);
    unbinds(bench, 0, 1, SKY_OK);
    unbinds(bench, 0, 1, SKY_ERR_NOT_FOUND);
    behind(bench, 0, "d0 d2 ");
    gateways_of(bench, 1, "");
    assert_int_equal(sky_store_reset_devices(bench->store, 0), SKY_OK);
    behind(bench, 0, "d0 d1 ");
    assert_int_equal(count_rows(bench), 2);
}

static void a_reset_of_one_device_is_of_its_bindings_only(void **state)
{
    struct bench *bench = *state;
    seeds(bench, 0, 0);
    seeds(bench, 0, 1);
    binds(bench, 1, 0);
    binds(bench, 1, 1);
    unbinds(bench, 0, 0, SKY_OK);
    unbinds(bench, 0, 1, SKY_OK);
    uint64_t generation = sky_store_generation(bench->store);
    assert_int_equal(sky_store_reset_device(bench->store, bench->devices[0]), SKY_OK);
    assert_true(sky_store_generation(bench->store) != generation);
    behind(bench, 0, "d0 ");
    behind(bench, 1, "d1 ");
    assert_int_equal(sky_store_reset_device(bench->store, bench->gateways[0]), SKY_OK);
    behind(bench, 0, "d0 d1 ");
    behind(bench, 1, "d1 ");
    assert_int_equal(sky_store_reset_device(bench->store, bench->gateways[1]), SKY_OK);
    behind(bench, 1, "");
    assert_int_equal(count_rows(bench), 2);
}

static void what_the_fixtures_say_again_leaves_what_was_done_since(void **state)
{
    struct bench *bench = *state;
    seeds(bench, 0, 0);
    unbinds(bench, 0, 0, SKY_OK);
    uint64_t generation = sky_store_generation(bench->store);
    seeds(bench, 0, 0);
    assert_true(sky_store_generation(bench->store) == generation);
    behind(bench, 0, "");
    binds(bench, 0, 1);
    seeds(bench, 0, 1); /* theirs too, from now on */
    unbinds(bench, 0, 1, SKY_OK);
    assert_int_equal(sky_store_reset_devices(bench->store, 0), SKY_OK);
    behind(bench, 0, "d0 d1 ");
}

static void what_the_fixtures_say_no_more_ends(void **state)
{
    struct bench *bench = *state;
    int64_t gateway = bench->gateways[0];
    for (size_t i = 0; i < 3; i++)
        seeds(bench, 0, i);
    seeds(bench, 1, 0);
    binds(bench, 0, 3);
    unbinds(bench, 0, 2, SKY_OK);
    for (size_t i = 0; i < 2; i++) {
        uint64_t generation = sky_store_generation(bench->store);
        assert_int_equal(sky_store__doubt_bindings(bench->store, gateway), SKY_OK);
        seeds(bench, 0, 1);
        seeds(bench, 0, 2);
        assert_int_equal(sky_store__drop_doubted(bench->store, gateway), SKY_OK);
        assert_true((sky_store_generation(bench->store) == generation) == (i == 1));
        behind(bench, 0, "d1 d3 ");
    }
    behind(bench, 1, "d0 ");
    assert_int_equal(sky_store_reset_devices(bench->store, 0), SKY_OK);
    behind(bench, 0, "d1 d2 ");
}

static void an_unshared_device_stands_behind_one_gateway_of_the_fixtures(void **state)
{
    struct bench *bench = *state;
    int64_t one = bench->gateways[0], other = bench->gateways[1], device = bench->devices[0];
    seeds(bench, 0, 0);
    assert_int_equal(sky_store__seed_binding(bench->store, other, device, false, false),
                     SKY_ERR_EXISTS);
    behind(bench, 0, "d0 ");
    assert_int_equal(sky_store__seed_binding(bench->store, other, device, false, true), SKY_OK);
    behind(bench, 0, "");
    behind(bench, 1, "d0 ");
    /* Where it was moved to since is not the fixtures' business until they say something new. */
    unbinds(bench, 1, 0, SKY_OK);
    binds(bench, 0, 0);
    assert_int_equal(sky_store__seed_binding(bench->store, other, device, false, true), SKY_OK);
    behind(bench, 0, "d0 ");
    behind(bench, 1, "");
    assert_int_equal(sky_store_reset_devices(bench->store, 0), SKY_OK);
    behind(bench, 0, "");
    behind(bench, 1, "d0 ");
    assert_int_equal(sky_store__seed_binding(bench->store, one, bench->devices[1], false, false),
                     SKY_OK);
    behind(bench, 0, "d1 ");
}

/* ---- texts of products ---- */

static void text_is(struct bench *bench, const char *name, const char *body, int64_t version)
{
    struct sky_buf found;
    int64_t its_version = -1;
    sky_buf_init(&found, SKY_STORE_BLOB_MAX);
    sky_err err = sky_store_get_product_document(bench->store, bench->product.id,
                                                 sky_span_str(name), &found, &its_version);
    assert_int_equal(err, body == NULL ? SKY_ERR_NOT_FOUND : SKY_OK);
    if (body != NULL) {
        assert_true(sky_span_eq_str(sky_buf_span(&found), body));
        assert_int_equal(its_version, version);
    }
    sky_buf_done(&found);
}

static void put_text(struct bench *bench, const char *name, const char *body)
{
    uint64_t generation = sky_store_generation(bench->store);
    assert_int_equal(sky_store_put_product_document(bench->store, bench->product.id,
                                                    sky_span_str(name), sky_span_str(body)),
                     SKY_OK);
    assert_true(sky_store_generation(bench->store) != generation);
}

static void says(struct bench *bench, const char *body, bool changes)
{
    uint64_t generation = sky_store_generation(bench->store);
    assert_int_equal(sky_store__seed_product_document(bench->store, bench->product.id,
                                                      SKY_SPAN("config"), sky_span_str(body)),
                     changes ? SKY_OK : SKY_ERR_NOT_FOUND);
    assert_true((sky_store_generation(bench->store) != generation) == changes);
}

static void the_version_of_a_text_grows_with_every_change(void **state)
{
    struct bench *bench = *state;
    text_is(bench, "config", NULL, 0);
    put_text(bench, "config", "{}");
    text_is(bench, "config", "{}", 1);
    put_text(bench, "config", "[1]");
    put_text(bench, "model", "{\"a\":1}");
    text_is(bench, "config", "[1]", 2);
    text_is(bench, "model", "{\"a\":1}", 1);
    put_text(bench, "config", "");
    text_is(bench, "config", NULL, 0);
    put_text(bench, "config", "[1]");
    text_is(bench, "config", "[1]", 4); /* a device that has seen 2 sees something new */
}

static void there_is_no_text_without_a_product(void **state)
{
    struct bench *bench = *state;
    put_text(bench, "config", "{}");
    assert_int_equal(sky_store_put_product_document(bench->store, bench->product.id + 1,
                                                    SKY_SPAN("config"), SKY_SPAN("{}")),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_delete_product(bench->store, bench->product.id), SKY_OK);
    text_is(bench, "config", NULL, 0);
    assert_int_equal(sky_store_put_product_document(bench->store, bench->product.id,
                                                    SKY_SPAN("config"), SKY_SPAN("{}")),
                     SKY_ERR_NOT_FOUND);
}

static void bounds_the_size_of_texts(void **state)
{
    struct bench *bench = *state;
    char *big = sky_mem_new(SKY_STORE_BLOB_MAX + 1);
    memset(big, 'x', SKY_STORE_BLOB_MAX + 1);
    assert_int_equal(sky_store_put_product_document(bench->store, bench->product.id,
                                                    SKY_SPAN("config"),
                                                    sky_span_of(big, SKY_STORE_BLOB_MAX)),
                     SKY_OK);
    assert_int_equal(sky_store_put_product_document(bench->store, bench->product.id,
                                                    SKY_SPAN("config"),
                                                    sky_span_of(big, SKY_STORE_BLOB_MAX + 1)),
                     SKY_ERR_LIMIT);
    assert_int_equal(sky_store_put_product_document(bench->store, bench->product.id,
                                                    sky_span_of(big, SKY_STORE_NAME_MAX),
                                                    SKY_SPAN("{}")),
                     SKY_OK);
    assert_int_equal(sky_store_put_product_document(bench->store, bench->product.id,
                                                    sky_span_of(big, SKY_STORE_NAME_MAX + 1),
                                                    SKY_SPAN("{}")),
                     SKY_ERR_LIMIT);
    free(big);
}

static void a_text_of_the_fixtures_counts_when_they_change(void **state)
{
    struct bench *bench = *state;
    says(bench, "", false);
    says(bench, "{\"a\":1}", true);
    text_is(bench, "config", "{\"a\":1}", 1);
    says(bench, "{\"a\":1}", false);
    put_text(bench, "config", "{\"a\":2}");
    says(bench, "{\"a\":1}", false);
    text_is(bench, "config", "{\"a\":2}", 2); /* changed since, and they say the same */
    says(bench, "{\"a\":3}", true);
    text_is(bench, "config", "{\"a\":3}", 3);
    put_text(bench, "config", "");
    says(bench, "{\"a\":3}", false);
    text_is(bench, "config", NULL, 0); /* so it is with one taken away */
    put_text(bench, "config", "7");
    says(bench, "", true);
    text_is(bench, "config", NULL, 0);
    put_text(bench, "config", "8");
    says(bench, "", false); /* they did not name it before either */
    text_is(bench, "config", "8", 7);
}

static void a_reset_takes_texts_back_to_the_fixtures(void **state)
{
    struct bench *bench = *state;
    struct sky_product other = {.cloud = "enos", .key = "p"};
    assert_int_equal(sky_store_put_product(bench->store, &other), SKY_OK);
    says(bench, "1", true);
    for (size_t i = 0; i < 2; i++) {
        put_text(bench, "config", "2");
        put_text(bench, "model", "{}");
        assert_int_equal(sky_store_put_product_document(bench->store, other.id, SKY_SPAN("config"),
                                                        SKY_SPAN("3")),
                         SKY_OK);
        uint64_t generation = sky_store_generation(bench->store);
        assert_int_equal(i == 0 ? sky_store_reset_devices(bench->store, bench->product.id)
                                : sky_store_reset_devices(bench->store, 0),
                         SKY_OK);
        assert_true(sky_store_generation(bench->store) != generation);
        text_is(bench, "config", "1", (int64_t)(i + 1) * 2 + 1);
        text_is(bench, "model", NULL, 0);
        struct sky_buf body;
        int64_t version;
        sky_buf_init(&body, 16);
        assert_int_equal(sky_store_get_product_document(bench->store, other.id, SKY_SPAN("config"),
                                                        &body, &version),
                         i == 0 ? SKY_OK : SKY_ERR_NOT_FOUND);
        sky_buf_done(&body);
    }
    assert_int_equal(sky_store_reset_devices(bench->store, bench->product.id), SKY_OK);
    text_is(bench, "config", "1", 5); /* nothing to go back from: nothing new */
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_devices_in_the_order_of_binding),
        TEST(a_walk_ends_at_its_limit_or_when_told),
        TEST(is_bound_until_unbound),
        TEST(what_is_deleted_stands_nowhere),
        TEST(a_kind_of_product_that_is_never_written_is_damage),
        TEST(a_binding_of_the_fixtures_comes_back_at_a_reset),
        TEST(a_reset_of_one_device_is_of_its_bindings_only),
        TEST(what_the_fixtures_say_again_leaves_what_was_done_since),
        TEST(what_the_fixtures_say_no_more_ends),
        TEST(an_unshared_device_stands_behind_one_gateway_of_the_fixtures),
        TEST(the_version_of_a_text_grows_with_every_change),
        TEST(there_is_no_text_without_a_product),
        TEST(bounds_the_size_of_texts),
        TEST(a_text_of_the_fixtures_counts_when_they_change),
        TEST(a_reset_takes_texts_back_to_the_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
