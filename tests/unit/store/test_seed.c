#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "store/topology.h"
#include "tests/support/seed_config.h"
#include "tests/support/store_dump.h"

enum { DUMP_MAX = 64 * 1024 * 1024 };

struct bench {
    struct sky_store *store;
    struct seed_record record;
    struct sky_seed_config config;
    struct sky_seed_count count;
};

static int open_bench(void **state)
{
    struct bench *bench = sky_mem_new(sizeof *bench);
    struct sky_why why;
    assert_int_equal(sky_store_open(":memory:", &bench->store, &why), SKY_OK);
    bench->config = seed_config(&bench->record);
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

/* The text with ' for ". */
static sky_err load(struct bench *bench, const char *text)
{
    char *json = sky_mem_dup(text, strlen(text));
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    bench->record.reported = 0;
    sky_err err = sky_seed_load(bench->store, sky_span_str(json), &bench->config, &bench->count);
    free(json);
    return err;
}

static void loads(struct bench *bench, const char *text)
{
    if (load(bench, text) != SKY_OK)
        fail_msg("%s: %s: %s", text, bench->record.errors[0].pointer,
                 bench->record.errors[0].reason);
}

static struct sky_device device_of(struct bench *bench, const char *cloud, const char *product_key,
                                   const char *key)
{
    struct sky_product product;
    struct sky_device device;
    sky_err err =
        sky_store_find_device(bench->store, sky_span_str(cloud), sky_span_str(product_key),
                              sky_span_str(key), &product, &device);
    if (err != SKY_OK)
        fail_msg("no %s/%s/%s", cloud, product_key, key);
    return device;
}

static const char whole[] =
    "\xef\xbb\xbf{'products': ["
    "{'cloud': 'aliyun', 'productKey': 'pk', 'productSecret': 'ps', 'httpsAuth': false,"
    " 'topics': [{'topic': '/${productKey}/${deviceName}/user/x', 'pub': true},"
    "            {'topic': '/{product}/${deviceKey}/${device}', 'sub': true, 'pub': true}],"
    " 'rules': {'ALI-A': 'report', 'ALI-B': 'off'},"
    " 'devices': [{'deviceName': 'device', 'deviceSecret': 'secret'}, {'deviceName': 'made'}]},"
    "{'cloud': 'tencent', 'productId': 'PROD123456', 'requireCertificate': true,"
    " 'rules': ['TEN-A=off'],"
    " 'devices': [{'deviceName': 'dev001', 'psk': 'cHNr', 'shadow': {'reported': {'a': 1}},"
    "  'certificate': 'AB:cd:00000000000000000000000000000000000000000000000000000000000F'}]},"
    "{'cloud': 'enos', 'productKey': 'KV315idW', 'productSecret': 'ps', 'dynamicActivation': true,"
    " 'assetId': 'asset', 'devices': ["
    "  {'deviceKey': 'one', 'deviceSecret': 's1', 'enabled': true},"
    "  {'deviceKey': 'two', 'enabled': false, 'assetId': 'other',"
    "   'certificate': '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n'}]}"
    "]}";

static void takes_over_everything_a_fixture_says(void **state)
{
    struct bench *bench = *state;
    loads(bench, whole);
    assert_int_equal(bench->count.products_added, 3);
    assert_int_equal(bench->count.devices_added, 5);
    assert_int_equal(bench->count.products_changed + bench->count.devices_changed, 0);

    struct sky_product product;
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("aliyun"), SKY_SPAN("pk"), &product), SKY_OK);
    assert_string_equal(product.secret, "ps");
    assert_false(product.https_auth);
    assert_false(product.require_certificate);
    assert_false(product.dynamic_activation);
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("tencent"), SKY_SPAN("PROD123456"), &product),
        SKY_OK);
    assert_true(product.https_auth);
    assert_true(product.require_certificate);
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("enos"), SKY_SPAN("KV315idW"), &product),
        SKY_OK);
    assert_true(product.dynamic_activation);

    struct sky_device device = device_of(bench, "aliyun", "pk", "device");
    assert_string_equal(device.secret, "secret");
    assert_true(device.enabled);
    assert_int_equal(device.state, SKY_DEVICE_INACTIVE);
    assert_string_equal(device_of(bench, "aliyun", "pk", "made").secret, "made-0-0");
    device = device_of(bench, "tencent", "PROD123456", "dev001");
    assert_string_equal(device.fingerprint,
                        "abcd00000000000000000000000000000000000000000000000000000000000f");
    device = device_of(bench, "enos", "KV315idW", "one");
    assert_string_equal(device.asset_id, "asset");
    device = device_of(bench, "enos", "KV315idW", "two");
    assert_string_equal(device.asset_id, "other");
    assert_string_equal(device.secret, "made-2-1");
    assert_false(device.enabled);
    assert_int_equal(device.fingerprint[0], 'e');
}

static void writes_placeholders_and_rules_in_one_form(void **state)
{
    struct bench *bench = *state;
    struct sky_product_topic topics[SKY_PRODUCT_TOPICS_MAX];
    struct sky_product product;
    struct sky_buf rules;
    size_t count;
    loads(bench, whole);
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("aliyun"), SKY_SPAN("pk"), &product), SKY_OK);
    assert_int_equal(sky_store_get_topics(bench->store, product.id, topics, &count), SKY_OK);
    assert_int_equal(count, 2);
    assert_string_equal(topics[0].pattern, "/{product}/{device}/user/x");
    assert_true(topics[0].pub && !topics[0].sub);
    assert_string_equal(topics[1].pattern, "/{product}/{device}/{device}");
    assert_true(topics[1].pub && topics[1].sub);
    sky_buf_init(&rules, 256);
    assert_int_equal(sky_store_get_rules(bench->store, product.id, &rules), SKY_OK);
    assert_true(sky_span_eq_str(sky_buf_span(&rules), "ALI-A=report\nALI-B=off\n"));
    sky_buf_done(&rules);
}

static void changes_nothing_when_loaded_again(void **state)
{
    struct bench *bench = *state;
    struct sky_buf before, after;
    sky_buf_init(&before, DUMP_MAX);
    sky_buf_init(&after, DUMP_MAX);
    loads(bench, whole);
    assert_true(store_dump(bench->store, &before));
    uint64_t generation = sky_store_generation(bench->store);
    loads(bench, whole);
    assert_true(store_dump(bench->store, &after));
    assert_true(sky_span_eq(sky_buf_span(&before), sky_buf_span(&after)));
    assert_true(sky_store_generation(bench->store) == generation);
    assert_int_equal(bench->count.products_added + bench->count.products_changed, 0);
    assert_int_equal(bench->count.devices_added + bench->count.devices_changed, 0);
    assert_int_equal(bench->record.secrets, 2);
    sky_buf_done(&before);
    sky_buf_done(&after);
}

static void checks_only_without_a_store(void **state)
{
    struct bench *bench = *state;
    struct sky_store *store = bench->store;
    bench->store = NULL;
    bench->config.make_secret = NULL;
    loads(bench, whole);
    bench->store = store;
    assert_int_equal(bench->count.devices_added, 0);
}

static void writes_nothing_when_anything_is_wrong(void **state)
{
    struct bench *bench = *state;
    struct sky_buf before, after;
    sky_buf_init(&before, DUMP_MAX);
    sky_buf_init(&after, DUMP_MAX);
    assert_true(store_dump(bench->store, &before));
    assert_int_equal(load(bench, "{'products': [{'cloud': 'enos', 'productKey': 'a', 'devices': ["
                                 "{'deviceKey': 'd'}, {'deviceKey': ''}]}]}"),
                     SKY_ERR_INVALID);
    assert_true(store_dump(bench->store, &after));
    assert_true(sky_span_eq(sky_buf_span(&before), sky_buf_span(&after)));
    assert_int_equal(bench->count.devices_added + bench->count.products_added, 0);
    sky_buf_done(&before);
    sky_buf_done(&after);
}

/* ---- a second load, after life went on ---- */

#define ENOS(device) "{'products': [{'cloud': 'enos', 'productKey': 'p', 'devices': [" device "]}]}"

static void activate(struct bench *bench, const char *key)
{
    struct sky_device device = device_of(bench, "enos", "p", key);
    memcpy(device.old_secret, device.secret, sizeof device.old_secret);
    assert_true(sky_span_copy(SKY_SPAN("issued"), device.secret, sizeof device.secret));
    device.secret_issued = true;
    device.state = SKY_DEVICE_ACTIVE;
    assert_int_equal(sky_store_set_device(bench->store, &device), SKY_OK);
}

static void keeps_an_issued_secret_and_the_state_on_a_second_load(void **state)
{
    static const char *const devices[] = {
        ENOS("{'deviceKey': 'd', 'deviceSecret': 'first'}"),
        ENOS("{'deviceKey': 'd'}"),
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < SKY_COUNT(devices); i++) {
        loads(bench, devices[i]);
        activate(bench, "d");
        loads(bench, devices[i]);
        assert_int_equal(bench->count.devices_changed, 0);
        struct sky_device device = device_of(bench, "enos", "p", "d");
        assert_string_equal(device.secret, "issued");
        assert_true(device.secret_issued);
        assert_int_equal(device.state, SKY_DEVICE_ACTIVE);
        assert_int_equal(sky_store_delete_device(bench->store, device.id), SKY_OK);
    }
}

static void takes_over_a_secret_that_changed_in_the_text(void **state)
{
    struct bench *bench = *state;
    loads(bench, ENOS("{'deviceKey': 'd', 'deviceSecret': 'first'}"));
    int64_t id = device_of(bench, "enos", "p", "d").id;
    activate(bench, "d");
    loads(bench, ENOS("{'deviceKey': 'd', 'deviceSecret': 'second'}"));
    assert_int_equal(bench->count.devices_changed, 1);
    struct sky_device device = device_of(bench, "enos", "p", "d");
    assert_int_equal(device.id, id);
    assert_string_equal(device.secret, "second");
    assert_string_equal(device.old_secret, "");
    assert_false(device.secret_issued);
    loads(bench, ENOS("{'deviceKey': 'd'}")); /* no secret: no opinion */
    assert_int_equal(bench->count.devices_changed, 0);
    assert_string_equal(device_of(bench, "enos", "p", "d").secret, "second");
}

static void keeps_what_was_changed_since_where_the_text_says_the_same(void **state)
{
    struct bench *bench = *state;
    loads(bench, ENOS("{'deviceKey': 'd', 'assetId': 'a'}"));
    struct sky_device device = device_of(bench, "enos", "p", "d");
    device.enabled = false;
    assert_int_equal(sky_store_set_device(bench->store, &device), SKY_OK);
    loads(bench, ENOS("{'deviceKey': 'd', 'assetId': 'b'}"));
    assert_int_equal(bench->count.devices_changed, 1);
    device = device_of(bench, "enos", "p", "d");
    assert_false(device.enabled);
    assert_string_equal(device.asset_id, "b");
    loads(bench, ENOS("{'deviceKey': 'd', 'assetId': 'b', 'enabled': false}"));
    loads(bench, ENOS("{'deviceKey': 'd'}"));
    device = device_of(bench, "enos", "p", "d");
    assert_true(device.enabled);
    assert_string_equal(device.asset_id, "");
}

static void takes_charge_of_a_device_that_was_there_before(void **state)
{
    struct bench *bench = *state;
    loads(bench, "{'products': [{'cloud': 'enos', 'productKey': 'p'}]}");
    struct sky_product product;
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("enos"), SKY_SPAN("p"), &product), SKY_OK);
    struct sky_device device = {.product_id = product.id, .key = "d", .secret = "by hand"};
    assert_int_equal(sky_store_add_device(bench->store, &device), SKY_OK);
    loads(bench, ENOS("{'deviceKey': 'd'}"));
    assert_int_equal(bench->count.devices_added, 0);
    assert_int_equal(bench->count.devices_changed, 1);
    device = device_of(bench, "enos", "p", "d");
    assert_true(device.enabled);
    assert_string_equal(device.secret, "by hand");
}

static void a_product_becomes_what_the_text_says(void **state)
{
    struct bench *bench = *state;
    struct sky_product product;
    struct sky_product_topic topics[SKY_PRODUCT_TOPICS_MAX];
    size_t count;
    loads(bench, "{'products': [{'cloud': 'enos', 'productKey': 'p', 'productSecret': 's',"
                 "'topics': [{'topic': '/a', 'pub': true}], 'rules': ['A=off']}]}");
    loads(bench, "{'products': [{'cloud': 'enos', 'productKey': 'p', 'productSecret': 's',"
                 "'topics': [{'topic': '/a', 'sub': true}], 'rules': ['A=off']}]}");
    assert_int_equal(bench->count.products_changed, 1);
    loads(bench, "{'products': [{'cloud': 'enos', 'productKey': 'p', 'productSecret': 's',"
                 "'topics': [{'topic': '/a', 'sub': true}], 'rules': ['A=report']}]}");
    assert_int_equal(bench->count.products_changed, 1);
    loads(bench, "{'products': [{'cloud': 'enos', 'productKey': 'p'}]}");
    assert_int_equal(bench->count.products_changed, 1);
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("enos"), SKY_SPAN("p"), &product), SKY_OK);
    assert_string_equal(product.secret, "");
    assert_int_equal(sky_store_get_topics(bench->store, product.id, topics, &count), SKY_OK);
    assert_int_equal(count, 0);
}

static void a_reset_goes_back_to_how_a_device_was_made(void **state)
{
    struct bench *bench = *state;
    loads(bench, ENOS("{'deviceKey': 'd', 'deviceSecret': 'first'}, {'deviceKey': 'made'}"));
    struct sky_device given = device_of(bench, "enos", "p", "d");
    struct sky_device made = device_of(bench, "enos", "p", "made");
    struct sky_device other = {
        .product_id = given.product_id, .key = "other", .secret = "own", .asset_id = "a"};
    struct sky_device brief = {.product_id = given.product_id, .key = "brief", .temporary = true};
    assert_int_equal(sky_store_add_device(bench->store, &other), SKY_OK);
    assert_int_equal(sky_store_add_device(bench->store, &brief), SKY_OK);
    assert_true(device_of(bench, "enos", "p", "brief").temporary);
    activate(bench, "d");
    activate(bench, "made");
    activate(bench, "other");
    assert_int_equal(sky_store_reset_device(bench->store, 99), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_reset_device(bench->store, other.id), SKY_OK);
    struct sky_device again = device_of(bench, "enos", "p", "other");
    assert_memory_equal(&again, &other, sizeof again);
    assert_int_equal(sky_store_reset_device(bench->store, given.id), SKY_OK);
    struct sky_device now = device_of(bench, "enos", "p", "d");
    assert_memory_equal(&now, &given, sizeof now);
    assert_string_equal(device_of(bench, "enos", "p", "made").secret, "issued");
    assert_int_equal(sky_store_reset_devices(bench->store, 0), SKY_OK);
    now = device_of(bench, "enos", "p", "made");
    assert_memory_equal(&now, &made, sizeof now);
    assert_int_equal(sky_store_count_devices(bench->store), 3); /* `brief` has gone */
    assert_int_equal(sky_store_reset_device(bench->store, brief.id), SKY_ERR_NOT_FOUND);
}

static void a_temporary_device_that_a_fixture_names_lasts(void **state)
{
    struct bench *bench = *state;
    loads(bench, ENOS("{'deviceKey': 'd', 'deviceSecret': 'first'}"));
    struct sky_device brief = {.product_id = device_of(bench, "enos", "p", "d").product_id,
                               .key = "brief",
                               .secret = "own",
                               .temporary = true};
    assert_int_equal(sky_store_add_device(bench->store, &brief), SKY_OK);
    loads(bench, ENOS("{'deviceKey': 'brief', 'deviceSecret': 'said'}"));
    assert_int_equal(sky_store_reset_devices(bench->store, 0), SKY_OK);
    assert_string_equal(device_of(bench, "enos", "p", "brief").secret, "said");
}

/* ---- documents ---- */

static void writes_the_initial_document_only_once(void **state)
{
    struct bench *bench = *state;
    struct sky_buf body;
    int64_t version;
    sky_buf_init(&body, 256);
    loads(bench, whole);
    int64_t id = device_of(bench, "tencent", "PROD123456", "dev001").id;
    assert_int_equal(sky_store_get_document(bench->store, id, SKY_SPAN("shadow"), &body, &version),
                     SKY_OK);
    assert_true(sky_span_eq_str(sky_buf_span(&body), "1 shadow {\"reported\":{\"a\":1}}"));
    assert_int_equal(version, 3);
    assert_int_equal(
        sky_store_put_document(bench->store, id, SKY_SPAN("shadow"), SKY_SPAN("mine"), 9), SKY_OK);
    loads(bench, whole);
    sky_buf_clear(&body);
    assert_int_equal(sky_store_get_document(bench->store, id, SKY_SPAN("shadow"), &body, &version),
                     SKY_OK);
    assert_true(sky_span_eq_str(sky_buf_span(&body), "mine"));
    sky_buf_done(&body);
}

static void stores_the_document_as_it_is_without_a_maker(void **state)
{
    struct bench *bench = *state;
    struct sky_buf body;
    int64_t version = -1;
    bench->config.make_document = NULL;
    sky_buf_init(&body, 256);
    loads(bench, whole);
    int64_t id = device_of(bench, "tencent", "PROD123456", "dev001").id;
    assert_int_equal(sky_store_get_document(bench->store, id, SKY_SPAN("shadow"), &body, &version),
                     SKY_OK);
    assert_true(sky_span_eq_str(sky_buf_span(&body), "{\"reported\":{\"a\":1}}"));
    assert_int_equal(version, 0);
    sky_buf_done(&body);
}

/* ---- gateways, and texts of products ---- */

#define ALI(key, more, devices)                                                                    \
    "{'cloud': 'aliyun', 'productKey': '" key "'" more ", 'devices': [" devices "]}"
#define GATEWAY(key, sub_devices) "{'deviceName': '" key "', 'subDevices': [" sub_devices "]}"
#define SUB(key) "{'productKey': 's', 'deviceName': '" key "'}"
#define SUBS                                                                                       \
    ALI("s", ", 'nodeType': 'sub-device'",                                                         \
        "{'deviceName': 'a'}, {'deviceName': 'b'}, {'deviceName': 'c'}")
#define TEXT(products) "{'products': [" products "]}"

static const char gateways[] =
    TEXT(ALI("g",
             ", 'nodeType': 'gateway', 'subProducts': ['s', 'other'], 'config': {'a': [1, null]},"
             " 'model': {'properties': []}, 'forward': 'http://host/in'",
             GATEWAY("one", SUB("b") "," SUB("a")) "," GATEWAY("two", "")) "," SUBS);

static bool list_device(void *ctx, const struct sky_product *product,
                        const struct sky_device *device)
{
    (void)product;
    strncat(ctx, device->key, 8);
    return true;
}

static void behind(struct bench *bench, const char *gateway, const char *wanted)
{
    char listed[64] = "";
    assert_int_equal(sky_store_each_behind(bench->store,
                                           device_of(bench, "aliyun", "g", gateway).id, SIZE_MAX,
                                           list_device, listed),
                     SKY_OK);
    assert_string_equal(listed, wanted);
}

static sky_err bind(struct bench *bench, const char *gateway, const char *device, bool on)
{
    int64_t gateway_id = device_of(bench, "aliyun", "g", gateway).id;
    int64_t device_id = device_of(bench, "aliyun", "s", device).id;
    return on ? sky_store_bind(bench->store, gateway_id, device_id)
              : sky_store_unbind(bench->store, gateway_id, device_id);
}

static void text_is(struct bench *bench, const char *name, const char *wanted)
{
    struct sky_product product;
    struct sky_buf body;
    int64_t version;
    sky_buf_init(&body, SKY_STORE_BLOB_MAX);
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("aliyun"), SKY_SPAN("g"), &product), SKY_OK);
    assert_int_equal(sky_store_get_product_document(bench->store, product.id, sky_span_str(name),
                                                    &body, &version),
                     wanted == NULL ? SKY_ERR_NOT_FOUND : SKY_OK);
    if (wanted != NULL && !sky_span_eq_str(sky_buf_span(&body), wanted))
        fail_msg("%s is %.*s", name, SKY_SPAN_ARGS(sky_buf_span(&body)));
    sky_buf_done(&body);
}

static void refuses(struct bench *bench, const char *text, const char *pointer, const char *reason)
{
    struct sky_buf before, after;
    sky_buf_init(&before, DUMP_MAX);
    sky_buf_init(&after, DUMP_MAX);
    assert_true(store_dump(bench->store, &before));
    assert_int_equal(load(bench, text), SKY_ERR_INVALID);
    assert_int_equal(bench->record.reported, 1);
    assert_string_equal(bench->record.errors[0].pointer, pointer);
    if (strstr(bench->record.errors[0].reason, reason) == NULL)
        fail_msg("\"%s\" without \"%s\"", bench->record.errors[0].reason, reason);
    assert_true(store_dump(bench->store, &after));
    assert_true(sky_span_eq(sky_buf_span(&before), sky_buf_span(&after)));
    sky_buf_done(&before);
    sky_buf_done(&after);
}

static void takes_over_what_a_gateways_product_says(void **state)
{
    struct bench *bench = *state;
    struct sky_product product;
    loads(bench, gateways);
    assert_int_equal(bench->count.gateways, 2);
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("aliyun"), SKY_SPAN("g"), &product), SKY_OK);
    assert_int_equal(product.node, SKY_NODE_GATEWAY);
    assert_int_equal(
        sky_store_find_product(bench->store, SKY_SPAN("aliyun"), SKY_SPAN("s"), &product), SKY_OK);
    assert_int_equal(product.node, SKY_NODE_SUB);
    behind(bench, "one", "ba"); /* which stand further down in the text */
    behind(bench, "two", "");
    text_is(bench, SKY_PRODUCT_CONFIG, "{\"a\":[1,null]}");
    text_is(bench, SKY_PRODUCT_MODEL, "{\"properties\":[]}");
    text_is(bench, SKY_PRODUCT_SUB_PRODUCTS, "[\"s\",\"other\"]");
    text_is(bench, SKY_PRODUCT_FORWARD, "http://host/in");
}

static void changes_no_gateway_when_loaded_again(void **state)
{
    struct bench *bench = *state;
    struct sky_buf before, after;
    sky_buf_init(&before, DUMP_MAX);
    sky_buf_init(&after, DUMP_MAX);
    loads(bench, gateways);
    /* Life goes on: one was unbound, one added, one moved. */
    assert_int_equal(bind(bench, "one", "b", false), SKY_OK);
    assert_int_equal(bind(bench, "one", "c", true), SKY_OK);
    assert_int_equal(bind(bench, "one", "a", false), SKY_OK);
    assert_int_equal(bind(bench, "two", "a", true), SKY_OK);
    assert_true(store_dump(bench->store, &before));
    uint64_t generation = sky_store_generation(bench->store);
    loads(bench, gateways);
    assert_true(sky_store_generation(bench->store) == generation);
    assert_true(store_dump(bench->store, &after));
    assert_true(sky_span_eq(sky_buf_span(&before), sky_buf_span(&after)));
    assert_int_equal(bench->count.products_changed + bench->count.devices_changed, 0);
    assert_int_equal(sky_store_reset_devices(bench->store, 0), SKY_OK);
    behind(bench, "one", "ba");
    behind(bench, "two", "");
    sky_buf_done(&before);
    sky_buf_done(&after);
}

static void a_sub_device_that_is_said_no_more_is_unbound(void **state)
{
    struct bench *bench = *state;
    loads(bench, gateways);
    loads(bench, TEXT(ALI("g", ", 'nodeType': 'gateway'", GATEWAY("one", SUB("a")))));
    behind(bench, "one", "a");
    loads(bench, TEXT(ALI("g", ", 'nodeType': 'gateway'", "{'deviceName': 'one'}")));
    behind(bench, "one", "");
    assert_int_equal(sky_store_reset_devices(bench->store, 0), SKY_OK);
    behind(bench, "one", "");
}

static void texts_that_are_said_no_more_go(void **state)
{
    static const char *const names[] = {SKY_PRODUCT_CONFIG, SKY_PRODUCT_MODEL,
                                        SKY_PRODUCT_SUB_PRODUCTS, SKY_PRODUCT_FORWARD};
    struct bench *bench = *state;
    loads(bench, gateways);
    loads(bench, TEXT(ALI("g", ", 'config': null", "{'deviceName': 'one'}")));
    assert_int_equal(bench->count.products_changed, 1);
    for (size_t i = 0; i < SKY_COUNT(names); i++)
        text_is(bench, names[i], NULL);
    loads(bench, TEXT(ALI("g", "", "{'deviceName': 'one'}")));
    assert_int_equal(bench->count.products_changed, 0);
}

static void a_sub_device_moves_when_the_text_says_so(void **state)
{
    static const char swapped[] =
        TEXT(ALI("g", ", 'nodeType': 'gateway'",
                 GATEWAY("two", SUB("a")) "," GATEWAY("one", SUB("b"))) "," SUBS);
    struct bench *bench = *state;
    loads(bench, gateways);
    refuses(bench, swapped, "/products/0/devices/0/subDevices/0",
            "s/a stands behind another gateway already");
    bench->config.moves_devices = true;
    loads(bench, swapped);
    behind(bench, "one", "b");
    behind(bench, "two", "a");
    loads(bench, gateways);
    behind(bench, "one", "ba");
    behind(bench, "two", "");
}

static void a_device_may_stand_behind_two_gateways_where_they_are_shared(void **state)
{
    struct bench *bench = *state;
    static const char one[] =
        "{'products': [{'cloud': 'enos', 'productKey': 'g', 'nodeType': 'gateway',"
        " 'devices': [{'deviceKey': '%s', 'subDevices': [{'productKey': 's',"
        " 'deviceKey': 'd'}]}]}, {'cloud': 'enos', 'productKey': 's', 'devices':"
        " [{'deviceKey': 'd'}]}]}";
    for (int i = 0; i < 2; i++) {
        char text[512], listed[64] = "";
        snprintf(text, sizeof text, one, i == 0 ? "one" : "two");
        loads(bench, text);
        assert_int_equal(sky_store_each_gateway(bench->store, device_of(bench, "enos", "s", "d").id,
                                                list_device, listed),
                         SKY_OK);
        assert_string_equal(listed, i == 0 ? "one" : "onetwo");
    }
}

static void refuses_what_cannot_stand_behind_a_gateway(void **state)
{
    struct bench *bench = *state;
    refuses(bench, TEXT(ALI("g", ", 'nodeType': 'gateway'", GATEWAY("one", SUB("a")))),
            "/products/0/devices/0/subDevices/0", "there is no device s/a; register it, too");
    refuses(bench,
            TEXT(ALI("g", ", 'nodeType': 'gateway'",
                     GATEWAY("one", SUB("a")) "," GATEWAY("two", SUB("z"))) "," SUBS),
            "/products/0/devices/1/subDevices/0", "there is no device s/z");
    refuses(bench,
            TEXT(ALI("s", ", 'nodeType': 'gateway'",
                     GATEWAY("one", SUB("two")) ","
                                                "{'deviceName': 'two'}")),
            "/products/0/devices/0/subDevices/0", "s/two is a gateway; none stands behind another");
    refuses(bench, TEXT(ALI("s", ", 'nodeType': 'gateway'", GATEWAY("one", SUB("one")))),
            "/products/0/devices/0/subDevices/0", "s/one is a gateway");
}

/* As with files: one load binds what another brought. */
static void binds_later_what_stands_in_another_text(void **state)
{
    static const char first[] =
        "{\"products\": [{\"cloud\": \"aliyun\", \"productKey\": \"g\", \"nodeType\": \"gateway\","
        " \"devices\": [{\"deviceName\": \"one\", \"subDevices\": [{\"productKey\": \"s\","
        " \"deviceName\": \"a\"}]}]}]}";
    struct bench *bench = *state;
    bench->config.binds_later = true;
    assert_int_equal(
        sky_seed_load(bench->store, sky_span_str(first), &bench->config, &bench->count), SKY_OK);
    assert_int_equal(bench->count.gateways, 1);
    assert_int_equal(
        sky_seed_bind(bench->store, sky_span_str(first), &bench->config, &bench->count),
        SKY_ERR_INVALID);
    assert_int_equal(bench->record.reported, 1);
    loads(bench, TEXT(SUBS));
    assert_int_equal(bench->count.gateways, 0);
    behind(bench, "one", "");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            sky_seed_bind(bench->store, sky_span_str(first), &bench->config, &bench->count),
            SKY_OK);
        behind(bench, "one", "a");
    }
}

static sky_err read_model(void *ctx, const char *path, struct sky_buf *ret_json,
                          struct sky_why *why)
{
    (void)ctx;
    if (strcmp(path, "there.json") != 0)
        return sky_why_set(why, SKY_ERR_NOT_FOUND, "", "%s: no such file", path);
    return sky_buf_add_str(ret_json, "{\"from\":\"a file\"}") ? SKY_OK : SKY_ERR_LIMIT;
}

static void reads_a_model_from_a_file(void **state)
{
    struct bench *bench = *state;
    bench->config.read_model = read_model;
    loads(bench, TEXT(ALI("g", ", 'model': 'there.json'", "")));
    text_is(bench, SKY_PRODUCT_MODEL, "{\"from\":\"a file\"}");
    refuses(bench, TEXT(ALI("g", ", 'model': 'elsewhere.json'", "")), "/products/0/model",
            "elsewhere.json: no such file");
    loads(bench, TEXT(ALI("g", ", 'model': {'from': 'a file'}", "")));
    assert_int_equal(bench->count.products_changed, 0);
}

/* ---- transactions ---- */

static void several_texts_load_as_one_within_a_transaction(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(sky_store_begin(bench->store), SKY_OK);
    loads(bench, ENOS("{'deviceKey': 'd'}"));
    assert_int_equal(load(bench, ENOS("{'deviceKey': ''}")), SKY_ERR_INVALID);
    loads(bench, whole);
    assert_int_equal(sky_store_count_devices(bench->store), 6);
    sky_store_rollback(bench->store);
    assert_int_equal(sky_store_count_devices(bench->store), 0);
}

static void loads_ten_thousand_devices(void **state)
{
    enum { COUNT = 10000 };
    struct bench *bench = *state;
    struct sky_buf text;
    sky_buf_init(&text, 4 * 1024 * 1024);
    sky_buf_add_str(&text,
                    "{\"products\":[{\"cloud\":\"aliyun\",\"productKey\":\"p\",\"devices\":[");
    for (int i = 0; i < COUNT; i++)
        sky_buf_addf(&text, "%s{\"deviceName\":\"d%d\",\"deviceSecret\":\"s%d\"}", i ? "," : "", i,
                     i);
    sky_buf_add_str(&text, "]}]}");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            sky_seed_load(bench->store, sky_buf_span(&text), &bench->config, &bench->count),
            SKY_OK);
        assert_int_equal(bench->count.devices_added, i == 0 ? COUNT : 0);
        assert_int_equal(sky_store_count_devices(bench->store), COUNT);
    }
    sky_buf_done(&text);
}

/* Many go in by one statement: each is as if it had gone in alone, in the order of the text,
 * whatever their number, and whoever stands between them. */
static void many_at_once_are_as_one_by_one(void **state)
{
    struct bench *bench = *state;
    static const int counts[] = {15, 16, 17, 32, 33, 40};
    for (size_t c = 0; c < SKY_COUNT(counts); c++) {
        struct sky_buf text;
        char product[16], name[16], secret[32];
        int64_t last_id = 0;
        snprintf(product, sizeof product, "p%d", counts[c]);
        sky_buf_init(&text, 1024 * 1024);
        sky_buf_addf(&text, "{'products': [{'cloud': 'enos', 'productKey': '%s', 'devices': [",
                     product);
        for (int i = 0; i < counts[c]; i++)
            sky_buf_addf(&text,
                         "%s{'deviceKey': 'd%d', 'deviceSecret': 's%d', 'enabled': %s, 'assetId': "
                         "'a%d'%s}",
                         i > 0 ? ", " : "", i, i, i % 3 == 0 ? "false" : "true", i,
                         i == 20 ? ", 'shadow': {'reported': {'a': 1}}" : "");
        sky_buf_add_str(&text, "]}]}");
        sky_buf_add_byte(&text, 0);
        for (int round = 0; round < 2; round++) {
            loads(bench, text.bytes);
            assert_int_equal(bench->count.devices_added, round == 0 ? counts[c] : 0);
            assert_int_equal(bench->count.devices_changed, 0);
        }
        for (int i = 0; i < counts[c]; i++) {
            snprintf(name, sizeof name, "d%d", i);
            snprintf(secret, sizeof secret, "s%d", i);
            struct sky_device device = device_of(bench, "enos", product, name);
            assert_true(device.id > last_id);
            last_id = device.id;
            assert_string_equal(device.secret, secret);
            assert_int_equal(device.enabled, i % 3 != 0);
            assert_int_equal(device.asset_id[1], name[1]);
            assert_int_equal(device.state, SKY_DEVICE_INACTIVE);
            assert_false(device.temporary || device.secret_issued);
            assert_int_equal(device.old_secret[0], 0);
        }
        sky_buf_done(&text);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_over_everything_a_fixture_says),
        TEST(writes_placeholders_and_rules_in_one_form),
        TEST(changes_nothing_when_loaded_again),
        TEST(checks_only_without_a_store),
        TEST(writes_nothing_when_anything_is_wrong),
        TEST(keeps_an_issued_secret_and_the_state_on_a_second_load),
        TEST(takes_over_a_secret_that_changed_in_the_text),
        TEST(keeps_what_was_changed_since_where_the_text_says_the_same),
        TEST(takes_charge_of_a_device_that_was_there_before),
        TEST(a_product_becomes_what_the_text_says),
        TEST(a_reset_goes_back_to_how_a_device_was_made),
        TEST(a_temporary_device_that_a_fixture_names_lasts),
        TEST(writes_the_initial_document_only_once),
        TEST(stores_the_document_as_it_is_without_a_maker),
        TEST(takes_over_what_a_gateways_product_says),
        TEST(changes_no_gateway_when_loaded_again),
        TEST(a_sub_device_that_is_said_no_more_is_unbound),
        TEST(texts_that_are_said_no_more_go),
        TEST(a_sub_device_moves_when_the_text_says_so),
        TEST(a_device_may_stand_behind_two_gateways_where_they_are_shared),
        TEST(refuses_what_cannot_stand_behind_a_gateway),
        TEST(binds_later_what_stands_in_another_text),
        TEST(reads_a_model_from_a_file),
        TEST(several_texts_load_as_one_within_a_transaction),
        TEST(many_at_once_are_as_one_by_one),
        TEST(loads_ten_thousand_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
