#include "tests/unit/broker/broker_case.h"

#include "protocol/mqtt/topic.h"

#define OWN "/pk/device/user/both"
#define OTHERS "/pk/second/user/both"

static void acknowledge(const struct sky_act *act)
{
    size_t *times = act->ctx;
    (*times)++;
}

static struct sky_act act_of(struct sky_session *session, const char *topic, sky_span payload,
                             uint8_t qos)
{
    return (struct sky_act){.session = session,
                            .topic = sky_span_str(topic),
                            .payload = payload,
                            .connection = session->conn != NULL ? session->conn->id : 0,
                            .packet_id = qos > 0 ? 9 : 0,
                            .qos = qos};
}

static struct sky_act_result publish(struct broker_case *c, struct sky_session *session,
                                     const char *topic, const char *payload, uint8_t qos)
{
    struct sky_act act = act_of(session, topic, sky_span_str(payload), qos);
    return sky_publish(&c->broker, &act);
}

static void a_publish_reaches_its_subscriber_with_the_lesser_qos(void **state)
{
    static const struct {
        uint8_t published, granted, delivered;
    } table[] = {{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 1, 1}};
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        struct sky_mqtt_publish got = {.qos = 9};
        sky_buf_clear(&device->conn->work->out);
        broker_case_subscribe(c, device, OWN, table[i].granted);
        publish(c, device, OWN, "hello", table[i].published);
        assert_int_equal(broker_case_published(device, &got), 1);
        assert_int_equal(got.qos, table[i].delivered);
        assert_true(sky_span_eq_str(got.topic, OWN));
        assert_true(sky_span_eq_str(got.payload, "hello"));
        assert_false(got.retain || got.dup);
    }
}

static void overlapping_filters_deliver_once(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    broker_case_subscribe(c, device, OWN, 0);
    broker_case_subscribe(c, device, "/pk/device/user/+", 1);
    publish(c, device, OWN, "once", 1);
    assert_int_equal(broker_case_published(device, &got), 1);
    assert_int_equal(got.qos, 1);
}

static void what_is_subscribed_to_later_is_found_all_the_same(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    publish(c, device, OWN, "nobody", 0);
    broker_case_subscribe(c, device, OWN, 0);
    publish(c, device, OWN, "me", 0);
    assert_int_equal(broker_case_published(device, &got), 1);
    sky_subs_remove(c->broker.subs, device->slot, SKY_SPAN(OWN));
    publish(c, device, OWN, "nobody", 0);
    assert_int_equal(broker_case_published(device, &got), 1);
}

static void a_topic_of_another_device_is_acknowledged_and_dropped(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_session *second = broker_case_online(c, "aliyun", "pk", "second");
    struct sky_mqtt_publish got;
    size_t acknowledged = 0;
    broker_case_subscribe(c, second, OTHERS, 1);
    struct sky_act act = act_of(device, OTHERS, SKY_SPAN("x"), 1);
    act.on_ack = acknowledge;
    act.ctx = &acknowledged;
    struct sky_act_result result = sky_publish(&c->broker, &act);
    assert_int_equal(result.right, SKY_RIGHT_OTHER);
    assert_false(result.close);
    assert_int_equal(acknowledged, 1);
    assert_int_equal(broker_case_published(second, &got), 0);
    assert_int_equal(registry_case_findings(&c->base, "MQTT-TOPIC-OTHER-DEVICE"), 1);
}

/* Of EnOS, one rule stands for all rights to topics. */
static void one_rule_for_several_rights_is_judged_once(void **state)
{
    static const char *const topics[] = {
        "/sys/KV315idW/second/thing/measurepoint/post", /* another's */
        "/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post_reply",
        "/nonsense",
    };
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "enos", "KV315idW", "tPbZGCdmaE");
    for (size_t i = 0; i < SKY_COUNT(topics); i++) {
        publish(c, device, topics[i], "{}", 0);
        assert_int_equal(registry_case_findings(&c->base, "ENOS-TOPIC-ACL"), i + 1);
    }
}

static void a_right_belongs_to_the_publisher_not_to_the_topic(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_session *second = broker_case_online(c, "aliyun", "pk", "second");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(publish(c, device, OWN, "x", 0).right, SKY_RIGHT_GRANTED);
        assert_int_equal(publish(c, second, OWN, "x", 0).right, SKY_RIGHT_OTHER);
    }
}

static void a_right_is_looked_up_again_when_the_products_topics_change(void **state)
{
    static const struct sky_product_topic added = {.pattern = "/{product}/{device}/user/new",
                                                   .pub = true};
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "tencent", "PROD123456", "dev001");
    const char *topic = "/PROD123456/dev001/user/new";
    assert_int_equal(publish(c, device, topic, "x", 0).right, SKY_RIGHT_NONE);
    assert_int_equal(sky_store_put_topics(c->base.store, device->product->product.id, &added, 1),
                     SKY_OK);
    sky_products_follow(&c->base.registry);
    assert_int_equal(publish(c, device, topic, "x", 0).right, SKY_RIGHT_GRANTED);
}

static void a_products_override_decides_and_only_there(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_session *dev001 = broker_case_online(c, "tencent", "PROD123456", "dev001");
    assert_int_equal(sky_store_put_rules(c->base.store, device->product->product.id,
                                         SKY_SPAN("MQTT-TOPIC-OTHER-DEVICE=off\n")),
                     SKY_OK);
    sky_products_follow(&c->base.registry);
    registry_case_rule(&c->base, "TEN-TOPIC-OTHER-DEVICE=enforce");
    publish(c, device, OTHERS, "x", 0);
    publish(c, dev001, "PROD123456/dev002/event", "x", 0);
    assert_int_equal(registry_case_findings(&c->base, "MQTT-TOPIC-OTHER-DEVICE"), 0);
    assert_int_equal(registry_case_findings(&c->base, "TEN-TOPIC-OTHER-DEVICE"), 1);
    assert_false(sky_rule_set_has(&device->party->chapter.exercised,
                                  registry_case_place(&c->base, "MQTT-TOPIC-OTHER-DEVICE")));
}

static void a_sound_publish_keeps_the_rules_about_it(void **state)
{
    static const char *const kept[] = {"ALI-RETAIN",           "ALI-QOS2",
                                       "ALI-PAYLOAD-SIZE",     "ALI-TOPIC-PUB",
                                       "MQTT-TOPIC-DIRECTION", "MQTT-TOPIC-OTHER-DEVICE",
                                       "MQTT-TOPIC-LENGTH"};
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    publish(c, device, OWN, "x", 0);
    for (size_t i = 0; i < SKY_COUNT(kept); i++)
        if (!registry_case_kept(&c->base, device, kept[i]))
            fail_msg("%s is not among the rules kept", kept[i]);
}

static void a_retained_message_is_delivered_unretained_with_a_finding(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got = {.retain = true};
    broker_case_subscribe(c, device, OWN, 0);
    struct sky_act act = act_of(device, OWN, SKY_SPAN("x"), 0);
    act.retain = true;
    sky_publish(&c->broker, &act);
    assert_int_equal(broker_case_published(device, &got), 1);
    assert_false(got.retain);
    assert_int_equal(registry_case_findings(&c->base, "ALI-RETAIN"), 1);
}

static void qos_2_closes_or_passes_as_the_rule_says(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "enos", "KV315idW", "tPbZGCdmaE");
    const char *topic = "/sys/KV315idW/tPbZGCdmaE/thing/model/up_raw";
    assert_true(publish(c, device, topic, "x", 2).close);
    registry_case_rule(&c->base, "MQTT-QOS2-PUBLISH=report");
    assert_false(publish(c, device, topic, "x", 2).close);
    assert_int_equal(registry_case_findings(&c->base, "MQTT-QOS2-PUBLISH"), 2);
    registry_case_rule(&c->base, "MQTT-QOS2-PUBLISH=off");
    assert_false(publish(c, device, topic, "x", 2).close);
    assert_int_equal(registry_case_findings(&c->base, "MQTT-QOS2-PUBLISH"), 2);
}

static void a_payload_is_carried_up_to_the_clouds_limit(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    size_t max = device->product->cloud->limits.payload_max;
    char *bytes = sky_mem_new(max + 1);
    broker_case_subscribe(c, device, OWN, 0);
    registry_case_rule(&c->base, "ALI-PAYLOAD-SIZE=enforce");
    for (size_t len = max; len <= max + 1; len++) {
        struct sky_act act = act_of(device, OWN, sky_span_of(bytes, len), 0);
        sky_publish(&c->broker, &act);
        assert_int_equal(registry_case_findings(&c->base, "ALI-PAYLOAD-SIZE"), len - max);
        assert_int_equal(broker_case_published(device, &got), 1);
    }
    free(bytes);
}

static void a_topic_is_taken_up_to_the_clouds_length_and_slashes(void **state)
{
    struct broker_case *c = *state;
    const struct sky_cloud_limits *limits = &sky_cloud_find(SKY_SPAN("aliyun"))->limits;
    char topic[130] = "/";
    memset(topic + 1, 'a', sizeof topic - 2);
    assert_int_equal(limits->topic_len_max, 128);
    assert_true(sky_cloud_topic_fits(limits, NULL, sky_span_of(topic, 128)));
    assert_false(sky_cloud_topic_fits(limits, NULL, sky_span_of(topic, 129)));
    assert_true(sky_cloud_topic_fits(limits, NULL, SKY_SPAN("/1/2/3/4/5/6/7")));
    assert_false(sky_cloud_topic_fits(limits, NULL, SKY_SPAN("/1/2/3/4/5/6/7/8")));
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    publish(c, device, "/pk/device/user/4/5/6/7", "x", 0);
    assert_int_equal(registry_case_findings(&c->base, "MQTT-TOPIC-LENGTH"), 0);
    publish(c, device, "/pk/device/user/4/5/6/7/8", "x", 0);
    assert_int_equal(registry_case_findings(&c->base, "MQTT-TOPIC-LENGTH"), 1);
}

static void remembered_topics_are_bounded_by_number_and_bytes(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "enos", "KV315idW", "tPbZGCdmaE");
    char *topic = sky_mem_new(SKY_MQTT_STRING_MAX + 1);
    memset(topic, 'a', SKY_MQTT_STRING_MAX);
    for (int i = 0; i < 2 * SKY_TOPIC_BYTES_MAX / SKY_MQTT_STRING_MAX; i++) {
        memcpy(topic, &i, sizeof i);
        uint8_t qos;
        sky_topic_subscribed(&c->broker, device, sky_span_of(topic, SKY_MQTT_STRING_MAX), &qos);
        assert_true(c->broker.node_bytes <= SKY_TOPIC_BYTES_MAX + 2 * SKY_MQTT_STRING_MAX);
    }
    for (int i = 0; i < SKY_TOPIC_NODES_MAX + 1; i++) {
        uint8_t qos;
        sky_topic_subscribed(&c->broker, device, sky_span_of(&i, sizeof i), &qos);
        assert_true(HASH_COUNT(c->broker.nodes) <= SKY_TOPIC_NODES_MAX);
    }
    free(topic);
}

/* ---- delivery ---- */

static void a_device_that_is_away_gets_qos_1_when_its_session_is_kept(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = registry_case_session(&c->base, "aliyun", "pk", "device");
    sky_deliver_to(&c->broker, device, SKY_SPAN(OWN), SKY_SPAN("lost"), 1, 0, 0);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 1);
    device->kept = true;
    sky_deliver_to(&c->broker, device, SKY_SPAN(OWN), SKY_SPAN("lost"), 0, 0, 0);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 2);
    sky_deliver_to(&c->broker, device, SKY_SPAN(OWN), SKY_SPAN("kept"), 1, 0, 0);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 2);
    assert_int_equal(sky_mqtt_session_waiting(&device->mqtt), 1);

    struct sky_mqtt_publish got;
    device->conn = broker_case_conn(c);
    device->conn->state = device;
    sky_deliver_resumed(&c->broker, device);
    assert_int_equal(broker_case_published(device, &got), 1);
    assert_true(sky_span_eq_str(got.payload, "kept"));
    assert_int_equal(sky_mqtt_session_inflight(&device->mqtt), 1);
}

static void what_waits_for_all_devices_has_a_bound_and_who_reads_does_not_feel_it(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *away = registry_case_session(&c->base, "aliyun", "pk", "device");
    struct sky_session *reads = broker_case_online(c, "tencent", "PROD123456", "dev001");
    struct sky_mqtt_publish got;
    const size_t full = SKY_MESSAGE_BYTES_MAX - strlen(OWN) - 1;
    away->kept = true;
    c->broker.message_bytes = full + 1;
    sky_deliver_to(&c->broker, away, SKY_SPAN(OWN), SKY_SPAN("x"), 1, 0, 0);
    assert_int_equal(sky_mqtt_session_waiting(&away->mqtt), 0);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 1);
    sky_deliver_to(&c->broker, reads, SKY_SPAN("t"), SKY_SPAN("x"), 1, 0, 0);
    assert_int_equal(broker_case_published(reads, &got), 1);
    c->broker.message_bytes = full;
    sky_deliver_to(&c->broker, away, SKY_SPAN(OWN), SKY_SPAN("x"), 1, 0, 0);
    assert_int_equal(sky_mqtt_session_waiting(&away->mqtt), 1);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 1);
    sky_mqtt_session_done(&away->mqtt);
    assert_int_equal(c->broker.message_bytes, full);
}

static void what_waited_too_long_is_dropped_and_told(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = registry_case_session(&c->base, "tencent", "PROD123456", "dev001");
    struct sky_mqtt_publish got;
    device->kept = true;
    sky_deliver_to(&c->broker, device, SKY_SPAN("t"), SKY_SPAN("old"), 1, 0, 0);
    sky_clock_advance(&c->base.clock, device->product->cloud->limits.session.queue_age_max_ms + 1);
    device->conn = broker_case_conn(c);
    device->conn->state = device;
    sky_deliver_resumed(&c->broker, device);
    assert_int_equal(broker_case_published(device, &got), 0);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 1);
}

static void output_that_is_full_is_told_as_a_drop_not_as_a_delivery(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    char *bytes = sky_mem_new(250 * 1024);
    uint64_t pushed = 0;
    device->conn->work->sending.len = 1; /* the kernel takes nothing more */
    while (!device->conn->work->out.overflow) {
        sky_deliver_to(&c->broker, device, SKY_SPAN(OWN), sky_span_of(bytes, 250 * 1024), 0, 0, 0);
        pushed++;
    }
    assert_int_equal(device->work->delivered, pushed - 1);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 1);
    free(bytes);
}

static void a_closing_connection_gets_nothing_more(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    device->conn->closing = true;
    sky_deliver_to(&c->broker, device, SKY_SPAN(OWN), SKY_SPAN("x"), 0, 0, 0);
    sky_deliver_to(&c->broker, device, SKY_SPAN(OWN), SKY_SPAN("x"), 1, 0, 0);
    assert_int_equal(device->conn->work->out.len, 0);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_publish_reaches_its_subscriber_with_the_lesser_qos),
        BROKER_TEST(overlapping_filters_deliver_once),
        BROKER_TEST(what_is_subscribed_to_later_is_found_all_the_same),
        BROKER_TEST(a_topic_of_another_device_is_acknowledged_and_dropped),
        BROKER_TEST(one_rule_for_several_rights_is_judged_once),
        BROKER_TEST(a_right_belongs_to_the_publisher_not_to_the_topic),
        BROKER_TEST(a_right_is_looked_up_again_when_the_products_topics_change),
        BROKER_TEST(a_products_override_decides_and_only_there),
        BROKER_TEST(a_sound_publish_keeps_the_rules_about_it),
        BROKER_TEST(a_retained_message_is_delivered_unretained_with_a_finding),
        BROKER_TEST(qos_2_closes_or_passes_as_the_rule_says),
        BROKER_TEST(a_payload_is_carried_up_to_the_clouds_limit),
        BROKER_TEST(a_topic_is_taken_up_to_the_clouds_length_and_slashes),
        BROKER_TEST(remembered_topics_are_bounded_by_number_and_bytes),
        BROKER_TEST(a_device_that_is_away_gets_qos_1_when_its_session_is_kept),
        BROKER_TEST(what_waits_for_all_devices_has_a_bound_and_who_reads_does_not_feel_it),
        BROKER_TEST(what_waited_too_long_is_dropped_and_told),
        BROKER_TEST(output_that_is_full_is_told_as_a_drop_not_as_a_delivery),
        BROKER_TEST(a_closing_connection_gets_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
