#include "protocol/base/json_tree.h"
#include "tests/unit/registry/login_try.h"

/* The refusal as the journal has it; the caller deletes the tree. */
static cJSON *json_of(const struct login_try *t)
{
    struct sky_buf out;
    cJSON *tree = NULL;
    sky_buf_init(&out, SKY_REFUSAL_JSON_MAX);
    sky_refusal_json(&t->outcome.refusal, &t->judge, &out);
    assert_false(out.overflow);
    if (sky_json_parse(sky_buf_span(&out), SKY_JSON_DEPTH_MAX, &tree, NULL) != SKY_OK)
        fail_msg("no JSON: %.*s", SKY_SPAN_ARGS(sky_buf_span(&out)));
    sky_buf_done(&out);
    return tree;
}

static const char *text_of(const cJSON *tree, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(tree, key);
    return cJSON_IsString(member) ? member->valuestring : "";
}

static void another_devices_secret_is_recognised_and_named(void **state)
{
    struct registry_case *c = *state;
    struct login_try t;
    struct sky_product product;
    struct sky_device device, second;
    login_try_sign(&t, c, "enos", "KV315idW", "tPbZGCdmaE", false);
    registry_case_find(c, "enos", "KV315idW", "tPbZGCdmaE", &product, &device);
    registry_case_find(c, "enos", "KV315idW", "second", &product, &second);
    memcpy(device.secret, second.secret, sizeof device.secret);
    const struct sky_sign_request request = {
        .product = &product, .device = &device, .now_ms = c->clock.now_ms};
    login_try_write(&t, sky_cloud_find(SKY_SPAN("enos")), &request);
    assert_int_equal(login_try(&t), SKY_CONNACK_CREDENTIALS);
    cJSON *tree = json_of(&t);
    assert_string_equal(text_of(tree, "mistake"), "other-device");
    assert_non_null(strstr(text_of(tree, "what"), "second"));
    assert_null(strstr(text_of(tree, "what"), second.secret));
    cJSON_Delete(tree);
}

static void a_mistake_breaks_its_own_rule_too(void **state)
{
    struct registry_case *c = *state;
    struct login_try t;
    struct sky_product product;
    struct sky_device device;
    login_try_sign(&t, c, "enos", "KV315idW", "tPbZGCdmaE", false);
    registry_case_find(c, "enos", "KV315idW", "tPbZGCdmaE", &product, &device);
    memcpy(device.secret, product.secret, sizeof device.secret);
    const struct sky_sign_request request = {
        .product = &product, .device = &device, .now_ms = c->clock.now_ms};
    login_try_write(&t, sky_cloud_find(SKY_SPAN("enos")), &request);
    assert_int_equal(login_try(&t), SKY_CONNACK_CREDENTIALS);
    assert_true(login_try_found(&t, "ENOS-SIGN-WRONG-SECRET"));
    cJSON *tree = json_of(&t);
    assert_string_equal(text_of(tree, "mistake"), "product-secret");
    assert_string_equal(text_of(tree, "rule"), "ENOS-SIGN-WRONG-SECRET");
    assert_int_equal(strlen(text_of(tree, "expectedPrefix")), 8);
    cJSON_Delete(tree);
}

static void an_unknown_product_is_compared_with_products(void **state)
{
    struct login_try t;
    login_try_sign(&t, *state, "enos", "KV315idW", "tPbZGCdmaE", false);
    snprintf(t.credentials.username, sizeof t.credentials.username, "tPbZGCdmaE&KV315idV");
    assert_int_not_equal(login_try(&t), 0);
    assert_int_equal(t.outcome.cause, SKY_CAUSE_UNKNOWN);
    cJSON *tree = json_of(&t);
    assert_string_equal(text_of(tree, "similar"), "KV315idW");
    assert_string_equal(text_of(tree, "mistake"), "");
    cJSON_Delete(tree);
}

static void add_device(struct registry_case *c, const char *key)
{
    struct sky_product product;
    struct sky_device device;
    registry_case_find(c, "enos", "KV315idW", "tPbZGCdmaE", &product, &device);
    device = (struct sky_device){.product_id = product.id, .enabled = true};
    snprintf(device.key, sizeof device.key, "%s", key);
    snprintf(device.secret, sizeof device.secret, "secret of %s", key);
    assert_int_equal(sky_store_add_device(c->store, &device), SKY_OK);
}

static void the_nearest_name_wins_and_ties_are_all_named(void **state)
{
    struct registry_case *c = *state;
    static const struct {
        const char *sent, *similar;
    } rows[] = {{"pump-7", "pump-17"},
                {"pump-71", "pump-17"},
                {"pump-19", "pump-18, pump-17"},
                {"Pump-18", "pump-18"},
                {"pmup-18", "pump-18"}};
    add_device(c, "pump-17");
    add_device(c, "pump-18");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct login_try t;
        login_try_sign(&t, c, "enos", "KV315idW", "tPbZGCdmaE", false);
        snprintf(t.credentials.username, sizeof t.credentials.username, "%s&KV315idW",
                 rows[i].sent);
        assert_int_not_equal(login_try(&t), 0);
        cJSON *tree = json_of(&t);
        assert_string_equal(text_of(tree, "similar"), rows[i].similar);
        cJSON_Delete(tree);
    }
}

static void what_was_plainly_not_meant_is_named(void **state)
{
    struct registry_case *c = *state;
    static const struct {
        const char *client_id, *username, *mistake;
    } rows[] = {
        {"id|securemode=2,signmethod=sha256,timestamp=1548753362502|", "YOUR_DEVICE_NAME&KV315idW",
         "placeholder"},
        {"id|securemode=2,signmethod=sha256,timestamp=1548753362502|", "${deviceKey}&KV315idW",
         "placeholder"},
        {"id|securemode=2,signmethod=sha256,timestamp=1548753362502|", "NULL&KV315idW",
         "placeholder"},
        {"id|securemode=2,signmethod=sha256,timestamp=1548753362502|", "(null)&(null)",
         "placeholder"},
        {"id|securemode=2,signmethod=sha256,timestamp=1548753362502|", "tPbZGCdmaE&amp;KV315idW",
         "escaped"},
        {"id|securemode=2,signmethod=sha256,timestamp=1548753362502|", "tPbZGCdmaE\\&KV315idW",
         "escaped"},
        {"id|securemode=2\\,signmethod=sha256\\,timestamp=1548753362502|", "tPbZGCdmaE&KV315idW",
         "escaped"},
        {"id|securemode=2,signmethod=sha256,timestamp=1548753362502|",
         "tPbZGCdmaE\xef\xbc\x86KV315idW", "escaped"},
        {"tPbZGCdmaE&KV315idW", "id|securemode=2,signmethod=sha256,timestamp=1548753362502|",
         "exchanged"},
        {"device&pk", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "exchanged"},
        {"PROD123456dev001;12010126;A1B2C;1735689600", "PROD123456dev001", "exchanged"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct login_try t;
        login_try_sign(&t, c, "enos", "KV315idW", "tPbZGCdmaE", false);
        snprintf(t.credentials.client_id, sizeof t.credentials.client_id, "%s", rows[i].client_id);
        snprintf(t.credentials.username, sizeof t.credentials.username, "%s", rows[i].username);
        assert_int_not_equal(login_try(&t), 0);
        cJSON *tree = json_of(&t);
        if (strcmp(text_of(tree, "mistake"), rows[i].mistake) != 0)
            fail_msg("%s: %s: '%s', cause %d: %s", rows[i].client_id, rows[i].username,
                     text_of(tree, "mistake"), (int)t.outcome.cause, text_of(tree, "what"));
        cJSON_Delete(tree);
    }
}

static void nothing_similar_is_not_mentioned(void **state)
{
    struct login_try t;
    login_try_sign(&t, *state, "enos", "KV315idW", "tPbZGCdmaE", false);
    snprintf(t.credentials.username, sizeof t.credentials.username, "unlike&any");
    t.door.listener = sky_listener_find(SKY_SPAN("enos-mqtt"));
    assert_int_not_equal(login_try(&t), 0);
    cJSON *tree = json_of(&t);
    assert_null(cJSON_GetObjectItemCaseSensitive(tree, "similar"));
    cJSON_Delete(tree);
}

static void without_a_signature_the_rule_that_decided_speaks(void **state)
{
    struct login_try t;
    login_try_sign(&t, *state, "aliyun", "pk", "device", false);
    t.connect.keepalive_s = 10;
    assert_int_equal(login_try(&t), SKY_CONNACK_CLIENT_ID);
    cJSON *tree = json_of(&t);
    assert_string_equal(text_of(tree, "rule"), "ALI-KEEPALIVE-RANGE");
    assert_string_equal(text_of(tree, "what"), "keepalive is 10 s; 60 to 300 s are accepted");
    assert_true(strlen(text_of(tree, "hint")) > 0);
    cJSON_Delete(tree);
}

static void the_hint_of_a_keepalive_knows_the_profile(void **state)
{
    static const struct {
        enum sky_profile profile;
        const char *cloud, *product, *device;
        uint16_t keepalive_s;
        const char *what, *hint, *not_in_hint;
    } tries[] = {
        {SKY_PROFILE_SEED, "aliyun", "pk", "device", 1200,
         "keepalive is 1200 s; 60 to 300 s are accepted (with --profile current 30 to 1200)",
         "--profile current", "\n"},
        {SKY_PROFILE_SEED, "aliyun", "pk", "device", 1201,
         "keepalive is 1201 s; 60 to 300 s are accepted", "60..300", "\n"},
        {SKY_PROFILE_SEED, "tencent", "PROD123456", "dev001", 0,
         "keepalive is 0 s; 60 to 300 s are accepted (with --profile current 0 to 900)",
         "--profile current", "\n"},
        {SKY_PROFILE_SEED, "enos", "KV315idW", "tPbZGCdmaE", 301,
         "keepalive is 301 s; 60 to 300 s are accepted (with --profile current 0 to 65535)",
         "--profile current", "\n"},
        {SKY_PROFILE_CURRENT, "aliyun", "pk", "device", 29,
         "keepalive is 29 s; 30 to 1200 s are accepted", "30..1200", "300"},
        {SKY_PROFILE_CURRENT, "tencent", "PROD123456", "dev001", 901,
         "keepalive is 901 s; 0 to 900 s are accepted", "900", "300"},
    };
    struct registry_case *c = *state;
    for (size_t i = 0; i < SKY_COUNT(tries); i++) {
        struct login_try t;
        c->registry.catalogue.profile = tries[i].profile;
        sky_policy_init(&c->registry.policy, &c->registry.catalogue, tries[i].profile);
        login_try_sign(&t, c, tries[i].cloud, tries[i].product, tries[i].device, false);
        t.connect.keepalive_s = tries[i].keepalive_s;
        assert_int_equal(login_try(&t), SKY_CONNACK_CLIENT_ID);
        cJSON *tree = json_of(&t);
        assert_string_equal(text_of(tree, "what"), tries[i].what);
        assert_non_null(strstr(text_of(tree, "hint"), tries[i].hint));
        assert_null(strstr(text_of(tree, "hint"), tries[i].not_in_hint));
        cJSON_Delete(tree);
    }
}

static void names_that_are_no_text_are_shown_as_far_as_they_are(void **state)
{
    struct login_try t;
    login_try_sign(&t, *state, "enos", "KV315idW", "tPbZGCdmaE", false);
    memset(t.credentials.username, '\xc3', sizeof t.credentials.username - 1);
    assert_int_not_equal(login_try(&t), 0);
    cJSON_Delete(json_of(&t));
}

static void the_longest_explanation_fits_however_it_is_escaped(void **state)
{
    struct login_try t;
    login_try_sign(&t, *state, "aliyun", "pk", "device", false);
    t.credentials.password[0] = '0';
    struct sky_explanation *e = &t.outcome.refusal.explanation;
    login_try(&t);
    t.outcome.refusal.explained = true;
    memset(e->what, '\1', sizeof e->what - 1);
    memset(e->hint, '\1', sizeof e->hint - 1);
    memset(e->signed_text, '\1', sizeof e->signed_text - 1);
    memset(t.outcome.refusal.similar, '\1', sizeof t.outcome.refusal.similar - 1);
    cJSON *tree = json_of(&t);
    assert_int_equal(strlen(text_of(tree, "signedText")), SKY_EXPLAIN_TEXT_MAX - 1);
    cJSON_Delete(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(another_devices_secret_is_recognised_and_named),
        REGISTRY_TEST(a_mistake_breaks_its_own_rule_too),
        REGISTRY_TEST(an_unknown_product_is_compared_with_products),
        REGISTRY_TEST(the_nearest_name_wins_and_ties_are_all_named),
        REGISTRY_TEST(what_was_plainly_not_meant_is_named),
        REGISTRY_TEST(nothing_similar_is_not_mentioned),
        REGISTRY_TEST(without_a_signature_the_rule_that_decided_speaks),
        REGISTRY_TEST(the_hint_of_a_keepalive_knows_the_profile),
        REGISTRY_TEST(names_that_are_no_text_are_shown_as_far_as_they_are),
        REGISTRY_TEST(the_longest_explanation_fits_however_it_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
