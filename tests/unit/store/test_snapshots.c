/* Snapshots as the store keeps them: what they hold, what a restore changes, and their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "store/internal.h"
#include "store/snapshots.h"
#include "store/topology.h"

enum { DEVICES = 3 };

struct bench {
    struct sky_store *store;
    struct sky_product products[2]; /* aliyun/one and aliyun/two */
    struct sky_device devices[2][DEVICES];
    int64_t changed[16];
    size_t changed_count;
};

static int64_t add_device(struct bench *bench, const struct sky_product *product, const char *key)
{
    struct sky_device device = {.product_id = product->id, .enabled = true};
    snprintf(device.key, sizeof device.key, "%s", key);
    snprintf(device.secret, sizeof device.secret, "secret of %s", key);
    assert_int_equal(sky_store_add_device(bench->store, &device), SKY_OK);
    return device.id;
}

static void put_document(struct bench *bench, int64_t id, const char *body, int64_t version)
{
    assert_int_equal(
        sky_store_put_document(bench->store, id, SKY_SPAN("shadow"), sky_span_str(body), version),
        SKY_OK);
}

static void document_is(struct bench *bench, int64_t id, const char *body, int64_t version)
{
    struct sky_buf found;
    int64_t its_version = -1;
    sky_buf_init(&found, 1024);
    sky_err err =
        sky_store_get_document(bench->store, id, SKY_SPAN("shadow"), &found, &its_version);
    assert_int_equal(err, body != NULL ? SKY_OK : SKY_ERR_NOT_FOUND);
    if (body != NULL) {
        assert_true(sky_span_eq_str(sky_buf_span(&found), body));
        assert_int_equal(its_version, version);
    }
    sky_buf_done(&found);
}

static int open_bench(void **state)
{
    static const char *const keys[] = {"one", "two"}, *const devices[] = {"a", "b", "c"};
    struct bench *bench = sky_mem_new(sizeof *bench);
    struct sky_why why;
    assert_int_equal(sky_store_open(":memory:", &bench->store, &why), SKY_OK);
    for (size_t p = 0; p < 2; p++) {
        struct sky_product *product = &bench->products[p];
        *product = (struct sky_product){.cloud = "aliyun"};
        snprintf(product->key, sizeof product->key, "%s", keys[p]);
        assert_int_equal(sky_store_put_product(bench->store, product), SKY_OK);
        for (size_t d = 0; d < DEVICES; d++) {
            int64_t id = add_device(bench, product, devices[d]);
            struct sky_product its;
            assert_int_equal(sky_store_get_device(bench->store, id, &its, &bench->devices[p][d]),
                             SKY_OK);
            put_document(bench, id, "{}", 1);
        }
    }
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

static sky_err take_up_to(struct bench *bench, const char *name, size_t product, int64_t bytes_max,
                          struct sky_snapshot *ret_snapshot)
{
    struct sky_snapshot snapshot = {.created_ms = 1, .now_ms = 2, .lived_ms = 3, .frozen = true};
    int64_t id = 0;
    snprintf(snapshot.name, sizeof snapshot.name, "%s", name);
    if (product < 2) {
        id = bench->products[product].id;
        snprintf(snapshot.product, sizeof snapshot.product, "aliyun/%s",
                 bench->products[product].key);
    }
    sky_err err =
        sky_store_add_snapshot(bench->store, &snapshot, id, 0, SKY_SPAN("faults"), bytes_max);
    if (err == SKY_OK)
        err = sky_store_end_snapshot(bench->store, &snapshot);
    *ret_snapshot = snapshot;
    return err;
}

static struct sky_snapshot take(struct bench *bench, const char *name, size_t product)
{
    struct sky_snapshot snapshot;
    assert_int_equal(take_up_to(bench, name, product, SKY_SNAPSHOTS_BYTES_MAX, &snapshot), SKY_OK);
    return snapshot;
}

static void note_changed(void *ctx, int64_t device_id)
{
    struct bench *bench = ctx;
    assert_true(bench->changed_count < SKY_COUNT(bench->changed));
    bench->changed[bench->changed_count++] = device_id;
}

static void restore(struct bench *bench, const struct sky_snapshot *snapshot)
{
    bench->changed_count = 0;
    assert_int_equal(sky_store_restore_snapshot(bench->store, snapshot, note_changed, bench),
                     SKY_OK);
}

static void only_changed(struct bench *bench, int64_t id)
{
    assert_int_equal(bench->changed_count, 1);
    assert_int_equal(bench->changed[0], id);
}

static void device_is(struct bench *bench, const struct sky_device *wanted)
{
    struct sky_product product;
    struct sky_device device;
    assert_int_equal(sky_store_get_device(bench->store, wanted->id, &product, &device), SKY_OK);
    assert_memory_equal(&device, wanted, sizeof device);
}

enum { ALL = 2 };

static void what_is_as_it_was_is_not_changed(void **state)
{
    struct bench *bench = *state;
    for (size_t of = 0; of <= ALL; of++) {
        struct sky_snapshot snapshot = take(bench, "s", of);
        assert_int_equal(snapshot.devices, of == ALL ? 2 * DEVICES : DEVICES);
        uint64_t generation = sky_store_generation(bench->store);
        restore(bench, &snapshot);
        assert_int_equal(bench->changed_count, 0);
        assert_true(sky_store_generation(bench->store) == generation);
    }
}

static void a_device_goes_back_with_its_document_and_token(void **state)
{
    struct bench *bench = *state;
    struct sky_device *device = &bench->devices[0][1], other = *device;
    struct sky_token token = {.device_id = device->id, .id = "i", .token = "t", .expires_ms = 9};
    assert_int_equal(sky_store_put_token(bench->store, 0, &token), SKY_OK);
    struct sky_snapshot snapshot = take(bench, "s", ALL);
    for (size_t i = 0; i < 4; i++) {
        if (i == 0) {
            snprintf(other.secret, sizeof other.secret, "another");
            assert_int_equal(sky_store_set_device(bench->store, &other), SKY_OK);
        } else if (i == 1) {
            put_document(bench, device->id, "{}", 2);
        } else if (i == 2) {
            assert_int_equal(
                sky_store_delete_document(bench->store, device->id, SKY_SPAN("shadow")), SKY_OK);
        } else {
            token.expires_ms = 10;
            assert_int_equal(sky_store_put_token(bench->store, 1, &token), SKY_OK);
        }
        restore(bench, &snapshot);
        only_changed(bench, device->id);
        device_is(bench, device);
        document_is(bench, device->id, "{}", 1);
        assert_int_equal(sky_store_find_token(bench->store, SKY_SPAN("i"), &token), SKY_OK);
        assert_int_equal(token.expires_ms, 9);
    }
}

static void who_was_deleted_is_there_again_and_who_was_made_is_not(void **state)
{
    struct bench *bench = *state;
    struct sky_device *gone = &bench->devices[0][0];
    struct sky_snapshot snapshot = take(bench, "s", 0);
    assert_int_equal(sky_store_delete_device(bench->store, gone->id), SKY_OK);
    int64_t same_key = add_device(bench, &bench->products[0], "a");
    int64_t elsewhere = add_device(bench, &bench->products[1], "d");
    restore(bench, &snapshot);
    assert_int_equal(bench->changed_count, 2);
    device_is(bench, gone);
    document_is(bench, gone->id, "{}", 1);
    struct sky_product product;
    struct sky_device device;
    assert_int_equal(sky_store_get_device(bench->store, same_key, &product, &device),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_get_device(bench->store, elsewhere, &product, &device), SKY_OK);
    assert_int_equal(sky_store_reset_device(bench->store, gone->id), SKY_OK);
    device_is(bench, gone);
}

static void temporary_devices_are_not_held(void **state)
{
    struct bench *bench = *state;
    struct sky_product product;
    struct sky_device brief = {
        .product_id = bench->products[0].id, .key = "brief", .temporary = true};
    assert_int_equal(sky_store_add_device(bench->store, &brief), SKY_OK);
    put_document(bench, brief.id, "{}", 1);
    struct sky_snapshot snapshot = take(bench, "s", 0);
    assert_int_equal(snapshot.devices, DEVICES);
    restore(bench, &snapshot);
    only_changed(bench, brief.id);
    assert_int_equal(sky_store_get_device(bench->store, brief.id, &product, &brief),
                     SKY_ERR_NOT_FOUND);
    document_is(bench, brief.id, NULL, 0);
}

static void products_go_back_with_topics_and_texts(void **state)
{
    struct bench *bench = *state;
    struct sky_store *store = bench->store;
    struct sky_product *one = &bench->products[0], found, made = {.cloud = "enos", .key = "new"};
    struct sky_product_topic topic = {.pattern = "a", .pub = true};
    struct sky_buf body;
    int64_t version;
    size_t count;
    assert_int_equal(sky_store_put_topics(store, one->id, &topic, 1), SKY_OK);
    assert_int_equal(
        sky_store_put_product_document(store, one->id, SKY_SPAN("config"), SKY_SPAN("1")), SKY_OK);
    struct sky_snapshot whole = take(bench, "s", ALL), limited = take(bench, "s", 0);
    for (size_t i = 0; i < 2; i++) {
        topic.sub = true;
        assert_int_equal(sky_store_put_topics(store, one->id, &topic, 1), SKY_OK);
        assert_int_equal(
            sky_store_put_product_document(store, one->id, SKY_SPAN("config"), SKY_SPAN("2")),
            SKY_OK);
        assert_int_equal(sky_store_put_rules(store, one->id, SKY_SPAN("A=off\n")), SKY_OK);
        assert_int_equal(sky_store_put_product(store, &made), SKY_OK);
        uint64_t generation = sky_store_generation(store);
        restore(bench, i == 0 ? &limited : &whole);
        assert_int_equal(bench->changed_count, 0);
        assert_true(sky_store_generation(store) != generation);
        assert_int_equal(sky_store_get_topics(store, one->id, &topic, &count), SKY_OK);
        assert_true(count == 1 && topic.pub && !topic.sub);
        sky_buf_init(&body, 16);
        assert_int_equal(
            sky_store_get_product_document(store, one->id, SKY_SPAN("config"), &body, &version),
            SKY_OK);
        assert_true(sky_span_eq_str(sky_buf_span(&body), "1") && version == 1);
        sky_buf_clear(&body);
        assert_int_equal(sky_store_get_rules(store, one->id, &body), SKY_OK);
        assert_int_equal(body.len, 0);
        sky_buf_done(&body);
        assert_int_equal(sky_store_find_product(store, SKY_SPAN("enos"), SKY_SPAN("new"), &found),
                         i == 0 ? SKY_OK : SKY_ERR_NOT_FOUND);
    }
}

static void a_product_that_was_deleted_comes_back_in_place_of_its_namesake(void **state)
{
    struct bench *bench = *state;
    struct sky_product again = bench->products[0], found;
    struct sky_snapshot snapshot = take(bench, "s", 0);
    assert_int_equal(sky_store_delete_product(bench->store, again.id), SKY_OK);
    assert_int_equal(sky_store_put_product(bench->store, &again), SKY_OK);
    assert_int_not_equal(again.id, bench->products[0].id);
    (void)add_device(bench, &again, "a");
    restore(bench, &snapshot);
    assert_int_equal(bench->changed_count, DEVICES + 1);
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("aliyun"), SKY_SPAN("one"), &found), SKY_OK);
    assert_int_equal(found.id, bench->products[0].id);
    for (size_t d = 0; d < DEVICES; d++)
        device_is(bench, &bench->devices[0][d]);
    device_is(bench, &bench->devices[1][0]);
}

static void bindings_change_both_ends(void **state)
{
    struct bench *bench = *state;
    int64_t gateway = bench->devices[0][0].id, behind = bench->devices[0][1].id,
            foreign = bench->devices[1][0].id;
    assert_int_equal(sky_store_bind(bench->store, gateway, foreign), SKY_OK);
    struct sky_snapshot snapshot = take(bench, "s", 0);
    assert_int_equal(sky_store_bind(bench->store, gateway, behind), SKY_OK);
    restore(bench, &snapshot);
    assert_int_equal(bench->changed_count, 2);
    assert_int_equal(sky_store_count_behind(bench->store, gateway), 1);
    assert_int_equal(sky_store_unbind(bench->store, gateway, foreign), SKY_OK);
    restore(bench, &snapshot);
    only_changed(bench, gateway); /* the other is another product's */
    bool bound = false;
    assert_int_equal(sky_store_is_bound(bench->store, gateway, foreign, &bound), SKY_OK);
    assert_true(bound);
}

static void count_ids(void *ctx, int64_t device_id)
{
    (void)device_id;
    ++*(size_t *)ctx;
}

static void sessions_are_bytes_of_devices_that_are_held(void **state)
{
    struct bench *bench = *state;
    struct sky_snapshot snapshot = take(bench, "s", 0);
    struct sky_buf found;
    size_t count = 0;
    assert_int_equal(sky_store_put_snapshot_session(bench->store, &snapshot,
                                                    bench->devices[0][0].id, SKY_SPAN("state")),
                     SKY_OK);
    assert_int_equal(sky_store_put_snapshot_session(bench->store, &snapshot,
                                                    bench->devices[1][0].id, SKY_SPAN("other")),
                     SKY_OK);
    assert_int_equal(sky_store_each_snapshot_session(bench->store, snapshot.id, count_ids, &count),
                     SKY_OK);
    assert_int_equal(count, 1);
    sky_buf_init(&found, 64);
    assert_int_equal(
        sky_store_get_snapshot_session(bench->store, snapshot.id, bench->devices[0][0].id, &found),
        SKY_OK);
    assert_true(sky_span_eq_str(sky_buf_span(&found), "state"));
    assert_int_equal(
        sky_store_get_snapshot_session(bench->store, snapshot.id, bench->devices[0][1].id, &found),
        SKY_ERR_NOT_FOUND);
    sky_buf_clear(&found);
    assert_int_equal(sky_store_get_snapshot_faults(bench->store, snapshot.id, &found), SKY_OK);
    assert_true(sky_span_eq_str(sky_buf_span(&found), "faults"));
    sky_buf_done(&found);
}

static void a_name_is_one_of_its_product(void **state)
{
    struct bench *bench = *state;
    struct sky_snapshot snapshot, found;
    for (size_t of = 0; of <= ALL; of++) {
        snapshot = take(bench, "s", of);
        struct sky_snapshot second;
        assert_int_equal(take_up_to(bench, "s", of, SKY_SNAPSHOTS_BYTES_MAX, &second),
                         SKY_ERR_EXISTS);
    }
    assert_int_equal(
        sky_store_find_snapshot(bench->store, SKY_SPAN("s"), SKY_SPAN("aliyun/two"), &found),
        SKY_OK);
    assert_int_equal(sky_store_drop_snapshot(bench->store, found.id), SKY_OK);
    assert_int_equal(
        sky_store_find_snapshot(bench->store, SKY_SPAN("s"), SKY_SPAN("aliyun/two"), &found),
        SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_find_snapshot(bench->store, SKY_SPAN("s"), SKY_SPAN(""), &found),
                     SKY_OK);
    assert_true(found.id == snapshot.id && found.frozen && found.now_ms == 2);
}

static void there_is_room_for_so_many(void **state)
{
    struct bench *bench = *state;
    struct sky_snapshot snapshot;
    char name[16];
    for (int i = 0; i < SKY_SNAPSHOTS_MAX; i++) {
        snprintf(name, sizeof name, "s%d", i);
        snapshot = take(bench, name, 0);
    }
    assert_int_equal(take_up_to(bench, "more", 0, SKY_SNAPSHOTS_BYTES_MAX, &snapshot),
                     SKY_ERR_LIMIT);
    assert_int_equal(
        sky_store_find_snapshot(bench->store, SKY_SPAN("s0"), SKY_SPAN("aliyun/one"), &snapshot),
        SKY_OK);
    assert_int_equal(sky_store_drop_snapshot(bench->store, snapshot.id), SKY_OK);
    (void)take(bench, "more", 0);
}

static void there_is_room_for_so_many_bytes(void **state)
{
    struct bench *bench = *state;
    struct sky_snapshot first = take(bench, "first", 0), next;
    put_document(bench, bench->devices[0][0].id, "12345678", 2); /* six bytes more */
    assert_int_equal(take_up_to(bench, "next", 0, 2 * first.bytes + 5, &next), SKY_ERR_LIMIT);
    assert_int_equal(take_up_to(bench, "next", 0, 2 * first.bytes + 6, &next), SKY_OK);
    assert_int_equal(next.bytes, first.bytes + 6);
    assert_int_equal(
        sky_store_put_snapshot_session(bench->store, &next, bench->devices[0][0].id, SKY_SPAN("x")),
        SKY_ERR_LIMIT);
    next.room = 1;
    assert_int_equal(
        sky_store_put_snapshot_session(bench->store, &next, bench->devices[0][0].id, SKY_SPAN("x")),
        SKY_OK);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_as_it_was_is_not_changed),
        TEST(a_device_goes_back_with_its_document_and_token),
        TEST(who_was_deleted_is_there_again_and_who_was_made_is_not),
        TEST(temporary_devices_are_not_held),
        TEST(products_go_back_with_topics_and_texts),
        TEST(a_product_that_was_deleted_comes_back_in_place_of_its_namesake),
        TEST(bindings_change_both_ends),
        TEST(sessions_are_bytes_of_devices_that_are_held),
        TEST(a_name_is_one_of_its_product),
        TEST(there_is_room_for_so_many),
        TEST(there_is_room_for_so_many_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
