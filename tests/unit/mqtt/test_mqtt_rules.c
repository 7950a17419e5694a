#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/mqtt/rules.h"

static void every_row_is_complete_and_its_id_is_its_own(void **state)
{
    (void)state;
    assert_int_equal(sky_mqtt_rules.count, SKY_MQTT_SPEC_RULES + SKY_LIMIT_RULES);
    assert_true(sky_mqtt_rules.count <
                70); /* the catalogue of all tables has SKY_RULES_GENERAL_MAX */
    for (size_t i = 0; i < sky_mqtt_rules.count; i++) {
        const struct sky_rule *row = &sky_mqtt_rules.rows[i];
        assert_non_null(row->id);
        assert_true(strncmp(row->id, "MQTT-", 5) == 0);
        assert_true(strlen(row->statement) > 10 && strlen(row->source) > 5);
        assert_true(strlen(row->hint) > 5);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(row->id, sky_mqtt_rules.rows[j].id);
    }
}

static void rows_are_found_by_name(void **state)
{
    (void)state;
    assert_string_equal(sky_mqtt_rule(SKY_MQTT_RULE_FIRST_PACKET)->id, "MQTT-3.1.0-1");
    assert_string_equal(sky_mqtt_rule(SKY_MQTT_RULE_FIRST_PACKET)->source, "MQTT 3.1.1 \xc2\xa7"
                                                                           "3.1.0 [MQTT-3.1.0-1]");
    static const char *const ids[SKY_LIMIT_RULES] = {
        [SKY_LIMIT_WILL] = "MQTT-WILL",
        [SKY_LIMIT_RETAIN] = "MQTT-RETAIN",
        [SKY_LIMIT_QOS2_PUBLISH] = "MQTT-QOS2-PUBLISH",
        [SKY_LIMIT_QOS2_SUBSCRIBE] = "MQTT-QOS2-SUBSCRIBE",
        [SKY_LIMIT_PACKET_TYPE] = "MQTT-PACKET-TYPE",
        [SKY_LIMIT_KEEPALIVE] = "MQTT-KEEPALIVE-RANGE",
        [SKY_LIMIT_KEEPALIVE_SILENT] = "MQTT-KEEPALIVE-SILENT",
        [SKY_LIMIT_KEEPALIVE_DEAD] = "MQTT-KEEPALIVE-DEAD",
        [SKY_LIMIT_DUPLICATE_LOGIN] = "MQTT-DUPLICATE-LOGIN",
        [SKY_LIMIT_PAYLOAD_SIZE] = "MQTT-PAYLOAD-SIZE",
        [SKY_LIMIT_TOPIC_PUB] = "MQTT-TOPIC-PUB",
        [SKY_LIMIT_TOPIC_SUB] = "MQTT-TOPIC-SUB",
        [SKY_LIMIT_TOPIC_DIRECTION] = "MQTT-TOPIC-DIRECTION",
        [SKY_LIMIT_TOPIC_OTHER] = "MQTT-TOPIC-OTHER-DEVICE",
        [SKY_LIMIT_SUB_COUNT] = "MQTT-SUB-COUNT",
        [SKY_LIMIT_TOPIC_LENGTH] = "MQTT-TOPIC-LENGTH",
        [SKY_LIMIT_PUBLISH_RATE] = "MQTT-PUBLISH-RATE",
    };
    for (int i = 0; i < SKY_LIMIT_RULES; i++)
        assert_string_equal(sky_mqtt_limit_rule((enum sky_limit_rule)i)->id, ids[i]);
}

static void only_what_a_broker_would_let_pass_is_merely_reported(void **state)
{
    static const char *const reported[] = {
        "MQTT-RETAIN",   "MQTT-KEEPALIVE-SILENT", "MQTT-DUPLICATE-LOGIN",
        "MQTT-2.3.1-6",  "MQTT-RESUBSCRIBE",      "MQTT-4.6.0-2",
        "MQTT-3.14.4-2", "MQTT-TOPIC-LENGTH",     "MQTT-PUBLISH-RATE",
    };
    (void)state;
    for (size_t i = 0; i < sky_mqtt_rules.count; i++) {
        const struct sky_rule *row = &sky_mqtt_rules.rows[i];
        enum sky_action want = SKY_ENFORCE;
        for (size_t j = 0; j < SKY_COUNT(reported); j++)
            want = strcmp(row->id, reported[j]) == 0 ? SKY_REPORT : want;
        for (int profile = 0; profile < SKY_PROFILES; profile++)
            assert_int_equal(row->action[profile], want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete_and_its_id_is_its_own),
        cmocka_unit_test(rows_are_found_by_name),
        cmocka_unit_test(only_what_a_broker_would_let_pass_is_merely_reported),
    };
    return cmocka_run_group_tests_name("mqtt_rules", tests, NULL, NULL);
}
