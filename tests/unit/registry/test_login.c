#include "tests/unit/registry/login_try.h"

/* One device of each cloud, with the rule that its keepalive and will are held to. */
static const struct device {
    const char *cloud, *product, *device, *keepalive, *will;
} devices[] = {
    {"aliyun", "pk", "device", "ALI-KEEPALIVE-RANGE", "ALI-WILL"},
    {"tencent", "PROD123456", "dev001", "MQTT-KEEPALIVE-RANGE", "TEN-WILL"},
    {"enos", "KV315idW", "tPbZGCdmaE", "MQTT-KEEPALIVE-RANGE", "MQTT-WILL"},
};

static void sign(struct login_try *t, struct registry_case *c, size_t which)
{
    login_try_sign(t, c, devices[which].cloud, devices[which].product, devices[which].device,
                   false);
}

static void a_signed_login_is_recognised_and_admitted(void **state)
{
    static const char *const kept[] = {"MQTT-3.1.0-1", "MQTT-CONNECT-TIMEOUT", "MQTT-3.1.2-2",
                                       "MQTT-3.1.3-7"};
    struct login_try t;
    for (size_t i = 0; i < SKY_COUNT(devices); i++) {
        sign(&t, *state, i);
        assert_int_equal(login_try(&t), 0);
        assert_true(t.recognised);
        assert_string_equal(t.lookup.cloud->name, devices[i].cloud);
        assert_string_equal(t.lookup.device.key, devices[i].device);
        assert_int_equal(t.outcome.cause, SKY_CAUSE_NONE);
        assert_false(t.outcome.refusal.explained);
        for (size_t j = 0; j < SKY_COUNT(kept); j++)
            assert_true(login_try_kept(&t, kept[j]));
        assert_true(login_try_kept(&t, devices[i].keepalive));
        assert_true(login_try_kept(&t, devices[i].will));
    }
}

/* Changes one character, to another of the same kind. */
static void spoil(char *text, size_t at)
{
    text[at] = text[at] == '1' ? '2' : '1';
}

static void a_wrong_signature_is_refused_and_explained(void **state)
{
    struct login_try t;
    for (size_t i = 0; i < SKY_COUNT(devices); i++) {
        sign(&t, *state, i);
        spoil(t.credentials.password, 3);
        assert_int_equal(login_try(&t), SKY_CONNACK_CREDENTIALS);
        assert_int_equal(t.outcome.cause, SKY_CAUSE_SIGNATURE);
        assert_true(t.outcome.refusal.explained);
        assert_true(strlen(t.outcome.refusal.explanation.expected_prefix) == 8);
        assert_true(strlen(t.outcome.refusal.explanation.signed_text) > 0);
    }
}

static void what_cannot_be_searched_for_in_this_turn_waits_for_another(void **state)
{
    struct login_try t;
    struct registry_case *c = *state;
    sign(&t, c, 0);
    spoil(t.credentials.password, 3);
    c->registry.searches.count = 0;
    for (int i = 0; i < SKY_SEARCHES_PER_TURN; i++) {
        assert_int_equal(login_try_in_same_turn(&t), SKY_CONNACK_CREDENTIALS);
        assert_false(t.outcome.postponed);
        assert_true(t.outcome.refusal.explained);
    }
    login_try_in_same_turn(&t);
    assert_true(t.outcome.postponed);
    assert_false(t.outcome.refusal.explained);
    login_try(&t);
    assert_false(t.outcome.postponed);
    assert_true(t.outcome.refusal.explained);
}

static void a_good_login_waits_for_nobody(void **state)
{
    struct login_try t;
    struct registry_case *c = *state;
    c->registry.searches.count = SKY_SEARCHES_PER_TURN;
    c->registry.searches.waiting = SKY_SEARCHES_WAITING_MAX;
    sign(&t, c, 0);
    assert_int_equal(login_try_in_same_turn(&t), 0);
    assert_false(t.outcome.postponed);
}

static void when_too_many_wait_a_login_is_refused_without_a_search(void **state)
{
    struct login_try t;
    struct registry_case *c = *state;
    sign(&t, c, 0);
    spoil(t.credentials.password, 3);
    c->registry.searches.count = SKY_SEARCHES_PER_TURN;
    c->registry.searches.waiting = SKY_SEARCHES_WAITING_MAX - 1;
    login_try_in_same_turn(&t);
    assert_true(t.outcome.postponed);
    c->registry.searches.waiting = SKY_SEARCHES_WAITING_MAX;
    assert_int_equal(login_try_in_same_turn(&t), SKY_CONNACK_CREDENTIALS);
    assert_false(t.outcome.postponed);
    assert_true(t.outcome.refusal.unsearched);
    assert_false(t.outcome.refusal.explained);
}

static void an_unknown_device_is_refused_with_the_name_it_may_mean(void **state)
{
    static const struct {
        size_t which;
        const char *product, *slip, *similar;
    } table[] = {
        {0, "pk", "devcie", "device"},
        {1, "PROD123456", "dev0001", "dev001"},
        {2, "KV315idW", "tPbZGCdmaF", "tPbZGCdmaE"},
    };
    struct registry_case *c = *state;
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        struct login_try t;
        sign(&t, c, table[i].which);
        struct sky_product product = {.secret = "productSecret001"};
        struct sky_device device = {.secret = "MTIzNDU2Nzg5MGFiY2RlZg=="};
        snprintf(product.key, sizeof product.key, "%s", table[i].product);
        snprintf(device.key, sizeof device.key, "%s", table[i].slip);
        const struct sky_sign_request request = {
            .product = &product,
            .device = &device,
            .now_ms = c->clock.now_ms,
            .fresh = SKY_SPAN("freshFRESH0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR")};
        login_try_write(&t, sky_cloud_find(sky_span_str(devices[i].cloud)), &request);
        assert_int_not_equal(login_try(&t), 0);
        assert_int_equal(t.outcome.cause, SKY_CAUSE_UNKNOWN);
        assert_string_equal(t.outcome.refusal.similar, table[i].similar);
    }
}

static void an_unknown_device_stays_out_whatever_the_policy(void **state)
{
    static const char *const off[] = {"ALI-DEVICE-UNKNOWN=off", "TEN-CLIENTID=off",
                                      "ENOS-DEVICE-UNKNOWN=off"};
    struct registry_case *c = *state;
    for (size_t i = 0; i < SKY_COUNT(devices); i++) {
        struct sky_product product;
        struct sky_device device;
        struct login_try t;
        registry_case_rule(c, off[i]);
        sign(&t, c, i);
        registry_case_find(c, devices[i].cloud, devices[i].product, devices[i].device, &product,
                           &device);
        assert_int_equal(sky_store_delete_device(c->store, device.id), SKY_OK);
        assert_int_not_equal(login_try(&t), 0);
    }
}

static void nobody_is_recognised_in_a_strangers_login(void **state)
{
    struct login_try t;
    sign(&t, *state, 0);
    t.credentials.client_id[0] = t.credentials.username[0] = t.credentials.password[0] = '\0';
    t.connect.has_username = t.connect.has_password = false;
    assert_int_equal(login_try(&t), SKY_CONNACK_CLIENT_ID);
    assert_false(t.recognised);
    assert_true(login_try_found(&t, "LOGIN-UNRECOGNISED"));
}

static void what_is_no_clouds_login_is_shown_the_form_of_each(void **state)
{
    struct login_try t;
    struct sky_buf json;
    sign(&t, *state, 0);
    snprintf(t.credentials.client_id, sizeof t.credentials.client_id, "abc");
    snprintf(t.credentials.username, sizeof t.credentials.username, "foo");
    assert_int_equal(login_try(&t), SKY_CONNACK_CLIENT_ID);
    assert_false(t.recognised);
    sky_buf_init(&json, SKY_REFUSAL_JSON_MAX);
    sky_refusal_json(&t.outcome.refusal, &t.judge, &json);
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        assert_true(sky_span_contains(sky_buf_span(&json), sky_span_str(sky_clouds[i]->title)));
        if (sky_clouds[i]->login_form != NULL)
            assert_true(
                sky_span_contains(sky_buf_span(&json), sky_span_str(sky_clouds[i]->login_form)));
    }
    sky_buf_done(&json);
}

static void an_empty_client_id_needs_a_clean_session(void **state)
{
    struct registry_case *c = *state;
    struct login_try t;
    for (size_t i = 0; i < SKY_COUNT(devices); i++) {
        sign(&t, c, i);
        t.credentials.client_id[0] = '\0';
        t.connect.clean_session = false;
        assert_int_equal(login_try(&t), SKY_CONNACK_CLIENT_ID);
        assert_true(login_try_found(&t, "MQTT-3.1.3-7"));
    }
}

static void a_keepalive_outside_the_range_is_refused_unless_only_reported_or_off(void **state)
{
    static const uint16_t refused[] = {0, 1, 59, 301, UINT16_MAX}, taken[] = {60, 61, 300};
    struct registry_case *c = *state;
    for (size_t i = 0; i < SKY_COUNT(devices); i++) {
        struct login_try t;
        char override[64];
        snprintf(override, sizeof override, "%s=enforce", devices[i].keepalive);
        registry_case_rule(c, override);
        sign(&t, c, i);
        for (size_t j = 0; j < SKY_COUNT(taken); j++) {
            t.connect.keepalive_s = taken[j];
            assert_int_equal(login_try(&t), 0);
            assert_true(login_try_kept(&t, devices[i].keepalive));
        }
        for (size_t j = 0; j < SKY_COUNT(refused); j++) {
            t.connect.keepalive_s = refused[j];
            assert_int_equal(login_try(&t), SKY_CONNACK_CLIENT_ID);
            assert_true(login_try_found(&t, devices[i].keepalive));
        }
        snprintf(override, sizeof override, "%s=report", devices[i].keepalive);
        registry_case_rule(c, override);
        assert_int_equal(login_try(&t), 0);
        assert_true(login_try_found(&t, devices[i].keepalive));
        snprintf(override, sizeof override, "%s=off", devices[i].keepalive);
        registry_case_rule(c, override);
        assert_int_equal(login_try(&t), 0);
        assert_false(login_try_found(&t, devices[i].keepalive));
        assert_false(login_try_kept(&t, devices[i].keepalive));
    }
}

static void an_activation_may_have_any_keepalive(void **state)
{
    struct login_try t;
    login_try_sign(&t, *state, "enos", "KV315idW", "tPbZGCdmaE", true);
    t.connect.keepalive_s = 0;
    assert_int_equal(login_try(&t), 0);
    assert_true(t.outcome.traits & SKY_TRAIT_ACTIVATION);
    assert_true(t.effects > 0);
}

static void a_will_is_refused_unless_only_reported_or_off(void **state)
{
    static const struct {
        const char *action;
        int connack;
        bool found;
    } table[] = {
        {"enforce", SKY_CONNACK_NOT_AUTHORIZED, true}, {"report", 0, true}, {"off", 0, false}};
    struct registry_case *c = *state;
    for (size_t i = 0; i < SKY_COUNT(devices) * SKY_COUNT(table); i++) {
        const struct device *device = &devices[i / SKY_COUNT(table)];
        struct login_try t;
        char override[64];
        snprintf(override, sizeof override, "%s=%s", device->will,
                 table[i % SKY_COUNT(table)].action);
        registry_case_rule(c, override);
        sign(&t, c, i / SKY_COUNT(table));
        t.connect.has_will = true;
        t.connect.will_topic = SKY_SPAN("bye");
        assert_int_equal(login_try(&t), table[i % SKY_COUNT(table)].connack);
        assert_int_equal(login_try_found(&t, device->will), table[i % SKY_COUNT(table)].found);
    }
}

static void a_refusal_takes_the_effects_of_the_login_with_it(void **state)
{
    struct login_try t;
    login_try_sign(&t, *state, "enos", "KV315idW", "tPbZGCdmaE", true);
    t.connect.has_will = true;
    assert_int_equal(login_try(&t), SKY_CONNACK_NOT_AUTHORIZED);
    assert_int_equal(t.effects, 0);
}

static void a_products_override_reaches_the_login(void **state)
{
    struct registry_case *c = *state;
    struct login_try t;
    sign(&t, c, 0);
    assert_int_equal(login_try(&t), 0);
    assert_int_equal(
        sky_store_put_rules(c->store, t.lookup.product.id, SKY_SPAN("ALI-WILL=report\n")), SKY_OK);
    t.connect.has_will = true;
    assert_int_equal(login_try(&t), 0);
    sign(&t, c, 1);
    t.connect.has_will = true;
    assert_int_equal(login_try(&t), SKY_CONNACK_NOT_AUTHORIZED);
}

static void a_wrong_signature_that_is_only_reported_is_explained_all_the_same(void **state)
{
    struct registry_case *c = *state;
    struct login_try t;
    registry_case_rule(c, "ALI-SIGN=report");
    sign(&t, c, 0);
    spoil(t.credentials.password, 3);
    assert_int_equal(login_try(&t), 0);
    assert_int_equal(t.outcome.cause, SKY_CAUSE_SIGNATURE);
    assert_true(t.outcome.refusal.explained);
}

static void the_registry_decides_between_clouds_then_the_listener(void **state)
{
    struct registry_case *c = *state;
    struct login_try t;
    login_try_sign(&t, c, "enos", "KV315idW", "tPbZGCdmaE", false);
    t.door.listener = sky_listener_find(SKY_SPAN("mqtt"));
    assert_int_equal(login_try(&t), 0);
    assert_string_equal(t.lookup.cloud->name, "enos");
    sign(&t, c, 0);
    t.door.listener = sky_listener_find(SKY_SPAN("enos-mqtt"));
    login_try(&t);
    assert_string_equal(t.lookup.cloud->name, "aliyun");
    snprintf(t.credentials.username, sizeof t.credentials.username, "nobody&nowhere");
    login_try(&t);
    assert_string_equal(t.lookup.cloud->name, "enos");
}

static void a_lookup_survives_being_copied(void **state)
{
    struct login_try t;
    sign(&t, *state, 0);
    login_try(&t);
    struct sky_lookup copy;
    sky_lookup_copy(&copy, &t.lookup);
    assert_ptr_equal(copy.facts.product, &copy.product);
    assert_ptr_equal(copy.facts.device, &copy.device);
    assert_null(copy.facts.token);
    assert_ptr_equal(copy.facts.fresh.ptr, copy.fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(a_signed_login_is_recognised_and_admitted),
        REGISTRY_TEST(a_wrong_signature_is_refused_and_explained),
        REGISTRY_TEST(what_cannot_be_searched_for_in_this_turn_waits_for_another),
        REGISTRY_TEST(a_good_login_waits_for_nobody),
        REGISTRY_TEST(when_too_many_wait_a_login_is_refused_without_a_search),
        REGISTRY_TEST(an_unknown_device_is_refused_with_the_name_it_may_mean),
        REGISTRY_TEST(an_unknown_device_stays_out_whatever_the_policy),
        REGISTRY_TEST(nobody_is_recognised_in_a_strangers_login),
        REGISTRY_TEST(what_is_no_clouds_login_is_shown_the_form_of_each),
        REGISTRY_TEST(an_empty_client_id_needs_a_clean_session),
        REGISTRY_TEST(a_keepalive_outside_the_range_is_refused_unless_only_reported_or_off),
        REGISTRY_TEST(an_activation_may_have_any_keepalive),
        REGISTRY_TEST(a_will_is_refused_unless_only_reported_or_off),
        REGISTRY_TEST(a_refusal_takes_the_effects_of_the_login_with_it),
        REGISTRY_TEST(a_products_override_reaches_the_login),
        REGISTRY_TEST(a_wrong_signature_that_is_only_reported_is_explained_all_the_same),
        REGISTRY_TEST(the_registry_decides_between_clouds_then_the_listener),
        REGISTRY_TEST(a_lookup_survives_being_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
