#include "tests/unit/broker/broker_case.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static void a_device_has_one_session_found_by_its_id(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = registry_case_session(&c->base, "aliyun", "pk", "device");
    assert_ptr_equal(registry_case_session(&c->base, "aliyun", "pk", "device"), device);
    assert_ptr_not_equal(registry_case_session(&c->base, "aliyun", "pk", "second"), device);
    assert_ptr_equal(sky_session_find(&c->base.registry, device->device_id), device);
    assert_ptr_equal(sky_session_at(&c->base.registry, device->slot), device);
    assert_null(sky_session_find(&c->base.registry, device->device_id + 1000));
}

static void a_clean_session_ends_with_its_connection(void **state)
{
    struct broker_case *c = *state;
    for (int clean = 0; clean < 2; clean++) {
        struct sky_session *device =
            broker_case_online(c, "aliyun", "pk", clean ? "device" : "second");
        struct sky_conn *conn = device->conn;
        device->clean = clean;
        device->kept = !clean;
        broker_case_subscribe(c, device, "/a", 1);
        sky_session_detach(&c->broker, device);
        assert_null(device->conn);
        assert_null(conn->state);
        assert_int_equal(sky_subs_count(c->broker.subs, device->slot), !clean);
        assert_int_equal(device->kept, !clean);
        assert_int_equal(c->base.registry.online, 0);
    }
}

static void detaching_a_device_that_is_away_does_nothing(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = registry_case_session(&c->base, "aliyun", "pk", "device");
    sky_session_detach(&c->broker, device);
    assert_int_equal(c->base.registry.online, 0);
}

static void a_kept_session_lasts_for_the_clouds_time_away(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "tencent", "PROD123456", "dev001");
    device->clean = false;
    device->kept = true;
    assert_int_equal(device->product->cloud->limits.session.queue_age_max_ms, DAY_MS);
    sky_clock_advance(&c->base.clock, 2 * DAY_MS);
    sky_session_expire(&c->broker, device); /* not while it is there */
    assert_true(device->kept);
    sky_session_detach(&c->broker, device);
    sky_session_expire(&c->broker, device);
    assert_true(device->kept);
    sky_clock_advance(&c->base.clock, DAY_MS);
    sky_session_expire(&c->broker, device);
    assert_true(device->kept);
    sky_clock_advance(&c->base.clock, 1);
    sky_session_expire(&c->broker, device);
    assert_false(device->kept);
}

static void on_alarm(struct sky_timer *timer, int64_t now_ms)
{
    fail_msg("the alarm of %p rang at %lld", (void *)timer, (long long)now_ms);
}

static void forgetting_ends_connection_subscriptions_and_alarm(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_conn *conn = device->conn;
    int64_t id = device->device_id;
    sky_clock_timer(&c->base.clock, &conn->alarm, 1000, on_alarm);
    broker_case_subscribe(c, device, "/a", 1);
    sky_session_forget(&c->broker, device);
    assert_null(sky_session_find(&c->base.registry, id));
    assert_true(conn->closing);
    assert_null(conn->state);
    sky_clock_advance(&c->base.clock, DAY_MS);
    assert_int_equal(sky_deliver(&c->broker, SKY_SPAN("/a"), SKY_SPAN("x"), 1, 0).receivers, 0);
    assert_int_equal(c->base.registry.online, 0);
}

static void a_number_is_given_again_and_nothing_of_its_former_owner(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *second = registry_case_session(&c->base, "aliyun", "pk", "second");
    const struct sky_act act = {
        .session = second, .topic = SKY_SPAN("/pk/device/user/both"), .payload = SKY_SPAN("x")};
    assert_int_equal(sky_publish(&c->broker, &act).right, SKY_RIGHT_OTHER);
    uint32_t slot = second->slot;
    broker_case_subscribe(c, second, "/a", 1);
    sky_session_forget(&c->broker, second);
    struct sky_session *device = registry_case_session(&c->base, "aliyun", "pk", "device");
    assert_int_equal(device->slot, slot);
    assert_int_equal(sky_subs_count(c->broker.subs, slot), 0);
    struct sky_act again = act;
    again.session = device;
    assert_int_equal(sky_publish(&c->broker, &again).right, SKY_RIGHT_GRANTED);
}

static void numbers_do_not_run_out(void **state)
{
    struct broker_case *c = *state;
    for (int i = 0; i < 1000; i++) {
        registry_case_session(&c->base, "aliyun", "pk", "device");
        sky_session_forget(&c->broker, registry_case_session(&c->base, "aliyun", "pk", "second"));
    }
    assert_int_equal(c->base.registry.slots, 2);
}

static void a_kick_closes_once(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    assert_true(sky_session_kick(device, "first"));
    assert_false(sky_session_kick(device, "second"));
    assert_string_equal(device->conn->work->close_reason, "first");
    assert_false(
        sky_session_kick(registry_case_session(&c->base, "aliyun", "pk", "second"), "away"));
}

static void a_product_is_read_again_in_place_when_it_changes(void **state)
{
    struct broker_case *c = *state;
    struct sky_product_info *info =
        registry_case_session(&c->base, "aliyun", "pk", "device")->product;
    const struct sky_rule *rule =
        sky_catalogue_find(&c->base.registry.catalogue, SKY_SPAN("ALI-RETAIN"));
    assert_int_equal(info->topic_count, 1);
    assert_ptr_equal(sky_product_policy(&c->base.registry, info), &c->base.registry.policy);
    assert_int_equal(sky_store_put_topics(c->base.store, info->product.id, NULL, 0), SKY_OK);
    assert_int_equal(sky_store_put_rules(c->base.store, info->product.id,
                                         SKY_SPAN("NO-SUCH-RULE=off\nALI-RETAIN=off\n")),
                     SKY_OK);
    assert_ptr_equal(sky_product_info(&c->base.registry, info->product.id), info);
    assert_int_equal(info->topic_count, 0);
    assert_int_equal(sky_policy_action(sky_product_policy(&c->base.registry, info), rule), SKY_OFF);
    assert_int_equal(sky_policy_action(&c->base.registry.policy, rule), SKY_REPORT);
    assert_null(sky_product_info(&c->base.registry, info->product.id + 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_device_has_one_session_found_by_its_id),
        BROKER_TEST(a_clean_session_ends_with_its_connection),
        BROKER_TEST(detaching_a_device_that_is_away_does_nothing),
        BROKER_TEST(a_kept_session_lasts_for_the_clouds_time_away),
        BROKER_TEST(forgetting_ends_connection_subscriptions_and_alarm),
        BROKER_TEST(a_number_is_given_again_and_nothing_of_its_former_owner),
        BROKER_TEST(numbers_do_not_run_out),
        BROKER_TEST(a_kick_closes_once),
        BROKER_TEST(a_product_is_read_again_in_place_when_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
